//! One connection: requests and answers, paired.
//!
//! Law: an answer belongs to the oldest request that its sender had received and not yet answered.
//! What each end had received when it spoke stands in the acknowledgements, so pairs stay pairs
//! where a request or an answer is missing. Behind a gap, the next line that begins a message is
//! looked for.

use super::incoming::{Finished, Head, Incoming, Role};
use crate::capture::Form;
use crate::capture::connections::{Cause, Peers, Side};
use crate::capture::stream::{Content, Piece};
use crate::extract::{Extract, Place};
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;

/// So many requests may wait for their answers.
const MAX_PENDING: usize = 64;
/// A first line that is not recognised within so many bytes is none.
const ENOUGH: usize = 64;

/// A message of a conversation.
pub(super) struct Half {
    pub(super) finished: Finished,
    pub(super) span: Span,
}

impl Half {
    /// A text that it says.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.finished.report.fields.get(name)
    }
}

/// Where and when a message stands in its stream.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Span {
    pub(super) start: u64,
    pub(super) end: u64,
    /// How much of the other direction its sender had received when it began.
    pub(super) heard: Option<u64>,
    pub(super) began: u64,
    pub(super) ended: u64,
    /// How many segments it came in.
    pub(super) segments: u64,
    /// How many of its bytes were in the first.
    pub(super) first: u64,
}

impl Span {
    /// It begins with this piece.
    fn of(piece: &Piece<'_>) -> Span {
        Span {
            start: piece.offset,
            end: piece.offset,
            heard: piece.heard,
            began: piece.time,
            ended: piece.time,
            segments: 0,
            first: 0,
        }
    }
}

/// A request and its answer, as far as they are there.
pub(super) struct Exchange {
    pub(super) request: Option<Half>,
    pub(super) answer: Option<Half>,
    /// Why there is no answer, once nothing more comes.
    pub(super) ended: Option<Cause>,
    /// Bytes before it in which no message was recognised.
    pub(super) unread: u64,
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

/// What is known of a connection while it lasts.
pub(super) struct Talk {
    pub(super) peers: Peers,
    source: String,
    has_checksums: bool,
    /// Which end is the client, once that is known.
    client: Option<Side>,
    opener: Direction,
    called: Direction,
    pub(super) speech: Speech,
    /// A handshake: from whom, its first bytes, and where they stand.
    hello: Option<(Side, Vec<u8>, Span)>,
    requests: VecDeque<Half>,
    answers: VecDeque<Half>,
}

/// What one end says.
#[derive(Default)]
struct Direction {
    current: Option<(Incoming, Span)>,
    /// The next byte need not begin a message.
    is_lost: bool,
    has_spoken: bool,
    /// How far it was heard.
    given: u64,
    count: u64,
    unread: u64,
}

impl Talk {
    /// A connection in the capture of this name.
    pub(super) fn new(peers: &Peers, source: &str, has_checksums: bool) -> Talk {
        Talk {
            peers: *peers,
            source: source.to_owned(),
            has_checksums,
            client: None,
            opener: Direction::default(),
            called: Direction::default(),
            speech: Speech::Unknown,
            hello: None,
            requests: VecDeque::new(),
            answers: VecDeque::new(),
        }
    }

    /// Client and server: who asked; or who opened the connection; or who has the higher port.
    pub(super) fn ends(&self) -> (SocketAddr, SocketAddr) {
        let Peers { opener, called, has_beginning, .. } = self.peers;
        let guessed = if has_beginning || opener.port() >= called.port() {
            Side::Opener
        } else {
            Side::Called
        };
        match self.client.unwrap_or(guessed) {
            Side::Opener => (opener, called),
            Side::Called => (called, opener),
        }
    }

    fn direction(&mut self, side: Side) -> &mut Direction {
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
                self.bytes(from, bytes, piece, extract)?;
                bytes.len() as u64
            }
            Content::Gap(length) => {
                self.gap(from, length, piece, extract)?;
                length
            }
        };
        self.direction(from).given = piece.offset + length;
        self.pair(false, None, done);
        Ok(())
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
        self.requests.push_back(Half { finished, span });
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
        if let Some((incoming, span)) = self.direction(from).current.take() {
            self.finish(from, incoming, span, true, extract)?;
            self.pair(false, None, done);
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
        for side in [Side::Opener, Side::Called] {
            if let Some((incoming, span)) = self.direction(side).current.take() {
                self.finish(side, incoming, span, false, extract)?;
            }
        }
        self.pair(true, Some(cause), done);
        Ok(())
    }

    fn role(&self, from: Side) -> Option<Role> {
        let client = self.client?;
        Some(if from == client { Role::Request } else { Role::Answer })
    }

    /// Who is who, by how the first message begins.
    fn recognise(&mut self, from: Side, bytes: &[u8], piece: &Piece<'_>) -> Option<Role> {
        if let Some(role) = self.role(from) {
            return Some(role);
        }
        let is_known = self.peers.has_beginning && from == Side::Opener;
        let role = match Form::of(&bytes[..bytes.len().min(ENOUGH)]) {
            Form::Handshake => {
                self.handshake(from, bytes, Span::of(piece));
                return None;
            }
            Form::Response if begins(bytes, Role::Answer) => Role::Answer,
            Form::Request if begins(bytes, Role::Request) => Role::Request,
            // It may be a line that drips, or an odd one.
            _ if is_known && !self.direction(from).is_lost => Role::Request,
            _ => return None,
        };
        self.client = Some(if role == Role::Request { from } else { from.other() });
        Some(role)
    }

    fn bytes(
        &mut self,
        from: Side,
        mut bytes: &[u8],
        piece: &Piece<'_>,
        extract: &mut Option<Extract>,
    ) -> io::Result<()> {
        let has_beginning = self.peers.has_beginning;
        let direction = self.direction(from);
        if !direction.has_spoken {
            direction.has_spoken = true;
            // Without its beginning, a stream may begin anywhere.
            direction.is_lost |= !has_beginning;
        }
        let mut at = piece.offset;
        let mut is_counted = false;
        while !bytes.is_empty() {
            let Some(role) = self.recognise(from, bytes, piece) else {
                let direction = self.direction(from);
                direction.is_lost = true;
                direction.unread += bytes.len() as u64;
                return Ok(());
            };
            let direction = self.direction(from);
            if let Some((incoming, _)) = &direction.current
                && incoming.may_have_no_body()
                && begins(bytes, role)
                && let Some((incoming, span)) = direction.current.take()
            {
                self.finish(from, incoming, span, false, extract)?;
                continue;
            }
            if direction.current.is_none() {
                if direction.is_lost && !begins(bytes, role) {
                    direction.unread += bytes.len() as u64;
                    return Ok(());
                }
                direction.is_lost = false;
                let start = Span { start: at, end: at, ..Span::of(piece) };
                let incoming = self.message(from, role);
                self.direction(from).current = Some((incoming, start));
                is_counted = false;
            }
            let direction = self.direction(from);
            let Some((mut incoming, mut span)) = direction.current.take() else { return Ok(()) };
            let taken = incoming.feed(bytes, extract)?;
            span.segments += u64::from(!is_counted);
            is_counted = true;
            if span.segments == 1 {
                span.first += taken as u64;
            }
            span.ended = piece.time;
            span.end = at + taken as u64;
            at = span.end;
            bytes = &bytes[taken..];
            if let Some(head) = incoming.unfinished_head()
                && !may_begin(head, role)
            {
                direction.count -= 1;
                let is_first = direction.count == 0;
                direction.is_lost = true;
                direction.unread += head.len() as u64 + bytes.len() as u64;
                if is_first && matches!(Form::of(head), Form::Handshake) {
                    let hello = head.to_vec();
                    self.handshake(from, &hello, span);
                } else if is_first && self.requests.is_empty() && self.answers.is_empty() {
                    // Whoever speaks so is no HTTP client; let what comes say who is who.
                    self.client = None;
                }
                return Ok(());
            }
            if incoming.is_done() {
                self.direction(from).is_lost = incoming.is_lost();
                self.finish(from, incoming, span, true, extract)?;
            } else {
                self.direction(from).current = Some((incoming, span));
            }
            if taken == 0 {
                return Ok(());
            }
        }
        Ok(())
    }

    fn gap(
        &mut self,
        from: Side,
        length: u64,
        piece: &Piece<'_>,
        extract: &mut Option<Extract>,
    ) -> io::Result<()> {
        let direction = self.direction(from);
        direction.has_spoken = true;
        let Some((mut incoming, mut span)) = direction.current.take() else {
            direction.is_lost = true;
            return Ok(());
        };
        let taken = incoming.gap(length, extract)?;
        span.end = piece.offset + taken;
        // What follows the message in the gap may be another, or a part of it.
        direction.is_lost = taken < length || incoming.is_lost();
        if incoming.is_done() {
            self.finish(from, incoming, span, false, extract)?;
        } else {
            direction.current = Some((incoming, span));
        }
        Ok(())
    }

    /// A message begins.
    fn message(&mut self, from: Side, role: Role) -> Incoming {
        let (connection, source) = (Some(self.peers.number), self.source.clone());
        let has_checksums = self.has_checksums;
        let is_bodiless = role == Role::Answer && self.is_head_next();
        let direction = self.direction(from);
        direction.count += 1;
        let place = Place {
            source,
            connection,
            message: direction.count,
            has_checksums,
            ..Place::default()
        };
        let incoming = Incoming::new(role, false, place);
        if is_bodiless { incoming.without_body() } else { incoming }
    }

    /// Whether the request that the next answer belongs to is a `HEAD`.
    fn is_head_next(&mut self) -> bool {
        let waiting = self.answers.len();
        let head = match (self.requests.get(waiting), self.client) {
            (Some(half), _) => half.finished.head.as_ref(),
            (None, Some(client)) if waiting == self.requests.len() => {
                let current = self.direction(client).current.as_ref();
                current.and_then(|(incoming, _)| incoming.head())
            }
            _ => None,
        };
        matches!(head, Some(Head::Request(head, _)) if head.method == "HEAD")
    }

    fn finish(
        &mut self,
        from: Side,
        incoming: Incoming,
        span: Span,
        at_end: bool,
        extract: &mut Option<Extract>,
    ) -> io::Result<()> {
        let role = self.role(from).unwrap_or(Role::Request);
        // Line ends between messages are nothing.
        if incoming.unfinished_head().is_some_and(|head| head.trim_ascii().is_empty()) {
            return Ok(());
        }
        self.speech = Speech::Http;
        let finished = incoming.end(at_end, extract)?;
        let is_interim = matches!(&finished.head,
            Some(Head::Answer(head)) if (100..=199).contains(&head.status) && head.status != 101);
        if is_interim {
            self.direction(from).count -= 1;
            return Ok(());
        }
        let half = Half { finished, span };
        match role {
            Role::Request => self.requests.push_back(half),
            Role::Answer => self.answers.push_back(half),
        }
        Ok(())
    }

    /// Pairs what can be paired; everything, once nothing more comes.
    fn pair(&mut self, is_final: bool, cause: Option<Cause>, done: &mut Vec<Exchange>) {
        let Some(client) = self.client else { return };
        let heard_of_client = self.direction(client).given;
        while let Some(answer) = self.answers.front() {
            let span = answer.span;
            // What its sender had received is still to come: a packet stands late.
            if !is_final && span.heard.is_some_and(|heard| heard > heard_of_client) {
                return;
            }
            let current = self.direction(client).current.as_ref().map(|(_, span)| *span);
            let mut waiting = self.requests.iter().map(|half| half.span).chain(current);
            let (first, second) = (waiting.next(), waiting.next());
            // The client went on after an answer that is missing: the next one is the next's.
            let is_passed = match (first.and_then(|s| s.heard), second.and_then(|s| s.heard)) {
                (Some(first), Some(second)) => first < second && second <= span.start,
                _ => false,
            };
            if is_passed && let Some(request) = self.requests.pop_front() {
                let unread = self.unread();
                done.push(Exchange { request: Some(request), answer: None, ended: cause, unread });
                continue;
            }
            let belongs =
                first.is_some_and(|first| span.heard.is_none_or(|heard| heard > first.start));
            if belongs && self.requests.is_empty() && !is_final {
                // It answers a request that is still being sent.
                return;
            }
            let request = if belongs { self.requests.pop_front() } else { None };
            let answer = self.answers.pop_front();
            let unread = self.unread();
            done.push(Exchange { request, answer, ended: None, unread });
        }
        while (is_final || self.requests.len() > MAX_PENDING)
            && let Some(request) = self.requests.pop_front()
        {
            let unread = self.unread();
            let request = Some(request);
            done.push(Exchange { request, answer: None, ended: cause, unread });
        }
    }

    /// What was not read since it was asked last.
    fn unread(&mut self) -> u64 {
        std::mem::take(&mut self.opener.unread) + std::mem::take(&mut self.called.unread)
    }

    /// Bytes in which nothing was recognised.
    pub(super) fn take_unread(&mut self) -> u64 {
        self.unread()
    }
}

/// Whether these bytes begin a message, strictly: they may be a piece of a photo.
fn begins(bytes: &[u8], role: Role) -> bool {
    let line = &bytes[..bytes.len().min(8 * 1024)];
    let line = &line[..memchr::memchr(b'\n', line).unwrap_or(line.len())];
    if role == Role::Answer {
        return line.starts_with(b"HTTP/1.") || line.starts_with(b"HTTP/0.");
    }
    let method = line.iter().take(8).position(|&b| b == b' ').filter(|&at| at >= 3);
    let Some(method) = method else { return false };
    line[..method].iter().all(u8::is_ascii_uppercase)
        && (memchr::memmem::find(line, b" HTTP/").is_some()
            || matches!(line.get(method + 1..), Some([b'/' | b'h', ..])))
}

/// Whether the beginning of a head may become one.
fn may_begin(head: &[u8], role: Role) -> bool {
    let head = head.trim_ascii_start();
    let is_decided = head.contains(&b'\n') || head.len() >= ENOUGH;
    let form = Form::of(head);
    match role {
        _ if form == Form::Handshake => false,
        _ if !is_decided => head.iter().all(|b| b.is_ascii_graphic() || b" \t\r".contains(b)),
        Role::Request => form == Form::Request,
        Role::Answer => form == Form::Response,
    }
}
