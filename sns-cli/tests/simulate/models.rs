//! What single models do otherwise, and what they refuse to do.

use super::{file, gateway, said, serve, simulate};
use crate::pretend::Received;
use samsung_sns::admission::Admission;
use samsung_sns::answer::{Answer, Status};
use samsung_sns::camera;
use samsung_sns::endpoint::{Endpoint, HotspotCheck, Site};
use samsung_sns::message::auth::AuthRequest;
use samsung_sns::quirk::Quirks;
use samsung_sns::wire::xml::Document;
use std::path::Path;

#[test]
fn each_model_makes_its_own_hotspot_check_first() {
    let folder = tempfile::tempdir().unwrap();
    let photo = file(folder.path(), "SAM_0001.JPG", b"one");
    for (model, check, told) in [
        (&[][..], HotspotCheck::Gld, "hotspot check gld: online"),
        (&["--model", "NX mini"], HotspotCheck::Gld, "as the NX mini: its hotspot check is known"),
        (&["--model", "WB37F"], HotspotCheck::Msn, "hotspot check MSN: online"),
        (&["--model", "st200f"], HotspotCheck::Yahoo, "hotspot check Yahoo: online"),
        (&["--model", "WB150F"], HotspotCheck::Gld, "(the NX300's; its own is not known): online"),
    ] {
        let (server, received) = serve(gateway(Admission::Anyone));
        let output = simulate(&server, &[model, &["--hotspot"]].concat(), &[&photo]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        assert!(said(&output).contains(told), "{told:?} is not in {}", said(&output));
        let received = received.lock().unwrap();
        let name = match check {
            HotspotCheck::Gld => "gld",
            HotspotCheck::Yahoo => "yahoo",
            HotspotCheck::Msn => "msn",
        };
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata/reconstructed/hotspot");
        let written = std::fs::read(format!("{folder}/{name}.http")).unwrap();
        assert_eq!(received[0].bytes, written, "{model:?}");
        assert_eq!(received.len(), 5, "check, login, announce, upload, logout");
    }
    // What sends e-mail only needs no recipient for this.
    for model in ["NX500", "NX1"] {
        let (server, received) = serve(gateway(Admission::Anyone));
        let output = simulate(&server, &["--model", model, "--hotspot"], &[]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        assert_eq!(received.lock().unwrap().len(), 1);
    }
    // The Yahoo check is answered by cookie and redirect in turn; both say "online".
    let (server, received) = serve(gateway(Admission::Anyone));
    for _ in 0..2 {
        let output = simulate(&server, &["--model", "EX2F", "--hotspot"], &[]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    }
    assert_eq!(received.lock().unwrap().len(), 2, "without a photo nothing else is sent");
}

#[test]
fn a_camera_that_believes_itself_offline_sends_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let photo = file(folder.path(), "SAM_0001.JPG", b"one");
    let redirect = Answer::redirect("http://www.msn.com").to_bytes(super::DATE);
    let (server, received) = serve(move |_| redirect.clone());
    let output = simulate(&server, &["--model", "WB37F", "--hotspot"], &[&photo]);
    assert_eq!(output.status.code(), Some(1));
    let told = "hotspot check MSN: the camera believes that it is offline, and opens its browser at \
                http://samsungimaging.com: the answer redirects to http://www.msn.com (redirected: ";
    assert!(said(&output).contains(told), "{}", said(&output));
    assert_eq!(received.lock().unwrap().len(), 1);

    // The address alone is enough for an SH100; nobody is asked.
    let output = simulate("http://192.168.0.1:9", &["--model", "SH100"], &[&photo]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("for a login page"), "{}", said(&output));
}

#[test]
fn what_a_model_cannot_do_is_not_tried() {
    let folder = tempfile::tempdir().unwrap();
    let photo = file(folder.path(), "SAM_0001.JPG", b"one");
    let video = file(folder.path(), "SAM_0002.MP4", b"film");
    let cases: [(&[&str], &[&Path], &str); 6] = [
        (&["--model", "NX500"], &[&photo], "the NX500 sends e-mail only: give --email TO"),
        (&["--model", "NX mini", "--site", "facebook"], &[&video], "the NX mini sends photos only"),
        (&["--model", "NX300", "--site", "picasa"], &[&video], "videos to facebook and youtube"),
        (&["--model", "NX300", "--email", "a@b"], &[&photo, &video], "SAM_0002.MP4: the NX300"),
        (&["--model", "NX9000"], &[&photo], "no model of this name is known; these are: NX500"),
        (&["--model", "NX300"], &[], "name at least one PHOTO"),
    ];
    let (server, received) = serve(gateway(Admission::Anyone));
    for (arguments, files, told) in cases {
        let output = simulate(&server, arguments, files);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", said(&output));
        assert!(said(&output).contains(told), "{told:?} is not in {}", said(&output));
    }
    assert_eq!(received.lock().unwrap().len(), 0);
    for arguments in
        [&["--model", "NX300", "--site", "youtube"][..], &["--model", "NX310", "--email", "a@b"]]
    {
        let output = simulate(&server, arguments, &[&photo, &video]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    }
    let announced = |request: &Received| matches!(request.endpoint(), Endpoint::Video(_));
    assert_eq!(received.lock().unwrap().iter().filter(|request| announced(request)).count(), 1);
}

#[test]
fn a_camcorder_sends_its_credentials_in_clear() {
    let folder = tempfile::tempdir().unwrap();
    let photo = file(folder.path(), "SAM_0001.JPG", b"one");
    let (server, received) = serve(gateway(Admission::Anyone));
    let arguments = ["--model", "HMX-QF30", "--user", "me@x", "--password", "p&w"];
    let output = simulate(&server, &arguments, &[&photo]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains("its credentials are in clear"), "{}", said(&output));
    let received = received.lock().unwrap();
    let document = Document::read(received[0].text());
    let AuthRequest::Login(login) = AuthRequest::read(&document, &mut Quirks::default()).unwrap()
    else {
        panic!("{document:?}")
    };
    assert_eq!((login.user.as_str(), login.password.as_str()), ("me@x", "p&w"));
    assert_eq!((login.crypt_session_key, login.camera_crypt_key), (None, None));
}

#[test]
fn a_camera_logs_in_by_oauth_where_it_does_and_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let photo = file(folder.path(), "SAM_0001.JPG", b"one");
    let (server, received) = serve(gateway(Admission::Anyone));
    let output = simulate(&server, &["--model", "NX mini", "--site", "flickr"], &[&photo]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let told = "login: refused: 401 (this site needs OAuth, choose another site)\n\
                not sent, as far as the camera knows: SAM_0001.JPG\n";
    assert!(said(&output).ends_with(told), "{}", said(&output));
    let received = received.lock().unwrap();
    let [login] = received.as_slice() else { panic!("{} requests", received.len()) };
    assert_eq!(login.bytes, camera::oauth_login(&Site::new("flickr")));

    // So does check, which would else test a login that this camera never sends.
    let (server, received) = serve(gateway(Admission::Anyone));
    let port = server.rsplit(':').next().unwrap();
    let arguments = ["check", "127.0.0.1", "--port", port, "--dns", "none", "--user", "me"];
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_sns-cli"));
    command.args(arguments).args(["--model", "NX mini", "--site", "flickr"]).output().unwrap();
    let received = received.lock().unwrap();
    let logins: Vec<_> = received
        .iter()
        .filter(|its| matches!(its.endpoint(), Endpoint::Auth(_)) && !its.body.is_empty())
        .collect();
    assert!(!logins.is_empty() && logins.iter().all(|its| its.text().contains("<OAuth Version=")));
    assert!(!logins.iter().any(|its| its.text().contains("<UserName")));
}

#[test]
fn an_st1000_asks_for_the_time_and_its_providers_and_stops_there() {
    let folder = tempfile::tempdir().unwrap();
    let photo = file(folder.path(), "SAM_0001.JPG", b"one");
    for files in [&[&*photo][..], &[]] {
        let (server, received) = serve(gateway(Admission::Anyone));
        let output = simulate(&server, &["--model", "ST1000"], files);
        // It has done all that it can; what it was to send is not sent.
        assert_eq!(output.status.code(), Some(files.len() as i32), "{}", said(&output));
        assert_eq!(
            said(&output).contains("not sent, as far as the camera knows: SAM_0001.JPG"),
            !files.is_empty()
        );
        assert!(said(&output).contains("here the camera stops"), "{}", said(&output));
        let received = received.lock().unwrap();
        let [time, providers] = received.as_slice() else { panic!("{} requests", received.len()) };
        assert_eq!(time.bytes, camera::time());
        assert_eq!(providers.bytes, camera::service_providers("123456789033"));
    }
    let (server, received) = serve(gateway(Admission::Anyone));
    let output = simulate(&server, &["--model", "ST1000", "--repeat", "3"], &[&photo]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("0 of 3 posts whole"), "{}", said(&output));
    assert!(said(&output).contains("3 failed: comes no further; "), "{}", said(&output));
    assert_eq!(received.lock().unwrap().len(), 6);

    let (server, received) = serve(gateway(Admission::Anyone));
    let output = simulate(&server, &["--model", "ST1000", "--hotspot"], &[]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(received.lock().unwrap().len(), 1, "nothing but the hotspot check");

    let (server, _) = serve(|_| Answer::new(Status::NotFound, "").to_bytes(super::DATE));
    let output = simulate(&server, &["--model", "ST1000"], &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("time: refused: 404"), "{}", said(&output));
}
