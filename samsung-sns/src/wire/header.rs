//! Header lines, of heads and of multipart parts.
//!
//! Law: a value is cleaned where it has to be and copied only then; a line that is no header is
//! passed over and noted.

use super::request::{HeadError, MAX_HEADERS};
use super::text;
use crate::quirk::{Quirk, Quirks};
use std::borrow::Cow;

/// One header line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header<'a> {
    pub(super) name: Cow<'a, [u8]>,
    /// The value without surrounding white space; folded lines joined by one space. Bytes, because
    /// nothing promises that it is text.
    pub value: Cow<'a, [u8]>,
}

impl Header<'_> {
    /// The name as it was spelt.
    pub fn name(&self) -> Cow<'_, str> {
        text(&self.name)
    }

    /// The value as text, with replacement characters where it is not UTF-8.
    pub fn text(&self) -> Cow<'_, str> {
        text(&self.value)
    }

    /// The same header, which no longer needs the bytes that it was read from.
    pub fn into_owned(self) -> Header<'static> {
        Header {
            name: Cow::Owned(self.name.into_owned()),
            value: Cow::Owned(self.value.into_owned()),
        }
    }

    /// Whether this is the header of that name, in any case.
    #[inline]
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }
}

/// The lines of a head, without their ends.
pub(super) struct Lines<'a> {
    rest: &'a [u8],
    /// Whether a line ended in a lone line feed; empty lines before the first do not count.
    pub(super) bare: bool,
    /// Whether a line may hold control characters. Known for all of the head at once, but for a
    /// lone CR, which each line finds by itself.
    controls: bool,
}

impl<'a> Lines<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Lines<'a> {
        let odd = |byte: u8| is_control(byte) && byte != b'\r' && byte != b'\n';
        // Without a way out half-way, so that a processor can do many at once.
        let controls = bytes.iter().fold(false, |any, &byte| any | odd(byte));
        Lines { rest: bytes, bare: false, controls }
    }

    /// The first line that is not empty.
    pub(super) fn first(&mut self) -> &'a [u8] {
        loop {
            self.bare = false;
            match self.cut() {
                Some([]) => {}
                Some(line) => return line,
                None => return b"",
            }
        }
    }

    /// The next line, up to the first empty one.
    fn next_line(&mut self) -> Option<&'a [u8]> {
        self.cut().filter(|line| !line.is_empty())
    }

    fn cut(&mut self) -> Option<&'a [u8]> {
        let bytes = self.rest;
        if bytes.is_empty() {
            return None;
        }
        let (line, end) =
            bytes.split_at(memchr::memchr2(b'\r', b'\n', bytes).unwrap_or(bytes.len()));
        let (line, rest) = match end {
            [b'\r', b'\n', rest @ ..] => (line, rest),
            [b'\n', rest @ ..] => {
                self.bare = true;
                (line, rest)
            }
            // A CR within the line, or neither: the last line.
            _ => {
                self.controls = true;
                let end = memchr::memchr(b'\n', bytes);
                let line = &bytes[..end.unwrap_or(bytes.len())];
                self.bare |= end.is_some() && !line.ends_with(b"\r");
                let rest = end.map_or(&b""[..], |end| &bytes[end + 1..]);
                (line.strip_suffix(b"\r").unwrap_or(line), rest)
            }
        };
        self.rest = rest;
        Some(line)
    }
}

/// The headers in the rest of a head's lines.
pub(super) fn headers<'a>(
    lines: &mut Lines<'a>,
    quirks: &mut Quirks,
) -> Result<Vec<Header<'a>>, HeadError> {
    let mut headers: Vec<Header<'a>> = Vec::with_capacity(16);
    while let Some(line) = lines.next_line() {
        if matches!(line[0], b' ' | b'\t') {
            match headers.last_mut() {
                Some(header) => {
                    quirks.note(Quirk::FoldedHeader);
                    let more = header_value(line, lines.controls, quirks);
                    if !header.value.is_empty() && !more.is_empty() {
                        header.value.to_mut().push(b' ');
                    }
                    header.value.to_mut().extend_from_slice(&more);
                }
                None => quirks.note(Quirk::BadHeaderLine),
            }
            continue;
        }
        let end = line.iter().position(|&byte| !is_token(byte)).unwrap_or(line.len());
        let (name, behind) = line.split_at(end);
        let value = match behind.trim_ascii_start() {
            [b':', value @ ..] if !name.is_empty() => value,
            _ => {
                quirks.note(Quirk::BadHeaderLine);
                continue;
            }
        };
        if value.first().is_some_and(|&b| b != b' ' && b != b'\t') {
            quirks.note(Quirk::NoSpaceAfterColon);
        }
        if headers.len() == MAX_HEADERS {
            return Err(HeadError::TooManyHeaders);
        }
        let value = header_value(value, lines.controls, quirks);
        headers.push(Header { name: name.into(), value });
    }
    Ok(headers)
}

/// A value without surrounding white space; control characters, legal nowhere, are white space too.
/// `controls` is false if it holds none for certain.
fn header_value<'a>(bytes: &'a [u8], controls: bool, quirks: &mut Quirks) -> Cow<'a, [u8]> {
    if !controls || !bytes.iter().any(|&byte| is_control(byte)) {
        return Cow::Borrowed(bytes.trim_ascii());
    }
    quirks.note(Quirk::ControlCharacters);
    let plain: Vec<u8> =
        bytes.iter().map(|&byte| if is_control(byte) { b' ' } else { byte }).collect();
    Cow::Owned(plain.trim_ascii().to_vec())
}

fn is_control(byte: u8) -> bool {
    byte.is_ascii_control() && byte != b'\t'
}

/// Whether a byte may stand in a header name: RFC 9110 `tchar`.
#[inline]
pub(super) fn is_token(byte: u8) -> bool {
    const TOKEN: [bool; 256] = letters_digits_and(b"!#$%&'*+-.^_`|~");
    TOKEN[usize::from(byte)]
}

/// A table, because every byte of a head passes one.
pub(super) const fn letters_digits_and(others: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let mut at = 0;
    while at < others.len() {
        table[others[at] as usize] = true;
        at += 1;
    }
    table
}
