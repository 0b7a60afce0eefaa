//! `--redact`: what of a capture may be shown to strangers.
//!
//! Law: what is not known to be harmless is hidden. The lists below name what is harmless; a header
//! or an element that no list names is hidden, name and all: leftover buffer junk may hold pieces of
//! anything, and look like either. Last, whatever repeats a hidden text is hidden too.

use crate::report::{Fields, Node, Report, Shared, Text};
use samsung_sns::endpoint::{Endpoint, Site};
use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};

/// What stands in the place of a hidden text.
pub(crate) const REDACTED: &str = "[redacted]";

/// A text shorter than this is looked for as a whole only: every other word holds an `f`.
const LOOKED_FOR_INSIDE: usize = 4;

/// So many hidden texts of earlier reports are remembered.
const MAX_SECRETS: usize = 512;

const HARMLESS_HEADERS: [&str; 18] = [
    "accept",
    "accept-encoding",
    "accept-language",
    "cache-control",
    "connection",
    "content-length",
    "content-type",
    "date",
    "etag",
    "expect",
    "location",
    "pragma",
    "server",
    "set-cookie",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "x-osp-version",
];

const KNOWN_HOSTS: [&str; 8] = [
    "gld.samsungosp.com",
    "www.samsungimaging.com",
    "www.ospserver.net",
    "snsgw.samsungmobile.com",
    "www.yahoo.co.kr",
    "www.msn.com",
    "yahoo.com",
    "msn.com",
];

/// The names of the protocol's elements and attributes.
const VOCABULARY: [&str; 45] = [
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

const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "OPTIONS", "DELETE"];

const REASONS: [&str; 11] = [
    "OK",
    "Found",
    "Moved Permanently",
    "Bad Request",
    "Unauthorized",
    "Forbidden",
    "Not Found",
    "Payload Too Large",
    "Internal Server Error",
    "Service Unavailable",
    "Insufficient Storage",
];

/// Elements and attributes in which nothing of a person's belongs.
const HARMLESS_PLACES: [&str; 13] = [
    "Request/@Method",
    "Request/@Timeout",
    "PersistKey/@Use",
    "SessionKey/@Type",
    "CryptSessionKey/@Use",
    "CryptSessionKey/@Type",
    "OAuth/@Version",
    "OAuth/@URL",
    "Response/@ErrCode",
    "Response/@ErrSubCode",
    "Response/@Status",
    "currentServerTime",
    "tncAccepted",
];

/// What may be shown in these places, beside numbers.
const HARMLESS_VALUES: [&str; 10] = [
    "APIF",
    "N",
    "SHA1",
    "Y",
    "false",
    "http://snsgw.samsungmobile.com/oauth",
    "login",
    "logout",
    "succ",
    "true",
];

/// A header, as it may be shared.
pub(crate) fn header(name: &str, value: &str) -> (Text, Text) {
    let lower = name.to_ascii_lowercase();
    let harmless = match lower.as_str() {
        "host" => is_known_host(value),
        // Only what the hotspot checks are answered with.
        "etag" => value == "\"deadbeef\"",
        "set-cookie" => matches!(
            value,
            "samsung=hotspot; Domain=.yahoo.co.kr; Path=/"
                | "samsung=hotspot; Domain=.msn.com; Path=/"
        ),
        "location" => matches!(value, "/" | "http://yahoo.com" | "http://msn.com"),
        name => HARMLESS_HEADERS.contains(&name) && is_ordinary(value),
    };
    let is_known = HARMLESS_HEADERS.contains(&lower.as_str())
        || matches!(lower.as_str(), "host" | "authorization" | "cookie")
        || lower.starts_with("x-");
    (Text::judged(name, is_known), Text::judged(value, harmless))
}

/// Whether a header's value holds no piece of a message, an address or a key: junk may stand
/// anywhere.
fn is_ordinary(value: &str) -> bool {
    let may_be_of_a_key = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=');
    let longest = value.split(|c| !may_be_of_a_key(c)).map(str::len).max();
    longest.is_none_or(|longest| longest <= 24)
        && value.bytes().all(|b| b.is_ascii() && !b"\"<>@%&".contains(&b))
}

/// What stands in an element or attribute, as it may be shared. `place` is `Element/@Attribute`, or
/// `Element` for its text.
pub(crate) fn place(place: String, value: &str) -> (Text, Text) {
    let number = value.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let harmless =
        HARMLESS_PLACES.contains(&place.as_str()) && (number || HARMLESS_VALUES.contains(&value));
    let (element, attribute) = place.split_once("/@").unwrap_or((&place, ""));
    let is_known = |name| VOCABULARY.contains(&name);
    let is_known = is_known(element) && (attribute.is_empty() || is_known(attribute));
    (Text::judged(place, is_known), Text::judged(value, harmless))
}

/// A method, which may be any word.
pub(crate) fn method(method: &str) -> Text {
    Text::judged(method, METHODS.contains(&method))
}

/// A version, which may be anything that begins with `HTTP/`.
pub(crate) fn version(version: &str) -> Text {
    let digits = version.get(5..).unwrap_or("x");
    Text::judged(
        version,
        digits.len() <= 3 && digits.bytes().all(|b| b.is_ascii_digit() || b == b'.'),
    )
}

/// The words behind a status code: free text, though servers write only the standard's.
pub(crate) fn reason(reason: &str) -> Text {
    Text::judged(reason, REASONS.iter().any(|known| known.eq_ignore_ascii_case(reason)))
}

/// A host, with its port if it has one.
pub(crate) fn host(host: &str) -> Text {
    Text::judged(host, is_known_host(host))
}

fn is_known_host(host: &str) -> bool {
    let (name, port) = host.split_once(':').unwrap_or((host, ""));
    KNOWN_HOSTS.iter().any(|known| known.eq_ignore_ascii_case(name))
        && port.bytes().all(|b| b.is_ascii_digit())
}

/// A site: the project wants to learn of unknown ones, if they look like a name.
pub(crate) fn site(site: &Site) -> Text {
    let is_word = site.as_str().len() <= 20
        && site.as_str().bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    Text::judged(site.as_str(), site.is_known() || is_word)
}

/// A file's name: harmless as cameras number them, `SAM_0001.JPG`.
pub(crate) fn file_name(name: &str) -> Text {
    let numbered = name.split_once('_').is_some_and(|(prefix, rest)| {
        let (number, extension) = rest.split_once('.').unwrap_or((rest, ""));
        (1..=4).contains(&prefix.len())
            && prefix.bytes().all(|b| b.is_ascii_uppercase())
            && (1..=5).contains(&number.len())
            && number.bytes().all(|b| b.is_ascii_digit())
            && extension.len() <= 4
            && extension.bytes().all(|b| b.is_ascii_alphanumeric())
    });
    Text::judged(name, numbered || name == "sample.txt")
}

/// A media type.
pub(crate) fn media_type(media_type: &str) -> Text {
    let (group, kind) = media_type.split_once('/').unwrap_or((media_type, ""));
    let groups = ["application", "image", "multipart", "text", "video"];
    let plain = kind.len() <= 30
        && kind
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.+".contains(&b));
    Text::judged(media_type, groups.contains(&group) && plain)
}

/// The target of a request: a session key, a device's number or a file's name may be in it.
pub(crate) fn target(endpoint: &Endpoint, target: &str) -> Text {
    let part = |text: Text| match text.shared {
        Shared::Whole => text.value,
        _ => REDACTED.to_owned(),
    };
    let path = match endpoint {
        Endpoint::Hotspot(_) | Endpoint::Home => "/".to_owned(),
        Endpoint::Auth(name) => format!("/{}/auth", part(site(name))),
        Endpoint::Photo(name) => format!("/{}/photo", part(site(name))),
        Endpoint::Video(name) => format!("/{}/video", part(site(name))),
        Endpoint::Upload { file_name: name, .. } => {
            format!("/upload/{REDACTED}/{}", part(file_name(&String::from_utf8_lossy(name))))
        }
        Endpoint::Email { .. } | Endpoint::EmailPage => "/social/columbus/email".to_owned(),
        Endpoint::Time => "/security/sso/initialize/time".to_owned(),
        Endpoint::ServiceProviders => "/social/columbus/serviceproviders/list".to_owned(),
        Endpoint::AllShare => "/security/sso/userprofiles/authentication/emailid".to_owned(),
        _ => REDACTED.to_owned(),
    };
    let query = match target.split_once('?') {
        Some((_, query)) if query.starts_with("DUID=") => format!("?DUID={REDACTED}"),
        Some(_) => format!("?{REDACTED}"),
        None => String::new(),
    };
    Text { value: target.to_owned(), shared: Shared::As(path + &query) }
}

/// An address: those of a home say nothing, others may say whose it is.
pub(crate) fn address(address: IpAddr) -> Text {
    Text::judged(address.to_string(), is_home(address))
}

/// An address with its port.
pub(crate) fn peer(peer: SocketAddr) -> Text {
    Text::judged(peer.to_string(), is_home(peer.ip()))
}

fn is_home(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(ip) => ip.is_private() || ip.is_loopback() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_loopback() || (ip.segments()[0] & 0xfe00) == 0xfc00,
    }
}

/// Hides what may not be shared, and remembers it: what repeats a text that was hidden before is
/// hidden, too.
#[derive(Debug, Default)]
pub(crate) struct Redactor {
    secrets: VecDeque<String>,
}

impl Redactor {
    /// The report with everything hidden that may not be shared.
    pub(crate) fn redact(&mut self, mut report: Report) -> Report {
        each_text(&mut report, &mut |text| {
            if text.shared != Shared::Whole
                && !text.value.is_empty()
                && !self.secrets.contains(&text.value)
            {
                self.secrets.push_back(text.value.clone());
            }
        });
        // The report's own are never forgotten: no report has so many.
        let old = self.secrets.len().saturating_sub(MAX_SECRETS);
        each_text(&mut report, &mut |text| {
            text.value = match std::mem::replace(&mut text.shared, Shared::Whole) {
                Shared::Whole if repeats(&text.value, &self.secrets) => REDACTED.to_owned(),
                Shared::Whole => std::mem::take(&mut text.value),
                Shared::As(instead) => instead,
                Shared::Nothing => REDACTED.to_owned(),
            };
        });
        self.secrets.drain(..old);
        report
    }
}

fn repeats(text: &str, secrets: &VecDeque<String>) -> bool {
    secrets.iter().any(|secret| {
        text == secret || (secret.len() >= LOOKED_FOR_INSIDE && text.contains(secret.as_str()))
    })
}

fn each_text(report: &mut Report, act: &mut dyn FnMut(&mut Text)) {
    act(&mut report.file);
    each_field(&mut report.fields, act);
}

fn each_field(fields: &mut Fields, act: &mut dyn FnMut(&mut Text)) {
    for (_, node) in &mut fields.0 {
        each_node(node, act);
    }
}

fn each_node(node: &mut Node, act: &mut dyn FnMut(&mut Text)) {
    match node {
        Node::Text(text) => act(text),
        Node::Words(_) | Node::Number(_) | Node::Flag(_) => {}
        Node::List(nodes) => nodes.iter_mut().for_each(|node| each_node(node, act)),
        Node::Map(fields) => each_field(fields, act),
        Node::Pairs(_, pairs) => {
            for (name, value) in pairs {
                act(name);
                act(value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_shown(text: &Text) -> bool {
        text.shared == Shared::Whole
    }

    #[test]
    fn only_what_is_known_to_be_harmless_is_shown() {
        for (name, value, shown) in [
            ("User-Agent", "sdeClient", true),
            ("Host", "snsgw.samsungmobile.com:80", true),
            ("Host", "home.example.org", false),
            ("Authorization", "OAuth x", false),
            ("X-New", "serial 17", false),
            ("User-Agent", "sdeClient Value=\"U%2BK\"", false),
            ("Accept", "image/gif, 844e7f0fadf4ba1cf5b6de9edb06ac9a", false),
            ("Server", "anna@example.org", false),
            ("ETag", "\"deadbeef\"", true),
            ("Location", "http://yahoo.com", true),
            ("Location", "http://me.example/secret", false),
        ] {
            assert_eq!(is_shown(&header(name, value).1), shown, "{name}: {value}");
        }
        for (name, shown) in [("SAM_0001.JPG", true), ("Anna_1.jpg", false), ("x", false)] {
            assert_eq!(is_shown(&file_name(name)), shown, "{name}");
        }
        assert!(!is_shown(&place("Request/@Method".into(), "a b").1));
        assert!(!is_shown(&place("x4p4uaaq".into(), "").0));
    }

    #[test]
    fn what_repeats_a_secret_is_hidden_too() {
        let mut report = Report::new(Text::public("-"));
        report.fields.secret("password", "hunter22");
        report.fields.public("a", "x hunter22 y");
        report.fields.public("b", "hunter");
        let shown = format!("{:?}", Redactor::default().redact(report));
        assert!(!shown.contains("hunter22") && shown.contains("hunter"), "{shown}");
    }
}
