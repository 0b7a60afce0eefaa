//! Hostile connections, one after the other, and what is said of their answers.
//!
//! Law: an answer is one whole answer with a status below 500, or 503 or 507, and short enough for
//! a camera; no answer is none of our business, unless the server keeps silent after the last word.

use crate::attack::{Attack, Captures, Ending, KINDS};
use crate::camera::{Camera, whole_length};
use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// Nothing that has said its last word is kept open for longer.
pub(crate) const LAST_WORD: Duration = Duration::from_secs(20);
/// The longest answer that a camera can read.
const LONGEST_ANSWER: usize = 1400;

/// What all threads count.
#[derive(Default)]
pub(crate) struct Count {
    /// Connections begun.
    pub(crate) next: AtomicU64,
    pub(crate) cut: AtomicU64,
    pub(crate) kinds: [AtomicU64; KINDS.len()],
    pub(crate) answers: Mutex<BTreeMap<String, u64>>,
    pub(crate) faults: Mutex<Vec<String>>,
    pub(crate) stop: AtomicBool,
}

impl Count {
    fn answer(&self, what: impl Into<String>) {
        *self.answers.lock().unwrap().entry(what.into()).or_default() += 1;
    }

    /// What must not be: the run ends with it.
    pub(crate) fn fault(&self, what: String) {
        self.faults.lock().unwrap().push(what);
        self.stop.store(true, Ordering::SeqCst);
    }
}

/// Makes hostile connections, one after the other.
pub(crate) struct Worker<'a> {
    pub(crate) count: &'a Count,
    pub(crate) captures: &'a Captures,
    pub(crate) camera: Camera,
}

impl Worker<'_> {
    /// Goes on until as many were made in all, or something must not be.
    pub(crate) fn work(&self, seed: u64, connections: u64) {
        let mut session = String::new();
        for turn in 0.. {
            let number = self.count.next.fetch_add(1, Ordering::SeqCst);
            if number >= connections || self.count.stop.load(Ordering::SeqCst) {
                return;
            }
            // Sessions of attackers end, by their own mutated logouts among others.
            if turn % 100 == 0 {
                session = self.camera.login("attacker").unwrap_or_default();
            }
            let mut rng =
                fastrand::Rng::with_seed(seed.wrapping_mul(1_000_003).wrapping_add(number));
            let cut = || self.count.cut.fetch_add(1, Ordering::SeqCst);
            let attack = self.captures.attack(&mut rng, &session, cut);
            self.count.kinds[attack.kind].fetch_add(1, Ordering::SeqCst);
            let what = match self.carry_out(&attack) {
                Ok(answer) => self.judge(&answer),
                Err(fault) => Err(fault),
            };
            if let Err(fault) = what {
                let Attack { kind, origin, ending, .. } = &attack;
                let kind = KINDS[*kind];
                self.count
                    .fault(format!("connection {number}, {kind}, {origin}, {ending:?}: {fault}"));
            }
        }
    }

    /// What was answered, or why nothing was.
    fn carry_out(&self, attack: &Attack) -> Result<Result<Vec<u8>, &'static str>, String> {
        let mut stream =
            self.camera.connect().map_err(|error| format!("cannot connect: {error}"))?;
        let mut pieces = attack.bytes.chunks(attack.piece.max(1));
        // A server that has heard enough may close.
        let _ = pieces.try_for_each(|piece| stream.write_all(piece));
        match attack.ending {
            Ending::Close => return Ok(Err("not waited for")),
            Ending::Reset => {
                let linger = socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO));
                linger.map_err(|error| format!("cannot reset: {error}"))?;
                return Ok(Err("not waited for"));
            }
            Ending::HalfClose => drop(stream.shutdown(Shutdown::Write)),
            Ending::ReadOn | Ending::ReadSlowly => {}
        }
        let slowly = attack.ending == Ending::ReadSlowly;
        read_answer(&mut stream, attack.ending == Ending::HalfClose, slowly)
    }

    fn judge(&self, answer: &Result<Vec<u8>, &'static str>) -> Result<(), String> {
        let answer = match answer {
            Ok(answer) if !answer.is_empty() => answer,
            none => {
                self.count.answer(*none.as_ref().err().unwrap_or(&"none, closed"));
                return Ok(());
            }
        };
        let shown = || format!("{:?}", String::from_utf8_lossy(&answer[..answer.len().min(2000)]));
        let Some(status) = samsung_sns::camera::status(answer) else {
            return Err(format!("no answer of HTTP: {}", shown()));
        };
        self.count.answer(status.to_string());
        let body_less = answer.ends_with(b"\r\n\r\n"); // asked by HEAD
        match status {
            500.. if ![503, 507].contains(&status) => Err(format!("answered {}", shown())),
            _ if answer.len() >= LONGEST_ANSWER => Err(format!("a long answer: {}", shown())),
            _ => match whole_length(answer) {
                Some(length) if answer.len() == length || body_less => Ok(()),
                length => Err(format!("not one whole answer of {length:?} bytes: {}", shown())),
            },
        }
    }
}

fn read_answer(
    stream: &mut TcpStream,
    mut ended: bool,
    slowly: bool,
) -> Result<Result<Vec<u8>, &'static str>, String> {
    let patience = |ended| if ended { LAST_WORD } else { Duration::from_millis(700) };
    let (mut answer, mut piece) = (Vec::new(), vec![0; if slowly { 1 } else { 2048 }]);
    loop {
        let set = stream.set_read_timeout(Some(patience(ended)));
        set.map_err(|error| format!("cannot wait: {error}"))?;
        match stream.read(&mut piece) {
            Ok(0) => return Ok(Ok(answer)),
            Ok(n) => answer.extend_from_slice(&piece[..n]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                if ended {
                    return Err(format!("nothing for {LAST_WORD:?} after the last word"));
                }
                ended = true;
                let _ = stream.shutdown(Shutdown::Write);
            }
            // A reset takes what was not read with it.
            Err(_) if answer.is_empty() => return Ok(Err("none, reset")),
            Err(_) => return Ok(Ok(answer)),
        }
        if slowly && answer.len() < 100 {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}
