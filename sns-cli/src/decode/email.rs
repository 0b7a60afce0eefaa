//! The body of an e-mail request: a message and files in one multipart body.
//!
//! Law: the core's reader separates the parts; a file is fingerprinted as it passes by, and a file
//! that is not whole is shown as such.

use super::body::{Body, Fingerprint};
use super::message::{self, Message};
use crate::redact;
use crate::report::{Fields, Node, Report};
use samsung_sns::endpoint::MAX_MESSAGE;
use samsung_sns::wire::multipart::{Boundary, Event, MultipartError, PartHead, Reader};
use samsung_sns::wire::request::RequestHead;
use std::io::{self, Read};

/// Reads the body of an e-mail request.
pub(super) fn read(head: &RequestHead<'_>, body: &mut Body, report: &mut Report) -> io::Result<()> {
    let content_type = head.header("Content-Type").unwrap_or_default();
    let boundary = match Boundary::from_content_type(&content_type) {
        Ok(boundary) => boundary,
        Err(error) => {
            report.broken(Some(body.start()), error.to_string());
            return Ok(());
        }
    };
    let mut reader = Reader::new(&boundary);
    let mut parts = Parts::default();
    let mut piece = vec![0; 64 * 1024];
    // Cameras send the message first, so it stands here.
    let mut opening = Vec::new();
    let mut broken = None;
    while broken.is_none() {
        let length = body.read(&mut piece)?;
        if opening.len() < piece.len() {
            opening.extend_from_slice(&piece[..length]);
        }
        match length {
            // Only a body of which all declared bytes came has an end.
            0 if body.is_whole() == Some(true) => reader.finish(),
            length => reader.feed(&piece[..length]),
        }
        broken = parts.take(&mut reader).err();
        if length == 0 {
            break;
        }
    }
    body.note_missing(report);
    if let Some(error) = broken {
        let at = match error {
            MultipartError::BoundaryNotFound => Some(body.start()),
            MultipartError::PartHeadCut { .. } => Some(body.end()),
            _ => None,
        };
        report.broken(at, error.to_string());
    } else if !reader.has_ended() {
        report.broken(Some(body.end()), "the multipart body never ends");
    }
    report.quirks.extend(reader.quirks());
    if report.problem.is_some() {
        // The reader holds back what could become a boundary: here it never will.
        parts.is_cut = true;
        reader.finish();
        let _ = parts.take(&mut reader);
    }
    let at = parts.message.as_ref().and_then(|message| memchr::memmem::find(&opening, message));
    parts.show(at.map(|at| body.start() + at as u64), report);
    Ok(())
}

#[derive(Default)]
struct Parts {
    part: Option<Part>,
    message: Option<Vec<u8>>,
    is_message_too_long: bool,
    /// What still comes is not whole.
    is_cut: bool,
    files: Vec<Node>,
}

struct Part {
    head: PartHead,
    message: Option<Vec<u8>>,
    fingerprint: Fingerprint,
}

impl Parts {
    /// Takes all that is ready.
    fn take(&mut self, reader: &mut Reader) -> Result<(), MultipartError> {
        while let Some(event) = reader.next_event()? {
            match event {
                Event::Part(head) => {
                    let is_message = head.name().is_some_and(|name| {
                        name.eq_ignore_ascii_case("message") && self.message.is_none()
                    });
                    let message = is_message.then(Vec::new);
                    let fingerprint = Fingerprint::default();
                    self.part = Some(Part { head, message, fingerprint });
                }
                Event::Data(bytes) => match &mut self.part {
                    Some(Part { message: Some(message), .. }) => {
                        let room = MAX_MESSAGE - message.len();
                        self.is_message_too_long |= bytes.len() > room;
                        message.extend_from_slice(&bytes[..bytes.len().min(room)]);
                    }
                    Some(part) => part.fingerprint.update(&bytes),
                    None => {}
                },
                Event::PartEnd => self.end_part(),
                Event::End => {}
            }
        }
        Ok(())
    }

    fn end_part(&mut self) {
        let Some(Part { head, message, fingerprint }) = self.part.take() else { return };
        if message.is_some() {
            self.message = message;
            return;
        }
        let mut file = Fields::default();
        if let Some(field) = head.name().filter(|name| name != "binary") {
            file.secret("field", field);
        }
        if let Some(name) = head.file_name() {
            file.text("name", redact::file_name(&String::from_utf8_lossy(&name)));
        }
        if let Some(media_type) = head.media_type() {
            file.text("media_type", redact::media_type(&media_type));
        }
        fingerprint.show(&mut file);
        file.add("complete", Node::Flag(!self.is_cut));
        self.files.push(Node::Map(file));
    }

    /// Puts into the report what came, whole or not. A message that is not whole has no place.
    fn show(mut self, message_at: Option<u64>, report: &mut Report) {
        self.end_part();
        match &self.message {
            Some(_) if self.is_message_too_long => {
                report.broken(None, "the message part is longer than 16 KiB");
            }
            Some(_) => {}
            None => report.broken(None, "the e-mail has no message part"),
        }
        if let Some(message) = &self.message {
            message::read(Some(Message::Email), message, message_at, report);
        }
        report.fields.add("files", Node::List(self.files));
    }
}
