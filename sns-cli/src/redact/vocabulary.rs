//! What is known to be harmless: the words of the protocol, of HTTP, and of the products that speak
//! it.
//!
//! Law: a word is on a list because it says nothing of a person, wherever it stands. None is there
//! because it looks harmless.

use samsung_sns::model::Model;

/// Whether a list has this word, in any case.
pub(super) fn is_one_of(word: &str, list: &[&str]) -> bool {
    list.iter().any(|known| known.eq_ignore_ascii_case(word))
}

pub(super) const METHODS: &[&str] =
    &["GET", "HEAD", "POST", "PUT", "OPTIONS", "DELETE", "PATCH", "TRACE", "CONNECT", "PROPFIND"];

/// Whether it is a version, of whatever HTTP: `HTTP/1.1`.
pub(super) fn is_version(version: &str) -> bool {
    let digits = version.strip_prefix("HTTP/").unwrap_or_default().as_bytes();
    matches!(digits, [b'0'..=b'9'] | [b'0'..=b'9', b'.', b'0'..=b'9'])
}

pub(super) const REASONS: &[&str] = &[
    "OK",
    "Created",
    "Accepted",
    "No Content",
    "Partial Content",
    "Multiple Choices",
    "Moved Permanently",
    "Found",
    "Moved Temporarily",
    "See Other",
    "Not Modified",
    "Temporary Redirect",
    "Permanent Redirect",
    "Bad Request",
    "Unauthorized",
    "Payment Required",
    "Forbidden",
    "Not Found",
    "Method Not Allowed",
    "Not Acceptable",
    "Proxy Authentication Required",
    "Request Timeout",
    "Request Time-out",
    "Conflict",
    "Gone",
    "Length Required",
    "Precondition Failed",
    "Payload Too Large",
    "Request Entity Too Large",
    "Content Too Large",
    "URI Too Long",
    "Request-URI Too Long",
    "Unsupported Media Type",
    "Expectation Failed",
    "Misdirected Request",
    "Unprocessable Entity",
    "Upgrade Required",
    "Too Many Requests",
    "Request Header Fields Too Large",
    "Internal Server Error",
    "Not Implemented",
    "Bad Gateway",
    "Service Unavailable",
    "Gateway Timeout",
    "Gateway Time-out",
    "HTTP Version Not Supported",
    "Insufficient Storage",
    "Switching Protocols",
];

/// The hosts of Samsung's services, of the hotspot checks, and of their known answers.
pub(super) const HOSTS: &[&str] = &[
    "gld.samsungosp.com",
    "www.samsungimaging.com",
    "samsungimaging.com",
    "www.ospserver.net",
    "snsgw.samsungmobile.com",
    "www.yahoo.co.kr",
    "www.yahoo.com",
    "yahoo.com",
    "www.msn.com",
    "msn.com",
    "localhost",
];

/// Domains of which other hosts may be heard of.
pub(super) const DOMAINS: &[&str] = &[
    "samsungosp.com",
    "samsungimaging.com",
    "samsungmobile.com",
    "samsungcamera.com",
    "ospserver.net",
    "samsung.com",
    "yahoo.co.kr",
    "yahoo.co.jp",
    "yahoo.com",
    "msn.com",
];

/// Social services that a camera's firmware of those years may name, beside the known ones.
pub(super) const SITES: &[&str] = &[
    "allshare",
    "baidu",
    "box",
    "dailymotion",
    "google",
    "googledrive",
    "googleplus",
    "gree",
    "instagram",
    "kaixin",
    "kaixin001",
    "line",
    "linkedin",
    "livejournal",
    "mixi",
    "naver",
    "netlog",
    "onedrive",
    "orkut",
    "picasaweb",
    "qq",
    "qzone",
    "samsunglink",
    "sina",
    "sinaweibo",
    "tencent",
    "tencentweibo",
    "tumblr",
    "twitter",
    "vimeo",
    "vk",
    "weixin",
    "youku",
];

/// The words in the protocol's paths, and where phones and browsers knock by themselves.
pub(super) const PATHS: &[&str] = &[
    "auth",
    "authentication",
    "columbus",
    "connecttest.txt",
    "email",
    "emailid",
    "favicon.ico",
    "generate_204",
    "hotspot-detect.html",
    "index.html",
    "initialize",
    "list",
    "ncsi.txt",
    "oauth",
    "photo",
    "robots.txt",
    "security",
    "serviceproviders",
    "social",
    "sso",
    "success.txt",
    "time",
    "upload",
    "userprofiles",
    "video",
];

/// The names in queries.
pub(super) const QUERIES: &[&str] = &["DUID"];

/// Names of files that the firmware gives.
pub(super) const FILE_NAMES: &[&str] = &["sample.txt", "message.xml"];

/// What kinds of file there are.
pub(super) const EXTENSIONS: &[&str] = &[
    "3gp", "avi", "bin", "gif", "jpe", "jpeg", "jpg", "mime", "mov", "mp4", "mpo", "png", "sav",
    "srw", "txt", "xml",
];

/// The names of the parts of an e-mail.
pub(super) const FIELDS: &[&str] = &["binary", "message"];

pub(super) const MEDIA_TYPES: &[&str] = &[
    "application/octet-stream",
    "application/x-www-form-urlencoded",
    "application/xml",
    "image/gif",
    "image/jpeg",
    "image/jpg",
    "image/mpo",
    "image/pjpeg",
    "image/png",
    "image/x-samsung-srw",
    "multipart/form-data",
    "multipart/mixed",
    "text/html",
    "text/plain",
    "text/xml",
    "video/3gpp",
    "video/avi",
    "video/mp4",
    "video/mpeg",
    "video/quicktime",
    "video/x-msvideo",
];

/// The names of headers.
pub(super) const HEADERS: &[&str] = &[
    "Accept",
    "Accept-Charset",
    "Accept-Encoding",
    "Accept-Language",
    "Accept-Ranges",
    "Age",
    "Allow",
    "Alt-Svc",
    "Authorization",
    "Cache-Control",
    "Connection",
    "Content-Disposition",
    "Content-Encoding",
    "Content-Language",
    "Content-Length",
    "Content-Location",
    "Content-MD5",
    "Content-Range",
    "Content-Security-Policy",
    "Content-Transfer-Encoding",
    "Content-Type",
    "Cookie",
    "Cookie2",
    "DNT",
    "Date",
    "ETag",
    "Expect",
    "Expires",
    "Forwarded",
    "From",
    "Host",
    "If-Match",
    "If-Modified-Since",
    "If-None-Match",
    "If-Range",
    "If-Unmodified-Since",
    "Keep-Alive",
    "Last-Modified",
    "Link",
    "Location",
    "MIME-Version",
    "Max-Forwards",
    "Origin",
    "P3P",
    "Pragma",
    "Proxy-Authenticate",
    "Proxy-Authorization",
    "Proxy-Connection",
    "Range",
    "Referer",
    "Referrer-Policy",
    "Retry-After",
    "Server",
    "Set-Cookie",
    "Strict-Transport-Security",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
    "Upgrade-Insecure-Requests",
    "User-Agent",
    "Vary",
    "Via",
    "WWW-Authenticate",
    "Warning",
    "X-Content-Type-Options",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Port",
    "X-Forwarded-Proto",
    "X-Frame-Options",
    "X-OSP-Version",
    "X-Powered-By",
    "X-Real-IP",
    "X-Requested-With",
];

/// The words in the values of headers, beside the names of headers.
pub(super) const WORDS: &[&str] = &[
    "*",
    "100-continue",
    "7bit",
    "8bit",
    "Basic",
    "Bearer",
    "DELETE",
    "Digest",
    "Domain",
    "GET",
    "HEAD",
    "HMAC-SHA1",
    "HTTP",
    "HmacSHA1",
    "HttpOnly",
    "OAuth",
    "OPTIONS",
    "POST",
    "PUT",
    "Path",
    "SameSite",
    "Secure",
    "application",
    "attachment",
    "binary",
    "boundary",
    "br",
    "by",
    "bytes",
    "charset",
    "chunked",
    "close",
    "compress",
    "de",
    "deflate",
    "en",
    "en-GB",
    "en-US",
    "es",
    "euc-kr",
    "filename",
    "for",
    "form-data",
    "fr",
    "gif",
    "gzip",
    "h2c",
    "hotspot",
    "html",
    "http",
    "https",
    "identity",
    "image",
    "inline",
    "iso-8859-1",
    "it",
    "ja",
    "jpeg",
    "jpg",
    "ko",
    "ko-KR",
    "lax",
    "max",
    "max-age",
    "mp4",
    "msword",
    "multipart",
    "must-revalidate",
    "name",
    "no-cache",
    "no-store",
    "no-transform",
    "none",
    "nosniff",
    "oauth_consumer_key",
    "oauth_nonce",
    "oauth_signature",
    "oauth_signature_method",
    "oauth_timestamp",
    "oauth_token",
    "oauth_version",
    "octet-stream",
    "pjpeg",
    "plain",
    "png",
    "private",
    "proto",
    "proxy-revalidate",
    "pt",
    "public",
    "q",
    "quicktime",
    "ru",
    "s-maxage",
    "samsung",
    "strict",
    "text",
    "timeout",
    "trailers",
    "us-ascii",
    "utf-8",
    "utf8",
    "v1",
    "video",
    "vnd.ms-excel",
    "vnd.ms-powerpoint",
    "webp",
    "x-gzip",
    "x-msvideo",
    "x-samsung-srw",
    "x-shockwave-flash",
    "x-www-form-urlencoded",
    "x-xbitmap",
    "xhtml+xml",
    "xml",
    "zh",
    "zh-CN",
    "zh-TW",
];

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
pub(super) fn is_product(word: &str) -> bool {
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

/// The names of the protocol's elements and attributes.
pub(super) const ELEMENTS: &[&str] = &[
    "Album",
    "ApplicationKey",
    "CameraCryptKey",
    "Category",
    "Content",
    "CryptSessionKey",
    "ErrCode",
    "ErrSubCode",
    "File",
    "HostAddr",
    "ID",
    "LoginPeopleID",
    "Method",
    "Name",
    "OAuth",
    "OwnerID",
    "Password",
    "PersistKey",
    "Photo",
    "Request",
    "ResourceID",
    "Response",
    "SessionKey",
    "Status",
    "Timeout",
    "Type",
    "URL",
    "Use",
    "UserName",
    "Value",
    "Version",
    "Video",
    "body",
    "currentServerTime",
    "duid",
    "email",
    "initializeResult",
    "loginID",
    "mobileCountryCode",
    "password",
    "receiver",
    "receiverList",
    "sender",
    "title",
    "tncAccepted",
    "userAuthRequest",
];

/// The words in their values.
pub(super) const VALUES: &[&str] = &[
    "APIF", "N", "SHA1", "Y", "fail", "false", "login", "logout", "photo", "succ", "true",
    "upload", "video",
];

/// What our own sentences quote.
pub(super) const QUOTED: &[&str] = &["succ", "yahoo.", "deadbeef"];

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
