//! What is still to be delivered, and what became of what was.
//!
//! Law: a file of a receipt is in at most one delivery for each destination, so that planning again
//! after a crash repeats nothing. What is no picture or video is in its delivery too, if one was still
//! to come, and is not passed on. Deliveries are never removed; a person may drop one.

use super::{Ledger, LedgerError, lines, millis, time};
use crate::destination::{Post, PostFile};
use rusqlite::types::Value;
use rusqlite::{OptionalExtension, Row, Transaction, params};
use samsung_sns::post::Caption;
use samsung_sns::session::SeriesId;
use samsung_sns::time::UnixTime;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A series on its way to a destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thread {
    /// The series.
    pub series: SeriesId,
    /// The destination's name.
    pub destination: String,
    /// Whether nothing more is announced in it.
    pub ended: bool,
    /// What the person typed.
    pub text: String,
}

/// A file of a series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesFile {
    /// Its number: the receipt's mention of it.
    pub mention: i64,
    /// The receipt with which it came.
    pub receipt: i64,
    /// The photo.
    pub photo: i64,
    /// When it began to come.
    pub began: UnixTime,
    /// When it was whole.
    pub whole: UnixTime,
    /// Whether it is in a delivery for the destination that was asked about.
    pub posted: bool,
    /// Whether it is a picture or video by its bytes; nothing else is passed on.
    pub is_media: bool,
}

/// A photo whose deliveries are all done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// The photo.
    pub photo: i64,
    /// Where it was put, below the folder of photos.
    pub path: PathBuf,
    /// Its length in bytes.
    pub length: u64,
    /// SHA-256 of its bytes.
    pub sha256: [u8; 32],
}

/// The delivery that is next at a destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Next {
    /// Its number.
    pub delivery: i64,
    /// How often it was tried.
    pub attempts: u32,
    /// Not sooner than this.
    pub not_before: UnixTime,
}

/// What came of an attempt. `dropped` is another state, into which only a person brings a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It waits for its turn, or for its next attempt.
    Waiting,
    /// It waits for a person.
    Failed,
    /// It was delivered.
    Delivered,
}

impl State {
    /// The state's name, as it is kept and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Waiting => "waiting",
            State::Failed => "failed",
            State::Delivered => "delivered",
        }
    }
}

impl Ledger {
    /// Every series that still has, or may get, files for a destination.
    ///
    /// # Errors
    /// [`LedgerError`] if it cannot be read.
    pub fn threads(&self) -> Result<Vec<Thread>, LedgerError> {
        self.read(|ledger| {
            let mut query = ledger.prepare(
                "SELECT series, destination, ended,
                     (SELECT text FROM receipt WHERE receipt.series = thread.series LIMIT 1)
                 FROM thread WHERE done = 0 ORDER BY series, destination",
            )?;
            let row = |row: &Row<'_>| {
                Ok(Thread {
                    series: SeriesId(row.get::<_, i64>(0)?.cast_unsigned()),
                    destination: row.get(1)?,
                    ended: row.get(2)?,
                    text: row.get::<_, Option<String>>(3)?.unwrap_or_default(),
                })
            };
            query.query_map([], row)?.collect()
        })
    }

    /// The files of a series in the order in which they came.
    ///
    /// # Errors
    /// [`LedgerError`] if it cannot be read.
    pub fn series_files(
        &self,
        series: SeriesId,
        destination: &str,
    ) -> Result<Vec<SeriesFile>, LedgerError> {
        self.read(|ledger| {
            let mut query = ledger.prepare(
                "SELECT mention.id, receipt.id, photo.id, began_at, whole_at,
                     EXISTS (SELECT 1 FROM delivery_file JOIN delivery ON delivery = delivery.id
                             WHERE receipt_photo = mention.id AND destination = ?2),
                     content IS NOT NULL
                 FROM receipt JOIN receipt_photo AS mention ON receipt = receipt.id
                     JOIN photo ON photo = photo.id
                 WHERE series = ?1 ORDER BY mention.id",
            )?;
            let row = |row: &Row<'_>| {
                Ok(SeriesFile {
                    mention: row.get(0)?,
                    receipt: row.get(1)?,
                    photo: row.get(2)?,
                    began: time(row.get(3)?),
                    whole: time(row.get(4)?),
                    posted: row.get(5)?,
                    is_media: row.get(6)?,
                })
            };
            query.query_map(params![series.0.cast_signed(), destination], row)?.collect()
        })
    }

    /// Makes files of a series a delivery: `(mention, alt text)` each, at least one. It waits for a
    /// person if `held` says why.
    ///
    /// # Errors
    /// [`LedgerError`] if it cannot be written.
    pub fn post(
        &mut self,
        destination: &str,
        receipt: i64,
        files: &[(i64, String)],
        held: Option<&str>,
        now: UnixTime,
    ) -> Result<(), LedgerError> {
        self.change(|t| insert_delivery(t, destination, receipt, &[], files, held, now))
    }

    /// Nothing more will come of this series to this destination.
    ///
    /// # Errors
    /// [`LedgerError`] if it cannot be written.
    pub fn thread_is_done(&mut self, thread: &Thread) -> Result<(), LedgerError> {
        let sql = "UPDATE thread SET done = 1 WHERE series = ?1 AND destination = ?2";
        let key = params![thread.series.0.cast_signed(), thread.destination];
        self.change(|transaction| transaction.execute(sql, key).map(drop))
    }

    /// What is next at a destination: what waits longest, whenever it may be tried.
    ///
    /// # Errors
    /// [`LedgerError`] if it cannot be read.
    pub fn next(&self, destination: &str) -> Result<Option<Next>, LedgerError> {
        self.read(|ledger| {
            let mut query = ledger.prepare(
                "SELECT id, attempts, not_before FROM delivery
                 WHERE destination = ?1 AND state = 'waiting' ORDER BY id LIMIT 1",
            )?;
            let row = |row: &Row<'_>| {
                let not_before = time(row.get(2)?);
                Ok(Next { delivery: row.get(0)?, attempts: row.get(1)?, not_before })
            };
            query.query_row([destination], row).optional()
        })
    }

    /// A delivery's post as its destination gets it, and the receipt it began with.
    ///
    /// # Errors
    /// [`LedgerError`] if it cannot be read.
    pub fn delivery(&self, delivery: i64, photos: &Path) -> Result<(i64, Post), LedgerError> {
        self.read(|ledger| {
            let (receipt, mut post) = ledger.query_row(
                "SELECT receipt.id, post, received_at, user, channel, sender, delivery.recipients,
                     title, text
                 FROM delivery JOIN receipt ON receipt = receipt.id WHERE delivery.id = ?1",
                [delivery],
                |row| {
                    let typed: String = row.get(8)?;
                    let post = Post {
                        id: row.get(1)?,
                        received_at: time(row.get(2)?),
                        user: row.get(3)?,
                        channel: row.get(4)?,
                        sender: row.get(5)?,
                        recipients: lines(&row.get::<_, String>(6)?),
                        title: row.get(7)?,
                        text: Caption::read(&typed).text,
                        typed,
                        camera: None,
                        files: Vec::new(),
                    };
                    Ok((row.get(0)?, post))
                },
            )?;
            let mut files = ledger.prepare(
                "SELECT path, name_as_sent, content, length, sha256, alt_text
                 FROM delivery_file JOIN receipt_photo ON receipt_photo = receipt_photo.id
                     JOIN photo ON photo = photo.id
                 WHERE delivery = ?1 AND content IS NOT NULL ORDER BY position",
            )?;
            let row = |row: &Row<'_>| {
                Ok(PostFile {
                    path: photos.join(row.get::<_, String>(0)?),
                    name: row.get(1)?,
                    media_type: row.get(2)?,
                    length: row.get::<_, i64>(3)?.cast_unsigned(),
                    sha256: row.get(4)?,
                    alt_text: row.get(5)?,
                })
            };
            post.files = files.query_map([delivery], row)?.collect::<rusqlite::Result<_>>()?;
            Ok((receipt, post))
        })
    }

    /// The steps of a delivery that were done.
    ///
    /// # Errors
    /// [`LedgerError`] if they cannot be read.
    pub fn steps(&self, delivery: i64) -> Result<BTreeMap<String, String>, LedgerError> {
        self.read(|ledger| {
            let mut query = ledger.prepare("SELECT name, value FROM step WHERE delivery = ?1")?;
            query.query_map([delivery], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        })
    }

    /// A step of a delivery was done.
    ///
    /// # Errors
    /// [`LedgerError`] if it cannot be kept.
    pub fn note_step(&mut self, delivery: i64, name: &str, value: &str) -> Result<(), LedgerError> {
        let sql = "INSERT INTO step (delivery, name, value) VALUES (?1, ?2, ?3)
                   ON CONFLICT (delivery, name) DO UPDATE SET value = excluded.value";
        self.change(|t| t.execute(sql, params![delivery, name, value]).map(drop))
    }

    /// An attempt begins. Where this cannot be kept, what comes of it could not be either.
    ///
    /// # Errors
    /// [`LedgerError`] if it cannot be kept.
    pub fn attempt(&mut self, delivery: i64) -> Result<(), LedgerError> {
        let sql = "UPDATE delivery SET attempts = attempts + 1 WHERE id = ?1";
        self.change(|transaction| transaction.execute(sql, [delivery]).map(drop))
    }

    /// What came of an attempt. What a person has dropped meanwhile stays dropped, unless it was
    /// delivered.
    ///
    /// # Errors
    /// [`LedgerError`] if it cannot be kept.
    pub fn attempted(
        &mut self,
        delivery: i64,
        state: State,
        said: &str,
        not_before: UnixTime,
        now: UnixTime,
    ) -> Result<(), LedgerError> {
        let sql = "UPDATE delivery SET state = ?2, said = ?3, not_before = ?4, changed_at = ?5
                   WHERE id = ?1 AND (state = 'waiting' OR ?2 = 'delivered')";
        let values = params![delivery, state.as_str(), said, millis(not_before), millis(now)];
        self.change(|transaction| transaction.execute(sql, values).map(drop))
    }

    /// Everything that waits may be tried at once: after a start nobody knows why it waited.
    ///
    /// # Errors
    /// [`LedgerError`] if it cannot be written.
    pub fn try_all_at_once(&mut self) -> Result<(), LedgerError> {
        let sql = "UPDATE delivery SET not_before = 0 WHERE state = 'waiting' AND not_before > 0";
        self.change(|transaction| transaction.execute(sql, []).map(drop))
    }

    /// How many deliveries wait, and how many failed, at each destination that has any.
    ///
    /// # Errors
    /// [`LedgerError`] if it cannot be read.
    pub fn lengths(&self) -> Result<BTreeMap<String, (u64, u64)>, LedgerError> {
        self.read(|ledger| {
            let mut query = ledger.prepare(
                "SELECT destination, sum(state = 'waiting'), sum(state = 'failed') FROM delivery
                 WHERE state IN ('waiting', 'failed') GROUP BY destination",
            )?;
            let count = |row: &Row<'_>, at| row.get::<_, i64>(at).map(i64::cast_unsigned);
            query
                .query_map([], |row| Ok((row.get(0)?, (count(row, 1)?, count(row, 2)?))))?
                .collect()
        })
    }

    /// Photos that need not be kept any longer: they came and their deliveries were done before
    /// `before`, there was one, and nothing more is to come of them. All of them, or this one if it
    /// is one.
    ///
    /// # Errors
    /// [`LedgerError`] if it cannot be read.
    pub fn delivered_photos(
        &self,
        before: UnixTime,
        only: Option<i64>,
    ) -> Result<Vec<Delivered>, LedgerError> {
        self.read(|ledger| {
            // Two queries: one that serves both finds no index.
            let which = if only.is_some() { "photo.id = ?2" } else { "?2 IS NULL" };
            let mut query = ledger.prepare(&format!(
                "SELECT photo.id, path, photo.length, sha256 FROM photo
                     JOIN receipt_photo ON photo = photo.id
                     JOIN delivery_file ON receipt_photo = receipt_photo.id
                     JOIN delivery ON delivery = delivery.id
                 WHERE kept AND content IS NOT NULL AND {which} AND NOT EXISTS (
                     SELECT 1 FROM receipt_photo AS other JOIN receipt ON other.receipt = receipt.id
                         LEFT JOIN thread ON thread.series = receipt.series
                     WHERE other.photo = photo.id AND (thread.done = 0 OR whole_at > ?1))
                 GROUP BY photo.id
                 HAVING min(state = 'delivered') = 1 AND max(changed_at) <= ?1"
            ))?;
            let row = |row: &Row<'_>| {
                Ok(Delivered {
                    photo: row.get(0)?,
                    path: PathBuf::from(row.get::<_, String>(1)?),
                    length: row.get::<_, i64>(2)?.cast_unsigned(),
                    sha256: row.get(3)?,
                })
            };
            query.query_map(params![millis(before), only], row)?.collect()
        })
    }

    /// A photo's file is gone.
    ///
    /// # Errors
    /// [`LedgerError`] if it cannot be written.
    pub fn gone(&mut self, photo: i64) -> Result<(), LedgerError> {
        self.change(|t| t.execute("UPDATE photo SET kept = 0 WHERE id = ?1", [photo]).map(drop))
    }
}

/// A new delivery; it waits for a person if `held` says why.
pub(super) fn insert_delivery(
    transaction: &Transaction<'_>,
    destination: &str,
    receipt: i64,
    recipients: &[String],
    files: &[(i64, String)],
    held: Option<&str>,
    now: UnixTime,
) -> rusqlite::Result<()> {
    let state = if held.is_some() { State::Failed } else { State::Waiting };
    transaction.execute(
        // A random UUID: version 4, and one of its four variants.
        "INSERT INTO delivery (post, destination, receipt, recipients, state, said, changed_at)
         SELECT substr(hex, 1, 8) || '-' || substr(hex, 9, 4) || '-4' || substr(hex, 14, 3) || '-a'
             || substr(hex, 18, 3) || '-' || substr(hex, 21, 12), ?1, ?2, ?3, ?4, ?5, ?6
         FROM (SELECT lower(hex(randomblob(16))) AS hex)",
        params![
            destination,
            receipt,
            recipients.join("\n"),
            state.as_str(),
            held.unwrap_or_default(),
            millis(now)
        ],
    )?;
    let delivery = transaction.last_insert_rowid();
    for (position, (mention, alt_text)) in files.iter().enumerate() {
        let position = Value::Integer(i64::try_from(position).unwrap_or(i64::MAX));
        transaction.execute(
            "INSERT INTO delivery_file (delivery, position, receipt_photo, alt_text)
             VALUES (?1, ?2, ?3, ?4)",
            params![delivery, position, mention, alt_text],
        )?;
    }
    Ok(())
}
