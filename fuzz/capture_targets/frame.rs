//! Whatever a frame holds, packets lie inside it, and what their segments bring is theirs. The
//! first byte says which link layer it is.
#![no_main]

#[allow(dead_code)] // each target is one of the rules
#[path = "../../sns-cli/tests/properties/rules.rs"]
mod rules;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rules::frame(bytes));
