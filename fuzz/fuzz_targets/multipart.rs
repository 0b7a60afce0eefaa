//! A body of boundary `B` gives the same parts however it is cut, ends once all of it was fed, and
//! never gives more bytes than it has. The first byte says how it is cut.
#![no_main]

#[allow(dead_code)] // each target is one of the rules
#[path = "../../samsung-sns/tests/properties/rules.rs"]
mod rules;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rules::multipart(bytes));
