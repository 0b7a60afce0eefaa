//! Segments of a known stream, in any order, as often and cut as you like: every byte that any of
//! them brought is given, once, where it belongs, and all others are gaps.
#![no_main]

#[allow(dead_code)] // each target is one of the rules
#[path = "../../sns-cli/tests/properties/rules.rs"]
mod rules;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rules::stream(bytes));
