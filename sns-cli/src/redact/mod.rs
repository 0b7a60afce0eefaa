//! `--redact`: a report that may be shown to strangers.
//!
//! Law: what is on no list is hidden. Every text says what it is ([`Sort`]); that decides which
//! list its pieces are looked up in: the words of the protocol and of HTTP, the sites and hosts that
//! everybody's camera calls, numbers whose place says what they count. What is on none becomes a
//! placeholder, the same for the same text wherever it comes up. Nothing is searched for that
//! should be hidden.

mod header;
mod host;
mod path;
mod place;
mod placeholder;
mod refusal;
mod sentence;
mod vocabulary;

use crate::report::{Fields, Node, Report, Text};
use placeholder::Placeholders;
use samsung_sns::endpoint::Site;
use std::net::{IpAddr, SocketAddr};
use vocabulary::{http, is_one_of};

/// What a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sort {
    /// Our own word.
    Ours,
    /// Anything: a name, a key, what somebody typed.
    Any,
    /// A password: not even its length is told.
    Password,
    /// The checksum of a file: who has the file would know it again.
    Checksum,
    /// A request's method.
    Method,
    /// The version of HTTP.
    Version,
    /// The words behind a status code.
    Reason,
    /// Why a server refused: ours has its own words for it.
    Refusal,
    /// A host, with its port if it has one.
    Host,
    /// An IP address, with its port if it has one.
    Address,
    /// What a request asks for.
    Target,
    /// The social service in a path.
    Site,
    /// A file's name.
    FileName,
    /// The name of a file that `--extract` wrote: our number before it.
    Extracted,
    /// A media type.
    MediaType,
    /// The name of a part of an e-mail.
    Field,
    /// The name of a header.
    HeaderName,
    /// The value of such a header.
    Header(header::Kind),
    /// An element or attribute: `Element/@Attribute`, or `Element`.
    Place,
    /// What stands in such a place.
    Value(place::Kind),
}

impl Text {
    fn of(value: impl Into<String>, sort: Sort) -> Text {
        Text { value: value.into(), sort }
    }
}

/// A header.
pub(crate) fn header(name: &str, value: &str) -> (Text, Text) {
    let kind = header::Kind::of(name);
    (Text::of(name, Sort::HeaderName), Text::of(value, Sort::Header(kind)))
}

/// What stands in an element or attribute. `place` is `Element/@Attribute`, or `Element` for its
/// text.
pub(crate) fn place(place: String, value: &str) -> (Text, Text) {
    let kind = place::Kind::of(&place);
    (Text::of(place, Sort::Place), Text::of(value, Sort::Value(kind)))
}

/// A method, which may be any word.
pub(crate) fn method(method: &str) -> Text {
    Text::of(method, Sort::Method)
}

/// A version, which may be anything that begins with `HTTP/`.
pub(crate) fn version(version: &str) -> Text {
    Text::of(version, Sort::Version)
}

/// The words behind a status code: free text, though servers write only the standard's.
pub(crate) fn reason(reason: &str) -> Text {
    Text::of(reason, Sort::Reason)
}

/// Why a server refused.
pub(crate) fn refusal(reason: &str) -> Text {
    Text::of(reason, Sort::Refusal)
}

/// A host, with its port if it has one.
pub(crate) fn host(host: &str) -> Text {
    Text::of(host, Sort::Host)
}

/// A site.
pub(crate) fn site(site: &Site) -> Text {
    Text::of(site.as_str(), Sort::Site)
}

/// A password.
pub(crate) fn password(password: &str) -> Text {
    Text::of(password, Sort::Password)
}

/// The checksum of a file.
pub(crate) fn checksum(checksum: &str) -> Text {
    Text::of(checksum, Sort::Checksum)
}

/// A file's name.
pub(crate) fn file_name(name: &str) -> Text {
    Text::of(name, Sort::FileName)
}

/// The name of a file that was written: our number, and the camera's name for it.
pub(crate) fn extracted(name: &str) -> Text {
    Text::of(name, Sort::Extracted)
}

/// The name of a part of an e-mail.
pub(crate) fn field(name: &str) -> Text {
    Text::of(name, Sort::Field)
}

/// A media type.
pub(crate) fn media_type(media_type: &str) -> Text {
    Text::of(media_type, Sort::MediaType)
}

/// The target of a request, or the path that an announce is answered with.
pub(crate) fn target(target: &str) -> Text {
    Text::of(target, Sort::Target)
}

/// An address.
pub(crate) fn address(address: IpAddr) -> Text {
    Text::of(address.to_string(), Sort::Address)
}

/// An address with its port.
pub(crate) fn peer(peer: SocketAddr) -> Text {
    Text::of(peer.to_string(), Sort::Address)
}

/// Whether what stands behind this name is a password, of whatever it is the name.
fn names_password(name: &str) -> bool {
    name.rsplit(':').next().is_some_and(|name| name.eq_ignore_ascii_case("password"))
}

/// Makes reports that may be shared; placeholders stay the same from report to report.
#[derive(Debug, Default)]
pub(crate) struct Redactor {
    placeholders: Placeholders,
}

impl Redactor {
    /// The report with everything hidden that is not known to be harmless.
    pub(crate) fn redact(&mut self, mut report: Report) -> Report {
        report.file = Text::public(self.file(&report.file.value));
        self.fields(&mut report.fields);
        if let Some(problem) = &mut report.problem {
            problem.text = sentence::shown(&problem.text, &mut self.placeholders);
        }
        report
    }

    /// What a file is called: names tell of people, and those of tcpflow hold addresses.
    pub(crate) fn file(&mut self, name: &str) -> String {
        if name == "-" { name.to_owned() } else { self.placeholders.numbered("file", name) }
    }

    fn fields(&mut self, fields: &mut Fields) {
        fields.0.iter_mut().for_each(|(_, node)| self.node(node));
    }

    fn node(&mut self, node: &mut Node) {
        match node {
            Node::Text(text) => self.text(text),
            // Ours, unless somebody quotes in them what was sent.
            Node::Words(words) => *words = sentence::shown(words, &mut self.placeholders),
            Node::Number(_) | Node::Flag(_) => {}
            Node::List(nodes) => nodes.iter_mut().for_each(|node| self.node(node)),
            Node::Map(fields) => self.fields(fields),
            Node::Pairs(_, pairs) => {
                for (name, value) in pairs {
                    self.text(name);
                    self.text(value);
                }
            }
        }
    }

    fn text(&mut self, text: &mut Text) {
        let (value, hidden) = (&*text.value, &mut self.placeholders);
        let known = |list: &[&str], hidden: &mut Placeholders| {
            if is_one_of(value, list) { value.to_owned() } else { hidden.text(value) }
        };
        let shown = match text.sort {
            _ if value.is_empty() => return,
            Sort::Ours => return,
            Sort::Any => hidden.text(value),
            Sort::Password => hidden.password(value),
            Sort::Checksum => hidden.numbered("checksum", value),
            Sort::Method => known(http::METHODS, hidden),
            Sort::Version if http::is_version(value) => return,
            Sort::Version => hidden.text(value),
            Sort::Reason => known(http::REASONS, hidden),
            Sort::Refusal => {
                if refusal::is_known(value) {
                    value.to_owned()
                } else {
                    hidden.text(value)
                }
            }
            Sort::Host | Sort::Address => host::shown(value, hidden),
            Sort::Target => path::target(value, hidden),
            Sort::Site => path::site(value, hidden),
            Sort::FileName => path::file_name(value, hidden),
            Sort::Extracted => path::extracted(value, hidden),
            Sort::MediaType => known(http::MEDIA_TYPES, hidden),
            Sort::Field => known(vocabulary::FIELDS, hidden),
            Sort::HeaderName => known(http::HEADERS, hidden),
            Sort::Header(kind) => header::value(kind, value, hidden),
            Sort::Place => place::name(value, hidden),
            Sort::Value(kind) => place::value(kind, value, hidden),
        };
        *text = Text::public(shown);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: Text) -> String {
        let mut report = Report::new(Text::public("-"));
        report.fields.text("x", text);
        let report = Redactor::default().redact(report);
        report.fields.get("x").unwrap().to_owned()
    }

    #[test]
    fn only_what_is_known_to_be_harmless_is_shown() {
        for (text, expected) in [
            (method("POST"), "POST"),
            (method("ANNA"), "<text-1, 4 bytes>"),
            (version("HTTP/1.0"), "HTTP/1.0"),
            (version("HTTP/an"), "<text-1, 7 bytes>"),
            (reason("Not Found"), "Not Found"),
            (reason("Anna"), "<text-1, 4 bytes>"),
            (refusal("the password is wrong"), "the password is wrong"),
            (refusal("the password is hunter2"), "<text-1, 23 bytes>"),
            (site(&Site::new("facebook")), "facebook"),
            (site(&Site::new("annasite")), "<text-1, 8 bytes>"),
            (password("hunter2"), "<password-1>"),
            (media_type("image/jpeg"), "image/jpeg"),
            (media_type("image/anna"), "<text-1, 10 bytes>"),
            (Text::secret("é"), "<text-1, 2 bytes>"),
            (Text::secret(""), ""),
        ] {
            assert_eq!(shown(text.clone()), expected, "{text:?}");
        }
    }

    #[test]
    fn equal_texts_have_equal_placeholders_in_all_reports_of_a_run() {
        let mut redactor = Redactor::default();
        let mut tell = |file: &str, target: &str| {
            let mut report = Report::new(Text::public(file));
            report.fields.secret("session_key", "0123abcd");
            report.fields.text("target", super::target(target));
            let report = redactor.redact(report);
            let get = |name| report.fields.get(name).unwrap().to_owned();
            (report.file.value.clone(), get("session_key"), get("target"))
        };
        let key = "<text-1, 8 bytes>";
        let first = tell("anna.pcap", "/upload/0123abcd/SAM_0001.JPG");
        let target = format!("/upload/{key}/<text-2, 8 bytes>.JPG");
        assert_eq!(first, ("<file-1>".to_owned(), key.to_owned(), target));
        let second = tell("ben.pcap", "/0123abcd?x");
        let target = format!("/{key}?<text-3, 1 byte>");
        assert_eq!(second, ("<file-2>".to_owned(), key.to_owned(), target));
        assert_eq!(tell("anna.pcap", "/").0, "<file-1>");
    }

    #[test]
    fn what_our_own_sentences_quote_is_hidden_too() {
        let mut report = Report::new(Text::public("-"));
        report.fields.words("meaning", "the peer 8.8.8.8 said \"anna\"");
        report.broken(None, "Timeout=\"3000\": the method \"anna\" is none");
        let report = Redactor::default().redact(report);
        let text = format!("{report:?}");
        assert!(text.contains("the peer <address-1, public> said") && !text.contains("anna"));
        assert!(text.contains("3000") && text.contains("is none"), "{text}");
    }
}
