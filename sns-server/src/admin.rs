//! The owner's listener: `/healthz` and `/metrics`.
//!
//! Law: it is another socket than the cameras'; nothing here is ever served there. Whoever asks
//! costs little: few at a time, each for a few seconds, and one look at the disk at a time.

use crate::app::App;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper::Request;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tower::ServiceExt;
use tracing::warn;

/// So many may ask at a time.
const MOST: usize = 16;
/// Whoever has not asked by then, or not taken the answer, is left.
const LONGEST: Duration = Duration::from_secs(10);
/// A disk that takes longer to keep one byte is not well.
const DISK: Duration = Duration::from_secs(5);

const TEXT: &str = "text/plain; charset=utf-8";
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

struct Owner {
    app: Arc<App>,
    /// A disk that hangs must not take one thread for each who asks.
    looking: Arc<Semaphore>,
}

/// Serves until the server ends.
pub async fn serve(listener: TcpListener, app: Arc<App>) {
    let owner = Arc::new(Owner { app, looking: Arc::new(Semaphore::new(1)) });
    let router = Router::new()
        .route("/healthz", get(healthz))
        .route("/metrics", get(metrics))
        .with_state(owner);
    let places = Arc::new(Semaphore::new(MOST));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                warn!(%error, "cannot accept a connection of the owner's");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let router = router.clone();
        tokio::spawn(async move {
            let service = service_fn(|request: Request<hyper::body::Incoming>| {
                router.clone().oneshot(request.map(Body::new))
            });
            let served = hyper::server::conn::http1::Builder::new()
                .keep_alive(false)
                .serve_connection(TokioIo::new(stream), service);
            let _ = tokio::time::timeout(LONGEST, served).await;
            drop(place);
        });
    }
}

async fn healthz(State(owner): State<Arc<Owner>>) -> Response {
    if !owner.app.metrics.is_shown() {
        return StatusCode::NOT_FOUND.into_response();
    }
    let (status, line) = match owner.health().await {
        Ok(()) => (StatusCode::OK, "ok\n".to_owned()),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, why.replace('\n', " ") + "\n"),
    };
    (status, [(header::CONTENT_TYPE, TEXT)], line).into_response()
}

async fn metrics(State(owner): State<Arc<Owner>>) -> Response {
    if !owner.app.metrics.is_shown() {
        return StatusCode::NOT_FOUND.into_response();
    }
    match owner.app.metrics.text(owner.app.now()) {
        Ok(text) => ([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n")).into_response(),
    }
}

impl Owner {
    /// Whether the disk takes what comes and the ledger answers; if not, why.
    async fn health(&self) -> Result<(), String> {
        let Ok(look) = Arc::clone(&self.looking).try_acquire_owned() else {
            return Err("the disk is still being looked at; it answers slowly".to_owned());
        };
        let app = Arc::clone(&self.app);
        let looking = tokio::task::spawn_blocking(move || {
            let _look = look;
            app.spool.check()
        });
        let free = match tokio::time::timeout(DISK, looking).await {
            Ok(Ok(Ok(free))) => free,
            Ok(Ok(Err(failure))) => return Err(failure.to_string()),
            Ok(Err(failure)) => return Err(failure.to_string()),
            Err(_) => return Err(format!("the disk has not answered for {DISK:?}")),
        };
        let needed = self.app.limits().free_space.as_u64();
        if free < needed {
            return Err(format!("limits.free_space is reached: {free} bytes left of {needed}"));
        }
        Ok(())
    }
}
