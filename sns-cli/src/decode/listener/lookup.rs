//! What a camera was told about a name becomes a report.
//!
//! Law: the names of what is wrong are those of `sns-cli check`, where it judges the same; the text
//! says what it means for the camera, and what to do.

use super::super::guess::Guess;
use super::super::lookups::{Lookup, Told};
use super::super::warnings::Warning;
use super::{Ear, show_guess, show_time, show_warnings};
use crate::redact;
use crate::report::Node;
use std::io;
use std::net::{IpAddr, Ipv4Addr};

impl Ear<'_, '_, '_> {
    /// Tells of a name that was looked up.
    pub(super) fn lookup(&mut self, lookup: Lookup) -> io::Result<()> {
        self.lookups += 1;
        let (address, times) = (lookup.client.ip(), [lookup.asked, lookup.answered]);
        let first = times.iter().flatten().min().copied().unwrap_or(0);
        let last = times.iter().flatten().max().copied().unwrap_or(0);
        let known = self.client(address, last);
        let guess = known.evidences.guess();
        let (leads_to, was_warned) = (known.leads_to, known.was_warned);
        let asker = Asker { guess: guess.as_ref(), leads_to, was_warned };
        let warnings = warnings(&lookup, &asker);
        known.was_warned |= warnings.iter().any(|warning| warning.name == "server-at-192.168");
        if let Told::Addresses(addresses) = &lookup.told
            && let Some(address) = addresses.first()
            && !warnings.iter().any(|warning| warning.name == "name-blocked")
        {
            known.leads_to.get_or_insert((lookup.name, *address));
        }
        self.count(address, last, &warnings);

        let mut report = self.report("lookup", lookup.told.kind());
        let fields = &mut report.fields;
        fields.number("lookup", self.lookups);
        show_time("time", first, fields);
        fields.text("client", redact::peer(lookup.client));
        fields.text("server", redact::peer(lookup.resolver));
        show_guess(guess.as_ref(), fields);
        fields.words("name", lookup.name);
        if lookup.times > 1 {
            fields.number("asked_times", lookup.times);
        }
        if let (Some(asked), Some(answered)) = (lookup.asked, lookup.answered) {
            fields.number("answered_after_us", answered.saturating_sub(asked) / 1000);
        }
        match lookup.told {
            Told::Addresses(addresses) => {
                let shown = |address: &Ipv4Addr| Node::Text(redact::address((*address).into()));
                fields.add("addresses", Node::List(addresses.iter().map(shown).collect()));
            }
            Told::Refused(code) => fields.words("code", code),
            Told::Cut => report.broken(None, "the capture kept only the beginning of the answer"),
            Told::Nothing | Told::NoAddress | Told::Unknown | Told::Garbled => {}
        }
        show_warnings(warnings, &mut report.fields);
        self.tell(report)
    }
}

/// What else is known of who asked.
struct Asker<'a> {
    /// Which camera it may be.
    guess: Option<&'a Guess>,
    /// The first name that led somewhere, and where.
    leads_to: Option<(&'static str, Ipv4Addr)>,
    /// It was told already of an address that some cameras refuse.
    was_warned: bool,
}

/// What is wrong with what was told, and what to do.
fn warnings(lookup: &Lookup, asker: &Asker<'_>) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let mut add = |name, text: String| warnings.push(Warning { name, text });
    match &lookup.told {
        Told::Nothing => add(
            "resolver-silent",
            "nobody answered, so that the camera never finds the server: is the DNS server running, \
             does it listen at this address, is UDP port 53 open in its firewall?"
                .to_owned(),
        ),
        Told::Unknown => add(
            "name-unknown",
            format!(
                "the camera is told that there is no such name, and never finds the server: let the \
                 DNS of its WiFi answer {} with the server's address, as all six names",
                lookup.name
            ),
        ),
        Told::NoAddress => add(
            "name-without-address",
            "the camera is told no IPv4 address, and never finds the server: add an A record"
                .to_owned(),
        ),
        Told::Refused(code) => add(
            "resolver-refused",
            format!(
                "the DNS server refuses or fails ({code}), so that the camera never finds the \
                 server: let it answer the camera's network; look into its log"
            ),
        ),
        Told::Garbled => add(
            "resolver-garbled",
            "the answer cannot be read, or is cut to what UDP carries: is it a DNS server that \
             listens there?"
                .to_owned(),
        ),
        Told::Cut => {}
        Told::Addresses(addresses) => {
            addressed(addresses, lookup.client.ip(), asker, &mut add);
        }
    }
    warnings
}

fn addressed(
    addresses: &[Ipv4Addr],
    client: IpAddr,
    asker: &Asker<'_>,
    add: &mut impl FnMut(&'static str, String),
) {
    // Who tries it all on one machine finds it there.
    let is_nowhere = |address: &Ipv4Addr| {
        address.is_unspecified() || address.is_loopback() && !client.is_loopback()
    };
    if addresses.iter().any(is_nowhere) {
        add(
            "name-blocked",
            "it leads nowhere, or back to the camera itself: an ad blocker does this; allow the \
             name, and let it lead to the server"
                .to_owned(),
        );
        return;
    }
    if let Some((name, address)) = asker.leads_to
        && !addresses.contains(&address)
    {
        add(
            "name-elsewhere",
            format!(
                "it leads to another server than {name}: all six names must lead to yours; are both \
                 redirected, and does the camera ask only one DNS server?"
            ),
        );
    }
    let may_refuse = match asker.guess {
        Some(guess) if guess.is_distinct => {
            guess.models.iter().any(|model| matches!(*model, "SH100" | "ST1000"))
        }
        _ => !asker.was_warned,
    };
    if may_refuse && addresses.iter().any(|address| address.octets().starts_with(&[192, 168])) {
        add(
            "server-at-192.168",
            "the address begins with 192.168.: an SH100 or ST1000/CL65 takes that for a captive \
             portal; give the server an address of 10.x or 172.16-31.x"
                .to_owned(),
        );
    }
}
