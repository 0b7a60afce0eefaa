//! The body of an e-mail request: a message and files in one multipart body.
//!
//! Law: the core's reader separates the parts; a file is fingerprinted as it passes by, and a file
//! that is not whole, or of which the head is not, is shown as such. What is wrong with the bytes of
//! the body is told at the parts that they belong to.

use super::body::{Fingerprint, Print};
use super::damage::Damage;
use super::message::{self, Message};
use crate::extract::{Marks, Object, Outlets};
use crate::redact;
use crate::report::{Fields, Node, Report};
use samsung_sns::endpoint::MAX_MESSAGE;
use samsung_sns::wire::multipart::{Boundary, Event, MultipartError, PartHead, Reader};
use std::io;

/// So many parts of an e-mail are listed; a camera has room for twenty files.
const MAX_PARTS: usize = 1000;
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

    /// More of the body, with what is wrong with it so far.
    pub(super) fn feed(
        &mut self,
        bytes: &[u8],
        damage: &Damage,
        out: &mut Outlets<'_>,
    ) -> io::Result<()> {
        let room = OPENING - self.opening.len();
        self.opening.extend_from_slice(&bytes[..bytes.len().min(room)]);
        let (Ok(reader), None) = (&mut self.reader, &self.broken) else { return Ok(()) };
        reader.feed(bytes);
        self.parts.fed += bytes.len() as u64;
        self.broken = self.parts.take(reader, damage, out)?;
        Ok(())
    }

    /// Puts what came into the report. Only a body of which all declared bytes came (`is_whole`)
    /// has an end. `place` is where it stood, `damage` what is wrong with it.
    pub(super) fn finish(
        mut self,
        report: &mut Report,
        is_whole: bool,
        place: (u64, u64),
        damage: &Damage,
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
            self.broken = self.parts.take(reader, damage, out)?;
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
            self.parts.take(reader, damage, out)?;
        }
        let message = self.parts.message.as_ref();
        let at = message.and_then(|message| memchr::memmem::find(&self.opening, message));
        self.parts.show(at.map(|at| start + at as u64), report, damage, out)
    }
}

#[derive(Default)]
struct Parts {
    part: Option<Part>,
    message: Option<Vec<u8>>,
    is_message_too_long: bool,
    /// What still comes is not whole.
    is_cut: bool,
    has_checksums: bool,
    /// How many bytes of the body came.
    fed: u64,
    /// Where the last part ended, and so where the head of the next begins.
    ended: u64,
    done: Vec<Done>,
}

struct Part {
    head: PartHead,
    message: Option<Vec<u8>>,
    fingerprint: Fingerprint,
    object: Option<Object>,
    place: Place,
}

/// Where a part stands in the body.
#[derive(Clone, Copy)]
struct Place {
    head: u64,
    start: u64,
    end: u64,
}

/// A part that has ended. What is wrong with its bytes is known when the body has: they may come
/// once more.
struct Done {
    /// Of a file, what it is.
    file: Option<Fields>,
    object: Option<Object>,
    print: Print,
    is_cut: bool,
    place: Place,
}

impl Parts {
    /// Takes all that is ready; gives why there will be no more.
    fn take(
        &mut self,
        reader: &mut Reader,
        damage: &Damage,
        out: &mut Outlets<'_>,
    ) -> io::Result<Option<MultipartError>> {
        loop {
            match reader.next_event() {
                Ok(Some(event)) => {
                    let at = self.fed - reader.waiting() as u64;
                    self.event(event, at, damage, out)?;
                }
                Ok(None) => return Ok(None),
                Err(error) => return Ok(Some(error)),
            }
        }
    }

    /// What came up to `at`.
    fn event(
        &mut self,
        event: Event,
        at: u64,
        damage: &Damage,
        out: &mut Outlets<'_>,
    ) -> io::Result<()> {
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
                let place = Place { head: self.ended, start: at, end: at };
                self.part = Some(Part { head, message, fingerprint, object, place });
            }
            Event::Data(bytes) => {
                let Some(part) = &mut self.part else { return Ok(()) };
                part.place.end = at;
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
            Event::PartEnd => {
                self.ended = at;
                self.end_part(damage, out)?;
            }
            Event::End => {}
        }
        Ok(())
    }

    fn end_part(&mut self, damage: &Damage, out: &mut Outlets<'_>) -> io::Result<()> {
        let Some(Part { head, message, fingerprint, mut object, place }) = self.part.take() else {
            return Ok(());
        };
        let print = fingerprint.finish();
        let file = match message {
            Some(_) => {
                self.message = message;
                None
            }
            None => {
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
                Some(file)
            }
        };
        if let Some(object) = &mut object {
            object.pause(out)?;
        }
        let done = Done { file, object, print, is_cut: self.is_cut, place };
        if self.done.len() < MAX_PARTS {
            self.done.push(done);
        } else {
            done.finish(damage, out)?;
        }
        Ok(())
    }

    /// Puts into the report what came, whole or not. A message that is not whole has no place.
    fn show(
        mut self,
        message_at: Option<u64>,
        report: &mut Report,
        damage: &Damage,
        out: &mut Outlets<'_>,
    ) -> io::Result<()> {
        self.end_part(damage, out)?;
        let mut files = Vec::new();
        for done in self.done {
            files.extend(done.finish(damage, out)?.map(Node::Map));
        }
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
        report.fields.add("files", Node::List(files));
        Ok(())
    }
}

impl Done {
    /// The manifest says what it is; gives what a file is.
    fn finish(self, damage: &Damage, out: &mut Outlets<'_>) -> io::Result<Option<Fields>> {
        let Place { head, start, end } = self.place;
        // Behind a gap, its head ends at the next empty line, which may be one inside the file.
        let is_whole = !self.is_cut && !damage.gaps.touches(head, end);
        let damage = damage.within(start, end);
        if let Some(object) = self.object {
            object.finish(&self.print, &Marks { is_whole, damage: &damage }, out)?;
        }
        Ok(self.file.map(|mut file| {
            file.add("complete", Node::Flag(is_whole));
            damage.show_gaps(&mut file);
            damage.show_conflicts(&mut file);
            file
        }))
    }
}
