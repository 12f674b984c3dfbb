//! `shoppers` and `shoppers-no-pagevalues`: each session is one summary, without events.

use std::sync::Arc;

use propense_events::{Context, Session, Value};
use propense_features::{FeatureSpec, FitOptions, fit};

use super::{ExampleOptions, Prepared, Shares, parts, scheme, unsuited};
use crate::encode::{Encoded, Keep, encode};
use crate::split::{in_share, stratified};
use crate::{Task, TrainError};
use propense_prepare::Loaded;

/// The column that is computed from transactions.
const PAGE_VALUES: &str = "PageValues";

pub(super) fn sessions(
    task: Task,
    data: &Loaded,
    with_outcome: bool,
) -> Result<Vec<Session>, TrainError> {
    if data.sessions.is_empty() {
        return Err(unsuited(
            task,
            data,
            "session summaries (format online-shoppers)",
        ));
    }
    let mut sessions = data.sessions.clone();
    if with_outcome {
        sessions.retain(|session| session.outcome.is_some());
        if sessions.is_empty() {
            let reason = format!(
                "none of the {} sessions says how it ended: a column `Revenue` with TRUE or FALSE is needed",
                data.sessions.len()
            );
            return Err(TrainError::Unsuited { task, reason });
        }
    }
    for session in &mut sessions {
        if task == Task::ShoppersNoPagevalues {
            session.context.remove(PAGE_VALUES);
        }
        derive(&mut session.context);
    }
    Ok(sessions)
}

/// Kinds of pages, of which a summary tells the number and the time spent on them.
const PAGES: [&str; 3] = ["Administrative", "Informational", "ProductRelated"];

/// The keys that [`derive`] adds.
const DERIVED: [&str; 8] = [
    "Administrative_pace",
    "Informational_pace",
    "ProductRelated_pace",
    "pages",
    "duration",
    "exits",
    "bounces",
    "exits_less_bounces",
];

/// Ratios and sums of what a summary tells: seconds on a page of each kind, pages and seconds in
/// all, exits and bounces as numbers of pages and not as shares of them. A network of sums of
/// steps does not divide and multiply by itself.
fn derive(context: &mut Context) {
    let number = |key: &str| match context.get(key) {
        Some(Value::Number(number)) => Some(*number),
        _ => None,
    };
    let sum = |suffix: &str| -> Option<f64> {
        let parts = PAGES.map(|kind| number(&format!("{kind}{suffix}")));
        parts.into_iter().sum()
    };
    let pages = sum("");
    let (exits, bounces) = (number("ExitRates"), number("BounceRates"));
    let times = |rate: Option<f64>| Some(rate? * pages?);
    let pace = |kind: &str| {
        let (count, seconds) = (number(kind)?, number(&format!("{kind}_Duration"))?);
        Some(if count > 0.0 { seconds / count } else { 0.0 })
    };
    let [a, b, c] = PAGES.map(pace);
    let values = [
        a,
        b,
        c,
        pages,
        sum("_Duration"),
        times(exits),
        times(bounces),
        exits.zip(bounces).map(|(exits, bounces)| exits - bounces),
    ];
    for (key, value) in DERIVED.into_iter().zip(values) {
        if let Some(value) = value {
            context.insert(key.to_owned(), Value::Number(value));
        }
    }
}

/// Ratios and sums are for networks that ask for them.
fn fit_options(options: &ExampleOptions) -> FitOptions {
    let left_out = match options.summed {
        true => Vec::new(),
        false => DERIVED.map(str::to_owned).to_vec(),
    };
    FitOptions {
        context_exclude: left_out,
        ..FitOptions::default()
    }
}

pub(super) fn prepare(
    task: Task,
    data: &Loaded,
    shares: Shares,
    options: &ExampleOptions,
) -> Result<Prepared, TrainError> {
    let sessions = sessions(task, data, true)?;
    let labels: Vec<bool> = sessions.iter().map(Session::converted).collect();
    let (train, validation) = shares.parts();
    // The set has no times: a random split with equal base rates takes the place of time.
    let mut split = stratified(&labels, train, validation, options.seed);
    split.train.retain(|&index| {
        let session = sessions.get(index);
        session.is_some_and(|s| in_share(&s.id, options.share, options.seed))
    });
    let [train, validation, test] = parts(&sessions, &split);
    let (spec, _) = fit(&train, &fit_options(options));
    let shared = Arc::new(spec.clone());
    let (weighting, positions) = scheme(task, shares);
    let of = |part: &[&Session]| encode_all(&shared, part);
    Ok(Prepared {
        train: of(&train),
        validation: of(&validation),
        test: of(&test),
        test_without_history: Encoded::default(),
        spec,
        weighting,
        positions,
        dropped: 0,
        same_time: false,
    })
}

pub(super) fn encode_test(
    task: Task,
    spec: &FeatureSpec,
    data: &Loaded,
) -> Result<Encoded, TrainError> {
    let sessions = sessions(task, data, true)?;
    Ok(encode_all(
        &Arc::new(spec.clone()),
        &sessions.iter().collect::<Vec<_>>(),
    ))
}

pub(super) fn encode_for_scoring(
    task: Task,
    spec: &FeatureSpec,
    data: &Loaded,
) -> Result<Encoded, TrainError> {
    let sessions = sessions(task, data, false)?;
    Ok(encode_all(
        &Arc::new(spec.clone()),
        &sessions.iter().collect::<Vec<_>>(),
    ))
}

fn encode_all(spec: &Arc<FeatureSpec>, sessions: &[&Session]) -> Encoded {
    Encoded {
        examples: sessions
            .iter()
            .map(|session| {
                encode(
                    spec,
                    session,
                    &[],
                    session.converted().into(),
                    usize::MAX,
                    Keep::First,
                )
            })
            .collect(),
    }
}
