//! What is counted, for Prometheus.
//!
//! Law: the values of labels are `&'static str`, so that nothing from the wire can become one and
//! their number is bounded by this program's text. No name, address, path or key is among them.
//! What is a state (open connections, free space) is asked for when it is read, not kept twice.

use crate::spool::Kept;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use samsung_sns::answer::{Refusal, Status};
use samsung_sns::endpoint::Endpoint;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// Counters that differ in one label.
type ByOne = Family<[(&'static str, &'static str); 1], Counter>;
/// Counters that differ in two.
type ByTwo = Family<[(&'static str, &'static str); 2], Counter>;

/// All that is counted. Every name begins with `sns_`.
#[derive(Debug)]
pub struct Metrics {
    registry: Mutex<Registry>,
    shown: AtomicBool,
    /// Connections that were accepted.
    pub connections: Counter,
    /// Connections that made room for others before their request was whole.
    pub connections_evicted: Counter,
    /// Bytes of request bodies, whatever became of them.
    pub received_bytes: Counter,
    requests: ByTwo,
    refusals: ByOne,
    login_failures: ByOne,
    photos_kept: ByOne,
    photo_bytes: Counter,
    states: States,
}

/// What is asked for when it is read.
#[derive(Debug, Default)]
struct States {
    connections_open: Gauge,
    sessions: Gauge,
    uploads_under_way: Gauge,
    free_space: Gauge,
}

/// The server's state at the moment of reading.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// Connections that have a place.
    pub connections: usize,
    /// Live sessions.
    pub sessions: usize,
    /// Files and e-mails that are being received.
    pub uploads: usize,
    /// Bytes left on the disk; `None` if it does not say.
    pub free_space: Option<u64>,
}

impl Default for Metrics {
    fn default() -> Metrics {
        Metrics::new()
    }
}

impl Metrics {
    /// Everything at zero, and not shown.
    pub fn new() -> Metrics {
        let metrics = Metrics {
            registry: Mutex::new(Registry::with_prefix("sns")),
            shown: AtomicBool::new(false),
            connections: Counter::default(),
            connections_evicted: Counter::default(),
            received_bytes: Counter::default(),
            requests: Family::default(),
            refusals: Family::default(),
            login_failures: Family::default(),
            photos_kept: Family::default(),
            photo_bytes: Counter::default(),
            states: States::default(),
        };
        metrics.register(|registry| {
            let m = &metrics;
            registry.register("connections", "Connections accepted", m.connections.clone());
            registry.register(
                "connections_evicted",
                "Connections that made room for others before their request was whole",
                m.connections_evicted.clone(),
            );
            registry.register("requests", "Requests answered", m.requests.clone());
            registry.register("refusals", "Requests refused, by reason", m.refusals.clone());
            registry.register("login_failures", "Logins refused", m.login_failures.clone());
            registry.register(
                "received_bytes",
                "Bytes of request bodies received, kept or not",
                m.received_bytes.clone(),
            );
            registry.register(
                "photos_kept",
                "Files that were acknowledged: media or other by their bytes, known if they had \
                 been there before",
                m.photos_kept.clone(),
            );
            registry.register(
                "photo_bytes",
                "Bytes of files that were acknowledged and new",
                m.photo_bytes.clone(),
            );
            let s = &m.states;
            registry.register("connections_open", "Open connections", s.connections_open.clone());
            registry.register("sessions", "Live sessions", s.sessions.clone());
            registry.register(
                "uploads_under_way",
                "Files and e-mails that are being received",
                s.uploads_under_way.clone(),
            );
            registry.register(
                "free_space_bytes",
                "Bytes left on the disk of data_dir; -1 if it does not say",
                s.free_space.clone(),
            );
        });
        metrics
    }

    /// Lets another room add what it counts, as the outbox does. Its
    /// names get the prefix `sns_` as well; a counter's gets `_total`.
    pub fn register(&self, add: impl FnOnce(&mut Registry)) {
        add(&mut self.registry.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Says whether they may be read.
    pub fn show(&self, shown: bool) {
        self.shown.store(shown, Ordering::Relaxed);
    }

    /// Whether they may be read.
    pub fn is_shown(&self) -> bool {
        self.shown.load(Ordering::Relaxed)
    }

    /// Counts a request that was answered; `None` where its head was not understood.
    pub fn answered(&self, endpoint: Option<&Endpoint>, status: Status) {
        let endpoint = endpoint.map_or("unreadable", endpoint_label);
        let labels = [("endpoint", endpoint), ("status", status_label(status))];
        self.requests.get_or_create(&labels).inc();
    }

    /// Counts a request that was refused.
    pub fn refused(&self, endpoint: Option<&Endpoint>, refusal: &Refusal) {
        self.answered(endpoint, refusal.status());
        let reason = [("reason", refusal_label(refusal))];
        self.refusals.get_or_create(&reason).inc();
        let is_login = matches!(endpoint, Some(Endpoint::Auth(_) | Endpoint::AllShare));
        let is_401 = refusal.status() == Status::Unauthorized;
        if is_login && is_401 && *refusal != Refusal::NoSession {
            self.login_failures.get_or_create(&reason).inc();
        }
    }

    /// Counts files that are safe.
    pub fn kept(&self, files: &[Kept]) {
        for file in files {
            let content = match file {
                Kept { known: true, .. } => "known",
                Kept { content: Some(_), .. } => "media",
                Kept { content: None, .. } => "other",
            };
            self.photos_kept.get_or_create(&[("content", content)]).inc();
            if !file.known {
                self.photo_bytes.inc_by(file.length);
            }
        }
    }

    /// All of it as text.
    ///
    /// # Errors
    /// None that is known of: text is written into memory.
    pub fn text(&self, now: Now) -> Result<String, fmt::Error> {
        let gauge = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        self.states.connections_open.set(gauge(now.connections));
        self.states.sessions.set(gauge(now.sessions));
        self.states.uploads_under_way.set(gauge(now.uploads));
        let free = now.free_space.map_or(-1, |free| i64::try_from(free).unwrap_or(i64::MAX));
        self.states.free_space.set(free);
        let mut text = String::new();
        encode(&mut text, &self.registry.lock().unwrap_or_else(PoisonError::into_inner))?;
        Ok(text)
    }
}

fn endpoint_label(endpoint: &Endpoint) -> &'static str {
    match endpoint {
        Endpoint::Hotspot(_) => "hotspot",
        Endpoint::Home => "page",
        Endpoint::Auth(_) => "auth",
        Endpoint::Photo(_) => "photo",
        Endpoint::Video(_) => "video",
        Endpoint::Upload { .. } => "upload",
        Endpoint::Email { .. } => "email",
        Endpoint::EmailPage => "email_page",
        Endpoint::Time => "time",
        Endpoint::ServiceProviders => "service_providers",
        Endpoint::AllShare => "allshare",
        _ => "unknown",
    }
}

fn status_label(status: Status) -> &'static str {
    match status {
        Status::Ok => "200",
        Status::Found => "302",
        Status::BadRequest => "400",
        Status::Unauthorized => "401",
        Status::NotFound => "404",
        Status::TooLarge => "413",
        Status::Unavailable => "503",
        Status::NoSpace => "507",
    }
}

fn refusal_label(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::NotUnderstood(_) => "not_understood",
        Refusal::NoRoute => "no_route",
        Refusal::AltTextsMissing => "alt_texts_missing",
        Refusal::NotAdmitted => "not_admitted",
        Refusal::WrongPassword => "wrong_password",
        Refusal::NoSession => "no_session",
        Refusal::OtherAddress => "other_address",
        Refusal::OAuthSite => "oauth_site",
        Refusal::UnknownPath => "unknown_path",
        Refusal::TooLarge(_) => "too_large",
        Refusal::Busy => "busy",
        Refusal::NoSpace => "no_space",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use samsung_sns::endpoint::Site;

    const NOW: Now = Now { connections: 3, sessions: 2, uploads: 1, free_space: Some(7) };

    #[test]
    fn nothing_from_the_wire_is_in_the_text() {
        let metrics = Metrics::new();
        let hush = || Site::new("hush\"\n");
        metrics.refused(Some(&Endpoint::Auth(hush())), &Refusal::NotUnderstood("hush".to_owned()));
        metrics.refused(Some(&Endpoint::Auth(hush())), &Refusal::WrongPassword);
        metrics.refused(Some(&Endpoint::Photo(hush())), &Refusal::NoSession);
        let session = "hush".to_owned();
        let upload = Endpoint::Upload { session, file_name: b"hush".to_vec() };
        metrics.answered(Some(&upload), Status::Ok);
        let text = metrics.text(NOW).unwrap();
        assert!(!text.contains("hush"), "{text}");
        for line in [
            "sns_requests_total{endpoint=\"upload\",status=\"200\"} 1",
            "sns_refusals_total{reason=\"wrong_password\"} 1",
            "sns_login_failures_total{reason=\"wrong_password\"} 1",
            "sns_connections_open 3",
            "sns_sessions 2",
            "sns_uploads_under_way 1",
            "sns_free_space_bytes 7",
        ] {
            assert!(text.lines().any(|l| l == line), "{line:?} in {text}");
        }
        assert_eq!(text.matches("sns_login_failures_total{").count(), 1, "{text}");
    }

    #[test]
    fn another_room_adds_its_own() {
        let metrics = Metrics::new();
        let queued = Gauge::<i64>::default();
        metrics.register(|registry| registry.register("queued", "Waiting", queued.clone()));
        queued.set(5);
        assert!(metrics.text(NOW).unwrap().contains("\nsns_queued 5\n"));
    }
}
