//! 802.11, as it was heard in the air: plain, or behind what the radio noted (radiotap, PPI, Prism,
//! AVS).
//!
//! Law: only data frames hold packets. What is encrypted or arrived damaged is counted. Fragments
//! are put together in the order in which they were sent, so that what an earlier frame left never
//! fills another one; one that comes again is known by its content, and those of a frame that never
//! becomes whole are counted. Memory is bounded by the number of frames in pieces.

use super::Counts;
use super::link::{self, Frame, Give, number};
use flate2::Crc;
use std::collections::HashMap;

/// So many frames may be in pieces at a time.
const MAX_WAITING: usize = 64;
/// The number of a fragment has four bits.
const MAX_PIECES: usize = 16;
/// A fragment is at most as long as a frame, about 2300 bytes.
const MAX_PIECE: usize = 4096;
/// The pieces of a frame follow each other at once; later the number is another frame's.
const PATIENCE: u64 = 2_000_000_000;
/// The checksum at the end of a frame.
const CHECKSUM: usize = 4;

/// What the radio noted about a frame.
#[derive(Debug, Clone, Copy, Default)]
struct Notes {
    has_checksum: bool,
    is_damaged: bool,
    is_padded: bool,
}

/// The frames that are in pieces.
#[derive(Debug, Default)]
pub(super) struct Air {
    /// Checksums at the end of frames were seen to be right.
    has_right_checksums: bool,
    waiting: HashMap<Origin, Pieces>,
}

/// Which frame a piece belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Origin {
    receiver: [u8; 6],
    sender: [u8; 6],
    /// Each kind of traffic is numbered by itself.
    traffic: u8,
    number: u16,
}

/// The pieces of a frame, which stay for a while when it is whole.
#[derive(Debug)]
struct Pieces {
    since: u64,
    all: [Option<Vec<u8>>; MAX_PIECES],
    last: Option<usize>,
    is_done: bool,
}

/// One piece.
struct Piece<'a> {
    index: usize,
    is_last: bool,
    body: &'a [u8],
}

impl Air {
    /// Reads a frame of this link layer: `None` if it is none of 802.11, and then whether it could
    /// be read.
    pub(super) fn frame(
        &mut self,
        link: u32,
        frame: &Frame<'_>,
        counts: &mut Counts,
        give: &mut Give<'_>,
    ) -> Option<Option<()>> {
        let bytes = frame.bytes;
        let inner = match link {
            105 => Some((Notes::default(), bytes)),
            119 => prism(bytes),
            127 => radiotap(bytes),
            163 => avs(bytes),
            192 => match ppi(bytes) {
                Some((105, notes, inner)) => Some((notes, inner)),
                Some((1, _, inner)) => return Some(link::ethernet(inner, counts, give)),
                Some(_) => return None,
                None => None,
            },
            _ => return None,
        };
        let Some((notes, inner)) = inner else { return Some(None) };
        if notes.is_damaged {
            counts.damaged += 1;
            return Some(Some(()));
        }
        // A radio may hand on what arrived damaged without saying so. Padding is not summed up, and
        // some write anything there: one right checksum says that they are meant.
        if notes.has_checksum
            && !notes.is_padded
            && frame.lost == 0
            && let Some((before, end)) = inner.split_last_chunk::<CHECKSUM>()
        {
            let is_right = sum(before) == u32::from_le_bytes(*end);
            self.has_right_checksums |= is_right;
            if self.has_right_checksums && !is_right {
                counts.damaged += 1;
                return Some(Some(()));
            }
        }
        // IP says how long it is, but pieces do not, and a short frame could be taken for something
        // with it. Of a cut frame the checksum is what was cut first.
        let checksum = CHECKSUM.saturating_sub(frame.lost as usize);
        let inner = match inner.len().checked_sub(checksum) {
            Some(end) if notes.has_checksum => &inner[..end],
            _ => inner,
        };
        let inner = Frame { bytes: inner, ..*frame };
        Some(self.wireless(&inner, notes.is_padded, counts, give))
    }

    /// An 802.11 frame.
    fn wireless(
        &mut self,
        frame: &Frame<'_>,
        is_padded: bool,
        counts: &mut Counts,
        give: &mut Give<'_>,
    ) -> Option<()> {
        let bytes = frame.bytes;
        let (&control, &flags) = (bytes.first()?, bytes.get(1)?);
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
        // Between two access points there is a fourth address.
        let mut length = if flags & 3 == 3 { 30 } else { 24 };
        let is_qos = subtype & 8 != 0;
        let (mut is_several, mut traffic) = (false, u8::MAX);
        if is_qos {
            let quality = *bytes.get(length)?;
            (is_several, traffic) = (quality & 0x80 != 0, quality & 0x0f);
            length += if flags & 0x80 != 0 { 6 } else { 2 };
        }
        if is_padded {
            length = length.next_multiple_of(4);
        }
        let body = bytes.get(length..)?;
        let index = usize::from(*bytes.get(22)? & 0x0f);
        let is_last = flags & 0x04 == 0;
        if is_last && index == 0 {
            return bodies(body, is_several, counts, give);
        }
        // With a hole of the capture's own it cannot become whole.
        if frame.lost > 0 {
            counts.frame_fragments += 1;
            return Some(());
        }
        let number = u16::from_le_bytes(bytes.get(22..24)?.try_into().ok()?) >> 4;
        let (receiver, sender) = (bytes[4..10].try_into().ok()?, bytes[10..16].try_into().ok()?);
        let origin = Origin { receiver, sender, traffic, number };
        // Not every radio says whether there is a checksum; it shows by being right.
        let body = match bytes.split_last_chunk::<CHECKSUM>() {
            Some((before, end)) if sum(before) == u32::from_le_bytes(*end) => {
                before.get(length..)?
            }
            _ => body,
        };
        let piece = Piece { index, is_last, body };
        match self.assemble(origin, &piece, frame.time, counts) {
            Some(whole) => bodies(&whole, is_several, counts, give),
            None => Some(()),
        }
    }

    /// Adds a piece; gives the body that it makes whole.
    fn assemble(
        &mut self,
        origin: Origin,
        piece: &Piece<'_>,
        now: u64,
        counts: &mut Counts,
    ) -> Option<Vec<u8>> {
        if piece.body.len() > MAX_PIECE {
            counts.unreadable += 1;
            return None;
        }
        if self.waiting.len() >= MAX_WAITING && !self.waiting.contains_key(&origin) {
            self.forget(now, counts);
        }
        let pieces = self.waiting.entry(origin).or_insert_with(|| Pieces::new(now));
        let known = pieces.all[piece.index].as_deref();
        let is_late = now.saturating_sub(pieces.since) > PATIENCE;
        if !is_late && known == Some(piece.body) {
            return None;
        }
        // A piece is sent only once those before it were received: none follows a later one.
        let is_behind = pieces.all[piece.index..].iter().any(Option::is_some);
        if is_late || is_behind || pieces.is_done {
            // The number is in use again.
            counts.frame_fragments += pieces.missed();
            *pieces = Pieces::new(now);
        }
        pieces.all[piece.index] = Some(piece.body.to_vec());
        if piece.is_last {
            pieces.last = Some(piece.index);
        }
        let parts = &pieces.all[..=pieces.last?];
        let whole: Option<Vec<&[u8]>> = parts.iter().map(Option::as_deref).collect();
        let whole = whole?.concat();
        pieces.is_done = true;
        Some(whole)
    }

    /// Makes room: for what has waited too long, or else for the oldest.
    fn forget(&mut self, now: u64, counts: &mut Counts) {
        let oldest = self.waiting.values().map(|pieces| pieces.since).min().unwrap_or(0);
        let limit = now.saturating_sub(PATIENCE).max(oldest);
        self.waiting.retain(|_, pieces| {
            let stays = pieces.since > limit;
            counts.frame_fragments += if stays { 0 } else { pieces.missed() };
            stays
        });
    }

    /// Counts what never became whole.
    pub(super) fn finish(&mut self, counts: &mut Counts) {
        for (_, pieces) in self.waiting.drain() {
            counts.frame_fragments += pieces.missed();
        }
    }
}

impl Pieces {
    fn new(now: u64) -> Pieces {
        Pieces { since: now, all: [const { None }; MAX_PIECES], last: None, is_done: false }
    }

    /// How many wait in vain.
    fn missed(&self) -> u64 {
        if self.is_done { 0 } else { self.all.iter().flatten().count() as u64 }
    }
}

fn sum(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// The packet in the body of a frame, or the several ones of an A-MSDU.
fn bodies(
    mut body: &[u8],
    is_several: bool,
    counts: &mut Counts,
    give: &mut Give<'_>,
) -> Option<()> {
    if !is_several {
        return link::snap(body, counts, give);
    }
    // Address, address, length, and padding to four bytes after each but the last.
    while body.len() >= 14 {
        let length = usize::from(number(body, 12)?);
        let inner = body.get(14..(14 + length).min(body.len()))?;
        link::snap(inner, counts, give)?;
        body = body.get((14 + length).next_multiple_of(4)..).unwrap_or(&[]);
    }
    Some(())
}

fn little(bytes: &[u8], at: usize) -> Option<u16> {
    number(bytes, at).map(u16::swap_bytes)
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// radiotap, of which only the flags are read.
fn radiotap(frame: &[u8]) -> Option<(Notes, &[u8])> {
    let length = usize::from(little(frame, 2)?);
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
    let notes = Notes {
        has_checksum: flags & 0x10 != 0,
        is_padded: flags & 0x20 != 0,
        is_damaged: flags & 0x40 != 0,
    };
    Some((notes, frame.get(length..)?))
}

/// PPI: the link layer that is inside, and of its fields the flags of 802.11-Common.
fn ppi(frame: &[u8]) -> Option<(u32, Notes, &[u8])> {
    const COMMON: u16 = 2;
    let length = usize::from(little(frame, 2)?);
    let link = word(frame, 4)?.swap_bytes();
    let mut notes = Notes::default();
    let mut fields = frame.get(8..length)?;
    while let (Some(kind), Some(size)) = (little(fields, 0), little(fields, 2)) {
        if kind == COMMON {
            let flags = little(fields, 12).unwrap_or(0);
            notes.has_checksum = flags & 1 != 0;
            notes.is_damaged = flags & 4 != 0;
        }
        fields = fields.get(4 + usize::from(size)..).unwrap_or(&[]);
    }
    Some((link, notes, &frame[length..]))
}

/// Prism: always as long; or AVS, which some drivers give that name.
fn prism(frame: &[u8]) -> Option<(Notes, &[u8])> {
    const LENGTH: usize = 144;
    if is_avs(frame) { avs(frame) } else { Some((Notes::default(), frame.get(LENGTH..)?)) }
}

fn is_avs(frame: &[u8]) -> bool {
    word(frame, 0).is_some_and(|magic| magic & 0xffff_f000 == 0x8021_1000)
}

/// AVS, which says how long it is.
fn avs(frame: &[u8]) -> Option<(Notes, &[u8])> {
    let length = word(frame, 4).filter(|_| is_avs(frame))?;
    Some((Notes::default(), frame.get(usize::try_from(length).ok()?..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What becomes whole of pieces of frames that all have one number, and how many became nothing.
    fn assembled(pieces: &[(usize, bool, &str)]) -> (Vec<String>, u64) {
        let (mut air, mut counts) = (Air::default(), Counts::default());
        let origin = Origin { receiver: [1; 6], sender: [2; 6], traffic: 0, number: 7 };
        let mut whole = Vec::new();
        for &(index, is_last, body) in pieces {
            let piece = Piece { index, is_last, body: body.as_bytes() };
            let frame = air.assemble(origin, &piece, 0, &mut counts);
            whole.extend(frame.map(|frame| String::from_utf8(frame).unwrap()));
        }
        air.finish(&mut counts);
        (whole, counts.frame_fragments)
    }

    #[test]
    fn what_an_earlier_frame_left_fills_no_other() {
        let new = [(0, false, "new"), (1, true, "er")];
        let stale = |piece| assembled(&[[piece].as_slice(), &new].concat());
        assert_eq!(stale((1, true, "old")), (vec!["newer".into()], 1));
        assert_eq!(stale((2, true, "old")), (vec!["newer".into()], 1));
        // Its second piece alone: the first of the new one was lost.
        let pieces = [(0, false, "a"), (2, true, "c"), (1, false, "B"), (2, true, "C")];
        assert_eq!(assembled(&pieces), (vec![], 4));
    }

    #[test]
    fn a_piece_that_comes_again_changes_nothing() {
        let (a, b) = ((0, false, "a"), (1, true, "b"));
        assert_eq!(assembled(&[a, a, b, b, a, b]), (vec!["ab".into()], 0));
        assert_eq!(assembled(&[a, b, (0, false, "c"), b]), (vec!["ab".into(), "cb".into()], 0));
    }
}
