//! Why sending stopped.
//!
//! Law: the kind is what is counted and what the exit code comes from; the sentence is for people.

use crate::Outcome;
use std::fmt;

/// Why, and what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stop {
    /// What kind of reason.
    pub(super) kind: Kind,
    /// The same in words.
    pub(super) sentence: String,
}

/// The kinds of reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// The server answered with this status.
    Refused(u16),
    /// The server answered what no camera is known to be content with.
    Unfit,
    /// The hotspot check says that the camera is offline.
    Offline,
    /// The server did not answer in time.
    NoAnswer,
    /// The server, or the network, broke the connection off.
    BrokenOff,
    /// The link was to break.
    Cut,
    /// No camera of this model has ever come further.
    ComesNoFurther,
    /// There is no connection.
    NoConnection,
    /// It could not even be tried.
    Impossible,
}

impl Stop {
    /// A reason.
    pub(super) fn new(kind: Kind, sentence: impl Into<String>) -> Stop {
        Stop { kind, sentence: sentence.into() }
    }

    /// It could not even be tried.
    pub(super) fn impossible(sentence: impl Into<String>) -> Stop {
        Stop::new(Kind::Impossible, sentence)
    }

    /// The same, with what was being done when it happened.
    pub(super) fn of(self, what: &str) -> Stop {
        match self.outcome() {
            Outcome::Impossible => self,
            _ => Stop { sentence: format!("{what}: {}", self.sentence), ..self },
        }
    }

    /// Whether there was an answer, so that there is somebody to log out from.
    pub(super) fn was_answered(&self) -> bool {
        matches!(self.kind, Kind::Refused(_) | Kind::Unfit)
    }

    /// The exit code that it comes to.
    pub(super) fn outcome(&self) -> Outcome {
        match self.kind {
            Kind::NoConnection | Kind::Impossible => Outcome::Impossible,
            _ => Outcome::Bad,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Refused(status) => write!(f, "refused with {status}"),
            Kind::Unfit => f.write_str("unfit for a camera"),
            Kind::Offline => f.write_str("offline"),
            Kind::NoAnswer => f.write_str("no answer"),
            Kind::BrokenOff => f.write_str("broken off"),
            Kind::Cut => f.write_str("cut, as asked"),
            Kind::ComesNoFurther => f.write_str("comes no further"),
            Kind::NoConnection => f.write_str("no connection"),
            Kind::Impossible => f.write_str("not possible"),
        }
    }
}
