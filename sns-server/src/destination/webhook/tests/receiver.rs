//! A receiver of webhooks that verifies with others' code, and fails as it is told.

use super::webhook;
use crate::destination::webhook::Webhook;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{HeaderMap, Request};
use hyper_util::rt::TokioIo;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;

const MB: u32 = 1 << 20;
pub(super) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// What the receiver does with a request. `Take` is what it does when nothing else is left to do.
#[derive(Clone)]
pub(super) enum Turn {
    Take,
    /// Answers without understanding it.
    Say(u16, &'static [(&'static str, &'static str)], &'static str),
    /// Reads so many bytes and closes the connection.
    Cut(usize),
    /// Takes it and closes the connection.
    TakeAndCut,
    /// Reads nothing and says nothing.
    Deaf,
    /// Reads all and says nothing.
    Mute,
    /// Takes it without looking at it, reading a megabyte in so many milliseconds.
    Slow(u64),
}

#[derive(Default)]
pub(super) struct Seen {
    turns: VecDeque<Turn>,
    pub(super) methods: Vec<String>,
    /// The ids of the posts it took.
    taken: Vec<String>,
    pub(super) timestamps: BTreeSet<String>,
    /// What the last post said, and its files by their part's name.
    pub(super) json: serde_json::Value,
    pub(super) files: BTreeMap<String, (Option<String>, Vec<u8>)>,
}

pub(super) struct Receiver {
    pub(super) url: String,
    pub(super) seen: Arc<Mutex<Seen>>,
}

impl Receiver {
    pub(super) async fn start(turns: &[Turn]) -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook/t0ken", listener.local_addr().unwrap());
        let seen = Seen { turns: turns.iter().cloned().collect(), ..Seen::default() };
        let seen = Arc::new(Mutex::new(seen));
        let all = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let seen = Arc::clone(&all);
                let service = service_fn(move |request| receive(request, Arc::clone(&seen)));
                let serve = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service);
                tokio::spawn(async move { drop(serve.await) });
            }
        });
        Receiver { url, seen }
    }

    pub(super) fn webhook(&self) -> Webhook {
        webhook(&format!("url = {:?}\nsecret = {SECRET:?}", self.url))
    }

    pub(super) fn taken(&self) -> Vec<String> {
        self.seen.lock().unwrap().taken.clone()
    }
}

type Answer = Result<hyper::Response<Full<Bytes>>, io::Error>;

async fn receive(request: Request<Incoming>, seen: Arc<Mutex<Seen>>) -> Answer {
    let turn = {
        let mut seen = seen.lock().unwrap();
        seen.methods.push(request.method().to_string());
        seen.turns.pop_front().unwrap_or(Turn::Take)
    };
    let (head, mut body) = request.into_parts();
    let cut = || Err(io::Error::other("cut"));
    let answer = |status: u16, text: &'static str| {
        hyper::Response::builder().status(status).body(Full::from(text)).unwrap()
    };
    let end = match turn {
        Turn::Deaf => 0,
        Turn::Cut(bytes) => bytes,
        _ => usize::MAX,
    };
    let mut all = Vec::new();
    while all.len() < end {
        match body.frame().await {
            Some(Ok(frame)) => {
                let data = frame.into_data().unwrap();
                if let Turn::Slow(millis) = turn {
                    tokio::time::sleep(Duration::from_millis(millis) * data.len() as u32 / MB)
                        .await;
                }
                all.extend_from_slice(&data);
            }
            Some(Err(_)) => return cut(),
            None => break,
        }
    }
    match turn {
        Turn::Cut(_) => cut(),
        Turn::Deaf | Turn::Mute => std::future::pending().await,
        Turn::Say(status, headers, text) => {
            let mut answer = answer(status, text);
            for (name, value) in headers {
                answer.headers_mut().insert(*name, value.parse().unwrap());
            }
            Ok(answer)
        }
        Turn::Slow(_) => {
            let id = head.headers["webhook-id"].to_str().unwrap().to_owned();
            seen.lock().unwrap().taken.push(id);
            Ok(answer(204, ""))
        }
        _ if head.method != "POST" => Ok(answer(405, "")),
        _ => match verify(&head.headers, all, &seen).await {
            Err(problem) => panic!("{problem}"),
            Ok(()) if matches!(turn, Turn::TakeAndCut) => cut(),
            Ok(()) => Ok(answer(204, "")),
        },
    }
}

async fn verify(headers: &HeaderMap, body: Vec<u8>, seen: &Mutex<Seen>) -> Result<(), String> {
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-length"), body.len().to_string());
    let boundary = multer::parse_boundary(header("content-type")).map_err(|e| e.to_string())?;
    let chunks = vec![Ok::<_, io::Error>(Bytes::from(body.clone()))];
    let mut form = multer::Multipart::new(Chunks(chunks), boundary);
    let mut json = None;
    let mut files = BTreeMap::new();
    while let Some(part) = form.next_field().await.map_err(|e| e.to_string())? {
        let (name, file_name) =
            (part.name().unwrap().to_owned(), part.file_name().map(str::to_owned));
        let content = part.bytes().await.map_err(|e| e.to_string())?.to_vec();
        match name.as_str() {
            "post" => json = Some(content),
            _ => drop(files.insert(name, (file_name, content))),
        }
    }
    let json = json.ok_or("no part named post")?;

    let hook = standardwebhooks::Webhook::new(SECRET).unwrap();
    if headers.contains_key("webhook-signature") {
        hook.verify(&json, headers).map_err(|error| format!("the JSON: {error}"))?;
        // Each signature alone: the second is the JSON's, the first the whole body's, which that
        // crate verifies only where it is text.
        let mut one = headers.clone();
        let signatures = header("webhook-signature");
        let (whole, of_json) = signatures.split_once(' ').unwrap();
        one.insert("webhook-signature", of_json.parse().unwrap());
        hook.verify(&json, &one).map_err(|error| format!("the JSON alone: {error}"))?;
        one.insert("webhook-signature", whole.parse().unwrap());
        if std::str::from_utf8(&body).is_ok() {
            hook.verify(&body, &one).map_err(|error| format!("the whole: {error}"))?;
        }
        assert!(hook.verify(&json, &one).is_err());
    }
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(json["data"]["files"].as_array().unwrap().len(), files.len());
    for file in json["data"]["files"].as_array().unwrap() {
        let (_, content) = &files[file["part"].as_str().unwrap()];
        let hash: String = Sha256::digest(content).iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(file["sha256"], hash);
        assert_eq!(file["length"], content.len());
    }
    assert_eq!(json["data"]["id"], header("webhook-id"));
    let mut seen = seen.lock().unwrap();
    seen.taken.push(header("webhook-id"));
    seen.timestamps.insert(header("webhook-timestamp"));
    (seen.json, seen.files) = (json, files);
    Ok(())
}

/// The body as multer wants it.
struct Chunks(Vec<Result<Bytes, io::Error>>);

impl futures_core::Stream for Chunks {
    type Item = Result<Bytes, io::Error>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Ready(self.0.pop())
    }
}
