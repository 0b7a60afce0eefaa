//! What stands before a server: it counts what goes through, and does to it what uplinks and
//! services do.

use http_body_util::{BodyExt, Either, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use std::fmt::Debug;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;

/// What is done to a request.
#[derive(Debug, Clone)]
pub(crate) enum Mischief {
    /// It is answered with this status and header, and never reaches the server.
    Answer(u16, (&'static str, &'static str)),
    /// The same with this body.
    Say(u16, &'static str),
    /// The connection ends in the middle of its body.
    Cut,
    /// The server gets it, its answer is lost.
    LoseAnswer,
}

/// A request that went through, or was kept from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) status: Option<u16>,
}

type Rule = Box<dyn Fn(&Request<()>) -> bool + Send>;

/// A server behind a gate.
#[derive(Clone)]
pub(crate) struct Gate {
    pub(crate) address: SocketAddr,
    rules: Arc<Mutex<Vec<(Rule, Mischief)>>>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Gate {
    /// Puts a gate before a server; it ends with the test.
    pub(crate) async fn before<S, F, B, E>(server: S) -> Gate
    where
        S: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Result<Response<B>, E>> + Send + 'static,
        B: hyper::body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
        E: Debug + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let gate = Gate { address, rules: Arc::default(), seen: Arc::default() };
        let kept = gate.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (gate, server) = (kept.clone(), server.clone());
                let service =
                    service_fn(move |request| pass(gate.clone(), server.clone(), request));
                let http = hyper::server::conn::http1::Builder::new();
                tokio::spawn(async move {
                    // An error is what some tests want.
                    let _ = http.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        gate
    }

    /// The next request for which `when` holds meets this.
    pub(crate) fn once(
        &self,
        when: impl Fn(&Request<()>) -> bool + Send + 'static,
        mischief: Mischief,
    ) {
        self.rules.lock().unwrap().push((Box::new(when), mischief));
    }

    /// How many requests of a method succeeded.
    pub(crate) fn done(&self, method: &str) -> usize {
        let done =
            |seen: &&Seen| seen.method == method && seen.status.is_some_and(|status| status < 300);
        self.seen.lock().unwrap().iter().filter(done).count()
    }

    /// All requests of a method.
    pub(crate) fn seen(&self, method: &str) -> Vec<Seen> {
        let seen = self.seen.lock().unwrap();
        seen.iter().filter(|seen| seen.method == method).cloned().collect()
    }

    fn meets(&self, request: &Request<Incoming>) -> Option<Mischief> {
        let mut head = Request::new(());
        *head.method_mut() = request.method().clone();
        *head.uri_mut() = request.uri().clone();
        *head.headers_mut() = request.headers().clone();
        let mut rules = self.rules.lock().unwrap();
        let at = rules.iter().position(|(when, _)| when(&head))?;
        Some(rules.remove(at).1)
    }
}

/// For requests of a method.
pub(crate) fn is(method: &'static str) -> impl Fn(&Request<()>) -> bool {
    move |request| request.method().as_str() == method
}

async fn pass<S, F, B, E>(
    gate: Gate,
    server: S,
    request: Request<Incoming>,
) -> io::Result<Response<Either<B, Full<Bytes>>>>
where
    S: Fn(Request<Incoming>) -> F,
    F: Future<Output = Result<Response<B>, E>>,
    B: hyper::body::Body<Data = Bytes>,
    E: Debug,
{
    let mut seen = Seen {
        method: request.method().to_string(),
        path: request.uri().path().to_owned(),
        query: request.uri().query().unwrap_or_default().to_owned(),
        status: None,
    };
    let note = |seen: Seen| gate.seen.lock().unwrap().push(seen);
    match gate.meets(&request) {
        None => {
            let answer =
                server(request).await.map_err(|error| io::Error::other(format!("{error:?}")))?;
            seen.status = Some(answer.status().as_u16());
            note(seen);
            Ok(answer.map(Either::Left))
        }
        Some(Mischief::Answer(status, header)) => {
            seen.status = Some(status);
            answer(&gate, seen, request, header, "<html>busy</html>").await
        }
        Some(Mischief::Say(status, body)) => {
            seen.status = Some(status);
            answer(&gate, seen, request, ("content-type", "application/xml"), body).await
        }
        Some(Mischief::Cut) => {
            let mut body = request.into_body();
            let _ = body.frame().await;
            note(seen);
            Err(io::Error::other("cut"))
        }
        Some(Mischief::LoseAnswer) => {
            let answer =
                server(request).await.map_err(|error| io::Error::other(format!("{error:?}")))?;
            seen.status = Some(answer.status().as_u16());
            note(seen);
            Err(io::Error::other("lost"))
        }
    }
}

async fn answer<B>(
    gate: &Gate,
    seen: Seen,
    request: Request<Incoming>,
    (name, value): (&str, &str),
    body: &'static str,
) -> io::Result<Response<Either<B, Full<Bytes>>>> {
    let body = if request.method() == Method::HEAD { "" } else { body };
    // Read to its end, as most servers do.
    request.into_body().collect().await.map_err(io::Error::other)?;
    let answer = Response::builder().status(seen.status.unwrap_or_default());
    gate.seen.lock().unwrap().push(seen);
    Ok(answer.header(name, value).body(Either::Right(Full::new(body.into()))).unwrap())
}
