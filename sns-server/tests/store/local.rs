//! A local folder.

use crate::posts::{Kept, photo, social};
use crate::{files, names, store};
use sns_server::destination::FaultKind;
use std::path::Path;

fn keys(folder: &Path, more: &str) -> String {
    format!("path = {:?}\n{more}", folder.join("store"))
}

#[tokio::test]
async fn a_photo_arrives_with_its_words() {
    let folder = tempfile::tempdir().unwrap();
    let mut post = social(folder.path(), &[("SAM_0001.JPG", &photo()), ("SAM_0002.JPG", b"two")]);
    post.files[0].alt_text = "A lake".to_owned();
    post.title = Some("Holidays".to_owned());
    let store = store(&keys(folder.path(), "sidecar = true")).unwrap();
    let said = store.deliver(&post, &mut Kept::default().progress()).await.unwrap();
    let below = "me@example.com/2026-05-01";
    assert!(said.contains(&format!("store/{below}/SAM_0001.JPG and 1 more")), "{said}");
    let stored = files(&folder.path().join("store"));
    assert_eq!(stored.len(), 4);
    assert_eq!(stored[&format!("{below}/SAM_0001.JPG")], photo());
    assert_eq!(stored[&format!("{below}/SAM_0002.JPG")], b"two");
    let sidecar: serde_json::Value =
        serde_json::from_slice(&stored[&format!("{below}/SAM_0001.JPG.json")]).unwrap();
    let hash: String = post.files[0].sha256.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(
        sidecar,
        serde_json::json!({
            "name": "SAM_0001.JPG", "sha256": hash, "received": "2026-05-01T12:00:00Z",
            "user": "me@example.com", "site": "facebook", "camera": "SAMSUNG NX300",
            "sender": null, "recipients": [], "title": "Holidays", "text": "At the lake",
            "alt": "A lake",
        })
    );
}

#[tokio::test]
async fn nothing_is_overwritten_and_a_retry_leaves_one() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&keys(folder.path(), "template = \"{file}\"\nsidecar = true")).unwrap();
    let one = social(folder.path(), &[("a.jpg", b"one")]);
    let mut two = social(folder.path(), &[("a.jpg", b"two")]);
    two.id = "another".to_owned();
    // Killed before the first was noted, after it, and not at all.
    let kept = Kept::default();
    for progress in [&mut Kept::default().progress(), &mut kept.progress(), &mut kept.progress()] {
        assert!(store.deliver(&one, progress).await.unwrap().ends_with("store/a.jpg"));
    }
    assert!(store.deliver(&two, &mut kept.progress()).await.unwrap().ends_with("store/a.jpg"));
    let fresh = Kept::default();
    assert!(store.deliver(&two, &mut fresh.progress()).await.unwrap().ends_with("store/a-2.jpg"));
    let stored = files(&folder.path().join("store"));
    assert_eq!(
        stored.keys().collect::<Vec<_>>(),
        ["a-2.jpg", "a-2.jpg.json", "a.jpg", "a.jpg.json"]
    );
    assert_eq!((&stored["a.jpg"][..], &stored["a-2.jpg"][..]), (&b"one"[..], &b"two"[..]));
}

#[tokio::test]
async fn the_same_photo_with_other_words_keeps_both_words() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&keys(folder.path(), "template = \"{file}\"\nsidecar = true")).unwrap();
    let first = social(folder.path(), &[("a.jpg", b"one")]);
    let mut second = first.clone();
    (second.id, second.text) = ("another".to_owned(), "Other words".to_owned());
    for post in [&first, &second] {
        store.deliver(post, &mut Kept::default().progress()).await.unwrap();
    }
    assert_eq!(names(&folder.path().join("store")), ["a.jpg", "a.jpg-2.json", "a.jpg.json"]);
}

#[tokio::test]
async fn what_a_crash_left_is_cleared_and_links_are_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let room = folder.path().join("store");
    std::fs::create_dir(&room).unwrap();
    let post = social(folder.path(), &[("a.jpg", b"one")]);
    let victim = folder.path().join("victim");
    std::fs::write(&victim, b"mine").unwrap();
    std::os::unix::fs::symlink(&victim, room.join(format!(".sns-{}-0.part", post.id))).unwrap();
    std::os::unix::fs::symlink(folder.path().join("nowhere"), room.join("a.jpg")).unwrap();
    let store = store(&keys(folder.path(), "template = \"{file}\"")).unwrap();
    let said = store.deliver(&post, &mut Kept::default().progress()).await.unwrap();
    assert!(said.ends_with("a-2.jpg"), "{said}");
    assert_eq!(std::fs::read(&victim).unwrap(), b"mine");
    assert_eq!(std::fs::read(room.join("a-2.jpg")).unwrap(), b"one");
    assert_eq!(std::fs::read_dir(&room).unwrap().count(), 2);
}

#[tokio::test]
async fn what_cannot_be_stored_waits_for_a_person_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&keys(folder.path(), "")).unwrap();
    // The photo itself is gone.
    let mut post = social(folder.path(), &[("a.jpg", b"one")]);
    std::fs::remove_file(&post.files[0].path).unwrap();
    let fault = store.deliver(&post, &mut Kept::default().progress()).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Permanent);
    assert!(fault.message.contains("photo itself gone"), "{fault}");
    assert_eq!(names(&folder.path().join("store")), Vec::<String>::new());
    // A file where a folder should be.
    post = social(folder.path(), &[("a.jpg", b"one")]);
    std::fs::remove_dir_all(folder.path().join("store")).unwrap();
    std::fs::write(folder.path().join("store"), b"").unwrap();
    let fault = store.deliver(&post, &mut Kept::default().progress()).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Permanent, "{fault}");
    assert!(store.probe().await.is_err());
}

#[tokio::test]
async fn a_full_disk_is_tried_again() {
    // A file system of 1 MiB, where we may mount one.
    let folder = tempfile::tempdir().unwrap();
    let room = folder.path().join("store");
    std::fs::create_dir(&room).unwrap();
    let mount = |arguments: &[&str]| {
        let done = std::process::Command::new(arguments[0]).args(&arguments[1..]).output();
        done.is_ok_and(|done| done.status.success())
    };
    let path = room.to_str().unwrap();
    if !mount(&["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", path]) {
        println!("not allowed to mount a small file system: not tested here");
        return;
    }
    let store = store(&keys(folder.path(), "template = \"{file}\"")).unwrap();
    let post = social(folder.path(), &[("a.jpg", &vec![7; 900_000])]);
    std::fs::write(room.join("other"), vec![0; 500_000]).unwrap();
    let kept = Kept::default();
    let full = store.deliver(&post, &mut kept.progress()).await;
    let left = names(&room);
    std::fs::remove_file(room.join("other")).unwrap();
    let freed = store.deliver(&post, &mut kept.progress()).await;
    let after = names(&room);
    assert!(mount(&["umount", path]));
    assert!(matches!(full.unwrap_err().kind, FaultKind::Transient { .. }));
    assert_eq!(left, ["other"]);
    freed.unwrap();
    assert_eq!(after, ["a.jpg"]);
}

#[tokio::test]
async fn a_probe_writes_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&keys(folder.path(), "")).unwrap();
    let said = store.probe().await.unwrap();
    assert!(said.contains("store can be written, ") && said.contains(" free"), "{said}");
    assert_eq!(names(&folder.path().join("store")), Vec::<String>::new());
}
