//! A DNS client that asks one question: which IPv4 addresses has this name? What it makes of an answer
//! is also made of those in captures.
//!
//! Law: over UDP, as cameras ask, and again over TCP if the answer is cut. Messages are read by
//! simple-dns; what is not the answer to this question is passed over.

use super::fault::{Fault, Kind, said};
use simple_dns::rdata::RData;
use simple_dns::{CLASS, Name, Packet, PacketFlag, QCLASS, QTYPE, Question, RCODE, TYPE};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

/// How often a question is asked over UDP.
const TRIES: u32 = 2;
/// How long each of them waits.
const PATIENCE: Duration = Duration::from_secs(2);
/// So many names may stand between the one that was asked for and its address.
const MAX_ALIASES: usize = 8;

/// The addresses of a name, as this resolver gives them; at least one.
pub(super) fn addresses(resolver: SocketAddr, name: &str) -> Result<Vec<Ipv4Addr>, Fault> {
    let mut id = [0; 2];
    let random = getrandom::fill(&mut id).map_err(io::Error::other);
    let id = u16::from_be_bytes(id);
    let silent = |error: io::Error| {
        let text = format!("{resolver} cannot be asked over UDP: {}", said(&error));
        Fault::new(Kind::ResolverSilent, text)
    };
    let question = random.and_then(|()| question(id, name)).map_err(silent)?;
    let reply = match over_udp(resolver, &question, id, name).map_err(silent)? {
        Reply::Cut => over_tcp(resolver, &question, id, name).map_err(|error| {
            let text = format!("its answer is cut, and over TCP: {}", said(&error));
            Fault::new(Kind::ResolverNoTcp, text)
        })?,
        reply => reply,
    };
    match reply {
        Reply::Addresses(result) => result,
        Reply::Cut => Err(Fault::new(Kind::ResolverGarbled, "its answer is cut, over TCP as well")),
        Reply::NotOurs => {
            Err(Fault::new(Kind::ResolverGarbled, "what it says over TCP is no answer"))
        }
    }
}

enum Reply {
    /// The answer to another question.
    NotOurs,
    /// It did not fit: to be asked over TCP.
    Cut,
    /// The answer.
    Addresses(Result<Vec<Ipv4Addr>, Fault>),
}

fn question(id: u16, name: &str) -> io::Result<Vec<u8>> {
    let mut packet = Packet::new_query(id);
    packet.set_flags(PacketFlag::RECURSION_DESIRED);
    let name = Name::new(name).map_err(|_| io::Error::from(ErrorKind::InvalidInput))?;
    let (kind, class) = (QTYPE::TYPE(TYPE::A), QCLASS::CLASS(CLASS::IN));
    packet.questions.push(Question::new(name, kind, class, false));
    packet.build_bytes_vec().map_err(|error| io::Error::other(error.to_string()))
}

fn over_udp(resolver: SocketAddr, question: &[u8], id: u16, name: &str) -> io::Result<Reply> {
    let any: IpAddr = match resolver {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect(resolver)?;
    let mut bytes = vec![0; 64 * 1024];
    let mut strange = None;
    for _ in 0..TRIES {
        socket.send(question)?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            socket.set_read_timeout(Some(left))?;
            match socket.recv(&mut bytes) {
                Ok(length) => match read(&bytes[..length], id, name) {
                    Reply::NotOurs => strange = Some(length),
                    reply => return Ok(reply),
                },
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
                {
                    break;
                }
                Err(error) => return Err(error),
            }
        }
    }
    let waited = (PATIENCE * TRIES).as_secs();
    let fault = match strange {
        Some(length) => {
            let text =
                format!("what {resolver} sends ({length} bytes) is no answer to the question");
            Fault::new(Kind::ResolverGarbled, text)
        }
        None => {
            let text = format!("{resolver} gave no answer within {waited} s, asked {TRIES} times");
            Fault::new(Kind::ResolverSilent, text)
        }
    };
    Ok(Reply::Addresses(Err(fault)))
}

fn over_tcp(resolver: SocketAddr, question: &[u8], id: u16, name: &str) -> io::Result<Reply> {
    let mut stream = TcpStream::connect_timeout(&resolver, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let length = u16::try_from(question.len()).map_err(io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes(), question].concat())?;
    let mut length = [0; 2];
    stream.read_exact(&mut length)?;
    let mut bytes = vec![0; u16::from_be_bytes(length).into()];
    stream.read_exact(&mut bytes)?;
    Ok(read(&bytes, id, name))
}

/// Reads what came.
fn read(bytes: &[u8], id: u16, name: &str) -> Reply {
    let [first, second, flags, ..] = bytes else { return Reply::NotOurs };
    if u16::from_be_bytes([*first, *second]) != id || flags & 0x80 == 0 {
        return Reply::NotOurs;
    }
    // A cut message need not be readable.
    if flags & 0x02 != 0 {
        return Reply::Cut;
    }
    let packet = match Packet::parse(bytes) {
        Ok(packet) => packet,
        Err(error) => {
            let text = format!("its answer cannot be read: {error}");
            return Reply::Addresses(Err(Fault::new(Kind::ResolverGarbled, text)));
        }
    };
    let is_other = |question: &Question<'_>| !is_name(&question.qname, name);
    if packet.questions.first().is_some_and(is_other) {
        return Reply::NotOurs;
    }
    Reply::Addresses(match packet.rcode() {
        RCODE::NoError => found(&packet, name),
        RCODE::NameError => {
            Err(Fault::new(Kind::NameUnknown, "the resolver says that no such name exists"))
        }
        RCODE::Refused => Err(Fault::new(Kind::ResolverRefused, "the resolver refuses to answer")),
        RCODE::ServerFailure => {
            let text = "the resolver says that it failed (SERVFAIL)";
            Err(Fault::new(Kind::ResolverRefused, text))
        }
        other => {
            let text = format!("the resolver answers with the error {other:?}");
            Err(Fault::new(Kind::ResolverRefused, text))
        }
    })
}

fn found(packet: &Packet<'_>, name: &str) -> Result<Vec<Ipv4Addr>, Fault> {
    let addresses = in_answer(packet, name);
    if addresses.is_empty() {
        let text = "the resolver knows the name, but no IPv4 address";
        return Err(Fault::new(Kind::NameWithoutAddress, text));
    }
    Ok(addresses)
}

/// The addresses of a name in an answer, its aliases followed.
pub(crate) fn in_answer(packet: &Packet<'_>, name: &str) -> Vec<Ipv4Addr> {
    let mut name = name.to_owned();
    for _ in 0..MAX_ALIASES {
        let records = || packet.answers.iter().filter(|record| is_name(&record.name, &name));
        let addresses: Vec<Ipv4Addr> = records()
            .filter_map(|record| match &record.rdata {
                RData::A(a) => Some(Ipv4Addr::from(a.address)),
                _ => None,
            })
            .collect();
        if !addresses.is_empty() {
            return addresses;
        }
        let alias = records().find_map(|record| match &record.rdata {
            RData::CNAME(alias) => Some(alias.0.to_string()),
            _ => None,
        });
        match alias {
            Some(alias) => name = alias,
            None => break,
        }
    }
    Vec::new()
}

/// Whether two names are the same.
pub(crate) fn is_name(found: &Name<'_>, wanted: &str) -> bool {
    found.to_string().trim_end_matches('.').eq_ignore_ascii_case(wanted.trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_answer_however_broken_is_a_panic() {
        let name = "www.msn.com";
        let mut whole = question(7, name).unwrap();
        whole[2] |= 0x80;
        whole[7] = 2; // an alias of itself, and an address
        whole.extend(*b"\xc0\x0c\0\x05\0\x01\0\0\0\x3c\0\x02\xc0\x0c");
        whole.extend(*b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\x0a\x2a\0\x01");
        let address = Ipv4Addr::new(10, 42, 0, 1);
        assert!(matches!(read(&whole, 7, name), Reply::Addresses(Ok(found)) if found == [address]));
        for at in 0..whole.len() {
            read(&whole[..at], 7, name);
            for byte in 0..=255 {
                let mut broken = whole.clone();
                broken[at] = byte;
                read(&broken, 7, name);
            }
        }
    }
}
