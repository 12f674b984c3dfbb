//! How a training run goes, as the command line sets it.

use std::path::PathBuf;
use std::time::Duration;

use propense_model::{Arithmetic, EnsembleConfig, ModelConfig};
use serde::Serialize;

use crate::TrainError;
use crate::ensemble::PARTS;
use crate::recipe::{REPLICAS, RecipeChange};

/// Most examples in a batch: far beyond what helps, far from what no memory holds.
pub(crate) const MOST_IN_BATCH: usize = 8192;

/// Which network is trained, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// The published network.
    #[default]
    Seed,
    /// An ensemble of small networks on binned inputs, cross-validated as it is trained.
    Base,
}

impl Preset {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Seed, Self::Base];

    /// The name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Seed => "seed",
            Self::Base => "base",
        }
    }

    /// Most hidden units: of the LSTM, or of each layer of a member.
    #[must_use]
    pub const fn most_hidden(self) -> usize {
        match self {
            Self::Seed => ModelConfig::MAX_WIDTH,
            Self::Base => EnsembleConfig::MAX_UNITS / (PARTS * REPLICAS),
        }
    }
}

/// How training goes.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainOptions {
    /// Most epochs.
    pub epochs: usize,
    /// Examples in a batch.
    pub batch: usize,
    /// Adam's learning rate.
    pub learning_rate: f32,
    /// Epochs without a lower validation log-loss before training stops.
    pub patience: usize,
    /// Largest global gradient norm; of [`Preset::Seed`] alone.
    pub clip: Option<f32>,
    /// Share of the weights that is lost at each step, times the learning rate; of [`Preset::Base`] alone.
    pub decay: f32,
    /// In what numbers a GPU seeks the published network's gradients.
    pub arithmetic: Arithmetic,
    /// One thing of the recipe of [`Preset::Base`] that is changed, to see what it is worth.
    pub change: Option<RecipeChange>,
    /// Seed of the first weights, of the shuffles and of the splits.
    pub seed: u64,
    /// Longest time for all epochs together; the epoch under way is finished.
    pub time_limit: Option<Duration>,
    /// Folder for the state after each epoch.
    pub checkpoint: Option<PathBuf>,
    /// Continue from that folder.
    pub resume: bool,
}

impl Default for TrainOptions {
    fn default() -> Self {
        Self {
            epochs: 200,
            batch: 128,
            learning_rate: 0.001,
            patience: 10,
            clip: Some(5.0),
            decay: 0.0,
            arithmetic: Arithmetic::F32,
            change: None,
            seed: 1,
            time_limit: None,
            checkpoint: None,
            resume: false,
        }
    }
}

impl TrainOptions {
    /// The defaults of a preset.
    #[must_use]
    pub fn of(preset: Preset) -> Self {
        match preset {
            Preset::Seed => Self::default(),
            Preset::Base => Self {
                epochs: 60,
                batch: 256,
                learning_rate: 0.002,
                patience: 8,
                clip: None,
                decay: 0.02,
                ..Self::default()
            },
        }
    }

    /// Refuses what cannot work, before any data is read.
    ///
    /// # Errors
    ///
    /// [`TrainError::Option`] with the name of the option.
    pub fn validate(&self) -> Result<(), TrainError> {
        let wrong = |option, reason: &str| {
            Err(TrainError::Option {
                option,
                reason: reason.to_owned(),
            })
        };
        if self.epochs == 0 {
            return wrong("--epochs", "at least 1");
        }
        if !(1..=MOST_IN_BATCH).contains(&self.batch) {
            return wrong("--batch", &format!("1 to {MOST_IN_BATCH}"));
        }
        if !(self.learning_rate.is_finite() && self.learning_rate > 0.0) {
            return wrong("--learning-rate", "a number above 0");
        }
        if self
            .clip
            .is_some_and(|clip| !(clip.is_finite() && clip > 0.0))
        {
            return wrong("--clip", "a number above 0");
        }
        if !(self.decay.is_finite() && self.decay >= 0.0) {
            return wrong("--decay", "a number from 0");
        }
        if self.resume && self.checkpoint.is_none() {
            return wrong("--resume", "needs --checkpoint FOLDER");
        }
        Ok(())
    }
}
