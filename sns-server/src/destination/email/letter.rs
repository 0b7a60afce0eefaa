//! The mail that a post becomes.
//!
//! Law: an e-mail keeps the subject and the text that the camera gave; a social post gets them from
//! its words. Nothing that came from elsewhere can begin a header of its own.

use super::addresses::Author;
use super::cut::Item;
use crate::clock::wall;
use crate::destination::picture::{Bounds, fit};
use crate::destination::{Fault, Post};
use crate::names::file_name_on_disk;
use lettre::message::header::ContentType;
use lettre::message::{Attachment, Mailbox, Message, MultiPart, SinglePart};
use samsung_sns::time::UnixTime;
use std::time::{Duration, SystemTime};

/// 2026-01-01: a clock that shows less was never set.
const NEVER_SET: UnixTime = UnixTime::from_secs(1_767_225_600);
/// Subjects made of a text are cut at a word before this.
const SUBJECT: usize = 60;
/// Servers refuse lines above 998 bytes (RFC 5322), and a word without blanks cannot be folded.
const LONGEST_SUBJECT: usize = 200;
/// The same for the names beside addresses.
const LONGEST_NAME: usize = 100;

/// A mail before it is written.
pub(super) struct Letter<'a> {
    pub(super) post: &'a Post,
    pub(super) author: &'a Author,
    pub(super) to: &'a [Mailbox],
    /// Which of how many mails of this post, from 1.
    pub(super) part: usize,
    pub(super) parts: usize,
    pub(super) attachments: Vec<SinglePart>,
}

/// The files of a mail, encoded.
pub(super) async fn attachments(post: &Post, items: &[Item]) -> Result<Vec<SinglePart>, Fault> {
    let mut attachments = Vec::with_capacity(items.len());
    for item in items {
        let file = &post.files[item.file];
        let smaller = match item.most {
            Some(bytes) => {
                let fitted = fit(&file.path, Bounds { bytes, pixels: None }).await;
                fitted.map_err(|error| Fault::permanent(format!("{:?} {error}", file.name)))?
            }
            None => None,
        };
        let (path, name) = (file.path.clone(), file_name_on_disk(&file.name));
        let media_type = if smaller.is_some() { "image/jpeg" } else { &file.media_type };
        let media_type = ContentType::parse(media_type)
            .or_else(|_| ContentType::parse("application/octet-stream"))
            .map_err(|error| Fault::permanent(error.to_string()))?;
        let encoded = tokio::task::spawn_blocking(move || {
            let bytes = match smaller {
                Some(bytes) => bytes,
                None => std::fs::read(&path)?,
            };
            Ok::<_, std::io::Error>(Attachment::new(name).body(bytes, media_type))
        });
        let unreadable = |error: String| Fault::permanent(format!("{:?}: {error}", file.name));
        let encoded = encoded.await.map_err(|error| unreadable(error.to_string()))?;
        attachments.push(encoded.map_err(|error| unreadable(error.to_string()))?);
    }
    Ok(attachments)
}

impl Letter<'_> {
    /// The mail as it is sent.
    pub(super) fn write(self) -> Result<Vec<u8>, Fault> {
        let id = match self.parts {
            1 => self.post.id.clone(),
            parts => format!("{}.{}of{parts}", self.post.id, self.part),
        };
        let author = self.author;
        let mut builder = Message::builder()
            .message_id(Some(format!("<{id}@{}>", author.from.email.domain())))
            .date(self.date())
            .from(short(&author.from));
        if let Some(reply_to) = &author.reply_to {
            builder = builder.reply_to(short(reply_to));
        }
        for to in self.to {
            builder = builder.to(short(to));
        }
        if let Some(subject) = self.subject() {
            builder = builder.subject(subject);
        }
        // The boundary of a retry is that of the first attempt.
        let mut body = MultiPart::mixed()
            .boundary(format!("sns-{id}"))
            .singlepart(SinglePart::plain(self.text()));
        for attachment in self.attachments {
            body = body.singlepart(attachment);
        }
        let message = builder.multipart(body);
        let message = message.map_err(|error| Fault::permanent(error.to_string()))?;
        Ok(folded(message.formatted()))
    }

    fn is_email(&self) -> bool {
        self.post.channel == "email"
    }

    fn subject(&self) -> Option<String> {
        let subject = match &self.post.title {
            Some(title) => one_line(title),
            None if self.is_email() => return None,
            None => match one_line(&self.post.text).as_str() {
                "" => self.post.camera.clone().unwrap_or_else(|| "Photos".to_owned()),
                text => first_words(text),
            },
        };
        let subject = cut_at(&subject, LONGEST_SUBJECT);
        Some(match self.parts {
            1 => subject,
            parts => format!("{subject} ({}/{parts})", self.part),
        })
    }

    fn text(&self) -> String {
        if self.is_email() {
            return self.post.typed.clone();
        }
        let described = self.post.files.iter().filter(|file| !file.alt_text.is_empty());
        let list: Vec<String> =
            described.map(|file| format!("{}: {}", one_line(&file.name), file.alt_text)).collect();
        match list.is_empty() {
            true => self.post.text.clone(),
            false => format!("{}\n\n{}\n", self.post.text, list.join("\n")),
        }
    }

    /// When it came, unless that cannot be.
    fn date(&self) -> SystemTime {
        let (came, now) = (self.post.received_at, wall());
        let is_plausible =
            came >= NEVER_SET && came.saturating_since(now) < Duration::from_secs(60);
        let shown = if is_plausible { came } else { now };
        SystemTime::UNIX_EPOCH + Duration::from_secs(shown.as_millis() / 1000)
    }
}

/// The address, its name cut so that it fits a line.
fn short(mailbox: &Mailbox) -> Mailbox {
    let name = mailbox.name.as_ref().map(|name| cut_at(name, LONGEST_NAME));
    Mailbox::new(name, mailbox.email.clone())
}

fn cut_at(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((at, _)) => format!("{}\u{2026}", &text[..at]),
    }
}

/// The mail with each recipient on a line of its own: lettre writes all of them in one, and servers
/// refuse lines above 998 bytes.
fn folded(mail: Vec<u8>) -> Vec<u8> {
    let head = memchr::memmem::find(&mail, b"\r\n\r\n").unwrap_or(0);
    let start = match memchr::memmem::find(&mail[..head], b"\r\nTo: ") {
        Some(at) => at + 2,
        None if mail.starts_with(b"To: ") => 0,
        None => return mail,
    };
    let is_end = |at: &usize| !matches!(mail.get(at + 2), Some(b' ' | b'\t'));
    let end = memchr::memmem::find_iter(&mail[start..], b"\r\n").map(|at| start + at).find(is_end);
    let end = end.unwrap_or(mail.len());
    let mut folded = Vec::with_capacity(mail.len() + 1024);
    folded.extend_from_slice(&mail[..start]);
    for (at, byte) in mail[start..end].iter().enumerate() {
        let comma_before = at > 0 && mail[start + at - 1] == b',';
        if *byte == b' ' && comma_before {
            folded.extend_from_slice(b"\r\n");
        }
        folded.push(*byte);
    }
    folded.extend_from_slice(&mail[end..]);
    folded
}

fn one_line(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

fn first_words(text: &str) -> String {
    if text.chars().count() <= SUBJECT {
        return text.to_owned();
    }
    let begin: String = text.chars().take(SUBJECT).collect();
    let begin = begin.rsplit_once(' ').map_or(begin.as_str(), |(begin, _)| begin);
    format!("{begin}\u{2026}")
}
