//! The calls of the API that Mastodon, Pixelfed and GoToSocial share.
//!
//! Law: a failure says which call it was and what the instance said, never the token.

use super::instance::Instance;
use super::rate_limit;
use crate::destination::upload::{PIECE, Pulse, Source};
use crate::destination::{Fault, FaultKind, http};
use reqwest::multipart::{Form, Part};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, Url, header};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Forty statuses with all that belongs to them are far below this.
const LONGEST_ANSWER: usize = 4 * 1024 * 1024;
/// Of what is not understood as much is read.
const LONGEST_ERROR: usize = 64 * 1024;
/// Characters of an instance's error text that are shown.
const ERROR_TEXT: usize = 300;

/// Somebody to talk to: an instance and the account's token.
#[derive(Debug)]
pub(super) struct Api {
    client: Client,
    pub(super) server: Url,
    token: SecretString,
    silence: Duration,
    /// The instance has no `/api/v2/media`.
    old_media: AtomicBool,
}

/// A call that did not succeed.
#[derive(Debug)]
pub(super) struct Refusal {
    /// What the instance answered, if it did.
    pub(super) status: Option<StatusCode>,
    /// What that means.
    pub(super) fault: Fault,
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Fault {
        refusal.fault
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Refusal {
        Refusal { status: None, fault }
    }
}

impl Refusal {
    pub(super) fn is(&self, status: StatusCode) -> bool {
        self.status == Some(status)
    }
}

/// Of an account, what is needed of it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Account {
    pub(super) id: String,
    pub(super) username: String,
}

/// Of a file on an instance.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Media {
    pub(super) id: String,
}

/// How far an instance is with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Ready,
    Processing,
}

/// Of a status that is there.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Status {
    pub(super) id: String,
    #[serde(default)]
    pub(super) url: Option<String>,
    #[serde(default)]
    pub(super) content: String,
    #[serde(default)]
    pub(super) visibility: Option<String>,
    #[serde(default)]
    pub(super) media_attachments: Vec<Media>,
}

/// A status to be.
#[derive(Debug, Serialize)]
pub(super) struct NewStatus<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) status: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub(super) media_ids: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) in_reply_to_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) visibility: Option<super::Visibility>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) language: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sensitive: Option<bool>,
}

/// A file to upload.
#[derive(Debug)]
pub(super) struct Upload<'a> {
    pub(super) source: Source,
    pub(super) length: u64,
    pub(super) media_type: &'a str,
    pub(super) description: &'a str,
}

impl Api {
    pub(super) fn new(client: Client, server: Url, token: SecretString, silence: Duration) -> Api {
        Api { client, server, token, silence, old_media: AtomicBool::new(false) }
    }

    /// What the instance says of itself; `/api/v1/instance` where there is no newer one.
    pub(super) async fn instance(&self) -> Result<Instance, Refusal> {
        let host = self.server.host_str().unwrap_or_default();
        let mut answer = self.get::<Value>("/api/v2/instance", &[]).await;
        if answer.as_ref().is_err_and(|refusal| refusal.is(StatusCode::NOT_FOUND)) {
            answer = self.get::<Value>("/api/v1/instance", &[]).await;
        }
        match answer {
            Ok(answer) => Ok(Instance::read(&answer, host)),
            Err(refusal) if refusal.is(StatusCode::NOT_FOUND) => {
                Ok(Instance::read(&Value::Null, host))
            }
            Err(refusal) => Err(refusal),
        }
    }

    /// Whose token it is.
    pub(super) async fn account(&self) -> Result<Account, Refusal> {
        self.get("/api/v1/accounts/verify_credentials", &[]).await
    }

    /// Statuses of an account, the newest first: those that came next after `after`, or without it
    /// the newest of all.
    pub(super) async fn statuses(
        &self,
        account: &str,
        after: &str,
        most: u8,
    ) -> Result<Vec<Status>, Refusal> {
        let most = most.to_string();
        let mut query = vec![("limit", most.as_str()), ("exclude_reblogs", "true")];
        if !after.is_empty() {
            query.push(("min_id", after));
        }
        self.get(&format!("/api/v1/accounts/{account}/statuses"), &query).await
    }

    /// Uploads a file.
    pub(super) async fn upload(&self, upload: &Upload<'_>) -> Result<(Media, State), Refusal> {
        if !self.old_media.load(Ordering::Relaxed) {
            match self.upload_to("/api/v2/media", upload).await {
                Err(refusal) if refusal.is(StatusCode::NOT_FOUND) => {
                    self.old_media.store(true, Ordering::Relaxed);
                }
                answer => return answer,
            }
        }
        self.upload_to("/api/v1/media", upload).await
    }

    async fn upload_to(&self, path: &str, upload: &Upload<'_>) -> Result<(Media, State), Refusal> {
        let pulse = Pulse::of(upload.length);
        let pieces = upload.source.clone().pieces(upload.length, PIECE);
        let part = Part::stream_with_length(pulse.body(pieces), upload.length);
        let (_, extension) = upload.media_type.split_once('/').unwrap_or_default();
        // The name on the camera is nobody's business; instances want one nevertheless.
        let part = part.file_name(format!("file.{extension}"));
        let part = part.mime_str(upload.media_type).map_err(|error| http::unanswered(&error))?;
        let mut form = Form::new();
        if !upload.description.is_empty() {
            form = form.text("description", upload.description.to_owned());
        }
        let request = self.request(Method::POST, path).multipart(form.part("file", part));
        let (status, media) = self.call(&format!("POST {path}"), request, &pulse).await?;
        let state = match status {
            StatusCode::ACCEPTED => State::Processing,
            _ => State::Ready,
        };
        Ok((media, state))
    }

    /// How far the instance is with a file.
    pub(super) async fn media(&self, id: &str) -> Result<State, Refusal> {
        let path = format!("/api/v1/media/{id}");
        let request = self.request(Method::GET, &path);
        let (status, Media { .. }) =
            self.call(&format!("GET {path}"), request, &Pulse::none()).await?;
        Ok(match status {
            StatusCode::PARTIAL_CONTENT => State::Processing,
            _ => State::Ready,
        })
    }

    /// Posts a status.
    pub(super) async fn post(&self, status: &NewStatus<'_>, key: &str) -> Result<Status, Refusal> {
        let path = "/api/v1/statuses";
        let request = self.request(Method::POST, path).header("Idempotency-Key", key).json(status);
        let (_, status) = self.call(&format!("POST {path}"), request, &Pulse::none()).await?;
        Ok(status)
    }

    async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<T, Refusal> {
        let request = self.request(Method::GET, path).query(query);
        Ok(self.call(&format!("GET {path}"), request, &Pulse::none()).await?.1)
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let mut url = self.server.clone();
        url.set_path(path);
        self.client.request(method, url).bearer_auth(self.token.expose_secret())
    }

    /// Sends a request and reads the answer; `what` names it.
    async fn call<T: DeserializeOwned>(
        &self,
        what: &str,
        request: RequestBuilder,
        pulse: &Pulse,
    ) -> Result<(StatusCode, T), Refusal> {
        let host = self.server.host_str().unwrap_or_default();
        let about = |fault: Fault| Fault {
            message: self.without_token(format!("{host}: {what}: {}", fault.message)),
            ..fault
        };
        let request = request.header(header::ACCEPT, "application/json");
        let response = http::send(request, pulse, self.silence).await.map_err(about)?;
        let status = response.status();
        if !status.is_success() {
            return Err(self.refused(response, about).await);
        }
        let body = http::body(response, LONGEST_ANSWER, self.silence).await.map_err(about)?;
        let answer = serde_json::from_slice(&body).map_err(|error| {
            // Perhaps a page that stands in the way. What was asked for may have happened.
            let text = http::one_line(&String::from_utf8_lossy(&body), ERROR_TEXT);
            about(Fault::transient(format!("{status}, but not understood ({error}): {text}")))
        })?;
        Ok((status, answer))
    }

    async fn refused(&self, response: Response, about: impl Fn(Fault) -> Fault) -> Refusal {
        let status = response.status();
        let reset = rate_limit::reset(response.headers());
        let mut fault = http::refused(&response, status.to_string());
        if let FaultKind::Transient { retry_after: retry_after @ None } = &mut fault.kind
            && status == StatusCode::TOO_MANY_REQUESTS
        {
            *retry_after = reset;
        }
        let to = response.headers().get(header::LOCATION).and_then(|to| to.to_str().ok());
        let to = to.map(|to| http::one_line(to, ERROR_TEXT));
        // If it breaks off, the status says enough.
        let body = http::body(response, LONGEST_ERROR, self.silence).await.unwrap_or_default();
        let said = error_text(&body);
        if !said.is_empty() {
            fault.message = format!("{}: {said}", fault.message);
        }
        fault.message += &self.advice(status, to.as_deref());
        Refusal { status: Some(status), fault: about(fault) }
    }

    /// What a person can do.
    fn advice(&self, status: StatusCode, to: Option<&str>) -> String {
        let server = self.server.as_str().trim_end_matches('/');
        match (status, to) {
            (StatusCode::UNAUTHORIZED, _) => format!(
                "; the token is not valid any more: make a new one with sns-server mastodon-login \
                 {server}"
            ),
            (StatusCode::FORBIDDEN, _) => format!(
                "; if the token lacks a scope, make a new one with sns-server mastodon-login \
                 {server}"
            ),
            (_, Some(to)) if status.is_redirection() => {
                format!("; the instance is at {to}: write that as server")
            }
            _ => String::new(),
        }
    }

    fn without_token(&self, message: String) -> String {
        message.replace(self.token.expose_secret(), "…")
    }
}

/// The error text of an answer: `error` of JSON, or what else stands there.
fn error_text(body: &[u8]) -> String {
    let json: Value = serde_json::from_slice(body).unwrap_or_default();
    let of = |key: &str| json.get(key).and_then(Value::as_str);
    // OAuth says the reason in a second field, Laravel (Pixelfed) everything in `message`.
    let said = match (of("error"), of("error_description").or(of("message"))) {
        (Some(error), Some(description)) => format!("{error}: {description}"),
        (Some(said), None) | (None, Some(said)) => said.to_owned(),
        (None, None) => String::from_utf8_lossy(body).into_owned(),
    };
    http::one_line(&said, ERROR_TEXT)
}

/// Asks without a token: of the login, and of an instance before it.
pub(crate) mod open {
    use super::{ERROR_TEXT, LONGEST_ANSWER, Pulse, error_text, http};
    use crate::destination::http::SILENCE;
    use reqwest::RequestBuilder;
    use serde_json::Value;

    /// The answer to a request, as JSON.
    ///
    /// # Errors
    /// What went wrong, with what the instance said of it.
    pub(crate) async fn call(what: &str, request: RequestBuilder) -> Result<Value, String> {
        let about = |problem: String| format!("{what}: {problem}");
        let response = http::send(request, &Pulse::none(), SILENCE).await;
        let response = response.map_err(|fault| about(fault.message))?;
        let status = response.status();
        let body = http::body(response, LONGEST_ANSWER, SILENCE).await;
        let body = body.map_err(|fault| about(fault.message))?;
        if !status.is_success() {
            return Err(about(format!("{status}: {}", error_text(&body))));
        }
        serde_json::from_slice(&body).map_err(|_| {
            let text = http::one_line(&String::from_utf8_lossy(&body), ERROR_TEXT);
            about(format!("{status}, but not understood: {text}"))
        })
    }
}
