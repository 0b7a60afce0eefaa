//! A capture gives the same packets and the same end however it arrives, and never more bytes than
//! it has. The first byte says how much comes at a time.
#![no_main]

#[allow(dead_code)] // each target is one of the rules
#[path = "../../sns-cli/tests/properties/rules.rs"]
mod rules;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rules::capture_file(bytes));
