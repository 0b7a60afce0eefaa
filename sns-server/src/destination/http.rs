//! The HTTP client that destinations share, and what its failures mean.
//!
//! Law: a peer that may be well again later is tried again; a peer that refuses what we say waits
//! for a person.
//!
//! All failures of TLS count as the first, wrong certificates too: an expired one is mended by the
//! peer, one that is not valid yet by our own clock once it is set, and a wrong name or an unknown
//! issuer is what a hotel's login page shows until somebody has logged in. Nothing was said to the
//! peer, so nothing can come of trying again; and the log says each time what is wrong.

use super::apart::Resolver;
use super::upload::Pulse;
use super::{Fault, FaultKind};
use reqwest::{Client, ClientBuilder, RequestBuilder, Response, StatusCode, header};
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// How long a peer may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(30);
/// How long a peer may be silent.
pub const SILENCE: Duration = Duration::from_secs(120);

/// No peer is waited for longer, whatever it says; then it is asked again.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(6 * 60 * 60);

/// A client with the system's certificates. Its requests have to be answered within [`SILENCE`];
/// for uploads, which may take longer than that over LTE, see [`uploading_client`].
///
/// # Errors
/// What the TLS library says, if it cannot be set up.
pub fn client() -> Result<Client, reqwest::Error> {
    builder().read_timeout(SILENCE).build()
}

/// A client for [`send`], which watches over the time itself: the read timeout of reqwest counts from
/// the beginning of the request, however fast it is sent.
///
/// # Errors
/// What the TLS library says, if it cannot be set up.
pub fn uploading_client() -> Result<Client, reqwest::Error> {
    builder().build()
}

fn builder() -> ClientBuilder {
    // Fails only if it was done before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .user_agent(concat!("sns-server/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT)
        .dns_resolver(Arc::new(Resolver))
        .redirect(reqwest::redirect::Policy::none())
}

/// Sends a request of an [`uploading_client`]; gives up when neither its upload moves nor an answer
/// comes.
///
/// # Errors
/// [`unanswered`].
pub async fn send(
    request: RequestBuilder,
    pulse: &Pulse,
    silence: Duration,
) -> Result<Response, Fault> {
    pulse.watch(silence, request.send()).await?.map_err(|error| unanswered(&error))
}

/// The body of an answer, or its first `most` bytes.
///
/// # Errors
/// [`unanswered`], if it breaks off or pauses.
pub async fn body(
    mut response: Response,
    most: usize,
    silence: Duration,
) -> Result<Vec<u8>, Fault> {
    let mut body = Vec::new();
    while body.len() < most {
        let chunk = tokio::time::timeout(silence, response.chunk()).await;
        let late = |_| Fault::transient("no answer, in the middle of it (timed out)");
        match chunk.map_err(late)?.map_err(|error| unanswered(&error))? {
            Some(chunk) => body.extend_from_slice(&chunk[..chunk.len().min(most - body.len())]),
            None => break,
        }
    }
    Ok(body)
}

/// What a peer said, in one line of at most `most` characters: nothing in it can be mistaken for
/// something else in a log.
pub fn one_line(text: &str, most: usize) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let text = words.join(" ");
    let escaped = text.chars().flat_map(|c| match c.is_control() {
        true => c.escape_default().collect::<Vec<char>>(),
        false => vec![c],
    });
    let mut line: String = escaped.take(most + 1).collect();
    if line.chars().count() > most {
        line.pop();
        line.push('…');
    }
    line
}

/// What a request that got no answer means: the uplink comes and goes, so it is tried again. If what was
/// to be sent could not be read, that is what it means.
pub fn unanswered(error: &reqwest::Error) -> Fault {
    let mut message = "no answer".to_owned();
    // reqwest's own text holds the address, which may hold a secret; its causes say what happened.
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        if let Some(fault) = error.downcast_ref::<Fault>() {
            return fault.clone();
        }
        message = format!("{message}: {error}");
        if let Some(rustls::Error::InvalidCertificate(problem)) = tls(error) {
            message += certificate_hint(problem);
        }
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

/// The TLS library's own error, which I/O errors in each other may hold.
fn tls<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a rustls::Error> {
    match error.downcast_ref::<io::Error>() {
        Some(error) => tls(error.get_ref()?),
        None => error.downcast_ref(),
    }
}

fn certificate_hint(problem: &rustls::CertificateError) -> &'static str {
    use rustls::CertificateError as Bad;
    match problem {
        Bad::Expired | Bad::ExpiredContext { .. } | Bad::NotValidYet => {
            " (or this machine's clock is wrong)"
        }
        Bad::NotValidYetContext { .. } => " (this machine's clock is wrong?)",
        Bad::UnknownIssuer => " (a login page of the WiFi, or ca-certificates is not installed?)",
        Bad::NotValidForName | Bad::NotValidForNameContext { .. } => {
            " (a login page of the WiFi, or the wrong address?)"
        }
        _ => "",
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

/// `Retry-After`, in seconds or as a date; at most [`LONGEST_RETRY_AFTER`]. A date is measured by the
/// peer's own clock, for ours may be years away.
fn retry_after(response: &Response) -> Option<Duration> {
    let field = |name| response.headers().get(name)?.to_str().ok().map(str::trim);
    let value = field(header::RETRY_AFTER)?;
    let wait = match value.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let at = httpdate::parse_http_date(value).ok()?;
            let now = httpdate::parse_http_date(field(header::DATE)?).ok()?;
            at.duration_since(now).unwrap_or_default()
        }
    };
    Some(wait.min(LONGEST_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_peer_says_stays_in_one_line() {
        assert_eq!(
            one_line("Validation\n failed:\u{1b}[31m no", 100),
            "Validation failed:\\u{1b}[31m no"
        );
        assert_eq!(one_line("a long text", 6), "a long…");
        assert_eq!(one_line("exact", 5), "exact");
    }
}
