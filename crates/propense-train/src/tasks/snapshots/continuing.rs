//! What an update of a model of users' histories learns from, and what it is judged on: snapshots
//! at new moments, the newest of these sealed.

use std::sync::Arc;

use propense_events::{Context, DAY};
use propense_features::FeatureSpec;

use super::super::continuing::{Candidate, Continued, Cut, at, count_new, divide};
use super::super::thirty_day::{HORIZON, Snapshot};
use super::super::timeline::Timelines;
use super::super::{ExampleOptions, Prepared, Shares, next_day, scheme, thirty_day};
use super::{encode_snapshots, timelines};
use crate::encode::Encoded;
use crate::segments::of_history;
use crate::{Task, TrainError};
use propense_prepare::Loaded;

pub(crate) fn continue_from(
    task: Task,
    spec: &FeatureSpec,
    data: &Loaded,
    cut: &Cut,
    options: &ExampleOptions,
) -> Result<Continued, TrainError> {
    let lines = timelines(task, data)?;
    let all = moments(task, &lines, data);
    let found = candidates(task, &all, &lines, cut);
    let division = divide(&found.collect::<Vec<_>>(), cut)?;
    let part = |places: &[usize]| {
        at(&all, places)
            .into_iter()
            .cloned()
            .collect::<Vec<Snapshot>>()
    };
    let sealed = part(&division.sealed);
    let (weighting, positions) = scheme(task, Shares::Shop);
    let shared = Arc::new(spec.clone());
    Ok(Continued {
        sealed_before: None,
        groups: sealed.iter().map(|s| groups(&s.context)).collect(),
        sizes: division.sizes,
        sealed_from: division.sealed_from,
        prepared: Prepared {
            spec: spec.clone(),
            train: encode_snapshots(&shared, &lines, part(&division.learnt), options),
            validation: encode_snapshots(&shared, &lines, part(&division.validation), options),
            test: encode_snapshots(&shared, &lines, sealed, options),
            test_without_history: Encoded::default(),
            weighting,
            positions,
            dropped: 0,
            same_time: false,
        },
    })
}

/// How many moments with a known outcome the model has not learnt.
pub(crate) fn new_examples(task: Task, data: &Loaded, cut: &Cut) -> Result<usize, TrainError> {
    let lines = timelines(task, data)?;
    let all = moments(task, &lines, data);
    Ok(count_new(candidates(task, &all, &lines, cut)))
}

/// All users at all moments, in the order of the moments.
fn moments(task: Task, lines: &Timelines, data: &Loaded) -> Vec<Snapshot> {
    let (first, last) = lines.period().unwrap_or_default();
    let mut all: Vec<Snapshot> = match task {
        Task::ThirtyDay => {
            let months = thirty_day::month_starts(first, last, data.utc_offset_minutes);
            let found = months.iter();
            let found = found.flat_map(|&at| thirty_day::snapshots(lines, lines, at));
            found.collect()
        }
        _ => next_day::snapshots(lines, first, last, data.utc_offset_minutes),
    };
    all.sort_by(|a, b| a.at.cmp(&b.at).then_with(|| a.user.cmp(&b.user)));
    all
}

fn candidates<'a>(
    task: Task,
    all: &'a [Snapshot],
    lines: &Timelines,
    cut: &'a Cut,
) -> impl Iterator<Item = Candidate<'a>> {
    let (_, last) = lines.period().unwrap_or_default();
    let horizon = match task {
        Task::ThirtyDay => HORIZON,
        _ => DAY,
    };
    all.iter().map(move |snapshot| Candidate {
        at: snapshot.at,
        user: &snapshot.user,
        id: format!("{}@{}", snapshot.user, snapshot.at).into(),
        is_new: snapshot.at >= cut.since,
        // Months are whole already; the last day may not be.
        known: task == Task::ThirtyDay || snapshot.at + horizon <= last + 1,
    })
}

/// The named segments that a user belongs to.
fn groups(context: &Context) -> Vec<String> {
    let names = of_history(context).into_iter();
    names.map(|(kind, name)| format!("{kind} {name}")).collect()
}
