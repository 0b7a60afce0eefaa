//! The checks by which a camera decides whether it is online or behind a captive portal.
//!
//! Law: one answer a client address, bounded in memory. What one camera was told never changes what
//! another is told.
//!
//! Facts (facts.md section 5):
//! - Yahoo (`DevHTTPResponseStart()` in WB850F and EX2F): a 200 must set a cookie for a `.yahoo.*`
//!   domain, leading dot kept; or a 30x must have `yahoo.` at offset 11 or less of its target.
//!   The server known to work alternates between both; why is not written down, so each client
//!   gets them in turn, the cookie first.
//! - MSN: the WB37F refuses a redirect and wants the cookie, so it always gets the cookie.
//! - gld: an empty body with `ETag` and a second `Server` line.

use crate::answer::{Answer, Status};
use crate::endpoint::HotspotCheck;
use crate::time::UnixTime;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Whose turns are remembered; the client that asked longest ago is forgotten first.
pub const MAX_CLIENTS: usize = 1024;

/// What each client was told last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HotspotMemory {
    clients: BTreeMap<IpAddr, Client>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Client {
    asked_at: UnixTime,
    redirect_next: bool,
}

impl HotspotMemory {
    /// The answer to a check from this client.
    pub fn answer(&mut self, check: HotspotCheck, from: IpAddr, now: UnixTime) -> Answer {
        match check {
            HotspotCheck::Gld => gld(),
            HotspotCheck::Msn => cookie("MSN", ".msn.com"),
            HotspotCheck::Yahoo if self.redirects(from, now) => {
                Answer::redirect("http://yahoo.com")
            }
            HotspotCheck::Yahoo => cookie("YAHOO!", ".yahoo.co.kr"),
        }
    }

    fn redirects(&mut self, from: IpAddr, now: UnixTime) -> bool {
        if self.clients.len() >= MAX_CLIENTS && !self.clients.contains_key(&from) {
            let oldest = self.clients.iter().min_by_key(|(_, client)| client.asked_at);
            if let Some(address) = oldest.map(|(address, _)| *address) {
                self.clients.remove(&address);
            }
        }
        let client =
            self.clients.entry(from).or_insert(Client { asked_at: now, redirect_next: false });
        client.asked_at = now;
        client.redirect_next = !client.redirect_next;
        !client.redirect_next
    }
}

fn gld() -> Answer {
    let mut answer = Answer::new(Status::Ok, "");
    answer.early.push(("ETag", "\"deadbeef\"".to_owned()));
    answer.early.push(("Server", "nginx/notreally".to_owned()));
    answer
}

fn cookie(body: &str, domain: &str) -> Answer {
    let mut answer = Answer::new(Status::Ok, body);
    answer.late.push(("Set-Cookie", format!("samsung=hotspot; Domain={domain}; Path=/")));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn client(n: u32) -> IpAddr {
        Ipv4Addr::from(n).into()
    }

    #[test]
    fn yahoo_alternates_per_client_with_the_cookie_first() {
        let mut memory = HotspotMemory::default();
        let mut status =
            |n| memory.answer(HotspotCheck::Yahoo, client(n), UnixTime::from_secs(1)).status.code();
        assert_eq!(
            [status(1), status(2), status(1), status(1), status(2)],
            [200, 200, 302, 200, 302]
        );
    }

    #[test]
    fn a_yahoo_redirect_has_yahoo_within_the_first_eleven_bytes() {
        let mut memory = HotspotMemory::default();
        let now = UnixTime::from_secs(1);
        memory.answer(HotspotCheck::Yahoo, client(1), now);
        let answer = memory.answer(HotspotCheck::Yahoo, client(1), now);
        let (name, target) = &answer.late[0];
        assert_eq!(*name, "Location");
        assert!(target.find("yahoo.").unwrap() <= 11, "{target}");
    }

    #[test]
    fn msn_never_redirects_and_keeps_the_leading_dot() {
        let mut memory = HotspotMemory::default();
        for _ in 0..3 {
            let answer = memory.answer(HotspotCheck::Msn, client(1), UnixTime::from_secs(1));
            assert_eq!(answer.status, Status::Ok);
            assert!(answer.late[0].1.contains("Domain=.msn.com;"));
        }
    }

    #[test]
    fn memory_is_bounded_and_forgets_the_oldest() {
        let mut memory = HotspotMemory::default();
        for n in 0..3000 {
            memory.answer(HotspotCheck::Yahoo, client(n), UnixTime::from_secs(n.into()));
        }
        assert_eq!(memory.clients.len(), MAX_CLIENTS);
        assert!(memory.clients.contains_key(&client(2999)));
        assert!(!memory.clients.contains_key(&client(0)));
    }
}
