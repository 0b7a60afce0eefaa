//! The way in: a request's body, which outlives the handler that reads it.
//!
//! Law: an answer leaves after the body has arrived, because a camera reads only after it has sent.
//! So what a handler leaves unread is drained here, within bounds, and a body that pauses for too
//! long is given up.

use bytes::{Buf, Bytes};
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use prometheus_client::metrics::counter::Counter;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep};

/// Why a body did not arrive whole.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// The connection broke, or the chunks make no sense.
    #[error("the body broke off: {0}")]
    Broken(#[from] hyper::Error),
    /// Nothing came for too long.
    #[error("nothing arrived for {0:?}")]
    Silent(Duration),
    /// Less came within a minute than must.
    #[error("it arrives more slowly than limits.body_rate demands")]
    Slow,
}

/// One body, shared between the handler and the connection.
#[derive(Debug, Clone)]
pub struct CameraBody(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct Inner {
    incoming: Incoming,
    timeout: Duration,
    silence: Pin<Box<Sleep>>,
    least_per_minute: u64,
    minute: Instant,
    in_this_minute: u64,
    received: Counter,
}

impl CameraBody {
    /// A body that may pause for `timeout`, and has to bring `rate` bytes a second on average in
    /// each minute. Its bytes are counted in `received`.
    pub fn new(incoming: Incoming, timeout: Duration, rate: u64, received: Counter) -> CameraBody {
        let silence = Box::pin(tokio::time::sleep(timeout));
        CameraBody(Arc::new(Mutex::new(Inner {
            incoming,
            timeout,
            silence,
            least_per_minute: rate.saturating_mul(60),
            minute: Instant::now(),
            in_this_minute: 0,
            received,
        })))
    }

    /// Reads and forgets the rest, at most `bound` bytes of it.
    pub async fn drain(&mut self, bound: u64) {
        let mut drained = 0;
        while drained <= bound {
            match self.frame().await {
                Some(Ok(frame)) => drained += frame.data_ref().map_or(0, |data| data.len() as u64),
                Some(Err(_)) | None => return,
            }
        }
    }
}

impl Body for CameraBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match Pin::new(&mut inner.incoming).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => {
                let now = Instant::now();
                let more = now + inner.timeout;
                inner.silence.as_mut().reset(more);
                let length = frame.data_ref().map_or(0, |data| data.len() as u64);
                inner.in_this_minute += length;
                inner.received.inc_by(length);
                if now - inner.minute >= Duration::from_secs(60) {
                    if inner.in_this_minute < inner.least_per_minute {
                        return Poll::Ready(Some(Err(BodyError::Slow)));
                    }
                    inner.minute = now;
                    inner.in_this_minute = 0;
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(end) => Poll::Ready(end.map(|frame| frame.map_err(BodyError::from))),
            Poll::Pending => match inner.silence.as_mut().poll(context) {
                Poll::Ready(()) => Poll::Ready(Some(Err(BodyError::Silent(inner.timeout)))),
                Poll::Pending => Poll::Pending,
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).incoming.size_hint()
    }
}

/// Reads a body into memory, up to `limit` bytes; `None` if it is longer.
///
/// # Errors
/// What the body itself says.
pub async fn read_whole<B>(mut body: B, limit: usize) -> Result<Option<Vec<u8>>, B::Error>
where
    B: Body + Unpin,
{
    let mut whole = Vec::new();
    while let Some(frame) = body.frame().await {
        if let Ok(mut data) = frame?.into_data() {
            if whole.len() + data.remaining() > limit {
                return Ok(None);
            }
            while data.has_remaining() {
                let chunk = data.chunk();
                whole.extend_from_slice(chunk);
                let length = chunk.len();
                data.advance(length);
            }
        }
    }
    Ok(Some(whole))
}
