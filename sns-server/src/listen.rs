//! Sockets: bind, accept, and stop in good order.
//!
//! Law: when asked to stop, the server takes nothing new, drops who has not said what they want,
//! and finishes every request that has begun.

use crate::app::{App, router};
use crate::config::listen::Listen;
use crate::connection;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tracing::{Instrument, info_span, warn};

/// An address could not be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {error}{}", hint(.error))]
pub struct ListenError {
    address: SocketAddr,
    error: io::Error,
}

fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            " (ports below 1024 need root, or AmbientCapabilities=CAP_NET_BIND_SERVICE)"
        }
        io::ErrorKind::AddrInUse => {
            " (another program has this port; is a server running already?)"
        }
        io::ErrorKind::AddrNotAvailable => " (no interface of this machine has this address)",
        _ => "",
    }
}

/// Listens on all of these.
///
/// # Errors
/// [`ListenError`] for the first that cannot be.
pub async fn bind(listen: &[Listen]) -> Result<Vec<TcpListener>, ListenError> {
    let mut listeners = Vec::new();
    let addresses = listen.iter().filter_map(|listen| match listen {
        Listen::Address(address) => Some(*address),
        Listen::Interface { .. } => None,
    });
    for address in addresses {
        let listener = TcpListener::bind(address).await;
        listeners.push(listener.map_err(|error| ListenError { address, error })?);
    }
    Ok(listeners)
}

/// Serves until `stopping` says so, then until what has begun is done.
pub async fn serve(
    listeners: Vec<TcpListener>,
    app: Arc<App>,
    mut stopping: watch::Receiver<bool>,
) {
    let router = router(Arc::clone(&app));
    let (accepted, mut incoming) = tokio::sync::mpsc::channel::<(TcpStream, SocketAddr)>(16);
    let mut acceptors = JoinSet::new();
    for listener in listeners {
        acceptors.spawn(accept(listener, accepted.clone()));
    }
    drop(accepted);
    let mut connections = JoinSet::new();
    let told = stopping.clone();
    let turned_away = Arc::new(Semaphore::new(64));
    let mut number = 0_u64;
    loop {
        tokio::select! {
            Some((stream, peer)) = incoming.recv() => {
                // Those turned away are few at a time, so that a flood of them costs nothing.
                app.metrics.connections.inc();
                match app.crowd.enter(peer.ip().to_canonical()) {
                    Some(place) => {
                        let (router, app) = (router.clone(), Arc::clone(&app));
                        let told = told.clone();
                        // Every line of the log about one request carries its number.
                        number += 1;
                        let span = info_span!("request", number);
                        let serving =
                            connection::serve(stream, peer, router, app, place, told);
                        connections.spawn(serving.instrument(span));
                    }
                    None => {
                        if let Ok(turn) = Arc::clone(&turned_away).try_acquire_owned() {
                            let app = Arc::clone(&app);
                            connections.spawn(async move {
                                connection::turn_away(stream, peer, &app.metrics).await;
                                drop(turn);
                            });
                        }
                    }
                }
            }
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            _ = stopping.wait_for(|stopping| *stopping) => break,
        }
    }
    acceptors.shutdown().await;
    while connections.join_next().await.is_some() {}
}

async fn accept(
    listener: TcpListener,
    accepted: tokio::sync::mpsc::Sender<(TcpStream, SocketAddr)>,
) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                let _ = stream.set_nodelay(true);
                if accepted.send((stream, peer)).await.is_err() {
                    return;
                }
            }
            Err(error) => {
                // Out of descriptors, or the peer is gone already: neither ends the server.
                warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}
