//! The head of an HTTP response, for those who sit at the camera's end of the wire.
//!
//! Law: like the firmware, this asks for a status and the end of the head; the rest is kept as it
//! came.

use super::header::Header;
use super::request::head_length;

/// The head of a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponseHead {
    /// The version as it was spelt.
    pub version: String,
    /// The status code.
    pub status: u16,
    /// The words after the status code.
    pub reason: String,
    /// All headers in order.
    pub headers: Vec<Header<'static>>,
}

impl ResponseHead {
    /// Reads a response head; gives it and its length in bytes with the empty line. `None` if this
    /// is no response or its head is not whole.
    pub fn read(bytes: &[u8]) -> Option<(ResponseHead, usize)> {
        let length = head_length(bytes, 0)?;
        let head = String::from_utf8_lossy(&bytes[..length]);
        let mut lines = head.lines().skip_while(|line| line.is_empty());
        let mut first = lines.next()?.splitn(3, ' ');
        let version = first.next().filter(|v| v.to_ascii_uppercase().starts_with("HTTP/"))?;
        let status = first.next()?.parse().ok()?;
        let headers = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| Header {
                name: name.trim().as_bytes().to_vec().into(),
                value: value.trim().as_bytes().to_vec().into(),
            })
            .collect();
        let reason = first.next().unwrap_or("").to_owned();
        Some((ResponseHead { version: version.to_owned(), status, reason, headers }, length))
    }

    /// The first header of this name, in any case.
    pub fn header(&self, name: &str) -> Option<String> {
        let found = self.headers.iter().find(|header| header.is(name));
        found.map(|header| header.text().into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_gives_status_headers_and_where_the_body_begins() {
        let bytes = b"HTTP/1.1 401 UNAUTHORIZED\r\nServer: a: b\r\n\r\n<Response/>";
        let (head, length) = ResponseHead::read(bytes).unwrap();
        assert_eq!((head.status, head.reason.as_str()), (401, "UNAUTHORIZED"));
        assert_eq!(head.header("server").unwrap(), "a: b");
        assert_eq!(&bytes[length..], b"<Response/>");
        assert_eq!(ResponseHead::read(&bytes[..40]), None);
        assert_eq!(ResponseHead::read(b"POST / HTTP/1.1\r\n\r\n"), None);
    }
}
