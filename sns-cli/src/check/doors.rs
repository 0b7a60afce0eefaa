//! The doors that a camera knocks on, one after the other, and what each must answer.
//!
//! Law: no photo is sent unless `--send` was given; what is sent says of itself that it is a test.
//! Every request is the core's camera end, with the oddities of real ones. A walk that meets the same
//! closed door again and again ends.

use super::exchange::{Answer, End, connect, exchange};
use super::fault::{Fault, Kind};
use super::judge::{self, Heard};
use super::requests::{self, PHOTO_NAME};
use super::show::{Teller, Verdict};
use super::verdict::{self, Made};
use super::{Arguments, bodies};
use crate::habits;
use crate::login;
use samsung_sns::camera::{self, Attachment};
use samsung_sns::endpoint::HotspotCheck;
use samsung_sns::message::auth::Logout;
use samsung_sns::message::email::Email;
use samsung_sns::message::media::{Announce, Media};
use std::io;
use std::net::{IpAddr, SocketAddr};

/// With an alt text, so that a destination that requires one takes it.
const TEXT: &str = "A test by sns-cli check, please ignore~a test picture";
const DUID: &str = "000000000000";
/// The same of the e-mail that nobody sends.
const NO_DUID: &str = "000000000001";
const STRANGER: &str = "sns-cli-check";
/// So many doors in a row may fail by what is not the door's own, before the walk ends.
const ENOUGH: usize = 3;

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
    /// By what the last doors failed that is not the door's own.
    pub(super) in_the_way: Vec<Kind>,
}

impl Walk<'_, '_> {
    /// All doors, unless the port is closed.
    pub(super) fn all(&mut self) -> io::Result<()> {
        if !self.port()? {
            return self.skip("answers", "all", "the port is closed");
        }
        self.hotspots()?;
        self.ask("page", "www.samsungimaging.com", requests::page(), bodies::page)?;
        if self.arguments.model.is_none_or(habits::begins_with_the_time) {
            self.ask("time", "ST1000", &camera::time(), bodies::time)?;
            self.ask("list", "ST1000", &camera::service_providers(NO_DUID), |answer| {
                judge::status(answer, &[200], Kind::WrongStatus)?;
                Ok(Heard::new("answered; what it must hold, and what comes next, nobody knows", ()))
            })?;
        }
        self.social()?;
        self.email()?;
        match self.ends_early() {
            true => {
                let why = "not asked: the checks above failed for one reason, mend that first";
                self.teller.tell("answers", "all others", &Verdict::Skipped(why.to_owned()), None)
            }
            false => Ok(()),
        }
    }

    /// Whether there is something in the way that no other door will be without.
    fn ends_early(&self) -> bool {
        self.in_the_way.len() >= ENOUGH
    }

    fn port(&mut self) -> io::Result<bool> {
        let port = self.server.port();
        self.teller.waits_for(&format!("port {port}"));
        let verdict = match connect(self.server) {
            Ok(_) if port == 80 => Verdict::Green("open".to_owned()),
            Ok(_) => Verdict::Green("open; cameras themselves come to port 80".to_owned()),
            Err(error) => Verdict::Wrong(vec![Fault::new(Kind::PortClosed, error.to_string())]),
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
                    judge::hotspot(check, strict, answer)
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
        for method in ["PUT", "POST"] {
            let request = requests::upload_of_a_stranger(method);
            self.ask("upload", &format!("{method}, without a login"), &request, |answer| {
                if camera::has_succeeded(answer) {
                    let text = "a file was taken although nobody had logged in";
                    return Err(Fault::new(Kind::OpenDoor, text));
                }
                bodies::refused(answer, &[401])
            })?;
        }
        let request = requests::empty_login(&self.arguments.site);
        self.ask("login", "empty, at /auth/", &request, |answer| {
            bodies::refused(answer, &[400, 401])
        })?;
        let Some(user) = &self.arguments.user else { return self.stranger() };
        let session = self.login(user, &self.arguments.password, |answer| {
            judge::status(answer, &[200], Kind::NotAdmitted)?;
            Ok(bodies::session(answer)?.map(Some))
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
            Some(401) => {
                let mut heard = bodies::refused(answer, &[401])?.map(|()| None);
                heard.says += "; name one that may send with --user";
                Ok(heard)
            }
            _ => {
                judge::status(answer, &[200, 401], Kind::WrongStatus)?;
                let mut heard = bodies::session(answer)?.map(Some);
                heard.says += ": anybody may send";
                Ok(heard)
            }
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
        judge: impl FnOnce(&[u8]) -> Result<Heard<T>, Fault>,
    ) -> io::Result<Option<T>> {
        let site = &self.arguments.site;
        match login::request(self.arguments.model, site, user, password) {
            Ok(tidy) => {
                let server = self.server;
                self.ask("login", site.as_str(), &requests::as_captured(&tidy), |answer| {
                    if camera::status(answer) == Some(400) && is_taken(server, &tidy) {
                        let text = "the answer is 400 to a login as captured, with a line of leftover \
                                    junk and no </Request> at its end, and another without these";
                        return Err(Fault::new(Kind::TooStrict, text));
                    }
                    judge(answer)
                })
            }
            Err(error) => {
                self.skip("login", site.as_str(), &error)?;
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
            bodies::announced(answer, addresses, port)
        })?;
        let Some(resource_id) = resource_id else {
            return self.skip("upload", PHOTO_NAME, "the announce failed");
        };
        self.ask("upload", PHOTO_NAME, &requests::upload(&resource_id), bodies::taken)?;
        Ok(())
    }

    fn logout(&mut self, session: String) -> io::Result<()> {
        let logout = Logout { session_key: Some(session), user: None };
        let request = camera::logout(&self.arguments.site, &logout);
        self.ask("logout", self.arguments.site.as_str(), &request, |answer| {
            judge::status(answer, &[200], Kind::SessionUnknown)?;
            Ok(Heard::new("the session is closed", ()))
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
            bodies::refused(answer, &[400, 401])
        })?;
        let (Some(sender), Some(to)) = (&self.arguments.sender, &self.arguments.to) else {
            return self.skip("e-mail", PHOTO_NAME, "sent only with --sender, --to and --send");
        };
        if !self.arguments.send {
            let why = "it would stay on the server, and go where its routes lead: add --send";
            return self.skip("e-mail", PHOTO_NAME, why);
        }
        let photo = requests::photo();
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
            judge::status(answer, &[200], Kind::NotAdmitted)?;
            Ok(Heard::new("the server took it", ()))
        })?;
        Ok(())
    }

    fn skip(&mut self, check: &str, about: &str, why: &str) -> io::Result<()> {
        if self.ends_early() {
            return Ok(());
        }
        self.teller.tell(check, about, &Verdict::Skipped(why.to_owned()), None)
    }

    /// One request, judged both for how its answer came and for what it says. Gives what `judge`
    /// made of it, even if the way it came is wrong: the walk goes on as far as it can.
    fn ask<T>(
        &mut self,
        check: &str,
        about: &str,
        request: &[u8],
        judge: impl FnOnce(&[u8]) -> Result<Heard<T>, Fault>,
    ) -> io::Result<Option<T>> {
        if self.ends_early() {
            return Ok(None);
        }
        self.teller.waits_for(&format!("{check} {about}"));
        let has_file = matches!(check, "upload" | "e-mail");
        let answer: Answer = match exchange(self.server, request, has_file) {
            Ok(answer) => answer,
            Err(why) => {
                self.in_the_way(Some(Kind::NoAnswer));
                let verdict = Verdict::Wrong(vec![Fault::new(Kind::NoAnswer, why.to_string())]);
                self.teller.tell(check, about, &verdict, None)?;
                return Ok(None);
            }
        };
        let Made { says, made, faults, cause } = verdict::of(&answer, request, judge);
        let unreadable = faults.iter().map(|fault| fault.kind).find(|&kind| kind == Kind::NotHttp);
        let silent = (answer.end == End::Stalled).then_some(Kind::NoAnswer);
        self.in_the_way(cause.or(unreadable).or(silent));
        let verdict = if faults.is_empty() { Verdict::Green(says) } else { Verdict::Wrong(faults) };
        self.teller.tell(check, about, &verdict, Some(&answer))?;
        Ok(made)
    }

    /// Counts how often the same thing was in the way.
    fn in_the_way(&mut self, kind: Option<Kind>) {
        self.in_the_way.retain(|before| Some(*before) == kind);
        self.in_the_way.extend(kind);
    }
}

/// Whether a login is understood: taken, or refused for whom it names.
fn is_taken(server: SocketAddr, login: &[u8]) -> bool {
    let answer = exchange(server, login, false);
    answer.is_ok_and(|answer| matches!(camera::status(&answer.bytes), Some(200 | 401)))
}
