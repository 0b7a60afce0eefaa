//! A WebDAV server written by others: dav-server, which keeps what it gets as files.

use crate::gate::{Gate, Mischief, is};
use crate::posts::{Kept, photo, social};
use crate::{files, names, store};
use dav_server::{DavHandler, fakels::FakeLs, localfs::LocalFs};
use hyper::{Request, Response, StatusCode, header};
use sns_server::destination::store::Store;
use sns_server::destination::{FaultKind, Post};
use std::path::PathBuf;
use std::time::Duration;

/// `me:opensesame`
const LOGIN: &str = "Basic bWU6b3BlbnNlc2FtZQ==";

pub(crate) struct Peer {
    gate: Gate,
    folder: tempfile::TempDir,
}

impl Peer {
    pub(crate) async fn new() -> Peer {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("dav")).unwrap();
        let server = DavHandler::builder()
            .filesystem(LocalFs::new(folder.path().join("dav"), false, false, false))
            .locksystem(FakeLs::new())
            .strip_prefix("/files/me")
            .build_handler();
        let gate = Gate::before(move |request: Request<hyper::body::Incoming>| {
            let server = server.clone();
            async move {
                let login = request.headers().get(header::AUTHORIZATION);
                if login.is_none_or(|login| login != LOGIN) {
                    let answer = Response::builder().status(StatusCode::UNAUTHORIZED);
                    let body = dav_server::body::Body::from("who are you?");
                    return Ok::<_, std::io::Error>(answer.body(body).unwrap());
                }
                Ok(server.handle(request).await)
            }
        });
        Peer { gate: gate.await, folder }
    }

    fn keys(&self, more: &str) -> String {
        format!(
            "template = \"{{user}}/{{date}}/{{file}}\"\n{more}\nwebdav = {{ \
             url = \"http://{}/files/me/\", user = \"me\", password = \"opensesame\" }}",
            self.gate.address
        )
    }

    pub(crate) fn store(&self) -> Store {
        store(&self.keys("")).unwrap()
    }

    fn post(&self, files: &[(&str, &[u8])]) -> Post {
        social(self.folder.path(), files)
    }

    fn room(&self) -> PathBuf {
        self.folder.path().join("dav")
    }
}

const FIRST: &str = "me@example.com/2026-05-01/a.jpg";
const SECOND: &str = "me@example.com/2026-05-01/a-2.jpg";

#[tokio::test]
async fn a_photo_arrives_once_whatever_is_lost_of_our_memory() {
    let peer = Peer::new().await;
    let store = store(&peer.keys("sidecar = true")).unwrap();
    let post = peer.post(&[("SAM \u{c0ac}\u{c9c4} #1.JPG", &photo())]);
    let said = store.deliver(&post, &mut Kept::default().progress()).await.unwrap();
    assert!(said.ends_with("/files/me: me@example.com/2026-05-01/SAM \u{c0ac}\u{c9c4} #1.JPG"));
    let stored = files(&peer.room());
    assert_eq!(stored.len(), 2);
    assert_eq!(stored["me@example.com/2026-05-01/SAM \u{c0ac}\u{c9c4} #1.JPG"], photo());
    store.deliver(&post, &mut Kept::default().progress()).await.unwrap();
    assert_eq!((peer.gate.done("PUT"), peer.gate.done("MOVE")), (2, 2));
    assert_eq!(files(&peer.room()), stored);
}

#[tokio::test]
async fn a_video_is_streamed() {
    let peer = Peer::new().await;
    let video: Vec<u8> = (0..20 * 1024 * 1024_u32).map(|at| (at / 7 % 251) as u8).collect();
    let post = peer.post(&[("v.mp4", &video)]);
    peer.store().deliver(&post, &mut Kept::default().progress()).await.unwrap();
    assert!(files(&peer.room())["me@example.com/2026-05-01/v.mp4"] == video);
    assert_eq!(peer.gate.seen("PUT").len(), 1);
}

#[tokio::test]
async fn a_different_file_is_never_overwritten() {
    let peer = Peer::new().await;
    let store = peer.store();
    for bytes in [&b"one"[..], b"two", b"longer", b"two"] {
        let mut post = peer.post(&[("a.jpg", bytes)]);
        post.id = format!("{}", bytes.len());
        store.deliver(&post, &mut Kept::default().progress()).await.unwrap();
    }
    let stored = files(&peer.room());
    assert_eq!(stored.len(), 3);
    assert_eq!((&stored[FIRST][..], &stored[SECOND][..]), (&b"one"[..], &b"two"[..]));
}

#[tokio::test]
async fn what_appears_between_look_and_write_stays() {
    let peer = Peer::new().await;
    std::fs::create_dir_all(peer.room().join("me@example.com/2026-05-01")).unwrap();
    std::fs::write(peer.room().join(FIRST), b"theirs").unwrap();
    // The look says: nothing there. The server knows better when it is asked to move.
    peer.gate.once(is("PROPFIND"), Mischief::Answer(404, ("x", "y")));
    let post = peer.post(&[("a.jpg", b"ours")]);
    peer.store().deliver(&post, &mut Kept::default().progress()).await.unwrap();
    let stored = files(&peer.room());
    assert_eq!(stored.len(), 2);
    assert_eq!((&stored[FIRST][..], &stored[SECOND][..]), (&b"theirs"[..], &b"ours"[..]));
    assert_eq!(peer.gate.seen("PUT").len(), 1);
    assert_eq!(peer.gate.seen("MOVE")[0].status, Some(412));
}

#[tokio::test]
async fn what_passes_is_tried_again_and_arrives_once() {
    let answer = |status| Mischief::Answer(status, ("retry-after", "7"));
    let soon = Some(Duration::from_secs(7));
    for (method, mischief, retry_after) in [
        ("PUT", answer(503), soon),
        // Nextcloud: over quota, and a file that is locked.
        ("PUT", answer(507), soon),
        ("PUT", answer(423), None),
        ("PUT", answer(429), soon),
        ("PUT", Mischief::Cut, None),
        ("PUT", Mischief::LoseAnswer, None),
        ("MOVE", answer(502), soon),
        ("MOVE", Mischief::LoseAnswer, None),
        ("MKCOL", answer(500), soon),
        ("PROPFIND", answer(503), soon),
        ("PROPFIND", Mischief::Cut, None),
    ] {
        let peer = Peer::new().await;
        let shown = format!("{method}: {mischief:?}");
        peer.gate.once(is(method), mischief);
        let post = peer.post(&[("a.jpg", &vec![1; 3_000_000])]);
        let (store, kept) = (peer.store(), Kept::default());
        let fault = store.deliver(&post, &mut kept.progress()).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Transient { retry_after }, "{shown}: {fault}");
        // What people see is the whole file or none.
        if let Some(half) = files(&peer.room()).get(FIRST) {
            assert_eq!(half.len(), 3_000_000, "{shown}");
        }
        store.deliver(&post, &mut kept.progress()).await.unwrap();
        assert_eq!(names(&peer.room()), [FIRST], "{shown}");
        assert_eq!(peer.gate.done("MOVE"), 1, "{shown}");
    }
}

#[tokio::test]
async fn a_folder_that_is_not_there_waits_for_a_person() {
    let peer = Peer::new().await;
    let post = peer.post(&[("a.jpg", b"one")]);
    let store = store(&peer.keys("").replace("/me/\"", "/me/Photos\"")).unwrap();
    let probed = store.probe().await.unwrap_err();
    assert!(probed.message.contains("404 Not Found"), "{probed}");
    let fault = store.deliver(&post, &mut Kept::default().progress()).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Permanent, "{fault}");
    assert!(fault.message.contains("there is no such folder"), "{fault}");
    std::fs::create_dir(peer.room().join("Photos")).unwrap();
    store.probe().await.unwrap();
    store.deliver(&post, &mut Kept::default().progress()).await.unwrap();
    assert_eq!(names(&peer.room()), [format!("Photos/{FIRST}")]);
}

#[tokio::test]
async fn a_service_that_contradicts_itself_is_not_asked_forever() {
    let peer = Peer::new().await;
    for _ in 0..20 {
        peer.gate.once(is("MOVE"), Mischief::Answer(412, ("x", "y")));
    }
    let post = peer.post(&[("a.jpg", b"one")]);
    let (store, kept) = (peer.store(), Kept::default());
    for attempt in 1..=4 {
        let fault = store.deliver(&post, &mut kept.progress()).await.unwrap_err();
        assert!(matches!(fault.kind, FaultKind::Transient { .. }), "{fault}");
        assert_eq!(peer.gate.seen("MOVE").len(), attempt * 5);
    }
    store.deliver(&post, &mut kept.progress()).await.unwrap();
    assert_eq!(names(&peer.room()), [FIRST]);
}

#[tokio::test]
async fn what_needs_a_person_says_so() {
    let peer = Peer::new().await;
    let post = peer.post(&[("a.jpg", b"one")]);
    let store = store(&peer.keys("").replace("sesame", "barley")).unwrap();
    let fault = store.deliver(&post, &mut Kept::default().progress()).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Permanent);
    assert!(fault.message.contains("401 Unauthorized"), "{fault}");
    let probed = store.probe().await.unwrap_err();
    assert!(probed.message.contains("401 Unauthorized"), "{probed}");
    assert!(!format!("{fault}{probed}").contains("barley"), "{fault}; {probed}");
    peer.gate.once(is("PUT"), Mischief::Answer(403, ("x", "y")));
    let fault = peer.store().deliver(&post, &mut Kept::default().progress()).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Permanent, "{fault}");
    assert_eq!(names(&peer.room()), Vec::<String>::new());
    assert!(peer.store().probe().await.unwrap().contains("lets us in"));
}
