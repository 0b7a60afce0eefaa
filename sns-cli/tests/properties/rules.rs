//! What must hold for any bytes at all. `fuzz/` and `cargo test` share these: a fuzz target is one
//! of these functions, a test runs it over `testdata/` and over random bytes.

use sns_cli::capture::connections::{End, Listener, Peers, Side};
use sns_cli::capture::file::{Packet, Packets};
use sns_cli::capture::link::{Frame, Links};
use sns_cli::capture::network::{Heard, Message, Network};
use sns_cli::capture::stream::{Arrival, Content, Piece, Stream};
use sns_cli::capture::{Capture, Counts};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::io::{self, Read};

type Found = (Vec<(u64, u32, Vec<u8>, u32)>, Option<String>);

fn packets(bytes: &[u8], at_a_time: usize) -> Found {
    let mut found = Vec::new();
    let pieces = bytes.chunks(at_a_time).map(<[u8]>::to_vec).collect();
    let input = Box::new(Pieces(pieces));
    let mut packets = match Packets::new(Vec::new(), input) {
        Ok(packets) => packets,
        Err(error) => return (found, Some(error.to_string())),
    };
    let keep =
        |packet: &Packet<'_>| (packet.time, packet.link, packet.data.to_vec(), packet.length);
    loop {
        match packets.next(keep) {
            Ok(Some(packet)) => found.push(packet),
            Ok(None) => return (found, None),
            Err(error) => return (found, Some(format!("{error} at {}", error.offset()))),
        }
    }
}

/// Pieces, one for each read.
struct Pieces(VecDeque<Vec<u8>>);

impl Read for Pieces {
    fn read(&mut self, piece: &mut [u8]) -> io::Result<usize> {
        let Some(mut next) = self.0.pop_front() else { return Ok(0) };
        let length = next.len().min(piece.len());
        piece[..length].copy_from_slice(&next[..length]);
        if length < next.len() {
            next.drain(..length);
            self.0.push_front(next);
        }
        Ok(length)
    }
}

/// A capture gives the same packets and the same end however it arrives, and never more bytes than
/// it has. The first byte says how much comes at a time.
pub(crate) fn capture_file(bytes: &[u8]) {
    let Some((&at_a_time, bytes)) = bytes.split_first() else { return };
    let whole = packets(bytes, 4096);
    let dripped = packets(bytes, usize::from(at_a_time).max(1));
    assert_eq!((whole.0.len(), &whole.1), (dripped.0.len(), &dripped.1));
    assert!(whole == dripped);
    assert!(whole.0.iter().map(|(_, _, data, _)| data.len()).sum::<usize>() <= bytes.len());
}

/// Whatever frames hold, packets lie inside them, or are made of as many as an 802.11 frame may be in
/// pieces, and what their segments bring is theirs. The first byte says which link layer it is, the
/// second how long each frame is.
pub(crate) fn frame(bytes: &[u8]) {
    const LINKS: [u32; 17] =
        [0, 1, 12, 14, 101, 105, 108, 113, 119, 127, 163, 192, 228, 229, 276, 999, u32::MAX];
    let [link, length, rest @ ..] = bytes else { return };
    let link = LINKS[usize::from(*link) % LINKS.len()];
    let mut counts = Counts::default();
    let (mut links, mut network) = (Links::default(), Network::default());
    let length = if *length == 0 { rest.len() } else { usize::from(*length) };
    for (at, frame) in rest.chunks(length.max(1)).enumerate() {
        let time = at as u64 * 1_000_000;
        let frame = Frame { link, bytes: frame, lost: 0, time };
        links.frame(&frame, &mut counts, &mut |datagram, counts| {
            assert!(datagram.len() <= 16 * frame.bytes.len().max(length));
            network.datagram(datagram, 0, time, counts, &mut |heard| {
                assert!(payload(heard).len() <= 65_535.max(datagram.len()));
            });
        });
    }
    links.finish(&mut counts);
    network.finish(&mut counts);
}

fn payload<'a>(heard: &Heard<'a>) -> &'a [u8] {
    match heard {
        Heard::Segment(segment) => segment.payload,
        Heard::Message(message) => message.payload,
    }
}

/// IP fragments in any order and number: the payload that comes out is at most a packet's. Each
/// fragment is a length and its packet.
pub(crate) fn fragments(bytes: &[u8]) {
    let mut network = Network::default();
    let mut counts = Counts::default();
    let (mut rest, mut now) = (bytes, 0);
    while let Some((&length, after)) = rest.split_first() {
        let (packet, after) = after.split_at(after.len().min(usize::from(length)));
        rest = after;
        now += 1_000_000_000;
        network.datagram(packet, 0, now, &mut counts, &mut |heard| {
            assert!(payload(heard).len() <= 65_535);
        });
    }
    network.finish(&mut counts);
}

/// What a stream gave: its bytes, and where it had gaps.
#[derive(Default)]
struct Given {
    bytes: Vec<u8>,
    known: Vec<bool>,
}

impl Given {
    fn take(&mut self, piece: Piece<'_>) -> Result<(), Infallible> {
        assert_eq!(piece.offset, self.bytes.len() as u64, "in order, and without holes");
        match piece.content {
            Content::Bytes(bytes) => {
                assert!(!bytes.is_empty());
                self.bytes.extend_from_slice(bytes);
            }
            Content::Gap(length) => {
                assert!(length > 0);
                self.bytes.resize(self.bytes.len() + length as usize, 0);
                self.known.resize(self.known.len(), true);
            }
        }
        let is_known = matches!(piece.content, Content::Bytes(_));
        self.known.resize(self.bytes.len(), is_known);
        Ok(())
    }
}

/// Segments of a known stream, in any order, as often as you like, cut as you like, with numbers
/// that wrap: every byte that any of them brought is given, once, where it belongs, and all others
/// are gaps. Four bytes make a segment: where, how long, how much of it the capture cut off, and
/// whether the other end acknowledges.
pub(crate) fn stream(script: &[u8]) {
    let Some((&seed, script)) = script.split_first() else { return };
    let truth: Vec<u8> = (0..4096_u32).map(|at| (at * 31 + u32::from(seed)) as u8).collect();
    let first = u32::MAX - 2048 + u32::from(seed);
    let mut stream = Stream::default();
    assert!(stream.begin(first.wrapping_sub(1)));
    let mut given = Given::default();
    let mut brought = vec![false; truth.len()];
    let mut reached = 0;
    for step in script.chunks_exact(4).take(64) {
        let at = usize::from(step[0]) * 15;
        let length = usize::from(step[1]).max(2).min(truth.len() - at);
        let missing = usize::from(step[2] % 8).min(length - 1);
        let kept = length - missing;
        let sequence = first.wrapping_add(at as u32);
        let bytes = &truth[at..at + kept];
        let missing = if missing > 0 && step[3] & 2 != 0 { missing as u32 } else { 0 };
        let arrival = Arrival { sequence, bytes, missing, time: 0, heard: None };
        let done: Result<(), Infallible> = stream.take(&arrival, &mut |piece| given.take(piece));
        let Ok(()) = done;
        brought[at..at + kept].fill(true);
        reached = reached.max(at + kept + missing as usize);
        if step[3] & 1 != 0 {
            stream.acknowledge(first.wrapping_add(reached as u32));
        }
        let Ok(()) = stream.pass(0, &mut |piece| given.take(piece));
    }
    let Ok(()) = stream.finish(0, &mut |piece| given.take(piece));
    assert!(given.bytes.len() <= reached);
    for (at, is_known) in given.known.iter().enumerate() {
        if *is_known {
            assert!(brought[at] && given.bytes[at] == truth[at], "byte {at}");
        }
    }
    let oddities = stream.oddities();
    assert_eq!(oddities.conflicts, 0);
    let unknown = given.known.iter().filter(|known| !**known).count();
    assert_eq!(oddities.missing, unknown as u64);
    if script.chunks_exact(4).take(64).all(|step| step[3] & 2 == 0) && script.len() < 4 * 32 {
        // Nothing was cut, and too little passed for a gap to be told early.
        let expected = brought[..given.bytes.len()].to_vec();
        assert_eq!(given.known, expected);
        assert!(brought[given.bytes.len()..].iter().all(|brought| !brought));
    }
}

/// Checks that each connection is told in order, and each of its ends without holes.
#[derive(Default)]
struct Ear {
    opened: u64,
    closed: u64,
    given: u64,
}

impl Listener for Ear {
    type Talk = [u64; 2];

    fn opened(&mut self, peers: &Peers) -> io::Result<[u64; 2]> {
        self.opened += 1;
        assert_eq!(peers.number, self.opened);
        Ok([0; 2])
    }

    fn piece(&mut self, talk: &mut [u64; 2], from: Side, piece: Piece<'_>) -> io::Result<()> {
        let at = &mut talk[usize::from(from == Side::Called)];
        assert_eq!(piece.offset, *at);
        *at += match piece.content {
            Content::Bytes(bytes) => {
                self.given += bytes.len() as u64;
                bytes.len() as u64
            }
            Content::Gap(length) => length,
        };
        Ok(())
    }

    fn finished(&mut self, talk: &mut [u64; 2], from: Side) -> io::Result<()> {
        let at = &mut talk[usize::from(from == Side::Called)];
        assert_ne!(*at, u64::MAX, "once");
        *at = u64::MAX;
        Ok(())
    }

    fn closed(&mut self, _: [u64; 2], _: &Peers, _: &End) -> io::Result<()> {
        self.closed += 1;
        Ok(())
    }

    fn message(&mut self, message: &Message<'_>, _: u64) -> io::Result<()> {
        assert!(message.from.port() == 53 || message.to.port() == 53);
        Ok(())
    }
}

/// A whole capture: every connection that is opened is closed, and no more is said in them than the
/// packets hold.
pub(crate) fn capture(bytes: &[u8]) {
    let Ok(mut packets) = Packets::new(bytes.to_vec(), Box::new(io::empty())) else { return };
    let mut capture = Capture::new(Ear::default());
    while let Ok(Some(heard)) = packets.next(|packet| capture.packet(packet)) {
        heard.expect("the listener refuses nothing");
    }
    let (ear, counts) = capture.finish().expect("the listener refuses nothing");
    assert_eq!(ear.opened, ear.closed);
    assert!(ear.given <= bytes.len() as u64 && counts.bytes <= bytes.len() as u64);
}
