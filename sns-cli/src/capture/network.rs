//! IP packets become TCP segments and DNS messages; fragments are put together first.
//!
//! Law: what the headers say counts, not how long the frame is: behind a short packet stands
//! padding, and of a long one the capture may have kept only the beginning. Fragments that overlap
//! keep what came first, those that repeat a packet which is whole already are passed over, and all
//! are forgotten when there are too many.

use super::Counts;
use etherparse::{
    Ipv4HeaderSlice, Ipv6FragmentHeaderSlice, Ipv6HeaderSlice, TcpHeaderSlice, UdpHeaderSlice,
};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};

const TCP: u8 = 6;
const UDP: u8 = 17;
/// The port of DNS.
const DNS: u16 = 53;
const FRAGMENT: u8 = 44;
/// Hop-by-hop, routing, destination options, mobility: their second byte counts their length.
const EXTENSIONS: [u8; 4] = [0, 43, 60, 135];
const AUTHENTICATION: u8 = 51;

/// So many packets may be in fragments at a time.
const MAX_ASSEMBLIES: usize = 256;
/// So many packets that became whole are remembered, to know repeated fragments of them.
const MAX_REMEMBERED: usize = 64;
/// The longest packet.
const MAX_PACKET: usize = 65_535;
/// Fragments are waited for this long.
const PATIENCE: u64 = 60_000_000_000;

/// One TCP segment.
#[derive(Debug, Clone, Copy)]
pub struct Segment<'a> {
    /// Who sent it.
    pub from: SocketAddr,
    /// To whom.
    pub to: SocketAddr,
    /// The number of its first byte.
    pub sequence: u32,
    /// The number of the byte that its sender expects next, if it says so.
    pub acknowledged: Option<u32>,
    /// It begins a stream.
    pub is_first: bool,
    /// It ends its stream.
    pub is_last: bool,
    /// It breaks the connection off.
    pub is_reset: bool,
    /// Its bytes.
    pub payload: &'a [u8],
    /// How many more bytes it had, which the capture did not keep.
    pub missing: u32,
}

/// One message over UDP, to or from a DNS server.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// Who sent it.
    pub from: SocketAddr,
    /// To whom.
    pub to: SocketAddr,
    /// Its bytes.
    pub payload: &'a [u8],
    /// Whether the capture kept only its beginning.
    pub is_cut: bool,
}

/// What a packet brings.
#[derive(Debug, Clone, Copy)]
pub enum Heard<'a> {
    /// A part of a TCP connection.
    Segment(Segment<'a>),
    /// A question, or an answer, about a name.
    Message(Message<'a>),
}

/// The fragments that wait for others.
#[derive(Debug, Default)]
pub struct Network {
    assemblies: HashMap<Origin, Assembly>,
    /// What the last ones became, the newest at the end.
    whole: VecDeque<(Origin, Whole)>,
}

/// Which packet a fragment belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Origin {
    from: IpAddr,
    to: IpAddr,
    /// Of IPv4 only: with IPv6, what follows is said by the first fragment alone.
    protocol: Option<u8>,
    number: u32,
}

#[derive(Debug)]
struct Assembly {
    since: u64,
    pieces: BTreeMap<usize, Vec<u8>>,
    /// How many fragments brought something.
    fragments: u64,
    length: Option<usize>,
    /// What the first fragment says that it is.
    protocol: u8,
}

/// What fragments became.
#[derive(Debug)]
struct Whole {
    protocol: u8,
    bytes: Vec<u8>,
}

/// What is inside an IP packet.
struct Inner<'a> {
    from: IpAddr,
    to: IpAddr,
    protocol: u8,
    payload: &'a [u8],
    /// How long the payload was; a capture may have kept less.
    length: usize,
    fragment: Option<Fragment>,
}

struct Fragment {
    number: u32,
    offset: usize,
    is_last: bool,
}

impl Network {
    /// Gives what is in a packet, or in the one that it makes whole. `lost` bytes of the frame
    /// were not kept.
    pub fn datagram(
        &mut self,
        packet: &[u8],
        lost: u32,
        now: u64,
        counts: &mut Counts,
        hear: &mut dyn FnMut(&Heard<'_>),
    ) {
        let inner = match packet.first().map(|byte| byte >> 4) {
            Some(4) => version4(packet, lost),
            _ => version6(packet, lost),
        };
        let Some(inner) = inner else {
            counts.unreadable += 1;
            return;
        };
        let Inner { from, to, protocol, payload, length, fragment } = inner;
        let (protocol, payload, length) = match fragment {
            None => (protocol, payload, length),
            // With a hole of the capture's own it cannot become whole.
            Some(_) if payload.len() < length => {
                counts.lost_fragments += 1;
                return;
            }
            Some(fragment) => {
                let own = from.is_ipv4().then_some(protocol);
                let origin = Origin { from, to, protocol: own, number: fragment.number };
                match self.assemble(origin, &fragment, protocol, payload, now, counts) {
                    Some(whole) => (whole.protocol, whole.bytes.as_slice(), whole.bytes.len()),
                    None => return,
                }
            }
        };
        // Further headers may stand in what was in fragments.
        let Some((protocol, start)) = behind_extensions(protocol, payload) else {
            counts.unreadable += 1;
            return;
        };
        let inner = payload.get(start..).zip(length.checked_sub(start));
        let heard = match protocol {
            TCP => inner.and_then(|(inner, length)| segment(from, to, inner, length)),
            UDP => match inner.and_then(|(inner, length)| message(from, to, inner, length)) {
                Some(message) if [message.from.port(), message.to.port()].contains(&DNS) => {
                    Some(Heard::Message(message))
                }
                _ => {
                    counts.not_tcp += 1;
                    return;
                }
            },
            _ => {
                counts.not_tcp += 1;
                return;
            }
        };
        match heard {
            Some(heard) => {
                match heard {
                    Heard::Segment(_) => counts.segments += 1,
                    Heard::Message(_) => counts.messages += 1,
                }
                hear(&heard);
            }
            None => counts.unreadable += 1,
        }
    }

    /// Counts what never became whole.
    pub fn finish(&mut self, counts: &mut Counts) {
        for (_, assembly) in self.assemblies.drain() {
            counts.lost_fragments += assembly.fragments;
        }
    }

    /// Adds a fragment; gives what it makes whole.
    fn assemble(
        &mut self,
        origin: Origin,
        fragment: &Fragment,
        protocol: u8,
        payload: &[u8],
        now: u64,
        counts: &mut Counts,
    ) -> Option<&Whole> {
        let end = fragment.offset + payload.len();
        if end > MAX_PACKET {
            counts.unreadable += 1;
            return None;
        }
        if !self.assemblies.contains_key(&origin) {
            // The number may be in use again, so that only what it says tells a repetition.
            let mut known = self.whole.iter().rev().filter(|(known, _)| *known == origin);
            if known.any(|(_, whole)| whole.bytes.get(fragment.offset..end) == Some(payload)) {
                return None;
            }
            if self.assemblies.len() >= MAX_ASSEMBLIES {
                self.forget(now, counts);
            }
        }
        let assembly = self.assemblies.entry(origin).or_insert_with(|| Assembly::new(now));
        if now.saturating_sub(assembly.since) > PATIENCE {
            // The number is in use again.
            counts.lost_fragments += assembly.fragments;
            *assembly = Assembly::new(now);
        }
        // What came first stays; only what is new is added.
        let mut at = fragment.offset;
        let before = assembly.pieces.len();
        while at < end {
            let covered = assembly
                .pieces
                .range(..=at)
                .next_back()
                .map_or(0, |(start, piece)| start + piece.len());
            if covered > at {
                at = covered;
                continue;
            }
            let next = assembly.pieces.range(at..).next().map_or(end, |(start, _)| *start);
            let until = next.min(end);
            let piece = payload[at - fragment.offset..until - fragment.offset].to_vec();
            assembly.pieces.insert(at, piece);
            at = until;
        }
        assembly.fragments += u64::from(assembly.pieces.len() > before);
        if fragment.offset == 0 {
            assembly.protocol = protocol;
        }
        if fragment.is_last {
            assembly.length.get_or_insert(end);
        }
        let length = assembly.length?;
        let mut reached = 0;
        for (start, piece) in &assembly.pieces {
            if *start != reached {
                return None;
            }
            reached += piece.len();
        }
        if reached < length {
            return None;
        }
        let assembly = self.assemblies.remove(&origin)?;
        let mut bytes = assembly.pieces.into_values().collect::<Vec<_>>().concat();
        bytes.truncate(length);
        if self.whole.len() >= MAX_REMEMBERED {
            self.whole.pop_front();
        }
        self.whole.push_back((origin, Whole { protocol: assembly.protocol, bytes }));
        self.whole.back().map(|(_, whole)| whole)
    }

    /// Makes room: for what has waited too long, or else for the oldest.
    fn forget(&mut self, now: u64, counts: &mut Counts) {
        let oldest = self.assemblies.values().map(|assembly| assembly.since).min().unwrap_or(0);
        let limit = now.saturating_sub(PATIENCE).max(oldest);
        self.assemblies.retain(|_, assembly| {
            let stays = assembly.since > limit;
            counts.lost_fragments += if stays { 0 } else { assembly.fragments };
            stays
        });
    }
}

impl Assembly {
    fn new(now: u64) -> Assembly {
        Assembly { since: now, pieces: BTreeMap::new(), fragments: 0, length: None, protocol: 0 }
    }
}

fn version4(packet: &[u8], lost: u32) -> Option<Inner<'_>> {
    let header = Ipv4HeaderSlice::from_slice(packet).ok()?;
    let start = header.slice().len();
    let declared = usize::from(header.total_len());
    // Senders that leave the cutting to the network card write 0.
    let total = if declared < start { packet.len() + lost as usize } else { declared };
    let fragment = header.is_fragmenting_payload().then(|| Fragment {
        number: header.identification().into(),
        offset: usize::from(header.fragments_offset().value()) * 8,
        is_last: !header.more_fragments(),
    });
    Some(Inner {
        from: header.source_addr().into(),
        to: header.destination_addr().into(),
        protocol: header.protocol().0,
        payload: &packet[start..packet.len().min(total)],
        length: total - start,
        fragment,
    })
}

fn version6(packet: &[u8], lost: u32) -> Option<Inner<'_>> {
    let header = Ipv6HeaderSlice::from_slice(packet).ok()?;
    let mut start = header.slice().len();
    let total = match usize::from(header.payload_length()) {
        0 => packet.len() + lost as usize,
        declared => start + declared,
    };
    let packet = &packet[..packet.len().min(total)];
    let mut protocol = header.next_header().0;
    let mut fragment = None;
    loop {
        let length;
        (protocol, length) = behind_extensions(protocol, packet.get(start..)?)?;
        start += length;
        if protocol != FRAGMENT {
            break;
        }
        let header = Ipv6FragmentHeaderSlice::from_slice(packet.get(start..)?).ok()?;
        protocol = header.next_header().0;
        start += 8;
        if header.is_fragmenting_payload() {
            fragment = Some(Fragment {
                number: header.identification(),
                offset: usize::from(header.fragment_offset().value()) * 8,
                is_last: !header.more_fragments(),
            });
            break;
        }
    }
    Some(Inner {
        from: header.source_addr().into(),
        to: header.destination_addr().into(),
        protocol,
        payload: packet.get(start..)?,
        length: total.checked_sub(start)?,
        fragment,
    })
}

/// What stands behind extension headers, and where.
fn behind_extensions(mut protocol: u8, bytes: &[u8]) -> Option<(u8, usize)> {
    let mut start = 0;
    loop {
        let length = |at: usize| bytes.get(at + 1).map(|length| usize::from(*length));
        let header = match protocol {
            number if EXTENSIONS.contains(&number) => (length(start)? + 1) * 8,
            AUTHENTICATION => (length(start)? + 2) * 4,
            _ => return Some((protocol, start)),
        };
        protocol = *bytes.get(start)?;
        start += header;
    }
}

fn segment(from: IpAddr, to: IpAddr, bytes: &[u8], length: usize) -> Option<Heard<'_>> {
    // Of a header that was cut off inside its options, all that counts is there.
    let mut padded = [0; 60];
    let kept = bytes.len().min(60);
    padded[..kept].copy_from_slice(&bytes[..kept]);
    let head = if (20..60).contains(&kept) { &padded[..] } else { bytes };
    let header = TcpHeaderSlice::from_slice(head).ok()?;
    let start = header.slice().len();
    let payload = bytes.get(start..).unwrap_or(&[]);
    let missing = length.checked_sub(start)?.saturating_sub(payload.len());
    Some(Heard::Segment(Segment {
        from: SocketAddr::new(from, header.source_port()),
        to: SocketAddr::new(to, header.destination_port()),
        sequence: header.sequence_number(),
        acknowledged: header.ack().then(|| header.acknowledgment_number()),
        is_first: header.syn(),
        is_last: header.fin(),
        is_reset: header.rst(),
        payload,
        missing: u32::try_from(missing).unwrap_or(u32::MAX),
    }))
}

fn message(from: IpAddr, to: IpAddr, bytes: &[u8], length: usize) -> Option<Message<'_>> {
    let header = UdpHeaderSlice::from_slice(bytes).ok()?;
    let start = header.slice().len();
    // What UDP says counts, if it is less than what IP says.
    let length = match usize::from(header.length()) {
        0 => length,
        declared => declared.min(length),
    };
    let payload = bytes.get(start..length.min(bytes.len()))?;
    Some(Message {
        from: SocketAddr::new(from, header.source_port()),
        to: SocketAddr::new(to, header.destination_port()),
        payload,
        is_cut: length > bytes.len(),
    })
}
