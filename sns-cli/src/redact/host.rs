//! Hosts and addresses.
//!
//! Law: the hosts of Samsung's services and of the hotspot checks stay; of another host below
//! their domains only the domain does.

use super::placeholder::Placeholders;
use super::vocabulary::{DOMAINS, HOSTS, is_one_of};
use std::net::{IpAddr, SocketAddr};

/// A host, with its port if it has one.
pub(super) fn shown(host: &str, hidden: &mut Placeholders) -> String {
    if let Some(address) = address(host, hidden) {
        return address;
    }
    let (name, port) = match host.rsplit_once(':') {
        // A hardware address ends like a port.
        Some((name, port)) if is_port(port) && !name.contains(':') => (name, &host[name.len()..]),
        _ => (host, ""),
    };
    if is_known(name) {
        return host.to_owned();
    }
    // Of `anna.msn.com` the domain says which service it is.
    let lower = name.to_ascii_lowercase();
    let domain = DOMAINS.iter().find(|domain| {
        lower.strip_suffix(**domain).is_some_and(|rest| rest.ends_with('.') && rest.len() > 1)
    });
    match domain {
        Some(domain) => {
            let below = &name[..name.len() - domain.len() - 1];
            format!("{}.{domain}{port}", hidden.text(below))
        }
        None => hidden.text(name) + port,
    }
}

/// An address, with its port if it has one, in brackets or not.
pub(super) fn address(text: &str, hidden: &mut Placeholders) -> Option<String> {
    if let Ok(peer) = text.parse::<SocketAddr>() {
        return Some(format!("{}:{}", hidden.address(peer.ip()), peer.port()));
    }
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    bare.parse::<IpAddr>().ok().map(|address| hidden.address(address))
}

/// Whether it is a host that everybody's camera calls.
pub(super) fn is_known(name: &str) -> bool {
    is_one_of(name.strip_suffix('.').unwrap_or(name), HOSTS)
}

fn is_port(port: &str) -> bool {
    port.len() <= 5 && port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hosts_of_services_are_shown() {
        let mut hidden = Placeholders::default();
        for (host, expected) in [
            ("snsgw.samsungmobile.com:80", "snsgw.samsungmobile.com:80"),
            ("GLD.samsungosp.com", "GLD.samsungosp.com"),
            ("www.yahoo.co.kr.", "www.yahoo.co.kr."),
            ("anna.samsungosp.com:8080", "<text-1, 4 bytes>.samsungosp.com:8080"),
            ("annasamsungosp.com", "<text-2, 18 bytes>"),
            ("nas.anna.example:80", "<text-3, 16 bytes>:80"),
            ("nas.anna.example:998877", "<text-4, 23 bytes>"),
            ("192.168.7.1:80", "<address-1, 192.168.x.x>:80"),
            ("02:aa:bb:cc:00:12", "<text-5, 17 bytes>"),
            ("[fd00::7]", "<address-2, private IPv6>"),
            ("[fd00::7]:80", "<address-2, private IPv6>:80"),
        ] {
            assert_eq!(shown(host, &mut hidden), expected);
        }
    }
}
