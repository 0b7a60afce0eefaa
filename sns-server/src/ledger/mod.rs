//! What came when, from whom, under which name, who is logged in, and what is still to be delivered:
//! the record beside the files, in SQLite.
//!
//! Law: all SQL of the server is in this folder. With `synchronous=FULL`, what a method has changed
//! survives a power cut when it returns; without it WAL loses the last commits. A photo is the
//! server's from the moment in which its record is committed.

pub mod outbox;
pub mod queue;
mod receipts;
mod schema;
mod sessions;

pub use receipts::{EmailPost, Onward, Receipt, Recorded};

use rusqlite::{Connection, OpenFlags, Transaction};
use samsung_sns::time::UnixTime;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long to wait for `sns-server queue`, which works on the same file.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why the ledger cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// SQLite refused.
    #[error("the ledger {path}: {error}")]
    Refused {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        error: rusqlite::Error,
    },
    /// It was written by a later version of this program, which may mean something else by it.
    #[error("the ledger {path} is of a newer sns-server (version {version}); start that one")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: i64,
    },
}

/// The open ledger.
#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
    connection: Connection,
    /// Receipts that are to be forgotten, and could not be when it was time.
    to_forget: Vec<i64>,
}

impl Ledger {
    /// Opens the ledger, or makes it.
    ///
    /// # Errors
    /// [`LedgerError`] if it cannot be opened or is not ours.
    pub fn open(path: &Path) -> Result<Ledger, LedgerError> {
        // It holds session keys: its owner alone may read it, also where photos are for everyone.
        let _ = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        Ledger::open_existing(path)
    }

    /// Opens a ledger that is there, beside a server that may be running.
    ///
    /// # Errors
    /// [`LedgerError`] if there is none.
    pub fn open_existing(path: &Path) -> Result<Ledger, LedgerError> {
        let failed = |error| LedgerError::Refused { path: path.to_owned(), error };
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(path, flags).map_err(failed)?;
        connection.busy_timeout(PATIENCE).map_err(failed)?;
        connection
            .execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -512;",
            )
            .map_err(failed)?;
        let version = schema::upgrade(&mut connection).map_err(failed)?;
        if version > schema::VERSION {
            return Err(LedgerError::Newer { path: path.to_owned(), version });
        }
        connection.execute_batch("PRAGMA foreign_keys = ON;").map_err(failed)?;
        Ok(Ledger { path: path.to_owned(), connection, to_forget: Vec::new() })
    }

    /// Whether it answers.
    ///
    /// # Errors
    /// [`LedgerError`]: why not.
    pub fn check(&self) -> Result<(), LedgerError> {
        self.read(|ledger| ledger.query_row("SELECT count(*) FROM session", [], |_| Ok(())))
    }

    /// The latest that the steady clock is known to have shown.
    ///
    /// # Errors
    /// [`LedgerError`] if it cannot be read.
    pub fn last_time(&self) -> Result<UnixTime, LedgerError> {
        let sql = "SELECT max(steady_at, (SELECT ifnull(max(whole_at), 0) FROM receipt),
                       (SELECT ifnull(max(changed_at), 0) FROM delivery)) FROM clock";
        let last: i64 = self.read(|ledger| ledger.query_row(sql, [], |row| row.get(0)))?;
        Ok(time(last))
    }

    /// Remembers what the steady clock shows, so that time goes on after a restart.
    ///
    /// # Errors
    /// [`LedgerError`] if it cannot be written.
    pub fn remember_time(&mut self, now: UnixTime) -> Result<(), LedgerError> {
        self.change(|transaction| {
            transaction.execute("UPDATE clock SET steady_at = ?1", [millis(now)]).map(drop)
        })
    }

    /// A number that changes when somebody else, `sns-server queue`, has written.
    ///
    /// # Errors
    /// [`LedgerError`] if it cannot be read.
    pub fn version(&self) -> Result<i64, LedgerError> {
        self.read(|ledger| ledger.query_row("PRAGMA data_version", [], |row| row.get(0)))
    }

    fn read<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, LedgerError> {
        let path = || self.path.clone();
        work(&self.connection).map_err(|error| LedgerError::Refused { path: path(), error })
    }

    /// Does all of `work` or nothing.
    fn change<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, LedgerError> {
        let work = |connection: &mut Connection| {
            let transaction =
                connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
            let done = work(&transaction)?;
            transaction.commit()?;
            Ok(done)
        };
        let path = self.path.clone();
        work(&mut self.connection).map_err(|error| LedgerError::Refused { path, error })
    }
}

/// A time as it is kept.
fn millis(time: UnixTime) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// A kept time.
fn time(millis: i64) -> UnixTime {
    UnixTime::from_millis(u64::try_from(millis).unwrap_or(0))
}

/// Lines as they are kept.
fn lines(text: &str) -> Vec<String> {
    text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}
