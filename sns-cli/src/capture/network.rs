//! IP packets become TCP segments and DNS messages; fragments are put together first.
//!
//! Law: what the headers say counts, not how long the frame is: behind a short packet stands
//! padding, and of a long one the capture may have kept only the beginning.

mod fragments;

use super::Counts;
use etherparse::checksum::Sum16BitWords;
use etherparse::{
    Ipv4HeaderSlice, Ipv6FragmentHeaderSlice, Ipv6HeaderSlice, TcpHeaderSlice, UdpHeaderSlice,
};
use fragments::{Fragment, Fragments, Origin};
use std::net::{IpAddr, SocketAddr};

const TCP: u8 = 6;
const UDP: u8 = 17;
/// The port of DNS.
const DNS: u16 = 53;
const FRAGMENT: u8 = 44;
/// Hop-by-hop, routing, destination options, mobility: their second byte counts their length.
const EXTENSIONS: [u8; 4] = [0, 43, 60, 135];
const AUTHENTICATION: u8 = 51;

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

/// IP, of which only what is in fragments is kept.
#[derive(Debug, Default)]
pub struct Network {
    fragments: Fragments,
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
                match self.fragments.take(origin, &fragment, protocol, payload, now, counts) {
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
        self.fragments.finish(counts);
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

/// Whether the checksum of what is in a packet is right, as far as it has one that is known here.
fn is_right(from: IpAddr, to: IpAddr, protocol: u8, bytes: &[u8]) -> bool {
    let Some((protocol, start)) = behind_extensions(protocol, bytes) else { return true };
    let mut inner = bytes.get(start..).unwrap_or(&[]);
    match protocol {
        TCP => {}
        UDP => match UdpHeaderSlice::from_slice(inner) {
            Ok(header) if header.checksum() != 0 => {
                let length = usize::from(header.length());
                inner = inner.get(..length).filter(|inner| !inner.is_empty()).unwrap_or(inner);
            }
            _ => return true,
        },
        _ => return true,
    }
    let mut sum = Sum16BitWords::new();
    for address in [from, to] {
        sum = match address {
            IpAddr::V4(address) => sum.add_4bytes(address.octets()),
            IpAddr::V6(address) => sum.add_16bytes(address.octets()),
        };
    }
    let length = (inner.len() as u32).to_be_bytes();
    sum.add_4bytes(length).add_2bytes([0, protocol]).add_slice(inner).ones_complement() == 0
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

#[cfg(test)]
mod tests;
