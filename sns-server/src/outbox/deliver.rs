//! One destination's deliveries, one after the other.
//!
//! Law: a transient fault holds back what comes after it, a permanent one is set aside for a person.
//! Nothing is given up without being told: every fault is logged and kept with its delivery.

use super::plan::DISK_PAUSE;
use super::{Outbox, Stop, later};
use crate::destination::picture::camera_of;
use crate::destination::{Destination, Fault, FaultKind, Post, Progress};
use crate::ledger::Ledger;
use crate::ledger::outbox::{Next, State};
use crate::spool::SpoolError;
use futures_util::FutureExt;
use std::io;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tracing::{error, info, warn};

/// The first pause after a transient fault; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
/// No pause is longer, unless the peer asks for it: an uplink that is back is noticed soon.
const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);

/// Delivers what waits for a destination until it is not configured any more.
pub(super) async fn keep_delivering(outbox: Arc<Outbox>, name: String, mut stop: Stop) {
    let mut changed = outbox.changed.subscribe();
    loop {
        changed.mark_unchanged();
        let Some(destination) = outbox.settings().destinations.get(&name).cloned() else { return };
        let asked = name.clone();
        let next = outbox.on_ledger(move |ledger| ledger.next(&asked)).await;
        let pause = match next {
            Ok(Some(next)) => {
                let wait = next.not_before.saturating_since(outbox.clock.now());
                if wait.is_zero() {
                    if *stop.stopping.borrow() {
                        return;
                    }
                    match outbox.attempt(&destination, next, &mut stop).await {
                        Ok(()) => continue,
                        Err(failure) => {
                            error!(destination = name, %failure, "not tried: it could not be noted");
                            DISK_PAUSE
                        }
                    }
                } else {
                    wait
                }
            }
            Ok(None) => LONGEST_PAUSE,
            Err(failure) => {
                error!(destination = name, %failure, "the queue cannot be read");
                DISK_PAUSE
            }
        };
        tokio::select! {
            _ = stop.stopping.wait_for(|stopping| *stopping) => return,
            _ = changed.changed() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

impl Outbox {
    /// Tries a delivery and keeps what came of it.
    async fn attempt(
        self: &Arc<Self>,
        destination: &Arc<Destination>,
        next: Next,
        stop: &mut Stop,
    ) -> Result<(), SpoolError> {
        let Next { delivery, attempts, .. } = next;
        let photos = self.spool.photos().to_owned();
        let read = move |ledger: &mut Ledger| {
            ledger.attempt(delivery)?;
            Ok((ledger.delivery(delivery, &photos)?, ledger.steps(delivery)?))
        };
        let ((receipt, post), steps) = self.on_ledger(read).await?;
        let spool = Arc::clone(&self.spool);
        let keep = move |step: &str, value: &str| {
            let noted = spool.with_ledger(|ledger| ledger.note_step(delivery, step, value));
            noted.map_err(io::Error::other)
        };
        let mut progress = Progress::new(steps, Arc::new(keep));
        let (carrier, recall) = (Arc::clone(destination), stop.recall.clone());
        let attempt = AssertUnwindSafe(async move {
            let post = ready(post).await?;
            carrier.deliver(&post, &mut progress, &recall).await
        });
        // A destination that panics ends its delivery only.
        let result = attempt.catch_unwind().await.unwrap_or_else(|_| {
            Err(Fault::permanent("a bug in sns-server; see its log, and report it"))
        });
        let now = self.clock.now();
        let to = &destination.name;
        let (state, said, not_before) = match result {
            Ok(place) => {
                self.counts.attempted(to, "delivered");
                info!(delivery, receipt, to, place, "delivered");
                (State::Delivered, place, now)
            }
            Err(Fault { kind: FaultKind::Transient { retry_after }, message }) => {
                self.counts.attempted(to, "again");
                let pause = pause(attempts, retry_after);
                warn!(
                    delivery,
                    receipt,
                    to,
                    reason = message,
                    ?pause,
                    "not delivered, tried again"
                );
                (State::Waiting, message, later(now, pause))
            }
            Err(Fault { kind: FaultKind::Permanent, message }) => {
                self.counts.attempted(to, "failed");
                error!(
                    delivery,
                    receipt,
                    to,
                    reason = message,
                    "not delivered, waits for you: `sns-server queue retry` or `drop`"
                );
                (State::Failed, message, now)
            }
        };
        // Until it is kept: what was delivered and not noted would be delivered again. A server that
        // stops tries it once more.
        let mut last_try = false;
        loop {
            let (outbox, said) = (Arc::clone(self), said.clone());
            let keep = move |ledger: &mut Ledger| {
                ledger.attempted(delivery, state, &said, not_before, now)?;
                outbox.counts.look(ledger)
            };
            match self.on_ledger(keep).await {
                Ok(()) => return Ok(()),
                Err(failure) if last_try => {
                    error!(
                        delivery, to, %failure,
                        "what came of it is not kept: after the next start it is tried again"
                    );
                    return Ok(());
                }
                Err(failure) => {
                    error!(delivery, to, %failure, "what came of it cannot be kept yet")
                }
            }
            tokio::select! {
                _ = stop.stopping.wait_for(|stopping| *stopping) => last_try = true,
                () = tokio::time::sleep(DISK_PAUSE) => {}
            }
        }
    }
}

/// The post with all that its files say of themselves.
///
/// A file that is not there is permanent: its owner took it away, or changed it.
async fn ready(mut post: Post) -> Result<Post, Fault> {
    let looked = tokio::task::spawn_blocking(move || {
        for file in &post.files {
            match std::fs::metadata(&file.path) {
                Ok(found) if found.len() == file.length => {}
                Ok(_) => {
                    let path = file.path.display();
                    return Err(Fault::permanent(format!("{path} is not as it was received")));
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    let path = file.path.display();
                    return Err(Fault::permanent(format!("{path} is not there any more")));
                }
                Err(error) => {
                    return Err(Fault::transient(format!("{}: {error}", file.path.display())));
                }
            }
        }
        post.camera = post.files.iter().find_map(|file| camera_of(&file.path));
        Ok(post)
    });
    looked.await.unwrap_or_else(|died| Err(Fault::permanent(format!("a bug: {died}"))))
}

/// How long to wait after so many attempts: twice as long each time, a little more or less so that
/// not everything comes back at once, and never shorter than the peer asked for.
fn pause(attempts: u32, retry_after: Option<Duration>) -> Duration {
    let doubled = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(attempts.min(16)));
    let mut byte = [128];
    let _ = getrandom::fill(&mut byte);
    let jitter = 0.75 + f64::from(byte[0]) / 512.0;
    doubled.min(LONGEST_PAUSE).mul_f64(jitter).max(retry_after.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_within_bounds_and_respect_the_peer() {
        for (attempts, least, most) in [(0, 1, 3), (1, 3, 5), (4, 24, 41), (50, 675, 1125)] {
            let pause = pause(attempts, None).as_secs();
            assert!((least..=most).contains(&pause), "{attempts}: {pause}");
        }
        assert_eq!(pause(0, Some(Duration::from_secs(3600))), Duration::from_secs(3600));
    }
}
