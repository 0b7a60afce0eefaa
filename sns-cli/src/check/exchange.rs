//! One request and its answer, with everything about it that can be measured from outside.
//!
//! Law: one connection a request, as cameras do it. Nothing is judged here.

use super::segments;
use samsung_sns::camera;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How long an answer may take before nobody waits for it any more.
const PATIENCE: Duration = Duration::from_secs(8);
/// How long after its end the connection may stay open.
const LINGER: Duration = Duration::from_secs(2);
/// No answer for a camera has a twentieth of this.
const MAX_ANSWER: usize = 64 * 1024;

/// An answer, and how it came.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Head and body.
    pub(crate) bytes: Vec<u8>,
    /// In how many reads it came.
    pub(crate) reads: u32,
    /// In how many TCP segments, if the kernel tells.
    pub(crate) segments: Option<u32>,
    /// From the last byte of the request to the last of the answer.
    pub(crate) took: Duration,
    /// What happened then.
    pub(crate) end: End,
}

/// What happened behind the last byte that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
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
    TcpStream::connect_timeout(&address, CONNECT)
        .map_err(|error| NoAnswer::Connect(error.to_string()))
}

/// Sends a request and takes what comes.
pub(super) fn exchange(address: SocketAddr, request: &[u8]) -> Result<Answer, NoAnswer> {
    let mut stream = connect(address)?;
    let broken = |error: io::Error| NoAnswer::Broken(error.to_string());
    stream.set_write_timeout(Some(PATIENCE)).map_err(broken)?;
    // An answer that comes although sending failed is an answer.
    let failed = stream.write_all(request).err();
    receive(&mut stream, failed, PATIENCE)
}

/// Takes what comes, for so long at most. `failed`: why sending did not come to its end.
pub(crate) fn receive(
    stream: &mut TcpStream,
    failed: Option<io::Error>,
    patience: Duration,
) -> Result<Answer, NoAnswer> {
    let broken = |error: io::Error| NoAnswer::Broken(error.to_string());
    let sent = Instant::now();
    let mut deadline = sent + patience;
    let mut answer = Answer {
        bytes: Vec::new(),
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
    match (answer.bytes.is_empty(), failed, answer.end) {
        (false, _, _) => Ok(answer),
        (true, Some(error), _) => Err(broken(error)),
        (true, None, End::Closed) => Err(NoAnswer::Closed),
        (true, None, _) => Err(NoAnswer::Silent),
    }
}

/// Whether nothing more is to come: as much as `Content-Length` says, or, without one, a head.
fn is_whole(answer: &[u8]) -> bool {
    let Some(head) = head_length(answer) else { return false };
    match header(&answer[..head], "Content-Length").and_then(|(_, value)| value.parse().ok()) {
        Some(length) => answer.len() - head >= length,
        None => camera::status(answer).is_some(),
    }
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
