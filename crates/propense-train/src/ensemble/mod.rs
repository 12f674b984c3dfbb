//! Training the ensemble: many small networks, each of which leaves one part of the data out.
//!
//! Cross-validation and averaging are one here. Member `m` never learns from part `m mod PARTS`, so
//! that the members that left an example out forecast it as they would a new one. These forecasts,
//! of *all* the training data, say when to stop and fit calibration and threshold: nothing needs to
//! be kept back for it, and small sets have nothing to spare.

mod average;
mod edges;
mod table;
mod training;

pub(crate) use table::Table;
pub(crate) use training::{Recipe, train};

/// Parts of the data of which each member leaves one out.
pub(crate) const PARTS: usize = 5;
