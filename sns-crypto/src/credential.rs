//! `UserName` and `Password` of a login: sealed, or only URL-encoded.
//!
//! ```text
//! seal ──▶
//! text │ NULs up to 16 bytes │ AES-128-CBC │ base64 │ percent-encoding │ value
//!                                                                 ◀── open
//! ```
//!
//! Source: blog and talk of Georg Lukas; checked against the four values of both NX300 logins
//! published there. There is no PKCS#7 padding. A camera that talks TLS (HMX-QF30) leaves the
//! cipher out: [`open_plain`], [`seal_plain`].

use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, InnerIvInit, KeyInit, KeyIvInit};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use zeroize::Zeroizing;

use crate::{CryptSessionKey, base64_field};

/// Bytes in an AES block, to which a text is filled up with NULs.
const BLOCK: usize = 16;

/// What is percent-encoded: all but the unreserved characters of RFC 3986. The hex digits come out
/// in upper case, as in the captures (`%2B`, `%2F`, `%3D`).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Opens a sealed value, given as it stands in the XML attribute.
///
/// Quirk(any): an empty value opens to an empty text, since a camera with the field left blank may
/// have nothing to seal. (What a camera really sends then is unknown.)
///
/// Quirk(any): `+`, `/` and `=` need not be percent-encoded, and `=` may be missing; nothing else
/// can be meant by them. (No capture shows either; `testdata/crypto/lenient.txt`.)
///
/// NULs inside the text are kept, only those at its end are stripped.
///
/// With the wrong key most values fail as [`CredentialError::NotUtf8`], but not all: success does
/// not prove that the key was right.
///
/// # Errors
///
/// In the order in which they are looked for:
/// [`PercentSequence`](CredentialError::PercentSequence), [`Base64`](CredentialError::Base64),
/// [`Length`](CredentialError::Length), [`NotUtf8`](CredentialError::NotUtf8).
pub fn open(key: &CryptSessionKey, value: &str) -> Result<Zeroizing<String>, CredentialError> {
    Opener::new(key).open(value)
}

/// Opens several values sealed with one key, as both of a login are. Preparing the key takes longer
/// than opening a short value with it.
pub struct Opener<'k> {
    cipher: aes::Aes128Dec,
    key: &'k CryptSessionKey,
}

impl<'k> Opener<'k> {
    /// Prepares the key.
    pub fn new(key: &'k CryptSessionKey) -> Opener<'k> {
        Opener { cipher: aes::Aes128Dec::new(key.aes_key().into()), key }
    }

    /// Opens a sealed value as [`open`] does.
    ///
    /// # Errors
    ///
    /// As [`open`].
    pub fn open(&self, value: &str) -> Result<Zeroizing<String>, CredentialError> {
        self.open_bytes(sealed_bytes(value)?)
    }

    /// Opens what [`sealed_bytes`] gave, in place.
    pub(crate) fn open_bytes(
        &self,
        mut data: Zeroizing<Vec<u8>>,
    ) -> Result<Zeroizing<String>, CredentialError> {
        let (blocks, _) = data.as_chunks_mut::<BLOCK>();
        cbc::Decryptor::inner_iv_init(&self.cipher, self.key.iv().into())
            .decrypt_blocks(aes::Block::cast_slice_from_core_mut(blocks));
        let end = data.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
        data.truncate(end);
        text(data)
    }
}

/// The encrypted bytes behind a sealed value: whole AES blocks.
pub(crate) fn sealed_bytes(value: &str) -> Result<Zeroizing<Vec<u8>>, CredentialError> {
    // Not wiped: what a sealed value says so far stood on the wire.
    let mut encoded = Vec::with_capacity(value.len());
    percent_decode(value, &mut encoded)?;
    let data = base64_field::decode(&encoded)
        .map_err(|offset| CredentialError::Base64 { offset: offset_in_value(value, offset) })?;
    match data.len() {
        found if !found.is_multiple_of(BLOCK) => Err(CredentialError::Length { found }),
        _ => Ok(data),
    }
}

/// Seals a text as a camera does, byte for byte as in the published NX300 captures.
///
/// The text is filled up with NULs to the next multiple of 16 bytes, and no further: a text of
/// exactly 16 bytes gets none. An empty text is filled up too, to one block, so that a value is
/// never empty. (The captures show neither case; both open again.)
///
/// A plain `String`: what it holds is about to go over the wire.
///
/// # Errors
///
/// [`CredentialError::NulInText`]: a NUL at the end could not be told from the filling, and the
/// firmware's C strings end at the first one.
pub fn seal(key: &CryptSessionKey, text: &str) -> Result<String, CredentialError> {
    if let Some(offset) = text.bytes().position(|byte| byte == 0) {
        return Err(CredentialError::NulInText { offset });
    }
    let filled = text.len().next_multiple_of(BLOCK).max(BLOCK);
    let mut data = Zeroizing::new(vec![0; filled]);
    data[..text.len()].copy_from_slice(text.as_bytes());
    let (blocks, _) = data.as_chunks_mut::<BLOCK>();
    cbc::Encryptor::<aes::Aes128>::new(key.aes_key().into(), key.iv().into())
        .encrypt_blocks(aes::Block::cast_slice_from_core_mut(blocks));
    Ok(seal_plain(&base64_field::encode(&data)))
}

/// Opens a value that is only percent-encoded.
///
/// Quirk(HMX-QF30): inside TLS this camera sends `CryptSessionKey` without a `Value` and does not
/// encrypt the credentials (Georg Lukas).
///
/// `+` stays `+`: whether the camera means a space by it is unknown, and passwords hold it.
///
/// # Errors
///
/// [`CredentialError::PercentSequence`], [`CredentialError::NotUtf8`].
pub fn open_plain(value: &str) -> Result<Zeroizing<String>, CredentialError> {
    // Room for all of it at once: a vector that grows leaves copies of the secret behind.
    let mut decoded = Zeroizing::new(Vec::with_capacity(value.len()));
    percent_decode(value, &mut decoded)?;
    text(decoded)
}

/// Percent-encodes a text as a value for [`open_plain`]: all but `A-Z a-z 0-9 - . _ ~`.
///
/// Which characters an HMX-QF30 itself leaves alone is unknown; any reader undoes either.
pub fn seal_plain(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

/// Why a credential cannot be opened (the camera's fault, or the wrong key was given) or sealed
/// (the caller's). No variant and no message holds any of its content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialError {
    /// A `%` is not followed by two hexadecimal digits.
    #[error("credential: '%' without two hexadecimal digits at byte {offset}")]
    PercentSequence {
        /// Bytes into the value at which the `%` stands.
        offset: usize,
    },
    /// The value, percent-decoded, is not base64.
    #[error("credential: not base64 at byte {offset}")]
    Base64 {
        /// Bytes into the value (as given, still percent-encoded) at which it goes wrong; its end
        /// if something is missing there.
        offset: usize,
    },
    /// The encrypted bytes are not whole AES blocks: the value was cut, or is not encrypted.
    #[error("credential: {found} encrypted bytes, which is no multiple of 16")]
    Length {
        /// Length of the base64-decoded value in bytes.
        found: usize,
    },
    /// The text is not UTF-8. For a sealed value: most likely this is not its key.
    #[error("credential: not UTF-8 after {valid_up_to} bytes of text (wrong key?)")]
    NotUtf8 {
        /// Length in bytes of the valid text before the first bad byte.
        valid_up_to: usize,
    },
    /// A text to be sealed contains a NUL and could not be read back.
    #[error("credential: the text contains a NUL at byte {offset}")]
    NulInText {
        /// Bytes into the text at which the first NUL stands.
        offset: usize,
    },
}

/// Appends `value` to `decoded` with each `%XX` decoded, and nothing else: `+` is a base64 digit
/// here, not a space as it is in forms.
///
/// Not by the crate that encodes: it passes a bad sequence through as it stands, which in a
/// password would be silent damage, and goes byte by byte where nearly all can be copied.
fn percent_decode(value: &str, decoded: &mut Vec<u8>) -> Result<(), CredentialError> {
    let mut rest = value.as_bytes();
    loop {
        let plain = until_percent(rest);
        decoded.extend_from_slice(&rest[..plain]);
        let digits = match &rest[plain..] {
            [] => return Ok(()),
            [_, high, low, ..] => nibble(*high).zip(nibble(*low)),
            _ => None,
        };
        let offset = value.len() - rest.len() + plain;
        let (high, low) = digits.ok_or(CredentialError::PercentSequence { offset })?;
        decoded.push(high << 4 | low);
        rest = &rest[plain + 3..];
    }
}

/// How many bytes stand before the first `%`. Sixteen at a time: a processor compares them at once.
fn until_percent(bytes: &[u8]) -> usize {
    let holds = |group: &&[u8; 16]| group.iter().fold(false, |any, &byte| any | (byte == b'%'));
    let (groups, _) = bytes.as_chunks::<16>();
    let passed = 16 * groups.iter().take_while(|group| !holds(group)).count();
    let found = bytes[passed..].iter().position(|&byte| byte == b'%');
    found.map_or(bytes.len(), |at| passed + at)
}

/// The value of a hexadecimal digit, in either case.
fn nibble(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

/// Where the byte at `decoded` of the percent-decoded value stands in `value` itself.
fn offset_in_value(value: &str, decoded: usize) -> usize {
    let bytes = value.as_bytes();
    (0..decoded).fold(0, |at, _| if bytes.get(at) == Some(&b'%') { at + 3 } else { at + 1 })
}

/// The bytes as text, without a copy of them.
fn text(mut bytes: Zeroizing<Vec<u8>>) -> Result<Zeroizing<String>, CredentialError> {
    String::from_utf8(std::mem::take(&mut *bytes)).map(Zeroizing::new).map_err(|error| {
        let valid_up_to = error.utf8_error().valid_up_to();
        drop(Zeroizing::new(error.into_bytes()));
        CredentialError::NotUtf8 { valid_up_to }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> CryptSessionKey {
        CryptSessionKey::from_bytes(std::array::from_fn(|i| i as u8))
    }

    /// Seals bytes that `seal` refuses, whole blocks of them.
    fn seal_bytes(mut data: Vec<u8>) -> String {
        let (blocks, []) = data.as_chunks_mut::<BLOCK>() else { panic!("whole blocks only") };
        cbc::Encryptor::<aes::Aes128>::new(key().aes_key().into(), key().iv().into())
            .encrypt_blocks(aes::Block::cast_slice_from_core_mut(blocks));
        seal_plain(&base64_field::encode(&data))
    }

    #[test]
    fn a_text_takes_as_many_blocks_as_it_needs_and_at_least_one() {
        for (length, blocks) in [(0, 1), (1, 1), (15, 1), (16, 1), (17, 2), (32, 2), (33, 3)] {
            let text = "x".repeat(length);
            let value = seal(&key(), &text).unwrap();
            let sealed = sealed_bytes(&value).unwrap();
            assert_eq!(sealed.len(), blocks * BLOCK, "{length}");
            assert_eq!(*open(&key(), &value).unwrap(), text);
        }
    }

    #[test]
    fn an_empty_value_is_an_empty_text() {
        assert_eq!(*open(&key(), "").unwrap(), "");
        assert_eq!(*open_plain("").unwrap(), "");
    }

    #[test]
    fn only_trailing_nuls_are_stripped() {
        let mut bytes = b"a\0b".to_vec();
        bytes.resize(3 * BLOCK, 0);
        assert_eq!(*open(&key(), &seal_bytes(bytes)).unwrap(), "a\0b");
    }

    #[test]
    fn a_text_that_cannot_be_read_back_is_not_sealed() {
        for (text, offset) in [("\0", 0), ("a\0b", 1), ("ab\0", 2)] {
            assert_eq!(seal(&key(), text), Err(CredentialError::NulInText { offset }));
        }
    }

    #[test]
    fn plaintext_that_is_not_utf8_says_where_it_stops() {
        let mut bytes = b"abc\xffd".to_vec();
        bytes.resize(BLOCK, 0);
        let error = open(&key(), &seal_bytes(bytes)).unwrap_err();
        assert_eq!(error, CredentialError::NotUtf8 { valid_up_to: 3 });
        assert_eq!(open_plain("ab%FF"), Err(CredentialError::NotUtf8 { valid_up_to: 2 }));
    }

    #[test]
    fn offsets_count_in_the_value_as_given() {
        assert_eq!(
            open(&key(), "AA%2BA*AAA"),
            Err(CredentialError::Base64 { offset: 6 }),
            "%2B counts as three"
        );
        assert_eq!(open(&key(), "%3D%"), Err(CredentialError::PercentSequence { offset: 3 }));
        assert_eq!(open_plain("%C3%é"), Err(CredentialError::PercentSequence { offset: 3 }));
    }

    #[test]
    fn plain_values_are_percent_encoded_and_plus_is_plus() {
        assert_eq!(*open_plain("a+b%20c%40d%c3%a9").unwrap(), "a+b c@dé");
        assert_eq!(seal_plain("a+b c@d~é"), "a%2Bb%20c%40d~%C3%A9");
    }

    #[test]
    fn messages_say_what_and_where() {
        let error = open(&key(), "AAAA").unwrap_err();
        assert_eq!(error.to_string(), "credential: 3 encrypted bytes, which is no multiple of 16");
        let error = open_plain("secret%zz").unwrap_err();
        assert_eq!(error.to_string(), "credential: '%' without two hexadecimal digits at byte 6");
    }
}
