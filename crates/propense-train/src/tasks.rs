//! From loaded data to examples, task by task. The rules are those of the evaluation protocol
//! (`docs/cli.md`); each is implemented once, for training and for measuring.

mod continuing;
mod history;
mod in_session;
mod next_day;
mod snapshots;
mod summary;
mod thirty_day;
mod timeline;

use std::collections::HashSet;

use propense_events::{Event, Session};
use propense_features::{ContextFeature, FeatureSpec, UserHistory};

use crate::augment::{self, Augmentation, Shift};
pub use continuing::Sizes;
pub(crate) use continuing::{Before, Continued, Cut};
pub(crate) use history::by_turns;
pub(crate) use in_session::Folds;

use crate::encode::Encoded;
use crate::example::{Example, Positions, Weighting};
use crate::horizon::Target;
use crate::progress::{Observer, Progress};
use crate::split::Split;
use crate::trainer::Parts;
use crate::{PartSizes, Task, TrainError};
use propense_prepare::Loaded;

/// How examples are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExampleOptions {
    /// Events at most that are learnt from: the first ones of a session. Of a history the last ones,
    /// in scoring too.
    pub max_events: usize,
    /// A pause longer than this begins a new session, in milliseconds.
    pub gap_ms: i64,
    /// Whether the shop's midnight, too, begins a new session.
    pub midnight: bool,
    /// What is forecast of a session; only [`Task::InSession`] has a choice.
    pub target: Target,
    /// Seed of random splits.
    pub seed: u64,
    /// Whether rows and context carry what sums up the session so far and ratios of what is known
    /// of it, for a network that reads the context and the newest row alone.
    pub summed: bool,
    /// Columns for the hash of the newest item; 0 for none. Only [`Task::InSession`] has them.
    pub item_buckets: u32,
    /// What is done to make more of the training part.
    pub augment: Vec<Augmentation>,
    /// What is done to the test part to see what a change would cost.
    pub shift: Option<Shift>,
    /// Share of the training part's users (or sessions) that is learnt from, in percent.
    pub share: u32,
}

impl Default for ExampleOptions {
    fn default() -> Self {
        Self {
            max_events: 64,
            gap_ms: 30 * 60 * 1000,
            midnight: false,
            target: Target::default(),
            seed: 1,
            summed: false,
            item_buckets: 0,
            augment: Vec::new(),
            shift: None,
            share: 100,
        }
    }
}

/// Training examples of the rarer outcome below which that is said.
const FEW: usize = 50;

/// Where the examples are split.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Shares {
    /// Training, validation and test: a model for a shop.
    Shop,
    /// The same where the parts go by user, after the test part was measured: it is learnt from, too.
    /// Only [`Task::InSession`] has it.
    Measured,
    /// Training and validation: the test data is another set.
    Protocol,
    /// Training alone: the test data is another set, and validation goes by turns.
    Whole,
}

impl Shares {
    /// Shares of training and validation.
    pub(crate) const fn parts(self) -> (f64, f64) {
        match self {
            Self::Shop | Self::Measured => (0.70, 0.15),
            Self::Protocol => (0.85, 0.15),
            Self::Whole => (1.0, 0.0),
        }
    }
}

/// Everything that training needs.
pub(crate) struct Prepared {
    pub(crate) spec: FeatureSpec,
    pub(crate) train: Encoded,
    /// Empty under [`Shares::Whole`].
    pub(crate) validation: Encoded,
    /// Empty under all other shares than [`Shares::Shop`].
    pub(crate) test: Encoded,
    /// The test part without what the users did in earlier sessions; empty where the features hold
    /// none of it.
    pub(crate) test_without_history: Encoded,
    pub(crate) weighting: Weighting,
    pub(crate) positions: Positions,
    /// Examples left out by the split.
    pub(crate) dropped: usize,
    /// Whether the parts cover the same time where they should follow each other.
    pub(crate) same_time: bool,
}

impl Prepared {
    /// Examples in each part.
    pub(crate) fn sizes(&self) -> PartSizes {
        PartSizes {
            train: self.train.examples.len(),
            validation: self.validation.examples.len(),
            test: self.test.examples.len(),
            left_out: self.dropped,
            same_time: self.same_time,
            test_learnt: false,
        }
    }

    /// What the training loop is given.
    pub(crate) fn parts(&self) -> Parts<'_> {
        Parts {
            train: &self.train.examples,
            validation: &self.validation.examples,
            weighting: self.weighting,
            positions: self.positions,
        }
    }
}

/// Fits features on the training part and makes the examples of each part.
pub(crate) fn prepare(
    task: Task,
    data: &Loaded,
    shares: Shares,
    options: &ExampleOptions,
    observer: &mut dyn Observer,
) -> Result<Prepared, TrainError> {
    check_options(task, options)?;
    let mut prepared = match task {
        Task::Shoppers | Task::ShoppersNoPagevalues => {
            summary::prepare(task, data, shares, options)?
        }
        Task::InSession => in_session::prepare(data, shares, options, observer)?,
        Task::NextDay | Task::ThirtyDay => {
            snapshots::prepare(task, data, shares, options, observer)?
        }
    };
    for (part, examples) in [
        ("training part", &prepared.train),
        ("validation part", &prepared.validation),
        ("test part", &prepared.test),
    ] {
        let empty = match shares {
            Shares::Shop => false,
            Shares::Protocol | Shares::Measured => part == "test part",
            Shares::Whole => part != "training part",
        };
        if empty {
            continue;
        }
        // A session too short to be measured is learnt from all the same.
        let measured = (part != "training part").then_some(prepared.positions);
        check_classes(part, examples, measured)?;
    }
    if options.augment.contains(&Augmentation::Resample) {
        augment::resample(&mut prepared.train.examples);
    }
    let outcomes = prepared.train.examples.iter();
    let orders = outcomes.filter(|e| e.label.last() == Some(true)).count();
    let rarer = orders.min(prepared.train.examples.len() - orders);
    if rarer < FEW {
        observer.on(&Progress::Note(&format!(
            "{orders} of {} training examples end in an order: too few of one outcome to learn much from",
            prepared.train.examples.len()
        )));
    }
    let sizes = prepared.sizes();
    let kept = [
        (sizes.train, "training"),
        (sizes.validation, "validation"),
        (sizes.test, "test"),
    ];
    let kept = kept.into_iter().filter(|(count, _)| *count > 0);
    let kept: Vec<String> = kept
        .map(|(count, part)| format!("{count} {part}"))
        .collect();
    observer.on(&Progress::Note(&format!(
        "split: {} examples; {} left out",
        kept.join(", "),
        sizes.left_out
    )));
    Ok(prepared)
}

/// What changes single events needs events of sessions, and labels that do not hang on their times.
fn check_options(task: Task, options: &ExampleOptions) -> Result<(), TrainError> {
    let wrong = |option, reason: String| Err(TrainError::Option { option, reason });
    if !(1..=100).contains(&options.share) {
        return wrong("--train-share", "above 0, at most 1".to_owned());
    }
    let plain = task == Task::InSession && options.target == Target::default();
    let of_events = |kind: &&Augmentation| **kind != Augmentation::Resample;
    match options.augment.iter().find(of_events) {
        Some(kind) if !plain => wrong(
            "--augment",
            format!("{kind} is for --task in-session with --horizon session; others have resample"),
        ),
        _ => Ok(()),
    }
}

/// Examples of other data, with features fitted before. `history` is earlier data of the same
/// shop: what it says of users may be used.
pub(crate) fn encode_test(
    task: Task,
    spec: &FeatureSpec,
    data: &Loaded,
    history: Option<&Loaded>,
    options: &ExampleOptions,
) -> Result<Encoded, TrainError> {
    match task {
        Task::Shoppers | Task::ShoppersNoPagevalues => summary::encode_test(task, spec, data),
        Task::InSession => in_session::encode_test(spec, data, history, options),
        Task::NextDay | Task::ThirtyDay => {
            snapshots::encode_test(task, spec, data, history, options)
        }
    }
}

/// Examples of the data that a model was learnt from, as they are to be compared with others: where rates are
/// learnt, each has those of other users. With them what each session knows of others.
pub(crate) fn encode_learnt(
    task: Task,
    spec: &FeatureSpec,
    data: &Loaded,
    options: &ExampleOptions,
) -> Result<(Encoded, Folds), TrainError> {
    match task {
        Task::InSession => in_session::encode_learnt(spec, data, options),
        // They have no rates.
        _ => Ok((
            encode_test(task, spec, data, None, options)?,
            Folds::one(spec),
        )),
    }
}

/// Kind and name of the segments of each example that [`encode_test`] makes of the same data.
pub(crate) fn segments(
    task: Task,
    data: &Loaded,
    history: Option<&Loaded>,
    options: &ExampleOptions,
) -> Result<Vec<Vec<(&'static str, String)>>, TrainError> {
    let sessions = match task {
        Task::Shoppers | Task::ShoppersNoPagevalues => summary::sessions(task, data, true)?,
        Task::InSession => in_session::sessions(data, history, options)?,
        Task::NextDay | Task::ThirtyDay => return snapshots::segments(task, data, history),
    };
    Ok(sessions.iter().map(crate::segments::of_session).collect())
}

/// What a model with these features reads of the context and no line of this data has. What visitors did
/// before does not count: who comes for the first time has none of it.
pub(crate) fn missing(
    task: Task,
    spec: &FeatureSpec,
    data: &Loaded,
    history: Option<&Loaded>,
    options: &ExampleOptions,
) -> Result<Vec<String>, TrainError> {
    let sessions = match task {
        Task::Shoppers | Task::ShoppersNoPagevalues => summary::sessions(task, data, true)?,
        Task::InSession => in_session::sessions(data, history, options)?,
        // Their context is computed from the events.
        Task::NextDay | Task::ThirtyDay => return Ok(Vec::new()),
    };
    let has = |name: &str| sessions.iter().any(|s| s.context.contains_key(name));
    let read = spec.context.iter().filter_map(|feature| match feature {
        ContextFeature::Number { name, .. } | ContextFeature::Category { name, .. } => Some(name),
        ContextFeature::Hour | ContextFeature::Weekday => None,
    });
    let of_history = |name: &str| UserHistory::keys().any(|key| key == name);
    let missing = read.filter(|name| !has(name) && !of_history(name));
    Ok(missing.cloned().collect())
}

/// Refuses test data that does not continue the training data in time.
pub(crate) fn check_continues(train: &Loaded, test: &Loaded) -> Result<(), TrainError> {
    snapshots::check_continues(train, test)
}

/// How many days are not in test data that continue a history, of those that the outcome covers:
/// orders on them are not seen, and count as none.
pub(crate) fn days_short(task: Task, data: &Loaded) -> Result<Option<u32>, TrainError> {
    snapshots::days_short(task, data)
}

/// How many hours the last day lacks on which `next-day` is measured: orders in them count as none.
pub(crate) fn hours_short(
    task: Task,
    data: &Loaded,
    history: Option<&Loaded>,
) -> Result<Option<u32>, TrainError> {
    match task {
        Task::NextDay => snapshots::hours_short(task, data, history),
        _ => Ok(None),
    }
}

/// What a model with these features goes on to learn from this data, and is judged on.
pub(crate) fn continue_from(
    task: Task,
    spec: &FeatureSpec,
    data: &Loaded,
    cut: &Cut,
    options: &ExampleOptions,
) -> Result<Continued, TrainError> {
    let continued = match task {
        Task::Shoppers | Task::ShoppersNoPagevalues => return Err(timeless(task)),
        Task::InSession => in_session::continue_from(spec, data, cut, options)?,
        Task::NextDay | Task::ThirtyDay => {
            snapshots::continue_from(task, spec, data, cut, options)?
        }
    };
    let prepared = &continued.prepared;
    check_classes("new data to learn from", &prepared.train, None)?;
    let measured = Some(prepared.positions);
    check_classes("new data to validate on", &prepared.validation, measured)?;
    check_classes("sealed window", &prepared.test, measured)?;
    Ok(continued)
}

/// How many examples with a known outcome the model has not learnt.
pub(crate) fn new_examples(
    task: Task,
    data: &Loaded,
    cut: &Cut,
    options: &ExampleOptions,
) -> Result<usize, TrainError> {
    match task {
        Task::Shoppers | Task::ShoppersNoPagevalues => Err(timeless(task)),
        Task::InSession => in_session::new_examples(data, cut, options),
        Task::NextDay | Task::ThirtyDay => snapshots::new_examples(task, data, cut),
    }
}

fn timeless(task: Task) -> TrainError {
    let reason =
        "its sessions have no times, so nothing tells new from old; train on all of them again";
    TrainError::Unsuited {
        task,
        reason: reason.to_owned(),
    }
}

/// The sessions of the data with events before their orders, oldest first.
pub(crate) fn visits(data: &Loaded, options: &ExampleOptions) -> Result<Vec<Session>, TrainError> {
    in_session::sessions(data, None, options)
}

/// The sessions, or users' days, whose outcome is not known yet when the data ends. Moments of `thirty-day`
/// that wait for theirs make no examples in the first place.
pub(crate) fn open_sessions(
    task: Task,
    data: &Loaded,
    options: &ExampleOptions,
) -> Result<HashSet<String>, TrainError> {
    match task {
        Task::InSession => in_session::open_sessions(data, options),
        Task::NextDay => snapshots::open(task, data),
        _ => Ok(HashSet::new()),
    }
}

/// Examples to score, with outcome or without: every session, or every user as of now. `seen` is
/// shown the events behind the rows of each, in their order; a summary has none and shows none.
pub(crate) fn encode_for_scoring(
    task: Task,
    spec: &FeatureSpec,
    data: &Loaded,
    history: Option<&Loaded>,
    options: &ExampleOptions,
    seen: &mut dyn FnMut(&[Event]),
) -> Result<Encoded, TrainError> {
    if history.is_some() && task != Task::InSession {
        let reason = match task.is_summary() {
            true => "a summary has no earlier events: leave the history out",
            false => {
                "all users are scored as of the night after the last event: give the earlier \
                 events with the data, not as history"
            }
        };
        let reason = reason.to_owned();
        return Err(TrainError::Unsuited { task, reason });
    }
    match task {
        Task::Shoppers | Task::ShoppersNoPagevalues => {
            summary::encode_for_scoring(task, spec, data)
        }
        Task::InSession => in_session::encode_for_scoring(spec, data, history, options, seen),
        Task::NextDay | Task::ThirtyDay => snapshots::encode_now(task, spec, data, options, seen),
    }
}

/// How a task's examples are weighed and measured.
pub(crate) const fn scheme(task: Task, shares: Shares) -> (Weighting, Positions) {
    match (task, shares) {
        (Task::Shoppers | Task::ShoppersNoPagevalues, _) => {
            (Weighting::Context, Positions::Context)
        }
        (Task::NextDay | Task::ThirtyDay, _) => (Weighting::Whole, Positions::Last),
        (Task::InSession, Shares::Shop | Shares::Measured) => {
            (Weighting::EveryPrefix, Positions::Protocol)
        }
        (Task::InSession, Shares::Protocol | Shares::Whole) => {
            (Weighting::Protocol, Positions::Protocol)
        }
    }
}

/// Nothing can be learnt or measured where every outcome is the same. With `measured`, those
/// examples count that have a score at one of these positions.
pub(crate) fn check_classes(
    part: &'static str,
    encoded: &Encoded,
    measured: Option<Positions>,
) -> Result<(), TrainError> {
    if encoded.examples.is_empty() {
        return Err(TrainError::NoExamples { part });
    }
    let outcome = |example: &Example| match measured {
        None => example.label.last(),
        Some(positions) => {
            let seen = positions.of(example.events);
            seen.into_iter().rev().find_map(|k| example.label.at(k))
        }
    };
    let labels: Vec<bool> = encoded.examples.iter().filter_map(outcome).collect();
    let examples = labels.len();
    if examples == 0 {
        let seen = |example: &&Example| match measured {
            None => true,
            Some(positions) => !positions.of(example.events).is_empty(),
        };
        return Err(match encoded.examples.iter().filter(seen).count() {
            0 => TrainError::TooShort {
                part,
                examples: encoded.examples.len(),
            },
            examples => TrainError::NotKnownYet { part, examples },
        });
    }
    let positives = labels.iter().filter(|label| **label).count();
    if positives > 0 && positives < examples {
        return Ok(());
    }
    Err(TrainError::OneClass {
        part,
        examples,
        outcome: if positives == 0 {
            "no order"
        } else {
            "an order"
        },
    })
}

/// The members of each part, by reference.
fn parts<'a, T>(all: &'a [T], split: &Split) -> [Vec<&'a T>; 3] {
    [&split.train, &split.validation, &split.test]
        .map(|indices| indices.iter().filter_map(|&index| all.get(index)).collect())
}

/// Where the task needs events and the data holds summaries, or the other way round.
fn unsuited(task: Task, data: &Loaded, needs: &str) -> TrainError {
    if !data.files.is_empty() && data.files.iter().all(|file| file.kept == 0) {
        return TrainError::NoRows {
            places: data.places(),
            set_aside: data.files.iter().map(|file| file.rejected).sum(),
        };
    }
    let formats: Vec<String> = data
        .files
        .iter()
        .map(|file| file.format.to_string())
        .collect();
    TrainError::Unsuited {
        task,
        reason: format!(
            "needs {needs}, but {} was read as {}",
            data.places(),
            formats.join(", ")
        ),
    }
}
