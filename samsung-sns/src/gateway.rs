//! The server end as one state machine: a [`Call`] in, a [`Turn`] out.
//!
//! Law: nothing is polled and nothing is called back. A turn is either an answer, or a plan to
//! receive a file together with a one-use [`Ticket`] that already holds the answers for "safe on
//! disk" and for everything that can go wrong. Time, address and randomness arrive in the call.

use crate::admission::Admission;
use crate::answer::{Answer, Refusal, Status};
use crate::endpoint::{Endpoint, Site};
use crate::hotspot::HotspotMemory;
use crate::message::MessageError;
use crate::message::auth::{AuthRequest, Login, LoginAnswer, Logout, SCREEN_NAME};
use crate::message::email::Email;
use crate::message::media::{Announce, AnnounceAnswer, Media};
use crate::message::sso::{AllShareLogin, time_answer};
use crate::quirk::Quirks;
use crate::session::{
    Changes, Series, SeriesId, Session, SessionKey, SessionRules, Sessions, Snapshot,
};
use crate::time::UnixTime;
use crate::wire::xml::{Document, decode};
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;
use zeroize::Zeroizing;

/// One request, with all that the gateway may not find out by itself.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// What the request is for.
    pub endpoint: &'a Endpoint,
    /// The message: the whole body of an auth or announce request, the message part of an e-mail;
    /// empty for a file, which is not received before the turn says so.
    pub message: &'a [u8],
    /// Where it came from.
    pub from: IpAddr,
    /// When.
    pub now: UnixTime,
    /// Sixteen fresh random bytes from a source nobody can guess; a login makes its key of them.
    pub random: [u8; 16],
}

/// What comes of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Turn {
    /// What is to be done about it.
    pub plan: Plan,
    /// What it has changed, to be kept for a restart, and which posts are due by it.
    pub changes: Changes,
}

/// What is to be done about a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// Answer this.
    Answer(Answer),
    /// Answer that the call is refused, and say why in the log.
    Refuse(Refusal),
    /// Receive the file or files; then answer as the ticket says.
    Receive(Ticket),
    /// A file is announced. Answer this, unless what the ticket says of it has nowhere to go: then
    /// answer [`Ticket::failed`]. The ticket receives nothing; the upload has its own.
    Announced(Ticket, Answer),
    /// Check the password, which takes long on purpose; then go on with
    /// [`Gateway::finish_login`].
    CheckPassword(PendingLogin),
}

/// A login that waits for its password to be checked.
#[derive(Clone, PartialEq, Eq)]
pub struct PendingLogin {
    /// Who wants to log in.
    pub user: String,
    /// The password that came.
    pub password: Zeroizing<String>,
    site: Site,
    from: IpAddr,
}

impl fmt::Debug for PendingLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingLogin").field("user", &self.user).finish_non_exhaustive()
    }
}

impl Plan {
    /// The answer that can be given at once, if one can.
    pub fn answer(&self) -> Option<Answer> {
        match self {
            Plan::Answer(answer) | Plan::Announced(_, answer) => Some(answer.clone()),
            Plan::Refuse(refusal) => Some(refusal.to_answer()),
            Plan::Receive(_) | Plan::CheckPassword(_) => None,
        }
    }
}

/// Permission to receive, used up by the answer it gives.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Ticket {
    /// Whose files these are: a configured spelling, or as sent where anyone may send.
    pub user: String,
    /// What they are part of.
    pub purpose: Purpose,
}

/// What received files are part of.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Purpose {
    /// A file for a social site.
    Upload {
        /// The files that came or will come under the same text.
        series: SeriesId,
        /// The site.
        site: Site,
        /// The file's name as the camera announced it.
        file_name: String,
        /// What the person typed.
        text: String,
        /// What it was announced as, if it was.
        media: Option<Media>,
    },
    /// An e-mail.
    Email(Email),
}

impl Ticket {
    /// Everything is safe on disk.
    pub fn stored(self) -> Answer {
        Answer::success()
    }

    /// It is not.
    pub fn failed(self, refusal: &Refusal) -> Answer {
        refusal.to_answer()
    }
}

/// The state of a server, without its sockets and files.
#[derive(Debug, Clone)]
pub struct Gateway {
    admission: Admission,
    sessions: Sessions,
    hotspot: HotspotMemory,
}

impl Gateway {
    /// A gateway without sessions. `max_sessions` and `lifetime` are those of
    /// [`Sessions::new`].
    pub fn new(admission: Admission, max_sessions: usize, lifetime: Duration) -> Gateway {
        Gateway::restore(admission, max_sessions, lifetime, Snapshot::default())
    }

    /// A gateway that goes on where another one was when it took the snapshot: a camera in the middle
    /// of a post does not notice.
    pub fn restore(
        admission: Admission,
        max_sessions: usize,
        lifetime: Duration,
        snapshot: Snapshot,
    ) -> Gateway {
        Gateway {
            admission,
            sessions: Sessions::restore(max_sessions, lifetime, snapshot),
            hotspot: HotspotMemory::default(),
        }
    }

    /// What [`restore`](Gateway::restore) needs. The turns of the hotspot checks are not in it: every
    /// client may begin anew.
    pub fn snapshot(&self) -> Snapshot {
        self.sessions.snapshot()
    }

    /// How many sessions are live, or ended by time without having been asked for since.
    pub fn live_sessions(&self) -> usize {
        self.sessions.len()
    }

    /// A session, if it is live: what to keep of [`Changes::sessions`].
    pub fn session(&self, key: &SessionKey) -> Option<&Session> {
        self.sessions.get(key)
    }

    /// From now on these bound sessions.
    pub fn set_session_rules(&mut self, rules: SessionRules) {
        self.sessions.set_rules(rules);
    }

    /// From now on these may send. Sessions of those who may not any longer end.
    pub fn set_admission(&mut self, admission: Admission) -> Changes {
        self.admission = admission;
        self.sessions.readmit(&self.admission)
    }

    /// Ends all sessions of a user, whose password has changed.
    pub fn end_sessions_of(&mut self, user: &str) -> Changes {
        self.sessions.close_all_of(user)
    }

    /// Ends sessions whose lifetime is over, without a call.
    pub fn expire(&mut self, now: UnixTime) -> Changes {
        self.sessions.expire(now)
    }

    /// What comes of a call.
    pub fn handle(&mut self, call: Call<'_>) -> Turn {
        let mut changes = Changes::default();
        let plan = self.plan(call, &mut changes).unwrap_or_else(Plan::Refuse);
        Turn { plan, changes }
    }

    fn plan(&mut self, call: Call<'_>, changes: &mut Changes) -> Result<Plan, Refusal> {
        let mut quirks = Quirks::default();
        let text = decode(call.message, &mut quirks);
        let document = Document::read(&text);
        let answer = match call.endpoint {
            Endpoint::Hotspot(check) => self.hotspot.answer(*check, call.from, call.now),
            Endpoint::Auth(site) => match AuthRequest::read(&document, &mut quirks)? {
                AuthRequest::Login(login) => {
                    let user = self.admission.admit(&login.user, call.from);
                    let user = user.ok_or(Refusal::NotAdmitted)?;
                    let (site, from) = (site.clone(), call.from);
                    let Login { password, .. } = login;
                    let pending = PendingLogin { user: user.name, password, site, from };
                    if user.has_password {
                        return Ok(Plan::CheckPassword(pending));
                    }
                    let turn = self.finish_login(pending, true, call.now, call.random);
                    *changes = turn.changes;
                    return Ok(turn.plan);
                }
                AuthRequest::OAuthLogin { .. } => return Err(Refusal::OAuthSite),
                AuthRequest::Logout(logout) => self.logout(&logout, &call, changes),
            },
            Endpoint::Photo(_) => {
                return self.announce(Announce::read_photo(&document)?, &call, changes);
            }
            Endpoint::Video(_) => {
                return self.announce(Announce::read_video(&document)?, &call, changes);
            }
            Endpoint::Upload { session, file_name } => {
                let name = String::from_utf8_lossy(file_name);
                return self.upload(session, &name, &call, changes).map(Plan::Receive);
            }
            Endpoint::Email { .. } => {
                let email = Email::read(&document, &mut quirks)?;
                return self.email(email, call.from).map(Plan::Receive);
            }
            Endpoint::Time => time_answer(call.now),
            // The ST1000 stops here; what it wants to read is unknown.
            Endpoint::ServiceProviders => Answer::success(),
            Endpoint::AllShare => {
                let login = AllShareLogin::read(&document)?;
                self.admission.admit(&login.login_id, call.from).ok_or(Refusal::NotAdmitted)?;
                Answer::success()
            }
            Endpoint::EmailPage => Answer::redirect("/"),
            Endpoint::Home => Answer::new(Status::Ok, "<html><body>samsung-sns</body></html>"),
            Endpoint::Unknown => return Err(Refusal::UnknownPath),
        };
        Ok(Plan::Answer(answer))
    }

    /// Goes on with a login whose password was checked, at the time and with the fresh randomness of
    /// now.
    pub fn finish_login(
        &mut self,
        pending: PendingLogin,
        password_is_right: bool,
        now: UnixTime,
        random: [u8; 16],
    ) -> Turn {
        if !password_is_right {
            let changes = Changes::default();
            return Turn { plan: Plan::Refuse(Refusal::WrongPassword), changes };
        }
        let PendingLogin { user, site, from, .. } = pending;
        // Who is admitted may have changed while the password was checked.
        if self.admission.admit(&user, from).is_none() {
            return Turn { plan: Plan::Refuse(Refusal::NotAdmitted), changes: Changes::default() };
        }
        let key = SessionKey::from_random(random);
        let answer = LoginAnswer {
            session_key: key.as_str().to_owned(),
            screen_name: SCREEN_NAME.to_owned(),
        };
        let changes = self.sessions.open(key, user, site, from, now);
        Turn { plan: Plan::Answer(answer.to_answer()), changes }
    }

    fn logout(&mut self, logout: &Logout, call: &Call<'_>, changes: &mut Changes) -> Answer {
        *changes = match &logout.session_key {
            Some(key) if self.sessions.is_elsewhere(key, call.from) => Changes::default(),
            Some(key) => self.sessions.close(key),
            None => {
                match logout.user.as_deref().map(|user| self.admission.admit(user, call.from)) {
                    Some(Some(user)) => self.sessions.close_from(call.from, Some(&user.name)),
                    Some(None) => Changes::default(), // somebody who never logged in
                    None => self.sessions.close_from(call.from, None),
                }
            }
        };
        Answer::success()
    }

    fn announce(
        &mut self,
        announce: Announce,
        call: &Call<'_>,
        changes: &mut Changes,
    ) -> Result<Plan, Refusal> {
        self.is_here(&announce.session_key, call.from)?;
        let (announced, over) = self.sessions.announce(&announce, call.now);
        *changes = over;
        let (session, series, resource_name) = announced.ok_or(Refusal::NoSession)?;
        let answer = AnnounceAnswer::new(&announce.session_key, &resource_name).to_answer();
        Ok(Plan::Announced(upload_ticket(session, series, announce.file_name), answer))
    }

    fn upload(
        &mut self,
        key: &str,
        name: &str,
        call: &Call<'_>,
        changes: &mut Changes,
    ) -> Result<Ticket, Refusal> {
        self.is_here(key, call.from)?;
        let (found, over) = self.sessions.upload(key, name, call.now);
        *changes = over;
        let (session, series, file_name) = found.ok_or(Refusal::NoSession)?;
        Ok(upload_ticket(session, series, file_name))
    }

    fn is_here(&self, key: &str, from: IpAddr) -> Result<(), Refusal> {
        if self.sessions.is_elsewhere(key, from) { Err(Refusal::OtherAddress) } else { Ok(()) }
    }

    fn email(&mut self, email: Email, from: IpAddr) -> Result<Ticket, Refusal> {
        let user = self.admission.admit(email.sender_address(), from);
        let user = user.ok_or(Refusal::NotAdmitted)?.name;
        Ok(Ticket { user, purpose: Purpose::Email(email) })
    }
}

/// What a file of this name is part of.
fn upload_ticket(session: &Session, series: Series, file_name: String) -> Ticket {
    let site = session.site.clone();
    let Series { id: series, text, media } = series;
    let purpose = Purpose::Upload { series, site, file_name, text, media };
    Ticket { user: session.user.clone(), purpose }
}

impl From<MessageError> for Refusal {
    fn from(error: MessageError) -> Refusal {
        Refusal::NotUnderstood(error.to_string())
    }
}
