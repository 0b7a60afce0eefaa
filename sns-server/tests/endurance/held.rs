//! Connections that are held open: silent ones, dripping ones, and readers that hardly read.
//!
//! Law: one thread holds them all and opens anew what the server closes, so that there are as many
//! at the end as at the beginning. They come from other addresses than the camera that must get
//! through.

use crate::camera::Camera;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Uploads that drip on a live session take a place of `limits.uploads_at_a_time` (64) each, as long
/// as `limits.body_rate` lets them. Whoever may upload may do that; here a third of the places is
/// taken so.
const DRIPPING_UPLOADS: usize = 20;
/// From 127.0.0.100 on.
const FIRST_ADDRESS: u8 = 100;
/// As many as stay below `limits.connections_per_address` (512) each.
const ADDRESSES: usize = 4;

struct Held {
    stream: TcpStream,
    /// Sent a byte at a time, over and over from `again`.
    drip: Vec<u8>,
    at: usize,
    again: Option<usize>,
}

/// Holds `number` connections until told to stop; how many it has opened.
pub(crate) fn hold(address: SocketAddr, number: usize, stop: &AtomicBool) -> Result<u64, String> {
    let session = Camera::new(address, FIRST_ADDRESS).login("dripping");
    let session = session.map_err(|outcome| outcome.describe())?;
    let mut opened = 0;
    let mut open = |slot: usize| {
        opened += 1;
        let from = FIRST_ADDRESS + u8::try_from(slot % ADDRESSES).unwrap();
        Held::open(&Camera::new(address, from), slot, &session)
            .map_err(|error| format!("cannot hold connection {slot} open: {error}"))
    };
    let mut held = (0..number).map(&mut open).collect::<Result<Vec<_>, _>>()?;
    while !stop.load(Ordering::SeqCst) {
        for (slot, one) in held.iter_mut().enumerate() {
            if !one.goes_on() {
                *one = open(slot)?;
            }
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    Ok(opened)
}

impl Held {
    fn open(camera: &Camera, slot: usize, session: &str) -> std::io::Result<Held> {
        let mut stream = camera.connect()?;
        let text = |text: String| text.into_bytes();
        let head = |path: &str| format!("PUT /upload/{path}/a.jpg HTTP/1.1\r\n");
        let body = "Content-Type: image/jpeg\r\nContent-Length: 1000000\r\n\r\n";
        let (at_once, drip, again) = match slot % 10 {
            _ if slot < DRIPPING_UPLOADS => (text(head(session) + body), vec![7], Some(0)),
            0..4 => (vec![], vec![], None),
            // A head that never ends.
            4..7 => (vec![], text(head("x") + "X: yyyyyyyy\r\n"), Some(head("x").len() + 3)),
            // A body for a session that nobody has.
            7..9 => (text(head("nobody") + body), vec![7], Some(0)),
            // Requests whose answers are hardly read.
            _ => {
                (text("GET / HTTP/1.1\r\nHost: www.yahoo.co.kr\r\n\r\n".repeat(100)), vec![], None)
            }
        };
        stream.write_all(&at_once)?;
        stream.set_nonblocking(true)?;
        Ok(Held { stream, drip, at: 0, again })
    }

    /// Sends and reads at most a byte; whether the connection is still open.
    fn goes_on(&mut self) -> bool {
        let going = |outcome: std::io::Result<usize>| match outcome {
            Ok(n) => n > 0,
            Err(error) => error.kind() == ErrorKind::WouldBlock,
        };
        if !going(self.stream.read(&mut [0])) {
            return false;
        }
        if self.at == self.drip.len() {
            self.at = self.again.unwrap_or(self.at);
        }
        match self.drip.get(self.at) {
            Some(&byte) => {
                self.at += 1;
                going(self.stream.write(&[byte]))
            }
            None => true,
        }
    }
}
