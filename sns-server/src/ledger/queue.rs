//! The queue as its owner sees and changes it.
//!
//! Law: nothing is removed; what is given up stays, and can be tried again.

use super::{Ledger, LedgerError, time};
use rusqlite::{OptionalExtension, Row, Transaction};
use samsung_sns::time::UnixTime;
use std::path::{Path, PathBuf};

/// A delivery as people see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its number.
    pub delivery: i64,
    /// Where it goes.
    pub destination: String,
    /// What became of it.
    pub state: String,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was received, by the wall clock.
    pub received_at: UnixTime,
    /// Whose it is.
    pub user: String,
    /// `email` or the site.
    pub channel: String,
    /// How many pictures and videos it has.
    pub files: u64,
    /// How many files stay behind, as they are neither.
    pub left_behind: u64,
    /// Where it went, or what went wrong.
    pub said: String,
}

/// A file of a delivery that is not passed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftBehind {
    /// Where it lies.
    pub path: PathBuf,
    /// Its name as sent.
    pub name: String,
    /// The receipt with which it came.
    pub receipt: i64,
}

const LISTED: &str = "SELECT delivery.id, destination, state, attempts, received_at, receipt.user,
    channel, count(photo.content), count(photo.id) - count(photo.content), said
    FROM delivery JOIN receipt ON delivery.receipt = receipt.id
        LEFT JOIN delivery_file ON delivery = delivery.id
        LEFT JOIN receipt_photo ON receipt_photo = receipt_photo.id
        LEFT JOIN photo ON photo = photo.id";

fn listed(row: &Row<'_>) -> rusqlite::Result<Listed> {
    Ok(Listed {
        delivery: row.get(0)?,
        destination: row.get(1)?,
        state: row.get(2)?,
        attempts: row.get(3)?,
        received_at: time(row.get(4)?),
        user: row.get(5)?,
        channel: row.get(6)?,
        files: row.get::<_, i64>(7)?.cast_unsigned(),
        left_behind: row.get::<_, i64>(8)?.cast_unsigned(),
        said: row.get(9)?,
    })
}

impl Ledger {
    /// Deliveries in order: those that are not done yet, or all of them.
    ///
    /// # Errors
    /// [`LedgerError`] if it cannot be read.
    pub fn list(&self, all: bool) -> Result<Vec<Listed>, LedgerError> {
        let which = if all { "" } else { " WHERE state IN ('waiting', 'failed')" };
        self.read(|ledger| {
            let mut query = ledger
                .prepare(&format!("{LISTED}{which} GROUP BY delivery.id ORDER BY delivery.id"))?;
            query.query_map([], listed)?.collect()
        })
    }

    /// One delivery, if there is one of this number.
    ///
    /// # Errors
    /// [`LedgerError`] if it cannot be read.
    pub fn listed(&self, delivery: i64) -> Result<Option<Listed>, LedgerError> {
        let sql = format!("{LISTED} WHERE delivery.id = ?1 GROUP BY delivery.id");
        self.read(|ledger| ledger.query_row(&sql, [delivery], listed).optional())
    }

    /// A person wants these tried again at once; how many there were that waited or had failed or
    /// been dropped. Without numbers: all that failed or wait, but for those that were never tried, as
    /// nothing but words is left of them.
    ///
    /// # Errors
    /// [`LedgerError`] if it cannot be written.
    pub fn retry(&mut self, deliveries: &[i64]) -> Result<usize, LedgerError> {
        self.change(|transaction| {
            let set = "UPDATE delivery SET state = 'waiting', not_before = 0";
            if deliveries.is_empty() {
                let sql =
                    format!("{set} WHERE state = 'waiting' OR state = 'failed' AND attempts > 0");
                return transaction.execute(&sql, []);
            }
            each(transaction, deliveries, &format!("{set} WHERE id = ?1 AND state <> 'delivered'"))
        })
    }

    /// A person gives these up; how many there were that were not delivered.
    ///
    /// # Errors
    /// [`LedgerError`] if it cannot be written.
    pub fn give_up(&mut self, deliveries: &[i64]) -> Result<usize, LedgerError> {
        let sql = "UPDATE delivery SET state = 'dropped' WHERE id = ?1 AND state <> 'delivered'";
        self.change(|transaction| each(transaction, deliveries, sql))
    }

    /// The files of a delivery that are not passed on.
    ///
    /// # Errors
    /// [`LedgerError`] if they cannot be read.
    pub fn left_behind(
        &self,
        delivery: i64,
        photos: &Path,
    ) -> Result<Vec<LeftBehind>, LedgerError> {
        self.read(|ledger| {
            let mut files = ledger.prepare(
                "SELECT path, name_as_sent, receipt
                 FROM delivery_file JOIN receipt_photo ON receipt_photo = receipt_photo.id
                     JOIN photo ON photo = photo.id
                 WHERE delivery = ?1 AND content IS NULL ORDER BY position",
            )?;
            let row = |row: &Row<'_>| {
                let path = photos.join(row.get::<_, String>(0)?);
                Ok(LeftBehind { path, name: row.get(1)?, receipt: row.get(2)? })
            };
            files.query_map([delivery], row)?.collect()
        })
    }
}

fn each(transaction: &Transaction<'_>, rows: &[i64], sql: &str) -> rusqlite::Result<usize> {
    rows.iter().try_fold(0, |done, row| Ok(done + transaction.execute(sql, [row])?))
}
