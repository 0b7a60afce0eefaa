//! Bytes that no camera sends, made of those that cameras do.
//!
//! Law: seed and number decide every byte. Cuts go through every offset of every capture, in an
//! order that spreads them, so that as many connections as there are offsets meet each of them.

use std::fs;
use std::io;
use std::path::Path;

/// The session of the captured uploads; a live one takes its place.
const CAPTURED_SESSION: &[u8] = b"844e7f0fadf4ba1cf5b6de9edb06ac9a";
/// Shares no factor with a number of cuts that is not a multiple of it.
const STRIDE: u64 = 15_485_863;

pub(crate) const KINDS: [&str; 8] = [
    "random bytes",
    "cut at an offset",
    "mutated",
    "wrong length",
    "pipelined",
    "in pieces",
    "silent",
    "as captured",
];

/// One hostile connection.
pub(crate) struct Attack {
    /// Index into [`KINDS`].
    pub(crate) kind: usize,
    pub(crate) bytes: Vec<u8>,
    /// How many bytes go at a time.
    pub(crate) piece: usize,
    pub(crate) ending: Ending,
    /// What it was made of.
    pub(crate) origin: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Ends its side, reads on.
    HalfClose,
    /// Reads on; ends its side when nothing comes.
    ReadOn,
    /// The same, a byte at a time with pauses.
    ReadSlowly,
    /// Closes without reading.
    Close,
    /// Closes with a reset.
    Reset,
}

/// All requests of `testdata/`.
pub(crate) struct Captures {
    requests: Vec<(String, Vec<u8>)>,
    /// Every offset of every request, as (request, offset).
    cuts: Vec<(usize, usize)>,
}

impl Captures {
    pub(crate) fn read() -> io::Result<Captures> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata");
        let mut requests = Vec::new();
        for folder in ["captured", "reconstructed", "malformed"] {
            collect(&root.join(folder), &mut requests)?;
        }
        requests.sort();
        let cuts = requests.iter().enumerate();
        let cuts = cuts.flat_map(|(n, (_, bytes))| (0..bytes.len()).map(move |at| (n, at)));
        Ok(Captures { cuts: cuts.collect(), requests })
    }

    /// How many cuts there are.
    pub(crate) fn cuts(&self) -> usize {
        self.cuts.len()
    }

    /// The connection of this number. `cut` counts those that were cut.
    pub(crate) fn attack(
        &self,
        rng: &mut fastrand::Rng,
        session: &str,
        cut: impl FnOnce() -> u64,
    ) -> Attack {
        let kind = match rng.u8(..100) {
            0..12 => 0,
            12..57 => 1,
            57..77 => 2,
            77..84 => 3,
            84..89 => 4,
            89..93 => 5,
            93..96 => 6,
            _ => 7,
        };
        let chosen = rng.usize(..self.requests.len());
        let (mut origin, mut bytes) = self.requests[chosen].clone();
        let mut piece = usize::MAX;
        match kind {
            0 => {
                (origin, bytes) = ("nothing".to_owned(), vec![0; rng.usize(..4096)]);
                rng.fill(&mut bytes);
                if rng.bool() {
                    bytes.splice(
                        ..0,
                        *b"POST /facebook/auth HTTP/1.1\r\nContent-Length: 900\r\n\r\n",
                    );
                }
            }
            1 => {
                let number = cut().wrapping_mul(STRIDE) % self.cuts.len() as u64;
                let (request, at) = self.cuts[usize::try_from(number).unwrap()];
                let (name, whole) = &self.requests[request];
                (origin, bytes) = (format!("{name} cut at {at}"), whole[..at].to_vec());
            }
            2 => (0..rng.u8(1..=8)).for_each(|_| mutate(rng, &mut bytes)),
            3 => wrong_length(rng, &mut bytes),
            4 => (0..rng.u8(1..=4)).for_each(|_| {
                bytes.extend_from_slice(&self.requests[rng.usize(..self.requests.len())].1);
            }),
            5 => piece = rng.usize(1..40),
            6 => bytes.clear(),
            _ => {}
        }
        put_session(&mut bytes, session.as_bytes());
        let ending = match rng.u8(..100) {
            0..62 => Ending::HalfClose,
            62..72 => Ending::ReadOn,
            72..74 => Ending::ReadSlowly,
            74..86 => Ending::Close,
            _ => Ending::Reset,
        };
        Attack { kind, bytes, piece, ending, origin }
    }
}

fn collect(folder: &Path, requests: &mut Vec<(String, Vec<u8>)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.display().to_string();
        match path.extension().and_then(|extension| extension.to_str()) {
            _ if path.is_dir() => collect(&path, requests)?,
            Some("http" | "bin") => requests.push((name, fs::read(&path)?)),
            // A message without its head.
            Some("xml") if !name.contains("email") => {
                let message = fs::read(&path)?;
                let length = message.len();
                let head =
                    format!("POST /facebook/auth HTTP/1.1\r\nContent-Length: {length}\r\n\r\n");
                requests.push((name, [head.into_bytes(), message].concat()));
            }
            _ => {}
        }
    }
    Ok(())
}

fn mutate(rng: &mut fastrand::Rng, bytes: &mut Vec<u8>) {
    let length = bytes.len();
    if length == 0 {
        return;
    }
    let start = rng.usize(..length);
    let end = (start + rng.usize(..64)).min(length);
    match rng.u8(..8) {
        0 => bytes[start] ^= 1 << rng.u8(..8),
        1 => bytes[start] = rng.u8(..),
        2 => drop(bytes.drain(start..end)),
        3 => {
            let again = bytes[start..end].to_vec();
            bytes.splice(start..start, again);
        }
        4 => {
            let random: Vec<u8> = (start..end).map(|_| rng.u8(..)).collect();
            bytes.splice(start..start, random);
        }
        5 => bytes.insert(start, b"\r\n\0<>\"=&%/"[rng.usize(..10)]),
        6 => bytes[start..end].fill(rng.u8(..)),
        _ => {
            // Something from elsewhere in the same request.
            let from = rng.usize(..length);
            let moved = bytes[from..(from + 32).min(length)].to_vec();
            bytes.splice(start..start, moved);
        }
    }
}

/// Says another length than there is, or in another way.
fn wrong_length(rng: &mut fastrand::Rng, bytes: &mut Vec<u8>) {
    let Some(at) = find(bytes, b"Content-Length:") else { return mutate(rng, bytes) };
    let end = bytes[at..].iter().position(|&b| b == b'\n').map_or(bytes.len(), |n| at + n + 1);
    let true_length = bytes.len() as u64;
    let line = match rng.u8(..12) {
        0 => "Content-Length: 0".to_owned(),
        1 => format!("Content-Length: {}", rng.u64(..true_length)),
        2 => format!("Content-Length: {}", true_length + rng.u64(..100_000)),
        3 => "Content-Length: 99999999999".to_owned(),
        4 => "Content-Length: 18446744073709551616".to_owned(),
        5 => format!("Content-Length: -{}", rng.u64(1..1000)),
        6 => "Content-Length: twelve".to_owned(),
        7 => format!("Content-Length: {}\r\nContent-Length: {}", rng.u8(..), rng.u8(..)),
        8 => format!("Content-Length: +{}", rng.u8(..)),
        9 => "Transfer-Encoding: chunked".to_owned(),
        10 => format!("Transfer-Encoding: chunked\r\nContent-Length: {}", rng.u8(..)),
        _ => String::from("X-No-Length: 1"),
    };
    bytes.splice(at..end, (line + "\r\n").into_bytes());
    if rng.bool()
        && let Some(body) = find(bytes, b"\r\n\r\n")
    {
        let size = ["5\r\n", "fffffffffffffffff\r\n", "-1\r\n", "zz\r\n", "0\r\n\r\n", "1;"];
        let size = size[rng.usize(..size.len())].as_bytes().to_vec();
        bytes.splice(body + 4..body + 4, size);
    }
}

fn put_session(bytes: &mut [u8], session: &[u8]) {
    let mut from = 0;
    while let Some(at) = find(&bytes[from..], CAPTURED_SESSION) {
        let place = &mut bytes[from + at..from + at + CAPTURED_SESSION.len()];
        if place.len() == session.len() {
            place.copy_from_slice(session);
        }
        from += at + CAPTURED_SESSION.len();
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
