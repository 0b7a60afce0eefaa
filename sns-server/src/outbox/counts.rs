//! What the owner's `/metrics` say of deliveries.
//!
//! Law: the only label from outside this program is a destination's name, from the configuration.

use crate::ledger::{Ledger, LedgerError};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

type Labels = [(&'static str, String); 2];

/// Deliveries by their destination and what became of them.
#[derive(Debug, Default)]
pub(super) struct Counts {
    attempts: Family<Labels, Counter>,
    queue: Family<Labels, Gauge>,
}

impl Counts {
    /// Shows them with all others.
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "delivery_attempts",
            "Attempts to deliver a post: delivered, again (it may work later), failed (waits for a \
             person)",
            self.attempts.clone(),
        );
        registry.register(
            "deliveries",
            "Posts that are not delivered: waiting, or failed and waiting for a person",
            self.queue.clone(),
        );
    }

    /// An attempt was made.
    pub(super) fn attempted(&self, destination: &str, outcome: &str) {
        let labels = [("destination", destination.to_owned()), ("outcome", outcome.to_owned())];
        self.attempts.get_or_create(&labels).inc();
    }

    /// How long the queues are now.
    pub(super) fn look(&self, ledger: &Ledger) -> Result<(), LedgerError> {
        let lengths = ledger.lengths()?;
        self.queue.clear();
        for (destination, (waiting, failed)) in lengths {
            for (state, number) in [("waiting", waiting), ("failed", failed)] {
                let labels = [("destination", destination.clone()), ("state", state.to_owned())];
                let number = i64::try_from(number).unwrap_or(i64::MAX);
                self.queue.get_or_create(&labels).set(number);
            }
        }
        Ok(())
    }
}
