//! Whatever clients ask in whatever order: each gets what its own firmware takes for "online", Yahoo's
//! two answers in turn, and MSN's cookie always. The first byte says how many clients there are.
#![no_main]

#[allow(dead_code)] // each target is one of the rules
#[path = "../../samsung-sns/tests/properties/rules.rs"]
mod rules;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rules::hotspot(bytes));
