//! An HTTP request: its head, then whatever its endpoint says the body is.
//!
//! Law: of a head that cannot be read, all lines before the bad one are.

use super::body::{Body, Fingerprint};
use super::message::{self, Message};
use super::{MAX_HEAD, email};
use crate::redact;
use crate::report::{Fields, Node, Report};
use samsung_sns::endpoint::{Endpoint, HotspotCheck};
use samsung_sns::wire::header::Header;
use samsung_sns::wire::request::{HeadError, RequestHead, head_length};
use std::io::{self, Read};

/// Reads the request at the start of a file.
pub(super) fn read(beginning: &[u8], input: Box<dyn Read>, report: &mut Report) -> io::Result<()> {
    let length = head_length(beginning, 0);
    let (head, broken) = readable(&beginning[..length.unwrap_or(beginning.len())]);
    if let Some((at, error)) = broken {
        report.broken(Some(at as u64), error.to_string());
    }
    let Some(head) = head else { return Ok(()) };
    let endpoint = Endpoint::of(&head.method, head.host().as_deref(), &head.target);
    report.kind = kind(&endpoint);
    report.quirks.extend(&head.quirks);
    path_fields(&endpoint, &mut report.fields);
    match length {
        Some(length) if report.problem.is_none() => {
            let declared = if head.is_chunked() { None } else { head.content_length };
            let mut body = Body::after(beginning, length, input, declared);
            read_body(&head, &endpoint, &mut body, report)?;
            let after = body.count_after()?;
            if after > 0 {
                report.fields.number("bytes_after", after);
            }
        }
        _ => {
            let text = match beginning.len() {
                MAX_HEAD => "the head does not end within 64 KiB",
                _ => "the head does not end: its empty line is missing",
            };
            report.broken(Some(beginning.len() as u64), text);
        }
    }
    let mut http = Fields::default();
    http.text("method", redact::method(&head.method));
    http.text("target", redact::target(&endpoint, &head.target));
    http.text("version", redact::version(&head.version));
    if let Some(host) = head.host() {
        http.text("host", redact::host(&host));
    }
    if let Some(length) = head.content_length {
        http.number("content_length", length);
    }
    http.add("headers", headers(&head.headers));
    report.fields.add("http", Node::Map(http));
    Ok(())
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

fn read_body(
    head: &RequestHead<'_>,
    endpoint: &Endpoint,
    body: &mut Body,
    report: &mut Report,
) -> io::Result<()> {
    let message = match endpoint {
        Endpoint::Auth(_) => Message::Auth,
        Endpoint::Photo(_) => Message::Photo,
        Endpoint::Video(_) => Message::Video,
        Endpoint::AllShare => Message::AllShare,
        Endpoint::Upload { .. } => {
            require_length(head, body, report);
            let media_type = head.header("Content-Type").unwrap_or_default();
            let media_type = samsung_sns::message::media::normalised_type(&media_type);
            report.fields.text("media_type", redact::media_type(&media_type));
            Fingerprint::of(body)?.show(&mut report.fields);
            body.note_missing(report);
            return Ok(());
        }
        Endpoint::Email { .. } => {
            require_length(head, body, report);
            return email::read(head, body, report);
        }
        _ => {
            let start = body.start();
            let whole = body.whole(report)?;
            message::read_unknown(&whole, start, report);
            return Ok(());
        }
    };
    require_length(head, body, report);
    let start = body.start();
    let whole = body.whole(report)?;
    message::read(Some(message), &whole, Some(start), report);
    Ok(())
}

/// A body without a length has no end that could be told from its breaking off; the server refuses
/// it, unless it comes in chunks, which no camera sends.
fn require_length(head: &RequestHead<'_>, body: &Body, report: &mut Report) {
    if head.is_chunked() {
        let text = "the body comes in chunks, which are not taken apart here; no camera sends them";
        report.broken(Some(body.start()), text);
    } else if head.content_length.is_none() {
        let text = "no Content-Length says where the body ends; what follows the head was read";
        report.broken(Some(body.start()), text);
    }
}
