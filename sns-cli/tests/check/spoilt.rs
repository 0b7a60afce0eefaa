//! A server that answers as the core's gateway does, and spoils it; and what `sns-cli check` says of it.

use super::pretend::{self, Received, gateway};
use samsung_sns::admission::Admission;
use samsung_sns::answer::Refusal;
use samsung_sns::endpoint::Endpoint;
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What a spoilt server does with an answer.
pub(crate) enum Act {
    /// Writes this.
    Write(Vec<u8>),
    /// Waits this long.
    Wait(u64),
    /// Keeps the connection open until the other side closes.
    Hold,
}

pub(crate) type Spoil = Box<dyn Fn(&Received, &Endpoint, Vec<u8>) -> Vec<Act> + Send + Sync>;

/// A server on a free port; it ends with the test.
pub(crate) fn serve(spoil: Spoil) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let shared = Arc::new((Mutex::new(gateway(Admission::Anyone)), spoil));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || {
                stream.set_nodelay(true).unwrap();
                // A connection that asks nothing only looks whether the port is open.
                if stream.peek(&mut [0]).unwrap() == 0 {
                    return;
                }
                let request = Received::read(&mut stream);
                let right = shared.0.lock().unwrap()(&request);
                for act in shared.1(&request, &request.endpoint(), right) {
                    match act {
                        // A camera, and a check, may have given up.
                        Act::Write(bytes) if stream.write_all(&bytes).is_err() => return,
                        Act::Write(_) => {}
                        Act::Wait(millis) => std::thread::sleep(Duration::from_millis(millis)),
                        Act::Hold => assert_eq!(stream.read(&mut [0]).unwrap_or(0), 0),
                    }
                }
            });
        }
    });
    port
}

pub(crate) fn check(port: u16, arguments: &[&str]) -> Output {
    let port = port.to_string();
    let mut command = Command::new(env!("CARGO_BIN_EXE_sns-cli"));
    command.args(["check", "127.0.0.1", "--port", &port]).args(arguments).output().unwrap()
}

pub(crate) const EVERYTHING: [&str; 10] =
    ["--dns", "none", "--json", "--user", "me", "--sender", "a@b", "--to", "c@d", "--send"];

pub(crate) fn lines(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Every fault that was found: the check, and the fault's code, with a `?` behind it if it is only a
/// warning.
pub(crate) fn faults(output: &Output) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    lines(output)
        .iter()
        .flat_map(|line| {
            let faults = line["faults"].as_array().cloned().unwrap_or_default();
            let certain = faults.iter().filter(|fault| fault["certain"] == true).count();
            let verdict = match (certain, faults.len()) {
                (1.., _) => "red",
                (0, 1..) => "warned",
                (0, 0) => return Vec::new(),
            };
            assert_eq!(line["verdict"], verdict, "{line}");
            let mark = |fault: &Value| if fault["certain"] == true { "" } else { "?" };
            let told = |fault: Value| (text(&line["check"]), text(&fault["code"]) + mark(&fault));
            faults.into_iter().map(told).collect::<Vec<_>>()
        })
        .collect()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

pub(crate) fn replace(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = text(bytes);
    assert!(text.contains(from), "{from:?} is not in {text}");
    text.replace(from, to).into_bytes()
}

/// The same answer with another body, and the right length of it.
pub(crate) fn with_body(answer: &[u8], body: &str) -> Vec<u8> {
    let (head, old) =
        text(answer).split_once("\r\n\r\n").map(|(a, b)| (a.to_owned(), b.len())).unwrap();
    let head = head.replace(
        &format!("Content-Length: {old}\r\n"),
        &format!("Content-Length: {}\r\n", body.len()),
    );
    format!("{head}\r\n\r\n{body}").into_bytes()
}

pub(crate) fn body(answer: &[u8]) -> String {
    text(answer).split_once("\r\n\r\n").unwrap().1.to_owned()
}

pub(crate) fn write(bytes: Vec<u8>) -> Vec<Act> {
    vec![Act::Write(bytes)]
}

/// The session that every login opens.
pub(crate) const SESSION: &str = "07070707070707070707070707070707";

pub(crate) fn in_body(answer: &[u8], from: &str, to: &str) -> Vec<Act> {
    write(with_body(answer, &body(answer).replace(from, to)))
}

pub(crate) fn refusal(why: &Refusal) -> Vec<Act> {
    write(why.to_answer().to_bytes(pretend::DATE))
}

/// Does this with each of them, a few at a time: most of them wait, but each is a process.
pub(crate) fn each<T: Sync>(cases: &[T], with: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    with(case);
                }
            });
        }
    });
}
