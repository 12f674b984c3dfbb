//! What is asked of a training.

use propense_model::{Arithmetic, CellActivation, ModelConfig, Precision};
use propense_prepare::Loaded;
use serde::{Deserialize, Serialize};

use crate::checkpoint::{self, RunKey};
use crate::decide::Deciding;
use crate::device::Chosen;
use crate::options::{Preset, TrainOptions};
use crate::tasks::{ExampleOptions, Prepared};
use crate::{Task, TrainError};

/// What is to be trained, and how.
#[derive(Debug, Clone)]
pub struct FitRequest {
    /// The task.
    pub task: Task,
    /// The network.
    pub preset: Preset,
    /// The training loop's settings.
    pub training: TrainOptions,
    /// How examples are made.
    pub examples: ExampleOptions,
    /// Activation of the LSTM.
    pub activation: CellActivation,
    /// Sizes of the network where they are not the usual ones.
    pub sizes: NetworkSizes,
    /// How the weights will be stored. Everything that is fitted or measured after training, the
    /// golden session among it, is that of the weights as stored.
    pub precision: Precision,
    /// How scores become probabilities and decisions.
    pub deciding: Deciding,
    /// Where it runs.
    pub device: Chosen,
    /// Name of the model.
    pub name: String,
    /// Licence of the weights.
    pub licence: String,
    /// Time of making, RFC 3339.
    pub created_at: String,
}

/// Sizes of the network; none for the usual one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct NetworkSizes {
    /// Convolution filters; of [`Preset::Seed`] alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filters: Option<usize>,
    /// Hidden units of the LSTM, or of each layer of a member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden: Option<usize>,
    /// Share of the units left out in training: before the output, or of a member's hidden layers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dropout: Option<f64>,
}

impl NetworkSizes {
    /// Refuses what the network of this preset cannot have.
    ///
    /// # Errors
    ///
    /// [`TrainError::Option`] with the name of the option.
    pub fn validate(&self, preset: Preset) -> Result<(), TrainError> {
        let whole = |option, value: Option<usize>, most: usize| match value {
            Some(value) if !(1..=most).contains(&value) => Err(TrainError::Option {
                option,
                reason: format!("1 to {most} with --preset {}", preset.name()),
            }),
            _ => Ok(()),
        };
        whole("--filters", self.filters, ModelConfig::MAX_WIDTH)?;
        whole("--hidden", self.hidden, preset.most_hidden())?;
        match self.dropout {
            Some(share) if !(0.0..1.0).contains(&share) => Err(TrainError::Option {
                option: "--dropout",
                reason: "from 0 to below 1".to_owned(),
            }),
            _ => Ok(()),
        }
    }
}

impl FitRequest {
    /// The published network for these features, in the sizes asked for.
    pub(crate) fn config(&self, prepared: &Prepared) -> ModelConfig {
        let usual = ModelConfig::seed(prepared.spec.row_len(), prepared.spec.context_len());
        ModelConfig {
            activation: self.activation,
            filters: self.sizes.filters.unwrap_or(usual.filters),
            hidden: self.sizes.hidden.unwrap_or(usual.hidden),
            dropout: self.sizes.dropout.unwrap_or(usual.dropout),
            ..usual
        }
    }

    /// What must be the same for a run on these data and of this network to be continued.
    pub(crate) fn run_key(
        &self,
        data: &Loaded,
        prepared: &Prepared,
        network: &serde_json::Value,
    ) -> RunKey {
        RunKey {
            data: data.sha256.clone(),
            task: self.task.name().to_owned(),
            seed: self.training.seed,
            batch: self.training.batch,
            learning_rate: self.training.learning_rate,
            clip: self.training.clip,
            max_events: self.examples.max_events,
            reading: checkpoint::reading(&prepared.spec, &prepared.train.examples),
            network: match self.training.arithmetic {
                Arithmetic::F32 => network.to_string(),
                Arithmetic::Mixed => format!("{network}, mixed arithmetic"),
            },
        }
    }
}
