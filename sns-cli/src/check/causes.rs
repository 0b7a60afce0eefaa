//! Whether it is a server for cameras at all that answers, and if not, what it seems to be.
//!
//! Law: what stands between camera and server spoils every answer in a dozen ways. It is one cause,
//! and told as one; what follows from it is not told.

use super::exchange::{head_length, header};
use super::fault::{Fault, Kind};
use crate::habits::NAMES;
use samsung_sns::camera;

/// What servers with TLS answer to plain HTTP, in lower case: nginx, those written in Go (Caddy,
/// Traefik), Apache.
const PLAIN_TO_TLS: [&str; 3] =
    ["sent to https port", "request to an https server", "ssl-enabled server port"];

/// What stands there in the place of a server for cameras. `host`: whom the request was for. To be
/// asked of answers that are wrong: a web page may be right.
pub(super) fn of(answer: &[u8], host: &str) -> Option<Fault> {
    // A TLS alert, or a handshake.
    if let [0x15 | 0x16, 0x03, ..] = answer {
        return Some(Fault::new(Kind::TlsPort, "what answers speaks TLS"));
    }
    let status = camera::status(answer)?;
    let head = &answer[..head_length(answer).unwrap_or(answer.len())];
    let body = camera::body(answer).to_ascii_lowercase();
    if PLAIN_TO_TLS.iter().any(|words| body.contains(words)) {
        let text = format!("the answer is {status}: this port wants TLS");
        return Some(Fault::new(Kind::TlsPort, text));
    }
    if let Some(target) = redirect(answer) {
        return elsewhere(&target, host).map(|kind| {
            Fault::new(kind, format!("the answer is {status}, a redirect to {target}"))
        });
    }
    let is_page = body.contains("<html") || body.contains("<!doctype html");
    if !is_page || body.contains("<response") {
        return None;
    }
    let title = body.split_once("<title>").and_then(|(_, rest)| rest.split_once('<'));
    let title = title.map_or(String::new(), |(title, _)| format!(" \"{}\"", start(title.trim())));
    let server = header(head, "Server").map_or(String::new(), |(_, name)| format!(" by {name}"));
    let text = format!("the answer is {status} with a web page{title}{server}");
    Some(Fault::new(Kind::OtherServer, text))
}

/// Where an answer redirects to, if it does.
pub(super) fn redirect(answer: &[u8]) -> Option<String> {
    let Some(300..=303 | 307..=309) = camera::status(answer) else { return None };
    let head = &answer[..head_length(answer).unwrap_or(answer.len())];
    let (_, target) = header(head, "Location")?;
    Some(start(target).to_owned())
}

/// What leads a camera that asked `host` away to this target; `None` if it stays, or goes where the
/// check itself has to judge.
fn elsewhere(target: &str, host: &str) -> Option<Kind> {
    let (scheme, rest) = target.split_once("://")?;
    let place = rest.split(['/', '?', ':']).next().unwrap_or_default().to_ascii_lowercase();
    let is_its = place == host || NAMES.contains(&place.as_str());
    if scheme.eq_ignore_ascii_case("https") && is_its {
        return Some(Kind::HttpsRedirect);
    }
    let is_for_the_check = |family| host.contains(family) && place.contains(family);
    let is_judged = is_its || is_for_the_check("yahoo.") || is_for_the_check("msn.");
    (!is_judged).then_some(Kind::RedirectElsewhere)
}

/// As much of a text as a line can hold.
fn start(text: &str) -> &str {
    &text[..text.char_indices().nth(120).map_or(text.len(), |(at, _)| at)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_is_told_by_where_it_leads() {
        for (target, host, expected) in [
            ("https://www.msn.com/", "www.msn.com", Some(Kind::HttpsRedirect)),
            ("https://www.yahoo.co.kr/", "www.yahoo.co.kr", Some(Kind::HttpsRedirect)),
            ("https://snsgw.samsungmobile.com/x", "www.msn.com", Some(Kind::HttpsRedirect)),
            ("http://192.168.88.1/login", "www.msn.com", Some(Kind::RedirectElsewhere)),
            ("https://portal.example/", "www.msn.com", Some(Kind::RedirectElsewhere)),
            ("http://yahoo.com", "www.yahoo.co.kr", None),
            ("https://www.yahoo.com", "www.yahoo.co.kr", None),
            ("HTTP://YAHOO.COM", "www.yahoo.co.kr", None),
            ("http://msn.com", "www.msn.com", None),
            ("http://yahoo.com", "gld.samsungosp.com", Some(Kind::RedirectElsewhere)),
            ("/facebook/auth/", "snsgw.samsungmobile.com", None),
            ("http://www.msn.com/x", "www.msn.com", None),
        ] {
            assert_eq!(elsewhere(target, host), expected, "{target} for {host}");
        }
    }
}
