//! A network and what is fitted on the validation part: calibration, threshold, percentiles.

use propense_features::FeatureSpec;
use propense_model::{
    Bundle, Calibration, CnnLstm, Manifest, ModelConfig, NamedTensor, cpu_device,
};
use propense_prepare::Loaded;
use serde_json::json;

use super::FitRequest;
use crate::balanced::ValidationFigures;
use crate::decide::{CalibrationKind, CalibrationTrial, HeldOut};
use crate::ensemble::PARTS;
use crate::example::{Example, Positions, Weighting, spread};
use crate::options::Preset;
use crate::progress::{Observer, Progress};
use crate::split::fold_of;
use crate::tasks::Prepared;
use crate::trainer::{self, Trained};
use crate::{Task, TrainError, base, scoring};

/// A network with everything fitted on the validation part.
pub(crate) struct Model {
    pub(crate) network: CnnLstm,
    pub(crate) trained: Trained,
    pub(crate) spec: FeatureSpec,
    pub(crate) calibration: Calibration,
    /// Its kind: never [`CalibrationKind::Best`].
    pub(crate) calibrated_by: CalibrationKind,
    /// What each kind of calibration gives where it is not fitted.
    pub(crate) calibrations: Vec<CalibrationTrial>,
    pub(crate) threshold: f32,
    pub(crate) percentiles: Vec<f32>,
    pub(crate) validation: ValidationFigures,
    pub(crate) config: ModelConfig,
}

pub(crate) fn fit_model(
    prepared: &Prepared,
    data: &Loaded,
    request: &FitRequest,
    from: Option<&Bundle>,
    observer: &mut dyn Observer,
) -> Result<Model, TrainError> {
    prepared.spec.validate()?;
    observer.on(&Progress::Note(&request.device.reason));
    let (config, trained, held_out) = match request.preset {
        Preset::Seed => {
            let (config, trained) = fit_seed(prepared, data, request, from, observer)?;
            (config, trained, None)
        }
        Preset::Base => {
            let base = base::fit(prepared, request, observer)?;
            (base.config, base.trained, Some(base.held_out))
        }
    };
    // Everything that is kept (calibration, threshold, golden vector) is computed on the CPU, so
    // that it does not hang on the device that trained, with the weights as they will be stored.
    let stored = request.precision.round(&trained.weights)?;
    let network = network(&config, &stored)?;
    let judged = match held_out {
        // Each part of the training data, by members that have not seen it.
        Some(held_out) if prepared.validation.examples.is_empty() => Judged {
            moments: held_out.logits.clone(),
            logits: held_out.logits.clone(),
            labels: held_out.labels.clone(),
            held_out,
        },
        // Where the validation part is no later than the training part, the two say the same, and the
        // second is larger.
        Some(held_out) if !validated_later(request.task, prepared) => {
            let mut judged = judge(&network, prepared)?;
            judged.held_out.join(held_out);
            judged
        }
        _ => judge(&network, prepared)?,
    };
    let calibrations = judged.held_out.trials();
    let kind = judged
        .held_out
        .kind(request.deciding.calibration, &calibrations);
    let calibration = judged.held_out.calibration(kind);
    let probabilities = |logits: &[f32]| -> Vec<f32> {
        logits
            .iter()
            .map(|logit| calibration.apply(*logit))
            .collect()
    };
    let scores = probabilities(&judged.logits);
    let rule = request.deciding.threshold;
    let (threshold, kept) = rule.choose(&scores, &judged.labels);
    if !kept {
        observer.on(&Progress::Note(&format!(
            "--threshold {rule}: no threshold reaches it on the validation part; {threshold:.4} comes nearest"
        )));
    }
    let seed = request.training.seed;
    Ok(Model {
        validation: ValidationFigures::measure(&scores, &judged.labels, (threshold, rule), seed),
        threshold,
        percentiles: Manifest::percentile_table(&probabilities(&judged.moments)),
        network,
        trained,
        spec: prepared.spec.clone(),
        calibration,
        calibrated_by: kind,
        calibrations,
        config,
    })
}

/// Whether the validation part covers later days than the training part, so that it alone knows how often
/// an order comes by now.
pub(crate) const fn validated_later(task: Task, prepared: &Prepared) -> bool {
    match task {
        Task::InSession => !prepared.same_time,
        Task::ThirtyDay => true,
        Task::Shoppers | Task::ShoppersNoPagevalues | Task::NextDay => false,
    }
}

/// What the validation part says.
struct Judged {
    /// What calibration is fitted on.
    held_out: HeldOut,
    /// Logits at the positions that are measured, and the outcomes.
    logits: Vec<f32>,
    labels: Vec<bool>,
    /// Logits at any time of a session.
    moments: Vec<f32>,
}

/// The network's scores of the validation part.
fn judge(network: &CnnLstm, prepared: &Prepared) -> Result<Judged, TrainError> {
    let validation = &prepared.validation.examples;
    let logits = scoring::all_prefixes(network, validation, prepared.weighting)?;
    let scored = scoring::pick(&logits, validation, prepared.positions);
    Ok(Judged {
        held_out: held_out(&logits, validation, prepared.weighting, prepared.positions),
        moments: match prepared.weighting {
            // Percentiles compare a live score with scores at any time of a session.
            Weighting::EveryPrefix => logits
                .iter()
                .flat_map(|list| {
                    let events = list.len().saturating_sub(1);
                    spread(events).filter_map(|prefix| list.get(prefix).copied())
                })
                .collect(),
            _ => scored.logits.clone(),
        },
        logits: scored.logits,
        labels: scored.labels,
    })
}

fn fit_seed(
    prepared: &Prepared,
    data: &Loaded,
    request: &FitRequest,
    from: Option<&Bundle>,
    observer: &mut dyn Observer,
) -> Result<(ModelConfig, Trained), TrainError> {
    let config = match from {
        Some(bundle) => bundle.manifest.model.clone(),
        None => request.config(prepared),
    };
    config.validate()?;
    let key = request.run_key(data, prepared, &json!(config));
    let parts = prepared.parts();
    let (training, device) = (&request.training, &request.device);
    let trained = match from {
        Some(bundle) => trainer::train_on(
            &config,
            &bundle.weights,
            parts,
            training,
            &key,
            device,
            observer,
        )?,
        None => trainer::train(&config, parts, training, &key, device, observer)?,
    };
    Ok((config, trained))
}

/// Scores where the model is used, to calibrate it there: a shop's model after every event, each
/// session counting once; the protocol's at its positions.
pub(crate) fn held_out(
    logits: &[Vec<f32>],
    examples: &[Example],
    weighting: Weighting,
    positions: Positions,
) -> HeldOut {
    let part = |example: &Example| {
        let owner = example.user.as_deref().unwrap_or(&example.id);
        fold_of(owner, PARTS)
    };
    if weighting != Weighting::EveryPrefix {
        let scored = scoring::pick(logits, examples, positions);
        let owner = |index: &usize| examples.get(*index).map_or(0, part);
        return HeldOut {
            weights: vec![1.0; scored.labels.len()],
            parts: scored.example.iter().map(owner).collect(),
            logits: scored.logits,
            labels: scored.labels,
        };
    }
    let mut all = HeldOut::default();
    for (list, example) in logits.iter().zip(examples) {
        all.logits.extend_from_slice(list);
        // A label that is not known weighs nothing.
        let label = |prefix| example.label.at(prefix).unwrap_or(false);
        all.labels.extend((0..list.len()).map(label));
        all.weights.extend(example.weights(weighting));
        all.parts
            .extend(std::iter::repeat_n(part(example), list.len()));
    }
    all
}

fn network(config: &ModelConfig, weights: &[NamedTensor]) -> Result<CnnLstm, TrainError> {
    Ok(CnnLstm::from_weights(config, weights, &cpu_device())?)
}
