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
    let mut unfinished: Vec<_> = (0..20).map(|_| large()).collect();
    let evicted = || {
        let text = ask(&server, "/metrics");
        let line =
            text.lines().find(|line| line.starts_with("sns_connections_evicted_total ")).unwrap();
        line.rsplit(' ').next().unwrap().parse::<usize>().unwrap()
    };
    wait_until("most of them have gone", || evicted() >= 15);
    let closed = unfinished.iter_mut().filter_map(|stream| is_closed(stream).then_some(())).count();
    assert!((15..20).contains(&closed), "{closed} of 20");
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
    wait_until("most are refused", || ask(&server, "/metrics").contains("reason=\"busy\"} 1"));
    assert_eq!(status(&server.exchange(&upload)), "200");
    let mut first = whole.remove(0);
    first.write_all(&[7; 9]).unwrap();
    assert_eq!(status(&answer(&mut first)), "401", "what had begun is answered");
}
