//! The body of an e-mail request: a message and files in one multipart body.
//!
//! Law: the core's reader separates the parts; a file is fingerprinted as it passes by, and a file
//! that is not whole is shown as such.

use super::body::Fingerprint;
use super::message::{self, Message};
use crate::extract::{Marks, Object, Outlets};
use crate::redact;
use crate::report::{Fields, Node, Report};
use samsung_sns::endpoint::MAX_MESSAGE;
use samsung_sns::wire::multipart::{Boundary, Event, MultipartError, PartHead, Reader};
use std::io;

/// So many files of an e-mail are listed; a camera has room for twenty.
const MAX_FILES: usize = 1000;
/// The message is looked for in the first bytes.
const OPENING: usize = 64 * 1024;

/// A multipart body that comes piece by piece.
pub(super) struct Email {
    reader: Result<Reader, MultipartError>,
    broken: Option<MultipartError>,
    parts: Parts,
    /// Cameras send the message first, so it stands here.
    opening: Vec<u8>,
}

impl Email {
    /// A body with this `Content-Type`.
    pub(super) fn new(content_type: &str, has_checksums: bool) -> Email {
        let boundary = Boundary::from_content_type(content_type);
        Email {
            reader: boundary.map(|boundary| Reader::new(&boundary)),
            broken: None,
            parts: Parts { has_checksums, ..Parts::default() },
            opening: Vec::new(),
        }
    }

    /// More of the body.
    pub(super) fn feed(&mut self, bytes: &[u8], out: &mut Outlets<'_>) -> io::Result<()> {
        let room = OPENING - self.opening.len();
        self.opening.extend_from_slice(&bytes[..bytes.len().min(room)]);
        let (Ok(reader), None) = (&mut self.reader, &self.broken) else { return Ok(()) };
        reader.feed(bytes);
        self.broken = self.parts.take(reader, out)?;
        Ok(())
    }

    /// What comes next is not what was sent.
    pub(super) fn has_gap(&mut self, out: &mut Outlets<'_>) -> io::Result<()> {
        self.parts.has_gap = true;
        if let (Ok(reader), None) = (&mut self.reader, &self.broken) {
            self.broken = self.parts.take(reader, out)?;
        }
        if let Some(part) = &mut self.parts.part {
            part.has_gap = true;
        }
        Ok(())
    }

    /// Puts what came into the report. Only a body of which all declared bytes came (`is_whole`)
    /// has an end. `place` is where it stood.
    pub(super) fn finish(
        mut self,
        report: &mut Report,
        is_whole: bool,
        place: (u64, u64),
        out: &mut Outlets<'_>,
    ) -> io::Result<()> {
        let (start, end) = place;
        let reader = match &mut self.reader {
            Ok(reader) => reader,
            Err(error) => {
                report.broken(Some(start), error.to_string());
                return Ok(());
            }
        };
        if is_whole {
            reader.finish();
        }
        if self.broken.is_none() {
            self.broken = self.parts.take(reader, out)?;
        }
        let is_broken = self.broken.is_some() || !reader.has_ended();
        if let Some(error) = self.broken {
            let at = match error {
                MultipartError::BoundaryNotFound => Some(start),
                MultipartError::PartHeadCut { .. } => Some(end),
                _ => None,
            };
            report.broken(at, error.to_string());
        } else if is_broken {
            report.broken(Some(end), "the multipart body never ends");
        }
        report.quirks.extend(reader.quirks());
        if is_broken {
            // The reader holds back what could become a boundary: here it never will.
            self.parts.is_cut = true;
            reader.finish();
            self.parts.take(reader, out)?;
        }
        let message = self.parts.message.as_ref();
        let at = message.and_then(|message| memchr::memmem::find(&self.opening, message));
        self.parts.show(at.map(|at| start + at as u64), report, out)
    }
}

#[derive(Default)]
struct Parts {
    part: Option<Part>,
    message: Option<Vec<u8>>,
    is_message_too_long: bool,
    /// What still comes is not whole.
    is_cut: bool,
    has_gap: bool,
    has_checksums: bool,
    files: Vec<Node>,
}

struct Part {
    head: PartHead,
    message: Option<Vec<u8>>,
    fingerprint: Fingerprint,
    object: Option<Object>,
    has_gap: bool,
}

impl Parts {
    /// Takes all that is ready; gives why there will be no more.
    fn take(
        &mut self,
        reader: &mut Reader,
        out: &mut Outlets<'_>,
    ) -> io::Result<Option<MultipartError>> {
        loop {
            match reader.next_event() {
                Ok(Some(event)) => self.event(event, out)?,
                Ok(None) => return Ok(None),
                Err(error) => return Ok(Some(error)),
            }
        }
    }

    fn event(&mut self, event: Event, out: &mut Outlets<'_>) -> io::Result<()> {
        match event {
            Event::Part(head) => {
                let is_message = head.name().is_some_and(|name| {
                    name.eq_ignore_ascii_case("message") && self.message.is_none()
                });
                let name = head.file_name().map(|name| String::from_utf8_lossy(&name).into_owned());
                let field = if is_message { "message" } else { "binary" };
                let name = if is_message { Some("message.xml".to_owned()) } else { name };
                let object = out.begin(field, name.as_deref(), b"")?;
                let message = is_message.then(Vec::new);
                let fingerprint = Fingerprint::new(self.has_checksums);
                self.part = Some(Part { head, message, fingerprint, object, has_gap: false });
            }
            Event::Data(bytes) => {
                let Some(part) = &mut self.part else { return Ok(()) };
                if let Some(object) = &mut part.object {
                    object.write(&bytes, out)?;
                }
                if let Some(message) = &mut part.message {
                    let room = MAX_MESSAGE - message.len();
                    self.is_message_too_long |= bytes.len() > room;
                    message.extend_from_slice(&bytes[..bytes.len().min(room)]);
                }
                if part.message.is_none() || part.object.is_some() {
                    part.fingerprint.update(&bytes);
                }
            }
            Event::PartEnd => self.end_part(out)?,
            Event::End => {}
        }
        Ok(())
    }

    fn end_part(&mut self, out: &mut Outlets<'_>) -> io::Result<()> {
        let Some(Part { head, message, fingerprint, object, has_gap }) = self.part.take() else {
            return Ok(());
        };
        let is_whole = !self.is_cut && !has_gap;
        let print = fingerprint.finish();
        if let Some(object) = object {
            object.finish(&print, &Marks { is_whole, gaps: &[], conflicts: &[] }, out)?;
        }
        if message.is_some() {
            self.message = message;
            return Ok(());
        }
        let mut file = Fields::default();
        if let Some(field) = head.name().filter(|name| name != "binary") {
            file.text("field", redact::field(&field));
        }
        if let Some(name) = head.file_name() {
            file.text("name", redact::file_name(&String::from_utf8_lossy(&name)));
        }
        if let Some(media_type) = head.media_type() {
            file.text("media_type", redact::media_type(&media_type));
        }
        print.show(&mut file);
        file.add("complete", Node::Flag(is_whole));
        if self.files.len() < MAX_FILES {
            self.files.push(Node::Map(file));
        }
        Ok(())
    }

    /// Puts into the report what came, whole or not. A message that is not whole has no place.
    fn show(
        mut self,
        message_at: Option<u64>,
        report: &mut Report,
        out: &mut Outlets<'_>,
    ) -> io::Result<()> {
        self.end_part(out)?;
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
        Ok(())
    }
}
