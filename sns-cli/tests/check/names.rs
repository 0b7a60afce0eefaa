//! DNS servers that are wrong on purpose.

use super::spoilt::*;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};

pub(crate) const LOCAL: [u8; 4] = [127, 0, 0, 1];
const ELSEWHERE: [u8; 4] = [203, 0, 113, 7];
const CUT: u8 = 0x02;

/// An answer to a query: its flags, error, and records, each with its name.
pub(crate) fn reply(query: &[u8], flags: u8, error: u8, records: &[Vec<u8>]) -> Vec<u8> {
    let question = &query[12..];
    let mut bytes = query[..2].to_vec();
    bytes.extend([0x84 | flags, 0x80 | error, 0, 1, 0, records.len() as u8, 0, 0, 0, 0]);
    bytes.extend(question);
    bytes.extend(records.concat());
    bytes
}

/// A record of this kind; `name` as it stands on the wire.
fn record(name: &[u8], kind: u8, data: &[u8]) -> Vec<u8> {
    [name, &[0, kind, 0, 1, 0, 0, 0, 60, 0, data.len() as u8], data].concat()
}

/// The name of the question, by reference.
const ASKED: &[u8] = &[0xc0, 12];

pub(crate) fn a(address: [u8; 4]) -> Vec<u8> {
    record(ASKED, 1, &address)
}

/// A DNS server on a free port, UDP and TCP, that answers each query so; it ends with the test.
pub(crate) fn dns(answer: fn(&[u8], bool) -> Vec<Vec<u8>>) -> String {
    let (udp, tcp) = loop {
        let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()) {
            break (udp, tcp);
        }
    };
    let address: SocketAddr = udp.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut query = [0; 512];
        loop {
            let (length, from) = udp.recv_from(&mut query).unwrap();
            for bytes in answer(&query[..length], false) {
                udp.send_to(&bytes, from).unwrap();
            }
        }
    });
    std::thread::spawn(move || {
        for stream in tcp.incoming() {
            let mut stream: TcpStream = stream.unwrap();
            let mut length = [0; 2];
            stream.read_exact(&mut length).unwrap();
            let mut query = vec![0; u16::from_be_bytes(length).into()];
            stream.read_exact(&mut query).unwrap();
            for bytes in answer(&query, true) {
                let length = (bytes.len() as u16).to_be_bytes();
                stream.write_all(&[&length[..], &bytes].concat()).unwrap();
            }
        }
    });
    address.to_string()
}

/// What a resolver answers to a query, over UDP or TCP, and what is to be found.
type DnsCase = (&'static str, fn(&[u8], bool) -> Vec<Vec<u8>>, Option<&'static str>);

const DNS_CASES: &[DnsCase] = &[
    ("right", |query, _| vec![reply(query, 0, 0, &[a(LOCAL)])], None),
    (
        "by an alias",
        |query, _| {
            let alias = record(ASKED, 5, b"\x01x\x04test\0");
            vec![reply(query, 0, 0, &[alias, record(b"\x01X\x04test\0", 1, &LOCAL)])]
        },
        None,
    ),
    (
        "cut, and whole over TCP",
        |query, by_tcp| match by_tcp {
            true => vec![reply(query, 0, 0, &[a(LOCAL)])],
            false => vec![reply(query, CUT, 0, &[])],
        },
        None,
    ),
    (
        "behind the answers to other questions",
        |query, _| {
            let mut other_id = reply(query, 0, 3, &[]);
            other_id[0] ^= 1;
            let mut other_name = reply(query, 0, 3, &[]);
            other_name[14] ^= 2;
            vec![other_id, other_name, query.to_vec(), reply(query, 0, 0, &[a(LOCAL)])]
        },
        None,
    ),
    ("elsewhere", |query, _| vec![reply(query, 0, 0, &[a(ELSEWHERE)])], Some("name-elsewhere")),
    (
        "here and elsewhere",
        |query, _| vec![reply(query, 0, 0, &[a(LOCAL), a(ELSEWHERE)])],
        Some("name-mixed"),
    ),
    ("blocked", |query, _| vec![reply(query, 0, 0, &[a([0; 4])])], Some("name-blocked")),
    ("junk", |_, _| vec![b"hello world this is not dns".to_vec()], Some("resolver-garbled")),
    ("five bytes", |query, _| vec![query[..5].to_vec()], Some("resolver-garbled")),
    ("an echo", |query, _| vec![query.to_vec()], Some("resolver-garbled")),
    (
        "cut, and closed over TCP",
        |query, by_tcp| match by_tcp {
            true => Vec::new(),
            false => vec![reply(query, CUT, 0, &[])],
        },
        Some("resolver-no-tcp"),
    ),
    ("NXDOMAIN", |query, _| vec![reply(query, 0, 3, &[])], Some("name-unknown")),
    ("refused", |query, _| vec![reply(query, 0, 5, &[])], Some("resolver-refused")),
    ("SERVFAIL", |query, _| vec![reply(query, 0, 2, &[])], Some("resolver-refused")),
    ("no record", |query, _| vec![reply(query, 0, 0, &[])], Some("name-without-address")),
    (
        "IPv6 only",
        |query, _| vec![reply(query, 0, 0, &[record(ASKED, 28, &[1; 16])])],
        Some("name-without-address"),
    ),
    (
        "an alias of itself",
        |query, _| vec![reply(query, 0, 0, &[record(ASKED, 5, ASKED)])],
        Some("name-without-address"),
    ),
    (
        "an address of another name",
        |query, _| vec![reply(query, 0, 0, &[record(b"\x01x\0", 1, &LOCAL)])],
        Some("name-without-address"),
    ),
    ("cut over TCP as well", |query, _| vec![reply(query, CUT, 0, &[])], Some("resolver-garbled")),
    (
        "garbled",
        |query, _| {
            let whole = reply(query, 0, 0, &[a(LOCAL)]);
            vec![whole[..whole.len() - 7].to_vec()]
        },
        Some("resolver-garbled"),
    ),
    ("silent", |_, _| Vec::new(), Some("resolver-silent")),
];

#[test]
fn each_fault_of_a_resolver_is_found() {
    let port = serve(Box::new(|_, _, right| write(right)));
    let closed = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let closed = ("closed", closed.to_string(), Some("resolver-silent"));
    let open = DNS_CASES.iter().map(|(name, answer, found)| (*name, dns(*answer), *found));
    let cases: Vec<_> = open.chain([closed]).collect();
    each(&cases, |(name, resolver, expected)| {
        let output = check(port, &["--dns", resolver, "--json"]);
        let expected: Vec<(String, String)> = match expected {
            Some(code) => vec![("name".to_owned(), (*code).to_owned()); 6],
            None => Vec::new(),
        };
        assert_eq!(faults(&output), expected, "{name}:\n{}", text(&output.stdout));
        assert_eq!(output.status.code(), Some(i32::from(!expected.is_empty())), "{name}");
    });
}

#[test]
fn a_name_that_a_model_is_not_known_to_need_is_a_warning() {
    let port = serve(Box::new(|_, _, right| write(right)));
    let resolver = dns(|query, _| match query.windows(5).any(|bytes| bytes == b"yahoo") {
        true => vec![reply(query, 0, 3, &[])],
        false => vec![reply(query, 0, 0, &[a(LOCAL)])],
    });
    for (model, found, code) in
        [("NX300", "name-unknown?", 0), ("EX2F", "name-unknown", 1), ("WB150F", "name-unknown", 1)]
    {
        let output = check(port, &["--dns", &resolver, "--json", "--model", model]);
        assert_eq!(faults(&output), [("name".to_owned(), found.to_owned())], "{model}");
        assert_eq!(output.status.code(), Some(code), "{model}");
    }
}
