//! Where received files become safe: the part of the disk that belongs to the server.
//!
//! Law: a file is written to `incoming/`, fsynced, recorded, renamed into `photos/<user>/`, its folder
//! fsynced; when [`Spool::keep`] returns, a power cut loses nothing of it. The record is the moment in
//! which it becomes ours: what breaks off before is removed from `incoming/` by the next start, what
//! breaks off after is put in its place by it. Nothing that is there is ever overwritten.
//!
//! ```text
//! <data_dir>/
//!   photos/<user>/<file>   plain files, for people
//!   incoming/              half-received files, emptied at each start
//!   sns.db                 the ledger: what came when, from whom, under which name
//! ```

mod places;

use crate::disk::{rename_new, same_content, sha256, sync_folder};
use crate::ledger::{Ledger, LedgerError, Onward, Receipt, Recorded};
use crate::names::user_folder;
use places::Places;
use rustix::fs::statvfs;
use rustix::io::Errno;
use samsung_sns::session::{SeriesId, Session, SessionKey, Snapshot};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tracing::{error, info, warn};

/// The server's folders and ledger. One server has them at a time.
#[derive(Debug)]
pub struct Spool {
    photos: PathBuf,
    incoming: PathBuf,
    next: AtomicU64,
    /// What the last server had recorded and not put in its place.
    repaired: Repaired,
    /// Held while names are chosen and files renamed, so that two files never race for a name.
    ledger: Mutex<Ledger>,
    _lock: File,
}

/// What a start has found of a server that did not end by itself.
#[derive(Debug, Default)]
struct Repaired {
    taken_up: Vec<PathBuf>,
    forgotten: Vec<PathBuf>,
    /// What could not be done about it, for want of room or because the disk has errors. A server
    /// starts all the same: it answers cameras, and what it delivers may make room.
    problems: Vec<String>,
    /// Parts that have to wait in `incoming/`.
    waiting: Vec<String>,
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

impl Temporary {
    /// Its name in `incoming/`.
    fn name(&self) -> String {
        self.0.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }
}

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

impl Arrived {
    /// Whether it is a picture or a video by its bytes.
    pub fn is_media(&self) -> bool {
        self.whole.content.is_some()
    }
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
    /// Where it lies, or will lie in a moment.
    pub kept: Kept,
    /// Its name in `incoming/`, until it lies there.
    pub part: Option<String>,
}

impl Spool {
    /// Opens the folders below `data_dir`, makes those that are missing, puts in place what the last
    /// server had recorded, and empties `incoming/`.
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
        let mut ledger = Ledger::open(&data_dir.join("sns.db"))?;
        let repaired = finish_what_was_begun(&mut ledger, &incoming, &photos)?;
        for entry in fs::read_dir(&incoming).map_err(disk(&incoming))? {
            let path = entry.map_err(disk(&incoming))?.path();
            let waits = |part: &String| path.file_name().is_some_and(|name| name == part.as_str());
            if !repaired.waiting.iter().any(waits) {
                fs::remove_file(&path).map_err(disk(&path))?;
            }
        }
        sync(data_dir)?;
        Ok(Spool {
            photos,
            incoming,
            next: AtomicU64::new(1),
            repaired,
            ledger: Mutex::new(ledger),
            _lock: lock,
        })
    }

    /// Tells the log what the start has found of a server that did not end by itself.
    pub fn tell_what_was_repaired(&self) {
        for path in &self.repaired.taken_up {
            info!(?path, "taken up: it was whole when the last server ended");
        }
        for path in &self.repaired.forgotten {
            warn!(
                ?path,
                "forgotten: it broke off with the last server, and no camera was told of it"
            );
        }
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

    /// Whether a byte can be written and the ledger read; how many bytes the disk has left.
    ///
    /// # Errors
    /// [`SpoolError`]: what cannot be done.
    pub fn check(&self) -> Result<u64, SpoolError> {
        self.begin()?.write(b"?")?;
        self.lock().check()?;
        self.free_space()
    }

    /// Begins to receive a file.
    ///
    /// # Errors
    /// [`SpoolError::Disk`] if it cannot be made.
    pub fn begin(&self) -> Result<Incoming, SpoolError> {
        let (path, file) = loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let path = self.incoming.join(format!("{number}.part"));
            match File::create_new(&path) {
                Ok(file) => break (path, file),
                // One of the last server's, which waits.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(disk(&path)(error)),
            }
        };
        let temporary = Temporary(path);
        Ok(Incoming { temporary, file, hash: Sha256::new(), length: 0, beginning: Vec::new() })
    }

    /// Keeps whole files of a user and records them with their receipt and where they are to go. When
    /// this returns, all of it is safe.
    ///
    /// # Errors
    /// [`SpoolError`]; then the receipt is not recorded and the camera must not hear of success.
    pub fn keep(
        &self,
        receipt: &Receipt,
        files: Vec<Arrived>,
        onward: &[Onward],
    ) -> Result<(Recorded, Vec<Kept>), SpoolError> {
        // Long files are compared before anybody has to wait for it.
        let lies: Vec<Option<PathBuf>> = files
            .iter()
            .map(|Arrived { whole, .. }| {
                let found = self.lock().find(&receipt.user, &whole.sha256)?;
                Ok(found.filter(|path| {
                    same_content(&whole.temporary.0, &self.photos.join(path)).unwrap_or(false)
                }))
            })
            .collect::<Result<_, SpoolError>>()?;
        let mut ledger = self.lock();
        let folder = self.user_folder(&receipt.user)?;
        let mut records: Vec<FileRecord> = Vec::with_capacity(files.len());
        let mut parts = Vec::new();
        let (mut places, mut twins) = (Places::new(&self.photos, &folder), BTreeMap::new());
        for (Arrived { whole, name_as_sent, media_type }, lies) in files.into_iter().zip(lies) {
            let Whole { temporary, sha256, length, content } = whole;
            let lies = lies.filter(|path| {
                fs::metadata(self.photos.join(path)).is_ok_and(|found| found.len() == length)
            });
            let lies = twins.get(&sha256).cloned().or(lies);
            let (path, known) = match lies {
                Some(path) => (path, true),
                None => places.take(&name_as_sent, length, || Ok(sha256)),
            };
            let kept = Kept { path, length, known, content };
            let part = (!known).then(|| temporary.name());
            parts.extend((!known).then_some(temporary));
            twins.insert(sha256, kept.path.clone());
            records.push(FileRecord { name_as_sent, media_type, sha256, kept, part });
        }
        let recorded = ledger.record(receipt, &records, onward)?;
        if let Err(failure) = self.put_in_place(&mut ledger, &folder, &mut records) {
            if let Err(failure) = ledger.forget(recorded.receipt) {
                error!(%failure, "a record whose files are not in place stays for now");
            }
            return Err(failure);
        }
        drop(parts);
        Ok((recorded, records.into_iter().map(|record| record.kept).collect()))
    }

    /// Renames recorded files from `incoming/` to where they were recorded to be.
    fn put_in_place(
        &self,
        ledger: &mut Ledger,
        folder: &Path,
        records: &mut [FileRecord],
    ) -> Result<(), SpoolError> {
        for FileRecord { name_as_sent, kept, part, .. } in records {
            let Some(part) = part else { continue };
            kept.path =
                rename_to(ledger, &self.incoming, &self.photos, part, &kept.path, name_as_sent)?;
        }
        sync(&self.photos.join(folder))
    }

    /// Works on the ledger while nobody else does.
    ///
    /// # Errors
    /// What the ledger says.
    pub fn with_ledger<T>(
        &self,
        work: impl FnOnce(&mut Ledger) -> Result<T, LedgerError>,
    ) -> Result<T, SpoolError> {
        Ok(work(&mut self.lock())?)
    }

    fn lock(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps sessions for a restart, and that series have ended. `sessions` is asked while nobody else writes, so that what is
    /// kept last is what was true last.
    ///
    /// # Errors
    /// [`SpoolError::Ledger`]; then a restart ends these sessions.
    pub fn remember(
        &self,
        sessions: impl FnOnce() -> Vec<(SessionKey, Option<Session>)>,
        ended: &[SeriesId],
    ) -> Result<(), SpoolError> {
        let mut ledger = self.lock();
        Ok(ledger.remember(&sessions(), ended)?)
    }

    /// The sessions that were live when the last server ended. Series of others have ended.
    ///
    /// # Errors
    /// [`SpoolError::Ledger`] if they cannot be read.
    pub fn sessions(&self) -> Result<Snapshot, SpoolError> {
        let mut ledger = self.lock();
        let snapshot = ledger.sessions()?;
        let live = snapshot.sessions.iter().filter_map(|(_, session)| session.series());
        if let Err(failure) = ledger.end_all_series_but(&live.collect::<Vec<_>>()) {
            error!(%failure, "posts whose sessions are over end when they are quiet");
        }
        Ok(snapshot)
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
}

/// What the last server recorded is put in its place; what is nowhere, no camera was told of.
fn finish_what_was_begun(
    ledger: &mut Ledger,
    incoming: &Path,
    photos: &Path,
) -> Result<Repaired, SpoolError> {
    let mut repaired = Repaired::default();
    let mut lost = Vec::new();
    let on_their_way = ledger.on_their_way()?;
    for (photo, part, path) in &on_their_way {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if incoming.join(part).exists() {
            let placed = rename_to(ledger, incoming, photos, part, path, &name).and_then(|path| {
                sync(photos.join(&path).parent().unwrap_or(photos))?;
                Ok(path)
            });
            match placed {
                Ok(path) => repaired.taken_up.push(path),
                Err(failure) => {
                    repaired.problems.push(failure.to_string());
                    repaired.waiting.push(part.clone());
                }
            }
        } else if !photos.join(path).exists() {
            repaired.forgotten.push(path.clone());
            lost.push(*photo);
        }
    }
    if !on_their_way.is_empty() && repaired.waiting.is_empty() {
        let noted = ledger.all_in_place_but(&lost);
        repaired.problems.extend(noted.err().map(|failure| failure.to_string()));
    }
    Ok(repaired)
}

/// Renames a part to its place, or to the next that is free if a person has put something there; where
/// it lies now.
fn rename_to(
    ledger: &mut Ledger,
    incoming: &Path,
    photos: &Path,
    part: &str,
    path: &Path,
    name: &str,
) -> Result<PathBuf, SpoolError> {
    let from = incoming.join(part);
    let mut path = path.to_owned();
    loop {
        let to = photos.join(&path);
        match rename_new(&from, &to) {
            Ok(()) => return Ok(path),
            Err(Errno::EXIST) => {
                let folder = path.parent().unwrap_or(Path::new("")).to_owned();
                let length = fs::metadata(&from).map_err(disk(&from))?.len();
                let (free, known) =
                    Places::new(photos, &folder).take(name, length, || sha256(&from));
                path = free;
                ledger.moved(part, &path.to_string_lossy())?;
                if known {
                    return Ok(path); // the part goes when incoming/ is emptied
                }
            }
            Err(error) => return Err(disk(&to)(error.into())),
        }
    }
}

fn sync(folder: &Path) -> Result<(), SpoolError> {
    sync_folder(folder).map_err(disk(folder))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Receipt;
    use samsung_sns::endpoint::Site;
    use samsung_sns::gateway::{Purpose, Ticket};
    use samsung_sns::time::UnixTime;

    struct Fixture {
        folder: tempfile::TempDir,
        spool: Spool,
    }

    fn receipt(user: &str) -> Receipt {
        let purpose = Purpose::Upload {
            series: SeriesId(1),
            site: Site::new("facebook"),
            file_name: "a.jpg".into(),
            text: "t".into(),
            media: None,
        };
        let at = UnixTime::from_secs(1);
        Receipt::of(&Ticket { user: user.into(), purpose }, at, at, at)
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
            let arrived = vec![self.arrived(name, bytes)];
            self.spool.keep(&receipt(user), arrived, &[]).unwrap().1.remove(0)
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

    /// Parts without a name all want the same one; it used to be looked for anew for each of them.
    #[test]
    fn nameless_files_get_a_number_each_and_are_kept_once() {
        let fixture = Fixture::new();
        let keep = |from: u32, to: u32| -> Vec<(String, bool)> {
            let parts =
                (from..to).map(|number| fixture.arrived("", format!("{number:04}").as_bytes()));
            let (_, kept) = fixture.spool.keep(&receipt("me"), parts.collect(), &[]).unwrap();
            kept.into_iter().map(|kept| (kept.path.display().to_string(), kept.known)).collect()
        };
        let name = |number: u32| match number {
            1 => "me/photo".to_owned(),
            number => format!("me/photo-{number}"),
        };
        let new = |numbers: std::ops::RangeInclusive<u32>| -> Vec<(String, bool)> {
            numbers.map(|number| (name(number), false)).collect()
        };
        assert_eq!(keep(0, 30), new(1..=30));
        // What a person has put there is known by its bytes, what is free is used.
        let me = fixture.spool.photos().join("me");
        fs::write(me.join("photo-31"), b"0047").unwrap();
        fs::write(me.join("photo-32"), b"longer").unwrap();
        let mut kept = keep(30, 60);
        assert_eq!(kept.remove(17), (name(31), true));
        assert_eq!(kept, new(33..=61));
        // The name of one is the number of another.
        let mixed = vec![fixture.arrived("photo-62", b"a"), fixture.arrived("", b"b")];
        let (_, kept) = fixture.spool.keep(&receipt("me"), mixed, &[]).unwrap();
        let paths: Vec<_> = kept.iter().map(|kept| kept.path.to_str().unwrap()).collect();
        assert_eq!(paths, ["me/photo-62", "me/photo-63"]);
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

    /// Records files as a server does that dies before they are renamed; none of them is anywhere.
    fn record_and_die(fixture: Fixture, names: &[&str]) -> tempfile::TempDir {
        let record = |name: &&str| FileRecord {
            name_as_sent: (*name).to_owned(),
            media_type: "image/jpeg".into(),
            sha256: Sha256::digest(name).into(),
            kept: Kept { path: Path::new("me").join(name), length: 5, known: false, content: None },
            part: Some(format!("{name}.part")),
        };
        let records: Vec<FileRecord> = names.iter().map(record).collect();
        fixture.spool.with_ledger(|l| l.record(&receipt("me"), &records, &[])).unwrap();
        fs::create_dir_all(fixture.spool.photos().join("me")).unwrap();
        fixture.folder
    }

    fn found(spool: &Spool, name: &str) -> Option<PathBuf> {
        spool.with_ledger(|ledger| ledger.find("me", &Sha256::digest(name).into())).unwrap()
    }

    #[test]
    fn what_was_recorded_is_put_in_its_place_by_the_next_start() {
        let folder = record_and_die(Fixture::new(), &["a.jpg", "b.jpg", "c.jpg", "d.jpg"]);
        fs::write(folder.path().join("photos/me/a.jpg"), b"a.jpg").unwrap();
        fs::write(folder.path().join("incoming/b.jpg.part"), b"b.jpg").unwrap();
        fs::write(folder.path().join("incoming/c.jpg.part"), b"c.jpg").unwrap();
        fs::write(folder.path().join("photos/me/c.jpg"), b"a person's").unwrap();
        fs::write(folder.path().join("incoming/d.jpg.part"), b"d.jpg").unwrap();
        fs::write(folder.path().join("photos/me/d.jpg"), b"d.jpg").unwrap();
        let spool = Spool::open(folder.path()).unwrap();
        let fixture = Fixture { folder, spool };
        assert_eq!(fixture.names("photos/me"), ["a.jpg", "b.jpg", "c-2.jpg", "c.jpg", "d.jpg"]);
        assert_eq!(fixture.names("incoming"), Vec::<String>::new());
        assert_eq!(found(&fixture.spool, "a.jpg"), Some("me/a.jpg".into()));
        assert_eq!(found(&fixture.spool, "c.jpg"), Some("me/c-2.jpg".into()));
        // What the owner takes away afterwards is no loss, and no reason to forget.
        fs::remove_file(fixture.folder.path().join("photos/me/a.jpg")).unwrap();
        drop(fixture.spool);
        let spool = Spool::open(fixture.folder.path()).unwrap();
        assert_eq!(found(&spool, "a.jpg"), Some("me/a.jpg".into()));
    }

    #[test]
    fn what_was_recorded_and_is_nowhere_was_never_acknowledged_and_is_forgotten() {
        let folder = record_and_die(Fixture::new(), &["a.jpg"]);
        let spool = Spool::open(folder.path()).unwrap();
        assert_eq!(found(&spool, "a.jpg"), None);
        let fixture = Fixture { folder, spool };
        assert!(!fixture.keep("me", "a.jpg", b"a.jpg").known);
    }

    #[test]
    fn two_equal_files_of_one_email_are_kept_once() {
        let fixture = Fixture::new();
        let files = vec![
            fixture.arrived("a.jpg", b"one"),
            fixture.arrived("a.jpg", b"two"),
            fixture.arrived("b.jpg", b"one"),
        ];
        let (_, kept) = fixture.spool.keep(&receipt("me"), files, &[]).unwrap();
        let paths: Vec<_> = kept.iter().map(|kept| kept.path.to_str().unwrap()).collect();
        assert_eq!(paths, ["me/a.jpg", "me/a-2.jpg", "me/a.jpg"]);
        assert_eq!(fixture.names("photos/me"), ["a-2.jpg", "a.jpg"]);
    }

    #[test]
    fn a_folder_has_one_server() {
        let fixture = Fixture::new();
        assert!(matches!(Spool::open(fixture.folder.path()), Err(SpoolError::InUse(_))));
    }
}
