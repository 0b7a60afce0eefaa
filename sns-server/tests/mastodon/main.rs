//! Tests of the destination `mastodon` against a double of an instance, over real sockets.
//!
//! The double checks each request against the published API and fails the test on any deviation; it
//! keeps statuses and files as an instance does, and has faults when told to.
#![allow(clippy::unwrap_used)] // a test's helpers are tests

mod calls;
mod delivery;
mod faults;
mod instance;
mod killed;
mod login;
mod picture;
mod posts;
mod published;
mod tls;
mod wire;
mod world;
