//! `POST /<site>/auth`: login and logout.
//!
//! Law: the credentials are opened with the key that travels beside them; that key is no secret,
//! so nothing here treats it as unique or as proof of anything.
//!
//! Facts (facts.md section 2): the published NX300 captures; HMX-QF30 sends no
//! `CryptSessionKey/@Value` and only URL-encodes; `skydrive`, `flickr` and `dropbox` send an
//! element `OAuth` instead of credentials; the answer is deliberately not well-formed.

use super::{MessageError, not_empty};
use crate::answer::{Answer, Status};
use crate::quirk::{Quirk, Quirks};
use crate::wire::xml::{Document, escape};
use sns_crypto::CryptSessionKey;
use sns_crypto::credential::{self, Opener};
use std::borrow::Cow;
use std::{fmt, mem};
use zeroize::Zeroizing;

/// What the camera shows as the name of the person who is logged in. Sixteen characters are known
/// to work.
pub const SCREEN_NAME: &str = "Samsung NX Lover";

/// What is posted to `/<site>/auth`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthRequest {
    /// `Method="login"` with user and password.
    Login(Login),
    /// `Method="login"` with an `OAuth` element instead. Its flow is not reverse engineered.
    OAuthLogin {
        /// The attribute `Version`, if it is there.
        version: Option<String>,
    },
    /// `Method="logout"`.
    Logout(Logout),
}

/// A login with user and password.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The user name, decrypted.
    pub user: String,
    /// The password, decrypted.
    pub password: Zeroizing<String>,
    /// The key that sealed them; `None` if they were only URL-encoded (HMX-QF30).
    pub crypt_session_key: Option<CryptSessionKey>,
    /// The same key encrypted for Samsung, in hex, as it came.
    pub camera_crypt_key: Option<String>,
    /// `Timeout`, as it came. Captured: `3000`.
    pub timeout: Option<String>,
    /// `PersistKey/@Use`, as it came. Captured: `true`.
    pub persist_key: Option<String>,
    /// `SessionKey/@Type`, as it came. Captured: `APIF`.
    pub session_key_type: Option<String>,
    /// `ApplicationKey/@Value`, as it came.
    pub application_key: Option<String>,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("user", &self.user)
            .field("crypt_session_key", &self.crypt_session_key)
            .finish_non_exhaustive()
    }
}

/// A logout. What it carries besides its method is unknown; what is recognised is kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Logout {
    /// The session it names, if it names one.
    pub session_key: Option<String>,
    /// The user it names, if it names one that can be opened.
    pub user: Option<String>,
}

impl AuthRequest {
    /// Reads a login or logout.
    ///
    /// # Errors
    /// [`MessageError`]: an empty body, no method, or credentials that cannot be opened.
    pub fn read(document: &Document<'_>, quirks: &mut Quirks) -> Result<AuthRequest, MessageError> {
        not_empty(document)?;
        let method = document
            .attribute("Request", "Method")
            .ok_or(MessageError::Missing("Request/@Method"))?;
        if method.eq_ignore_ascii_case("logout") {
            return Ok(AuthRequest::Logout(Logout::read(document)));
        }
        if !method.eq_ignore_ascii_case("login") {
            return Err(MessageError::UnknownMethod(method.into_owned()));
        }
        if !document.has("UserName") && document.has("OAuth") {
            let version = document.attribute("OAuth", "Version").map(Cow::into_owned);
            return Ok(AuthRequest::OAuthLogin { version });
        }
        Login::read(document, quirks).map(AuthRequest::Login)
    }
}

impl Login {
    /// A login that carries its credentials in clear, and nothing else. Give it a key, and they are
    /// sealed.
    pub fn new(user: impl Into<String>, password: impl Into<String>) -> Login {
        Login {
            user: user.into(),
            password: Zeroizing::new(password.into()),
            crypt_session_key: None,
            camera_crypt_key: None,
            timeout: None,
            persist_key: None,
            session_key_type: None,
            application_key: None,
        }
    }

    fn read(document: &Document<'_>, quirks: &mut Quirks) -> Result<Login, MessageError> {
        // Quirk(HMX-QF30): no Value, because TLS was thought to be protection enough.
        let key = document
            .attribute("CryptSessionKey", "Value")
            .filter(|value| !value.trim().is_empty())
            .map(|value| CryptSessionKey::from_base64(&value))
            .transpose()?;
        match &key {
            Some(key) if key.key_is_iv() => quirks.note(Quirk::KeyIsIv),
            Some(_) => {}
            None => quirks.note(Quirk::CredentialsInClear),
        }
        let opener = key.as_ref().map(Opener::new);
        let opened = |element, field, missing| {
            let value = document.attribute(element, "Value");
            open(opener.as_ref(), field, &value.ok_or(MessageError::Missing(missing))?)
        };
        let mut user = opened("UserName", "UserName", "UserName/@Value")?;
        if user.is_empty() {
            return Err(MessageError::Missing("user name: it is empty"));
        }
        let password = opened("Password", "Password", "Password/@Value")?;
        let kept = |element, name| document.attribute(element, name).map(Cow::into_owned);
        Ok(Login {
            user: mem::take(&mut user),
            password,
            crypt_session_key: key,
            camera_crypt_key: kept("Request", "CameraCryptKey"),
            timeout: kept("Request", "Timeout"),
            persist_key: kept("PersistKey", "Use"),
            session_key_type: kept("SessionKey", "Type"),
            application_key: kept("ApplicationKey", "Value"),
        })
    }

    /// The message as an NX300 writes it, without the junk and with its closing tag.
    ///
    /// # Errors
    /// [`MessageError::Credential`] if user or password cannot be sealed.
    pub fn to_xml(&self) -> Result<String, MessageError> {
        let key = self.crypt_session_key.as_ref();
        let attribute = |name: &str, value: &Option<String>| match value {
            Some(value) => format!(" {name}=\"{}\"", escape(value)),
            None => String::new(),
        };
        let element = |name: &str, attributes: String| match attributes.is_empty() {
            true => String::new(),
            false => format!("<{name}{attributes}/>\n"),
        };
        let mut xml =
            String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Request Method=\"login\"");
        xml += &attribute("Timeout", &self.timeout);
        xml += &attribute("CameraCryptKey", &self.camera_crypt_key);
        xml += ">\n";
        xml += &format!("<UserName Value=\"{}\"/>\n", escape(&seal(key, "UserName", &self.user)?));
        let password = seal(key, "Password", &self.password)?;
        xml += &format!("<Password Value=\"{}\"/>\n", escape(&password));
        xml += &element("PersistKey", attribute("Use", &self.persist_key));
        xml += &element("SessionKey", attribute("Type", &self.session_key_type));
        let value = key.map(|key| format!(" Value=\"{}\"", key.to_base64())).unwrap_or_default();
        xml += &format!("<CryptSessionKey Use=\"true\" Type=\"SHA1\"{value}/>\n");
        xml += &element("ApplicationKey", attribute("Value", &self.application_key));
        xml += "</Request>\n";
        Ok(xml)
    }
}

impl Logout {
    fn read(document: &Document<'_>) -> Logout {
        let key = document.attribute("CryptSessionKey", "Value");
        let key = key.and_then(|value| CryptSessionKey::from_base64(&value).ok());
        let opener = key.as_ref().map(Opener::new);
        let user = document.attribute("UserName", "Value");
        Logout {
            session_key: session_key(document),
            user: user
                .and_then(|value| open(opener.as_ref(), "UserName", &value).ok())
                .map(|mut user| mem::take(&mut *user)),
        }
    }

    /// The message as an NX300 might write it. *Reconstructed*: no logout was ever captured.
    pub fn to_xml(&self) -> String {
        let session = self.session_key.as_ref();
        let session = session.map(|key| format!(" SessionKey=\"{}\"", escape(key)));
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Request Method=\"logout\"{}>\n</Request>\n",
            session.unwrap_or_default()
        )
    }
}

/// The session a message names: an attribute of the root, or an element with `Value`.
pub(super) fn session_key(document: &Document<'_>) -> Option<String> {
    document
        .attribute("Request", "SessionKey")
        .or_else(|| document.elements().find_map(|e| e.attribute("SessionKey")).map(Cow::Borrowed))
        .or_else(|| document.attribute("SessionKey", "Value"))
        .filter(|key| !key.is_empty())
        .map(Cow::into_owned)
}

fn open(
    opener: Option<&Opener<'_>>,
    field: &'static str,
    value: &str,
) -> Result<Zeroizing<String>, MessageError> {
    match opener {
        Some(opener) => opener.open(value),
        None => credential::open_plain(value),
    }
    .map_err(|error| MessageError::Credential { field, error })
}

fn seal(
    key: Option<&CryptSessionKey>,
    field: &'static str,
    text: &str,
) -> Result<String, MessageError> {
    match key {
        Some(key) => credential::seal(key, text),
        None => Ok(credential::seal_plain(text)),
    }
    .map_err(|error| MessageError::Credential { field, error })
}

/// The answer to a login.
#[derive(Clone, PartialEq, Eq)]
pub struct LoginAnswer {
    /// Names the session in everything that follows: 32 hex characters are known to work.
    pub session_key: String,
    /// The screen name.
    pub screen_name: String,
}

impl fmt::Debug for LoginAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginAnswer").finish_non_exhaustive()
    }
}

impl LoginAnswer {
    /// The bytes: order, spelling and the malformed `LoginPeopleID` are those known to work.
    pub fn to_answer(&self) -> Answer {
        let LoginAnswer { session_key, screen_name } = self;
        let body = format!(
            "<Response SessionKey=\"{session_key}\">\n\
             <PersistKey Value=\"\"/>\n\
             <CryptSessionKey Value=\"{session_key}\"/>\n\
             <LoginPeopleID=\"{screen_name}\"/>\n\
             <OAuth URL=\"http://snsgw.samsungmobile.com/oauth\"/>\n\
             </Response>"
        );
        Answer::new(Status::Ok, body)
    }

    /// Reads the answer as the firmware does: by substring.
    pub fn scan(body: &str) -> Option<LoginAnswer> {
        Some(LoginAnswer {
            session_key: scan(body, "<Response SessionKey=\"")?.to_owned(),
            screen_name: scan(body, "LoginPeopleID=\"").unwrap_or("").to_owned(),
        })
    }
}

/// What stands between `before` and the next quote, as `strstr()` finds it.
pub(crate) fn scan<'a>(body: &'a str, before: &str) -> Option<&'a str> {
    let rest = &body[body.find(before)? + before.len()..];
    Some(&rest[..rest.find('"')?])
}
