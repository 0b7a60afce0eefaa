//! All TCP connections of a capture: each segment goes to its stream, and a listener hears what the
//! streams say.
//!
//! Law: a connection is told as soon as something of it is known, and ends with its last byte, a
//! reset, a long silence (a clock that was set makes none), or the capture. A reset that others sent
//! in its name, known by its number or by what comes after it, ends nothing. A new SYN on the same
//! ports is a new connection. What is open is bounded: what is over makes room first, then what
//! nobody answered, then the one that was silent for longest; but none makes room for the rest of one
//! whose beginning was not seen.

use super::network::{Message, Segment};
use super::stream::{Arrival, Oddities, Piece, Stream};
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;

/// So many connections are followed at a time.
pub const MAX_OPEN: usize = 2048;
/// So much may wait behind holes in all of them.
const MAX_WAITING: usize = 64 * 1024 * 1024;
/// A connection without packets for this long has ended.
const SILENCE: u64 = 600_000_000_000;
/// After its end, what comes late is waited for.
const LATE: u64 = 2_000_000_000;
/// Then repeated segments are still known as its own.
const MEMORY: u64 = 60_000_000_000;
/// Between two segments no more than this counts as silence: the clock may have been set meanwhile, as on
/// a stick that has none of its own until it finds the time on the network.
const STEP: u64 = 60_000_000_000;
/// How often the clock of the capture is looked at.
const TICK: u64 = 500_000_000;

/// One end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Who opened it, or was seen first.
    Opener,
    /// Who was called.
    Called,
}

impl Side {
    /// The other end.
    pub fn other(self) -> Side {
        match self {
            Side::Opener => Side::Called,
            Side::Called => Side::Opener,
        }
    }
}

/// Which connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peers {
    /// Its number, from 1, as they were seen.
    pub number: u64,
    /// Who opened it; without a beginning, who was seen first.
    pub opener: SocketAddr,
    /// Who was called.
    pub called: SocketAddr,
    /// When it was first seen, in nanoseconds since 1970.
    pub since: u64,
    /// Whether its beginning was seen, so that it is known who opened it.
    pub has_beginning: bool,
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Both ends said so.
    Closed,
    /// One end broke it off.
    Reset(Side),
    /// A reset was the only answer to its beginning.
    Refused,
    /// Nothing answered its beginning.
    Unanswered,
    /// Only what its opener said is in the capture.
    OneSided,
    /// Nothing was heard for long.
    Silence,
    /// Too many others were open, and this one was silent for longest.
    GivenUp,
    /// The capture ended first.
    CaptureEnded,
}

/// The end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// Why.
    pub cause: Cause,
    /// When its last packet was seen.
    pub time: u64,
    /// What was odd about what the opener sent.
    pub opener: Oddities,
    /// What was odd about what the called one sent.
    pub called: Oddities,
}

/// Hears what the connections of a capture say.
pub trait Listener {
    /// What it keeps for each connection.
    type Talk;

    /// A connection was seen.
    ///
    /// # Errors
    /// Whatever should stop the reading.
    fn opened(&mut self, peers: &Peers) -> io::Result<Self::Talk>;

    /// One end said something.
    ///
    /// # Errors
    /// Whatever should stop the reading.
    fn piece(&mut self, talk: &mut Self::Talk, from: Side, piece: Piece<'_>) -> io::Result<()>;

    /// Of what one end says, so many bytes at this place (see [`Piece::place`]) came twice, and
    /// differed. A listener need not mind.
    ///
    /// # Errors
    /// Whatever should stop the reading.
    fn conflict(&mut self, _: &mut Self::Talk, _: Side, _: u64, _: u64) -> io::Result<()> {
        Ok(())
    }

    /// One end has said all it had to say, and all of it was heard.
    ///
    /// # Errors
    /// Whatever should stop the reading.
    fn finished(&mut self, talk: &mut Self::Talk, from: Side) -> io::Result<()>;

    /// A connection has ended.
    ///
    /// # Errors
    /// Whatever should stop the reading.
    fn closed(&mut self, talk: Self::Talk, peers: &Peers, end: &End) -> io::Result<()>;

    /// Somebody asked for a name, or was answered.
    ///
    /// # Errors
    /// Whatever should stop the reading.
    fn message(&mut self, message: &Message<'_>, time: u64) -> io::Result<()>;
}

struct Connection<T> {
    peers: Peers,
    opener: Stream,
    called: Stream,
    /// When it was heard last, by the clock of the capture and by ours.
    last: u64,
    heard: u64,
    /// Who broke it off, and the number of the reset.
    reset: Option<(Side, u32)>,
    /// `None` once it was told that it ended.
    talk: Option<T>,
    was_answered: bool,
}

/// The connections of a capture.
pub struct Connections<L: Listener> {
    listener: L,
    open: HashMap<(SocketAddr, SocketAddr), Connection<L::Talk>>,
    count: u64,
    /// The latest time of the capture.
    now: u64,
    /// Time that goes by with packets only, and never jumps.
    clock: u64,
    next_tick: u64,
    waiting: usize,
    unfollowed: u64,
}

impl<L: Listener> Connections<L> {
    /// None yet.
    pub fn new(listener: L) -> Connections<L> {
        let open = HashMap::new();
        let (now, clock, next_tick) = (0, 0, 0);
        Connections { listener, open, count: 0, now, clock, next_tick, waiting: 0, unfollowed: 0 }
    }

    /// How many segments were passed over, because there was no room for their connection.
    pub fn unfollowed(&self) -> u64 {
        self.unfollowed
    }

    /// Who listens.
    pub fn listener(&mut self) -> &mut L {
        &mut self.listener
    }

    /// The next segment.
    ///
    /// # Errors
    /// What the listener says.
    pub fn segment(&mut self, segment: &Segment<'_>, time: u64) -> io::Result<()> {
        self.clock = self.clock.saturating_add(time.saturating_sub(self.now).min(STEP));
        self.now = self.now.max(time);
        if self.clock >= self.next_tick {
            self.tick()?;
        }
        let key = if segment.from <= segment.to {
            (segment.from, segment.to)
        } else {
            (segment.to, segment.from)
        };
        let is_opening = segment.is_first && segment.acknowledged.is_none();
        // Another beginning on the same ports is another connection.
        if segment.is_first
            && let Some(connection) = self.open.get_mut(&key)
        {
            let side = connection.side(segment.from);
            let turned_around = is_opening && side == Side::Called;
            // Who answers without having been seen is the called one.
            if turned_around && !connection.has_spoken() && connection.talk.is_some() {
                connection.turn_around();
            } else if turned_around || !connection.stream(side).begin(segment.sequence) {
                self.end(key, Cause::Silence)?;
                self.open.remove(&key);
            }
        }
        // So is data that cannot be an echo of one that is over.
        let is_anew = |connection: &Connection<L::Talk>| {
            connection.talk.is_none()
                && !segment.payload.is_empty()
                && !connection.has_said(segment)
        };
        if self.open.get(&key).is_some_and(is_anew) {
            self.open.remove(&key);
        }
        if !self.open.contains_key(&key) {
            // The echo of a connection that is over is none.
            let says_something = segment.is_first || !segment.payload.is_empty();
            if !says_something && (segment.is_reset || segment.missing == 0) {
                return Ok(());
            }
            if self.open.len() >= MAX_OPEN && !self.make_room(segment.is_first)? {
                self.unfollowed += 1;
                return Ok(());
            }
            let connection = self.begin(segment, time)?;
            self.open.insert(key, connection);
        }
        let Some(connection) = self.open.get_mut(&key) else { return Ok(()) };
        let before = connection.waiting();
        (connection.last, connection.heard) = (self.now, self.clock);
        connection.take(segment, time, &mut self.listener)?;
        self.waiting = (self.waiting + connection.waiting()).saturating_sub(before);
        if self.waiting > MAX_WAITING {
            let before = connection.waiting();
            connection.finish_streams(time, &mut self.listener)?;
            self.waiting = (self.waiting + connection.waiting()).saturating_sub(before);
        }
        if connection.is_over() {
            self.end(key, Cause::Closed)?;
        }
        Ok(())
    }

    /// The capture has ended.
    ///
    /// # Errors
    /// What the listener says.
    pub fn finish(mut self) -> io::Result<L> {
        let mut over: Vec<_> = self
            .open
            .iter()
            .map(|(key, connection)| {
                let is_silent = self.now.saturating_sub(connection.last) > SILENCE;
                let cause = if is_silent { Cause::Silence } else { Cause::CaptureEnded };
                (connection.peers.number, *key, cause)
            })
            .collect();
        over.sort_unstable_by_key(|(number, ..)| *number);
        for (_, key, cause) in over {
            self.end(key, cause)?;
        }
        Ok(self.listener)
    }

    fn begin(&mut self, segment: &Segment<'_>, time: u64) -> io::Result<Connection<L::Talk>> {
        self.count += 1;
        let is_answer = segment.is_first && segment.acknowledged.is_some();
        let (opener, called) =
            if is_answer { (segment.to, segment.from) } else { (segment.from, segment.to) };
        let has_beginning = segment.is_first;
        let peers = Peers { number: self.count, opener, called, since: time, has_beginning };
        let talk = Some(self.listener.opened(&peers)?);
        Ok(Connection {
            peers,
            opener: Stream::default(),
            called: Stream::default(),
            last: self.now,
            heard: self.clock,
            reset: None,
            talk,
            was_answered: false,
        })
    }

    /// Ends what has been silent for long, and forgets what has ended.
    fn tick(&mut self) -> io::Result<()> {
        self.next_tick = self.clock.saturating_add(TICK);
        let clock = self.clock;
        let mut over: Vec<_> = self
            .open
            .iter()
            .filter(|(_, connection)| {
                let silence = clock.saturating_sub(connection.heard);
                match &connection.talk {
                    None => silence > MEMORY,
                    Some(_) if connection.is_ending() => silence > LATE,
                    Some(_) => silence > SILENCE,
                }
            })
            .map(|(key, connection)| (connection.peers.number, *key))
            .collect();
        over.sort_unstable();
        for (_, key) in over {
            let is_told = self.open.get(&key).is_none_or(|connection| connection.talk.is_none());
            if is_told {
                self.open.remove(&key);
            } else {
                self.end(key, Cause::Silence)?;
            }
        }
        Ok(())
    }

    /// Ends some connections to which nothing more will come, or else the one that was silent for
    /// longest, unless it is only for the rest of another one.
    fn make_room(&mut self, is_beginning: bool) -> io::Result<bool> {
        let mut all: Vec<_> = self
            .open
            .iter()
            .map(|(key, connection)| (!connection.is_idle(), connection.heard, *key))
            .collect();
        // Room is made for several at a time: to look through all takes long.
        let several = MAX_OPEN / 64;
        all.select_nth_unstable(several);
        all.truncate(several);
        all.sort_unstable();
        let idle = all.iter().take_while(|(is_busy, _, _)| !is_busy).count();
        let is_silent = all.first().is_some_and(|(_, heard, _)| self.clock - heard > MEMORY);
        if idle == 0 && !is_beginning && !is_silent {
            return Ok(false);
        }
        for (_, _, key) in all.into_iter().take(idle.max(1)) {
            self.end(key, Cause::GivenUp)?;
            self.open.remove(&key);
        }
        Ok(true)
    }

    /// Tells the end of a connection, once.
    fn end(&mut self, key: (SocketAddr, SocketAddr), otherwise: Cause) -> io::Result<()> {
        let Some(connection) = self.open.get_mut(&key) else { return Ok(()) };
        if connection.talk.is_none() {
            return Ok(());
        }
        let before = connection.waiting();
        connection.finish_streams(connection.last, &mut self.listener)?;
        self.waiting = self.waiting.saturating_sub(before);
        connection.opener.release();
        connection.called.release();
        let end = End {
            cause: connection.cause(otherwise),
            time: connection.last,
            opener: connection.opener.oddities(),
            called: connection.called.oddities(),
        };
        match connection.talk.take() {
            Some(talk) => self.listener.closed(talk, &connection.peers, &end),
            None => Ok(()),
        }
    }
}

impl<T> Connection<T> {
    fn side(&self, from: SocketAddr) -> Side {
        if from == self.peers.opener { Side::Opener } else { Side::Called }
    }

    fn stream(&mut self, side: Side) -> &mut Stream {
        match side {
            Side::Opener => &mut self.opener,
            Side::Called => &mut self.called,
        }
    }

    /// Whether a segment repeats what was said.
    fn has_said(&self, segment: &Segment<'_>) -> bool {
        // Nothing follows an end, but what follows a reset shows that it was a false one.
        let new = if self.reset.is_some() { segment.payload.len() as u32 } else { 0 };
        let number = segment.sequence.wrapping_add(new);
        match self.side(segment.from) {
            Side::Opener => self.opener.has_given(number),
            Side::Called => self.called.has_given(number),
        }
    }

    /// Whether who broke the connection off goes on with it: somebody else did, in its name.
    fn goes_on(&self, segment: &Segment<'_>) -> bool {
        self.reset.is_some_and(|(side, number)| {
            let end = segment.sequence.wrapping_add(segment.payload.len() as u32);
            let is_behind = end.wrapping_sub(number).cast_signed() > 0;
            let is_data = !segment.payload.is_empty() && is_behind;
            side == self.side(segment.from) && (is_data || segment.is_first)
        })
    }

    fn waiting(&self) -> usize {
        self.opener.waiting() + self.called.waiting()
    }

    /// Whether something was given to the listener, so that it is settled who is who.
    fn has_spoken(&self) -> bool {
        self.peers.has_beginning || self.opener.given() + self.called.given() > 0
    }

    fn turn_around(&mut self) {
        std::mem::swap(&mut self.peers.opener, &mut self.peers.called);
        std::mem::swap(&mut self.opener, &mut self.called);
        self.peers.has_beginning = true;
    }

    /// Both directions have ended and are whole.
    fn is_over(&self) -> bool {
        self.talk.is_some() && self.opener.is_complete() && self.called.is_complete()
    }

    /// It is over, or nobody answered it yet.
    fn is_idle(&self) -> bool {
        let has_said = self.opener.given() + self.called.given() > 0;
        self.talk.is_none() || !self.was_answered && !has_said
    }

    /// Nothing more is meant to come.
    fn is_ending(&self) -> bool {
        self.reset.is_some() || (self.opener.has_end() && self.called.has_end())
    }

    fn cause(&self, otherwise: Cause) -> Cause {
        let is_silent = self.opener.given() + self.called.given() == 0;
        match self.reset {
            Some((Side::Called, _)) if is_silent && !self.was_answered => Cause::Refused,
            Some((side, _)) => Cause::Reset(side),
            None if self.opener.has_end() && self.called.has_end() => Cause::Closed,
            None if is_silent && !self.was_answered => Cause::Unanswered,
            None if otherwise == Cause::GivenUp => otherwise,
            None if !self.was_answered => Cause::OneSided,
            None => otherwise,
        }
    }

    fn take<L: Listener<Talk = T>>(
        &mut self,
        segment: &Segment<'_>,
        time: u64,
        listener: &mut L,
    ) -> io::Result<()> {
        let from = self.side(segment.from);
        if !segment.is_reset && self.goes_on(segment) {
            self.reset = None;
        }
        let Some(talk) = &mut self.talk else { return Ok(()) };
        let (mine, other) = match from {
            Side::Opener => (&mut self.opener, &mut self.called),
            Side::Called => (&mut self.called, &mut self.opener),
        };
        if segment.is_reset {
            if mine.may_end(segment.sequence) {
                // Its numbers say how much was said before it, and how much was heard.
                mine.has_sent(segment.sequence);
                if let Some(acknowledged) = segment.acknowledged {
                    other.has_sent(acknowledged);
                }
                self.reset.get_or_insert((from, segment.sequence));
            }
            return Ok(());
        }
        self.was_answered |= from == Side::Called;
        let mut sequence = segment.sequence;
        if segment.is_first {
            mine.begin(sequence);
            sequence = sequence.wrapping_add(1);
            self.peers.has_beginning = true;
        }
        if let Some(acknowledged) = segment.acknowledged {
            other.acknowledge(acknowledged);
        }
        let arrival = Arrival {
            sequence,
            bytes: segment.payload,
            missing: segment.missing,
            time,
            heard: segment.acknowledged.map(|number| other.place_of(number)),
        };
        let was_complete = (mine.is_complete(), other.is_complete());
        if segment.is_last {
            let length = segment.payload.len() as u32;
            mine.end(sequence.wrapping_add(length).wrapping_add(segment.missing));
        }
        mine.take(&arrival, &mut |piece| listener.piece(talk, from, piece))?;
        for (place, length) in mine.take_conflicts() {
            listener.conflict(talk, from, place, length)?;
        }
        mine.pass(self.last, &mut |piece| listener.piece(talk, from, piece))?;
        other.pass(self.last, &mut |piece| listener.piece(talk, from.other(), piece))?;
        if mine.is_complete() && !was_complete.0 {
            listener.finished(talk, from)?;
        }
        if other.is_complete() && !was_complete.1 {
            listener.finished(talk, from.other())?;
        }
        Ok(())
    }

    /// Gives all that waits; holes become gaps.
    fn finish_streams<L: Listener<Talk = T>>(
        &mut self,
        time: u64,
        listener: &mut L,
    ) -> io::Result<()> {
        let Some(talk) = &mut self.talk else { return Ok(()) };
        let ended = (self.opener.has_end(), self.called.has_end());
        if ended.1 {
            self.opener.expect_end();
        }
        if ended.0 {
            self.called.expect_end();
        }
        self.opener.finish(time, &mut |piece| listener.piece(talk, Side::Opener, piece))?;
        self.called.finish(time, &mut |piece| listener.piece(talk, Side::Called, piece))
    }
}

#[cfg(test)]
mod tests;
