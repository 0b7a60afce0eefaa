//! The HTTP client that destinations share, and what its failures mean.
//!
//! Law: a peer that may be well again later is tried again; a peer that refuses what we say waits
//! for a person.

use super::{Fault, FaultKind};
use reqwest::{Client, ClientBuilder, Response, StatusCode, header};
use std::time::{Duration, SystemTime};

/// How long a peer may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(30);
/// How long a peer may be silent. An upload over LTE may take long, but never be still for so long.
pub const SILENCE: Duration = Duration::from_secs(120);

/// A client with the system's certificates.
///
/// # Errors
/// What the TLS library says, if it cannot be set up.
pub fn client() -> Result<Client, reqwest::Error> {
    builder().read_timeout(SILENCE).build()
}

/// The same for uploads that may take long, whose sender watches for [`SILENCE`] itself: reqwest's
/// read timeout runs from the request's begin to its answer, however much is sent meanwhile.
///
/// # Errors
/// What the TLS library says, if it cannot be set up.
pub fn upload_client() -> Result<Client, reqwest::Error> {
    builder().build()
}

fn builder() -> ClientBuilder {
    // Fails only if it was done before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .user_agent(concat!("sns-server/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT)
        .redirect(reqwest::redirect::Policy::none())
}

/// What a request that got no answer means: the uplink comes and goes, so it is tried again.
pub fn unanswered(error: &reqwest::Error) -> Fault {
    let mut message = "no answer".to_owned();
    // reqwest's own text holds the address, which may hold a secret; its causes say what happened.
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        message = format!("{message}: {error}");
        cause = error.source();
    }
    if error.is_timeout() {
        message += " (timed out)";
    }
    match error.is_builder() {
        true => Fault::permanent(message),
        false => Fault::transient(message),
    }
}

/// What an answer that is no success means. `message` is what is said of it.
pub fn refused(response: &Response, message: String) -> Fault {
    let status = response.status();
    let again = status.is_server_error()
        || [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_EARLY, StatusCode::TOO_MANY_REQUESTS]
            .contains(&status);
    let kind = match again {
        true => FaultKind::Transient { retry_after: retry_after(response) },
        false => FaultKind::Permanent,
    };
    Fault { kind, message }
}

/// `Retry-After`, in seconds or as a date.
fn retry_after(response: &Response) -> Option<Duration> {
    let value = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    match value.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => {
            let at = httpdate::parse_http_date(value).ok()?;
            Some(at.duration_since(SystemTime::now()).unwrap_or_default())
        }
    }
}
