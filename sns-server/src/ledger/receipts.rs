//! What came when, from whom, under which name, and where it is to go.

use super::outbox::insert_delivery;
use super::{Ledger, LedgerError, millis};
use crate::spool::FileRecord;
use rusqlite::{OptionalExtension, Transaction, params};
use samsung_sns::gateway::{Purpose, Ticket};
use samsung_sns::message::media::Media;
use samsung_sns::session::SeriesId;
use samsung_sns::time::UnixTime;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

/// The same e-mail again within this time is a camera's retry of a lost answer.
const RETRY: Duration = Duration::from_secs(10 * 60);

/// What is recorded of one request that brought files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// When, by the wall clock.
    pub received_at: UnixTime,
    /// When its first byte, or its announce, came, by the steady clock.
    pub began: UnixTime,
    /// When its last byte came, by the steady clock.
    pub whole: UnixTime,
    /// From whom.
    pub user: String,
    /// `email`, or the site.
    pub channel: String,
    /// The files that came under the same text in the same session; an e-mail is its own.
    pub series: Option<SeriesId>,
    /// The sender of an e-mail as it came, display name included.
    pub sender: Option<String>,
    /// The recipients of an e-mail.
    pub recipients: Vec<String>,
    /// The subject of an e-mail, the album or category of an upload.
    pub title: Option<String>,
    /// What the person typed.
    pub text: String,
}

impl Receipt {
    /// The receipt for what a ticket lets in.
    pub fn of(ticket: &Ticket, received_at: UnixTime, began: UnixTime, whole: UnixTime) -> Receipt {
        let receipt = Receipt {
            received_at,
            began,
            whole,
            user: ticket.user.clone(),
            channel: String::new(),
            series: None,
            sender: None,
            recipients: Vec::new(),
            title: None,
            text: String::new(),
        };
        match &ticket.purpose {
            Purpose::Upload { series, site, text, media, .. } => Receipt {
                channel: site.to_string(),
                series: Some(*series),
                title: match media {
                    Some(Media::Photo { album }) => album.clone(),
                    Some(Media::Video { category, .. }) => category.clone(),
                    None => None,
                },
                text: text.clone(),
                ..receipt
            },
            Purpose::Email(email) => Receipt {
                channel: "email".to_owned(),
                sender: Some(email.sender.clone()),
                recipients: email.recipients.clone(),
                title: Some(email.title.clone()),
                text: email.body.clone(),
                ..receipt
            },
            _ => receipt,
        }
    }
}

/// Where a receipt goes on to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Onward {
    /// The destination's name.
    pub destination: String,
    /// The recipients of an e-mail that are routed there.
    pub recipients: Vec<String>,
    /// What an e-mail becomes there; what belongs to a series becomes posts later.
    pub posts: Vec<EmailPost>,
}

/// A post of an e-mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailPost {
    /// Which of the receipt's files, with their alt texts.
    pub files: Vec<(usize, String)>,
    /// Why it waits for a person, if it does.
    pub held: Option<String>,
}

/// What came of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recorded {
    /// The receipt's number, by which the log follows it.
    pub receipt: i64,
    /// Whether it is a camera's retry of what had been recorded before, and goes nowhere again.
    pub again: bool,
}

impl Ledger {
    /// Where the same bytes of the same user lie, if they came before.
    ///
    /// # Errors
    /// [`LedgerError`] if it cannot be read.
    pub fn find(&self, user: &str, sha256: &[u8; 32]) -> Result<Option<PathBuf>, LedgerError> {
        let sql = "SELECT path FROM photo WHERE user = ?1 AND sha256 = ?2 AND kept";
        let found: Option<String> = self.read(|ledger| {
            ledger.query_row(sql, params![user, sha256], |row| row.get(0)).optional()
        })?;
        Ok(found.map(PathBuf::from))
    }

    /// Records a receipt with its files, and where they are to go. When this returns, it survives a
    /// power cut.
    ///
    /// # Errors
    /// [`LedgerError`]; then nothing of it is recorded.
    pub fn record(
        &mut self,
        receipt: &Receipt,
        files: &[FileRecord],
        onward: &[Onward],
    ) -> Result<Recorded, LedgerError> {
        let to_forget = self.to_forget.clone();
        let recorded = self.change(|transaction| {
            to_forget.iter().try_for_each(|earlier| forget(transaction, *earlier))?;
            record(transaction, receipt, files, onward)
        })?;
        self.to_forget.clear();
        Ok(recorded)
    }

    /// Takes back a record, whose files could not be put where they belong.
    ///
    /// # Errors
    /// [`LedgerError`]; then it is taken back before anything else is recorded, or by the next start.
    pub fn forget(&mut self, receipt: i64) -> Result<(), LedgerError> {
        let forgotten = self.change(|transaction| forget(transaction, receipt));
        if forgotten.is_err() {
            self.to_forget.push(receipt);
        }
        forgotten
    }

    /// A photo has got another place than was recorded.
    ///
    /// # Errors
    /// [`LedgerError`] if it cannot be written.
    pub fn moved(&mut self, part: &str, path: &str) -> Result<(), LedgerError> {
        self.change(|transaction| {
            let sql = "UPDATE photo SET path = ?2 WHERE part = ?1";
            transaction.execute(sql, [part, path]).map(drop)
        })
    }

    /// Photos that may not have got to their places when the last server ended: `(id, name in
    /// incoming/, place below photos/)`.
    ///
    /// # Errors
    /// [`LedgerError`] if it cannot be read.
    pub fn on_their_way(&self) -> Result<Vec<(i64, String, PathBuf)>, LedgerError> {
        self.read(|ledger| {
            let mut query =
                ledger.prepare("SELECT id, part, path FROM photo WHERE part IS NOT NULL")?;
            let row = |row: &rusqlite::Row<'_>| {
                Ok((row.get(0)?, row.get(1)?, PathBuf::from(row.get::<_, String>(2)?)))
            };
            query.query_map([], row)?.collect()
        })
    }

    /// Every photo is in its place, but for these, which are nowhere: their requests broke off before
    /// any camera was told of them, and are taken back.
    ///
    /// # Errors
    /// [`LedgerError`] if it cannot be written.
    pub fn all_in_place_but(&mut self, lost: &[i64]) -> Result<(), LedgerError> {
        self.change(|transaction| {
            let last = "SELECT max(receipt) FROM receipt_photo WHERE photo = ?1";
            for photo in lost {
                let receipt: Option<i64> =
                    transaction.query_row(last, [photo], |row| row.get(0))?;
                receipt.map_or(Ok(()), |receipt| forget(transaction, receipt))?;
            }
            all_in_place(transaction)
        })
    }
}

fn all_in_place(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute("UPDATE photo SET part = NULL WHERE part IS NOT NULL", []).map(drop)
}

fn forget(transaction: &Transaction<'_>, receipt: i64) -> rusqlite::Result<()> {
    for sql in [
        "DELETE FROM delivery_file WHERE receipt_photo IN
             (SELECT id FROM receipt_photo WHERE receipt = ?1)",
        // A post that began with it goes on with what else is in it.
        "UPDATE delivery SET receipt = ifnull(
             (SELECT receipt_photo.receipt FROM delivery_file
                  JOIN receipt_photo ON receipt_photo = receipt_photo.id
              WHERE delivery = delivery.id ORDER BY position LIMIT 1), receipt)
         WHERE receipt = ?1",
        "DELETE FROM step WHERE delivery IN (SELECT id FROM delivery WHERE receipt = ?1)",
        "DELETE FROM delivery WHERE receipt = ?1",
        "DELETE FROM receipt_photo WHERE receipt = ?1",
        "DELETE FROM receipt WHERE id = ?1",
    ] {
        transaction.execute(sql, [receipt])?;
    }
    let orphans = "DELETE FROM photo WHERE part IS NOT NULL
                   AND id NOT IN (SELECT photo FROM receipt_photo)";
    transaction.execute(orphans, []).map(drop)
}

fn record(
    transaction: &Transaction<'_>,
    receipt: &Receipt,
    files: &[FileRecord],
    onward: &[Onward],
) -> rusqlite::Result<Recorded> {
    // Who records next has put the files of the last record in their places.
    all_in_place(transaction)?;
    transaction.execute(
        "INSERT INTO receipt (received_at, began_at, whole_at, user, channel, series, sender,
             recipients, title, text)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        params![
            millis(receipt.received_at),
            millis(receipt.began),
            millis(receipt.whole),
            receipt.user,
            receipt.channel,
            receipt.series.map(|series| series.0.cast_signed()),
            receipt.sender,
            receipt.recipients.join("\n"),
            receipt.title,
            receipt.text
        ],
    )?;
    let id = transaction.last_insert_rowid();
    let mut photos = Vec::with_capacity(files.len());
    let mut mentions = Vec::with_capacity(files.len());
    for file in files {
        // The path changes when the file was deleted and came again.
        let photo: i64 = transaction.query_row(
            "INSERT INTO photo (user, sha256, length, path, content, part)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (user, sha256) DO UPDATE
                 SET path = excluded.path, part = ifnull(excluded.part, part), kept = 1
             RETURNING id",
            params![
                receipt.user,
                file.sha256,
                file.kept.length.cast_signed(),
                file.kept.path.to_string_lossy(),
                file.kept.content,
                file.part,
            ],
            |row| row.get(0),
        )?;
        transaction.execute(
            "INSERT INTO receipt_photo (receipt, photo, name_as_sent, media_type)
             VALUES (?1, ?2, ?3, ?4)",
            params![id, photo, file.name_as_sent, file.media_type],
        )?;
        photos.push(photo);
        mentions.push(transaction.last_insert_rowid());
    }
    match receipt.series {
        Some(series) => {
            for Onward { destination, .. } in onward {
                transaction.execute(
                    // Its session may have ended while the file was on its way.
                    "INSERT INTO thread (series, destination, ended) VALUES (?1, ?2, NOT EXISTS
                         (SELECT 1 FROM session
                          WHERE json_extract(state, '$.state.Posting.id') = ?1))
                     ON CONFLICT (series, destination) DO UPDATE SET done = 0",
                    params![series.0.cast_signed(), destination],
                )?;
            }
            Ok(Recorded { receipt: id, again: false })
        }
        None => {
            let before = came_before(transaction, id, receipt, &photos)?;
            let new = onward.iter().filter(|onward| !before.contains(&onward.destination));
            let again = !onward.is_empty() && new.clone().next().is_none();
            for Onward { destination, recipients, posts } in new {
                for EmailPost { files, held } in posts {
                    let files: Vec<(i64, String)> =
                        files.iter().map(|(at, alt)| (mentions[*at], alt.clone())).collect();
                    insert_delivery(
                        transaction,
                        destination,
                        id,
                        recipients,
                        &files,
                        held.as_deref(),
                        receipt.whole,
                    )?;
                }
            }
            Ok(Recorded { receipt: id, again })
        }
    }
}

/// The destinations to which the same sender, recipients, text and files went, or are going, a short
/// time ago, by both clocks: a post too many is the smaller harm.
fn came_before(
    transaction: &Transaction<'_>,
    id: i64,
    receipt: &Receipt,
    photos: &[i64],
) -> rusqlite::Result<BTreeSet<String>> {
    let mut alike = transaction.prepare(
        "SELECT id FROM receipt WHERE id <> ?1 AND whole_at >= ?2 AND series IS NULL AND user = ?3
             AND sender IS ?4 AND recipients IS ?5 AND title IS ?6 AND text = ?7
             AND abs(received_at - ?8) <= ?9",
    )?;
    let retry = i64::try_from(RETRY.as_millis()).unwrap_or(0);
    let since = millis(receipt.whole).saturating_sub(retry);
    let alike = alike.query_map(
        params![
            id,
            since,
            receipt.user,
            receipt.sender,
            receipt.recipients.join("\n"),
            receipt.title,
            receipt.text,
            millis(receipt.received_at),
            retry
        ],
        |row| row.get::<_, i64>(0),
    )?;
    let mut went = transaction.prepare(
        // One that waits for a person and was never tried has lost its files; it would again.
        "SELECT destination FROM delivery WHERE receipt = ?1
         AND (state IN ('waiting', 'delivered') OR state = 'failed' AND attempts = 0)",
    )?;
    let mut destinations = BTreeSet::new();
    let mut files =
        transaction.prepare("SELECT photo FROM receipt_photo WHERE receipt = ?1 ORDER BY id")?;
    for earlier in alike {
        let earlier = earlier?;
        let theirs = files.query_map([earlier], |row| row.get(0))?;
        if theirs.collect::<rusqlite::Result<Vec<i64>>>()? == photos {
            for destination in went.query_map([earlier], |row| row.get(0))? {
                destinations.insert(destination?);
            }
        }
    }
    Ok(destinations)
}
