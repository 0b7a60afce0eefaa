//! Sockets: bind or inherit, accept, and stop in good order.
//!
//! Law: all that needs root is done in [`Doors::bind`], before there is a thread. Nobody is let in
//! before [`Doors::open`], and that is after the server hears signals: whoever has reached it can
//! also stop it in good order. When asked to stop, it takes nothing new, drops who has not said what
//! they want, and finishes every request that has begun.

use crate::app::{App, router};
use crate::config::listen::Listen;
use crate::connection;
use crate::interface;
use listenfd::ListenFd;
use socket2::{Domain, SockRef, Socket, Type};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tracing::{Instrument, info_span, warn};

/// Connections on their way from those who accept to the one who serves.
pub(crate) type Accepted = mpsc::Sender<(TcpStream, SocketAddr)>;

/// So many connections may wait to be accepted.
const BACKLOG: i32 = 1024;

/// An address could not be listened on.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// It cannot be bound.
    #[error("cannot listen on {address}: {error}{}", hint(.error))]
    Bind {
        /// Where.
        address: SocketAddr,
        /// What the system said.
        error: io::Error,
    },
    /// What systemd handed over is not what can be served.
    #[error("socket {number} from systemd: {error}; only ListenStream= with a port can be served")]
    Inherited {
        /// Which one, from 0.
        number: usize,
        /// What is wrong with it.
        error: io::Error,
    },
}

pub(crate) fn hint(error: &io::Error) -> &'static str {
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

/// What cameras come in by. It needs no runtime: it is made before root is given up, and that is
/// before there are threads.
#[derive(Debug)]
pub struct Doors {
    listeners: Vec<std::net::TcpListener>,
    interfaces: Vec<(String, u16)>,
    inherited: bool,
}

impl Doors {
    /// The sockets that systemd hands over, if it does; else those of `listen`, bound but closed.
    ///
    /// # Errors
    /// [`ListenError`] for the first that cannot be had.
    pub fn bind(listen: &[Listen]) -> Result<Doors, ListenError> {
        let mut inherited = ListenFd::from_env();
        let mut doors = Doors { listeners: vec![], interfaces: vec![], inherited: false };
        for number in 0..inherited.len() {
            let failed = |error| ListenError::Inherited { number, error };
            let listener = inherited.take_tcp_listener(number).map_err(failed)?;
            if let Some(listener) = listener {
                listener.set_nonblocking(true).map_err(failed)?;
                doors.listeners.push(listener);
            }
        }
        doors.inherited = !doors.listeners.is_empty();
        if doors.inherited {
            return Ok(doors);
        }
        for listen in listen {
            match listen {
                Listen::Address(address) => doors.listeners.push(bind(*address)?),
                Listen::Interface { name, port } => doors.interfaces.push((name.clone(), *port)),
            }
        }
        Ok(doors)
    }

    /// Lets cameras in.
    ///
    /// # Errors
    /// [`ListenError::Bind`] for the first at which another program listens.
    pub fn open(&self) -> Result<(), ListenError> {
        if self.inherited {
            return Ok(()); // systemd has opened them, with a backlog of its own
        }
        self.listeners.iter().try_for_each(open)
    }

    /// Whether ports below 1024 will have to be bound later on.
    pub fn need_low_ports(&self) -> bool {
        self.interfaces.iter().any(|(_, port)| *port < 1024)
    }

    /// The addresses that are bound.
    ///
    /// # Errors
    /// What the system says if it does not know.
    pub fn addresses(&self) -> io::Result<Vec<SocketAddr>> {
        self.listeners.iter().map(std::net::TcpListener::local_addr).collect()
    }

    /// Where they are, for the first line.
    ///
    /// # Errors
    /// What the system says if it does not know.
    pub fn describe(&self) -> io::Result<String> {
        let addresses = self.addresses()?;
        let mut all: Vec<_> = addresses.iter().map(|address| format!("http://{address}")).collect();
        let waits = |(name, port): &(String, u16)| format!("{name}:{port} (as its addresses come)");
        all.extend(self.interfaces.iter().map(waits));
        let from = if self.inherited { " (from systemd; `listen` is not bound)" } else { "" };
        Ok(all.join(", ") + from)
    }
}

/// Takes an address, which [`open`] makes a listening one.
///
/// # Errors
/// [`ListenError::Bind`].
pub fn bind(address: SocketAddr) -> Result<std::net::TcpListener, ListenError> {
    let bound = Socket::new(Domain::for_address(address), Type::STREAM, None).and_then(|socket| {
        socket.set_nonblocking(true)?;
        socket.set_reuse_address(true)?; // what an earlier server's connections leave does not count
        socket.bind(&address.into())?;
        Ok(socket.into())
    });
    bound.map_err(|error| ListenError::Bind { address, error })
}

/// Listens at an address that is bound.
///
/// # Errors
/// [`ListenError::Bind`]: of two who bind the same address, the second to open it fails.
pub fn open(listener: &std::net::TcpListener) -> Result<(), ListenError> {
    SockRef::from(listener).listen(BACKLOG).map_err(|error| {
        let address = listener.local_addr().unwrap_or(([0, 0, 0, 0], 0).into());
        ListenError::Bind { address, error }
    })
}

/// Serves until `stopping` says so, then until what has begun is done.
///
/// # Errors
/// What the system says if a socket cannot be served.
pub async fn serve(
    doors: Doors,
    app: Arc<App>,
    mut stopping: watch::Receiver<bool>,
) -> io::Result<()> {
    let router = router(Arc::clone(&app));
    let (accepted, mut incoming) = mpsc::channel::<(TcpStream, SocketAddr)>(16);
    let mut acceptors = JoinSet::new();
    for listener in doors.listeners {
        acceptors.spawn(accept(TcpListener::from_std(listener)?, accepted.clone()));
    }
    for (name, port) in doors.interfaces {
        acceptors.spawn(interface::follow(name, port, accepted.clone()));
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
    Ok(())
}

pub(crate) async fn accept(listener: TcpListener, accepted: Accepted) {
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
