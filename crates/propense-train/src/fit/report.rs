//! The figures of a training.

use propense_model::Arithmetic;
use serde::{Deserialize, Serialize};

use super::{FitRequest, Model};
use crate::adversarial::Adversarial;
use crate::balanced::ValidationFigures;
use crate::decide::{CalibrationKind, CalibrationTrial};
use crate::encode::Encoded;
use crate::example::Positions;
use crate::metrics::Metrics;
use crate::progress::{EpochReport, StopReason};
use crate::tasks::{self, Prepared, Shares};
use crate::{Task, TrainError, evaluation, scoring};

/// The figures of one training.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FitReport {
    /// The task.
    pub task: Task,
    /// Device that trained.
    pub device: String,
    /// Trainable numbers.
    pub parameters: usize,
    /// Sizes of the parts.
    pub examples: PartSizes,
    /// Each epoch.
    pub history: Vec<EpochReport>,
    /// The epoch whose weights were kept, from 1.
    pub best_epoch: usize,
    /// Why training ended.
    pub stopped: StopReason,
    /// Examples trained on per second in the last epoch.
    pub samples_per_second: f64,
    /// Metrics by part and position.
    pub metrics: Vec<NamedMetrics>,
    /// Accuracy, recall and F1 on the validation part, as it is and balanced.
    pub validation: ValidationFigures,
    /// The threshold, chosen by the rule asked for.
    #[serde(default)]
    pub threshold: f32,
    /// The kind of calibration that was used.
    #[serde(default)]
    pub calibrated_by: CalibrationKind,
    /// Log-loss of each kind of calibration on all that was held out to calibrate by (the validation part, of
    /// `base` also what members left out), by turns of its users.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calibrations: Vec<CalibrationTrial>,
    /// Whether the test part can be told from the training part; none where one is too small.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adversarial: Option<Adversarial>,
}

/// Examples in each part.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct PartSizes {
    /// Learnt from.
    pub train: usize,
    /// Early stopping, calibration, threshold.
    pub validation: usize,
    /// Measured once.
    pub test: usize,
    /// Left out by the split.
    pub left_out: usize,
    /// Whether the parts are other visitors of the same days, since nearly all came on the first.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub same_time: bool,
    /// Whether the weights have learnt from the test part, too, after it was measured with others:
    /// then its examples count under `train` and `validation` as well.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub test_learnt: bool,
}

/// Metrics with the name of what was measured.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NamedMetrics {
    /// `training`, `validation`, `test`; `test, history unknown` where the model uses what users
    /// did in earlier sessions.
    pub part: String,
    /// At which prefixes: `after 2, 3, 5 and 10 events`, ….
    pub position: String,
    /// The figures.
    pub metrics: Metrics,
}

impl FitReport {
    /// Of a model for which nothing is measured yet.
    pub(super) fn of(model: &Model, prepared: &Prepared, request: &FitRequest) -> Self {
        Self {
            task: request.task,
            device: match request.training.arithmetic {
                Arithmetic::F32 => request.device.name.to_owned(),
                Arithmetic::Mixed => format!("{}, mixed arithmetic", request.device.name),
            },
            parameters: model.config.parameters(),
            examples: prepared.sizes(),
            history: model.trained.history.clone(),
            best_epoch: model.trained.best_epoch,
            stopped: model.trained.reason,
            samples_per_second: model.trained.samples_per_second,
            metrics: Vec::new(),
            validation: model.validation,
            threshold: model.threshold,
            calibrated_by: model.calibrated_by,
            calibrations: model.calibrations.clone(),
            adversarial: None,
        }
    }
}

/// Metrics of these parts, by name, as far as they have examples.
pub(super) fn measure_parts(
    parts: [(&str, &Encoded); 2],
    model: &Model,
    request: &FitRequest,
) -> Result<Vec<NamedMetrics>, TrainError> {
    let mut metrics = Vec::new();
    for (part, encoded) in parts {
        if !encoded.examples.is_empty() {
            metrics.extend(measure_part(part, encoded, model, request)?);
        }
    }
    Ok(metrics)
}

/// Metrics of one part at each position of the task.
fn measure_part(
    part: &str,
    encoded: &Encoded,
    model: &Model,
    request: &FitRequest,
) -> Result<Vec<NamedMetrics>, TrainError> {
    let (weighting, _) = tasks::scheme(request.task, Shares::Shop);
    let logits = scoring::all_prefixes(&model.network, &encoded.examples, weighting)?;
    let learnt = request.task == Task::InSession && part == "training";
    Ok(evaluation::positions(request.task)
        .iter()
        .map(|&(position, positions)| {
            let scored = scoring::pick(&logits, &encoded.examples, positions);
            let probabilities: Vec<f32> = scored
                .logits
                .iter()
                .map(|logit| model.calibration.apply(*logit))
                .collect();
            NamedMetrics {
                part: part.to_owned(),
                // Learning sees a session's first events only; the other parts are whole.
                position: match positions {
                    Positions::Last if learnt => {
                        format!("{position}, of the first {}", request.examples.max_events)
                    }
                    _ => position.to_owned(),
                },
                metrics: Metrics::measure(&probabilities, &scored.labels, model.threshold),
            }
        })
        .collect())
}
