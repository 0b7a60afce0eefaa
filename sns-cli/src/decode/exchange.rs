//! What a conversation consists of: messages with their places, and what belongs together.
//!
//! Law: what is missing of a message stands beside what is there.

use super::incoming::Finished;
use crate::capture::connections::Cause;
use crate::capture::stream::Piece;
use crate::report::Node;

/// So many places of a message at which bytes came once more are remembered.
const MAX_CONTESTED: usize = 64;

/// A message of a conversation.
pub(super) struct Half {
    pub(super) finished: Finished,
    pub(super) span: Span,
    /// About how many bytes of memory it takes.
    pub(super) weight: usize,
    /// Where bytes of it came once more and differed: from, until, in no order.
    contested: Vec<(u64, u64)>,
}

impl Half {
    /// A message that has ended, and where it stands.
    pub(super) fn new(finished: Finished, span: Span) -> Half {
        // What its head says is in the report, too.
        let weight =
            size_of::<Half>() + finished.searched.len() + 2 * finished.report.fields.size();
        Half { finished, span, weight, contested: Vec::new() }
    }

    /// It holds what no message begins with, and nothing is missing before it.
    pub(super) fn is_surplus(&self) -> bool {
        self.finished.is_headless && !self.span.is_first_cut
    }

    /// These bytes of it, from one place until another, came once more and differed.
    pub(super) fn contest(&mut self, from: u64, until: u64) {
        let (mut from, mut until) = (from.max(self.span.start), until.min(self.span.end));
        self.contested.retain(|&(start, end)| {
            let is_apart = end < from || until < start;
            if !is_apart {
                (from, until) = (from.min(start), until.max(end));
            }
            is_apart
        });
        if self.contested.len() < MAX_CONTESTED {
            self.contested.push((from, until));
        }
        let sum = self.contested.iter().map(|(start, end)| end - start).sum();
        self.finished.report.fields.set("contested_bytes", Node::Number(sum));
    }

    /// A text that it says.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.finished.report.fields.get(name)
    }
}

/// Where and when a message stands in its stream.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Span {
    /// Places: see [`Piece::place`].
    pub(super) start: u64,
    pub(super) end: u64,
    /// The place of the byte of the other direction that its sender waited for when it began.
    pub(super) heard: Option<u64>,
    pub(super) began: u64,
    pub(super) ended: u64,
    /// How many segments it came in.
    pub(super) segments: u64,
    /// How many of its bytes were in the first.
    pub(super) first: u64,
    /// How many of its bytes are not in the capture.
    pub(super) lost: u64,
    /// Whether the first segment may have held more than is in the capture.
    pub(super) is_first_cut: bool,
}

impl Span {
    /// It begins at this place of this piece.
    pub(super) fn at(place: u64, piece: &Piece<'_>) -> Span {
        Span {
            start: place,
            end: place,
            heard: piece.heard,
            began: piece.time,
            ended: piece.time,
            ..Span::default()
        }
    }

    /// So many bytes of this piece are its own.
    pub(super) fn take(&mut self, length: usize, piece: &Piece<'_>, is_new: bool) {
        self.segments += u64::from(is_new);
        if self.segments == 1 && self.lost == 0 {
            self.first += length as u64;
        }
        self.ended = piece.time;
        self.end += length as u64;
    }

    /// So many bytes of it are not there.
    pub(super) fn lose(&mut self, length: u64) {
        if length == 0 {
            return;
        }
        self.is_first_cut |= self.segments <= 1;
        self.lost += length;
        self.end += length;
    }
}

/// A request and its answer, as far as they are there.
#[derive(Default)]
pub(super) struct Exchange {
    pub(super) request: Option<Half>,
    pub(super) answer: Option<Half>,
    /// Why there is no answer, once nothing more comes.
    pub(super) ended: Option<Cause>,
    /// Bytes before it in which no message was recognised.
    pub(super) unread: u64,
    /// Of a request or an answer that is not there: so many bytes of its sender are known to be
    /// missing where it should stand.
    pub(super) missing: u64,
    /// How sure it is that both belong together, where acknowledgements do not say so.
    pub(super) doubt: Option<Doubt>,
}

/// Why it is not sure what belongs together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doubt {
    /// Several requests were sent without waiting, and something is missing: nothing tells.
    Open,
    /// Too much waited for what belongs to it.
    Shed,
    /// The same as [`Open`](Doubt::Open), but counted from the end of the connection they belong together.
    Counted,
}

/// What a connection turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Speech {
    /// Nothing was said yet, or nothing recognised.
    Unknown,
    /// HTTP.
    Http,
    /// TLS or SSLv2.
    Handshake,
}
