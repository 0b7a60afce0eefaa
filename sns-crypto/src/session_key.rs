//! `CryptSessionKey`: the AES key of a login, which the camera sends in clear.
//!
//! `<CryptSessionKey Use="true" Type="SHA1" Value="…"/>` carries base64 of 32 raw bytes: bytes
//! 0-15 are the AES-128 key, bytes 16-31 the CBC initialisation vector. (`Type="SHA1"` means
//! nothing: no hash is involved.) Source: blog and talk of Georg Lukas; checked against both
//! NX300 logins published there.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::base64_field;

/// The key and initialisation vector that seal the credentials of a login.
///
/// The bytes are wiped on drop, and `Debug` does not show them.
///
/// Quirk(NX300): the same key comes with many logins, so it identifies neither a session nor a
/// camera (Georg Lukas: with equal credentials only `CameraCryptKey` differs between requests).
#[derive(Clone, PartialEq, Eq)]
pub struct CryptSessionKey {
    bytes: [u8; CryptSessionKey::LENGTH],
}

impl CryptSessionKey {
    /// Length of key and initialisation vector together, in bytes.
    pub const LENGTH: usize = 32;

    /// A session key from its 32 raw bytes: 0-15 the AES-128 key, 16-31 the CBC initialisation
    /// vector.
    pub const fn from_bytes(bytes: [u8; Self::LENGTH]) -> Self {
        Self { bytes }
    }

    /// Reads the `Value` attribute as it stands in the XML.
    ///
    /// White space around the value is ignored, and `=` padding at its end may be missing.
    ///
    /// # Errors
    ///
    /// [`SessionKeyError::Base64`] if `text` is not base64, [`SessionKeyError::Length`] if it does
    /// not stand for exactly 32 bytes (an empty `text` stands for none).
    pub fn from_base64(text: &str) -> Result<Self, SessionKeyError> {
        // Quirk(any): white space around the value. The firmware leaves buffer junk between
        // fields and readers cut values out of it; base64 has no white space of its own, so
        // nothing else can be meant.
        let unindented = text.trim_ascii_start();
        let indent = text.len() - unindented.len();
        let decoded = base64_field::decode(unindented.trim_ascii_end().as_bytes())
            .map_err(|offset| SessionKeyError::Base64 { offset: indent + offset })?;
        let bytes: &[u8; Self::LENGTH] = decoded
            .as_slice()
            .try_into()
            .map_err(|_| SessionKeyError::Length { found: decoded.len() })?;
        Ok(Self::from_bytes(*bytes))
    }

    /// The `Value` attribute as a camera writes it: base64 with padding, 44 characters.
    ///
    /// A plain `String`, not one that is wiped: this text is about to go over the wire in clear.
    pub fn to_base64(&self) -> String {
        base64_field::encode(&self.bytes)
    }

    /// All 32 bytes: key, then initialisation vector.
    pub const fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.bytes
    }

    /// The AES-128 key: bytes 0-15.
    pub const fn aes_key(&self) -> &[u8; 16] {
        &self.bytes.as_chunks().0[0]
    }

    /// The CBC initialisation vector: bytes 16-31.
    pub const fn iv(&self) -> &[u8; 16] {
        &self.bytes.as_chunks().0[1]
    }

    /// Whether the initialisation vector is the key itself.
    ///
    /// So it is in one of the two published NX300 logins, and nearly so in the other: the camera's
    /// "random" bytes are mostly the contents of its call stack (Georg Lukas).
    pub fn key_is_iv(&self) -> bool {
        self.aes_key() == self.iv()
    }
}

impl fmt::Debug for CryptSessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CryptSessionKey(..)")
    }
}

impl Drop for CryptSessionKey {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

impl ZeroizeOnDrop for CryptSessionKey {}

/// Why a text is not a `CryptSessionKey`. The camera's fault, or a damaged capture's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SessionKeyError {
    /// The text is not base64.
    #[error("session key: not base64 at byte {offset}")]
    Base64 {
        /// Bytes into the given text (white space before the value counts) at which it goes wrong;
        /// the end of the value if something is missing there.
        offset: usize,
    },
    /// The text is base64, of some other length than a session key's 32 bytes.
    #[error("session key: {found} bytes instead of 32")]
    Length {
        /// Length of the decoded value in bytes.
        found: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both keys were published with an NX300's login.
    const KEY_IS_IV: &str = "/////xAAwKRSAQAAAPAHtv////8QAMCkUgEAAADwB7Y=";
    const KEY_IS_NOT_IV: &str = "//////S3mbZSAQAA/LOitv////9IIgS2UgEAAAAQBLY=";

    #[test]
    fn the_first_half_is_the_key_and_the_second_the_iv() {
        let key = CryptSessionKey::from_bytes(std::array::from_fn(|i| i as u8));
        assert_eq!(key.aes_key(), &std::array::from_fn(|i| i as u8));
        assert_eq!(key.iv(), &std::array::from_fn(|i| i as u8 + 16));
        assert_eq!(key.as_bytes()[31], 31);
    }

    #[test]
    fn published_keys() {
        for (text, key_is_iv) in [(KEY_IS_IV, true), (KEY_IS_NOT_IV, false)] {
            let key = CryptSessionKey::from_base64(text).unwrap();
            assert_eq!(key.key_is_iv(), key_is_iv);
            assert_eq!(key.to_base64(), text);
            assert_eq!(&key.aes_key()[..4], [0xff; 4]);
        }
    }

    #[test]
    fn white_space_around_and_missing_padding_are_read() {
        let key = CryptSessionKey::from_base64(KEY_IS_IV).unwrap();
        let bare = KEY_IS_IV.trim_end_matches('=');
        for text in [format!("\r\n  {KEY_IS_IV}\t "), bare.to_owned(), format!(" {bare}\n")] {
            assert_eq!(CryptSessionKey::from_base64(&text).as_ref(), Ok(&key), "{text:?}");
        }
    }

    #[test]
    fn the_offset_counts_from_the_start_of_the_given_text() {
        let error = |text: &str| CryptSessionKey::from_base64(text).unwrap_err();
        assert_eq!(error("  //!/"), SessionKeyError::Base64 { offset: 4 });
        assert_eq!(error("AAAA AAAA"), SessionKeyError::Base64 { offset: 4 });
        assert_eq!(error(" \n "), SessionKeyError::Length { found: 0 });
        assert_eq!(error("AAAA"), SessionKeyError::Length { found: 3 });
    }

    #[test]
    fn debug_shows_nothing() {
        let key = CryptSessionKey::from_base64(KEY_IS_IV).unwrap();
        assert_eq!(format!("{key:?}"), "CryptSessionKey(..)");
    }
}
