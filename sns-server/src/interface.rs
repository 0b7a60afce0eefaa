//! An interface instead of an address: its addresses, as they come and go.
//!
//! Law: the interface may come later than the server, and go at any time; neither ends anything. It
//! is looked at every few seconds: that is late enough to cost nothing and soon enough for a camera,
//! which tries again. What changed is logged once.

use crate::listen::{Accepted, accept, hint};
use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{SocketAddr, SocketAddrV4, SocketAddrV6};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::{AbortHandle, JoinSet};
use tracing::{info, warn};

/// Between two looks.
const LOOK: Duration = Duration::from_secs(2);

/// What was said last, so that it is said once.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    Nothing,
    Waiting,
    CannotLook,
}

/// Listens on every address that the interface has, until dropped.
pub(crate) async fn follow(interface: String, port: u16, accepted: Accepted) {
    let mut acceptors = JoinSet::new();
    let mut bound: BTreeMap<SocketAddr, AbortHandle> = BTreeMap::new();
    let mut failed: BTreeMap<SocketAddr, io::ErrorKind> = BTreeMap::new();
    let mut said = Said::Nothing;
    loop {
        match addresses(&interface, port) {
            Ok(there) => {
                bound.retain(|address, acceptor| {
                    let stays = there.contains(address);
                    if !stays {
                        acceptor.abort();
                        info!(%interface, %address, "no longer there, no longer listened on");
                    }
                    stays
                });
                failed.retain(|address, _| there.contains(address));
                for address in there {
                    if bound.contains_key(&address) {
                        continue;
                    }
                    match TcpListener::bind(address).await {
                        Ok(listener) => {
                            info!(%interface, "listens on http://{address}");
                            let acceptor = acceptors.spawn(accept(listener, accepted.clone()));
                            bound.insert(address, acceptor);
                            failed.remove(&address);
                        }
                        // A new IPv6 address cannot be bound for a second; others may never be.
                        Err(error) => {
                            if failed.insert(address, error.kind()) != Some(error.kind()) {
                                let hint = hint(&error);
                                warn!(%interface, %address, %error, "cannot listen yet{hint}");
                            }
                        }
                    }
                }
                let now = if bound.is_empty() { Said::Waiting } else { Said::Nothing };
                if now == Said::Waiting && said != now {
                    info!(%interface, "is not up or has no address yet; waiting for it");
                }
                said = now;
            }
            Err(error) => {
                if said != Said::CannotLook {
                    warn!(%interface, %error, "cannot ask for the addresses of interfaces");
                }
                said = Said::CannotLook;
            }
        }
        while acceptors.try_join_next().is_some() {}
        tokio::time::sleep(LOOK).await;
    }
}

/// The addresses of an interface that is up, with this port.
fn addresses(interface: &str, port: u16) -> io::Result<BTreeSet<SocketAddr>> {
    let its = getifaddrs()?.filter(|entry| {
        entry.interface_name == interface && entry.flags.contains(InterfaceFlags::IFF_UP)
    });
    let address = its.filter_map(|entry| {
        let address = entry.address?;
        let v4 = address.as_sockaddr_in().map(|v4| SocketAddrV4::new(v4.ip(), port).into());
        v4.or_else(|| {
            let v6 = address.as_sockaddr_in6()?;
            // Link-local ones mean nothing without their scope.
            Some(SocketAddrV6::new(v6.ip(), port, 0, v6.scope_id()).into())
        })
    });
    Ok(address.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_has_its_address_and_a_missing_interface_has_none() {
        let loopback: SocketAddr = "127.0.0.1:80".parse().unwrap();
        assert!(addresses("lo", 80).unwrap().contains(&loopback));
        assert!(addresses("nowhere0", 80).unwrap().is_empty());
    }
}
