//! A body in chunks: where the data is.
//!
//! Law: what is no chunk ends the body; no camera sends chunks, and a server must not.

/// A line with a length, or a trailer, is no longer than this.
const MAX_LINE: usize = 4096;

/// Where in a body of chunks the next byte stands.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    state: State,
    line: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// In the line that says how long the chunk is: the number so far, and whether it has ended.
    Size(u64, bool),
    /// In a chunk, with so much to come.
    Data(u64),
    /// In the line end behind a chunk.
    AfterData,
    /// Behind the last chunk, in a line that has so many bytes.
    Trailer(usize),
    Ended,
}

impl Default for State {
    fn default() -> State {
        State::Size(0, false)
    }
}

/// What the next bytes are: so many that are framing, then so many that are data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) skipped: usize,
    pub(super) data: usize,
}

impl Chunks {
    /// Whether the last chunk came, or what was no chunk.
    pub(super) fn has_ended(&self) -> bool {
        self.state == State::Ended
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
            if self.state == State::Ended {
                break;
            }
            skipped += 1;
            self.state = self.after(byte);
        }
        Step { skipped, data: 0 }
    }

    fn after(&mut self, byte: u8) -> State {
        self.line += 1;
        if self.line > MAX_LINE {
            return State::Ended;
        }
        if byte == b'\n' {
            self.line = 0;
        }
        match (self.state, byte) {
            (State::Size(0, _), b'\n') => State::Trailer(0),
            (State::Size(size, _), b'\n') => State::Data(size),
            (State::Size(size, false), _) => match char::from(byte).to_digit(16) {
                Some(digit) if size < 1 << 56 => State::Size(size << 4 | u64::from(digit), false),
                Some(_) => State::Ended,
                None => State::Size(size, true),
            },
            (State::AfterData, b'\r') => State::AfterData,
            (State::AfterData, b'\n') => State::Size(0, false),
            (State::AfterData, _) => State::Ended,
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
    fn a_gap_inside_a_chunk_is_passed_over() {
        let mut chunks = Chunks::default();
        assert!(!chunks.skip(1));
        assert_eq!(data(&mut chunks, b"8\r\nab").0, b"ab");
        assert!(!chunks.skip(6) && chunks.skip(5));
        assert_eq!(data(&mut chunks, b"c\r\n0\r\n\r\n").0, b"c");
        assert!(chunks.has_ended());
    }
}
