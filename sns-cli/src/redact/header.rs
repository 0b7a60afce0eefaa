//! The values of headers.
//!
//! Law: a value comes apart at its punctuation, and each word is shown only if it is a word of HTTP
//! or of a product, or a number that such a word stands before. Junk may stand in any header.

use super::placeholder::Placeholders;
use super::vocabulary::{DOMAINS, http, is_one_of, product};
use super::{host, names_password, path};

/// What a header's value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Anything.
    Any,
    /// A host.
    Host,
    /// A number of bytes or seconds.
    Number,
    /// A date.
    Date,
    /// A link, or a path.
    Link,
    /// What names a state of a page; that of the hotspot check is known.
    Tag,
    /// Words of HTTP, hosts and addresses.
    Words,
    /// The same, and how much something is wanted.
    Wishes,
    /// The same, and how long something lasts.
    Lifetimes,
    /// Products, with versions.
    Products,
}

impl Kind {
    pub(super) fn of(name: &str) -> Kind {
        match name.to_ascii_lowercase().as_str() {
            "host" | "x-forwarded-host" => Kind::Host,
            "content-length" | "age" | "retry-after" => Kind::Number,
            "date" | "expires" | "last-modified" | "if-modified-since" => Kind::Date,
            "location" | "referer" | "content-location" | "origin" => Kind::Link,
            "user-agent" | "server" | "via" | "x-powered-by" => Kind::Products,
            "etag" => Kind::Tag,
            "accept" | "accept-charset" | "accept-encoding" | "accept-language" | "te" => {
                Kind::Wishes
            }
            "cache-control" | "keep-alive" => Kind::Lifetimes,
            name if is_one_of(name, http::HEADERS) => Kind::Words,
            _ => Kind::Any,
        }
    }
}

/// The value of a header of this kind.
pub(super) fn value(kind: Kind, value: &str, hidden: &mut Placeholders) -> String {
    let is_shown = match kind {
        Kind::Any => false,
        Kind::Number => value.len() <= 15 && value.bytes().all(|b| b.is_ascii_digit()),
        Kind::Date => is_date(value) || matches!(value, "0" | "-1"),
        Kind::Tag => value == "\"deadbeef\"",
        Kind::Host => return host::shown(value, hidden),
        Kind::Link => return path::target(value, hidden),
        Kind::Words | Kind::Wishes | Kind::Lifetimes | Kind::Products => {
            return words(kind, value, hidden);
        }
    };
    if is_shown { value.to_owned() } else { hidden.text(value) }
}

/// Comes apart at punctuation; the punctuation stays.
fn words(kind: Kind, value: &str, hidden: &mut Placeholders) -> String {
    let mut words = Words { kind, before: "", hidden, out: String::with_capacity(value.len()) };
    let is_mark = |c: char| " \t,;=\"()<>".contains(c);
    let mut rest = value;
    while !rest.is_empty() {
        let end = rest.find(is_mark).unwrap_or(rest.len());
        let (chunk, behind) = rest.split_at(end);
        words.chunk(chunk);
        let marks = behind.find(|c| !is_mark(c)).unwrap_or(behind.len());
        words.out.push_str(&behind[..marks]);
        rest = &behind[marks..];
        let length = secret_length(chunk, &behind[..marks], rest);
        let (secret, behind) = rest.split_at(length);
        words.out.push_str(&words.hidden.password(secret));
        rest = behind;
    }
    words.out
}

/// How much of what is behind a word and marks is a password: `Basic YW5uYTpo==`, `password=x`.
fn secret_length(word: &str, marks: &str, behind: &str) -> usize {
    let is_basic = word.eq_ignore_ascii_case("Basic") && marks.starts_with([' ', '\t']);
    let is_named = names_password(word) && marks.starts_with('=');
    if !is_basic && !is_named {
        return 0;
    }
    // A server asks for one so: Basic realm="…"
    let is_question = behind.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("realm="));
    if is_basic && is_question {
        return 0;
    }
    behind.find([' ', '\t', ',', ';', '"']).unwrap_or(behind.len())
}

struct Words<'a> {
    kind: Kind,
    /// The word before, if it was shown: numbers belong to it.
    before: &'a str,
    hidden: &'a mut Placeholders,
    out: String,
}

impl<'a> Words<'a> {
    fn chunk(&mut self, chunk: &'a str) {
        let name = chunk.strip_prefix('.').unwrap_or(chunk);
        if chunk.is_empty() {
        } else if let Some(address) = host::address(chunk, self.hidden) {
            self.out.push_str(&address);
        } else if host::is_known(name) || is_one_of(name, DOMAINS) {
            self.out.push_str(chunk);
        } else if chunk.contains("://") {
            self.out.push_str(&path::target(chunk, self.hidden));
        } else {
            // text/html, Mozilla/5.0, Connection: close
            for piece in chunk.split_inclusive(['/', ':']) {
                let word = piece.trim_end_matches(['/', ':']);
                self.word(word);
                self.out.push_str(&piece[word.len()..]);
            }
        }
    }

    fn word(&mut self, word: &'a str) {
        if word.is_empty() || word == "*" {
            self.out.push_str(word);
        } else if let Some(address) = host::address(word, self.hidden) {
            self.before = "";
            self.out.push_str(&address);
        } else if is_one_of(word, http::WORDS)
            || is_one_of(word, http::HEADERS)
            || self.kind == Kind::Products && product::is_product(word)
        {
            self.before = word;
            self.out.push_str(word);
        } else if self.is_number(word) {
            self.before = "";
            self.out.push_str(word);
        } else {
            self.before = "";
            self.out.push_str(&self.hidden.text(word));
        }
    }

    /// Whether the word before says what this number is.
    fn is_number(&self, word: &str) -> bool {
        let is_plain = word.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        match self.before {
            _ if !is_plain => false,
            "" => false,
            "oauth_version" => word == "1.0",
            "q" if self.kind == Kind::Wishes => {
                word.len() <= 5 && word.parse::<f32>().is_ok_and(|q| q <= 1.0)
            }
            // Elsewhere, as in cookies, these may be anybody's names.
            before
                if self.kind == Kind::Lifetimes
                    && is_one_of(before, &["max-age", "s-maxage", "timeout", "max"]) =>
            {
                word.len() <= 8 && word.bytes().all(|b| b.is_ascii_digit())
            }
            _ if self.kind == Kind::Products => is_version(word),
            _ => false,
        }
    }
}

/// `1.1.4322`, but no address has only three numbers, and no version is a day: `24.12.1985`.
fn is_version(word: &str) -> bool {
    let parts: Vec<&str> = word.split('.').collect();
    let is_year =
        |part: &str| part.len() == 4 && (part.starts_with("19") || part.starts_with("20"));
    let has_form = match parts[..] {
        [_, _] => true,
        [first, _, last] => !is_year(first) && !is_year(last),
        _ => false,
    };
    has_form && parts.iter().all(|part| (1..=5).contains(&part.len()))
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`, and nothing else.
fn is_date(value: &str) -> bool {
    const FORM: &str = "Www, dd Mmm dddd dd:dd:dd GMT";
    const DAYS: &[&str] = &["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    const MONTHS: &[&str] =
        &["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    value.len() == FORM.len()
        && value.bytes().zip(FORM.bytes()).all(|(byte, form)| match form {
            b'd' => byte.is_ascii_digit(),
            b'W' | b'w' | b'm' => byte.is_ascii_alphabetic(),
            b'M' => byte.is_ascii_alphabetic(),
            form => byte == form,
        })
        && DAYS.contains(&&value[..3])
        && MONTHS.contains(&&value[8..11])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(name: &str, text: &str) -> String {
        value(Kind::of(name), text, &mut Placeholders::default())
    }

    #[test]
    fn what_http_and_cameras_say_is_shown() {
        for (name, text) in [
            ("User-Agent", "sdeClient"),
            ("User-Agent", "SAMSUNG-SH100"),
            ("User-Agent", "NX500"),
            (
                "User-Agent",
                "Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1; SV1; Mozilla/4.0 (compatible; \
                 MSIE 6.0; Windows NT 5.1; SV1) ; .NET CLR 1.1.4322; InfoPath.2; .NET CLR 2.0.50727)",
            ),
            (
                "Accept",
                "image/gif, image/x-xbitmap, image/jpeg, image/pjpeg, application/x-shockwave-flash, \
                 application/vnd.ms-excel, application/vnd.ms-powerpoint, application/msword, */*",
            ),
            ("Accept-Language", "ko"),
            ("Accept-Encoding", "gzip, deflate;q=0.5"),
            ("Pragma", "no-cache"),
            ("Cache-Control", "max-age=3600, must-revalidate"),
            ("Transfer-Encoding", "chunked"),
            ("Connection", "Keep-Alive"),
            ("Content-Length", "1321295"),
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Type", "multipart/form-data;"),
            ("Server", "nginx/1.18.0 (Ubuntu)"),
            ("Keep-Alive", "timeout=5, max=100"),
            ("User-Agent", "curl/8.5.0"),
            ("Date", "Sun, 06 Nov 1994 08:49:37 GMT"),
            ("Location", "http://yahoo.com"),
            ("ETag", "\"deadbeef\""),
            ("Set-Cookie", "samsung=hotspot; Domain=.yahoo.co.kr; Path=/"),
            ("x-osp-version", "v1"),
            ("Host", "snsgw.samsungmobile.com:80"),
        ] {
            assert_eq!(shown(name, text), text, "{name}");
        }
    }

    #[test]
    fn nothing_else_is_shown() {
        for (name, text, expected) in [
            (
                "Content-Type",
                "multipart/form-data; boundary=Anna7",
                "multipart/form-data; boundary=<text-1, 5 bytes>",
            ),
            ("Content-Length", "12anna", "<text-1, 6 bytes>"),
            ("Transfer-Encoding", "anna, chunked", "<text-1, 4 bytes>, chunked"),
            (
                "X-Forwarded-For",
                "10.0.0.7, fd00::7",
                "<address-1, 10.x.x.x>, <address-2, private IPv6>",
            ),
            (
                "Forwarded",
                "for=10.0.0.7;host=anna",
                "for=<address-1, 10.x.x.x>;host=<text-1, 4 bytes>",
            ),
            ("Server", "anna@example.org", "<text-1, 16 bytes>"),
            ("User-Agent", "NX300 24.12.1985.7", "NX300 <text-1, 12 bytes>"),
            ("User-Agent", "Anna/24.12.1985", "<text-1, 4 bytes>/<text-2, 10 bytes>"),
            ("Accept", "image/gif, 844e7f0f", "image/gif, <text-1, 8 bytes>"),
            ("Accept", "text/html;q=491701234", "text/html;q=<text-1, 9 bytes>"),
            ("Cache-Control", "max-age=491701234567", "max-age=<text-1, 12 bytes>"),
            (
                "Set-Cookie",
                "sid=anna; Domain=.nas.example",
                "<text-1, 3 bytes>=<text-2, 4 bytes>; Domain=<text-3, 12 bytes>",
            ),
            (
                "Location",
                "http://nas.example/secret",
                "http://<text-1, 11 bytes>/<text-2, 6 bytes>",
            ),
            ("Date", "Sun, 06 Nov 1994 08:49:37 Ann", "<text-1, 29 bytes>"),
            (
                "Authorization",
                "OAuth oauth_nonce=\"x/y\",oauth_version=\"1.0\"",
                "OAuth oauth_nonce=\"<text-1, 1 byte>/<text-2, 1 byte>\",oauth_version=\"1.0\"",
            ),
            ("Cookie", "sid=anna", "<text-1, 3 bytes>=<text-2, 4 bytes>"),
            (
                "Cookie",
                "timeout=4917012; max=1985; q=0.85",
                "timeout=<text-1, 7 bytes>; max=<text-2, 4 bytes>; q=<text-3, 4 bytes>",
            ),
            ("Cookie", "Password=hunter/2=; a", "<text-1, 8 bytes>=<password-1>; <text-2, 1 byte>"),
            ("Authorization", "Basic YW5/YTpodW50ZXIy==", "Basic <password-1>"),
            ("Proxy-Authorization", "basic  YW5uYTpodW50ZXIy", "basic  <password-1>"),
            (
                "WWW-Authenticate",
                "Basic realm=\"anna\"",
                "Basic <text-1, 5 bytes>=\"<text-2, 4 bytes>\"",
            ),
            ("User-Agent", "curl/8.5.0 49.170", "curl/8.5.0 <text-1, 6 bytes>"),
            ("User-Agent", "curl/24.12.1985", "curl/<text-1, 10 bytes>"),
            ("User-Agent", "curl/1985.12.24", "curl/<text-1, 10 bytes>"),
            ("Via", "1.1 10.0.0.7/24", "<text-1, 3 bytes> <address-1, 10.x.x.x>/<text-2, 2 bytes>"),
            ("X-Anna", "close", "<text-1, 5 bytes>"),
        ] {
            assert_eq!(shown(name, text), expected, "{name}: {text}");
        }
    }
}
