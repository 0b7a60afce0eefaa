//! The owner's listener: what it says, and that it says it nowhere else.

use crate::harness::{Server, answer, between, data, put, status, wait_until};
use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

pub(crate) const ADMIN: &str = "trial = true\n[admin]\nlisten = \"127.0.0.1:0\"\n";

/// What the owner's listener answers.
pub(crate) fn ask(server: &Server, path: &str) -> String {
    let log = server.log_with("the owner's listener");
    let address = between(&log, "the owner's listener address=", "\n");
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes()).unwrap();
    answer(&mut stream)
}

#[test]
fn what_happened_is_counted() {
    let server = Server::start(Some(ADMIN));
    let session = server.login();
    server.exchange(&put(&session, "A.JPG", b"\xff\xd8\xff\xe0 picture"));
    server.exchange(&put(&session, "A.JPG", b"\xff\xd8\xff\xe0 picture"));
    server.exchange(&put(&session, "B.JPG", b"no picture"));
    server.exchange(&data("reconstructed/nx300/email-ending-plain.http"));
    server.exchange(&put(&"f".repeat(32), "A.JPG", b"photo"));
    server.exchange(b"hello\r\n\r\n");
    let mut half = server.connect();
    half.write_all(&put(&session, "C.JPG", &[7; 200_000])[..100_000]).unwrap();
    server.wait_for_uploads(1);
    let text = ask(&server, "/metrics");
    assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{text}");
    assert!(text.contains("application/openmetrics-text") && text.ends_with("# EOF\n"), "{text}");
    for line in [
        "sns_requests_total{endpoint=\"auth\",status=\"200\"} 1",
        "sns_requests_total{endpoint=\"upload\",status=\"200\"} 3",
        "sns_requests_total{endpoint=\"email\",status=\"200\"} 1",
        "sns_requests_total{endpoint=\"upload\",status=\"401\"} 1",
        "sns_requests_total{endpoint=\"unreadable\",status=\"400\"} 1",
        "sns_refusals_total{reason=\"no_session\"} 1",
        "sns_refusals_total{reason=\"not_understood\"} 1",
        "sns_photos_kept_total{content=\"media\"} 2",
        "sns_photos_kept_total{content=\"known\"} 1",
        "sns_photos_kept_total{content=\"other\"} 1",
        "sns_connections_total 8",
        "sns_connections_open 1",
        "sns_uploads_under_way 1",
        "sns_sessions 1",
    ] {
        // Connections that were answered take a moment to end.
        wait_until(line, || ask(&server, "/metrics").lines().any(|l| l == line));
    }
    for secret in [session.as_str(), "SAM_4371", "A.JPG", "samsungcamera.com", "127.0.0.1"] {
        assert!(!text.contains(secret), "{secret:?} in {text}");
    }
}

#[test]
fn cameras_are_told_nothing_of_it() {
    let server = Server::start(Some(ADMIN));
    for path in ["/metrics", "/healthz"] {
        assert_eq!(status(&ask(&server, path)), "200", "{path}");
        let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(status(&server.exchange(request.as_bytes())), "404", "{path}");
    }
    assert_eq!(status(&ask(&server, "/")), "404");
    assert_eq!(status(&ask(&server, "/upload/a/b")), "404");
    let hidden = Server::start(Some(&format!("{ADMIN}metrics = false\n")));
    assert_eq!(status(&ask(&hidden, "/metrics")), "404");
    assert_eq!(status(&ask(&hidden, "/healthz")), "404");
}

#[test]
fn a_server_that_cannot_keep_anything_is_not_well_and_says_why() {
    let server = Server::start(Some(ADMIN));
    let well = ask(&server, "/healthz");
    assert!(status(&well) == "200" && well.ends_with("\r\n\r\nok\n"), "{well}");
    let (here, away) =
        (server.folder.path().join("data/incoming"), server.folder.path().join("away"));
    std::fs::rename(&here, &away).unwrap();
    let ill = ask(&server, "/healthz");
    assert_eq!(status(&ill), "503", "{ill}");
    let why = ill.split("\r\n\r\n").nth(1).unwrap();
    assert!(why.contains("data/incoming") && why.lines().count() == 1, "{ill}");
    std::fs::rename(&away, &here).unwrap();
    assert_eq!(status(&ask(&server, "/healthz")), "200");
    assert_eq!(std::fs::read_dir(&here).unwrap().count(), 0, "looking leaves nothing behind");

    let full = Server::start(Some(&format!("{ADMIN}[limits]\nfree_space = \"1 PiB\"\n")));
    let ill = ask(&full, "/healthz");
    assert!(status(&ill) == "503" && ill.contains("limits.free_space"), "{ill}");
}

#[test]
fn an_owners_port_in_use_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("sns.toml");
    std::fs::write(&config, format!("trial = true\n[admin]\nlisten = \"{address}\"\n")).unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_sns-server"))
        .args(["--listen", "127.0.0.1:0", "--config"])
        .arg(&config)
        .current_dir(folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains(&address), "{said}");
}
