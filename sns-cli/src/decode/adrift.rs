//! Where nothing is understood: behind a gap, behind a bad head, in the middle of a capture.
//!
//! Law: the beginning of the next message is looked for, strictly; what lies before it is kept as what
//! is left of a message. What a gap belongs to is decided by what comes behind it.

use super::conversation::Talk;
use super::exchange::Span;
use super::incoming::{Ending, Incoming, Role};
use super::resync;
use crate::capture::connections::Side;
use crate::capture::stream::{Content, Piece};
use crate::extract::Extract;
use std::io;

/// Ports at which what is not understood is kept: those at which cameras speak HTTP.
const HTTP_PORTS: [u16; 2] = [80, 8080];

impl Talk {
    /// Whether the next byte need not begin a message.
    pub(super) fn is_adrift(&self, from: Side) -> bool {
        let direction = match from {
            Side::Opener => &self.opener,
            Side::Called => &self.called,
        };
        match &direction.current {
            Some((incoming, _)) => incoming.is_adrift(),
            None => direction.is_lost || self.client.is_none(),
        }
    }

    /// Where a message begins in these bytes, and which.
    pub(super) fn beginning(&mut self, from: Side, bytes: &[u8]) -> Option<(Role, usize)> {
        if let Some(role) = self.role(from) {
            return resync::find(bytes, role).map(|at| (role, at));
        }
        let likely = self.likely_role(from);
        let other = if likely == Role::Request { Role::Answer } else { Role::Request };
        let found = [other, likely]
            .into_iter()
            .find_map(|role| resync::find(bytes, role).map(|at| (role, at)));
        // It may be a line that drips, or an odd one.
        let is_first = self.peers.has_beginning && from == Side::Opener;
        let is_first = is_first && !self.direction(from).is_lost;
        found.or(is_first.then_some((Role::Request, 0)))
    }

    /// Keeps bytes of which nothing is understood, as what is left of a message.
    pub(super) fn adrift(
        &mut self,
        from: Side,
        mut bytes: &[u8],
        mut at: u64,
        piece: &Piece<'_>,
        extract: &mut Option<Extract>,
    ) -> io::Result<()> {
        let ports = [self.peers.opener.port(), self.peers.called.port()];
        let is_kept = self.client.is_some() || ports.iter().any(|port| HTTP_PORTS.contains(port));
        let has_beginning = self.peers.has_beginning;
        let direction = self.direction(from);
        let is_between = direction.lost_before == 0 && (has_beginning || direction.count > 0);
        if direction.current.is_none() && is_between {
            // Line ends before and between messages are nothing.
            let text = resync::line_ends(bytes);
            (bytes, at) = (&bytes[text..], at + text as u64);
        }
        if bytes.is_empty() {
            return Ok(());
        }
        if !is_kept {
            direction.unread += bytes.len() as u64;
            return Ok(());
        }
        let is_pipelined = self.pairs.is_pipelined;
        let direction = self.direction(from);
        let gap = std::mem::take(&mut direction.open_gap);
        let head_gap = std::mem::take(&mut direction.head_gap);
        if (gap > 0 || head_gap > 0)
            && let Some((mut incoming, mut span)) = direction.current.take()
        {
            // Who has heard more since then, or does not wait, may have begun anew in it.
            let has_heard = |before| piece.heard.is_some_and(|now| now > before);
            if is_pipelined && head_gap > 0 || span.heard.is_some_and(has_heard) {
                direction.lost_before = gap;
                self.finish(from, incoming, span, Ending::Broken, extract)?;
            } else {
                let taken = if gap > 0 { incoming.gap(gap, extract)? } else { 0 };
                span.lose(taken);
                if incoming.is_done() {
                    direction.lost_before = gap - taken;
                    self.finish(from, incoming, span, Ending::Broken, extract)?;
                } else {
                    direction.current = Some((incoming, span));
                }
            }
        }
        let role = self.likely_role(from);
        let direction = self.direction(from);
        if direction.current.is_none() {
            let lost = std::mem::take(&mut direction.lost_before);
            let mut span = Span::at(at, piece);
            span.start -= lost;
            span.lost = lost;
            let is_cut = direction.count == 0 && !has_beginning;
            let lost = lost.max(head_gap);
            span.is_first_cut = is_cut || lost > 0;
            let place = self.place(from);
            let start = span.lost;
            self.begin(from, Incoming::headless(role, place, start, lost, is_cut), span);
        }
        let Some((incoming, span)) = &mut self.direction(from).current else { return Ok(()) };
        incoming.feed(bytes, extract)?;
        span.take(bytes.len(), piece, true);
        Ok(())
    }

    /// What was held back is no beginning.
    pub(super) fn let_go(&mut self, from: Side, extract: &mut Option<Extract>) -> io::Result<()> {
        let direction = self.direction(from);
        let Some((place, held)) = direction.held.take() else { return Ok(()) };
        let (time, heard) =
            direction.current.as_ref().map_or((0, None), |(_, s)| (s.ended, s.heard));
        let content = Content::Bytes(&held);
        let piece = Piece { offset: 0, place, time, heard, content };
        self.adrift(from, &held, place, &piece, extract)
    }

    /// Nothing more comes from this end.
    pub(super) fn is_over(&mut self, from: Side, extract: &mut Option<Extract>) -> io::Result<()> {
        self.let_go(from, extract)?;
        let direction = self.direction(from);
        let gap = std::mem::take(&mut direction.open_gap);
        if let Some((incoming, span)) = &mut direction.current
            && gap > 0
        {
            let taken = incoming.gap(gap, extract)?;
            span.lose(taken);
        }
        Ok(())
    }

    /// So many bytes are not in the capture.
    pub(super) fn gap(
        &mut self,
        from: Side,
        length: u64,
        piece: &Piece<'_>,
        extract: &mut Option<Extract>,
    ) -> io::Result<()> {
        self.let_go(from, extract)?;
        let direction = self.direction(from);
        direction.has_spoken = true;
        if direction.current.as_ref().is_some_and(|(incoming, _)| incoming.is_adrift()) {
            direction.open_gap += length;
            direction.hole(piece.place, length);
            return Ok(());
        }
        let mut taken = 0;
        if let Some((mut incoming, mut span)) = direction.current.take() {
            taken = incoming.gap(length, extract)?;
            span.lose(taken);
            if incoming.is_adrift() {
                // Another message may stand in it.
                direction.hole(piece.place, taken);
                direction.head_gap = taken;
            }
            if incoming.is_done() {
                self.finish(from, incoming, span, Ending::Broken, extract)?;
            } else {
                self.direction(from).current = Some((incoming, span));
            }
        }
        if taken < length {
            let direction = self.direction(from);
            direction.hole(piece.place + taken, length - taken);
            direction.lost_before += length - taken;
            direction.is_lost = true;
        }
        Ok(())
    }
}
