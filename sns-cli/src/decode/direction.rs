//! One end of a conversation: the message that comes, and where something is missing.
//!
//! Law: the last gaps are remembered, not all.

use super::exchange::{Half, Span};
use super::incoming::Incoming;
use std::collections::VecDeque;

/// So many gaps between messages are remembered.
const MAX_HOLES: usize = 64;
/// So many conflicts wait for the message that they stand in.
const MAX_CONFLICTS: usize = 64;

/// What one end says.
#[derive(Default)]
pub(super) struct Direction {
    pub(super) current: Option<(Incoming, Span)>,
    /// The next byte need not begin a message.
    pub(super) is_lost: bool,
    pub(super) has_spoken: bool,
    /// How far it was heard.
    pub(super) given: u64,
    pub(super) count: u64,
    pub(super) unread: u64,
    /// What may be the beginning of a first line, at the end of what came: where, and its bytes.
    pub(super) held: Option<(u64, Vec<u8>)>,
    /// Where messages may be missing: from, until.
    pub(super) holes: Vec<(u64, u64)>,
    /// So many bytes are missing just before the next.
    pub(super) lost_before: u64,
    /// A gap behind what is not understood: nobody knows yet what it belongs to.
    pub(super) open_gap: u64,
    /// The gap that cuts the head that came last: another message may stand in it.
    pub(super) head_gap: u64,
    /// What the sender of the message before had heard when it began.
    pub(super) heard_before: Option<u64>,
    /// The same before the current message began, and whether that made the client one that does
    /// not wait: it may prove to be no message.
    pub(super) before: (Option<u64>, bool),
    pub(super) conflicts: Vec<(u64, u64)>,
}

impl Direction {
    /// How many bytes are missing between these places where messages may have been.
    pub(super) fn missing_between(&self, from: u64, until: u64) -> u64 {
        let within = |&(start, end): &(u64, u64)| end.min(until).saturating_sub(start.max(from));
        self.holes.iter().map(within).sum()
    }

    /// Whether a message may be missing behind this place.
    pub(super) fn is_missing_behind(&self, place: u64) -> bool {
        self.missing_between(place, u64::MAX) > 0
    }

    /// Whether another message may stand in a gap of this one.
    pub(super) fn is_torn(&self, span: &Span) -> bool {
        self.missing_between(span.start, span.end) > 0
    }

    /// Whether a message may be missing before the one at this place, and behind those.
    pub(super) fn is_missing_before(&self, place: u64, those: &VecDeque<Half>) -> bool {
        let end = those.back().map_or(0, |half| half.span.end);
        self.missing_between(end, place) > 0
            || those.back().is_some_and(|h| h.finished.is_headless || self.is_torn(&h.span))
    }

    /// So many bytes at this place came twice, and differed.
    pub(super) fn conflict(&mut self, place: u64, length: u64) {
        if self.conflicts.len() < MAX_CONFLICTS {
            self.conflicts.push((place, length));
        }
    }

    /// Messages may be missing there.
    pub(super) fn hole(&mut self, from: u64, length: u64) {
        match self.holes.last_mut() {
            Some((_, end)) if *end == from => *end += length,
            _ => {
                if self.holes.len() >= MAX_HOLES {
                    self.holes.remove(0);
                }
                self.holes.push((from, from + length));
            }
        }
    }
}
