//! What holds for any key and any text.

use proptest::prelude::*;
use sns_crypto::{CryptSessionKey, credential};

fn key() -> impl Strategy<Value = CryptSessionKey> {
    any::<[u8; 32]>().prop_map(CryptSessionKey::from_bytes)
}

/// Anything `seal` takes: any characters but NUL, often around the ends of a block.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        proptest::collection::vec(proptest::char::range('\u{1}', char::MAX), 0..50)
            .prop_map(String::from_iter),
        "[ -~]{14,18}|[ -~]{30,34}",
    ]
}

/// Strings that get further into `open` than arbitrary ones do.
fn nearly_a_value() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "([A-Za-z0-9+/]|%2[BbFf]){0,88}(=|%3D|%3d){0,3}",
        "([A-Za-z0-9]|%[0-9a-zA-Z]{0,2}){0,20}",
    ]
}

proptest! {
    #[test]
    fn open_undoes_seal(key in key(), text in text()) {
        let value = credential::seal(&key, &text).unwrap();
        prop_assert_eq!(&*credential::open(&key, &value).unwrap(), &text);
    }

    #[test]
    fn a_sealed_value_needs_no_escaping_in_xml_or_url(key in key(), text in text()) {
        let value = credential::seal(&key, &text).unwrap();
        prop_assert!(value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'%'), "{}", value);
    }

    #[test]
    fn open_plain_undoes_seal_plain(text: String) {
        let value = credential::seal_plain(&text);
        prop_assert_eq!(&*credential::open_plain(&value).unwrap(), &text);
    }

    #[test]
    fn no_reader_panics(key in key(), value in nearly_a_value()) {
        let _ = credential::open(&key, &value);
        let _ = credential::open_plain(&value);
        let _ = CryptSessionKey::from_base64(&value);
    }

    #[test]
    fn from_base64_undoes_to_base64(key in key()) {
        prop_assert_eq!(CryptSessionKey::from_base64(&key.to_base64()), Ok(key));
    }

    #[test]
    fn a_key_that_is_read_is_written_as_canonical_base64(key in key(), cut in 0_usize..2) {
        let canonical = key.to_base64();
        let sloppy = &canonical[..canonical.len() - cut];
        prop_assert_eq!(CryptSessionKey::from_base64(sloppy).unwrap().to_base64(), canonical);
    }
}
