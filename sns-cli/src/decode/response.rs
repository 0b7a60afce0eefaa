//! An HTTP response: what the camera was told, and what its firmware finds in it.
//!
//! Law: like the firmware, this looks for substrings first; the kind of an answer is what a camera
//! that waits for it would find.

use super::body::Body;
use super::message;
use super::request::{check_name, headers};
use crate::redact;
use crate::report::{Fields, Node, Report};
use samsung_sns::camera;
use samsung_sns::endpoint::HotspotCheck;
use samsung_sns::wire::request::head_length;
use samsung_sns::wire::response::ResponseHead;
use std::io::{self, Read};

/// Reads the response at the start of a file.
pub(super) fn read(beginning: &[u8], input: Box<dyn Read>, report: &mut Report) -> io::Result<()> {
    let length = head_length(beginning, 0);
    // The end of the head is given back to one that was cut, so that its lines are shown.
    let cut = [beginning, b"\r\n\r\n"].concat();
    let Some((head, _)) = ResponseHead::read(if length.is_some() { beginning } else { &cut })
    else {
        report.broken(Some(0), "the first line is no HTTP status line");
        return Ok(());
    };
    report.kind = "answer";
    match length {
        Some(length) => {
            let declared = head.header("Content-Length").and_then(|text| text.parse().ok());
            let mut body = Body::after(beginning, length, input, declared);
            let whole = body.whole(report)?;
            match hotspot_answer(&head, &beginning[..length], &whole) {
                Some(check) => {
                    report.kind = "hotspot_answer";
                    report.fields.public("check", check_name(check));
                }
                None => message::read_unknown(&whole, length as u64, report),
            }
            let after = body.count_after()?;
            if after > 0 {
                report.fields.number("bytes_after", after);
            }
        }
        None => {
            let text = "the head does not end: its empty line is missing";
            report.broken(Some(beginning.len() as u64), text);
        }
    }
    let mut http = Fields::default();
    http.number("status", head.status.into());
    http.text("version", redact::version(&head.version));
    http.text("reason", redact::reason(&head.reason));
    http.add("headers", headers(&head.headers));
    report.fields.add("http", Node::Map(http));
    Ok(())
}

/// Which hotspot check this answers with "online". A plain 200 would do for gld, but says nothing
/// about which request it answers, so only the known answer counts as one.
fn hotspot_answer(head: &ResponseHead, bytes: &[u8], body: &[u8]) -> Option<HotspotCheck> {
    if head.header("ETag").as_deref() == Some("\"deadbeef\"") && body.is_empty() {
        return Some(HotspotCheck::Gld);
    }
    [HotspotCheck::Yahoo, HotspotCheck::Msn]
        .into_iter()
        .find(|check| camera::is_online(*check, bytes))
}
