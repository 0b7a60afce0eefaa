//! Photos that have been delivered go after a time, if the owner wants it so.
//!
//! Law: a photo goes only if it was on its way somewhere, and every delivery of it was done for as
//! long as `retention.keep_delivered` says, by the steady clock: one that jumps years takes nothing.

use super::Outbox;
use samsung_sns::time::UnixTime;
use std::fs;
use std::io;
use std::sync::Arc;
use tracing::{error, info};

/// Removes what has been kept for long enough.
pub(super) async fn sweep(outbox: &Arc<Outbox>) {
    let now = outbox.clock.now();
    let keep = outbox.plan().keep_delivered;
    let photos = outbox.spool.photos().to_owned();
    let swept = outbox.on_ledger(move |ledger| {
        ledger.remember_time(now)?;
        let keep = keep.and_then(|keep| u64::try_from(keep.as_millis()).ok());
        let Some(before) = keep.and_then(|keep| now.as_millis().checked_sub(keep)) else {
            return Ok(());
        };
        for (photo, path) in ledger.delivered_photos(UnixTime::from_millis(before))? {
            match fs::remove_file(photos.join(&path)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    error!(?path, %error, "cannot be removed after its deliveries");
                    continue;
                }
                _ => {}
            }
            ledger.gone(photo)?;
            info!(?path, "removed: retention.keep_delivered");
        }
        Ok(())
    });
    if let Err(failure) = swept.await {
        error!(%failure, "what was delivered cannot be removed");
    }
}
