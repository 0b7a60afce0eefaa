//! An HTTP response: what the camera was told, and what its firmware finds in it.
//!
//! Law: like the firmware, this looks for substrings first; the kind of an answer is what a camera
//! that waits for it would find.

use super::body::Framing;
use super::chunks::Chunks;
use super::request::{check_name, headers};
use crate::redact;
use crate::report::{Fields, Node, Report};
use samsung_sns::camera;
use samsung_sns::endpoint::HotspotCheck;
use samsung_sns::wire::request::head_length;
use samsung_sns::wire::response::ResponseHead;

/// Where the body of an answer ends.
pub(super) fn framing(head: &ResponseHead, is_bodiless: bool) -> Framing {
    if is_bodiless || matches!(head.status, 100..=199 | 204 | 304) {
        return Framing::Length(0);
    }
    let coding = head.header("Transfer-Encoding").unwrap_or_default();
    if coding.trim().to_ascii_lowercase().ends_with("chunked") {
        return Framing::Chunks(Chunks::default());
    }
    let declared = head.header("Content-Length").and_then(|text| text.trim().parse().ok());
    declared.map_or(Framing::Open, Framing::Length)
}

/// Adds what the head says.
pub(super) fn show_head(head: &ResponseHead, report: &mut Report) {
    let mut http = Fields::default();
    http.number("status", head.status.into());
    http.text("version", redact::version(&head.version));
    http.text("reason", redact::reason(&head.reason));
    http.add("headers", headers(&head.headers));
    report.fields.add("http", Node::Map(http));
}

/// Says so in the report of an answer that tells a hotspot check "online".
pub(super) fn note_hotspot(head: &ResponseHead, searched: &[u8], report: &mut Report) {
    let is_empty = head_length(searched, 0) == Some(searched.len());
    if report.kind == "answer"
        && let Some(check) = hotspot_answer(head, searched, is_empty)
    {
        report.kind = "hotspot_answer";
        report.fields.0.retain(|(name, _)| !matches!(*name, "body" | "body_length"));
        report.fields.public("check", check_name(check));
    }
}

/// Which hotspot check this answers with "online". A plain 200 would do for gld, but says nothing
/// about which request it answers, so only the known answer counts as one.
fn hotspot_answer(head: &ResponseHead, searched: &[u8], is_empty: bool) -> Option<HotspotCheck> {
    if head.header("ETag").as_deref() == Some("\"deadbeef\"") && is_empty {
        return Some(HotspotCheck::Gld);
    }
    [HotspotCheck::Yahoo, HotspotCheck::Msn]
        .into_iter()
        .find(|check| camera::is_online(*check, searched))
}
