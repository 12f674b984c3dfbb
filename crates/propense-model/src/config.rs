//! The network's configuration: what the bundle stores and what builds the module.

use serde::{Deserialize, Serialize};

use crate::{EnsembleConfig, ModelError};

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
    /// The ensemble beside the recurrent path, whose mean logit is added; none in the published
    /// network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ensemble: Option<EnsembleConfig>,
}

/// Upper bounds that a configuration read from a file must keep: far above anything useful, far
/// below anything that would exhaust memory.
const MAX_KERNEL: usize = 15;
const MAX_PARAMETERS: usize = 1 << 27;

impl ModelConfig {
    /// The widest that rows, context and layers may be.
    pub const MAX_WIDTH: usize = 8_192;

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
            ensemble: None,
        }
    }

    /// Columns left after convolution and pooling, for each filter.
    #[must_use]
    pub const fn pooled_columns(&self) -> usize {
        (self.features + 1).saturating_sub(self.kernel) / 2
    }

    /// Inputs of the LSTM at each step: filters × pooled columns, filter-major.
    #[must_use]
    pub const fn step_inputs(&self) -> usize {
        self.filters * self.pooled_columns()
    }

    /// Width of the vector that the output layer reads: the LSTM's hidden units and, where there
    /// is context, the context layer's.
    #[must_use]
    pub const fn joined(&self) -> usize {
        if self.context == 0 {
            self.hidden
        } else {
            self.hidden + self.context_hidden
        }
    }

    /// Every weight's name and shape, in the order in which they are initialised.
    #[must_use]
    pub fn weight_shapes(&self) -> Vec<(&'static str, Vec<usize>)> {
        let gates = 4 * self.hidden;
        let mut shapes = vec![
            (
                "conv.weight",
                vec![self.filters, 1, self.kernel, self.kernel],
            ),
            ("conv.bias", vec![self.filters]),
            ("lstm.input", vec![self.step_inputs(), gates]),
            ("lstm.recurrent", vec![self.hidden, gates]),
            ("lstm.bias", vec![gates]),
        ];
        if self.context > 0 {
            shapes.push(("context.weight", vec![self.context, self.context_hidden]));
            shapes.push(("context.bias", vec![self.context_hidden]));
        }
        shapes.push(("output.weight", vec![self.joined(), 1]));
        shapes.push(("output.bias", vec![1]));
        if let Some(ensemble) = &self.ensemble {
            shapes.extend(ensemble.weight_shapes());
        }
        shapes
    }

    /// Number of trained numbers. Meaningful for a configuration that [`Self::validate`] accepts.
    #[must_use]
    pub fn parameters(&self) -> usize {
        self.weight_shapes()
            .iter()
            .map(|(_, shape)| shape.iter().product::<usize>())
            .sum()
    }

    /// Checks that the sizes make a network, and one that fits into memory.
    ///
    /// # Errors
    /// [`ModelError::Config`] names the first field out of range.
    pub fn validate(&self) -> Result<(), ModelError> {
        let range = |field: &'static str, value: usize, least: usize, most: usize| {
            if (least..=most).contains(&value) {
                Ok(())
            } else {
                Err(ModelError::Config {
                    field,
                    value: value.to_string(),
                    allowed: format!("{least} to {most}"),
                })
            }
        };
        range("kernel", self.kernel, 1, MAX_KERNEL)?;
        range("features", self.features, self.kernel + 1, Self::MAX_WIDTH)?;
        range("context", self.context, 0, Self::MAX_WIDTH)?;
        range("filters", self.filters, 1, Self::MAX_WIDTH)?;
        range("hidden", self.hidden, 1, Self::MAX_WIDTH)?;
        range("context_hidden", self.context_hidden, 1, Self::MAX_WIDTH)?;
        if !(0.0..1.0).contains(&self.dropout) {
            return Err(ModelError::Config {
                field: "dropout",
                value: self.dropout.to_string(),
                allowed: "0 to below 1".into(),
            });
        }
        if let Some(ensemble) = &self.ensemble {
            ensemble.validate(self.context + self.features)?;
        }
        // Every factor is bounded above, so that these products cannot overflow 64 bits; on
        // 32-bit targets they are counted in 64 bits.
        let gates = 4 * self.hidden as u64;
        let parameters = gates * (self.step_inputs() as u64 + self.hidden as u64 + 1);
        if parameters > MAX_PARAMETERS as u64 {
            return Err(ModelError::Config {
                field: "features × filters × hidden",
                value: format!("{parameters} weights"),
                allowed: format!("at most {MAX_PARAMETERS} weights"),
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seed_preset_has_the_published_sizes() {
        let config = ModelConfig::seed(16, 0);
        assert_eq!(config.pooled_columns(), 7);
        assert_eq!(config.step_inputs(), 224);
        assert_eq!(config.parameters(), 320 + 4 * 128 * (224 + 128 + 1) + 129);
        assert_eq!(config.parameters(), 181_185);
    }

    #[test]
    fn context_adds_one_dense_layer() {
        let config = ModelConfig::seed(16, 10);
        assert_eq!(config.parameters(), 181_185 + 10 * 32 + 32 + 32);
    }

    #[test]
    fn absurd_sizes_are_refused_by_name() {
        let check = |change: fn(&mut ModelConfig), expected: &str| {
            let mut config = ModelConfig::seed(16, 4);
            change(&mut config);
            let error = config.validate().expect_err("must be refused");
            assert!(matches!(error, ModelError::Config { field, .. } if field == expected));
        };
        check(|c| c.features = 1_000_000_000, "features");
        check(|c| c.features = 3, "features");
        check(|c| c.hidden = 0, "hidden");
        check(|c| c.kernel = 0, "kernel");
        check(|c| c.kernel = usize::MAX, "kernel");
        check(|c| c.filters = usize::MAX, "filters");
        check(|c| c.dropout = f64::NAN, "dropout");
        check(
            |c| {
                c.features = 8_000;
                c.filters = 8_000;
            },
            "features × filters × hidden",
        );
        ModelConfig::seed(4, 0)
            .validate()
            .expect("the least width is fine");
    }
}
