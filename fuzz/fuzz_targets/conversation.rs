//! A conversation made of bytes: nothing is received without a live session, sessions stay within
//! their bound, and the same conversation goes the same way twice.
#![no_main]

#[allow(dead_code)] // each target is one of the rules
#[path = "../../samsung-sns/tests/properties/rules.rs"]
mod rules;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rules::conversation(bytes));
