//! From what was received to where it goes: the queue between the camera's answer and the world.
//!
//! Law: whatever is to be delivered is in the ledger before anybody hears of it; this room only
//! carries it out, and can die at any moment. Destinations are independent of each other; at one
//! destination everything goes in order.
//!
//! ```text
//!   receive ──▶ ledger: receipt, thread ──▶ plan ──▶ ledger: delivery ──▶ deliver ──▶ destination
//!   queue ────▶ ledger: retry, drop ─────────────────────────▲               │ transient: later
//!                                                            └───────────────┘ permanent: a person
//! ```

mod counts;
mod deliver;
mod email;
mod plan;
mod retention;

use crate::clock::SteadyClock;
use crate::config::Config;
use crate::config::destinations::Destinations;
use crate::destination::Recall;
use crate::ledger::outbox::Thread;
use crate::ledger::{Ledger, LedgerError};
use crate::route::{DROP, Routes, Share};
use crate::spool::{Spool, SpoolError};
use counts::Counts;
pub use email::onward;
use prometheus_client::registry::Registry;
use samsung_sns::answer::Refusal;
use samsung_sns::gateway::{Purpose, Ticket};
use samsung_sns::post::{AltTexts, Caption, Rules};
use samsung_sns::session::SeriesId;
use samsung_sns::time::UnixTime;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::{error, warn};

/// A destination that is not configured any more still has posts to be cut.
const PLAIN: Rules = Rules { alt_texts: AltTexts::Optional, quiet: Duration::from_secs(60) };
/// A delivery that is under way when the server is told to stop may take so long: an answer that is on
/// its way comes within that, and what is noted is not done again. Longer would only keep a person
/// waiting for a peer that hangs; what is cut off goes on after the next start.
const GRACE: Duration = Duration::from_secs(2);
/// After that, what was cut off has so long to be noted: a program that has to be killed takes a second.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// The outbox. Deliveries go on as long as [`run`](Outbox::run) does.
#[derive(Debug)]
pub struct Outbox {
    spool: Arc<Spool>,
    clock: SteadyClock,
    settings: Mutex<Arc<Settings>>,
    coming: Mutex<Coming>,
    counts: Counts,
    /// Something has changed: whoever waits for work looks again.
    changed: watch::Sender<()>,
}

/// What the configuration says of it.
#[derive(Debug)]
struct Settings {
    routes: Routes,
    destinations: Destinations,
    keep_delivered: Option<Duration>,
}

/// How a worker hears that the server stops.
#[derive(Debug)]
struct Stop {
    /// Nothing new is begun.
    stopping: watch::Receiver<bool>,
    /// What is under way has to end.
    recall: Recall,
}

/// Whether all tasks have ended within this time.
async fn all_done(tasks: &mut JoinSet<()>, limit: Duration) -> bool {
    let all = async { while tasks.join_next().await.is_some() {} };
    tokio::time::timeout(limit, all).await.is_ok()
}

/// A destination of what is received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Routed {
    /// Its name.
    pub destination: String,
    /// The recipients of an e-mail that are routed there.
    pub recipients: Vec<String>,
    /// How it wants its posts.
    pub rules: Rules,
}

/// What is on its way in, by series.
#[derive(Debug, Default)]
struct Coming {
    announced: BTreeMap<SeriesId, UnixTime>,
    under_way: BTreeMap<u64, (SeriesId, UnixTime)>,
    next: u64,
}

/// What is still coming of a series.
#[derive(Debug, Default)]
struct Expected {
    began: Vec<UnixTime>,
    until: Option<UnixTime>,
}

/// An upload that is under way; its post waits for it. Dropped, it is over; if it was not kept, its
/// camera may try again, and the post waits for that as for an announce.
#[derive(Debug)]
pub struct UnderWay {
    outbox: Arc<Outbox>,
    number: u64,
    kept: bool,
    /// When it began: with its announce, where that was waited for, else with its first byte.
    pub began: UnixTime,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut coming = self.outbox.coming();
        if let Some((series, _)) = coming.under_way.remove(&self.number)
            && !self.kept
        {
            coming.announced.insert(series, self.outbox.clock.now());
        }
        drop(coming);
        self.outbox.look_again();
    }
}

impl UnderWay {
    /// What it brought is recorded.
    pub fn is_kept(mut self) {
        self.kept = true;
    }
}

impl Outbox {
    /// An outbox over what the ledger holds.
    pub fn new(spool: Arc<Spool>, clock: SteadyClock, config: &Config) -> Arc<Outbox> {
        let outbox = Outbox {
            spool,
            clock,
            settings: Mutex::new(Arc::new(Settings::of(config))),
            coming: Mutex::default(),
            counts: Counts::default(),
            changed: watch::Sender::new(()),
        };
        Arc::new(outbox)
    }

    /// From now on this configuration holds. What is under way is finished as it began; what waits for
    /// another attempt is tried at once, for what was wrong may be mended.
    pub async fn reload(self: &Arc<Self>, config: &Config) {
        *self.settings.lock().unwrap_or_else(PoisonError::into_inner) =
            Arc::new(Settings::of(config));
        self.prepare().await;
        self.look_again();
    }

    async fn prepare(self: &Arc<Self>) {
        let prepared = self.on_ledger(|ledger| {
            ledger.try_all_at_once()?;
            ledger.lengths()
        });
        match prepared.await {
            Ok(lengths) => self.name_the_homeless(&lengths),
            Err(failure) => error!(%failure, "the outbox cannot be read"),
        }
    }

    /// Shows what is counted with all else that is.
    pub fn register(&self, registry: &mut Registry) {
        self.counts.register(registry);
    }

    /// Where what a ticket lets in is to go.
    ///
    /// # Errors
    /// What is known at once: no recipient has a route, or every destination insists on alt texts and
    /// there are none.
    pub fn routed(&self, ticket: &Ticket) -> Result<Vec<Routed>, Refusal> {
        let settings = self.settings();
        let user = &ticket.user;
        let (text, shares): (_, Vec<Share>) = match &ticket.purpose {
            Purpose::Upload { site, text, .. } => {
                let names = settings.routes.of_site(user, site.as_str());
                (text, names.iter().map(|name| (name.clone(), Vec::new())).collect())
            }
            Purpose::Email(email) => {
                let shares = settings.routes.of_email(user, &email.recipients);
                (&email.body, shares.ok_or(Refusal::NoRoute)?)
            }
            _ => return Ok(Vec::new()),
        };
        let caption = Caption::read(text);
        let refuses =
            |name: &str| name != DROP && !caption.satisfies(settings.rules(name).alt_texts);
        if !shares.is_empty() && shares.iter().all(|(name, _)| refuses(name)) {
            return Err(Refusal::AltTextsMissing);
        }
        let takers = shares.into_iter().filter(|(name, _)| name != DROP && !refuses(name));
        let routed = takers.map(|(destination, recipients)| {
            let rules = settings.rules(&destination);
            Routed { destination, recipients, rules }
        });
        Ok(routed.collect())
    }

    /// A file is announced: its post waits for it, for a while.
    pub fn announced(&self, series: SeriesId) {
        self.coming().announced.insert(series, self.clock.now());
        self.look_again();
    }

    /// An upload begins.
    pub fn begins(self: &Arc<Self>, series: Option<SeriesId>) -> UnderWay {
        let mut coming = self.coming();
        let announced = series.and_then(|series| coming.announced.remove(&series));
        let began = announced.unwrap_or_else(|| self.clock.now());
        coming.next += 1;
        let number = coming.next;
        if let Some(series) = series {
            coming.under_way.insert(number, (series, began));
        }
        drop(coming);
        UnderWay { outbox: Arc::clone(self), number, kept: false, began }
    }

    /// Something has changed: whoever waits for work looks again.
    pub fn look_again(&self) {
        self.changed.send_replace(());
    }

    /// Plans and delivers until `stopping` says so, and what is under way then is done.
    pub async fn run(self: Arc<Self>, mut stopping: watch::Receiver<bool>) {
        self.prepare().await;
        let mut others = JoinSet::new();
        others.spawn(plan::keep_planning(Arc::clone(&self), stopping.clone()));
        others.spawn(retention::keep_sweeping(Arc::clone(&self), stopping.clone()));
        let mut workers = JoinSet::new();
        let (recall, recalled) = watch::channel(false);
        let recalled = Recall::when(recalled);
        let mut changed = self.changed.subscribe();
        changed.mark_changed();
        let mut served: BTreeMap<String, tokio::task::AbortHandle> = BTreeMap::new();
        loop {
            tokio::select! {
                _ = stopping.wait_for(|stopping| *stopping) => break,
                _ = changed.changed() => {}
                // A destination that was taken away and given back gets a new worker.
                Some(_) = workers.join_next() => {}
            }
            served.retain(|_, worker| !worker.is_finished());
            for name in self.settings().destinations.keys() {
                if !served.contains_key(name) {
                    let stop = Stop { stopping: stopping.clone(), recall: recalled.clone() };
                    let worker = deliver::keep_delivering(Arc::clone(&self), name.clone(), stop);
                    served.insert(name.clone(), workers.spawn(worker));
                }
            }
        }
        if !all_done(&mut workers, GRACE).await {
            recall.send_replace(true);
            if !all_done(&mut workers, LAST_WORDS).await {
                warn!(
                    "what became of a delivery is not kept; it is tried again after the next start"
                );
                workers.shutdown().await;
                // Nor would the ledger take anything else now.
                return;
            }
        }
        // They end by themselves; what is cut off is done again.
        all_done(&mut others, LAST_WORDS).await;
        let now = self.clock.now();
        if let Err(failure) = self.on_ledger(move |ledger| ledger.remember_time(now)).await {
            error!(%failure, "the time is not kept; the next start goes on a little earlier");
        }
    }

    /// Names what waits for a destination that is not configured: nobody would ever deliver it.
    fn name_the_homeless(&self, lengths: &BTreeMap<String, (u64, u64)>) {
        let settings = self.settings();
        for (name, (waiting, _)) in lengths {
            if *waiting > 0 && !settings.destinations.contains_key(name) {
                error!(
                    "{waiting} posts wait for the destination {name:?}, which is not configured; \
                     configure it, or give them up with `sns-server queue drop`"
                );
            }
        }
    }

    fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.settings.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn coming(&self) -> MutexGuard<'_, Coming> {
        self.coming.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Works on the ledger where waiting for the disk is allowed.
    async fn on_ledger<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut Ledger) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<T, SpoolError> {
        let spool = Arc::clone(&self.spool);
        match tokio::task::spawn_blocking(move || spool.with_ledger(work)).await {
            Ok(done) => done,
            Err(died) => std::panic::resume_unwind(died.into_panic()),
        }
    }
}

impl Settings {
    fn of(config: &Config) -> Settings {
        Settings {
            routes: config.routes.clone(),
            destinations: config.destinations.clone(),
            keep_delivered: config.keep_delivered,
        }
    }

    fn rules(&self, destination: &str) -> Rules {
        self.destinations.get(destination).map_or(PLAIN, |destination| destination.rules)
    }
}

/// What is said of a post that has lost all of its files, and waits for a person.
fn only_words(files: usize) -> String {
    let which = match files {
        1 => "its only file is no".to_owned(),
        more => format!("none of its {more} files is a"),
    };
    format!(
        "{which} picture or video by the bytes, so nothing but the words would go out: \
         `queue retry` with its number sends these, `queue drop` gives them up"
    )
}

/// So much later.
fn later(at: UnixTime, by: Duration) -> UnixTime {
    let by = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
    UnixTime::from_millis(at.as_millis().saturating_add(by))
}

impl Coming {
    /// When what is still coming of a series began, and until when that has to be waited for. What was
    /// announced longer than `quiet` ago does not come any more, nor what was announced in a session
    /// that has ended.
    fn of(&self, thread: &Thread, quiet: Duration, now: UnixTime) -> Expected {
        let under_way = self.under_way.values().filter(|(of, _)| *of == thread.series);
        let announced = self.announced.get(&thread.series).copied();
        let announced = announced.filter(|at| !thread.ended && now.saturating_since(*at) < quiet);
        Expected {
            began: under_way.map(|(_, began)| *began).chain(announced).collect(),
            until: announced.map(|at| later(at, quiet)),
        }
    }

    /// Forgets what was announced in series that nobody waits for: of the first file of each, that is.
    fn keep_only(&mut self, series: &BTreeSet<SeriesId>) {
        self.announced.retain(|announced, _| series.contains(announced));
    }
}
