//! Posts to deliver, and what is kept of their deliveries, as the outbox does.

use samsung_sns::time::UnixTime;
use sha2::{Digest, Sha256};
use sns_server::destination::{Post, PostFile, Progress};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

/// A photo as a camera makes it: the JPEG of the test data.
pub(crate) fn photo() -> Vec<u8> {
    std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata/photo.jpg")).unwrap()
}

/// A post to Facebook with these files, which lie in `folder`.
pub(crate) fn social(folder: &Path, files: &[(&str, &[u8])]) -> Post {
    let files = files.iter().map(|(name, bytes)| {
        let sha256: [u8; 32] = Sha256::digest(bytes).into();
        let path = folder.join(format!("{:02x}{:02x}{:02x}", sha256[0], sha256[1], sha256[2]));
        std::fs::write(&path, bytes).unwrap();
        PostFile {
            path,
            name: (*name).to_owned(),
            media_type: match name.to_lowercase().ends_with(".mp4") {
                true => "video/mp4".to_owned(),
                false => "image/jpeg".to_owned(),
            },
            length: bytes.len() as u64,
            sha256,
            alt_text: String::new(),
        }
    });
    Post {
        id: "6f1d4e3a-0c55-4c8b-9d6e-2f6a54b1c001".to_owned(),
        // 2026-05-01, 12:00 UTC
        received_at: UnixTime::from_secs(1_777_636_800),
        user: "me@example.com".to_owned(),
        channel: "facebook".to_owned(),
        sender: None,
        recipients: Vec::new(),
        title: None,
        typed: "At the lake".to_owned(),
        text: "At the lake".to_owned(),
        camera: Some("SAMSUNG NX300".to_owned()),
        files: files.collect(),
    }
}

/// What a queue keeps of a delivery, over attempts and restarts.
#[derive(Default, Clone)]
pub(crate) struct Kept(Arc<Mutex<BTreeMap<String, String>>>);

impl Kept {
    /// What the next attempt begins with.
    pub(crate) fn progress(&self) -> Progress {
        let kept = Arc::clone(&self.0);
        let done = self.steps();
        Progress::new(
            done,
            Arc::new(move |step, value| {
                kept.lock().unwrap().insert(step.to_owned(), value.to_owned());
                Ok(())
            }),
        )
    }

    /// The steps that were noted.
    pub(crate) fn steps(&self) -> BTreeMap<String, String> {
        self.0.lock().unwrap().clone()
    }
}
