//! `compare`: several structures and baselines on one split, measured on the same held-back part.
//!
//! Every contender learns from the training part, stops early and is calibrated on the validation
//! part, and is measured once on the test part. The validation part says which is the best; the test
//! part says by how much, with users drawn again for the interval of each difference.

mod fitting;
mod learner;
pub(crate) mod paired;

use serde::Serialize;

use crate::augment::{Augmentation, Shift};
use crate::bootstrap::Interval;
use crate::evaluation::{MeasureOptions, owners};
use crate::example::{Example, Label};
use crate::fit::{FitRequest, PartSizes};
use crate::metrics::Metrics;
use crate::progress::{Observer, Progress};
use crate::scoring;
use crate::tasks::{self, ExampleOptions, Prepared, Shares};
use crate::{Task, TrainError};
use propense_prepare::Loaded;

pub use learner::Learner;
pub use paired::ThreeIntervals;

use fitting::Fit;
use paired::{Runs, Three};

/// Columns for the hash of an item, for the structure that reads items.
const ITEM_BUCKETS: u32 = 128;

/// What is compared: a learner, and what is done to its training part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contender {
    /// How it forecasts.
    pub learner: Learner,
    /// What makes more of its training part.
    pub augment: Vec<Augmentation>,
    /// Share of the training part that it learns from, in percent.
    pub share: u32,
}

impl Contender {
    /// The learner on the training part as it is.
    #[must_use]
    pub const fn plain(learner: Learner) -> Self {
        Self {
            learner,
            augment: Vec::new(),
            share: 100,
        }
    }

    /// Its name in the table.
    #[must_use]
    pub fn name(&self) -> String {
        let mut name = self.learner.name().to_owned();
        if !self.augment.is_empty() {
            let kinds: Vec<&str> = self.augment.iter().map(|kind| kind.name()).collect();
            name.push_str(&format!(" + {}", kinds.join(",")));
        }
        if self.share < 100 {
            name.push_str(&format!(" on {} %", self.share));
        }
        name
    }
}

/// What is to be compared, and how.
#[derive(Debug, Clone)]
pub struct CompareRequest {
    /// Task, training options, device; its preset is not looked at.
    pub fit: FitRequest,
    /// Who takes part.
    pub contenders: Vec<Contender>,
    /// Trainings of each, with seeds one after the other from the request's on.
    pub seeds: usize,
    /// Changes of the test part to measure on as well.
    pub shifts: Vec<Shift>,
    /// How intervals are made.
    pub measuring: MeasureOptions,
}

/// A measure over the seeds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Figure {
    /// Mean over the seeds.
    pub mean: f64,
    /// 95 % interval of the mean, from users drawn again.
    pub interval: Option<Interval>,
    /// Lowest and highest of the seeds.
    pub seeds: Interval,
}

/// One contender's line.
#[derive(Debug, Clone, Serialize)]
pub struct Compared {
    /// Its name.
    pub name: String,
    /// What it is, in words.
    pub words: &'static str,
    /// Trainings.
    pub seeds: usize,
    /// ROC-AUC.
    pub auc: Figure,
    /// Average precision.
    pub pr_auc: Figure,
    /// Log-loss.
    pub log_loss: Figure,
    /// Mean F1 at the threshold chosen on validation.
    pub f1: f64,
    /// Mean expected calibration error.
    pub ece: f64,
    /// 95 % intervals of AUC, average precision and log-loss less the chosen contender's; none for the
    /// chosen one.
    pub behind: Option<ThreeIntervals>,
    /// Mean log-loss on the validation part, which chooses.
    pub validation_log_loss: f64,
    /// Trained numbers.
    pub parameters: usize,
    /// Length of the bundle that ships it; none where no bundle can hold it.
    pub bundle_bytes: Option<usize>,
    /// Mean seconds of training.
    pub seconds: f64,
    /// Mean epochs.
    pub epochs: f64,
    /// Median microseconds to score one session on one thread of the CPU.
    pub microseconds: f64,
    /// The same contender on changed test parts.
    pub shifts: Vec<ShiftFigures>,
}

/// What a change of the test part costs.
#[derive(Debug, Clone, Serialize)]
pub struct ShiftFigures {
    /// Name of the change.
    pub shift: &'static str,
    /// Mean ROC-AUC.
    pub auc: f64,
    /// Mean log-loss.
    pub log_loss: f64,
}

/// The table.
#[derive(Debug, Clone, Serialize)]
pub struct CompareReport {
    /// The task.
    pub task: Task,
    /// Device that trained the networks.
    pub device: String,
    /// Sizes of the parts.
    pub examples: PartSizes,
    /// Scores measured.
    pub n: usize,
    /// Share of them with an order.
    pub base_rate: f64,
    /// Place of the contender with the lowest log-loss on validation.
    pub best: usize,
    /// The choice in words.
    pub choice: Vec<String>,
    /// The contenders, as asked for.
    pub rows: Vec<Compared>,
}

/// Trains all contenders and measures them on the same held-back part: that of `data` itself, or
/// `test`.
///
/// # Errors
///
/// Where the data does not suit the task or a structure, training fails, or the observer stops it.
pub fn compare(
    data: &Loaded,
    test: Option<&Loaded>,
    request: &CompareRequest,
    observer: &mut dyn Observer,
) -> Result<CompareReport, TrainError> {
    request.fit.training.validate()?;
    if request.contenders.is_empty() || request.seeds == 0 {
        return Err(TrainError::Option {
            option: "--structures",
            reason: "at least one, and --seeds at least 1".to_owned(),
        });
    }
    if let (Task::ThirtyDay, Some(test)) = (request.fit.task, test) {
        tasks::check_continues(data, test)?;
    }
    let mut held_back: Option<HeldBack> = None;
    let mut examples = None;
    let mut all: Vec<Option<Trained>> = request.contenders.iter().map(|_| None).collect();
    // Contenders that learn from the same rows one after the other, so that one set of rows is held.
    let mut order: Vec<usize> = (0..all.len()).collect();
    let key = |place: &usize| options(request, &request.contenders[*place], None);
    let mut prepared: Option<(ExampleOptions, Prepared)> = None;
    order.sort_by_key(|place| format!("{:?}", key(place)));
    for place in order {
        let contender = &request.contenders[place];
        let options = key(&place);
        if prepared.as_ref().is_none_or(|(known, _)| *known != options) {
            // Before the next one is made: two sets of rows would take twice the memory.
            drop(prepared.take());
            prepared = Some((
                options.clone(),
                parts(data, test, request, &options, observer)?,
            ));
        }
        let Some((options, parts)) = &prepared else {
            continue;
        };
        let found = HeldBack::of(parts);
        match &held_back {
            None => held_back = Some(found),
            Some(known) if known.labels != found.labels => {
                return Err(TrainError::Unsuited {
                    task: request.fit.task,
                    reason: format!("the test part of {} is another", contender.name()),
                });
            }
            Some(_) => {}
        }
        examples.get_or_insert(parts.sizes());
        let trained = Trained::new(contender, (options, parts), (data, test), request, observer)?;
        all[place] = Some(trained);
    }
    let trained: Vec<Trained> = all.into_iter().flatten().collect();
    let (Some(held_back), Some(examples)) = (held_back, examples) else {
        return Err(fitting::stopped());
    };
    observer.on(&Progress::Note("measuring all on the test part"));
    Ok(table(request, &held_back, examples, trained))
}

/// How a contender's examples are made.
fn options(
    request: &CompareRequest,
    contender: &Contender,
    shift: Option<Shift>,
) -> ExampleOptions {
    use propense_model::StructureKind::ConvLstmItems;
    let items = contender.learner == Learner::Structure(ConvLstmItems);
    ExampleOptions {
        summed: contender.learner.summed(),
        item_buckets: if items { ITEM_BUCKETS } else { 0 },
        augment: contender.augment.clone(),
        share: contender.share,
        shift,
        ..request.fit.examples.clone()
    }
}

/// The parts, each example with no more events than are learnt from: what attention costs grows with
/// the square of them, and the measured positions lie far before.
fn parts(
    data: &Loaded,
    test: Option<&Loaded>,
    request: &CompareRequest,
    options: &ExampleOptions,
    observer: &mut dyn Observer,
) -> Result<Prepared, TrainError> {
    let task = request.fit.task;
    let shares = match test {
        Some(_) => Shares::Protocol,
        None => Shares::Shop,
    };
    let mut parts = tasks::prepare(task, data, shares, options, observer)?;
    if let Some(test) = test {
        parts.test = tasks::encode_test(task, &parts.spec, test, Some(data), options)?;
        tasks::check_classes("test data", &parts.test, Some(parts.positions))?;
    }
    parts.test_without_history = Default::default();
    if task == Task::InSession {
        for part in [&mut parts.validation, &mut parts.test] {
            for example in &mut part.examples {
                shorten(example, options.max_events);
            }
        }
    }
    Ok(parts)
}

fn shorten(example: &mut Example, events: usize) {
    if example.events <= events {
        return;
    }
    let width = example.rows.len() / example.events;
    example.rows.truncate(events * width);
    example.events = events;
    if let Label::Prefixes(labels) = &mut example.label {
        labels.truncate(events + 1);
    }
}

/// What all are measured on.
struct HeldBack {
    labels: Vec<bool>,
    owners: Vec<usize>,
}

impl HeldBack {
    fn of(parts: &Prepared) -> Self {
        let examples = &parts.test.examples;
        let none: Vec<Vec<f32>> = examples.iter().map(|e| vec![0.0; e.events + 1]).collect();
        let scored = scoring::pick(&none, examples, parts.positions);
        Self {
            owners: owners(&scored, examples),
            labels: scored.labels,
        }
    }
}

/// One contender, trained from each seed.
struct Trained {
    contender: Contender,
    fits: Vec<Fit>,
    /// Forecasts of the test part, by seed.
    forecasts: Runs,
    shifts: Vec<ShiftFigures>,
}

impl Trained {
    fn new(
        contender: &Contender,
        (options, parts): (&ExampleOptions, &Prepared),
        (data, test): (&Loaded, Option<&Loaded>),
        request: &CompareRequest,
        observer: &mut dyn Observer,
    ) -> Result<Self, TrainError> {
        let learner = contender.learner;
        let seeds = if learner.is_random() {
            request.seeds
        } else {
            1
        };
        let (mut fits, mut forecasts) = (Vec::new(), Vec::new());
        for number in 0..seeds {
            let seed = request.fit.training.seed.wrapping_add(number as u64);
            let note = format!("{}, seed {seed}", contender.name());
            observer.on(&Progress::Note(&note));
            let mut fit = request.fit.clone();
            fit.training.seed = seed;
            // Checkpoints are for one training, not for a row of them.
            fit.training.checkpoint = None;
            fit.training.resume = false;
            fit.examples.clone_from(options);
            let fitted = fitting::fit(learner, parts, data, &fit, observer)?;
            forecasts.push(fitted.forecast(&parts.test.examples)?);
            fits.push(fitted);
        }
        let mut shifts = Vec::new();
        for shift in &request.shifts {
            if test.is_some() || request.fit.task != Task::InSession {
                let reason = "needs --task in-session, and a test part of --data itself".to_owned();
                return Err(TrainError::Option {
                    option: "--shift",
                    reason,
                });
            }
            observer.on(&Progress::Note(&format!(
                "{}: {}",
                contender.name(),
                shift.name()
            )));
            let options = self::options(request, contender, Some(*shift));
            let changed = self::parts(data, None, request, &options, &mut crate::Silent)?;
            let changed_labels = HeldBack::of(&changed).labels;
            let runs: Result<Runs, TrainError> = fits
                .iter()
                .map(|fit| fit.forecast(&changed.test.examples))
                .collect();
            let measured = paired::measured(&runs?, &changed_labels);
            let mean = paired::mean(measured.iter().copied(), measured.len());
            shifts.push(ShiftFigures {
                shift: shift.name(),
                auc: mean.auc,
                log_loss: mean.log_loss,
            });
        }
        Ok(Self {
            contender: contender.clone(),
            fits,
            forecasts,
            shifts,
        })
    }

    fn validation_loss(&self) -> f64 {
        self.mean(|fit| fit.validation_loss)
    }

    fn mean(&self, of: impl Fn(&Fit) -> f64) -> f64 {
        self.fits.iter().map(of).sum::<f64>() / self.fits.len().max(1) as f64
    }
}

fn table(
    request: &CompareRequest,
    held_back: &HeldBack,
    examples: PartSizes,
    trained: Vec<Trained>,
) -> CompareReport {
    let HeldBack { labels, owners } = held_back;
    let best = (0..trained.len())
        .min_by(|&a, &b| {
            let loss = |place: usize| trained[place].validation_loss();
            loss(a).total_cmp(&loss(b))
        })
        .unwrap_or(0);
    let forecasts: Vec<Runs> = trained.iter().map(|one| one.forecasts.clone()).collect();
    let MeasureOptions { resamples, seed } = request.measuring;
    let drawn = paired::draw(&forecasts, labels, owners, resamples, seed);
    let rows: Vec<Compared> = trained
        .iter()
        .enumerate()
        .map(|(place, one)| {
            let each = paired::measured(&one.forecasts, labels);
            let mean = paired::mean(each.iter().copied(), each.len());
            let intervals = drawn.intervals(place);
            let figure = |measure: usize, mean: f64, of: fn(&Three) -> f64| {
                let values = each.iter().map(of);
                Figure {
                    mean,
                    interval: intervals.map(|all| all[measure]),
                    seeds: Interval(
                        values.clone().fold(f64::INFINITY, f64::min),
                        values.fold(f64::NEG_INFINITY, f64::max),
                    ),
                }
            };
            let metrics: Vec<Metrics> = one
                .fits
                .iter()
                .zip(&one.forecasts)
                .map(|(fit, forecast)| Metrics::measure(forecast, labels, fit.threshold))
                .collect();
            let of_seeds = |of: fn(&Metrics) -> f64| {
                metrics.iter().map(of).sum::<f64>() / metrics.len().max(1) as f64
            };
            let first = one.fits.first();
            Compared {
                name: one.contender.name(),
                words: one.contender.learner.words(),
                seeds: one.fits.len(),
                auc: figure(0, mean.auc, |three| three.auc),
                pr_auc: figure(1, mean.pr_auc, |three| three.pr_auc),
                log_loss: figure(2, mean.log_loss, |three| three.log_loss),
                f1: of_seeds(|m| m.f1),
                ece: of_seeds(|m| m.ece),
                behind: match place == best {
                    true => None,
                    false => drawn.differences(place, best),
                },
                validation_log_loss: one.validation_loss(),
                parameters: first.map_or(0, |fit| fit.parameters),
                bundle_bytes: first.and_then(|fit| fit.bundle_bytes),
                seconds: one.mean(|fit| fit.seconds),
                epochs: one.mean(|fit| fit.epochs as f64),
                microseconds: one.mean(|fit| fit.microseconds),
                shifts: one.shifts.clone(),
            }
        })
        .collect();
    let orders = labels.iter().filter(|label| **label).count();
    CompareReport {
        task: request.fit.task,
        device: request.fit.device.name.to_owned(),
        examples,
        n: labels.len(),
        base_rate: orders as f64 / labels.len().max(1) as f64,
        best,
        choice: choice(&rows, best),
        rows,
    }
}

/// Why the best is the best, and who is as good.
fn choice(rows: &[Compared], best: usize) -> Vec<String> {
    let Some(chosen) = rows.get(best) else {
        return Vec::new();
    };
    let mut words = vec![format!(
        "{} has the lowest log-loss on the validation part, {:.4}: it is chosen. The test part had no say in it.",
        chosen.name, chosen.validation_log_loss
    )];
    let others = || rows.iter().filter(|row| row.behind.is_some());
    let named = |rows: Vec<&Compared>| -> String {
        rows.iter()
            .map(|row| row.name.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let test =
        |row: &&Compared, holds: fn(Interval) -> bool| row.behind.is_some_and(|b| holds(b[2]));
    let worse: Vec<&Compared> = others()
        .filter(|row| test(row, |loss| loss.0 > 0.0))
        .collect();
    let better: Vec<&Compared> = others()
        .filter(|row| test(row, |loss| loss.1 < 0.0))
        .collect();
    let same: Vec<&Compared> = others()
        .filter(|row| test(row, |loss| loss.0 <= 0.0 && loss.1 >= 0.0))
        .collect();
    if !worse.is_empty() {
        let names = named(worse);
        words.push(format!(
            "On the test part its log-loss is lower (95 %) than that of {names}."
        ));
    }
    if !same.is_empty() {
        let smallest = same.iter().min_by_key(|row| row.parameters);
        let mut text = format!(
            "On the test part the difference to {} is within chance.",
            named(same.clone())
        );
        if let Some(small) = smallest.filter(|row| row.parameters < chosen.parameters) {
            text.push_str(&format!(
                " Of these {} is the smallest, with {} numbers instead of {}.",
                small.name, small.parameters, chosen.parameters
            ));
        }
        words.push(text);
    }
    if !better.is_empty() {
        let names = named(better);
        words.push(format!(
            "The test part contradicts the choice: there the log-loss of {names} is lower (95 %)."
        ));
    }
    if chosen.bundle_bytes.is_none() {
        words.push(format!(
            "{} is not shipped: the page scores seed and base alone.",
            chosen.name
        ));
    }
    words
}

#[cfg(test)]
mod tests;
