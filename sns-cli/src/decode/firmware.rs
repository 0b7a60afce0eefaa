//! What the firmware makes of an answer.
//!
//! Law: the core's camera end decides, by substring search as the firmware does, in the first TCP
//! segment: the firmware reads no further. Where nobody knows what it wants, nothing is said.

use super::exchange::Span;
use samsung_sns::answer::scan_reason;
use samsung_sns::camera;
use samsung_sns::endpoint::{Endpoint, HotspotCheck};
use samsung_sns::message::auth::LoginAnswer;
use samsung_sns::message::media::AnnounceAnswer;
use samsung_sns::message::sso::scan_time;

/// What the firmware makes of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verdict {
    /// Whether it goes on, if what is in the capture says so.
    pub(super) accepts: Option<bool>,
    /// What it does, in our words.
    pub(super) text: String,
    /// Why the server refused, in its words.
    pub(super) reason: Option<String>,
}

/// What a camera that asked `endpoint` (with a message of this kind) makes of an answer.
pub(super) fn verdict(
    endpoint: &Endpoint,
    kind: &str,
    answer: &[u8],
    span: &Span,
) -> Option<Verdict> {
    let first = usize::try_from(span.first).unwrap_or(usize::MAX);
    let mut verdict = of_bytes(endpoint, kind, &answer[..answer.len().min(first)])?;
    // What is missing may hold what it looks for.
    if span.is_first_cut && verdict.accepts == Some(false) {
        let text = format!(
            "it cannot be told: {} bytes of the answer are not in the capture, and what is there \
             does not settle it",
            span.lost
        );
        return Some(Verdict { accepts: None, text, reason: None });
    }
    if span.segments > 1 && verdict.accepts == Some(false) {
        verdict.text = format!("in the first of {} segments {}", span.segments, verdict.text);
    }
    Some(verdict)
}

/// Of what came of an answer, keeps its first segment, and the rest only if that holds something
/// that is searched for: it may wait long.
pub(super) fn keep_needed(answer: &mut Vec<u8>, span: &Span) {
    let first = usize::try_from(span.first).unwrap_or(usize::MAX);
    if answer.len() <= first {
        answer.shrink_to_fit();
        return;
    }
    let body = camera::body(answer);
    let is_needed = camera::has_succeeded(answer)
        || LoginAnswer::scan(&body).is_some()
        || AnnounceAnswer::scan(&body).is_some()
        || LoginAnswer::scan(&String::from_utf8_lossy(answer)).is_some()
        || [HotspotCheck::Yahoo, HotspotCheck::Msn]
            .iter()
            .any(|check| camera::is_online(*check, answer));
    if !is_needed {
        answer.truncate(first);
    }
    answer.shrink_to_fit();
}

fn of_bytes(endpoint: &Endpoint, kind: &str, answer: &[u8]) -> Option<Verdict> {
    let status = camera::status(answer);
    let body = camera::body(answer);
    let (accepts, yes, no) = match endpoint {
        Endpoint::Hotspot(check) => (
            camera::is_online(*check, answer),
            "it is online, and goes on",
            "it takes this for a login page of the hotspot, and opens its browser instead",
        ),
        Endpoint::Auth(_) if kind == "logout" => {
            (status == Some(200), "it is logged out", "it may say that logging out failed")
        }
        Endpoint::Auth(_) => (
            status == Some(200) && LoginAnswer::scan(&body).is_some(),
            "it finds its session, and is logged in",
            "it finds no session, and says that logging in failed",
        ),
        Endpoint::Photo(_) | Endpoint::Video(_) => (
            status == Some(200) && AnnounceAnswer::scan(&body).is_some(),
            "it finds where to bring the file",
            "it does not find where to bring the file, and stops",
        ),
        Endpoint::Upload { .. } => (
            camera::has_succeeded(answer),
            "it finds Status=\"succ\": the file is sent",
            "it finds no Status=\"succ\", and says that sending failed",
        ),
        Endpoint::Email { .. } => (
            status == Some(200),
            "the e-mail is sent: only the 200 counts",
            "only a 200 counts: it says that sending failed",
        ),
        Endpoint::Time => (
            status == Some(200) && scan_time(&body).is_some(),
            "it finds the time",
            "it does not find the time, and stops",
        ),
        _ => return None,
    };
    let refused = match status {
        Some(200..=299) => String::new(),
        Some(status) => format!(" (status {status})"),
        None => " (no HTTP/1 status where it looks for one)".to_owned(),
    };
    let text = if accepts { yes.to_owned() } else { format!("{no}{refused}") };
    let reason = if accepts { None } else { scan_reason(&body).map(str::to_owned) };
    Some(Verdict { accepts: Some(accepts), text, reason })
}
