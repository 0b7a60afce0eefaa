//! What clients, servers and cameras call themselves.
//!
//! Law: a camera is known by the form of its name, so that one that nobody has tried is heard of.

use super::is_one_of;
use samsung_sns::model::Model;

/// What clients and servers call themselves.
const PRODUCTS: &[&str] = &[
    ".NET",
    "AppleWebKit",
    "Apache",
    "Apache-HttpClient",
    "BaseHTTP",
    "CLR",
    "Caddy",
    "Chrome",
    "Darwin",
    "Debian",
    "Express",
    "Fedora",
    "Firefox",
    "Gecko",
    "InfoPath.2",
    "KHTML",
    "Linux",
    "MSIE",
    "Macintosh",
    "Mozilla",
    "NT",
    "PHP",
    "Python",
    "SAMSUNG",
    "SV1",
    "Safari",
    "SimpleHTTP",
    "Ubuntu",
    "Unix",
    "WSGIServer",
    "Werkzeug",
    "Wget",
    "Windows",
    "aiohttp",
    "compatible",
    "curl",
    "gunicorn",
    "lighttpd",
    "like",
    "nginx",
    "openresty",
    "python-requests",
    "samsung-sns",
    "sdeClient",
    "sns-cli",
    "sns-server",
    "uvicorn",
];

/// How the names of Samsung's cameras begin.
const SERIES: &[&str] = &[
    "CL", "DV", "EK-GC", "EK-GN", "ES", "EX", "HMX-", "HMX-E", "HMX-F", "HMX-H", "HMX-M", "HMX-Q",
    "HMX-QF", "HMX-R", "HMX-S", "HMX-T", "HMX-U", "HMX-W", "MV", "NV", "NX", "PL", "QF", "SH",
    "SMX-", "ST", "TL", "WB", "WP",
];

/// Whether it is what a product calls itself, or a Samsung camera: `SAMSUNG-SH100`, `NX500`.
pub(in crate::redact) fn is_product(word: &str) -> bool {
    let camera = match word.get(..8) {
        Some(start) if start.eq_ignore_ascii_case("SAMSUNG-") => &word[8..],
        _ => word,
    };
    is_one_of(word, PRODUCTS) || Model::find(camera).is_some() || is_of_a_series(camera)
}

/// Also cameras that nobody has tried: letters of a series, up to four digits, up to two letters.
fn is_of_a_series(camera: &str) -> bool {
    let digits = camera.find(|c: char| c.is_ascii_digit()).unwrap_or(camera.len());
    let (series, rest) = camera.split_at(digits);
    let letters = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    SERIES.contains(&series)
        && (1..=4).contains(&(rest.len() - letters.len()))
        && letters.len() <= 2
        && letters.bytes().all(|b| b.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cameras_that_nobody_has_tried_are_known_as_such() {
        for (word, expected) in [
            ("NX500", true),
            ("nx mini", true),
            ("SAMSUNG-WB8500F", true),
            ("EK-GC100", true),
            ("HMX-QF33", true),
            ("NX49170123", false),
            ("ANNA12", false),
            ("NXAnna", false),
            ("SAMSUNG-ANNA", false),
        ] {
            assert_eq!(is_product(word), expected, "{word}");
        }
    }
}
