//! What a camera makes of an answer, in words.
//!
//! Law: a status that is not 200 is a refusal. Everything else is judged as `check` judges it: where
//! that says red, the camera stops.

use super::camera::Step;
use super::stop::{Kind, Stop};
use crate::check::verdict::Judged;
use samsung_sns::answer::scan_reason;
use samsung_sns::camera;

/// What the camera goes on with, and what is worth a note; or why it stops.
pub(super) fn understood<T>(
    step: Step,
    answer: &[u8],
    judged: Judged<T>,
) -> Result<(T, Vec<String>), Stop> {
    let Judged { made, red, notes, is_somebody_else } = judged;
    // A hotspot check may be answered with a redirect, and is never refused.
    let may_be_refused = step != Step::Hotspot && !is_somebody_else;
    match (camera::status(answer).filter(|&status| status != 200), made) {
        (Some(status), _) if may_be_refused => Err(refused(status, answer)),
        (_, Some(made)) if red.is_empty() => Ok((made, notes)),
        (_, made) => {
            let (kind, so) = match (step, made) {
                (Step::Hotspot, None) => (
                    Kind::Offline,
                    "the camera believes that it is offline, and opens its browser at \
                     http://samsungimaging.com",
                ),
                _ => (Kind::Unfit, "the camera stops here"),
            };
            Err(Stop::new(kind, format!("{so}: {}", red.join("; "))))
        }
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
