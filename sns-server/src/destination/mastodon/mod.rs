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
mod rate_limit;
mod words;

pub(crate) use api::open;

use super::{Fault, Post, Progress, http, picture};
use crate::config::secret::secret;
use api::{Account, Api, Media, NewStatus, Refusal, Source, State, Status, Upload};
use bytes::Bytes;
use instance::Instance;
use look::Wanted;
use reqwest::{StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
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

    /// Looks for a status that was begun, and notes it if it is there. A token that may not read
    /// sees nothing.
    async fn look(
        &self,
        delivery: &Delivery<'_>,
        n: usize,
        files: &Range<usize>,
        progress: &mut Progress,
    ) -> Result<(), Fault> {
        let Sight::Of(account) = self.sight().await? else { return Ok(()) };
        let ids = media_ids(files, progress);
        let (text, _) = delivery.text(self);
        let wanted = match ids.is_empty() {
            true => Wanted::Text(&text, self.visibility),
            false => Wanted::Files(&ids),
        };
        let after = progress.of(&begun(n)).unwrap_or_default().to_owned();
        match look::find(&self.api, &account.id, &after, wanted).await {
            Ok(Some(found)) => progress.note(&posted(n), &in_note(&found)).await,
            Ok(None) => Ok(()),
            Err(refusal) if refusal.is(StatusCode::FORBIDDEN) => Ok(()),
            Err(refusal) => Err(refusal.fault),
        }
    }

    /// Uploads a file if that was not done, and waits until it can be used.
    async fn have_uploaded(
        &self,
        delivery: &Delivery<'_>,
        at: usize,
        progress: &mut Progress,
    ) -> Result<(), Fault> {
        match noted(progress, &media(at)).map(|(id, state)| (id.to_owned(), state == PROCESSING)) {
            Some((_, false)) => Ok(()),
            Some((id, true)) => match self.processed(&id).await {
                Ok(()) => progress.note(&media(at), &id).await,
                // It waited too long for its status, and is gone.
                Err(refusal) if refusal.is(StatusCode::NOT_FOUND) => {
                    self.upload(delivery, at, progress).await
                }
                Err(refusal) => self.give_up(refusal, at, progress).await,
            },
            None => self.upload(delivery, at, progress).await,
        }
    }

    async fn upload(
        &self,
        delivery: &Delivery<'_>,
        at: usize,
        progress: &mut Progress,
    ) -> Result<(), Fault> {
        let file = &delivery.post.files[at];
        let about = |fault: Fault| Fault {
            message: format!("{}: {}", named(&file.name), fault.message),
            ..fault
        };
        let (copy, media_type) = match file.media_type.starts_with("image/") {
            false if file.length > delivery.instance.video => {
                return Err(about(Fault::permanent(format!(
                    "the video has {}, and {} takes at most {}",
                    instance::size(file.length),
                    delivery.instance.domain,
                    instance::size(delivery.instance.video)
                ))));
            }
            false => (None, file.media_type.as_str()),
            true => {
                let fitted = picture::fit(&file.path, delivery.instance.picture).await;
                match fitted.map_err(|error| about(Fault::permanent(error.to_string())))? {
                    Some(copy) => (Some(copy), "image/jpeg"),
                    None => (None, file.media_type.as_str()),
                }
            }
        };
        let source = match copy {
            Some(copy) => Source::Copy(Bytes::from(copy)),
            None => Source::File(file.path.clone()),
        };
        let most = delivery.instance.alt_text;
        // Nothing is reserved for addresses here.
        let (description, _) = words::shortened(file.alt_text.trim(), most, 0);
        let upload = Upload { source, media_type, description: &description };
        let (Media { id }, state) =
            self.api.upload(&upload).await.map_err(|refusal| about(refusal.fault))?;
        if state == State::Processing {
            progress.note(&media(at), &format!("{id} {PROCESSING}")).await?;
            if let Err(refusal) = self.processed(&id).await {
                return self.give_up(refusal, at, progress).await.map_err(about);
            }
        }
        progress.note(&media(at), &id).await
    }

    /// Waits until a file can be used.
    async fn processed(&self, id: &str) -> Result<(), Refusal> {
        let begun = Instant::now();
        let mut pause = self.patience.poll;
        while self.api.media(id).await? == State::Processing {
            if begun.elapsed() >= self.patience.processing {
                let message = "the instance is still processing it".to_owned();
                return Err(Fault::transient(message).into());
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 3 / 2).min(Duration::from_secs(10));
        }
        Ok(())
    }

    /// What a file that could not be processed means. If it never will be, a person's retry uploads
    /// it again.
    async fn give_up(
        &self,
        refusal: Refusal,
        at: usize,
        progress: &mut Progress,
    ) -> Result<(), Fault> {
        if refusal.is(StatusCode::UNPROCESSABLE_ENTITY) || refusal.is(StatusCode::NOT_FOUND) {
            progress.note(&media(at), "").await?;
        }
        Err(refusal.fault)
    }

    /// Posts a status whose files are uploaded.
    async fn post(
        &self,
        delivery: &Delivery<'_>,
        n: usize,
        files: &Range<usize>,
        progress: &mut Progress,
    ) -> Result<(), Fault> {
        let is_retry = progress.of(&begun(n)).is_some();
        let is_blind = matches!(self.sight().await?, Sight::Forbidden);
        if !is_retry {
            let newest = self.newest().await?;
            progress.note(&begun(n), &newest).await?;
        }
        let status = match self.try_post(delivery, n, files, progress).await {
            // Mastodon says 422, Pixelfed 400 or 404, when a file waited too long for its status
            // and is gone. One that was uploaded a moment ago is not.
            Err(refusal)
                if is_retry
                    && !files.is_empty()
                    && !is_known_key(&refusal)
                    && matches!(
                        refusal.status.map(|status| status.as_u16()),
                        Some(400 | 404 | 422)
                    ) =>
            {
                if is_blind {
                    let message = format!(
                        "{}; or it was posted by an earlier attempt, and the token may not read \
                         whether it was: look there",
                        refusal.fault.message
                    );
                    return Err(Fault::permanent(message));
                }
                for at in files.clone() {
                    self.upload(delivery, at, progress).await?;
                }
                self.try_post(delivery, n, files, progress).await
            }
            answer => answer,
        };
        match status {
            Ok(status) => progress.note(&posted(n), &in_note(&status)).await,
            Err(refusal) if is_known_key(&refusal) => Err(Fault::transient(format!(
                "{}; it keeps the key of an attempt that it did not finish for an hour",
                refusal.fault.message
            ))),
            Err(refusal) => Err(refusal.fault),
        }
    }

    async fn try_post(
        &self,
        delivery: &Delivery<'_>,
        n: usize,
        files: &Range<usize>,
        progress: &Progress,
    ) -> Result<Status, Refusal> {
        let ids = media_ids(files, progress);
        let is_first = n == 0;
        // On Pixelfed each album stands alone, and needs its words.
        let has_words = is_first || delivery.instance.is_pixelfed;
        let text = if has_words { delivery.text(self).0 } else { String::new() };
        let first = noted(progress, &posted(0)).map(|(id, _)| id);
        let status = NewStatus {
            status: &text,
            media_ids: &ids,
            in_reply_to_id: first.filter(|_| !is_first && !delivery.instance.is_pixelfed),
            visibility: self.visibility,
            language: self.language.as_deref(),
            sensitive: self.sensitive,
        };
        self.api.post(&status, &format!("{}-{n}", delivery.post.id)).await
    }

    /// The newest status of the account; empty if there is none, or we may not look.
    async fn newest(&self) -> Result<String, Fault> {
        let Sight::Of(account) = self.sight().await? else { return Ok(String::new()) };
        match self.api.statuses(&account.id, "", 1).await {
            Ok(statuses) => {
                Ok(statuses.into_iter().next().map(|status| status.id).unwrap_or_default())
            }
            Err(refusal) if refusal.is(StatusCode::FORBIDDEN) => Ok(String::new()),
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

/// Pixelfed knows the `Idempotency-Key`, and says so instead of what came of it.
fn is_known_key(refusal: &Refusal) -> bool {
    refusal.is(StatusCode::BAD_REQUEST)
        && refusal.fault.message.to_lowercase().contains("idempotency")
}

/// Which files go into which status: as an earlier attempt planned it, for the instance may have
/// changed its mind since.
async fn planned(
    delivery: &Delivery<'_>,
    progress: &mut Progress,
) -> Result<Vec<Range<usize>>, Fault> {
    let files = &delivery.post.files;
    if let Some(counts) = step(progress, "plan") {
        let mut end = 0;
        let status = |count: &str| {
            let start = end;
            end += count.parse::<usize>().ok()?;
            Some(start..end)
        };
        let statuses: Option<Vec<_>> = counts.split(' ').map(status).collect();
        match statuses {
            Some(statuses) if end == files.len() => return Ok(statuses),
            _ => return Err(Fault::permanent(format!("the plan {counts:?} is not for this post"))),
        }
    }
    let statuses = words::plan(files, delivery.instance.files);
    let counts: Vec<String> = statuses.iter().map(|files| files.len().to_string()).collect();
    progress.note("plan", &counts.join(" ")).await?;
    Ok(statuses)
}

const PROCESSING: &str = "processing";

fn media(at: usize) -> String {
    format!("media.{at}")
}

fn begun(n: usize) -> String {
    format!("status.{n}.begun")
}

fn posted(n: usize) -> String {
    format!("status.{n}")
}

/// What was noted of a step; nothing if it was undone.
fn step<'a>(progress: &'a Progress, step: &str) -> Option<&'a str> {
    progress.of(step).filter(|value| !value.is_empty())
}

/// An id, and what was noted with it.
fn noted<'a>(progress: &'a Progress, name: &str) -> Option<(&'a str, &'a str)> {
    let value = step(progress, name)?;
    Some(value.split_once(' ').unwrap_or((value, "")))
}

fn media_ids(files: &Range<usize>, progress: &Progress) -> Vec<String> {
    let id = |at| noted(progress, &media(at)).map(|(id, _)| id.to_owned());
    files.clone().filter_map(id).collect()
}

fn in_note(status: &Status) -> String {
    format!("{} {}", status.id, status.url.as_deref().unwrap_or(&status.id))
}

/// A file's name as sent, harmless in a line.
fn named(name: &str) -> String {
    http::one_line(name, 80)
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
        "https" | "http" => Err(format!("{:?} is more than an instance; {example}", url.as_str())),
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
