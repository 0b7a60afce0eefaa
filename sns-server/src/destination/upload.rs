//! What is long to send: read from the disk while it is sent, and watched over.
//!
//! Law: an upload may take hours as long as it moves. It moves when the uplink has taken a piece and asks
//! for the next one; a peer that takes nothing more, or says nothing once it has everything, is given up
//! after a silence. Memory does not grow with a file.

use super::Fault;
use bytes::Bytes;
use futures_util::stream::{BoxStream, TryStreamExt, try_unfold};
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::fs::File;
use tokio::io::AsyncReadExt;
use tokio::time::Instant;

/// Pieces in which a body is handed to the uplink.
pub const PIECE: usize = 64 * 1024;

/// What is sent.
#[derive(Debug, Clone)]
pub enum Source {
    /// A file as it lies on disk.
    File(PathBuf),
    /// Bytes.
    Bytes(Bytes),
}

impl Source {
    /// Its `length` bytes in pieces of this size; only the last is shorter. A file that is shorter
    /// itself is a fault, as is one that cannot be read.
    pub fn pieces(self, length: u64, piece: usize) -> BoxStream<'static, Result<Bytes, Fault>> {
        let begin = (Reader::of(self), length);
        Box::pin(try_unfold(begin, move |(mut reader, left)| async move {
            if left == 0 {
                return Ok(None);
            }
            let bytes = reader.next(piece.min(usize::try_from(left).unwrap_or(piece))).await?;
            let left = left.saturating_sub(bytes.len() as u64);
            Ok(Some((bytes, (reader, left))))
        }))
    }
}

enum Reader {
    Closed(PathBuf),
    Open(PathBuf, File),
    Bytes(Bytes),
}

impl Reader {
    fn of(source: Source) -> Reader {
        match source {
            Source::File(path) => Reader::Closed(path),
            Source::Bytes(bytes) => Reader::Bytes(bytes),
        }
    }

    async fn next(&mut self, length: usize) -> Result<Bytes, Fault> {
        if let Reader::Closed(path) = self {
            let file = File::open(&path).await.map_err(|error| unreadable(path, &error))?;
            *self = Reader::Open(std::mem::take(path), file);
        }
        match self {
            Reader::Closed(_) => Ok(Bytes::new()),
            Reader::Bytes(bytes) => Ok(bytes.split_to(length.min(bytes.len()))),
            Reader::Open(path, file) => {
                let mut piece = Vec::with_capacity(length);
                let read = file.take(length as u64).read_to_end(&mut piece).await;
                match read.map_err(|error| unreadable(path, &error))? {
                    read if read == length => Ok(piece.into()),
                    _ => Err(Fault::permanent(format!(
                        "{} is shorter than it was when it came",
                        path.display()
                    ))),
                }
            }
        }
    }
}

fn unreadable(path: &Path, error: &io::Error) -> Fault {
    let message = format!("{}: {error}", path.display());
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied => Fault::permanent(message),
        _ => Fault::transient(message),
    }
}

/// Once all of an upload was handed over, the peer may be silent so much longer: what the kernel still
/// holds (up to four megabytes) has to cross the uplink, and a service may think about it.
const ANSWERING: u32 = 5;

/// How an upload gets on.
#[derive(Debug, Clone)]
pub struct Pulse(Arc<Mutex<Moved>>);

#[derive(Debug)]
struct Moved {
    last: Instant,
    length: u64,
    left: u64,
}

impl Pulse {
    /// Of an upload of so many bytes.
    pub fn of(length: u64) -> Pulse {
        Pulse(Arc::new(Mutex::new(Moved { last: Instant::now(), length, left: length })))
    }

    /// Of a request that uploads nothing.
    pub fn none() -> Pulse {
        Pulse::of(0)
    }

    /// So many bytes more were taken.
    pub fn moved(&self, bytes: usize) {
        let mut moved = self.lock();
        moved.last = Instant::now();
        moved.left = moved.left.saturating_sub(bytes as u64);
    }

    /// A request's body that is watched.
    pub fn body(&self, pieces: BoxStream<'static, Result<Bytes, Fault>>) -> reqwest::Body {
        let pulse = self.clone();
        reqwest::Body::wrap_stream(pieces.inspect_ok(move |piece| pulse.moved(piece.len())))
    }

    /// Does what sends, and waits for its answer, as long as neither stands still for a `silence`; for
    /// the answer to an upload, five times as long.
    ///
    /// # Errors
    /// A transient [`Fault`]: the peer was silent for too long.
    pub async fn watch<T>(
        &self,
        silence: Duration,
        sending: impl Future<Output = T>,
    ) -> Result<T, Fault> {
        self.moved(0);
        tokio::select! {
            biased;
            done = sending => Ok(done),
            fault = self.stands_still(silence) => Err(fault),
        }
    }

    async fn stands_still(&self, silence: Duration) -> Fault {
        loop {
            let (until, said) = {
                let moved = self.lock();
                match (moved.left, moved.length) {
                    (1.., _) => (moved.last + silence, ", it takes no more of the post"),
                    (0, 1..) => (moved.last + silence * ANSWERING, ", though the post was sent"),
                    (0, 0) => (moved.last + silence, ""),
                }
            };
            if until <= Instant::now() {
                return Fault::transient(format!("no answer{said} (timed out)"));
            }
            tokio::time::sleep_until(until).await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Moved> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
