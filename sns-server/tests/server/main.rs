//! Tests of the real server in a process of its own, over real sockets.
#![allow(clippy::unwrap_used)] // a test's helpers are tests

mod admin;
mod crowd;
mod harness;
mod privileges;
mod process;
mod reload;
mod wire;
