//! What the camera means: each exchange as typed messages, both directions in one file.
//!
//! Law: a message is read from a [`Document`] that has already forgiven
//! everything; only a field without which the message means nothing is an error. Values that are
//! not understood are kept as they came.

pub mod auth;
pub mod email;
pub mod media;
pub mod sso;

use crate::wire::xml::Document;

/// Why a message means nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// There is no body.
    // Quirk(NX300): it sometimes posts an empty login.
    #[error("the body is empty")]
    Empty,
    /// An element or attribute is missing.
    #[error("the message has no {0}")]
    Missing(&'static str),
    /// An address holds control characters, such as a line break that would make it two.
    #[error("the {0} holds control characters")]
    ControlCharacters(&'static str),
    /// `Method` is neither `login` nor `logout`.
    #[error("the method {0:?} is neither login nor logout")]
    UnknownMethod(String),
    /// The key that the message carries is none.
    #[error("the key of the credentials cannot be read: {0}")]
    SessionKey(#[from] sns_crypto::SessionKeyError),
    /// User or password cannot be opened with the message's own key.
    #[error("{field} cannot be opened: {error}")]
    Credential {
        /// `UserName` or `Password`.
        field: &'static str,
        /// What is wrong with it.
        error: sns_crypto::CredentialError,
    },
}

/// Refuses a body that holds nothing.
fn not_empty(document: &Document<'_>) -> Result<(), MessageError> {
    if document.is_blank() { Err(MessageError::Empty) } else { Ok(()) }
}
