//! The destination `webhook`: a POST of JSON and files, signed.
//!
//! Law: a post has one `webhook-id` over all attempts, and each attempt its own time, so that a
//! receiver can tell a retry from a post and a replay from either. Redirects are not followed: the
//! photos go where the configuration says. The address may hold a secret, so only its host is told.
//!
//! The headers are those of <https://www.standardwebhooks.com>, with two signatures, of which a
//! receiver needs one: the first is over the whole body, the second over the JSON alone, which holds
//! the SHA-256 of every file. The second is for receivers that do not want a video in memory, and
//! for the many libraries (Python, JavaScript, Rust) that verify text only, which no photo is.

mod form;
#[cfg(test)]
mod tests;

use super::upload::Pulse;
use super::{Fault, Post, http};
use crate::clock;
use crate::config::secret::secret;
use crate::destination::Progress;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use form::Form;
use futures_util::TryStreamExt;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::{Client, Method, Response, StatusCode, Url, header};
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use serde::Deserialize;
use sha2::Sha256;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// Of what a receiver says as much is read; it may repeat our address, which is taken out.
const SHOWN: usize = 4 * 1024;

/// What the configuration says of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// Where to; a secret, as addresses of webhooks often hold one.
    pub url: SecretString,
    /// What signs: `whsec_` and base64, or any text, whose bytes are the key. Unsigned without.
    pub secret: Option<SecretString>,
    /// The same, in a file.
    pub secret_file: Option<PathBuf>,
}

/// A destination of this type.
pub struct Webhook {
    client: Client,
    url: Url,
    key: Option<SecretSlice<u8>>,
    /// How long the peer may be silent.
    silence: Duration,
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook").field("at", &self.place()).finish_non_exhaustive()
    }
}

impl Webhook {
    /// The destination as configured.
    ///
    /// # Errors
    /// What is wrong with the keys, and what to do.
    pub fn new(keys: Keys) -> Result<Webhook, String> {
        let url = Url::parse(keys.url.expose_secret()).map_err(|error| {
            format!("url: {error}; write an address such as \"https://example.com/hook\"")
        })?;
        if !["http", "https"].contains(&url.scheme()) {
            return Err(format!("url: it begins with {}:, not with https: or http:", url.scheme()));
        }
        let secret = secret("secret", keys.secret.as_ref(), keys.secret_file.as_deref())?;
        let key = secret.map(|secret| match secret.expose_secret().strip_prefix("whsec_") {
            Some(key) => match STANDARD.decode(key) {
                Ok(key) if !key.is_empty() => Ok(SecretSlice::from(key)),
                _ => Err("secret: what follows whsec_ is no base64"),
            },
            None if secret.expose_secret().is_empty() => Err("secret: it is empty"),
            None => Ok(SecretSlice::from(secret.expose_secret().as_bytes().to_vec())),
        });
        Ok(Webhook {
            client: http::uploading_client().map_err(|error| error.to_string())?,
            url,
            key: key.transpose()?,
            silence: http::SILENCE,
        })
    }

    /// See [`Destination::deliver`](super::Destination::deliver).
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn deliver(&self, post: &Post, _progress: &mut Progress) -> Result<String, Fault> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|error| Fault::transient(error.to_string()))?;
        let form = Form::new(post, &random);
        let timestamp = (clock::wall().as_millis() / 1000).to_string();

        let pulse = Pulse::of(form.length());
        let mut request = self
            .client
            .post(self.url.clone())
            .header(header::CONTENT_TYPE, form.content_type())
            .header(header::CONTENT_LENGTH, form.length())
            .header("webhook-id", &post.id)
            .header("webhook-timestamp", &timestamp)
            .body(pulse.body(form.pieces()));
        if let Some(key) = &self.key {
            let signatures = sign(key.expose_secret(), &post.id, &timestamp, &form).await?;
            request = request.header("webhook-signature", signatures);
        }
        self.judge(http::send(request, &pulse, self.silence).await?).await
    }

    /// See [`Destination::probe`](super::Destination::probe).
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn probe(&self) -> Result<String, Fault> {
        let request = self.client.request(Method::OPTIONS, self.url.clone());
        let answer = http::send(request, &Pulse::none(), self.silence).await?;
        let status = answer.status();
        let signed = match self.key {
            Some(_) => "posts are signed",
            None => "posts are not signed, as there is no secret",
        };
        Ok(format!("{} answers, {status} to OPTIONS; {signed}", self.place()))
    }

    async fn judge(&self, response: Response) -> Result<String, Fault> {
        let status = response.status();
        if status.is_success() {
            return Ok(format!("{} took it ({status})", self.place()));
        }
        let mut fault = http::refused(&response, String::new());
        fault.message = format!("{} answered {status}", self.place());
        if status.is_redirection() {
            fault.message += &self.redirect(&response);
            return Err(fault);
        }
        if status == StatusCode::GONE {
            fault.message += ": nobody wants posts there any more";
        }
        // If it breaks off, the status says enough.
        let text = http::body(response, SHOWN, self.silence).await.unwrap_or_default();
        let text = self.without_address(&String::from_utf8_lossy(&text));
        let text: String = text.trim().chars().take(200).collect();
        if !text.is_empty() {
            fault.message += &format!(": {}", text.escape_debug());
        }
        Err(fault)
    }

    /// What a peer says, but for our address in it: many repeat a path that they do not know.
    fn without_address(&self, text: &str) -> String {
        let parts = [Some(self.url.path()), self.url.query()];
        let secrets = parts.into_iter().flatten().filter(|part| part.len() > 1);
        secrets.fold(text.to_owned(), |text, part| text.replace(part, "\u{2026}"))
    }

    /// Where an answer sends us, without what may be secret in it.
    fn redirect(&self, response: &Response) -> String {
        let location = response.headers().get(header::LOCATION);
        let to = location.and_then(|to| self.url.join(to.to_str().ok()?).ok());
        let Some(to) = to else { return "; there is nothing at this url".to_owned() };
        let origin = to.origin().ascii_serialization();
        let path = if to.path() == self.url.path() { "/… (the same path)" } else { to.path() };
        let path: String = path.chars().take(200).collect();
        format!(": it is at {origin}{path}; redirects are not followed, set url to it")
    }

    fn place(&self) -> String {
        self.url.origin().ascii_serialization()
    }
}

/// The signatures over the whole body and over the JSON alone.
async fn sign(key: &[u8], id: &str, timestamp: &str, form: &Form) -> Result<String, Fault> {
    let begin = || {
        let mac = Hmac::<Sha256>::new_from_slice(key).map(|mac| mac.chain_update(id));
        mac.map(|mac| mac.chain_update(".").chain_update(timestamp).chain_update("."))
            .map_err(|error| Fault::permanent(error.to_string()))
    };
    let (mut whole, json) = (begin()?, begin()?.chain_update(form.json()));
    let mut pieces = form.pieces();
    while let Some(piece) = pieces.try_next().await? {
        whole.update(&piece);
    }
    let written =
        |mac: Hmac<Sha256>| format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    Ok(format!("{} {}", written(whole), written(json)))
}
