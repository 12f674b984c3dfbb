//! Many small networks that read a session's context and its newest row, averaged.
//!
//! Counts, rates and times act in steps: a dense layer on the plain numbers smooths over them,
//! which is where boosted trees win on such data. Here each number is first laid out on bins
//! between quantiles of the training data, `e_t = clamp((x − edge_t) / (edge_{t+1} − edge_t), 0, 1)`
//! (piecewise linear encoding: Gorishniy, Rubachev, Babenko 2022, "On Embeddings for Numerical
//! Features in Tabular Deep Learning"), so that the first layer is a piecewise linear function of
//! each. Two hidden layers of ReLU units follow. Averaging the logits of members that began from
//! different weights and learnt from different parts of the data takes the chance out of each
//! (Lakshminarayanan et al. 2017; Gorishniy et al. 2024, "TabM").

mod config;
#[cfg(feature = "burn")]
mod network;

pub use config::EnsembleConfig;
pub(crate) use config::MAX_UNITS;
#[cfg(feature = "burn")]
pub use network::{Ensemble, Masks};
