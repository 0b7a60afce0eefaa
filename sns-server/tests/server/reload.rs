//! SIGHUP: what changes while the server runs, and what must not.

use crate::admin::{ADMIN, ask};
use crate::harness::{Server, answer, data, put, status, wait_until};
use sns_server::passwords::Hash;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::{Command, Stdio};

const RELOADED: &str = "the configuration was read again";

/// Another configuration, and the signal that says so.
fn reload(server: &Server, config: &str) {
    std::fs::write(server.folder.path().join("config.toml"), config).unwrap();
    server.signal("HUP");
}

#[test]
fn users_and_limits_change_and_who_is_no_longer_admitted_is_out() {
    let server = Server::start(Some("[users.f]\n[users.\"camera@samsungcamera.com\"]\n"));
    let session = server.login();
    let email = data("reconstructed/nx300/email-ending-plain.http");
    assert_eq!(status(&server.exchange(&put(&session, "A.JPG", b"photo"))), "200");
    reload(&server, "[users.F]\n[limits]\nupload = \"10 B\"\n");
    server.log_with(RELOADED);
    assert_eq!(status(&server.exchange(&email)), "401", "no longer admitted");
    assert_eq!(status(&server.exchange(&put(&session, "B.JPG", b"eleven byte"))), "413");
    assert_eq!(status(&server.exchange(&put(&session, "B.JPG", b"ten bytes."))), "200");
    let names: Vec<_> = server.photos().into_keys().collect();
    assert_eq!(
        names,
        ["F/B.JPG", "f/A.JPG"],
        "the user is spelt as the configuration spells it now"
    );
    reload(&server, "[users.\"camera@samsungcamera.com\"]\n");
    let out = || status(&server.exchange(&put(&session, "C.JPG", b"photo"))) == "401";
    wait_until("the session has ended", out);
    assert_eq!(status(&server.exchange(&email)), "200");
    reload(&server, "trial = true\n");
    let in_again = data("reconstructed/nx300/login-facebook.http");
    wait_until("anyone may send", || status(&server.exchange(&in_again)) == "200");
    assert_eq!(status(&server.exchange(&put(&session, "C.JPG", b"photo"))), "401");
    assert!(server.exchange(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").contains("Trial mode"));
    // And a session that has ended stays so after a restart.
    let mut server = server;
    assert!(server.terminate().success());
    let server = server.again();
    assert_eq!(status(&server.exchange(&put(&session, "C.JPG", b"photo"))), "401");
}

#[test]
fn another_password_ends_the_sessions_of_the_old_one() {
    let hash = |password| Hash::of(password).unwrap().as_str().to_owned();
    let config = |password| format!("[users.f]\npassword_hash = {:?}\n", hash(password));
    let server = Server::start(Some("[users.f]\n"));
    let session = server.login();
    reload(&server, &config("p"));
    server.log_with(RELOADED);
    assert_eq!(status(&server.exchange(&put(&session, "A.JPG", b"photo"))), "401");
    let session = server.login(); // with the published password, p
    assert_eq!(status(&server.exchange(&put(&session, "A.JPG", b"photo"))), "200");
    reload(&server, &config("other"));
    let out = || status(&server.exchange(&put(&session, "A.JPG", b"photo"))) == "401";
    wait_until("the session has ended", out);
    let login = data("reconstructed/nx300/login-facebook.http");
    assert_eq!(status(&server.exchange(&login)), "401");
}

#[test]
fn a_restart_with_another_configuration_lets_nobody_stay() {
    let mut server = Server::start(Some("[users.f]\n"));
    let session = server.login();
    assert!(server.terminate().success());
    let config = server.folder.path().join("config.toml");
    std::fs::write(config, "[users.other]\n").unwrap();
    let server = server.again();
    assert_eq!(status(&server.exchange(&put(&session, "A.JPG", b"photo"))), "401");
}

#[test]
fn a_broken_configuration_is_refused_and_the_old_one_holds() {
    let server = Server::start(Some("[users.f]\n"));
    let session = server.login();
    for (broken, why) in [
        ("[users.f]\n[limits]\nuplaod = \"1 B\"\n", "line 3: unknown key `uplaod`"),
        ("data_dir = \"x\"\n", "admits nobody"),
        ("[users.f\n", "line 1"),
    ] {
        reload(&server, broken);
        let log = server.log_with(why);
        assert!(!log.contains(RELOADED), "{log}");
    }
    std::fs::remove_file(server.folder.path().join("config.toml")).unwrap();
    server.signal("HUP");
    server.log_with("cannot read the configuration");
    assert_eq!(status(&server.exchange(&put(&session, "A.JPG", b"photo"))), "200");
    assert_eq!(status(&server.exchange(&data("reconstructed/nx300/login-facebook.http"))), "200");
}

#[test]
fn what_needs_a_restart_is_named() {
    let server = Server::start(Some(ADMIN));
    assert_eq!(status(&ask(&server, "/metrics")), "200");
    reload(
        &server,
        "trial = true\nlisten = [\"127.0.0.1:1\"]\nrun_as = \"nobody\"\n\
         [admin]\nlisten = \"127.0.0.1:2\"\nmetrics = false\n",
    );
    server.log_with(RELOADED);
    let log = server.log_with("admin.listen");
    assert!(log.contains("restart key=\"run_as\""), "{log}");
    assert!(!log.contains("key=\"listen\""), "--listen stands above the file: {log}");
    assert_eq!(status(&ask(&server, "/metrics")), "404", "what can change has");
    assert_eq!(status(&server.exchange(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")), "200");
}

#[test]
fn what_is_under_way_goes_on_as_it_began() {
    let server = Server::start(Some("trial = true\n"));
    let session = server.login();
    let whole = put(&session, "A.JPG", &[7; 200_000]);
    let mut stream = server.connect();
    stream.write_all(&whole[..100_000]).unwrap();
    server.wait_for_uploads(1);
    reload(&server, "trial = true\n[limits]\nupload = \"10 B\"\nconnections = 1\n");
    server.log_with(RELOADED);
    stream.write_all(&whole[100_000..]).unwrap();
    assert!(answer(&mut stream).ends_with("<Response Status=\"succ\" />"));
    assert_eq!(server.photos()["f/A.JPG"].len(), 200_000);
    let refused = || status(&server.exchange(&put(&session, "B.JPG", &[7; 11]))) == "413";
    wait_until("the new limit holds", refused);
}

#[test]
fn without_a_file_there_is_nothing_to_read_again() {
    let server = Server::trial();
    server.signal("HUP");
    server.log_with("there is no configuration file");
    assert_eq!(status(&server.exchange(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")), "200");
}

#[test]
fn systemd_hears_when_it_reloads_and_when_that_is_over() {
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
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    assert!(hear().contains("READY=1"));
    let kill = |name: &str| {
        let pid = child.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    };
    kill("-HUP");
    let reloading = hear();
    let microseconds = reloading.lines().find_map(|line| line.strip_prefix("MONOTONIC_USEC="));
    let uptime = std::fs::read_to_string("/proc/uptime").unwrap();
    let uptime: f64 = uptime.split(' ').next().unwrap().parse().unwrap();
    let said = microseconds.unwrap().parse::<f64>().unwrap() / 1e6;
    assert!(reloading.contains("RELOADING=1") && (uptime - said).abs() < 60.0, "{reloading}");
    assert!(hear().contains("READY=1"));
    kill("-TERM");
    while !hear().contains("STOPPING=1") {}
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_session_bound_to_its_address_is_refused_elsewhere() {
    let bound = "trial = true\n[limits]\nsession_bound_to_address = true\n";
    let server = Server::start(Some(bound));
    let session = server.login();
    let elsewhere = |request: &[u8]| {
        let socket =
            socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        let from = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
        socket.bind(&SocketAddr::new(from, 0).into()).unwrap();
        socket.connect(&server.address.into()).unwrap();
        let mut stream = std::net::TcpStream::from(socket);
        stream.write_all(request).unwrap();
        answer(&mut stream)
    };
    let upload = put(&session, "A.JPG", b"photo");
    let refused = elsewhere(&upload);
    assert!(status(&refused) == "401" && refused.contains("another address"), "{refused}");
    let log = server.log_with("another address");
    assert!(log.contains("from=127.0.0.2") && !log.contains(&session), "{log}");
    let logout = format!("<Request Method=\"logout\" SessionKey=\"{session}\"/>");
    let length = logout.len();
    let logout =
        format!("POST /facebook/auth HTTP/1.1\r\nContent-Length: {length}\r\n\r\n{logout}");
    assert_eq!(status(&elsewhere(logout.as_bytes())), "200");
    assert_eq!(status(&server.exchange(&upload)), "200", "nobody else can end it");
    reload(&server, "trial = true\n");
    wait_until("it is no longer bound", || status(&elsewhere(&upload)) == "200");
    assert_eq!(status(&elsewhere(logout.as_bytes())), "200");
    assert_eq!(status(&server.exchange(&upload)), "401");
}
