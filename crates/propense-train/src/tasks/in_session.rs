//! `in-session`: will this session lead to an order, known its first events?
//!
//! A session is cut before its first order. Events that only follow orders (reviews) are left
//! out. What the same user did in earlier sessions is context; how often sessions with an item
//! or a category end in an order is learnt from other training sessions than the one described
//! (out of fold), else the row would give its own outcome away.

use std::sync::Arc;

use propense_events::{Event, EventKind, Session, sessionise};
use propense_features::{FeatureSpec, FitOptions, Measure, UserHistory, fit, fit_rates};

use super::{ExampleOptions, Prepared, Shares, parts, scheme, unsuited};
use crate::encode::{Encoded, Keep, encode};
use crate::load::Loaded;
use crate::progress::{Observer, Progress};
use crate::rates::renormalise;
use crate::split::{by_time_and_user, by_user, fold_of};
use crate::{Task, TrainError};

/// Folds for rates: each training row sees rates from nine tenths of the other users.
const FOLDS: usize = 10;

/// The sessions of the data with what is known of their users, oldest first.
fn sessions(
    data: &Loaded,
    history: Option<&Loaded>,
    options: &ExampleOptions,
) -> Result<Vec<Session>, TrainError> {
    if data.events.is_empty() {
        return Err(unsuited(Task::InSession, data, "events"));
    }
    let visits = |data: &Loaded| {
        let wanted = |event: &&Event| event.kind != EventKind::Review;
        let events: Vec<Event> = data.events.iter().filter(wanted).cloned().collect();
        sessionise(events, options.gap_ms).0
    };
    let mut own = visits(data);
    match history {
        // What the users did in the earlier data is known too.
        Some(history) => {
            let mut all = visits(history);
            let earlier = all.len();
            all.append(&mut own);
            UserHistory::annotate(&mut all);
            own = all.split_off(earlier);
        }
        None => UserHistory::annotate(&mut own),
    }
    // A session that begins with its order shows nothing that could be learnt or scored.
    own.retain(|session| !session.before_purchase().is_empty());
    Ok(own)
}

/// Whose the session is; a session without a user stands for itself.
fn user_or_self(session: &Session) -> &str {
    session.user.as_deref().unwrap_or(&session.id)
}

fn fit_options(data: &Loaded) -> FitOptions {
    FitOptions {
        utc_offset_minutes: data.utc_offset_minutes,
        ..FitOptions::default()
    }
}

pub(super) fn prepare(
    data: &Loaded,
    shares: Shares,
    options: &ExampleOptions,
    observer: &mut dyn Observer,
) -> Result<Prepared, TrainError> {
    let sessions = sessions(data, None, options)?;
    let keys: Vec<(i64, Option<&str>)> = sessions
        .iter()
        .map(|session| (session.start, session.user.as_deref()))
        .collect();
    let (train, validation) = shares.parts();
    let split = match shares {
        Shares::Shop => by_time_and_user(&keys, train, validation),
        // The last hours of a set of a few days are no sample of it.
        Shares::Protocol => by_user(sessions.iter().map(user_or_self), train, validation),
    };
    let [train, validation, test] = parts(&sessions, &split);
    let fit_options = fit_options(data);
    let (mut spec, notes) = fit(&train, &fit_options);
    for note in &notes {
        observer.on(&Progress::Note(&format!("features: {note}")));
    }
    let mut learnt = encode_out_of_fold(&spec, &train, &fit_options, options);
    for measure in [Measure::ItemRate, Measure::CategoryRate] {
        renormalise(&mut spec, measure, &mut learnt.examples);
    }
    let shared = Arc::new(spec.clone());
    let (weighting, positions) = scheme(Task::InSession, shares);
    Ok(Prepared {
        train: learnt,
        validation: encode_all(&shared, &validation, options),
        test: encode_all(&shared, &test, options),
        spec,
        weighting,
        positions,
        dropped: split.dropped,
    })
}

pub(super) fn encode_test(
    spec: &FeatureSpec,
    data: &Loaded,
    history: Option<&Loaded>,
    options: &ExampleOptions,
) -> Result<Encoded, TrainError> {
    let sessions = sessions(data, history, options)?;
    let spec = Arc::new(spec.clone());
    Ok(encode_all(
        &spec,
        &sessions.iter().collect::<Vec<_>>(),
        options,
    ))
}

fn encode_one(
    spec: &Arc<FeatureSpec>,
    session: &Session,
    options: &ExampleOptions,
) -> crate::Example {
    encode(
        spec,
        session,
        session.before_purchase(),
        session.converted(),
        options.max_events,
        Keep::First,
    )
}

fn encode_all(spec: &Arc<FeatureSpec>, sessions: &[&Session], options: &ExampleOptions) -> Encoded {
    Encoded {
        examples: sessions
            .iter()
            .map(|session| encode_one(spec, session, options))
            .collect(),
    }
}

/// Training rows: each fold of users with the rates of the other folds. The order of the
/// sessions is kept.
fn encode_out_of_fold(
    spec: &FeatureSpec,
    sessions: &[&Session],
    fit_options: &FitOptions,
    options: &ExampleOptions,
) -> Encoded {
    if spec.item_rates.is_empty() && spec.category_rates.is_empty() {
        return encode_all(&Arc::new(spec.clone()), sessions, options);
    }
    let folds: Vec<usize> = sessions
        .iter()
        .map(|session| fold_of(user_or_self(session), FOLDS))
        .collect();
    let specs: Vec<Arc<FeatureSpec>> = (0..FOLDS)
        .map(|fold| {
            let others: Vec<&Session> = sessions
                .iter()
                .zip(&folds)
                .filter(|(_, other)| **other != fold)
                .map(|(session, _)| *session)
                .collect();
            let (items, categories) = fit_rates(&others, fit_options);
            let keep = |used: bool, rates| if used { rates } else { Default::default() };
            Arc::new(FeatureSpec {
                item_rates: keep(!spec.item_rates.is_empty(), items),
                category_rates: keep(!spec.category_rates.is_empty(), categories),
                ..spec.clone()
            })
        })
        .collect();
    Encoded {
        examples: sessions
            .iter()
            .zip(&folds)
            .map(|(session, &fold)| encode_one(&specs[fold], session, options))
            .collect(),
    }
}
