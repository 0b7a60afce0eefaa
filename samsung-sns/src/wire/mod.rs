//! What is on the wire, as it came: HTTP heads, XML fields, multipart parts.
//!
//! Law: these readers know bytes, not cameras' intentions. They accept what the cameras send,
//! report each deviation as a [`Quirk`](crate::quirk::Quirk), and refuse only what cannot be read
//! at all.

pub mod multipart;
pub mod request;
pub mod response;
pub mod xml;
