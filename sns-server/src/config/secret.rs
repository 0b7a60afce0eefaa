//! Secrets of the configuration: given in the file itself, or in a file of their own.
//!
//! Law: a secret is never shown, in no log and no `Debug`.

use secrecy::SecretString;
use std::path::Path;

/// The secret of a key that may also be given as `…_file`; `None` if neither is given. White space
/// around what a file holds does not count.
///
/// # Errors
/// Both are given, or the file cannot be read or is empty.
pub fn secret(
    key: &str,
    inline: Option<&SecretString>,
    file: Option<&Path>,
) -> Result<Option<SecretString>, String> {
    match (inline, file) {
        (Some(_), Some(_)) => Err(format!("both {key} and {key}_file are given")),
        (Some(secret), None) => Ok(Some(secret.clone())),
        (None, Some(file)) => {
            let text = std::fs::read_to_string(file)
                .map_err(|error| format!("{key}_file {}: {error}", file.display()))?;
            match text.trim() {
                "" => Err(format!("{key}_file {} is empty", file.display())),
                text => Ok(Some(SecretString::from(text))),
            }
        }
        (None, None) => Ok(None),
    }
}
