//! `sns-cli decode` never leaves something aside without a word: what could not be read, and what was
//! given up, is told, with what to do, and the exit code says it too.
#![allow(clippy::unwrap_used)] // a test's helpers are tests

mod peer;

use peer::{Peer, SYN, pcap};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// What is told of a capture, and the exit code.
fn decode(bytes: &[u8]) -> (Vec<Value>, Option<i32>) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("made.pcap");
    std::fs::write(&file, bytes).unwrap();
    decode_file(&file)
}

fn decode_file(file: &Path) -> (Vec<Value>, Option<i32>) {
    let output = Command::new(env!("CARGO_BIN_EXE_sns-cli"))
        .args(["decode", "--json"])
        .arg(file)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (lines, output.status.code())
}

fn testdata(name: &str) -> (Vec<Value>, Option<i32>) {
    decode_file(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/pcap").join(name))
}

#[test]
fn a_capture_of_which_nothing_is_told_says_why() {
    let arp = [&[0xff; 6][..], &[2; 6], &[8, 6], &[0; 46]].concat();
    let short = vec![0x45, 0, 0];
    for (made, reason) in [
        (pcap(1, &[]), "there is no packet in it"),
        (pcap(1, &[arp.clone(), arp]), "2 packets are of other protocols than TCP"),
        (pcap(147, &[vec![0; 60]]), "1 packet is of link layer 147"),
        (pcap(101, &[short]), "1 packet is not to be read"),
    ] {
        let (told, code) = decode(&made);
        let error = told.last().unwrap()["error"].as_str().unwrap_or_default();
        assert!(error.contains(reason), "{error:?}: {reason}");
        assert_eq!(code, Some(1), "{reason}");
    }
    for (file, reason, count) in [
        ("encrypted.pcap", "frames are encrypted: decrypt with airdecap-ng or Wireshark", 22),
        ("unknown-link.pcap", "packets are of link layer 147", 22),
    ] {
        let (told, code) = testdata(file);
        let error = told.last().unwrap()["error"].as_str().unwrap();
        assert!(error.contains(&format!("{count} {reason}")), "{error}");
        assert_eq!((told.len(), code), (1, Some(1)), "{file}");
    }
}

/// One that speaks something else than HTTP, at another port than HTTP's.
fn ssh(packets: &mut Vec<Vec<u8>>) {
    let from = packets.len();
    let mut peer = Peer::open(9998, packets);
    peer.say(false, b"SSH-2.0-OpenSSH_9.2\r\n", packets);
    peer.say(true, b"SSH-2.0-x\r\n", packets);
    for (at, packet) in packets[from..].iter_mut().enumerate() {
        let is_camera = matches!(at, 0 | 3);
        packet[if is_camera { 23 } else { 21 }] = 22;
    }
}

#[test]
fn a_capture_of_other_connections_alone_says_so() {
    let mut packets = Vec::new();
    ssh(&mut packets);
    let (told, code) = decode(&pcap(101, &packets));
    assert_eq!(told.len(), 1, "only the summary");
    let error = told[0]["error"].as_str().unwrap();
    assert!(error.contains("in its only TCP connection, no HTTP was recognised"), "{error}");
    assert_eq!((&told[0]["other_connections"], code), (&1.into(), Some(1)));
}

/// That a connection is encrypted is something that was told.
#[test]
fn who_tells_of_a_connection_does_not_say_that_nothing_was_decoded() {
    let mut packets = Vec::new();
    let mut camera = Peer::open(9999, &mut packets);
    camera.say(true, b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00", &mut packets);
    packets.push(vec![0x45, 0, 0]);
    let (told, code) = decode(&pcap(101, &packets));
    let kinds: Vec<&str> = told.iter().map(|line| line["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["tls", "summary"]);
    assert_eq!((told[1].get("error"), code), (None, Some(0)));
    assert_eq!(told[1]["left_aside"]["unreadable_packets"], 1);
}

/// As `tcpdump -s 54` records it: the headers, and nothing of what was said.
#[test]
fn a_capture_of_headers_alone_says_so() {
    let mut packets = Vec::new();
    let mut camera = Peer::open(9999, &mut packets);
    camera.say(true, b"GET / HTTP/1.1\r\nHost: gld.samsungosp.com\r\n\r\n", &mut packets);
    camera.say(false, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", &mut packets);
    let whole = pcap(101, &packets);
    let (told, code) = decode(&whole);
    assert_eq!((&told[0]["kind"], code), (&"hotspot".into(), Some(0)));
    let mut cut = whole[..24].to_vec();
    for packet in &packets {
        let kept = packet.len().min(40) as u32;
        for word in [1_700_000_000, 0, kept, packet.len() as u32] {
            cut.extend(u32::to_le_bytes(word));
        }
        cut.extend(&packet[..kept as usize]);
    }
    let (told, code) = decode(&cut);
    let error = told.last().unwrap()["error"].as_str().unwrap();
    assert!(error.contains("2 packets are there only with the beginning"), "{error}");
    assert_eq!(code, Some(1));
}

#[test]
fn what_some_frames_hid_is_said_beside_what_others_tell() {
    let (told, code) = testdata("ppi.pcap");
    let summary = told.last().unwrap();
    let advice = summary["left_aside"]["advice"].to_string();
    assert!(advice.contains("10 frames are encrypted"), "{advice}");
    assert!(advice.contains("12 frames are damaged"), "{advice}");
    assert_eq!((summary.get("error"), code), (None, Some(0)));
}

#[test]
fn fragments_that_come_twice_are_not_lost() {
    let lost = |file: &str| testdata(file).0.last().unwrap()["left_aside"].clone();
    assert_eq!(lost("fragments-twice.pcap"), Value::Null);
    assert_eq!(lost("pieces.pcap"), Value::Null);
    assert_eq!(lost("pieces-plain.pcap"), Value::Null);
}

/// Each end of so many connections at once says half of what it has to say, then the rest.
fn at_once(count: u16) -> Vec<u8> {
    let mut packets = Vec::new();
    let head = "PUT /upload/k/SAM_0001.JPG HTTP/1.1\r\nContent-Length: 40\r\n\r\n";
    let mut peers = Vec::new();
    for number in 0..count {
        let mut peer = Peer::open(10_000 + number, &mut packets);
        peer.say(true, format!("{head}{}", "a".repeat(20)).as_bytes(), &mut packets);
        peers.push(peer);
    }
    for peer in &mut peers {
        peer.say(true, "b".repeat(20).as_bytes(), &mut packets);
    }
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 26\r\n\r\n<Response Status=\"succ\" />";
    for peer in &mut peers {
        peer.say(false, answer.as_bytes(), &mut packets);
    }
    pcap(101, &packets)
}

#[test]
fn connections_that_are_given_up_are_told() {
    let (told, code) = decode(&at_once(2048));
    let summary = told.last().unwrap();
    assert_eq!((&summary["exchanges"], code), (&2048.into(), Some(0)));
    assert_eq!(summary.get("given_up_connections"), None);

    let (told, code) = decode(&at_once(2060));
    assert_eq!(code, Some(1));
    let broken = |line: &&Value| line.get("error").is_some();
    let given_up: Vec<&Value> =
        told.iter().filter(|line| line["form"] == "exchange").filter(broken).collect();
    // Those that nobody followed any more are not told twice.
    assert_eq!((given_up.len(), told.len()), (12, 2061));
    for exchange in given_up {
        let error = exchange["error"].as_str().unwrap();
        assert!(error.contains("this one was given up"), "{error}");
        assert_eq!(exchange["request"]["length"], 20);
        assert_eq!(exchange.get("warnings"), None, "nobody knows whether there was an answer");
    }
    let summary = told.last().unwrap();
    assert_eq!(summary["given_up_connections"], 12);
    assert_eq!(summary["left_aside"]["unfollowed_segments"], 24);
    let error = summary["error"].as_str().unwrap();
    assert!(error.contains("12 connections were given up") && error.contains("2048"), "{error}");
}

#[test]
fn connections_that_are_given_up_before_they_speak_are_told() {
    let mut packets = Vec::new();
    for number in 0..2050 {
        Peer::open(10_000 + number, &mut packets);
    }
    let (told, code) = decode(&pcap(101, &packets));
    let given_up: Vec<&Value> = told.iter().filter(|line| line["kind"] == "given_up").collect();
    let clients: Vec<&str> = given_up.iter().map(|line| line["client"].as_str().unwrap()).collect();
    assert_eq!(clients, ["10.0.0.2:10000", "10.0.0.2:10001"]);
    assert_eq!((&told.last().unwrap()["given_up_connections"], code), (&2.into(), Some(1)));
}

/// A port scan takes no room from who has something to say.
#[test]
fn connections_that_nobody_answered_make_room_first() {
    let mut packets = Vec::new();
    let mut camera = Peer::open(9999, &mut packets);
    camera.say(true, b"GET / HTTP/1.1\r\nHost: gld.samsungosp.com\r\n\r\n", &mut packets);
    for port in 10_000..16_000 {
        packets.push(Peer { port, sent: 1000, heard: 0 }.packet(true, SYN, b""));
    }
    camera.say(false, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", &mut packets);
    let (told, code) = decode(&pcap(101, &packets));
    let exchange = told.iter().find(|line| line["form"] == "exchange").unwrap();
    assert_eq!(exchange.get("error"), None);
    assert_eq!(exchange["answer"]["http"]["status"], 200);
    assert_eq!(told.last().unwrap().get("given_up_connections"), None);
    assert_eq!(code, Some(0));
}
