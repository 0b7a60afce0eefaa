//! Elements and attributes, and what stands in them.
//!
//! Law: an element or attribute that the protocol does not have is hidden, name and all: leftover
//! buffer junk may hold pieces of anything, and look like either.

use super::placeholder::Placeholders;
use super::vocabulary::{ELEMENTS, VALUES, is_one_of};
use super::{host, names_password, path};
use samsung_sns::model::Model;

/// What a place is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A person's, or nobody knows.
    Any,
    /// A password.
    Password,
    /// A word of the protocol.
    Word,
    /// A short number.
    Number,
    /// A moment in milliseconds.
    Time,
    /// A host.
    Host,
    /// A path or a link.
    Target,
    /// A file's name.
    FileName,
    /// Where some cameras put their model.
    Album,
}

impl Kind {
    pub(super) fn of(place: &str) -> Kind {
        if place.split("/@").any(names_password) {
            return Kind::Password;
        }
        match place {
            "Request/@Method"
            | "PersistKey/@Use"
            | "SessionKey/@Type"
            | "CryptSessionKey/@Use"
            | "CryptSessionKey/@Type"
            | "Response/@Status"
            | "tncAccepted" => Kind::Word,
            "Request/@Timeout"
            | "OAuth/@Version"
            | "Response/@ErrCode"
            | "Response/@ErrSubCode" => Kind::Number,
            "Response/@HostAddr" => Kind::Host,
            "Response/@ResourceID" | "OAuth/@URL" => Kind::Target,
            "File/@Name" => Kind::FileName,
            "Album/@Name" => Kind::Album,
            "currentServerTime" => Kind::Time,
            _ => Kind::Any,
        }
    }
}

/// The name of a place.
pub(super) fn name(place: &str, hidden: &mut Placeholders) -> String {
    let mut known = |name: &str| {
        if ELEMENTS.contains(&name) { name.to_owned() } else { hidden.text(name) }
    };
    match place.split_once("/@") {
        Some((element, attribute)) => format!("{}/@{}", known(element), known(attribute)),
        None => known(place),
    }
}

/// What stands in a place of this kind.
pub(super) fn value(kind: Kind, value: &str, hidden: &mut Placeholders) -> String {
    let is_number = |longest| value.len() <= longest && value.bytes().all(|b| b.is_ascii_digit());
    let is_shown = match kind {
        Kind::Any => false,
        Kind::Word => is_one_of(value, VALUES),
        // 3000, 401, 1.0
        Kind::Number => is_number(5) || matches!(value, "1.0" | "1.0a" | "2.0"),
        Kind::Time => is_number(13),
        Kind::Album => Model::find(value).is_some(),
        Kind::Password => return hidden.password(value),
        Kind::Host => return host::shown(value, hidden),
        Kind::Target => return path::target(value, hidden),
        Kind::FileName => return path::file_name(value, hidden),
    };
    if is_shown { value.to_owned() } else { hidden.text(value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_shows_only_what_belongs_there() {
        let mut hidden = Placeholders::default();
        for (place, text, expected) in [
            ("Request/@Method", "login", "Request/@Method: login"),
            ("Request/@Method", "anna", "Request/@Method: <text-1, 4 bytes>"),
            ("Request/@Timeout", "3000", "Request/@Timeout: 3000"),
            ("Request/@Timeout", "491701234567", "Request/@Timeout: <text-2, 12 bytes>"),
            ("Album/@Name", "NX300", "Album/@Name: NX300"),
            ("Album/@Name", "Anna", "Album/@Name: <text-3, 4 bytes>"),
            ("x4p4uaaq", "", "<text-4, 8 bytes>: "),
            ("anna/@Value", "login", "<text-1, 4 bytes>/@Value: <text-5, 5 bytes>"),
            ("Content", "upload", "Content: <text-6, 6 bytes>"),
            ("Password/@Value", "hunter2", "Password/@Value: <password-1>"),
            ("PASSWORD/@Value", "hunter2", "<text-7, 8 bytes>/@Value: <password-1>"),
            ("Password/@value", "hunter22", "Password/@<text-8, 5 bytes>: <password-2>"),
            ("a:Password", "hunter2", "<text-9, 10 bytes>: <password-1>"),
            ("Request/@passWord", "hunter2", "Request/@<text-10, 8 bytes>: <password-1>"),
            (
                "OAuth/@URL",
                "http://snsgw.samsungmobile.com/oauth",
                "OAuth/@URL: http://snsgw.samsungmobile.com/oauth",
            ),
        ] {
            let place_shown = name(place, &mut hidden);
            let shown = match text {
                "" => String::new(),
                text => value(Kind::of(place), text, &mut hidden),
            };
            assert_eq!(format!("{place_shown}: {shown}"), expected);
        }
    }
}
