//! Why a server refused, in its own words.
//!
//! Law: only the words of our own server are known, and of those only the ones that repeat nothing
//! of what it was sent.

use super::vocabulary::ELEMENTS;
use samsung_sns::answer::{Refusal, scan_reason};
use samsung_sns::message::MessageError;
use samsung_sns::wire::multipart::MultipartError;
use samsung_sns::wire::request::HeadError;

/// What of a request our server calls too large, and what it does not understand.
const TOO_LARGE: [&str; 5] = [
    "limits.upload",
    "limits.email",
    "limits.head",
    "a message may be",
    "2000 files in one e-mail",
];
const NOT_UNDERSTOOD: [&str; 3] =
    ["the file is empty", "the e-mail has no message part", "Content-Length is missing"];

/// Whether our server says so.
pub(super) fn is_known(reason: &str) -> bool {
    let fixed = [
        Refusal::NoRoute,
        Refusal::AltTextsMissing,
        Refusal::NotAdmitted,
        Refusal::WrongPassword,
        Refusal::NoSession,
        Refusal::OtherAddress,
        Refusal::OAuthSite,
        Refusal::UnknownPath,
        Refusal::Busy,
        Refusal::NoSpace,
    ];
    let errors = [
        MessageError::Empty.to_string(),
        MultipartError::NoBoundaryParameter.to_string(),
        MultipartError::BoundaryNotFound.to_string(),
        HeadError::Tls.to_string(),
        HeadError::Ssl2.to_string(),
        HeadError::TargetTooLong.to_string(),
        HeadError::TooManyHeaders.to_string(),
        HeadError::RequestLine { line: String::new() }.to_string(),
        HeadError::ContentLength { value: String::new() }.to_string(),
    ];
    let not_understood = NOT_UNDERSTOOD.map(str::to_owned).into_iter().chain(errors);
    fixed
        .into_iter()
        .chain(TOO_LARGE.map(Refusal::TooLarge))
        .chain(not_understood.map(Refusal::NotUnderstood))
        // As it stands in an answer: not every character may.
        .any(|refusal| scan_reason(&refusal.to_answer().body) == Some(reason))
        || lacks_a_place(reason)
}

/// `the message has no Password/@Value`
fn lacks_a_place(reason: &str) -> bool {
    let place = reason.strip_prefix("the message has no ");
    place.is_some_and(|place| {
        let (element, attribute) = place.split_once("/@").unwrap_or((place, ELEMENTS[0]));
        ELEMENTS.contains(&element) && ELEMENTS.contains(&attribute)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_our_server_says_by_itself_is_known() {
        for (reason, expected) in [
            ("the password is wrong", true),
            ("larger than limits.upload", true),
            ("the message has no Password/@Value", true),
            ("the message has no sender", true),
            ("Content Length is no number, or there are two that differ", true),
            ("the e mail has no message part", true),
            ("the password is hunter2", false),
            ("the message has no anna", false),
            ("the method  anna  is neither login nor logout", false),
            ("", false),
        ] {
            assert_eq!(is_known(reason), expected, "{reason}");
        }
    }
}
