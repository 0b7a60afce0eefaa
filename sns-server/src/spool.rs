//! Where received files become safe: the part of the disk that belongs to the server.
//!
//! Law: a file is written to `incoming/`, fsynced, renamed into `photos/<user>/`, its folder
//! fsynced, and recorded; when [`Spool::keep`] returns, a power cut loses nothing of it. What breaks
//! off before never leaves `incoming/`, and is removed there. Nothing that is there is ever
//! overwritten.
//!
//! ```text
//! <data_dir>/
//!   photos/<user>/<file>   plain files, for people
//!   incoming/              half-received files, emptied at each start
//!   sns.db                 the ledger: what came when, from whom, under which name
//! ```

use crate::disk::{place, same_content, sync_folder};
use crate::ledger::{Ledger, LedgerError, Receipt};
use crate::names::{file_name_on_disk, user_folder};
use rustix::fs::statvfs;
use samsung_sns::session::{Session, SessionKey, Snapshot};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// The server's folders and ledger. One server has them at a time.
#[derive(Debug)]
pub struct Spool {
    photos: PathBuf,
    incoming: PathBuf,
    next: AtomicU64,
    /// Held while names are chosen and files renamed, so that two files never race for a name.
    ledger: Mutex<Ledger>,
    _lock: File,
}

/// Why something could not be kept.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// Another server has this folder.
    #[error("{0} is in use by another sns-server")]
    InUse(PathBuf),
    /// The disk refused.
    #[error("{path}: {error}")]
    Disk {
        /// What was to be written or read.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The ledger refused.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

fn disk(path: &Path) -> impl FnOnce(io::Error) -> SpoolError + '_ {
    move |error| SpoolError::Disk { path: path.to_owned(), error }
}

/// A file in `incoming/`; gone when this is dropped, unless it was renamed.
#[derive(Debug)]
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        // Renamed files are no longer there; whatever else goes wrong, the next start empties it.
        let _ = fs::remove_file(&self.0);
    }
}

/// A file on its way in. Dropped, it is gone.
#[derive(Debug)]
pub struct Incoming {
    temporary: Temporary,
    file: File,
    hash: Sha256,
    length: u64,
    /// The first bytes, by which its content is told.
    beginning: Vec<u8>,
}

/// So many first bytes tell a picture or video from anything else.
const BEGINNING: usize = 512;

impl Incoming {
    /// Takes more bytes.
    ///
    /// # Errors
    /// [`SpoolError::Disk`] if they cannot be written.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), SpoolError> {
        self.file.write_all(bytes).map_err(disk(&self.temporary.0))?;
        self.hash.update(bytes);
        let missing = BEGINNING.saturating_sub(self.beginning.len()).min(bytes.len());
        self.beginning.extend_from_slice(&bytes[..missing]);
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// The media type by the bytes themselves, if they are those of a picture or video; what a camera
    /// declares proves nothing.
    fn content(&self) -> Option<&'static str> {
        let is_media = |kind: &infer::Type| {
            matches!(kind.matcher_type(), infer::MatcherType::Image | infer::MatcherType::Video)
        };
        match self.beginning.as_slice() {
            // Camcorders: a kind that infer does not know.
            [_, _, _, _, b'f', b't', b'y', b'p', b'3', b'g', ..] => Some("video/3gpp"),
            bytes => infer::get(bytes).filter(is_media).map(|kind| kind.mime_type()),
        }
    }

    /// How many bytes came so far.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Says that this is all. When this returns, the bytes survive a power cut; no descriptor is
    /// held, however many files one e-mail has.
    ///
    /// # Errors
    /// [`SpoolError::Disk`] if they cannot be made safe.
    pub fn finish(self) -> Result<Whole, SpoolError> {
        self.file.sync_all().map_err(disk(&self.temporary.0))?;
        let content = self.content();
        let Incoming { temporary, hash, length, .. } = self;
        Ok(Whole { temporary, sha256: hash.finalize().into(), length, content })
    }
}

/// A file that is whole and on the disk, under a name that is not yet its own. Dropped, it is gone.
#[derive(Debug)]
pub struct Whole {
    temporary: Temporary,
    sha256: [u8; 32],
    length: u64,
    content: Option<&'static str>,
}

/// A whole file with what the camera said about it.
#[derive(Debug)]
pub struct Arrived {
    /// Its bytes.
    pub whole: Whole,
    /// Its name as sent.
    pub name_as_sent: String,
    /// Its media type, normalised.
    pub media_type: String,
}

/// A file that is safe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Where it lies, below the folder of photos.
    pub path: PathBuf,
    /// Its length in bytes.
    pub length: u64,
    /// Whether it had been there before.
    pub known: bool,
    /// Its media type by its bytes; `None` if it is neither picture nor video. Then it is kept like
    /// any other, and not to be passed on.
    pub content: Option<&'static str>,
}

/// What the ledger says about one file of a receipt.
#[derive(Debug)]
pub struct FileRecord {
    /// Its name as sent.
    pub name_as_sent: String,
    /// Its media type.
    pub media_type: String,
    /// SHA-256 of its bytes.
    pub sha256: [u8; 32],
    /// Where it lies.
    pub kept: Kept,
}

impl Spool {
    /// Opens the folders below `data_dir`, makes those that are missing, and empties `incoming/`.
    ///
    /// # Errors
    /// [`SpoolError`]: the disk refuses, or another server has the folder.
    pub fn open(data_dir: &Path) -> Result<Spool, SpoolError> {
        let (photos, incoming) = (data_dir.join("photos"), data_dir.join("incoming"));
        for folder in [data_dir, &photos, &incoming] {
            fs::create_dir_all(folder).map_err(disk(folder))?;
        }
        let lock_path = data_dir.join("lock");
        let lock = File::create(&lock_path).map_err(disk(&lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => {
                return Err(SpoolError::InUse(data_dir.to_owned()));
            }
            Err(fs::TryLockError::Error(error)) => return Err(disk(&lock_path)(error)),
        }
        for entry in fs::read_dir(&incoming).map_err(disk(&incoming))? {
            let path = entry.map_err(disk(&incoming))?.path();
            fs::remove_file(&path).map_err(disk(&path))?;
        }
        let ledger = Ledger::open(&data_dir.join("sns.db"))?;
        sync(data_dir)?;
        Ok(Spool {
            photos,
            incoming,
            next: AtomicU64::new(1),
            ledger: Mutex::new(ledger),
            _lock: lock,
        })
    }

    /// The folder where people find their photos.
    pub fn photos(&self) -> &Path {
        &self.photos
    }

    /// How many bytes the disk has left for us.
    ///
    /// # Errors
    /// [`SpoolError::Disk`] if it does not say.
    pub fn free_space(&self) -> Result<u64, SpoolError> {
        let disk_state =
            statvfs(&self.incoming).map_err(|error| disk(&self.incoming)(error.into()))?;
        Ok(disk_state.f_bavail.saturating_mul(disk_state.f_frsize))
    }

    /// Begins to receive a file.
    ///
    /// # Errors
    /// [`SpoolError::Disk`] if it cannot be made.
    pub fn begin(&self) -> Result<Incoming, SpoolError> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let path = self.incoming.join(format!("{number}.part"));
        let file = File::create_new(&path).map_err(disk(&path))?;
        let temporary = Temporary(path);
        Ok(Incoming { temporary, file, hash: Sha256::new(), length: 0, beginning: Vec::new() })
    }

    /// Keeps whole files of a user and records them with their receipt. When this returns, all of it
    /// is safe.
    ///
    /// # Errors
    /// [`SpoolError`]; then the receipt is not recorded and the camera must not hear of success.
    pub fn keep(&self, receipt: &Receipt, files: Vec<Arrived>) -> Result<Vec<Kept>, SpoolError> {
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = self.user_folder(&receipt.user)?;
        let mut records = Vec::with_capacity(files.len());
        for arrived in files {
            let Whole { temporary, sha256, length, content } = &arrived.whole;
            let (sha256, length, content) = (*sha256, *length, *content);
            let known = ledger.find(&receipt.user, &sha256)?.filter(|path| {
                same_content(&temporary.0, &self.photos.join(path)).unwrap_or(false)
            });
            let kept = match known {
                Some(path) => Kept { path, length, known: true, content },
                None => self.place(&folder, &arrived)?,
            };
            let Arrived { name_as_sent, media_type, .. } = arrived;
            records.push(FileRecord { name_as_sent, media_type, sha256, kept });
        }
        sync(&self.photos.join(&folder))?;
        ledger.record(receipt, &records)?;
        Ok(records.into_iter().map(|record| record.kept).collect())
    }

    /// Keeps sessions for a restart. `sessions` is asked while nobody else writes, so that what is
    /// kept last is what was true last.
    ///
    /// # Errors
    /// [`SpoolError::Ledger`]; then a restart ends these sessions.
    pub fn remember(
        &self,
        sessions: impl FnOnce() -> Vec<(SessionKey, Option<Session>)>,
    ) -> Result<(), SpoolError> {
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(ledger.remember(&sessions())?)
    }

    /// The sessions that were live when the last server ended.
    ///
    /// # Errors
    /// [`SpoolError::Ledger`] if they cannot be read.
    pub fn sessions(&self) -> Result<Snapshot, SpoolError> {
        Ok(self.ledger.lock().unwrap_or_else(PoisonError::into_inner).sessions()?)
    }

    /// The user's folder below `photos`, made if it is missing.
    fn user_folder(&self, user: &str) -> Result<PathBuf, SpoolError> {
        let folder = PathBuf::from(user_folder(user));
        let path = self.photos.join(&folder);
        match fs::create_dir(&path) {
            Ok(()) => sync(&self.photos)?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(disk(&path)(error)),
        }
        Ok(folder)
    }

    /// Renames a file to the first free name of its kind.
    fn place(&self, folder: &Path, arrived: &Arrived) -> Result<Kept, SpoolError> {
        let name = file_name_on_disk(&arrived.name_as_sent);
        let Whole { temporary: Temporary(from), length, content, .. } = &arrived.whole;
        let (length, content) = (*length, *content);
        let to = self.photos.join(folder);
        let placed = place(from, &to, &name).map_err(disk(&to))?;
        Ok(Kept { path: folder.join(placed.name), length, known: placed.known, content })
    }
}

fn sync(folder: &Path) -> Result<(), SpoolError> {
    sync_folder(folder).map_err(disk(folder))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Receipt;
    use samsung_sns::time::UnixTime;

    struct Fixture {
        folder: tempfile::TempDir,
        spool: Spool,
    }

    impl Fixture {
        fn new() -> Fixture {
            let folder = tempfile::tempdir().unwrap();
            let spool = Spool::open(folder.path()).unwrap();
            Fixture { folder, spool }
        }

        fn arrived(&self, name: &str, bytes: &[u8]) -> Arrived {
            let mut incoming = self.spool.begin().unwrap();
            incoming.write(bytes).unwrap();
            let whole = incoming.finish().unwrap();
            Arrived { whole, name_as_sent: name.into(), media_type: "image/jpeg".into() }
        }

        fn keep(&self, user: &str, name: &str, bytes: &[u8]) -> Kept {
            let receipt = Receipt::new(UnixTime::from_secs(1), user);
            self.spool.keep(&receipt, vec![self.arrived(name, bytes)]).unwrap().remove(0)
        }

        fn names(&self, folder: &str) -> Vec<String> {
            let mut names: Vec<_> = fs::read_dir(self.folder.path().join(folder))
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            names
        }
    }

    #[test]
    fn same_name_keeps_both_and_same_bytes_keep_one() {
        let fixture = Fixture::new();
        assert!(!fixture.keep("me", "SAM_0001.JPG", b"one").known);
        assert!(!fixture.keep("me", "SAM_0001.JPG", b"two").known);
        assert!(fixture.keep("me", "SAM_0001.JPG", b"one").known);
        assert!(fixture.keep("me", "other.JPG", b"two").known);
        assert!(!fixture.keep("you", "SAM_0001.JPG", b"one").known);
        assert_eq!(fixture.names("photos/me"), ["SAM_0001-2.JPG", "SAM_0001.JPG"]);
        assert_eq!(fixture.names("photos/you"), ["SAM_0001.JPG"]);
        assert_eq!(fixture.names("incoming"), Vec::<String>::new());
    }

    #[test]
    fn content_is_told_by_the_bytes_and_never_refused() {
        let fixture = Fixture::new();
        for (bytes, content) in [
            (&b"\xff\xd8\xff\xe1 JPEG, MPO"[..], Some("image/jpeg")),
            (b"II*\0 SRW is a TIFF", Some("image/tiff")),
            (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", Some("video/mp4")),
            (b"\0\0\0\x18ftyp3gp4\0\0\0\0isom3gp4", Some("video/3gpp")),
            (b"RIFF\x10\0\0\0AVI LIST", Some("video/x-msvideo")),
            (b"#!/bin/sh\nrm -rf /\n", None),
            (b"<html>", None),
            (b"PK\x03\x04", None),
            (b"\xff", None),
        ] {
            assert_eq!(fixture.keep("me", "a.jpg", bytes).content, content, "{bytes:?}");
        }
        assert_eq!(fixture.names("photos/me").len(), 9);
    }

    #[test]
    fn what_a_person_deleted_or_changed_is_kept_again() {
        let fixture = Fixture::new();
        let kept = fixture.keep("me", "a.jpg", b"one");
        let path = fixture.spool.photos().join(&kept.path);
        fs::remove_file(&path).unwrap();
        assert!(!fixture.keep("me", "a.jpg", b"one").known);
        fs::write(&path, b"eno").unwrap();
        assert!(!fixture.keep("me", "a.jpg", b"one").known);
        assert_eq!(fixture.names("photos/me"), ["a-2.jpg", "a.jpg"]);
        assert_eq!(fs::read(&path).unwrap(), b"eno");
    }

    #[test]
    fn what_breaks_off_leaves_nothing_and_a_restart_clears_what_a_crash_left() {
        let fixture = Fixture::new();
        let arrived = fixture.arrived("a.jpg", b"half");
        assert_eq!(fixture.names("incoming").len(), 1);
        drop(arrived);
        assert_eq!(fixture.names("incoming").len(), 0);
        fs::write(fixture.folder.path().join("incoming/7.part"), b"half").unwrap();
        let Fixture { folder, spool } = fixture;
        drop(spool);
        let spool = Spool::open(folder.path()).unwrap();
        let fixture = Fixture { folder, spool };
        assert_eq!(fixture.names("incoming").len(), 0);
        assert_eq!(fixture.names("photos").len(), 0);
    }

    #[test]
    fn a_crash_between_rename_and_record_is_mended_by_the_cameras_retry() {
        let fixture = Fixture::new();
        fs::create_dir(fixture.folder.path().join("photos/me")).unwrap();
        fs::write(fixture.folder.path().join("photos/me/a.jpg"), b"one").unwrap();
        assert!(fixture.keep("me", "a.jpg", b"one").known);
        assert_eq!(fixture.names("photos/me"), ["a.jpg"]);
    }

    #[test]
    fn a_folder_has_one_server() {
        let fixture = Fixture::new();
        assert!(matches!(Spool::open(fixture.folder.path()), Err(SpoolError::InUse(_))));
    }
}
