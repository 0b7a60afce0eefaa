//! One direction of a TCP connection: segments become bytes in order.
//!
//! Law: every byte is given once, in order; what came first counts, and a later copy that differs is
//! counted as a conflict. What never came is a gap of known length. A gap is told only once nothing
//! can be expected to fill it: its bytes were acknowledged and some packets have passed since, too
//! much waits behind it, or the connection has ended.
//!
//! ```text
//!   first SYN                                  a stream starts at its number
//!   no SYN: some packets, or the end           … at the lowest number seen
//!   in order                                   given at once
//!   behind a hole                              kept, until the hole is filled or told as a gap
//!   before what was given                      compared with the last that was given, dropped
//! ```

use std::collections::{BTreeMap, VecDeque};

/// So much may wait behind a hole.
const MAX_WAITING: usize = 4 * 1024 * 1024;
/// So many pieces may wait behind a hole.
const MAX_PIECES: usize = 8192;
/// Packets of the connection that are waited for after a hole was acknowledged: in a capture,
/// packets may stand in another order than they travelled.
const PATIENCE: u32 = 32;
/// Packets that are waited for before the start of a stream without a SYN is decided.
const START_PATIENCE: u32 = 4;
/// The last bytes are kept to compare repeated ones with.
const MEMORY: usize = 16 * 1024;
/// Positions are counted from here, so that some may lie before the first byte.
const START: u64 = 1 << 40;

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
    /// Where in the stream it stands.
    pub offset: u64,
    /// When it was seen; of a gap, when it was given up.
    pub time: u64,
    /// How much of the other direction its sender had received, if that is known.
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
    /// How much of the other direction its sender had received.
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
    /// The sequence number of the byte at `next`; `None` as long as the start is open.
    next_sequence: Option<u32>,
    next: u64,
    /// Before the start is decided: the number that positions are counted from.
    anchor: Option<u32>,
    has_begun_with_syn: bool,
    waiting: BTreeMap<u64, Waiting>,
    waiting_bytes: usize,
    /// Where the other end says it has got to.
    acknowledged: u64,
    /// Where the stream ends.
    end: Option<u64>,
    patience: u32,
    memory: VecDeque<u8>,
    oddities: Oddities,
}

impl Stream {
    /// The number before the first byte's: the stream has a beginning. `false` if this cannot be
    /// the beginning of what was seen.
    pub fn begin(&mut self, sequence: u32) -> bool {
        let first = sequence.wrapping_add(1);
        match (self.next_sequence, self.anchor) {
            (Some(_), _) => {
                let is_same = self.position(first) == Some(START);
                self.has_begun_with_syn |= is_same;
                is_same
            }
            (None, None) => {
                self.start(first, START);
                true
            }
            (None, Some(_)) => {
                // Bytes were seen before it: it came late, if they follow it.
                let lowest = self.waiting.keys().next().copied();
                let Some(at) = self.position(first) else { return false };
                if lowest.is_some_and(|lowest| at > lowest || lowest - at > MAX_WAITING as u64) {
                    return false;
                }
                self.move_to(at);
                self.start(first, START);
                true
            }
        }
    }

    fn start(&mut self, sequence: u32, at: u64) {
        self.has_begun_with_syn = true;
        self.next_sequence = Some(sequence);
        self.next = at;
    }

    /// Counts positions anew, so that `at` becomes the start.
    fn move_to(&mut self, at: u64) {
        let moved = std::mem::take(&mut self.waiting);
        self.waiting = moved.into_iter().map(|(key, value)| (key - at + START, value)).collect();
        self.end = self.end.map(|end| (end + START).saturating_sub(at));
        self.acknowledged = (self.acknowledged + START).saturating_sub(at);
    }

    /// Where the byte of this number stands.
    fn position(&self, sequence: u32) -> Option<u64> {
        let (base, at) = match (self.next_sequence, self.anchor) {
            (Some(next), _) => (next, self.next),
            (None, Some(anchor)) => (anchor, START),
            (None, None) => return None,
        };
        let distance = i64::from(sequence.wrapping_sub(base).cast_signed());
        at.checked_add_signed(distance)
    }

    /// How far a sequence number is from the first byte, for comparing with [`Piece::offset`].
    pub fn offset_of(&self, sequence: u32) -> Option<u64> {
        self.next_sequence?;
        Some(self.position(sequence)?.saturating_sub(START))
    }

    /// How much has been given.
    pub fn given(&self) -> u64 {
        self.next.saturating_sub(START)
    }

    /// Whether the byte of this number was given, or is the last one again, not too long ago.
    pub fn has_given(&self, sequence: u32) -> bool {
        let distance = |next: u32| next.wrapping_sub(sequence);
        self.next_sequence.is_none_or(|next| distance(next) < 1 << 26)
    }

    /// Whether a beginning was seen.
    pub fn has_beginning(&self) -> bool {
        self.has_begun_with_syn
    }

    /// What waits behind a hole, in bytes.
    pub fn waiting(&self) -> usize {
        self.waiting_bytes
    }

    /// Whether all of it was given, up to its end.
    pub fn is_complete(&self) -> bool {
        self.next_sequence.is_some() && self.end.is_some_and(|end| self.next >= end)
    }

    /// Whether its end was seen.
    pub fn has_end(&self) -> bool {
        self.end.is_some()
    }

    /// What was odd.
    pub fn oddities(&self) -> Oddities {
        self.oddities
    }

    /// The stream ends before this sequence number.
    pub fn end(&mut self, sequence: u32) {
        if self.next_sequence.is_none() && self.anchor.is_none() {
            self.anchor = Some(sequence);
        }
        if self.end.is_none() {
            self.end = self.position(sequence);
        }
    }

    /// The other end has received all before this sequence number.
    pub fn acknowledge(&mut self, sequence: u32) {
        if let Some(at) = self.position(sequence) {
            // What lies far ahead was never sent: the number belongs to something else.
            if at < self.next + (1 << 30) {
                self.acknowledged = self.acknowledged.max(at);
            }
        }
    }

    /// Takes a segment, and gives what can be given.
    pub fn take<E>(
        &mut self,
        arrival: &Arrival<'_>,
        give: &mut dyn FnMut(Piece<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        if arrival.bytes.is_empty() && arrival.missing == 0 {
            let is_probe = self.next_sequence == Some(arrival.sequence.wrapping_add(1));
            self.oddities.probes += u64::from(is_probe && self.next > START);
            return Ok(());
        }
        if self.next_sequence.is_none() && self.anchor.is_none() {
            self.anchor = Some(arrival.sequence);
        }
        let Some(at) = self.position(arrival.sequence) else { return Ok(()) };
        if self.next_sequence.is_none() {
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
        if self.next_sequence.is_none() {
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
        if self.next_sequence.is_none() {
            if self.waiting.is_empty() {
                return Ok(());
            }
            self.decide_start();
            self.give_waiting(give)?;
        }
        while !self.waiting.is_empty() {
            self.give_up_hole(time, give)?;
        }
        // The last bytes: known of by the number of the end, or by what the other end received. It
        // counts the end as one, so one alone says nothing.
        let known = self.end.unwrap_or(self.acknowledged);
        let missing = known.saturating_sub(self.next);
        if missing > u64::from(self.end.is_none()) {
            self.give(&[], missing, time, None, give)?;
        }
        Ok(())
    }

    /// Without a beginning, what was seen first by its number is the start.
    fn decide_start(&mut self) {
        self.patience = 0;
        let Some(anchor) = self.anchor else { return };
        // A keep-alive probe repeats one byte, which need not be the right one.
        if let Some((&at, first)) = self.waiting.first_key_value()
            && first.bytes.len() == 1
            && self.waiting.contains_key(&(at + 1))
        {
            self.oddities.probes += 1;
            self.waiting_bytes -= 1;
            self.waiting.pop_first();
        }
        let Some(&lowest) = self.waiting.keys().next() else { return };
        let sequence = anchor.wrapping_add((lowest.wrapping_sub(START)) as u32);
        self.move_to(lowest);
        self.next_sequence = Some(sequence);
        self.next = START;
    }

    /// Keeps a segment that cannot be given yet; what is there stays.
    fn keep(&mut self, at: u64, arrival: &Arrival<'_>) {
        let end = at + arrival.bytes.len() as u64;
        if arrival.bytes.len() > 1 {
            self.drop_probes(at, end);
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
                    if let Some(first) = first
                        && first != &arrival.bytes[other..other + same]
                    {
                        self.oddities.conflicts += 1;
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
            give(Piece { offset: self.next - START, time, heard, content })?;
            self.advance(bytes.len() as u64);
            self.remember(bytes);
        }
        let missing = missing.min(room - bytes.len() as u64);
        if missing > 0 {
            self.oddities.gaps += 1;
            self.oddities.missing += missing;
            let content = Content::Gap(missing);
            give(Piece { offset: self.next - START, time, heard, content })?;
            self.advance(missing);
            self.memory.clear();
        }
        Ok(())
    }

    fn advance(&mut self, length: u64) {
        self.next += length;
        self.next_sequence = self.next_sequence.map(|next| next.wrapping_add(length as u32));
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
        self.oddities.conflicts += u64::from(!first.eq(later));
    }

    /// Forgets what was kept to compare.
    pub fn release(&mut self) {
        self.memory = VecDeque::new();
        self.waiting = BTreeMap::new();
        self.waiting_bytes = 0;
    }
}
