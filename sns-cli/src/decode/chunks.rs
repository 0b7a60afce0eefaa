//! A body in chunks: where the data is.
//!
//! Law: behind what is no chunk all is taken for data, for it may hold some; no camera sends chunks,
//! and a server must not.

/// A line with a length, or a trailer, is no longer than this.
const MAX_LINE: usize = 4096;

/// A chunk with so much to come has no length that could be meant.
const ENDLESS: u64 = 1 << 60;

/// Where in a body of chunks the next byte stands.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    state: State,
    line: usize,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum State {
    /// In the line that says how long the chunk is: the number so far, and whether it has ended.
    Size(u64, bool),
    /// At the beginning of that line.
    #[default]
    NoSize,
    /// In a chunk, with so much to come.
    Data(u64),
    /// In the line end behind a chunk.
    AfterData,
    /// Behind the last chunk, in a line that has so many bytes.
    Trailer(usize),
    Ended,
    /// Behind what is no chunk.
    Broken,
}

/// What the next bytes are: so many that are framing, then so many that are data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) skipped: usize,
    pub(super) data: usize,
}

impl Chunks {
    /// Whether the last chunk came.
    pub(super) fn has_ended(&self) -> bool {
        self.state == State::Ended
    }

    /// Whether something came that is no chunk.
    pub(super) fn is_broken(&self) -> bool {
        matches!(self.state, State::Broken | State::Size(u64::MAX, _) | State::Data(ENDLESS..))
    }

    /// Goes on, up to the end of the next run of data.
    pub(super) fn next(&mut self, bytes: &[u8]) -> Step {
        let mut skipped = 0;
        while let Some(&byte) = bytes.get(skipped) {
            if let State::Data(left) = &mut self.state {
                let data = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len() - skipped);
                *left -= data as u64;
                if *left == 0 {
                    self.state = State::AfterData;
                }
                return Step { skipped, data };
            }
            match self.state {
                State::Ended => break,
                State::Broken => return Step { skipped, data: bytes.len() - skipped },
                _ => self.state = self.after(byte),
            }
            // The byte that breaks it is the first that is taken for data.
            skipped += usize::from(self.state != State::Broken);
        }
        Step { skipped, data: 0 }
    }

    fn after(&mut self, byte: u8) -> State {
        self.line += 1;
        if self.line > MAX_LINE {
            return State::Broken;
        }
        if byte == b'\n' {
            self.line = 0;
        }
        match (self.state, byte) {
            (State::Size(0, _), b'\n') => State::Trailer(0),
            (State::Size(size, _), b'\n') => State::Data(size),
            (State::Size(size, false), _) => match char::from(byte).to_digit(16) {
                Some(digit) if size < 1 << 56 => State::Size(size << 4 | u64::from(digit), false),
                // No body is that long: all that follows is taken for it.
                Some(_) => State::Size(u64::MAX, true),
                None => State::Size(size, true),
            },
            (State::NoSize, _) => match char::from(byte).to_digit(16) {
                Some(digit) => State::Size(u64::from(digit), false),
                None if byte == b' ' => State::NoSize,
                None => State::Broken,
            },
            (State::AfterData, b'\r') => State::AfterData,
            (State::AfterData, b'\n') => State::NoSize,
            (State::AfterData, _) => State::Broken,
            (State::Trailer(0), b'\n') => State::Ended,
            (State::Trailer(_), b'\n') => State::Trailer(0),
            (State::Trailer(length), b'\r') => State::Trailer(length),
            (State::Trailer(length), _) => State::Trailer(length + 1),
            (state, _) => state,
        }
    }

    /// Goes on behind a gap; `false` if it reaches beyond the chunk.
    pub(super) fn skip(&mut self, length: u64) -> bool {
        match &mut self.state {
            State::Data(left) if length < *left => {
                *left -= length;
                true
            }
            State::Broken => true,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(chunks: &mut Chunks, bytes: &[u8]) -> (Vec<u8>, usize) {
        let (mut data, mut at) = (Vec::new(), 0);
        while at < bytes.len() && !chunks.has_ended() {
            let step = chunks.next(&bytes[at..]);
            at += step.skipped;
            data.extend_from_slice(&bytes[at..at + step.data]);
            at += step.data;
        }
        (data, at)
    }

    #[test]
    fn chunks_come_apart_however_they_are_cut() {
        let body = b"4;x=y\r\nWiki\r\nA\npedia in\n\n\r\n0\r\nTrailer: 1\r\n\r\nGET /";
        for piece in 1..body.len() {
            let mut chunks = Chunks::default();
            let (mut all, mut taken) = (Vec::new(), 0);
            for part in body.chunks(piece) {
                let (some, length) = data(&mut chunks, part);
                all.extend(some);
                taken += length;
            }
            assert_eq!(all, b"Wikipedia in\n\n", "{piece}");
            assert!(chunks.has_ended());
            assert_eq!(&body[taken..], b"GET /");
        }
    }

    #[test]
    fn what_follows_what_is_no_chunk_is_taken_for_data() {
        for (body, expected) in [
            (&b"3\r\nabc\r\nffffffffffffffff\r\ndef"[..], &b"abcdef"[..]),
            (b"zz\r\nabc\r\n", b"zz\r\nabc\r\n"),
            (b"2\r\nabcd", b"abcd"),
            (b"\r\nabc", b"\r\nabc"),
        ] {
            for piece in 1..body.len() {
                let mut chunks = Chunks::default();
                let all: Vec<u8> =
                    body.chunks(piece).flat_map(|part| data(&mut chunks, part).0).collect();
                assert_eq!(all.escape_ascii().to_string(), expected.escape_ascii().to_string());
                assert!(chunks.is_broken() && !chunks.has_ended());
            }
        }
    }

    #[test]
    fn a_gap_inside_a_chunk_is_passed_over() {
        let mut chunks = Chunks::default();
        assert!(!chunks.skip(1));
        assert_eq!(data(&mut chunks, b"8\r\nab").0, b"ab");
        assert!(!chunks.skip(6) && chunks.skip(5));
        assert_eq!(data(&mut chunks, b"c\r\n0\r\n\r\n").0, b"c");
        assert!(chunks.has_ended());
    }
}
