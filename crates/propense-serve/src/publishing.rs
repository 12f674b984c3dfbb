//! What a publication is made of, whoever publishes: a request, or what learns.

use propense_model::Bundle;

use crate::ServeError;
use crate::files::{Files, hex};
use crate::metrics::Metrics;
use crate::scoring::Scorer;
use crate::store::{BundleRecord, Store};

/// Checks a bundle and makes its file safe on disk.
pub(crate) fn keep(files: &Files, bytes: &[u8]) -> Result<BundleRecord, ServeError> {
    let bundle = Bundle::from_bytes(bytes)?;
    let record = BundleRecord::new(hex(bytes), bytes.len(), &bundle.manifest);
    // Weights of the wrong shape show only here.
    Scorer::new(bundle)?;
    files.keep(&record.sha256, bytes)?;
    Ok(record)
}

/// Tells the monitor and the log of what is rolled out now.
pub(crate) async fn tell_rollout(store: &Store, metrics: &Metrics) -> Result<(), ServeError> {
    let Some(rollout) = store.rollout().await? else {
        return Ok(());
    };
    let current = store.bundle(&rollout.current).await?.version;
    let previous = match &rollout.previous {
        Some(previous) => Some(store.bundle(previous).await?.version),
        None => None,
    };
    metrics.rolled_out((&current, rollout.percentage), previous.as_deref());
    tracing::info!(
        current,
        percentage = rollout.percentage,
        previous,
        "rolled out"
    );
    Ok(())
}
