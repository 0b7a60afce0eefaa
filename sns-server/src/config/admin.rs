//! `[admin]`: the owner's listener.
//!
//! Law: off unless given. A key that is not built yet does not exist.

use serde::Deserialize;
use std::net::SocketAddr;

/// The owner's listener.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Admin {
    /// Where it listens; never where cameras are served.
    pub listen: SocketAddr,
    /// Whether `/metrics` and `/healthz` are there.
    #[serde(default = "yes")]
    pub metrics: bool,
}

fn yes() -> bool {
    true
}
