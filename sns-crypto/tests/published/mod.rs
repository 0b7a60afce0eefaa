//! The logins of `testdata/crypto/published.txt`, for the tests of `weakness`.

// A test has to open its files; the crate must not.
#![allow(clippy::disallowed_methods)]
// clippy.toml's `allow-unwrap-in-tests` does not reach a test's helper functions.
#![allow(clippy::unwrap_used)]
// Each test binary uses a part of this.
#![allow(dead_code)]

use std::{array, path::Path};

use sns_crypto::CryptSessionKey;

/// A published login: its key, and both sealed values.
pub(crate) struct Login {
    pub(crate) key: CryptSessionKey,
    pub(crate) sealed: [String; 2],
}

impl Login {
    pub(crate) fn sealed(&self) -> [&str; 2] {
        self.sealed.each_ref().map(String::as_str)
    }

    pub(crate) fn words(&self) -> [u32; 8] {
        words(&self.key)
    }
}

pub(crate) fn words(key: &CryptSessionKey) -> [u32; 8] {
    let (words, _) = key.as_bytes().as_chunks();
    array::from_fn(|i| u32::from_le_bytes(words[i]))
}

pub(crate) fn key(words: [u32; 8]) -> CryptSessionKey {
    CryptSessionKey::from_bytes(array::from_fn(|i| words[i / 4].to_le_bytes()[i % 4]))
}

/// The blog's login and the talk's, from `testdata/crypto/published.txt`.
pub(crate) fn published() -> [Login; 2] {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/crypto/published.txt");
    let text = std::fs::read_to_string(file).unwrap();
    let all = |field: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| line.starts_with(field));
        lines.map(|line| line.split('"').nth(1).unwrap().to_owned()).collect()
    };
    let (keys, values) = (all("key "), all("value "));
    array::from_fn(|login| {
        assert_eq!(keys[2 * login], keys[2 * login + 1]);
        Login {
            key: CryptSessionKey::from_base64(&keys[2 * login]).unwrap(),
            sealed: array::from_fn(|i| values[2 * login + i].clone()),
        }
    })
}
