//! The tables, and how older ones become today's.
//!
//! Law: a version that was on somebody's stick is never changed here; what is new is a further step.
//! Times of `…_at` columns are milliseconds. `received_at` is the wall clock's, for people; all
//! others are the steady clock's, which never jumps.

use rusqlite::{Connection, TransactionBehavior};

/// Each step makes the tables of one version more.
const STEPS: [&str; 2] = [
    "
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
        received_at INTEGER NOT NULL, -- since 1970
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
    ",
    "
    ALTER TABLE photo ADD COLUMN part TEXT;   -- still under this name in incoming/, if it is there
    ALTER TABLE photo ADD COLUMN kept INTEGER NOT NULL DEFAULT 1; -- 0: gone after its deliveries
    ALTER TABLE receipt ADD COLUMN began_at INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE receipt ADD COLUMN whole_at INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE receipt_photo RENAME TO receipt_photo_1;
    CREATE TABLE receipt_photo (
        id           INTEGER PRIMARY KEY,
        receipt      INTEGER NOT NULL REFERENCES receipt (id),
        photo        INTEGER NOT NULL REFERENCES photo (id),
        name_as_sent TEXT NOT NULL,
        media_type   TEXT NOT NULL
    );
    INSERT INTO receipt_photo (receipt, photo, name_as_sent, media_type)
        SELECT receipt, photo, name_as_sent, media_type FROM receipt_photo_1;
    DROP TABLE receipt_photo_1;
    CREATE INDEX receipt_photo_receipt ON receipt_photo (receipt);
    CREATE INDEX receipt_photo_photo ON receipt_photo (photo);
    CREATE INDEX photo_part ON photo (part) WHERE part IS NOT NULL;
    CREATE INDEX receipt_series ON receipt (series) WHERE series IS NOT NULL;
    CREATE INDEX receipt_whole_at ON receipt (whole_at);

    CREATE TABLE thread (             -- a series on its way to a destination
        series      INTEGER NOT NULL,
        destination TEXT NOT NULL,
        ended       INTEGER NOT NULL DEFAULT 0,
        done        INTEGER NOT NULL DEFAULT 0, -- 1: ended, and every file is in a delivery
        PRIMARY KEY (series, destination)
    ) WITHOUT ROWID;
    CREATE INDEX thread_open ON thread (series) WHERE done = 0;
    CREATE TABLE delivery (           -- a post for a destination
        id          INTEGER PRIMARY KEY,
        post        TEXT NOT NULL UNIQUE,       -- a UUID, by which the peer recognises a retry
        destination TEXT NOT NULL,
        receipt     INTEGER NOT NULL REFERENCES receipt (id), -- the first of it
        recipients  TEXT NOT NULL,              -- those of an e-mail that are routed here, one a line
        state       TEXT NOT NULL CHECK (state IN ('waiting', 'failed', 'delivered', 'dropped')),
        attempts    INTEGER NOT NULL DEFAULT 0,
        not_before  INTEGER NOT NULL DEFAULT 0,
        said        TEXT NOT NULL DEFAULT '',   -- where it went, or what went wrong
        changed_at  INTEGER NOT NULL
    );
    CREATE INDEX delivery_waiting ON delivery (destination, id) WHERE state = 'waiting';
    CREATE INDEX delivery_open ON delivery (destination, state) WHERE state IN ('waiting', 'failed');
    CREATE INDEX delivery_receipt ON delivery (receipt);
    CREATE TABLE delivery_file (
        delivery      INTEGER NOT NULL REFERENCES delivery (id),
        position      INTEGER NOT NULL,
        receipt_photo INTEGER NOT NULL REFERENCES receipt_photo (id),
        alt_text      TEXT NOT NULL,
        PRIMARY KEY (delivery, position)
    ) WITHOUT ROWID;
    CREATE INDEX delivery_file_receipt_photo ON delivery_file (receipt_photo);
    CREATE TABLE step (               -- what of a delivery was done
        delivery INTEGER NOT NULL REFERENCES delivery (id),
        name     TEXT NOT NULL,
        value    TEXT NOT NULL,
        PRIMARY KEY (delivery, name)
    ) WITHOUT ROWID;
    CREATE TABLE clock (steady_at INTEGER NOT NULL); -- how far the steady clock was seen, at times
    INSERT INTO clock VALUES (0);
    ",
];

/// Today's version.
pub(super) const VERSION: i64 = STEPS.len() as i64;

/// Brings older tables to today's version; which version they have now.
pub(super) fn upgrade(connection: &mut Connection) -> rusqlite::Result<i64> {
    let version = |connection: &Connection| {
        connection.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0))
    };
    while version(connection)? < VERSION {
        // `sns-server queue` may want the same at the same time: whoever comes second finds it done.
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let from = version(&transaction)?;
        if let Some(step) = usize::try_from(from).ok().and_then(|from| STEPS.get(from)) {
            transaction.execute_batch(step)?;
            transaction.pragma_update(None, "user_version", from + 1)?;
        }
        transaction.commit()?;
    }
    version(connection)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_first_version_kept_is_there_after_the_upgrade() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(STEPS[0]).unwrap();
        connection
            .execute_batch(
                "PRAGMA user_version = 1; PRAGMA foreign_keys = ON;
                 INSERT INTO photo VALUES (7, 'me', x'00', 5, 'me/a.jpg', 'image/jpeg');
                 INSERT INTO receipt VALUES (3, 1000, 'me', 'facebook', 9, NULL, NULL, NULL, 't');
                 INSERT INTO receipt_photo VALUES (3, 7, 'a.jpg', 'image/jpeg');",
            )
            .unwrap();
        upgrade(&mut connection).unwrap();
        upgrade(&mut connection).unwrap();
        let row = connection.query_row(
            "SELECT receipt, photo, name_as_sent, kept FROM receipt_photo
             JOIN photo ON photo = photo.id JOIN receipt ON receipt = receipt.id",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
        );
        assert_eq!(row.unwrap(), (3_i64, 7_i64, "a.jpg".to_owned(), 1_i64));
    }
}
