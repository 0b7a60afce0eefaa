//! `[MASTODON]` and its instances.

use super::old::{Family, Given, Inherits, Mastodon};
use super::toml_text::{Toml, shown};
use super::{ImportError, ReadFile};
use std::collections::BTreeSet;

/// Where the server is not known: a name that leads nowhere, so that no token goes astray.
const NOWHERE: &str = "https://mastodon.invalid";

/// Where a token is, and what its file says of its server.
struct Token {
    place: Place,
    server: Option<String>,
}

enum Place {
    Text(String),
    /// A file that was not found.
    Missing(String),
}

pub(super) fn write(
    family: &Family<'_, Mastodon<'_>>,
    read: &ReadFile<'_>,
    new: &mut Toml,
    destinations: &mut BTreeSet<String>,
) -> Result<(), ImportError> {
    let base = &family.base;
    let has_base = base.token.is_some();
    if has_base {
        account("mastodon", base, base, read, new)?;
        destinations.insert("mastodon".to_owned());
    }
    for (instance, own) in &family.instances {
        let (name, all) = (format!("mastodon-{instance}"), own.over(base));
        if all.token.is_none() {
            new.blank();
            new.comment(&format!("{} had no TOKEN and was left out.", shown(&name)));
            continue;
        }
        // With another token nothing of the first account's may be left.
        if !has_base || own.token.is_some() {
            account(&name, own, &all, read, new)?;
        } else {
            new.blank();
            new.table(&["destinations", &name]);
            new.key("extends", "mastodon");
            if let Some(url) = own.base_url {
                new.key("server", server(url).as_str());
            }
            manner(own, new);
        }
        destinations.insert(name);
    }
    Ok(())
}

/// A destination that stands by itself. An own token is for the own server, if one is said, else for
/// that of its file; only then for the inherited one.
fn account(
    name: &str,
    own: &Mastodon<'_>,
    all: &Mastodon<'_>,
    read: &ReadFile<'_>,
    new: &mut Toml,
) -> Result<(), ImportError> {
    let token = all.token.as_ref().map(|given| token(given, read)).transpose()?;
    new.blank();
    new.table(&["destinations", name]);
    new.key("type", "mastodon");
    let of_file = token.as_ref().and_then(|token| token.server.as_deref());
    let url = own.base_url.or(of_file).or(all.base_url).map(server);
    if url.is_none() {
        new.comment("BASE_URL was not given: put the address of your server here.");
    }
    let url = url.as_deref().unwrap_or(NOWHERE);
    new.key("server", url);
    match token.map(|token| token.place) {
        Some(Place::Text(text)) => {
            new.comment("Better in a file that only the server may read: token_file.");
            new.key("token", text.as_str());
        }
        Some(Place::Missing(file)) => {
            let (file, url) = (shown(&file), shown(url));
            new.comment(&format!(
                "TOKEN names the file {file}, which was not found. Log in again and name the new file \
                 here: sns-server mastodon-login {url}"
            ));
            new.key("token_file", format!("{name}.token").as_str());
        }
        None => {}
    }
    new.comment("As the Python server demanded it.");
    new.key("alt_text", "required");
    manner(all, new);
    Ok(())
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

fn server(url: &str) -> String {
    let url = url.trim().trim_end_matches('/');
    if url.contains("://") { url.to_owned() } else { format!("https://{url}") }
}

fn token(given: &Given<&str>, read: &ReadFile<'_>) -> Result<Token, ImportError> {
    let text = given.value.trim();
    let Some(file) = read(text) else {
        // Tokens are letters, digits, `-` and `_`, 43 of them at Mastodon; names have an ending, or a
        // folder, or are short.
        let is_token = text.len() >= 20
            && text.chars().all(|c| c.is_ascii_alphanumeric() || ['-', '_'].contains(&c));
        let place = match is_token {
            true => Place::Text(text.to_owned()),
            false => Place::Missing(text.to_owned()),
        };
        return Ok(Token { place, server: None });
    };
    match file.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>()[..] {
        [_, _, token, url] => {
            Ok(Token { place: Place::Text(token.to_owned()), server: Some(url.to_owned()) })
        }
        ref lines => Err(ImportError {
            line: given.line,
            problem: format!(
                "the file {} of TOKEN has {} lines, not four: client id, client secret, token, \
                 server. Put the token itself here",
                shown(text),
                lines.len()
            ),
        }),
    }
}
