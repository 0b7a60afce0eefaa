//! `sns-cli simulate` against a server that keeps every byte it is sent, and against the real one.
#![allow(clippy::unwrap_used)] // a test's helpers are tests

use samsung_sns::admission::Admission;
use samsung_sns::answer::{Answer, Status};
use samsung_sns::camera::{self, Attachment};
use samsung_sns::crypto::CryptSessionKey;
use samsung_sns::endpoint::{Endpoint, Site};
use samsung_sns::message::auth::{AuthRequest, Logout};
use samsung_sns::message::email::Email;
use samsung_sns::message::media::{Announce, Media};
use samsung_sns::quirk::Quirks;
use samsung_sns::wire::xml::Document;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};
use std::time::Duration;

mod faults;
mod load;
mod models;
#[path = "../pretend/mod.rs"]
mod pretend;

use pretend::{DATE, Received, gateway};

impl Received {
    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// A server on a free port whose answers `answer` gives; it ends with the test.
fn serve(
    mut answer: impl FnMut(&Received) -> Vec<u8> + Send + 'static,
) -> (String, Arc<Mutex<Vec<Received>>>) {
    serve_by(move |request, stream| stream.write_all(&answer(request)).unwrap())
}

/// The same, but that `answer` writes by itself.
fn serve_by(
    mut answer: impl FnMut(&Received, &mut TcpStream) + Send + 'static,
) -> (String, Arc<Mutex<Vec<Received>>>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let all = Arc::new(Mutex::new(Vec::new()));
    let received = Arc::clone(&all);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            stream.set_nodelay(true).unwrap();
            // A connection that asks nothing only looks whether the port is open.
            if stream.peek(&mut [0]).unwrap() == 0 {
                continue;
            }
            let request = Received::read(&mut stream);
            all.lock().unwrap().push(request.clone());
            answer(&request, &mut stream);
        }
    });
    (address, received)
}

fn simulate(server: &str, arguments: &[&str], files: &[&Path]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sns-cli"));
    command.args(["simulate", "--server", server]).args(arguments).args(files).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8([&output.stdout[..], &output.stderr].concat()).unwrap()
}

fn file(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn a_post_is_login_announce_and_upload_of_each_file_then_logout() {
    let folder = tempfile::tempdir().unwrap();
    let big: Vec<u8> = (0..200_000_u32).map(|i| (i * 7) as u8).collect();
    let photo = file(folder.path(), "SAM_0001.JPG", &big);
    let video = file(folder.path(), "my \"film\" & é.mp4", b"film");
    let (server, received) = serve(gateway(Admission::Anyone));
    let arguments = ["--site", "youtube", "--user", "me", "--password", "p&w", "--text", "A < B"];
    let output = simulate(&server, &arguments, &[&photo, &video]);
    let text = said(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    for line in [
        "login accepted, session opened",
        "SAM_0001.JPG: photo announced",
        "SAM_0001.JPG: the server says it is safe",
        "my \"film\" & é.mp4: video announced",
        "my \"film\" & é.mp4: the server says it is safe",
        "logout accepted",
    ] {
        assert!(text.contains(line), "{line:?} is not in:\n{text}");
    }

    let received = received.lock().unwrap();
    assert_eq!(received.len(), 6);
    let youtube = Site::new("youtube");
    let document = Document::read(received[0].text());
    let login = match AuthRequest::read(&document, &mut Quirks::default()).unwrap() {
        AuthRequest::Login(login) => login,
        other => panic!("{other:?}"),
    };
    assert_eq!((login.user.as_str(), login.password.as_str()), ("me", "p&w"));
    assert_eq!(login.camera_crypt_key.as_ref().unwrap().len(), 256);
    assert_ne!(login.crypt_session_key, Some(CryptSessionKey::from_bytes([0; 32])));
    assert_eq!(received[0].bytes, camera::login(&youtube, &login).unwrap());

    let key = "07".repeat(16);
    let announce = |media, name: &str| Announce {
        session_key: key.clone(),
        media,
        file_name: name.to_owned(),
        content: "A < B".to_owned(),
    };
    let first = announce(Media::Photo { album: None }, "SAM_0001.JPG");
    assert_eq!(received[1].bytes, camera::announce(&youtube, &first));
    let head = camera::upload_head(&format!("upload/{key}/SAM_0001.JPG"), "image/jpeg", 200_000);
    assert_eq!(received[2].bytes, [head, big].concat());
    let second = announce(Media::Video { category: None, owner_id: None }, "my \"film\" & é.mp4");
    assert_eq!(received[3].bytes, camera::announce(&youtube, &second));
    assert_eq!((received[4].head().method.as_ref(), received[4].text()), ("PUT", "film"));
    assert_eq!(received[4].head().header("Content-Type").unwrap(), "video/mp4");
    let logout = Logout { session_key: Some(key), user: None };
    assert_eq!(received[5].bytes, camera::logout(&youtube, &logout));
}

#[test]
fn an_email_is_one_request_as_captured() {
    let folder = tempfile::tempdir().unwrap();
    let photos =
        [file(folder.path(), "SAM_0001.JPG", b"one"), file(folder.path(), "SAM_0002.JPG", b"two")];
    let (server, received) = serve(gateway(Admission::Anyone));
    let output = simulate(&server, &["--email", "a@b"], &[&photos[0], &photos[1]]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains("e-mail with 2 files to a@b: the server says it is safe"));
    let received = received.lock().unwrap();
    let [request] = received.as_slice() else { panic!("{} requests", received.len()) };
    let email = Email {
        sender: "Camera@samsungcamera.com".into(),
        recipients: vec!["a@b".into()],
        title: "[Samsung Smart Camera] sent you files.".into(),
        body: "Sent from Samsung Camera.".into(),
    };
    let attachment = |name: &str| Attachment {
        file_name: name.into(),
        media_type: "image/jpeg".into(),
        length: 3,
    };
    let attachments = [attachment("SAM_0001.JPG"), attachment("SAM_0002.JPG")];
    let expected = camera::email(&email, "123456789033", &attachments);
    let [first, second] = expected.part_heads.as_slice() else { panic!() };
    let bytes = [&expected.opening[..], first, b"one", second, b"two", &expected.closing].concat();
    assert_eq!(request.bytes, bytes);
}

#[test]
fn a_refusal_is_told_with_its_reason_and_ends_the_post() {
    let folder = tempfile::tempdir().unwrap();
    let photo = file(folder.path(), "SAM_0001.JPG", b"one");
    let (server, received) = serve(gateway(Admission::users(["someone".to_owned()])));
    let output = simulate(&server, &[], &[&photo]);
    assert_eq!(output.status.code(), Some(1));
    let text = said(&output);
    assert!(text.contains("login: refused: 401 (this user may not send here)"), "{text}");
    assert_eq!(received.lock().unwrap().len(), 1);
    let output = simulate(&server, &["--email", "a@b"], &[&photo]);
    assert_eq!(
        (output.status.code(), said(&output).contains("e-mail: refused: 401")),
        (Some(1), true)
    );
    let output = simulate(&server, &["--email", "a@b", "--sender", "Me <SomeOne>"], &[&photo]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
}

#[test]
fn what_the_firmware_would_not_understand_is_exit_code_1() {
    let folder = tempfile::tempdir().unwrap();
    let photo = file(folder.path(), "SAM_0001.JPG", b"one");
    let ok = |body: &str| Answer::new(Status::Ok, body).to_bytes(DATE);
    for (answer, told) in [
        (
            ok("welcome \x1b[2J"),
            "login: the camera stops here: the firmware finds no <Response SessionKey",
        ),
        (b"hello".to_vec(), "does not begin with HTTP/1.x and a status"),
        (Vec::new(), "login: the server closed the connection without an answer"),
    ] {
        let (server, _) = serve(move |_| answer.clone());
        let output = simulate(&server, &[], &[&photo]);
        let text = said(&output);
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.contains(told) && !text.contains('\x1b'), "{text}");
    }
    // An upload that is answered in plain text: not enough for the HMX-QF30.
    let mut gateway = gateway(Admission::Anyone);
    let (server, _) = serve(move |request| match request.endpoint() {
        Endpoint::Upload { .. } => ok("stored"),
        _ => gateway(request),
    });
    let output = simulate(&server, &[], &[&photo]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("the firmware finds no Status=\"succ\""), "{}", said(&output));
}

#[test]
fn an_answer_is_read_although_sending_failed() {
    let folder = tempfile::tempdir().unwrap();
    let photo = file(folder.path(), "SAM_0001.JPG", &vec![1; 20_000_000]);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let server = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.read_exact(&mut [0; 100]).unwrap();
        let answer = samsung_sns::answer::Refusal::TooLarge("email").to_answer();
        stream.write_all(&answer.to_bytes(DATE)).unwrap();
        // The camera sees the answer arrive before the connection breaks under what it sends.
        std::thread::sleep(Duration::from_millis(300));
    });
    let output = simulate(&server, &["--email", "a@b"], &[&photo]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("e-mail: refused: 413"), "{}", said(&output));
}

#[test]
fn what_cannot_be_tried_is_exit_code_2_and_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let photo = file(folder.path(), "SAM_0001.JPG", b"one");
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let nobody = format!("http://{free}");
    let missing = folder.path().join("missing.jpg");
    let pipe = folder.path().join("pipe.jpg");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let cases: [(&str, &[&str], &[&Path], &str); 7] = [
        (&nobody, &[], &[&photo], "is sns-server running there"),
        (&nobody, &[], &[&missing], "missing.jpg: No such file"),
        (&nobody, &[], &[folder.path()], "it is a folder, not a file"),
        (&nobody, &[], &[&pipe], "pipe.jpg: it is a pipe or a device, not a file"),
        ("127.0.0.1:8080", &[], &[&photo], "write it as http://HOST:PORT"),
        (&nobody, &["--site", "x", "--email", "a@b"], &[&photo], "cannot be used with"),
        (&nobody, &[], &[], "required"),
    ];
    for (server, arguments, files, told) in cases {
        let output = simulate(server, arguments, files);
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains(told), "{told:?} is not in: {}", said(&output));
    }
}

/// Runs a test against the real server in trial mode, which keeps what it is sent below `data`.
fn with_real_server(data: &Path, test: impl FnOnce(&str)) {
    let mut config = sns_server::config::Config::trial();
    config.data_dir = data.to_owned();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let app = sns_server::app::App::new(&config).unwrap();
    let local = "127.0.0.1:0".parse().unwrap();
    let doors = sns_server::listen::Doors::bind(&[local]).unwrap();
    doors.open().unwrap();
    let server = format!("http://{}", doors.addresses().unwrap()[0]);
    let (stop, stopping) = tokio::sync::watch::channel(false);
    let serving = std::thread::spawn(move || {
        runtime.block_on(sns_server::listen::serve(doors, app, stopping)).unwrap();
    });
    test(&server);
    stop.send(true).unwrap();
    serving.join().unwrap();
}

/// The content of every file that is kept for a user, sorted.
fn kept(data: &Path, user: &str) -> Vec<Vec<u8>> {
    let mut kept = Vec::new();
    let mut folders = vec![data.join("photos").join(user)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                kept.push(std::fs::read(path).unwrap());
            }
        }
    }
    kept.sort();
    kept
}

#[test]
fn the_real_server_keeps_what_it_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let photo = file(folder.path(), "SAM_0001.JPG", b"a photo");
    let other = file(folder.path(), "SAM_0002.JPG", b"another photo");
    let data = folder.path().join("data");
    with_real_server(&data, |server| {
        let arguments = ["--user", "me@example.com", "--text", "Hi"];
        let output = simulate(server, &arguments, &[&photo, &other]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let output = simulate(server, &["--email", "a@b"], &[&photo, &other]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    });
    for user in ["me@example.com", "Camera@samsungcamera.com"] {
        assert_eq!(kept(&data, user), [b"a photo".to_vec(), b"another photo".to_vec()], "{user}");
    }
}
