//! Every vector of `testdata/crypto/`.
//!
//! A file holds blocks of `field = "…"` lines with an empty line between; `#` starts a comment
//! line; what stands between the outer quotes is meant literally. Fields of a block:
//!
//! - `name`
//! - `key`: `CryptSessionKey/@Value`; without it, `value` is only percent-encoded
//! - `value`: `UserName/@Value` or `Password/@Value`; without it, only `key` is read
//! - either `text`, to which `value` opens, or `error`: the `Debug` form of what it fails with
//! - `seals = "yes"`: `text` also seals to exactly `value`

// A test has to open its files; the crate must not.
#![allow(clippy::disallowed_methods)]
// clippy.toml's `allow-unwrap-in-tests` does not reach a test's helper functions.
#![allow(clippy::unwrap_used)]

use std::{collections::HashMap, fs, path::Path};

use sns_crypto::{CryptSessionKey, credential};

type Vector<'a> = HashMap<&'a str, &'a str>;

fn vectors(text: &str) -> Vec<Vector<'_>> {
    let mut vectors = vec![Vector::new()];
    for line in text.lines() {
        if line.is_empty() {
            vectors.push(Vector::new());
        } else if !line.starts_with('#') {
            let (field, rest) = line.split_once('=').expect(line);
            let content = rest.trim().strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
            vectors.last_mut().unwrap().insert(field.trim(), content.expect(line));
        }
    }
    vectors.retain(|vector| !vector.is_empty());
    vectors
}

/// What comes of opening a vector: its text, or the error's `Debug` form.
fn open(vector: &Vector<'_>) -> Result<String, String> {
    let value = vector.get("value");
    let text = match vector.get("key") {
        Some(key) => {
            let key = CryptSessionKey::from_base64(key).map_err(|error| format!("{error:?}"))?;
            credential::open(&key, value.expect("this key is one"))
        }
        None => credential::open_plain(value.expect("`key` or `value`")),
    };
    text.map(|text| text.to_string()).map_err(|error| format!("{error:?}"))
}

fn seal(vector: &Vector<'_>) -> String {
    let text = vector["text"];
    match vector.get("key") {
        Some(key) => credential::seal(&CryptSessionKey::from_base64(key).unwrap(), text).unwrap(),
        None => credential::seal_plain(text),
    }
}

/// Checks a file, and that it has at least one vector of the kind it is there for.
fn check(file: &str, expected_kind: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/crypto");
    let text = fs::read_to_string(folder.join(file)).expect(file);
    let vectors = vectors(&text);
    assert!(!vectors.is_empty(), "{file} has no vectors");
    for vector in &vectors {
        let name = vector["name"];
        assert!(vector.contains_key(expected_kind), "{file}: {name}: no `{expected_kind}`");
        let expected = match (vector.get("text"), vector.get("error")) {
            (Some(text), None) => Ok(text.to_string()),
            (None, Some(error)) => Err(error.to_string()),
            _ => panic!("{file}: {name}: either `text` or `error`"),
        };
        assert_eq!(open(vector), expected, "{file}: {name}");
        if vector.contains_key("seals") {
            assert_eq!(seal(vector), vector["value"], "{file}: {name}");
        }
    }
}

#[test]
fn published() {
    check("published.txt", "seals");
}

#[test]
fn lenient() {
    check("lenient.txt", "text");
}

#[test]
fn malformed() {
    check("malformed.txt", "error");
}

#[test]
fn every_file_is_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/crypto");
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(files, ["README.md", "lenient.txt", "malformed.txt", "published.txt"]);
}
