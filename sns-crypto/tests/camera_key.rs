//! `CameraCryptKey` both ways, with key pairs made from a fixed seed.

// clippy.toml's `allow-unwrap-in-tests` does not reach a test's helper functions.
#![allow(clippy::unwrap_used)]

use std::sync::LazyLock;

use proptest::prelude::*;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use sns_crypto::{
    CryptSessionKey,
    camera_key::{
        CameraKeyError, Padding, decrypt, encrypt,
        rsa::{BigUint, RsaPrivateKey, RsaPublicKey, hazmat, traits::PublicKeyParts},
    },
};

/// The size the cameras use, and a small one for speed.
static PAIR_1024: LazyLock<RsaPrivateKey> = LazyLock::new(|| pair(1024));
static PAIR_512: LazyLock<RsaPrivateKey> = LazyLock::new(|| pair(512));

fn rng() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(300)
}

fn pair(bits: usize) -> RsaPrivateKey {
    RsaPrivateKey::new(&mut rng(), bits).unwrap()
}

/// The key of the published NX300 login.
fn nx300() -> CryptSessionKey {
    CryptSessionKey::from_base64("/////xAAwKRSAQAAAPAHtv////8QAMCkUgEAAADwB7Y=").unwrap()
}

#[test]
fn as_long_as_in_the_capture_and_read_back() {
    for padding in [Padding::None, Padding::Pkcs1v15] {
        let hex = encrypt(PAIR_1024.as_ref(), &nx300(), padding, &mut rng()).unwrap();
        assert_eq!(hex.len(), 256, "as in the published NX300 capture");
        assert!(hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')));
        assert_eq!(decrypt(&PAIR_1024, &hex), Ok((nx300(), padding)));
    }
}

#[test]
fn only_padding_makes_two_encryptions_differ() {
    let mut rng = rng();
    let mut twice = |padding| {
        [(); 2].map(|()| encrypt(PAIR_512.as_ref(), &nx300(), padding, &mut rng).unwrap())
    };
    let [a, b] = twice(Padding::None);
    assert_eq!(a, b);
    let [a, b] = twice(Padding::Pkcs1v15);
    assert_ne!(a, b);
}

#[test]
fn leading_zeros_may_be_missing_or_too_many() {
    // Among a few keys, one whose number starts with a zero digit, so that an odd count is left.
    let (key, hex) = (0..=u8::MAX)
        .map(|byte| CryptSessionKey::from_bytes([byte; 32]))
        .map(|key| {
            let hex = encrypt(PAIR_512.as_ref(), &key, Padding::None, &mut rng()).unwrap();
            (key, hex)
        })
        .find(|(_, hex)| hex.starts_with('0') && !hex.starts_with("00") && hex.len() == 128)
        .expect("one key in sixteen gives such a number");
    let bare = hex.trim_start_matches('0');
    assert_eq!(bare.len() % 2, 1);
    for text in [bare.to_owned(), format!("0000{hex}"), format!(" {}\n", hex.to_uppercase())] {
        assert_eq!(decrypt(&PAIR_512, &text), Ok((key.clone(), Padding::None)), "{text}");
    }
}

#[test]
fn a_key_of_zeros_is_a_key() {
    let zeros = CryptSessionKey::from_bytes([0; 32]);
    let hex = encrypt(PAIR_512.as_ref(), &zeros, Padding::None, &mut rng()).unwrap();
    assert_eq!(hex, "0".repeat(128));
    assert_eq!(decrypt(&PAIR_512, &hex), Ok((zeros, Padding::None)));
}

#[test]
fn what_cannot_be_decrypted_says_why() {
    let for_another = encrypt(PAIR_1024.as_ref(), &nx300(), Padding::None, &mut rng()).unwrap();
    let error = decrypt(&PAIR_512, &for_another).unwrap_err();
    assert!(matches!(error, CameraKeyError::TooLarge { modulus_bits: 512, .. }), "{error:?}");

    let modulus = PAIR_512.n().to_str_radix(16);
    let error = decrypt(&PAIR_512, &modulus).unwrap_err();
    assert_eq!(error, CameraKeyError::TooLarge { bits: 512, modulus_bits: 512 });

    let of_33_bytes = hazmat::rsa_encrypt(&*PAIR_512, &BigUint::from_bytes_be(&[1; 33])).unwrap();
    let error = decrypt(&PAIR_512, &of_33_bytes.to_str_radix(16)).unwrap_err();
    assert_eq!(error, CameraKeyError::NoSessionKey);

    assert_eq!(decrypt(&PAIR_512, ""), Err(CameraKeyError::Empty));
    assert_eq!(decrypt(&PAIR_512, "12g4"), Err(CameraKeyError::Hex { offset: 2 }));
}

#[test]
fn a_small_modulus_is_refused() {
    let small = pair(256);
    let needed = |padding| match encrypt(small.as_ref(), &nx300(), padding, &mut rng()) {
        Err(CameraKeyError::ModulusTooSmall { bits: 256, needed }) => needed,
        other => panic!("{other:?}"),
    };
    assert_eq!((needed(Padding::None), needed(Padding::Pkcs1v15)), (257, 337));
    assert_eq!(
        decrypt(&small, "1"),
        Err(CameraKeyError::ModulusTooSmall { bits: 256, needed: 257 })
    );
    for (bits, padding) in [(264, Padding::None), (344, Padding::Pkcs1v15)] {
        let pair = pair(bits);
        let hex = encrypt(pair.as_ref(), &nx300(), padding, &mut rng()).unwrap();
        assert_eq!(decrypt(&pair, &hex), Ok((nx300(), padding)), "{bits} bits suffice");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn decrypt_undoes_encrypt(bytes: [u8; 32], padded: bool, seed: u64) {
        let key = CryptSessionKey::from_bytes(bytes);
        let padding = if padded { Padding::Pkcs1v15 } else { Padding::None };
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let public: &RsaPublicKey = PAIR_512.as_ref();
        let hex = encrypt(public, &key, padding, &mut rng).unwrap();
        prop_assert_eq!(decrypt(&PAIR_512, &hex), Ok((key, padding)));
    }

    #[test]
    fn decrypt_never_panics(hex in "\\PC*|[0-9a-fA-F]{0,140}") {
        let _ = decrypt(&PAIR_512, &hex);
    }
}
