//! Where to listen: an address, or an interface whose addresses are followed.
//!
//! Law: what looks like an address is one; a mistyped address never becomes the name of an
//! interface that nobody will ever see.

use serde::Deserialize;
use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

/// One entry of `listen`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Listen {
    /// `10.42.0.1:80`
    Address(SocketAddr),
    /// `wlan0:80`: every address of the interface, as they come and go.
    Interface {
        /// The interface.
        name: String,
        /// The port at each of its addresses.
        port: u16,
    },
}

/// A text that is neither.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is neither an address with a port (\"0.0.0.0:80\") nor an interface with one (\"wlan0:80\")"
)]
pub struct NoListen(String);

/// Linux names interfaces with fewer bytes than this.
const IFNAMSIZ: usize = 16;

impl FromStr for Listen {
    type Err = NoListen;

    fn from_str(text: &str) -> Result<Listen, NoListen> {
        if let Ok(address) = text.parse() {
            return Ok(Listen::Address(address));
        }
        let refuse = || NoListen(text.to_owned());
        let (name, port) = text.rsplit_once(':').ok_or_else(refuse)?;
        let port = port.parse().ok().filter(|port| *port != 0).ok_or_else(refuse)?;
        let named = (1..IFNAMSIZ).contains(&name.len())
            && name.bytes().any(|byte| byte.is_ascii_alphabetic())
            && name.bytes().all(|byte| byte.is_ascii_graphic() && !b"/:[]".contains(&byte));
        if !named {
            return Err(refuse());
        }
        Ok(Listen::Interface { name: name.to_owned(), port })
    }
}

impl TryFrom<String> for Listen {
    type Error = NoListen;

    fn try_from(text: String) -> Result<Listen, NoListen> {
        text.parse()
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Listen::Address(address) => address.fmt(f),
            Listen::Interface { name, port } => write!(f, "{name}:{port}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_no_interface_and_the_other_way_round() {
        for text in ["0.0.0.0:80", "[::1]:8080", "127.0.0.1:0"] {
            assert_eq!(text.parse(), Ok(Listen::Address(text.parse().unwrap())));
        }
        for (text, name, port) in [
            ("wlan0:80", "wlan0", 80),
            ("eth0.10:8080", "eth0.10", 8080),
            ("br-lan:1", "br-lan", 1),
        ] {
            let listen: Listen = text.parse().unwrap();
            assert_eq!(listen, Listen::Interface { name: name.to_owned(), port });
            assert_eq!(listen.to_string(), text);
        }
        for text in [
            "wlan0",
            "wlan0:",
            "wlan0:0",
            "wlan0:http",
            "wlan0:70000",
            ":80",
            "10.42.0:80",
            "300.0.0.1:80",
            "::1:80",
            "[::1:80",
            "a/b:80",
            "a b:80",
            "sixteen-letters-:80",
            "",
        ] {
            assert!(text.parse::<Listen>().is_err(), "{text:?}");
        }
    }
}
