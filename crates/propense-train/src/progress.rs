//! What training tells while it runs. The crate prints nothing; a caller that wants lines, a
//! terminal display or nothing at all implements [`Observer`].

use serde::{Deserialize, Serialize};

/// Figures of one epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EpochReport {
    /// Number of the epoch, from 1.
    pub epoch: usize,
    /// Mean training loss over the epoch, natural logarithm, while the weights moved.
    pub train_loss: f64,
    /// Validation log-loss after the epoch, before calibration.
    pub validation_loss: f64,
    /// Validation ROC-AUC after the epoch.
    pub validation_auc: f64,
    /// Whether this is the best epoch so far.
    pub best: bool,
}

/// How fast an epoch ran. Kept apart from [`EpochReport`], which is the same on every run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// Sessions (or customers) trained on per second, validation not counted.
    pub samples_per_second: f64,
    /// Seconds that the epoch took, validation included.
    pub epoch_seconds: f64,
    /// Seconds to the last epoch if none stops early.
    pub seconds_left: f64,
}

/// Something worth telling.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Progress<'a> {
    /// A step before or after training: what is done now, in words.
    Note(&'a str),
    /// Training begins.
    Start {
        /// Epochs already done (a resumed run).
        done: &'a [EpochReport],
        /// Most epochs that will run.
        epochs: usize,
        /// Training examples.
        examples: usize,
        /// Trainable numbers.
        parameters: usize,
    },
    /// Part of an epoch is done.
    Batch {
        /// Number of the epoch, from 1.
        epoch: usize,
        /// Examples done in this epoch.
        done: usize,
        /// Examples in an epoch.
        of: usize,
    },
    /// An epoch is done.
    Epoch {
        /// Its figures.
        report: &'a EpochReport,
        /// Its pace.
        pace: Pace,
        /// Most epochs that will run.
        epochs: usize,
    },
    /// Training is over.
    End {
        /// The epoch whose weights are kept, from 1.
        best_epoch: usize,
        /// Why it ended.
        reason: StopReason,
    },
}

/// Why training ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// The last epoch was reached.
    Epochs,
    /// Validation log-loss has not fallen for as many epochs as the patience allows.
    Patience,
    /// The observer asked to stop.
    Interrupted,
    /// The time limit was reached.
    Time,
}

impl StopReason {
    /// Whether training has gone as far as it was to go: nobody broke it off, and no clock.
    #[must_use]
    pub const fn is_whole(self) -> bool {
        matches!(self, Self::Epochs | Self::Patience)
    }
}

/// Listens to training, and may stop it.
pub trait Observer {
    /// Called with each piece of news.
    fn on(&mut self, progress: &Progress<'_>);

    /// Asked between two steps: true ends training after the current step.
    fn stop(&self) -> bool {
        false
    }
}

/// Listens to nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn on(&mut self, _: &Progress<'_>) {}
}
