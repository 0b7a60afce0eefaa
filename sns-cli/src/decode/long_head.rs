//! What stands behind the first 64 KiB of a head: where the head ends, and what it says of its body.
//!
//! Law: nothing of it is kept but the beginning of the line that is read.

use super::body::Framing;
use super::chunks::Chunks;

/// So much of a line is looked at.
const MAX_LINE: usize = 64;

/// The rest of a head.
#[derive(Debug, Default)]
pub(super) struct LongHead {
    line: Vec<u8>,
    length: Option<u64>,
    is_chunked: bool,
}

impl LongHead {
    /// The rest of the head that begins so.
    pub(super) fn behind(beginning: &[u8]) -> LongHead {
        let mut head = LongHead::default();
        // It does not end in there: an empty line before it is none of its.
        let _ = head.feed(beginning.trim_ascii_start());
        head
    }

    /// More of it; gives how many of these bytes are its own, once it ends.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while let Some(end) = memchr::memchr(b'\n', &bytes[at..]) {
            self.add(&bytes[at..at + end]);
            at += end + 1;
            if self.line.trim_ascii_end().is_empty() {
                return Some(at);
            }
            self.note();
            self.line.clear();
        }
        self.add(&bytes[at..]);
        None
    }

    fn add(&mut self, bytes: &[u8]) {
        let room = MAX_LINE - self.line.len();
        self.line.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn note(&mut self) {
        let line = String::from_utf8_lossy(&self.line).to_ascii_lowercase();
        match line.split_once(':') {
            Some(("content-length", length)) => self.length = length.trim().parse().ok(),
            Some(("transfer-encoding", coding)) => {
                self.is_chunked = coding.trim().ends_with("chunked");
            }
            _ => {}
        }
    }

    /// Where the body ends.
    pub(super) fn framing(&self) -> Framing {
        match self.length {
            _ if self.is_chunked => Framing::Chunks(Chunks::default()),
            Some(length) => Framing::Length(length),
            None => Framing::Open,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_and_the_length_are_found_however_the_head_is_cut() {
        let head = format!(
            "PUT / HTTP/1.1\r\nX: {}\r\ncontent-Length: 17\r\nA: b\r\n\r\n",
            "y".repeat(99)
        );
        for cut in 0..head.len() {
            let mut long = LongHead::behind(&head.as_bytes()[..cut]);
            let rest = [&head.as_bytes()[cut..], b"body\r\n\r\n"].concat();
            assert_eq!(long.feed(&rest), Some(head.len() - cut), "{cut}");
            assert!(matches!(long.framing(), Framing::Length(17)), "{cut}");
        }
    }
}
