//! What some bytes look like, recognised by their content and never by a file's name.
//!
//! Law: recognising looks and does not judge. Whether a request is a good one is for others to find
//! out; here it only has to look like one.

/// What some bytes look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Nothing but white space.
    Empty,
    /// The head of an HTTP request, and what follows it.
    Request,
    /// The head of an HTTP response, and what follows it.
    Response,
    /// The body of either, or the message part of an e-mail.
    Xml,
    /// A handshake of TLS or SSLv2.
    Handshake,
    /// A packet capture: pcap or pcapng.
    Capture,
    /// Something else.
    Unknown,
}

impl Form {
    /// What the beginning of a file looks like.
    pub fn of(beginning: &[u8]) -> Form {
        if super::file::is_capture(beginning) {
            return Form::Capture;
        }
        let bytes = beginning.strip_prefix(b"\xef\xbb\xbf").unwrap_or(beginning);
        let bytes = bytes.trim_ascii_start();
        let line = bytes.split(|&byte| byte == b'\n').next().unwrap_or(b"").trim_ascii_end();
        match bytes {
            [] => Form::Empty,
            [0x16, 0x03, ..] | [0x80, _, 0x01, ..] => Form::Handshake,
            [b'<', ..] => Form::Xml,
            _ if starts_with(bytes, b"HTTP/") => Form::Response,
            _ if is_request_line(line) => Form::Request,
            _ => Form::Unknown,
        }
    }

    /// The name of the form in `--json`.
    pub fn name(self) -> &'static str {
        match self {
            Form::Request => "request",
            Form::Response => "response",
            Form::Xml => "xml",
            Form::Capture => "capture",
            Form::Empty | Form::Handshake | Form::Unknown => "unknown",
        }
    }
}

/// A known method begins it, even if the line is cut; or a version ends it.
fn is_request_line(line: &[u8]) -> bool {
    const METHODS: [&[u8]; 6] = [b"GET ", b"HEAD ", b"POST ", b"PUT ", b"OPTIONS ", b"CONNECT "];
    let spaced: Vec<u8> = line.iter().map(|&b| if b == b'\t' { b' ' } else { b }).collect();
    let version = spaced.rsplit(|&byte| byte == b' ').next().unwrap_or(b"");
    METHODS.iter().any(|method| starts_with(&spaced, method))
        || (starts_with(version, b"HTTP/") && version.len() < line.len())
}

fn starts_with(bytes: &[u8], prefix: &[u8]) -> bool {
    bytes.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_decides() {
        for (bytes, form) in [
            (b"".as_slice(), Form::Empty),
            (b"\r\n \n", Form::Empty),
            (b"\xef\xbb\xbf <Request", Form::Xml),
            (b"\r\nPOST /facebook/auth HTTP/1.1\r\n", Form::Request),
            (b"post\tfacebook/auth  HTTP/1.0\n", Form::Request),
            (b"POST /face", Form::Request),
            (b"BREW / HTTP/1.1\n", Form::Request),
            (b"http/1.1 200 OK", Form::Response),
            (b"\x16\x03\x01\x00", Form::Handshake),
            (b"\x80\x2e\x01\x00\x02", Form::Handshake),
            (b"\xd4\xc3\xb2\xa1\x02\x00", Form::Capture),
            (b"\xa1\xb2\x3c\x4d\x00\x02", Form::Capture),
            (b"\x0a\x0d\x0d\x0a\x1c\x00\x00\x00\x4d\x3c\x2b\x1a", Form::Capture),
            (b"\x0a\x0d\x0d\x0aPOST / HTTP/1.1", Form::Request),
            (b"hello <b>", Form::Unknown),
            (b"\x00\x01\x02 hello", Form::Unknown),
        ] {
            assert_eq!(Form::of(bytes), form, "{}", bytes.escape_ascii());
        }
    }
}
