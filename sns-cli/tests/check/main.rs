//! `sns-cli check` against servers that are wrong on purpose, one fault each, and against the real
//! one.
#![allow(clippy::unwrap_used)] // a test's helpers are tests

mod cases;
mod names;
#[path = "../pretend/mod.rs"]
mod pretend;
mod spoilt;
mod strangers;

use cases::at_gld;
use names::{LOCAL, a, dns, reply};
use samsung_sns::endpoint::Endpoint;
use serde_json::Value;
use spoilt::*;
use std::net::{Ipv4Addr, TcpListener};
use std::process::Command;

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
fn the_real_server_is_green_and_keeps_only_what_it_was_meant_to() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = sns_server::config::Config::trial();
    config.data_dir = folder.path().join("data");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let app = sns_server::app::App::new(&config).unwrap();
    let local = "127.0.0.1:0".parse().unwrap();
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
