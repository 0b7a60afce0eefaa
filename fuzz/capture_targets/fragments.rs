//! IP fragments in any order and number: the payload that comes out is at most a packet's.
#![no_main]

#[allow(dead_code)] // each target is one of the rules
#[path = "../../sns-cli/tests/properties/rules.rs"]
mod rules;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rules::fragments(bytes));
