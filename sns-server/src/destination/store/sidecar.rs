//! What is written beside a photo: the words that came with it.

use crate::clock::utc;
use crate::destination::{Post, PostFile};
use serde::Serialize;

/// The keys of a sidecar. The same post gives the same bytes, so that a retry is recognised.
#[derive(Serialize)]
struct Sidecar<'a> {
    name: &'a str,
    sha256: String,
    received: String,
    user: &'a str,
    site: &'a str,
    camera: Option<&'a str>,
    sender: Option<&'a str>,
    recipients: &'a [String],
    title: Option<&'a str>,
    text: &'a str,
    alt: &'a str,
}

/// The sidecar of a file.
pub(super) fn sidecar(post: &Post, file: &PostFile) -> serde_json::Result<Vec<u8>> {
    let mut json = serde_json::to_vec_pretty(&Sidecar {
        name: &file.name,
        sha256: hex(&file.sha256),
        received: utc(post.received_at),
        user: &post.user,
        site: &post.channel,
        camera: post.camera.as_deref(),
        sender: post.sender.as_deref(),
        recipients: &post.recipients,
        title: post.title.as_deref(),
        text: &post.text,
        alt: &file.alt_text,
    })?;
    json.push(b'\n');
    Ok(json)
}

/// Bytes as lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
