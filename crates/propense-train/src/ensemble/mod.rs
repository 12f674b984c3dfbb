//! Training the ensemble: many small networks, each of which leaves one part of the data out.
//!
//! Cross-validation and averaging are one here. Member `m` never learns from part `m mod PARTS`, so
//! that the members that left an example out forecast it as they would a new one. These forecasts,
//! of *all* the training data, say when to stop and fit calibration and threshold: nothing needs to
//! be kept back for it, and small sets have nothing to spare.

use crate::calibrate::cross_entropy;

mod average;
mod edges;
mod line;
mod table;
mod teacher;
mod training;

pub(crate) use edges::{edges as table_edges, of_column as column_edges};
pub(crate) use line::Line;
pub(crate) use table::Table;
pub(crate) use teacher::{Targets, Teacher};
pub(crate) use training::train;

/// Parts of the data of which each member leaves one out.
pub(crate) const PARTS: usize = 5;

/// Mean log-loss of these logits over the rows of the table, with their weights.
pub(crate) fn log_loss(logits: &[f32], table: &Table) -> f64 {
    let (mut sum, mut total) = (0.0, 0.0);
    for ((logit, label), weight) in logits.iter().zip(&table.labels).zip(&table.weights) {
        let target = f64::from(u8::from(*label));
        sum += f64::from(*weight) * cross_entropy(f64::from(*logit), target);
        total += f64::from(*weight);
    }
    sum / f64::max(total, 1e-9)
}
