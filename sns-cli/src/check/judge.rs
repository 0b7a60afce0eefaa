//! What is wrong with an answer, as far as the firmware would care.
//!
//! Law: the rules of facts.md section 5 for every answer; what an answer says is read by the
//! camera's end of the core. Only what can be seen from outside is judged. One cause is one fault.

use super::causes;
use super::exchange::{Answer, End, PATIENCE, head_length, header};
use super::fault::{Fault, Kind};
use samsung_sns::answer::{MAX_ANSWER, scan_reason};
use samsung_sns::camera;
use samsung_sns::endpoint::HotspotCheck;
use std::mem;
use std::time::Duration;

/// An answer that takes longer is called slow. The captured login says `Timeout="3000"`, which is
/// taken for the milliseconds that a camera waits.
const SLOW: Duration = Duration::from_secs(3);

/// Headers whose spelling is known to work, and their order.
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

/// What an answer says, to whoever can use it.
#[derive(Debug)]
pub(super) struct Heard<T> {
    /// In words.
    pub(super) says: String,
    /// What the walk goes on with.
    pub(super) made: T,
    /// What is wrong with it although it can be gone on with.
    pub(super) faults: Vec<Fault>,
}

impl<T> Heard<T> {
    /// An answer without fault.
    pub(super) fn new(says: impl Into<String>, made: T) -> Heard<T> {
        Heard { says: says.into(), made, faults: Vec::new() }
    }

    /// The same, with something else to go on with.
    pub(super) fn map<U>(self, with: impl FnOnce(T) -> U) -> Heard<U> {
        Heard { says: self.says, made: with(self.made), faults: self.faults }
    }
}

/// What is wrong with how an answer came, whatever it says.
pub(super) fn transport(answer: &Answer) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut found = |kind, text: String| faults.push(Fault::new(kind, text));
    let bytes = &answer.bytes;
    let Some(head_length) = head_length(bytes) else {
        let came = bytes.len();
        let start = bytes[..came.min(24)].escape_ascii();
        let waited = PATIENCE.as_secs();
        if answer.end == End::Stalled && answer.reads > 1 {
            found(Kind::Stalled, format!("only {came} bytes of an answer came within {waited} s"));
        } else if camera::status(bytes).is_none() {
            let text = "the answer does not begin with HTTP/1.x and a status";
            found(Kind::NotHttp, format!("{text}, but with \"{start}\""));
        } else if memchr::memmem::find(bytes, b"\n\n").is_some() {
            found(Kind::LineEnds, "the lines of the head end with LF alone".to_owned());
        } else {
            found(Kind::Truncated, "the answer ends within its head".to_owned());
        }
        return faults;
    };
    let Some(status) = camera::status(bytes) else {
        let start = bytes[..bytes.len().min(24)].escape_ascii();
        let text = "the answer does not begin with HTTP/1.x and a status";
        found(Kind::NotHttp, format!("{text}, but with \"{start}\""));
        return faults;
    };
    let (head, body) = bytes.split_at(head_length);
    let value = |name| header(head, name).map(|(_, value)| value);

    match (answer.interim, answer.segments, answer.reads) {
        (Some(interim), ..) => {
            found(Kind::Interim, format!("an answer {interim} comes before the real one"));
        }
        (None, Some(0 | 1), _) | (None, None, 1) => {}
        (None, Some(count), _) => {
            found(Kind::TwoSegments, format!("the answer came in {count} TCP segments"));
        }
        (None, None, count) => {
            found(Kind::TwoSegments, format!("the answer came in {count} pieces"))
        }
    }
    if bytes.len() >= MAX_ANSWER {
        found(Kind::TooLong, format!("the answer has {} bytes", bytes.len()));
    }
    if answer.took > SLOW {
        found(Kind::Slow, format!("the answer took {:.1} s", answer.took.as_secs_f32()));
    }
    if answer.is_early && status == 200 {
        let text = "the answer is 200 before the whole file was there";
        found(Kind::AnsweredEarly, text.to_owned());
    }
    let mut missing = Vec::new();
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
            found(Kind::TooMuch, format!("behind a body of {length} come {more} more (bytes)"));
        }
        Some(Ok(_)) => {}
        None if chunked.is_some() => {}
        None => missing.push("Content-Length"),
        Some(Err(_)) => missing.push("Content-Length that is a number"),
    }
    if value("Content-Type").is_none() {
        missing.push("Content-Type");
    }
    let closes = value("Connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
    // That it stays open says it all.
    if !closes && answer.end != End::Open {
        missing.push("Connection: close");
    }
    if !missing.is_empty() {
        found(Kind::HeaderMissing, format!("the answer has no {}", missing.join(", no ")));
    }
    let spelt = SPELT.iter().filter_map(|name| Some((*name, header(head, name)?.0)));
    let misspelt: Vec<&str> =
        spelt.filter(|(name, spelt)| name != spelt).map(|(_, spelt)| spelt).collect();
    if !misspelt.is_empty() {
        found(Kind::HeaderSpelling, format!("headers are spelt {}", misspelt.join(", ")));
    }
    match answer.end {
        End::Closed | End::Stalled => {}
        End::Open => found(Kind::LeftOpen, "the connection stays open behind it".to_owned()),
        End::Reset => found(Kind::Reset, "the connection is reset behind it".to_owned()),
    }
    let unusual = unusual(head);
    if !unusual.is_empty() {
        faults.push(Fault::new(Kind::NotAsKnown, unusual.join("; ")).warning());
    }
    faults
}

fn lines(head: &[u8]) -> impl Iterator<Item = &[u8]> {
    head.split(|&byte| byte == b'\n')
}

/// Which of the known headers stands in a line, and what follows its colon.
fn place_and_value(line: &[u8]) -> Option<(usize, &[u8])> {
    let colon = line.iter().position(|&byte| byte == b':')?;
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    let place = SPELT.iter().position(|known| known.as_bytes().eq_ignore_ascii_case(name))?;
    Some((place, value))
}

/// In what a head differs from every head that is known to work.
fn unusual(head: &[u8]) -> Vec<String> {
    let mut unusual = Vec::new();
    if !head.starts_with(b"HTTP/1.1 ") {
        unusual.push("the answer does not begin with HTTP/1.1".to_owned());
    }
    if lines(head).any(|line| matches!(line, [b' ' | b'\t', ..])) {
        unusual.push("a header is folded over two lines".to_owned());
    }
    if lines(head).filter_map(place_and_value).any(|(_, value)| !value.starts_with(b" ")) {
        unusual.push("no space stands behind a header's colon".to_owned());
    }
    let places = lines(head).filter_map(place_and_value).map(|(place, _)| place);
    let mut order: Vec<usize> = places.collect();
    // The gld check is answered with a second Server.
    let mut is_second = false;
    order.retain(|&place| place != 0 || !mem::replace(&mut is_second, true));
    if !order.is_sorted() {
        let order: Vec<&str> = order.into_iter().map(|place| SPELT[place]).collect();
        unusual.push(format!("the headers have the order {}", order.join(", ")));
    }
    unusual
}

/// The same answer with its headers spelt as they should be: that they are not is told once, and what
/// the answer says is judged apart from it.
pub(super) fn respelt(answer: &[u8]) -> Vec<u8> {
    let Some(length) = head_length(answer) else { return answer.to_vec() };
    let (head, body) = answer.split_at(length);
    let mut out = Vec::with_capacity(answer.len());
    for line in head.split_inclusive(|&byte| byte == b'\n') {
        match place_and_value(line) {
            Some((place, value)) => {
                let value = value.strip_prefix(b" ").unwrap_or(value);
                out.extend([SPELT[place].as_bytes(), b": ", value].concat());
            }
            None => out.extend(line),
        }
    }
    out.extend(body);
    out
}

/// Whether nothing that an answer says can be judged any more.
pub(super) fn hides_what_it_says(fault: &Fault) -> bool {
    use Kind::{Chunked, Compressed, LineEnds, NotHttp, Stalled, TooMuch, Truncated};
    matches!(fault.kind, NotHttp | LineEnds | Truncated | Stalled | TooMuch | Compressed | Chunked)
}

/// Whether an answer has one of these statuses, and if not, what it says instead. `on_401` is what
/// that would mean at this door.
pub(super) fn status(answer: &[u8], wanted: &[u16], on_401: Kind) -> Result<(), Fault> {
    let Some(status) = camera::status(answer) else {
        return Err(Fault::new(Kind::NotHttp, "the answer has no status"));
    };
    if wanted.contains(&status) {
        return Ok(());
    }
    let kind = match status {
        401 => on_401,
        413 => Kind::UploadTooLarge,
        503 => Kind::Busy,
        507 => Kind::NoSpace,
        _ => Kind::WrongStatus,
    };
    let body = camera::body(answer);
    let reason = scan_reason(&body).filter(|reason| !reason.is_empty());
    let reason = reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
    let target = causes::redirect(answer).map(|target| format!(", a redirect to {target}"));
    let wanted: Vec<String> = wanted.iter().map(u16::to_string).collect();
    let (target, wanted) = (target.unwrap_or_default(), wanted.join(" or "));
    Err(Fault::new(kind, format!("the answer is {status}{reason}{target}, not {wanted}")))
}

/// Whether the answer says "online" to a camera that makes this check; `strict` if what is only
/// known to work is asked for, too.
pub(super) fn hotspot(
    check: HotspotCheck,
    strict: bool,
    answer: &[u8],
) -> Result<Heard<()>, Fault> {
    let head = &answer[..head_length(answer).unwrap_or(answer.len())];
    let is_redirect = camera::status(answer).is_some_and(|status| (300..=309).contains(&status));
    let domain = match check {
        HotspotCheck::Gld => return gld(strict, answer, head),
        HotspotCheck::Yahoo => ".yahoo.",
        HotspotCheck::Msn => ".msn.com",
    };
    let cookie = header(head, "Set-Cookie").map(|(_, cookie)| cookie);
    if camera::is_online(check, answer) {
        let by = if is_redirect { "redirect" } else { "cookie" };
        let mut heard = Heard::new(format!("online, by its {by}"), ());
        let is_known = String::from_utf8_lossy(head).contains(&format!("Domain={domain}"));
        if let Some(cookie) = cookie.filter(|_| !is_redirect && !is_known) {
            let text =
                format!("the cookie is {cookie:?}, without Domain={domain} in this spelling");
            heard.faults.push(Fault::new(Kind::NotAsKnown, text).warning());
        }
        return Ok(heard);
    }
    if is_redirect {
        let target = causes::redirect(answer).unwrap_or_else(|| "nowhere".to_owned());
        let kind = match check {
            HotspotCheck::Msn => Kind::Redirected,
            _ => Kind::RedirectTooFar,
        };
        return Err(Fault::new(kind, format!("the answer redirects to {target}")));
    }
    status(answer, &[200], Kind::WrongStatus)?;
    // Of `.yahoo.co.kr` any country will do: `domain=yahoo.` is what lacks its dot.
    let without_dot = format!("domain={}", domain.trim_start_matches('.'));
    Err(match cookie {
        Some(cookie) if cookie.to_ascii_lowercase().contains(&without_dot) => {
            Fault::new(Kind::CookieDot, "the cookie's domain has no leading dot")
        }
        Some(cookie) => {
            let text = format!("no cookie is for {domain}: it is {cookie:?}");
            Fault::new(Kind::CookieMissing, text)
        }
        None => Fault::new(Kind::CookieMissing, "no cookie is set"),
    })
}

/// Whether an NX camera takes this for the internet.
fn gld(strict: bool, answer: &[u8], head: &[u8]) -> Result<Heard<()>, Fault> {
    status(answer, &[200], Kind::WrongStatus)?;
    let lines = String::from_utf8_lossy(head);
    let nginx = lines.lines().any(|line| line.starts_with("Server: nginx/"));
    let plain = !nginx || header(head, "ETag").is_none() || !camera::body(answer).is_empty();
    if strict && plain {
        let text = "the answer is 200, but not the one an NX mini is known to accept";
        return Err(Fault::new(Kind::GldPlain, text));
    }
    Ok(Heard::new("online", ()))
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
        let (interim, is_early, reads, segments) = (None, false, 1, Some(1));
        Answer { bytes: bytes.to_vec(), interim, is_early, reads, segments, took, end: End::Closed }
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
