//! One connection: one request, one answer, closed.
//!
//! Law: the head is read here, by the core's tolerant reader, and hyper gets it as a plain HTTP/1.1
//! head (two spaces, folded lines, lone line feeds, absolute targets, any method case: hyper refuses
//! or mangles each of these otherwise). The answer waits until the body has arrived, and leaves as
//! the bytes the core made of it. The connection is closed after it: cameras know no keep-alive.

use crate::ahead::Ahead;
use crate::answer_writer::{AnswerWriter, ExactAnswer};
use crate::app::{App, CameraAnswer, Peer};
use crate::body::CameraBody;
use crate::config::Limits;
use crate::crowd::{Place, SMALL_HEAD};
use crate::metrics::Metrics;
use axum::Router;
use axum::body::Body;
use hyper::service::service_fn;
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use samsung_sns::answer::{Answer, Refusal};
use samsung_sns::wire::request::{HeadError, RequestHead, head_length};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tower::ServiceExt;
use tracing::{debug, warn};

/// hyper's read buffer at the least; it bounds the pieces in which a body arrives.
const LEAST_BUFFER: usize = 16 * 1024;
/// How long a pause of the sender has to be to count as its end, where its length is not known.
const LINGER: Duration = Duration::from_millis(500);

/// Serves one connection to its end.
pub async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    app: Arc<App>,
    place: Place,
    mut stopping: watch::Receiver<bool>,
) {
    let limits = app.limits();
    let (mut reader, mut writer) = stream.into_split();
    let head = tokio::select! {
        head = tokio::time::timeout(limits.head_timeout, read_head(&mut reader, &limits, &place)) => head,
        () = place.evicted() => {
            app.metrics.connections_evicted.inc();
            debug!(%peer, "made room for another connection");
            return;
        }
        _ = stopping.wait_for(|stopping| *stopping) => return,
    };
    let _busy = place.into_busy();
    let (start, rest) = match head {
        Ok(Ok(Some(read))) => read,
        Ok(Ok(None)) => return, // opened and closed without a word
        Ok(Err(HeadFailure::Lost(error))) => {
            debug!(%peer, %error, "lost before the request was whole");
            return;
        }
        Ok(Err(HeadFailure::Refused(refusal))) => {
            refuse(&mut reader, &mut writer, peer, &refusal, &app.metrics).await;
            return;
        }
        Err(_) => {
            debug!(%peer, "no whole request within head_timeout");
            return;
        }
    };
    let drain_bound = limits.upload.as_u64().max(limits.email.as_u64());
    let exact = ExactAnswer::default();
    // hyper's buffer has to hold the head; more would be held by each of a thousand slow senders.
    let buffer = (start.len() + 8 * 1024).max(LEAST_BUFFER);
    let io = tokio::io::join(
        Ahead::new([start, rest].concat(), reader),
        AnswerWriter::new(writer, exact.clone()),
    );
    let service = service_fn(|mut request: Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        let (router, exact, limits) = (router.clone(), exact.clone(), Arc::clone(&limits));
        let received = app.metrics.received_bytes.clone();
        async move {
            let is_head = request.method() == Method::HEAD;
            let (parts, incoming) = request.into_parts();
            let rate = limits.body_rate.0.as_u64();
            let mut body = CameraBody::new(incoming, limits.body_timeout, rate, received);
            let request = Request::from_parts(parts, Body::new(body.clone()));
            let response = router.oneshot(request).await?;
            body.drain(drain_bound).await;
            if let Some(CameraAnswer(answer)) = response.extensions().get() {
                exact.set(answer_bytes(answer, is_head));
            }
            Ok::<_, std::convert::Infallible>(response)
        }
    });
    let served = hyper::server::conn::http1::Builder::new()
        .keep_alive(false)
        .half_close(true)
        .writev(false)
        .max_headers(samsung_sns::wire::request::MAX_HEADERS + 8)
        .max_buf_size(buffer)
        .auto_date_header(false)
        .serve_connection(TokioIo::new(io), service)
        .without_shutdown()
        .await;
    match served {
        Ok(parts) => {
            let (reader, mut writer) = parts.io.into_inner().into_inner();
            let _ = writer.shutdown().await;
            drain_briefly(&mut reader.into_inner()).await;
        }
        Err(error) => debug!(%peer, %error, "the connection broke"),
    }
}

/// Refuses a connection for which there is no room.
pub async fn turn_away(stream: TcpStream, peer: SocketAddr, metrics: &Metrics) {
    let (mut reader, mut writer) = stream.into_split();
    refuse(&mut reader, &mut writer, peer, &Refusal::Busy, metrics).await;
}

async fn refuse(
    reader: &mut (impl AsyncRead + Unpin),
    writer: &mut (impl AsyncWrite + Unpin),
    peer: SocketAddr,
    refusal: &Refusal,
    metrics: &Metrics,
) {
    metrics.refused(None, refusal);
    warn!(%peer, status = refusal.status().code(), reason = %refusal, "refused");
    drain_briefly(reader).await;
    let _ = writer.write_all(&refusal.to_answer().to_bytes(&http_date())).await;
    let _ = writer.shutdown().await;
}

fn answer_bytes(answer: &Answer, is_head: bool) -> Vec<u8> {
    let mut bytes = answer.to_bytes(&http_date());
    if is_head {
        bytes.truncate(bytes.len() - answer.body.len());
    }
    bytes
}

fn http_date() -> String {
    httpdate::fmt_http_date(SystemTime::now())
}

enum HeadFailure {
    /// The connection ended or broke.
    Lost(io::Error),
    /// What came is no request.
    Refused(Refusal),
}

/// The head, made plain, and what came with it of the body; `None` if nothing came at all.
async fn read_head(
    reader: &mut (impl AsyncRead + Unpin),
    limits: &Limits,
    place: &Place,
) -> Result<Option<(Vec<u8>, Vec<u8>)>, HeadFailure> {
    let limit = usize::try_from(limits.head.as_u64()).unwrap_or(usize::MAX);
    let mut bytes = Vec::with_capacity(SMALL_HEAD);
    let mut searched = 0;
    let length = loop {
        match reader.read_buf(&mut bytes).await {
            Ok(0) if bytes.is_empty() => return Ok(None),
            Ok(0) => return Err(HeadFailure::Lost(io::ErrorKind::UnexpectedEof.into())),
            Ok(_) => {}
            Err(error) => return Err(HeadFailure::Lost(error)),
        }
        if !place.hold(bytes.capacity()) {
            return Err(HeadFailure::Refused(Refusal::Busy));
        }
        if let Some(length) = head_length(&bytes, searched) {
            break length;
        }
        searched = bytes.len();
        // A handshake has no empty line to wait for.
        if let Err(error @ (HeadError::Tls | HeadError::Ssl2)) =
            RequestHead::read(&bytes[..bytes.len().min(3)])
        {
            return Err(HeadFailure::Refused(Refusal::NotUnderstood(error.to_string())));
        }
        if bytes.len() > limit {
            return Err(HeadFailure::Refused(Refusal::TooLarge("limits.head")));
        }
    };
    if length > limit {
        return Err(HeadFailure::Refused(Refusal::TooLarge("limits.head")));
    }
    let head = RequestHead::read(&bytes[..length])
        .map_err(|error| HeadFailure::Refused(Refusal::NotUnderstood(error.to_string())))?;
    if !head.quirks.is_empty() {
        debug!(quirks = ?head.quirks, "an unusual head");
    }
    Ok(Some((head.to_http11(), bytes.split_off(length))))
}

/// Reads on until the sender closes or pauses: what follows an unreadable head, or a whole body, has
/// no known length, and closing on unread bytes is a reset, which may cost the answer.
async fn drain_briefly(reader: &mut (impl AsyncRead + Unpin)) {
    let mut piece = vec![0; 16 * 1024];
    for _ in 0..64 {
        match tokio::time::timeout(LINGER, reader.read(&mut piece)).await {
            Ok(Ok(1..)) => {}
            _ => return,
        }
    }
}
