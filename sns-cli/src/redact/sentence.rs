//! Our own sentences: warnings, and what is broken.
//!
//! Law: what a sentence quotes may have been sent, so of that only known words stay; so do numbers
//! of at most four digits, as in `Timeout="3000"`. An address is one wherever it stands.

use super::header::{self, Kind};
use super::placeholder::Placeholders;
use super::vocabulary::{QUOTED, is_one_of};
use std::net::{IpAddr, SocketAddr};

/// The sentence, as it may be shared.
pub(super) fn shown(sentence: &str, hidden: &mut Placeholders) -> String {
    let mut out = String::with_capacity(sentence.len());
    let mut rest = sentence;
    while let Some(at) = rest.find('"') {
        plain(&rest[..at], hidden, &mut out);
        let inside = &rest[at + 1..];
        // `{:?}` writes a quote in a quotation as `\"`.
        let end = inside.match_indices('"').map(|(end, _)| end).find(|&end| {
            let slashes = inside[..end].bytes().rev().take_while(|b| *b == b'\\').count();
            slashes % 2 == 0
        });
        let (quoted, behind) = match end {
            Some(end) => (&inside[..end], &inside[end + 1..]),
            None => (inside, ""),
        };
        out.push('"');
        out.push_str(&quotation(quoted, hidden));
        if end.is_some() {
            out.push('"');
        }
        rest = behind;
    }
    plain(rest, hidden, &mut out);
    out
}

fn quotation(quoted: &str, hidden: &mut Placeholders) -> String {
    let is_number = quoted.len() <= 4 && quoted.bytes().all(|b| b.is_ascii_digit());
    if is_number || is_one_of(quoted, QUOTED) {
        quoted.to_owned()
    } else {
        header::value(Kind::Words, quoted, hidden)
    }
}

fn plain(words: &str, hidden: &mut Placeholders, out: &mut String) {
    for word in words.split_inclusive(' ') {
        let is_of_address = |c: char| c.is_ascii_hexdigit() || matches!(c, '.' | ':' | '[' | ']');
        let from = word.find(is_of_address).unwrap_or(word.len());
        let core = word[from..].trim_end().trim_end_matches([',', ';', ')', '.']);
        let core = core.strip_suffix(':').filter(|c| c.parse::<IpAddr>().is_ok()).unwrap_or(core);
        let address = match (core.parse::<IpAddr>(), core.parse::<SocketAddr>()) {
            (Ok(address), _) => Some(hidden.address(address)),
            (_, Ok(peer)) => Some(format!("{}:{}", hidden.address(peer.ip()), peer.port())),
            _ => None,
        };
        match address {
            Some(address) => {
                out.push_str(&word[..from]);
                out.push_str(&address);
                out.push_str(&word[from + core.len()..]);
            }
            None => out.push_str(word),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_quoted_is_looked_at() {
        let mut hidden = Placeholders::default();
        for (sentence, expected) in [
            ("the answer has no \"Connection: close\"", "the answer has no \"Connection: close\""),
            ("must hold Status=\"succ\": plain", "must hold Status=\"succ\": plain"),
            ("must have \"yahoo.\" at", "must have \"yahoo.\" at"),
            ("begins with 192.168.: an", "begins with 192.168.: an"),
            ("method \"a\\\"na\" is", "method \"<text-1, 2 bytes>\"<text-2, 2 bytes>\" is"),
            ("cut \"anna", "cut \"<text-3, 4 bytes>"),
            (
                "from 8.8.8.8, and (8.8.8.8:80).",
                "from <address-1, public>, and (<address-1, public>:80).",
            ),
            ("fd00::1: no", "<address-2, private IPv6>: no"),
        ] {
            assert_eq!(shown(sentence, &mut hidden), expected);
        }
    }
}
