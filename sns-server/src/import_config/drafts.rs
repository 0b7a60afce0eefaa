//! Destinations as they are proposed: each is tried before it is written.
//!
//! Law: what is written as a destination is one that this server accepts, or stands below a comment
//! that says what the owner has to do first; what it does not accept is written as a comment, with
//! the reason, and the rest goes on without it.

use super::toml_text::{Toml, shown};
use crate::config::{Config, ConfigError};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A destination that is not written yet.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) text: Toml,
    /// The destination that it extends.
    pub(super) extends: Option<&'static str>,
    /// A line that cannot be accepted before its owner has done what the comment above it says, and
    /// one that is tried in its place.
    pub(super) waits: Option<(String, &'static str)>,
}

/// What became of all destinations.
#[derive(Debug, Default)]
pub(super) struct Destinations {
    /// Those that were written, and their text as it was tried.
    written: BTreeMap<String, String>,
    left_out: BTreeSet<String>,
}

impl Destinations {
    /// Whether there is such a destination.
    pub(super) fn has(&self, name: &str) -> bool {
        self.written.contains_key(name)
    }

    /// Whether there would be one if it could be accepted.
    pub(super) fn lacks(&self, name: &str) -> bool {
        self.left_out.contains(name)
    }

    /// Why this server would not accept a destination.
    pub(super) fn refuses(&self, draft: &Draft) -> Option<String> {
        self.try_it(draft).err()
    }

    /// Its text as it was tried, or why it is refused.
    fn try_it(&self, draft: &Draft) -> Result<String, String> {
        let own = draft.text.as_str();
        let own = match &draft.waits {
            Some((line, other)) => own.replace(line.as_str(), other),
            None => own.to_owned(),
        };
        let base = draft.extends.and_then(|base| self.written.get(base));
        let base = base.map_or("", String::as_str);
        match Config::parse(Path::new(""), &format!("trial = true\n{base}{own}")) {
            Ok(_) => Ok(own),
            Err(ConfigError::Mistake { problem, .. }) => {
                // The lines are not those of any file.
                Err(problem.split(" ([destinations.").next().unwrap_or_default().to_owned())
            }
            Err(error) => Err(error.to_string()),
        }
    }

    /// Writes a destination, or the comment that is left of it. Whether it was accepted.
    pub(super) fn write(&mut self, name: &str, draft: Draft, new: &mut Toml) -> bool {
        new.blank();
        match self.try_it(&draft) {
            Ok(tried) => {
                self.written.insert(name.to_owned(), tried);
                new.append(&draft.text);
                true
            }
            Err(problem) => {
                new.comment(&format!(
                    "This is not accepted here, so it is a comment. Mend it and take the # away. {problem}"
                ));
                new.commented(&draft.text);
                self.left_out.insert(name.to_owned());
                false
            }
        }
    }

    /// Says that there is nothing to write.
    pub(super) fn leave_out(&mut self, name: String, why: &str, new: &mut Toml) {
        new.blank();
        new.comment(&format!("{} {why} and was left out.", shown(&name)));
        self.left_out.insert(name);
    }
}
