//! How many connections at a time, and who makes room for whom.
//!
//! Law: a camera that speaks is never kept out by connections that say nothing. Where a limit is
//! reached, the one that has waited longest without a whole request goes; only where all are busy
//! is the new one refused. The same holds for memory: heads that are larger than a camera's share
//! what `limits.heads` gives them, and never take what a camera needs.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// All connections of the server.
#[derive(Debug)]
pub struct Crowd {
    inner: Mutex<Inner>,
}

/// How much room there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// For connections.
    pub connections: usize,
    /// For connections from one address.
    pub per_address: usize,
    /// For bytes of large heads.
    pub heads: usize,
}

/// So many bytes of a head every connection may hold: more than any known camera sends.
pub const SMALL_HEAD: usize = 2048;

#[derive(Debug)]
struct Inner {
    room: Room,
    total: usize,
    per_address: HashMap<IpAddr, usize>,
    /// Who has not sent a whole head yet, oldest first.
    waiting: BTreeMap<u64, Waiting>,
    /// Bytes of heads beyond the small ones, of those who wait and of the busy ones.
    held: usize,
    next: u64,
}

#[derive(Debug)]
struct Waiting {
    address: IpAddr,
    evicted: Arc<Notify>,
    held: usize,
}

/// A connection's place; given back when it is dropped.
#[derive(Debug)]
pub struct Place {
    crowd: Arc<Crowd>,
    number: u64,
    address: IpAddr,
    evicted: Arc<Notify>,
}

impl Crowd {
    /// Nobody yet.
    pub fn new(room: Room) -> Arc<Crowd> {
        Arc::new(Crowd {
            inner: Mutex::new(Inner {
                room,
                total: 0,
                per_address: HashMap::new(),
                waiting: BTreeMap::new(),
                held: 0,
                next: 0,
            }),
        })
    }

    /// From now on there is so much room. Nobody has to go because of it.
    pub fn set_room(&self, room: Room) {
        self.lock().room = room;
    }

    /// A place for a connection from this address; `None` where all are taken by busy ones.
    pub fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let mut inner = self.lock();
        if inner.per_address.get(&address).is_some_and(|&n| n >= inner.room.per_address) {
            inner.evict(|waiting| waiting.address == address)?;
        } else if inner.total >= inner.room.connections {
            inner.evict(|_| true)?;
        }
        inner.next += 1;
        inner.total += 1;
        *inner.per_address.entry(address).or_default() += 1;
        let (number, evicted) = (inner.next, Arc::new(Notify::new()));
        let waiting = Waiting { address, evicted: Arc::clone(&evicted), held: 0 };
        inner.waiting.insert(number, waiting);
        Some(Place { crowd: Arc::clone(self), number, address, evicted })
    }

    /// How many have a place.
    pub fn total(&self) -> usize {
        self.lock().total
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Tells the one that has waited longest to go, and says which it is; `None` if nobody waits.
    fn evict(&mut self, who: impl Fn(&Waiting) -> bool) -> Option<u64> {
        let (&number, _) = self.waiting.iter().find(|(_, waiting)| who(waiting))?;
        let Waiting { address, evicted, held } = self.waiting.remove(&number)?;
        evicted.notify_one();
        self.held -= held;
        self.leave(address); // it counts no more, however long it takes to close
        Some(number)
    }

    fn leave(&mut self, address: IpAddr) {
        self.total -= 1;
        if let Some(count) = self.per_address.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                self.per_address.remove(&address);
            }
        }
    }
}

impl Place {
    /// Waits until somebody needs this place.
    pub async fn evicted(&self) {
        self.evicted.notified().await;
    }

    /// Says how much memory this connection's head takes so far. Where that is too much with those
    /// of all others, the ones that have waited longest go; false if this is one of them.
    #[must_use]
    pub fn hold(&self, bytes: usize) -> bool {
        let mut inner = self.crowd.lock();
        let Some(waiting) = inner.waiting.get_mut(&self.number) else {
            return true; // it had to go for another reason, and has been told
        };
        let now = bytes.saturating_sub(SMALL_HEAD);
        let before = std::mem::replace(&mut waiting.held, now);
        inner.held = inner.held - before + now;
        let mut stays = true;
        while stays && inner.held > inner.room.heads {
            match inner.evict(|waiting| waiting.held > 0) {
                Some(number) => stays = number != self.number,
                None => break, // all of it is held by busy ones
            }
        }
        stays
    }

    /// Says that a whole request has begun: from now on the place is kept.
    pub fn into_busy(self) -> Busy {
        let mut inner = self.crowd.lock();
        let waited = inner.waiting.remove(&self.number);
        if waited.is_none() {
            // It was evicted in the same moment; it is in time all the same.
            inner.total += 1;
            *inner.per_address.entry(self.address).or_default() += 1;
        }
        let held = waited.map_or(0, |waiting| waiting.held);
        Busy { crowd: Arc::clone(&self.crowd), address: self.address, held }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut inner = self.crowd.lock();
        if let Some(Waiting { held, .. }) = inner.waiting.remove(&self.number) {
            inner.held -= held;
            inner.leave(self.address);
        }
    }
}

/// A place that is kept; given back when it is dropped.
#[derive(Debug)]
pub struct Busy {
    crowd: Arc<Crowd>,
    address: IpAddr,
    held: usize,
}

impl Drop for Busy {
    fn drop(&mut self) {
        let mut inner = self.crowd.lock();
        inner.held -= self.held;
        inner.leave(self.address);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn address(n: u8) -> IpAddr {
        Ipv4Addr::new(10, 0, 0, n).into()
    }

    fn room(connections: usize, per_address: usize) -> Arc<Crowd> {
        Crowd::new(Room { connections, per_address, heads: 10_000 })
    }

    #[test]
    fn large_heads_make_room_for_each_other_and_never_take_a_cameras() {
        let crowd = room(100, 100);
        let camera = crowd.enter(address(1)).unwrap();
        assert!(camera.hold(SMALL_HEAD), "a small head is free");
        let first = crowd.enter(address(2)).unwrap();
        let second = crowd.enter(address(2)).unwrap();
        assert!(first.hold(SMALL_HEAD + 4_000) && second.hold(SMALL_HEAD + 4_000));
        let third = crowd.enter(address(2)).unwrap();
        assert!(third.hold(SMALL_HEAD + 6_000));
        assert_eq!(crowd.lock().waiting.len(), 3, "the first had to go, the camera had not");
        assert_eq!(crowd.lock().held, 10_000);
        assert!(!second.hold(SMALL_HEAD + 8_000), "now it is the oldest of the large ones");
        assert_eq!(crowd.lock().held, 6_000);
        let busy = third.into_busy();
        let fourth = crowd.enter(address(2)).unwrap();
        assert!(!fourth.hold(SMALL_HEAD + 6_000), "the busy one holds its own");
        assert!(camera.hold(SMALL_HEAD), "and a camera needs none of it");
        drop((first, second, fourth, busy, camera));
        let inner = crowd.lock();
        assert_eq!((inner.held, inner.total, inner.waiting.len()), (0, 0, 0));
    }

    #[test]
    fn the_silent_make_room_and_the_busy_do_not() {
        let crowd = room(2, 2);
        let first = crowd.enter(address(1)).unwrap();
        let second = crowd.enter(address(2)).unwrap();
        let busy = first.into_busy();
        let third = crowd.enter(address(3)).unwrap();
        assert_eq!(crowd.lock().waiting.len(), 1, "the second had to go");
        drop(second);
        let also_busy = third.into_busy();
        assert!(crowd.enter(address(4)).is_none(), "all are busy");
        drop(busy);
        assert!(crowd.enter(address(4)).is_some());
        drop(also_busy);
        let inner = crowd.lock();
        assert_eq!((inner.total, inner.per_address.len(), inner.waiting.len()), (0, 0, 0));
    }

    #[test]
    fn an_address_makes_room_for_itself_only() {
        let crowd = room(100, 2);
        let _other = crowd.enter(address(9)).unwrap();
        let _first = crowd.enter(address(1)).unwrap();
        let second = crowd.enter(address(1)).unwrap();
        let _busy = second.into_busy();
        let _third = crowd.enter(address(1)).unwrap();
        let waiting: Vec<IpAddr> = crowd.lock().waiting.values().map(|w| w.address).collect();
        assert_eq!(waiting, [address(9), address(1)]);
    }

    #[tokio::test]
    async fn who_has_to_go_is_told() {
        let crowd = room(1, 1);
        let first = crowd.enter(address(1)).unwrap();
        let _second = crowd.enter(address(2)).unwrap();
        first.evicted().await;
    }

    #[test]
    fn evicted_and_whole_in_the_same_moment_counts_once() {
        let crowd = room(1, 1);
        let first = crowd.enter(address(1)).unwrap();
        let second = crowd.enter(address(2)).unwrap();
        let busy = first.into_busy();
        assert_eq!(crowd.lock().total, 2);
        drop((busy, second));
        assert_eq!(crowd.lock().total, 0);
    }
}
