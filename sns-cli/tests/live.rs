//! `sns-cli decode -` while somebody captures, and stops: Ctrl-C, SIGTERM, and both of them twice.
#![allow(clippy::unwrap_used)] // a test's helpers are tests
#![cfg(unix)]

mod peer;

use peer::{Peer, pcap};
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

const SIGINT: i32 = 2;

fn capture(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/pcap").join(name))
        .unwrap()
}

/// A decoder that waits for more.
struct Live {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Live {
    fn begin(arguments: &[&str]) -> Live {
        let mut child = Command::new(env!("CARGO_BIN_EXE_sns-cli"))
            .args(["decode", "--json"])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().unwrap());
        Live { child, input, output }
    }

    fn write(&mut self, bytes: &[u8]) {
        let input = self.input.as_mut().unwrap();
        input.write_all(bytes).unwrap();
        input.flush().unwrap();
    }

    fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &id]).status().unwrap().success());
    }

    /// The next line.
    fn line(&mut self) -> Option<Value> {
        let mut line = String::new();
        let length = self.output.read_line(&mut line).unwrap();
        (length > 0).then(|| serde_json::from_str(&line).unwrap())
    }

    /// All lines that are left, and how it ended.
    fn end(mut self) -> (Vec<Value>, ExitStatus) {
        let lines = std::iter::from_fn(|| self.line()).collect();
        (lines, self.child.wait().unwrap())
    }
}

fn kinds(lines: &[Value]) -> Vec<&str> {
    lines.iter().map(|line| line["kind"].as_str().unwrap()).collect()
}

#[test]
fn who_stops_is_told_what_there_is_so_far() {
    for signal in ["INT", "TERM"] {
        let mut live = Live::begin(&["-"]);
        live.write(&capture("social.pcap"));
        let mut told: Vec<Value> = (0..4).map(|_| live.line().unwrap()).collect();
        let asked = Instant::now();
        live.signal(signal);
        // The pipe stays open: nothing but the signal ends it.
        let input = live.input.take();
        let (rest, status) = live.end();
        drop(input);
        assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
        told.extend(rest);
        assert_eq!(kinds(&told), ["login", "photo", "upload", "logout", "summary"]);
        assert_eq!(told[4]["stopped"], true);
        assert_eq!(told[4].get("error"), None);
        assert_eq!(status.code(), Some(0), "nothing is missing");
    }
}

#[test]
fn what_is_open_is_told_and_extracted_as_far_as_it_came() {
    let folder = tempfile::tempdir().unwrap();
    let mut live = Live::begin(&["--extract", folder.path().to_str().unwrap(), "-"]);
    let whole = capture("social.pcap");
    // Inside a packet inside the photo.
    let upload = whole.windows(4).position(|bytes| bytes == b"PUT ").unwrap();
    live.write(&whole[..upload + 2000]);
    assert_eq!(live.line().unwrap()["kind"], "login");
    assert_eq!(live.line().unwrap()["kind"], "photo");
    live.signal("INT");
    let input = live.input.take();
    let (told, status) = live.end();
    drop(input);
    assert_eq!(kinds(&told), ["upload", "summary"]);
    assert!(told[0]["error"].as_str().unwrap().contains("cut off"), "{}", told[0]);
    assert!(told[1]["note"].as_str().unwrap().contains("in the middle of a packet"), "{}", told[1]);
    assert_eq!((&told[1]["stopped"], told[1].get("error")), (&true.into(), None));
    assert_eq!(status.code(), Some(1), "half a photo is missing");
    let manifest = std::fs::read_to_string(folder.path().join("manifest.jsonl")).unwrap();
    let manifest: Vec<Value> =
        manifest.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let photo = manifest.iter().find(|entry| entry["kind"] == "upload").unwrap();
    assert_eq!(photo["complete"], false);
    let bytes = std::fs::read(folder.path().join(photo["name"].as_str().unwrap())).unwrap();
    assert!(!bytes.is_empty() && photo["length"] == bytes.len());
}

#[test]
fn who_stops_inside_of_a_message_is_told_that() {
    let mut live = Live::begin(&["-"]);
    let head = "PUT /upload/k/S.JPG HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n";
    live.write(head.as_bytes());
    // More than fits between the two: it is being read.
    live.write(&vec![b'x'; 1_000_000]);
    live.signal("INT");
    let input = live.input.take();
    let (told, status) = live.end();
    drop(input);
    assert_eq!(kinds(&told), ["upload"]);
    let error = told[0]["error"].as_str().unwrap();
    assert!(
        error.contains("1000000 of 2000000 bytes") && error.contains("it was stopped"),
        "{error}"
    );
    assert_eq!((&told[0]["stopped"], status.code()), (&true.into(), Some(1)));
}

/// `| head -1` ends what is told; the photos behind it are wanted all the same.
#[test]
fn who_stops_listening_gets_all_files() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("much.pcap");
    std::fs::write(&file, much_to_tell()).unwrap();
    let into = folder.path().join("files");
    let mut live =
        Live::begin(&["--extract", into.to_str().unwrap(), file.to_str().unwrap(), "missing"]);
    live.line().unwrap();
    let Live { mut child, output, .. } = live;
    drop(output);
    assert_eq!(child.wait().unwrap().code(), Some(2), "it went on to the last file");
    let manifest = std::fs::read_to_string(into.join("manifest.jsonl")).unwrap();
    assert_eq!(manifest.lines().count(), 1000);
}

#[test]
fn what_the_capturing_program_still_holds_is_waited_for() {
    let mut live = Live::begin(&["-"]);
    let whole = capture("social.pcap");
    let (some, rest) = whole.split_at(whole.len() / 2);
    live.write(some);
    assert_eq!(live.line().unwrap()["kind"], "login");
    // Both got the Ctrl-C; the other one writes what it has, and ends. The decoder sleeps over it,
    // so that the signal is there before the rest is.
    live.signal("STOP");
    live.signal("INT");
    live.write(rest);
    drop(live.input.take());
    live.signal("CONT");
    let (told, status) = live.end();
    assert_eq!(kinds(&told), ["photo", "upload", "logout", "summary"]);
    assert_eq!((&told[3]["stopped"], status.code()), (&true.into(), Some(0)));
}

/// More than fits into a pipe, from less than is read at a time: who does not read what is told keeps
/// the decoder from ending by itself.
fn much_to_tell() -> Vec<u8> {
    let mut packets = Vec::new();
    for port in 10_000..11_000 {
        let mut camera = Peer::open(port, &mut packets);
        camera.say(true, b"GET / HTTP/1.1\r\nHost: gld.samsungosp.com\r\n\r\n", &mut packets);
        camera.say(false, b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes", &mut packets);
    }
    pcap(101, &packets)
}

#[test]
fn asked_a_second_time_it_ends_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("much.pcap");
    std::fs::write(&file, much_to_tell()).unwrap();
    let mut live = Live::begin(&[file.to_str().unwrap()]);
    live.line().unwrap();
    let asked = Instant::now();
    // A signal that comes before the one ahead of it was delivered is none: so, until it ends.
    let status = loop {
        live.signal("INT");
        std::thread::sleep(Duration::from_millis(20));
        if let Some(status) = live.child.try_wait().unwrap() {
            break status;
        }
        assert!(asked.elapsed() < Duration::from_secs(20), "it does not end");
    };
    assert_eq!(status.signal(), Some(SIGINT), "{status:?}");
}

#[test]
fn after_a_stop_no_other_file_is_begun() {
    let other = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/pcap/email.pcap");
    let mut live = Live::begin(&["-", other.to_str().unwrap()]);
    live.write(&capture("hotspot.pcap"));
    live.line().unwrap();
    live.signal("TERM");
    let input = live.input.take();
    let (told, _) = live.end();
    drop(input);
    assert_eq!(told.iter().filter(|line| line["kind"] == "summary").count(), 1, "{told:#?}");
}

#[test]
fn a_named_pipe_is_followed_like_standard_input() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut live = Live::begin(&[pipe.to_str().unwrap()]);
    let mut input = std::fs::OpenOptions::new().write(true).open(&pipe).unwrap();
    input.write_all(&capture("social.pcap")).unwrap();
    assert_eq!(live.line().unwrap()["kind"], "login");
    live.signal("INT");
    let (told, status) = live.end();
    assert_eq!(kinds(&told), ["photo", "upload", "logout", "summary"]);
    assert_eq!(status.code(), Some(0));
    drop(input);
}
