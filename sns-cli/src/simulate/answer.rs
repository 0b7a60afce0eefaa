//! What the firmware makes of an answer, in words.
//!
//! Law: a status of 200 comes first; then the one substring that the firmware looks for.

use super::stop::{Kind, Stop};
use samsung_sns::answer::scan_reason;
use samsung_sns::camera;

/// The body of an answer whose status is 200.
pub(super) fn accepted(answer: &[u8]) -> Result<String, Stop> {
    match camera::status(answer) {
        Some(200) => Ok(camera::body(answer)),
        Some(status) => Err(refused(status, answer)),
        None => Err(not_understood("the answer does not begin with an HTTP status")),
    }
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

/// The server said 200, but not what the firmware looks for.
pub(super) fn not_understood(why: &str) -> Stop {
    let sentence = format!("the firmware would not understand the answer: {why}");
    Stop::new(Kind::NotUnderstood, sentence)
}
