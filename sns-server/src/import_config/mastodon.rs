//! `[MASTODON]` and its instances.

use super::ReadFile;
use super::drafts::{Destinations, Draft};
use super::old::{Family, Given, Inherits, Mastodon};
use super::toml_text::{Toml, shown};
use crate::destination::mastodon::server_url;

/// Where the server is not known: a name that leads nowhere, so that no token goes astray.
const NOWHERE: &str = "https://mastodon.invalid";
/// Tokens have no spaces, and those of Mastodon 43 characters; a shorter one could be a name.
const SHORTEST_TOKEN: usize = 20;
/// How names of files end that hold tokens.
const ENDINGS: [&str; 17] = [
    "secret",
    "secrets",
    "token",
    "txt",
    "key",
    "cred",
    "creds",
    "credentials",
    "conf",
    "cfg",
    "ini",
    "json",
    "toml",
    "yaml",
    "yml",
    "dat",
    "env",
];

/// Where a token is, and what its file says of its server.
struct Token {
    place: Place,
    server: Option<String>,
}

enum Place {
    /// The token, and what is to be said of it.
    Text(String, Option<&'static str>),
    /// It has to be got again, for this reason.
    Nowhere(String),
}

pub(super) fn write(
    family: &Family<'_, Mastodon<'_>>,
    read: &ReadFile<'_>,
    new: &mut Toml,
    destinations: &mut Destinations,
) {
    let base = &family.base;
    let has_base = base.token.is_some()
        && destinations.write("mastodon", account("mastodon", base, base, read), new);
    for (instance, own) in &family.instances {
        let (name, all) = (format!("mastodon-{instance}"), own.over(base));
        if all.token.is_none() {
            destinations.leave_out(name, "had no TOKEN", new);
            continue;
        }
        // With another token nothing of the first account's may be left.
        let draft = match has_base && own.token.is_none() {
            true => heir(&name, own),
            false => account(&name, own, &all, read),
        };
        destinations.write(&name, draft, new);
    }
}

/// A destination that has the first account's token.
fn heir(name: &str, own: &Mastodon<'_>) -> Draft {
    let mut draft = Draft { extends: Some("mastodon"), ..Draft::default() };
    draft.text.table(&["destinations", name]);
    draft.text.key("extends", "mastodon");
    if let Some(url) = &own.base_url {
        server(url, &mut draft.text);
    }
    manner(own, &mut draft.text);
    draft
}

/// A destination that stands by itself. An own token is for the own server, if one is said, else for
/// that of its file; only then for the inherited one.
fn account(name: &str, own: &Mastodon<'_>, all: &Mastodon<'_>, read: &ReadFile<'_>) -> Draft {
    let mut draft = Draft::default();
    let new = &mut draft.text;
    let token = all.token.as_ref().map(|given| token(given, read));
    new.table(&["destinations", name]);
    new.key("type", "mastodon");
    let line = all.token.as_ref().map_or(0, |given| given.line);
    let of_file = token.as_ref().and_then(|token| token.server.as_deref());
    let of_file = of_file.map(|value| Given { value, line });
    let url = match own.base_url.as_ref().or(of_file.as_ref()).or(all.base_url.as_ref()) {
        Some(url) => server(url, new),
        None => {
            new.comment("BASE_URL was not given: put the address of your server here.");
            new.key("server", NOWHERE);
            NOWHERE.to_owned()
        }
    };
    match token.map(|token| token.place) {
        Some(Place::Text(text, comment)) => {
            comment.into_iter().for_each(|comment| new.comment(comment));
            new.comment("Better in a file that only the server may read: token_file.");
            new.key("token", text.as_str());
        }
        Some(Place::Nowhere(why)) => {
            new.comment(&format!(
                "{why}. Log in again and name the new file here: sns-server mastodon-login {}",
                shown(&url)
            ));
            let file = format!("{name}.token");
            new.key("token_file", file.as_str());
            let line = new.as_str().lines().last().unwrap_or_default().to_owned();
            draft.waits = Some((line, "token = \"t\""));
        }
        None => {}
    }
    let new = &mut draft.text;
    new.comment("As the Python server demanded it.");
    new.key("alt_text", "required");
    manner(all, new);
    draft
}

/// How posts look.
fn manner(said: &Mastodon<'_>, new: &mut Toml) {
    match &said.visibility {
        Some(Given { value, .. })
            if ["public", "unlisted", "private", "direct"].contains(value) =>
        {
            new.key("visibility", *value);
        }
        Some(Given { value, line }) => {
            new.comment(&format!("Line {line}: public, unlisted, private or direct?"));
            new.commented_key("visibility", *value);
        }
        None => {}
    }
    if let Some(postscript) = said.postscript {
        new.key("postscript", postscript);
    }
}

/// Writes the server: as it was given, or what of it is one.
fn server(given: &Given<&str>, new: &mut Toml) -> String {
    let (text, line) = (given.value.trim().trim_end_matches('/'), given.line);
    let text = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    let mut server = text.clone();
    if server_url(&text).is_err() {
        let origin = reqwest::Url::parse(&text).map(|url| url.origin().ascii_serialization());
        match origin.ok().filter(|origin| server_url(origin).is_ok()) {
            Some(origin) => {
                new.comment(&format!(
                    "Line {line} had more than the address of a server. Only that was taken: is it \
                     right?"
                ));
                server = origin;
            }
            None => {
                new.comment(&format!(
                    "Line {line} has no address of a server: put that of yours here."
                ));
                server = NOWHERE.to_owned();
            }
        }
    }
    new.key("server", server.as_str());
    server
}

fn token(given: &Given<&str>, read: &ReadFile<'_>) -> Token {
    let (text, line) = (given.value.trim(), given.line);
    let nowhere = |why: String| Token { place: Place::Nowhere(why), server: None };
    if text.is_empty() {
        return nowhere(format!("TOKEN (line {line}) was empty"));
    }
    let Some(file) = read(text) else {
        if is_name(text) {
            return nowhere(format!(
                "TOKEN (line {line}) names the file {}, which was not found",
                shown(text)
            ));
        }
        if !text.chars().all(|c| c.is_ascii_graphic()) {
            return nowhere(format!(
                "TOKEN (line {line}) was more than a token, which is one word"
            ));
        }
        let comment = (text.len() < SHORTEST_TOKEN).then_some(
            "There is no file of this name, so it is taken for the token itself. Was it a file? \
             Then put here what stands in its third line.",
        );
        return Token { place: Place::Text(text.to_owned(), comment), server: None };
    };
    match file.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>()[..] {
        [_, _, token, url] if token.chars().all(|c| c.is_ascii_graphic()) => {
            Token { place: Place::Text(token.to_owned(), None), server: Some(url.to_owned()) }
        }
        ref lines => nowhere(format!(
            "TOKEN (line {line}) names the file {}, which does not have four lines (client id, client \
             secret, token, server) but {}",
            shown(text),
            lines.len()
        )),
    }
}

/// Whether a text looks like the name of a file: it has folders, or ends as files do. Dots alone say
/// nothing: `eyJhbGciOi.eyJzdWIi.SflKxwRJ` is a token. Neither do the `/`, `+` and `=` of base64.
fn is_name(text: &str) -> bool {
    let has_folders = text.contains('/') && !text.contains(['+', '=']);
    let ending = text.rsplit_once('.').map(|(_, ending)| ending.to_lowercase());
    has_folders || ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()))
}
