//! `sns-cli decode`, run as a person runs it, over every file of `testdata/`.
//!
//! Beside each file lies `<file>.json`: what `--json` says about it, laid out for reading. A
//! mismatch leaves `<file>.json.failed` beside it. With `UPDATE_GOLDENS=1` the files are written
//! instead of compared; read each of them before you commit it.
#![allow(clippy::unwrap_used)] // a test's helpers are tests

use serde_json::Value;
use std::ffi::OsStr;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata")
}

fn sns_cli() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sns-cli"));
    command.current_dir(testdata());
    command
}

fn decode<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Output {
    sns_cli().arg("decode").args(arguments).output().unwrap()
}

fn decode_bytes(bytes: &[u8], arguments: &[&str]) -> Output {
    let mut command = sns_cli();
    command.arg("decode").args(arguments).arg("-");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    child.wait_with_output().unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("{error}: {}", String::from_utf8_lossy(&output.stdout));
    })
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

/// Every data file below a folder of `testdata/`, named from there.
fn data_files(folder: &str) -> Vec<String> {
    let mut files = Vec::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(testdata().join(&folder)).unwrap() {
            let path = folder.join(entry.unwrap().file_name());
            let name = path.to_str().unwrap();
            if testdata().join(&path).is_dir() {
                folders.push(path);
            } else if !name.contains("README") && !name.ends_with(".json") && !is_failed(name) {
                files.push(name.to_owned());
            }
        }
    }
    files.sort();
    files
}

fn is_failed(name: &str) -> bool {
    name.ends_with(".failed")
}

#[test]
fn every_file_of_testdata_is_told_as_its_golden_file_says() {
    let update = std::env::var_os("UPDATE_GOLDENS").is_some();
    let mut wrong = Vec::new();
    for folder in ["captured", "reconstructed", "malformed"] {
        let files = data_files(folder);
        assert!(!files.is_empty(), "testdata/{folder} is empty");
        for file in files {
            let output = decode(["--json", &file]);
            let told = json(&output);
            assert_eq!(stdout(&output).lines().count(), 1, "{file}");
            assert_eq!(code(&output), i32::from(told.get("error").is_some()), "{file}");
            let text = serde_json::to_string_pretty(&told).unwrap() + "\n";
            let golden = testdata().join(format!("{file}.json"));
            let failed = testdata().join(format!("{file}.json.failed"));
            if update {
                std::fs::write(&golden, &text).unwrap();
            }
            if std::fs::read_to_string(&golden).ok().as_ref() == Some(&text) {
                let _ = std::fs::remove_file(&failed);
            } else {
                std::fs::write(&failed, &text).unwrap();
                wrong.push(file);
            }
        }
    }
    assert!(wrong.is_empty(), "see testdata/<file>.json.failed: {wrong:#?}");
}

#[test]
fn the_published_logins_are_opened() {
    for (file, user, password) in [("login-facebook", "f", "p"), ("login-talk", "x", "z")] {
        let output = decode(["--json", &format!("captured/nx300/{file}.xml")]);
        let told = json(&output);
        assert_eq!((&told["kind"], code(&output)), (&"login".into(), 0));
        assert_eq!((&told["user"], &told["password"]), (&user.into(), &password.into()));
    }
    let tree = stdout(&decode(["captured/nx300/login-facebook.xml"]));
    assert!(tree.contains("login to a site") && tree.contains("user: f"), "{tree}");
    assert!(tree.contains("4p4uaaq422af3\"/>"), "the junk is shown: {tree}");
    assert!(tree.contains("stray-text: junk text between the elements"), "{tree}");
}

#[test]
fn every_answer_of_the_gateway_is_told_apart() {
    for file in data_files("answers") {
        let output = decode(["--json", &file]);
        let name = Path::new(&file).file_stem().unwrap().to_str().unwrap().to_owned();
        let kind = match name.split('-').next().unwrap() {
            "announce" => "announce_answer",
            "hotspot" => "hotspot_answer",
            "login" => "login_answer",
            "refused" => "error_answer",
            "success" => "success_answer",
            "time" => "time_answer",
            _ => "answer",
        };
        let told = json(&output);
        assert_eq!((told["kind"].as_str().unwrap(), code(&output)), (kind, 0), "{file}");
        assert_eq!(told["form"], "response", "{file}");
        assert_eq!(told.get("other"), None, "{file}");
        // The same body without its head.
        let bytes = std::fs::read(testdata().join(&file)).unwrap();
        let body = bytes.windows(4).position(|w| w == b"\r\n\r\n").map(|at| &bytes[at + 4..]);
        if let Some(body @ [b'<', ..]) = body {
            let told = json(&decode_bytes(body, &["--json"]));
            assert_eq!((told["kind"].as_str().unwrap(), &told["form"]), (kind, &"xml".into()));
        }
    }
}

#[test]
fn a_head_without_its_body_is_broken_but_shown() {
    let output = decode(["--json", "captured/nx300/email-head.http"]);
    let told = json(&output);
    assert_eq!(code(&output), 1);
    assert_eq!(told["kind"], "email");
    assert_eq!(told["duid"], "123456789033");
    assert_eq!(told["http"]["headers"].as_array().unwrap().len(), 10);
    assert_eq!((&told["missing_bytes"], &told["error_offset"]), (&1_321_295.into(), &796.into()));
}

#[test]
fn what_stands_before_a_break_is_told() {
    let tell = |bytes: &[u8]| {
        let output = decode_bytes(bytes, &["--json"]);
        assert_eq!(code(&output), 1, "{}", bytes.escape_ascii());
        json(&output)
    };
    let told =
        tell(b"POST /facebook/auth HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\nA: b\r\n\r\n");
    assert_eq!((&told["site"], &told["error_offset"]), (&"facebook".into(), &39.into()));
    let told = tell(b"POST /facebook/auth HTTP/1.1\r\nHost: x\r\nConte");
    assert_eq!((&told["kind"], &told["error_offset"]), (&"auth".into(), &44.into()));
    let told = tell(b"PUT /upload/k/a.jpg HTTP/1.1\r\nContent-Length: 10\r\n\r\nabcd");
    assert_eq!((&told["length"], &told["missing_bytes"]), (&4.into(), &6.into()));
    let told = tell(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<Response Status=\"succ\" />");
    assert_eq!(told["kind"], "success_answer");
    let told = tell(b"POST /facebook/auth HTTP/1.1\r\n\r\n<Request Method=\"logout\"/>");
    assert_eq!(told["kind"], "logout");
    let told = tell(b"<Something><Else a=\"1\"/></Something>");
    assert_eq!(told["other"][1]["place"], "Else/@a");
    for (bytes, error) in [
        (b"".as_slice(), "there is nothing in it"),
        (b"\0\0\0", "this begins neither"),
        (b"HTTP/1.1 what\r\n\r\n", "the first line is no HTTP status line"),
        (b"GET /x", "the first line is no HTTP request line"),
        (b"\x16\x03\x01\x00\xc8", "this is a TLS handshake"),
    ] {
        let told = tell(bytes);
        assert!(told["error"].as_str().unwrap().starts_with(error), "{told}");
        assert_eq!(told["error_offset"], 0);
    }
}

#[test]
fn a_cut_email_shows_what_came_of_its_file() {
    let told = json(&decode(["--json", "malformed/email-cut-in-photo.http"]));
    let file = &told["files"][0];
    assert_eq!((&file["length"], &file["complete"]), (&3.into(), &false.into()), "{told}");
    assert_eq!(told["recipients"][0], "a@b");
}

#[test]
fn an_unknown_path_and_an_unknown_site_are_kept_as_they_came() {
    let output = decode_bytes(b"POST /newsite/auth/x HTTP/1.1\r\nHost: a\r\n\r\n", &["--json"]);
    assert_eq!((code(&output), &json(&output)["kind"]), (0, &"unknown".into()));
    let body = "<Request Method=\"logout\" New=\"1\"/>";
    let request = format!(
        "POST /newsite/auth HTTP/1.1\r\nHost: a\r\nX-New: y\r\nContent-Length: {}\r\n\r\n{body}\r\n",
        body.len()
    );
    let output = decode_bytes(request.as_bytes(), &["--json"]);
    let told = json(&output);
    assert_eq!((code(&output), &told["site"]), (0, &"newsite".into()));
    assert_eq!(told["other"][0], serde_json::json!({ "place": "Request/@New", "value": "1" }));
    assert_eq!(told["http"]["headers"][1]["value"], "y");
    assert_eq!(told.get("bytes_after"), None, "an editor's last line end is nothing");
    let two =
        decode_bytes([request.as_bytes(), b"GET / HTTP/1.1"].concat().as_slice(), &["--json"]);
    assert_eq!(json(&two)["bytes_after"], 16);
}

#[test]
fn a_file_that_cannot_be_read_is_exit_code_2_and_the_others_are_told() {
    let output = decode(["missing.xml", "malformed/junk.bin", "captured/nx300/login-talk.xml"]);
    assert_eq!(code(&output), 2);
    let tree = stdout(&output);
    assert!(tree.contains("malformed/junk.bin: unknown") && tree.contains("user: x"), "{tree}");
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.contains("cannot read missing.xml"), "{errors}");
    assert_eq!(code(&decode(["captured"])), 2, "a folder");

    let output = decode(["--json", "malformed/junk.bin", "captured/nx300/login-talk.xml", "no"]);
    let kinds: Vec<Value> = stdout(&output)
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["kind"].clone())
        .collect();
    assert_eq!(kinds, ["unknown", "login", "unreadable"]);
    assert_eq!(code(&decode(["malformed/junk.bin", "captured/nx300/login-talk.xml"])), 1);
    assert_eq!(code(&decode(["captured/nx300/login-talk.xml"])), 0);
    assert_eq!(code(&decode::<&str>([])), 2, "usage");
}

#[test]
fn standard_input_is_a_file_too() {
    let bytes = std::fs::read(testdata().join("captured/nx300/login-facebook.xml")).unwrap();
    let output = decode_bytes(&bytes, &["--json"]);
    let told = json(&output);
    assert_eq!((&told["file"], &told["user"], code(&output)), (&"-".into(), &"f".into(), 0));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut command = sns_cli();
    command.arg("decode").args(vec!["malformed/junk.bin"; 5000]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = [0; 10];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap(); // and drop the pipe
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stderr.is_empty());
}

#[test]
fn no_control_character_reaches_the_terminal() {
    let evil = "a\u{1b}[2J\u{7}\u{9b}31m\u{202e}\u{7f}b";
    let xml = format!(
        "<Request Method=\"logout\" {evil}=\"{evil}\">{evil}<{evil} x=\"{evil}\"/></Request>"
    );
    let request = format!(
        "POST /{evil}/auth HTTP/1.1\r\nHost: {evil}\r\nX-Evil: {evil}\r\nContent-Length: {}\r\n\r\n{xml}",
        xml.len()
    );
    let part = format!(
        "--B\r\ncontent-disposition: form-data; name=\"{evil}\"; fileName=\"{evil}\"\r\n\
        content-type: {evil}\r\n\r\nx\r\n--B--\r\n"
    );
    let email = format!(
        "POST /social/columbus/email?DUID={evil} HTTP/1.1\r\nContent-Type: multipart/form-data; \
         boundary=B\r\nContent-Length: {}\r\n\r\n{part}",
        part.len()
    );
    let answer = format!(
        "HTTP/1.1 200 {evil}\r\nX: {evil}\r\n\r\n<Response ErrCode=\"{evil}\"/><!-- {evil} -->"
    );
    for bytes in [xml, request, email, answer, evil.to_owned()] {
        for arguments in [&[][..], &["--json"], &["--redact"]] {
            let output = decode_bytes(bytes.as_bytes(), arguments);
            for text in [stdout(&output), String::from_utf8(output.stderr).unwrap()] {
                let raw = text.chars().find(|&c| c != '\n' && (c.is_control() || c == '\u{202e}'));
                assert_eq!(raw, None, "{text:?}");
            }
        }
    }
}
