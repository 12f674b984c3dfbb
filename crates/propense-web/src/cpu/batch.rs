//! Whole sessions through the network's batch pass.

use propense_model::{Batch, CnnLstm, ModelError, groups};

use super::prepared::Prepared;

/// Rows in one pass: enough to keep the matrix products busy, some thirty megabytes of activations.
const ROWS: usize = 4096;

/// The logit of each session, in the order given.
pub(crate) fn score(network: &CnnLstm, prepared: &Prepared) -> Result<Vec<f32>, ModelError> {
    let config = network.config();
    let sessions: Vec<_> = prepared.sessions(config.features, config.context).collect();
    let lengths: Vec<usize> = sessions
        .iter()
        .map(|(rows, _)| rows.len() / config.features.max(1))
        .collect();
    let mut logits = vec![0.0; sessions.len()];
    for group in groups(&lengths, ROWS) {
        let batch = Batch::of(config, group.iter().map(|&session| sessions[session]));
        for (session, logit) in group.into_iter().zip(network.score(&batch)?) {
            logits[session] = logit;
        }
    }
    Ok(logits)
}
