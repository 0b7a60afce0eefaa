//! Link layers: what is around a network packet on the wire, or in the air.
//!
//! Law: only what is needed to find the IP packet inside is read; what holds none, or hides it, is
//! counted.

use super::Counts;
use super::air::Air;

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
/// VLAN tags: 802.1Q, 802.1ad, and two that were used before it.
const TAGS: [u16; 4] = [0x8100, 0x88a8, 0x9100, 0x9200];
/// A frame with more tags or labels than this is no frame.
const MAX_TAGS: usize = 8;
/// MPLS, to one and to many.
const LABELS: [u16; 2] = [0x8847, 0x8848];
/// A session of PPPoE.
const PPPOE: u16 = 0x8864;
/// LLC and SNAP before an EtherType.
const SNAP: [u8; 6] = [0xaa, 0xaa, 0x03, 0, 0, 0];

/// One frame, or what of it the capture kept.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// The number of its link layer.
    pub link: u32,
    /// What was kept.
    pub bytes: &'a [u8],
    /// How many bytes were not.
    pub lost: u32,
    /// When it was seen, in nanoseconds.
    pub time: u64,
}

/// Takes the IP packets of a frame, each from the first byte of its header: one, but for an 802.11
/// frame that holds several.
pub type Give<'g> = dyn FnMut(&[u8], &mut Counts) + 'g;

/// Finds the IP packets in frames.
#[derive(Debug, Default)]
pub struct Links {
    air: Air,
}

impl Links {
    /// Finds those of one frame, and those that it makes whole.
    pub fn frame(&mut self, frame: &Frame<'_>, counts: &mut Counts, give: &mut Give<'_>) {
        let bytes = frame.bytes;
        let is_read = match frame.link {
            1 => ethernet(bytes, counts, give),
            // Raw IP; 12 and 14 are what other systems' files call it.
            12 | 14 | 101 | 228 | 229 => ip(bytes, counts, give),
            0 | 108 => loopback(bytes, counts, give),
            113 => typed(number(bytes, 14), bytes.get(16..), counts, give),
            276 => typed(number(bytes, 0), bytes.get(20..), counts, give),
            link => match self.air.frame(link, frame, counts, give) {
                Some(is_read) => is_read,
                None => return unknown(link, counts),
            },
        };
        counts.unreadable += u64::from(is_read.is_none());
    }

    /// Counts what never became whole.
    pub fn finish(&mut self, counts: &mut Counts) {
        self.air.finish(counts);
    }
}

fn unknown(link: u32, counts: &mut Counts) {
    if counts.unknown_links.len() < 64 || counts.unknown_links.contains_key(&link) {
        *counts.unknown_links.entry(link).or_default() += 1;
    }
}

pub(super) fn number(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn ip(packet: &[u8], counts: &mut Counts, give: &mut Give<'_>) -> Option<()> {
    match packet.first()? >> 4 {
        4 | 6 => give(packet, counts),
        _ => counts.not_tcp += 1,
    }
    Some(())
}

pub(super) fn ethernet(frame: &[u8], counts: &mut Counts, give: &mut Give<'_>) -> Option<()> {
    typed(number(frame, 12), frame.get(14..), counts, give)
}

/// What follows an EtherType, VLAN tags included.
fn typed(
    kind: Option<u16>,
    rest: Option<&[u8]>,
    counts: &mut Counts,
    give: &mut Give<'_>,
) -> Option<()> {
    let (mut kind, mut rest) = (kind?, rest?);
    for _ in 0..MAX_TAGS {
        if !TAGS.contains(&kind) {
            break;
        }
        kind = number(rest, 2)?;
        rest = rest.get(4..)?;
    }
    // Below 1536 it is a length, and LLC follows.
    if kind < 1536 && rest.starts_with(&SNAP) {
        kind = number(rest, 6)?;
        rest = rest.get(8..)?;
    }
    match kind {
        IPV4 | IPV6 => ip(rest, counts, give),
        // Version and type, code, session, length; code 0 is data.
        PPPOE if *rest.get(1)? == 0 => ppp(rest.get(6..)?, counts, give),
        _ if LABELS.contains(&kind) => labelled(rest, counts, give),
        _ => {
            counts.not_tcp += 1;
            Some(())
        }
    }
}

/// What is behind MPLS labels is not said: IP shows itself by its version.
fn labelled(mut rest: &[u8], counts: &mut Counts, give: &mut Give<'_>) -> Option<()> {
    for _ in 0..MAX_TAGS {
        let is_last = rest.get(2)? & 1 != 0;
        rest = rest.get(4..)?;
        if is_last {
            return ip(rest, counts, give);
        }
    }
    None
}

/// PPP: a protocol of two bytes, or of one, which is odd.
fn ppp(bytes: &[u8], counts: &mut Counts, give: &mut Give<'_>) -> Option<()> {
    let (protocol, rest) = match *bytes.first()? {
        short if short & 1 != 0 => (u16::from(short), &bytes[1..]),
        _ => (number(bytes, 0)?, &bytes[2..]),
    };
    match protocol {
        0x0021 | 0x0057 => ip(rest, counts, give),
        _ => {
            counts.not_tcp += 1;
            Some(())
        }
    }
}

/// BSD loopback: the address family as four bytes, in the byte order of whoever captured (NULL) or
/// of the network (LOOP).
fn loopback(frame: &[u8], counts: &mut Counts, give: &mut Give<'_>) -> Option<()> {
    let family: [u8; 4] = frame.get(..4)?.try_into().ok()?;
    let family = u32::from_le_bytes(family).min(u32::from_be_bytes(family));
    match family {
        // AF_INET everywhere; AF_INET6 of NetBSD, FreeBSD, macOS and Linux.
        2 | 24 | 28 | 30 | 10 => ip(&frame[4..], counts, give),
        _ => {
            counts.not_tcp += 1;
            Some(())
        }
    }
}

/// LLC and SNAP, as 802.11 has them.
pub(super) fn snap(body: &[u8], counts: &mut Counts, give: &mut Give<'_>) -> Option<()> {
    if !body.starts_with(&SNAP) {
        counts.not_tcp += 1;
        return Some(());
    }
    typed(number(body, 6), body.get(8..), counts, give)
}
