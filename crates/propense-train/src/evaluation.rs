//! Measuring: a bundle on new data, or the scores of one run of the protocol.

use std::collections::BTreeMap;

use propense_features::UserHistory;
use propense_model::{Bundle, Manifest};
use serde::{Deserialize, Serialize};

use crate::adversarial::{Adversarial, adversarial};
use crate::balanced::ValidationFigures;
use crate::bootstrap::{FEWEST_USERS, Interval, MeasureOptions, rarer_users};
use crate::decide::{CalibrationKind, CalibrationTrial};
use crate::delong::DeLong;
use crate::device::Chosen;
use crate::draws::ThreeIntervals;
use crate::example::{Example, PREFIXES, Positions, Scored, Weighting};
use crate::metrics::Metrics;
use crate::segments::{self, SegmentMetrics, Wrong};
use crate::tasks::{self, ExampleOptions, Shares};
use crate::test_data::TestData;
use crate::{Task, TrainError, scoring};
use propense_prepare::Loaded;

/// The figures of one evaluation. As JSON, the keys of the pooled metrics stand at the top.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evaluation {
    /// The task.
    pub task: Task,
    /// All examples.
    #[serde(flatten)]
    pub metrics: Metrics,
    /// In-session: by number of events seen, as far as both outcomes follow.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub by_k: BTreeMap<usize, Metrics>,
    /// Other positions, by name, as far as both outcomes follow.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub also: BTreeMap<String, Metrics>,
    /// Of the part of the training data that chose the threshold: accuracy, recall and F1 as it is and
    /// balanced. None where a bundle does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation: Option<ValidationFigures>,
    /// 95 % intervals of ROC-AUC, average precision and log-loss at these positions, users drawn again,
    /// by the key or name that the position has in `by_k` or `also`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub position_intervals: BTreeMap<String, ThreeIntervals>,
    /// Probabilities below which so many percent of the scores lie, on what the threshold was chosen on:
    /// what is usual. A bundle's are of moments spread over the sessions.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub percentiles: BTreeMap<u8, f32>,
    /// Figures by kind of visitor, device and category, where the data tell them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub segments: Vec<SegmentMetrics>,
    /// The highest scores without an order, and the lowest with one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub most_wrong: Vec<Wrong>,
    /// Whether these examples can be told from those that were learnt from, where these are at hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adversarial: Option<Adversarial>,
    /// What there is to say of the data.
    #[serde(flatten)]
    pub test_data: TestData,
    /// Users with an order, or users with anything else, whichever are fewer (sessions, where the user
    /// is unknown). Of fewer than ten no interval is given.
    pub rarer_users: usize,
    /// The kind of calibration that was used, where there was a training.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calibrated_by: Option<CalibrationKind>,
    /// Log-loss of each kind of calibration on what chose among them, where it was not fitted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub calibrations: Vec<CalibrationTrial>,
    /// Against another model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub against: Option<Against>,
    /// Log-loss by epoch on training and validation part, where the training is known.
    #[serde(skip)]
    pub curve: Vec<(f64, f64)>,
    /// Calibrated probabilities behind `metrics`, for plots.
    #[serde(skip)]
    pub probabilities: Vec<f32>,
    /// Outcomes behind `metrics`.
    #[serde(skip)]
    pub labels: Vec<bool>,
}

impl Evaluation {
    /// What takes from the worth of these figures, in sentences; whether the examples can be told apart
    /// is said by [`Adversarial::words`].
    #[must_use]
    pub fn remarks(&self) -> Vec<String> {
        let worse = self.metrics.log_loss > self.metrics.base_rate_log_loss;
        let worse = worse.then(|| {
            "on these data the base rate alone would forecast better (log-loss)".to_owned()
        });
        let few = (self.rarer_users < FEWEST_USERS).then(|| {
            format!(
                "users (or sessions of unknown users) with the rarer outcome: {}, too few for intervals, and for a \
                 verdict",
                self.rarer_users
            )
        });
        let mut all = self.test_data.remarks();
        all.extend([worse, few].into_iter().flatten());
        all
    }
}

/// A second model beside the first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Against {
    /// The second model's name and version.
    pub name: String,
    /// Its figures on the same examples.
    pub metrics: Metrics,
    /// 95 % intervals of the first less the second, users drawn again: ROC-AUC, average precision and
    /// log-loss.
    pub differences: Option<ThreeIntervals>,
    /// DeLong's test of the two ROC-AUCs, which takes scores as independent.
    pub delong: Option<DeLong>,
    /// The same by segment.
    pub segments: Vec<Beside>,
}

/// Both models on one segment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Beside {
    /// Kind and name of the segment.
    pub name: String,
    /// Scores in it.
    pub n: usize,
    /// ROC-AUC of the first and of the second.
    pub auc: (f64, f64),
    /// Log-loss of the first and of the second.
    pub log_loss: (f64, f64),
}

/// One measure of both models.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Both {
    /// Its name.
    pub name: &'static str,
    /// The first model's figure.
    pub own: f64,
    /// The second's.
    pub other: f64,
    /// The first less the second.
    pub difference: f64,
    /// The difference's 95 % interval, where it is drawn.
    pub interval: Option<Interval>,
}

impl Against {
    /// Both models' figures side by side, in the order of a table; `own` are the first model's.
    #[must_use]
    pub fn rows(&self, own: &Metrics) -> Vec<Both> {
        let drawn = |place: usize| self.differences.map(|all| all[place]);
        let other = &self.metrics;
        [
            ("ROC-AUC", own.auc, other.auc, drawn(0)),
            ("PR-AUC", own.pr_auc, other.pr_auc, drawn(1)),
            ("log-loss", own.log_loss, other.log_loss, drawn(2)),
            ("F1", own.f1, other.f1, None),
            ("ECE", own.ece, other.ece, None),
        ]
        .map(|(name, own, other, interval)| Both {
            name,
            own,
            other,
            difference: own - other,
            interval,
        })
        .into()
    }
}

/// The percentiles that an evaluation names, of a table from 0 to 100.
pub(crate) fn percentiles(table: &[f32]) -> BTreeMap<u8, f32> {
    let at = |percent: u8| Some((percent, *table.get(usize::from(percent))?));
    [50, 75, 90, 95, 99].into_iter().filter_map(at).collect()
}

/// The positions at which a task is measured, with their names. The first is the protocol's.
pub(crate) const fn positions(task: Task) -> &'static [(&'static str, Positions)] {
    match task {
        Task::Shoppers | Task::ShoppersNoPagevalues => &[("from the summary", Positions::Context)],
        Task::InSession => &[
            ("after 2, 3, 5 and 10 events", Positions::Protocol),
            ("at the last event before the cut", Positions::Last),
        ],
        Task::NextDay | Task::ThirtyDay => &[("from the history", Positions::Last)],
    }
}

/// Whose each score is: the scores of a user hang together, and so do those of a session.
pub(crate) fn owners(scored: &Scored, examples: &[Example]) -> Vec<usize> {
    let mut of_user: BTreeMap<&str, usize> = BTreeMap::new();
    let mut owner = |index: &usize| match examples.get(*index).and_then(|e| e.user.as_deref()) {
        // The first session of a user stands for all.
        Some(user) => *of_user.entry(user).or_insert(*index),
        None => *index,
    };
    scored.example.iter().map(&mut owner).collect()
}

/// Forecasts of a task, to be measured.
pub(crate) struct Forecasts<'a> {
    /// The task.
    pub(crate) task: Task,
    /// What is forecast.
    pub(crate) examples: &'a [Example],
    /// The logit of every prefix of each example.
    pub(crate) logits: &'a [Vec<f32>],
    /// Kind and name of the segments of each example.
    pub(crate) names: &'a [Vec<(&'static str, String)>],
    /// From a logit to a calibrated probability.
    pub(crate) probability: &'a dyn Fn(f32) -> f32,
    /// The probability from which on an order is expected.
    pub(crate) threshold: f32,
}

impl Forecasts<'_> {
    /// Measures them, with intervals: as the protocol says, by prefix length where there are several,
    /// by segment, and at the task's other positions.
    pub(crate) fn measure(&self, options: &MeasureOptions) -> Evaluation {
        let positions = positions(self.task);
        let (_, first) = positions[0];
        let scored = scoring::pick(self.logits, self.examples, first);
        let probabilities = self.probabilities(&scored);
        let owners = owners(&scored, self.examples);
        let threshold = self.threshold;
        let drawn = options.of_sample(&scored.labels, &owners);
        let metrics = Metrics::with_intervals(
            &probabilities,
            &scored.labels,
            &owners,
            threshold,
            drawn.resamples,
            drawn.seed,
        );
        let drawing = (owners.as_slice(), options);
        let segments = segments::measure(&scored, &probabilities, self.names, threshold, drawing);
        let (mut by_k, mut also) = (BTreeMap::new(), BTreeMap::new());
        let mut position_intervals = BTreeMap::new();
        if self.task == Task::InSession {
            for k in PREFIXES {
                let Some((metrics, intervals)) = self.part(&scored.at(k), options) else {
                    continue;
                };
                by_k.insert(k, metrics);
                position_intervals.extend(intervals.map(|all| (k.to_string(), all)));
            }
        }
        for (name, position) in positions.iter().skip(1) {
            let scored = scoring::pick(self.logits, self.examples, *position);
            let Some((metrics, intervals)) = self.part(&scored, options) else {
                continue;
            };
            also.insert((*name).to_owned(), metrics);
            position_intervals.extend(intervals.map(|all| ((*name).to_owned(), all)));
        }
        Evaluation {
            task: self.task,
            metrics,
            by_k,
            also,
            position_intervals,
            percentiles: BTreeMap::new(),
            validation: None,
            segments,
            most_wrong: segments::most_wrong(&scored, self.examples, &probabilities),
            adversarial: None,
            test_data: TestData::default(),
            rarer_users: rarer_users(&scored.labels, &owners),
            calibrated_by: None,
            calibrations: Vec::new(),
            against: None,
            curve: Vec::new(),
            probabilities,
            labels: scored.labels,
        }
    }

    fn probabilities(&self, scored: &Scored) -> Vec<f32> {
        let logits = scored.logits.iter();
        logits.map(|logit| (self.probability)(*logit)).collect()
    }

    /// Figures and intervals of some of the scores; none where these do not hold both outcomes.
    fn part(
        &self,
        scored: &Scored,
        options: &MeasureOptions,
    ) -> Option<(Metrics, Option<ThreeIntervals>)> {
        if !(scored.labels.contains(&true) && scored.labels.contains(&false)) {
            return None;
        }
        let probabilities = self.probabilities(scored);
        let owners = owners(scored, self.examples);
        Some((
            Metrics::measure(&probabilities, &scored.labels, self.threshold),
            segments::of_part(&probabilities, &scored.labels, &owners, options),
        ))
    }
}

/// Measures a bundle on data that it has not learnt from. Calibration and threshold are the
/// bundle's. With `history`, earlier data of the same shop, what it says of users is used.
///
/// # Errors
///
/// Where the data does not suit the bundle's task, or all outcomes are the same;
/// [`TrainError::Overlap`] where a forecast's data does not continue the history.
pub fn evaluate(
    bundle: &Bundle,
    data: &Loaded,
    history: Option<&Loaded>,
    device: &Chosen,
    options: &MeasureOptions,
) -> Result<Evaluation, TrainError> {
    let manifest = &bundle.manifest;
    let task: Task = manifest.task.parse()?;
    let examples = example_options(manifest, task);
    let encoded = tasks::encode_test(task, &manifest.features, data, history, &examples)?;
    let (weighting, first) = tasks::scheme(task, Shares::Shop);
    tasks::check_classes("data", &encoded, Some(first))?;
    let model = bundle.model(&device.device)?;
    let logits = scoring::all_prefixes(&model, &encoded.examples, weighting)?;
    let forecasts = Forecasts {
        task,
        examples: &encoded.examples,
        logits: &logits,
        names: &tasks::segments(task, data, history, &examples)?,
        probability: &|logit| manifest.probability(logit),
        threshold: manifest.threshold,
    };
    let mut evaluation = forecasts.measure(options);
    evaluation.test_data = TestData::lacking(task, &manifest.features, data, history, &examples)?;
    evaluation.percentiles = percentiles(&manifest.percentiles);
    evaluation.curve = curve(manifest);
    evaluation.validation = validation(manifest);
    Ok(evaluation)
}

/// Whether the bundle's scores hang on what visitors did before the session or moment that is scored:
/// then data that begin in the middle of a shop's life measure it without what it could know.
///
/// # Errors
///
/// Where the bundle's task is not known.
pub fn uses_history(bundle: &Bundle) -> Result<bool, TrainError> {
    let task: Task = bundle.manifest.task.parse()?;
    let names = bundle.manifest.features.context_names();
    Ok(match task {
        Task::Shoppers | Task::ShoppersNoPagevalues => false,
        Task::InSession => UserHistory::keys().any(|key| names.iter().any(|name| name == key)),
        Task::NextDay | Task::ThirtyDay => true,
    })
}

/// Whether `test` can be told from `train`, the data that the bundle has learnt from: see
/// [`Adversarial`]. None where one of them has too few examples.
///
/// # Errors
///
/// Where the data does not suit the bundle's task.
pub fn tell_apart(
    bundle: &Bundle,
    train: &Loaded,
    test: &Loaded,
    options: &MeasureOptions,
) -> Result<Option<Adversarial>, TrainError> {
    let manifest = &bundle.manifest;
    let task: Task = manifest.task.parse()?;
    let examples = example_options(manifest, task);
    let spec = &manifest.features;
    let encode = |data| tasks::encode_test(task, spec, data, None, &examples);
    let (train, test) = (encode(train)?, encode(test)?);
    let (_, positions) = tasks::scheme(task, Shares::Shop);
    let parts = (train.examples.as_slice(), test.examples.as_slice());
    Ok(adversarial(parts, spec, positions, options.seed))
}

/// The figures on the validation part that a bundle holds.
fn validation(manifest: &Manifest) -> Option<ValidationFigures> {
    let kept = manifest.metrics.get("validation")?;
    serde_json::from_value(kept.clone()).ok()
}

/// The learning curve that a bundle holds: log-loss by epoch on the training and the validation part.
fn curve(manifest: &Manifest) -> Vec<(f64, f64)> {
    let list = |part: &str| {
        let curve = manifest.metrics.get("curve");
        let numbers = curve.and_then(|curve| curve.get(part)?.as_array());
        numbers
            .into_iter()
            .flatten()
            .filter_map(serde_json::Value::as_f64)
    };
    list("training").zip(list("validation")).collect()
}

/// One scored session or user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoreRow {
    /// The session, or `user@day`.
    pub id: String,
    /// The visitor, where known.
    pub user: Option<String>,
    /// Events that the score is based on.
    pub events: usize,
    /// Calibrated probability of an order.
    pub propensity: f32,
    /// Share of validation scores below it, in percent.
    pub percentile: f32,
}

/// Scores every session (or user) of the data: on all events before the first order, or on the
/// first `after` of them. With `history`, earlier events of the same shop, what it says of the visitors is
/// used (`in-session`; other tasks take them with the data).
///
/// # Errors
///
/// Where the data or a history does not suit the bundle's task.
pub fn score(
    bundle: &Bundle,
    data: &Loaded,
    history: Option<&Loaded>,
    device: &Chosen,
    after: Option<usize>,
) -> Result<Vec<ScoreRow>, TrainError> {
    let manifest = &bundle.manifest;
    let task: Task = manifest.task.parse()?;
    let mut examples = example_options(manifest, task);
    if let (Task::InSession, Some(after)) = (task, after) {
        examples.max_events = after;
    }
    let encoded = tasks::encode_for_scoring(
        task,
        &manifest.features,
        data,
        history,
        &examples,
        &mut |_| (),
    )?;
    let model = bundle.model(&device.device)?;
    let weighting = if task.is_summary() {
        Weighting::Context
    } else {
        Weighting::Whole
    };
    let logits = scoring::last(&model, &encoded.examples, weighting)?;
    Ok(encoded
        .examples
        .into_iter()
        .zip(logits)
        .map(|(example, logit)| {
            let propensity = manifest.probability(logit);
            ScoreRow {
                id: example.id,
                user: example.user,
                events: example.events,
                propensity,
                percentile: manifest.percentile(propensity),
            }
        })
        .collect())
}

/// How the bundle's examples were made; the defaults where it does not say. Only learning is
/// limited to a session's first events: a score may use all that are known.
pub(crate) fn example_options(manifest: &Manifest, task: Task) -> ExampleOptions {
    let defaults = ExampleOptions::default();
    let settings = manifest.metrics.get("settings");
    let limit = settings
        .and_then(|settings| settings.get("max_events")?.as_u64())
        .and_then(|limit| usize::try_from(limit).ok());
    ExampleOptions {
        max_events: match task {
            Task::InSession => usize::MAX,
            _ => limit.unwrap_or(defaults.max_events),
        },
        gap_ms: manifest.session_gap_ms(),
        midnight: manifest.midnight(),
        target: settings
            .and_then(|s| s.get("target"))
            .and_then(|target| serde_json::from_value(target.clone()).ok())
            .unwrap_or(defaults.target),
        // What is summed up is for the fitted features to say.
        ..defaults
    }
}
