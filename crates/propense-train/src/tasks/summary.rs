//! `shoppers` and `shoppers-no-pagevalues`: each session is one summary, without events.

use std::sync::Arc;

use propense_events::Session;
use propense_features::{FeatureSpec, FitOptions, fit};

use super::{ExampleOptions, Prepared, Shares, parts, scheme, unsuited};
use crate::encode::{Encoded, Keep, encode};
use crate::split::stratified;
use crate::{Task, TrainError};
use propense_prepare::Loaded;

/// The column that is computed from transactions.
const PAGE_VALUES: &str = "PageValues";

fn sessions(task: Task, data: &Loaded, with_outcome: bool) -> Result<Vec<Session>, TrainError> {
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
    }
    if task == Task::ShoppersNoPagevalues {
        for session in &mut sessions {
            session.context.remove(PAGE_VALUES);
        }
    }
    Ok(sessions)
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
    let split = stratified(&labels, train, validation, options.seed);
    let [train, validation, test] = parts(&sessions, &split);
    let (spec, _) = fit(&train, &FitOptions::default());
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
