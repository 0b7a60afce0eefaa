//! The doors that a camera knocks on, one after the other, and what each must answer.
//!
//! Law: nothing is left on the server unless `--send` was given; what is sent then says of itself
//! that it is a test. Every request is the core's camera end.

use super::Arguments;
use super::exchange::{Answer, connect, exchange};
use super::fault::{Fault, Kind};
use super::judge;
use super::names::NAMES;
use super::show::{Teller, Verdict};
use crate::{habits, login};
use samsung_sns::camera::{self, Attachment};
use samsung_sns::endpoint::HotspotCheck;
use samsung_sns::message::auth::{LoginAnswer, Logout};
use samsung_sns::message::email::Email;
use samsung_sns::message::media::{Announce, AnnounceAnswer, Media};
use std::io;
use std::net::{IpAddr, SocketAddr};

const PHOTO: &[u8] = include_bytes!("../../../testdata/photo.jpg");
const PHOTO_NAME: &str = "SNS-CLI-CHECK.JPG";
/// With an alt text, so that a destination that requires one takes it.
const TEXT: &str = "A test by sns-cli check, please ignore~a test picture";
const DUID: &str = "000000000000";
/// The same of the e-mail that nobody sends.
const NO_DUID: &str = "000000000001";
/// A session that no server has opened.
const NO_SESSION: &str = "00000000000000000000000000000000";
const STRANGER: &str = "sns-cli-check";

/// Walks from door to door.
pub(super) struct Walk<'a, 'out> {
    /// What was asked for.
    pub(super) arguments: &'a Arguments,
    /// Where the server is.
    pub(super) server: SocketAddr,
    /// All addresses of HOST.
    pub(super) addresses: &'a [IpAddr],
    /// Who tells of it.
    pub(super) teller: &'a mut Teller<'out>,
}

impl Walk<'_, '_> {
    /// All doors, unless the port is closed.
    pub(super) fn all(&mut self) -> io::Result<()> {
        if !self.port()? {
            return self.skip("answers", "all", "the port is closed");
        }
        self.hotspots()?;
        let page = b"GET / HTTP/1.1\r\nHost: www.samsungimaging.com\r\nConnection: close\r\n\r\n";
        self.ask("page", "www.samsungimaging.com", page, |answer| {
            judge::status(answer, 200)?;
            match camera::body(answer).is_empty() {
                false => Ok(("a page for the camera's browser".to_owned(), ())),
                true => Err(Fault::new(Kind::NotUnderstood, "the page is empty")),
            }
        })?;
        if self.arguments.model.is_none_or(habits::begins_with_the_time) {
            self.ask("time", "ST1000", &camera::time(), time)?;
        }
        self.social()?;
        self.email()
    }

    fn port(&mut self) -> io::Result<bool> {
        let port = self.server.port();
        self.teller.waits_for(&format!("port {port}"));
        let verdict = match connect(self.server) {
            Ok(_) if port == 80 => Verdict::Green("open".to_owned()),
            Ok(_) => Verdict::Green("open; cameras themselves come to port 80".to_owned()),
            Err(error) => Verdict::Red(vec![Fault::new(Kind::PortClosed, error.to_string())]),
        };
        self.teller.tell("port", &port.to_string(), &verdict, None)?;
        Ok(matches!(verdict, Verdict::Green(_)))
    }

    fn hotspots(&mut self) -> io::Result<()> {
        let model = self.arguments.model;
        let makes = |check| match model.and_then(|model| model.hotspot) {
            Some(its) => its.check == check,
            None => true,
        };
        // What an NX mini is known to accept, is asked for unless another camera is named.
        let strict = model.is_none_or(habits::wants_an_empty_gld);
        for (check, about) in [
            (HotspotCheck::Gld, "gld"),
            // Twice: the server known to work answers cookie and redirect in turn.
            (HotspotCheck::Yahoo, "Yahoo"),
            (HotspotCheck::Yahoo, "Yahoo, again"),
            (HotspotCheck::Msn, "MSN"),
        ] {
            if makes(check) {
                self.ask("hotspot", about, &camera::hotspot_check(check), |answer| {
                    judge::hotspot(check, strict, answer).map(|says| (says, ()))
                })?;
            }
        }
        Ok(())
    }

    fn social(&mut self) -> io::Result<()> {
        if let Some(model) = self.arguments.model.filter(|model| habits::sends_email_only(model)) {
            let why = format!("the {} sends e-mail only", model.name);
            return self.skip("login", "social sites", &why);
        }
        let head = camera::upload_head(&resource(NO_SESSION), "image/jpeg", PHOTO.len() as u64);
        self.ask("upload", "without a login", &[&head, PHOTO].concat(), |answer| {
            if camera::has_succeeded(answer) {
                let text = "a file was taken although nobody had logged in";
                return Err(Fault::new(Kind::OpenDoor, text));
            }
            refused(answer, &[401]).map(|says| (says, ()))
        })?;
        let Some(user) = &self.arguments.user else { return self.stranger() };
        let session = self.login(user, &self.arguments.password, |answer| {
            judge::status(answer, 200)?;
            session(answer).map(|key| ("a session is open".to_owned(), Some(key)))
        })?;
        let Some(session) = session.flatten() else {
            return self.skip("upload", PHOTO_NAME, "the login failed");
        };
        self.post(&session)?;
        self.logout(session)
    }

    /// Nobody was named: a login must open a session or be refused, as cameras understand it.
    fn stranger(&mut self) -> io::Result<()> {
        let session = self.login(STRANGER, STRANGER, |answer| match camera::status(answer) {
            Some(200) => {
                let key = session(answer)?;
                Ok(("a session is open: anybody may send".to_owned(), Some(key)))
            }
            _ => Ok((refused(answer, &[401])? + "; name one that may send with --user", None)),
        })?;
        match session.flatten() {
            Some(session) => {
                self.skip("upload", PHOTO_NAME, "a photo is sent only with --user and --send")?;
                self.logout(session)
            }
            None => self.skip("upload", PHOTO_NAME, "nobody is logged in"),
        }
    }

    fn login<T>(
        &mut self,
        user: &str,
        password: &str,
        judge: impl FnOnce(&[u8]) -> Result<(String, T), Fault>,
    ) -> io::Result<Option<T>> {
        let site = &self.arguments.site;
        let in_clear = self.arguments.model.is_some_and(habits::sends_credentials_in_clear);
        let login = login::of(user, password, in_clear).map_err(io::Error::other)?;
        match camera::login(site, &login) {
            Ok(request) => self.ask("login", site.as_str(), &request, judge),
            Err(error) => {
                self.skip("login", site.as_str(), &format!("cannot be written: {error}"))?;
                Ok(None)
            }
        }
    }

    /// Announces and uploads the picture, if it was asked for.
    fn post(&mut self, session: &str) -> io::Result<()> {
        if !self.arguments.send {
            let why = "a photo would stay on the server, and go where its routes lead: add --send";
            return self.skip("upload", PHOTO_NAME, why);
        }
        let announce = Announce {
            session_key: session.to_owned(),
            media: Media::Photo { album: None },
            file_name: PHOTO_NAME.to_owned(),
            content: TEXT.to_owned(),
        };
        let request = camera::announce(&self.arguments.site, &announce);
        let (addresses, port) = (self.addresses, self.server.port());
        let resource_id = self.ask("announce", PHOTO_NAME, &request, |answer| {
            let id = announced(answer, addresses, port)?;
            Ok(("the server waits for it".to_owned(), id))
        })?;
        let Some(resource_id) = resource_id else {
            return self.skip("upload", PHOTO_NAME, "the announce failed");
        };
        let photo = photo();
        let head = camera::upload_head(&resource_id, "image/jpeg", photo.len() as u64);
        self.ask("upload", PHOTO_NAME, &[head, photo].concat(), |answer| {
            judge::status(answer, 200)?;
            match camera::has_succeeded(answer) {
                true => Ok(("the server says it is safe".to_owned(), ())),
                false => Err(not_found("Status=\"succ\"")),
            }
        })?;
        Ok(())
    }

    fn logout(&mut self, session: String) -> io::Result<()> {
        let logout = Logout { session_key: Some(session), user: None };
        let request = camera::logout(&self.arguments.site, &logout);
        self.ask("logout", self.arguments.site.as_str(), &request, |answer| {
            judge::status(answer, 200).map(|()| ("the session is closed".to_owned(), ()))
        })?;
        Ok(())
    }

    fn email(&mut self) -> io::Result<()> {
        // The head that an NX300 writes, which is no proper HTTP, before a message that means
        // nothing: whoever refuses it has read it.
        let nobody = Email {
            sender: String::new(),
            recipients: Vec::new(),
            title: "[sns-cli check] a test, please ignore".to_owned(),
            body: String::new(),
        };
        let request = camera::email(&nobody, NO_DUID, &[]);
        let bytes = [request.opening, request.closing].concat();
        self.ask("e-mail", "without a sender", &bytes, |answer| {
            refused(answer, &[400, 401]).map(|says| (says, ()))
        })?;
        let (Some(sender), Some(to)) = (&self.arguments.sender, &self.arguments.to) else {
            return self.skip("e-mail", PHOTO_NAME, "sent only with --sender, --to and --send");
        };
        if !self.arguments.send {
            let why = "it would stay on the server, and go where its routes lead: add --send";
            return self.skip("e-mail", PHOTO_NAME, why);
        }
        let photo = photo();
        let email = Email {
            sender: sender.clone(),
            recipients: vec![to.clone()],
            title: "[sns-cli check] a test, please ignore".to_owned(),
            body: TEXT.to_owned(),
        };
        let attachment = Attachment {
            file_name: PHOTO_NAME.to_owned(),
            media_type: "image/jpeg".to_owned(),
            length: photo.len() as u64,
        };
        let request = camera::email(&email, DUID, &[attachment]);
        let heads = request.part_heads.concat();
        let bytes = [request.opening, heads, photo, request.closing].concat();
        self.ask("e-mail", to, &bytes, |answer| {
            judge::status(answer, 200)?;
            Ok(("the server took it".to_owned(), ()))
        })?;
        Ok(())
    }

    fn skip(&mut self, check: &str, about: &str, why: &str) -> io::Result<()> {
        self.teller.tell(check, about, &Verdict::Skipped(why.to_owned()), None)
    }

    /// One request, judged both for how its answer came and for what it says. Gives what `judge`
    /// made of it, even if the way it came is wrong: the walk goes on as far as it can.
    fn ask<T>(
        &mut self,
        check: &str,
        about: &str,
        request: &[u8],
        judge: impl FnOnce(&[u8]) -> Result<(String, T), Fault>,
    ) -> io::Result<Option<T>> {
        self.teller.waits_for(&format!("{check} {about}"));
        let answer: Answer = match exchange(self.server, request) {
            Ok(answer) => answer,
            Err(why) => {
                let verdict = Verdict::Red(vec![Fault::new(Kind::NoAnswer, why.to_string())]);
                self.teller.tell(check, about, &verdict, None)?;
                return Ok(None);
            }
        };
        let mut faults = judge::transport(&answer);
        let (says, made) = match judge(&answer.bytes) {
            Ok((says, made)) => (says, Some(made)),
            Err(fault) => {
                // One is enough of what cannot be read at all.
                if !faults.iter().any(|found| found.kind == fault.kind) {
                    faults.insert(0, fault);
                }
                (String::new(), None)
            }
        };
        let verdict = if faults.is_empty() { Verdict::Green(says) } else { Verdict::Red(faults) };
        self.teller.tell(check, about, &verdict, Some(&answer))?;
        Ok(made)
    }
}

/// The path of the picture in this session.
fn resource(session: &str) -> String {
    AnnounceAnswer::new(session, PHOTO_NAME).resource_id
}

pub(crate) fn not_found(what: &str) -> Fault {
    Fault::new(Kind::NotUnderstood, format!("the firmware finds no {what} in the body"))
}

/// Whether an answer is a refusal as cameras know it: one of these statuses, and error XML.
fn refused(answer: &[u8], statuses: &[u16]) -> Result<String, Fault> {
    let is_one = camera::status(answer).is_some_and(|status| statuses.contains(&status));
    if !is_one {
        return judge::status(answer, statuses[0]).map(|()| String::new());
    }
    match camera::body(answer).contains("<Response ErrCode=\"") {
        true => Ok("refused, as it should be".to_owned()),
        false => Err(not_found("<Response ErrCode=\"…\"")),
    }
}

/// The session that a login has opened.
pub(crate) fn session(answer: &[u8]) -> Result<String, Fault> {
    let body = camera::body(answer);
    let answer = LoginAnswer::scan(&body).filter(|a| !a.session_key.is_empty());
    let answer = answer.ok_or_else(|| not_found("<Response SessionKey=\"…\">"))?;
    if !body.contains("<LoginPeopleID=\"") {
        return Err(not_found("<LoginPeopleID=\"…\", which is no attribute"));
    }
    // 32 hexadecimal characters and a name of 16 are known to work; twice as long is a guess.
    judge::odd("the SessionKey", &answer.session_key, 64, |c| c.is_ascii_alphanumeric())?;
    judge::odd("the LoginPeopleID", &answer.screen_name, 32, |c| matches!(c, ' '..='~'))?;
    Ok(answer.session_key)
}

/// Where the file is to be brought.
pub(crate) fn announced(answer: &[u8], server: &[IpAddr], port: u16) -> Result<String, Fault> {
    judge::status(answer, 200)?;
    let answer = AnnounceAnswer::scan(&camera::body(answer));
    let AnnounceAnswer { host: place, resource_id } =
        answer.ok_or_else(|| not_found("HostAddr=\"…\" and ResourceID=\"…\""))?;
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
    Ok(resource_id)
}

/// The answer to an ST1000 that asks for the time.
pub(crate) fn time(answer: &[u8]) -> Result<(String, ()), Fault> {
    judge::status(answer, 200)?;
    let body = camera::body(answer);
    let time = body.split_once("<currentServerTime>").and_then(|(_, rest)| rest.split_once('<'));
    match time.map(|(time, _)| time.parse::<u64>()) {
        Some(Ok(_)) => Ok(("the time".to_owned(), ())),
        _ => Err(not_found("<currentServerTime> in milliseconds")),
    }
}

/// The picture, with a comment inside that says what it is.
fn photo() -> Vec<u8> {
    let comment = b"A test picture of sns-cli check: delete it as you like.";
    let length = (comment.len() as u16 + 2).to_be_bytes();
    let (start, rest) = PHOTO.split_at(2);
    [start, &[0xff, 0xfe], &length, comment, rest].concat()
}
