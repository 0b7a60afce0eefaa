//! Slow and breaking links, many posts, many cameras.

use super::{file, gateway, kept, said, serve, serve_by, simulate, with_real_server};
use samsung_sns::admission::Admission;
use samsung_sns::answer::Refusal;
use samsung_sns::endpoint::Endpoint;
use samsung_sns::message::media::Announce;
use samsung_sns::post::Caption;
use samsung_sns::wire::xml::Document;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[test]
fn a_slow_link_is_as_slow_as_it_was_asked_to_be() {
    let folder = tempfile::tempdir().unwrap();
    let photo = file(folder.path(), "SAM_0001.JPG", &vec![7; 50_000]);
    let (server, received) = serve(gateway(Admission::Anyone));
    let began = Instant::now();
    let output = simulate(&server, &["--rate", "100kB/s"], &[&photo]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(began.elapsed() >= Duration::from_millis(500), "{:?}", began.elapsed());
    assert_eq!(received.lock().unwrap()[2].body, vec![7; 50_000]);
}

#[test]
fn a_breaking_link_breaks_at_the_byte_it_was_asked_to_in_what_carries_files() {
    let folder = tempfile::tempdir().unwrap();
    let photo = file(folder.path(), "SAM_0001.JPG", &vec![7; 50_000]);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let server = format!("http://{}", listener.local_addr().unwrap());
    let counting = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        listener.accept().unwrap().0.read_to_end(&mut bytes).unwrap();
        bytes.len()
    });
    let output = simulate(&server, &["--email", "a@b", "--cut-at", "20kB"], &[&photo]);
    assert_eq!(counting.join().unwrap(), 20_000);
    assert_eq!(output.status.code(), Some(1));
    let told = "e-mail: cut off after 20000 bytes, as --cut-at says";
    assert!(said(&output).contains(told), "{}", said(&output));

    // Login and announce, which are longer than this, get through; so does a file that is shorter.
    let (server, received) = serve(gateway(Admission::Anyone));
    let small = file(folder.path(), "SAM_0002.JPG", b"one");
    let output = simulate(&server, &["--cut-at", "400"], &[&small]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains("note: --cut-at cut nothing: SAM_0002.JPG: upload has "));
    let longest = received.lock().unwrap().iter().map(|request| request.bytes.len()).max();
    assert!(longest > Some(400));
}

#[test]
fn many_posts_by_many_cameras_are_summed_up_in_a_table() {
    let folder = tempfile::tempdir().unwrap();
    let photo = file(folder.path(), "SAM_0001.JPG", &vec![7; 10_000]);
    let data = folder.path().join("data");
    with_real_server(&data, |server| {
        let arguments = ["--hotspot", "--repeat", "12", "--parallel", "4"];
        let output = simulate(server, &arguments, &[&photo]);
        let told = said(&output);
        assert_eq!(output.status.code(), Some(0), "{told}");
        let rows: Vec<Vec<&str>> =
            told.lines().map(|line| line.split_whitespace().collect()).collect();
        let steps = ["hotspot", "login", "announce", "upload", "logout"];
        for (row, step) in rows[1..6].iter().zip(steps) {
            assert_eq!(row[..3], [step, "12", "0"], "{told}");
            let times: Vec<f64> = [3, 5, 7].map(|at| row[at].parse().unwrap()).into();
            assert!(times.is_sorted() && times[0] > 0.0, "{told}");
        }
        assert!(told.contains("12 of 12 posts whole, by 4 cameras in "), "{told}");
        assert!(!told.contains("failed:") && !told.contains("the server says"), "{told}");

        let output = simulate(server, &["--email", "a@b", "--parallel", "3"], &[&photo]);
        let told = said(&output);
        assert!(told.contains("3 of 3 posts whole"), "each sends once: {told}");
    });
    assert_eq!(kept(&data, "camera@example.com"), [vec![7; 10_000]], "once by content");
}

#[test]
fn failures_are_counted_by_kind_and_do_not_end_the_load() {
    let folder = tempfile::tempdir().unwrap();
    let photo = file(folder.path(), "SAM_0001.JPG", b"one");
    let mut right = gateway(Admission::Anyone);
    let mut uploads = 0;
    let (server, _) = serve(move |request| match request.endpoint() {
        Endpoint::Upload { .. } => {
            uploads += 1;
            match uploads % 3 {
                0 => Refusal::Busy.to_answer().to_bytes(super::DATE),
                1 => Vec::new(),
                _ => right(request),
            }
        }
        _ => right(request),
    });
    let output = simulate(&server, &["--repeat", "9"], &[&photo]);
    let told = said(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("3 of 9 posts whole, by 1 camera in "), "{told}");
    let first = "SAM_0001.JPG: upload: refused: 503 (too busy, try again)";
    assert!(told.contains(&format!("3 failed: refused with 503; the first: {first}")), "{told}");
    assert!(told.contains("3 failed: broken off; the first: SAM_0001.JPG: upload: "), "{told}");
    let upload = told.lines().find(|line| line.starts_with("upload")).unwrap();
    let upload: Vec<&str> = upload.split_whitespace().collect();
    assert_eq!(upload[1..3], ["9", "6"], "{told}");

    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let output = simulate(&format!("http://{free}"), &["--repeat", "3"], &[&photo]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("3 failed: no connection; "), "{}", said(&output));
}

#[test]
fn a_cut_behind_the_end_of_everything_is_told_beside_the_table() {
    let folder = tempfile::tempdir().unwrap();
    let photo = file(folder.path(), "SAM_0001.JPG", &vec![7; 5_000]);
    for (at, code, noted) in [("1MiB", 0, true), ("2000", 1, false)] {
        let data = tempfile::tempdir().unwrap();
        with_real_server(data.path(), |server| {
            let output = simulate(server, &["--cut-at", at, "--repeat", "2"], &[&photo]);
            assert_eq!(output.status.code(), Some(code), "{}", said(&output));
            let note = "note: --cut-at cut nothing";
            assert_eq!(said(&output).contains(note), noted, "{}", said(&output));
        });
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_load_with_its_table() {
    let folder = tempfile::tempdir().unwrap();
    let photo = file(folder.path(), "SAM_0001.JPG", b"one");
    let mut right = gateway(Admission::Anyone);
    let (told, logins) = std::sync::mpsc::channel();
    let mut count = 0;
    let (server, _) = serve_by(move |request, stream| {
        // Two posts are whole; the third login is never answered.
        let login = matches!(request.endpoint(), Endpoint::Auth(_))
            && request.text().contains("Method=\"login\"");
        if login {
            count += 1;
            told.send(count).unwrap();
        }
        if login && count == 3 {
            assert_eq!(stream.read(&mut [0]).unwrap_or(0), 0, "until the camera is gone");
            return;
        }
        stream.write_all(&right(request)).unwrap();
    });
    let mut command = Command::new(env!("CARGO_BIN_EXE_sns-cli"));
    command.args(["simulate", "--server", &server, "--repeat", "1000"]).arg(&photo);
    let camera = command.stdout(Stdio::piped()).spawn().unwrap();
    while logins.recv().unwrap() < 3 {}
    let began = Instant::now();
    let killed = Command::new("kill").args(["-INT", &camera.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let output = camera.wait_with_output().unwrap();
    assert!(began.elapsed() < Duration::from_secs(5), "at once: {:?}", began.elapsed());
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("\nlogin "), "{}", said(&output));
    assert!(said(&output).contains("2 of 1000 posts whole"), "{}", said(&output));
    let told = "interrupted by Ctrl-C when 2 of 1000 had ended";
    assert!(said(&output).contains(told), "{}", said(&output));
}

#[test]
fn alt_texts_go_with_every_photo_of_the_post_and_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let photos =
        [file(folder.path(), "SAM_0001.JPG", b"one"), file(folder.path(), "SAM_0002.JPG", b"two")];
    let (server, received) = serve(gateway(Admission::Anyone));
    let text = "At the lake~a boat~a duck";
    let output = simulate(&server, &["--text", text], &[&photos[0], &photos[1]]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(!said(&output).contains("alt texts"), "{}", said(&output));
    for request in [1, 3].map(|at| received.lock().unwrap()[at].clone()) {
        let announce = Announce::read_photo(&Document::read(request.text())).unwrap();
        assert_eq!(Caption::read(&announce.content).alt_texts, ["a boat", "a duck"]);
    }
    let output = simulate(&server, &["--text", "a~b"], &[&photos[0], &photos[1]]);
    let told = "note: the text holds 1 alt texts, for 2 files";
    assert!(said(&output).contains(told), "{}", said(&output));
}
