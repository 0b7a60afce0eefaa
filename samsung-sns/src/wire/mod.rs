//! What is on the wire, as it came: HTTP heads, XML fields, multipart parts.
//!
//! Law: these readers know bytes, not cameras' intentions. They accept what the cameras send,
//! report each deviation as a [`Quirk`](crate::quirk::Quirk), and refuse only what cannot be read
//! at all.

pub mod header;
pub mod multipart;
pub mod request;
pub mod response;
pub mod xml;

/// The text of some bytes, with replacement characters where they are no UTF-8.
///
/// As `String::from_utf8_lossy` makes it, which takes several times as long where, as nearly always,
/// nothing is to be replaced.
pub(crate) fn text(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => String::from_utf8_lossy(bytes),
    }
}
