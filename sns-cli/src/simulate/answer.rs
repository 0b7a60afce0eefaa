//! What a camera makes of an answer, in words.
//!
//! Law: a status that is not 200 is a refusal. Everything else is judged as `check` judges it: where
//! that says red, the camera stops.

use super::stop::{Kind, Stop};
use crate::check::exchange::Answer;
use crate::check::fault::{self, Fault};
use crate::check::judge;
use samsung_sns::answer::scan_reason;
use samsung_sns::camera;

/// A refusal, if it is one.
pub(super) fn accepted(answer: &Answer) -> Result<(), Stop> {
    match camera::status(&answer.bytes) {
        Some(status) if status != 200 => Err(refused(status, &answer.bytes)),
        _ => Ok(()),
    }
}

/// What `read` finds in the answer, unless that, or how the answer came, is wrong. `kind` is what it
/// is called then. After a file, how long the answer took is not known: it may have been on its way
/// for long after the last byte was handed to the network.
pub(super) fn understood<T>(
    answer: &Answer,
    after_file: bool,
    kind: Kind,
    read: impl FnOnce(&[u8]) -> Result<T, Fault>,
) -> Result<T, Stop> {
    let mut faults = judge::transport(answer);
    faults.retain(|fault| !(after_file && fault.kind == fault::Kind::Slow));
    let found = match read(&answer.bytes) {
        Ok(found) if faults.is_empty() => return Ok(found),
        Ok(_) => None,
        // What is no HTTP at all says nothing else.
        Err(fault) => Some(fault).filter(|_| camera::status(&answer.bytes).is_some()),
    };
    let kind = if found.is_some() { kind } else { Kind::Unfit };
    let told: Vec<String> = found.iter().chain(&faults).map(told).collect();
    let so = match kind {
        Kind::Offline => {
            "the camera believes that it is offline, and opens its browser at http://samsungimaging.com"
        }
        _ => "the camera stops here",
    };
    Err(Stop::new(kind, format!("{so}: {}", told.join("; "))))
}

/// A fault in the words of `check`, by the name that its guide has for it.
fn told(fault: &Fault) -> String {
    let unknown = match fault.kind {
        fault::Kind::LeftOpen => ", and whether a camera waits for its end is not known",
        _ => "",
    };
    format!("{}{unknown} ({}: {})", fault.text, fault.kind.code(), fault.kind.advice())
}

/// The server said something else than 200.
fn refused(status: u16, answer: &[u8]) -> Stop {
    let body = camera::body(answer);
    let reason = scan_reason(&body).unwrap_or_default();
    let advice = match status {
        // There are other reasons for it: a session that is over, a site that wants OAuth.
        401 if reason.is_empty() || reason.contains("user") => {
            "; is this user in [users] of the server's configuration?"
        }
        404 => "; is this really sns-server?",
        413 => "; the server's [limits] can be raised",
        _ => "",
    };
    let reason = if reason.is_empty() { String::new() } else { format!(" ({reason})") };
    Stop::new(Kind::Refused(status), format!("refused: {status}{reason}{advice}"))
}
