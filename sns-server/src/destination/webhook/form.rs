//! The body of a webhook: `multipart/form-data`, the JSON first, then the files from the disk.
//!
//! Law: read twice, it is the same bytes (once to sign, once to send), and only a chunk of it is in
//! memory at a time. The boundary is unguessable, so that no photo can hold it.

use crate::destination::{Fault, Post, PostFile};
use crate::names::file_name_on_disk;
use bytes::Bytes;
use serde_json::json;
use std::io;
use std::time::{Duration, SystemTime};
use tokio::fs::File;
use tokio::io::AsyncReadExt;

const CHUNK: usize = 64 * 1024;
/// The last millisecond that can be written with a year of four digits.
const LATEST: u64 = 253_402_300_799_999;

#[derive(Debug)]
pub(super) struct Form<'a> {
    boundary: String,
    json: String,
    segments: Vec<Segment<'a>>,
}

#[derive(Debug)]
enum Segment<'a> {
    Text(String),
    File(&'a PostFile),
}

impl<'a> Form<'a> {
    pub(super) fn new(post: &'a Post, random: &[u8; 16]) -> Form<'a> {
        let boundary = format!("sns-{}", hex(random));
        let json = json(post);
        let mut segments = vec![Segment::Text(format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"post\"\r\n\
             Content-Type: application/json\r\n\r\n{json}\r\n"
        ))];
        for (at, file) in post.files.iter().enumerate() {
            let (part, media_type) = (part_name(at), &file.media_type);
            let name = file_name_on_disk(&file.name);
            segments.push(Segment::Text(format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"{part}\"; \
                 filename=\"{name}\"\r\nContent-Type: {media_type}\r\n\r\n"
            )));
            segments.push(Segment::File(file));
            segments.push(Segment::Text("\r\n".to_owned()));
        }
        segments.push(Segment::Text(format!("--{boundary}--\r\n")));
        Form { boundary, json, segments }
    }

    pub(super) fn content_type(&self) -> String {
        format!("multipart/form-data; boundary={}", self.boundary)
    }

    pub(super) fn length(&self) -> u64 {
        let length = |segment: &Segment<'_>| match segment {
            Segment::Text(text) => text.len() as u64,
            Segment::File(file) => file.length,
        };
        self.segments.iter().map(length).sum()
    }

    pub(super) fn json(&self) -> &str {
        &self.json
    }

    pub(super) fn reader(&self) -> Reader<'_> {
        Reader { segments: self.segments.iter(), open: None }
    }
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

/// Reads a form from its begin to its end.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    segments: std::slice::Iter<'a, Segment<'a>>,
    open: Option<Open<'a>>,
}

#[derive(Debug)]
struct Open<'a> {
    file: File,
    left: u64,
    of: &'a PostFile,
}

impl Reader<'_> {
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Fault> {
        loop {
            if let Some(open) = self.open.as_mut().filter(|open| open.left > 0) {
                return open.next().await.map(Some);
            }
            self.open = match self.segments.next() {
                None => return Ok(None),
                Some(Segment::Text(text)) => return Ok(Some(Bytes::from(text.clone()))),
                Some(Segment::File(of)) => {
                    let file =
                        File::open(&of.path).await.map_err(|error| unreadable(of, &error))?;
                    Some(Open { file, left: of.length, of })
                }
            };
        }
    }
}

impl Open<'_> {
    async fn next(&mut self) -> Result<Bytes, Fault> {
        let mut chunk = vec![0; CHUNK.min(usize::try_from(self.left).unwrap_or(CHUNK))];
        let read = self.file.read(&mut chunk).await;
        match read.map_err(|error| unreadable(self.of, &error))? {
            0 => {
                let path = self.of.path.display();
                Err(Fault::permanent(format!("{path} is shorter than it was when it came")))
            }
            read => {
                chunk.truncate(read);
                self.left -= read as u64;
                Ok(Bytes::from(chunk))
            }
        }
    }
}

fn unreadable(file: &PostFile, error: &io::Error) -> Fault {
    let message = format!("{}: {error}", file.path.display());
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied => Fault::permanent(message),
        _ => Fault::transient(message),
    }
}
