//! An S3 server written by others: s3s, which keeps objects as files.

use crate::gate::{Gate, Mischief, is};
use crate::posts::{Kept, photo, social};
use crate::{files, store};
use sns_server::destination::store::Store;
use sns_server::destination::{FaultKind, Post};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

pub(crate) struct Peer {
    gate: Gate,
    folder: tempfile::TempDir,
}

impl Peer {
    pub(crate) async fn new() -> Peer {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("s3/photos")).unwrap();
        let objects = s3s_fs::FileSystem::new(folder.path().join("s3")).unwrap();
        let mut service = s3s::service::S3ServiceBuilder::new(objects);
        service.set_auth(s3s::auth::SimpleAuth::from_single("me", "opensesame"));
        let service = service.build();
        let gate = Gate::before(move |request| hyper::service::Service::call(&service, request));
        Peer { gate: gate.await, folder }
    }

    fn keys(&self, more: &str) -> String {
        format!(
            "template = \"{{user}}/{{file}}\"\n{more}\ns3 = {{ bucket = \"photos\", \
             endpoint = \"http://{}\", access_key = \"me\", secret_key = \"opensesame\" }}",
            self.gate.address
        )
    }

    pub(crate) fn store(&self) -> Store {
        store(&self.keys("")).unwrap()
    }

    fn post(&self, files: &[(&str, &[u8])]) -> Post {
        social(self.folder.path(), files)
    }

    /// The objects, without what the server keeps of its own.
    fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        let mut objects = files(&self.folder.path().join("s3"));
        objects.retain(|name, _| name.starts_with("photos/"));
        objects
    }
}

const FIRST: &str = "photos/me@example.com/a.jpg";
const SECOND: &str = "photos/me@example.com/a-2.jpg";

#[tokio::test]
async fn a_photo_arrives_once_whatever_is_lost_of_our_memory() {
    let peer = Peer::new().await;
    let store = store(&peer.keys("sidecar = true")).unwrap();
    let post = peer.post(&[("SAM \u{c0ac}\u{c9c4}.JPG", &photo())]);
    let said = store.deliver(&post, &mut Kept::default().progress()).await.unwrap();
    assert!(said.starts_with("s3://photos at http://127.0.0.1:"), "{said}");
    assert!(said.ends_with("me@example.com/SAM \u{c0ac}\u{c9c4}.JPG"), "{said}");
    let objects = peer.objects();
    assert_eq!(objects.len(), 2);
    assert_eq!(objects["photos/me@example.com/SAM \u{c0ac}\u{c9c4}.JPG"], photo());
    assert!(objects.contains_key("photos/me@example.com/SAM \u{c0ac}\u{c9c4}.JPG.json"));
    // Killed before anything was noted: the retry finds both and writes nothing.
    store.deliver(&post, &mut Kept::default().progress()).await.unwrap();
    assert_eq!(peer.gate.done("PUT"), 2);
    assert_eq!(peer.objects(), objects);
}

#[tokio::test]
async fn a_video_goes_in_parts() {
    let peer = Peer::new().await;
    let video: Vec<u8> = (0..20 * 1024 * 1024_u32).map(|at| (at / 7 % 251) as u8).collect();
    let post = peer.post(&[("v.mp4", &video)]);
    peer.store().deliver(&post, &mut Kept::default().progress()).await.unwrap();
    assert!(peer.objects()["photos/me@example.com/v.mp4"] == video);
    let parts = peer.gate.seen("PUT");
    assert_eq!(parts.iter().filter(|seen| seen.query.contains("partNumber=")).count(), 3);
    assert_eq!(parts.len(), 3);
    // Its bytes are told by what was noted with them, or by reading them back.
    peer.store().deliver(&post, &mut Kept::default().progress()).await.unwrap();
    assert_eq!(peer.gate.seen("PUT").len(), 3);
}

#[tokio::test]
async fn a_different_object_is_never_overwritten() {
    let peer = Peer::new().await;
    let store = peer.store();
    for bytes in [&b"one"[..], b"two", b"longer"] {
        let mut post = peer.post(&[("a.jpg", bytes)]);
        post.id = format!("{bytes:?}");
        store.deliver(&post, &mut Kept::default().progress()).await.unwrap();
    }
    let objects = peer.objects();
    assert_eq!(objects.len(), 3);
    assert_eq!((&objects[FIRST][..], &objects[SECOND][..]), (&b"one"[..], &b"two"[..]));
}

#[tokio::test]
async fn what_somebody_else_put_there_is_read_to_compare() {
    let peer = Peer::new().await;
    std::fs::create_dir_all(peer.folder.path().join("s3/photos/me@example.com")).unwrap();
    std::fs::write(peer.folder.path().join("s3").join(FIRST), b"one").unwrap();
    let store = peer.store();
    for bytes in [b"one", b"two"] {
        let post = peer.post(&[("a.jpg", bytes)]);
        store.deliver(&post, &mut Kept::default().progress()).await.unwrap();
    }
    assert_eq!(peer.gate.done("PUT"), 1);
    assert_eq!(peer.objects()[SECOND], b"two");
}

#[tokio::test]
async fn what_appears_between_look_and_write_stays() {
    for (video, name) in [(vec![1; 3], "a.jpg"), (vec![1; 9 * 1024 * 1024], "v.mp4")] {
        let peer = Peer::new().await;
        let path = peer.folder.path().join("s3/photos/me@example.com").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, b"theirs").unwrap();
        peer.gate.once(is("HEAD"), Mischief::Answer(404, ("x", "y")));
        let post = peer.post(&[(name, &video)]);
        peer.store().deliver(&post, &mut Kept::default().progress()).await.unwrap();
        let objects = peer.objects();
        assert_eq!(objects.len(), 2, "{:?}", objects.keys());
        assert_eq!(std::fs::read(&path).unwrap(), b"theirs");
    }
}

#[tokio::test]
async fn a_service_without_conditions_is_written_to_all_the_same() {
    let peer = Peer::new().await;
    let when = |request: &hyper::Request<()>| request.headers().contains_key("if-none-match");
    peer.gate.once(when, Mischief::Answer(501, ("x", "y")));
    let post = peer.post(&[("a.jpg", b"one")]);
    peer.store().deliver(&post, &mut Kept::default().progress()).await.unwrap();
    assert_eq!(peer.objects()[FIRST], b"one");
    assert_eq!(peer.gate.seen("PUT").len(), 2);
}

#[tokio::test]
async fn a_key_that_may_only_write_overwrites_nothing() {
    let peer = Peer::new().await;
    for bytes in [b"one", b"two"] {
        let mut post = peer.post(&[("a.jpg", bytes)]);
        post.id = format!("{bytes:?}");
        for _ in 0..2 {
            peer.gate.once(is("HEAD"), Mischief::Answer(403, ("x", "y")));
        }
        peer.store().deliver(&post, &mut Kept::default().progress()).await.unwrap();
    }
    let objects = peer.objects();
    assert_eq!(objects.len(), 2);
    assert_eq!((&objects[FIRST][..], &objects[SECOND][..]), (&b"one"[..], &b"two"[..]));
}

#[tokio::test]
async fn a_clock_that_is_not_set_yet_passes() {
    let peer = Peer::new().await;
    peer.gate.once(is("HEAD"), Mischief::Answer(403, ("x", "y")));
    let body = "<Error><Code>RequestTimeTooSkewed</Code><Message>Off</Message></Error>";
    peer.gate.once(is("PUT"), Mischief::Say(403, body));
    let post = peer.post(&[("a.jpg", b"one")]);
    let fault = peer.store().deliver(&post, &mut Kept::default().progress()).await.unwrap_err();
    assert!(matches!(fault.kind, FaultKind::Transient { .. }), "{fault}");
    assert!(fault.message.contains("is the clock of this machine right?"), "{fault}");
}

#[tokio::test]
async fn what_passes_is_tried_again_and_arrives_once() {
    let answer = |status| Mischief::Answer(status, ("retry-after", "7"));
    for (mischief, retry_after) in [
        (answer(503), Some(Duration::from_secs(7))),
        (answer(500), Some(Duration::from_secs(7))),
        (answer(429), Some(Duration::from_secs(7))),
        (answer(409), None),
        (Mischief::Cut, None),
        (Mischief::LoseAnswer, None),
    ] {
        let peer = Peer::new().await;
        let shown = format!("{mischief:?}");
        let is_stored = matches!(mischief, Mischief::LoseAnswer);
        peer.gate.once(is("PUT"), mischief);
        let post = peer.post(&[("a.jpg", &vec![1; 300_000])]);
        let (store, kept) = (peer.store(), Kept::default());
        let fault = store.deliver(&post, &mut kept.progress()).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Transient { retry_after }, "{shown}: {fault}");
        assert!(fault.message.contains("a.jpg: "), "{fault}");
        assert_eq!(peer.objects().len(), usize::from(is_stored), "{shown}");
        store.deliver(&post, &mut kept.progress()).await.unwrap();
        assert_eq!(peer.objects().len(), 1, "{shown}");
        // The answer that was lost is not asked for by writing again.
        assert_eq!(peer.gate.done("PUT"), 1, "{shown}");
    }
}

#[tokio::test]
async fn an_upload_that_breaks_off_in_its_middle_leaves_no_parts() {
    let peer = Peer::new().await;
    let second = |request: &hyper::Request<()>| {
        request.uri().query().is_some_and(|query| query.contains("partNumber=2"))
    };
    peer.gate.once(second, Mischief::Cut);
    let post = peer.post(&[("v.mp4", &vec![3; 20 * 1024 * 1024])]);
    let (store, kept) = (peer.store(), Kept::default());
    let fault = store.deliver(&post, &mut kept.progress()).await.unwrap_err();
    assert!(matches!(fault.kind, FaultKind::Transient { .. }), "{fault}");
    assert_eq!(peer.objects().len(), 0);
    assert_eq!(peer.gate.done("DELETE"), 1);
    store.deliver(&post, &mut kept.progress()).await.unwrap();
    assert_eq!(peer.objects().len(), 1);
}

#[tokio::test]
async fn what_needs_a_person_says_so() {
    let peer = Peer::new().await;
    let post = peer.post(&[("a.jpg", b"one")]);
    let keys = peer.keys("");
    for (from, to, hint) in [
        ("opensesame", "openbarley", "SignatureDoesNotMatch"),
        ("\"me\"", "\"you\"", "NotSignedUp"),
    ] {
        let store = store(&keys.replace(from, to)).unwrap();
        let fault = store.deliver(&post, &mut Kept::default().progress()).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Permanent, "{fault}");
        assert!(fault.message.contains(hint), "{fault}");
        let probed = store.probe().await.unwrap_err();
        assert_eq!(probed.kind, FaultKind::Permanent, "{probed}");
        assert!(probed.message.contains(hint), "{probed}");
        assert!(!format!("{fault}{probed}").contains("barley"), "{fault}; {probed}");
    }
    let body = "<Error><Code>NoSuchBucket</Code><Message>No such bucket</Message></Error>";
    peer.gate.once(is("PUT"), Mischief::Say(404, body));
    let fault = peer.store().deliver(&post, &mut Kept::default().progress()).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Permanent, "{fault}");
    assert!(fault.message.contains("NoSuchBucket"), "{fault}");
    assert_eq!(peer.objects().len(), 0);
    assert!(peer.store().probe().await.unwrap().contains("lets us in"));
}

/// One sentence that a photographer can act on: what was asked, the status, the service's own code and
/// words, and what to do; nothing of how programs write down their data.
#[tokio::test]
async fn a_refusal_is_a_sentence_with_status_code_and_what_to_do() {
    let xml = |code: &str| -> &'static str {
        format!("<Error><Code>{code}</Code><Message>So it is</Message></Error>").leak()
    };
    let (small, large) = (vec![1; 3], vec![1; 20 << 20]);
    for (method, status, code, bytes, said) in [
        (
            "PUT",
            404,
            "NoSuchBucket",
            &small,
            "PUT was answered 404 Not Found: NoSuchBucket: So it is; make the bucket, or mend s3.bucket",
        ),
        (
            "POST",
            404,
            "NoSuchBucket",
            &large,
            "POST was answered 404 Not Found: NoSuchBucket: So it is; make the bucket, or mend s3.bucket",
        ),
        (
            "PUT",
            403,
            "AccessDenied",
            &small,
            "PUT was answered 403 Forbidden: AccessDenied: So it is; let this key read and write here",
        ),
        (
            "PUT",
            403,
            "InvalidAccessKeyId",
            &small,
            "PUT was answered 403 Forbidden: InvalidAccessKeyId: So it is; mend s3.access_key and s3.secret_key",
        ),
        (
            "PUT",
            400,
            "AuthorizationHeaderMalformed",
            &small,
            "PUT was answered 400 Bad Request: AuthorizationHeaderMalformed: So it is; mend s3.region and s3.endpoint",
        ),
        (
            "PUT",
            301,
            "PermanentRedirect",
            &small,
            "PUT was answered 301 Moved Permanently: PermanentRedirect: So it is; mend s3.region and s3.endpoint",
        ),
        (
            "PUT",
            405,
            "MethodNotAllowed",
            &small,
            "PUT was answered 405 Method Not Allowed: MethodNotAllowed: So it is",
        ),
        (
            "PUT",
            507,
            "Full",
            &small,
            "PUT was answered 507 Insufficient Storage: Full: So it is; make room there",
        ),
        // S3 may find out only after it has said that all is well.
        ("POST", 200, "InternalError", &large, "POST was answered 200 OK: InternalError: So it is"),
    ] {
        let peer = Peer::new().await;
        let wanted = move |request: &hyper::Request<()>| {
            let begins = request.uri().query().is_some_and(|query| query.contains("uploads"));
            request.method().as_str() == method && (status != 200 || !begins)
        };
        peer.gate.once(wanted, Mischief::Say(status, xml(code)));
        let post = peer.post(&[("a.jpg", bytes)]);
        let (store, kept) = (peer.store(), Kept::default());
        let fault = store.deliver(&post, &mut kept.progress()).await.unwrap_err();
        let (_, sentence) = fault.message.split_once("a.jpg: ").unwrap();
        assert_eq!(sentence, said);
        let again = matches!(fault.kind, FaultKind::Transient { .. });
        assert_eq!(again, [200, 507].contains(&status), "{fault}");
        store.deliver(&post, &mut kept.progress()).await.unwrap();
        assert_eq!(peer.objects().len(), 1, "{said}");
    }
}

#[tokio::test]
async fn without_uplink_it_waits() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let keys = format!(
        "s3 = {{ bucket = \"photos\", endpoint = \"http://{closed}\", access_key = \"me\", \
         secret_key = \"s\" }}"
    );
    let folder = tempfile::tempdir().unwrap();
    let post = social(Path::new(folder.path()), &[("a.jpg", b"one")]);
    let store = store(&keys).unwrap();
    let fault = store.deliver(&post, &mut Kept::default().progress()).await.unwrap_err();
    assert!(matches!(fault.kind, FaultKind::Transient { .. }), "{fault}");
    assert!(fault.message.contains("no answer"), "{fault}");
}
