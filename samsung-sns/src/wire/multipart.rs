//! `multipart/form-data` as the cameras' e-mail client writes it: a push reader.
//!
//! Law: every byte between two delimiters comes out exactly once and unchanged, memory does not
//! grow with the body, and a body whose declared length has arrived is never refused for how it
//! ends.
//!
//! Facts (facts.md section 4, the captured NX300 e-mail): there is no closing `--boundary--`; the
//! body ends with a plain boundary, and whether CRLF follows it is unknown. The end of the body is
//! known from `Content-Length` only, so the caller says when it is reached:
//! [`Reader::finish`]. A body that is cut off never gets there and never looks complete.
//!
//! Only a line that can be a delimiter is one. `\r\n--boundary` inside a photo, followed by
//! anything but what the table says, is part of the photo:
//!
//! ```text
//! after "--boundary"                    means
//! padding* CRLF, then a header line     the next part begins
//! "--" padding* (CRLF | end)            the end (what follows is ignored)
//! padding* CRLF* end                    the end     Quirk: unclosed-multipart
//! "-" CRLF* end                         the end     Quirk: half-closed-multipart
//! anything else                         data
//! ```

use super::header::{Header, is_token};
use crate::quirk::{Quirk, Quirks};
use bytes::{Bytes, BytesMut};
use std::borrow::Cow;

/// This much may stand before the first boundary. Cameras send nothing there.
pub const MAX_PREAMBLE: usize = 4 * 1024;
/// A part's header lines must end within this many bytes. Captured: about 130.
pub const MAX_PART_HEAD: usize = 16 * 1024;
/// Padding, empty lines, or a header's name after a boundary are looked at this far.
const MAX_LOOKAHEAD: usize = 128;

/// Why a multipart body cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MultipartError {
    /// `Content-Type` is not `multipart/…` with a usable `boundary`.
    #[error("Content-Type names no multipart boundary")]
    NoBoundaryParameter,
    /// The boundary that the head names is not where the body must begin.
    #[error("the boundary named in the head does not begin the body")]
    BoundaryNotFound,
    /// A part's header lines do not end within [`MAX_PART_HEAD`] bytes.
    #[error("the header lines of part {part} do not end")]
    PartHeadTooLong {
        /// Which part, from 1.
        part: usize,
    },
    /// The body ended inside a part's header lines.
    #[error("the body ends inside the header lines of part {part}")]
    PartHeadCut {
        /// Which part, from 1.
        part: usize,
    },
}

/// The string that separates the parts, without its dashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Boundary(Vec<u8>);

impl Boundary {
    /// A boundary of 1 to 200 bytes without line breaks (RFC 2046 allows 70).
    ///
    /// # Errors
    /// [`MultipartError::NoBoundaryParameter`] for any other.
    pub fn new(boundary: &[u8]) -> Result<Boundary, MultipartError> {
        let usable = (1..=200).contains(&boundary.len())
            && !boundary.iter().any(|b| matches!(b, b'\r' | b'\n'));
        usable.then(|| Boundary(boundary.to_vec())).ok_or(MultipartError::NoBoundaryParameter)
    }

    /// The boundary in a `Content-Type` value, quoted or not, spelt in any case.
    ///
    /// # Errors
    /// [`MultipartError::NoBoundaryParameter`] if there is none.
    pub fn from_content_type(value: &str) -> Result<Boundary, MultipartError> {
        let multipart = value.trim_start().get(..10).is_some_and(|s| {
            s.eq_ignore_ascii_case("multipart/") // multipart/mixed has the same form
        });
        let found = parameter(value.as_bytes(), "boundary").filter(|_| multipart);
        Boundary::new(&found.ok_or(MultipartError::NoBoundaryParameter)?)
    }

    /// The bytes of the boundary.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// The header lines of one part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartHead {
    /// All headers in order.
    pub headers: Vec<Header<'static>>,
}

impl PartHead {
    /// The first header of this name, in any case.
    pub fn header(&self, name: &str) -> Option<Cow<'_, str>> {
        self.headers.iter().find(|header| header.is(name)).map(Header::text)
    }

    /// The field name: `message` or `binary` in a camera's e-mail.
    pub fn name(&self) -> Option<String> {
        self.disposition("name").map(|name| String::from_utf8_lossy(&name).into_owned())
    }

    /// The file name as bytes: nothing promises that it is UTF-8.
    // Quirk(NX300): it is spelt `fileName`, which MIME libraries overlook.
    pub fn file_name(&self) -> Option<Vec<u8>> {
        self.disposition("filename")
    }

    /// The media type without its parameters or trailing semicolon, in lower case.
    pub fn media_type(&self) -> Option<String> {
        let value = self.header("Content-Type")?;
        Some(value.split(';').next()?.trim().to_ascii_lowercase()).filter(|t| !t.is_empty())
    }

    fn disposition(&self, parameter_name: &str) -> Option<Vec<u8>> {
        let found = self.headers.iter().find(|h| h.is("Content-Disposition"))?;
        parameter(&found.value, parameter_name)
    }
}

/// The value of `; name=value` or `; name="value"` behind a header value's first word.
fn parameter(value: &[u8], name: &str) -> Option<Vec<u8>> {
    let mut rest = &value[memchr::memchr(b';', value)?..];
    while let Some(start) = rest.iter().position(|b| !matches!(b, b';' | b' ' | b'\t')) {
        rest = &rest[start..];
        let end = rest.iter().position(|b| matches!(b, b'=' | b';')).unwrap_or(rest.len());
        let found = rest[..end].trim_ascii().eq_ignore_ascii_case(name.as_bytes());
        rest = rest[end..].strip_prefix(b"=").unwrap_or(&rest[end..]).trim_ascii_start();
        let mut text = Vec::new();
        if let Some(quoted) = rest.strip_prefix(b"\"") {
            let mut at = 0;
            while at < quoted.len() && quoted[at] != b'"' {
                // Only a quote is escaped: a backslash elsewhere is part of a Windows path.
                at += usize::from(quoted[at..].starts_with(b"\\\""));
                text.push(quoted[at]);
                at += 1;
            }
            rest = quoted.get(at + 1..).unwrap_or(b"");
            rest = &rest[memchr::memchr(b';', rest).unwrap_or(rest.len())..];
        } else {
            let end = memchr::memchr(b';', rest).unwrap_or(rest.len());
            text.extend_from_slice(rest[..end].trim_ascii());
            rest = &rest[end..];
        }
        if found {
            return Some(text);
        }
    }
    None
}

/// What comes out of a multipart body, in this order:
/// `(Part Data* PartEnd)* End`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A part begins.
    Part(PartHead),
    /// Some of the current part's bytes.
    Data(Bytes),
    /// The current part is whole.
    PartEnd,
    /// The body is whole.
    End,
}

/// Reads one multipart body, fed in pieces of any size.
///
/// ```
/// use samsung_sns::wire::multipart::{Boundary, Event, Reader};
///
/// let mut reader = Reader::new(&Boundary::new(b"B").unwrap());
/// reader.feed(b"--B\r\ncontent-disposition: form-data; name=\"binary\"\r\n\r\nphoto\r\n--B");
/// reader.finish(); // Content-Length bytes have arrived
/// let mut photo = Vec::new();
/// while let Some(event) = reader.next_event().unwrap() {
///     if let Event::Data(bytes) = event {
///         photo.extend_from_slice(&bytes);
///     }
/// }
/// assert_eq!(photo, b"photo");
/// assert!(reader.has_ended());
/// ```
#[derive(Debug)]
pub struct Reader {
    /// `CRLF--boundary`, or `LF--boundary` once the first line turned out to end so.
    delimiter: Vec<u8>,
    state: State,
    buffer: BytesMut,
    complete: bool,
    parts: usize,
    quirks: Quirks,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Preamble,
    Head,
    Data,
    PartEnd(After),
    /// The end is found and not told yet.
    End,
    Ended,
}

/// What a delimiter leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    /// The next part; this many bytes after the boundary string.
    Part(usize),
    End(Option<Quirk>),
}

enum Verdict {
    Delimiter(After),
    Data,
    NeedsMore,
}

impl Reader {
    /// A reader for a body with this boundary.
    pub fn new(boundary: &Boundary) -> Reader {
        Reader {
            delimiter: [b"\r\n--", boundary.as_bytes()].concat(),
            state: State::Preamble,
            buffer: BytesMut::new(),
            complete: false,
            parts: 0,
            quirks: Quirks::default(),
        }
    }

    /// Takes the next bytes of the body. Call [`next_event`](Reader::next_event) until it gives
    /// `None` before feeding more, and memory stays within one piece and a few kilobytes.
    pub fn feed(&mut self, bytes: &[u8]) {
        debug_assert!(!self.complete, "fed after finish()");
        if !matches!(self.state, State::End | State::Ended) {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// Says that the body's declared length has arrived: there is no more.
    pub fn finish(&mut self) {
        self.complete = true;
    }

    /// The next event; `None` if it needs more bytes, or after [`Event::End`].
    ///
    /// # Errors
    /// [`MultipartError`] where this is no multipart body of this boundary.
    pub fn next_event(&mut self) -> Result<Option<Event>, MultipartError> {
        match self.state {
            State::Preamble => self.preamble(),
            State::Head => self.part_head(),
            State::Data => Ok(self.data()),
            State::PartEnd(after) => {
                self.enter(after);
                Ok(Some(Event::PartEnd))
            }
            State::End => {
                self.state = State::Ended;
                Ok(Some(Event::End))
            }
            State::Ended => Ok(None),
        }
    }

    /// How many of the bytes that it was fed stand behind the last event.
    pub fn waiting(&self) -> usize {
        self.buffer.len()
    }

    /// Whether the end was reached.
    pub fn has_ended(&self) -> bool {
        self.state == State::Ended
    }

    /// What was odd so far.
    pub fn quirks(&self) -> &Quirks {
        &self.quirks
    }

    /// Goes on behind a delimiter whose boundary string ends at the start of the buffer.
    fn enter(&mut self, after: After) {
        match after {
            After::Part(skip) => {
                let _ = self.buffer.split_to(skip);
                self.parts += 1;
                self.state = State::Head;
            }
            After::End(quirk) => {
                if let Some(quirk) = quirk {
                    self.quirks.note(quirk);
                }
                // Whatever stands after the last boundary means nothing.
                self.buffer.clear();
                self.state = State::End;
            }
        }
    }

    fn preamble(&mut self) -> Result<Option<Event>, MultipartError> {
        let boundary = self.delimiter[2..].to_vec(); // with its two dashes, without CRLF
        for at in memchr::memmem::find_iter(&self.buffer, &boundary) {
            if at > 0 && self.buffer[at - 1] != b'\n' {
                continue;
            }
            let rest = &self.buffer[at + boundary.len()..];
            match self.verdict(rest) {
                Verdict::Delimiter(after) => {
                    let line = &rest[..memchr::memchr(b'\n', rest).unwrap_or(0)];
                    if matches!(after, After::Part(_)) && !line.ends_with(b"\r") {
                        self.quirks.note(Quirk::MultipartLineFeeds);
                        self.delimiter.remove(0);
                    }
                    let _ = self.buffer.split_to(at + boundary.len());
                    self.enter(after);
                    return self.next_event();
                }
                Verdict::Data => {}
                Verdict::NeedsMore => return Ok(None),
            }
        }
        if self.complete || self.buffer.len() > MAX_PREAMBLE + boundary.len() {
            return Err(MultipartError::BoundaryNotFound);
        }
        Ok(None)
    }

    fn part_head(&mut self) -> Result<Option<Event>, MultipartError> {
        let part = self.parts;
        let window = &self.buffer[..self.buffer.len().min(MAX_PART_HEAD)];
        let Some(length) = super::request::head_length(window, 0) else {
            if window.len() == MAX_PART_HEAD {
                return Err(MultipartError::PartHeadTooLong { part });
            }
            return if self.complete {
                Err(MultipartError::PartHeadCut { part })
            } else {
                Ok(None)
            };
        };
        let head = self.buffer.split_to(length);
        let headers = self.part_headers(&head);
        self.state = State::Data;
        Ok(Some(Event::Part(PartHead { headers })))
    }

    fn part_headers(&mut self, head: &[u8]) -> Vec<Header<'static>> {
        let mut headers: Vec<Header<'static>> = Vec::new();
        for line in head.split(|&b| b == b'\n').map(|line| line.trim_ascii_end()) {
            if line.is_empty() {
                continue;
            }
            let colon = memchr::memchr(b':', line);
            match (line[0], headers.last_mut(), colon) {
                (b' ' | b'\t', Some(folded), _) => {
                    let value = folded.value.to_mut();
                    value.push(b' ');
                    value.extend_from_slice(line.trim_ascii());
                }
                (_, _, Some(colon)) => {
                    let name = line[..colon].trim_ascii().to_vec();
                    let value = line[colon + 1..].trim_ascii().to_vec();
                    // Quirk(NX300): `content-disposition: …; fileName="…"`.
                    if name.first().is_some_and(u8::is_ascii_lowercase) {
                        self.quirks.note(Quirk::PartHeaderCase);
                    }
                    headers.push(Header { name: name.into(), value: value.into() });
                }
                _ => self.quirks.note(Quirk::BadPartHeader),
            }
        }
        headers
    }

    fn data(&mut self) -> Option<Event> {
        // `from` grows past look-alikes; all before it is data for certain.
        let mut from = 0;
        let certain = loop {
            let Some(found) = memchr::memmem::find(&self.buffer[from..], &self.delimiter) else {
                if self.complete {
                    break self.buffer.len();
                }
                break from.max((self.buffer.len() + 1).saturating_sub(self.delimiter.len()));
            };
            let at = from + found;
            let behind = at + self.delimiter.len();
            match self.verdict(&self.buffer[behind..]) {
                Verdict::Data => from = behind,
                Verdict::NeedsMore => break at,
                Verdict::Delimiter(_) if at > 0 => break at,
                Verdict::Delimiter(after) => {
                    let _ = self.buffer.split_to(behind);
                    self.state = State::PartEnd(after);
                    return self.next_event().ok().flatten();
                }
            }
        };
        if certain > 0 {
            return Some(Event::Data(self.buffer.split_to(certain).freeze()));
        }
        if self.complete && self.buffer.is_empty() {
            self.state = State::PartEnd(After::End(Some(Quirk::NoLastBoundary)));
            return self.next_event().ok().flatten();
        }
        None
    }

    /// Whether what follows a boundary string makes it a delimiter: the table at the top.
    fn verdict(&self, rest: &[u8]) -> Verdict {
        let end_or_more = |quirk| {
            if self.complete { Verdict::Delimiter(After::End(quirk)) } else { Verdict::NeedsMore }
        };
        let skip = |from: usize, set: &[u8]| {
            from + rest[from..].iter().take_while(|b| set.contains(b)).count()
        };
        if rest.starts_with(b"--") {
            let padded = skip(2, b" \t");
            return match &rest[padded..] {
                [b'\n', ..] | [b'\r', b'\n', ..] => Verdict::Delimiter(After::End(None)),
                [] | [b'\r'] if padded <= MAX_LOOKAHEAD => end_or_more(None),
                _ => Verdict::Data,
            };
        }
        if rest.starts_with(b"-") {
            return match skip(1, b"\r\n") {
                end if end == rest.len() && end <= MAX_LOOKAHEAD => {
                    end_or_more(Some(Quirk::HalfClosedMultipart))
                }
                _ => Verdict::Data,
            };
        }
        let padded = skip(0, b" \t");
        let lines = skip(padded, b"\r\n");
        if lines == rest.len() && lines <= MAX_LOOKAHEAD {
            // Quirk(NX300): the last boundary is a plain one, with or without CRLF after it.
            return end_or_more(Some(Quirk::UnclosedMultipart));
        }
        let one_line = match &rest[padded..] {
            [b'\n', ..] => padded + 1,
            [b'\r', b'\n', ..] => padded + 2,
            _ => return Verdict::Data,
        };
        let name =
            rest[one_line..].iter().take(MAX_LOOKAHEAD).take_while(|&&b| is_token(b)).count();
        let colon = skip(one_line + name, b" \t");
        match rest.get(colon) {
            Some(b':') if name > 0 => Verdict::Delimiter(After::Part(one_line)),
            None if name > 0 && colon - one_line < MAX_LOOKAHEAD && !self.complete => {
                Verdict::NeedsMore
            }
            _ => Verdict::Data,
        }
    }
}
