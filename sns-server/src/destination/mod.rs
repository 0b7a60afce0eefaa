//! Where posts go: the doors to the outside world.
//!
//! Law: a destination gets a whole [`Post`] and delivers it, or says in a [`Fault`] what went wrong
//! and whether trying again can help. A step that must not be done twice is noted in the
//! [`Progress`] before the next one begins. Destinations do not know each other, nor the queue. When
//! the server stops, a delivery is cut off wherever it is, as if the machine had died, but for what a
//! [`Recall`] lets it bring to an end.

mod apart;
pub mod command;
pub mod email;
pub mod http;
pub mod mastodon;
pub mod picture;
pub mod store;
pub mod upload;
pub mod webhook;

use samsung_sns::post::Rules;
use samsung_sns::time::UnixTime;
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tracing::error;

/// How long to wait until a step that the disk did not take is kept again.
const KEEP_AGAIN: Duration = Duration::from_secs(2);

/// A text and its files, as one destination gets them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    /// The same at every attempt, never used for another post: what a peer recognises a retry by.
    /// A UUID in its usual form.
    pub id: String,
    /// When the first of it came, by the wall clock of then.
    pub received_at: UnixTime,
    /// Whose it is, in the spelling of the configuration.
    pub user: String,
    /// `email`, or the site the camera chose.
    pub channel: String,
    /// The sender of an e-mail as it came, display name included.
    pub sender: Option<String>,
    /// The recipients of an e-mail that are routed here, as they came.
    pub recipients: Vec<String>,
    /// The subject of an e-mail, the album or category of an upload.
    pub title: Option<String>,
    /// What the person typed, alt texts included: `text~alt1~alt2`.
    pub typed: String,
    /// What the person typed before the first `~`.
    pub text: String,
    /// What took the pictures, if one of them says so: `SAMSUNG NX300`.
    pub camera: Option<String>,
    /// Pictures and videos, in the order in which they came; an e-mail may have none.
    pub files: Vec<PostFile>,
}

/// A picture or video of a post. That it is one was told by its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostFile {
    /// Where it lies.
    pub path: PathBuf,
    /// Its name as sent: anything.
    pub name: String,
    /// Its media type, by its bytes: `image/jpeg`.
    pub media_type: String,
    /// Its length in bytes.
    pub length: u64,
    /// SHA-256 of its bytes.
    pub sha256: [u8; 32],
    /// What the person typed for it; empty if nothing.
    pub alt_text: String,
}

/// Why a post was not delivered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// Whether, and when, to try again.
    pub kind: FaultKind,
    /// What went wrong, where, and what to do: one line, without any secret.
    pub message: String,
}

/// Whether trying again can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// It can. What comes after this post waits.
    Transient {
        /// Not sooner than this, as the peer asked.
        retry_after: Option<Duration>,
    },
    /// It cannot before a person has done something. What comes after it does not wait.
    Permanent,
}

impl Fault {
    /// Trying again can help.
    pub fn transient(message: impl Into<String>) -> Fault {
        Fault { kind: FaultKind::Transient { retry_after: None }, message: message.into() }
    }

    /// A person has to do something.
    pub fn permanent(message: impl Into<String>) -> Fault {
        Fault { kind: FaultKind::Permanent, message: message.into() }
    }
}

/// What is said of a delivery that was cut off.
fn cut_off() -> Fault {
    Fault::transient("cut off, as the server was stopped; it goes on after the next start")
}

/// Keeps a step; when it returns, the step survives a power cut.
pub type KeepStep = dyn Fn(&str, &str) -> io::Result<()> + Send + Sync;

/// The steps of a delivery that were done, by this attempt or an earlier one.
#[derive(Clone)]
pub struct Progress {
    done: BTreeMap<String, String>,
    keep: Arc<KeepStep>,
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Progress").field("done", &self.done).finish_non_exhaustive()
    }
}

impl Progress {
    /// What was done before, and how more is kept.
    pub fn new(done: BTreeMap<String, String>, keep: Arc<KeepStep>) -> Progress {
        Progress { done, keep }
    }

    /// What was noted of a step, if it was done.
    pub fn of(&self, step: &str) -> Option<&str> {
        self.done.get(step).map(String::as_str)
    }

    /// Notes that a step was done. When this returns, it survives a power cut. A disk that refuses is
    /// waited for: whatever came after a step that is not kept would lead to its being done again.
    pub async fn note(&mut self, step: &str, value: &str) {
        self.done.insert(step.to_owned(), value.to_owned());
        loop {
            let (keep, name, value) = (Arc::clone(&self.keep), step.to_owned(), value.to_owned());
            let kept = tokio::task::spawn_blocking(move || keep(&name, &value)).await;
            match kept.unwrap_or_else(|died| Err(io::Error::other(died))) {
                Ok(()) => return,
                Err(error) => error!(step, %error, "what was done cannot be kept yet"),
            }
            tokio::time::sleep(KEEP_AGAIN).await;
        }
    }
}

/// Tells deliveries that they have to end, done or not: the server stops.
#[derive(Debug, Clone)]
pub struct Recall(watch::Receiver<bool>);

impl Recall {
    /// Called when the sender says so.
    pub fn when(told: watch::Receiver<bool>) -> Recall {
        Recall(told)
    }

    /// Whether it was called.
    pub fn is_called(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns when it is called; never, if nobody is left who could.
    pub async fn called(&self) {
        if self.0.clone().wait_for(|told| *told).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// A configured destination.
#[derive(Debug)]
pub struct Destination {
    /// Its name in the configuration.
    pub name: String,
    /// How it wants its posts cut.
    pub rules: Rules,
    /// What it is.
    pub kind: Kind,
}

/// The types of destinations.
#[derive(Debug)]
pub enum Kind {
    /// `store`
    Store(store::Store),
    /// `mastodon`
    Mastodon(mastodon::Mastodon),
    /// `email`
    Email(email::Email),
    /// `command`
    Command(command::Command),
    /// `webhook`
    Webhook(webhook::Webhook),
}

impl Kind {
    /// The type's name in the configuration.
    pub fn name(&self) -> &'static str {
        match self {
            Kind::Store(_) => "store",
            Kind::Mastodon(_) => "mastodon",
            Kind::Email(_) => "email",
            Kind::Command(_) => "command",
            Kind::Webhook(_) => "webhook",
        }
    }
}

impl Destination {
    /// Delivers a post; says where it went, in a few words for the log and for people: an address, a
    /// path.
    ///
    /// # Errors
    /// [`Fault`]; what of it was done all the same is in `progress`.
    pub async fn deliver(
        &self,
        post: &Post,
        progress: &mut Progress,
        recall: &Recall,
    ) -> Result<String, Fault> {
        let carried = async {
            match &self.kind {
                Kind::Store(store) => store.deliver(post, progress).await,
                Kind::Mastodon(mastodon) => mastodon.deliver(post, progress).await,
                Kind::Email(email) => email.deliver(post, progress).await,
                Kind::Command(command) => command.deliver(post, progress, recall).await,
                Kind::Webhook(webhook) => webhook.deliver(post, progress).await,
            }
        };
        let cut = async {
            recall.called().await;
            // A program is told; a connection just ends.
            if let Kind::Command(_) = self.kind {
                tokio::time::sleep(command::ENDING * 2).await;
            }
        };
        tokio::select! {
            biased;
            done = carried => done,
            () = cut => Err(cut_off()),
        }
    }

    /// Talks to the destination without delivering anything; says in one line what works.
    ///
    /// # Errors
    /// [`Fault`]: what does not.
    pub async fn probe(&self) -> Result<String, Fault> {
        match &self.kind {
            Kind::Store(store) => store.probe().await,
            Kind::Mastodon(mastodon) => mastodon.probe().await,
            Kind::Email(email) => email.probe().await,
            Kind::Command(command) => command.probe().await,
            Kind::Webhook(webhook) => webhook.probe().await,
        }
    }
}
