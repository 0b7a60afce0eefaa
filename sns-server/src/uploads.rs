//! How many files and e-mails are received at a time.
//!
//! Law: the limit is the one that holds when a file begins; what has begun is never stopped by it.

use std::sync::atomic::{AtomicUsize, Ordering};

/// The files and e-mails that are being received.
#[derive(Debug, Default)]
pub struct Uploads(AtomicUsize);

/// One of them; counted until it is dropped.
#[derive(Debug)]
#[must_use]
pub struct Turn<'a>(&'a Uploads);

impl Uploads {
    /// One more, if there are fewer than `most`.
    pub fn begin(&self, most: usize) -> Option<Turn<'_>> {
        let more = |count| (count < most).then_some(count + 1);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok().map(|_| Turn(self))
    }

    /// How many there are.
    pub fn under_way(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lower_limit_stops_nothing_and_lets_nothing_in() {
        let uploads = Uploads::default();
        let (first, second) = (uploads.begin(2).unwrap(), uploads.begin(2).unwrap());
        assert!(uploads.begin(2).is_none() && uploads.begin(1).is_none());
        assert_eq!(uploads.under_way(), 2);
        drop(first);
        assert!(uploads.begin(1).is_none());
        drop(second);
        assert!(uploads.begin(1).is_some());
        assert_eq!(uploads.under_way(), 0);
    }
}
