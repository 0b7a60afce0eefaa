//! Photos that have been delivered go after a time, if the owner wants it so.
//!
//! Law: a photo goes only if it was on its way somewhere, and every delivery of it was done for as
//! long as `retention.keep_delivered` says, by the steady clock: one that jumps years takes nothing.
//! What lies in its place is looked at before: it may be another photo by now. Nobody waits for a sweep,
//! neither posts nor the end of the server.

use super::Outbox;
use crate::disk::sha256;
use crate::ledger::outbox::Delivered;
use crate::spool::SpoolError;
use samsung_sns::time::UnixTime;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tracing::{error, info, warn};

/// So often, at the least, it is looked which photos have been kept for long enough; more often where
/// that is a short time.
const SWEEP: Duration = Duration::from_secs(60 * 60);
/// No more often than this.
const LEAST_SWEEP: Duration = Duration::from_secs(10);

/// Removes what has been kept for long enough, again and again until `stopping` says so.
pub(super) async fn keep_sweeping(outbox: Arc<Outbox>, mut stopping: watch::Receiver<bool>) {
    loop {
        if let Err(failure) = sweep(&outbox, &stopping).await {
            error!(%failure, "what was delivered cannot be removed");
        }
        let keep = outbox.settings().keep_delivered.unwrap_or(SWEEP);
        tokio::select! {
            _ = stopping.wait_for(|stopping| *stopping) => return,
            () = tokio::time::sleep((keep / 10).clamp(LEAST_SWEEP, SWEEP)) => {}
        }
    }
}

/// One by one: cameras must not wait for it.
async fn sweep(outbox: &Arc<Outbox>, stopping: &watch::Receiver<bool>) -> Result<(), SpoolError> {
    let now = outbox.clock.now();
    outbox.on_ledger(move |ledger| ledger.remember_time(now)).await?;
    let keep = outbox.settings().keep_delivered;
    let keep = keep.and_then(|keep| u64::try_from(keep.as_millis()).ok());
    let Some(before) = keep.and_then(|keep| now.as_millis().checked_sub(keep)) else {
        return Ok(());
    };
    let before = UnixTime::from_millis(before);
    let old = outbox.on_ledger(move |ledger| ledger.delivered_photos(before, None)).await?;
    for photo in old {
        if *stopping.borrow() {
            break;
        }
        let place = outbox.spool.photos().join(&photo.path);
        let looked =
            tokio::task::spawn_blocking(move || is_still(&photo, &place).map(|is| (photo, is)));
        let Ok(Ok((photo, is_still_there))) = looked.await else { continue };
        let photos = outbox.spool.photos().to_owned();
        let removed = outbox.on_ledger(move |ledger| {
            // It may have come again meanwhile, and be on its way somewhere else.
            if ledger.delivered_photos(before, Some(photo.photo))?.is_empty() {
                return Ok(());
            }
            let path = &photo.path;
            if !is_still_there {
                warn!(?path, "not removed after its deliveries: something else lies there now");
            } else if let Err(error) = fs::remove_file(photos.join(path)) {
                error!(?path, %error, "cannot be removed after its deliveries");
                return Ok(());
            } else {
                info!(?path, "removed: retention.keep_delivered");
            }
            ledger.gone(photo.photo)
        });
        removed.await?;
    }
    Ok(())
}

/// Whether a photo still lies in its place.
fn is_still(photo: &Delivered, place: &Path) -> io::Result<bool> {
    match fs::metadata(place) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        found => Ok(found?.len() == photo.length && sha256(place)? == photo.sha256),
    }
}
