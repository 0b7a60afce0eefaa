//! What the bodies of answers must hold, as the firmware searches them.
//!
//! Law: facts.md sections 1 to 3. What is known to be searched for and is not there, is a fault;
//! what only differs from what is known to work, is a warning.

use super::exchange::header;
use super::fault::{Fault, Kind};
use super::judge::{self, Heard};
use crate::habits::NAMES;
use samsung_sns::camera;
use samsung_sns::message::auth::LoginAnswer;
use samsung_sns::message::media::AnnounceAnswer;
use std::net::IpAddr;

/// What the answer to a login holds, in this order, spelt so: `LoginPeopleID` is no proper XML.
const LOGIN: [&str; 5] = [
    "<Response SessionKey=\"",
    "<PersistKey Value=\"",
    "<CryptSessionKey Value=\"",
    "<LoginPeopleID=\"",
    "<OAuth URL=\"",
];
/// In milliseconds since 1970 this is September 2001; in seconds it is far away.
const EARLIEST: u64 = 1_000_000_000_000;

/// Whether an answer is a refusal as cameras know it: one of these statuses, and error XML.
pub(super) fn refused(answer: &[u8], statuses: &[u16]) -> Result<Heard<()>, Fault> {
    judge::status(answer, statuses, Kind::WrongStatus)?;
    match camera::body(answer).contains("<Response ErrCode=\"") {
        true => Ok(Heard::new("refused, as it should be", ())),
        false => Err(not_found("<Response ErrCode=\"…\"")),
    }
}

/// The session that a login has opened.
pub(super) fn session(answer: &[u8]) -> Result<Heard<String>, Fault> {
    let body = camera::body(answer);
    let LoginAnswer { session_key, screen_name } =
        LoginAnswer::scan(&body).ok_or_else(|| not_found("<Response SessionKey=\"…\""))?;
    if session_key.is_empty() {
        return Err(Fault::new(Kind::OddValue, "the SessionKey is empty"));
    }
    // 32 hexadecimal characters and a name of 16 are known to work; twice as long is a guess.
    judge::odd("the SessionKey", &session_key, 64, |c| c.is_ascii_alphanumeric())?;
    let mut heard = Heard::new("a session is open", session_key);
    let places: Vec<Option<usize>> = LOGIN.iter().map(|field| body.find(field)).collect();
    let missing: Vec<String> = LOGIN
        .iter()
        .zip(&places)
        .filter(|(_, place)| place.is_none())
        .map(|(field, _)| format!("{field}…\""))
        .collect();
    if !missing.is_empty() {
        let repaired = match body.contains("<LoginPeopleID ") {
            true => "; LoginPeopleID was repaired into proper XML",
            false => "",
        };
        let text = format!("the body has no {}{repaired}", missing.join(", no "));
        heard.faults.push(Fault::new(Kind::LoginAnswer, text));
    } else if !places.is_sorted() {
        let names = LOGIN.map(|field| field.trim_start_matches('<').split([' ', '=']).next());
        let names: Vec<&str> = names.into_iter().flatten().collect();
        let text = format!("the elements have another order than {}", names.join(", "));
        heard.faults.push(Fault::new(Kind::LoginAnswer, text));
    }
    let key = |c: char| c.is_ascii_alphanumeric();
    heard.faults.extend(judge::odd("the CryptSessionKey", value(&body, LOGIN[2]), 64, key).err());
    let printable = |c| matches!(c, ' '..='~');
    heard.faults.extend(judge::odd("the LoginPeopleID", &screen_name, 32, printable).err());
    heard.faults.extend(judge::odd("the OAuth URL", value(&body, LOGIN[4]), 72, printable).err());
    heard.faults.extend(before_xml(&body));
    Ok(heard)
}

/// What stands between `before` and the next quote; nothing if it is not there.
fn value<'a>(body: &'a str, before: &str) -> &'a str {
    let rest = body.split_once(before).map_or("", |(_, rest)| rest);
    rest.split('"').next().unwrap_or_default()
}

/// Every answer that is known to work begins with its XML; the search itself would find it later.
fn before_xml(body: &str) -> Option<Fault> {
    let before = &body[..body.find("<Response")?];
    let shown: String = before.chars().take(40).collect();
    (!before.is_empty()).then(|| {
        let text = format!("before <Response stands {shown:?}");
        Fault::new(Kind::NotAsKnown, text).warning()
    })
}

/// Where the file is to be brought.
pub(super) fn announced(
    answer: &[u8],
    server: &[IpAddr],
    port: u16,
) -> Result<Heard<String>, Fault> {
    judge::status(answer, &[200], Kind::SessionUnknown)?;
    let body = camera::body(answer);
    let AnnounceAnswer { host: place, resource_id } = AnnounceAnswer::scan(&body)
        .ok_or_else(|| not_found("HostAddr=\"…\" and ResourceID=\"…\""))?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "._/-".contains(c);
    judge::odd("the ResourceID", &resource_id, 160, plain)?;
    if resource_id.is_empty() || resource_id.starts_with('/') {
        let text = format!("the ResourceID is {resource_id:?}: the camera adds the first slash");
        return Err(Fault::new(Kind::OddValue, text));
    }
    let (host, at) = match place.rsplit_once(':') {
        Some((host, at)) => (host, at.parse().ok()),
        None => (place.as_str(), Some(80)),
    };
    let is_server = host.parse().is_ok_and(|address: IpAddr| server.contains(&address));
    if !(is_server || NAMES.contains(&host)) || !(at == Some(80) || at == Some(port)) {
        let text = format!("the camera is told to bring the file to {place}");
        return Err(Fault::new(Kind::UploadElsewhere, text));
    }
    let mut heard = Heard::new("the server waits for it", resource_id);
    heard.faults.extend(before_xml(&body));
    Ok(heard)
}

/// Whether an upload was taken.
pub(super) fn taken(answer: &[u8]) -> Result<Heard<()>, Fault> {
    judge::status(answer, &[200], Kind::SessionUnknown)?;
    if !camera::has_succeeded(answer) {
        return Err(not_found("Status=\"succ\""));
    }
    let mut heard = Heard::new("the server says it is safe", ());
    heard.faults.extend(before_xml(&camera::body(answer)));
    Ok(heard)
}

/// The page that a camera's browser opens.
pub(super) fn page(answer: &[u8]) -> Result<Heard<()>, Fault> {
    judge::status(answer, &[200], Kind::WrongStatus)?;
    match camera::body(answer).is_empty() {
        false => Ok(Heard::new("a page for the camera's browser", ())),
        true => Err(Fault::new(Kind::NotUnderstood, "the page is empty")),
    }
}

/// The answer to an ST1000 that asks for the time.
pub(super) fn time(answer: &[u8]) -> Result<Heard<()>, Fault> {
    judge::status(answer, &[200], Kind::WrongStatus)?;
    let body = camera::body(answer);
    let time = body.split_once("<currentServerTime>").and_then(|(_, rest)| rest.split_once('<'));
    match time.map(|(time, _)| time.parse::<u64>()) {
        Some(Ok(EARLIEST..)) => Ok(Heard::new("the time", ())),
        Some(Ok(other)) => {
            let text = format!("the currentServerTime is {other}: no milliseconds since 1970");
            Err(Fault::new(Kind::TimeWrong, text))
        }
        _ => Err(not_found("<currentServerTime> in milliseconds")),
    }
}

fn not_found(what: &str) -> Fault {
    Fault::new(Kind::NotUnderstood, format!("the firmware finds no {what} in the body"))
}

/// The host that a request is for.
pub(super) fn host(request: &[u8]) -> &str {
    header(request, "Host").map_or("", |(_, host)| host)
}
