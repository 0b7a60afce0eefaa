//! Base64 as it stands in a camera's XML field: the standard alphabet, `=` at the end or not.

use base64::{
    DecodeError, Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use zeroize::Zeroizing;

// Quirk(any): missing `=` is accepted. No published capture lacks it, but the firmware copies
// these fields between fixed buffers without checks, and the tail is what such a copy loses. `=`
// carries no information: without it the bytes read the same, or the length check after this one
// refuses them. Vectors: testdata/crypto/lenient.txt.
const FIELD: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The bytes behind `text`, or the byte offset in `text` at which it stops being base64; this is
/// the end of `text` where symbols are missing.
pub(crate) fn decode(text: &[u8]) -> Result<Zeroizing<Vec<u8>>, usize> {
    FIELD.decode(text).map(Zeroizing::new).map_err(|error| {
        // The decoder looks at a lone last symbol first, so look for the first foreign byte here.
        let foreign = |byte: &u8| !byte.is_ascii_alphanumeric() && !b"+/=".contains(byte);
        text.iter().position(foreign).unwrap_or(match error {
            DecodeError::InvalidByte(offset, _) | DecodeError::InvalidLastSymbol { offset, .. } => {
                offset
            }
            DecodeError::InvalidLength(_) | DecodeError::InvalidPadding => text.len(),
        })
    })
}

/// Canonical base64, with padding, as the cameras write it.
pub(crate) fn encode(bytes: &[u8]) -> String {
    FIELD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_may_be_complete_short_or_missing() {
        for text in ["Zg==", "Zg=", "Zg"] {
            assert_eq!(decode(text.as_bytes()).unwrap().as_slice(), b"f", "{text}");
        }
    }

    #[test]
    fn an_error_says_where() {
        assert_eq!(decode(b"AA!A"), Err(2), "not in the alphabet");
        assert_eq!(decode(b"AA!A*"), Err(2), "the first of two");
        assert_eq!(decode(b"AA=A"), Err(2), "padding in the middle");
        assert_eq!(decode(b"AAAAA"), Err(5), "a lone symbol at the end");
        assert_eq!(decode(b"AAB="), Err(2), "bits that would be lost");
    }
}
