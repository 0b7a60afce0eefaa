//! `sns-cli check` against servers that are wrong on purpose, one fault each, and against the real
//! one.
#![allow(clippy::unwrap_used)] // a test's helpers are tests

mod pretend;

use pretend::{Received, gateway};
use samsung_sns::admission::Admission;
use samsung_sns::endpoint::{Endpoint, HotspotCheck};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What a spoilt server does with an answer.
enum Act {
    /// Writes this.
    Write(Vec<u8>),
    /// Waits this long.
    Wait(u64),
    /// Keeps the connection open until the other side closes.
    Hold,
}

type Spoil = Box<dyn Fn(&Received, &Endpoint, Vec<u8>) -> Vec<Act> + Send + Sync>;

/// A server on a free port; it ends with the test.
fn serve(spoil: Spoil) -> u16 {
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

fn check(port: u16, arguments: &[&str]) -> Output {
    let port = port.to_string();
    let mut command = Command::new(env!("CARGO_BIN_EXE_sns-cli"));
    command.args(["check", "127.0.0.1", "--port", &port]).args(arguments).output().unwrap()
}

const EVERYTHING: [&str; 10] =
    ["--dns", "none", "--json", "--user", "me", "--sender", "a@b", "--to", "c@d", "--send"];

fn lines(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Every fault that was found: the check, and the fault's code, with a `?` behind it if it is only a
/// warning.
fn faults(output: &Output) -> Vec<(String, String)> {
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

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn replace(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = text(bytes);
    assert!(text.contains(from), "{from:?} is not in {text}");
    text.replace(from, to).into_bytes()
}

/// The same answer with another body, and the right length of it.
fn with_body(answer: &[u8], body: &str) -> Vec<u8> {
    let (head, old) =
        text(answer).split_once("\r\n\r\n").map(|(a, b)| (a.to_owned(), b.len())).unwrap();
    let head = head.replace(
        &format!("Content-Length: {old}\r\n"),
        &format!("Content-Length: {}\r\n", body.len()),
    );
    format!("{head}\r\n\r\n{body}").into_bytes()
}

fn body(answer: &[u8]) -> String {
    text(answer).split_once("\r\n\r\n").unwrap().1.to_owned()
}

/// A fault: what it is called here, which door it is at, what is done there, and what must be found.
struct Case {
    name: &'static str,
    door: fn(&Endpoint) -> bool,
    spoil: fn(Vec<u8>) -> Vec<Act>,
    found: &'static [(&'static str, &'static str)],
}

fn write(bytes: Vec<u8>) -> Vec<Act> {
    vec![Act::Write(bytes)]
}

fn at_login(endpoint: &Endpoint) -> bool {
    matches!(endpoint, Endpoint::Auth(_))
}

fn at_announce(endpoint: &Endpoint) -> bool {
    matches!(endpoint, Endpoint::Photo(_))
}

/// The upload that belongs to a login.
fn at_upload(endpoint: &Endpoint) -> bool {
    matches!(endpoint, Endpoint::Upload { session, .. } if !session.starts_with("000"))
}

fn at_email(endpoint: &Endpoint) -> bool {
    matches!(endpoint, Endpoint::Email { duid } if duid.as_deref() == Some("000000000000"))
}

/// The e-mail that means nothing.
fn at_no_email(endpoint: &Endpoint) -> bool {
    matches!(endpoint, Endpoint::Email { .. }) && !at_email(endpoint)
}

fn at_gld(endpoint: &Endpoint) -> bool {
    *endpoint == Endpoint::Hotspot(HotspotCheck::Gld)
}

fn at_yahoo(endpoint: &Endpoint) -> bool {
    *endpoint == Endpoint::Hotspot(HotspotCheck::Yahoo)
}

fn at_msn(endpoint: &Endpoint) -> bool {
    *endpoint == Endpoint::Hotspot(HotspotCheck::Msn)
}

const CASES: &[Case] = &[
    Case {
        name: "head and body in two writes that one read takes",
        door: at_announce,
        spoil: |answer| {
            let at = answer.windows(4).position(|w| w == b"\r\n\r\n").unwrap() + 4;
            vec![Act::Write(answer[..at].to_vec()), Act::Write(answer[at..].to_vec())]
        },
        // Where the kernel does not count segments, this cannot be seen.
        found: if cfg!(target_os = "linux") { &[("announce", "two-segments")] } else { &[] },
    },
    Case {
        name: "an answer in two pieces with a pause between them",
        door: at_email,
        spoil: |answer| {
            let (first, rest) = answer.split_at(50);
            vec![Act::Write(first.to_vec()), Act::Wait(200), Act::Write(rest.to_vec())]
        },
        found: &[("e-mail", "two-segments")],
    },
    Case {
        name: "an MSN cookie without its dot",
        door: at_msn,
        spoil: |answer| write(replace(&answer, "Domain=.msn.com", "Domain=msn.com")),
        found: &[("hotspot", "cookie-dot")],
    },
    Case {
        name: "a Yahoo cookie without its dot",
        door: |endpoint| at_yahoo(endpoint),
        spoil: |answer| write(text(&answer).replace("=.yahoo", "=yahoo").into_bytes()),
        found: &[("hotspot", "cookie-dot")],
    },
    Case {
        name: "no cookie",
        door: at_msn,
        spoil: |answer| {
            let cookie = "Set-Cookie: samsung=hotspot; Domain=.msn.com; Path=/\r\n";
            write(replace(&answer, cookie, ""))
        },
        found: &[("hotspot", "cookie-missing")],
    },
    Case {
        name: "a cookie for somebody else",
        door: at_msn,
        spoil: |answer| write(replace(&answer, "Domain=.msn.com", "Domain=.example.com")),
        found: &[("hotspot", "cookie-missing")],
    },
    Case {
        name: "header names in lower case",
        door: at_msn,
        spoil: |answer| write(replace(&answer, "Set-Cookie", "set-cookie")),
        found: &[("hotspot", "header-spelling")],
    },
    Case {
        name: "a redirect to https",
        door: at_yahoo,
        spoil: |answer| {
            write(text(&answer).replace("http://yahoo.com", "https://www.yahoo.com").into_bytes())
        },
        found: &[("hotspot", "redirect-too-far")],
    },
    Case {
        name: "a redirect where a cookie must be",
        door: at_msn,
        spoil: |answer| {
            let answer = replace(&answer, "200 OK", "302 Found");
            write(replace(&answer, "Set-Cookie: ", "Location: http://msn.com\r\nSet-Cookie: "))
        },
        found: &[("hotspot", "redirected")],
    },
    Case {
        name: "a gld answer that only an NX300 is known to accept",
        door: at_gld,
        spoil: |answer| write(with_body(&answer, "hello")),
        found: &[("hotspot", "gld-plain")],
    },
    Case {
        name: "no hotspot answer: closed",
        door: at_gld,
        spoil: |_| Vec::new(),
        found: &[("hotspot", "no-answer")],
    },
    Case {
        name: "no hotspot answer: silence",
        door: at_gld,
        spoil: |_| vec![Act::Hold],
        found: &[("hotspot", "no-answer")],
    },
    Case {
        name: "a hotspot check that is not known",
        door: at_gld,
        spoil: |answer| write(replace(&answer, "200 OK", "404 Not Found")),
        found: &[("hotspot", "wrong-status")],
    },
    Case {
        name: "a slow e-mail",
        door: at_email,
        spoil: |answer| vec![Act::Wait(3300), Act::Write(answer)],
        found: &[("e-mail", "slow")],
    },
    Case {
        name: "a connection left open",
        door: at_announce,
        spoil: |answer| vec![Act::Write(answer), Act::Hold],
        found: &[("announce", "left-open")],
    },
    Case {
        name: "keep-alive",
        door: at_upload,
        spoil: |answer| {
            let answer = replace(&answer, "Connection: close", "Connection: keep-alive");
            vec![Act::Write(answer), Act::Hold]
        },
        found: &[("upload", "left-open")],
    },
    Case {
        name: "a wrong status",
        door: at_announce,
        spoil: |answer| write(replace(&answer, "200 OK", "500 Internal Server Error")),
        found: &[("announce", "wrong-status")],
    },
    Case {
        name: "another word for success",
        door: at_upload,
        spoil: |_| {
            write(
                samsung_sns::answer::Answer::new(
                    samsung_sns::answer::Status::Ok,
                    "<Response Status=\"success\" />",
                )
                .to_bytes(pretend::DATE),
            )
        },
        found: &[("upload", "not-understood")],
    },
    Case {
        name: "an upload that is refused",
        door: at_upload,
        spoil: |answer| write(replace(&answer, "200 OK", "507 Insufficient Storage")),
        found: &[("upload", "no-space")],
    },
    Case {
        name: "a body cut short",
        door: at_upload,
        spoil: |answer| write(answer[..answer.len() - 3].to_vec()),
        found: &[("upload", "truncated")],
    },
    Case {
        name: "a head cut short",
        door: at_announce,
        spoil: |answer| write(answer[..60].to_vec()),
        found: &[("announce", "truncated")],
    },
    Case {
        name: "a body longer than its length",
        door: at_email,
        spoil: |answer| write([&answer[..], b"\r\n\r\n"].concat()),
        found: &[("e-mail", "too-much")],
    },
    Case {
        name: "chunks",
        door: at_email,
        spoil: |answer| {
            let chunk = format!("{:x}\r\n{}\r\n0\r\n\r\n", body(&answer).len(), body(&answer));
            let old = format!("Content-Length: {}", body(&answer).len());
            let head = text(&answer).split_once("\r\n\r\n").unwrap().0.to_owned();
            let head = head.replace(&old, "Transfer-Encoding: chunked");
            write(format!("{head}\r\n\r\n{chunk}").into_bytes())
        },
        found: &[("e-mail", "chunked")],
    },
    Case {
        name: "compression",
        door: at_gld,
        spoil: |answer| {
            write(replace(&answer, "Connection:", "Content-Encoding: gzip\r\nConnection:"))
        },
        found: &[("hotspot", "compressed")],
    },
    Case {
        name: "no length",
        door: at_email,
        spoil: |answer| {
            let length = format!("Content-Length: {}\r\n", body(&answer).len());
            write(replace(&answer, &length, ""))
        },
        found: &[("e-mail", "header-missing")],
    },
    Case {
        name: "an answer longer than a segment",
        door: |endpoint| *endpoint == Endpoint::Home,
        spoil: |answer| write(with_body(&answer, &"x".repeat(1400))),
        found: &[("page", "too-long")],
    },
    Case {
        name: "an empty page",
        door: |endpoint| *endpoint == Endpoint::Home,
        spoil: |answer| write(with_body(&answer, "")),
        found: &[("page", "not-understood")],
    },
    Case {
        name: "a time that is none",
        door: |endpoint| *endpoint == Endpoint::Time,
        spoil: |answer| write(with_body(&answer, "<currentServerTime>now</currentServerTime>")),
        found: &[("time", "not-understood")],
    },
    Case {
        name: "no HTTP",
        door: at_gld,
        spoil: |_| write(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()),
        found: &[("hotspot", "not-http")],
    },
    Case {
        name: "a login that is refused",
        door: at_login,
        spoil: |_| {
            write(samsung_sns::answer::Refusal::NotAdmitted.to_answer().to_bytes(pretend::DATE))
        },
        found: &[("login", "not-admitted")],
    },
    Case {
        name: "a login answer that is well-formed XML of another spelling",
        door: at_login,
        spoil: |answer| {
            let body = body(&answer).replace("<Response SessionKey=", "<Response  SessionKey=");
            write(with_body(&answer, &body))
        },
        found: &[("login", "not-understood")],
    },
    Case {
        name: "a session key that a buffer may not hold",
        door: at_login,
        spoil: |answer| {
            let long = "7".repeat(100);
            let body = body(&answer).replace(&"07".repeat(16), &long);
            // The logout is answered without a body.
            write(if body.contains(&long) { with_body(&answer, &body) } else { answer })
        },
        found: &[("login", "odd-value")],
    },
    Case {
        name: "a ResourceID with a slash too many",
        door: at_announce,
        spoil: |answer| {
            let body = body(&answer).replace("ResourceID=\"", "ResourceID=\"/");
            write(with_body(&answer, &body))
        },
        found: &[("announce", "odd-value")],
    },
    Case {
        name: "a ResourceID that would have to be escaped",
        door: at_announce,
        spoil: |answer| write(with_body(&answer, &body(&answer).replace("SNS-CLI-CHECK", "a%20b"))),
        found: &[("announce", "odd-value")],
    },
    Case {
        name: "an upload to a name that leads nowhere",
        door: at_announce,
        spoil: |answer| {
            let body = body(&answer).replace("snsgw.samsungmobile.com", "upload.example.com");
            write(with_body(&answer, &body))
        },
        found: &[("announce", "upload-elsewhere")],
    },
    Case {
        name: "an upload to a port that is not the server's",
        door: at_announce,
        spoil: |answer| {
            let body = body(&answer).replace("samsungmobile.com:80", "samsungmobile.com:8443");
            write(with_body(&answer, &body))
        },
        found: &[("announce", "upload-elsewhere")],
    },
    Case {
        name: "a server that does not read the head of an NX300's e-mail",
        door: at_no_email,
        spoil: |_| {
            let answer = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n\
                          Content-Length: 15\r\nConnection: close\r\n\r\n400 Bad Request";
            write(answer.as_bytes().to_vec())
        },
        found: &[("e-mail", "not-understood")],
    },
    Case {
        name: "a server that knows no e-mail",
        door: at_no_email,
        spoil: |answer| write(replace(&answer, "400 Bad Request", "404 Not Found")),
        found: &[("e-mail", "wrong-status")],
    },
    Case {
        name: "a door that is open to those who did not log in",
        door: |endpoint| matches!(endpoint, Endpoint::Upload { .. }) && !at_upload(endpoint),
        spoil: |_| write(samsung_sns::answer::Answer::success().to_bytes(pretend::DATE)),
        found: &[("upload", "open-door"), ("upload", "open-door")],
    },
    Case {
        name: "a refusal that is no error XML",
        door: |endpoint| matches!(endpoint, Endpoint::Upload { .. }) && !at_upload(endpoint),
        spoil: |answer| write(with_body(&answer, "Unauthorized")),
        found: &[("upload", "not-understood"), ("upload", "not-understood")],
    },
    Case {
        name: "a login answer whose name was repaired into proper XML",
        door: at_login,
        spoil: |answer| in_body(&answer, "LoginPeopleID=", "LoginPeopleID Value="),
        found: &[("login", "not-understood")],
    },
    Case {
        name: "a login answer without the name",
        door: at_login,
        spoil: |answer| in_body(&answer, "<LoginPeopleID=\"Samsung NX Lover\"/>\n", ""),
        found: &[("login", "not-understood")],
    },
    Case {
        name: "a login answer without the key",
        door: at_login,
        spoil: |answer| in_body(&answer, &format!("<CryptSessionKey Value=\"{SESSION}\"/>\n"), ""),
        found: &[("login", "not-understood")],
    },
    Case {
        name: "a login answer without the key to keep",
        door: at_login,
        spoil: |answer| in_body(&answer, "<PersistKey Value=\"\"/>\n", ""),
        found: &[("login", "not-understood")],
    },
    Case {
        name: "a login answer without the OAuth address",
        door: at_login,
        spoil: |answer| {
            in_body(&answer, "<OAuth URL=\"http://snsgw.samsungmobile.com/oauth\"/>\n", "")
        },
        found: &[("login", "not-understood")],
    },
    Case {
        name: "a login answer in another order",
        door: at_login,
        spoil: |answer| {
            let key = "<PersistKey Value=\"\"/>\n";
            let body = body(&answer).replace(key, "");
            write(with_body(&answer, &body.replace("</Response>", &format!("{key}</Response>"))))
        },
        found: &[("login", "not-understood")],
    },
    Case {
        name: "a login answer with a mark before it",
        door: at_login,
        spoil: |answer| in_body(&answer, "<Response Sess", "\u{feff}<Response Sess"),
        found: &[("login", "not-as-known?")],
    },
    Case {
        name: "a login answer that says it is XML",
        door: at_login,
        spoil: |answer| {
            in_body(&answer, "<Response Sess", "<?xml version=\"1.0\"?>\n<Response Sess")
        },
        found: &[("login", "not-as-known?")],
    },
    Case {
        name: "an OAuth address that a buffer may not hold",
        door: at_login,
        spoil: |answer| in_body(&answer, "snsgw.samsungmobile.com", &"o".repeat(400)),
        found: &[("login", "odd-value")],
    },
    Case {
        name: "a location in lower case",
        door: at_yahoo,
        spoil: |answer| write(text(&answer).replace("Location:", "location:").into_bytes()),
        found: &[("hotspot", "header-spelling")],
    },
    Case {
        name: "all headers in lower case",
        door: at_msn,
        spoil: |answer| {
            let text = text(&answer);
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            let lower = |line: &str| match line.split_once(':') {
                Some((name, rest)) => format!("{}:{rest}", name.to_lowercase()),
                None => line.to_owned(),
            };
            let head: Vec<String> = head.lines().map(lower).collect();
            write(format!("{}\r\n\r\n{body}", head.join("\r\n")).into_bytes())
        },
        found: &[("hotspot", "header-spelling")],
    },
    Case {
        name: "line feeds alone",
        door: at_msn,
        spoil: |answer| write(text(&answer).replace("\r\n", "\n").into_bytes()),
        found: &[("hotspot", "line-ends")],
    },
    Case {
        name: "an answer a byte a second",
        door: at_gld,
        spoil: |answer| {
            let bytes = answer.into_iter().take(20);
            bytes.flat_map(|byte| [Act::Write(vec![byte]), Act::Wait(1000)]).collect()
        },
        found: &[("hotspot", "stalled")],
    },
    Case {
        name: "another answer before the answer",
        door: at_login,
        spoil: |answer| {
            vec![Act::Write(b"HTTP/1.1 100 Continue\r\n\r\n".to_vec()), Act::Write(answer)]
        },
        found: &[("login", "interim"), ("login", "interim"), ("logout", "interim")],
    },
    Case {
        name: "a session that is forgotten",
        door: at_announce,
        spoil: |_| refusal(&samsung_sns::answer::Refusal::NoSession),
        found: &[("announce", "session-unknown")],
    },
    Case {
        name: "an e-mail that is too large",
        door: at_email,
        spoil: |_| refusal(&samsung_sns::answer::Refusal::TooLarge("limits.upload")),
        found: &[("e-mail", "upload-too-large")],
    },
    Case {
        name: "an upload for which there is no time",
        door: at_upload,
        spoil: |_| refusal(&samsung_sns::answer::Refusal::Busy),
        found: &[("upload", "busy")],
    },
    Case {
        name: "a sender who may not send",
        door: at_email,
        spoil: |_| refusal(&samsung_sns::answer::Refusal::NotAdmitted),
        found: &[("e-mail", "not-admitted")],
    },
    Case {
        name: "a head from the end to the beginning",
        door: at_upload,
        spoil: |answer| {
            let text = text(&answer);
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            let (status, fields) = head.split_once("\r\n").unwrap();
            let fields: Vec<&str> = fields.lines().rev().collect();
            write(format!("{status}\r\n{}\r\n\r\n{body}", fields.join("\r\n")).into_bytes())
        },
        found: &[("upload", "not-as-known?")],
    },
    Case {
        name: "a cookie behind the last header",
        door: at_msn,
        spoil: |answer| {
            let cookie = "Set-Cookie: samsung=hotspot; Domain=.msn.com; Path=/\r\n";
            let behind = format!("Connection: close\r\n{cookie}");
            write(replace(&replace(&answer, cookie, ""), "Connection: close\r\n", &behind))
        },
        found: &[("hotspot", "not-as-known?")],
    },
    Case {
        name: "a folded header",
        door: at_upload,
        spoil: |answer| write(replace(&answer, "text/html; ", "text/html;\r\n ")),
        found: &[("upload", "not-as-known?")],
    },
    Case {
        name: "an older version",
        door: at_upload,
        spoil: |answer| write(replace(&answer, "HTTP/1.1", "HTTP/1.0")),
        found: &[("upload", "not-as-known?")],
    },
    Case {
        name: "no space behind the colons",
        door: at_yahoo,
        spoil: |answer| write(text(&answer).replace(": ", ":").into_bytes()),
        found: &[("hotspot", "not-as-known?"), ("hotspot", "not-as-known?")],
    },
    Case {
        name: "a cookie in capitals",
        door: at_msn,
        spoil: |answer| write(replace(&answer, "Domain=.msn.com", "DOMAIN=.MSN.COM")),
        found: &[("hotspot", "not-as-known?")],
    },
    Case {
        name: "the time in seconds",
        door: |endpoint| *endpoint == Endpoint::Time,
        spoil: |answer| in_body(&answer, "1795302000000", "1795302000"),
        found: &[("time", "time-wrong")],
    },
    Case {
        name: "no time",
        door: |endpoint| *endpoint == Endpoint::Time,
        spoil: |answer| in_body(&answer, "1795302000000", "0"),
        found: &[("time", "time-wrong")],
    },
    Case {
        name: "a server that knows no list of providers",
        door: |endpoint| *endpoint == Endpoint::ServiceProviders,
        spoil: |_| refusal(&samsung_sns::answer::Refusal::UnknownPath),
        found: &[("list", "wrong-status")],
    },
];

/// The session that every login opens.
const SESSION: &str = "07070707070707070707070707070707";

fn in_body(answer: &[u8], from: &str, to: &str) -> Vec<Act> {
    write(with_body(answer, &body(answer).replace(from, to)))
}

fn refusal(why: &samsung_sns::answer::Refusal) -> Vec<Act> {
    write(why.to_answer().to_bytes(pretend::DATE))
}

/// Does this with each of them, a few at a time: most of them wait, but each is a process.
fn each<T: Sync>(cases: &[T], with: impl Fn(&T) + Sync) {
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

#[test]
fn each_fault_of_a_server_is_found_and_nothing_else() {
    each(CASES, |case| {
        let (door, spoil) = (case.door, case.spoil);
        let port = serve(Box::new(move |_, endpoint, right| match door(endpoint) {
            true => spoil(right),
            false => write(right),
        }));
        let output = check(port, &EVERYTHING);
        let mut found = faults(&output);
        found.sort();
        let mut expected: Vec<(String, String)> =
            case.found.iter().map(|(a, b)| ((*a).into(), (*b).into())).collect();
        expected.sort();
        assert_eq!(found, expected, "{}:\n{}", case.name, text(&output.stdout));
        let code = i32::from(expected.iter().any(|(_, code)| !code.ends_with('?')));
        assert_eq!(output.status.code(), Some(code), "{}", case.name);
    });
}

#[test]
fn a_request_that_is_not_read_before_it_is_answered_is_found() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let answer = samsung_sns::answer::Answer::success().to_bytes(pretend::DATE);
            if stream.peek(&mut [0]).unwrap() > 0 {
                // Answered, and closed with the request still lying there: the kernel resets.
                let _ = stream.write_all(&answer);
            }
        }
    });
    let output = check(port, &["--dns", "none", "--json", "--model", "NX300"]);
    assert_eq!(output.status.code(), Some(1));
    let upload = &lines(&output).into_iter().find(|line| line["check"] == "upload").unwrap();
    let codes = upload["faults"].to_string();
    // Which of them, depends on how far the request came before the answer.
    let may_be = ["\"reset\"", "\"no-answer\"", "\"answered-early\""];
    assert!(may_be.iter().any(|code| codes.contains(code)), "{upload}");
}

#[test]
fn a_right_server_is_green_and_a_model_asks_less_of_it() {
    let port = serve(Box::new(|_, _, right| write(right)));
    let output = check(port, &EVERYTHING);
    assert_eq!((output.status.code(), faults(&output)), (Some(0), Vec::new()));
    let told = lines(&output);
    let of = |check: &str| told.iter().filter(|line| line["check"] == check).count();
    assert_eq!([of("name"), of("hotspot"), of("upload"), of("e-mail")], [6, 4, 3, 2]);
    assert_eq!(told.last().unwrap()["summary"]["red"], 0);

    let output = check(port, &["--dns", "none", "--json", "--model", "WB37F"]);
    let hotspots: Vec<Value> =
        lines(&output).into_iter().filter(|line| line["check"] == "hotspot").collect();
    assert_eq!((hotspots.len(), hotspots[0]["about"].as_str()), (1, Some("MSN")));
    let output = check(port, &["--dns", "none", "--model", "NX500"]);
    assert!(text(&output.stdout).contains("the NX500 sends e-mail only"));
    // A plain 200 is enough for an NX300.
    let plain = serve(Box::new(|_, endpoint, right| match at_gld(endpoint) {
        true => write(with_body(&right, "hello")),
        false => write(right),
    }));
    assert_eq!(check(plain, &["--dns", "none", "--model", "nx300"]).status.code(), Some(0));
    assert_eq!(check(plain, &["--dns", "none", "--model", "nx mini"]).status.code(), Some(1));
}

#[test]
fn what_is_red_is_told_in_a_line_with_what_to_do_below_and_without_colour_in_a_pipe() {
    let port = serve(Box::new(|_, endpoint, right| match endpoint {
        Endpoint::Home => vec![Act::Write(right), Act::Hold],
        Endpoint::Upload { .. } => {
            write(replace(&right, "Connection:", "Content-Encoding: \x1b[2J\r\nConnection:"))
        }
        _ => write(right),
    }));
    let output = check(port, &["--dns", "none", "--model", "WB37F"]);
    let told = text(&output.stdout);
    let at = told.lines().position(|line| line.starts_with("RED  page")).unwrap();
    let below = told.lines().nth(at + 1).unwrap();
    assert!(below.trim_start().starts_with("left-open: close the connection"), "{told}");
    assert!(told.contains("ok   hotspot  MSN") && !told.contains('\x1b'), "{told}");
    assert!(
        told.contains("Content-Encoding: \\u{1b}[2J"),
        "what a terminal obeys is escaped: {told}"
    );
    for (no_color, is_coloured) in [("", true), ("1", false)] {
        let port = port.to_string();
        let output = Command::new(env!("CARGO_BIN_EXE_sns-cli"))
            .args(["check", "127.0.0.1", "--port", &port, "--dns", "none", "--model", "WB37F"])
            .envs([("CLICOLOR_FORCE", "1"), ("NO_COLOR", no_color)])
            .output()
            .unwrap();
        let told = text(&output.stdout);
        assert_eq!(told.contains("\x1b[1;31mRED \x1b[0m page"), is_coloured, "{told}");
        assert_eq!(told.contains('\x1b'), is_coloured, "{told}");
    }
}

#[test]
fn a_closed_port_is_red_and_a_host_that_does_not_exist_cannot_be_tried() {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    let output = check(free, &["--dns", "none", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(faults(&output), [("port".to_owned(), "port-closed".to_owned())]);
    for arguments in [
        &["check", "does-not-exist.invalid", "--dns", "none"][..],
        &["check", "127.0.0.1", "--send"],
        &["check", "127.0.0.1", "--dns", "dns.example"],
        &["check", "127.0.0.1", "--model", "NX9000"],
        &["check", "127.0.0.1", "--sender", "a@b"],
        &["check", "http://127.0.0.1", "--dns", "none"],
        &["check", "127.0.0.1:80", "--dns", "none"],
        &["check"],
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_sns-cli")).args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{arguments:?}");
    }
}

/// What may stand in the place of a server for cameras, whatever it is asked.
type Impostor = (&'static str, fn(&Received) -> Vec<Act>, &'static str, &'static str);

const IMPOSTORS: &[Impostor] = &[
    (
        "Caddy",
        |request| {
            let host = request.head().host().unwrap().into_owned();
            let head = format!(
                "HTTP/1.1 308 Permanent Redirect\r\nConnection: close\r\n\
                 Location: https://{host}/\r\nServer: Caddy\r\nContent-Length: 0\r\n\r\n"
            );
            write(head.into_bytes())
        },
        "https-redirect",
        "a redirect to https://www.yahoo.co.kr/",
    ),
    (
        "a login page that is redirected to",
        |_| write(b"HTTP/1.1 302 Found\r\nLocation: http://192.168.88.1/login\r\n\r\n".to_vec()),
        "redirect-elsewhere",
        "a redirect to http://192.168.88.1/login",
    ),
    ("TLS", |_| write(b"\x15\x03\x01\0\x02\x02\x46".to_vec()), "tls-port", "speaks TLS"),
    (
        "nginx with TLS",
        |_| {
            let page = "<html><head><title>400 The plain HTTP request was sent to HTTPS port\
                        </title></head></html>";
            let length = page.len();
            let head = format!("HTTP/1.1 400 Bad Request\r\nContent-Length: {length}\r\n\r\n");
            write((head + page).into_bytes())
        },
        "tls-port",
        "this port wants TLS",
    ),
    (
        "another website",
        |_| {
            let page = "<html><head><title>Apache2 Debian</title></head>It works!</html>";
            let length = page.len();
            let head = format!("HTTP/1.1 200 OK\r\nServer: Apache\r\nContent-Length: {length}\r\n");
            write(format!("{head}\r\n{page}").into_bytes())
        },
        "other-server",
        "a web page \"apache2 debian\" by Apache",
    ),
    ("SSH", |_| write(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()), "not-http", "\"SSH-2.0-OpenSSH_9.2"),
    ("silence", |_| vec![Act::Hold], "no-answer", "no answer within 8 s"),
];

#[test]
fn who_stands_in_the_place_of_the_server_is_told_once() {
    each(IMPOSTORS, |(name, answer, code, says)| {
        let answer = *answer;
        let port = serve(Box::new(move |request, _, _| answer(request)));
        let output = check(port, &["--dns", "none"]);
        let told = text(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "{name}");
        let lines = |start: &str| told.lines().filter(|line| line.starts_with(start)).count();
        assert_eq!(lines("RED "), 3, "{name}: {told}");
        let below: Vec<&str> =
            told.lines().filter(|line| line.starts_with("       ")).map(str::trim).collect();
        assert_eq!(below.len(), 1, "one cause, and nothing that follows from it: {told}");
        assert!(below[0].starts_with(&format!("{code}: ")), "{name}: {told}");
        assert_eq!(told.matches(&format!(" [{code}]\n")).count(), 2, "{name}: {told}");
        assert!(told.contains(says), "{name}: {told}");
        assert!(told.contains("skip answers"), "{name}: {told}");
    });
}

/// A server that takes only what it thinks is proper.
type Strict = (&'static str, fn(&Received) -> bool, &'static [(&'static str, &'static str)]);

const STRICT: &[Strict] = &[
    (
        "targets without a host",
        |request| {
            !text(&request.bytes[..60]).contains("POST http://snsgw.samsungmobile.com/facebook/")
        },
        // Not because of what is in the login.
        &[("login", "not-understood"), ("login", "wrong-status")],
    ),
    (
        "XML with its end",
        |request| {
            let body = text(&request.body);
            !body.contains("Method=\"login\"") || body.contains("</Request>")
        },
        &[("login", "too-strict")],
    ),
    (
        "XML without junk",
        |request| !text(&request.body[..request.body.len().min(900)]).contains("\n4p4u"),
        &[("login", "too-strict")],
    ),
    (
        "no slash",
        |request| !text(&request.bytes[..80]).contains("/auth/ "),
        &[("login", "wrong-status")],
    ),
    (
        "uploads by PUT",
        |request| !request.bytes.starts_with(b"POST http://snsgw.samsungmobile.com/upload/"),
        &[("upload", "wrong-status")],
    ),
    (
        "plain JPEG",
        |request| {
            !request.bytes[..request.bytes.len().min(300)]
                .windows(11)
                .any(|bytes| bytes == b"image/pjpeg")
        },
        &[("upload", "wrong-status")],
    ),
];

#[test]
fn a_server_that_takes_only_proper_requests_is_found() {
    each(STRICT, |&(ref name, is_proper, found)| {
        let name = *name;
        let port = serve(Box::new(move |request, endpoint, right| {
            let is_social = matches!(endpoint, Endpoint::Auth(_) | Endpoint::Upload { .. });
            if !is_social || is_proper(request) {
                return write(right);
            }
            let is_slash = text(&request.bytes[..80]).contains("/auth/ ") && name == "no slash";
            let is_auth = matches!(endpoint, Endpoint::Auth(_)) && !is_slash;
            let status = if is_auth { "400 Bad Request" } else { "404 Not Found" };
            let head = "Content-Type: text/plain\r\nContent-Length: 0\r\nConnection: close";
            write(format!("HTTP/1.1 {status}\r\n{head}\r\n\r\n").into_bytes())
        }));
        let output = check(port, &EVERYTHING);
        let found: Vec<(String, String)> =
            found.iter().map(|(a, b)| ((*a).into(), (*b).into())).collect();
        assert_eq!(faults(&output), found, "{name}: {}", text(&output.stdout));
    });
}

#[test]
fn an_empty_login_must_be_answered() {
    let port = serve(Box::new(|request, endpoint, right| {
        let is_empty = at_login(endpoint) && request.body.is_empty();
        if is_empty { Vec::new() } else { write(right) }
    }));
    let output = check(port, &EVERYTHING);
    assert_eq!(faults(&output), [("login".to_owned(), "no-answer".to_owned())]);
}

#[test]
fn it_asks_as_cameras_do_and_a_stranger_sends_no_photo() {
    let asked: Arc<Mutex<Vec<Received>>> = Arc::default();
    let noted = Arc::clone(&asked);
    let port = serve(Box::new(move |request, _, right| {
        noted.lock().unwrap().push(request.clone());
        write(right)
    }));
    check(port, &["--dns", "none"]);
    let asked = asked.lock().unwrap();
    for name in ["gld", "yahoo", "msn"] {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata/reconstructed/hotspot");
        let as_known = std::fs::read(format!("{folder}/{name}.http")).unwrap();
        assert!(asked.iter().any(|request| request.bytes == as_known), "{name}");
    }
    let uploads: Vec<&Received> = asked
        .iter()
        .filter(|request| matches!(request.endpoint(), Endpoint::Upload { .. }))
        .collect();
    assert_eq!(uploads.len(), 2);
    for upload in uploads {
        let body = text(&upload.body);
        assert!(body.len() < 100 && body.contains("Delete me"), "{body}");
    }
}

/// Most HTTP servers keep a connection, unless they are asked not to.
#[test]
fn a_server_that_keeps_connections_is_found_at_every_door() {
    let port = serve(Box::new(|request, _, right| {
        let head = text(&request.bytes[..request.bytes.len() - request.body.len()]);
        let closes = head.contains("Connection: close") || head.contains(" HTTP/1.0\r\n");
        let mut acts =
            write(if closes { right } else { replace(&right, "Connection: close\r\n", "") });
        acts.extend((!closes).then_some(Act::Hold));
        acts
    }));
    let output = check(port, &["--dns", "none", "--json", "--model", "NX500"]);
    let left_open = ("hotspot".to_owned(), "left-open".to_owned());
    assert!(faults(&output).contains(&left_open), "{}", text(&output.stdout));
}

#[test]
fn success_before_the_file_was_there_is_found() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let mut right = gateway(Admission::Anyone);
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            if stream.peek(&mut [0]).unwrap() == 0 {
                continue;
            }
            let mut start = [0; 64];
            let length = stream.peek(&mut start).unwrap();
            let is_email = text(&start[..length]).contains("DUID=000000000000 ");
            if is_email {
                stream
                    .write_all(&samsung_sns::answer::Answer::success().to_bytes(pretend::DATE))
                    .unwrap();
                Received::read(&mut stream);
            } else {
                let request = Received::read(&mut stream);
                stream.write_all(&right(&request)).unwrap();
            }
        }
    });
    let output = check(port, &EVERYTHING);
    let found = [("e-mail".to_owned(), "answered-early".to_owned())];
    assert_eq!(faults(&output), found, "{}", text(&output.stdout));
}

#[test]
fn what_no_check_can_bring_a_camera_is_said_of_its_model() {
    let port = serve(Box::new(|_, _, right| write(right)));
    for (model, code, says) in [
        ("HMX-QF30", 1, "RED  model    HMX-QF30                 the HMX-QF30 speaks only TLS"),
        ("HMX-QF20", 1, "needs-tls: "),
        ("WB2200F", 0, "skip model    WB2200F                  the WB2200F is not known to work"),
        ("CL65", 0, "skip model    ST1000                   the ST1000 is not known to work"),
        ("CL65", 0, "ok   list     ST1000"),
    ] {
        let output = check(port, &["--dns", "none", "--model", model]);
        let told = text(&output.stdout);
        assert_eq!(output.status.code(), Some(code), "{model}: {told}");
        assert!(told.contains(says), "{model}: {told}");
    }
}

#[test]
fn a_url_in_the_place_of_a_host_is_answered_with_what_to_write() {
    for (host, hint) in [
        ("http://10.42.0.1", "sns-cli check 10.42.0.1"),
        ("http://10.42.0.1:8080/", "sns-cli check 10.42.0.1 --port 8080"),
        ("10.42.0.1:80", "sns-cli check 10.42.0.1 --port 80"),
        ("https://sns.lan/", "sns-cli check sns.lan; cameras speak no https"),
        ("[::1]:80", "sns-cli check [::1] --port 80"),
    ] {
        let output =
            Command::new(env!("CARGO_BIN_EXE_sns-cli")).args(["check", host]).output().unwrap();
        let told = text(&output.stderr);
        assert!(output.status.code() == Some(2) && told.contains(hint), "{host}: {told}");
    }
}

#[test]
fn a_reader_that_goes_away_does_not_make_a_server_right() {
    let port = serve(Box::new(|_, endpoint, right| match endpoint {
        Endpoint::Home => write(with_body(&right, "")),
        _ => write(right),
    }));
    let mut child = Command::new(env!("CARGO_BIN_EXE_sns-cli"))
        .args(["check", "127.0.0.1", "--port", &port.to_string(), "--dns", "none"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stderr), "");
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

// DNS

const LOCAL: [u8; 4] = [127, 0, 0, 1];
const ELSEWHERE: [u8; 4] = [203, 0, 113, 7];
const CUT: u8 = 0x02;

/// An answer to a query: its flags, error, and records, each with its name.
fn reply(query: &[u8], flags: u8, error: u8, records: &[Vec<u8>]) -> Vec<u8> {
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

fn a(address: [u8; 4]) -> Vec<u8> {
    record(ASKED, 1, &address)
}

/// A DNS server on a free port, UDP and TCP, that answers each query so; it ends with the test.
fn dns(answer: fn(&[u8], bool) -> Vec<Vec<u8>>) -> String {
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
fn the_real_server_is_green_and_keeps_only_what_it_was_meant_to() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = sns_server::config::Config::trial();
    config.data_dir = folder.path().join("data");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let app = sns_server::app::App::new(&config).unwrap();
    let local = sns_server::config::listen::Listen::Address("127.0.0.1:0".parse().unwrap());
    let doors = sns_server::listen::Doors::bind(&[local]).unwrap();
    doors.open().unwrap();
    let port = doors.addresses().unwrap()[0].port();
    let (stop, stopping) = tokio::sync::watch::channel(false);
    let serving = std::thread::spawn(move || {
        runtime.block_on(sns_server::listen::serve(doors, app, stopping)).unwrap();
    });
    let photos = config.data_dir.join("photos");
    let users = || std::fs::read_dir(&photos).unwrap().count();

    let resolver = dns(|query, _| vec![reply(query, 0, 0, &[a(LOCAL)])]);
    let output = check(port, &["--dns", &resolver, "--json"]);
    assert_eq!((output.status.code(), faults(&output)), (Some(0), Vec::new()));
    assert_eq!(users(), 0, "nothing is sent without --send");
    let output = check(port, &["--dns", "none", "--user", "me", "--sender", "a@b", "--to", "c@d"]);
    assert_eq!((output.status.code(), users()), (Some(0), 0), "nothing is sent without --send");

    let output = check(port, &EVERYTHING);
    assert_eq!((output.status.code(), faults(&output)), (Some(0), Vec::new()));
    for line in lines(&output).iter().filter_map(|line| line.get("answer")) {
        let segments = if cfg!(target_os = "linux") { Value::from(1) } else { Value::Null };
        assert_eq!((&line["segments"], &line["end"]), (&segments, &"closed".into()), "{line}");
    }
    stop.send(true).unwrap();
    serving.join().unwrap();
    for user in ["me", "a@b"] {
        let mut folder = photos.join(user);
        while folder.is_dir() {
            folder = std::fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
        }
        let photo = std::fs::read(folder).unwrap();
        let comment = b"A test picture of sns-cli check";
        assert!(photo.windows(comment.len()).any(|bytes| bytes == comment), "{user}");
    }
}
