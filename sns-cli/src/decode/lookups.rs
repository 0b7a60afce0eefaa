//! Which of the six names a camera asked for, and what it was told.
//!
//! Law: a lookup is told once it was answered, or is known not to be; asked again and answered again,
//! it is still one. Only what cameras ask is told: the IPv4 address of one of the six names, over
//! UDP. Whoever asks is bounded in number.

use crate::capture::network::Message;
use crate::check::dns;
use crate::habits::NAMES;
use simple_dns::{Packet, PacketFlag, QTYPE, RCODE, TYPE};
use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Nobody waits longer for an answer.
const PATIENCE: u64 = 10_000_000_000;
/// What comes again within this time is the same packet, seen twice.
const ECHO: u64 = 50_000_000;
/// So many lookups may wait for their answers.
const MAX_WAITING: usize = 1024;
/// So many numbers of one lookup are known.
const MAX_NUMBERS: usize = 16;
/// So many answers are known, for when they come again.
const MAX_ANSWERED: usize = 64;

/// The lookups that wait for an answer, and the last that had one.
#[derive(Default)]
pub(super) struct Lookups {
    waiting: HashMap<Asked, Lookup>,
    answered: VecDeque<(Asked, u16)>,
}

/// Who asked for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Asked {
    client: IpAddr,
    name: &'static str,
}

/// One lookup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lookup {
    /// The name.
    pub(super) name: &'static str,
    /// Who asks.
    pub(super) client: SocketAddr,
    /// Who is asked.
    pub(super) resolver: SocketAddr,
    /// When it was asked first, if that is in the capture.
    pub(super) asked: Option<u64>,
    /// How often it was asked.
    pub(super) times: u64,
    /// When it was answered.
    pub(super) answered: Option<u64>,
    /// What it was told.
    pub(super) told: Told,
    last: u64,
    numbers: Vec<u16>,
}

/// What a camera was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Told {
    /// Nothing.
    Nothing,
    /// These addresses; at least one.
    Addresses(Vec<Ipv4Addr>),
    /// The name is known, but has no address.
    NoAddress,
    /// There is no such name.
    Unknown,
    /// It is refused, or something failed, which is called so.
    Refused(String),
    /// Something that cannot be read, or only over TCP.
    Garbled,
    /// The capture kept only the beginning of it.
    Cut,
}

impl Told {
    /// What it comes to, in one word.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Told::Nothing => "unanswered",
            Told::Addresses(_) => "found",
            Told::NoAddress => "no_address",
            Told::Unknown => "unknown_name",
            Told::Refused(_) => "refused",
            Told::Garbled | Told::Cut => "garbled",
        }
    }
}

impl Lookups {
    /// Takes note of a message; gives the lookups that are over with it.
    pub(super) fn message(&mut self, message: &Message<'_>, now: u64) -> Vec<Lookup> {
        let mut over = self.overdue(now);
        let [first, second, flags, ..] = message.payload else { return over };
        let number = u16::from_be_bytes([*first, *second]);
        let packet = Packet::parse(message.payload).ok();
        if flags & 0x80 == 0 {
            if let Some(name) = packet.as_ref().and_then(name) {
                over.extend(self.question(message, name, number, now));
            }
            return over;
        }
        let client = message.to.ip();
        let (asked, told) = match &packet {
            Some(packet) => match name(packet) {
                Some(name) => (Some(Asked { client, name }), told(packet, name)),
                None => return over,
            },
            // Then only its number says what it answers.
            None => {
                let mut waiting = self.waiting.iter();
                let asked = waiting.find(|(asked, lookup)| {
                    asked.client == client && lookup.numbers.contains(&number)
                });
                let told = if message.is_cut { Told::Cut } else { Told::Garbled };
                (asked.map(|(asked, _)| *asked), told)
            }
        };
        if let Some(asked) = asked {
            over.extend(self.answer(message, asked, number, told, now));
        }
        over
    }

    /// Gives those that nobody answers any more.
    fn overdue(&mut self, now: u64) -> Vec<Lookup> {
        let is_over = |lookup: &Lookup| now.saturating_sub(lookup.last) > PATIENCE;
        let over = self.waiting.extract_if(|_, lookup| is_over(lookup));
        in_order(over.map(|(_, lookup)| lookup).collect())
    }

    /// Gives those that were not answered before the capture ended.
    pub(super) fn finish(&mut self) -> Vec<Lookup> {
        in_order(self.waiting.drain().map(|(_, lookup)| lookup).collect())
    }

    /// Notes a question; gives the lookup that must make room for it, if one must.
    fn question(
        &mut self,
        message: &Message<'_>,
        name: &'static str,
        number: u16,
        now: u64,
    ) -> Option<Lookup> {
        let asked = Asked { client: message.from.ip(), name };
        if let Some(lookup) = self.waiting.get_mut(&asked) {
            let is_known = lookup.numbers.contains(&number);
            if !is_known || now.saturating_sub(lookup.last) > ECHO {
                lookup.times += 1;
            }
            if !is_known && lookup.numbers.len() < MAX_NUMBERS {
                lookup.numbers.push(number);
            }
            lookup.last = now;
            return None;
        }
        let mut oldest = None;
        if self.waiting.len() >= MAX_WAITING {
            let all = self.waiting.iter();
            let key = all.min_by_key(|(_, lookup)| lookup.last).map(|(asked, _)| *asked);
            oldest = key.and_then(|key| self.waiting.remove(&key));
        }
        let lookup = Lookup {
            name,
            client: message.from,
            resolver: message.to,
            asked: Some(now),
            times: 1,
            answered: None,
            told: Told::Nothing,
            last: now,
            numbers: vec![number],
        };
        self.waiting.insert(asked, lookup);
        oldest
    }

    /// Notes an answer; gives what it answers, or what it says without a question in the capture.
    fn answer(
        &mut self,
        message: &Message<'_>,
        asked: Asked,
        number: u16,
        told: Told,
        now: u64,
    ) -> Option<Lookup> {
        let is_waited_for = |lookup: &&Lookup| lookup.numbers.contains(&number);
        let lookup = match self.waiting.get(&asked).filter(is_waited_for) {
            Some(_) => self.waiting.remove(&asked)?,
            None if self.answered.contains(&(asked, number)) => return None,
            None => Lookup {
                name: asked.name,
                client: message.to,
                resolver: message.from,
                asked: None,
                times: 0,
                answered: None,
                told: Told::Nothing,
                last: now,
                numbers: Vec::new(),
            },
        };
        // What was asked again is answered again.
        for number in lookup.numbers.iter().copied().chain([number]) {
            if self.answered.len() >= MAX_ANSWERED {
                self.answered.pop_front();
            }
            self.answered.push_back((asked, number));
        }
        Some(Lookup { answered: Some(now), told, resolver: message.from, ..lookup })
    }
}

fn in_order(mut lookups: Vec<Lookup>) -> Vec<Lookup> {
    lookups.sort_by_key(|lookup| (lookup.asked, lookup.client, lookup.name));
    lookups
}

/// The one of the six names whose IPv4 address a message is about.
fn name(packet: &Packet<'_>) -> Option<&'static str> {
    let question = packet.questions.first()?;
    if question.qtype != QTYPE::TYPE(TYPE::A) {
        return None;
    }
    NAMES.into_iter().find(|name| dns::is_name(&question.qname, name))
}

/// What an answer tells.
fn told(packet: &Packet<'_>, name: &str) -> Told {
    if packet.has_flags(PacketFlag::TRUNCATION) {
        return Told::Garbled;
    }
    match packet.rcode() {
        RCODE::NoError => match dns::in_answer(packet, name) {
            addresses if addresses.is_empty() => Told::NoAddress,
            addresses => Told::Addresses(addresses),
        },
        RCODE::NameError => Told::Unknown,
        RCODE::Refused => Told::Refused("REFUSED".to_owned()),
        RCODE::ServerFailure => Told::Refused("SERVFAIL".to_owned()),
        other => Told::Refused(format!("{other:?}").to_uppercase()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use simple_dns::{CLASS, Name, QCLASS, Question};

    const CAMERA: &str = "10.42.0.7:1024";
    const RESOLVER: &str = "10.42.0.1:53";

    fn question(number: u16, name: &str) -> Vec<u8> {
        let mut packet = Packet::new_query(number);
        let (kind, class) = (QTYPE::TYPE(TYPE::A), QCLASS::CLASS(CLASS::IN));
        packet.questions.push(Question::new(Name::new(name).unwrap(), kind, class, false));
        packet.build_bytes_vec().unwrap()
    }

    /// The answer to a question, with this code and these addresses.
    fn answer(question: &[u8], code: u8, addresses: &[[u8; 4]]) -> Vec<u8> {
        let mut answer = question.to_vec();
        answer[2] |= 0x80;
        answer[3] |= code;
        answer[7] = addresses.len() as u8;
        for address in addresses {
            answer.extend(b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04");
            answer.extend(address);
        }
        answer
    }

    fn hear(lookups: &mut Lookups, payload: &[u8], is_question: bool, now: u64) -> Vec<Lookup> {
        let (camera, resolver) = (CAMERA.parse().unwrap(), RESOLVER.parse().unwrap());
        let (from, to) = if is_question { (camera, resolver) } else { (resolver, camera) };
        lookups.message(&Message { from, to, payload, is_cut: false }, now)
    }

    #[test]
    fn a_lookup_is_told_once_however_often_its_packets_come() {
        let mut lookups = Lookups::default();
        let first = question(1, "WWW.msn.com");
        let second = question(2, "www.msn.com");
        assert_eq!(hear(&mut lookups, &first, true, 1_000_000), []);
        assert_eq!(hear(&mut lookups, &first, true, 1_100_000), [], "seen twice");
        assert_eq!(hear(&mut lookups, &second, true, 3_000_000_000), [], "asked again");
        let told = hear(&mut lookups, &answer(&first, 0, &[[10, 42, 0, 1]]), false, 3_100_000_000);
        let [lookup] = &told[..] else { panic!("{told:?}") };
        assert_eq!((lookup.name, lookup.times), ("www.msn.com", 2));
        assert_eq!((lookup.asked, lookup.answered), (Some(1_000_000), Some(3_100_000_000)));
        assert_eq!(lookup.told, Told::Addresses(vec![Ipv4Addr::new(10, 42, 0, 1)]));
        for again in [&first, &second] {
            let again = answer(again, 0, &[[10, 42, 0, 1]]);
            assert_eq!(hear(&mut lookups, &again, false, 3_200_000_000), []);
        }
        assert_eq!(lookups.finish(), []);
    }

    #[test]
    fn what_is_not_answered_is_told_when_nobody_waits_any_more() {
        let mut lookups = Lookups::default();
        assert_eq!(hear(&mut lookups, &question(1, "gld.samsungosp.com"), true, 1), []);
        let later = hear(&mut lookups, &question(2, "www.msn.com"), true, 11_000_000_000);
        assert_eq!(later.len(), 1);
        assert_eq!((later[0].name, &later[0].told), ("gld.samsungosp.com", &Told::Nothing));
        let rest = lookups.finish();
        assert_eq!((rest.len(), rest[0].name), (1, "www.msn.com"));
    }

    #[test]
    fn other_names_other_kinds_and_garbage_are_passed_over() {
        let mut lookups = Lookups::default();
        let mut sixth = question(3, "www.msn.com");
        let end = sixth.len();
        sixth[end - 3] = 28; // AAAA
        for bytes in [&question(1, "example.org")[..], &question(2, "msn.com"), &sixth, b"", b"abc"]
        {
            for is_question in [true, false] {
                assert_eq!(hear(&mut lookups, bytes, is_question, 0), []);
            }
        }
        assert_eq!(lookups.finish(), []);
        let whole = answer(&question(4, "www.msn.com"), 0, &[[10, 42, 0, 1]]);
        for at in 0..whole.len() {
            for byte in [0, 1, 0x3f, 0xc0, 0xff] {
                let mut broken = whole.clone();
                broken[at] = byte;
                hear(&mut lookups, &broken, at % 2 == 0, at as u64);
                hear(&mut lookups, &broken[..at], at % 2 == 0, at as u64);
            }
        }
    }

    #[test]
    fn who_asks_is_bounded_and_the_oldest_is_told() {
        let mut lookups = Lookups::default();
        let payload = question(1, "www.msn.com");
        let mut told = Vec::new();
        for number in 0..3000_u32 {
            let from = SocketAddr::new(Ipv4Addr::from(0x0a00_0000 + number).into(), 1024);
            let to = RESOLVER.parse().unwrap();
            let message = Message { from, to, payload: &payload, is_cut: false };
            told.extend(lookups.message(&message, u64::from(number)));
        }
        assert_eq!(told.len(), 3000 - MAX_WAITING);
        assert_eq!(told[0].client.ip(), IpAddr::from([10, 0, 0, 0]));
        assert_eq!(lookups.finish().len(), MAX_WAITING);
    }
}
