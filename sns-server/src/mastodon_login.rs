//! `sns-server mastodon-login`: how the server gets a token for an account.
//!
//! Law: nobody's password is asked for; the person allows us on the instance's own page. The token is
//! written where nobody else can read it, all of it or nothing, and never over something that is
//! there.

use crate::destination::http;
use crate::destination::mastodon::{open, server_url};
use crate::disk::rename_new;
use reqwest::Url;
use serde_json::Value;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The instance shows the code instead of sending it somewhere.
const NOWHERE: &str = "urn:ietf:wg:oauth:2.0:oob";
/// Upload and post; see whose token it is, and whether a status is there.
const SCOPES: &str = "read:accounts read:statuses write:media write:statuses";
/// Pixelfed has no finer ones.
const PIXELFED_SCOPES: &str = "read write";

/// Gets a token for an account on the instance `url` and writes it to `token_file`, without one to
/// `<instance>.token` in the current folder. Reads one line, the code, from `input`.
///
/// # Errors
/// What went wrong, and what to do.
pub async fn run(
    url: &str,
    token_file: Option<&Path>,
    input: &mut dyn BufRead,
    output: &mut dyn Write,
) -> Result<(), String> {
    // People write the name alone.
    let url = if url.contains("://") { url.to_owned() } else { format!("https://{url}") };
    let server = server_url(&url)?;
    let host = server.host_str().unwrap_or_default();
    let token_file = token_file.map_or_else(|| format!("{host}.token").into(), PathBuf::from);
    // Before anybody is asked for anything: can it be written?
    drop(Draft::new(&token_file)?);

    let client = http::uploading_client().map_err(|error| format!("TLS: {error}"))?;
    let at = |path: &str| server.join(path).map_err(|error| format!("{path}: {error}"));
    let say = |output: &mut dyn Write, text: &str| {
        writeln!(output, "{text}").map_err(|error| format!("cannot ask: {error}"))
    };

    let instance = match open::call("", client.get(at("/api/v2/instance")?)).await {
        Ok(instance) => instance,
        Err(_) => open::call("asking the instance", client.get(at("/api/v1/instance")?)).await?,
    };
    let version = instance.get("version").and_then(Value::as_str).unwrap_or_default();
    let is_pixelfed = version.to_lowercase().contains("pixelfed");
    let scopes = if is_pixelfed { PIXELFED_SCOPES } else { SCOPES };

    let app = client.post(at("/api/v1/apps")?).form(&[
        ("client_name", "sns-server"),
        ("redirect_uris", NOWHERE),
        ("scopes", scopes),
    ]);
    let app = open::call("registering sns-server", app).await?;
    let (id, secret) = (text_of(&app, "client_id")?, text_of(&app, "client_secret")?);

    let mut page = at("/oauth/authorize")?;
    page.query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", &id)
        .append_pair("redirect_uri", NOWHERE)
        .append_pair("scope", scopes);
    say(output, "Open this page, log in as who is to post, and allow it:\n")?;
    say(output, &format!("{page}\n"))?;
    write!(output, "The code that is shown then: ")
        .and_then(|()| output.flush())
        .map_err(|error| format!("cannot ask: {error}"))?;
    let mut code = String::new();
    input.read_line(&mut code).map_err(|error| format!("cannot read the code: {error}"))?;
    let code = code.trim();
    if code.is_empty() {
        return Err("no code, no token; nothing was written".to_owned());
    }

    let token = client.post(at("/oauth/token")?).form(&[
        ("grant_type", "authorization_code"),
        ("code", code),
        ("client_id", &id),
        ("client_secret", &secret),
        ("redirect_uri", NOWHERE),
        ("scope", scopes),
    ]);
    let token = open::call("exchanging the code", token).await?;
    let token = text_of(&token, "access_token")?;

    let account = client.get(at("/api/v1/accounts/verify_credentials")?).bearer_auth(&token);
    let account = open::call("trying the token", account).await?;
    let username = text_of(&account, "username")?;

    Draft::new(&token_file)?.keep(&token, &token_file)?;
    let shown = fs::canonicalize(&token_file).unwrap_or(token_file);
    let username = http::one_line(&username, 100);
    say(output, &format!("\nThe token of @{username}@{host} is in {}.", shown.display()))?;
    say(output, &section(&server, &shown))
}

fn text_of(answer: &Value, key: &str) -> Result<String, String> {
    let text = answer.get(key).and_then(Value::as_str);
    text.map(str::to_owned).ok_or_else(|| format!("the instance's answer has no {key}"))
}

/// What to put in the configuration.
fn section(server: &Url, token_file: &Path) -> String {
    let server = server.as_str().trim_end_matches('/');
    // A literal string of TOML: no path has a quote, or its owner knows.
    format!(
        "In the configuration (the user that sns-server runs as has to be able to read the file):\n\n\
         [destinations.masto]\n\
         type = \"mastodon\"\n\
         server = \"{server}\"\n\
         token_file = '{}'\n\n\
         [routes]\n\
         social = \"masto\"\n",
        token_file.display()
    )
}

/// The file while it is written; gone if nothing comes of it.
struct Draft {
    path: PathBuf,
    file: File,
}

impl Draft {
    fn new(token_file: &Path) -> Result<Draft, String> {
        let name = token_file
            .file_name()
            .ok_or_else(|| format!("{} is no file to write a token to", token_file.display()))?;
        if token_file.symlink_metadata().is_ok() {
            return Err(format!(
                "{} is there already: remove it first, or name another with --token-file",
                token_file.display()
            ));
        }
        let mut draft = std::ffi::OsString::from(".");
        draft.push(name);
        draft.push(format!(".{}", std::process::id()));
        let path = token_file.with_file_name(draft);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let file = file.map_err(|error| format!("cannot write {}: {error}", path.display()))?;
        Ok(Draft { path, file })
    }

    fn keep(mut self, token: &str, token_file: &Path) -> Result<(), String> {
        let failed = |error: std::io::Error| {
            format!("cannot write {}: {error}; the token is lost", token_file.display())
        };
        writeln!(self.file, "{token}").and_then(|()| self.file.sync_all()).map_err(failed)?;
        rename_new(&self.path, token_file).map_err(|error| failed(error.into()))?;
        let folder = match token_file.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // Once renamed it is no longer there.
        let _ = fs::remove_file(&self.path);
    }
}
