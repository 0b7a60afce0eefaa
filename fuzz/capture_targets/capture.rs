//! A whole capture: every connection that is opened is closed, and no more is said in them than
//! the packets hold.
#![no_main]

#[allow(dead_code)] // each target is one of the rules
#[path = "../../sns-cli/tests/properties/rules.rs"]
mod rules;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rules::capture(bytes));
