//! The way to the server, as bad as it was asked to be.
//!
//! Law: a slow link never sends more by any moment than its rate allows by then; a link that breaks
//! has sent exactly as many bytes as it was told to.

use std::io::{self, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

/// How slow it is, and when it breaks.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Link {
    /// Bytes a second; `None` for as fast as it goes.
    pub(super) rate: Option<u64>,
    /// After so many bytes of a request the connection breaks.
    pub(super) cut_at: Option<u64>,
}

/// Why bytes did not get through.
#[derive(Debug)]
pub(super) enum Broken {
    /// The link was to break here.
    Cut(u64),
    /// The network's own trouble.
    Network(io::Error),
}

/// The sending side of one connection.
pub(super) struct Sender<'a> {
    stream: &'a mut TcpStream,
    link: Link,
    sent: u64,
    began: Instant,
}

impl Link {
    /// Sends over this connection.
    pub(super) fn over(self, stream: &mut TcpStream) -> Sender<'_> {
        Sender { stream, link: self, sent: 0, began: Instant::now() }
    }
}

impl Sender<'_> {
    /// Sends all of it, or breaks.
    pub(super) fn send(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        let until_cut = self.link.cut_at.map_or(u64::MAX, |at| at - self.sent.min(at));
        let allowed = bytes.len().min(usize::try_from(until_cut).unwrap_or(usize::MAX));
        for piece in bytes[..allowed].chunks(self.piece()) {
            self.wait(piece.len());
            self.stream.write_all(piece).map_err(Broken::Network)?;
            self.sent += piece.len() as u64;
        }
        if allowed < bytes.len() {
            // A peer that is gone already is as good.
            let _ = self.stream.shutdown(Shutdown::Both);
            return Err(Broken::Cut(self.sent));
        }
        Ok(())
    }

    /// Whether something has come already, before all is sent.
    pub(super) fn is_answered(&self) -> bool {
        let looked = self
            .stream
            .set_nonblocking(true)
            .and_then(|()| self.stream.peek(&mut [0]))
            .is_ok_and(|length| length > 0);
        // If that failed, sending fails next, and says so.
        let _ = self.stream.set_nonblocking(false);
        looked
    }

    /// How much is sent at a time: a tenth of a second's worth, so that it flows and does not jump.
    fn piece(&self) -> usize {
        let piece = self.link.rate.map_or(u64::MAX, |rate| (rate / 10).max(1));
        usize::try_from(piece).unwrap_or(usize::MAX).min(64 * 1024)
    }

    /// Waits until so many more bytes are allowed.
    fn wait(&self, more: usize) {
        let Some(rate) = self.link.rate else { return };
        let by_then = (self.sent + more as u64) as f64 / rate as f64;
        let now = self.began.elapsed();
        std::thread::sleep(Duration::from_secs_f64(by_then).saturating_sub(now));
    }
}

/// A number of bytes, such as `1500`, `20KiB`, `1.5 MB`; not 0.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let wrong = || format!("{text:?} is no size such as 1500, 20KiB or 1.5MB");
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit: f64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1.0,
        "kb" => 1e3,
        "mb" => 1e6,
        "gb" => 1e9,
        "kib" => 1024.0,
        "mib" => 1024.0 * 1024.0,
        "gib" => 1024.0 * 1024.0 * 1024.0,
        _ => return Err(wrong()),
    };
    let number: f64 = number.parse().map_err(|_| wrong())?;
    match (number * unit).round() {
        size if (1.0..1e15).contains(&size) => Ok(size as u64),
        _ => Err(wrong()),
    }
}

/// A number of bytes a second, such as `20KiB/s`.
pub(super) fn rate(text: &str) -> Result<u64, String> {
    let text = text.trim();
    size(text.strip_suffix("/s").unwrap_or(text))
        .map_err(|_| format!("{text:?} is no rate such as 20KiB/s"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::net::{Ipv4Addr, TcpListener};

    #[test]
    fn sizes_are_read_as_people_write_them() {
        for (text, bytes) in [
            ("1500", 1500),
            ("20KiB", 20_480),
            ("20 kib", 20_480),
            ("1.5MB", 1_500_000),
            ("1 GiB", 1 << 30),
            ("7B", 7),
        ] {
            assert_eq!(size(text), Ok(bytes), "{text}");
            assert_eq!(rate(&format!("{text}/s")), Ok(bytes), "{text}");
        }
        for text in ["", "0", "KiB", "-1", "1 apple", "1e3", "99999999GB", ".", "1.2.3"] {
            assert!(size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_link_is_slow_and_breaks_where_it_is_told_to() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let mut stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        let link = Link { rate: Some(10_000), cut_at: Some(3_500) };
        let began = Instant::now();
        let mut sender = link.over(&mut stream);
        sender.send(&[1; 3_000]).unwrap();
        assert!(matches!(sender.send(&[2; 3_000]), Err(Broken::Cut(3_500))));
        assert!(began.elapsed() >= Duration::from_millis(350), "{:?}", began.elapsed());
        let mut received = Vec::new();
        server.read_to_end(&mut received).unwrap();
        assert_eq!(received.len(), 3_500);
    }
}
