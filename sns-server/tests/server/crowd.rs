//! Memory that strangers may take: large heads share what `limits.heads` gives them.

use crate::admin::{ADMIN, ask};
use crate::harness::{Server, answer, put, status, wait_until};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

/// Whether the server has closed this connection, which says nothing.
fn is_closed(stream: &mut TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let closed = match stream.read(&mut [0; 2000]) {
        Err(error) => error.kind() != ErrorKind::WouldBlock,
        Ok(_) => true,
    };
    stream.set_nonblocking(false).unwrap();
    closed
}

#[test]
fn large_heads_push_out_each_other_and_no_camera() {
    let server = Server::start(Some(&format!("{ADMIN}[limits]\nheads = \"200 KiB\"\n")));
    let session = server.login();
    let upload = put(&session, "A.JPG", b"photo");
    // A camera that has begun before all of them, and goes on after them.
    let mut camera = server.connect();
    camera.write_all(&upload[..20]).unwrap();
    let large = || {
        let mut stream = server.connect();
        stream.write_all(b"GET / HTTP/1.1\r\nX: ").unwrap();
        let _ = stream.write_all(&[b'y'; 60_000]); // it may have had to go by now
        stream
    };
    let unfinished: Vec<_> = (0..20).map(|_| large()).collect();
    let count = |name: &str| {
        let text = ask(&server, "/metrics");
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map_or(0, |number| number.parse::<usize>().unwrap())
    };
    let refused = || count("sns_refusals_total{reason=\"busy\"}");
    // Whoever asks for room before the one that has to go has gone is refused.
    let unfinished = std::cell::RefCell::new(unfinished);
    let closed =
        || unfinished.borrow_mut().iter_mut().filter_map(|s| is_closed(s).then_some(())).count();
    wait_until("most of them have gone", || closed() >= 15);
    assert!(closed() < 20, "all of them");
    let before = refused();
    camera.write_all(&upload[20..]).unwrap();
    assert_eq!(status(&answer(&mut camera)), "200");
    assert_eq!(status(&server.exchange(&upload)), "200");
    drop(unfinished);

    // Whole heads whose bodies do not come cannot be pushed out, so there is no more room.
    let head = format!(
        "PUT /upload/x/y HTTP/1.1\r\nContent-Length: 9\r\nX: {}\r\n\r\n",
        "y".repeat(60_000)
    );
    let whole = || {
        let mut stream = server.connect();
        let _ = stream.write_all(head.as_bytes());
        stream
    };
    let mut whole: Vec<_> = (0..20).map(|_| whole()).collect();
    wait_until("most are refused", || refused() >= before + 10);
    assert_eq!(status(&server.exchange(&upload)), "200");
    let answered = whole.iter_mut().filter_map(|stream| {
        stream.write_all(&[7; 9]).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        (status(&answer) == "401").then_some(())
    });
    assert!(answered.count() >= 1, "what had begun is answered");
}
