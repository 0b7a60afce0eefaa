//! The destination `email`.

use super::{Fault, Post, Progress};
use serde::Deserialize;

/// What the configuration says of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {}

/// A destination of this type.
#[derive(Debug)]
pub struct Email {}

impl Email {
    /// The destination as configured.
    ///
    /// # Errors
    /// What is wrong with the keys, and what to do.
    pub fn new(_keys: Keys) -> Result<Email, String> {
        Err("not built yet".to_owned())
    }

    /// See [`Destination::deliver`](super::Destination::deliver).
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn deliver(&self, _post: &Post, _progress: &mut Progress) -> Result<String, Fault> {
        Err(Fault::permanent("not built yet"))
    }

    /// See [`Destination::probe`](super::Destination::probe).
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn probe(&self) -> Result<String, Fault> {
        Err(Fault::permanent("not built yet"))
    }
}
