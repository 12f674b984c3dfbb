//! The whole way from data to a bundle, and the evaluation protocol.

use std::time::{Duration, Instant};

use propense_features::FeatureSpec;
use propense_model::{
    Arithmetic, Bundle, CellActivation, CnnLstm, Manifest, ModelConfig, NamedTensor, Precision,
    cpu_device,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::adversarial::{Adversarial, adversarial};
use crate::balanced::ValidationFigures;
use crate::calibrate::Scaling;
use crate::checkpoint::{self, RunKey};
use crate::device::Chosen;
use crate::encode::Encoded;
use crate::evaluation::{self, Evaluation, MeasureOptions};
use crate::example::{Example, Positions, Weighting, spread};
use crate::metrics::{Metrics, best_f1_threshold};
use crate::options::{Preset, TrainOptions};
use crate::progress::{EpochReport, Observer, Progress, StopReason};
use crate::tasks::{self, ExampleOptions, Prepared, Shares};
use crate::trainer::{self, Trained};
use crate::{Task, TrainError, base, manifest, scoring};
use propense_prepare::Loaded;

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
    /// Sizes of the published network where they are not the usual ones.
    pub sizes: NetworkSizes,
    /// How the weights will be stored. Everything that is fitted or measured after training, the
    /// golden session among it, is that of the weights as stored.
    pub precision: Precision,
    /// Where it runs.
    pub device: Chosen,
    /// Name of the model.
    pub name: String,
    /// Licence of the weights.
    pub licence: String,
    /// Time of making, RFC 3339.
    pub created_at: String,
}

/// Sizes of the published network; none for the usual one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct NetworkSizes {
    /// Convolution filters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filters: Option<usize>,
    /// Hidden units of the LSTM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden: Option<usize>,
    /// Dropout before the output, in training only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dropout: Option<f64>,
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

/// A trained model and how it came about.
#[derive(Debug, Clone)]
pub struct Fitted {
    /// The bundle, ready to be written.
    pub bundle: Bundle,
    /// What to print.
    pub report: FitReport,
}

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
    /// Then the weights have learnt from the test part, too, after it was measured with others.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub same_time: bool,
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

/// The part that is measured once.
const TEST: &str = "test";

/// The test part as a page sees it that knows nothing of the visitor's earlier sessions.
const UNKNOWN_HISTORY: &str = "test, history unknown";

/// A network with everything fitted on the validation part.
pub(crate) struct Model {
    pub(crate) network: CnnLstm,
    pub(crate) trained: Trained,
    pub(crate) spec: FeatureSpec,
    pub(crate) scaling: Scaling,
    pub(crate) threshold: f32,
    pub(crate) percentiles: Vec<f32>,
    pub(crate) validation: ValidationFigures,
    pub(crate) config: ModelConfig,
}

/// Learns from the data and makes a bundle: features, weights, calibration, threshold and
/// percentiles from the training and validation parts, the test part measured once. Where the parts
/// go by user, because hardly anybody new came later, the bundle is learnt once more with the test
/// part, after that was measured: it says of these users what the first one scored.
///
/// # Errors
///
/// Where the data does not suit the task, the device or a checkpoint fails, or training is
/// interrupted before the first epoch is complete.
pub fn fit_bundle(
    data: &Loaded,
    request: &FitRequest,
    observer: &mut dyn Observer,
) -> Result<Fitted, TrainError> {
    let clock = Instant::now();
    let prepare = |shares, observer: &mut dyn Observer| {
        tasks::prepare(request.task, data, shares, &request.examples, observer)
    };
    let prepared = prepare(Shares::Shop, observer)?;
    let measured = bundle_of(&prepared, data, request, Origin::Seed, observer)?;
    let interrupted = measured.report.stopped == StopReason::Interrupted || observer.stop();
    let request = again(request, clock.elapsed());
    if !prepared.same_time || interrupted || request.training.time_limit == Some(Duration::ZERO) {
        return Ok(measured);
    }
    observer.on(&Progress::Note(
        "the test part is measured: the bundle learns once more, from it too",
    ));
    let prepared = prepare(Shares::Measured, observer)?;
    let origin = Origin::Measured(&measured.report);
    bundle_of(&prepared, data, &request, origin, observer)
}

/// The request of the training that follows one of this length: with what is left of the time, and
/// its state in a folder within that of the first.
fn again(request: &FitRequest, spent: Duration) -> FitRequest {
    let mut request = request.clone();
    let training = &mut request.training;
    training.time_limit = training.time_limit.map(|limit| limit.saturating_sub(spent));
    training.checkpoint = training
        .checkpoint
        .as_ref()
        .map(|folder| folder.join("again"));
    let begun = training
        .checkpoint
        .as_deref()
        .is_some_and(checkpoint::is_there);
    training.resume = training.resume && begun;
    request
}

/// Where a training begins.
#[derive(Clone, Copy)]
pub(crate) enum Origin<'a> {
    /// With the weights that the seed draws.
    Seed,
    /// With these, too, after a first training whose test part it learns from.
    Measured(&'a FitReport),
    /// With the weights of this bundle.
    Bundle(&'a Bundle),
}

/// The second half of [`fit_bundle`], from examples to the bundle.
pub(crate) fn bundle_of(
    prepared: &Prepared,
    data: &Loaded,
    request: &FitRequest,
    origin: Origin<'_>,
    observer: &mut dyn Observer,
) -> Result<Fitted, TrainError> {
    let from = match origin {
        Origin::Bundle(bundle) => Some(bundle),
        Origin::Seed | Origin::Measured(_) => None,
    };
    let model = fit_model(prepared, data, request, from, observer)?;
    observer.on(&Progress::Note(
        "measuring the training, validation and test parts",
    ));
    let mut metrics = Vec::new();
    let named = [
        ("training", &prepared.train),
        ("validation", &prepared.validation),
        (TEST, &prepared.test),
        (UNKNOWN_HISTORY, &prepared.test_without_history),
    ];
    for (part, encoded) in named {
        if !encoded.examples.is_empty() {
            metrics.extend(measure_part(part, encoded, &model, request)?);
        }
    }
    let mut report = report(prepared, &model, request, metrics);
    if let Origin::Measured(first) = origin {
        let tests = first.metrics.iter();
        let tests = tests.filter(|entry| [TEST, UNKNOWN_HISTORY].contains(&entry.part.as_str()));
        report.metrics.extend(tests.cloned());
        report.examples.test = first.examples.test;
        report.examples.same_time = true;
    }
    let manifest = manifest::manifest(data, request, prepared, &model, &report)?;
    report.adversarial = match origin {
        Origin::Measured(first) => first.adversarial.clone(),
        Origin::Seed | Origin::Bundle(_) => tell_apart(prepared, &prepared.test.examples, request),
    };
    Ok(Fitted {
        bundle: Bundle::from_model(manifest, &model.network)?,
        report,
    })
}

/// Length in bytes of the bundle that this model makes.
pub(crate) fn bundle_length(
    data: &Loaded,
    request: &FitRequest,
    prepared: &Prepared,
    model: &Model,
) -> Result<usize, TrainError> {
    let report = report(prepared, model, request, Vec::new());
    let manifest = manifest::manifest(data, request, prepared, model, &report)?;
    let bundle = Bundle::from_model(manifest, &model.network)?;
    Ok(bundle.to_bytes(request.precision)?.len())
}

fn report(
    prepared: &Prepared,
    model: &Model,
    request: &FitRequest,
    metrics: Vec<NamedMetrics>,
) -> FitReport {
    FitReport {
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
        metrics,
        validation: model.validation,
        adversarial: None,
    }
}

/// The evaluation protocol: everything learnt from `train`, `test` scored once.
///
/// # Errors
///
/// As [`fit_bundle`]; [`TrainError::Interrupted`] where the observer stops it before the test data
/// is scored: what half a training gives is not the protocol's figure. [`TrainError::Overlap`]
/// where a forecast's test data does not continue the training data.
pub fn eval(
    train: &Loaded,
    test: &Loaded,
    request: &FitRequest,
    measuring: &MeasureOptions,
    observer: &mut dyn Observer,
) -> Result<Evaluation, TrainError> {
    if request.task == Task::ThirtyDay {
        // Before any training: an overlap is a mistake in the command.
        tasks::check_continues(train, test)?;
    }
    let prepared = tasks::prepare(
        request.task,
        train,
        match request.preset {
            Preset::Seed => Shares::Protocol,
            Preset::Base => Shares::Whole,
        },
        &request.examples,
        observer,
    )?;
    let model = fit_model(&prepared, train, request, None, observer)?;
    if model.trained.reason == StopReason::Interrupted || observer.stop() {
        return Err(interrupted(request));
    }
    observer.on(&Progress::Note("scoring the test data, once"));
    let encoded = tasks::encode_test(
        request.task,
        &model.spec,
        test,
        Some(train),
        &request.examples,
    )?;
    tasks::check_classes("test data", &encoded, Some(prepared.positions))?;
    let examples = &encoded.examples;
    let stop = || observer.stop();
    let logits = scoring::all_prefixes_unless(&model.network, examples, prepared.weighting, &stop)?
        .ok_or_else(|| interrupted(request))?;
    let scored = scoring::pick(&logits, examples, prepared.positions);
    let mut evaluation = evaluation::measure(
        request.task,
        (&scored, examples),
        &|logit| model.scaling.probability(logit),
        model.threshold,
        measuring,
    );
    evaluation.validation = Some(model.validation);
    evaluation.adversarial = tell_apart(&prepared, examples, request);
    Ok(evaluation)
}

/// Whether test examples can be told from those that were learnt from. The model is finished: this
/// is a remark on its figures, and fits nothing of it.
fn tell_apart(prepared: &Prepared, test: &[Example], request: &FitRequest) -> Option<Adversarial> {
    let parts = (prepared.train.examples.as_slice(), test);
    let seed = request.training.seed;
    adversarial(parts, &prepared.spec, prepared.positions, seed)
}

fn interrupted(request: &FitRequest) -> TrainError {
    let rest = match &request.training.checkpoint {
        Some(_) => "; the same command with --resume goes on",
        None => "",
    };
    TrainError::Interrupted(format!(
        "before the test data was scored: there is no result{rest}"
    ))
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
            scaling: Scaling::fit_weighted(&held_out.logits, &held_out.labels, &held_out.weights),
            moments: held_out.logits.clone(),
            logits: held_out.logits,
            labels: held_out.labels,
        },
        _ => judge(&network, prepared)?,
    };
    let scaling = judged.scaling;
    let probabilities = |logits: &[f32]| -> Vec<f32> {
        logits
            .iter()
            .map(|logit| scaling.probability(*logit))
            .collect()
    };
    let scores = probabilities(&judged.logits);
    let threshold = best_f1_threshold(&scores, &judged.labels);
    let seed = request.training.seed;
    Ok(Model {
        validation: ValidationFigures::measure(&scores, &judged.labels, threshold, seed),
        threshold,
        percentiles: Manifest::percentile_table(&probabilities(&judged.moments)),
        network,
        trained,
        spec: prepared.spec.clone(),
        scaling,
        config,
    })
}

/// What calibration, threshold and percentiles are fitted on.
struct Judged {
    scaling: Scaling,
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
        scaling: calibrate(&logits, validation, prepared.weighting, prepared.positions),
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

/// Calibrates where the model is used: a shop's model after every event, each session counting
/// once; the protocol's at its positions.
pub(crate) fn calibrate(
    logits: &[Vec<f32>],
    examples: &[Example],
    weighting: Weighting,
    positions: Positions,
) -> Scaling {
    if weighting != Weighting::EveryPrefix {
        let scored = scoring::pick(logits, examples, positions);
        return Scaling::fit(&scored.logits, &scored.labels);
    }
    let (mut all, mut labels, mut weights) = (Vec::new(), Vec::new(), Vec::new());
    for (list, example) in logits.iter().zip(examples) {
        all.extend_from_slice(list);
        // A label that is not known weighs nothing.
        labels.extend((0..list.len()).map(|prefix| example.label.at(prefix).unwrap_or(false)));
        weights.extend(example.weights(weighting));
    }
    Scaling::fit_weighted(&all, &labels, &weights)
}

fn network(config: &ModelConfig, weights: &[NamedTensor]) -> Result<CnnLstm, TrainError> {
    Ok(CnnLstm::from_weights(config, weights, &cpu_device())?)
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
        .into_iter()
        .map(|(position, positions)| {
            let scored = scoring::pick(&logits, &encoded.examples, positions);
            let probabilities: Vec<f32> = scored
                .logits
                .iter()
                .map(|logit| model.scaling.probability(*logit))
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
