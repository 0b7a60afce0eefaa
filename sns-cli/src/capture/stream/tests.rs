use super::*;
use std::convert::Infallible;

/// A stream whose first byte has the number 1000, and what it gave: gaps are dots.
struct Heard(Stream, String);

impl Heard {
    fn new() -> Heard {
        let mut stream = Stream::default();
        assert!(stream.begin(999));
        Heard(stream, String::new())
    }

    fn take(&mut self, sequence: u32, bytes: &str) {
        let bytes = bytes.as_bytes();
        let arrival = Arrival { sequence, bytes, missing: 0, time: 0, heard: None };
        let Ok(()) = self.0.take(&arrival, &mut |piece| tell(&mut self.1, piece));
    }

    fn finish(&mut self) -> &str {
        let Ok(()) = self.0.finish(0, &mut |piece| tell(&mut self.1, piece));
        &self.1
    }
}

fn tell(told: &mut String, piece: Piece<'_>) -> Result<(), Infallible> {
    match piece.content {
        Content::Bytes(bytes) => told.push_str(std::str::from_utf8(bytes).unwrap()),
        Content::Gap(length) => told.push_str(&".".repeat(length as usize)),
    }
    Ok(())
}

#[test]
fn an_end_of_another_stream_ends_nothing() {
    for stray in [77, 1002, 1003 + (FAR as u32) + 1, u32::MAX] {
        let mut heard = Heard::new();
        heard.take(1000, "abc");
        heard.0.end(stray);
        assert!(!heard.0.has_end(), "{stray}");
        heard.take(1003, "def");
        heard.0.end(1006);
        // Its own may come again.
        heard.0.end(1006);
        assert!(heard.0.is_complete());
        assert_eq!((heard.0.oddities().strays, heard.finish()), (1, "abcdef"));
    }
}

#[test]
fn an_end_before_the_start_ends_nothing() {
    let mut stream = Stream::default();
    stream.end(77);
    assert!(stream.begin(999));
    let mut heard = Heard(stream, String::new());
    heard.take(1000, "abc");
    heard.0.end(1003);
    assert!(heard.0.is_complete());
    assert_eq!((heard.0.oddities().strays, heard.finish()), (1, "abc"));
}

#[test]
fn of_two_ends_the_first_that_is_reached_counts() {
    for ends in [[5000, 1003], [1003, 5000]] {
        let mut heard = Heard::new();
        ends.into_iter().for_each(|end| heard.0.end(end));
        heard.take(1000, "abc");
        assert!(heard.0.is_complete());
        assert_eq!((heard.0.oddities().strays, heard.finish()), (1, "abc"));
    }
}

#[test]
fn an_end_that_the_other_end_expects_may_be_unknown() {
    let mut heard = Heard::new();
    heard.take(1000, "abc");
    heard.0.expect_end();
    assert_eq!(heard.finish(), "abc");
}

#[test]
fn small_pieces_count_what_they_cost() {
    let mut heard = Heard::new();
    for at in 1..=100 {
        heard.take(1000 + 2 * at, "a");
    }
    assert_eq!(heard.0.waiting(), 100 * (1 + PIECE_COST));
    assert_eq!(heard.finish().len(), 201);
    assert_eq!(heard.0.waiting(), 0);
}
