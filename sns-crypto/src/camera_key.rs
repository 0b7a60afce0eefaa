//! `CameraCryptKey`: the session key once more, under RSA.
//!
//! `<Request … CameraCryptKey="844e7f0f…">` is the RSA encryption of the 32 bytes of
//! `CryptSessionKey`, as a right-aligned hexadecimal number in lower case; 256 digits (1024 bits)
//! in the published NX300 capture. Source: blog and talk of Georg Lukas. Nobody outside Samsung
//! has the private key, and nobody needs it, as the session key stands beside it in clear. Whether
//! the cameras pad is unknown, so both forms are read.
//!
//! This module is for an operator's own key pair, hence for tests, simulated cameras, and firmware
//! in which the public key was replaced. Its RSA is not constant-time and can leak the private key
//! to whoever measures it (RUSTSEC-2023-0071): use a key pair made for this alone, and let the
//! peer see neither which [`CameraKeyError`] occurred nor how long it took.
//!
//! ```
//! use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
//! use sns_crypto::{CryptSessionKey, camera_key::{self, Padding, rsa}};
//!
//! let mut rng = ChaCha8Rng::seed_from_u64(1); // in earnest: OsRng
//! let private = rsa::RsaPrivateKey::new(&mut rng, 512).expect("a key pair");
//! let key = CryptSessionKey::from_bytes([7; 32]);
//!
//! let hex = camera_key::encrypt(private.as_ref(), &key, Padding::Pkcs1v15, &mut rng)?;
//! assert_eq!(hex.len(), 128);
//! assert_eq!(camera_key::decrypt(&private, &hex)?, (key, Padding::Pkcs1v15));
//! # Ok::<(), camera_key::CameraKeyError>(())
//! ```

/// The RSA crate whose keys and generator traits this module takes, for a matching version.
pub use rsa;

use rsa::{
    BigUint, Pkcs1v15Encrypt, RsaPrivateKey, RsaPublicKey, hazmat, rand_core::CryptoRngCore,
    traits::PublicKeyParts,
};
use zeroize::Zeroizing;

use crate::CryptSessionKey;

/// PKCS#1 v1.5 puts at least this before the message: `00 02`, eight random bytes, `00`.
const PKCS1V15_OVERHEAD: usize = 11;

/// What fills the room between a session key and the RSA modulus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Padding {
    /// Nothing: the 32 bytes are the number ("textbook RSA").
    None,
    /// PKCS#1 v1.5, block type 2: `00 02`, random bytes, `00`, then the 32 bytes.
    Pkcs1v15,
}

impl Padding {
    /// The smallest modulus, in bits, that holds any session key with this padding.
    const fn modulus_bits_needed(self) -> usize {
        match self {
            Self::None => CryptSessionKey::LENGTH * 8 + 1,
            // The padded message starts with `00`, so its last byte may be a single bit.
            Self::Pkcs1v15 => (CryptSessionKey::LENGTH + PKCS1V15_OVERHEAD - 1) * 8 + 1,
        }
    }
}

/// Writes a `CameraCryptKey` attribute as a camera does: lower-case hexadecimal digits, filled up
/// with zeros on the left to two digits for each byte of the modulus.
///
/// `rng` is drawn from only for [`Padding::Pkcs1v15`].
///
/// # Errors
///
/// [`CameraKeyError::ModulusTooSmall`] below 257 bits unpadded, 337 bits padded;
/// [`CameraKeyError::KeyPair`] if the public key is unusable.
pub fn encrypt(
    public: &RsaPublicKey,
    key: &CryptSessionKey,
    padding: Padding,
    rng: &mut impl CryptoRngCore,
) -> Result<String, CameraKeyError> {
    require_modulus(public, padding)?;
    let number = match padding {
        Padding::None => {
            let message = Zeroizing::new(BigUint::from_bytes_be(key.as_bytes()));
            hazmat::rsa_encrypt(public, &message)
        }
        Padding::Pkcs1v15 => public
            .encrypt(rng, Pkcs1v15Encrypt, key.as_bytes())
            .map(|bytes| BigUint::from_bytes_be(&bytes)),
    }
    .map_err(|_| CameraKeyError::KeyPair)?;
    Ok(format!("{:0>width$}", number.to_str_radix(16), width = public.size() * 2))
}

/// Reads a `CameraCryptKey` attribute with the operator's private key: the session key, and how it
/// was padded.
///
/// White space around the number is ignored; digits may be in either case. Any number of leading
/// zeros may be there or missing, so an odd number of digits is fine.
///
/// Draws no randomness, and therefore works without RSA blinding.
///
/// # Errors
///
/// In the order in which they are looked for: [`CameraKeyError::ModulusTooSmall`] below 257 bits,
/// [`Empty`](CameraKeyError::Empty), [`Hex`](CameraKeyError::Hex),
/// [`TooLarge`](CameraKeyError::TooLarge), [`KeyPair`](CameraKeyError::KeyPair),
/// [`Length`](CameraKeyError::Length), [`NoSessionKey`](CameraKeyError::NoSessionKey).
pub fn decrypt(
    private: &RsaPrivateKey,
    hex: &str,
) -> Result<(CryptSessionKey, Padding), CameraKeyError> {
    require_modulus(private, Padding::None)?;
    let number = number(hex)?;
    if number >= *private.n() {
        return Err(CameraKeyError::TooLarge {
            bits: number.bits(),
            modulus_bits: private.n().bits(),
        });
    }
    // "And check" also notices a private key whose parts do not belong together.
    let message = hazmat::rsa_decrypt_and_check(private, NO_BLINDING, &number)
        .map(Zeroizing::new)
        .map_err(|_| CameraKeyError::KeyPair)?;
    unpad(&Zeroizing::new(message.to_bytes_be()), private.size())
}

/// The `None` of a generator nobody has to name: no randomness is drawn in this crate.
const NO_BLINDING: Option<&mut dyn CryptoRngCore> = None;

fn require_modulus(key: &impl PublicKeyParts, padding: Padding) -> Result<(), CameraKeyError> {
    let (bits, needed) = (key.n().bits(), padding.modulus_bits_needed());
    if bits < needed { Err(CameraKeyError::ModulusTooSmall { bits, needed }) } else { Ok(()) }
}

fn number(hex: &str) -> Result<BigUint, CameraKeyError> {
    let digits = hex.trim_ascii();
    if digits.is_empty() {
        return Err(CameraKeyError::Empty);
    }
    let offset = hex.len() - hex.trim_ascii_start().len();
    if let Some(at) = digits.bytes().position(|digit| !digit.is_ascii_hexdigit()) {
        return Err(CameraKeyError::Hex { offset: offset + at });
    }
    BigUint::parse_bytes(digits.as_bytes(), 16).ok_or(CameraKeyError::Hex { offset })
}

/// Takes the session key out of a decrypted number, given without leading zeros, for a modulus of
/// `size` bytes.
///
/// The two forms cannot be confused: a padded key, without its leading zero, has 42 bytes at least
/// (one less than the modulus), an unpadded one 32 at most.
fn unpad(message: &[u8], size: usize) -> Result<(CryptSessionKey, Padding), CameraKeyError> {
    let mut bytes = Zeroizing::new([0; CryptSessionKey::LENGTH]);
    if let Some(zeros) = CryptSessionKey::LENGTH.checked_sub(message.len()) {
        bytes[zeros..].copy_from_slice(message);
        return Ok((CryptSessionKey::from_bytes(*bytes), Padding::None));
    }
    let [2, padded @ ..] = message else { return Err(CameraKeyError::NoSessionKey) };
    let end = padded.iter().position(|&byte| byte == 0).ok_or(CameraKeyError::NoSessionKey)?;
    if message.len() + 1 != size || end + 3 < PKCS1V15_OVERHEAD {
        return Err(CameraKeyError::NoSessionKey);
    }
    let content = &padded[end + 1..];
    if content.len() != CryptSessionKey::LENGTH {
        return Err(CameraKeyError::Length { found: content.len() });
    }
    bytes.copy_from_slice(content);
    Ok((CryptSessionKey::from_bytes(*bytes), Padding::Pkcs1v15))
}

/// Why a `CameraCryptKey` cannot be written or read. No variant holds any of its content.
///
/// Do not tell the peer which one it was: with PKCS#1 v1.5 that difference decrypts messages.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CameraKeyError {
    /// The attribute has no digits. The camera's fault.
    #[error("camera key: empty")]
    Empty,
    /// Something other than a hexadecimal digit. The camera's fault.
    #[error("camera key: not a hexadecimal digit at byte {offset}")]
    Hex {
        /// Bytes into the attribute (white space before the number counts).
        offset: usize,
    },
    /// The number is not below the RSA modulus: it was encrypted for another, longer key.
    #[error("camera key: a {bits}-bit number, not below the {modulus_bits}-bit modulus")]
    TooLarge {
        /// Length of the number in bits, without leading zeros.
        bits: usize,
        /// Length of the modulus in bits.
        modulus_bits: usize,
    },
    /// It decrypts to neither form: most likely encrypted for another key, such as Samsung's.
    #[error("camera key: decrypts to no session key (encrypted for another RSA key?)")]
    NoSessionKey,
    /// It decrypts to a well-padded message that is no session key. The camera's fault.
    #[error("camera key: decrypts to {found} bytes instead of 32")]
    Length {
        /// Length of the padded message in bytes.
        found: usize,
    },
    /// The operator's RSA modulus cannot hold every session key. Our configuration's fault.
    #[error("camera key: an RSA modulus of {bits} bits is too small, {needed} are needed")]
    ModulusTooSmall {
        /// Length of the modulus in bits.
        bits: usize,
        /// The least length in bits that would do.
        needed: usize,
    },
    /// The parts of the operator's RSA key do not fit together. Our configuration's fault.
    #[error("camera key: the RSA key is inconsistent")]
    KeyPair,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn padded(zero_at: usize, size: usize) -> Vec<u8> {
        let mut message = vec![0xff; size - 1];
        message[0] = 2;
        message[zero_at - 1] = 0;
        message
    }

    #[test]
    fn unpad_takes_exactly_one_form_of_padding() {
        let size = 64;
        let (key, padding) = unpad(&padded(31, size), size).unwrap();
        assert_eq!((key.as_bytes(), padding), (&[0xff; 32], Padding::Pkcs1v15));

        let error = |message: &[u8]| unpad(message, size).unwrap_err();
        assert_eq!(error(&padded(30, size)), CameraKeyError::Length { found: 33 });
        assert_eq!(error(&padded(63, size)), CameraKeyError::Length { found: 0 });
        assert_eq!(error(&padded(9, size)), CameraKeyError::NoSessionKey, "seven random bytes");
        assert_eq!(error(&padded(31, size)[1..]), CameraKeyError::NoSessionKey, "no block type");
        assert_eq!(error(&padded(31, size - 1)), CameraKeyError::NoSessionKey, "misaligned");
        assert_eq!(error(&[2; 63]), CameraKeyError::NoSessionKey, "padding without end");
        assert_eq!(error(&[2; 33]), CameraKeyError::NoSessionKey, "a byte too long");
    }

    #[test]
    fn a_number_is_hexadecimal_and_only_that() {
        assert_eq!(number(" 00aBc\n"), Ok(BigUint::from(0xabc_u32)));
        assert_eq!(number(" \t"), Err(CameraKeyError::Empty));
        // `parse_bytes` alone would take a sign and underscores.
        for (text, offset) in [("+1", 0), ("a_b", 1), (" 0x1", 2), ("1 2", 1), ("é", 0)] {
            assert_eq!(number(text), Err(CameraKeyError::Hex { offset }), "{text}");
        }
    }
}
