//! The bytes behind a head.
//!
//! Law: no more is taken than belongs to the body, and what is missing is said in bytes. What
//! passes by is not kept, but for what a message can be.

use super::chunks::Chunks;
use super::damage::Damage;
use super::email::Email;
use super::message::{self, Message};
use crate::extract::{Marks, Object, Outlets};
use crate::redact;
use crate::report::{Fields, Report};
use sha2::{Digest, Sha256};
use std::io;

/// A message longer than this is read no further; no camera sends a tenth of it.
const MAX_WHOLE: usize = 64 * 1024;
/// When more than this is missing in gaps, a body ends: so many zeros tell nothing.
const MAX_MISSING: u64 = 16 * 1024 * 1024;

/// Where a body ends.
#[derive(Debug)]
pub(super) enum Framing {
    /// After so many bytes.
    Length(u64),
    /// With its last chunk.
    Chunks(Chunks),
    /// Where its stream does.
    Open,
}

/// What becomes of a body.
pub(super) enum Sink {
    /// It is this message.
    Message(Message, Vec<u8>),
    /// It may be a message.
    Unknown(Vec<u8>),
    /// It is some message, without a head.
    Xml(Vec<u8>),
    /// It is a file.
    File(Fingerprint),
    /// It is a message and files.
    Email(Box<Email>),
    /// It is a part of something, or what follows a head that cannot be understood.
    Rest(Vec<u8>, Fingerprint),
}

/// A body that comes piece by piece.
pub(super) struct Body {
    framing: Framing,
    declared: Option<u64>,
    sink: Sink,
    start: u64,
    /// What came of it, gaps included; of chunks, their data.
    came: u64,
    /// What came of it on the wire, gaps included.
    taken: u64,
    missing: u64,
    /// The gap behind which it cannot go on.
    ended_by: Option<u64>,
    damage: Damage,
    is_done: bool,
    /// Whether it may be something else than was meant.
    is_doubtful: bool,
    object: Option<(Object, Fingerprint)>,
}

impl Body {
    /// A body that begins `start` bytes behind the beginning of its head.
    pub(super) fn new(framing: Framing, sink: Sink, start: u64) -> Body {
        let declared = match framing {
            Framing::Length(length) => Some(length),
            _ => None,
        };
        Body {
            framing,
            declared,
            sink,
            start,
            came: 0,
            taken: 0,
            missing: 0,
            ended_by: None,
            damage: Damage::default(),
            is_done: declared == Some(0),
            is_doubtful: false,
            object: None,
        }
    }

    /// Its head is not understood: nobody knows whether it is whole.
    pub(super) fn doubtful(mut self) -> Body {
        self.is_doubtful = true;
        self
    }

    /// Whether all of it came.
    pub(super) fn is_done(&self) -> bool {
        self.is_done
    }

    /// Whether it is what is left of something.
    pub(super) fn is_rest(&self) -> bool {
        matches!(self.sink, Sink::Rest(..))
    }

    /// Whether its end is known from itself.
    pub(super) fn has_known_end(&self) -> bool {
        !matches!(self.framing, Framing::Open)
    }

    /// Whether nothing can be told of where it ends: another message may begin anywhere.
    pub(super) fn is_adrift(&self) -> bool {
        match &self.framing {
            Framing::Length(_) => false,
            Framing::Chunks(chunks) => chunks.is_broken(),
            Framing::Open => true,
        }
    }

    /// These bytes, `offset` behind the beginning of the head, came twice and differed.
    pub(super) fn conflict(&mut self, offset: u64, length: u64) {
        let end = (offset + length).saturating_sub(self.start);
        let begin = offset.saturating_sub(self.start);
        // In chunks, what is framing and what is data cannot be told any more.
        let is_counted = !matches!(self.framing, Framing::Chunks(_));
        if is_counted && end > begin {
            self.damage.conflicts.push(begin, end - begin);
        }
    }

    /// Takes its part of these bytes; gives how many that are.
    pub(super) fn feed(&mut self, bytes: &[u8], out: &mut Outlets<'_>) -> io::Result<usize> {
        let taken = match &mut self.framing {
            Framing::Length(length) => {
                let left = usize::try_from(*length - self.came).unwrap_or(usize::MAX);
                let taken = bytes.len().min(left);
                self.data(&bytes[..taken], out)?;
                self.is_done = Some(self.came) == self.declared;
                taken
            }
            Framing::Open => {
                self.data(bytes, out)?;
                bytes.len()
            }
            Framing::Chunks(_) => {
                let mut taken = 0;
                while taken < bytes.len() && !self.is_done {
                    let Framing::Chunks(chunks) = &mut self.framing else { break };
                    let step = chunks.next(&bytes[taken..]);
                    self.is_done = chunks.has_ended();
                    let data = taken + step.skipped..taken + step.skipped + step.data;
                    taken = data.end;
                    self.data(&bytes[data], out)?;
                }
                taken
            }
        };
        self.taken += taken as u64;
        Ok(taken)
    }

    /// Takes its part of a gap; gives how much that is, or `None` if it cannot go on behind it.
    pub(super) fn gap(&mut self, length: u64, out: &mut Outlets<'_>) -> io::Result<Option<u64>> {
        let mine = match &mut self.framing {
            Framing::Length(declared) => length.min(*declared - self.came),
            Framing::Open => length,
            Framing::Chunks(chunks) => match chunks.skip(length) {
                true => length,
                false => {
                    self.ended_by = Some(length);
                    return Ok(None);
                }
            },
        };
        let is_too_much = self.missing + mine > MAX_MISSING;
        let is_rest = matches!((&self.framing, &self.sink), (Framing::Open, Sink::Rest(..)));
        if is_too_much && !is_rest {
            // Nothing of it stands behind a gap that reaches to its end.
            self.is_done = Some(self.came + mine) == self.declared;
            self.ended_by = (!self.is_done).then_some(mine);
            return Ok(self.is_done.then_some(mine));
        }
        self.missing += mine;
        self.taken += mine;
        if is_too_much {
            // Where it stood in the file is not known in any case: it goes on without zeros.
            return Ok(Some(mine));
        }
        self.damage.gaps.push(self.came, mine);
        // A message goes on behind white space, a file behind zeros.
        let is_file = matches!(self.sink, Sink::File(_) | Sink::Email(_) | Sink::Rest(..));
        let filling = [if is_file { 0 } else { b' ' }; 4096];
        let mut left = mine as usize;
        while left > 0 {
            let length = left.min(filling.len());
            self.data(&filling[..length], out)?;
            left -= length;
        }
        self.is_done = Some(self.came) == self.declared;
        Ok(Some(mine))
    }

    fn data(&mut self, bytes: &[u8], out: &mut Outlets<'_>) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        if self.came == 0 && out.is_extracting() {
            let field = match self.sink {
                Sink::Email(_) => "email",
                Sink::Rest(..) => "rest",
                _ => "body",
            };
            self.object =
                out.begin(field, None, bytes)?.map(|object| (object, Fingerprint::new(true)));
        }
        self.came += bytes.len() as u64;
        if let Some((object, fingerprint)) = &mut self.object {
            object.write(bytes, out)?;
            if !matches!(self.sink, Sink::File(_) | Sink::Rest(..)) {
                fingerprint.update(bytes);
            }
        }
        match &mut self.sink {
            Sink::Message(_, whole) | Sink::Unknown(whole) | Sink::Xml(whole) => {
                let room = MAX_WHOLE - whole.len();
                whole.extend_from_slice(&bytes[..bytes.len().min(room)]);
            }
            Sink::File(fingerprint) => fingerprint.update(bytes),
            Sink::Rest(whole, fingerprint) => {
                let room = MAX_WHOLE - whole.len();
                whole.extend_from_slice(&bytes[..bytes.len().min(room)]);
                fingerprint.update(bytes);
            }
            Sink::Email(email) => email.feed(bytes, &self.damage, out)?,
        }
        Ok(())
    }

    /// Puts what it says into the report. It is not whole unless [`is_done`](Body::is_done), or its
    /// stream ends where it does (`at_end`).
    pub(super) fn finish(
        mut self,
        report: &mut Report,
        at_end: bool,
        out: &mut Outlets<'_>,
    ) -> io::Result<()> {
        let end = self.start + self.taken;
        let is_whole = match self.declared {
            Some(declared) => self.came == declared,
            None => self.is_done || (at_end && !self.has_known_end()),
        } && self.missing == 0
            && !self.is_doubtful;
        let cut = match self.ended_by {
            Some(_) => 0,
            None => self.declared.map_or(0, |declared| declared - self.came),
        };
        let missing = self.missing + cut + self.ended_by.unwrap_or(0);
        if missing > 0 {
            report.fields.number("missing_bytes", missing);
        }
        if self.missing > 0 {
            self.damage.show_gaps(&mut report.fields);
            let at = self.damage.gaps.first().map(|offset| self.start + offset);
            let text = format!("{} bytes inside the body are not in the capture", self.missing);
            report.broken(at, text);
        }
        self.damage.show_conflicts(&mut report.fields);
        if let Some(gap) = self.ended_by {
            let text = format!(
                "{gap} bytes behind the first {} of the body are not in the capture: what follows \
                 them is told apart",
                self.came
            );
            report.broken(Some(end), text);
        }
        if let (true, Some(declared)) = (cut > 0, self.declared) {
            let text = format!(
                "the body is cut off: {} of {declared} bytes are there, {cut} are missing",
                self.came - self.missing
            );
            report.broken(Some(end), text);
        }
        if matches!(&self.framing, Framing::Chunks(chunks) if chunks.is_broken()) {
            let text = "a chunk's length is no number, or one that no body has: what follows is \
                        taken for data";
            report.broken(Some(end), text);
        }
        if !self.is_done && matches!(self.framing, Framing::Chunks(_)) {
            report.broken(Some(end), "the body is cut off: its last chunk is not there");
        }
        if matches!(self.framing, Framing::Open) && !at_end {
            report.broken(Some(end), "the end of the body is not in the capture");
        }
        // Places are told only where wire and body agree.
        let start = match self.framing {
            Framing::Chunks(_) => None,
            _ => Some(self.start),
        };
        let came = self.came;
        let note_length = |report: &mut Report, whole: &[u8]| {
            if came > whole.len() as u64 {
                let text = "it is longer than any message; only its first 64 KiB were read";
                report.broken(Some(end), text);
            }
        };
        let mut file = None;
        match self.sink {
            Sink::Message(expected, whole) => {
                note_length(report, &whole);
                message::read(Some(expected), &whole, start, report);
            }
            Sink::Xml(whole) => {
                note_length(report, &whole);
                message::read(None, &whole, start, report);
            }
            Sink::Unknown(whole) => message::read_unknown(&whole, came, self.start, report),
            Sink::Rest(whole, fingerprint) => {
                let print = fingerprint.finish();
                if came > 0 && !message::read_rest(&whole, report) {
                    print.show(&mut report.fields);
                }
                file = Some(print);
            }
            Sink::File(fingerprint) => {
                let print = fingerprint.finish();
                print.show(&mut report.fields);
                file = Some(print);
            }
            Sink::Email(email) => {
                let is_there = self.declared.is_none_or(|declared| self.came == declared);
                let place = (self.start, end);
                let is_whole = self.declared.is_some() && is_there || self.is_done;
                email.finish(report, is_whole, place, &self.damage, out)?;
            }
        }
        if report.kind != "unknown" {
            // What it says is more than what its head said of it.
            out.place.kind = report.kind;
        }
        if let Some((object, fingerprint)) = self.object.take() {
            let print = file.unwrap_or_else(|| fingerprint.finish());
            object.finish(&print, &Marks { is_whole, damage: &self.damage }, out)?;
        }
        out.list(&mut report.fields);
        Ok(())
    }
}

/// A file's length and checksum, gathered while its bytes pass by.
pub(crate) struct Fingerprint {
    length: u64,
    hash: Option<Sha256>,
}

/// A file's length and checksum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Print {
    /// In bytes.
    pub(crate) length: u64,
    /// SHA-256, in hex, if it was wanted.
    pub(crate) sha256: Option<String>,
}

impl Fingerprint {
    /// Of nothing yet; the checksum takes most of the time of a large file, so it is gathered where
    /// it is wanted.
    pub(crate) fn new(has_checksum: bool) -> Fingerprint {
        Fingerprint { length: 0, hash: has_checksum.then(Sha256::default) }
    }

    /// More of the file.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.length += bytes.len() as u64;
        if let Some(hash) = &mut self.hash {
            hash.update(bytes);
        }
    }

    /// The file is whole, or there is no more of it.
    pub(crate) fn finish(self) -> Print {
        let hex = |hash: Sha256| hash.finalize().iter().map(|b| format!("{b:02x}")).collect();
        let sha256 = self.hash.map(hex);
        Print { length: self.length, sha256 }
    }
}

impl Print {
    /// Adds length and checksum to fields.
    pub(crate) fn show(&self, fields: &mut Fields) {
        fields.number("length", self.length);
        if let Some(sha256) = &self.sha256 {
            fields.text("sha256", redact::checksum(sha256));
        }
    }
}
