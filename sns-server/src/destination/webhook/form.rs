//! The body of a webhook: `multipart/form-data`, the JSON first, then the files from the disk.
//!
//! Law: read twice, it is the same bytes (once to sign, once to send), and only a chunk of it is in
//! memory at a time. The boundary is unguessable, so that no photo can hold it.

use crate::destination::upload::{PIECE, Source};
use crate::destination::{Fault, Post, PostFile};
use crate::names::file_name_on_disk;
use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt};
use serde_json::json;
use std::time::{Duration, SystemTime};

/// The last millisecond that can be written with a year of four digits.
const LATEST: u64 = 253_402_300_799_999;

#[derive(Debug)]
pub(super) struct Form {
    boundary: String,
    json: String,
    segments: Vec<(Source, u64)>,
}

impl Form {
    pub(super) fn new(post: &Post, random: &[u8; 16]) -> Form {
        let boundary = format!("sns-{}", hex(random));
        let json = json(post);
        let mut segments = vec![text(format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"post\"\r\n\
             Content-Type: application/json\r\n\r\n{json}\r\n"
        ))];
        for (at, file) in post.files.iter().enumerate() {
            let (part, media_type) = (part_name(at), &file.media_type);
            let name = file_name_on_disk(&file.name);
            segments.push(text(format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"{part}\"; \
                 filename=\"{name}\"\r\nContent-Type: {media_type}\r\n\r\n"
            )));
            segments.push((Source::File(file.path.clone()), file.length));
            segments.push(text("\r\n".to_owned()));
        }
        segments.push(text(format!("--{boundary}--\r\n")));
        Form { boundary, json, segments }
    }

    pub(super) fn content_type(&self) -> String {
        format!("multipart/form-data; boundary={}", self.boundary)
    }

    pub(super) fn length(&self) -> u64 {
        self.segments.iter().map(|(_, length)| length).sum()
    }

    pub(super) fn json(&self) -> &str {
        &self.json
    }

    /// All of it, read from the disk as it is asked for.
    pub(super) fn pieces(&self) -> BoxStream<'static, Result<Bytes, Fault>> {
        let segments = stream::iter(self.segments.clone());
        segments.flat_map(|(source, length)| source.pieces(length, PIECE)).boxed()
    }
}

fn text(text: String) -> (Source, u64) {
    let length = text.len() as u64;
    (Source::Bytes(text.into()), length)
}

/// In the form that Standard Webhooks proposes: what it is, when it was, what there is to say.
fn json(post: &Post) -> String {
    let file = |(at, file): (usize, &PostFile)| {
        json!({
            "part": part_name(at),
            "name": file.name,
            "media_type": file.media_type,
            "length": file.length,
            "sha256": hex(&file.sha256),
            "alt_text": file.alt_text,
        })
    };
    let at = Duration::from_millis(post.received_at.as_millis().min(LATEST));
    json!({
        "type": "post",
        "timestamp": humantime::format_rfc3339_millis(SystemTime::UNIX_EPOCH + at).to_string(),
        "data": {
            "id": post.id,
            "user": post.user,
            "channel": post.channel,
            "sender": post.sender,
            "recipients": post.recipients,
            "title": post.title,
            "text": post.text,
            "typed": post.typed,
            "camera": post.camera,
            "files": post.files.iter().enumerate().map(file).collect::<Vec<_>>(),
        },
    })
    .to_string()
}

fn part_name(at: usize) -> String {
    format!("file{}", at + 1)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
