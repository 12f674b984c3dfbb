//! Training one contender and scoring the test part with it.

use std::sync::Arc;
use std::time::Instant;

use burn::tensor::{Tensor, TensorData};
use propense_model::{
    CpuModel, EnsembleConfig, ModelConfig, NamedTensor, StructureConfig, StructureKind, cpu_device,
};
use serde_json::json;

use super::Learner;
use crate::adam::numbers;
use crate::baselines::{Binned, Growth, Logistic, Trees};
use crate::calibrate::Scaling;
use crate::ensemble::{Table, table_edges};
use crate::example::{Example, Positions, Weighting};
use crate::fit::{self, FitRequest, NetworkSizes};
use crate::metrics::{best_f1_threshold, log_loss};
use crate::network::{Blueprint, Network};
use crate::objectives::{Columns, HeadSizes, HeadedConfig, Objective, beforehand, item_columns};
use crate::options::{Preset, TrainOptions};
use crate::progress::{Observer, StopReason};
use crate::tasks::Prepared;
use crate::trainer;
use crate::{TrainError, scoring};
use propense_prepare::Loaded;

/// Bins of a context number.
const BINS: usize = 10;

/// Units of the binned network on the context.
const BINNED_UNITS: usize = 32;

/// Examples whose scoring is timed.
const TIMED: usize = 200;

/// Logits of examples at the positions that are measured.
type Score = Box<dyn Fn(&[Example]) -> Result<Vec<f32>, TrainError>>;

/// One trained contender.
pub(super) struct Fit {
    score: Score,
    scaling: Scaling,
    /// Log-loss on the validation part, calibrated there.
    pub(super) validation_loss: f64,
    /// The threshold with the highest F1 on the validation part.
    pub(super) threshold: f32,
    pub(super) parameters: usize,
    /// Length of the bundle; none for what is not shipped.
    pub(super) bundle_bytes: Option<usize>,
    pub(super) seconds: f64,
    /// To score one session, on one thread of the CPU.
    pub(super) microseconds: f64,
    pub(super) epochs: usize,
}

impl Fit {
    /// Calibrated forecasts at the positions that are measured.
    pub(super) fn forecast(&self, examples: &[Example]) -> Result<Vec<f32>, TrainError> {
        let logits = (self.score)(examples)?;
        Ok(logits
            .iter()
            .map(|logit| self.scaling.probability(*logit))
            .collect())
    }
}

/// What training gives, before calibration.
struct Raw {
    score: Score,
    parameters: usize,
    bundle_bytes: Option<usize>,
    seconds: f64,
    microseconds: f64,
    epochs: usize,
}

/// Trains the learner from the request's seed, and calibrates it on the validation part.
pub(super) fn fit(
    (learner, objective): (Learner, Option<Objective>),
    prepared: &Prepared,
    data: &Loaded,
    request: &FitRequest,
    observer: &mut dyn Observer,
) -> Result<Fit, TrainError> {
    let parts = (prepared, data);
    let raw = match (learner, objective) {
        (Learner::Seed, None) => shipped(Preset::Seed, prepared, data, request, observer)?,
        (Learner::Seed, Some(objective)) => {
            let of = |hidden: usize| {
                let whole = request.config(prepared);
                let features = whole.features - hidden;
                Ok(ModelConfig { features, ..whole })
            };
            headed(of, learner, objective, parts, request, observer)?
        }
        (Learner::Structure(kind), None) => {
            let config = structure(kind, prepared, request, 0)?;
            network(&config, None, prepared, data, request, observer)?
        }
        (Learner::Structure(kind), Some(objective)) if kind != StructureKind::Context => {
            let of = |hidden: usize| structure(kind, prepared, request, hidden);
            headed(of, learner, objective, parts, request, observer)?
        }
        (Learner::Base, None) => shipped(Preset::Base, prepared, data, request, observer)?,
        (Learner::Trees, None) => trees(prepared, request.training.seed),
        (Learner::Logistic, None) => logistic(prepared),
        (Learner::BaseRate, None) => base_rate(prepared),
        (_, Some(_)) => {
            return Err(TrainError::Unsuited {
                task: request.task,
                reason: format!("{learner} forecasts nothing else"),
            });
        }
    };
    if observer.stop() {
        return Err(stopped());
    }
    let labels = labels(&prepared.validation.examples, prepared.positions);
    let logits = (raw.score)(&prepared.validation.examples)?;
    let scaling = Scaling::fit(&logits, &labels);
    let validation: Vec<f32> = logits.iter().map(|l| scaling.probability(*l)).collect();
    Ok(Fit {
        score: raw.score,
        scaling,
        validation_loss: log_loss(&validation, &labels),
        threshold: best_f1_threshold(&validation, &labels),
        parameters: raw.parameters,
        bundle_bytes: raw.bundle_bytes,
        seconds: raw.seconds,
        microseconds: raw.microseconds,
        epochs: raw.epochs,
    })
}

pub(super) fn stopped() -> TrainError {
    let why = "before everything was trained: there is no comparison";
    TrainError::Interrupted(why.to_owned())
}

/// Outcomes at the measured positions.
pub(super) fn labels(examples: &[Example], positions: Positions) -> Vec<bool> {
    let at = |example: &Example| -> Vec<bool> {
        let seen = positions.of(example.events).into_iter();
        seen.filter_map(|events| example.label.at(events)).collect()
    };
    examples.iter().flat_map(at).collect()
}

/// The two presets that make bundles, trained as `train` does.
fn shipped(
    preset: Preset,
    prepared: &Prepared,
    data: &Loaded,
    request: &FitRequest,
    observer: &mut dyn Observer,
) -> Result<Raw, TrainError> {
    let usual = TrainOptions::of(preset);
    let training = match preset {
        Preset::Seed => request.training.clone(),
        // Its own recipe; the options of the others would not suit it.
        Preset::Base => TrainOptions {
            seed: request.training.seed,
            change: request.training.change,
            time_limit: request.training.time_limit,
            epochs: request.training.epochs.min(usual.epochs),
            ..usual
        },
    };
    let sizes = match preset {
        Preset::Seed => request.sizes,
        Preset::Base => NetworkSizes::default(),
    };
    let request = FitRequest {
        preset,
        training,
        sizes,
        ..request.clone()
    };
    let clock = Instant::now();
    let model = fit::fit_model(prepared, data, &request, None, observer)?;
    let seconds = clock.elapsed().as_secs_f64();
    if model.trained.reason == StopReason::Interrupted {
        return Err(stopped());
    }
    let bundle_bytes = Some(fit::bundle_length(data, &request, prepared, &model)?);
    let cpu = Arc::new(CpuModel::new(&model.config, &model.network.weights()?)?);
    let score = |example: &Example| match prepared.positions {
        Positions::Context => cpu.base(&example.context, &[]),
        _ => cpu.score(&example.rows, &example.context),
    };
    let (weighting, positions) = (prepared.weighting, prepared.positions);
    Ok(Raw {
        parameters: model.config.parameters(),
        bundle_bytes,
        seconds,
        microseconds: microseconds(&prepared.validation.examples, &score),
        epochs: model.trained.history.len(),
        score: Box::new(move |examples| {
            let logits = scoring::all_prefixes(&model.network, examples, weighting)?;
            Ok(scoring::pick(&logits, examples, positions).logits)
        }),
    })
}

/// Sizes of a structure for these features, of which it is not shown so many columns.
fn structure(
    kind: StructureKind,
    prepared: &Prepared,
    request: &FitRequest,
    hidden: usize,
) -> Result<StructureConfig, TrainError> {
    let sizes = (
        prepared.spec.row_len() - hidden,
        prepared.spec.context_len(),
    );
    let config = StructureConfig {
        items: match kind {
            StructureKind::ConvLstmItems => item_columns(&prepared.spec),
            _ => None,
        },
        bins: (kind == StructureKind::Context).then(|| EnsembleConfig {
            members: 1,
            hidden: BINNED_UNITS,
            edges: context_edges(&prepared.train.examples, prepared.weighting),
        }),
        ..StructureConfig::new(kind, sizes.0, sizes.1)
    };
    match (kind, config.items) {
        (StructureKind::ConvLstmItems, None) => Err(TrainError::Unsuited {
            task: request.task,
            reason: "conv-lstm-items needs events with items; leave it out of --structures".into(),
        }),
        _ => {
            config.validate()?;
            Ok(config)
        }
    }
}

/// Edges of the context's numbers, fitted on the training part.
fn context_edges(examples: &[Example], weighting: Weighting) -> Vec<Vec<f32>> {
    let width = examples.first().map_or(0, |example| example.context.len());
    let rows = examples
        .first()
        .map_or(0, |e| e.rows.len() / e.events.max(1));
    let mut edges = table_edges(&Table::new(examples, rows, weighting, 1), |_| BINS);
    edges.truncate(width);
    edges
}

/// Trains a network that forecasts something else besides. `of` makes its sizes where it is not shown so
/// many columns of a row.
fn headed<B: Blueprint>(
    of: impl Fn(usize) -> Result<B, TrainError>,
    learner: Learner,
    objective: Objective,
    (prepared, data): (&Prepared, &Loaded),
    request: &FitRequest,
    observer: &mut dyn Observer,
) -> Result<Raw, TrainError>
where
    B::Network: 'static,
{
    let columns = Columns::of(&prepared.spec);
    let heads = columns.map(|columns| (columns, objective.aims(&columns)));
    let Some((columns, aims)) = heads.filter(|(_, aims)| !aims.is_empty()) else {
        let reason = format!("`{}` needs events with items", objective.name());
        return Err(TrainError::Unsuited {
            task: request.task,
            reason,
        });
    };
    // Only one structure reads the columns of items; for the others they are what is to be forecast.
    let hidden = match learner {
        Learner::Structure(StructureKind::ConvLstmItems) => None,
        _ => columns.items,
    };
    let network = of(hidden.map_or(0, |columns| columns.count))?;
    let states = network.states();
    let config = |aims| HeadedConfig {
        network: network.clone(),
        heads: HeadSizes {
            aims,
            columns,
            states,
        },
        features: prepared.spec.row_len(),
        hidden,
    };
    if objective != Objective::Beforehand {
        return self::network(&config(aims), None, prepared, data, request, observer);
    }
    let clock = Instant::now();
    let (config, plain) = (config(aims), config(Vec::new()));
    let (train, options) = (&prepared.train.examples, &request.training);
    let weights = trainer::first_weights(&config, train, options.seed)?;
    let weights = beforehand(&config, &weights, train, options, &request.device, observer)?;
    let weights = weights.ok_or_else(stopped)?;
    let seconds = clock.elapsed().as_secs_f64();
    let raw = self::network(&plain, Some(&weights), prepared, data, request, observer)?;
    Ok(Raw {
        seconds: raw.seconds + seconds,
        ..raw
    })
}

/// Trains a network with the loop of the published one, from these weights or from the seed, and scores
/// on tensors.
fn network<B: Blueprint>(
    config: &B,
    from: Option<&[NamedTensor]>,
    prepared: &Prepared,
    data: &Loaded,
    request: &FitRequest,
    observer: &mut dyn Observer,
) -> Result<Raw, TrainError>
where
    B::Network: 'static,
{
    let key = request.run_key(data, prepared, &json!(config.parameters()));
    let parts = prepared.parts();
    let clock = Instant::now();
    let (options, device) = (&request.training, &request.device);
    let trained = match from {
        None => trainer::train(config, parts, options, &key, device, observer)?,
        Some(weights) => {
            trainer::train_on(config, weights, parts, options, &key, device, observer)?
        }
    };
    let seconds = clock.elapsed().as_secs_f64();
    if trained.reason == StopReason::Interrupted {
        return Err(stopped());
    }
    let network = config.build(&trained.weights, &cpu_device())?;
    let score = |example: &Example| last(&network, example).unwrap_or(0.0);
    let (weighting, positions) = (prepared.weighting, prepared.positions);
    Ok(Raw {
        parameters: config.parameters(),
        bundle_bytes: None,
        seconds,
        microseconds: microseconds(&prepared.validation.examples, &score),
        epochs: trained.history.len(),
        score: Box::new(move |examples| {
            let logits = network.prefixes(examples, weighting, &|| false)?;
            let logits = logits.unwrap_or_default();
            Ok(scoring::pick(&logits, examples, positions).logits)
        }),
    })
}

/// The logit of one example on all its events, with tensors.
fn last<N: Network>(network: &N, example: &Example) -> Option<f32> {
    let device = cpu_device();
    let data = TensorData::new(example.context.clone(), [1, example.context.len()]);
    let context = Tensor::from_data(data, &device);
    if example.events == 0 {
        return numbers(network.without_events(context)).ok()?.pop();
    }
    let shape = [1, example.events, network.features()];
    let rows = Tensor::from_data(TensorData::new(example.rows.clone(), shape), &device);
    numbers(network.after_each(rows, context)).ok()?.pop()
}

/// What the newest row and the context hold, at the moments that are learnt from.
fn table(prepared: &Prepared) -> Table {
    let train = &prepared.train.examples;
    Table::new(train, prepared.spec.row_len(), prepared.weighting, 1)
}

/// A contender that reads tables: how one is scored, and how it came about.
fn of_tables(
    prepared: &Prepared,
    logits: impl Fn(&Table) -> Vec<f32> + 'static,
    (parameters, seconds, epochs): (usize, f64, usize),
) -> Raw {
    let (features, positions) = (prepared.spec.row_len(), prepared.positions);
    let one = |example: &Example| {
        let whole = match positions {
            Positions::Context => Positions::Context,
            _ => Positions::Last,
        };
        let table = Table::at(std::slice::from_ref(example), features, whole);
        logits(&table).first().copied().unwrap_or(0.0)
    };
    Raw {
        parameters,
        bundle_bytes: None,
        seconds,
        microseconds: microseconds(&prepared.validation.examples, &one),
        epochs,
        score: Box::new(move |examples| Ok(logits(&Table::at(examples, features, positions)))),
    }
}

fn trees(prepared: &Prepared, seed: u64) -> Raw {
    let train = table(prepared);
    let clock = Instant::now();
    let binned = Binned::new(&train);
    let rows: Vec<usize> = (0..train.len()).collect();
    let growth = Growth {
        seed,
        ..Growth::default()
    };
    let trees = Trees::fit(&binned, &train, &rows, &growth);
    let how = (
        trees.parameters(),
        clock.elapsed().as_secs_f64(),
        growth.trees,
    );
    let logits = move |table: &Table| -> Vec<f32> {
        let binned = binned.like(table);
        let rows = 0..table.len();
        rows.map(|row| trees.logit(&binned, row) as f32).collect()
    };
    of_tables(prepared, logits, how)
}

fn logistic(prepared: &Prepared) -> Raw {
    let train = table(prepared);
    let clock = Instant::now();
    let fitted = Logistic::fit(&train);
    let how = (fitted.parameters(), clock.elapsed().as_secs_f64(), 1);
    let logits = move |table: &Table| -> Vec<f32> {
        let rows = 0..table.len();
        rows.map(|row| fitted.logit(table.row(row)) as f32)
            .collect()
    };
    of_tables(prepared, logits, how)
}

fn base_rate(prepared: &Prepared) -> Raw {
    let train = table(prepared);
    let outcomes = train.labels.iter().zip(&train.weights);
    let (orders, all) = outcomes.fold((0.0, 0.0), |(orders, all), (label, weight)| {
        let weight = f64::from(*weight);
        (orders + weight * f64::from(u8::from(*label)), all + weight)
    });
    let rate = (orders / f64::max(all, 1e-9)).clamp(0.001, 0.999);
    let logit = (rate / (1.0 - rate)).ln() as f32;
    let logits = move |table: &Table| vec![logit; table.len()];
    of_tables(prepared, logits, (1, 0.0, 1))
}

/// Median time to score one example, in microseconds.
fn microseconds(examples: &[Example], score: &dyn Fn(&Example) -> f32) -> f64 {
    let every = examples.len().div_ceil(TIMED).max(1);
    let mut times: Vec<f64> = examples
        .iter()
        .step_by(every)
        .map(|example| {
            let clock = Instant::now();
            std::hint::black_box(score(std::hint::black_box(example)));
            clock.elapsed().as_secs_f64() * 1e6
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or(0.0)
}
