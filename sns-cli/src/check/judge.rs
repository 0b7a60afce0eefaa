//! What is wrong with an answer, as far as the firmware would care.
//!
//! Law: the rules of facts.md section 5 for every answer; what an answer says is read by the
//! camera's end of the core. Only what can be seen from outside is judged.

use super::exchange::{Answer, End, head_length, header};
use super::fault::{Fault, Kind};
use samsung_sns::answer::{MAX_ANSWER, scan_reason};
use samsung_sns::camera;
use samsung_sns::endpoint::HotspotCheck;
use std::time::Duration;

/// An answer that takes longer is called slow. The captured login says `Timeout="3000"`, which is
/// taken for the milliseconds that a camera waits.
const SLOW: Duration = Duration::from_secs(3);

/// Headers whose spelling is known to work.
const SPELT: [&str; 8] = [
    "Server",
    "Date",
    "ETag",
    "Content-Type",
    "Content-Length",
    "Location",
    "Set-Cookie",
    "Connection",
];

/// What is wrong with how an answer came, whatever it says.
pub(crate) fn transport(answer: &Answer) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut found = |kind, text: String| faults.push(Fault::new(kind, text));
    let bytes = &answer.bytes;
    if camera::status(bytes).is_none() {
        found(Kind::NotHttp, "the answer does not begin with HTTP/1.x and a status".to_owned());
        return faults;
    }
    let Some(head_length) = head_length(bytes) else {
        found(Kind::Truncated, "the answer ends within its head".to_owned());
        return faults;
    };
    let (head, body) = bytes.split_at(head_length);
    let value = |name| header(head, name).map(|(_, value)| value);

    match (answer.segments, answer.reads) {
        (Some(0 | 1), _) | (None, 1) => {}
        (Some(count), _) => {
            found(Kind::TwoSegments, format!("the answer came in {count} TCP segments"));
        }
        (None, count) => found(Kind::TwoSegments, format!("the answer came in {count} pieces")),
    }
    if bytes.len() >= MAX_ANSWER {
        found(Kind::TooLong, format!("the answer has {} bytes", bytes.len()));
    }
    if answer.took > SLOW {
        found(Kind::Slow, format!("the answer took {:.1} s", answer.took.as_secs_f32()));
    }
    let chunked = value("Transfer-Encoding");
    if let Some(encoding) = chunked {
        found(Kind::Chunked, format!("the answer has Transfer-Encoding: {encoding}"));
    }
    if let Some(encoding) = value("Content-Encoding") {
        found(Kind::Compressed, format!("the answer has Content-Encoding: {encoding}"));
    }
    match value("Content-Length").map(str::parse::<usize>) {
        Some(Ok(length)) if body.len() < length => {
            let text = format!("{} of {length} bytes of the body came", body.len());
            found(Kind::Truncated, text);
        }
        Some(Ok(length)) if body.len() > length => {
            let more = body.len() - length;
            found(Kind::TooMuch, format!("{more} bytes follow behind the {length} of the body"));
        }
        Some(Ok(_)) => {}
        None if chunked.is_some() => {}
        None | Some(Err(_)) => {
            found(Kind::HeaderMissing, "the answer has no Content-Length".to_owned());
        }
    }
    if value("Content-Type").is_none() {
        found(Kind::HeaderMissing, "the answer has no Content-Type".to_owned());
    }
    if !value("Connection").is_some_and(|value| value.eq_ignore_ascii_case("close")) {
        found(Kind::HeaderMissing, "the answer has no Connection: close".to_owned());
    }
    for name in SPELT {
        if let Some((spelt, _)) = header(head, name).filter(|(spelt, _)| *spelt != name) {
            found(Kind::HeaderSpelling, format!("{name} is spelt {spelt}"));
        }
    }
    match answer.end {
        End::Closed | End::Stalled => {}
        End::Open => found(Kind::LeftOpen, "the connection stays open behind it".to_owned()),
        End::Reset => found(Kind::Reset, "the connection is reset behind it".to_owned()),
    }
    faults
}

/// Whether an answer has this status, and if not, what it says instead.
pub(super) fn status(answer: &[u8], wanted: u16) -> Result<(), Fault> {
    match camera::status(answer) {
        Some(status) if status == wanted => Ok(()),
        Some(status) => {
            let body = camera::body(answer);
            let reason = scan_reason(&body).filter(|reason| !reason.is_empty());
            let reason = reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
            let kind = if status == 401 { Kind::NotAdmitted } else { Kind::WrongStatus };
            Err(Fault::new(kind, format!("the answer is {status}{reason}, not {wanted}")))
        }
        None => Err(Fault::new(Kind::NotHttp, "the answer has no status")),
    }
}

/// Whether the answer says "online" to a camera that makes this check; `strict` if what is only
/// known to work is asked for, too.
pub(crate) fn hotspot(check: HotspotCheck, strict: bool, answer: &[u8]) -> Result<String, Fault> {
    let head = &answer[..head_length(answer).unwrap_or(answer.len())];
    let status_now = camera::status(answer).unwrap_or(0);
    let is_redirect = (300..=309).contains(&status_now);
    let domain = match check {
        HotspotCheck::Gld => {
            status(answer, 200)?;
            let lines = String::from_utf8_lossy(head);
            let nginx = lines.lines().any(|line| line.starts_with("Server: nginx/"));
            let plain =
                !nginx || header(head, "ETag").is_none() || !camera::body(answer).is_empty();
            if strict && plain {
                let text = "the answer is 200, but not the one an NX mini is known to accept";
                return Err(Fault::new(Kind::GldPlain, text));
            }
            return Ok("online".to_owned());
        }
        HotspotCheck::Yahoo => ".yahoo.co.kr",
        HotspotCheck::Msn => ".msn.com",
    };
    if camera::is_online(check, answer) {
        let by = if is_redirect { "redirect" } else { "cookie" };
        return Ok(format!("online, by its {by}"));
    }
    if is_redirect {
        let target = header(head, "Location").map_or("nowhere", |(_, target)| target);
        let kind = match check {
            HotspotCheck::Msn => Kind::Redirected,
            _ => Kind::RedirectTooFar,
        };
        return Err(Fault::new(kind, format!("the answer redirects to {target}")));
    }
    status(answer, 200)?;
    let cookie = header(head, "Set-Cookie").map(|(_, cookie)| cookie.to_ascii_lowercase());
    // Of `.yahoo.co.kr` any country will do: `domain=yahoo.` is what lacks its dot.
    let without_dot = match check {
        HotspotCheck::Yahoo => "domain=yahoo.",
        _ => "domain=msn.com",
    };
    Err(match cookie {
        Some(cookie) if cookie.contains(without_dot) => {
            Fault::new(Kind::CookieDot, "the cookie's domain has no leading dot")
        }
        Some(_) => Fault::new(Kind::CookieMissing, format!("no cookie is for {domain}")),
        None => Fault::new(Kind::CookieMissing, "no cookie is set"),
    })
}

/// What the firmware would take for the value is not what it can use.
pub(super) fn odd(
    what: &str,
    value: &str,
    longest: usize,
    plain: impl Fn(char) -> bool,
) -> Result<(), Fault> {
    let why = if value.len() > longest {
        format!("has {} characters, more than {longest}", value.len())
    } else if let Some(c) = value.chars().find(|&c| !plain(c)) {
        format!("holds {c:?}")
    } else {
        return Ok(());
    };
    Err(Fault::new(Kind::OddValue, format!("{what} {why}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(bytes: &[u8]) -> Answer {
        let took = Duration::from_millis(5);
        Answer { bytes: bytes.to_vec(), reads: 1, segments: Some(1), took, end: End::Closed }
    }

    /// Every answer that our server gives, as it is pinned.
    fn golden() -> Vec<Vec<u8>> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata/answers");
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let files = files.filter(|path| path.extension().is_some_and(|end| end == "http"));
        let golden: Vec<Vec<u8>> = files.map(|path| std::fs::read(path).unwrap()).collect();
        assert!(!golden.is_empty());
        golden
    }

    #[test]
    fn what_is_known_to_work_is_without_fault() {
        for bytes in golden() {
            assert_eq!(transport(&answer(&bytes)), [], "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn no_answer_however_broken_is_a_panic_and_none_cut_short_is_right() {
        for bytes in golden() {
            for at in 0..bytes.len() {
                let cut = answer(&bytes[..at]);
                assert!(!transport(&cut).is_empty(), "{}", cut.bytes.escape_ascii());
                for byte in [0, b'\r', b'\n', b':', b'"', b'9', 0xff] {
                    let mut broken = bytes.clone();
                    broken[at] = byte;
                    transport(&answer(&broken));
                    for check in [HotspotCheck::Gld, HotspotCheck::Yahoo, HotspotCheck::Msn] {
                        let _ = hotspot(check, true, &broken);
                    }
                }
            }
        }
    }

    #[test]
    fn how_an_answer_came_counts_too() {
        let bytes = &golden()[0];
        let kinds = |answer: Answer| -> Vec<Kind> {
            transport(&answer).into_iter().map(|fault| fault.kind).collect()
        };
        let right = || answer(bytes);
        let (several, slow) = (Some(2), Duration::from_millis(3001));
        assert_eq!(kinds(Answer { segments: several, ..right() }), [Kind::TwoSegments]);
        assert_eq!(kinds(Answer { segments: None, reads: 2, ..right() }), [Kind::TwoSegments]);
        assert_eq!(kinds(Answer { reads: 2, ..right() }), [], "the kernel knows better");
        assert_eq!(kinds(Answer { took: slow, ..right() }), [Kind::Slow]);
        assert_eq!(kinds(Answer { end: End::Open, ..right() }), [Kind::LeftOpen]);
        assert_eq!(kinds(Answer { end: End::Reset, ..right() }), [Kind::Reset]);
    }
}
