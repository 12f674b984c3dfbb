//! `in-session`: will this session lead to an order, known its first events?
//!
//! A session is cut before its first order. Events that only follow orders (reviews) are left
//! out. What the same user did in earlier sessions is context; how often sessions with an item
//! or a category end in an order is learnt from other training sessions than the one described
//! (out of fold), else the row would give its own outcome away.

mod continuing;

use std::sync::Arc;

use propense_events::{Event, Session};
use propense_features::{
    FeatureSpec, FitOptions, UserHistory, fit, fit_orders, fit_rates, sessions_shown,
};

use super::{ExampleOptions, Prepared, Shares, history, parts, scheme, unsuited};
use crate::augment;
use crate::encode::{Encoded, Keep, encode};
use crate::example::Example;
use crate::horizon::{Labelling, Orders, Target};
use crate::progress::{Observer, Progress};
use crate::rates::renormalise;
use crate::split::{ByUser, by_user, fold_of, in_share, of_shop};
use crate::{Task, TrainError};
use propense_prepare::Loaded;

pub(super) use continuing::{continue_from, new_examples, open_sessions};

/// What is said where the parts of a shop's data cannot follow each other in time.
fn why(by_user: ByUser) -> String {
    let measured = "the parts go by visitor, each with all sessions, and the test part's figures are of other \
                    visitors, not of later days";
    match by_user {
        ByUser::FewNew => {
            format!("nearly all visitors of the later days were there before: {measured}")
        }
        ByUser::NewDiffer { new, back } => format!(
            "of the later days, {:.0} % of the sessions of new visitors end in an order, and {:.0} % of those of \
             visitors who were there before, who would be left out: {measured}",
            100.0 * new,
            100.0 * back
        ),
    }
}

/// Folds for rates: each training row sees rates from nine tenths of the other users.
const FOLDS: usize = 10;

/// The sessions of the data with what is known of their users, oldest first.
pub(super) fn sessions(
    data: &Loaded,
    history: Option<&Loaded>,
    options: &ExampleOptions,
) -> Result<Vec<Session>, TrainError> {
    if data.events.is_empty() {
        return Err(unsuited(Task::InSession, data, "events"));
    }
    let visits = |data: &Loaded| {
        let (gap, midnight) = (options.gap_ms, options.midnight);
        sessions_shown(
            data.events.iter().cloned(),
            gap,
            midnight,
            data.utc_offset_minutes,
        )
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

/// The end of the data: the first millisecond of which nothing is known.
fn end_of(data: &Loaded) -> i64 {
    let last = data.events.iter().map(|event| event.timestamp).max();
    last.unwrap_or(i64::MAX - 1) + 1
}

/// The start of the earliest of these sessions; `end` where there is none.
fn start_of(sessions: &[&Session], end: i64) -> i64 {
    let starts = sessions.iter().map(|session| session.start);
    starts.min().unwrap_or(end).min(end)
}

fn fit_options(data: &Loaded, options: &ExampleOptions) -> FitOptions {
    FitOptions {
        utc_offset_minutes: data.utc_offset_minutes,
        item_buckets: options.item_buckets,
        ..match options.summed {
            true => FitOptions::summed(),
            false => FitOptions::default(),
        }
    }
}

pub(super) fn prepare(
    data: &Loaded,
    shares: Shares,
    options: &ExampleOptions,
    observer: &mut dyn Observer,
) -> Result<Prepared, TrainError> {
    let mut sessions = sessions(data, None, options)?;
    let keys: Vec<(i64, Option<&str>)> = sessions
        .iter()
        .map(|session| (session.start, session.user.as_deref()))
        .collect();
    let users: Vec<&str> = sessions.iter().map(user_or_self).collect();
    let (train, validation) = shares.parts();
    let mut split = match shares {
        Shares::Shop => {
            let ordered: Vec<bool> = sessions.iter().map(Session::converted).collect();
            of_shop(&keys, &users, &ordered, (train, validation))
        }
        // The last hours of a set of a few days are no sample of it.
        _ => by_user(users.iter().copied(), train, validation),
    };
    if shares == Shares::Measured {
        split.train.append(&mut split.test);
        split.train.sort_unstable();
    }
    split.train.retain(|&index| {
        let user = users.get(index);
        user.is_some_and(|user| in_share(user, options.share, options.seed))
    });
    let of_page = matches!(shares, Shares::Shop | Shares::Measured);
    let with_history = of_page && history::forget_some(&mut sessions, &split, options.seed);
    let [train, validation, test] = parts(&sessions, &split);
    let orders = Orders::new(&data.events);
    let until = |known_until| Labelling {
        target: options.target,
        orders: &orders,
        known_until,
    };
    let end = end_of(data);
    // A part's labels know nothing of the later parts' time, as on the day when a model is trained.
    let [until_validation, until_test] = match shares {
        Shares::Shop if split.by_user.is_none() => {
            [start_of(&validation, end), start_of(&test, end)]
        }
        _ => [end, end],
    };
    if let Some(reason) = split.by_user {
        observer.on(&Progress::Note(&why(reason)));
    }
    let fit_options = fit_options(data, options);
    let (mut spec, notes) = fit(&train, &fit_options);
    if !notes.is_empty() {
        observer.on(&Progress::Note(&format!("features: {}", notes.join("; "))));
    }
    let labelling = until(until_validation);
    let copies = augment::copies(&train, &options.augment, options.seed);
    let copies: Vec<&Session> = copies.iter().collect();
    let parts = (train.as_slice(), copies.as_slice());
    let mut learnt = encode_out_of_fold(&spec, parts, &fit_options, labelling, options, &|_| true);
    renormalise(&mut spec, &mut learnt.examples, train.len());
    let shared = Arc::new(spec.clone());
    let (weighting, positions) = scheme(Task::InSession, shares);
    Ok(Prepared {
        train: learnt,
        validation: encode_whole(&shared, &validation, until(until_test)),
        test: match options.shift {
            None => encode_whole(&shared, &test, until(end)),
            Some(shift) => {
                let shifted = augment::shifted(&test, shift, options.seed);
                encode_whole(&shared, &shifted.iter().collect::<Vec<_>>(), until(end))
            }
        },
        test_without_history: if with_history {
            let strangers = history::without(&test);
            encode_whole(&shared, &strangers.iter().collect::<Vec<_>>(), until(end))
        } else {
            Encoded::default()
        },
        spec,
        weighting,
        positions,
        dropped: split.dropped.len(),
        same_time: shares == Shares::Measured || split.by_user.is_some(),
    })
}

pub(super) fn encode_test(
    spec: &FeatureSpec,
    data: &Loaded,
    history: Option<&Loaded>,
    options: &ExampleOptions,
) -> Result<Encoded, TrainError> {
    let sessions = sessions(data, history, options)?;
    let sessions: Vec<&Session> = sessions.iter().collect();
    let labelling = Labelling {
        target: options.target,
        orders: &Orders::new(&data.events),
        known_until: end_of(data),
    };
    Ok(encode_whole(&Arc::new(spec.clone()), &sessions, labelling))
}

/// The first `max_events` events of each session of `data`, which `seen` is shown. With `history`,
/// what it says of their users is known.
pub(super) fn encode_for_scoring(
    spec: &FeatureSpec,
    data: &Loaded,
    history: Option<&Loaded>,
    options: &ExampleOptions,
    seen: &mut dyn FnMut(&[Event]),
) -> Result<Encoded, TrainError> {
    let sessions = sessions(data, history, options)?;
    for session in &sessions {
        let before = session.before_purchase();
        seen(before.get(..options.max_events).unwrap_or(before));
    }
    let sessions: Vec<&Session> = sessions.iter().collect();
    // Nobody looks at the labels.
    let labelling = Labelling {
        target: Target::default(),
        orders: &Orders::new([]),
        known_until: i64::MAX,
    };
    let spec = Arc::new(spec.clone());
    Ok(encode_all(&spec, &sessions, labelling, options))
}

fn encode_one(
    spec: &Arc<FeatureSpec>,
    session: &Session,
    labelling: Labelling<'_>,
    options: &ExampleOptions,
) -> Example {
    let before = session.before_purchase();
    let seen = before.get(..options.max_events).unwrap_or(before);
    encode(
        spec,
        session,
        before,
        labelling.label(session, seen),
        options.max_events,
        Keep::First,
    )
}

fn encode_all(
    spec: &Arc<FeatureSpec>,
    sessions: &[&Session],
    labelling: Labelling<'_>,
    options: &ExampleOptions,
) -> Encoded {
    Encoded {
        examples: sessions
            .iter()
            .map(|session| encode_one(spec, session, labelling, options))
            .collect(),
    }
}

/// Sessions to be measured on: only learning is limited to the first events, a live score is not.
fn encode_whole(
    spec: &Arc<FeatureSpec>,
    sessions: &[&Session],
    labelling: Labelling<'_>,
) -> Encoded {
    let whole = ExampleOptions {
        max_events: usize::MAX,
        ..ExampleOptions::default()
    };
    encode_all(spec, sessions, labelling, &whole)
}

/// Training rows of the wanted sessions: each fold of users with the rates of the other folds. The
/// order of the sessions is kept; their changed copies, of which nothing is fitted, follow.
fn encode_out_of_fold(
    spec: &FeatureSpec,
    (sessions, copies): (&[&Session], &[&Session]),
    fit_options: &FitOptions,
    labelling: Labelling<'_>,
    options: &ExampleOptions,
    wanted: &dyn Fn(&&Session) -> bool,
) -> Encoded {
    let folds = Folds::new(spec, sessions, fit_options);
    let encoded = |session: &&Session| encode_one(folds.of(session), session, labelling, options);
    Encoded {
        examples: sessions
            .iter()
            .chain(copies)
            .filter(|session| wanted(session))
            .map(encoded)
            .collect(),
    }
}

/// What a session may know of others: a specification whose rates are those of other folds of users.
pub(crate) struct Folds(Vec<Arc<FeatureSpec>>);

impl Folds {
    /// One for all sessions: that of a model, for sessions that it has not learnt from.
    pub(crate) fn one(spec: &FeatureSpec) -> Self {
        Self(vec![Arc::new(spec.clone())])
    }

    /// For each fold of users the rates of the sessions of all others.
    fn new(spec: &FeatureSpec, sessions: &[&Session], fit_options: &FitOptions) -> Self {
        let learnt = [&spec.item_rates, &spec.category_rates, &spec.item_orders];
        if learnt.iter().all(|learnt| learnt.is_empty()) {
            return Self::one(spec);
        }
        let folds: Vec<usize> = sessions
            .iter()
            .map(|session| fold_of(user_or_self(session), FOLDS))
            .collect();
        let of_fold = |fold| {
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
                item_orders: match spec.item_orders.is_empty() {
                    true => Default::default(),
                    false => fit_orders(&others),
                },
                ..spec.clone()
            })
        };
        Self((0..FOLDS).map(of_fold).collect())
    }

    /// The session's own.
    pub(crate) fn of(&self, session: &Session) -> &Arc<FeatureSpec> {
        &self.0[fold_of(user_or_self(session), self.0.len())]
    }
}

/// The sessions that a model was learnt from, each as it is to be compared with others: its own outcome is
/// in no rate.
pub(super) fn encode_learnt(
    spec: &FeatureSpec,
    data: &Loaded,
    options: &ExampleOptions,
) -> Result<(Encoded, Folds), TrainError> {
    let sessions = sessions(data, None, options)?;
    let sessions: Vec<&Session> = sessions.iter().collect();
    let labelling = Labelling {
        target: options.target,
        orders: &Orders::new(&data.events),
        known_until: end_of(data),
    };
    let folds = Folds::new(spec, &sessions, &fit_options(data, options));
    let encoded = |session: &&Session| encode_one(folds.of(session), session, labelling, options);
    let examples = sessions.iter().map(encoded).collect();
    Ok((Encoded { examples }, folds))
}

#[cfg(test)]
mod tests;
