//! What is read: a file, or what comes through a pipe until somebody ends it.
//!
//! Law: the first Ctrl-C (or SIGTERM) is the end of the input, after which all there is so far is
//! told; the second ends the program at once. Whoever captures into a pipe gets the same Ctrl-C and
//! hands over what it still holds: that is waited for, but not for long.

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// What is read of a pipe at a time: as much as Linux keeps in one.
const PIECE: usize = 64 * 1024;
/// So many pieces are read ahead.
const AHEAD: usize = 4;
/// While nothing comes, it is looked this often whether to stop.
const LOOK: Duration = Duration::from_millis(50);
/// Once it was asked to stop: what comes before a silence this long is read,
const SILENCE: Duration = Duration::from_millis(300);
/// and no more than comes in this time.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Whether somebody asked to stop.
#[derive(Debug, Clone)]
pub(super) struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Listens for Ctrl-C and SIGTERM from now on.
    ///
    /// # Errors
    /// Where the system does not let it.
    pub(super) fn on_signals() -> io::Result<Stop> {
        let asked = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // They act in this order: only the second signal finds that it was asked before.
            flag::register_conditional_default(signal, asked.clone())?;
            flag::register(signal, asked.clone())?;
        }
        Ok(Stop(asked))
    }

    /// Whether to stop.
    pub(super) fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Opens a file, or standard input for `-`; gives the length of what has one.
///
/// # Errors
/// Where it is not there.
pub(super) fn open(path: &Path, stop: &Stop) -> io::Result<(Box<dyn Read>, Option<u64>)> {
    let stop = stop.clone();
    if path.as_os_str() != "-" {
        let about = fs::metadata(path)?;
        if about.is_file() {
            let input = Stored { file: File::open(path)?, stop };
            return Ok((Box::new(input), Some(about.len())));
        }
    }
    Ok((Box::new(Live::begin(path.to_owned(), stop)?), None))
}

/// A file: reading it never waits for long.
struct Stored {
    file: File,
    stop: Stop,
}

impl Read for Stored {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.stop.is_asked() { Ok(0) } else { self.file.read(into) }
    }
}

/// A pipe or a terminal, from which a read may wait forever: another thread waits.
struct Live {
    pieces: Receiver<io::Result<Vec<u8>>>,
    piece: Vec<u8>,
    at: usize,
    stop: Stop,
    /// When it was seen that it is to stop, and when something came last since.
    stopping: Option<(Instant, Instant)>,
}

impl Live {
    fn begin(path: PathBuf, stop: Stop) -> io::Result<Live> {
        let (sender, pieces) = sync_channel(AHEAD);
        // It is never joined: it may be waiting when the program ends.
        thread::Builder::new().name("input".to_owned()).spawn(move || {
            let input: io::Result<Box<dyn Read>> = match path.as_os_str().to_str() {
                Some("-") => Ok(Box::new(io::stdin())),
                // To open a named pipe waits for its other end.
                _ => File::open(path).map(|file| Box::new(file) as Box<dyn Read>),
            };
            match input {
                Ok(input) => hand_over(input, &sender),
                Err(error) => drop(sender.send(Err(error))),
            }
        })?;
        Ok(Live { pieces, piece: Vec::new(), at: 0, stop, stopping: None })
    }

    /// How long to wait for more; `None` if it is enough.
    fn patience(&mut self) -> Option<Duration> {
        if !self.stop.is_asked() {
            return Some(LOOK);
        }
        let now = Instant::now();
        let (since, heard) = *self.stopping.get_or_insert((now, now));
        let silence = SILENCE.checked_sub(now - heard)?;
        let rest = LAST_WORDS.checked_sub(now - since)?;
        Some(silence.min(rest).max(Duration::from_millis(1)))
    }
}

/// Reads until the input ends, or nobody wants it.
fn hand_over(mut input: impl Read, sender: &SyncSender<io::Result<Vec<u8>>>) {
    loop {
        let mut piece = vec![0; PIECE];
        let read = match input.read(&mut piece) {
            Ok(0) => return,
            Ok(length) => {
                piece.truncate(length);
                Ok(piece)
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => Err(error),
        };
        let is_over = read.is_err();
        if sender.send(read).is_err() || is_over {
            return;
        }
    }
}

impl Read for Live {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.at == self.piece.len() {
            let Some(patience) = self.patience() else { return Ok(0) };
            match self.pieces.recv_timeout(patience) {
                Ok(piece) => {
                    (self.piece, self.at) = (piece?, 0);
                    if let Some((_, heard)) = &mut self.stopping {
                        *heard = Instant::now();
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(0),
            }
        }
        let length = into.len().min(self.piece.len() - self.at);
        into[..length].copy_from_slice(&self.piece[self.at..self.at + length]);
        self.at += length;
        Ok(length)
    }
}
