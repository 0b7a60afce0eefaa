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

/// A time as `2014-05-01T12:00:00Z`, in UTC.
pub fn utc(at: UnixTime) -> String {
    let seconds = at.as_millis() / 1000;
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    // Days are counted from 1 March of the year 0, so that a leap day is the last of its year; an
    // era is 400 years.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_as_in_rfc_3339() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_398_945_600, "2014-05-01T12:00:00Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(utc(UnixTime::from_secs(seconds)), text);
        }
    }
}
