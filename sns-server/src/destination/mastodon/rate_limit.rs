//! When an instance that had too many requests wants to hear from us again.
//!
//! Law: Mastodon sends no `Retry-After` with 429 but `X-RateLimit-Reset`, a time by its own clock; it
//! is compared with its own `Date`, for our clock may be wrong.

use reqwest::header::{self, HeaderMap};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How long to wait.
pub(super) fn reset(headers: &HeaderMap) -> Option<Duration> {
    let text = |value: &header::HeaderValue| value.to_str().map(str::trim).map(str::to_owned).ok();
    let at = unix_seconds(&headers.get("x-ratelimit-reset").and_then(text)?)?;
    let date = headers.get(header::DATE).and_then(text);
    let now = date.and_then(|date| httpdate::parse_http_date(&date).ok());
    let now = now.unwrap_or_else(SystemTime::now).duration_since(UNIX_EPOCH).ok()?;
    // A second more: both are cut to whole ones.
    Some(Duration::from_secs(at + 1).saturating_sub(now))
}

/// `2026-11-22T02:05:00.000000Z`, or the number itself.
fn unix_seconds(text: &str) -> Option<u64> {
    if let Ok(seconds) = text.parse() {
        return Some(seconds);
    }
    let (date, time) = text.split_once('T')?;
    let time = time.strip_suffix('Z').or(time.strip_suffix("+00:00"))?;
    let numbers = |text: &str, between| {
        let numbers = text.split(between).map(|number| number.parse::<u64>().ok());
        <[u64; 3]>::try_from(numbers.collect::<Option<Vec<_>>>()?).ok()
    };
    let [year, month, day] = numbers(date, '-')?;
    let [hour, minute, second] = numbers(time.split('.').next()?, ':')?;
    if !(1970..10_000).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Years that begin in March have their leap day last.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 1;
    let days = days - 719_468; // from 0000-03-01 to 1970-01-01
    Some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        assert_eq!(unix_seconds("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(unix_seconds("2000-02-29T12:00:00.000Z"), Some(951_825_600));
        assert_eq!(unix_seconds("2026-11-22T02:05:00.123456Z"), Some(1_795_313_100));
        assert_eq!(unix_seconds("1795313100"), Some(1_795_313_100));
        for no in ["", "soon", "2026-13-01T00:00:00Z", "2026-11-22", "2026-11-22T02:05Z"] {
            assert_eq!(unix_seconds(no), None, "{no}");
        }
    }

    #[test]
    fn the_instances_clock_counts() {
        let mut headers = HeaderMap::new();
        headers.insert("x-ratelimit-reset", "2001-01-01T00:05:00.000000Z".parse().unwrap());
        headers.insert("date", "Mon, 01 Jan 2001 00:00:30 GMT".parse().unwrap());
        assert_eq!(reset(&headers), Some(Duration::from_secs(271)));
        headers.insert("date", "Mon, 01 Jan 2001 01:00:00 GMT".parse().unwrap());
        assert_eq!(reset(&headers), Some(Duration::ZERO));
        headers.remove("x-ratelimit-reset");
        assert_eq!(reset(&headers), None);
    }
}
