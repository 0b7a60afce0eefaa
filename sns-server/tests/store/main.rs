//! The destination `store` with real peers: a folder, an S3 server and a WebDAV server written by
//! others, and a gate before them that makes what can go wrong go wrong.
#![allow(clippy::unwrap_used)] // a test's helpers are tests

#[cfg(feature = "cloud-store")]
mod gate;
mod local;
#[cfg(feature = "cloud-store")]
mod memory;
#[path = "../posts/mod.rs"]
mod posts;
#[cfg(feature = "cloud-store")]
mod s3;
#[cfg(feature = "cloud-store")]
mod webdav;

use sns_server::destination::store::{Keys, Store};
use std::collections::BTreeMap;
use std::path::Path;

fn store(keys: &str) -> Result<Store, String> {
    Store::new(toml::from_str::<Keys>(keys).map_err(|error| error.to_string())?)
}

/// Every file below a folder, by its path, hidden ones included.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().display().to_string();
                found.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    found
}

fn names(folder: &Path) -> Vec<String> {
    files(folder).into_keys().collect()
}

#[test]
fn one_room_is_needed_and_no_more() {
    for (keys, hint) in [
        ("", "give path, s3 or webdav"),
        ("path = \"/p\"\nwebdav = { url = \"http://h/\" }", "only one of path, s3 and webdav"),
        ("path = \"/p\"\ntemplate = \"{usr}/{file}\"", "{usr} is none of"),
        ("path = \"/p\"\npth = 1", "unknown field `pth`"),
    ] {
        let error = store(keys).unwrap_err();
        assert!(error.contains(hint), "{keys}: {error}");
    }
}

#[cfg(not(feature = "cloud-store"))]
#[test]
fn what_was_left_out_is_refused_with_a_sentence() {
    for keys in [
        "s3 = { bucket = \"b\", access_key = \"a\", secret_key = \"s\" }",
        "webdav = { url = \"http://h/\" }",
    ] {
        assert!(store(keys).unwrap_err().contains("without the feature `cloud-store`"));
    }
}

#[cfg(feature = "cloud-store")]
#[test]
fn keys_of_services_are_checked_and_never_shown() {
    for (keys, hint) in [
        ("s3 = { bucket = \"b\", access_key = \"a\" }", "secret_key or secret_key_file is missing"),
        (
            "s3 = { bucket = \"b\", access_key = \"a\", secret_key = \"hidden\", \
             endpoint = \"s3.example\" }",
            "no address",
        ),
        ("webdav = { url = \"http://h/\", user = \"me\" }", "password_file is missing"),
        ("webdav = { url = \"http://h/\", password = \"hidden\" }", "user is missing"),
        ("webdav = { url = \"http://me:hidden@h/\" }", "does not belong in the address"),
        ("webdav = { url = \"h/dav\", user = \"me\", password = \"hidden\" }", "no address"),
        (
            "webdav = { url = \"http://h/\", user = \"me\", password = \"hidden\", \
             password_file = \"/p\" }",
            "both password and password_file",
        ),
    ] {
        let error = store(keys).unwrap_err();
        assert!(error.contains(hint) && !error.contains("hidden"), "{keys}: {error}");
    }
    for keys in [
        "s3 = { bucket = \"b\", access_key = \"a\", secret_key = \"hidden\" }",
        "webdav = { url = \"http://h/\", user = \"me\", password = \"hidden\" }",
    ] {
        let shown = format!("{:?} {:?}", toml::from_str::<Keys>(keys).unwrap(), store(keys));
        assert!(!shown.contains("hidden"), "{shown}");
    }
}
