//! How many connections at a time, and who makes room for whom.
//!
//! Law: a camera that speaks is never kept out by connections that say nothing. Where a limit is
//! reached, the one that has waited longest without a whole request goes; only where all are busy
//! is the new one refused.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// All connections of the server.
#[derive(Debug)]
pub struct Crowd {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    most: usize,
    most_per_address: usize,
    total: usize,
    per_address: HashMap<IpAddr, usize>,
    /// Who has not sent a whole head yet, oldest first.
    waiting: BTreeMap<u64, (IpAddr, Arc<Notify>)>,
    next: u64,
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
    /// Room for `most` connections, and `most_per_address` from each address.
    pub fn new(most: usize, most_per_address: usize) -> Arc<Crowd> {
        Arc::new(Crowd { inner: Mutex::new(Inner { most, most_per_address, ..Inner::default() }) })
    }

    /// From now on there is so much room. Nobody has to go because of it.
    pub fn set_room(&self, most: usize, most_per_address: usize) {
        let mut inner = self.lock();
        (inner.most, inner.most_per_address) = (most, most_per_address);
    }

    /// A place for a connection from this address; `None` where all are taken by busy ones.
    pub fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let mut inner = self.lock();
        if inner.per_address.get(&address).is_some_and(|&n| n >= inner.most_per_address) {
            inner.evict(|waiting| waiting == address)?;
        } else if inner.total >= inner.most {
            inner.evict(|_| true)?;
        }
        inner.next += 1;
        inner.total += 1;
        *inner.per_address.entry(address).or_default() += 1;
        let (number, evicted) = (inner.next, Arc::new(Notify::new()));
        inner.waiting.insert(number, (address, Arc::clone(&evicted)));
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
    /// Tells the one that has waited longest to go; `None` if nobody waits.
    fn evict(&mut self, who: impl Fn(IpAddr) -> bool) -> Option<()> {
        let (&number, _) = self.waiting.iter().find(|(_, (address, _))| who(*address))?;
        let (address, evicted) = self.waiting.remove(&number)?;
        evicted.notify_one();
        self.leave(address); // it counts no more, however long it takes to close
        Some(())
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

    /// Says that a whole request has begun: from now on the place is kept.
    pub fn into_busy(self) -> Busy {
        let mut inner = self.crowd.lock();
        let kept = inner.waiting.remove(&self.number).is_some();
        if !kept {
            // It was evicted in the same moment; it is in time all the same.
            inner.total += 1;
            *inner.per_address.entry(self.address).or_default() += 1;
        }
        Busy { crowd: Arc::clone(&self.crowd), address: self.address }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut inner = self.crowd.lock();
        if inner.waiting.remove(&self.number).is_some() {
            inner.leave(self.address);
        }
    }
}

/// A place that is kept; given back when it is dropped.
#[derive(Debug)]
pub struct Busy {
    crowd: Arc<Crowd>,
    address: IpAddr,
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.crowd.lock().leave(self.address);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn address(n: u8) -> IpAddr {
        Ipv4Addr::new(10, 0, 0, n).into()
    }

    #[test]
    fn the_silent_make_room_and_the_busy_do_not() {
        let crowd = Crowd::new(2, 2);
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
        let crowd = Crowd::new(100, 2);
        let _other = crowd.enter(address(9)).unwrap();
        let _first = crowd.enter(address(1)).unwrap();
        let second = crowd.enter(address(1)).unwrap();
        let _busy = second.into_busy();
        let _third = crowd.enter(address(1)).unwrap();
        let waiting: Vec<IpAddr> = crowd.lock().waiting.values().map(|(a, _)| *a).collect();
        assert_eq!(waiting, [address(9), address(1)]);
    }

    #[tokio::test]
    async fn who_has_to_go_is_told() {
        let crowd = Crowd::new(1, 1);
        let first = crowd.enter(address(1)).unwrap();
        let _second = crowd.enter(address(2)).unwrap();
        first.evicted().await;
    }

    #[test]
    fn evicted_and_whole_in_the_same_moment_counts_once() {
        let crowd = Crowd::new(1, 1);
        let first = crowd.enter(address(1)).unwrap();
        let second = crowd.enter(address(2)).unwrap();
        let busy = first.into_busy();
        assert_eq!(crowd.lock().total, 2);
        drop((busy, second));
        assert_eq!(crowd.lock().total, 0);
    }
}
