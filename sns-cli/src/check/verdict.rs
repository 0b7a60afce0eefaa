//! What a camera makes of an answer: for `check`, which tells it, and for `simulate`, which stops
//! there.
//!
//! Law: there is one judgement. How an answer came and what it says are put together here, so that
//! one cause is told once.

pub(crate) use super::exchange::NoAnswer;
use super::exchange::{Answer, receive};
use super::fault::{Fault, Kind};
use super::judge::{self, Heard};
use super::{bodies, causes};
use samsung_sns::endpoint::HotspotCheck;
use std::io;
use std::net::{IpAddr, TcpStream};
use std::time::Duration;

/// What was made of an answer, and what is wrong with it.
pub(super) struct Made<T> {
    /// In words; empty if nothing was made of it.
    pub(super) says: String,
    /// What it says, even if the way it came is wrong.
    pub(super) made: Option<T>,
    /// What is wrong with it.
    pub(super) faults: Vec<Fault>,
    /// What stands there in the place of a server for cameras.
    pub(super) cause: Option<Kind>,
}

/// Judges both how an answer came and what it says.
pub(super) fn of<T>(
    answer: &Answer,
    request: &[u8],
    judge: impl FnOnce(&[u8]) -> Result<Heard<T>, Fault>,
) -> Made<T> {
    let mut faults = judge::transport(answer);
    let said = judge::respelt(&answer.bytes);
    match judge(&said) {
        Ok(heard) => {
            faults.extend(heard.faults);
            Made { says: heard.says, made: Some(heard.made), faults, cause: None }
        }
        Err(fault) => {
            let cause = causes::of(&said, bodies::host(request));
            match &cause {
                Some(cause) => faults = vec![cause.clone()],
                None if faults.iter().any(judge::hides_what_it_says) => {}
                None => faults.insert(0, fault),
            }
            let cause = cause.map(|fault| fault.kind);
            Made { says: String::new(), made: None, faults, cause }
        }
    }
}

/// An answer to `simulate`, as it came.
pub(crate) struct Came {
    answer: Answer,
    /// The beginning of the request.
    request: Vec<u8>,
    /// Whether the request ended with a file.
    follows_file: bool,
}

/// What is wrong with an answer, in words.
pub(crate) struct Judged<T> {
    /// What was made of it.
    pub(crate) made: Option<T>,
    /// Where a camera stops.
    pub(crate) red: Vec<String>,
    /// What is only other than what is known to work.
    pub(crate) notes: Vec<String>,
    /// Whether it is no server for cameras that answers.
    pub(crate) is_somebody_else: bool,
}

impl Came {
    /// Takes the answer to a request that begins so. `failed`: why sending did not come to its end;
    /// `is_early`: whether the answer began before that.
    pub(crate) fn receive(
        stream: &mut TcpStream,
        request: &[u8],
        failed: Option<io::Error>,
        (is_early, follows_file, patience): (bool, bool, Duration),
    ) -> Result<Came, NoAnswer> {
        let answer = receive(stream, failed, is_early, patience)?;
        Ok(Came { answer, request: request.to_vec(), follows_file })
    }

    /// The answer.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.answer.bytes
    }

    /// To a hotspot check.
    pub(crate) fn hotspot(&self, check: HotspotCheck, strict: bool) -> Judged<()> {
        self.judged(|answer| judge::hotspot(check, strict, answer))
    }

    /// To a login: the session.
    pub(crate) fn login(&self) -> Judged<String> {
        self.judged(bodies::session)
    }

    /// To an announce: where the file is to be brought, if that is at this server.
    pub(crate) fn announce(&self, server: &[IpAddr], port: u16) -> Judged<String> {
        self.judged(|answer| bodies::announced(answer, server, port))
    }

    /// To an upload.
    pub(crate) fn upload(&self) -> Judged<()> {
        self.judged(bodies::taken)
    }

    /// To an ST1000 that asks for the time.
    pub(crate) fn time(&self) -> Judged<()> {
        self.judged(bodies::time)
    }

    /// To anything of which only the status counts.
    pub(crate) fn any(&self) -> Judged<()> {
        self.judged(|answer| {
            judge::status(answer, &[200], Kind::NotAdmitted)?;
            Ok(Heard::new("", ()))
        })
    }

    fn judged<T>(&self, judge: impl FnOnce(&[u8]) -> Result<Heard<T>, Fault>) -> Judged<T> {
        let Made { made, mut faults, cause, .. } = of(&self.answer, &self.request, judge);
        // It may have been on its way for long after its last byte was handed to the network.
        faults.retain(|fault| !(self.follows_file && fault.kind == Kind::Slow));
        let (red, notes): (Vec<Fault>, _) = faults.into_iter().partition(|its| its.is_certain);
        let words = |faults: Vec<Fault>| faults.iter().map(told).collect();
        let (red, notes) = (words(red), words(notes));
        Judged { made, red, notes, is_somebody_else: cause.is_some() }
    }
}

/// A fault with the name that the guide knows it by, and what to do.
fn told(fault: &Fault) -> String {
    let unknown = match fault.kind {
        Kind::LeftOpen => ", and whether a camera waits for its end is not known",
        _ => "",
    };
    format!("{}{unknown} ({}: {})", fault.text, fault.kind.code(), fault.kind.advice())
}
