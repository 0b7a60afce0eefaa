//! Against a receiver on a real socket that verifies with others' code: hyper reads the request,
//! multer the body, standardwebhooks the signatures.

mod receiver;

use super::*;
use crate::destination::{FaultKind, PostFile};
use receiver::{Receiver, SECRET, Turn};
use samsung_sns::time::UnixTime;
use sha2::Digest;
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use tempfile::TempDir;

fn webhook(toml: &str) -> Webhook {
    Webhook::new(toml::from_str(toml).unwrap()).unwrap()
}

fn post(folder: &TempDir, files: &[(&str, &[u8])]) -> Post {
    let file = |(at, (name, content)): (usize, &(&str, &[u8]))| {
        let path = folder.path().join(at.to_string());
        std::fs::write(&path, content).unwrap();
        PostFile {
            path,
            name: (*name).to_owned(),
            media_type: "image/jpeg".to_owned(),
            length: content.len() as u64,
            sha256: Sha256::digest(content).into(),
            alt_text: format!("alt {at}"),
        }
    };
    Post {
        id: "0193a1b2-0000-4000-8000-000000000001".to_owned(),
        received_at: UnixTime::from_millis(1_700_000_000_123),
        user: "me@example.com".to_owned(),
        channel: "email".to_owned(),
        sender: Some("Me <me@example.com>".to_owned()),
        recipients: vec!["a@example.com".to_owned()],
        title: Some("Sea \"1\"\r\n--x".to_owned()),
        typed: "Sea~alt 0".to_owned(),
        text: "Sea".to_owned(),
        camera: Some("SAMSUNG NX300".to_owned()),
        files: files.iter().enumerate().map(file).collect(),
    }
}

/// A picture, and a text that is no picture but lets the whole body be verified as text.
fn photo() -> Vec<u8> {
    std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata/photo.jpg")).unwrap()
}

async fn deliver(webhook: &Webhook, post: &Post) -> Result<String, Fault> {
    let keep = Arc::new(|_: &str, _: &str| Ok(()));
    webhook.deliver(post, &mut Progress::new(BTreeMap::new(), keep)).await
}

const TRANSIENT: FaultKind = FaultKind::Transient { retry_after: None };

#[tokio::test]
async fn a_post_arrives_whole_and_signed() {
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::start(&[]).await;
    let big = vec![7; 300_000];
    let name = "../a\"b\r\nX: y\u{e9}.jpg";
    let post = post(&folder, &[(name, &photo()), ("", b""), ("big.mp4", &big)]);
    let place = receiver.url.strip_suffix("/hook/t0ken").unwrap();
    let said = deliver(&receiver.webhook(), &post).await.unwrap();
    assert_eq!(said, format!("{place} took it (204 No Content)"));

    let seen = receiver.seen.lock().unwrap();
    assert_eq!(seen.files["file1"], (Some("a_b__X_ y\u{e9}.jpg".to_owned()), photo()));
    assert_eq!(seen.files["file2"], (Some("photo".to_owned()), vec![]));
    assert_eq!(seen.files["file3"].1, big);
    let json = &seen.json;
    assert_eq!(
        (&json["type"], &json["timestamp"]),
        (&"post".into(), &"2023-11-14T22:13:20.123Z".into())
    );
    let data = &json["data"];
    assert_eq!(data["files"][0]["name"], name);
    assert_eq!(data["files"][2]["alt_text"], "alt 2");
    for (key, value) in [
        ("user", "me@example.com"),
        ("channel", "email"),
        ("sender", "Me <me@example.com>"),
        ("title", "Sea \"1\"\r\n--x"),
        ("text", "Sea"),
        ("typed", "Sea~alt 0"),
        ("camera", "SAMSUNG NX300"),
    ] {
        assert_eq!(data[key], value);
    }
    assert_eq!(data["recipients"], serde_json::json!(["a@example.com"]));
}

#[tokio::test]
async fn both_signatures_are_those_of_the_standard() {
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::start(&[]).await;
    // All of it is text, so that the crate can verify the whole as well.
    deliver(&receiver.webhook(), &post(&folder, &[("a.jpg", b"text")])).await.unwrap();
    deliver(&receiver.webhook(), &post(&folder, &[])).await.unwrap();
    assert_eq!(receiver.taken().len(), 2);
}

#[tokio::test]
async fn each_attempt_has_the_same_id_and_its_own_time() {
    let folder = tempfile::tempdir().unwrap();
    let post = post(&folder, &[]);
    let receiver = Receiver::start(&[Turn::TakeAndCut]).await;
    deliver(&receiver.webhook(), &post).await.unwrap_err();
    let second = || clock::wall().as_millis() / 1000;
    let first = second();
    while second() == first {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    deliver(&receiver.webhook(), &post).await.unwrap();
    assert_eq!(receiver.taken(), [post.id.as_str(); 2]);
    assert_eq!(receiver.seen.lock().unwrap().timestamps.len(), 2);
}

#[tokio::test]
async fn every_form_of_secret_signs() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, format!("{SECRET}\n")).unwrap();
    let receiver = Receiver::start(&[]).await;
    let url = &receiver.url;
    let from_file = webhook(&format!("url = {url:?}\nsecret_file = {file:?}"));
    deliver(&from_file, &post(&folder, &[])).await.unwrap();
    // The receiver's key is 1 to 24 in base64; these bytes are the key itself here.
    let unsigned = webhook(&format!("url = {url:?}"));
    deliver(&unsigned, &post(&folder, &[])).await.unwrap();
    let key = STANDARD.decode(&SECRET[6..]).unwrap();
    let form = post(&folder, &[("a", b"text")]);
    let form = Form::new(&form, &[1; 16]);
    let ours = sign(b"plain text", "id", "1700000000", &form).await.unwrap();
    let theirs = standardwebhooks::Webhook::from_bytes(b"plain text".to_vec()).unwrap();
    let theirs = theirs.sign("id", 1_700_000_000, form.json().as_bytes()).unwrap();
    assert_eq!(ours.split_once(' ').unwrap().1, theirs);
    let text = webhook(&format!("url = {url:?}\nsecret = \"plain text\""));
    assert_eq!(text.key.unwrap().expose_secret(), b"plain text");
    assert_eq!(from_file.key.unwrap().expose_secret(), key);
    assert_eq!(receiver.taken().len(), 2);
}

#[tokio::test]
async fn every_fault_ends_in_exactly_one_post() {
    let folder = tempfile::tempdir().unwrap();
    let big = vec![7; 8 << 20];
    let post = post(&folder, &[("a.jpg", &photo()), ("b.mp4", &big)]);
    let say = |status| Turn::Say(status, &[], "");
    let later = Turn::Say(429, &[("retry-after", "7")], "not so fast");
    let sevenfold = FaultKind::Transient { retry_after: Some(Duration::from_secs(7)) };
    for (name, turn, kind, words, taken) in [
        ("429", later, sevenfold, "429 Too Many Requests: not so fast", 1),
        ("503", say(503), TRANSIENT, "503", 1),
        ("500", say(500), TRANSIENT, "500", 1),
        ("408", say(408), TRANSIENT, "408", 1),
        ("425", say(425), TRANSIENT, "425", 1),
        ("cut at once", Turn::Cut(0), TRANSIENT, "no answer", 1),
        ("cut in mid-body", Turn::Cut(1 << 20), TRANSIENT, "no answer", 1),
        ("reads nothing", Turn::Deaf, TRANSIENT, "no more of the post (timed out)", 1),
        ("says nothing", Turn::Mute, TRANSIENT, "though the post was sent (timed out)", 1),
        // Taken, and the answer lost: taken again, under the same id.
        ("cut after acceptance", Turn::TakeAndCut, TRANSIENT, "no answer", 2),
    ] {
        let silent = matches!(turn, Turn::Deaf | Turn::Mute);
        let receiver = Receiver::start(&[turn]).await;
        let mut webhook = receiver.webhook();
        if silent {
            webhook.silence = Duration::from_millis(500);
        }
        let fault = deliver(&webhook, &post).await.unwrap_err();
        assert_eq!(fault.kind, kind, "{name}: {fault}");
        assert!(fault.message.contains(words), "{name}: {fault}");
        assert!(!fault.message.contains("t0ken"), "{name}: {fault}");
        webhook.silence = http::SILENCE;
        deliver(&webhook, &post).await.unwrap();
        assert_eq!(receiver.taken(), vec![post.id.clone(); taken], "{name}");
    }
}

#[tokio::test]
async fn a_refusal_waits_for_a_person() {
    let folder = tempfile::tempdir().unwrap();
    let post = post(&folder, &[("a.jpg", &photo())]);
    for (status, text, words) in [
        (400, "no such\nalbum", "400 Bad Request: no such\\nalbum"),
        (401, "", "401"),
        (404, "", "404"),
        (410, "", "410 Gone: nobody wants posts there"),
        (422, "", "422"),
    ] {
        let receiver = Receiver::start(&[Turn::Say(status, &[], text)]).await;
        let fault = deliver(&receiver.webhook(), &post).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Permanent, "{fault}");
        assert!(fault.message.contains(words), "{fault}");
        assert!(!fault.message.contains(['\n', '\r']));
        assert_eq!(receiver.taken().len(), 0);
    }
}

#[tokio::test]
async fn redirects_are_told_and_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let post = post(&folder, &[("a.jpg", &photo())]);
    for (status, headers, words) in [
        (
            302,
            &[("location", "https://u:p@other.example/x?key=s3")][..],
            "https://other.example/x;",
        ),
        (308, &[("location", "/elsewhere")], "/elsewhere; redirects are not followed"),
        (
            301,
            &[("location", "https://o.example/hook/t0ken")],
            "https://o.example/… (the same path)",
        ),
        (304, &[], "304"),
    ] {
        let receiver = Receiver::start(&[Turn::Say(status, headers, "")]).await;
        let fault = deliver(&receiver.webhook(), &post).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Permanent, "{fault}");
        assert!(fault.message.contains(words), "{fault}");
        assert!(!fault.message.contains("t0ken") && !fault.message.contains("s3"), "{fault}");
        assert_eq!(receiver.seen.lock().unwrap().methods, ["POST"]);
    }
}

#[tokio::test]
async fn an_upload_may_take_longer_than_a_silence() {
    let folder = tempfile::tempdir().unwrap();
    let big = vec![7; 64 << 20];
    let post = post(&folder, &[("b.mp4", &big)]);
    // What the sockets hold (ten megabytes) is silence to the sender: it must be short beside it.
    let receiver = Receiver::start(&[Turn::Slow(60)]).await;
    let mut webhook = receiver.webhook();
    webhook.silence = Duration::from_millis(1500);
    let began = std::time::Instant::now();
    deliver(&webhook, &post).await.unwrap();
    assert!(began.elapsed() > webhook.silence * 2, "too fast to say anything");
    assert_eq!(receiver.taken().len(), 1);
}

#[tokio::test]
async fn a_photo_that_is_gone_or_cut_waits_for_a_person() {
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::start(&[]).await;
    let post = post(&folder, &[("a.jpg", &photo())]);
    for (unsigned, secret) in [(true, ""), (false, "\nsecret = \"x\"")] {
        let webhook = webhook(&format!("url = {:?}{secret}", receiver.url));
        std::fs::write(&post.files[0].path, &photo()[..100]).unwrap();
        let fault = deliver(&webhook, &post).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Permanent, "{unsigned}");
        assert!(fault.message.contains("is shorter than it was"), "{fault}");
        std::fs::remove_file(&post.files[0].path).unwrap();
        let fault = deliver(&webhook, &post).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Permanent, "{unsigned}");
        let path = post.files[0].path.to_str().unwrap();
        assert!(fault.message.contains(path) && fault.message.contains("No such file"), "{fault}");
    }
    assert_eq!(receiver.taken().len(), 0);
}

#[tokio::test]
async fn a_peer_that_is_not_there_is_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let post = post(&folder, &[]);
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let plain = Receiver::start(&[]).await.url.replace("http://", "https://");
    for url in [&format!("http://{closed}/t0ken"), &plain] {
        let webhook = webhook(&format!("url = {url:?}"));
        for fault in [deliver(&webhook, &post).await, webhook.probe().await] {
            let fault = fault.unwrap_err();
            assert_eq!(fault.kind, TRANSIENT);
            assert!(fault.message.starts_with("no answer: "), "{fault}");
            assert!(!fault.message.contains("t0ken"), "{fault}");
        }
    }
}

#[tokio::test]
async fn probing_posts_nothing() {
    let receiver = Receiver::start(&[]).await;
    let webhook = receiver.webhook();
    let line = webhook.probe().await.unwrap();
    assert!(
        line.ends_with("answers, 405 Method Not Allowed to OPTIONS; posts are signed"),
        "{line}"
    );
    assert!(!line.contains("t0ken") && !format!("{webhook:?}").contains("t0ken"));
    assert_eq!(receiver.seen.lock().unwrap().methods, ["OPTIONS"]);
    let unsigned = self::webhook(&format!("url = {:?}", receiver.url));
    assert!(unsigned.probe().await.unwrap().contains("not signed"));
}

#[test]
fn a_mistake_is_told_and_no_secret_with_it() {
    for (toml, words) in [
        ("url = \"hook\"", "url: relative URL"),
        ("url = \"ftp://a/\"", "ftp:, not with https:"),
        ("url = \"https://\"", "url: "),
        ("url = \"https://a/\"\nsecret = \"\"", "empty"),
        ("url = \"https://a/\"\nsecret = \"whsec_t0ken!\"", "base64"),
        ("url = \"https://a/\"\nsecret = \"whsec_\"", "base64"),
        ("url = \"https://a/\"\nsecret = \"x\"\nsecret_file = \"y\"", "both"),
        ("url = \"https://a/\"\nsecret_file = \"/nowhere\"", "/nowhere"),
    ] {
        let problem = Webhook::new(toml::from_str(toml).unwrap()).unwrap_err();
        assert!(problem.contains(words), "{toml}: {problem}");
        assert!(!problem.contains("t0ken"), "{problem}");
    }
    let keys: Keys = toml::from_str("url = \"https://a/t0ken\"\nsecret = \"t0ken\"").unwrap();
    assert!(!format!("{keys:?}").contains("t0ken"));
    assert!(toml::from_str::<Keys>("url = \"https://a\"\nmethod = \"PUT\"").is_err());
}

#[test]
fn the_example_of_the_guide_is_understood() {
    let guide = include_str!("../../../../docs/guide/commands-and-webhooks.md");
    let example = guide.split("```toml\n").nth(2).unwrap().split("```").next().unwrap();
    let example: toml::Table = toml::from_str(example).unwrap();
    let mut keys = example["destinations"]["hook"].as_table().unwrap().clone();
    assert_eq!(keys.remove("type").unwrap().as_str(), Some("webhook"));
    let keys: Keys = toml::Value::Table(keys).try_into().unwrap();
    assert!(keys.secret_file.is_some() && keys.secret.is_none());
}

/// The receiver of `docs/guide/commands-and-webhooks.md`, which also verifies what the crate cannot:
/// the whole of a body that is no text. CI has Python for its second stage.
#[tokio::test]
async fn the_receiver_of_the_guide_takes_it() {
    let guide = include_str!("../../../../docs/guide/commands-and-webhooks.md");
    let script = guide.split("```python\n").nth(1).unwrap().split("```").next().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("receive.py");
    std::fs::write(&path, script).unwrap();
    let mut python = tokio::process::Command::new("python3");
    python.arg(path).args(["0", SECRET]).arg(folder.path().join("got"));
    python.kill_on_drop(true).stdout(std::process::Stdio::piped());
    let mut python = match python.spawn() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            println!("there is no python3: the receiver of the guide was not tried");
            return;
        }
        python => python.unwrap(),
    };
    let mut lines =
        tokio::io::AsyncBufReadExt::lines(tokio::io::BufReader::new(python.stdout.take().unwrap()));
    let url = lines.next_line().await.unwrap().unwrap();
    let post = post(&folder, &[("SAM_1.JPG", &photo()), ("SAM_1.JPG", &vec![255; 200_000])]);
    let right = webhook(&format!("url = {url:?}\nsecret = {SECRET:?}"));
    for _ in 0..2 {
        deliver(&right, &post).await.unwrap();
    }
    assert_eq!(lines.next_line().await.unwrap().unwrap(), "me@example.com posted Sea");
    let got = folder.path().join("got").join(&post.id);
    assert_eq!(std::fs::read(got.join("file1-SAM_1.JPG")).unwrap(), photo());
    assert_eq!(std::fs::read(got.join("file2-SAM_1.JPG")).unwrap().len(), 200_000);
    for secret in ["whsec_AAAA", "other"] {
        let wrong = webhook(&format!("url = {url:?}\nsecret = {secret:?}"));
        let fault = deliver(&wrong, &post).await.unwrap_err();
        assert!(fault.message.contains("403"), "{fault}");
    }
    // The same post once, although it came twice.
    drop(python.kill().await);
    assert_eq!(lines.next_line().await.unwrap(), None);
}

/// Express says "Cannot POST /hooks/T0KEN" of a path that it does not know.
#[test]
fn a_peer_that_repeats_our_address_does_not_tell_it_to_the_log() {
    let hook = webhook("url = 'http://h.example/hooks/T0KEN?key=S3CRET'");
    let said = hook.without_address("Cannot POST /hooks/T0KEN (key=S3CRET)");
    assert_eq!(said, "Cannot POST \u{2026} (\u{2026})");
    let said = webhook("url = 'http://h.example/'").without_address("a / b");
    assert_eq!(said, "a / b");
}
