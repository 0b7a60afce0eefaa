//! Files that survive a power cut and never replace one another.
//!
//! Law: what is placed was fsynced before; a name that is taken by something else is left alone,
//! and the next number tried. Folders are fsynced by whoever placed something in them.

use crate::names::numbered;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

/// Where a file has come to lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// Its name in the folder.
    pub name: String,
    /// Whether the same bytes had been there before; then the new file is still where it was.
    pub known: bool,
}

/// Renames a file to the first free name of its kind in a folder of the same file system. The same
/// bytes under one of these names are not placed again.
///
/// # Errors
/// What the system says.
pub fn place(from: &Path, folder: &Path, name: &str) -> io::Result<Placed> {
    for number in 1.. {
        let name = numbered(name, number);
        let to = folder.join(&name);
        match rename_new(from, &to) {
            Ok(()) => return Ok(Placed { name, known: false }),
            // We died between this and what follows it, or a person put it there: once is enough.
            Err(Errno::EXIST) if same_content(from, &to).unwrap_or(false) => {
                return Ok(Placed { name, known: true });
            }
            Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
    }
    unreachable!("numbers do not end before the disk does")
}

/// Renames, but never over something.
///
/// # Errors
/// `EXIST` if something has the name; else what the system says.
pub fn rename_new(from: &Path, to: &Path) -> Result<(), Errno> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Some file systems cannot promise it; we are the only server that writes here.
        Err(Errno::INVAL | Errno::NOSYS) if !to.exists() => {
            fs::rename(from, to).map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))
        }
        Err(Errno::INVAL | Errno::NOSYS) => Err(Errno::EXIST),
        result => result,
    }
}

/// Makes the names in a folder survive a power cut.
///
/// # Errors
/// What the system says.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// The SHA-256 of a file's bytes.
///
/// # Errors
/// It cannot be read.
pub fn sha256(path: &Path) -> io::Result<[u8; 32]> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut piece = vec![0; 64 * 1024];
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(hash.finalize().into()),
            length => hash.update(&piece[..length]),
        }
    }
}

/// Whether two files hold the same bytes; anything but a file does not.
///
/// # Errors
/// One of them cannot be read.
pub fn same_content(a: &Path, b: &Path) -> io::Result<bool> {
    // Most that are not the same are not as long, and need not be opened.
    let theirs = fs::metadata(b)?;
    if fs::metadata(a)?.len() != theirs.len() || !theirs.is_file() {
        return Ok(false);
    }
    let (mut a, mut b) = (File::open(a)?, File::open(b)?);
    let (mut piece_a, mut piece_b) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    loop {
        let length = a.read(&mut piece_a)?;
        if length == 0 {
            return Ok(true);
        }
        b.read_exact(&mut piece_b[..length])?;
        if piece_a[..length] != piece_b[..length] {
            return Ok(false);
        }
    }
}
