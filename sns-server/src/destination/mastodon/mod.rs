//! The destination `mastodon`: an account on a Mastodon, Pixelfed or GoToSocial instance.
//!
//! Law: what a retry finds done is not done again. The steps of a delivery, as they are noted:
//!
//! | step | noted | value |
//! | --- | --- | --- |
//! | `plan` | before anything else | files in each status: `4 1` |
//! | `media.<file>` | when the instance has it | its id, and ` processing` until it can be used |
//! | `status.<n>.begun` | before it is posted | the newest status of the account then |
//! | `status.<n>` | when it is posted | its id and its address |
//!
//! All files are uploaded before the first status is posted, so that one that is refused leaves no
//! half of a post. A status that was begun and not noted as posted may be there nevertheless: then
//! we look before we post again. The `Idempotency-Key` alone would not do: instances forget it after
//! an hour, which is less than a night without uplink; Pixelfed answers a key that it knows with an
//! error, and some releases of Mastodon crash on it. It still is sent, for a request that is under way
//! while we look.

mod api;
mod instance;
mod look;
mod posting;
mod rate_limit;
mod steps;
mod uploading;
mod words;

pub(crate) use api::open;

use super::{Fault, Post, Progress, http};
use crate::config::secret::secret;
use api::{Account, Api};
use instance::Instance;
use reqwest::{StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use steps::{begun, noted, planned, posted, step};
use tokio::time::Instant;

/// How long an instance's word about its limits counts.
const LIMITS_LIVE: Duration = Duration::from_secs(60 * 60);

/// What the configuration says of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// The instance: `https://photog.social`.
    pub server: String,
    /// The access token.
    pub token: Option<SecretString>,
    /// A file that holds it.
    pub token_file: Option<PathBuf>,
    /// Who may see what is posted; without it, as the account's preferences say.
    pub visibility: Option<Visibility>,
    /// Below each text.
    #[serde(default)]
    pub postscript: String,
    /// The language of what people type, as `en`.
    pub language: Option<String>,
    /// Whether pictures are hidden until one clicks; without it, as the account's preferences say.
    pub sensitive: Option<bool>,
    /// Whether the camera is named below the text.
    #[serde(default = "yes")]
    pub camera_line: bool,
}

fn yes() -> bool {
    true
}

/// Who may see a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// Everyone, and it is shown on public timelines.
    Public,
    /// Everyone, but it is not shown there.
    Unlisted,
    /// Followers.
    Private,
    /// Those who are mentioned.
    Direct,
}

impl Visibility {
    fn as_str(self) -> &'static str {
        match self {
            Visibility::Public => "public",
            Visibility::Unlisted => "unlisted",
            Visibility::Private => "private",
            Visibility::Direct => "direct",
        }
    }
}

/// How long an instance is waited for.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Without any byte.
    pub silence: Duration,
    /// For the processing of one file; then another attempt goes on waiting.
    pub processing: Duration,
    /// Before it is asked again whether a file is processed; each time longer.
    pub poll: Duration,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience {
            silence: http::SILENCE,
            processing: Duration::from_secs(5 * 60),
            poll: Duration::from_secs(1),
        }
    }
}

/// A destination of this type.
#[derive(Debug)]
pub struct Mastodon {
    api: Box<Api>,
    visibility: Option<Visibility>,
    postscript: String,
    language: Option<String>,
    sensitive: Option<bool>,
    camera_line: bool,
    patience: Patience,
    instance: Mutex<Option<(Instant, Arc<Instance>)>>,
    account: Mutex<Option<Arc<Account>>>,
}

/// Whether the token lets us look at the account.
enum Sight {
    Of(Arc<Account>),
    Forbidden,
}

impl Mastodon {
    /// The destination as configured.
    ///
    /// # Errors
    /// What is wrong with the keys, and what to do.
    pub fn new(keys: Keys) -> Result<Mastodon, String> {
        Mastodon::with_patience(keys, Patience::default())
    }

    /// The destination as configured, with another patience.
    ///
    /// # Errors
    /// As [`Mastodon::new`].
    pub fn with_patience(keys: Keys, patience: Patience) -> Result<Mastodon, String> {
        let server = server_url(&keys.server).map_err(|error| format!("server: {error}"))?;
        let login = format!("sns-server mastodon-login {}", keys.server);
        let token = secret("token", keys.token.as_ref(), keys.token_file.as_deref())?
            .ok_or_else(|| format!("token_file is missing: {login} makes one"))?;
        if !token.expose_secret().chars().all(|c| c.is_ascii_graphic()) {
            return Err(format!(
                "the token is more than a token, which is one word: {login} makes one"
            ));
        }
        if let Some(language) = &keys.language
            && !(language.len() >= 2
                && language.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'))
        {
            return Err(format!("language: {language:?} is none; write a code such as \"en\""));
        }
        let client = http::uploading_client().map_err(|error| format!("TLS: {error}"))?;
        Ok(Mastodon {
            api: Box::new(Api::new(client, server, token, patience.silence)),
            visibility: keys.visibility,
            postscript: keys.postscript,
            language: keys.language,
            sensitive: keys.sensitive,
            camera_line: keys.camera_line,
            patience,
            instance: Mutex::default(),
            account: Mutex::default(),
        })
    }

    /// See [`Destination::deliver`](super::Destination::deliver).
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn deliver(&self, post: &Post, progress: &mut Progress) -> Result<String, Fault> {
        if post.text.trim().is_empty() && post.files.is_empty() {
            return Err(Fault::permanent("there is neither a text nor a file to post"));
        }
        let instance = self.instance().await?;
        let delivery = Delivery { post, instance: &instance };
        let statuses = planned(&delivery, progress).await?;

        // At most one was begun and not finished.
        for (n, files) in statuses.iter().enumerate() {
            if step(progress, &posted(n)).is_none() && progress.of(&begun(n)).is_some() {
                self.look(&delivery, n, files, progress).await?;
            }
        }
        for (n, files) in statuses.iter().enumerate() {
            if step(progress, &posted(n)).is_none() {
                for at in files.clone() {
                    self.have_uploaded(&delivery, at, progress).await?;
                }
            }
        }
        for (n, files) in statuses.iter().enumerate() {
            if step(progress, &posted(n)).is_none() {
                self.post(&delivery, n, files, progress).await?;
            }
        }

        let (_, address) = noted(progress, &posted(0)).unwrap_or_default();
        let mut report = address.to_owned();
        match statuses.len() - 1 {
            0 => {}
            1 => report += " and 1 more status",
            more => report += &format!(" and {more} more statuses"),
        }
        if delivery.text(self).1 {
            report += &format!(" (text cut to {} characters)", instance.characters);
        }
        Ok(report)
    }

    /// See [`Destination::probe`](super::Destination::probe).
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn probe(&self) -> Result<String, Fault> {
        let instance = Arc::new(self.api.instance().await?);
        let limits = instance.in_words();
        match self.sight().await? {
            Sight::Of(account) => {
                Ok(format!("posts as @{}@{}; {limits}", account.username, instance.domain))
            }
            Sight::Forbidden => Ok(format!(
                "posts to {}; {limits}; but the token may not read (scopes read:accounts and \
                 read:statuses), so a post whose answer is lost cannot be looked for",
                instance.domain
            )),
        }
    }

    /// What the instance takes; asked once an hour.
    async fn instance(&self) -> Result<Arc<Instance>, Fault> {
        let known = self.instance.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((at, instance)) = known
            && at.elapsed() < LIMITS_LIVE
        {
            return Ok(instance);
        }
        let instance = Arc::new(self.api.instance().await?);
        let known = (Instant::now(), Arc::clone(&instance));
        *self.instance.lock().unwrap_or_else(PoisonError::into_inner) = Some(known);
        Ok(instance)
    }

    /// Whose token it is; asked once.
    async fn sight(&self) -> Result<Sight, Fault> {
        let known = self.account.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(account) = known {
            return Ok(Sight::Of(account));
        }
        match self.api.account().await {
            Ok(account) => {
                let account = Arc::new(account);
                let known = Some(Arc::clone(&account));
                *self.account.lock().unwrap_or_else(PoisonError::into_inner) = known;
                Ok(Sight::Of(account))
            }
            Err(refusal) if refusal.is(StatusCode::FORBIDDEN) => Ok(Sight::Forbidden),
            Err(refusal) => Err(refusal.fault),
        }
    }
}

/// A post, and who is to have it.
struct Delivery<'a> {
    post: &'a Post,
    instance: &'a Instance,
}

impl Delivery<'_> {
    /// What the first status says, and whether the person's text was cut for it.
    fn text(&self, to: &Mastodon) -> (String, bool) {
        let camera = self.post.camera.as_deref().filter(|_| to.camera_line);
        words::compose(&self.post.text, camera, &to.postscript, self.instance)
    }
}

/// The address of an instance, as a person writes it.
///
/// # Errors
/// What is wrong with it, and how to write it.
pub(crate) fn server_url(text: &str) -> Result<Url, String> {
    let example = "write the instance as \"https://photog.social\"";
    let url = Url::parse(text.trim()).map_err(|error| format!("{text:?}: {error}; {example}"))?;
    let is_bare = url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    match url.scheme() {
        "https" | "http" if url.has_host() && is_bare => Ok(url),
        // It may hold a password, so it is not shown.
        "https" | "http" => Err(format!("this is more than an instance; {example}")),
        _ => Err(format!("{text:?} is no address; {example}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(toml: &str) -> Result<Mastodon, String> {
        let keys: Keys = toml::from_str(toml).map_err(|error| error.message().to_owned())?;
        Mastodon::new(keys)
    }

    #[test]
    fn wrong_keys_are_named() {
        let refused = [
            ("server = 'photog.social'\ntoken = 't'", "server: \"photog.social\": relative URL"),
            ("server = 'ftp://a.b'\ntoken = 't'", "server: \"ftp://a.b\" is no address"),
            ("server = 'https://a.b/@me'\ntoken = 't'", "is more than an instance"),
            (
                "server = 'https://a.b'",
                "token_file is missing: sns-server mastodon-login https://a.b",
            ),
            ("server = 'https://a.b'\ntoken = 't'\ntoken_file = 'x'", "both token and token_file"),
            (
                "server = 'https://a.b'\ntoken_file = '/no/such'",
                "token_file /no/such: No such file",
            ),
            ("server = 'https://a.b'\ntoken = \"a\\nb\"", "the token is more than a token"),
            ("server = 'https://a.b'\ntoken = 't'\nvisibility = 'all'", "unknown variant `all`"),
            ("server = 'https://a.b'\ntoken = 't'\nlanguage = 'English, please'", "language:"),
            (
                "server = 'https://a.b'\ntoken = 't'\nvisiblity = 'public'",
                "unknown field `visiblity`",
            ),
            ("token = 't'", "missing field `server`"),
        ];
        for (toml, error) in refused {
            let said = keys(toml).err().unwrap_or_default();
            assert!(said.contains(error), "{toml}: {said:?}");
        }
        let fine =
            keys("server = 'https://a.b/'\ntoken = 'secret-token'\nsensitive = true").unwrap();
        assert!(!format!("{fine:?}").contains("secret-token"));
    }
}
