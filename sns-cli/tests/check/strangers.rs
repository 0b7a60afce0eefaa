//! Who is no server for cameras at all, or none for what real cameras send.

use super::cases::at_login;
use super::pretend::Received;
use super::spoilt::*;
use samsung_sns::endpoint::Endpoint;
use std::sync::{Arc, Mutex};

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
    each(STRICT, |&(name, is_proper, found)| {
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
