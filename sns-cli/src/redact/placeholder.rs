//! What stands in the place of a hidden text.
//!
//! Law: equal texts have equal placeholders, different ones different, in all reports of a run. Only
//! digests are kept, so many at most; when there are too many, all are forgotten, and what comes
//! up again gets a new number: numbers are never used twice.

use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::net::IpAddr;

/// So many texts are known again.
const MAX_KNOWN: usize = 100_000;

/// The placeholders of a run.
#[derive(Debug, Default)]
pub(super) struct Placeholders {
    known: HashMap<[u8; 16], u64>,
    /// How many there are of each label.
    counts: HashMap<&'static str, u64>,
}

impl Placeholders {
    /// For a text: which one, and how long it is. Nothing stays nothing.
    pub(super) fn text(&mut self, text: &str) -> String {
        let number = match text {
            "" => return String::new(),
            text => self.number("text", text),
        };
        let unit = if text.len() == 1 { "byte" } else { "bytes" };
        format!("<text-{number}, {} {unit}>", text.len())
    }

    /// For a text of which not even the length is told.
    pub(super) fn numbered(&mut self, label: &'static str, text: &str) -> String {
        format!("<{label}-{}>", self.number(label, text))
    }

    /// For a password. Nothing stays nothing.
    pub(super) fn password(&mut self, text: &str) -> String {
        if text.is_empty() { String::new() } else { self.numbered("password", text) }
    }

    /// For an address: which one, and in which network, as far as that is anybody's.
    pub(super) fn address(&mut self, address: IpAddr) -> String {
        let address = address.to_canonical();
        if address.is_loopback() {
            return address.to_string();
        }
        let number = self.number("address", &address.to_string());
        format!("<address-{number}, {}>", network(address))
    }

    fn number(&mut self, label: &'static str, text: &str) -> u64 {
        let mut digest = Sha256::new();
        digest.update(label);
        digest.update([0]);
        digest.update(text);
        let digest = digest.finalize();
        let mut key = [0; 16];
        key.copy_from_slice(&digest[..16]);
        if let Some(number) = self.known.get(&key) {
            return *number;
        }
        if self.known.len() >= MAX_KNOWN {
            self.known.clear();
        }
        let count = self.counts.entry(label).or_default();
        *count += 1;
        self.known.insert(key, *count);
        *count
    }
}

/// The network of an address: cameras treat some of them differently.
fn network(address: IpAddr) -> &'static str {
    match address {
        IpAddr::V4(ip) => match ip.octets() {
            [10, ..] => "10.x.x.x",
            [172, 16..=31, ..] => "172.16-31.x.x",
            [192, 168, ..] => "192.168.x.x",
            [169, 254, ..] => "169.254.x.x",
            [100, 64..=127, ..] => "100.64-127.x.x",
            [0 | 224..=255, ..] => "special",
            _ => "public",
        },
        IpAddr::V6(ip) => match ip.segments()[0] {
            0xfc00..=0xfdff => "private IPv6",
            0xfe80..=0xfebf => "link-local IPv6",
            0 | 0xff00.. => "special IPv6",
            _ => "public IPv6",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_network_of_an_address_stays_known() {
        let mut placeholders = Placeholders::default();
        for (address, expected) in [
            ("10.1.2.3", "<address-1, 10.x.x.x>"),
            ("172.31.0.1", "<address-2, 172.16-31.x.x>"),
            ("172.32.0.1", "<address-3, public>"),
            ("192.168.7.1", "<address-4, 192.168.x.x>"),
            ("::ffff:192.168.7.1", "<address-4, 192.168.x.x>"),
            ("fd00::7", "<address-5, private IPv6>"),
            ("2a00::7", "<address-6, public IPv6>"),
            ("fe80::7", "<address-7, link-local IPv6>"),
            ("127.0.0.1", "127.0.0.1"),
        ] {
            assert_eq!(placeholders.address(address.parse().unwrap()), expected);
        }
    }

    #[test]
    fn what_was_forgotten_gets_a_new_number() {
        let mut placeholders = Placeholders::default();
        for number in 0..=MAX_KNOWN {
            placeholders.text(&number.to_string());
        }
        assert_eq!(placeholders.known.len(), 1);
        assert_eq!(placeholders.text("0"), format!("<text-{}, 1 byte>", MAX_KNOWN + 2));
    }
}
