//! Every answer, byte for byte, against `testdata/answers/`. A mismatch leaves `*.failed` beside.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)] // a test helps itself, and reads files

use samsung_sns::answer::{Answer, MAX_ANSWER, Refusal};
use samsung_sns::camera::is_online;
use samsung_sns::endpoint::HotspotCheck;
use samsung_sns::hotspot::HotspotMemory;
use samsung_sns::message::auth::{LoginAnswer, SCREEN_NAME};
use samsung_sns::message::media::{AnnounceAnswer, MAX_RESOURCE_NAME, resource_name};
use samsung_sns::message::sso::time_answer;
use samsung_sns::time::UnixTime;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

const DATE: &str = "Sat, 21 Nov 2026 23:00:00 GMT";

fn answers() -> Vec<(&'static str, Answer)> {
    let session_key = "0123456789abcdef0123456789abcdef";
    let client = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let now = UnixTime::from_millis(1_795_302_000_123);
    let mut memory = HotspotMemory::default();
    let mut check = |check| memory.answer(check, client, now);
    vec![
        (
            "login",
            LoginAnswer { session_key: session_key.into(), screen_name: SCREEN_NAME.into() }
                .to_answer(),
        ),
        ("announce", AnnounceAnswer::new(session_key, "SAM_0001.JPG").to_answer()),
        ("success", Answer::success()),
        ("hotspot-gld", check(HotspotCheck::Gld)),
        ("hotspot-msn", check(HotspotCheck::Msn)),
        ("hotspot-yahoo-first", check(HotspotCheck::Yahoo)),
        ("hotspot-yahoo-second", check(HotspotCheck::Yahoo)),
        ("time", time_answer(now)),
        ("email-page", Answer::redirect("/")),
        ("refused-not-understood", Refusal::NotUnderstood("the body is empty".into()).to_answer()),
        ("refused-no-route", Refusal::NoRoute.to_answer()),
        ("refused-alt-texts-missing", Refusal::AltTextsMissing.to_answer()),
        ("refused-not-admitted", Refusal::NotAdmitted.to_answer()),
        ("refused-wrong-password", Refusal::WrongPassword.to_answer()),
        ("refused-no-session", Refusal::NoSession.to_answer()),
        ("refused-oauth-site", Refusal::OAuthSite.to_answer()),
        ("refused-unknown-path", Refusal::UnknownPath.to_answer()),
        ("refused-too-large", Refusal::TooLarge("limits.upload").to_answer()),
        ("refused-busy", Refusal::Busy.to_answer()),
        ("refused-no-space", Refusal::NoSpace.to_answer()),
    ]
}

fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../testdata/answers/{name}.http"))
}

#[test]
fn answers_are_these_bytes() {
    let mut wrong = Vec::new();
    for (name, answer) in answers() {
        // The version of this crate is not part of the golden.
        let server = concat!("samsung-sns/", env!("CARGO_PKG_VERSION"));
        let bytes = answer.to_bytes(DATE);
        let text = String::from_utf8(bytes).unwrap().replace(server, "samsung-sns/VERSION");
        if std::fs::read(golden(name)).ok().as_deref() != Some(text.as_bytes()) {
            std::fs::write(golden(name).with_extension("http.failed"), &text).unwrap();
            wrong.push(name);
        }
    }
    assert!(wrong.is_empty(), "see testdata/answers/*.failed: {wrong:?}");
}

#[test]
fn every_golden_has_its_answer() {
    let files: BTreeSet<String> = std::fs::read_dir(golden("x").parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".http").map(str::to_owned))
        .collect();
    let names: BTreeSet<String> = answers().into_iter().map(|(name, _)| name.to_owned()).collect();
    assert_eq!(files, names);
}

#[test]
fn every_answer_fits_one_segment_and_closes() {
    let longest = AnnounceAnswer::new(&"a".repeat(32), &resource_name(&"x".repeat(500)));
    assert!(longest.resource_id.len() <= 7 + 32 + 1 + MAX_RESOURCE_NAME);
    let long = Refusal::NotUnderstood("x".repeat(5000)).to_answer();
    let all = answers().into_iter().chain([("", longest.to_answer()), ("", long)]);
    for (name, answer) in all {
        let bytes = answer.to_bytes(DATE);
        assert!(bytes.len() < MAX_ANSWER && bytes.is_ascii(), "{name}: {}", bytes.len());
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.contains("\r\nConnection: close\r\n\r\n"), "{name}");
    }
}

#[test]
fn the_firmware_believes_every_hotspot_answer() {
    let all = answers();
    let bytes = |wanted| {
        all.iter().find(|(name, _)| *name == wanted).map(|(_, a)| a.to_bytes(DATE)).unwrap()
    };
    assert!(is_online(HotspotCheck::Gld, &bytes("hotspot-gld")));
    assert!(is_online(HotspotCheck::Msn, &bytes("hotspot-msn")));
    assert!(is_online(HotspotCheck::Yahoo, &bytes("hotspot-yahoo-first")));
    assert!(is_online(HotspotCheck::Yahoo, &bytes("hotspot-yahoo-second")));
    let text = String::from_utf8(bytes("hotspot-yahoo-second")).unwrap();
    let https = text.replace("http://yahoo.com", "https://www.yahoo.com");
    assert!(!is_online(HotspotCheck::Yahoo, https.as_bytes()), "offset 12 is too far");
    let no_dot =
        String::from_utf8(bytes("hotspot-yahoo-first")).unwrap().replace("=.yahoo", "=yahoo");
    assert!(!is_online(HotspotCheck::Yahoo, no_dot.as_bytes()), "the leading dot is needed");
}
