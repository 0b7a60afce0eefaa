//! Servers that are wrong in a way that `check` calls red: the camera stops there, too.

use super::{file, gateway, said, serve, serve_by, simulate};
use crate::pretend::Received;
use samsung_sns::admission::Admission;
use samsung_sns::endpoint::{Endpoint, HotspotCheck};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::time::{Duration, Instant};

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn replace(answer: &[u8], from: &str, to: &str) -> Vec<u8> {
    assert!(text(answer).contains(from), "{from:?} is not in {}", text(answer));
    text(answer).replace(from, to).into_bytes()
}

/// The same answer with another body, and the right length of it.
fn with_body(answer: &[u8], body: &str) -> Vec<u8> {
    let (head, old) = text(answer).split_once("\r\n\r\n").unwrap();
    let (old, new) = (old.len(), body.len());
    let head = head.replace(&format!("Length: {old}\r\n"), &format!("Length: {new}\r\n"));
    format!("{head}\r\n\r\n{body}").into_bytes()
}

fn body(answer: &[u8]) -> &str {
    text(answer).split_once("\r\n\r\n").unwrap().1
}

fn in_two(answer: &[u8]) -> Vec<Vec<u8>> {
    let (head, body) = answer.split_at(answer.len() - body(answer).len());
    vec![head.to_vec(), body.to_vec()]
}

fn at_login(request: &Received) -> bool {
    matches!(request.endpoint(), Endpoint::Auth(_))
}

fn at_announce(request: &Received) -> bool {
    matches!(request.endpoint(), Endpoint::Photo(_))
}

fn at_upload(request: &Received) -> bool {
    matches!(request.endpoint(), Endpoint::Upload { .. })
}

fn at_email(request: &Received) -> bool {
    matches!(request.endpoint(), Endpoint::Email { .. })
}

/// What is wrong: where, the answer's segments, and what must be told.
type Case = (fn(&Received) -> bool, fn(&[u8]) -> Vec<Vec<u8>>, &'static str);

const CASES: &[Case] = &[
    (
        at_login,
        in_two,
        "login: the camera stops here: the answer came in 2 TCP segments (two-segments: ",
    ),
    (
        at_upload,
        in_two,
        "SAM_0001.JPG: upload: the camera stops here: the answer came in 2 TCP segments",
    ),
    (at_email, in_two, "e-mail: the camera stops here: the answer came in 2 TCP segments"),
    (
        at_announce,
        |answer| {
            let length = format!("Content-Length: {}", body(answer).len());
            let chunk = format!("{:x}\r\n{}\r\n0\r\n\r\n", body(answer).len(), body(answer));
            let answer = with_body(&replace(answer, &length, "Transfer-Encoding: chunked"), &chunk);
            vec![answer]
        },
        "announce: the camera stops here: the answer has Transfer-Encoding: chunked (chunked: ",
    ),
    (
        at_email,
        |answer| {
            let (head, body) = text(answer).split_once("\r\n\r\n").unwrap();
            let names = ["Server", "Date", "Content-Type", "Content-Length", "Connection"];
            let lower = |head: String, name: &&str| head.replace(name, &name.to_lowercase());
            let head = names.iter().fold(head.to_owned(), lower);
            vec![format!("{head}\r\n\r\n{body}").into_bytes()]
        },
        " (header-spelling: ",
    ),
    (
        at_login,
        |answer| {
            let length = format!("Content-Length: {}", body(answer).len());
            vec![replace(answer, &length, "Content-Length: 99999")]
        },
        "of 99999 bytes of the body came (truncated: ",
    ),
    (
        at_upload,
        |answer| vec![with_body(answer, &(body(answer).to_owned() + &" ".repeat(2000)))],
        "(too-long: ",
    ),
    (
        at_announce,
        |answer| {
            let elsewhere = body(answer).replace("snsgw.samsungmobile.com:80", "example.com:8080");
            vec![with_body(answer, &elsewhere)]
        },
        "the camera is told to bring the file to example.com:8080 (upload-elsewhere: ",
    ),
    (
        at_announce,
        |answer| vec![with_body(answer, &body(answer).replace("=\"upload", "=\"/upload"))],
        "the camera adds the first slash (odd-value: ",
    ),
    (
        at_login,
        |answer| {
            let name = body(answer).replace("<LoginPeopleID=", "<LoginPeopleID Value=");
            vec![with_body(answer, &name)]
        },
        "the body has no <LoginPeopleID=\"…\"; ",
    ),
];

#[test]
fn where_check_says_red_the_camera_stops() {
    let folder = tempfile::tempdir().unwrap();
    let photo = file(folder.path(), "SAM_0001.JPG", b"one");
    for (number, &(door, spoil, told)) in CASES.iter().enumerate() {
        if cfg!(not(target_os = "linux")) && told.contains("TCP segments") {
            continue; // only there the kernel counts them
        }
        let mut right = gateway(Admission::Anyone);
        let (server, received) = serve_by(move |request, stream| {
            let answer = right(request);
            let pieces = if door(request) { spoil(&answer) } else { vec![answer] };
            for piece in pieces {
                stream.write_all(&piece).unwrap();
            }
        });
        let arguments: &[&str] =
            if told.contains("e-mail") || number == 4 { &["--email", "a@b"] } else { &[] };
        let output = simulate(&server, arguments, &[&photo]);
        let text = said(&output);
        assert_eq!(output.status.code(), Some(1), "{told}: {text}");
        assert!(text.contains(told), "{told:?} is not in {text}");
        assert!(text.contains("not sent, as far as the camera knows: SAM_0001.JPG\n"), "{text}");
        assert!(!text.contains("it is safe"), "{text}");
        let uploads = received.lock().unwrap().iter().filter(|request| at_upload(request)).count();
        assert_eq!(
            uploads,
            usize::from(told.contains("upload:") || told.contains("too-long")),
            "{text}"
        );
    }
}

#[test]
fn a_gld_answer_that_pleases_an_nx300_need_not_please_an_nx_mini() {
    for (model, code) in [("NX300", 0), ("NX mini", 1)] {
        let mut right = gateway(Admission::Anyone);
        let (server, _) = serve(move |request| match request.endpoint() {
            Endpoint::Hotspot(HotspotCheck::Gld) => with_body(&right(request), "hi"),
            _ => right(request),
        });
        let output = simulate(&server, &["--model", model, "--hotspot"], &[]);
        assert_eq!(output.status.code(), Some(code), "{model}: {}", said(&output));
        assert_eq!(said(&output).contains("(gld-plain: "), code == 1, "{}", said(&output));
    }
}

#[test]
fn a_connection_left_open_is_told_and_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let photo = file(folder.path(), "SAM_0001.JPG", b"one");
    let mut right = gateway(Admission::Anyone);
    let (server, received) = serve_by(move |request, stream| {
        stream.write_all(&right(request)).unwrap();
        if at_announce(request) {
            assert_eq!(stream.read(&mut [0]).unwrap_or(0), 0, "until the camera goes away");
        }
    });
    let began = Instant::now();
    let output = simulate(&server, &[], &[&photo]);
    let told = said(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("announce: the camera stops here: the connection stays open behind it"));
    assert!(
        told.contains("whether a camera waits for its end is not known (left-open: "),
        "{told}"
    );
    assert!(began.elapsed() < Duration::from_secs(9), "{:?}", began.elapsed());
    assert!(told.contains("logout accepted"), "somebody is there: {told}");
    assert_eq!(received.lock().unwrap().len(), 3, "login, announce, logout");
}

#[test]
fn a_success_before_the_file_is_there_is_no_success() {
    let folder = tempfile::tempdir().unwrap();
    let photo = file(folder.path(), "SAM_0001.JPG", &vec![1; 30_000_000]);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let server = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.read_exact(&mut [0; 100]).unwrap();
        let success = samsung_sns::answer::Answer::success().to_bytes(super::DATE);
        stream.write_all(&success).unwrap();
        std::io::copy(&mut stream, &mut std::io::sink()).unwrap();
    });
    // It reads on, so that only the moment of its answer is wrong.
    let output = simulate(&server, &["--email", "a@b"], &[&photo]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("(answered-early: "), "{}", said(&output));
}

#[test]
fn a_server_that_stops_reading_is_not_waited_for_without_end() {
    let folder = tempfile::tempdir().unwrap();
    let photo = file(folder.path(), "SAM_0001.JPG", &vec![1; 30_000_000]);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let server = format!("http://{}", listener.local_addr().unwrap());
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let silent = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.read_exact(&mut [0; 100]).unwrap();
        assert!(stopped.recv().is_err(), "the camera has given up");
    });
    let output = simulate(&server, &["--email", "a@b"], &[&photo]);
    drop(stop);
    silent.join().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let told = "e-mail: the server stopped reading, and took nothing for 10 s";
    assert!(said(&output).contains(told), "{}", said(&output));
}

#[test]
fn after_a_refusal_it_logs_out_and_says_what_is_not_sent() {
    let folder = tempfile::tempdir().unwrap();
    let photos: Vec<_> = ["SAM_0001.JPG", "SAM_0002.JPG", "SAM_0003.JPG"]
        .map(|name| file(folder.path(), name, name.as_bytes()))
        .into();
    let photos: Vec<_> = photos.iter().map(|photo| &**photo).collect();
    let mut right = gateway(Admission::Anyone);
    let (server, received) = serve(move |request| match request.endpoint() {
        Endpoint::Upload { .. } if request.body == b"SAM_0002.JPG" => {
            samsung_sns::answer::Refusal::TooLarge("file").to_answer().to_bytes(super::DATE)
        }
        _ => right(request),
    });
    let output = simulate(&server, &[], &photos);
    let told = said(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    let refused = told.find("SAM_0002.JPG: upload: refused: 413").unwrap();
    let logged_out = told.find("logout accepted").unwrap();
    assert!(refused < logged_out, "in the order in which it happened: {told}");
    assert!(
        told.ends_with("not sent, as far as the camera knows: SAM_0002.JPG, SAM_0003.JPG\n"),
        "{told}"
    );
    assert_eq!(received.lock().unwrap().len(), 6);
}

#[test]
fn what_it_says_and_cannot_is_exit_code_2() {
    if !std::path::Path::new("/dev/full").exists() {
        return; // there is no such device here
    }
    let folder = tempfile::tempdir().unwrap();
    let photo = file(folder.path(), "SAM_0001.JPG", b"one");
    for arguments in [&[][..], &["--repeat", "2"], &["--model", "NX300", "--repeat", "2"]] {
        let (server, _) = serve(gateway(Admission::Anyone));
        let full = std::fs::File::create("/dev/full").unwrap();
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_sns-cli"));
        command.args(["simulate", "--server", &server]).args(arguments).arg(&photo);
        let output = command.stdout(full).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(said(&output).contains("cannot write the output: "), "{}", said(&output));
    }
}
