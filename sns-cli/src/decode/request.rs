//! An HTTP request: its head, then whatever its endpoint says the body is.
//!
//! Law: of a head that cannot be read, all lines before the bad one are.

use super::body::{Fingerprint, Framing, Sink};
use super::chunks::Chunks;
use super::email::Email;
use super::message::Message;
use crate::redact;
use crate::report::{Fields, Node, Report};
use samsung_sns::endpoint::{Endpoint, HotspotCheck};
use samsung_sns::wire::header::Header;
use samsung_sns::wire::request::{HeadError, RequestHead};

/// Reads as much of a head as can be read: of a whole one, or one that was cut.
pub(super) fn read<'a>(
    bytes: &'a [u8],
    report: &mut Report,
) -> Option<(RequestHead<'a>, Endpoint)> {
    let (head, broken) = readable(bytes);
    if let Some((at, error)) = broken {
        report.broken(Some(at as u64), error.to_string());
    }
    let head = head?;
    let endpoint = Endpoint::of(&head.method, head.host().as_deref(), &head.target);
    report.kind = kind(&endpoint);
    report.quirks.extend(&head.quirks);
    path_fields(&endpoint, &mut report.fields);
    Some((head, endpoint))
}

/// Adds what the head says.
pub(super) fn show_head(head: &RequestHead<'_>, report: &mut Report) {
    let mut http = Fields::default();
    http.text("method", redact::method(&head.method));
    http.text("target", redact::target(&head.target));
    http.text("version", redact::version(&head.version));
    if let Some(host) = head.host() {
        http.text("host", redact::host(&host));
    }
    if let Some(length) = head.content_length {
        http.number("content_length", length);
    }
    http.add("headers", headers(&head.headers));
    report.fields.add("http", Node::Map(http));
}

/// As much of a head as can be read: the whole lines before the first that nothing can be made of,
/// where that line begins, and what is wrong with it.
fn readable(bytes: &[u8]) -> (Option<RequestHead<'_>>, Option<(usize, HeadError)>) {
    let whole = memchr::memrchr(b'\n', bytes).map_or(bytes.len(), |at| at + 1);
    let error = match RequestHead::read(&bytes[..whole]) {
        Ok(head) => return (Some(head), None),
        Err(error) => error,
    };
    let ends: Vec<usize> = memchr::memchr_iter(b'\n', bytes).map(|at| at + 1).collect();
    // A head that cannot be read does not become readable by more lines.
    let good = ends.partition_point(|&end| RequestHead::read(&bytes[..end]).is_ok());
    let end = good.checked_sub(1).map_or(0, |last| ends[last]);
    (RequestHead::read(&bytes[..end]).ok(), Some((end, error)))
}

/// Header lines.
pub(super) fn headers(headers: &[Header<'_>]) -> Node {
    let pairs = headers.iter().map(|header| redact::header(&header.name(), &header.text()));
    Node::Pairs("name", pairs.collect())
}

/// What a request is for, as `--json` calls it.
fn kind(endpoint: &Endpoint) -> &'static str {
    match endpoint {
        Endpoint::Hotspot(_) => "hotspot",
        Endpoint::Home => "page",
        Endpoint::Auth(_) => "auth",
        Endpoint::Photo(_) => "photo",
        Endpoint::Video(_) => "video",
        Endpoint::Upload { .. } => "upload",
        Endpoint::Email { .. } => "email",
        Endpoint::EmailPage => "email_page",
        Endpoint::Time => "time",
        Endpoint::ServiceProviders => "service_providers",
        Endpoint::AllShare => "allshare_login",
        _ => "unknown",
    }
}

/// What a request is for whose first line is cut, if that much of its target is there.
pub(super) fn kind_of_cut_line(line: &[u8]) -> Option<&'static str> {
    let line = line.trim_ascii_start();
    if line.contains(&b'\n') {
        return None;
    }
    // It may be cut inside the session, so that the name is missing.
    [&b""[..], b"/_"].iter().find_map(|name| {
        let whole = [line, name, b" HTTP/1.1\r\n\r\n"].concat();
        let head = RequestHead::read(&whole).ok()?;
        match Endpoint::of(&head.method, None, &head.target) {
            endpoint @ (Endpoint::Upload { .. } | Endpoint::Email { .. }) => Some(kind(&endpoint)),
            _ => None,
        }
    })
}

/// The name of a check.
pub(super) fn check_name(check: HotspotCheck) -> &'static str {
    match check {
        HotspotCheck::Gld => "gld",
        HotspotCheck::Yahoo => "yahoo",
        HotspotCheck::Msn => "msn",
    }
}

/// What the path alone says.
fn path_fields(endpoint: &Endpoint, fields: &mut Fields) {
    if let Some(site) = endpoint.site() {
        fields.text("site", redact::site(site));
    }
    match endpoint {
        Endpoint::Hotspot(check) => fields.public("check", check_name(*check)),
        Endpoint::Upload { session, file_name } => {
            fields.secret("session_key", session.as_str());
            let name = String::from_utf8_lossy(file_name);
            fields.text("file_name", redact::file_name(&name));
        }
        Endpoint::Email { duid } => fields.secret_if("duid", duid.as_deref()),
        _ => {}
    }
}

/// Where the body of a request ends, and what becomes of it. `is_alone` if nothing follows it;
/// `has_checksums` if its files are to have them.
pub(super) fn body(
    head: &RequestHead<'_>,
    endpoint: &Endpoint,
    start: usize,
    is_alone: bool,
    has_checksums: bool,
    report: &mut Report,
) -> (Framing, Sink) {
    let sink = match endpoint {
        Endpoint::Auth(_) => Sink::Message(Message::Auth, Vec::new()),
        Endpoint::Photo(_) => Sink::Message(Message::Photo, Vec::new()),
        Endpoint::Video(_) => Sink::Message(Message::Video, Vec::new()),
        Endpoint::AllShare => Sink::Message(Message::AllShare, Vec::new()),
        Endpoint::Upload { .. } => {
            let media_type = head.header("Content-Type").unwrap_or_default();
            let media_type = samsung_sns::message::media::normalised_type(&media_type);
            report.fields.text("media_type", redact::media_type(&media_type));
            Sink::File(Fingerprint::new(has_checksums))
        }
        Endpoint::Email { .. } => {
            let content_type = head.header("Content-Type").unwrap_or_default();
            Sink::Email(Box::new(Email::new(&content_type, has_checksums)))
        }
        _ => Sink::Unknown(Vec::new()),
    };
    let framing = match head.content_length {
        _ if head.is_chunked() => Framing::Chunks(Chunks::default()),
        Some(length) => Framing::Length(length),
        // Without a length, a body has no end that could be told from its breaking off; the server
        // refuses it.
        None if !matches!(sink, Sink::Unknown(_)) => {
            let text = "no Content-Length says where the body ends; what follows the head was read";
            report.broken(Some(start as u64), text);
            Framing::Open
        }
        None if is_alone => Framing::Open,
        None => Framing::Length(0),
    };
    (framing, sink)
}
