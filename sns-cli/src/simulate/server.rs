//! The server's address, and one exchange with it.
//!
//! Law: one TCP connection per request. An answer that arrives is read even if sending failed midway:
//! a server may refuse before it has read all. A server that does nothing is waited for, but never
//! without end.

use super::link::{Broken, Link, Sender};
use super::photo::Photo;
use super::stop::{Kind, Stop};
use crate::check::verdict::{Came, NoAnswer};
use indicatif::ProgressBar;
use std::io::{self, ErrorKind, Read, Seek};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::str::FromStr;
use std::time::Duration;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a server may take nothing of what is sent.
const STALL: Duration = Duration::from_secs(10);
/// How long the answer to a message may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the answer to a file may take, some of which may still be on its way.
const PATIENCE_AFTER_FILE: Duration = Duration::from_secs(60);
/// Who has stopped reading has said by then what there is to say.
const PATIENCE_AFTER_FAILURE: Duration = Duration::from_secs(1);

/// Where the server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Server {
    host: String,
    port: u16,
}

impl FromStr for Server {
    type Err = String;

    fn from_str(text: &str) -> Result<Server, String> {
        let expected = || "write it as http://HOST:PORT, such as http://127.0.0.1:8080".to_owned();
        if text.starts_with("https://") {
            return Err("cameras of this kind speak plain HTTP: ".to_owned() + &expected());
        }
        let address = text.strip_prefix("http://").ok_or_else(expected)?;
        let address = address.strip_suffix('/').unwrap_or(address);
        let (host, port) = match address.rsplit_once(':') {
            // [::1]:8080, and [::1] without a port
            _ if address.ends_with(']') => (address, 80),
            Some((host, port)) => (host, port.parse().map_err(|_| expected())?),
            None => (address, 80),
        };
        let host = match host.strip_prefix('[') {
            Some(inside) => inside.strip_suffix(']').ok_or_else(expected)?,
            None if host.contains(':') => return Err(expected()),
            None => host,
        };
        if host.is_empty() || host.contains(|c: char| c == '/' || c == '@' || c.is_whitespace()) {
            return Err(expected());
        }
        Ok(Server { host: host.to_owned(), port })
    }
}

/// A piece of a request.
pub(super) enum Piece<'a> {
    /// These bytes.
    Bytes(&'a [u8]),
    /// A file as it is.
    File(&'a Photo),
}

impl Piece<'_> {
    /// Its bytes, if they are in memory.
    fn bytes(&self) -> &[u8] {
        match self {
            Piece::Bytes(bytes) => bytes,
            Piece::File(_) => &[],
        }
    }

    /// Its length in bytes.
    pub(super) fn length(&self) -> u64 {
        match self {
            Piece::Bytes(bytes) => bytes.len() as u64,
            Piece::File(photo) => photo.length,
        }
    }
}

impl Server {
    /// Sends one request over a link of this kind and gives the answer.
    pub(super) fn exchange(
        &self,
        pieces: &[Piece<'_>],
        link: Link,
        bar: &ProgressBar,
    ) -> Result<Came, Stop> {
        let mut stream = self.connect()?;
        let mut sender = link.over(&mut stream);
        let mut is_early = false;
        let sent = pieces.iter().try_for_each(|piece| match piece {
            Piece::Bytes(bytes) => sender.send(bytes).map_err(SendError::Link),
            Piece::File(photo) => send_file(photo, &mut sender, bar, &mut is_early),
        });
        let failed = match sent {
            Ok(()) => None,
            Err(SendError::File(stop)) => return Err(stop),
            Err(SendError::Link(Broken::Cut(sent))) => {
                let sentence = format!("cut off after {sent} bytes, as --cut-at says");
                return Err(Stop::new(Kind::Cut, sentence));
            }
            Err(SendError::Link(Broken::Network(error))) => Some(error),
        };
        let has_stalled = failed.as_ref().is_some_and(is_timeout);
        let with_file = pieces.iter().any(|piece| matches!(piece, Piece::File(_)));
        let patience = match (&failed, with_file) {
            (Some(_), _) => PATIENCE_AFTER_FAILURE,
            (None, true) => PATIENCE_AFTER_FILE,
            (None, false) => PATIENCE,
        };
        let request = pieces.first().map_or(&[][..], Piece::bytes);
        Came::receive(&mut stream, request, failed, (is_early, with_file, patience)).map_err(
            |why| {
                let kind = match why {
                    NoAnswer::Silent => Kind::NoAnswer,
                    _ if has_stalled => Kind::NoAnswer,
                    _ => Kind::BrokenOff,
                };
                let sentence = if has_stalled {
                    format!(
                        "the server stopped reading, and took nothing for {} s",
                        STALL.as_secs()
                    )
                } else if why == NoAnswer::Silent {
                    format!("the server gave no answer within {} s", patience.as_secs())
                } else {
                    why.to_string()
                };
                Stop::new(kind, sentence)
            },
        )
    }

    /// Its port.
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// The addresses of its name.
    pub(super) fn addresses(&self) -> Result<Vec<SocketAddr>, Stop> {
        let Server { host, port } = self;
        let resolved = (host.as_str(), *port).to_socket_addrs().map_err(|error| {
            let sentence = format!("cannot find {host}: {error}; is the name in --server right?");
            Stop::impossible(sentence)
        })?;
        Ok(resolved.collect())
    }

    fn connect(&self) -> Result<TcpStream, Stop> {
        let Server { host, port } = self;
        let mut failure = io::Error::from(ErrorKind::AddrNotAvailable);
        for address in self.addresses()? {
            match TcpStream::connect_timeout(&address, CONNECT_TIMEOUT) {
                Ok(stream) => {
                    let _ = stream.set_write_timeout(Some(STALL));
                    return Ok(stream);
                }
                Err(error) => failure = error,
            }
        }
        let sentence = format!(
            "cannot connect to {host} port {port}: {failure}; is sns-server running there, and is \
             the address in --server right?"
        );
        Err(Stop::new(Kind::NoConnection, sentence))
    }
}

enum SendError {
    File(Stop),
    Link(Broken),
}

/// Sends a file. `is_early`: whether there was an answer before its last piece was sent.
fn send_file(
    photo: &Photo,
    sender: &mut Sender<'_>,
    bar: &ProgressBar,
    is_early: &mut bool,
) -> Result<(), SendError> {
    let unreadable = |problem: String| {
        SendError::File(Stop::impossible(format!("cannot send {}: {problem}", photo.name)))
    };
    let mut file = &photo.file;
    file.rewind().map_err(|error| unreadable(error.to_string()))?;
    let mut left = photo.length;
    let mut piece = vec![0; 64 * 1024];
    while left > 0 {
        let wanted = piece.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let length = match file.read(&mut piece[..wanted]) {
            Ok(0) => return Err(unreadable("it became shorter while it was sent".to_owned())),
            Ok(length) => length,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(unreadable(error.to_string())),
        };
        left -= length as u64;
        *is_early |= left == 0 && sender.is_answered();
        sender.send(&piece[..length]).map_err(SendError::Link)?;
        bar.inc(length as u64);
    }
    Ok(())
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_people_write_it() {
        for (text, host, port) in [
            ("http://127.0.0.1:8080", "127.0.0.1", 8080),
            ("http://stick.local/", "stick.local", 80),
            ("http://[::1]:8080", "::1", 8080),
            ("http://[::1]", "::1", 80),
        ] {
            assert_eq!(text.parse(), Ok(Server { host: host.to_owned(), port }), "{text}");
        }
        for text in [
            "127.0.0.1:8080",
            "https://x",
            "http://",
            "http://x:99999",
            "http://::1:80",
            "http://a/b",
            "http://:80",
            "http://a@b",
        ] {
            assert!(text.parse::<Server>().is_err(), "{text}");
        }
    }
}
