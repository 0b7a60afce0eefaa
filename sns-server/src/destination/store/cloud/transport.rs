//! The HTTP below opendal: our client, what its answers mean to us, and what opendal's WebDAV lacks.
//!
//! Law: an answer that only a later attempt or a person can mend becomes a [`Fault`] here, where its
//! status is still known; what opendal acts upon goes through.

use crate::destination::upload::{PIECE, Pulse, Source};
use crate::destination::{Fault, FaultKind, http};
use axum::http::{HeaderValue, Method, Request, Response, StatusCode, header, request, response};
use futures_util::{TryStreamExt, stream};
use opendal::{Buffer, Error, ErrorKind, HttpBody, HttpTransport};

/// What is read of the answer to an upload, or of one that says why something was refused.
const MOST_OF_AN_ANSWER: usize = 16 * 1024;

/// HTTP as opendal wants it.
#[derive(Debug, Clone)]
pub(super) struct Transport {
    client: reqwest::Client,
    /// Without a limit for a whole request: an upload may take hours.
    upload_client: reqwest::Client,
    upload: Option<Upload>,
    is_probe: bool,
}

/// What a `PUT` streams instead of the body that opendal gave it.
#[derive(Debug, Clone)]
pub(super) struct Upload {
    pub(super) source: Source,
    pub(super) length: u64,
}

impl Transport {
    pub(super) fn new() -> reqwest::Result<Transport> {
        let (client, upload_client) = (http::client()?, http::uploading_client()?);
        Ok(Transport { client, upload_client, upload: None, is_probe: false })
    }

    /// The same for one upload.
    pub(super) fn uploading(self, upload: Upload) -> Transport {
        Transport { upload: Some(upload), ..self }
    }

    /// The same for a probe: to it, nothing there is a fault.
    pub(super) fn probing(self) -> Transport {
        Transport { is_probe: true, ..self }
    }

    async fn send(
        &self,
        mut parts: request::Parts,
        body: Buffer,
    ) -> Result<reqwest::Response, Fault> {
        if parts.method != Method::PUT {
            let request = self.client.request(parts.method, parts.uri.to_string());
            let answer = request.headers(parts.headers).body(body.to_bytes()).send().await;
            return answer.map_err(|error| http::unanswered(&error));
        }
        let upload = self.upload.clone().unwrap_or_else(|| Upload {
            length: body.len() as u64,
            source: Source::Bytes(body.to_bytes()),
        });
        parts.headers.insert(header::CONTENT_LENGTH, upload.length.into());
        let pulse = Pulse::of(upload.length);
        let pieces = upload.source.pieces(upload.length, PIECE);
        let request = self.upload_client.put(parts.uri.to_string()).headers(parts.headers);
        http::send(request.body(pulse.body(pieces)), &pulse, http::SILENCE).await
    }
}

impl HttpTransport for Transport {
    async fn fetch(&self, request: Request<Buffer>) -> opendal::Result<Response<HttpBody>> {
        let (mut parts, body) = request.into_parts();
        let method = parts.method.clone();
        if method.as_str() == "MOVE" {
            // opendal would replace what is there.
            parts.headers.insert("overwrite", HeaderValue::from_static("F"));
        }
        let answer = self.send(parts, body).await.map_err(failed)?;
        let status = answer.status();
        let is_missing = self.is_probe && status == StatusCode::NOT_FOUND;
        if is_missing || !(status.is_success() || is_for_opendal(&method, status)) {
            return Err(refused(&method, answer).await);
        }
        let length = answer.content_length().filter(|_| method != Method::HEAD);
        let mut response = Response::builder().status(status);
        if let Some(headers) = response.headers_mut() {
            headers.clone_from(answer.headers());
        }
        if [Method::PUT, Method::POST].contains(&method) {
            // The client of uploads would wait for it without end.
            let body = http::body(answer, MOST_OF_AN_ANSWER, http::SILENCE);
            let body = body.await.map_err(failed)?;
            // S3 may find out what is wrong only after it has said that all is well.
            if let Some(fault) = late_refusal(&method, status, &String::from_utf8_lossy(&body)) {
                return Err(failed(fault));
            }
            let body = stream::iter((!body.is_empty()).then(|| Ok(Buffer::from(body))));
            return whole(response, HttpBody::new(body, length));
        }
        let stream = answer
            .bytes_stream()
            .try_filter(|piece| std::future::ready(!piece.is_empty()))
            .map_ok(Buffer::from)
            .map_err(|error| failed(http::unanswered(&error)));
        whole(response, HttpBody::new(stream, length))
    }
}

fn whole(response: response::Builder, body: HttpBody) -> opendal::Result<Response<HttpBody>> {
    let response = response.body(body);
    response.map_err(|error| Error::new(ErrorKind::Unexpected, error.to_string()))
}

/// Answers that mean something to opendal: nothing there, something there already.
fn is_for_opendal(method: &Method, status: StatusCode) -> bool {
    match status {
        StatusCode::PRECONDITION_FAILED => true,
        StatusCode::NOT_FOUND => ["HEAD", "PROPFIND", "DELETE"].contains(&method.as_str()),
        StatusCode::METHOD_NOT_ALLOWED => method.as_str() == "MKCOL",
        _ => false,
    }
}

fn failed(fault: Fault) -> Error {
    Error::new(ErrorKind::Unexpected, fault.message.clone()).set_source(fault)
}

async fn refused(method: &Method, answer: reqwest::Response) -> Error {
    let status = answer.status();
    let mut fault = http::refused(&answer, String::new());
    // If it breaks off, the status says enough.
    let body = http::body(answer, MOST_OF_AN_ANSWER, http::SILENCE).await.unwrap_or_default();
    let body = String::from_utf8_lossy(&body);
    let reason = reason(&body);
    let advice = advice(status, code(&body).unwrap_or_default());
    fault.message = format!("{method} was answered {status}{reason}{advice}");
    match status {
        StatusCode::NOT_IMPLEMENTED => {
            Error::new(ErrorKind::Unsupported, fault.message.clone()).set_source(fault)
        }
        // opendal makes folders from the outermost on.
        StatusCode::CONFLICT if method.as_str() == "MKCOL" => failed(Fault::permanent(format!(
            "{}; there is no such folder: make it, or mend the address",
            fault.message
        ))),
        // Another is at it; a locked file, a write of the same name.
        StatusCode::CONFLICT | StatusCode::LOCKED => failed(Fault::transient(fault.message)),
        // A stick without a battery learns the time minutes after its start.
        StatusCode::FORBIDDEN if reason.contains("RequestTimeTooSkewed") => failed(
            Fault::transient(format!("{}; is the clock of this machine right?", fault.message)),
        ),
        StatusCode::BAD_REQUEST if reason.contains("RequestTimeout") => {
            failed(Fault::transient(fault.message))
        }
        _ if *method == Method::HEAD && !status.is_server_error() => unexplained(fault),
        _ => failed(fault),
    }
}

/// An answer to `HEAD` has no body that would say why: a wrong key, a wrong clock, or a key that may
/// only write.
fn unexplained(fault: Fault) -> Error {
    match fault.kind {
        FaultKind::Transient { .. } => failed(fault),
        FaultKind::Permanent => {
            Error::new(ErrorKind::PermissionDenied, fault.message.clone()).set_source(fault)
        }
    }
}

/// An error in an answer that says that all is well. What was asked for did not happen.
fn late_refusal(method: &Method, status: StatusCode, body: &str) -> Option<Fault> {
    let code = code(body).filter(|_| status.is_success())?;
    // That something is there already is for opendal.
    let reason = (code != "PreconditionFailed").then(|| reason(body))?;
    Some(Fault::transient(format!("{method} was answered {status}{reason}")))
}

/// What a person can do, by what S3 calls it (API reference, "Error responses"), or by the status.
fn advice(status: StatusCode, code: &str) -> &'static str {
    match code {
        "NoSuchBucket" => "; make the bucket, or mend s3.bucket",
        "AccessDenied" => "; let this key read and write here",
        "InvalidAccessKeyId" | "SignatureDoesNotMatch" | "NotSignedUp" => {
            "; mend s3.access_key and s3.secret_key"
        }
        "AuthorizationHeaderMalformed" | "PermanentRedirect" | "TemporaryRedirect" => {
            "; mend s3.region and s3.endpoint"
        }
        _ => match status {
            StatusCode::UNAUTHORIZED => "; mend user and password",
            StatusCode::INSUFFICIENT_STORAGE => "; make room there",
            _ if status.is_redirection() => "; redirects are not followed, mend the address",
            _ => "",
        },
    }
}

/// What S3 calls an error.
fn code(body: &str) -> Option<&str> {
    let (_, error) = body.split_once("<Error")?;
    Some(error.split_once("<Code>")?.1.split_once("</Code>")?.0.trim())
}

/// What S3 and the WebDAV of Nextcloud say in their XML; nothing else is worth showing.
fn reason(body: &str) -> String {
    let between = |open: &str, close: &str| {
        let text = body.split_once(open)?.1.split_once(close)?.0;
        Some(format!(": {}", one_line(text)))
    };
    [("<Code>", "</Code>"), ("<Message>", "</Message>"), ("<s:message>", "</s:message>")]
        .into_iter()
        .filter_map(|(open, close)| between(open, close))
        .collect()
}

/// Text from elsewhere as one short line.
pub(super) fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").chars().filter(|c| !c.is_control()).take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_what_the_service_said() {
        let s3 = "<Error><Code>AccessDenied</Code><Message>Not\n yours</Message>\
                  <AWSAccessKeyId>AKIA</AWSAccessKeyId></Error>";
        assert_eq!(reason(s3), ": AccessDenied: Not yours");
        let sabre =
            "<d:error><s:exception>X</s:exception><s:message>No quota</s:message></d:error>";
        assert_eq!(reason(sabre), ": No quota");
        assert_eq!(reason("<html>"), "");
    }
}
