//! Who is logged in, for a restart.

use super::{Ledger, LedgerError};
use rusqlite::params;
use samsung_sns::session::{SeriesId, Session, SessionKey, Snapshot};
use tracing::warn;

impl Ledger {
    /// Keeps sessions as they are now, those that are `None` have ended, and that series have ended.
    ///
    /// # Errors
    /// [`LedgerError`]; then a restart ends these sessions.
    pub fn remember(
        &mut self,
        sessions: &[(SessionKey, Option<Session>)],
        ended: &[SeriesId],
    ) -> Result<(), LedgerError> {
        self.change(|transaction| {
            for (key, session) in sessions {
                let key = key.as_str();
                match session.as_ref().map(serde_json::to_string) {
                    Some(Ok(state)) => transaction.execute(
                        "INSERT INTO session (key, state) VALUES (?1, ?2)
                         ON CONFLICT (key) DO UPDATE SET state = excluded.state",
                        params![key, state],
                    )?,
                    _ => transaction.execute("DELETE FROM session WHERE key = ?1", params![key])?,
                };
            }
            for series in ended {
                let series = series.0.cast_signed();
                transaction.execute("UPDATE thread SET ended = 1 WHERE series = ?1", [series])?;
            }
            Ok(())
        })
    }

    /// The sessions that were live when the server ended, however it ended.
    ///
    /// # Errors
    /// [`LedgerError`] if it cannot be read.
    pub fn sessions(&mut self) -> Result<Snapshot, LedgerError> {
        let mut unreadable: Vec<String> = Vec::new();
        let snapshot = self.read(|ledger| {
            let mut query = ledger.prepare("SELECT key, state FROM session")?;
            let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let mut sessions: Vec<(SessionKey, Session)> = Vec::new();
            for row in rows {
                let (key, state): (String, String) = row?;
                match serde_json::from_str(&state) {
                    Ok(session) => sessions.push((SessionKey::from_wire(key), session)),
                    Err(_) => unreadable.push(key),
                }
            }
            let recorded = "SELECT max(ifnull((SELECT max(series) FROM thread), 0), ifnull(
                (SELECT max(series) FROM receipt WHERE series IS NOT NULL), 0))";
            let recorded: Option<i64> = ledger.query_row(recorded, [], |row| row.get(0))?;
            let recorded = SeriesId(recorded.unwrap_or(0).cast_unsigned());
            let under_way = sessions.iter().filter_map(|(_, session)| session.series()).max();
            let last_series = recorded.max(under_way.unwrap_or_default());
            Ok(Snapshot { sessions, last_series })
        })?;
        // Those of another version are not worth refusing to start: their cameras log in again.
        if !unreadable.is_empty() {
            let count = unreadable.len();
            warn!(
                count,
                "sessions kept by another version of the server cannot be read; they ended"
            );
            let ended = self.change(|transaction| {
                let mut end = transaction.prepare("DELETE FROM session WHERE key = ?1")?;
                unreadable.iter().try_for_each(|key| end.execute([key]).map(drop))
            });
            if let Err(failure) = ended {
                warn!(%failure, "nor can they be removed; the next start tries again");
            }
        }
        Ok(snapshot)
    }

    /// Only these series are still under way; all others have ended with their sessions.
    ///
    /// # Errors
    /// [`LedgerError`] if it cannot be written; then the others end when they are quiet.
    pub fn end_all_series_but(&mut self, live: &[SeriesId]) -> Result<(), LedgerError> {
        let live: Vec<u64> = live.iter().map(|series| series.0).collect();
        self.change(|transaction| {
            let sql = "UPDATE thread SET ended = 1 WHERE done = 0 AND ended = 0
                       AND series NOT IN (SELECT value FROM json_each(?1))";
            transaction.execute(sql, [format!("{live:?}")]).map(drop)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_of_another_version_ends_and_the_others_go_on() {
        let folder = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(&folder.path().join("sns.db")).unwrap();
        let state = r#"{"state": {"Posting": {"series": 7, "text": ""}}}"#;
        let insert = "INSERT INTO session (key, state) VALUES ('old', ?1)";
        ledger.change(|t| t.execute(insert, [state])).unwrap();
        let count = |ledger: &Ledger| {
            let count = "SELECT count(*) FROM session";
            ledger.read(|ledger| ledger.query_row(count, [], |row| row.get::<_, i64>(0))).unwrap()
        };
        assert_eq!(count(&ledger), 1);
        assert!(ledger.sessions().unwrap().sessions.is_empty());
        assert_eq!(count(&ledger), 0);
    }
}
