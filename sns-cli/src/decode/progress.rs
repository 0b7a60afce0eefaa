//! How far the reading of a long file has got, on a terminal.
//!
//! Law: only a terminal sees it, below what is told, and only once it has become long; it is gone
//! when the file is.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{self, Read};
use std::time::{Duration, Instant};

/// Who waits longer wants to know.
const LONG: Duration = Duration::from_millis(500);

/// An input that shows how much of it was read.
pub(super) struct Watched<R> {
    input: R,
    bar: ProgressBar,
    /// When it is to be shown; `None` if it is, or never will be.
    due: Option<Instant>,
}

impl<R> Watched<R> {
    /// An input, and its length if that is known.
    pub(super) fn new(input: R, length: Option<u64>, is_terminal: bool) -> Watched<R> {
        let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::hidden());
        let template = match length {
            Some(_) => "{wide_bar} {bytes}/{total_bytes} {bytes_per_sec}",
            None => "{spinner} {bytes} {bytes_per_sec}",
        };
        let bar = match ProgressStyle::with_template(template) {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        };
        Watched { input, bar, due: is_terminal.then(|| Instant::now() + LONG) }
    }

    /// What is shown, which must make way for what is told.
    pub(super) fn bar(&self) -> ProgressBar {
        self.bar.clone()
    }
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, piece: &mut [u8]) -> io::Result<usize> {
        let length = self.input.read(piece)?;
        if self.due.is_some_and(|due| Instant::now() >= due) {
            self.due = None;
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.bar.inc(length as u64);
        Ok(length)
    }
}

impl<R> Drop for Watched<R> {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_counts_what_is_read_and_shows_itself_to_terminals_only() {
        for is_terminal in [false, true] {
            let mut input = Watched::new(&b"0123456789"[..], Some(10), is_terminal);
            assert_eq!(input.due.is_some(), is_terminal);
            let mut piece = [0; 4];
            input.read_exact(&mut piece).unwrap();
            assert_eq!((input.bar().position(), input.bar().length()), (4, Some(10)));
            assert!(input.bar().is_hidden(), "it is not long yet");
            input.due = is_terminal.then(Instant::now);
            input.read_exact(&mut piece).unwrap();
            assert_eq!(input.due, None, "it was shown, if ever");
            assert!(is_terminal || input.bar().is_hidden());
        }
    }
}
