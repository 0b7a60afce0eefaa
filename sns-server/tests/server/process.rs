//! The server as a process: how it starts, what it says, how it ends.

use crate::harness::{Server, answer, data, put, wait_until};
use rustix::process::{Pid, Signal};
use samsung_sns::time::UnixTime;
use std::io::Write;
use std::process::{Command, Output, Stdio};

fn run(config: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sns.toml");
    std::fs::write(&path, config).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_sns-server"));
    command.env("SNS_CONFIG", &path).args(["--listen", "127.0.0.1:0"]);
    command.current_dir(folder.path()).output().unwrap()
}

#[test]
fn the_first_line_says_where_and_what() {
    let server = Server::trial();
    let line = &server.first_line;
    assert!(line.contains(&server.address.to_string()), "{line}");
    assert!(line.contains("TRIAL MODE") && line.contains("photos are kept under"), "{line}");
    let server = Server::start(Some("[users.\"a@b\"]"));
    assert!(!server.first_line.contains("TRIAL"), "{}", server.first_line);
    let page = server.exchange(b"GET / HTTP/1.1\r\nHost: 10.0.0.1\r\n\r\n");
    assert!(page.contains("What to do next") && page.len() < 1400, "{page}");
}

#[test]
fn a_configuration_that_is_wrong_is_refused_in_one_line() {
    for (config, words) in [
        ("trial = true\nlisten_to = []\n", ["line 2", "`listen_to`", "`listen`"]),
        ("data_dir = \"x\"\n", ["admits nobody", "[users.", "trial = true"]),
        ("trial = maybe\n", ["line 1", "sns.toml", "trial"]),
    ] {
        let output = run(config);
        assert_eq!(output.status.code(), Some(1), "{config:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(said.lines().count(), 1, "{said}");
        for word in words {
            assert!(said.contains(word), "{word:?} in {said}");
        }
    }
}

#[test]
fn a_hash_made_by_the_server_lets_its_password_in_and_no_other() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sns-server"))
        .arg("hash-password")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"p\n").unwrap();
    let hash = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    assert!(hash.starts_with("$argon2id$"), "{hash}");
    // The published capture logs in as `f` with the password `p`.
    let login = data("reconstructed/nx300/login-facebook.http");
    let server = Server::start(Some(&format!("[users.f]\npassword_hash = {:?}\n", hash.trim())));
    assert!(server.exchange(&login).contains("<Response SessionKey="));
    let other = sns_server::passwords::Hash::of("other").unwrap();
    let server = Server::start(Some(&format!("[users.F]\npassword_hash = {:?}\n", other.as_str())));
    let refused = server.exchange(&login);
    assert!(refused.starts_with("HTTP/1.1 401") && refused.contains("wrong"), "{refused}");
    assert!(!server.log_with("refused").contains("argon2id"));
}

#[test]
fn a_user_bound_to_another_network_is_not_let_in() {
    let server = Server::start(Some("[users.f]\nnetworks = [\"10.42.0.0/24\"]\n"));
    let login = data("reconstructed/nx300/login-facebook.http");
    assert!(server.exchange(&login).starts_with("HTTP/1.1 401"));
}

#[test]
fn a_port_in_use_is_named() {
    let server = Server::trial();
    let output = Command::new(env!("CARGO_BIN_EXE_sns-server"))
        .args(["--listen", &server.address.to_string(), "--data-dir"])
        .arg(server.folder.path().join("other"))
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said.contains(&server.address.to_string()) && said.contains("another program"),
        "{said}"
    );
}

/// Whoever can connect may also send a signal: a server that does not hear it yet would die by it.
#[test]
fn from_the_first_connection_on_it_can_be_told_to_stop() {
    for _ in 0..20 {
        let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_sns-server"))
            .args(["--listen", &address.to_string(), "--data-dir"])
            .arg(folder.path())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        while std::net::TcpStream::connect(address).is_err() {
            assert!(child.try_wait().unwrap().is_none(), "it did not start");
        }
        rustix::process::kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
}

#[test]
fn told_to_stop_it_finishes_what_has_begun_and_drops_who_said_nothing() {
    let mut server = Server::trial();
    let session = server.login();
    let silent = server.connect();
    let mut stream = server.connect();
    let request = put(&session, "A.JPG", &[7; 200_000]);
    stream.write_all(&request[..100_000]).unwrap();
    server.wait_for_uploads(1);
    server.signal_stop();
    wait_until("nothing new is taken", || std::net::TcpStream::connect(server.address).is_err());
    stream.write_all(&request[100_000..]).unwrap();
    assert!(answer(&mut stream).ends_with("<Response Status=\"succ\" />"));
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
    assert_eq!(server.photos()["f/A.JPG"].len(), 200_000);
    drop(silent);
}

/// A stick without a battery: between two starts the clock is years off, either way.
#[test]
fn a_clock_that_jumps_by_years_ends_no_session() {
    for year_2040_or_1970 in [UnixTime::from_secs(2_208_988_800), UnixTime::from_secs(60)] {
        let mut server = Server::trial();
        let session = server.login();
        assert!(server.terminate().success());
        let spool = sns_server::spool::Spool::open(&server.folder.path().join("data")).unwrap();
        let kept = spool.sessions().unwrap().sessions.into_iter().map(|(key, mut session)| {
            session.used_at = year_2040_or_1970;
            (key, Some(session))
        });
        spool.remember(|| kept.collect(), &[]).unwrap();
        drop(spool);
        let server = server.again();
        assert!(server.exchange(&put(&session, "A.JPG", b"photo")).contains("succ"));
    }
}

/// Killed, not stopped: nothing is written on the way out.
#[test]
fn a_camera_in_the_middle_of_a_post_goes_on_after_a_restart() {
    let mut server = Server::trial();
    let session = server.login();
    let body = format!(
        "<Request SessionKey=\"{session}\"><Photo><File Name=\"My photo.JPG\"/>\
         <Content>hello</Content></Photo></Request>"
    );
    let announce =
        format!("POST /facebook/photo HTTP/1.1\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    assert!(server.exchange(announce.as_bytes()).contains("ResourceID"));
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    let server = server.again();
    assert!(server.exchange(&put(&session, "My_photo.JPG", b"photo")).contains("succ"));
    assert_eq!(server.photos().keys().collect::<Vec<_>>(), ["f/My photo.JPG"]);
    let logout = "<Request Method=\"logout\"/>";
    let length = logout.len();
    let logout =
        format!("POST /facebook/auth HTTP/1.1\r\nContent-Length: {length}\r\n\r\n{logout}");
    assert!(server.exchange(logout.as_bytes()).starts_with("HTTP/1.1 200"));
    let mut server = server;
    assert!(server.terminate().success());
    let server = server.again();
    assert!(server.exchange(&put(&session, "a.JPG", b"x")).starts_with("HTTP/1.1 401"));
}

#[test]
fn systemd_hears_when_it_is_ready_that_it_lives_and_when_it_stops() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let socket = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(std::time::Duration::from_secs(10))).unwrap();
    let hear = || {
        let mut bytes = [0; 200];
        let length = socket.recv(&mut bytes).unwrap();
        String::from_utf8(bytes[..length].to_vec()).unwrap()
    };
    let mut child = Command::new(env!("CARGO_BIN_EXE_sns-server"))
        .args(["--listen", "127.0.0.1:0", "--data-dir"])
        .arg(folder.path().join("data"))
        .env("NOTIFY_SOCKET", &path)
        .env("WATCHDOG_USEC", "100000")
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let said: Vec<String> = (0..4).map(|_| hear()).collect();
    assert_eq!(said.iter().filter(|text| text.contains("READY=1")).count(), 1, "{said:?}");
    assert_eq!(said.iter().filter(|text| text.contains("WATCHDOG=1")).count(), 3, "{said:?}");
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    while !hear().contains("STOPPING=1") {}
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn what_was_kept_is_known_after_a_restart() {
    let mut server = Server::trial();
    let session = server.login();
    server.exchange(&put(&session, "A.JPG", b"photo"));
    assert!(server.terminate().success());
    let server = server.again();
    assert!(server.exchange(&put(&session, "other.JPG", b"photo")).contains("succ"));
    server.log_with("known=true");
    assert_eq!(server.photos().keys().collect::<Vec<_>>(), ["f/A.JPG"]);
}
