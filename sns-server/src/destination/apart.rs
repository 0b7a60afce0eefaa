//! Work that takes long, or blocks on what is not ours: a share whose server is away, a name that nobody
//! resolves, a large picture on a slow machine.
//!
//! Law: it has a thread of its own that nobody waits for. It takes none of the few threads on which
//! cameras wait for the disk, and the server can stop without it.

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use tokio::sync::oneshot;

/// What a thread needs that looks up, compares and copies.
const STACK: usize = 512 * 1024;

/// Does it; whoever asked may stop listening.
///
/// # Errors
/// What `work` says, or the system if there is no thread.
pub(super) async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let (tell, told) = oneshot::channel();
    let thread = std::thread::Builder::new().name("apart".to_owned()).stack_size(STACK);
    // Nobody listens any more if the delivery was cut off.
    thread.spawn(move || drop(tell.send(work())))?;
    let died = |_| io::Error::other("a bug in sns-server; see its log");
    told.await.map_err(died)?
}

/// The addresses of a host.
///
/// # Errors
/// What the system's resolver says.
pub(super) async fn addresses(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    let host = host.to_owned();
    apart(move || Ok((host.as_str(), port).to_socket_addrs()?.collect())).await
}

/// The system's resolver, for HTTP.
#[derive(Debug)]
pub(super) struct Resolver;

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Addrs = Box::new(addresses(name.as_str(), 0).await?.into_iter());
            Ok(found)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::time::Duration;

    /// The end of a server waits for the threads that its runtime knows.
    #[test]
    fn what_blocks_for_hours_keeps_no_server_from_stopping() {
        let (answer, answered) = mpsc::channel::<()>();
        let (begun, began) = mpsc::channel();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.spawn(apart(move || {
            begun.send(()).unwrap();
            let _ = answered.recv();
            Ok(())
        }));
        began.recv().unwrap();
        let (end, ended) = mpsc::channel();
        std::thread::spawn(move || {
            drop(runtime);
            end.send(()).unwrap();
        });
        ended.recv_timeout(Duration::from_secs(10)).unwrap();
        drop(answer);
    }

    #[tokio::test]
    async fn what_dies_is_told() {
        let error = apart::<()>(|| panic!("on purpose")).await.unwrap_err();
        assert!(error.to_string().contains("a bug"), "{error}");
    }
}
