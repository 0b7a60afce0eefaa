//! Fragments of IP packets, put together.
//!
//! Law: fragments that overlap keep what came first, those that repeat a packet which is whole
//! already are passed over, and all are forgotten when there are too many. What they make must have
//! the right checksum: numbers are used again, and what an earlier packet left must not fill a later
//! one. (Of whole packets it is not asked: a capture may see them before the network card writes it.
//! Fragments, a card cannot: who makes them of its own packet writes the checksum first.)

use super::super::Counts;
use super::is_right;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::IpAddr;

/// So many packets may be in fragments at a time.
const MAX_ASSEMBLIES: usize = 256;
/// So many packets that became whole are remembered, to know repeated fragments of them.
const MAX_REMEMBERED: usize = 64;
/// The longest packet.
const MAX_PACKET: usize = 65_535;
/// Fragments are waited for this long, as most receivers do.
const PATIENCE: u64 = 30_000_000_000;

/// The fragments that wait for others.
#[derive(Debug, Default)]
pub(super) struct Fragments {
    assemblies: HashMap<Origin, Assembly>,
    /// What the last ones became, the newest at the end.
    whole: VecDeque<(Origin, Whole)>,
}

/// Which packet a fragment belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Origin {
    pub(super) from: IpAddr,
    pub(super) to: IpAddr,
    /// Of IPv4 only: with IPv6, what follows is said by the first fragment alone.
    pub(super) protocol: Option<u8>,
    pub(super) number: u32,
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
pub(super) struct Whole {
    pub(super) protocol: u8,
    pub(super) bytes: Vec<u8>,
}

/// Which part of a packet a fragment is.
pub(super) struct Fragment {
    pub(super) number: u32,
    pub(super) offset: usize,
    pub(super) is_last: bool,
}

impl Fragments {
    /// Counts what never became whole.
    pub(super) fn finish(&mut self, counts: &mut Counts) {
        for (_, assembly) in self.assemblies.drain() {
            counts.lost_fragments += assembly.fragments;
        }
    }

    /// Adds a fragment; gives what it makes whole.
    pub(super) fn take(
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
        assembly.add(fragment, protocol, payload);
        let bytes = assembly.whole()?;
        let found = assembly.protocol;
        if !is_right(origin.from, origin.to, found, &bytes) {
            // Some are of an earlier packet; the newest is not.
            counts.lost_fragments += assembly.fragments.saturating_sub(1);
            *assembly = Assembly::new(now);
            assembly.add(fragment, protocol, payload);
            return None;
        }
        self.assemblies.remove(&origin);
        if self.whole.len() >= MAX_REMEMBERED {
            self.whole.pop_front();
        }
        self.whole.push_back((origin, Whole { protocol: found, bytes }));
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

    /// Adds what is new; what came first stays.
    fn add(&mut self, fragment: &Fragment, protocol: u8, payload: &[u8]) {
        let end = fragment.offset + payload.len();
        let mut at = fragment.offset;
        let before = self.pieces.len();
        while at < end {
            let last = self.pieces.range(..=at).next_back();
            let covered = last.map_or(0, |(start, piece)| start + piece.len());
            if covered > at {
                at = covered;
                continue;
            }
            let next = self.pieces.range(at..).next().map_or(end, |(start, _)| *start);
            let until = next.min(end);
            let piece = payload[at - fragment.offset..until - fragment.offset].to_vec();
            self.pieces.insert(at, piece);
            at = until;
        }
        self.fragments += u64::from(self.pieces.len() > before);
        if fragment.offset == 0 {
            self.protocol = protocol;
        }
        if fragment.is_last {
            self.length.get_or_insert(end);
        }
    }

    /// The packet, if all of it is there.
    fn whole(&self) -> Option<Vec<u8>> {
        let length = self.length?;
        let mut reached = 0;
        for (start, piece) in &self.pieces {
            if *start != reached {
                return None;
            }
            reached += piece.len();
        }
        if reached < length {
            return None;
        }
        let mut bytes = self.pieces.values().map(Vec::as_slice).collect::<Vec<_>>().concat();
        bytes.truncate(length);
        Some(bytes)
    }
}
