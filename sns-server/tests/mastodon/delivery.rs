//! A post on its way, as the queue sees it: attempts, and what is kept between them.

use samsung_sns::time::UnixTime;
use sns_server::destination::mastodon::Mastodon;
use sns_server::destination::{Fault, FaultKind, Post, PostFile, Progress};
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;

/// When the power goes while a step is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loss {
    /// The step is lost.
    Before(usize),
    /// The step is kept, but nobody hears of it.
    After(usize),
}

#[derive(Debug, Default)]
struct Kept {
    steps: BTreeMap<String, String>,
    notes: usize,
    loss: Option<Loss>,
}

/// A post, and what survives of its attempts.
pub(crate) struct Delivery {
    pub(crate) post: Post,
    kept: Arc<Mutex<Kept>>,
    dead: Arc<Notify>,
    folder: tempfile::TempDir,
}

impl Delivery {
    pub(crate) fn of(text: &str) -> Delivery {
        let post = Post {
            id: format!("{:08x}-1111-4222-8333-444455556666", fastrand::u32(..)),
            received_at: UnixTime::from_secs(1_795_313_100),
            user: "me@example.com".to_owned(),
            channel: "facebook".to_owned(),
            sender: None,
            recipients: Vec::new(),
            title: None,
            typed: text.to_owned(),
            text: text.to_owned(),
            camera: Some("SAMSUNG NX300".to_owned()),
            files: Vec::new(),
        };
        let folder = tempfile::tempdir().unwrap();
        Delivery { post, kept: Arc::default(), dead: Arc::default(), folder }
    }

    pub(crate) fn with(mut self, media_type: &str, bytes: &[u8], alt_text: &str) -> Delivery {
        let path = self.folder.path().join(self.post.files.len().to_string());
        std::fs::write(&path, bytes).unwrap();
        self.post.files.push(PostFile {
            path,
            name: "SAM_0001.JPG".to_owned(),
            media_type: media_type.to_owned(),
            length: u64::try_from(bytes.len()).unwrap(),
            sha256: [0; 32],
            alt_text: alt_text.to_owned(),
        });
        self
    }

    pub(crate) fn with_photo(self, alt_text: &str) -> Delivery {
        self.with("image/jpeg", include_bytes!("../../../testdata/photo.jpg"), alt_text)
    }

    pub(crate) fn with_video(self, alt_text: &str) -> Delivery {
        self.with("video/mp4", b"\0\0\0\x18ftypmp42 not much of a video", alt_text)
    }

    pub(crate) fn file(&self, at: usize) -> PathBuf {
        self.post.files[at].path.clone()
    }

    /// The step at which the power goes, counted from now.
    pub(crate) fn lose(&self, loss: Loss) {
        let mut kept = self.kept.lock().unwrap();
        kept.notes = 0;
        kept.loss = Some(loss);
    }

    /// What a new process would know.
    pub(crate) fn progress(&self) -> Progress {
        let (kept, dead) = (Arc::clone(&self.kept), Arc::clone(&self.dead));
        let done = kept.lock().unwrap().steps.clone();
        let keep = move |step: &str, value: &str| {
            let mut kept = kept.lock().unwrap();
            kept.notes += 1;
            let loss = kept.loss;
            let dies = |loss: Option<Loss>, at| match loss == Some(at) {
                true => {
                    dead.notify_one();
                    Err(io::Error::other("power cut"))
                }
                false => Ok(()),
            };
            dies(loss, Loss::Before(kept.notes))?;
            kept.steps.insert(step.to_owned(), value.to_owned());
            dies(loss, Loss::After(kept.notes))
        };
        Progress::new(done, Arc::new(keep))
    }

    /// One attempt, which ends where it is when the power goes.
    pub(crate) async fn attempt(&self, to: &Mastodon) -> Result<String, Fault> {
        let mut progress = self.progress();
        tokio::select! {
            done = to.deliver(&self.post, &mut progress) => done,
            () = self.dead.notified() => Err(Fault::transient("power cut")),
        }
    }

    /// An attempt that is to fail for now; what it says.
    pub(crate) async fn fails_for_now(&self, to: &Mastodon) -> String {
        let fault = self.attempt(to).await.unwrap_err();
        assert!(matches!(fault.kind, FaultKind::Transient { .. }), "{fault:?}");
        fault.message
    }

    /// An attempt that is to fail for good; what it says.
    pub(crate) async fn fails_for_good(&self, to: &Mastodon) -> String {
        let fault = self.attempt(to).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Permanent, "{fault}");
        fault.message
    }
}
