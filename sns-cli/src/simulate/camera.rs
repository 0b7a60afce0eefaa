//! A camera at work: it sends, listens, tells, and remembers how long each request took.
//!
//! Law: one connection a request. One camera alone tells what happens, and where it happens what
//! stops it; of many only the sums are told.

use super::Arguments;
use super::answer::understood;
use super::link::Link;
use super::server::Piece;
use super::stop::{Kind, Stop};
use crate::check::verdict::{Came, Judged};
use crate::{Outcome, print};
use indicatif::ProgressBar;
use std::io::{self, ErrorKind, Write};
use std::time::{Duration, Instant};

/// The kinds of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    Hotspot,
    Time,
    Providers,
    Login,
    Announce,
    Upload,
    Logout,
    Email,
}

impl Step {
    /// All, in the order in which they are shown.
    pub(super) const ALL: [Step; 8] = [
        Step::Hotspot,
        Step::Time,
        Step::Providers,
        Step::Login,
        Step::Announce,
        Step::Upload,
        Step::Logout,
        Step::Email,
    ];

    /// What people call it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Step::Hotspot => "hotspot",
            Step::Time => "time",
            Step::Providers => "providers",
            Step::Login => "login",
            Step::Announce => "announce",
            Step::Upload => "upload",
            Step::Logout => "logout",
            Step::Email => "e-mail",
        }
    }

    /// Whether it carries files, and so is what breaks when the link does.
    fn carries_files(self) -> bool {
        matches!(self, Step::Upload | Step::Email)
    }
}

/// How one request went.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    /// What it was.
    pub(super) step: Step,
    /// From the connection's beginning to its end.
    pub(super) took: Duration,
    /// Its length in bytes; what of it was sent, if it failed, is not known.
    pub(super) length: u64,
    /// Why it failed, if it did.
    pub(super) failure: Option<Kind>,
}

/// One camera.
pub(super) struct Camera<'a> {
    /// What it is to do.
    pub(super) arguments: &'a Arguments,
    /// Moves as files are sent.
    pub(super) bar: &'a ProgressBar,
    /// Where it tells what happens; `None` for one of many.
    pub(super) out: Option<&'a mut dyn Write>,
    /// How its requests went.
    pub(super) samples: Vec<Sample>,
    /// How many files the server has said to be safe.
    pub(super) safe: usize,
    /// Why something could not be told.
    pub(super) untold: Option<io::Error>,
}

impl<'a> Camera<'a> {
    /// A camera that has done nothing yet.
    pub(super) fn new(
        arguments: &'a Arguments,
        bar: &'a ProgressBar,
        out: Option<&'a mut dyn Write>,
    ) -> Camera<'a> {
        Camera { arguments, bar, out, samples: Vec::new(), safe: 0, untold: None }
    }

    /// Says, in a line, what happened.
    pub(super) fn say(&mut self, sentence: &str) {
        let Camera { bar, out: Some(out), .. } = self else { return };
        let told = bar.suspend(|| {
            writeln!(out, "{}", print::escaped(sentence))?;
            out.flush()
        });
        // Somebody who no longer reads does not stop the camera, nor change how it went.
        if let Err(error) = told
            && error.kind() != ErrorKind::BrokenPipe
        {
            self.untold = Some(error);
        }
    }

    /// Sends a request and gives what `read` makes of its answer. `what` begins the sentence that
    /// says why not.
    pub(super) fn exchange<T>(
        &mut self,
        step: Step,
        what: &str,
        pieces: &[Piece<'_>],
        read: impl FnOnce(&Came) -> Judged<T>,
    ) -> Result<T, Stop> {
        let Arguments { server, rate, cut_at, .. } = self.arguments;
        let carries_files = step.carries_files();
        let cut_at = cut_at.filter(|_| carries_files);
        let length = pieces.iter().map(Piece::length).sum();
        let began = Instant::now();
        let answer = server.exchange(pieces, Link { rate: *rate, cut_at }, self.bar);
        let took = began.elapsed();
        let done = answer.and_then(|came| understood(step, came.bytes(), read(&came)));
        let done = done.map_err(|stop| stop.of(what));
        self.samples.push(Sample {
            step,
            took,
            length,
            failure: done.as_ref().err().map(|stop| stop.kind),
        });
        match &done {
            Err(stop) if stop.outcome() == Outcome::Bad => self.say(&stop.sentence),
            Err(_) => {} // a complaint, and the last that is said
            Ok((_, notes)) => {
                for note in notes {
                    self.say(&format!("note: {what}: {note}"));
                }
                if let Some(at) = cut_at {
                    self.say(&format!(
                        "note: --cut-at cut nothing: {what} has {length} bytes, no more than {at}"
                    ));
                }
            }
        }
        done.map(|(made, _)| made)
    }
}
