//! Where new files of a user may lie: the first free name of their kind.
//!
//! Law: what lies in the folder is looked at once for all files that come together, and read only where
//! it is as long as one of them: two thousand parts without a name are two thousand looks.

use crate::disk::sha256;
use crate::names::{file_name_on_disk, numbered};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The places of a user's folder, as they are taken one after the other.
#[derive(Debug)]
pub(super) struct Places<'a> {
    photos: &'a Path,
    folder: &'a Path,
    taken: BTreeSet<PathBuf>,
    kinds: BTreeMap<String, Kind>,
}

/// What lies under a name and its numbers.
#[derive(Debug)]
struct Kind {
    next: u64,
    by_length: BTreeMap<u64, Equals>,
}

/// Files of the same length.
#[derive(Debug, Default)]
struct Equals {
    unread: Vec<PathBuf>,
    by_hash: BTreeMap<[u8; 32], PathBuf>,
}

impl<'a> Places<'a> {
    /// Those of a folder below `photos`.
    pub(super) fn new(photos: &'a Path, folder: &'a Path) -> Places<'a> {
        Places { photos, folder, taken: BTreeSet::new(), kinds: BTreeMap::new() }
    }

    /// The first free place for a file of this name as sent, from now on taken, or one under which the
    /// same bytes lie, and whether it is that. The hash is asked for only where the length is the same.
    pub(super) fn take(
        &mut self,
        sent: &str,
        length: u64,
        hash: impl FnOnce() -> io::Result<[u8; 32]>,
    ) -> (PathBuf, bool) {
        let name = file_name_on_disk(sent);
        let kind = self.kinds.entry(name.clone()).or_insert_with(|| {
            let mut kind = Kind { next: 1, by_length: BTreeMap::new() };
            kind.look(self.photos, self.folder, &name);
            kind
        });
        // A person put it there, or the ledger was lost: it is kept once.
        let equals = kind.by_length.get_mut(&length);
        if let Some(same) = equals.and_then(|equals| equals.find(self.photos, &hash().ok()?)) {
            return (same, true);
        }
        loop {
            let path = self.folder.join(numbered(&name, kind.next));
            if self.taken.contains(&path) {
                kind.next += 1;
                continue;
            }
            // Another name may have taken its places since.
            match fs::symlink_metadata(self.photos.join(&path)) {
                Ok(_) => kind.look(self.photos, self.folder, &name),
                Err(_) => {
                    kind.next += 1;
                    self.taken.insert(path.clone());
                    return (path, false);
                }
            }
        }
    }
}

impl Kind {
    /// Looks at what lies there from the next number on, up to the first that is free.
    fn look(&mut self, photos: &Path, folder: &Path, name: &str) {
        loop {
            let path = folder.join(numbered(name, self.next));
            let place = photos.join(&path);
            if fs::symlink_metadata(&place).is_err() {
                return;
            }
            if let Ok(found) = fs::metadata(&place)
                && found.is_file()
            {
                self.by_length.entry(found.len()).or_default().unread.push(path);
            }
            self.next += 1;
        }
    }
}

impl Equals {
    /// The one with these bytes; each is read once.
    fn find(&mut self, photos: &Path, hash: &[u8; 32]) -> Option<PathBuf> {
        for path in std::mem::take(&mut self.unread) {
            if let Ok(theirs) = sha256(&photos.join(&path)) {
                self.by_hash.entry(theirs).or_insert(path);
            }
        }
        self.by_hash.get(hash).cloned()
    }
}
