//! `sns-cli decode` over streams that were made to mislead it: surplus bytes, gaps in odd places,
//! bytes that come again and differ, and more than can be kept.
#![allow(clippy::unwrap_used)] // a test's helpers are tests

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::process::Command;
use std::time::{Duration, Instant};

/// One connection, packet by packet: raw IPv4, without checksums.
struct Wire {
    port: u16,
    sent: u32,
    heard: u32,
    packets: Vec<Vec<u8>>,
}

const FIN: u8 = 1;
const SYN: u8 = 2;
const RST: u8 = 4;
const ACK: u8 = 16;

impl Wire {
    fn new(port: u16) -> Wire {
        Wire { port, sent: 1000, heard: 5000, packets: Vec::new() }
    }

    fn open() -> Wire {
        let mut wire = Wire::new(1025);
        wire.packet(true, SYN, b"", None);
        wire.sent += 1;
        wire.packet(false, SYN | ACK, b"", None);
        wire.heard += 1;
        wire
    }

    fn packet(&mut self, is_camera: bool, flags: u8, payload: &[u8], at: Option<u32>) {
        let (from, to) = match is_camera {
            true => ([10, 0, 0, 2], [10, 0, 0, 1]),
            false => ([10, 0, 0, 1], [10, 0, 0, 2]),
        };
        let (ports, sequence, heard) = match is_camera {
            true => ([self.port, 80], self.sent, self.heard),
            false => ([80, self.port], self.heard, self.sent),
        };
        let length = u16::try_from(40 + payload.len()).unwrap();
        let mut packet = vec![0x45, 0];
        packet.extend(length.to_be_bytes());
        packet.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
        packet.extend(from.iter().chain(&to));
        packet.extend(ports.iter().flat_map(|port| port.to_be_bytes()));
        packet.extend(at.unwrap_or(sequence).to_be_bytes());
        packet.extend(heard.to_be_bytes());
        packet.extend([0x50, flags, 255, 255, 0, 0, 0, 0]);
        packet.extend(payload);
        self.packets.push(packet);
    }

    fn lost(&mut self, is_camera: bool, length: usize) {
        let length = u32::try_from(length).unwrap();
        match is_camera {
            true => self.sent = self.sent.wrapping_add(length),
            false => self.heard = self.heard.wrapping_add(length),
        }
    }

    fn say(&mut self, is_camera: bool, bytes: &[u8]) {
        for part in bytes.chunks(32_000) {
            self.packet(is_camera, ACK, part, None);
            self.lost(is_camera, part.len());
        }
    }

    fn asks(&mut self, bytes: &[u8]) {
        self.say(true, bytes);
    }

    fn answers(&mut self, bytes: &[u8]) {
        self.say(false, bytes);
    }

    /// So many acknowledgements that a gap is none that is still to be filled.
    fn settles(&mut self) {
        for _ in 0..40 {
            self.packet(true, ACK, b"", None);
            self.packet(false, ACK, b"", None);
        }
    }

    fn close(&mut self) {
        self.packet(false, FIN | ACK, b"", None);
        self.heard += 1;
        self.packet(true, FIN | ACK, b"", None);
        self.sent += 1;
        self.packet(false, ACK, b"", None);
    }

    /// What `--json` says, and each line of the manifest with its file.
    fn told(&self) -> (Vec<Value>, Vec<(Value, Vec<u8>)>) {
        told(&self.packets)
    }

    fn exchanges(&self) -> Vec<Value> {
        self.told().0.into_iter().filter(|line| line["form"] == "exchange").collect()
    }
}

fn capture(packets: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes =
        vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 101, 0, 0, 0];
    for (nth, packet) in packets.iter().enumerate() {
        let nth = u32::try_from(nth).unwrap();
        let length = u32::try_from(packet.len()).unwrap();
        for word in [1_700_000_000 + nth / 1000, nth % 1000 * 1000, length, length] {
            bytes.extend(word.to_le_bytes());
        }
        bytes.extend(packet);
    }
    bytes
}

fn told(packets: &[Vec<u8>]) -> (Vec<Value>, Vec<(Value, Vec<u8>)>) {
    let folder = tempfile::tempdir().unwrap();
    let (file, made) = (folder.path().join("x.pcap"), folder.path().join("made"));
    std::fs::write(&file, capture(packets)).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_sns-cli"));
    let output = command.args(["decode", "--json", "--extract"]).args([&made, &file]).output();
    let output = output.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.code().is_some(), "{}", String::from_utf8_lossy(&output.stderr));
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/decode.schema.json");
    let schema = serde_json::from_slice(&std::fs::read(schema).unwrap()).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for (line, text) in lines.iter().zip(text.lines()) {
        assert!(schema.is_valid(line), "{line:#}");
        // The parser keeps one of each name: none may be lost.
        let again = serde_json::to_string(line).unwrap();
        assert_eq!(again.len(), text.len(), "a name stands twice: {text}");
    }
    assert_eq!(lines.last().unwrap()["kind"], "summary");
    let manifest = std::fs::read_to_string(made.join("manifest.jsonl")).unwrap();
    let read = |line: &str| {
        let entry: Value = serde_json::from_str(line).unwrap();
        let bytes = std::fs::read(made.join(entry["name"].as_str().unwrap())).unwrap();
        (entry, bytes)
    };
    (lines, manifest.lines().map(read).collect())
}

/// A request, and the number of its answer.
fn pairs(exchanges: &[Value]) -> Vec<(&str, &str)> {
    exchanges
        .iter()
        .map(|line| {
            assert_eq!(line.get("paired_by"), None, "{line:#}");
            let headers = line["answer"]["http"]["headers"].as_array();
            let number = headers.and_then(|all| all.iter().find(|h| h["name"] == "X-Answer"));
            let number = number.and_then(|header| header["value"].as_str());
            (line["request"]["http"]["target"].as_str().unwrap_or("-"), number.unwrap_or("-"))
        })
        .collect()
}

fn post(name: &str) -> Vec<u8> {
    format!("POST /facebook/{name} HTTP/1.1\r\nContent-Length: 4\r\n\r\nabcd").into_bytes()
}

fn answer(number: u32) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nX-Answer: {number}\r\nContent-Length: 0\r\n\r\n").into_bytes()
}

#[test]
fn what_follows_a_body_is_no_request_sent_without_waiting() {
    for surplus in [&b""[..], b"\r\n", b"\n\r\n", b"extra\n"] {
        let mut wire = Wire::open();
        for number in 1..=4 {
            wire.asks(&post(&number.to_string()));
            if !surplus.is_empty() {
                wire.asks(surplus);
            }
            match number {
                2 => wire.lost(false, answer(2).len()),
                _ => wire.answers(&answer(number)),
            }
            wire.packet(true, ACK, b"", None);
        }
        wire.settles();
        wire.close();
        let exchanges = wire.exchanges();
        let known: Vec<_> =
            pairs(&exchanges).into_iter().filter(|(asked, _)| *asked != "-").collect();
        let expected = [
            ("/facebook/1", "1"),
            ("/facebook/2", "-"),
            ("/facebook/3", "3"),
            ("/facebook/4", "4"),
        ];
        assert_eq!(known, expected, "{}: {exchanges:#?}", surplus.escape_ascii());
        assert!(exchanges.iter().all(|line| line.get("no_answer").is_none()));
    }
}

#[test]
fn a_request_behind_surplus_bytes_is_told_however_they_are_cut() {
    let both = [b"extra\n".as_slice(), &post("b")].concat();
    for cut in [0, 3, 6, 20, both.len()] {
        let mut wire = Wire::open();
        wire.asks(&post("a"));
        wire.answers(&answer(1));
        let (one, two) = both.split_at(cut);
        wire.asks(one);
        wire.asks(two);
        wire.answers(&answer(2));
        wire.close();
        let exchanges = wire.exchanges();
        let known: Vec<_> =
            pairs(&exchanges).into_iter().filter(|(asked, _)| *asked != "-").collect();
        assert_eq!(known, [("/facebook/a", "1"), ("/facebook/b", "2")], "{cut}: {exchanges:#?}");
    }
    // What is no head, and holds none, is kept as it came; lines that look like heads end, too.
    let mut wire = Wire::open();
    wire.asks(&[b"GET /a b c\n".repeat(5000).as_slice(), b"\r\n"].concat());
    wire.close();
    assert_eq!(wire.exchanges().len(), 1);
}

#[test]
fn a_first_line_that_breaks_off_in_odd_bytes_is_no_head() {
    let mut wire = Wire::open();
    for piece in ["GET /a HTTP", "/1.1\r\u{ff}", "\u{fe}\r\n\r\n"] {
        wire.asks(piece.as_bytes());
    }
    for piece in ["HTTP/1.1 100 Con", "tinue\u{ff}", "\r\n\r\n"] {
        wire.answers(piece.as_bytes());
    }
    wire.close();
    let (lines, _) = wire.told();
    assert_eq!((&lines[0]["form"], &lines[0]["kind"]), (&"connection".into(), &"other".into()));
}

#[test]
fn bytes_that_come_again_and_differ_are_counted_once() {
    let mut wire = Wire::open();
    let start = wire.sent;
    let head = b"PUT /upload/k/SAM_0001.JPG HTTP/1.1\r\nContent-Length: 40\r\n\r\n";
    wire.asks(&[head.as_slice(), &[b'a'; 40]].concat());
    let body = start + u32::try_from(head.len()).unwrap();
    for (at, byte, length) in
        [(body, b'b', 40), (body, b'c', 40), (body + 30, b'd', 5), (body, b'e', 10)]
    {
        wire.packet(true, ACK, &vec![byte; length], Some(at));
    }
    wire.answers(&answer(1));
    wire.close();
    assert_eq!(wire.exchanges()[0]["request"]["contested_bytes"], 40);
}

#[test]
fn what_follows_a_gap_that_ends_a_body_is_told_apart() {
    let hex = |bytes: &[u8]| -> String {
        Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
    };
    let whole = 40 * 1024 * 1024;
    let mut wire = Wire::open();
    let head = format!("PUT /upload/k/SAM_0001.JPG HTTP/1.1\r\nContent-Length: {whole}\r\n\r\n");
    wire.asks(&[head.as_bytes(), &[b'a'; 1000]].concat());
    wire.lost(true, whole - 2000);
    let place = wire.sent;
    wire.asks(&[b'b'; 1000]);
    wire.settles();
    wire.packet(true, ACK, &[b'c'; 10], Some(place + 100));
    wire.answers(&answer(1));
    wire.close();
    let (lines, files) = wire.told();
    let request = &lines[0]["request"];
    assert_eq!(
        (&request["length"], &request["sha256"]),
        (&1000.into(), &hex(&[b'a'; 1000]).into())
    );
    assert_eq!(request["missing_bytes"], whole - 2000);
    let rest = &request["rest"];
    assert_eq!(rest["offset"], head.len() + whole - 1000);
    assert_eq!((&rest["length"], &rest["sha256"]), (&1000.into(), &hex(&[b'b'; 1000]).into()));
    assert_eq!(request["extracted"].as_array().unwrap().len(), 1);
    assert_eq!(rest["extracted"].as_array().unwrap().len(), 1);
    assert_eq!(files.len(), 2);
    assert_eq!((&files[0].0["field"], files[0].1.len()), (&"body".into(), 1000));
    assert_eq!((&files[1].0["field"], files[1].1.len()), (&"rest".into(), 1000));
    assert!(request["error"].as_str().unwrap().contains("told apart"), "{request:#}");

    // A gap in chunks; and one to the end of a body, behind which the next request stands.
    let mut wire = Wire::open();
    wire.asks(b"GET / HTTP/1.1\r\nHost: gld.samsungosp.com\r\n\r\n");
    let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n400\r\n";
    wire.answers(&[head.as_slice(), &[b'x'; 900]].concat());
    wire.lost(false, 1000);
    wire.answers(b"yyyy\r\n0\r\n\r\n");
    wire.settles();
    wire.close();
    let (lines, files) = wire.told();
    let answer_of = &lines[0]["answer"];
    assert_eq!(
        (&answer_of["missing_bytes"], &answer_of["rest"]["length"]),
        (&1000.into(), &11.into())
    );
    assert_eq!(files.len(), 2, "{answer_of:#}");

    let mut wire = Wire::open();
    let head = format!("PUT /upload/k/SAM_0001.JPG HTTP/1.1\r\nContent-Length: {whole}\r\n\r\n");
    wire.asks(&[head.as_bytes(), &[b'a'; 1000]].concat());
    wire.lost(true, whole - 1000);
    wire.answers(&answer(1));
    wire.asks(&post("b"));
    wire.answers(&answer(2));
    wire.close();
    let exchanges = wire.exchanges();
    assert_eq!(pairs(&exchanges), [("/upload/k/SAM_0001.JPG", "1"), ("/facebook/b", "2")]);
    assert_eq!(exchanges[0]["request"]["missing_bytes"], whole - 1000);
    assert_eq!(exchanges[0]["request"].get("rest"), None);

    // After any number of such gaps all that came is kept, without room for what is missing.
    let mut wire = Wire::open();
    wire.asks(&[head.as_bytes(), &[b'a'; 1000]].concat());
    for _ in 0..5 {
        wire.lost(true, 17 * 1024 * 1024);
        wire.asks(b"\xff\xd8\xffsomething");
    }
    wire.settles();
    wire.close();
    let (_, files) = wire.told();
    let rests: Vec<_> = files.iter().filter(|(entry, _)| entry["field"] == "rest").collect();
    assert_eq!(rests[0].1, b"\xff\xd8\xffsomething".repeat(5));
    assert_eq!((rests.len(), &rests[0].0["complete"]), (1, &false.into()));
}

#[test]
fn a_gap_in_a_long_head_tells_nothing_twice() {
    let mut wire = Wire::open();
    let line = format!("X: {}\r\n", "y".repeat(1000));
    wire.asks(format!("PUT /upload/k/SAM_0001.JPG HTTP/1.1\r\n{}", line.repeat(70)).as_bytes());
    wire.lost(true, 1000);
    wire.asks(b"X-L: 1\r\nContent-Length: 4\r\n\r\nabcd");
    wire.answers(&answer(1));
    wire.close();
    let exchanges = wire.exchanges();
    assert_eq!(exchanges[0]["request"]["file_name"], "SAM_0001.JPG");
    assert!(exchanges[0]["request"]["error"].as_str().unwrap().contains("64 KiB"));
}

/// Where a file that is what is left of a message is contested.
fn contested(wire: &Wire) -> Value {
    let (lines, files) = wire.told();
    let rest = files.iter().find(|(entry, _)| entry["field"] == "rest");
    rest.unwrap_or_else(|| panic!("{lines:#?}")).0["conflicts"].clone()
}

#[test]
fn what_is_left_of_a_message_is_contested_where_it_is() {
    let photo = [b"\xff\xd8\xff".as_slice(), &[0; 1000]].concat();
    let again = |wire: &mut Wire| {
        wire.settles();
        wire.asks(&[0; 500]);
        let at = wire.sent - 500;
        wire.packet(true, ACK, &[1; 500], Some(at));
        wire.packet(false, RST | ACK, b"", None);
    };
    let expected = json!([{ "offset": photo.len(), "length": 500 }]);

    let mut headless = Wire::open();
    headless.lost(true, 70);
    headless.asks(&photo);
    again(&mut headless);
    assert_eq!(contested(&headless), expected);

    let mut cut = Wire::open();
    cut.asks(b"PUT /upload/k/SAM_0001.JPG HTTP/1.1\r\nX: ");
    cut.lost(true, 100);
    cut.asks(&photo);
    again(&mut cut);
    assert_eq!(contested(&cut), expected);

    let mut long = Wire::open();
    long.asks(format!("PUT /upload/k/S.JPG HTTP/1.1\r\nX: {}\r\n", "y".repeat(70_000)).as_bytes());
    long.asks(b"Content-Length: 2000\r\n\r\n");
    long.asks(&photo);
    again(&mut long);
    let (_, files) = long.told();
    assert_eq!(files[0].0["conflicts"], expected);
}

#[test]
fn what_waits_for_its_request_is_bounded_and_told() {
    let reason = "too much waited";
    let all = |connections: u16| -> (usize, usize) {
        let mut packets = Vec::new();
        for port in 0..connections {
            let mut wire = Wire::new(3000 + port);
            wire.packet(false, SYN | ACK, b"", Some(4999));
            wire.sent = 900_000;
            let body = "x".repeat(30_000);
            for _ in 0..40 {
                wire.answers(
                    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
                        .as_bytes(),
                );
                wire.sent += 100;
            }
            packets.extend(wire.packets);
        }
        let (lines, _) = told(&packets);
        let shed =
            |line: &&Value| line["error"].as_str().is_some_and(|error| error.starts_with(reason));
        let exchanges = lines.iter().filter(|line| line["form"] == "exchange").count();
        (exchanges, lines.iter().filter(shed).count())
    };
    // 1.2 MB wait in each.
    assert_eq!(all(2), (80, 0));
    let (exchanges, shed) = all(10);
    assert_eq!(exchanges, 400);
    assert!(shed > 80, "{shed}");
}

#[test]
fn a_first_line_that_drips_is_looked_at_once() {
    let line = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(60_000));
    let mut wire = Wire::open();
    for byte in line.as_bytes().chunks(1) {
        wire.asks(byte);
    }
    wire.answers(&answer(1));
    wire.close();
    let begin = Instant::now();
    assert_eq!(wire.exchanges()[0]["answer"]["http"]["status"], 200);
    // Looked at anew with each byte, it took 43 seconds in a debug build; now, less than two.
    assert!(begin.elapsed() < Duration::from_secs(15), "{:?}", begin.elapsed());
}
