//! Where an exchange breaks a rule that cameras are known to hold others to.
//!
//! Law: every rule is a fact of `docs/protocol.md`, has a name, and says what to do. An exchange
//! with what is no camera's is held to none.

use super::exchange::{Exchange, Half};
use super::guess::Guess;
use super::incoming::Head;
use crate::capture::connections::Cause;
use samsung_sns::answer::MAX_ANSWER;
use samsung_sns::camera;
use samsung_sns::endpoint::{Endpoint, HotspotCheck};
use samsung_sns::message::auth::LoginAnswer;
use samsung_sns::message::media::AnnounceAnswer;
use samsung_sns::wire::response::ResponseHead;
use std::net::IpAddr;

/// An answer that begins later is late: a login says `Timeout="3000"`, perhaps in milliseconds.
const SLOW: u64 = 3_000_000_000;
/// The session key that is known to work has so many characters.
const LONGEST_KEY: usize = 32;
/// The screen name that is known to work has so many characters.
const LONGEST_NAME: usize = 16;

/// A rule that was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Warning {
    /// The rule.
    pub(super) name: &'static str,
    /// What is wrong, why, and what to do.
    pub(super) text: String,
}

/// What else is known of an exchange.
pub(super) struct Around<'a> {
    pub(super) server: IpAddr,
    pub(super) guess: Option<&'a Guess>,
    /// The session that the camera was given.
    pub(super) session: Option<&'a str>,
}

/// The rules that an exchange breaks.
pub(super) fn of(exchange: &Exchange, around: &Around<'_>) -> Vec<Warning> {
    let mut warnings = Warnings(Vec::new());
    let Some(request) = &exchange.request else { return warnings.0 };
    let Some(Head::Request(_, endpoint)) = &request.finished.head else { return warnings.0 };
    if matches!(endpoint, Endpoint::Home | Endpoint::EmailPage | Endpoint::Unknown) {
        return warnings.0;
    }
    warnings.address(endpoint, around);
    warnings.session(request, endpoint, around);
    match &exchange.answer {
        None if exchange.missing > 0 || exchange.doubt.is_some() => {}
        None => warnings.no_answer(request, exchange.ended),
        Some(answer) => {
            warnings.timing(request, answer);
            if let Some(Head::Answer(answer_head)) = &answer.finished.head {
                warnings.framing(answer, answer_head);
                warnings.content(endpoint, answer, answer_head);
            }
        }
    }
    warnings.0
}

struct Warnings(Vec<Warning>);

impl Warnings {
    fn add(&mut self, name: &'static str, text: impl Into<String>) {
        self.0.push(Warning { name, text: text.into() });
    }

    fn address(&mut self, endpoint: &Endpoint, around: &Around<'_>) {
        let IpAddr::V4(server) = around.server else { return };
        if !matches!(server.octets(), [192, 168, ..]) {
            return;
        }
        let may_be = |name| match around.guess {
            Some(guess) if guess.is_distinct => guess.models.contains(&name),
            _ => matches!(
                endpoint,
                Endpoint::Hotspot(HotspotCheck::Yahoo | HotspotCheck::Msn)
                    | Endpoint::Time
                    | Endpoint::ServiceProviders
            ),
        };
        if may_be("SH100") || may_be("ST1000") {
            self.add(
                "server-at-192.168",
                "the server's address begins with 192.168.: an SH100 or ST1000/CL65 takes that for \
                 a captive portal; give the server an address of 10.x or 172.16-31.x",
            );
        }
    }

    fn session(&mut self, request: &Half, endpoint: &Endpoint, around: &Around<'_>) {
        let Some(given) = around.session else { return };
        let used = match endpoint {
            Endpoint::Upload { session, .. } => Some(session.as_str()),
            Endpoint::Photo(_) | Endpoint::Video(_) => request.text("session_key"),
            _ => None,
        };
        if used.is_some_and(|used| used != given) {
            self.add(
                "other-session",
                "the session is not the one that this camera's last login was given; if the \
                 server changed or cut it, it will not know it again",
            );
        }
    }

    fn no_answer(&mut self, request: &Half, ended: Option<Cause>) {
        if request.finished.report.problem.is_some() {
            return;
        }
        let how = match ended {
            Some(Cause::CaptureEnded | Cause::OneSided) | None => return,
            Some(Cause::Reset(_)) => "the connection was reset",
            Some(Cause::Closed) => "the connection was closed",
            Some(_) => "nothing more came",
        };
        self.add(
            "no-answer",
            format!("{how} before any answer: the camera says that the server does not respond"),
        );
    }

    fn timing(&mut self, request: &Half, answer: &Half) {
        let (asked, answered) = (request.span, answer.span);
        if answered.heard.is_some_and(|heard| heard < asked.end) {
            self.add(
                "answer-before-body",
                "the answer left before the server had received the whole request: a camera reads \
                 only after it has sent all, and may find the connection closed; read the body first",
            );
        }
        let waited = answered.began.saturating_sub(asked.ended);
        if asked.ended > 0 && waited > SLOW {
            self.add(
                "answer-too-slow",
                format!(
                    "the answer began {:.1} s after the request: a login says Timeout=\"3000\", \
                     perhaps in milliseconds; answer before slow work is done",
                    waited as f64 / 1e9
                ),
            );
        }
    }

    fn framing(&mut self, answer: &Half, head: &ResponseHead) {
        let length = answer.span.end - answer.span.start;
        // What is not in the capture is no fault of the server.
        let is_whole = answer.finished.has_whole_head;
        if answer.span.segments > 1 {
            self.add(
                "answer-in-several-segments",
                format!(
                    "the answer came in {} TCP segments: cameras read only the first; send head \
                     and body in one write",
                    answer.span.segments
                ),
            );
        }
        if length > MAX_ANSWER as u64 {
            let text = format!(
                "the answer has {length} bytes: more than {MAX_ANSWER} do not fit one TCP segment, \
                 and cameras read only the first"
            );
            self.add("answer-too-long", text);
        }
        if head.header("Transfer-Encoding").is_some() {
            self.add(
                "chunked-answer",
                "the answer comes in chunks, which no camera is known to read",
            );
        } else if is_whole && head.header("Content-Length").is_none() {
            self.add(
                "no-content-length",
                "the answer has no Content-Length; known to work is only with",
            );
        }
        if head.header("Content-Encoding").is_some_and(|coding| coding.trim() != "identity") {
            self.add(
                "compressed-answer",
                "the answer is compressed, which no camera is known to read",
            );
        }
        let closes = |value: String| value.trim().eq_ignore_ascii_case("close");
        if is_whole && !head.header("Connection").is_some_and(closes) {
            self.add(
                "connection-kept",
                "the answer has no \"Connection: close\"; known to work is only with",
            );
        }
        for name in ["Set-Cookie", "Location"] {
            let found = head.headers.iter().find(|header| header.is(name));
            if found.is_some_and(|header| header.name() != name) {
                let text =
                    format!("{name} is not spelt so: the firmware searches for these letters");
                self.add("header-spelling", text);
            }
        }
    }

    fn content(&mut self, endpoint: &Endpoint, answer: &Half, head: &ResponseHead) {
        let searched = &answer.finished.searched[..];
        let body = camera::body(searched);
        let is_there = answer.finished.has_whole_head && answer.span.lost == 0;
        match endpoint {
            Endpoint::Hotspot(check) if is_there => self.hotspot(*check, searched, head),
            Endpoint::Auth(_) => {
                if let Some(login) = LoginAnswer::scan(&body) {
                    self.login(&login);
                }
            }
            Endpoint::Photo(_) | Endpoint::Video(_) => {
                if let Some(announce) = AnnounceAnswer::scan(&body)
                    && announce.resource_id.starts_with('/')
                {
                    self.add(
                        "resource-id-with-slash",
                        "ResourceID begins with a slash; known to work is only without: \
                         upload/<session>/<name>",
                    );
                }
            }
            Endpoint::Upload { .. }
                if head.status == 200 && is_there && !camera::has_succeeded(searched) =>
            {
                self.add(
                    "no-success-status",
                    "the answer to an upload must hold Status=\"succ\": plain text was not enough \
                     for the HMX-QF30",
                );
            }
            _ => {}
        }
    }

    fn hotspot(&mut self, check: HotspotCheck, searched: &[u8], head: &ResponseHead) {
        let domain = match check {
            HotspotCheck::Gld => return,
            HotspotCheck::Yahoo => "yahoo.",
            HotspotCheck::Msn => "msn.com",
        };
        if camera::is_online(check, searched) {
            return;
        }
        match head.status {
            200 => {
                let cookies = head.headers.iter().filter(|h| h.is("Set-Cookie"));
                let dotless = format!("domain={domain}");
                let www = format!("domain=www.{domain}");
                let has_dot = format!("domain=.{domain}");
                let mut texts = cookies.clone().map(|header| header.text().to_ascii_lowercase());
                if texts.any(|text| text.replace(' ', "").contains(&has_dot)) {
                    return; // but not spelt as the firmware searches for it, which is told
                }
                let lacks_dot = cookies.map(|header| header.text().to_ascii_lowercase()).any(|text| {
                    let text = text.replace(' ', "");
                    text.contains(&dotless) || text.contains(&www)
                });
                if lacks_dot {
                    let text = format!(
                        "the cookie's Domain has no dot before {domain}: the firmware looks for \
                         one, so write Domain=.{}",
                        if check == HotspotCheck::Yahoo { "yahoo.co.kr" } else { "msn.com" }
                    );
                    self.add("cookie-without-dot", text);
                } else {
                    let text = format!(
                        "a 200 must set a cookie whose Domain begins with .{domain}, dot included"
                    );
                    self.add("no-cookie", text);
                }
            }
            300..=399 if check == HotspotCheck::Msn => self.add(
                "redirected-msn-check",
                "the WB37F refuses a redirect of its MSN check: answer 200 with a cookie for .msn.com",
            ),
            300..=399 => self.add(
                "redirect-too-far",
                "the target of the redirect must have \"yahoo.\" at its 12th byte at the latest: \
                 http://yahoo.com and http://www.yahoo.com do, https://www.yahoo.com does not",
            ),
            _ => {}
        }
    }

    fn login(&mut self, login: &LoginAnswer) {
        let is_plain = |text: &str, limit| {
            text.len() <= limit && text.bytes().all(|b| (0x20..0x7f).contains(&b))
        };
        if !is_plain(&login.session_key, LONGEST_KEY) {
            let text = format!(
                "SessionKey is longer than {LONGEST_KEY} characters, or not ASCII: the firmware \
                 has buffers that overflow"
            );
            self.add("long-session-key", text);
        }
        if !is_plain(&login.screen_name, LONGEST_NAME) {
            let text = format!(
                "LoginPeopleID is longer than {LONGEST_NAME} characters, or not ASCII: the \
                 firmware has buffers that overflow"
            );
            self.add("long-screen-name", text);
        }
    }
}
