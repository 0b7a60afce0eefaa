//! `sns-server import-config`: the configuration of the Python server in the words of this one.
//!
//! Law: nothing is lost silently. What has no equal becomes a comment that names the key and its
//! line; what can only be guessed becomes a comment that says what to put there. What is written is
//! accepted by this server, or has a comment right above that says what is to be done first. The
//! result is a proposal for a person to read, secrets included.
//!
//! Facts (facts.md section 8): the keys; that a `TOKEN` is a token or names a file of client id,
//! client secret, token and server, a line each; that recipients are mailed and sites are stored
//! where `[ACTIONS]` says nothing.

mod drafts;
mod mail;
mod mastodon;
mod old;
mod shell;
#[cfg(test)]
mod tests;
mod toml_text;

use crate::route::{DROP, Patterns, Routes};
use drafts::{Destinations, Draft};
use old::{Action, Given, Old};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use toml_text::{Toml, shown};

/// Something in the old configuration that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct ImportError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong, and what to do.
    pub problem: String,
}

/// Why a file is not turned into a configuration.
#[derive(Debug, thiserror::Error)]
pub enum ImportFileError {
    /// It cannot be read.
    #[error("cannot read {path}: {error}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// It cannot be understood.
    #[error("{path}, {error}")]
    Mistake {
        /// The file.
        path: PathBuf,
        /// Where, and what.
        error: ImportError,
    },
}

/// The configuration in our words, with a comment for what has no equal. Files of tokens are not
/// read: [`import_file`] does.
///
/// # Errors
/// [`ImportError`]: no TOML, or a known key with a value that cannot be.
pub fn import(old: &str) -> Result<String, ImportError> {
    convert(old, &|_| None)
}

/// The same of a file, and of the files with tokens that it names: they are beside it.
///
/// # Errors
/// [`ImportFileError`].
pub fn import_file(path: &Path) -> Result<String, ImportFileError> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| ImportFileError::Unreadable { path: path.to_owned(), error })?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).ok();
    convert(&text, &read).map_err(|error| ImportFileError::Mistake { path: path.to_owned(), error })
}

/// Reads a file that the old configuration names.
type ReadFile<'a> = dyn Fn(&str) -> Option<String> + 'a;

fn convert(text: &str, read: &ReadFile<'_>) -> Result<String, ImportError> {
    let table = old::parse(text)?;
    let old = Old::read(text, table.get_ref())?;
    let mut new = Toml::default();
    new.comment(
        "Made by sns-server import-config from the configuration of the Python server. Read it \
         before you use it: it may hold passwords, and comments say what has no equal here.",
    );
    new.blank();
    places(&old, &mut new);
    users(&old, &mut new);
    let mut destinations = Destinations::default();
    stores(&old, &mut new, &mut destinations);
    let is_mail = |action: &Action<'_>| ["mail", "email"].contains(&action.action);
    if old.mail.is_given || old.actions.iter().any(is_mail) {
        mail::write(&old.mail, &mut new, &mut destinations);
    }
    mastodon::write(&old.mastodon, read, &mut new, &mut destinations);
    shell::write(&old.shell, &mut new, &mut destinations);
    routes(&old, &mut new, &destinations);
    Ok(new.text())
}

fn places(old: &Old<'_>, new: &mut Toml) {
    new.comment("The old configuration does not say where it listens. Cameras want port 80.");
    new.key("listen", &["0.0.0.0:80"][..]);
    let upload = given(old.upload_folder);
    match upload.or(given(old.session_folder.as_ref().map(|given| given.value))) {
        Some(folder) => {
            new.comment(
                "Whatever the routes say, every photo is kept below this, in photos/<user>/.",
            );
            new.key("data_dir", folder);
        }
        None => new.comment("Neither UPLOAD_FOLDER nor SESSION_FOLDER was given: ./sns-data"),
    }
    if let (Some(_), Some(Given { line, .. })) = (upload, &old.session_folder) {
        new.comment(&format!(
            "SESSION_FOLDER (line {line}) has no equal: who is logged in is kept below data_dir."
        ));
    }
    if let Some(line) = old.insecure_download {
        new.comment(&format!(
            "INSECURE_DOWNLOAD (line {line}) has no equal: this server hands out no photos."
        ));
    }
    if let Some(line) = old.secret {
        new.comment(&format!(
            "SECRET (line {line}) has no equal: folders have the names of users, and no address \
             leads to them."
        ));
    }
    for (key, line) in &old.unknown {
        new.comment(&format!("{key} (line {line}) is not known and was left out."));
    }
}

fn users(old: &Old<'_>, new: &mut Toml) {
    new.blank();
    let named: Vec<&str> =
        old.senders.iter().copied().filter(|sender| !sender.trim().is_empty()).collect();
    if named.is_empty() {
        new.comment(
            "SENDERS named nobody. Name who may send, an e-mail address or a login name each, as \
             below; or say trial = true above, and anyone may.",
        );
        new.comment("[users.\"me@example.com\"]");
        return;
    }
    new.comment(
        "Whoever was in SENDERS. Each may have a password: sns-server hash-password prints its \
         password_hash.",
    );
    let mut seen = BTreeSet::new();
    for sender in named {
        // Names are compared without case.
        if seen.insert(sender.to_lowercase()) {
            new.table(&["users", sender]);
        }
    }
}

fn stores(old: &Old<'_>, new: &mut Toml, destinations: &mut Destinations) {
    let folder = given(old.upload_folder).unwrap_or("./upload").trim_end_matches('/');
    let mut draft = Draft::default();
    draft.text.comment(
        "The action `store`: a second copy, beside the one that is kept below data_dir in any case. \
         Where that one is enough, route to \"drop\".",
    );
    draft.text.table(&["destinations", "store"]);
    draft.text.key("type", "store");
    draft.text.key("path", format!("{folder}/store").as_str());
    draft.text.key("template", "{user}/{date}/{file}");
    destinations.write("store", draft, new);
    for action in &old.actions {
        let Some(name) = action.action.strip_prefix("store.") else { continue };
        let Some(destination) = destination_of(action) else { continue };
        if !destinations.has(&destination) && !destinations.lacks(&destination) {
            let mut draft = Draft { extends: Some("store"), ..Draft::default() };
            draft.text.table(&["destinations", &destination]);
            draft.text.key("extends", "store");
            // These two are data_dir's own.
            let begin = name.split('/').next().unwrap_or_default();
            let within = if ["photos", "incoming"].contains(&begin) { "store/" } else { "" };
            draft.text.key("path", format!("{folder}/{within}{name}").as_str());
            destinations.write(&destination, draft, new);
        }
    }
}

/// A text that says something.
fn given(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

fn routes(old: &Old<'_>, new: &mut Toml, destinations: &Destinations) {
    new.blank();
    new.table(&["routes"]);
    let mut patterns = BTreeSet::new();
    for action in &old.actions {
        route(action, &mut patterns, new, destinations);
    }
    new.comment("What the Python server did with any other recipient, and with any other site.");
    if destinations.has("smtp") {
        new.key("email", "smtp");
    } else {
        new.comment("Recipients were mailed, but there is no mail server above: they are refused.");
        new.commented_key("email", "smtp");
    }
    new.key("social", "store");
}

/// Writes a route. `patterns` are those that were written, in small letters.
fn route(
    action: &Action<'_>,
    patterns: &mut BTreeSet<String>,
    new: &mut Toml,
    destinations: &Destinations,
) {
    let Action { key, line, .. } = action;
    let is_site = !key.contains('@');
    let pattern = key.trim().to_lowercase();
    let alone = Patterns::from([((*key).to_owned(), Vec::new())]);
    let Some(to) = destination_of(action)
        .filter(|to| to == DROP || destinations.has(to) || destinations.lacks(to))
    else {
        new.comment(&format!("Line {line}: there is no such action."));
        return new.commented_key(key, action.action);
    };
    let comment = if ["email", "social"].contains(&pattern.as_str()) {
        "here this word means all that is not named.".to_owned()
    } else if let Err(error) = Routes::new(alone, BTreeMap::new()) {
        format!("{}.", error.problem)
    } else if patterns.contains(&pattern) {
        "this stands above already; here case does not count.".to_owned()
    } else if to == "smtp" && is_site {
        "a social post has no recipients. Give [destinations.smtp] a list `to` first.".to_owned()
    } else {
        patterns.insert(pattern);
        if destinations.lacks(&to) {
            new.comment(&format!(
                "Line {line}: {} was not taken over, see above. Until you have mended it, what comes \
                 is kept and goes nowhere.",
                shown(&to)
            ));
            new.commented_key(key, to.as_str());
            return new.key(key, DROP);
        }
        if is_site && action.action.starts_with("shell") {
            new.comment("The Python server ran commands for e-mails only; here this is run.");
        }
        return new.key(key, to.as_str());
    };
    new.comment(&format!("Line {line}: {comment}"));
    new.commented_key(key, to.as_str());
}

/// The name we give to the destination of an action.
fn destination_of(action: &Action<'_>) -> Option<String> {
    match (action.action, action.action.split_once('.')) {
        ("mail" | "email", _) => Some("smtp".to_owned()),
        (plain @ ("store" | "mastodon" | "shell" | "drop"), _) => Some(plain.to_owned()),
        (_, Some((kind @ ("store" | "mastodon" | "shell"), name))) if !name.is_empty() => {
            Some(format!("{kind}-{name}"))
        }
        _ => None,
    }
}
