//! `sns-server import-config`: the configuration of the Python server in the words of this one.
//!
//! Law: nothing is lost silently. What has no equal becomes a comment that names the key and its
//! line; what can only be guessed becomes a comment that says what to put there. The result is a
//! proposal for a person to read, secrets included.
//!
//! Facts (facts.md section 8): the keys; that a `TOKEN` is a token or names a file of client id,
//! client secret, token and server, a line each; that recipients are mailed and sites are stored
//! where `[ACTIONS]` says nothing.

mod mastodon;
mod old;
#[cfg(test)]
mod tests;
mod toml_text;

use crate::destination::command;
use old::{Action, Family, Given, Inherits, Old, Shell};
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
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
    let mut destinations = BTreeSet::from(["drop".to_owned()]);
    stores(&old, &mut new, &mut destinations);
    mail(&old, &mut new, &mut destinations);
    mastodon::write(&old.mastodon, read, &mut new, &mut destinations)?;
    commands(&old.shell, &mut new, &mut destinations)?;
    routes(&old, &mut new, &destinations);
    Ok(new.text())
}

fn places(old: &Old<'_>, new: &mut Toml) {
    new.comment("The old configuration does not say where it listens. Cameras want port 80.");
    new.key("listen", &["0.0.0.0:80"][..]);
    match old.upload_folder.or(old.session_folder.as_ref().map(|given| given.value)) {
        Some(folder) => {
            new.comment(
                "Whatever the routes say, every photo is kept below this, in photos/<user>/.",
            );
            new.key("data_dir", folder);
        }
        None => new.comment("Neither UPLOAD_FOLDER nor SESSION_FOLDER was given: ./sns-data"),
    }
    if let (Some(_), Some(Given { line, .. })) = (old.upload_folder, &old.session_folder) {
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
    if old.senders.is_empty() {
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
    for sender in &old.senders {
        // Names are compared without case.
        if seen.insert(sender.to_lowercase()) {
            new.table(&["users", sender]);
        }
    }
}

fn stores(old: &Old<'_>, new: &mut Toml, destinations: &mut BTreeSet<String>) {
    let folder = old.upload_folder.unwrap_or("./upload").trim_end_matches('/');
    new.blank();
    new.comment(
        "The action `store`: a second copy, beside the one that is kept below data_dir in any case. \
         Where that one is enough, route to \"drop\".",
    );
    new.table(&["destinations", "store"]);
    new.key("type", "store");
    new.key("path", format!("{folder}/store").as_str());
    new.key("template", "{user}/{date}/{file}");
    destinations.insert("store".to_owned());
    for action in &old.actions {
        let Some(name) = action.action.strip_prefix("store.") else { continue };
        let Some(destination) = destination_of(action) else { continue };
        if !destinations.contains(&destination) {
            new.blank();
            new.table(&["destinations", &destination]);
            new.key("extends", "store");
            // These two are data_dir's own.
            let begin = name.split('/').next().unwrap_or_default();
            let within = if ["photos", "incoming"].contains(&begin) { "store/" } else { "" };
            new.key("path", format!("{folder}/{within}{name}").as_str());
            destinations.insert(destination);
        }
    }
}

fn mail(old: &Old<'_>, new: &mut Toml, destinations: &mut BTreeSet<String>) {
    let is_asked = |action: &Action<'_>| ["mail", "email"].contains(&action.action);
    if !old.mail.is_given && !old.actions.iter().any(is_asked) {
        return;
    }
    new.blank();
    new.comment("The actions `mail` and `email`.");
    new.table(&["destinations", "smtp"]);
    new.key("type", "email");
    match old.mail.server {
        Some(host) => new.key("host", host),
        None => {
            new.comment("MAIL_SERVER was not given: the mail server of this machine.");
            new.key("host", "localhost");
        }
    }
    match old.mail.port {
        Some(port) => new.key("port", port),
        None => new.comment("MAIL_PORT was not given: the usual one of `tls`."),
    }
    let tls = match (old.mail.tls, old.mail.starttls) {
        (true, _) => "tls",
        (false, true) => "starttls",
        (false, false) => "none",
    };
    new.key("tls", tls);
    if let Some(username) = old.mail.username {
        new.key("username", username);
    }
    if let Some(password) = old.mail.password {
        new.comment("Better in a file that only the server may read: password_file.");
        new.key("password", password);
    }
    new.comment(
        "Most relays refuse senders that are not theirs: with `from`, the camera's sender becomes \
         Reply-To.",
    );
    let from = old.mail.username.filter(|name| name.contains('@')).unwrap_or("camera@example.com");
    new.commented_key("from", from);
    destinations.insert("smtp".to_owned());
}

fn commands(
    shell: &Family<'_, Shell<'_>>,
    new: &mut Toml,
    destinations: &mut BTreeSet<String>,
) -> Result<(), ImportError> {
    let base = &shell.base;
    let has_base = base.cmd.is_some();
    if has_base {
        command("shell", None, base, base, new)?;
        destinations.insert("shell".to_owned());
    }
    for (instance, own) in &shell.instances {
        let (name, all) = (format!("shell-{instance}"), own.over(base));
        if all.cmd.is_none() {
            new.blank();
            new.comment(&format!("{} had no CMD and was left out.", shown(&name)));
            continue;
        }
        match has_base {
            true => command(&name, Some("shell"), own, &all, new)?,
            false => command(&name, None, &all, &all, new)?,
        }
        destinations.insert(name);
    }
    Ok(())
}

/// Writes what is said, and makes sure that it can be run with what is inherited.
fn command(
    name: &str,
    extends: Option<&str>,
    said: &Shell<'_>,
    all: &Shell<'_>,
    new: &mut Toml,
) -> Result<(), ImportError> {
    let cmd = all.cmd.as_ref();
    let keys = command::Keys {
        argv: cmd.iter().flat_map(|cmd| &cmd.value).map(|&text| text.to_owned()).collect(),
        stdin: all.stdin.map(str::to_owned),
        per: command::Per::File,
        timeout: Duration::from_secs(60),
    };
    command::Command::new(keys).map_err(|problem| ImportError {
        line: cmd.map_or(0, |cmd| cmd.line),
        problem: format!("this command cannot be run here: {problem}"),
    })?;
    new.blank();
    new.table(&["destinations", name]);
    match extends {
        Some(base) => new.key("extends", base),
        None => new.key("type", "command"),
    }
    if let Some(cmd) = &said.cmd {
        new.key("argv", &cmd.value[..]);
    }
    if let Some(stdin) = said.stdin {
        new.key("stdin", stdin);
    }
    Ok(())
}

fn routes(old: &Old<'_>, new: &mut Toml, destinations: &BTreeSet<String>) {
    new.blank();
    new.table(&["routes"]);
    for action in &old.actions {
        route(action, new, destinations);
    }
    new.comment("What the Python server did with any other recipient, and with any other site.");
    if destinations.contains("smtp") {
        new.key("email", "smtp");
    } else {
        new.comment("Recipients were mailed, but no MAIL_SERVER is given: they are refused.");
        new.commented_key("email", "smtp");
    }
    new.key("social", "store");
}

fn route(action: &Action<'_>, new: &mut Toml, destinations: &BTreeSet<String>) {
    let Action { key, line, .. } = action;
    let to = destination_of(action).filter(|to| destinations.contains(to));
    let is_site = !key.contains('@');
    match to.as_deref() {
        None => {
            new.comment(&format!("Line {line}: there is no such action."));
            new.commented_key(key, action.action);
        }
        Some(to) if ["email", "social"].contains(key) => {
            new.comment(&format!("Line {line}: here this word means all that is not named."));
            new.commented_key(key, to);
        }
        Some("smtp") if is_site => {
            new.comment(&format!(
                "Line {line}: a social post has no recipients. Give [destinations.smtp] a list `to` \
                 first."
            ));
            new.commented_key(key, "smtp");
        }
        Some(to) => {
            if is_site && action.action.starts_with("shell") {
                new.comment("The Python server ran commands for e-mails only; here this is run.");
            }
            new.key(key, to);
        }
    }
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
