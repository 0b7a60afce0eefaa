//! One XML message, of a request or of an answer.
//!
//! Law: the core reads it; what the core refuses is shown element by element, with all that can
//! still be opened. An error is told in words that hold nothing of the message.

use super::others;
use crate::redact;
use crate::report::{Node, Report, Text};
use samsung_sns::answer::scan_reason;
use samsung_sns::crypto::{CredentialError, CryptSessionKey, SessionKeyError, credential};
use samsung_sns::message::MessageError;
use samsung_sns::message::auth::{AuthRequest, Login, LoginAnswer, Logout};
use samsung_sns::message::email::Email;
use samsung_sns::message::media::{Announce, AnnounceAnswer, Media};
use samsung_sns::message::sso::AllShareLogin;
use samsung_sns::quirk::Quirks;
use samsung_sns::wire::xml::{Document, decode};

/// Which message it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Message {
    Auth,
    Photo,
    Video,
    Email,
    AllShare,
    LoginAnswer,
    AnnounceAnswer,
    SuccessAnswer,
    ErrorAnswer,
    TimeAnswer,
}

impl Message {
    /// Which message a document is, if nothing else says so.
    fn of(document: &Document<'_>, text: &str) -> Option<Message> {
        let has = |element| document.has(element);
        let response = |attribute| document.attribute("Response", attribute).is_some();
        Some(match () {
            () if has("userAuthRequest") || has("loginID") => Message::AllShare,
            () if has("email") || has("receiverList") || has("sender") => Message::Email,
            () if has("Photo") => Message::Photo,
            () if has("Video") => Message::Video,
            () if has("Request") => Message::Auth,
            () if LoginAnswer::scan(text).is_some() => Message::LoginAnswer,
            () if AnnounceAnswer::scan(text).is_some() => Message::AnnounceAnswer,
            () if response("ErrCode") => Message::ErrorAnswer,
            () if response("Status") => Message::SuccessAnswer,
            () if has("initializeResult") => Message::TimeAnswer,
            () => return None,
        })
    }

    fn kind(self) -> &'static str {
        match self {
            Message::Auth => "auth",
            Message::Photo => "photo",
            Message::Video => "video",
            Message::Email => "email",
            Message::AllShare => "allshare_login",
            Message::LoginAnswer => "login_answer",
            Message::AnnounceAnswer => "announce_answer",
            Message::SuccessAnswer => "success_answer",
            Message::ErrorAnswer => "error_answer",
            Message::TimeAnswer => "time_answer",
        }
    }
}

/// Reads a message into the report. Without `expected`, its content decides which it is. `start` is
/// where it stands in the file, if that is known.
pub(super) fn read(
    expected: Option<Message>,
    bytes: &[u8],
    start: Option<u64>,
    report: &mut Report,
) {
    let mut quirks = Quirks::default();
    let text = decode(bytes, &mut quirks);
    let document = Document::read(&text);
    quirks.extend(document.quirks());
    let mut reading = Reading { document: &document, text: &text, bytes, start, quirks, report };
    let known = match expected.or_else(|| Message::of(&document, &text)) {
        Some(message) => {
            reading.report.kind = message.kind();
            reading.message(message)
        }
        None => {
            let words = "none of the protocol's messages; what it holds is listed";
            reading.report.broken(start, words);
            HOLDING_OTHERS
        }
    };
    let Reading { quirks, report, .. } = reading;
    let others = others::of(&document, known);
    if !others.is_empty() {
        report.fields.add("other", Node::Pairs("place", others));
    }
    // Replacement characters have another length than what they replace.
    let is_exact = std::str::from_utf8(bytes).is_ok();
    let mark = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    if let (Some(at), Some(start), true) = (document.broken_at(), start, is_exact) {
        report.fields.number("markup_broken_at", start + mark + at as u64);
    }
    report.quirks.extend(&quirks);
}

/// The body of a request or answer of which nothing is expected, or its beginning.
pub(super) fn read_unknown(bytes: &[u8], length: u64, start: u64, report: &mut Report) {
    let mut quirks = Quirks::default();
    let text = decode(bytes, &mut quirks);
    if text.trim().is_empty() {
        return;
    }
    if Message::of(&Document::read(&text), &text).is_some() {
        return read(None, bytes, Some(start), report);
    }
    report.fields.number("body_length", length);
    report.fields.secret("body", text.chars().take(1000).collect::<String>());
}

/// What is left of something, or its beginning: a message, if it is one. `false` if nothing can be
/// said of it.
pub(super) fn read_rest(bytes: &[u8], report: &mut Report) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let is_message = Message::of(&Document::read(text), text).is_some();
    if is_message {
        read(None, bytes, None, report);
    }
    is_message
}

struct Reading<'a> {
    document: &'a Document<'a>,
    text: &'a str,
    bytes: &'a [u8],
    start: Option<u64>,
    quirks: Quirks,
    report: &'a mut Report,
}

/// Of a message that is not understood, everything is shown but the mere presence of these.
const HOLDING_OTHERS: &[&str] = &[
    "Request/",
    "Response/",
    "Photo/",
    "Video/",
    "email/",
    "receiverList/",
    "userAuthRequest/",
    "initializeResult/",
];

const AUTH: &[&str] = &[
    "Request/",
    "Request/@Method",
    "Request/@Timeout",
    "Request/@CameraCryptKey",
    "Request/@SessionKey",
    "UserName/@Value",
    "Password/@Value",
    "PersistKey/@Use",
    "SessionKey/@Type",
    "SessionKey/@Value",
    "CryptSessionKey/@Use=true",
    "CryptSessionKey/@Type=SHA1",
    "CryptSessionKey/@Value",
    "ApplicationKey/@Value",
    "OAuth/@Version",
];

const ANNOUNCE: &[&str] = &[
    "Request/",
    "Request/@SessionKey",
    "SessionKey/@Value",
    "Photo/",
    "Photo/@SessionKey",
    "Album/",
    "Album/@Name",
    "Video/",
    "Video/@SessionKey",
    "Video/@OwnerID",
    "Category/",
    "Category/@Name",
    "Category/@OwnerID",
    "File/@Name",
    "Content",
];

impl Reading<'_> {
    /// Shows the fields of a message; gives the places that were understood.
    fn message(&mut self, message: Message) -> &'static [&'static str] {
        match message {
            Message::Auth => return self.auth(),
            Message::Photo => match Announce::read_photo(self.document) {
                Ok(announce) => return self.announce(announce),
                Err(error) => self.refused(&error),
            },
            Message::Video => match Announce::read_video(self.document) {
                Ok(announce) => return self.announce(announce),
                Err(error) => self.refused(&error),
            },
            Message::Email => match Email::read(self.document, &mut self.quirks) {
                Ok(email) => return self.email(email),
                Err(error) => self.refused(&error),
            },
            Message::AllShare => match AllShareLogin::read(self.document) {
                Ok(login) => {
                    self.report.fields.secret("user", login.login_id);
                    self.report.fields.text("password", redact::password(&login.password));
                    return &["userAuthRequest/", "loginID", "password"];
                }
                Err(error) => self.refused(&error),
            },
            Message::LoginAnswer => return self.login_answer(),
            Message::AnnounceAnswer => return self.announce_answer(),
            Message::SuccessAnswer => {
                let status = self.document.attribute("Response", "Status").unwrap_or_default();
                self.show("status", "Response/@Status", &status);
                return &["Response/", "Response/@Status"];
            }
            Message::ErrorAnswer => return self.error_answer(),
            Message::TimeAnswer => {
                let time = self.document.text("currentServerTime").unwrap_or_default();
                match time.trim().parse() {
                    Ok(millis) => self.report.fields.number("time_millis", millis),
                    Err(_) => self.report.broken(self.at(&time), "the time is no number"),
                }
                return &["initializeResult/", "currentServerTime"];
            }
        }
        HOLDING_OTHERS
    }

    fn auth(&mut self) -> &'static [&'static str] {
        match AuthRequest::read(self.document, &mut self.quirks) {
            Ok(AuthRequest::Login(login)) => self.login(login),
            Ok(AuthRequest::OAuthLogin { version }) => {
                self.report.kind = "login";
                let version = version.unwrap_or_default();
                self.show("oauth_version", "OAuth/@Version", &version);
            }
            Ok(AuthRequest::Logout(Logout { session_key, user })) => {
                self.report.kind = "logout";
                self.report.fields.secret_if("user", user);
                self.report.fields.secret_if("session_key", session_key);
            }
            Ok(_) => return HOLDING_OTHERS,
            Err(error) => {
                self.what_opens();
                self.refused(&error);
                return HOLDING_OTHERS;
            }
        }
        AUTH
    }

    fn login(&mut self, login: Login) {
        self.report.kind = "login";
        let fields = &mut self.report.fields;
        fields.secret("user", login.user.as_str());
        fields.text("password", redact::password(&login.password));
        if let Some(key) = &login.crypt_session_key {
            fields.secret("crypt_session_key", key.to_base64());
        }
        fields.secret_if("camera_crypt_key", login.camera_crypt_key);
        fields.secret_if("application_key", login.application_key);
        for (name, place, value) in [
            ("timeout", "Request/@Timeout", login.timeout),
            ("persist_key", "PersistKey/@Use", login.persist_key),
            ("session_key_type", "SessionKey/@Type", login.session_key_type),
        ] {
            if let Some(value) = value {
                self.show(name, place, &value);
            }
        }
    }

    /// Shows what stands in this place.
    fn show(&mut self, name: &'static str, place: &str, value: &str) {
        self.report.fields.text(name, redact::place(place.to_owned(), value).1);
    }

    /// Of a login that the core refuses: what its own key opens.
    fn what_opens(&mut self) {
        let method = self.document.attribute("Request", "Method").unwrap_or_default();
        if method.eq_ignore_ascii_case("login") {
            self.report.kind = "login";
        }
        let key = self.document.attribute("CryptSessionKey", "Value");
        let Some(key) = key.and_then(|value| CryptSessionKey::from_base64(&value).ok()) else {
            return;
        };
        for (name, element) in [("user", "UserName"), ("password", "Password")] {
            let value = self.document.attribute(element, "Value");
            if let Some(Ok(opened)) = value.map(|value| credential::open(&key, &value)) {
                let is_user = name == "user";
                let text = if is_user { Text::secret(&*opened) } else { redact::password(&opened) };
                self.report.fields.text(name, text);
            }
        }
    }

    fn announce(&mut self, announce: Announce) -> &'static [&'static str] {
        let fields = &mut self.report.fields;
        fields.secret("session_key", announce.session_key);
        match announce.media {
            Media::Photo { album: Some(album) } => {
                fields.text("album", redact::place("Album/@Name".to_owned(), &album).1);
            }
            Media::Photo { album: None } => {}
            Media::Video { category, owner_id } => {
                fields.secret_if("category", category);
                fields.secret_if("owner_id", owner_id);
            }
        }
        fields.text("file_name", redact::file_name(&announce.file_name));
        fields.secret("text", announce.content);
        ANNOUNCE
    }

    fn email(&mut self, email: Email) -> &'static [&'static str] {
        let fields = &mut self.report.fields;
        fields.secret("user", email.sender_address());
        fields.secret("sender", email.sender.as_str());
        let recipients = email.recipients.into_iter().map(|to| Node::Text(Text::secret(to)));
        fields.add("recipients", Node::List(recipients.collect()));
        fields.secret("title", email.title);
        fields.secret("text", email.body);
        &["email/", "sender", "receiverList/", "receiver/", "receiver*", "title", "body"]
    }

    fn login_answer(&mut self) -> &'static [&'static str] {
        if let Some(answer) = LoginAnswer::scan(self.text) {
            self.report.fields.secret("session_key", answer.session_key);
            self.report.fields.secret("screen_name", answer.screen_name);
        }
        let key = self.document.attribute("CryptSessionKey", "Value");
        self.report.fields.secret_if("crypt_session_key", key);
        &[
            "Response/",
            "Response/@SessionKey",
            "CryptSessionKey/@Value",
            // <LoginPeopleID="Samsung NX Lover"/>: a parser takes the words for attributes.
            "LoginPeopleID/@*",
            "PersistKey/@Value=",
            "OAuth/@URL=http://snsgw.samsungmobile.com/oauth",
        ]
    }

    fn announce_answer(&mut self) -> &'static [&'static str] {
        if let Some(answer) = AnnounceAnswer::scan(self.text) {
            self.report.fields.text("upload_host", redact::host(&answer.host));
            self.report.fields.text("resource_id", redact::target(&answer.resource_id));
        }
        &["Response/", "Response/@HostAddr", "Response/@ResourceID"]
    }

    fn error_answer(&mut self) -> &'static [&'static str] {
        let attribute = |name| self.document.attribute("Response", name);
        for (name, place, value) in [
            ("error_code", "Response/@ErrCode", attribute("ErrCode")),
            ("error_sub_code", "Response/@ErrSubCode", attribute("ErrSubCode")),
        ] {
            if let Some(value) = value {
                self.show(name, place, &value);
            }
        }
        if let Some(reason) = scan_reason(self.text) {
            self.report.fields.text("reason", redact::refusal(reason));
        }
        &["Response/", "Response/@ErrCode", "Response/@ErrSubCode"]
    }

    /// Notes why the core refuses the message, and where.
    fn refused(&mut self, error: &MessageError) {
        let value = |element, attribute| self.document.attribute(element, attribute);
        let (at, within) = match error {
            MessageError::UnknownMethod(method) => (self.at(method), 0),
            MessageError::SessionKey(error) => {
                let within = match error {
                    SessionKeyError::Base64 { offset } => *offset,
                    _ => 0,
                };
                (value("CryptSessionKey", "Value").and_then(|value| self.at(&value)), within)
            }
            MessageError::Credential { field, error } => {
                let within = match error {
                    CredentialError::PercentSequence { offset }
                    | CredentialError::Base64 { offset } => *offset,
                    _ => 0,
                };
                (value(field, "Value").and_then(|value| self.at(&value)), within)
            }
            // What is missing could have stood anywhere up to the end.
            _ => (self.start.map(|start| start + self.bytes.len() as u64), 0),
        };
        let words = match error {
            MessageError::UnknownMethod(_) => {
                "Request/@Method is neither login nor logout".to_owned()
            }
            error => error.to_string(),
        };
        self.report.broken(at.map(|at| at + within as u64), words);
    }

    /// Where in the file a value stands.
    fn at(&self, value: &str) -> Option<u64> {
        let found = memchr::memmem::find(self.bytes, value.as_bytes())?;
        Some(self.start? + found as u64).filter(|_| !value.is_empty())
    }
}
