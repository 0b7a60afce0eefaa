//! Giving up root.
//!
//! Law: after the ports are bound and before any thread is started, because Linux keeps rights per
//! thread and every thread inherits those of the one that starts it. All of it or nothing: whatever
//! fails ends the server. What is kept is at most the right to bind low ports again.

use nix::unistd::{Gid, User, initgroups, setresgid, setresuid};
use rustix::fs::{Access, access};
use rustix::io::Errno;
use rustix::process::geteuid;
use rustix::thread::{
    CapabilitySet, CapabilitySets, capability_is_in_bounding_set, clear_ambient_capability_set,
    remove_capability_from_bounding_set, set_capabilities, set_keep_capabilities, set_no_new_privs,
};
use std::ffi::CString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Why root is not given up, or nothing can be done without it.
#[derive(Debug, thiserror::Error)]
pub enum PrivilegeError {
    /// Nobody has this name.
    #[error(
        "run_as: this machine has no user {0:?}; make one (useradd --system {0}) or name another"
    )]
    NoSuchUser(String),
    /// Root is not given up by becoming root.
    #[error("run_as: {0:?} is root; name a user of the server's own")]
    IsRoot(String),
    /// Only root can become somebody else.
    #[error(
        "run_as = {run_as:?} needs a start as root, and this is user number {uid}; start it as \
         root, or leave run_as out"
    )]
    NotRoot {
        /// Who is to run it.
        run_as: String,
        /// Who started it.
        uid: u32,
    },
    /// The system refused a step.
    #[error("run_as: cannot {step}: {error}")]
    Step {
        /// What was to be done.
        step: &'static str,
        /// What the system said.
        error: io::Error,
    },
    /// The folder is somebody else's.
    #[error(
        "{path}: {error}; the server runs as {run_as} and needs it: chown -R {run_as}: {data_dir}"
    )]
    NotOurs {
        /// What cannot be used.
        path: PathBuf,
        /// Whose rights the server has.
        run_as: String,
        /// The folder of the configuration.
        data_dir: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

/// Whose rights the server has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rights {
    /// Those of an ordinary user who started it.
    Ordinary,
    /// All of them.
    Root,
    /// Root was given up for this user.
    GivenUp(String),
}

fn step<E: Into<io::Error>>(step: &'static str) -> impl FnOnce(E) -> PrivilegeError {
    move |error| PrivilegeError::Step { step, error: error.into() }
}

/// Becomes `run_as`, if given. A `data_dir` that is not there is made and given to that user; one
/// that is there must be usable. `low_ports`: whether ports below 1024 will have to be bound again.
///
/// # Errors
/// [`PrivilegeError`]; then the server must not go on.
pub fn give_up_root(
    run_as: Option<&str>,
    data_dir: &Path,
    low_ports: bool,
) -> Result<Rights, PrivilegeError> {
    let is_root = geteuid().is_root();
    let Some(name) = run_as else {
        return Ok(if is_root { Rights::Root } else { Rights::Ordinary });
    };
    let user = User::from_name(name).map_err(step("look up the user"))?;
    let user = user.ok_or_else(|| PrivilegeError::NoSuchUser(name.to_owned()))?;
    if user.uid.is_root() {
        return Err(PrivilegeError::IsRoot(name.to_owned()));
    }
    if is_root {
        if !data_dir.exists() {
            fs::create_dir_all(data_dir).map_err(step("make data_dir"))?;
            std::os::unix::fs::chown(data_dir, Some(user.uid.as_raw()), Some(user.gid.as_raw()))
                .map_err(step("give data_dir to the user"))?;
        }
        become_user(&user, low_ports)?;
    } else if geteuid().as_raw() != user.uid.as_raw() {
        let uid = geteuid().as_raw();
        return Err(PrivilegeError::NotRoot { run_as: name.to_owned(), uid });
    }
    is_usable(data_dir, name)?;
    Ok(if is_root { Rights::GivenUp(name.to_owned()) } else { Rights::Ordinary })
}

fn become_user(user: &User, low_ports: bool) -> Result<(), PrivilegeError> {
    let kept = if low_ports { CapabilitySet::NET_BIND_SERVICE } else { CapabilitySet::empty() };
    shrink_bounding_set(kept).map_err(step("bound the capabilities"))?;
    set_keep_capabilities(low_ports).map_err(step("keep a capability"))?;
    let name = CString::new(user.name.as_str()).map_err(step("name the user"))?;
    initgroups(&name, Gid::from_raw(user.gid.as_raw())).map_err(step("change the groups"))?;
    setresgid(user.gid, user.gid, user.gid).map_err(step("change the group"))?;
    setresuid(user.uid, user.uid, user.uid).map_err(step("change the user"))?;
    let none = CapabilitySet::empty();
    let sets = CapabilitySets { effective: kept, permitted: kept, inheritable: none };
    set_capabilities(None, sets).map_err(step("drop the capabilities"))?;
    set_keep_capabilities(false).map_err(step("drop the capabilities"))?;
    clear_ambient_capability_set().map_err(step("drop the capabilities"))?;
    set_no_new_privs(true).map_err(step("renounce new rights"))?;
    let root = nix::unistd::ROOT;
    if setresuid(root, root, root).is_ok() {
        let error = io::Error::other("it could be had back");
        return Err(step("give up root")(error));
    }
    Ok(())
}

/// What is not in the bounding set can never be had again, whatever is executed.
fn shrink_bounding_set(kept: CapabilitySet) -> rustix::io::Result<()> {
    for number in 0..64 {
        let capability = CapabilitySet::from_bits_retain(1 << number);
        match capability_is_in_bounding_set(capability) {
            Ok(true) if kept != capability => remove_capability_from_bounding_set(capability)?,
            Ok(_) => {}
            Err(Errno::INVAL) => break, // the kernel knows no more of them
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Whether the server can use what an earlier one, maybe as another user, has left.
fn is_usable(data_dir: &Path, run_as: &str) -> Result<(), PrivilegeError> {
    let folder = Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK;
    let file = Access::READ_OK | Access::WRITE_OK;
    let below = |name: &str| data_dir.join(name);
    let mut used = vec![(data_dir.to_owned(), folder)];
    used.extend(["photos", "incoming"].map(|name| (below(name), folder)));
    used.extend(["lock", "sns.db", "sns.db-wal", "sns.db-shm"].map(|name| (below(name), file)));
    let users = fs::read_dir(below("photos")).into_iter().flatten().flatten();
    let users = users.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    used.extend(users.map(|entry| (entry.path(), folder)));
    for (path, wanted) in used {
        match access(&path, wanted) {
            // What is missing will be made; what cannot be made says so itself.
            Ok(()) | Err(Errno::NOENT) => {}
            Err(error) => {
                return Err(PrivilegeError::NotOurs {
                    path,
                    run_as: run_as.to_owned(),
                    data_dir: data_dir.to_owned(),
                    error: error.into(),
                });
            }
        }
    }
    Ok(())
}
