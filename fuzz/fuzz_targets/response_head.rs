//! A response head never ends behind the bytes.
#![no_main]

#[allow(dead_code)] // each target is one of the rules
#[path = "../../samsung-sns/tests/properties/rules.rs"]
mod rules;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rules::response_head(bytes));
