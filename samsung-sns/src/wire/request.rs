//! The head of an HTTP request, as cameras write it.
//!
//! Law: whatever can be understood is, and is then written again as a plain HTTP/1.1 head
//! ([`RequestHead::to_http11`]), so that any HTTP library behind it sees nothing odd. What needs no
//! mending is not copied: it stays where it was read from.
//!
//! Facts: the captured NX300 e-mail head has two spaces before `HTTP/1.0`, no space after two of
//! its colons and two `User-Agent` lines; the login comes with an absolute target; HTTP/1.0
//! without `Host` happens.

use super::header::{Header, Lines, headers, letters_digits_and};
use super::text;
use crate::quirk::{Quirk, Quirks};
use std::borrow::Cow;

/// More headers than this are refused. The longest captured head has eleven.
pub const MAX_HEADERS: usize = 100;

/// A longer target is refused. An upload's has about 60 bytes.
pub const MAX_TARGET: usize = 8 * 1024;

/// Why a request head cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeadError {
    /// The first line is not `METHOD target HTTP/x`.
    #[error("the first line is no HTTP request line")] // not shown: it may name a session
    RequestLine {
        /// The line, cut after 80 characters.
        line: String,
    },
    /// A TLS handshake on the plain port.
    #[error("this is a TLS handshake, but the port speaks plain HTTP")]
    Tls,
    /// An SSLv2 hello on the plain port (HMX-QF20).
    #[error("this is an SSLv2 handshake, but the port speaks plain HTTP")]
    Ssl2,
    /// `Content-Length` is no number, or there are two that differ.
    #[error("Content-Length is no number, or there are two that differ")]
    ContentLength {
        /// What the headers said.
        value: String,
    },
    /// The target has more than [`MAX_TARGET`] bytes, once it is percent-encoded.
    #[error("the request target is longer than {MAX_TARGET} bytes")]
    TargetTooLong,
    /// More than [`MAX_HEADERS`] headers.
    #[error("more than {MAX_HEADERS} header lines")]
    TooManyHeaders,
}

/// The head of a request, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestHead<'a> {
    /// The method in upper case.
    pub method: Cow<'a, str>,
    /// Host and port from an absolute target, as spelt.
    pub authority: Option<Cow<'a, str>>,
    /// Path and query, always with a leading slash, bytes that a URI cannot carry percent-encoded.
    pub target: Cow<'a, str>,
    /// The version as it was spelt, such as `HTTP/1.0`.
    pub version: Cow<'a, str>,
    /// All headers in order.
    pub headers: Vec<Header<'a>>,
    /// The declared length of the body in bytes.
    pub content_length: Option<u64>,
    /// What was odd.
    pub quirks: Quirks,
}

/// The length of the head at the start of `bytes`, its empty line included; `None` if it is not
/// whole yet. `searched` bytes are known to hold no end (0 if nothing is known).
pub fn head_length(bytes: &[u8], searched: usize) -> Option<usize> {
    // Empty lines before the request line belong to the head: RFC 9112 section 2.2.
    let first = bytes.iter().position(|byte| !matches!(byte, b'\r' | b'\n'))?;
    // The end may begin up to three bytes before what is new.
    let start = searched.saturating_sub(3).max(first);
    memchr::memchr_iter(b'\n', &bytes[start..]).find_map(|at| {
        let after = start + at + 1;
        match &bytes[after..] {
            [b'\n', ..] => Some(after + 1),
            [b'\r', b'\n', ..] => Some(after + 2),
            _ => None,
        }
    })
}

impl<'a> RequestHead<'a> {
    /// Reads a whole head, as [`head_length`] delimits it. Bytes after the empty line are ignored;
    /// a missing empty line is not missed.
    ///
    /// # Errors
    /// [`HeadError`], for what cannot be read as a request at all.
    pub fn read(bytes: &'a [u8]) -> Result<RequestHead<'a>, HeadError> {
        match bytes {
            [0x16, 0x03, ..] => return Err(HeadError::Tls),
            [0x80, _, 0x01, ..] => return Err(HeadError::Ssl2),
            _ => {}
        }
        let mut quirks = Quirks::default();
        let mut lines = Lines::new(bytes);
        let RequestLine { method, target, version } = request_line(lines.first(), &mut quirks)?;
        let headers = headers(&mut lines, &mut quirks)?;
        if lines.bare {
            let others = std::mem::take(&mut quirks);
            quirks.note(Quirk::BareLineFeed);
            quirks.extend(&others);
        }
        let content_length = content_length(&headers, &mut quirks)?;
        let (authority, target) = split_target(target, &mut quirks);
        if target.len() > MAX_TARGET {
            return Err(HeadError::TargetTooLong);
        }
        let head =
            RequestHead { method, authority, target, version, headers, content_length, quirks };
        Ok(head.with_doubts_noted())
    }

    /// The same head, which no longer needs the bytes that it was read from.
    pub fn into_owned(self) -> RequestHead<'static> {
        let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        RequestHead {
            method: own(self.method),
            authority: self.authority.map(own),
            target: own(self.target),
            version: own(self.version),
            headers: self.headers.into_iter().map(Header::into_owned).collect(),
            content_length: self.content_length,
            quirks: self.quirks,
        }
    }

    fn with_doubts_noted(mut self) -> Self {
        if self.host().is_none() {
            self.quirks.note(Quirk::NoHost);
        }
        // One bit for each length and initial met: mostly, names differ in these already.
        let mut met = 0_u64;
        let repeated = self.headers.iter().enumerate().any(|(at, header)| {
            let initial = header.name[0].to_ascii_lowercase();
            let bit = 1 << ((header.name.len() ^ usize::from(initial)) % 64);
            let perhaps = met & bit != 0;
            met |= bit;
            let same = |other: &Header<'_>| other.name.eq_ignore_ascii_case(&header.name);
            perhaps && self.headers[..at].iter().any(same)
        });
        if repeated {
            self.quirks.note(Quirk::RepeatedHeader);
        }
        self
    }

    /// The first header of this name, in any case.
    pub fn header(&self, name: &str) -> Option<Cow<'_, str>> {
        self.headers.iter().find(|header| header.is(name)).map(Header::text)
    }

    /// The host the request is for, with its port if one was given: from the absolute target, else
    /// from `Host`.
    pub fn host(&self) -> Option<Cow<'_, str>> {
        match &self.authority {
            Some(authority) => Some(Cow::Borrowed(authority)),
            None => self.header("Host").filter(|host| !host.is_empty()),
        }
    }

    /// Whether the body comes in chunks instead of with a declared length.
    pub fn is_chunked(&self) -> bool {
        self.header("Transfer-Encoding")
            .is_some_and(|coding| coding.trim().to_ascii_lowercase().ends_with("chunked"))
    }

    /// The same request as a plain HTTP/1.1 head that any library reads: one space between the
    /// parts, origin-form target, every header on one line, one clean `Content-Length`, nothing
    /// about keeping the connection.
    pub fn to_http11(&self) -> Vec<u8> {
        let mut out = format!("{} {} HTTP/1.1\r\n", self.method, self.target).into_bytes();
        let mut line = |name: &[u8], value: &[u8]| {
            out.extend_from_slice(name);
            out.extend_from_slice(b": ");
            out.extend_from_slice(value);
            out.extend_from_slice(b"\r\n");
        };
        if let Some(host) = self.host() {
            line(b"Host", host.as_bytes());
        }
        let chunked = self.is_chunked();
        match self.content_length {
            _ if chunked => line(b"Transfer-Encoding", b"chunked"),
            Some(length) => line(b"Content-Length", length.to_string().as_bytes()),
            None => {}
        }
        const WRITTEN_ABOVE_OR_PER_HOP: [&str; 8] = [
            "host",
            "content-length",
            "transfer-encoding",
            "connection",
            "keep-alive",
            "proxy-connection",
            "upgrade",
            "te",
        ];
        for header in &self.headers {
            if !WRITTEN_ABOVE_OR_PER_HOP.iter().any(|name| header.is(name)) {
                line(&header.name, &header.value);
            }
        }
        out.extend_from_slice(b"\r\n");
        out
    }
}

struct RequestLine<'a> {
    method: Cow<'a, str>,
    target: &'a [u8],
    version: Cow<'a, str>,
}

fn request_line<'a>(line: &'a [u8], quirks: &mut Quirks) -> Result<RequestLine<'a>, HeadError> {
    let refuse = || HeadError::RequestLine {
        line: String::from_utf8_lossy(line).chars().take(80).collect(),
    };
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t');
    let trimmed = line.trim_ascii();
    let method_end = trimmed.iter().position(is_space).ok_or_else(refuse)?;
    let version_start = trimmed.iter().rposition(is_space).ok_or_else(refuse)? + 1;
    let (method, version) = (&trimmed[..method_end], &trimmed[version_start..]);
    let between = trimmed.get(method_end..version_start).ok_or_else(refuse)?;
    let target = between.trim_ascii();
    // Quirk(NX300): two spaces before `HTTP/1.0`; two of three copies of the captured e-mail.
    if between.len() != target.len() + 2 || between.contains(&b'\t') {
        quirks.note(Quirk::SpacesInRequestLine);
    }
    let is_version = version.len() > 5 && version[..5].eq_ignore_ascii_case(b"HTTP/");
    let is_method = !method.is_empty() && method.iter().all(|b| b.is_ascii_alphabetic());
    if target.is_empty() || !is_version || !is_method {
        return Err(refuse());
    }
    let mut method = text(method);
    if method.bytes().any(|byte| byte.is_ascii_lowercase()) {
        quirks.note(Quirk::MethodCase);
        method.to_mut().make_ascii_uppercase();
    }
    if !matches!(version, b"HTTP/1.0" | b"HTTP/1.1") {
        quirks.note(Quirk::OddVersion);
    }
    Ok(RequestLine { method, target, version: text(version) })
}

/// Whether a byte may stand in a target. `#` never travels in a request: a camera that sends one
/// means a file name.
fn in_target(byte: u8) -> bool {
    const IN_TARGET: [bool; 256] = letters_digits_and(b"!$%&'()*+,-./:;=?@[]_~");
    IN_TARGET[usize::from(byte)]
}

fn content_length(headers: &[Header<'_>], quirks: &mut Quirks) -> Result<Option<u64>, HeadError> {
    let mut length = None;
    for header in headers.iter().filter(|h| h.is("Content-Length")) {
        for item in header.value.split(|&b| b == b',') {
            let refuse =
                || HeadError::ContentLength { value: header.text().chars().take(40).collect() };
            let item = item.trim_ascii();
            let digits = item.strip_prefix(b"+").unwrap_or(item);
            let digits = digits.strip_suffix(b";").unwrap_or(digits).trim_ascii_end();
            if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
                return Err(refuse());
            }
            let text = std::str::from_utf8(digits).map_err(|_| refuse())?;
            // No disk holds more than i64::MAX bytes, and no HTTP library counts further.
            let value = text.parse::<i64>().map_err(|_| refuse())?.unsigned_abs();
            if digits.len() != header.value.len() {
                quirks.note(Quirk::OddContentLength);
            }
            if length.is_some_and(|known| known != value) {
                return Err(refuse());
            }
            length = Some(value);
        }
    }
    Ok(length)
}

fn split_target<'a>(target: &'a [u8], quirks: &mut Quirks) -> (Option<Cow<'a, str>>, Cow<'a, str>) {
    let scheme = [b"http://".as_slice(), b"https://"]
        .into_iter()
        .find(|s| target.len() >= s.len() && target[..s.len()].eq_ignore_ascii_case(s));
    let (authority, path) = match scheme {
        Some(scheme) => {
            quirks.note(Quirk::AbsoluteTarget);
            let rest = &target[scheme.len()..];
            let end = rest.iter().position(|b| matches!(b, b'/' | b'?')).unwrap_or(rest.len());
            (Some(authority(&rest[..end])), &rest[end..])
        }
        None => (None, target),
    };
    let authority = authority.filter(|authority| !authority.is_empty());
    if path.first() == Some(&b'/') && path.iter().all(|&byte| in_target(byte)) {
        return (authority, text(path));
    }
    let mut out = String::with_capacity(path.len() + 1);
    if path.first() != Some(&b'/') {
        out.push('/');
        if scheme.is_none() {
            quirks.note(Quirk::BadTarget);
        }
    }
    for &byte in path {
        if in_target(byte) {
            out.push(byte as char);
        } else {
            quirks.note(Quirk::BadTarget);
            out.push_str(percent_encoding::percent_encode_byte(byte));
        }
    }
    (authority, Cow::Owned(out))
}

fn authority(bytes: &[u8]) -> Cow<'_, str> {
    if bytes.iter().all(u8::is_ascii_graphic) {
        return text(bytes);
    }
    let mended = bytes.iter().map(|&b| if b.is_ascii_graphic() { char::from(b) } else { '_' });
    Cow::Owned(mended.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(head: &str) -> RequestHead<'_> {
        RequestHead::read(head.as_bytes()).unwrap()
    }

    #[test]
    fn the_end_is_found_whatever_the_line_ends_and_however_the_bytes_arrive() {
        for head in [
            "GET / HTTP/1.0\r\n\r\n",
            "GET / HTTP/1.0\nA: b\n\n",
            "GET / HTTP/1.0\r\nA: b\n\r\n",
            "\r\n\r\nGET / HTTP/1.0\n\r\n",
        ] {
            let bytes = [head.as_bytes(), b"body\n\n"].concat();
            assert_eq!(head_length(&bytes, 0), Some(head.len()), "{head:?}");
            for cut in 0..head.len() {
                assert_eq!(head_length(&bytes[..cut], 0), None, "{head:?} cut at {cut}");
                assert_eq!(head_length(&bytes, cut), Some(head.len()), "{head:?} from {cut}");
            }
        }
    }

    #[test]
    fn an_absolute_target_names_the_host_and_overrides_the_header() {
        let head =
            read("POST http://snsgw.samsungmobile.com:80/facebook/auth HTTP/1.1\nHost: x\n\n");
        assert_eq!(head.host().unwrap(), "snsgw.samsungmobile.com:80");
        assert_eq!(head.target, "/facebook/auth");
        assert!(head.quirks.contains(Quirk::AbsoluteTarget));
        assert_eq!(read("GET HTTP://a?b=c HTTP/1.1\n\n").target, "/?b=c");
    }

    #[test]
    fn a_target_that_is_no_uri_is_made_one() {
        for (sent, meant) in [
            ("/upload/1/a b.jpg", "/upload/1/a%20b.jpg"),
            ("/a\"<>{}|\\^`#b", "/a%22%3C%3E%7B%7D%7C%5C%5E%60%23b"),
            ("/%zz%41", "/%zz%41"),
            ("facebook/auth", "/facebook/auth"),
        ] {
            let head = format!("PUT {sent} HTTP/1.1\r\n\r\n");
            assert_eq!(read(&head).target, meant);
        }
        let head = RequestHead::read(b"PUT /\xb0\xa1.jpg HTTP/1.1\r\n\r\n").unwrap();
        assert_eq!(head.target, "/%B0%A1.jpg");
    }

    #[test]
    fn folded_and_odd_header_lines_lose_nothing_around_them() {
        let head = read("get /x HTTP/1.9 \nA:one\n  two\nno colon\nB b: c\nD : e\nF:\n\n");
        let seen: Vec<_> = head.headers.iter().map(|h| (h.name(), h.text())).collect();
        assert_eq!(
            seen,
            [("A", "one two"), ("D", "e"), ("F", "")].map(|(n, t)| (n.into(), t.into()))
        );
        for quirk in [
            Quirk::MethodCase,
            Quirk::OddVersion,
            Quirk::BareLineFeed,
            Quirk::FoldedHeader,
            Quirk::BadHeaderLine,
            Quirk::NoSpaceAfterColon,
            Quirk::NoHost,
        ] {
            assert!(head.quirks.contains(quirk), "{quirk:?} in {:?}", head.quirks);
        }
        assert_eq!(
            String::from_utf8(head.to_http11()).unwrap(),
            "GET /x HTTP/1.1\r\nA: one two\r\nD: e\r\nF: \r\n\r\n"
        );
    }

    #[test]
    fn content_length_is_cleaned_where_it_is_clear_and_refused_where_it_is_not() {
        for value in ["5", " 5 ", "+5", "5;", "5, 5"] {
            let head = format!("PUT / HTTP/1.1\r\nContent-Length: {value}\r\n\r\n");
            assert_eq!(read(&head).content_length, Some(5), "{value:?}");
        }
        for value in ["", "x", "-1", "5, 6", "0x10", "99999999999999999999", "18446744073709551615"]
        {
            let head = format!("PUT / HTTP/1.1\r\ncontent-length: {value}\r\n\r\n");
            assert!(
                matches!(RequestHead::read(head.as_bytes()), Err(HeadError::ContentLength { .. })),
                "{value:?}"
            );
        }
    }

    #[test]
    fn what_is_no_request_is_named() {
        for line in ["", "GET", "GET /", "GE@T / HTTP/1.1", "a b c", "HTTP/1.1 200 OK"] {
            let head = format!("{line}\r\n\r\n");
            assert!(
                matches!(RequestHead::read(head.as_bytes()), Err(HeadError::RequestLine { .. })),
                "{line:?}"
            );
        }
        assert_eq!(RequestHead::read(b"\x16\x03\x01\x02\x00"), Err(HeadError::Tls));
        assert_eq!(RequestHead::read(b"\x80\x2e\x01\x00\x02"), Err(HeadError::Ssl2));
        let long = format!("GET /{} HTTP/1.1\n\n", "x".repeat(MAX_TARGET));
        assert_eq!(RequestHead::read(long.as_bytes()), Err(HeadError::TargetTooLong));
        let many = format!("GET / HTTP/1.1\n{}\n", "A: b\n".repeat(101));
        assert_eq!(RequestHead::read(many.as_bytes()), Err(HeadError::TooManyHeaders));
    }
}
