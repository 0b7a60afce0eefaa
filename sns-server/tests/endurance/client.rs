//! One person with a camera, over all rounds: posts, sends e-mails, logs out, is cut off, tries
//! again.
//!
//! Law: a broken connection is a fault unless the server was killed; an answer other than the one
//! expected always is. What was sent whole or acknowledged goes to the journal at once.

use crate::camera::{Camera, Named, Outcome};
use crate::journal::Journal;
use crate::photo::Photo;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

/// Few names, so that they meet often; some become the same where characters are made safe.
const NAMES: [&str; 8] = [
    "SAM_0001.JPG",
    "SAM_0001.JPG",
    "SAM_0002.JPG",
    "SAM 0002.JPG",
    "SAM?0002.JPG",
    "a/b.jpg",
    "\u{c0ac}\u{c9c4}.jpg",
    "MOV_0001.MP4",
];
const TEXTS: [&str; 3] = ["", "at the sea", "Am Meer & <im Sand>"];

pub(crate) struct Client {
    number: u8,
    social_user: String,
    mail_sender: String,
    mail_user: String,
    rng: fastrand::Rng,
    session: Option<String>,
    /// Every session that was opened and not closed, and whether it was used since the last check.
    pub(crate) sessions: BTreeMap<String, bool>,
    /// Sessions whose end was acknowledged since the last check.
    pub(crate) ended: Vec<String>,
    sent: Vec<Photo>,
    unfinished: Option<Unfinished>,
}

/// A request without an answer, which a camera sends again.
#[derive(Clone)]
enum Unfinished {
    Put { session: String, resource: String, file: Named },
    Email { text: String, files: Vec<Named> },
}

impl Client {
    pub(crate) fn new(number: u8, seed: u64) -> Client {
        // The first two send e-mail from one address: their photos meet in one folder.
        let mail_user = match number {
            0 | 1 => "family@example.com".to_owned(),
            _ => format!("camera{number}@example.com"),
        };
        Client {
            number,
            social_user: format!("user {number}"),
            mail_sender: if number == 1 {
                format!("Anna <{mail_user}>")
            } else {
                mail_user.clone()
            },
            mail_user,
            rng: fastrand::Rng::with_seed(seed.wrapping_mul(1000).wrapping_add(u64::from(number))),
            session: None,
            sessions: BTreeMap::new(),
            ended: Vec::new(),
            sent: Vec::new(),
            unfinished: None,
        }
    }

    /// This camera's number in addresses and messages.
    pub(crate) fn number(&self) -> u8 {
        self.number
    }

    /// Sends until the server is killed.
    pub(crate) fn work(
        &mut self,
        camera: &Camera,
        journal: &Journal,
        killed: &AtomicBool,
    ) -> Result<(), String> {
        while !killed.load(Ordering::SeqCst) {
            match self.step(camera, journal) {
                Ok(()) => {}
                // The flag is raised before the kill.
                Err(Outcome::Broken { .. }) if killed.load(Ordering::SeqCst) => {}
                Err(outcome) => {
                    return Err(format!("camera {}: {}", self.number, outcome.describe()));
                }
            }
        }
        Ok(())
    }

    fn step(&mut self, camera: &Camera, journal: &Journal) -> Result<(), Outcome> {
        if let Some(unfinished) = self.unfinished.take()
            && self.rng.u8(..10) > 0
        {
            return self.retry(camera, journal, unfinished);
        }
        match self.rng.u8(..100) {
            0..55 => self.post(camera, journal),
            55..85 => {
                let text = self.pick(&TEXTS);
                let files = (0..self.rng.usize(1..=3)).map(|_| self.file()).collect();
                self.email(camera, journal, text, files)
            }
            85..92 => {
                let session = self.session(camera)?;
                let (name, photo) = self.file();
                let resource = camera.announce(&session, &name, "")?;
                let sent = self.rng.u64(..photo.length);
                // The server may be gone; the next step will tell.
                let _ = camera.put_and_break_off(&resource, photo, sent);
                Ok(())
            }
            92..96 => self.log_out(camera),
            _ => {
                self.session = None;
                self.session(camera).map(drop)
            }
        }
    }

    /// The session this camera works with; one of an earlier round goes on.
    fn session(&mut self, camera: &Camera) -> Result<String, Outcome> {
        let session = match self.session.clone() {
            Some(session) => session,
            None => camera.login(&self.social_user)?,
        };
        self.sessions.insert(session.clone(), true);
        self.session = Some(session.clone());
        Ok(session)
    }

    fn log_out(&mut self, camera: &Camera) -> Result<(), Outcome> {
        let Some(session) = self.session.take() else { return Ok(()) };
        self.sessions.remove(&session); // without an answer nobody knows
        match camera.logout(&session) {
            outcome @ Outcome::Broken { .. } => Err(outcome),
            Outcome::Answered(answer) if samsung_sns::camera::has_succeeded(&answer) => {
                self.ended.push(session);
                Ok(())
            }
            outcome => Err(outcome),
        }
    }

    fn post(&mut self, camera: &Camera, journal: &Journal) -> Result<(), Outcome> {
        let session = self.session(camera)?;
        let mut file = self.file();
        let resource = if self.rng.u8(..10) > 0 {
            camera.announce(&session, &file.0, &self.pick(&TEXTS))?
        } else {
            file.0 = format!("PUT_{:04}.JPG", self.rng.u8(..5)); // nobody announced it
            format!("upload/{session}/{}", file.0)
        };
        self.put(camera, journal, session, resource, file)
    }

    fn put(
        &mut self,
        camera: &Camera,
        journal: &Journal,
        session: String,
        resource: String,
        file: Named,
    ) -> Result<(), Outcome> {
        let outcome = camera.put(&resource, file.1);
        let user = self.social_user.clone();
        let files = vec![file.clone()];
        self.settle(journal, &user, files, outcome, Unfinished::Put { session, resource, file })
    }

    fn email(
        &mut self,
        camera: &Camera,
        journal: &Journal,
        text: String,
        files: Vec<Named>,
    ) -> Result<(), Outcome> {
        let outcome = camera.email(&self.mail_sender, &text, &files);
        let user = self.mail_user.clone();
        self.settle(journal, &user, files.clone(), outcome, Unfinished::Email { text, files })
    }

    fn settle(
        &mut self,
        journal: &Journal,
        user: &str,
        files: Vec<Named>,
        outcome: Outcome,
        unfinished: Unfinished,
    ) -> Result<(), Outcome> {
        let succeeded = match &outcome {
            Outcome::Answered(answer) => samsung_sns::camera::has_succeeded(answer),
            Outcome::Broken { sent_whole, .. } => {
                self.unfinished = Some(unfinished);
                if *sent_whole {
                    journal.note(user, &files, false);
                }
                false
            }
        };
        if succeeded {
            journal.note(user, &files, true);
            return Ok(());
        }
        Err(outcome)
    }

    /// What a camera does whose answer did not come: the same again, sometimes from the announce on.
    fn retry(
        &mut self,
        camera: &Camera,
        journal: &Journal,
        unfinished: Unfinished,
    ) -> Result<(), Outcome> {
        match unfinished {
            Unfinished::Email { text, files } => self.email(camera, journal, text, files),
            Unfinished::Put { session, mut resource, file } => {
                let announced = !file.0.starts_with("PUT_");
                if announced && self.rng.bool() {
                    resource = camera.announce(&session, &file.0, &self.pick(&TEXTS))?;
                }
                self.sessions.insert(session.clone(), true);
                self.put(camera, journal, session, resource, file)
            }
        }
    }

    fn file(&mut self) -> Named {
        let name = self.pick(&NAMES);
        if !self.sent.is_empty() && self.rng.u8(..5) == 0 {
            return (name, self.sent[self.rng.usize(..self.sent.len())]);
        }
        let largest = if cfg!(debug_assertions) { 400_000 } else { 5_000_000 };
        let length = match self.rng.u8(..10) {
            0..4 => self.rng.u64(1..300),
            4..8 => self.rng.u64(300..200_000),
            _ => self.rng.u64(200_000..largest),
        };
        let photo = Photo::new(self.rng.u64(..), length);
        self.sent.push(photo);
        if self.sent.len() > 20 {
            self.sent.remove(0);
        }
        (name, photo)
    }

    fn pick(&mut self, from: &[&str]) -> String {
        from[self.rng.usize(..from.len())].to_owned()
    }

    /// After a restart: sessions that live must live, sessions that ended must have. With `all`,
    /// every one of them, otherwise those used since the last check.
    pub(crate) fn check_sessions(
        &mut self,
        camera: &Camera,
        journal: &Journal,
        all: bool,
    ) -> (u64, Vec<String>) {
        let (mut checked, mut lost) = (0, Vec::new());
        let keys: Vec<_> = self
            .sessions
            .iter()
            .filter(|(_, used)| all || **used)
            .map(|(key, _)| key.clone())
            .collect();
        for (number, key) in keys.into_iter().enumerate() {
            checked += 1;
            let file = ("check.jpg".to_owned(), Photo::new(7, 100));
            let accepted = camera.announce(&key, &file.0, "").and_then(|resource| {
                if number > 0 {
                    return Ok(());
                }
                self.put(camera, journal, key.clone(), resource, file)
            });
            if let Err(outcome) = accepted {
                let user = &self.social_user;
                lost.push(format!("a session of {user:?} is lost: {}", outcome.describe()));
            }
            self.sessions.insert(key, false);
        }
        for key in self.ended.drain(..) {
            checked += 1;
            match camera.announce(&key, "check.jpg", "") {
                Err(Outcome::Answered(answer))
                    if samsung_sns::camera::status(&answer) == Some(401) => {}
                other => lost.push(format!(
                    "a session of {:?} that was logged out is answered {}",
                    self.social_user,
                    other.map_or_else(|outcome| outcome.describe(), |_| "an upload".to_owned())
                )),
            }
        }
        (checked, lost)
    }
}
