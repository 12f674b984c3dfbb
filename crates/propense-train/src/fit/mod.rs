//! The whole way from data to a bundle, and the evaluation protocol.

pub(crate) mod manifest;
mod model;
mod report;
pub(crate) mod request;

use std::time::{Duration, Instant};

use propense_model::Bundle;
use propense_prepare::Loaded;

use crate::adversarial::{Adversarial, adversarial};
use crate::bootstrap::MeasureOptions;
use crate::checkpoint;
use crate::evaluation::{self, Evaluation, Forecasts};
use crate::example::Example;
use crate::options::Preset;
use crate::overlap::overlap;
use crate::progress::{Observer, Progress, StopReason};
use crate::tasks::{self, Prepared, Shares};
use crate::test_data::TestData;
use crate::{TrainError, scoring};

pub(crate) use model::{Model, fit_model, held_out, validated_later};
use report::measure_parts;
pub use report::{FitReport, NamedMetrics, PartSizes};
pub use request::{FitRequest, NetworkSizes};

/// A trained model and how it came about.
#[derive(Debug, Clone)]
pub struct Fitted {
    /// The bundle, ready to be written.
    pub bundle: Bundle,
    /// What to print.
    pub report: FitReport,
}

/// Learns from the data and makes a bundle: features, weights, calibration, threshold and
/// percentiles from the training and validation parts, the test part measured once. Where the parts
/// go by user, because hardly anybody new came later, the bundle is learnt once more with the test
/// part, after that was measured: it says of these users what the first one scored. Where this second
/// training is broken off, or its time runs out, the bundle is the first one.
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
    let model = fit_model(&prepared, data, request, None, observer)?;
    let tested = Tested::measure(&prepared, &model, request, observer)?;
    let fitted = finish(&prepared, data, request, &model, tested.clone(), observer)?;
    let interrupted = model.trained.reason == StopReason::Interrupted || observer.stop();
    let by_user = prepared.same_time;
    drop(prepared);
    if !by_user || interrupted {
        return Ok(fitted);
    }
    let next = again(request, clock.elapsed());
    if next.training.time_limit == Some(Duration::ZERO) {
        observer.on(&Progress::Note(
            "no time is left to learn from the test part, too: the bundle has not",
        ));
        return Ok(fitted);
    }
    observer.on(&Progress::Note(
        "the test part is measured: the bundle learns once more, from it too",
    ));
    let prepared = prepare(Shares::Measured, observer)?;
    let reason = match fit_model(&prepared, data, &next, None, observer) {
        Ok(model) if model.trained.reason.is_whole() => {
            let tested = Tested {
                learnt: true,
                ..tested
            };
            return finish(&prepared, data, request, &model, tested, observer);
        }
        Ok(model) => model.trained.reason,
        Err(TrainError::Interrupted(_)) => StopReason::Interrupted,
        Err(error) => return Err(error),
    };
    observer.on(&Progress::Note(
        "the second training was not completed: the bundle is that of the first, as it was measured",
    ));
    let mut kept = fitted;
    kept.report.stopped = reason;
    Ok(kept)
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

/// Trains a bundle on: the second half of [`fit_bundle`], from examples to the bundle, beginning with
/// the weights of this one.
pub(crate) fn fit_on(
    live: &Bundle,
    prepared: &Prepared,
    data: &Loaded,
    request: &FitRequest,
    observer: &mut dyn Observer,
) -> Result<Fitted, TrainError> {
    let model = fit_model(prepared, data, request, Some(live), observer)?;
    let tested = Tested::measure(prepared, &model, request, observer)?;
    finish(prepared, data, request, &model, tested, observer)
}

/// What the test part says, which is asked once.
#[derive(Clone)]
struct Tested {
    examples: usize,
    /// Whether the parts are other visitors of the same days.
    same_time: bool,
    /// Whether the bundle has learnt from it since.
    learnt: bool,
    metrics: Vec<NamedMetrics>,
    adversarial: Option<Adversarial>,
}

impl Tested {
    fn measure(
        prepared: &Prepared,
        model: &Model,
        request: &FitRequest,
        observer: &mut dyn Observer,
    ) -> Result<Self, TrainError> {
        observer.on(&Progress::Note("measuring the test part"));
        // Told from the training part by what is known of them, not by how often history is left out there.
        let strangers = &prepared.test_without_history.examples;
        let seen = tasks::by_turns(&prepared.test.examples, strangers, request.examples.seed);
        let parts = [
            ("test", &prepared.test),
            // As a page sees it that knows nothing of the visitor's earlier sessions.
            ("test, history unknown", &prepared.test_without_history),
        ];
        Ok(Self {
            examples: prepared.test.examples.len(),
            same_time: prepared.same_time,
            learnt: false,
            metrics: measure_parts(parts, model, request)?,
            adversarial: tell_apart(prepared, &seen, request),
        })
    }
}

/// Measures what was learnt from, and makes the bundle.
fn finish(
    prepared: &Prepared,
    data: &Loaded,
    request: &FitRequest,
    model: &Model,
    tested: Tested,
    observer: &mut dyn Observer,
) -> Result<Fitted, TrainError> {
    observer.on(&Progress::Note(
        "measuring the training and validation parts",
    ));
    let learnt = [
        ("training", &prepared.train),
        ("validation", &prepared.validation),
    ];
    let mut report = FitReport::of(model, prepared, request);
    report.metrics = measure_parts(learnt, model, request)?;
    report.metrics.extend(tested.metrics);
    report.examples.test = tested.examples;
    report.examples.same_time = tested.same_time;
    report.examples.test_learnt = tested.learnt;
    report.adversarial = tested.adversarial;
    let manifest = manifest::manifest(data, request, prepared, model, &report)?;
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
    let report = FitReport::of(model, prepared, request);
    let manifest = manifest::manifest(data, request, prepared, model, &report)?;
    let bundle = Bundle::from_model(manifest, &model.network)?;
    Ok(bundle.to_bytes(request.precision)?.len())
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
    // Before any training: an overlap, or data of another kind, is a mistake in the command.
    let names = tasks::segments(request.task, test, Some(train), &request.examples)?;
    let shared = overlap(train, test);
    if let Some(words) = shared.words() {
        observer.on(&Progress::Note(&words));
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
    let (spec, options) = (&prepared.spec, &request.examples);
    let encoded = tasks::encode_test(request.task, spec, test, Some(train), options)?;
    tasks::check_classes("test data", &encoded, Some(prepared.positions))?;
    let lacking = TestData::lacking(request.task, spec, test, Some(train), options)?;
    let examples = &encoded.examples;
    let model = fit_model(&prepared, train, request, None, observer)?;
    if model.trained.reason == StopReason::Interrupted || observer.stop() {
        return Err(interrupted(request));
    }
    observer.on(&Progress::Note("scoring the test data, once"));
    let stop = || observer.stop();
    let logits = scoring::all_prefixes_unless(&model.network, examples, prepared.weighting, &stop)?
        .ok_or_else(|| interrupted(request))?;
    let forecasts = Forecasts {
        task: request.task,
        examples,
        logits: &logits,
        names: &names,
        probability: &|logit| model.calibration.apply(logit),
        threshold: model.threshold,
    };
    let mut evaluation = forecasts.measure(measuring);
    let epochs = model.trained.history.iter();
    evaluation.curve = epochs
        .map(|epoch| (epoch.train_loss, epoch.validation_loss))
        .collect();
    evaluation.test_data = TestData {
        overlap: Some(shared),
        ..lacking
    };
    evaluation.validation = Some(model.validation);
    evaluation.percentiles = evaluation::percentiles(&model.percentiles);
    evaluation.calibrated_by = Some(model.calibrated_by);
    evaluation.calibrations = model.calibrations;
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

#[cfg(test)]
mod tests;
