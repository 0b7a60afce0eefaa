//! One direction of a TCP connection: segments become bytes in order.
//!
//! Law: every byte is given once, in order; what came first counts, and a later copy that differs is
//! counted as a conflict. What never came is a gap of known length. A gap is told only once nothing
//! can be expected to fill it: its bytes were acknowledged and some packets have passed since, too
//! much waits behind it, or the connection has ended. An end before what was given, or far ahead of
//! it, is another stream's, and is counted.
//!
//! ```text
//!   first SYN                                  a stream starts at its number
//!   no SYN: some packets, or the end           … at the lowest number seen, be it of a byte or
//!                                              acknowledged: the other end waited for that byte
//!   in order                                   given at once
//!   behind a hole                              kept, until the hole is filled or told as a gap
//!   before what was given                      compared with the last that was given, dropped
//! ```

use std::collections::{BTreeMap, VecDeque};

/// So much may wait behind a hole.
const MAX_WAITING: usize = 4 * 1024 * 1024;
/// So many pieces may wait behind a hole.
const MAX_PIECES: usize = 8192;
/// What keeping a piece costs besides its bytes.
const PIECE_COST: usize = 128;
/// Packets of the connection that are waited for after a hole was acknowledged: in a capture,
/// packets may stand in another order than they travelled.
const PATIENCE: u32 = 32;
/// Packets that are waited for before the start of a stream without a SYN is decided.
const START_PATIENCE: u32 = 4;
/// The last bytes are kept to compare repeated ones with.
const MEMORY: usize = 16 * 1024;
/// Places are counted from here, which is the first number seen: some may lie before it.
const START: u64 = 1 << 40;
/// What lies farther away belongs to something else.
const FAR: u64 = 1 << 30;
/// So many conflicts are told of at a time.
const MAX_CONFLICTS: usize = 64;

/// What a piece of a stream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content<'a> {
    /// Bytes.
    Bytes(&'a [u8]),
    /// So many bytes that are not in the capture.
    Gap(u64),
}

/// The next piece of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece<'a> {
    /// How far from the first byte of the stream it stands.
    pub offset: u64,
    /// Where it stands, counted as `heard` counts: for comparing with that of the other direction.
    pub place: u64,
    /// When it was seen; of a gap, when it was given up.
    pub time: u64,
    /// The place of the byte of the other direction that its sender waited for, if that is known.
    pub heard: Option<u64>,
    /// What it is.
    pub content: Content<'a>,
}

/// What is odd about a stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Oddities {
    /// Segments that repeat, at least in part, what was there.
    pub repeated: u64,
    /// Repeated segments that hold other bytes than the first time.
    pub conflicts: u64,
    /// Segments that came before an earlier one.
    pub reordered: u64,
    /// Gaps.
    pub gaps: u64,
    /// Bytes in gaps.
    pub missing: u64,
    /// Keep-alive probes.
    pub probes: u64,
    /// Ends and resets that cannot be its own.
    pub strays: u64,
}

/// What came in a segment, at a place.
#[derive(Debug, Clone, Copy)]
pub struct Arrival<'a> {
    /// Its sequence number, that of the first byte.
    pub sequence: u32,
    /// Its bytes.
    pub bytes: &'a [u8],
    /// So many more that the capture did not keep.
    pub missing: u32,
    /// When it came.
    pub time: u64,
    /// The place of the byte of the other direction that its sender waited for.
    pub heard: Option<u64>,
}

#[derive(Debug)]
struct Waiting {
    bytes: Vec<u8>,
    missing: u32,
    time: u64,
    heard: Option<u64>,
}

impl Waiting {
    fn length(&self) -> u64 {
        self.bytes.len() as u64 + u64::from(self.missing)
    }
}

/// One direction of a connection.
#[derive(Debug, Default)]
pub struct Stream {
    /// A sequence number and its place, from which others are counted. It goes along with the
    /// stream, for numbers begin anew after 4 GiB.
    reference: Option<(u32, u64)>,
    /// Where the stream starts; `None` as long as that is open.
    start: Option<u64>,
    /// The place of the next byte to be given.
    next: u64,
    /// The lowest that the other end acknowledged before the start was decided.
    floor: Option<u64>,
    has_begun_with_syn: bool,
    waiting: BTreeMap<u64, Waiting>,
    waiting_bytes: usize,
    /// Where the other end says it has got to.
    acknowledged: u64,
    /// Where the stream ends.
    end: Option<u64>,
    /// The last that was acknowledged is its end.
    has_unseen_end: bool,
    patience: u32,
    memory: VecDeque<u8>,
    oddities: Oddities,
    conflicts: Vec<(u64, u64)>,
}

impl Stream {
    /// The number before the first byte's: the stream has a beginning. `false` if this cannot be
    /// the beginning of what was seen.
    pub fn begin(&mut self, sequence: u32) -> bool {
        let first = sequence.wrapping_add(1);
        let is_new = self.reference.is_none();
        let at = self.place_of(first);
        match self.start {
            Some(start) => {
                self.has_begun_with_syn |= start == at;
                start == at
            }
            None => {
                // Something was seen before it: it came late, if that follows it.
                let lowest = self.waiting.keys().next().copied();
                let is_before = |seen: u64, reach: u64| at <= seen && seen - at <= reach;
                if !is_new
                    && (lowest.is_some_and(|lowest| !is_before(lowest, MAX_WAITING as u64))
                        || self.floor.is_some_and(|floor| !is_before(floor, FAR)))
                {
                    return false;
                }
                self.has_begun_with_syn = true;
                self.start_at(at);
                true
            }
        }
    }

    fn start_at(&mut self, at: u64) {
        self.start = Some(at);
        self.next = at;
        // One that was seen before it may not fit. Who acknowledged an end counts it as one byte.
        if self.end.is_some_and(|end| end + 1 < at || end - at.min(end) > FAR) {
            self.end = None;
            self.oddities.strays += 1;
        }
    }

    /// The place of the byte of this number.
    pub fn place_of(&mut self, sequence: u32) -> u64 {
        let (base, at) = *self.reference.get_or_insert((sequence, START));
        at.saturating_add_signed(i64::from(sequence.wrapping_sub(base).cast_signed()))
    }

    /// How much has been given.
    pub fn given(&self) -> u64 {
        self.start.map_or(0, |start| self.next - start)
    }

    /// Whether the byte of this number was given, or is the last one again, not too long ago.
    pub fn has_given(&self, sequence: u32) -> bool {
        match (self.start, self.reference) {
            (Some(_), Some((base, at))) => {
                let next = base.wrapping_add((self.next.wrapping_sub(at)) as u32);
                next.wrapping_sub(sequence) < 1 << 26
            }
            _ => true,
        }
    }

    /// Whether a beginning was seen.
    pub fn has_beginning(&self) -> bool {
        self.has_begun_with_syn
    }

    /// What waits behind a hole, in bytes of memory.
    pub fn waiting(&self) -> usize {
        self.waiting_bytes + self.waiting.len() * PIECE_COST
    }

    /// Whether all of it was given, up to its end.
    pub fn is_complete(&self) -> bool {
        self.start.is_some() && self.end.is_some_and(|end| self.next >= end)
    }

    /// Whether its end was seen.
    pub fn has_end(&self) -> bool {
        self.end.is_some()
    }

    /// What was odd.
    pub fn oddities(&self) -> Oddities {
        self.oddities
    }

    /// The stream ends before this sequence number. Of several, the first that is reached counts.
    pub fn end(&mut self, sequence: u32) {
        if self.may_end(sequence) {
            let at = self.place_of(sequence);
            self.oddities.strays += u64::from(self.end.is_some_and(|end| end != at));
            self.end = Some(self.end.map_or(at, |end| end.min(at)));
        }
    }

    /// Whether an end or a reset of this number can belong to it; if not, it is counted. Until its
    /// start is known, any can.
    pub fn may_end(&mut self, sequence: u32) -> bool {
        if self.start.is_none() {
            return true;
        }
        let at = self.place_of(sequence);
        let may = self.next <= at && at - self.next <= FAR;
        self.oddities.strays += u64::from(!may);
        may
    }

    /// The other end has closed: what it acknowledged last was this end's closing, which a capture
    /// may lack.
    pub fn expect_end(&mut self) {
        self.has_unseen_end = self.end.is_none();
    }

    /// All before this sequence number was sent, says a reset. Before the start is known its number
    /// may be none: a port that is closed answers with 0.
    pub fn has_sent(&mut self, sequence: u32) {
        if self.start.is_some() {
            self.acknowledge(sequence);
        }
    }

    /// The other end has received all before this sequence number.
    pub fn acknowledge(&mut self, sequence: u32) {
        let at = self.place_of(sequence);
        let here = if self.start.is_some() { self.next } else { self.acknowledged.max(START) };
        // What lies far ahead was never sent: the number belongs to something else.
        if at >= here + FAR {
            return;
        }
        self.acknowledged = self.acknowledged.max(at);
        if self.start.is_none() && at + FAR > here {
            self.floor = Some(self.floor.map_or(at, |floor| floor.min(at)));
            if at > here {
                self.reference = Some((sequence, at));
            }
        }
    }

    /// Where bytes came twice and differed, since this was asked last: places and lengths.
    pub fn take_conflicts(&mut self) -> Vec<(u64, u64)> {
        std::mem::take(&mut self.conflicts)
    }

    fn conflict(&mut self, at: u64, length: u64) {
        self.oddities.conflicts += 1;
        if self.conflicts.len() < MAX_CONFLICTS {
            self.conflicts.push((at, length));
        }
    }

    /// Takes a segment, and gives what can be given.
    pub fn take<E>(
        &mut self,
        arrival: &Arrival<'_>,
        give: &mut dyn FnMut(Piece<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        if arrival.bytes.is_empty() && arrival.missing == 0 {
            let is_probe = self.place_of(arrival.sequence) + 1 == self.next;
            self.oddities.probes += u64::from(is_probe && self.given() > 0);
            return Ok(());
        }
        let at = self.place_of(arrival.sequence);
        if self.start.is_none() {
            self.keep(at, arrival);
            return Ok(());
        }
        let length = arrival.bytes.len() as u64 + u64::from(arrival.missing);
        if at + length <= self.next {
            self.repeated(at, arrival.bytes);
            return Ok(());
        }
        if at > self.next {
            self.oddities.reordered += u64::from(self.waiting.is_empty());
            self.keep(at, arrival);
            return Ok(());
        }
        if at < self.next {
            self.repeated(at, arrival.bytes);
        }
        let known = (self.next - at) as usize;
        let bytes = arrival.bytes.get(known..).unwrap_or(&[]);
        let missing = length - known as u64 - bytes.len() as u64;
        if self.waiting.is_empty() {
            self.give(bytes, missing, arrival.time, arrival.heard, give)
        } else {
            // Some of what it brings may be there.
            let rest = Arrival {
                sequence: arrival.sequence.wrapping_add(known as u32),
                bytes,
                missing: missing as u32,
                ..*arrival
            };
            self.keep(self.next, &rest);
            self.give_waiting(give)
        }
    }

    /// A packet of the connection has passed: decides what has waited long enough.
    pub fn pass<E>(
        &mut self,
        time: u64,
        give: &mut dyn FnMut(Piece<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        if self.start.is_none() {
            self.patience += 1;
            if self.patience > START_PATIENCE || self.waiting_bytes > MAX_WAITING / 8 {
                self.decide_start();
                return self.give_waiting(give);
            }
            return Ok(());
        }
        let is_acknowledged = self.acknowledged > self.next;
        self.patience = if is_acknowledged { self.patience + 1 } else { 0 };
        let too_much = self.waiting_bytes > MAX_WAITING || self.waiting.len() > MAX_PIECES;
        if too_much || self.patience > PATIENCE {
            self.give_up_hole(time, give)?;
        }
        Ok(())
    }

    /// Gives everything: nothing more will come.
    pub fn finish<E>(
        &mut self,
        time: u64,
        give: &mut dyn FnMut(Piece<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.start.is_none() {
            match self.floor {
                // Nothing of it was seen but how far the other end got.
                Some(floor) if self.waiting.is_empty() => self.start_at(floor),
                None if self.waiting.is_empty() => return Ok(()),
                _ => self.decide_start(),
            }
            self.give_waiting(give)?;
        }
        while !self.waiting.is_empty() {
            self.give_up_hole(time, give)?;
        }
        // The last bytes: known of by the number of the end, or by what the other end received. It
        // counts the end as one, so one alone says nothing.
        let acknowledged = self.acknowledged.saturating_sub(u64::from(self.has_unseen_end));
        let known = self.end.unwrap_or(acknowledged);
        let missing = known.saturating_sub(self.next);
        if missing > u64::from(self.end.is_none() && !self.has_unseen_end) {
            self.give(&[], missing, time, None, give)?;
        }
        Ok(())
    }

    /// Without a beginning, the lowest place that is known of is the start.
    fn decide_start(&mut self) {
        self.patience = 0;
        // A keep-alive probe repeats one byte, which need not be the right one.
        if let Some((&at, first)) = self.waiting.first_key_value()
            && first.bytes.len() == 1
            && self.waiting.contains_key(&(at + 1))
            && self.floor.is_none_or(|floor| at < floor)
        {
            self.oddities.probes += 1;
            self.waiting_bytes -= 1;
            self.waiting.pop_first();
        }
        let Some(&lowest) = self.waiting.keys().next() else { return };
        let floor = self.floor.filter(|&floor| floor < lowest && lowest - floor < FAR);
        self.start_at(floor.unwrap_or(lowest));
    }

    /// Keeps a segment that cannot be given yet; what is there stays.
    fn keep(&mut self, at: u64, arrival: &Arrival<'_>) {
        let end = at + arrival.bytes.len() as u64;
        if arrival.bytes.len() > 1 {
            self.drop_probes(at, end);
            self.drop_parts(at, arrival.bytes);
        }
        let mut here = at;
        while here < end {
            let before = self.waiting.range(..=here).next_back();
            if let Some((&start, piece)) = before {
                let covered = start + piece.length();
                if covered > here {
                    let same = (covered.min(end) - here) as usize;
                    let (from, other) = ((here - start) as usize, (here - at) as usize);
                    let first = piece.bytes.get(from..from + same);
                    self.oddities.repeated += 1;
                    let differs = first.is_some_and(|f| f != &arrival.bytes[other..other + same]);
                    if differs {
                        self.conflict(here, same as u64);
                    }
                    here = covered;
                    continue;
                }
            }
            let next = self.waiting.range(here..).next().map_or(end, |(&start, _)| start);
            let until = next.min(end);
            let bytes = arrival.bytes[(here - at) as usize..(until - at) as usize].to_vec();
            self.waiting_bytes += bytes.len();
            let (time, heard) = (arrival.time, arrival.heard);
            self.waiting.insert(here, Waiting { bytes, missing: 0, time, heard });
            here = until;
        }
        // What the capture cut off is a hole that nothing will fill, unless something does.
        if arrival.missing > 0 && self.waiting.range(end..).next().is_none_or(|(&s, _)| s > end) {
            let room = self.waiting.range(end..).next().map_or(u64::MAX, |(&start, _)| start - end);
            let missing = u64::from(arrival.missing).min(room) as u32;
            let (time, heard) = (arrival.time, arrival.heard);
            let cut = Waiting { bytes: Vec::new(), missing, time, heard };
            self.waiting.entry(end).or_insert(cut);
        }
    }

    /// A keep-alive probe that came before what it repeats need not hold the right byte.
    fn drop_probes(&mut self, from: u64, until: u64) {
        let is_probe = |piece: &Waiting| piece.bytes.len() == 1 && piece.missing == 0;
        while let Some((&at, _)) =
            self.waiting.range(from..until).find(|(_, piece)| is_probe(piece))
        {
            self.waiting.remove(&at);
            self.waiting_bytes -= 1;
            self.oddities.probes += 1;
        }
    }

    /// What is a part of this, and says the same, came of the same segment in another cut: the
    /// segment counts.
    fn drop_parts(&mut self, from: u64, bytes: &[u8]) {
        let until = from + bytes.len() as u64;
        let is_part = |at: u64, piece: &Waiting| {
            let start = (at - from) as usize;
            piece.missing == 0 && bytes.get(start..start + piece.bytes.len()) == Some(&piece.bytes)
        };
        let parts: Vec<u64> = self
            .waiting
            .range(from..until)
            .filter(|(at, piece)| piece.bytes.len() < bytes.len() && is_part(**at, piece))
            .map(|(at, _)| *at)
            .collect();
        for at in parts {
            if let Some(piece) = self.waiting.remove(&at) {
                self.waiting_bytes -= piece.bytes.len();
                self.oddities.repeated += 1;
            }
        }
    }

    /// Gives what waits, as far as there is no hole.
    fn give_waiting<E>(
        &mut self,
        give: &mut dyn FnMut(Piece<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        while let Some(entry) = self.waiting.first_entry() {
            if *entry.key() > self.next {
                break;
            }
            let (at, piece) = entry.remove_entry();
            self.waiting_bytes -= piece.bytes.len();
            self.patience = 0;
            let known = (self.next - at) as usize;
            let length = piece.length();
            if length <= known as u64 {
                continue;
            }
            let bytes = piece.bytes.get(known..).unwrap_or(&[]);
            let missing = length - known as u64 - bytes.len() as u64;
            self.give(bytes, missing, piece.time, piece.heard, give)?;
        }
        Ok(())
    }

    /// Tells the first hole as a gap, and gives what is behind it.
    fn give_up_hole<E>(
        &mut self,
        time: u64,
        give: &mut dyn FnMut(Piece<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        if let Some(&at) = self.waiting.keys().next()
            && at > self.next
        {
            let missing = at - self.next;
            self.give(&[], missing, time, None, give)?;
            if self.next < at {
                // It waits behind the end of the stream, and belongs to nothing.
                self.waiting.clear();
                self.waiting_bytes = 0;
            }
        }
        self.patience = 0;
        self.give_waiting(give)
    }

    /// Gives bytes, and a gap behind them.
    fn give<E>(
        &mut self,
        bytes: &[u8],
        missing: u64,
        time: u64,
        heard: Option<u64>,
        give: &mut dyn FnMut(Piece<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        // A stream ends where it says; what stands behind belongs to nothing.
        let room = self.end.map_or(u64::MAX, |end| end.saturating_sub(self.next));
        let bytes = &bytes[..bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX))];
        if !bytes.is_empty() {
            let content = Content::Bytes(bytes);
            give(Piece { offset: self.given(), place: self.next, time, heard, content })?;
            self.advance(bytes.len() as u64);
            self.remember(bytes);
        }
        let missing = missing.min(room - bytes.len() as u64);
        if missing > 0 {
            self.oddities.gaps += 1;
            self.oddities.missing += missing;
            let content = Content::Gap(missing);
            give(Piece { offset: self.given(), place: self.next, time, heard, content })?;
            self.advance(missing);
            self.memory.clear();
        }
        Ok(())
    }

    fn advance(&mut self, length: u64) {
        self.next += length;
        if let Some((base, at)) = self.reference {
            let ahead = self.next.wrapping_sub(at) as u32;
            self.reference = Some((base.wrapping_add(ahead), self.next));
        }
    }

    fn remember(&mut self, bytes: &[u8]) {
        let new = &bytes[bytes.len().saturating_sub(MEMORY)..];
        let old = (self.memory.len() + new.len()).saturating_sub(MEMORY);
        self.memory.drain(..old);
        self.memory.extend(new);
    }

    /// Compares what was given with a copy that came later.
    fn repeated(&mut self, at: u64, bytes: &[u8]) {
        // A keep-alive probe: the last byte once more, whatever it is.
        if bytes.len() <= 1 && at + 1 == self.next {
            self.oddities.probes += 1;
            return;
        }
        self.oddities.repeated += 1;
        let begin = self.next - self.memory.len() as u64;
        let from = at.max(begin);
        let until = (at + bytes.len() as u64).min(self.next);
        if from >= until {
            return;
        }
        let first = self.memory.range((from - begin) as usize..(until - begin) as usize);
        let later = &bytes[(from - at) as usize..(until - at) as usize];
        if !first.eq(later) {
            self.conflict(from, until - from);
        }
    }

    /// Forgets what was kept to compare.
    pub fn release(&mut self) {
        self.memory = VecDeque::new();
        self.waiting = BTreeMap::new();
        self.waiting_bytes = 0;
    }
}

#[cfg(test)]
mod tests;
