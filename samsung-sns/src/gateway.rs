//! The server end as one state machine: a [`Call`] in, a [`Turn`] out.
//!
//! Law: nothing is polled and nothing is called back. A turn is either an answer, or a plan to
//! receive a file together with a one-use [`Ticket`] that already holds the answers for "safe on
//! disk" and for everything that can go wrong. Time, address and randomness arrive in the call.

use crate::answer::{Answer, Refusal, Status};
use crate::endpoint::{Endpoint, Site};
use crate::hotspot::HotspotMemory;
use crate::message::MessageError;
use crate::message::auth::{AuthRequest, LoginAnswer, Logout, SCREEN_NAME};
use crate::message::email::Email;
use crate::message::media::{Announce, AnnounceAnswer, Media};
use crate::message::sso::{AllShareLogin, time_answer};
use crate::quirk::Quirks;
use crate::session::{SessionKey, Sessions, State};
use crate::time::UnixTime;
use crate::wire::xml::{Document, decode};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

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

/// What is to be done about a call.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Turn {
    /// Answer this.
    Answer(Answer),
    /// Answer that the call is refused, and say why in the log.
    Refuse(Refusal),
    /// Receive the file or files; then answer as the ticket says.
    Receive(Ticket),
}

impl Turn {
    /// The answer that can be given at once, if one can.
    pub fn answer(&self) -> Option<Answer> {
        match self {
            Turn::Answer(answer) => Some(answer.clone()),
            Turn::Refuse(refusal) => Some(refusal.to_answer()),
            Turn::Receive(_) => None,
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

/// Who may send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// Anyone: the trial mode.
    Anyone,
    /// These social login names and e-mail addresses, compared without case.
    Users(BTreeMap<String, String>),
}

impl Admission {
    /// Only these, spelt as they shall be shown.
    pub fn users(names: impl IntoIterator<Item = String>) -> Admission {
        Admission::Users(names.into_iter().map(|name| (name.to_lowercase(), name)).collect())
    }

    /// The spelling under which this user's files are kept, if the user is admitted.
    pub fn admit(&self, user: &str) -> Option<String> {
        match self {
            Admission::Anyone => Some(user.to_owned()),
            Admission::Users(users) => users.get(&user.trim().to_lowercase()).cloned(),
        }
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
        Gateway {
            admission,
            sessions: Sessions::new(max_sessions, lifetime),
            hotspot: HotspotMemory::default(),
        }
    }

    /// How many sessions are live, or ended by time without having been asked for since.
    pub fn live_sessions(&self) -> usize {
        self.sessions.len()
    }

    /// What is to be done about a call.
    pub fn handle(&mut self, call: Call<'_>) -> Turn {
        match self.turn(call) {
            Ok(turn) => turn,
            Err(refusal) => Turn::Refuse(refusal),
        }
    }

    fn turn(&mut self, call: Call<'_>) -> Result<Turn, Refusal> {
        let mut quirks = Quirks::default();
        let text = decode(call.message, &mut quirks);
        let document = Document::read(&text);
        let answer = match call.endpoint {
            Endpoint::Hotspot(check) => self.hotspot.answer(*check, call.from, call.now),
            Endpoint::Auth(site) => match AuthRequest::read(&document, &mut quirks)? {
                AuthRequest::Login(login) => self.login(site, &login.user, &call)?,
                AuthRequest::OAuthLogin { .. } => return Err(Refusal::OAuthSite),
                AuthRequest::Logout(logout) => self.logout(&logout, &call),
            },
            Endpoint::Photo(_) => self.announce(&Announce::read_photo(&document)?, &call)?,
            Endpoint::Video(_) => self.announce(&Announce::read_video(&document)?, &call)?,
            Endpoint::Upload { session, file_name } => {
                let name = String::from_utf8_lossy(file_name);
                return self.upload(session, &name, &call).map(Turn::Receive);
            }
            Endpoint::Email { .. } => {
                let email = Email::read(&document, &mut quirks)?;
                return self.email(email).map(Turn::Receive);
            }
            Endpoint::Time => time_answer(call.now),
            // The ST1000 stops here; what it wants to read is unknown.
            Endpoint::ServiceProviders => Answer::success(),
            Endpoint::AllShare => {
                let login = AllShareLogin::read(&document)?;
                self.admission.admit(&login.login_id).ok_or(Refusal::NotAdmitted)?;
                Answer::success()
            }
            Endpoint::EmailPage => Answer::redirect("/"),
            Endpoint::Home => Answer::new(Status::Ok, "<html><body>samsung-sns</body></html>"),
            Endpoint::Unknown => return Err(Refusal::UnknownPath),
        };
        Ok(Turn::Answer(answer))
    }

    fn login(&mut self, site: &Site, user: &str, call: &Call<'_>) -> Result<Answer, Refusal> {
        let user = self.admission.admit(user).ok_or(Refusal::NotAdmitted)?;
        let key = SessionKey::from_random(call.random);
        let answer = LoginAnswer {
            session_key: key.as_str().to_owned(),
            screen_name: SCREEN_NAME.to_owned(),
        };
        self.sessions.open(key, user, site.clone(), call.from, call.now);
        Ok(answer.to_answer())
    }

    fn logout(&mut self, logout: &Logout, call: &Call<'_>) -> Answer {
        match &logout.session_key {
            Some(key) => self.sessions.close(key),
            None => match logout.user.as_deref().map(|user| self.admission.admit(user)) {
                Some(Some(user)) => self.sessions.close_from(call.from, Some(&user)),
                Some(None) => {} // somebody who never logged in
                None => self.sessions.close_from(call.from, None),
            },
        }
        Answer::success()
    }

    fn announce(&mut self, announce: &Announce, call: &Call<'_>) -> Result<Answer, Refusal> {
        let announced = self.sessions.announce(announce, call.now);
        let (_, name) = announced.ok_or(Refusal::NoSession)?;
        Ok(AnnounceAnswer::new(&announce.session_key, &name).to_answer())
    }

    fn upload(&mut self, key: &str, name: &str, call: &Call<'_>) -> Result<Ticket, Refusal> {
        let (session, file_name) =
            self.sessions.upload(key, name, call.now).ok_or(Refusal::NoSession)?;
        let (text, media) = match &session.state {
            State::Posting { text, media } => (text.clone(), media.clone()),
            State::LoggedIn => (String::new(), None),
        };
        let site = session.site.clone();
        let purpose = Purpose::Upload { site, file_name, text, media };
        Ok(Ticket { user: session.user.clone(), purpose })
    }

    fn email(&mut self, email: Email) -> Result<Ticket, Refusal> {
        let user = self.admission.admit(email.sender_address()).ok_or(Refusal::NotAdmitted)?;
        Ok(Ticket { user, purpose: Purpose::Email(email) })
    }
}

impl From<MessageError> for Refusal {
    fn from(error: MessageError) -> Refusal {
        Refusal::NotUnderstood(error.to_string())
    }
}
