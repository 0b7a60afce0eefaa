//! How much waits for what belongs to it, in all connections.
//!
//! Law: it is bounded, and no connection that has little waits in vain because others have much. What
//! waited while fewer connections were open is not told early for those that open later, so that all
//! together may hold some times the limit, by the sum of 1/n: 64 MiB with 2048 connections.

use std::cell::Cell;
use std::rc::Rc;

/// So many bytes of messages may wait, in all connections together; beyond that, those of which more
/// than its part waits tell what is oldest.
const MAX_WAITING: usize = 8 * 1024 * 1024;

/// What waits in all connections.
#[derive(Clone, Default)]
pub(super) struct Pending(Rc<All>);

#[derive(Default)]
struct All {
    bytes: Cell<usize>,
    shares: Cell<usize>,
}

impl Pending {
    /// The part of one more connection.
    pub(super) fn share(&self) -> Share {
        self.0.shares.set(self.0.shares.get() + 1);
        Share { all: Rc::clone(&self.0), bytes: 0 }
    }
}

/// What waits in one connection.
pub(super) struct Share {
    all: Rc<All>,
    bytes: usize,
}

impl Default for Share {
    fn default() -> Share {
        Pending::default().share()
    }
}

impl Share {
    /// So many bytes wait in this connection now.
    pub(super) fn set(&mut self, bytes: usize) {
        self.all.bytes.set(self.all.bytes.get() - self.bytes + bytes);
        self.bytes = bytes;
    }

    /// Whether too much waits, and here more than elsewhere.
    pub(super) fn is_over(&self) -> bool {
        let All { bytes, shares } = &*self.all;
        bytes.get() > MAX_WAITING && self.bytes > MAX_WAITING / shares.get().max(1)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.set(0);
        self.all.shares.set(self.all.shares.get() - 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_has_most_is_over_and_whoever_has_little_is_not() {
        let pending = Pending::default();
        let (mut much, mut little) = (pending.share(), pending.share());
        much.set(MAX_WAITING);
        assert!(!much.is_over());
        little.set(1000);
        assert!(much.is_over() && !little.is_over());
        much.set(MAX_WAITING - 1000);
        assert!(!much.is_over() && !little.is_over());
        much.set(MAX_WAITING);
        drop(much);
        assert_eq!((pending.0.bytes.get(), pending.0.shares.get()), (1000, 1));
    }
}
