//! What a camera is answered: exact bytes.
//!
//! Law: the order of the head, the spelling of its names and every body are written by hand and
//! pinned by golden files in `testdata/answers/`. The firmware looks for substrings, and only these
//! bytes are known to work.
//!
//! Facts (facts.md section 5): an answer must arrive in one TCP segment, so one write of less than
//! [`MAX_ANSWER`] bytes, with `Content-Length`, with `Connection: close`, never in chunks, whatever
//! version the request had.

use std::fmt;

/// An answer with head and body is shorter than this many bytes, so that it fits one segment.
pub const MAX_ANSWER: usize = 1400;

/// What the `Server` header says.
pub const SERVER: &str = concat!("samsung-sns/", env!("CARGO_PKG_VERSION"));

/// The statuses that cameras are answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the names are those of HTTP
pub enum Status {
    Ok,
    Found,
    BadRequest,
    Unauthorized,
    NotFound,
    TooLarge,
    Unavailable,
    NoSpace,
}

impl Status {
    /// The number.
    pub const fn code(self) -> u16 {
        match self {
            Status::Ok => 200,
            Status::Found => 302,
            Status::BadRequest => 400,
            Status::Unauthorized => 401,
            Status::NotFound => 404,
            Status::TooLarge => 413,
            Status::Unavailable => 503,
            Status::NoSpace => 507,
        }
    }

    /// The words after the number.
    pub const fn reason(self) -> &'static str {
        match self {
            Status::Ok => "OK",
            Status::Found => "Found",
            Status::BadRequest => "Bad Request",
            Status::Unauthorized => "Unauthorized",
            Status::NotFound => "Not Found",
            Status::TooLarge => "Payload Too Large",
            Status::Unavailable => "Service Unavailable",
            Status::NoSpace => "Insufficient Storage",
        }
    }
}

/// A whole answer, short of the date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: Status,
    /// Headers between `Date` and `Content-Type`: those of the gld check.
    pub early: Vec<(&'static str, String)>,
    /// Headers between `Content-Length` and `Connection`: `Location`, `Set-Cookie`.
    pub late: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

impl Answer {
    /// An answer of this status and body.
    pub fn new(status: Status, body: impl Into<String>) -> Answer {
        Answer { status, early: Vec::new(), late: Vec::new(), body: body.into() }
    }

    /// `<Response Status="succ" />`: what follows an upload or an e-mail that is safe. Plain text
    /// was not enough for the HMX-QF30.
    pub fn success() -> Answer {
        Answer::new(Status::Ok, r#"<Response Status="succ" />"#)
    }

    /// `302` to another place.
    pub fn redirect(location: impl Into<String>) -> Answer {
        let mut answer = Answer::new(Status::Found, "");
        answer.late.push(("Location", location.into()));
        answer
    }

    /// The head's fields in the order in which the server known to work sends them. `date` is in
    /// HTTP's form.
    pub fn head<'a>(&'a self, date: &'a str) -> Vec<(&'static str, String)> {
        let mut fields = vec![("Server", SERVER.to_owned()), ("Date", date.to_owned())];
        fields.extend(self.early.iter().cloned());
        fields.push(("Content-Type", "text/html; charset=utf-8".to_owned()));
        fields.push(("Content-Length", self.body.len().to_string()));
        fields.extend(self.late.iter().cloned());
        fields.push(("Connection", "close".to_owned()));
        fields
    }

    /// Head and body, as they leave in one write.
    pub fn to_bytes(&self, date: &str) -> Vec<u8> {
        let mut out = format!("HTTP/1.1 {} {}\r\n", self.status.code(), self.status.reason());
        for (name, value) in self.head(date) {
            out += &format!("{name}: {value}\r\n");
        }
        out += "\r\n";
        out += &self.body;
        out.into_bytes()
    }
}

/// Why a request is refused. Here, and only here, a reason becomes an HTTP status
/// (configuration.md, "What cameras are answered").
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// Head or body cannot be understood, or a length is wrong.
    NotUnderstood(String),
    /// No recipient of an e-mail is anybody to whom it could be delivered.
    NoRoute,
    /// Every destination insists on alt texts, and the text has none.
    AltTextsMissing,
    /// This user is not admitted.
    NotAdmitted,
    /// The password is not this user's.
    WrongPassword,
    /// No such session, or it has expired.
    NoSession,
    /// The session is bound to the address of its login, and this is another one.
    OtherAddress,
    /// The site logs in by OAuth, which nobody has reverse engineered.
    OAuthSite,
    /// Nothing is at this path.
    UnknownPath,
    /// The body is longer than a limit; the text names the limit.
    TooLarge(&'static str),
    /// Too much is going on; the camera may try again.
    Busy,
    /// The disk is full, or cannot be written.
    NoSpace,
}

impl Refusal {
    /// The status that says so.
    pub fn status(&self) -> Status {
        match self {
            Refusal::NotUnderstood(_) | Refusal::NoRoute | Refusal::AltTextsMissing => {
                Status::BadRequest
            }
            Refusal::NotAdmitted
            | Refusal::WrongPassword
            | Refusal::NoSession
            | Refusal::OtherAddress
            | Refusal::OAuthSite => Status::Unauthorized,
            Refusal::UnknownPath => Status::NotFound,
            Refusal::TooLarge(_) => Status::TooLarge,
            Refusal::Busy => Status::Unavailable,
            Refusal::NoSpace => Status::NoSpace,
        }
    }

    /// The error XML: `<Response ErrCode="401" ErrSubCode="0" /><!-- reason -->`.
    pub fn to_answer(&self) -> Answer {
        let status = self.status();
        // Short, ASCII, and nothing that ends a comment: the firmware has buffer overflows.
        let reason: String = self
            .to_string()
            .chars()
            .map(|c| if c.is_ascii_graphic() && !"<>-\"".contains(c) { c } else { ' ' })
            .take(120)
            .collect();
        let code = status.code();
        let reason = reason.trim();
        Answer::new(
            status,
            format!("<Response ErrCode=\"{code}\" ErrSubCode=\"0\" /><!-- {reason} -->"),
        )
    }
}

/// The reason in the comment of error XML, if there is one.
pub fn scan_reason(body: &str) -> Option<&str> {
    let comment = &body[body.find("<!--")? + "<!--".len()..];
    Some(comment[..comment.find("-->")?].trim())
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::NotUnderstood(why) => f.write_str(why),
            Refusal::NoRoute => f.write_str("no recipient has a route on this server"),
            Refusal::AltTextsMissing => f.write_str("alt texts are missing, write text~alt1~alt2"),
            Refusal::NotAdmitted => f.write_str("this user may not send here"),
            Refusal::WrongPassword => f.write_str("the password is wrong"),
            Refusal::NoSession => f.write_str("no such session, log in again"),
            Refusal::OtherAddress => {
                f.write_str("this session began at another address, log in again")
            }
            Refusal::OAuthSite => f.write_str("this site needs OAuth, choose another site"),
            Refusal::UnknownPath => f.write_str("nothing is at this path"),
            Refusal::TooLarge(limit) => write!(f, "larger than {limit}"),
            Refusal::Busy => f.write_str("too busy, try again"),
            Refusal::NoSpace => f.write_str("no space left for it"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_error_xml_that_cannot_be_broken_by_its_reason() {
        let answer = Refusal::NotUnderstood("a --> b \"c\" \u{e9}\n".repeat(50)).to_answer();
        assert_eq!(answer.status.code(), 400);
        assert!(answer.body.starts_with("<Response ErrCode=\"400\" ErrSubCode=\"0\" /><!-- a "));
        assert_eq!(answer.body.matches("-->").count(), 1);
        assert!(answer.body.is_ascii() && answer.body.len() < 200);
        assert!(scan_reason(&answer.body).is_some_and(|reason| reason.starts_with("a     b")));
        assert_eq!(scan_reason("<Response/>"), None);
    }
}
