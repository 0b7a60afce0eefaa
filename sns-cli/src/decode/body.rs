//! The bytes behind a head.
//!
//! Law: no more of a body is taken than its head declared, and what is missing is said in bytes.

use crate::report::{Fields, Report};
use sha2::{Digest, Sha256};
use std::io::{self, Cursor, Read};

/// A message longer than this is read no further; no camera sends a hundredth of it.
const MAX_WHOLE: usize = 1024 * 1024;

/// A body that is read piece by piece.
pub(crate) struct Body {
    rest: Box<dyn Read>,
    start: u64,
    declared: Option<u64>,
    came: u64,
    /// The input ended before the body did.
    has_ended: bool,
}

impl Body {
    /// What follows the first `start` bytes of a file that begins with `beginning`.
    pub(crate) fn after(
        beginning: &[u8],
        start: usize,
        input: Box<dyn Read>,
        declared: Option<u64>,
    ) -> Body {
        let rest = Box::new(Cursor::new(beginning[start..].to_vec()).chain(input));
        Body { rest, start: start as u64, declared, came: 0, has_ended: false }
    }

    /// Where in the file it begins.
    pub(crate) fn start(&self) -> u64 {
        self.start
    }

    /// Where in the file it ends, as far as it was read.
    pub(crate) fn end(&self) -> u64 {
        self.start + self.came
    }

    /// Whether as much came as was declared; `None` if nothing was declared.
    pub(crate) fn is_whole(&self) -> Option<bool> {
        self.declared.map(|declared| self.came == declared)
    }

    /// All of it, for a message. Notes in the report what is missing.
    pub(crate) fn whole(&mut self, report: &mut Report) -> io::Result<Vec<u8>> {
        let mut whole = Vec::new();
        self.by_ref().take(MAX_WHOLE as u64).read_to_end(&mut whole)?;
        self.note_missing(report);
        if whole.len() == MAX_WHOLE {
            let text = "it is longer than any message; only its first MiB was read";
            report.broken(Some(self.end()), text);
        }
        Ok(whole)
    }

    /// Notes in the report that fewer bytes came than were declared.
    pub(crate) fn note_missing(&mut self, report: &mut Report) {
        let Some(declared) = self.declared.filter(|_| self.has_ended) else { return };
        let missing = declared - self.came;
        report.fields.number("missing_bytes", missing);
        let text = format!(
            "the body is cut off: {} of {declared} bytes are there, {missing} are missing",
            self.came
        );
        report.broken(Some(self.end()), text);
    }

    /// What follows the declared end: how many bytes, white space at the end of the file aside.
    pub(crate) fn count_after(mut self) -> io::Result<u64> {
        if self.is_whole() != Some(true) {
            return Ok(0);
        }
        let (mut count, mut last) = (0, 0);
        let mut piece = vec![0; 64 * 1024];
        loop {
            let length = self.rest.read(&mut piece)?;
            if length == 0 {
                return Ok(last);
            }
            if let Some(at) = piece[..length].iter().rposition(|b| !b.is_ascii_whitespace()) {
                last = count + at as u64 + 1;
            }
            count += length as u64;
        }
    }
}

impl Read for Body {
    fn read(&mut self, piece: &mut [u8]) -> io::Result<usize> {
        let left = self.declared.map_or(u64::MAX, |declared| declared - self.came);
        let wanted = piece.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let length = self.rest.read(&mut piece[..wanted])?;
        self.came += length as u64;
        self.has_ended |= length == 0 && wanted > 0;
        Ok(length)
    }
}

/// A file's length and checksum, gathered while its bytes pass by.
#[derive(Default)]
pub(crate) struct Fingerprint {
    length: u64,
    hash: Sha256,
}

impl Fingerprint {
    /// More of the file.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.length += bytes.len() as u64;
        self.hash.update(bytes);
    }

    /// What is left of `body`, as a file.
    pub(crate) fn of(body: &mut Body) -> io::Result<Fingerprint> {
        let mut fingerprint = Fingerprint::default();
        let mut piece = vec![0; 64 * 1024];
        loop {
            match body.read(&mut piece)? {
                0 => return Ok(fingerprint),
                length => fingerprint.update(&piece[..length]),
            }
        }
    }

    /// Adds length and checksum to fields.
    pub(crate) fn show(self, fields: &mut Fields) {
        fields.number("length", self.length);
        let hex: String = self.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        fields.public("sha256", hex);
    }
}
