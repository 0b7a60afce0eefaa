//! One request and its answer, with everything about it that can be measured from outside.
//!
//! Law: one connection a request, as cameras do it. Nothing is judged here.

use super::fault::said;
use super::segments;
use samsung_sns::camera;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How long an answer may take before nobody waits for it any more.
pub(super) const PATIENCE: Duration = Duration::from_secs(8);
/// How long the last byte of a file is kept back, to see whether the server waits for it.
const HOLD: Duration = Duration::from_millis(150);
/// How long after its end the connection may stay open.
const LINGER: Duration = Duration::from_secs(2);
/// No answer for a camera has a twentieth of this.
const MAX_ANSWER: usize = 64 * 1024;

/// An answer, and how it came.
#[derive(Debug)]
pub(super) struct Answer {
    /// Head and body; of several heads the last.
    pub(super) bytes: Vec<u8>,
    /// The status of an interim answer, such as `100 Continue`, that came before.
    pub(super) interim: Option<u16>,
    /// Whether it began before the request was whole.
    pub(super) is_early: bool,
    /// In how many reads it came.
    pub(super) reads: u32,
    /// In how many TCP segments, if the kernel tells.
    pub(super) segments: Option<u32>,
    /// From the last byte of the request to the last of the answer.
    pub(super) took: Duration,
    /// What happened then.
    pub(super) end: End,
}

/// What happened behind the last byte that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The server closed.
    Closed,
    /// The connection was reset.
    Reset,
    /// The answer is whole, but the connection stays open.
    Open,
    /// The answer is not whole, and nothing more came.
    Stalled,
}

/// Why there is no answer.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoAnswer {
    /// There is no connection.
    #[error("no connection: {0}")]
    Connect(String),
    /// The connection broke.
    #[error("the connection broke off without an answer: {0}")]
    Broken(String),
    /// The server closed.
    #[error("the server closed the connection without an answer")]
    Closed,
    /// Nothing came.
    #[error("no answer within {} s", PATIENCE.as_secs())]
    Silent,
}

/// A connection, made as a camera makes it.
pub(super) fn connect(address: SocketAddr) -> Result<TcpStream, NoAnswer> {
    TcpStream::connect_timeout(&address, CONNECT).map_err(|error| NoAnswer::Connect(said(&error)))
}

/// Sends a request and takes what comes. `has_file`: its last byte goes alone and a little later, as
/// the many segments of a file do.
pub(super) fn exchange(
    address: SocketAddr,
    request: &[u8],
    has_file: bool,
) -> Result<Answer, NoAnswer> {
    let mut stream = connect(address)?;
    let broken = |error: io::Error| NoAnswer::Broken(said(&error));
    stream.set_write_timeout(Some(PATIENCE)).map_err(broken)?;
    let (first, last) = request.split_at(request.len() - usize::from(has_file));
    // An answer that comes although sending failed is an answer.
    let mut failed = stream.write_all(first).err();
    let mut is_early = false;
    if has_file && failed.is_none() {
        stream.set_read_timeout(Some(HOLD)).map_err(broken)?;
        is_early = stream.peek(&mut [0]).is_ok_and(|length| length > 0);
        failed = stream.write_all(last).err();
    }
    receive(&mut stream, failed, is_early, PATIENCE)
}

/// Takes what comes, for so long at most. `failed`: why sending did not come to its end.
pub(super) fn receive(
    stream: &mut TcpStream,
    failed: Option<io::Error>,
    is_early: bool,
    patience: Duration,
) -> Result<Answer, NoAnswer> {
    let broken = |error: io::Error| NoAnswer::Broken(said(&error));
    let sent = Instant::now();
    let mut deadline = sent + patience;
    let mut answer = Answer {
        bytes: Vec::new(),
        interim: None,
        is_early,
        reads: 0,
        segments: None,
        took: Duration::ZERO,
        end: End::Stalled,
    };
    let mut piece = vec![0; MAX_ANSWER];
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() || answer.bytes.len() > MAX_ANSWER {
            break;
        }
        stream.set_read_timeout(Some(left)).map_err(broken)?;
        match stream.read(&mut piece) {
            Ok(0) => {
                answer.end = End::Closed;
                break;
            }
            Ok(length) => {
                answer.bytes.extend_from_slice(&piece[..length]);
                answer.reads += 1;
                answer.took = sent.elapsed();
                if is_whole(&answer.bytes) {
                    answer.end = End::Open;
                    deadline = Instant::now() + LINGER;
                }
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                break;
            }
            Err(error) if answer.bytes.is_empty() => return Err(broken(error)),
            Err(_) => {
                answer.end = End::Reset;
                break;
            }
        }
    }
    answer.segments = segments::received(stream);
    let start = interim(&answer.bytes);
    answer.interim = camera::status(&answer.bytes).filter(|_| start > 0);
    answer.bytes.drain(..start);
    match (answer.bytes.is_empty(), failed, answer.end) {
        (false, _, _) => Ok(answer),
        (true, Some(error), _) => Err(broken(error)),
        (true, None, End::Closed) => Err(NoAnswer::Closed),
        (true, None, _) => Err(NoAnswer::Silent),
    }
}

/// Whether nothing more is to come: as much as `Content-Length` says, or, without one, a head.
fn is_whole(bytes: &[u8]) -> bool {
    let answer = &bytes[interim(bytes)..];
    let Some(head) = head_length(answer) else { return false };
    match header(&answer[..head], "Content-Length").and_then(|(_, value)| value.parse().ok()) {
        Some(length) => answer.len() - head >= length,
        None => camera::status(answer).is_some(),
    }
}

/// How long the interim answers (1xx) are that stand first.
fn interim(bytes: &[u8]) -> usize {
    let mut start = 0;
    while let Some(100..=199) = camera::status(&bytes[start..]) {
        let Some(length) = head_length(&bytes[start..]) else { break };
        start += length;
    }
    start
}

/// The length of the head, its empty line included.
pub(super) fn head_length(answer: &[u8]) -> Option<usize> {
    memchr::memmem::find(answer, b"\r\n\r\n").map(|at| at + 4)
}

/// A header as it is spelt, with its value; `name` in any case.
pub(super) fn header<'a>(head: &'a [u8], name: &str) -> Option<(&'a str, &'a str)> {
    head.split(|&byte| byte == b'\n').skip(1).find_map(|line| {
        let (found, value) = std::str::from_utf8(line).ok()?.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| (found, value.trim()))
    })
}
