//! What goes over a real socket to a real server, and what comes back.

use crate::admin::{ADMIN, ask};
use crate::harness::{Server, answer, between, data, put, status, wait_until};
use std::io::Write;

const SUCCESS: &str = "<Response Status=\"succ\" />";

/// An answer without its date and version, as the golden files have it.
fn undated(answer: &str) -> String {
    let date = between(answer, "\r\nDate: ", "\r\n");
    let version = between(answer, "Server: samsung-sns/", "\r\n");
    answer.replacen(date, "Sat, 21 Nov 2026 23:00:00 GMT", 1).replacen(
        &format!("samsung-sns/{version}"),
        "samsung-sns/VERSION",
        1,
    )
}

fn golden(name: &str) -> String {
    String::from_utf8(data(&format!("answers/{name}.http"))).unwrap()
}

#[test]
fn answers_on_the_wire_are_the_golden_ones() {
    let server = Server::trial();
    for (request, name) in [
        ("GET / HTTP/1.1\r\nHost: gld.samsungosp.com\r\n\r\n", "hotspot-gld"),
        ("GET / HTTP/1.0\r\nHost: GLD.samsungosp.com:80\r\n\r\n", "hotspot-gld"),
        ("GET http://gld.samsungosp.com/ HTTP/1.1\r\n\r\n", "hotspot-gld"),
        ("GET / HTTP/1.1\r\nHost: www.msn.com\r\n\r\n", "hotspot-msn"),
        ("GET / HTTP/1.1\r\nHost: www.msn.com\r\n\r\n", "hotspot-msn"),
        ("GET / HTTP/1.1\r\nHost: www.yahoo.co.kr\r\n\r\n", "hotspot-yahoo-first"),
        ("GET / HTTP/1.1\r\nHost: www.yahoo.co.kr\r\n\r\n", "hotspot-yahoo-second"),
        ("GET /social/columbus/email?DUID=1 HTTP/1.1\r\n\r\n", "email-page"),
        ("GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n", "refused-unknown-path"),
        ("POST /facebook/auth HTTP/1.1\r\nContent-Length: 0\r\n\r\n", "refused-not-understood"),
    ] {
        assert_eq!(undated(&server.exchange(request.as_bytes())), golden(name), "{request:?}");
    }
    let login = server.exchange(&data("reconstructed/nx300/login-facebook.http"));
    let key = between(&login, "SessionKey=\"", "\"");
    let login = undated(&login).replace(key, "0123456789abcdef0123456789abcdef");
    assert_eq!(login, golden("login"));
}

#[test]
fn a_head_request_gets_the_head_alone() {
    let server = Server::trial();
    let answer = server.exchange(b"HEAD / HTTP/1.1\r\nHost: www.msn.com\r\n\r\n");
    assert!(answer.contains("Content-Length: 3\r\n") && answer.ends_with("\r\n\r\n"), "{answer}");
}

#[test]
fn odd_heads_are_understood_whole_and_byte_by_byte() {
    let server = Server::trial();
    let body = String::from_utf8(data("captured/nx300/login-facebook.xml")).unwrap();
    let length = body.len();
    for head in [
        format!(
            "POST http://snsgw.samsungmobile.com/facebook/auth HTTP/1.1\r\nContent-Length: {length}\r\n\r\n"
        ),
        format!("POST /facebook/auth  HTTP/1.0\r\nContent-Length: {length}\r\n\r\n"),
        format!("post /facebook/auth/ HTTP/1.1\r\ncontent-length:{length}\r\n\r\n"),
        format!("POST facebook/auth HTTP/1.1\nContent-Length: {length}\n\n"),
        format!(
            "\r\nPOST /facebook/auth HTTP/1.1\r\nUser-Agent: a\r\nUser-Agent: b\r\nX: folded\r\n\tvalue\r\nContent-Length: {length}\r\n\r\n"
        ),
        format!(
            "POST //facebook//auth HTTP/1.9\r\nno header at all\r\nContent-Length: {length}, {length}\r\n\r\n"
        ),
    ] {
        let request = head.clone() + &body;
        for piece in [1, 100, usize::MAX] {
            let answer = server.exchange_in_pieces(request.as_bytes(), piece);
            assert!(answer.contains("<Response SessionKey=\""), "{head:?} by {piece}: {answer}");
        }
    }
}

#[test]
fn heads_that_mean_nothing_are_refused_with_error_xml() {
    let server = Server::trial();
    for (head, wanted) in [
        ("hello\r\n\r\n".to_owned(), "400"),
        ("\x16\x03\x01\x02\0\x01\0".to_owned(), "400"),
        ("PUT /upload/a/b HTTP/1.1\r\nContent-Length: x\r\n\r\n".to_owned(), "400"),
        ("PUT /upload/a/b HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), "400"),
        (format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(200)), "400"),
        (format!("GET / HTTP/1.1\r\nA: {}\r\n\r\n", "x".repeat(70_000)), "413"),
        (format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(5_000)), "404"),
        (format!("GET /{} HTTP/1.1\r\n\r\n", "\"".repeat(60_000)), "400"),
    ] {
        let answer = server.exchange(head.as_bytes());
        assert_eq!(status(&answer), wanted, "{:?}: {answer}", &head[..head.len().min(60)]);
        assert!(answer.contains(&format!("<Response ErrCode=\"{wanted}\" ErrSubCode=\"0\" />")));
    }
}

#[test]
fn an_email_is_kept_however_its_multipart_ends_and_however_it_arrives() {
    for ending in
        ["plain", "crlf", "crlf-crlf", "closed", "closed-crlf", "closed-crlf-text", "dash", "none"]
    {
        for piece in [1, 7, usize::MAX] {
            let server = Server::trial();
            let request = data(&format!("reconstructed/nx300/email-ending-{ending}.http"));
            let answer = server.exchange_in_pieces(&request, piece);
            assert!(answer.ends_with(SUCCESS), "{ending} by {piece}: {answer}");
            let photos = server.photos();
            let (path, bytes) = photos.first_key_value().expect(ending);
            assert_eq!(path, "Camera@samsungcamera.com/SAM_4371.JPG");
            assert!(bytes.starts_with(b"\xff\xd8") && bytes.ends_with(b"\xff\xd9"), "{ending}");
            assert_eq!(photos.len(), 1);
        }
    }
}

#[test]
fn three_photos_and_boundary_look_alikes_arrive_byte_for_byte() {
    let server = Server::trial();
    let single = server.exchange(&data("reconstructed/nx300/email-ending-plain.http"));
    assert!(single.ends_with(SUCCESS));
    let jpeg = server.photos().into_values().next().unwrap();
    let answer = server.exchange(&data("reconstructed/nx300/email-three-photos.http"));
    assert!(answer.ends_with(SUCCESS), "{answer}");
    let photos = server.photos();
    // The first of the three is the photo that is there already: kept once.
    let names: Vec<_> = photos.keys().map(|path| path.rsplit('/').next().unwrap()).collect();
    assert_eq!(names, ["SAM_0001.JPG", "SAM_0002.JPG", "SAM_4371.JPG"]);
    assert_eq!(photos["Camera@samsungcamera.com/SAM_0002.JPG"], [&jpeg[..], b"\r\n"].concat());

    let request = data("malformed/email-boundary-look-alikes.http");
    assert!(server.exchange(&request).ends_with(SUCCESS));
    let kept = &server.photos()["Camera@samsungcamera.com/SAM_4371-2.JPG"];
    assert!(kept.starts_with(&jpeg) && kept.ends_with(&jpeg) && kept.len() > 600, "{}", kept.len());
}

#[test]
fn an_email_that_is_not_whole_or_not_one_leaves_nothing() {
    let server = Server::trial();
    let whole = data("reconstructed/nx300/email-ending-plain.http");
    for cut in [whole.len() - 1, whole.len() - 100, whole.len() - 300] {
        assert_eq!(status(&server.break_off(&whole[..cut])), "400", "cut at {cut}");
    }
    for name in ["wrong-boundary", "no-sender"] {
        assert_eq!(status(&server.exchange(&data(&format!("malformed/email-{name}.http")))), "400");
    }
    assert!(server.photos().is_empty());
}

#[test]
fn a_photo_is_announced_brought_and_kept_under_its_own_name() {
    let server = Server::trial();
    let session = server.login();
    let body = format!(
        "<Request SessionKey=\"{session}\"><Photo><Album Name=\"NX300\"/>\
         <File Name=\"My photo.JPG\"/><Content>hello</Content></Photo></Request>"
    );
    let announce =
        format!("POST /facebook/photo/ HTTP/1.1\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let answer = server.exchange(announce.as_bytes());
    assert_eq!(between(&answer, "HostAddr=\"", "\""), "snsgw.samsungmobile.com:80");
    let resource = between(&answer, "ResourceID=\"", "\"");
    assert_eq!(resource, format!("upload/{session}/My_photo.JPG"));
    for method in ["PUT", "POST"] {
        let upload = format!("{method} /{resource} HTTP/1.1\r\nContent-Length: 5\r\n\r\nphoto");
        assert!(server.exchange(upload.as_bytes()).ends_with(SUCCESS));
    }
    assert_eq!(server.photos(), [("f/My photo.JPG".to_owned(), b"photo".to_vec())].into());
}

#[test]
fn same_names_keep_both_and_same_bytes_keep_one() {
    let server = Server::trial();
    let session = server.login();
    for (name, bytes) in
        [("A.JPG", b"one"), ("A.JPG", b"two"), ("A.JPG", b"one"), ("B.JPG", b"two")]
    {
        assert!(server.exchange(&put(&session, name, bytes)).ends_with(SUCCESS));
    }
    let photos = server.photos();
    assert_eq!(photos.keys().collect::<Vec<_>>(), ["f/A-2.JPG", "f/A.JPG"]);
}

#[test]
fn hostile_names_stay_in_the_folder_and_keep_their_bytes() {
    let server = Server::trial();
    let session = server.login();
    let names = [
        "../../../../tmp/evil.jpg".to_owned(),
        "..%2f..%2f..%2fevil.jpg".to_owned(),
        "..".to_owned(),
        ".".to_owned(),
        "%2e%2e%5cevil.jpg".to_owned(),
        "a%00b.jpg".to_owned(),
        "a%0ab.jpg".to_owned(),
        "%ff%fe.jpg".to_owned(),
        ".hidden".to_owned(),
        "x".repeat(3000),
        "a b\"<>.jpg".to_owned(),
    ];
    for (n, name) in names.iter().enumerate() {
        let answer = server.exchange(&put(&session, name, format!("photo {n}").as_bytes()));
        assert!(answer.ends_with(SUCCESS), "{name:?}: {answer}");
    }
    let photos = server.photos();
    assert_eq!(photos.len(), names.len(), "{:?}", photos.keys());
    assert!(photos.keys().all(|path| path.starts_with("f/") && path.matches('/').count() == 1));
    let top: Vec<_> = std::fs::read_dir(server.folder.path()).unwrap().collect();
    assert_eq!(top.len(), 1, "nothing beside the data folder: {top:?}");
}

#[test]
fn an_upload_that_breaks_off_leaves_nothing_and_hears_no_success() {
    let server = Server::trial();
    let session = server.login();
    let whole = put(&session, "A.JPG", &[7; 300_000]);
    for cut in [whole.len() - 1, 200_000, 150] {
        let answer = server.break_off(&whole[..cut]);
        assert!(!answer.contains("succ"), "{answer}");
    }
    assert!(server.photos().is_empty());
    let incoming = server.folder.path().join("data/incoming");
    assert_eq!(std::fs::read_dir(incoming).unwrap().count(), 0);
    let empty = server.exchange(&put(&session, "A.JPG", b""));
    assert_eq!(status(&empty), "400", "{empty}");
}

#[test]
fn a_refusal_waits_until_the_camera_has_sent_everything() {
    let server = Server::trial();
    let mut stream = server.connect();
    // Far more than fits the socket buffers: a server that answers early breaks this write.
    let request = put(&"0".repeat(32), "A.JPG", &vec![7; 20_000_000]);
    stream.write_all(&request).unwrap();
    let answer = answer(&mut stream);
    assert_eq!(undated(&answer), golden("refused-no-session"));
}

/// Bytes that nobody reads turn a close into a reset, which takes the answer with it where the
/// camera has not read it yet.
#[test]
fn bytes_beyond_the_declared_length_do_not_reset_the_connection() {
    let server = Server::trial();
    let session = server.login();
    let mut stream = server.connect();
    stream.write_all(&put(&session, "A.JPG", b"photo")).unwrap();
    assert!(answer(&mut stream).ends_with(SUCCESS), "answered and half closed at once");
    for _ in 0..3 {
        std::thread::sleep(std::time::Duration::from_millis(50));
        stream.write_all(b"\r\n").unwrap();
    }
    assert!(stream.take_error().unwrap().is_none());
}

#[test]
fn over_a_limit_is_413_and_nothing_is_kept() {
    let server =
        Server::start(Some("trial = true\n[limits]\nupload = \"100 KiB\"\nemail = \"500 B\"\n"));
    let session = server.login();
    let answer = server.exchange(&put(&session, "A.JPG", &[7; 102_401]));
    assert_eq!(undated(&answer), golden("refused-too-large"));
    assert_eq!(status(&server.exchange(&put(&session, "A.JPG", &[7; 102_400]))), "200");
    let email = server.exchange(&data("reconstructed/nx300/email-ending-plain.http"));
    assert_eq!(status(&email), "413");
    // Chunks say no length beforehand.
    let chunk = format!("{:x}\r\n{}\r\n", 60_000, "x".repeat(60_000));
    let chunked = format!(
        "PUT /upload/{session}/B.JPG HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}{chunk}0\r\n\r\n"
    );
    assert_eq!(status(&server.exchange(chunked.as_bytes())), "413");
    assert_eq!(server.photos().len(), 1);
}

/// The limit of the guide that is no key.
#[test]
fn the_words_of_an_email_are_limited() {
    let server = Server::trial();
    let email = |words: usize| {
        let xml = format!(
            "<email><sender>a@b.c</sender><receiverList><receiver>d@e.f</receiver></receiverList>\
             <title>t</title><body>{}</body></email>",
            "x".repeat(words)
        );
        let body = format!(
            "--B\r\nContent-Disposition: form-data; name=\"message\"\r\n\r\n{xml}\r\n--B--\r\n"
        );
        server.exchange(
            format!(
                "POST /social/columbus/email?DUID=1 HTTP/1.1\r\nContent-Type: multipart/form-data; \
                 boundary=B\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            )
            .as_bytes(),
        )
    };
    let short = email(16_000);
    assert_eq!(status(&short), "200", "{short}");
    assert_eq!(status(&email(16_400)), "413");
}

/// Without making room they would take every place of their address.
#[test]
fn a_thousand_silent_connections_do_not_keep_a_camera_out() {
    let server = Server::trial();
    let silent: Vec<_> = (0..600).map(|_| server.connect()).collect();
    let mut dripping: Vec<_> = (0..400).map(|_| server.connect()).collect();
    dripping.iter_mut().for_each(|stream| stream.write_all(b"PUT /upload/").unwrap());
    let session = server.login();
    assert!(server.exchange(&put(&session, "A.JPG", b"photo")).ends_with(SUCCESS));
    drop((silent, dripping));
}

#[test]
fn more_uploads_than_may_be_at_a_time_are_503() {
    let server = Server::start(Some("trial = true\n[limits]\nuploads_at_a_time = 1\n"));
    let session = server.login();
    let whole = put(&session, "A.JPG", &[7; 100_000]);
    let mut first = server.connect();
    first.write_all(&whole[..50_000]).unwrap();
    server.wait_for_uploads(1);
    let second = server.exchange(&put(&session, "B.JPG", b"photo"));
    assert_eq!(undated(&second), golden("refused-busy"));
    first.write_all(&whole[50_000..]).unwrap();
    assert!(answer(&mut first).ends_with(SUCCESS));
    assert!(server.exchange(&put(&session, "B.JPG", b"photo")).ends_with(SUCCESS));
}

#[test]
fn more_busy_connections_than_may_be_are_503() {
    let limits = format!("{ADMIN}[limits]\nconnections_per_address = 2\n");
    let server = Server::start(Some(&limits));
    let session = server.login();
    // The login's connection has its place for a moment longer than its answer takes.
    let open = || ask(&server, "/metrics").contains("\nsns_connections_open 0\n");
    wait_until("the login is over", open);
    let whole = put(&session, "A.JPG", &[7; 100_000]);
    let mut busy: Vec<_> = (0..2).map(|_| server.connect()).collect();
    busy.iter_mut().for_each(|stream| stream.write_all(&whole[..50_000]).unwrap());
    server.wait_for_uploads(2);
    let third = server.exchange(b"GET / HTTP/1.1\r\n\r\n");
    assert_eq!(undated(&third), golden("refused-busy"));
    for mut stream in busy {
        stream.write_all(&whole[50_000..]).unwrap();
        assert!(answer(&mut stream).ends_with(SUCCESS));
    }
    assert_eq!(status(&server.exchange(b"GET / HTTP/1.1\r\n\r\n")), "200");
}

#[test]
fn with_too_little_space_left_it_is_507_and_what_is_kept_stays() {
    let server = Server::start(Some("trial = true\n[limits]\nfree_space = \"1 PiB\"\n"));
    let session = server.login();
    let answer = server.exchange(&put(&session, "A.JPG", b"photo"));
    assert_eq!(undated(&answer), golden("refused-no-space"));
    let email = server.exchange(&data("reconstructed/nx300/email-ending-plain.http"));
    assert_eq!(undated(&email), golden("refused-no-space"));
    server.log_with("limits.free_space");
}

#[test]
fn one_upload_can_be_followed_through_the_log() {
    let server = Server::trial();
    let session = server.login();
    server.exchange(&put(&session, "A.JPG", b"no picture"));
    server.exchange(&put(&session, "B.JPG", b"\xff\xd8\xff\xe0 picture"));
    let log = server.log_with("image/jpeg");
    let number = |words| {
        let line = log.lines().find(|line| line.contains(words)).unwrap();
        between(line, "request{number=", "}").to_owned()
    };
    assert_eq!(number("neither picture nor video"), "2", "{log}");
    assert_eq!(number("image/jpeg"), "3", "{log}");
}

#[test]
fn only_users_are_let_in_and_nothing_of_others_is_kept() {
    let server = Server::start(Some("[users.\"F\"]\n[users.\"camera@SAMSUNGCAMERA.com\"]\n"));
    let session = server.login();
    assert!(server.exchange(&put(&session, "A.JPG", b"photo")).ends_with(SUCCESS));
    let email = data("reconstructed/nx300/email-ending-plain.http");
    assert!(server.exchange(&email).ends_with(SUCCESS));
    let photos = server.photos();
    assert_eq!(
        photos.keys().collect::<Vec<_>>(),
        ["F/A.JPG", "camera@SAMSUNGCAMERA.com/SAM_4371.JPG"]
    );

    let server = Server::start(Some("[users.\"somebody@else\"]\n"));
    let login = server.exchange(&data("reconstructed/nx300/login-facebook.http"));
    assert_eq!(undated(&login), golden("refused-not-admitted"));
    assert_eq!(undated(&server.exchange(&email)), golden("refused-not-admitted"));
    assert!(server.photos().is_empty());
}

#[test]
fn no_secret_reaches_the_log() {
    let server = Server::trial();
    let session = server.login();
    server.exchange(&put(&session, "A.JPG", b"photo"));
    server.exchange(&put(&"f".repeat(32), "A.JPG", b"photo"));
    server.exchange(format!("PUT /upload/{session} HTTP/1.1\r\n\r\n").as_bytes());
    server.exchange(format!("PUT /upload/{session}/x\r\n\r\n").as_bytes());
    let login = data("malformed/login-bad-base64.xml");
    let head = format!("POST /facebook/auth HTTP/1.1\r\nContent-Length: {}\r\n\r\n", login.len());
    assert_eq!(status(&server.exchange(&[head.as_bytes(), &login].concat())), "400");
    server.exchange(
        b"GET /social/columbus/serviceproviders/list HTTP/1.1\r\nAuthorization: hush\r\n\r\n",
    );
    let log = server.log_with("service providers");
    assert!(log.contains("auth facebook") && log.contains("refused"), "{log}");
    for secret in [session.as_str(), "hush", "7xKPwb19", "/////xAA"] {
        assert!(!log.contains(secret), "{secret:?} in {log}");
    }
}
