//! What time it is, and how much has passed: two questions with two answers.
//!
//! Law: a stick without a battery wakes up in 1970 and learns the date minutes later. What lives for
//! a while (sessions) is measured by the steady clock, which never jumps; what is written down for
//! people, or told to an ST1000, is the wall clock's, whatever it says.

use samsung_sns::time::UnixTime;
use std::time::{Instant, SystemTime};

/// A clock that shows the time of its start plus what has passed since.
#[derive(Debug, Clone, Copy)]
pub struct SteadyClock {
    started: Instant,
    showed: UnixTime,
}

impl SteadyClock {
    /// A clock that starts at this time.
    pub fn start(at: UnixTime) -> SteadyClock {
        SteadyClock { started: Instant::now(), showed: at }
    }

    /// The time it shows, whatever has become of the wall clock.
    pub fn now(&self) -> UnixTime {
        let passed = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        UnixTime::from_millis(self.showed.as_millis().saturating_add(passed))
    }
}

/// The wall clock, read in this one place.
pub fn wall() -> UnixTime {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    UnixTime::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
