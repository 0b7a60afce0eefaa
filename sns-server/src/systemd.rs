//! What systemd is told, where it started the server and wants to know.
//!
//! Law: without `NOTIFY_SOCKET` nothing happens. The watchdog is fed only while the server can still
//! reach its disk, for a server that cannot is as good as hung.

use crate::app::App;
use sd_notify::NotifyState;
use std::sync::Arc;
use tracing::{error, warn};

/// Says that cameras are served from now on.
pub fn ready() {
    tell(NotifyState::Ready);
}

/// Says that the configuration is being read again; [`ready`] says that this is over.
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell_all(&[NotifyState::Reloading, now]),
        Err(error) => warn!(%error, "cannot tell systemd"),
    }
}

/// Says that running uploads are being finished.
pub fn stopping() {
    tell(NotifyState::Stopping);
}

/// Feeds the watchdog twice as often as it asks, for as long as all is well.
pub async fn feed_watchdog(app: Arc<App>) {
    let Some(interval) = sd_notify::watchdog_enabled() else { return };
    let mut beat = tokio::time::interval(interval / 2);
    loop {
        beat.tick().await;
        let spool = Arc::clone(&app.spool);
        match tokio::task::spawn_blocking(move || spool.free_space()).await {
            Ok(Ok(_)) => tell(NotifyState::Watchdog),
            Ok(Err(failure)) => error!(%failure, "the watchdog is not fed"),
            Err(failure) => error!(%failure, "the watchdog is not fed"),
        }
    }
}

fn tell(state: NotifyState<'_>) {
    tell_all(&[state]);
}

fn tell_all(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        warn!(%error, "cannot tell systemd");
    }
}
