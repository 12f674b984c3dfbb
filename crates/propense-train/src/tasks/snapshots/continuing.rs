//! What an update of a model of users' histories learns from, and what it is judged on: snapshots
//! at new moments, the newest of these sealed.

use std::sync::Arc;

use propense_events::{Context, DAY, Value};
use propense_features::FeatureSpec;

use super::super::continuing::{Continued, Cut, Sizes, is_validation, replayed, sealed_from};
use super::super::thirty_day::{HORIZON, Snapshot};
use super::super::{ExampleOptions, Prepared, Shares, next_day, scheme, thirty_day};
use super::{encode_snapshots, timelines};
use crate::encode::Encoded;
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
    let (first, last) = lines.period().unwrap_or_default();
    let (mut all, horizon): (Vec<Snapshot>, i64) = match task {
        Task::ThirtyDay => {
            let months = thirty_day::month_starts(first, last);
            let found = months.iter();
            let found = found.flat_map(|&at| thirty_day::snapshots(&lines, &lines, at));
            (found.collect(), HORIZON)
        }
        _ => {
            let found = next_day::snapshots(&lines, first, last, data.utc_offset_minutes);
            (found, DAY)
        }
    };
    all.sort_by(|a, b| a.at.cmp(&b.at).then_with(|| a.user.cmp(&b.user)));
    // Months are whole already; the last day may not be.
    let known = |snapshot: &Snapshot| task == Task::ThirtyDay || snapshot.at + horizon <= last + 1;
    let is_new = |snapshot: &Snapshot| snapshot.at >= cut.since;
    let waiting = all.iter().filter(|s| is_new(s) && !known(s)).count();
    let mut fresh = all.iter().filter(|s| is_new(s) && known(s));
    let fresh: Vec<i64> = fresh.by_ref().map(|snapshot| snapshot.at).collect();
    let sealed_from = sealed_from(&fresh, cut)?;

    let name = |snapshot: &Snapshot| format!("{}@{}", snapshot.user, snapshot.at);
    let learns = |s: &Snapshot| known(s) && s.at < sealed_from && !is_validation(&s.user);
    let train = all.iter().filter(|s| is_new(s) && learns(s)).count();
    let old = all.iter().filter(|s| !is_new(s) && learns(s)).count();
    let share = cut.replay * train as f64 / old.max(1) as f64;
    let part = |wanted: &dyn Fn(&Snapshot) -> bool| -> Vec<Snapshot> {
        all.iter().filter(|s| wanted(s)).cloned().collect()
    };
    let learnt = part(&|s| learns(s) && (is_new(s) || replayed(&name(s), share, cut.seed)));
    let validation =
        part(&|s| is_new(s) && known(s) && s.at < sealed_from && is_validation(&s.user));
    let sealed = part(&|s| known(s) && s.at >= sealed_from);
    let replay = learnt.iter().filter(|s| !is_new(s)).count();
    let (weighting, positions) = scheme(task, Shares::Shop);
    let shared = Arc::new(spec.clone());
    Ok(Continued {
        sealed_before: None,
        groups: sealed.iter().map(|s| groups(&s.context)).collect(),
        sizes: Sizes {
            fresh: learnt.len() - replay,
            replay,
            validation: validation.len(),
            sealed: sealed.len(),
            waiting,
        },
        sealed_from,
        prepared: Prepared {
            spec: spec.clone(),
            train: encode_snapshots(&shared, &lines, learnt, options),
            validation: encode_snapshots(&shared, &lines, validation, options),
            test: encode_snapshots(&shared, &lines, sealed, options),
            test_without_history: Encoded::default(),
            weighting,
            positions,
            dropped: 0,
        },
    })
}

/// The named segments that a user belongs to.
fn groups(context: &Context) -> Vec<String> {
    match context.get("orders") {
        Some(Value::Number(orders)) if *orders > 1.0 => vec!["visitor returning".to_owned()],
        Some(_) => vec!["visitor new".to_owned()],
        None => Vec::new(),
    }
}
