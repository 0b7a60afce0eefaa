//! The destination `email` with a mail server whose protocol was written by others (mailin), read by
//! a MIME parser written by others (mail-parser), over real sockets.
#![allow(clippy::unwrap_used)] // a test's helpers are tests

mod debian;
mod faults;
mod letters;
mod peer;
#[path = "../posts/mod.rs"]
mod posts;
mod recipients;
mod size;
mod tls;

use peer::Peer;
use sns_server::destination::Post;
use sns_server::destination::email::{Email, Keys};
use std::path::Path;

fn email(keys: &str) -> Result<Email, String> {
    Email::new(toml::from_str::<Keys>(keys).map_err(|error| error.to_string())?)
}

/// A destination at this peer, in clear, as `relay@example.com`.
fn at(peer: &Peer, more: &str) -> Email {
    let keys = format!(
        "host = \"127.0.0.1\"\nport = {}\ntls = \"none\"\nfrom = \"relay@example.com\"\n{more}",
        peer.address.port()
    );
    email(&keys).unwrap()
}

/// An e-mail of a camera to these, with a photo.
fn mail(folder: &Path, to: &[&str]) -> Post {
    let mut post = posts::social(folder, &[("SAM_0001.JPG", &posts::photo())]);
    post.channel = "email".to_owned();
    post.sender = Some("Me <me@example.com>".to_owned());
    post.recipients = to.iter().map(|to| (*to).to_owned()).collect();
    post.title = Some("At the lake".to_owned());
    post
}

#[test]
fn keys_are_checked_and_the_password_is_never_shown() {
    for (keys, hint) in [
        ("", "missing field `host`"),
        ("host = \"h\"\nusername = \"me\"", "password or password_file is missing"),
        ("host = \"h\"\npassword = \"hidden\"", "username is missing"),
        (
            "host = \"h\"\ntls = \"none\"\nusername = \"me\"\npassword = \"hidden\"",
            "would send the password readable to all",
        ),
        ("host = \"h\"\nfrom = \"nobody\"", "from: \"nobody\" is no mail address"),
        ("host = \"h\"\nto = [\"a@b.com\", \"c@\"]", "to: \"c@\" is no mail address"),
        ("host = \"h\"\ntls = \"ssl\"", "unknown variant `ssl`"),
        ("host = \"h\"\ntoo_large = \"cut\"", "unknown variant `cut`"),
        ("host = \"h\"\nhots = 1", "unknown field `hots`"),
    ] {
        let error = email(keys).unwrap_err();
        assert!(error.contains(hint) && !error.contains("hidden"), "{keys}: {error}");
    }
    let keys = "host = \"h\"\nusername = \"me\"\npassword = \"hidden\"";
    let shown = format!("{:?} {:?}", toml::from_str::<Keys>(keys).unwrap(), email(keys));
    assert!(!shown.contains("hidden"), "{shown}");
}
