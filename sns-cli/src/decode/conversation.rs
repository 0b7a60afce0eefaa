//! One connection: what each end says becomes messages.
//!
//! Law: a message ends where its head says. Where nothing is understood, [`super::adrift`] goes on; which
//! answer belongs to which request is for [`super::pairs`] to say.

use super::direction::Direction;
use super::exchange::{Exchange, Half, Span, Speech};
use super::firmware;
use super::incoming::{Ending, Head, Incoming, Role};
use super::pairs::Pairs;
use super::pending::Share;
use super::resync::{self, begins, may_begin};
use crate::capture::Form;
use crate::capture::connections::{Cause, Peers, Side};
use crate::capture::stream::{Content, Piece};
use crate::extract::{Extract, Place};
use std::io;
use std::net::SocketAddr;

/// So much of a handshake is kept.
const ENOUGH: usize = 64;

/// What is known of a connection while it lasts.
pub(super) struct Talk {
    pub(super) peers: Peers,
    source: String,
    has_checksums: bool,
    /// Which end is the client, once that is known.
    pub(super) client: Option<Side>,
    pub(super) opener: Direction,
    pub(super) called: Direction,
    pub(super) speech: Speech,
    /// A handshake: from whom, its first bytes, and where they stand.
    hello: Option<(Side, Vec<u8>, Span)>,
    pub(super) pairs: Pairs,
}

impl Talk {
    /// A connection in the capture of this name.
    pub(super) fn new(peers: &Peers, source: &str, has_checksums: bool, share: Share) -> Talk {
        Talk {
            peers: *peers,
            source: source.to_owned(),
            has_checksums,
            client: None,
            opener: Direction::default(),
            called: Direction::default(),
            speech: Speech::Unknown,
            hello: None,
            pairs: Pairs::new(share),
        }
    }

    /// Client and server: who asked; or who opened the connection; or who has the higher port.
    pub(super) fn ends(&self) -> (SocketAddr, SocketAddr) {
        let Peers { opener, called, .. } = self.peers;
        match self.client.unwrap_or(self.likely_client()) {
            Side::Opener => (opener, called),
            Side::Called => (called, opener),
        }
    }

    fn likely_client(&self) -> Side {
        let Peers { opener, called, has_beginning, .. } = self.peers;
        let is_opener = has_beginning || opener.port() >= called.port();
        if is_opener { Side::Opener } else { Side::Called }
    }

    pub(super) fn direction(&mut self, side: Side) -> &mut Direction {
        match side {
            Side::Opener => &mut self.opener,
            Side::Called => &mut self.called,
        }
    }

    /// Takes what one end said; gives the exchanges that this completes.
    pub(super) fn piece(
        &mut self,
        from: Side,
        piece: &Piece<'_>,
        extract: &mut Option<Extract>,
        done: &mut Vec<Exchange>,
    ) -> io::Result<()> {
        if self.speech == Speech::Handshake && !self.is_answered_in_clear(from, piece) {
            return Ok(());
        }
        let length = match piece.content {
            Content::Bytes(bytes) => {
                self.pass_conflicts(from, piece.place + bytes.len() as u64);
                match self.direction(from).held.take() {
                    Some((place, held)) => {
                        self.bytes(from, &[&held, bytes].concat(), place, piece, extract)?;
                    }
                    None => self.bytes(from, bytes, piece.place, piece, extract)?,
                }
                bytes.len() as u64
            }
            Content::Gap(length) => {
                self.gap(from, length, piece, extract)?;
                length
            }
        };
        let given = piece.place + length;
        self.direction(from).given = given;
        self.pass_conflicts(from, given);
        self.pair(None, done);
        Ok(())
    }

    /// So many bytes at this place came twice, and differed.
    pub(super) fn conflict(&mut self, from: Side, place: u64, length: u64) {
        let direction = self.direction(from);
        direction.conflict(place, length);
        let given = direction.given;
        self.pass_conflicts(from, given);
    }

    /// Tells a message of the conflicts in what it is given up to this place.
    fn pass_conflicts(&mut self, from: Side, until: u64) {
        let direction = self.direction(from);
        if direction.conflicts.is_empty() {
            return;
        }
        let (now, later) = direction.conflicts.iter().partition(|(place, _)| *place < until);
        direction.conflicts = later;
        let now: Vec<(u64, u64)> = now;
        let is_request = self.likely_role(from) == Role::Request;
        for (place, length) in now {
            let direction = self.direction(from);
            match &mut direction.current {
                Some((incoming, span)) if place + length > span.start => {
                    let begin = place.max(span.start);
                    incoming.conflict(begin - span.start, place + length - begin);
                }
                // The message begins with what comes next.
                None if place >= direction.given => direction.conflicts.push((place, length)),
                _ => self.pairs.conflict(is_request, place, length),
            }
        }
    }

    /// Whether a server takes a TLS handshake for a broken request, and says so: then the handshake
    /// is one.
    fn is_answered_in_clear(&mut self, from: Side, piece: &Piece<'_>) -> bool {
        let Content::Bytes(bytes) = piece.content else { return false };
        let Some((client, hello, span)) = self.hello.take() else { return false };
        if from == client || !begins(bytes, Role::Answer) {
            self.hello = Some((client, hello, span));
            return false;
        }
        self.client = Some(client);
        self.speech = Speech::Http;
        self.direction(client).is_lost = true;
        self.direction(client).unread = 0;
        let place = Place { source: self.source.clone(), ..Place::default() };
        let finished = Incoming::new(Role::Request, false, place).refused(&hello);
        self.pairs.requests.push_back(Half::new(finished, span));
        true
    }

    /// A handshake begins: its first bytes are kept, to say which.
    fn handshake(&mut self, from: Side, bytes: &[u8], span: Span) {
        self.speech = Speech::Handshake;
        self.hello = Some((from, bytes[..bytes.len().min(ENOUGH)].to_vec(), span));
    }

    /// One end has said all: a body that goes on to the end of its stream is whole.
    pub(super) fn finished(
        &mut self,
        from: Side,
        extract: &mut Option<Extract>,
        done: &mut Vec<Exchange>,
    ) -> io::Result<()> {
        self.is_over(from, extract)?;
        if let Some((incoming, span)) = self.direction(from).current.take() {
            self.finish(from, incoming, span, Ending::Stream, extract)?;
            self.pair(None, done);
        }
        Ok(())
    }

    /// Nothing more will be said.
    pub(super) fn end(
        &mut self,
        cause: Cause,
        extract: &mut Option<Extract>,
        done: &mut Vec<Exchange>,
    ) -> io::Result<()> {
        let ending = match cause {
            Cause::Closed | Cause::Reset(_) | Cause::Refused => Ending::Broken,
            _ => Ending::Capture,
        };
        for side in [Side::Opener, Side::Called] {
            self.is_over(side, extract)?;
            if let Some((incoming, span)) = self.direction(side).current.take() {
                self.finish(side, incoming, span, ending, extract)?;
            }
        }
        self.pair(Some(cause), done);
        Ok(())
    }

    pub(super) fn role(&self, from: Side) -> Option<Role> {
        let client = self.client?;
        Some(if from == client { Role::Request } else { Role::Answer })
    }

    /// The role of whoever is not known by what it said.
    pub(super) fn likely_role(&self, from: Side) -> Role {
        let client = self.client.unwrap_or(self.likely_client());
        if from == client { Role::Request } else { Role::Answer }
    }

    /// It is known who is who.
    pub(super) fn settle(&mut self, from: Side, role: Role) {
        if self.client.is_none() && self.likely_role(from) != role {
            self.pairs.turn_around();
        }
        self.client = Some(if role == Role::Request { from } else { from.other() });
    }

    fn bytes(
        &mut self,
        from: Side,
        mut bytes: &[u8],
        mut at: u64,
        piece: &Piece<'_>,
        extract: &mut Option<Extract>,
    ) -> io::Result<()> {
        let has_beginning = self.peers.has_beginning;
        let direction = self.direction(from);
        if !std::mem::replace(&mut direction.has_spoken, true) {
            // Without its beginning, a stream may begin anywhere.
            direction.is_lost |= !has_beginning;
            if self.client.is_none()
                && Form::of(&bytes[..bytes.len().min(ENOUGH)]) == Form::Handshake
            {
                self.handshake(from, bytes, Span::at(at, piece));
                return Ok(());
            }
        }
        let mut is_new = true;
        while !bytes.is_empty() {
            if self.is_adrift(from) {
                let Some((role, before)) = self.beginning(from, bytes) else {
                    let tail = resync::tail(bytes, self.likely_role(from));
                    let (rest, tail) = bytes.split_at(tail.unwrap_or(bytes.len()));
                    self.adrift(from, rest, at, piece, extract)?;
                    if !tail.is_empty() {
                        let held = (at + rest.len() as u64, tail.to_vec());
                        self.direction(from).held = Some(held);
                    }
                    return Ok(());
                };
                self.adrift(from, &bytes[..before], at, piece, extract)?;
                self.settle(from, role);
                if let Some((incoming, span)) = self.direction(from).current.take() {
                    self.finish(from, incoming, span, Ending::Broken, extract)?;
                }
                self.direction(from).is_lost = false;
                at += before as u64;
                bytes = &bytes[before..];
            }
            let role = self.likely_role(from);
            if self.direction(from).current.is_none() && role == Role::Request {
                // Line ends between messages are nothing; those before an answer the firmware reads.
                let (_, text) = bytes.split_at(resync::line_ends(bytes));
                at += (bytes.len() - text.len()) as u64;
                bytes = text;
                if bytes.is_empty() {
                    return Ok(());
                }
            }
            if self.direction(from).current.is_none() {
                let span = Span::at(at, piece);
                let incoming = self.message(from, role, &span);
                self.begin(from, incoming, span);
                is_new = true;
            }
            let Some((mut incoming, mut span)) = self.direction(from).current.take() else {
                return Ok(());
            };
            let is_undecided = incoming.is_undecided();
            let taken = incoming.feed(bytes, extract)?;
            span.take(taken, piece, is_new);
            is_new = false;
            at += taken as u64;
            bytes = &bytes[taken..];
            let head = incoming.unfinished_head().filter(|_| is_undecided);
            let is_no_head = head.is_some_and(|head| !may_begin(head, role));
            if is_no_head || incoming.another().is_some() {
                self.no_head(from, incoming, span, piece, extract)?;
            } else if incoming.is_done() {
                self.finish(from, incoming, span, Ending::Stream, extract)?;
            } else {
                self.direction(from).current = Some((incoming, span));
            }
        }
        Ok(())
    }

    /// What was taken for the beginning of a head is none.
    fn no_head(
        &mut self,
        from: Side,
        incoming: Incoming,
        span: Span,
        piece: &Piece<'_>,
        extract: &mut Option<Extract>,
    ) -> io::Result<()> {
        let another = incoming.another();
        let head = incoming.into_head();
        self.take_back(from);
        let direction = self.direction(from);
        direction.is_lost = true;
        if let Some(at) = another {
            let (before, head) = head.split_at(at);
            self.adrift(from, before, span.start, piece, extract)?;
            return self.bytes(from, head, span.start + at as u64, piece, extract);
        }
        if direction.count == 0 {
            if Form::of(&head) == Form::Handshake {
                direction.unread += head.len() as u64;
                self.handshake(from, &head, span);
                return Ok(());
            }
            if self.pairs.is_empty() {
                // Whoever speaks so is no HTTP client; let what comes say who is who.
                self.client = None;
            }
        }
        self.bytes(from, &head, span.start, piece, extract)
    }

    /// What began last is no message.
    fn take_back(&mut self, from: Side) {
        let direction = self.direction(from);
        direction.count -= 1;
        let (heard_before, made_pipelined) = direction.before;
        direction.heard_before = heard_before;
        self.pairs.is_pipelined &= !made_pipelined;
    }

    pub(super) fn place(&mut self, from: Side) -> Place {
        let (connection, source) = (Some(self.peers.number), self.source.clone());
        let has_checksums = self.has_checksums;
        let message = self.direction(from).count + 1;
        Place { source, connection, message, has_checksums, ..Place::default() }
    }

    /// A message that is to begin.
    fn message(&mut self, from: Side, role: Role, span: &Span) -> Incoming {
        let incoming = Incoming::new(role, false, self.place(from));
        let is_bodiless = role == Role::Answer && {
            let (client, server) = match from {
                Side::Opener => (&self.called, &self.opener),
                Side::Called => (&self.opener, &self.called),
            };
            matches!(self.pairs.request_of(span, client, server),
                Some(Head::Request(head, _)) if head.method == "HEAD")
        };
        if is_bodiless { incoming.without_body() } else { incoming }
    }

    /// A message begins.
    pub(super) fn begin(&mut self, from: Side, incoming: Incoming, span: Span) {
        let is_client = self.likely_role(from) == Role::Request;
        // What follows a message, and is none, says nothing of whether its sender waits.
        let is_surplus = incoming.is_headless() && !span.is_first_cut;
        let was_pipelined = self.pairs.is_pipelined;
        let direction = self.direction(from);
        direction.count += 1;
        (direction.lost_before, direction.open_gap, direction.head_gap) = (0, 0, 0);
        direction.current = Some((incoming, span));
        let before = direction.heard_before;
        if !is_surplus {
            direction.heard_before = span.heard;
        }
        // Who waits for answers has heard something since it asked last.
        let is_at_once = is_client && !is_surplus && span.heard.is_some() && before == span.heard;
        direction.before = (before, is_at_once && !was_pipelined);
        self.pairs.is_pipelined |= is_at_once;
    }

    pub(super) fn finish(
        &mut self,
        from: Side,
        incoming: Incoming,
        span: Span,
        ending: Ending,
        extract: &mut Option<Extract>,
    ) -> io::Result<()> {
        // Line ends between messages are nothing.
        if incoming.unfinished_head().is_some_and(|head| head.trim_ascii().is_empty()) {
            self.take_back(from);
            return Ok(());
        }
        if !incoming.is_headless() {
            self.speech = Speech::Http;
        }
        let mut finished = incoming.end(ending, extract)?;
        let is_interim = matches!(&finished.head,
            Some(Head::Answer(head)) if (100..=199).contains(&head.status) && head.status != 101);
        if is_interim {
            self.direction(from).count -= 1;
            return Ok(());
        }
        if self.client.is_none() && self.pairs.is_full() {
            // Of what is never recognised, only the number of bytes is told.
            self.direction(from).unread += span.end - span.start - span.lost;
            return Ok(());
        }
        firmware::keep_needed(&mut finished.searched, &span);
        let half = Half::new(finished, span);
        match self.likely_role(from) {
            Role::Request => self.pairs.requests.push_back(half),
            Role::Answer => self.pairs.answers.push_back(half),
        }
        Ok(())
    }

    /// Pairs what can be paired; everything, once nothing more comes.
    fn pair(&mut self, ended: Option<Cause>, done: &mut Vec<Exchange>) {
        let Some(client) = self.client else {
            self.pairs.weigh();
            return;
        };
        let before = done.len();
        let (client, server) = match client {
            Side::Opener => (&self.opener, &self.called),
            Side::Called => (&self.called, &self.opener),
        };
        self.pairs.pair(client, server, ended, done);
        if let Some(first) = done.get_mut(before) {
            first.unread = self.opener.unread + self.called.unread;
            (self.opener.unread, self.called.unread) = (0, 0);
        }
    }

    /// Bytes in which nothing was recognised, and the files that were made of them.
    pub(super) fn take_unread(&mut self) -> (u64, Vec<Half>) {
        let unread = self.opener.unread + self.called.unread;
        (self.opener.unread, self.called.unread) = (0, 0);
        (unread, self.pairs.take_rest())
    }
}
