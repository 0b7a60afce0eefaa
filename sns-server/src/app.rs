//! From a request to an answer: the router that tests and the server share.
//!
//! Law: what a request means is the core's to say; here its plan is carried out. Every answer is
//! the core's [`Answer`], and every request is logged once, without a secret.

use crate::body::read_whole;
use crate::clock::{self, SteadyClock};
use crate::config::{Config, Limits};
use crate::crowd::Crowd;
use crate::metrics::{Metrics, Now};
use crate::outbox::Outbox;
use crate::passwords::Passwords;
use crate::receive;
use crate::spool::{Spool, SpoolError};
use crate::uploads::Uploads;
use crate::web;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use samsung_sns::answer::{Answer, Refusal};
use samsung_sns::endpoint::{BodyKind, Endpoint, MAX_MESSAGE};
use samsung_sns::gateway::{Call, Gateway, Plan, Purpose};
use samsung_sns::session::{Changes, Session, SessionKey};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;
use tracing::{error, info, warn};

/// So often it is looked which sessions are over.
const EXPIRE_EVERY: Duration = Duration::from_secs(10);

/// All that requests share.
#[derive(Debug)]
pub struct App {
    gateway: Mutex<Gateway>,
    /// What has passed.
    pub clock: SteadyClock,
    passwords: Arc<Passwords>,
    /// Where files go.
    pub spool: Arc<Spool>,
    /// Where they go from there.
    pub outbox: Arc<Outbox>,
    /// Files and e-mails that are being received.
    pub uploads: Uploads,
    /// Who is connected.
    pub crowd: Arc<Crowd>,
    /// What is counted.
    pub metrics: Metrics,
    limits: RwLock<Arc<Limits>>,
    index: RwLock<Arc<str>>,
}

/// Where a request came from; put into its extensions by the connection.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// What a request is answered: exact bytes for the connection, an ordinary response for any other
/// server that the router may run under.
#[derive(Debug, Clone)]
pub struct CameraAnswer(pub Answer);

impl IntoResponse for CameraAnswer {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.0.body.clone()));
        *response.status_mut() =
            StatusCode::from_u16(self.0.status.code()).unwrap_or(StatusCode::BAD_REQUEST);
        for (name, value) in self.0.early.iter().chain(&self.0.late) {
            let name = HeaderName::from_bytes(name.as_bytes());
            if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
                response.headers_mut().append(name, value);
            }
        }
        let html = HeaderValue::from_static("text/html; charset=utf-8");
        response.headers_mut().insert(header::CONTENT_TYPE, html);
        response.extensions_mut().insert(self);
        response
    }
}

impl App {
    /// What requests share under this configuration.
    ///
    /// # Errors
    /// [`SpoolError`] if the folders below `data_dir` cannot be used.
    pub fn new(config: &Config) -> Result<Arc<App>, SpoolError> {
        let limits = Arc::new(config.limits.clone());
        let spool = Arc::new(Spool::open(&config.data_dir)?);
        let rules = limits.session_rules();
        // It goes on where the last server left it, whatever the wall clock says by now.
        let clock = SteadyClock::start(spool.with_ledger(|ledger| ledger.last_time())?);
        let mut snapshot = spool.sessions()?;
        // The clock may have been years away when they were kept, so each lives its time anew.
        snapshot.sessions.iter_mut().for_each(|(_, session)| session.used_at = clock.now());
        let admission = config.admission.clone();
        let mut gateway = Gateway::restore(admission.clone(), rules.most, rules.lifetime, snapshot);
        gateway.set_session_rules(rules);
        // The configuration may be another one than when they logged in.
        let Changes { sessions, ended } = gateway.set_admission(admission);
        let over = || sessions.into_iter().map(|key| kept(&gateway, key)).collect();
        if let Err(failure) = spool.remember(over, &ended) {
            error!(%failure, "sessions that are over are not forgotten; the next start tries again");
        }
        let index = RwLock::new(web::index(config, spool.photos()).into());
        let gateway = Mutex::new(gateway);
        let passwords = Arc::new(Passwords::new(config.passwords.clone()));
        let outbox = Outbox::new(Arc::clone(&spool), clock, config);
        let crowd = Crowd::new(limits.room());
        let metrics = Metrics::new();
        metrics.register(|registry| outbox.register(registry));
        metrics.show(config.admin.as_ref().is_some_and(|admin| admin.metrics));
        Ok(Arc::new(App {
            gateway,
            clock,
            passwords,
            spool,
            outbox,
            uploads: Uploads::default(),
            crowd,
            metrics,
            limits: RwLock::new(limits),
            index,
        }))
    }

    /// Takes over what of a configuration can change while cameras are served; the rest is named by
    /// [`Config::needs_restart`]. What has begun goes on under the limits with which it began;
    /// sessions end whose users are no longer admitted, or whose password is another one now.
    pub async fn reload(self: &Arc<Self>, config: &Config) {
        let limits = &config.limits;
        *self.limits.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(limits.clone());
        self.crowd.set_room(limits.room());
        self.outbox.reload(config).await;
        self.metrics.show(config.admin.as_ref().is_some_and(|admin| admin.metrics));
        let index = web::index(config, self.spool.photos()).into();
        *self.index.write().unwrap_or_else(PoisonError::into_inner) = index;
        let renewed = self.passwords.set(config.passwords.clone());
        let mut changes;
        {
            let mut gateway = self.gateway();
            gateway.set_session_rules(limits.session_rules());
            changes = gateway.set_admission(config.admission.clone());
            for user in renewed {
                let over = gateway.end_sessions_of(&user);
                changes.sessions.extend(over.sessions);
                changes.ended.extend(over.ended);
            }
        }
        self.remember(changes).await;
    }

    /// Ends sessions whose lifetime is over, also when no camera talks, for as long as the server runs:
    /// their posts are due.
    pub async fn keep_expiring(self: Arc<Self>) {
        let mut beat = tokio::time::interval(EXPIRE_EVERY);
        loop {
            beat.tick().await;
            let changes = self.gateway().expire(self.clock.now());
            self.remember(changes).await;
        }
    }

    /// What is too much at this moment. Whoever asks twice may hear two answers.
    pub fn limits(&self) -> Arc<Limits> {
        Arc::clone(&self.limits.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Asks the gateway what is to be done. What this changes of sessions is kept before anybody
    /// hears of it, so that a camera in the middle of a post goes on after a restart.
    pub async fn plan(self: &Arc<Self>, endpoint: &Endpoint, message: &[u8], from: IpAddr) -> Plan {
        let Some(random) = unguessable() else { return Plan::Refuse(Refusal::Busy) };
        // The ST1000 asks what time it is; everything else asks how much has passed.
        let now = if *endpoint == Endpoint::Time { clock::wall() } else { self.clock.now() };
        let call = Call { endpoint, message, from, now, random };
        let mut turn = self.gateway().handle(call);
        if let Plan::CheckPassword(pending) = &turn.plan {
            let right = self.passwords.is_right(&pending.user, &pending.password, from).await;
            let Some(random) = unguessable() else { return Plan::Refuse(Refusal::Busy) };
            turn = self.gateway().finish_login(pending.clone(), right, self.clock.now(), random);
        }
        self.remember(turn.changes).await;
        if let Plan::Announced(ticket, _) = &turn.plan
            && let Purpose::Upload { series, .. } = &ticket.purpose
        {
            self.outbox.announced(*series);
        }
        turn.plan
    }

    /// What is going on at this moment.
    pub fn now(&self) -> Now {
        Now {
            connections: self.crowd.total(),
            sessions: self.gateway().live_sessions(),
            uploads: self.uploads.under_way(),
            free_space: self.spool.free_space().ok(),
        }
    }

    async fn remember(self: &Arc<Self>, changes: Changes) {
        if changes.sessions.is_empty() {
            return; // nothing ends but with a session that changes
        }
        let has_ended = !changes.ended.is_empty();
        let app = Arc::clone(self);
        let kept = tokio::task::spawn_blocking(move || {
            let sessions = || {
                let gateway = app.gateway();
                changes.sessions.into_iter().map(|key| kept(&gateway, key)).collect()
            };
            app.spool.remember(sessions, &changes.ended)
        });
        if let Ok(Err(failure)) = kept.await {
            error!(%failure, "a session is not kept; a restart would end it");
        }
        if has_ended {
            self.outbox.look_again();
        }
    }

    fn gateway(&self) -> MutexGuard<'_, Gateway> {
        self.gateway.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A session as it is now, `None` if it has ended.
fn kept(gateway: &Gateway, key: SessionKey) -> (SessionKey, Option<Session>) {
    let session = gateway.session(&key).cloned();
    (key, session)
}

/// Sixteen bytes that nobody can guess, or nothing: without them a session key could be guessed.
fn unguessable() -> Option<[u8; 16]> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).ok().map(|()| bytes)
}

/// The router. Everything goes one way, because what `/` means depends on the host.
pub fn router(app: Arc<App>) -> Router {
    Router::new().fallback(handle).with_state(app)
}

async fn handle(State(app): State<Arc<App>>, request: Request) -> CameraAnswer {
    let peer = request.extensions().get::<Peer>();
    let from = peer.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |peer| peer.0.ip().to_canonical());
    let endpoint = endpoint_of(&request, from);
    let what = describe(&endpoint);
    let answered = match endpoint.body() {
        _ if endpoint == Endpoint::Home => {
            let index = app.index.read().unwrap_or_else(PoisonError::into_inner).to_string();
            Ok(Answer::new(samsung_sns::answer::Status::Ok, index))
        }
        BodyKind::None => direct(&app, app.plan(&endpoint, b"", from).await),
        BodyKind::Message => message(&app, &endpoint, request, from).await,
        BodyKind::File => receive::file(&app, &endpoint, request, from).await,
        BodyKind::Multipart => receive::email(&app, &endpoint, request, from).await,
    };
    let answer = match answered {
        Ok(answer) => {
            info!(%from, %what, status = answer.status.code(), "answered");
            app.metrics.answered(Some(&endpoint), answer.status);
            answer
        }
        Err(refusal) => {
            let status = refusal.status().code();
            warn!(%from, %what, status, reason = %refusal, "refused");
            app.metrics.refused(Some(&endpoint), &refusal);
            refusal.to_answer()
        }
    };
    CameraAnswer(answer)
}

/// What a request is for; what nobody has seen before goes to the log.
fn endpoint_of(request: &Request, from: IpAddr) -> Endpoint {
    let method = request.method().as_str();
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let host = request.uri().authority().map(|host| host.as_str()).or(host);
    let endpoint = Endpoint::of(method, host, target);
    match endpoint {
        Endpoint::Unknown => info!(%from, method, host, "a request for an unknown path"),
        // Nobody has seen what the ST1000 asks for next: whoever owns one can tell us.
        Endpoint::ServiceProviders => {
            let headers = request.headers().iter();
            let headers: Vec<_> =
                headers.filter(|(name, _)| *name != header::AUTHORIZATION).collect();
            info!(%from, target, ?headers, "an ST1000 asks for its service providers");
        }
        _ => {}
    }
    endpoint
}

/// A turn that has nothing to receive.
fn direct(app: &App, plan: Plan) -> Result<Answer, Refusal> {
    match plan {
        Plan::Answer(answer) => Ok(answer),
        // What is known at once is told at once.
        Plan::Announced(ticket, answer) => app.outbox.routed(&ticket).map(|_| answer),
        Plan::Refuse(refusal) => Err(refusal),
        Plan::Receive(_) | Plan::CheckPassword(_) => Err(Refusal::Busy),
    }
}

async fn message(
    app: &Arc<App>,
    endpoint: &Endpoint,
    request: Request,
    from: IpAddr,
) -> Result<Answer, Refusal> {
    let body = read_whole(request.into_body(), MAX_MESSAGE).await;
    let body = body.map_err(|error| receive::broken(&error))?;
    let body = body.ok_or(Refusal::TooLarge("a message may be"))?;
    direct(app, app.plan(endpoint, &body, from).await)
}

/// What the log calls a request: no session key, no path from the wire.
fn describe(endpoint: &Endpoint) -> String {
    match endpoint {
        Endpoint::Hotspot(check) => format!("hotspot check {check:?}"),
        Endpoint::Home => "page".to_owned(),
        Endpoint::Auth(site) => format!("auth {}", site.as_str().escape_debug()),
        Endpoint::Photo(site) => format!("photo {}", site.as_str().escape_debug()),
        Endpoint::Video(site) => format!("video {}", site.as_str().escape_debug()),
        Endpoint::Upload { .. } => "upload".to_owned(),
        Endpoint::Email { .. } => "email".to_owned(),
        Endpoint::EmailPage => "email page".to_owned(),
        Endpoint::Time => "time".to_owned(),
        Endpoint::ServiceProviders => "service providers".to_owned(),
        Endpoint::AllShare => "AllShare login".to_owned(),
        _ => "unknown".to_owned(),
    }
}
