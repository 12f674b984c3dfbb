//! The network's configuration: what the bundle stores and what builds the module.

use serde::{Deserialize, Serialize};

/// Activation of the LSTM's candidate and output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CellActivation {
    /// Hyperbolic tangent, the usual LSTM.
    #[default]
    Tanh,
    /// The article's ReLU variant. Unbounded: train it with gradient clipping.
    Relu,
}

/// Sizes of the CNN-LSTM. [`ModelConfig::seed`] is the published network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelConfig {
    /// Numbers in an event's row (width of the input plane).
    pub features: usize,
    /// Numbers in the session's context; 0 for the published network.
    pub context: usize,
    /// Convolution filters.
    pub filters: usize,
    /// Height and width of the convolution kernel.
    pub kernel: usize,
    /// Hidden units of the LSTM.
    pub hidden: usize,
    /// Hidden units of the context layer (unused when `context` is 0).
    pub context_hidden: usize,
    /// Activation of the LSTM.
    pub activation: CellActivation,
    /// Dropout on the joined vector before the output, in training only.
    pub dropout: f64,
}

impl ModelConfig {
    /// The published network for rows of this many features: Conv2d 1→32 of 3×3, valid, ReLU;
    /// max pool 2×2; LSTM 128; dense 1. With context, a dense ReLU layer of 32 joins before the
    /// output.
    #[must_use]
    pub const fn seed(features: usize, context: usize) -> Self {
        Self {
            features,
            context,
            filters: 32,
            kernel: 3,
            hidden: 128,
            context_hidden: 32,
            activation: CellActivation::Tanh,
            dropout: 0.0,
        }
    }

    /// Columns left after convolution and pooling, for each filter.
    #[must_use]
    pub const fn pooled_columns(&self) -> usize {
        (self.features + 1 - self.kernel) / 2
    }

    /// Inputs of the LSTM at each step: filters × pooled columns, filter-major.
    #[must_use]
    pub const fn step_inputs(&self) -> usize {
        self.filters * self.pooled_columns()
    }
}
