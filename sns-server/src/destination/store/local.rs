//! A folder of this machine.
//!
//! Law: a file is written beside its place under a hidden name, fsynced, renamed without ever
//! replacing something, and its folders fsynced; what breaks off leaves no half file under a name
//! that people see, and the next attempt clears the hidden one.

use super::Content;
use super::template::Place;
use crate::destination::Fault;
use crate::destination::apart::apart;
use crate::destination::upload::Source;
use crate::disk::{place, sync_folder};
use rustix::fs::statvfs;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// A store that is a folder.
#[derive(Debug, Clone)]
pub(super) struct Local {
    folder: PathBuf,
}

impl Local {
    pub(super) fn new(folder: PathBuf) -> Local {
        Local { folder }
    }

    /// Puts something at its place or, where another has it, at the next number; says where.
    /// `mark` is the same at each attempt, and no other's.
    pub(super) async fn put(
        &self,
        at: Place,
        content: &Content,
        mark: &str,
    ) -> Result<Place, Fault> {
        let mut folder = self.folder.clone();
        folder.extend(&at.folders);
        let shown = folder.join(&at.name).display().to_string();
        let (root, source) = (self.folder.clone(), content.source.clone());
        let temporary = folder.join(format!(".sns-{mark}.part"));
        blocking(&shown, move || {
            let name = put(&root, &folder, &at.name, &source, &temporary)?;
            Ok(Place { name, ..at })
        })
        .await
    }

    /// What people call a place.
    pub(super) fn show(&self, at: &Place) -> String {
        let mut path = self.folder.clone();
        path.extend(&at.folders);
        path.join(&at.name).display().to_string()
    }

    /// Writes a file and removes it.
    pub(super) async fn probe(&self) -> Result<String, Fault> {
        let folder = self.folder.clone();
        let shown = folder.display().to_string();
        let free = blocking(&shown, move || {
            fs::create_dir_all(&folder)?;
            let temporary = Temporary(folder.join(".sns-probe.part"));
            write(&temporary.0, &Source::Bytes(b"probe".as_slice().into()))?;
            let state = statvfs(&folder)?;
            Ok(state.f_bavail.saturating_mul(state.f_frsize))
        })
        .await?;
        Ok(format!("{shown} can be written, {} free", bytesize::ByteSize(free)))
    }
}

/// Gone when this is dropped, unless it was renamed.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        // Renamed files are no longer there.
        let _ = fs::remove_file(&self.0);
    }
}

fn put(
    root: &Path,
    folder: &Path,
    name: &str,
    source: &Source,
    temporary: &Path,
) -> io::Result<String> {
    fs::create_dir_all(folder)?;
    let temporary = Temporary(temporary.to_owned());
    write(&temporary.0, source)?;
    let placed = place(&temporary.0, folder, name)?;
    // Also those that were there: whoever made them may have died before this.
    for folder in folder.ancestors().take_while(|folder| folder.starts_with(root)) {
        sync_folder(folder)?;
    }
    // The store itself may be new; what is above it we may not be allowed to open.
    let _ = root.parent().map(sync_folder);
    Ok(placed.name)
}

fn write(path: &Path, source: &Source) -> io::Result<()> {
    // Left by a crash, and never a link that leads elsewhere.
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = File::create_new(path)?;
    match source {
        Source::Bytes(bytes) => file.write_all(bytes)?,
        // The kernel copies, or shares the blocks where the file system can.
        Source::File(path) => {
            io::copy(&mut File::open(path)?, &mut file)?;
        }
    }
    file.sync_all()
}

/// Does what blocks; what the system says of it becomes a fault.
async fn blocking<T: Send + 'static>(
    shown: &str,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Fault> {
    apart(work).await.map_err(|error| fault(shown, &error))
}

/// A full or absent disk comes back; what is not allowed needs a person.
fn fault(shown: &str, error: &io::Error) -> Fault {
    let message = format!("{shown}: {error}");
    match error.kind() {
        ErrorKind::PermissionDenied => Fault::permanent(format!(
            "{message}; give the server's user the right to write there, then retry"
        )),
        ErrorKind::NotADirectory | ErrorKind::InvalidFilename => Fault::permanent(message),
        // The folders are made, so it is the photo itself.
        ErrorKind::NotFound => Fault::permanent(format!("{message}; is the photo itself gone?")),
        _ => Fault::transient(message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::destination::FaultKind;
    use rustix::io::Errno;

    #[test]
    fn a_full_disk_is_tried_again_and_a_forbidden_one_is_not() {
        for (errno, transient) in [
            (Errno::NOSPC, true),
            (Errno::DQUOT, true),
            (Errno::IO, true),
            (Errno::ROFS, true),
            (Errno::STALE, true),
            (Errno::ACCESS, false),
            (Errno::PERM, false),
            (Errno::NOTDIR, false),
            (Errno::NAMETOOLONG, false),
        ] {
            let fault = fault("/srv/photos/a.jpg", &errno.into());
            let is_transient = matches!(fault.kind, FaultKind::Transient { .. });
            assert_eq!(is_transient, transient, "{errno:?}: {fault}");
            assert!(fault.message.starts_with("/srv/photos/a.jpg: "));
        }
    }
}
