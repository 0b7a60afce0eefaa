//! Where a message begins in bytes of which nothing is understood.
//!
//! Law: they may be a piece of a photo, and somebody may have put a request into a photo. At the
//! beginning of a segment the beginning of a first line is enough; inside of one it is a whole first
//! line, at a place where a body can end.

use super::incoming::Role;
use crate::capture::Form;
use memchr::memmem;
use samsung_sns::wire::request::RequestHead;
use samsung_sns::wire::response::ResponseHead;

/// A first line that is not recognised within so many bytes is none.
const ENOUGH: usize = 64;
/// So much white space before it is none either.
const MAX_SPACE: usize = 1024;
/// A first line is no longer than this.
const MAX_LINE: usize = 8 * 1024;
/// What may stand at the end of a body: of a line, of XML, of a JPEG, of a multipart body.
const ENDINGS: [&[u8]; 5] = [b"\n", b">", b"\xff\xd9", b"--", b"}"];
/// What requests begin with that are looked for inside of a segment.
const METHODS: [&[u8]; 5] = [b"GET ", b"PUT ", b"POST ", b"HEAD ", b"OPTIONS "];

/// Whether these bytes, which begin a segment, begin a message.
pub(super) fn begins(bytes: &[u8], role: Role) -> bool {
    let line = &bytes[..bytes.len().min(MAX_LINE)];
    let line = &line[..memchr::memchr(b'\n', line).unwrap_or(line.len())];
    if role == Role::Answer {
        return line.starts_with(b"HTTP/1.") || line.starts_with(b"HTTP/0.");
    }
    let method = line.iter().take(8).position(|&b| b == b' ').filter(|&at| at >= 3);
    let Some(method) = method else { return false };
    line[..method].iter().all(u8::is_ascii_uppercase)
        && (memmem::find(line, b" HTTP/").is_some()
            || matches!(line.get(method + 1..), Some([b'/' | b'h', ..])))
}

/// Whether so much of a head came that more of it does not change whether it may be one.
pub(super) fn is_decided(head: &[u8]) -> bool {
    let text = head.trim_ascii_start();
    head.len() >= MAX_SPACE || text.len() >= ENOUGH || text.contains(&b'\n')
}

/// Whether the beginning of a head may become one.
pub(super) fn may_begin(head: &[u8], role: Role) -> bool {
    let is_decided = is_decided(head);
    let head = head.trim_ascii_start();
    let form = Form::of(head);
    match role {
        _ if form == Form::Handshake => false,
        _ if !is_decided => head.iter().all(|b| b.is_ascii_graphic() || b" \t\r".contains(b)),
        Role::Request => form == Form::Request,
        Role::Answer => form == Form::Response,
    }
}

/// Where the first message begins in these bytes, if one does: nowhere where [`may_begin`] says no, for
/// whoever reads from there comes back.
pub(super) fn find(bytes: &[u8], role: Role) -> Option<usize> {
    let may_begin = |at: &usize| may_begin(&bytes[*at..], role);
    if begins(bytes, role) && may_begin(&0) {
        return Some(0);
    }
    match role {
        Role::Answer => memmem::find_iter(bytes, b"HTTP/1.")
            .find(|at| is_status_line(&bytes[*at..]) && may_begin(at)),
        Role::Request => {
            let mut behind = 0;
            memmem::find_iter(bytes, b" HTTP/1.").find_map(|version| {
                let end = version + b" HTTP/1.1".len();
                let is_line =
                    matches!(bytes.get(end - 1..), Some([b'0' | b'1', b'\r' | b'\n', ..]));
                let from = std::mem::replace(&mut behind, version);
                let line = if is_line { request_line(&bytes[..version], from) } else { None };
                line.filter(may_begin)
            })
        }
    }
}

/// Where behind the first line of what is no head a message begins that can be read.
pub(super) fn another(head: &[u8], role: Role) -> Option<usize> {
    let start = head.len() - head.trim_ascii_start().len();
    let line = start + memchr::memchr(b'\n', &head[start..])? + 1;
    let at = line + find(&head[line..], role)?;
    let is_readable = match role {
        Role::Request => {
            let end = memchr::memchr(b'\n', &head[at..]).map_or(head.len(), |end| at + end + 1);
            RequestHead::read(&head[at..end]).is_ok()
        }
        Role::Answer => ResponseHead::read(&head[at..]).is_some(),
    };
    is_readable.then_some(at)
}

/// How many bytes of line ends stand at the beginning.
pub(super) fn line_ends(bytes: &[u8]) -> usize {
    bytes.iter().position(|b| !matches!(b, b'\r' | b'\n')).unwrap_or(bytes.len())
}

fn is_status_line(bytes: &[u8]) -> bool {
    matches!(
        bytes.get(7..),
        Some([b'0' | b'1', b' ', b'1'..=b'5', b'0'..=b'9', b'0'..=b'9', b' ' | b'\r' | b'\n', ..])
    )
}

/// Where the request line begins whose method and target end here. No line stands before `from`.
fn request_line(bytes: &[u8], from: usize) -> Option<usize> {
    let from = from.max(bytes.len().saturating_sub(MAX_LINE));
    let plain = bytes[from..].iter().rposition(|b| !(0x20..0x7f).contains(b));
    let from = from + plain.map_or(0, |at| at + 1);
    let line = &bytes[from..];
    let method = METHODS.iter().filter_map(|method| {
        let starts =
            memmem::rfind_iter(line, method).map(|at| (from + at, from + at + method.len()));
        starts.into_iter().find(|&(at, target)| {
            let target = &bytes[target..];
            let is_target = target.starts_with(b"/") || target.starts_with(b"http://");
            is_target && !target.trim_ascii_end().contains(&b' ') && may_end(&bytes[..at])
        })
    });
    method.map(|(at, _)| at).max()
}

/// Whether a body may end with these bytes.
fn may_end(bytes: &[u8]) -> bool {
    bytes.is_empty() || ENDINGS.iter().any(|ending| bytes.ends_with(ending))
}

/// Where in these bytes, which hold no beginning, the beginning of a first line may stand that
/// their end cuts.
pub(super) fn tail(bytes: &[u8], role: Role) -> Option<usize> {
    let window = bytes.len().saturating_sub(MAX_LINE);
    let plain = bytes[window..].iter().rposition(|b| !(0x20..0x7f).contains(b));
    let from = window + plain.map_or(0, |at| at + 1);
    let starts: &[&[u8]] = match role {
        Role::Request => &METHODS,
        Role::Answer => &[b"HTTP/1."],
    };
    (from..bytes.len()).find(|&at| {
        let rest = &bytes[at..];
        may_end(&bytes[..at])
            && starts.iter().any(|start| {
                let common = rest.len().min(start.len());
                rest[..common] == start[..common]
                    && (role == Role::Answer
                        || matches!(rest.get(start.len()..), None | Some([] | [b'/' | b'h', ..])))
            })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_found_where_a_body_can_end() {
        for (bytes, at) in [
            (&b"PUT /upl"[..], Some(0)),
            (b"\x00\x01\xff\xd9PUT /a/b HTTP/1.1\r\nHost: a\r\n", Some(4)),
            (b"</Request>POST /facebook/photo HTTP/1.1\r\n", Some(10)),
            (b"garbage\r\n\r\nGET http://a/ HTTP/1.0\n", Some(11)),
            (b"no HTTP/1.1 here\nGET /a HTTP/1.1\r\n", Some(17)),
            (b"\x00\x01\x02PUT /a/b HTTP/1.1\r\nHost: a\r\n", None),
            (b"\xff\xd9PUT /a b HTTP/1.1\r\n", None),
            (b"\xff\xd9PUT a HTTP/1.1\r\n", None),
            (b"\xff\xd9PUT /a HTTP/1.1 and more", None),
            (b"\xff\xd9PUT /a HTTP/2.0\r\n", None),
            (b"\xff\xd9PUT /a HTTP/1.1\r\0", None),
            (b"PUT /a HTTP/1.1\r\xff", None),
        ] {
            assert_eq!(find(bytes, Role::Request), at, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn an_answer_is_found_by_a_strict_status_line() {
        assert_eq!(find(b"abcHTTP/1.1 200 OK\r\n", Role::Answer), Some(3));
        assert_eq!(find(b"abcHTTP/1.1 2000\r\n", Role::Answer), None);
        assert_eq!(find(b"abcHTTP/1.1 is a protocol", Role::Answer), None);
        assert_eq!(find(b"HTTP/1.1 200 OK\0", Role::Answer), None);
        assert_eq!(find(b"HTTP/1.1 200 OK\xff", Role::Answer), None);
    }

    #[test]
    fn a_line_that_is_cut_anywhere_is_waited_for() {
        let bytes = b"\x00photo\xff\xd9PUT /upload/k/SAM_0001.JPG HTTP/1.1\r\n";
        for cut in 9..bytes.len() - 2 {
            assert_eq!(find(&bytes[..cut], Role::Request), None, "{cut}");
            assert_eq!(tail(&bytes[..cut], Role::Request), Some(8), "{cut}");
        }
        assert_eq!(tail(b"\x00photo\xff\xd9PUN", Role::Request), None);
        let answer = b"<end>HTTP/1.1 200 OK\r\n";
        for cut in 6..17 {
            assert_eq!(find(&answer[..cut], Role::Answer), None, "{cut}");
            assert_eq!(tail(&answer[..cut], Role::Answer), Some(5), "{cut}");
        }
        assert_eq!(find(answer, Role::Answer), Some(5));
    }
}
