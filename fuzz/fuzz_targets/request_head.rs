//! A head is found at the same place however it arrives; one that was read is written as a plain
//! head, which reads the same and is no longer odd.
#![no_main]

#[allow(dead_code)] // each target is one of the rules
#[path = "../../samsung-sns/tests/properties/rules.rs"]
mod rules;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rules::request_head(bytes));
