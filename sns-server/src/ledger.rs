//! What came when, from whom, under which name, and who is logged in: the record beside the files,
//! in SQLite.
//!
//! Law: all SQL of the server is in this file. A record is written after its files are safe and
//! before the camera hears of success, with `synchronous=FULL`: without it WAL loses the last
//! commits of a power cut.

use crate::spool::FileRecord;
use rusqlite::{Connection, OptionalExtension, params};
use samsung_sns::gateway::{Purpose, Ticket};
use samsung_sns::message::media::Media;
use samsung_sns::session::{SeriesId, Session, SessionKey, Snapshot};
use samsung_sns::time::UnixTime;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use tracing::warn;

/// The ledger refused to be read or written.
#[derive(Debug, thiserror::Error)]
#[error("the ledger {path}: {error}")]
pub struct LedgerError {
    path: PathBuf,
    error: rusqlite::Error,
}

/// The open ledger.
#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
    connection: Connection,
}

/// What is recorded of one request that brought files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// When.
    pub received_at: UnixTime,
    /// From whom.
    pub user: String,
    /// `email`, or the site.
    pub channel: String,
    /// The files that came under the same text in the same session; an e-mail is its own.
    pub series: Option<SeriesId>,
    /// The sender of an e-mail as it came, display name included.
    pub sender: Option<String>,
    /// The recipients of an e-mail, one a line.
    pub recipients: Option<String>,
    /// The subject of an e-mail, the album or category of an upload.
    pub title: Option<String>,
    /// What the person typed.
    pub text: String,
}

impl Receipt {
    /// A receipt that says no more than who and when.
    pub fn new(received_at: UnixTime, user: &str) -> Receipt {
        Receipt {
            received_at,
            user: user.to_owned(),
            channel: String::new(),
            series: None,
            sender: None,
            recipients: None,
            title: None,
            text: String::new(),
        }
    }

    /// The receipt for what a ticket lets in.
    pub fn of(ticket: &Ticket, received_at: UnixTime) -> Receipt {
        let receipt = Receipt::new(received_at, &ticket.user);
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
                recipients: Some(email.recipients.join("\n")),
                title: Some(email.title.clone()),
                text: email.body.clone(),
                ..receipt
            },
            _ => receipt,
        }
    }
}

const SCHEMA: &str = "
    CREATE TABLE photo (
        id      INTEGER PRIMARY KEY,
        user    TEXT NOT NULL,
        sha256  BLOB NOT NULL,
        length  INTEGER NOT NULL,
        path    TEXT NOT NULL,       -- below the folder of photos
        content TEXT,                -- media type by its bytes; NULL: no picture or video, not passed on
        UNIQUE (user, sha256)
    );
    CREATE TABLE receipt (
        id          INTEGER PRIMARY KEY,
        received_at INTEGER NOT NULL, -- milliseconds since 1970
        user        TEXT NOT NULL,
        channel     TEXT NOT NULL,    -- 'email' or the site
        series      INTEGER,          -- files of one text in one session
        sender      TEXT,
        recipients  TEXT,             -- one a line
        title       TEXT,
        text        TEXT NOT NULL
    );
    CREATE TABLE receipt_photo (
        receipt      INTEGER NOT NULL REFERENCES receipt (id),
        photo        INTEGER NOT NULL REFERENCES photo (id),
        name_as_sent TEXT NOT NULL,
        media_type   TEXT NOT NULL
    );
    CREATE TABLE session (
        key   TEXT PRIMARY KEY,
        state TEXT NOT NULL           -- JSON of the core's Session
    ) WITHOUT ROWID;
    CREATE INDEX receipt_photo_receipt ON receipt_photo (receipt);
    PRAGMA user_version = 1;
";

impl Ledger {
    /// Opens the ledger, or makes it.
    ///
    /// # Errors
    /// [`LedgerError`] if it cannot be opened or is not ours.
    pub fn open(path: &Path) -> Result<Ledger, LedgerError> {
        let failed = |error| LedgerError { path: path.to_owned(), error };
        // It holds session keys: its owner alone may read it, also where photos are for everyone.
        let _ = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let mut connection = Connection::open(path).map_err(failed)?;
        connection
            .execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
                 PRAGMA cache_size = -512;",
            )
            .map_err(failed)?;
        let version: i64 =
            connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(failed)?;
        if version == 0 {
            let transaction = connection.transaction().map_err(failed)?;
            transaction.execute_batch(SCHEMA).map_err(failed)?;
            transaction.commit().map_err(failed)?;
        }
        Ok(Ledger { path: path.to_owned(), connection })
    }

    /// Where the same bytes of the same user lie, if they came before.
    ///
    /// # Errors
    /// [`LedgerError`] if it cannot be read.
    pub fn find(&self, user: &str, sha256: &[u8; 32]) -> Result<Option<PathBuf>, LedgerError> {
        let path: Option<String> = self
            .connection
            .query_row(
                "SELECT path FROM photo WHERE user = ?1 AND sha256 = ?2",
                params![user, sha256],
                |row| row.get(0),
            )
            .optional()
            .map_err(|error| self.failed(error))?;
        Ok(path.map(PathBuf::from))
    }

    /// Records a receipt with its files. When this returns, it survives a power cut.
    ///
    /// # Errors
    /// [`LedgerError`]; then nothing of it is recorded.
    pub fn record(&mut self, receipt: &Receipt, files: &[FileRecord]) -> Result<(), LedgerError> {
        self.try_record(receipt, files).map_err(|error| self.failed(error))
    }

    fn try_record(&mut self, receipt: &Receipt, files: &[FileRecord]) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        transaction.execute(
            "INSERT INTO receipt (received_at, user, channel, series, sender, recipients, title, text)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                i64::try_from(receipt.received_at.as_millis()).unwrap_or(i64::MAX),
                receipt.user,
                receipt.channel,
                receipt.series.map(|series| i64::try_from(series.0).unwrap_or(i64::MAX)),
                receipt.sender,
                receipt.recipients,
                receipt.title,
                receipt.text
            ],
        )?;
        let receipt_id = transaction.last_insert_rowid();
        for file in files {
            // The path changes when a person deleted the file and it came again.
            let photo_id: i64 = transaction.query_row(
                "INSERT INTO photo (user, sha256, length, path, content)
                 VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (user, sha256) DO UPDATE SET path = excluded.path RETURNING id",
                params![
                    receipt.user,
                    file.sha256,
                    i64::try_from(file.kept.length).unwrap_or(i64::MAX),
                    file.kept.path.to_string_lossy(),
                    file.kept.content
                ],
                |row| row.get(0),
            )?;
            transaction.execute(
                "INSERT INTO receipt_photo (receipt, photo, name_as_sent, media_type)
                 VALUES (?1, ?2, ?3, ?4)",
                params![receipt_id, photo_id, file.name_as_sent, file.media_type],
            )?;
        }
        transaction.commit()
    }

    /// Whether it answers.
    ///
    /// # Errors
    /// [`LedgerError`]: why not.
    pub fn check(&self) -> Result<(), LedgerError> {
        let read = self.connection.query_row("SELECT count(*) FROM session", [], |_| Ok(()));
        read.map_err(|error| self.failed(error))
    }

    /// Keeps sessions as they are now; those that are `None` have ended.
    ///
    /// # Errors
    /// [`LedgerError`]; then a restart ends these sessions.
    pub fn remember(
        &mut self,
        sessions: &[(SessionKey, Option<Session>)],
    ) -> Result<(), LedgerError> {
        let path = self.path.clone();
        let failed = |error| LedgerError { path: path.clone(), error };
        let transaction = self.connection.transaction().map_err(failed)?;
        for (key, session) in sessions {
            let key = key.as_str();
            match session.as_ref().map(serde_json::to_string) {
                Some(Ok(state)) => transaction.execute(
                    "INSERT INTO session (key, state) VALUES (?1, ?2)
                     ON CONFLICT (key) DO UPDATE SET state = excluded.state",
                    params![key, state],
                ),
                _ => transaction.execute("DELETE FROM session WHERE key = ?1", params![key]),
            }
            .map_err(failed)?;
        }
        transaction.commit().map_err(failed)
    }

    /// The sessions that were live when the server ended, however it ended.
    ///
    /// # Errors
    /// [`LedgerError`] if it cannot be read.
    pub fn sessions(&self) -> Result<Snapshot, LedgerError> {
        self.try_sessions().map_err(|error| self.failed(error))
    }

    fn try_sessions(&self) -> rusqlite::Result<Snapshot> {
        let mut query = self.connection.prepare("SELECT key, state FROM session")?;
        let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let mut sessions: Vec<(SessionKey, Session)> = Vec::new();
        for row in rows {
            let (key, state): (String, String) = row?;
            // A row of another version is not worth refusing to start: its camera logs in again.
            match serde_json::from_str(&state) {
                Ok(session) => sessions.push((SessionKey::from_wire(key), session)),
                Err(error) => warn!(%error, "a kept session cannot be read; it has ended"),
            }
        }
        let recorded: Option<i64> =
            self.connection.query_row("SELECT max(series) FROM receipt", [], |row| row.get(0))?;
        let recorded = SeriesId(u64::try_from(recorded.unwrap_or(0)).unwrap_or(0));
        let under_way = sessions.iter().filter_map(|(_, session)| session.series()).max();
        let last_series = recorded.max(under_way.unwrap_or_default());
        Ok(Snapshot { sessions, last_series })
    }

    fn failed(&self, error: rusqlite::Error) -> LedgerError {
        LedgerError { path: self.path.clone(), error }
    }
}
