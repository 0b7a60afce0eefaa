//! What cameras were told, and whether the server's folder agrees.
//!
//! Law: an acknowledged photo is below `photos/<user>/` with every byte, and the ledger knows it
//! under its name as sent; below `photos/` is nothing that no camera has sent to its last byte;
//! what the ledger points to is there. Files that have not changed since they were compared are not
//! read again before the last check, which reads all.

use crate::camera::Named;
use crate::photo::{Photo, sha256};
use rusqlite::{Connection, OpenFlags};
use sns_server::names::user_folder;
use std::collections::{HashMap, HashSet};
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

type Hash = [u8; 32];
type Kept = HashMap<(String, Hash), Vec<PathBuf>>;

/// What the cameras know.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    told: Mutex<Told>,
    pub(crate) acknowledged: AtomicU64,
}

#[derive(Debug, Default)]
struct Told {
    /// By folder of the user and hash: what was sent to its last byte.
    sent: HashMap<(String, Hash), Photo>,
    /// User, hash, and name as sent.
    acknowledged: HashSet<(String, Hash, String)>,
}

impl Journal {
    /// Notes a request that was sent whole, and whether it was acknowledged.
    pub(crate) fn note(&self, user: &str, files: &[Named], acknowledged: bool) {
        if acknowledged {
            self.acknowledged.fetch_add(files.len() as u64, Ordering::SeqCst);
        }
        for (name, photo) in files {
            let hash = sha256(photo.open()).unwrap();
            let mut told = self.told.lock().unwrap();
            told.sent.insert((user_folder(user), hash), *photo);
            if acknowledged {
                told.acknowledged.insert((user.to_owned(), hash, name.clone()));
            }
        }
    }
}

/// What a check has found.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) lost: u64,
    pub(crate) half: u64,
    /// Complete, but not acknowledged: the kill came between the last byte and the answer. Of all
    /// checks; most are sent again and acknowledged then.
    pub(crate) unacknowledged: usize,
    /// Of these, those that were not recorded either: it came between rename and record.
    pub(crate) unrecorded: usize,
    /// The same bytes of the same user under a second name.
    pub(crate) twice: usize,
    pub(crate) problems: Vec<String>,
}

/// The server's folder, which of its files have been compared, and what was seen there.
#[derive(Debug)]
pub(crate) struct Folder {
    data: PathBuf,
    compared: HashMap<PathBuf, (Stamp, Hash)>,
    unacknowledged: HashSet<(String, Hash)>,
    unrecorded: HashSet<(String, Hash)>,
}

/// Whoever writes to a file changes one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    length: u64,
    changed: (i64, i64),
}

impl Stamp {
    fn of(metadata: &Metadata) -> Stamp {
        Stamp {
            inode: metadata.ino(),
            length: metadata.len(),
            changed: (metadata.mtime(), metadata.mtime_nsec()),
        }
    }
}

impl Folder {
    pub(crate) fn new(data: PathBuf) -> Folder {
        let (unacknowledged, unrecorded) = (HashSet::new(), HashSet::new());
        Folder { data, compared: HashMap::new(), unacknowledged, unrecorded }
    }

    /// How many files lie in `incoming/`.
    pub(crate) fn incoming(&self) -> usize {
        fs::read_dir(self.data.join("incoming")).map_or(0, Iterator::count)
    }

    /// Forgets what was compared: the next check reads every file.
    pub(crate) fn forget(&mut self) {
        self.compared.clear();
    }

    /// Looks for half photos, while no server runs: nobody has mended anything yet.
    pub(crate) fn check_files(&mut self, journal: &Journal) -> Result<Findings, String> {
        let mut findings = Findings::default();
        self.kept(&journal.told.lock().unwrap(), &mut findings)?;
        Ok(findings)
    }

    /// Compares the folder with the journal after a start, while no camera sends.
    pub(crate) fn check(&mut self, journal: &Journal) -> Result<Findings, String> {
        let told = journal.told.lock().unwrap();
        let mut findings = Findings::default();
        let incoming = self.incoming();
        if incoming > 0 {
            findings.problems.push(format!("incoming/ holds {incoming} files after a start"));
        }
        let kept = self.kept(&told, &mut findings)?;
        let ledger = self.ledger().map_err(|error| format!("sns.db: {error}"))?;
        for (user, hash, name) in &told.acknowledged {
            let folder = user_folder(user);
            let photo = told.sent[&(folder.clone(), *hash)];
            if !kept.contains_key(&(folder, *hash)) {
                findings.lost += 1;
                let problem = format!("lost: {name:?} of {user}, {photo:?}, was acknowledged");
                findings.problems.push(problem);
            }
            if !ledger.names.contains(&(user.clone(), *hash, name.clone())) {
                findings.lost += 1;
                let problem = format!("not in sns.db: {name:?} of {user}, {photo:?}, acknowledged");
                findings.problems.push(problem);
            }
        }
        for (path, user, hash) in &ledger.paths {
            let at = kept.get(&(user_folder(user), *hash));
            let path = self.data.join("photos").join(path);
            if !at.is_some_and(|paths| paths.contains(&path)) {
                let path = path.display();
                findings.problems.push(format!("sns.db says {path}, which is not what it says"));
            }
        }
        let acknowledged: HashSet<_> =
            told.acknowledged.iter().map(|(user, hash, _)| (user_folder(user), *hash)).collect();
        let recorded: HashSet<_> =
            ledger.paths.iter().map(|(_, user, hash)| (user_folder(user), *hash)).collect();
        let kept_but = |known: &HashSet<_>| {
            kept.keys().filter(|key| !known.contains(*key)).cloned().collect::<Vec<_>>()
        };
        self.unacknowledged.extend(kept_but(&acknowledged));
        self.unrecorded.extend(kept_but(&recorded));
        findings.unacknowledged = self.unacknowledged.len();
        findings.unrecorded = self.unrecorded.len();
        findings.twice = kept.values().map(|paths| paths.len() - 1).sum();
        Ok(findings)
    }

    /// The paths of all whole photos, by folder and hash; the others are findings.
    fn kept(&mut self, told: &Told, findings: &mut Findings) -> Result<Kept, String> {
        let mut kept = Kept::new();
        for (folder, path) in self.files().map_err(|error| format!("photos/: {error}"))? {
            let compared = self.compare(told, &folder, &path);
            match compared.map_err(|error| format!("{}: {error}", path.display()))? {
                Ok(hash) => kept.entry((folder, hash)).or_default().push(path),
                Err(problem) => {
                    findings.half += 1;
                    findings.problems.push(problem);
                }
            }
        }
        Ok(kept)
    }

    /// Whether all that one user was told is kept is there, whatever others have sent.
    pub(crate) fn check_user(&mut self, journal: &Journal, user: &str) -> Result<(), String> {
        let told = journal.told.lock().unwrap();
        let folder = self.data.join("photos").join(user_folder(user));
        for (_, _, name) in told.acknowledged.iter().filter(|(of, _, _)| of == user) {
            let path = folder.join(name);
            self.compare(&told, &user_folder(user), &path)
                .map_err(|error| format!("lost: {}: {error}", path.display()))??;
        }
        Ok(())
    }

    /// All files, with the name of the folder they lie in.
    fn files(&self) -> io::Result<Vec<(String, PathBuf)>> {
        let mut files = Vec::new();
        for folder in fs::read_dir(self.data.join("photos"))? {
            let folder = folder?;
            for file in fs::read_dir(folder.path())? {
                files.push((folder.file_name().to_string_lossy().into_owned(), file?.path()));
            }
        }
        Ok(files)
    }

    /// The hash of a file that some camera has sent whole; otherwise what is wrong with it.
    fn compare(
        &mut self,
        told: &Told,
        folder: &str,
        path: &Path,
    ) -> io::Result<Result<Hash, String>> {
        let stamp = Stamp::of(&fs::metadata(path)?);
        if let Some((compared, hash)) = self.compared.get(path)
            && *compared == stamp
        {
            return Ok(Ok(*hash));
        }
        let hash = sha256(File::open(path)?)?;
        let (shown, length) = (path.display(), stamp.length);
        let Some(photo) = told.sent.get(&(folder.to_owned(), hash)) else {
            return Ok(Err(format!(
                "half: {shown}, {length} bytes, is no photo that was sent whole"
            )));
        };
        if let Some(offset) = photo.differs_from(path)? {
            return Ok(Err(format!("half: {shown} differs from {photo:?} at byte {offset}")));
        }
        self.compared.insert(path.to_owned(), (stamp, hash));
        Ok(Ok(hash))
    }

    fn ledger(&self) -> rusqlite::Result<LedgerRows> {
        let path = self.data.join("sns.db");
        let ledger = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let mut query = ledger.prepare(
            "SELECT photo.user, photo.sha256, photo.path, receipt_photo.name_as_sent
             FROM receipt_photo JOIN photo ON photo.id = receipt_photo.photo",
        )?;
        let mut rows = query.query([])?;
        let mut read = LedgerRows::default();
        while let Some(row) = rows.next()? {
            let (user, hash): (String, Hash) = (row.get(0)?, row.get(1)?);
            read.paths.insert((row.get(2)?, user.clone(), hash));
            read.names.insert((user, hash, row.get(3)?));
        }
        let health: String = ledger.query_row("PRAGMA quick_check", [], |row| row.get(0))?;
        if health != "ok" {
            return Err(rusqlite::Error::InvalidParameterName(health));
        }
        Ok(read)
    }
}

#[derive(Debug, Default)]
struct LedgerRows {
    /// User, hash, name as sent.
    names: HashSet<(String, Hash, String)>,
    /// Path, user, hash.
    paths: HashSet<(String, String, Hash)>,
}
