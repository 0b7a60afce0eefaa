#![doc = include_str!("../README.md")]

pub mod admission;
pub mod answer;
pub mod camera;
pub mod endpoint;
pub mod gateway;
pub mod hotspot;
pub mod message;
pub mod model;
pub mod post;
pub mod quirk;
pub mod session;
pub mod time;
pub mod wire;

pub use sns_crypto as crypto;
