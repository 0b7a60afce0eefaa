//! Link layers: what is around a network packet on the wire, or in the air.
//!
//! Law: only what is needed to find the IP packet inside is read; what holds none, or hides it, is
//! counted.

use super::Counts;

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
/// VLAN tags: 802.1Q, 802.1ad, and two that were used before it.
const TAGS: [u16; 4] = [0x8100, 0x88a8, 0x9100, 0x9200];
/// A frame with more tags than this is no frame.
const MAX_TAGS: usize = 8;
/// LLC and SNAP before an EtherType.
const SNAP: [u8; 6] = [0xaa, 0xaa, 0x03, 0, 0, 0];

/// The IP packets of one frame: one, but for an 802.11 frame that holds several.
#[derive(Debug, Default)]
pub struct Datagrams<'a> {
    first: Option<&'a [u8]>,
    more: Vec<&'a [u8]>,
}

impl<'a> Datagrams<'a> {
    /// Each of them, from the first byte of its IP header.
    pub fn iter(&self) -> impl Iterator<Item = &'a [u8]> + '_ {
        self.first.into_iter().chain(self.more.iter().copied())
    }

    fn push(&mut self, datagram: &'a [u8]) {
        match self.first {
            None => self.first = Some(datagram),
            Some(_) => self.more.push(datagram),
        }
    }
}

/// Finds the IP packets in a frame of the link layer with this number.
pub fn read<'a>(link: u32, frame: &'a [u8], found: &mut Datagrams<'a>, counts: &mut Counts) {
    let is_read = match link {
        1 => ethernet(frame, found, counts),
        // Raw IP; 12 and 14 are what other systems' files call it.
        12 | 14 | 101 | 228 | 229 => ip(frame, found, counts),
        0 | 108 => loopback(frame, found, counts),
        113 => typed(number(frame, 14), frame.get(16..), found, counts),
        276 => typed(number(frame, 0), frame.get(20..), found, counts),
        105 => wireless(frame, found, counts),
        127 => radiotap(frame, found, counts),
        _ => {
            if counts.unknown_links.len() < 64 || counts.unknown_links.contains_key(&link) {
                *counts.unknown_links.entry(link).or_default() += 1;
            }
            return;
        }
    };
    counts.unreadable += u64::from(is_read.is_none());
}

fn number(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn ip<'a>(packet: &'a [u8], found: &mut Datagrams<'a>, counts: &mut Counts) -> Option<()> {
    match packet.first()? >> 4 {
        4 | 6 => found.push(packet),
        _ => counts.not_tcp += 1,
    }
    Some(())
}

fn ethernet<'a>(frame: &'a [u8], found: &mut Datagrams<'a>, counts: &mut Counts) -> Option<()> {
    typed(number(frame, 12), frame.get(14..), found, counts)
}

/// What follows an EtherType, VLAN tags included.
fn typed<'a>(
    kind: Option<u16>,
    rest: Option<&'a [u8]>,
    found: &mut Datagrams<'a>,
    counts: &mut Counts,
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
        IPV4 | IPV6 => ip(rest, found, counts),
        _ => {
            counts.not_tcp += 1;
            Some(())
        }
    }
}

/// BSD loopback: the address family as four bytes, in the byte order of whoever captured (NULL) or
/// of the network (LOOP).
fn loopback<'a>(frame: &'a [u8], found: &mut Datagrams<'a>, counts: &mut Counts) -> Option<()> {
    let family: [u8; 4] = frame.get(..4)?.try_into().ok()?;
    let family = u32::from_le_bytes(family).min(u32::from_be_bytes(family));
    match family {
        // AF_INET everywhere; AF_INET6 of NetBSD, FreeBSD, macOS and Linux.
        2 | 24 | 28 | 30 | 10 => ip(&frame[4..], found, counts),
        _ => {
            counts.not_tcp += 1;
            Some(())
        }
    }
}

/// 802.11 behind a radiotap header, of which only the flags are read.
fn radiotap<'a>(frame: &'a [u8], found: &mut Datagrams<'a>, counts: &mut Counts) -> Option<()> {
    let little = |at: usize| Some(u16::from_le_bytes(frame.get(at..at + 2)?.try_into().ok()?));
    let length = usize::from(little(2)?);
    let mut present = 4;
    // Bit 31 says that another word of bits follows.
    while frame.get(present + 3)? & 0x80 != 0 {
        present += 4;
    }
    let bits = frame[4];
    let mut at = present + 4;
    if bits & 1 != 0 {
        at = at.next_multiple_of(8) + 8; // the time
    }
    let flags = if bits & 2 != 0 && at < length { *frame.get(at)? } else { 0 };
    if flags & 0x40 != 0 {
        counts.damaged += 1;
        return Some(());
    }
    let inner = frame.get(length..)?;
    // The checksum at the end (flag 0x10) needs no cutting off: IP says how long it is. A short
    // frame could be taken for something with it, so it goes.
    let inner = match inner.len().checked_sub(4) {
        Some(end) if flags & 0x10 != 0 => &inner[..end],
        _ => inner,
    };
    wireless_padded(inner, flags & 0x20 != 0, found, counts)
}

fn wireless<'a>(frame: &'a [u8], found: &mut Datagrams<'a>, counts: &mut Counts) -> Option<()> {
    wireless_padded(frame, false, found, counts)
}

/// An 802.11 frame. Only data frames hold packets.
fn wireless_padded<'a>(
    frame: &'a [u8],
    is_padded: bool,
    found: &mut Datagrams<'a>,
    counts: &mut Counts,
) -> Option<()> {
    let (&control, &flags) = (frame.first()?, frame.get(1)?);
    let (kind, subtype) = (control >> 2 & 3, control >> 4);
    // Subtypes with bit 2 carry no data.
    if kind != 2 || subtype & 4 != 0 {
        counts.not_tcp += 1;
        return Some(());
    }
    if flags & 0x40 != 0 {
        counts.protected += 1;
        return Some(());
    }
    let fragment = frame.get(22)? & 0x0f;
    if flags & 0x04 != 0 || fragment != 0 {
        counts.frame_fragments += 1;
        return Some(());
    }
    // Between two access points there is a fourth address.
    let mut length = if flags & 3 == 3 { 30 } else { 24 };
    let is_qos = subtype & 8 != 0;
    let mut is_several = false;
    if is_qos {
        is_several = frame.get(length)? & 0x80 != 0;
        length += if flags & 0x80 != 0 { 6 } else { 2 };
    }
    if is_padded {
        length = length.next_multiple_of(4);
    }
    let mut body = frame.get(length..)?;
    if !is_several {
        return snap(body, found, counts);
    }
    // A-MSDU: address, address, length, and padding to four bytes after each but the last.
    while body.len() >= 14 {
        let length = usize::from(number(body, 12)?);
        let inner = body.get(14..(14 + length).min(body.len()))?;
        snap(inner, found, counts)?;
        body = body.get((14 + length).next_multiple_of(4)..).unwrap_or(&[]);
    }
    Some(())
}

fn snap<'a>(body: &'a [u8], found: &mut Datagrams<'a>, counts: &mut Counts) -> Option<()> {
    if !body.starts_with(&SNAP) {
        counts.not_tcp += 1;
        return Some(());
    }
    typed(number(body, 6), body.get(8..), found, counts)
}
