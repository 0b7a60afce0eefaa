//! `/security/sso/…`: the time for the ST1000/CL65, and the AllShare login of the NX300.
//!
//! Law: what is not known is not invented. The time answer is from a 2012 capture; what follows an
//! AllShare login is unknown.

use super::{MessageError, not_empty};
use crate::answer::{Answer, Status};
use crate::time::UnixTime;
use crate::wire::xml::Document;
use std::fmt;
use zeroize::Zeroizing;

/// The answer to `GET /security/sso/initialize/time`.
pub fn time_answer(now: UnixTime) -> Answer {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\
         <initializeResult><currentServerTime>{}</currentServerTime></initializeResult>",
        now.as_millis()
    );
    Answer::new(Status::Ok, body)
}

/// The time in such an answer, found by substring.
pub fn scan_time(body: &str) -> Option<UnixTime> {
    let rest = body.split_once("<currentServerTime>")?.1;
    rest.split_once('<')?.0.parse().ok().map(UnixTime::from_millis)
}

/// What the NX300 posts for "AllShare", in clear text.
#[derive(Clone, PartialEq, Eq)]
pub struct AllShareLogin {
    /// `loginID`.
    pub login_id: String,
    /// `password`.
    pub password: Zeroizing<String>,
}

impl fmt::Debug for AllShareLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AllShareLogin").field("login_id", &self.login_id).finish_non_exhaustive()
    }
}

impl AllShareLogin {
    /// Reads the login.
    ///
    /// # Errors
    /// [`MessageError`] if it is empty or has no `loginID`.
    pub fn read(document: &Document<'_>) -> Result<AllShareLogin, MessageError> {
        not_empty(document)?;
        let login_id = document.text("loginID").filter(|id| !id.trim().is_empty());
        Ok(AllShareLogin {
            login_id: login_id.ok_or(MessageError::Missing("loginID"))?,
            password: Zeroizing::new(document.text("password").unwrap_or_default()),
        })
    }

    /// The message as the NX300 writes it.
    pub fn to_xml(&self) -> String {
        use crate::wire::xml::escape;
        format!(
            "<userAuthRequest><loginID>{}</loginID><password>{}</password><duid></duid>\
             <mobileCountryCode></mobileCountryCode><tncAccepted>Y</tncAccepted></userAuthRequest>",
            escape(&self.login_id),
            escape(&self.password),
        )
    }
}
