//! `[limits]`: what is too much.
//!
//! Law: a limit under which nothing could be received at all is refused.

use super::A_CENTURY;
use crate::crowd::Room;
use bytesize::ByteSize;
use samsung_sns::session::SessionRules;
use serde::Deserialize;
use std::time::Duration;

/// The longest head that was captured of a camera has 796 bytes.
const HEAD: ByteSize = ByteSize::kib(1);

/// Limits of what one request, or all of them, may take.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// The longest file of one upload.
    pub upload: ByteSize,
    /// The longest e-mail request with all its files.
    pub email: ByteSize,
    /// Less than this left on the disk: nothing more is received.
    pub free_space: ByteSize,
    /// Files and e-mails that are received at a time.
    pub uploads_at_a_time: usize,
    /// Connections at a time.
    pub connections: usize,
    /// Connections at a time from one address.
    pub connections_per_address: usize,
    /// The longest request head.
    pub head: ByteSize,
    /// All large request heads together.
    pub heads: ByteSize,
    /// How long a request head may take.
    #[serde(with = "humantime_serde")]
    pub head_timeout: Duration,
    /// How long a body may pause without any byte.
    #[serde(with = "humantime_serde")]
    pub body_timeout: Duration,
    /// A body must bring as much in each minute, on average.
    pub body_rate: Rate,
    /// How many sessions may live; the least recently used goes first.
    pub sessions: usize,
    /// How long a session lives after its last use.
    #[serde(with = "humantime_serde")]
    pub session_lifetime: Duration,
    /// Whether a session may be used from the address of its login only.
    pub session_bound_to_address: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            upload: ByteSize::gib(2),
            email: ByteSize::gib(1),
            free_space: ByteSize::mib(200),
            uploads_at_a_time: 64,
            connections: 2048,
            connections_per_address: 512,
            head: ByteSize::kib(64),
            heads: ByteSize::mib(16),
            head_timeout: Duration::from_secs(15),
            body_timeout: Duration::from_secs(60),
            body_rate: Rate(ByteSize::kib(1)),
            sessions: 1000,
            session_lifetime: Duration::from_secs(24 * 60 * 60),
            session_bound_to_address: false,
        }
    }
}

impl Limits {
    /// The first key under whose value nothing could be received, and what to do.
    pub(super) fn wrong(&self) -> Option<(&'static str, &'static str)> {
        const NOTHING: &str = "with 0 nothing at all would be received; leave the line out for the \
                               default";
        const NO_TIME: &str = "with no time at all nothing would be received; leave the line out for \
                               the default";
        const SHORT: &str = "cameras send heads of 800 bytes, so it has to be \"1 KiB\" or more";
        const TOO_LONG: &str = "this is more than a hundred years";
        let numbers = [
            ("upload", self.upload.as_u64()),
            ("email", self.email.as_u64()),
            ("uploads_at_a_time", self.uploads_at_a_time as u64),
            ("connections", self.connections as u64),
            ("connections_per_address", self.connections_per_address as u64),
            ("sessions", self.sessions as u64),
        ];
        let times = [
            ("head_timeout", self.head_timeout),
            ("body_timeout", self.body_timeout),
            ("session_lifetime", self.session_lifetime),
        ];
        let number = numbers.into_iter().find(|(_, number)| *number == 0);
        let none = times.into_iter().find(|(_, time)| time.is_zero());
        let long = times.into_iter().find(|(_, time)| *time > A_CENTURY);
        let short = (self.head < HEAD).then_some(("head", SHORT));
        number
            .map(|(key, _)| (key, NOTHING))
            .or(short)
            .or_else(|| none.map(|(key, _)| (key, NO_TIME)))
            .or_else(|| long.map(|(key, _)| (key, TOO_LONG)))
    }

    /// Those of connections.
    pub fn room(&self) -> Room {
        Room {
            connections: self.connections,
            per_address: self.connections_per_address,
            heads: usize::try_from(self.heads.as_u64()).unwrap_or(usize::MAX),
        }
    }

    /// Those of sessions.
    pub fn session_rules(&self) -> SessionRules {
        SessionRules {
            most: self.sessions,
            lifetime: self.session_lifetime,
            bound_to_address: self.session_bound_to_address,
        }
    }
}

/// Bytes a second, written `"1 KiB/s"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Rate(pub ByteSize);

impl TryFrom<String> for Rate {
    type Error = String;

    fn try_from(text: String) -> Result<Rate, String> {
        let size = text.trim().strip_suffix("/s").and_then(|size| size.trim().parse().ok());
        size.map(Rate).ok_or_else(|| format!("{text:?} is not a rate such as \"1 KiB/s\""))
    }
}
