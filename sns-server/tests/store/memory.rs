//! Memory does not grow with a file. What a process has used at most is only known of all of it, so
//! this is one of its own.

use crate::posts::{Kept, social};
use crate::{s3, webdav};
use sha2::{Digest, Sha256};
use sns_server::destination::Post;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::Command;

/// Much more than a process may grow by.
const VIDEO: u64 = 192 << 20;
/// A few parts of 8 MiB, here and in the server that is in the same process.
const GROWTH: u64 = 96 << 20;

fn most_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() << 10
}

fn video(folder: &Path) -> Post {
    let mut post = social(folder, &[("v.mp4", b"video")]);
    let file = &mut post.files[0];
    File::options().write(true).open(&file.path).unwrap().set_len(VIDEO).unwrap();
    let mut hash = Sha256::new();
    let (mut bytes, mut piece) = (File::open(&file.path).unwrap(), vec![0; 1 << 20]);
    loop {
        match bytes.read(&mut piece).unwrap() {
            0 => break,
            length => hash.update(&piece[..length]),
        }
    }
    (file.length, file.sha256) = (VIDEO, hash.finalize().into());
    post
}

#[test]
fn memory_does_not_grow_with_a_file() {
    let inner = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "memory::inside", "--nocapture"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&inner.stdout);
    let errors = String::from_utf8_lossy(&inner.stderr);
    assert!(inner.status.success() && said.contains("1 passed"), "{said}\n{errors}");
}

#[tokio::test]
#[ignore = "memory_does_not_grow_with_a_file runs it"]
async fn inside() {
    let (s3, webdav) = (s3::Peer::new().await, webdav::Peer::new().await);
    let folder = tempfile::tempdir().unwrap();
    let post = video(folder.path());
    let before = most_memory();
    for store in [s3.store(), webdav.store()] {
        // The second time it is looked for, and what WebDAV has is read back.
        for _ in 0..2 {
            store.deliver(&post, &mut Kept::default().progress()).await.unwrap();
        }
    }
    let grown = most_memory() - before;
    println!("grown by {} MiB", grown >> 20);
    assert!(grown < GROWTH, "grown by {} MiB", grown >> 20);
}
