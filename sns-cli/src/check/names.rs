//! Do the six names lead to the server?
//!
//! Law: all six for every camera, since which camera asks for which is only partly known; of a camera
//! that was named, those that it is not known to need are a warning.

use super::dns;
use super::fault::{Fault, Kind, said};
use super::show::Verdict;
use crate::habits::{self, NAMES};
use samsung_sns::endpoint::HotspotCheck;
use samsung_sns::model::Model;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::str::FromStr;

/// Who is asked for the names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resolver {
    /// Whoever this machine asks.
    System,
    /// Nobody.
    None,
    /// This DNS server.
    At(SocketAddr),
}

impl FromStr for Resolver {
    type Err = String;

    fn from_str(text: &str) -> Result<Resolver, String> {
        match text {
            "system" => return Ok(Resolver::System),
            "none" => return Ok(Resolver::None),
            _ => {}
        }
        let plain = text.parse().map(|address: IpAddr| SocketAddr::new(address, 53));
        plain.or_else(|_| text.parse()).map(Resolver::At).map_err(|_| {
            "write its address, such as 10.42.0.1 or 10.42.0.1:53; or system; or none".to_owned()
        })
    }
}

/// What each of the names leads to, asked all at once. `server` has the addresses of HOST.
pub(super) fn verdicts(
    resolver: Resolver,
    server: &[IpAddr],
    model: Option<&Model>,
) -> Vec<Verdict> {
    std::thread::scope(|scope| {
        let ask = |name| {
            scope.spawn(move || match (verdict(resolver, server, name), model) {
                (Verdict::Wrong(faults), Some(model)) if !is_known_to_need(model, name) => {
                    let soften = |mut fault: Fault| {
                        fault.text += &format!("; the {} is not known to need it", model.name);
                        fault.warning()
                    };
                    Verdict::Wrong(faults.into_iter().map(soften).collect())
                }
                (verdict, _) => verdict,
            })
        };
        let asked: Vec<_> = NAMES.into_iter().map(ask).collect();
        let lost = || Verdict::Skipped("this name could not be asked for".to_owned());
        asked.into_iter().map(|asked| asked.join().unwrap_or_else(|_| lost())).collect()
    })
}

/// Whether this camera is known to ask for this name, or may be, for want of knowledge.
fn is_known_to_need(model: &Model, name: &str) -> bool {
    let checks = |check| model.hotspot.is_none_or(|its| its.check == check);
    match name {
        "gld.samsungosp.com" => checks(HotspotCheck::Gld),
        "www.yahoo.co.kr" => checks(HotspotCheck::Yahoo),
        "www.msn.com" => checks(HotspotCheck::Msn),
        "snsgw.samsungmobile.com" => !habits::sends_email_only(model),
        // Only a browser opens it, when the check has failed.
        "www.samsungimaging.com" => false,
        _ => true,
    }
}

fn verdict(resolver: Resolver, server: &[IpAddr], name: &str) -> Verdict {
    let found = match resolver {
        Resolver::None => return Verdict::Skipped("not asked, as --dns none says".to_owned()),
        Resolver::System => by_system(name),
        Resolver::At(resolver) => dns::addresses(resolver, name),
    };
    match found {
        Ok(addresses) => judge(&addresses, server),
        Err(fault) => Verdict::Wrong(vec![fault]),
    }
}

fn by_system(name: &str) -> Result<Vec<Ipv4Addr>, Fault> {
    let found = (name, 80).to_socket_addrs().map_err(|error| not_found(&said(&error)))?;
    let is_ipv4 = |address: SocketAddr| match address.ip() {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(_) => None,
    };
    let mut addresses: Vec<Ipv4Addr> = found.filter_map(is_ipv4).collect();
    addresses.dedup();
    Ok(addresses)
}

/// The system's resolver has only words for what went wrong.
fn not_found(said: &str) -> Fault {
    // EAI_AGAIN, as glibc and musl put it.
    match said.contains("Temporary failure") || said.contains("Try again") {
        true => {
            let text = "this machine's DNS server does not answer (--dns asks another)";
            Fault::new(Kind::ResolverSilent, text)
        }
        false => Fault::new(Kind::NameUnknown, format!("this machine does not find it: {said}")),
    }
}

/// Whether these are the server's.
fn judge(found: &[Ipv4Addr], server: &[IpAddr]) -> Verdict {
    let list = |addresses: &[String]| addresses.join(", ");
    let shown = list(&found.iter().map(Ipv4Addr::to_string).collect::<Vec<_>>());
    let host = list(&server.iter().map(IpAddr::to_string).collect::<Vec<_>>());
    let right = found.iter().filter(|address| server.contains(&IpAddr::V4(**address))).count();
    let fault = if found.is_empty() {
        Fault::new(Kind::NameWithoutAddress, "it has no IPv4 address")
    } else if right == found.len() {
        return Verdict::Green(shown);
    } else if right == 0 && found.iter().all(|it| it.is_unspecified() || it.is_loopback()) {
        let text = format!("it leads to {shown}, which is the camera itself: it is blocked");
        Fault::new(Kind::NameBlocked, text)
    } else if right > 0 {
        Fault::new(Kind::NameMixed, format!("it leads to {shown}; only {host} is HOST"))
    } else {
        Fault::new(Kind::NameElsewhere, format!("it leads to {shown}, not to {host}"))
    };
    Verdict::Wrong(vec![fault])
}

/// Whether a camera can use the server's address: this one, or each of them.
pub(super) fn address(server: IpAddr, model: Option<&Model>) -> Verdict {
    let IpAddr::V4(address) = server.to_canonical() else {
        let text = format!("{server} is an IPv6 address");
        return Verdict::Wrong(vec![Fault::new(Kind::AddressNotIpv4, text)]);
    };
    if address.is_loopback() {
        let text = "only this machine reaches it: check again with the address cameras are given";
        return Verdict::Skipped(format!("{address}: {text}"));
    }
    // Quirk(SH100, ST1000): a server at 192.168. means a captive portal to them.
    if address.octets().starts_with(&[192, 168]) && model.is_none_or(habits::refuses_192_168) {
        let text = format!(
            "{address} begins with 192.168.: an SH100 or ST1000 believes itself behind a login page"
        );
        return Verdict::Wrong(vec![Fault::new(Kind::AddressRefused, text)]);
    }
    let unusable = match address.octets() {
        [0, ..] => Some("is no address of a device"),
        [169, 254, ..] => Some("is what a device gives itself when nobody gives it an address"),
        [224..=239, ..] => Some("is for groups of devices"),
        [240..=255, ..] => Some("is no address of a single device"),
        _ => None,
    };
    if let Some(why) = unusable {
        let fault = Fault::new(Kind::AddressUnusable, format!("{address} {why}"));
        return Verdict::Wrong(vec![fault]);
    }
    // 100.64/10 is what providers use within their networks.
    let is_inner = address.is_private() || matches!(address.octets(), [100, 64..=127, ..]);
    if !is_inner {
        let text =
            format!("{address} is an address of the open internet, where no such server belongs");
        return Verdict::Wrong(vec![Fault::new(Kind::AddressPublic, text).warning()]);
    }
    Verdict::Green(match model {
        Some(model) => format!("{address}: nothing against it is known of the {}", model.name),
        None => format!("{address}: every camera accepts it as far as is known"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(verdict: &Verdict) -> &'static str {
        match verdict {
            Verdict::Green(_) => "green",
            Verdict::Skipped(_) => "skipped",
            Verdict::Wrong(faults) => faults[0].kind.code(),
        }
    }

    #[test]
    fn an_address_is_judged_for_the_camera_that_has_to_reach_it() {
        let model = |name| habits::model(name).ok();
        for (text, model, expected) in [
            ("192.168.1.5", None, "address-refused"),
            ("192.168.1.5", model("SH100"), "address-refused"),
            ("192.168.1.5", model("ST1000"), "address-refused"),
            ("192.168.1.5", model("NX300"), "green"),
            ("192.169.1.5", None, "address-public"),
            ("8.8.4.4", None, "address-public"),
            ("169.254.7.7", None, "address-unusable"),
            ("0.0.0.0", None, "address-unusable"),
            ("224.0.0.1", None, "address-unusable"),
            ("255.255.255.255", None, "address-unusable"),
            ("100.64.0.1", None, "green"),
            ("10.42.0.1", None, "green"),
            ("172.16.0.1", model("SH100"), "green"),
            ("::ffff:192.168.1.5", None, "address-refused"),
            ("fd00::1", None, "address-not-ipv4"),
            ("127.0.0.1", None, "skipped"),
        ] {
            assert_eq!(code(&address(text.parse().unwrap(), model)), expected, "{text}");
        }
    }

    #[test]
    fn a_dns_server_that_does_not_answer_is_no_name_that_does_not_exist() {
        for (said, expected) in [
            ("Temporary failure in name resolution", "resolver-silent"),
            ("Try again", "resolver-silent"),
            ("Name or service not known", "name-unknown"),
        ] {
            assert_eq!(not_found(said).kind.code(), expected, "{said}");
        }
    }

    #[test]
    fn a_camera_needs_the_names_that_it_is_known_to_ask_for() {
        let needs = |model| -> Vec<&str> {
            let model = habits::model(model).unwrap();
            NAMES.into_iter().filter(|name| is_known_to_need(model, name)).collect()
        };
        assert_eq!(
            needs("NX300"),
            ["gld.samsungosp.com", "www.ospserver.net", "snsgw.samsungmobile.com"]
        );
        assert_eq!(needs("NX500"), ["gld.samsungosp.com", "www.ospserver.net"]);
        assert_eq!(needs("WB150F").len(), 5, "its hotspot check is not known");
    }

    #[test]
    fn names_must_lead_to_the_server_and_nowhere_else() {
        let server: [IpAddr; 2] = ["10.42.0.1".parse().unwrap(), "10.42.0.2".parse().unwrap()];
        for (found, expected) in [
            (&["10.42.0.1"][..], "green"),
            (&["10.42.0.2", "10.42.0.1"], "green"),
            (&["10.42.0.1", "1.2.3.4"], "name-mixed"),
            (&["1.2.3.4"], "name-elsewhere"),
            (&["0.0.0.0"], "name-blocked"),
            (&["127.0.0.1"], "name-blocked"),
            (&["10.42.0.1", "127.0.0.1"], "name-mixed"),
            (&[], "name-without-address"),
        ] {
            let found: Vec<Ipv4Addr> = found.iter().map(|text| text.parse().unwrap()).collect();
            assert_eq!(code(&judge(&found, &server)), expected, "{found:?}");
        }
    }

    #[test]
    fn a_resolver_is_an_address_with_or_without_a_port() {
        for (text, expected) in [
            ("10.42.0.1", "10.42.0.1:53"),
            ("10.42.0.1:5353", "10.42.0.1:5353"),
            ("::1", "[::1]:53"),
            ("[::1]:5353", "[::1]:5353"),
        ] {
            let expected = Resolver::At(expected.parse().unwrap());
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
        assert_eq!("none".parse(), Ok(Resolver::None));
        assert_eq!("system".parse(), Ok(Resolver::System));
        assert!("dns.example".parse::<Resolver>().is_err());
    }
}
