//! What an update of an in-session model learns from, and what it is judged on.
//!
//! Sessions are taken in the order of their starts. Those before a moment are known already and may
//! be replayed; the later ones are new. The newest of the new ones are sealed: nothing is fitted on
//! them. Of the rest, a fifth of the users validates.

use std::collections::HashSet;
use std::sync::Arc;

use propense_events::{Event, Session};
use propense_features::{FeatureSpec, fit_orders, fit_rates};

use super::super::continuing::{Before, Candidate, Continued, Cut, at, count_new, divide};
use super::super::{ExampleOptions, Prepared, Shares, history, scheme};
use super::{
    encode_one, encode_out_of_fold, encode_whole, end_of, fit_options, sessions, user_or_self,
};
use crate::encode::Encoded;
use crate::horizon::{Horizon, Labelling, Orders};
use crate::segments::of_session;
use crate::{Task, TrainError};
use propense_prepare::Loaded;

pub(crate) fn continue_from(
    spec: &FeatureSpec,
    data: &Loaded,
    cut: &Cut,
    options: &ExampleOptions,
) -> Result<Continued, TrainError> {
    let mut all = sessions(data, None, options)?;
    let end = end_of(data);
    let candidates: Vec<Candidate<'_>> = candidates(&all, data, cut, options).collect();
    let division = divide(&candidates, cut)?;
    let sealed_from = division.sealed_from;
    for session in &mut all {
        if session.start < sealed_from {
            history::forget_by_turns(session, options.seed);
        }
    }

    let orders = Orders::new(&data.events);
    let until = |known_until| Labelling {
        target: options.target,
        orders: &orders,
        known_until,
    };
    let chosen = at(&all, &division.learnt).into_iter();
    let chosen: HashSet<String> = chosen.map(|session| session.id.clone()).collect();
    let pool = at(&all, &division.pool);
    let before = Arc::new(spec.clone());
    let (spec, learnt) = learn(spec, &pool, &chosen, data, cut, until(sealed_from), options);
    let shared = Arc::new(spec.clone());
    let validation = at(&all, &division.validation);
    let sealed = at(&all, &division.sealed);
    let (weighting, positions) = scheme(Task::InSession, Shares::Shop);
    Ok(Continued {
        sealed_before: (*before != spec).then(|| encode_whole(&before, &sealed, until(end))),
        groups: sealed.iter().map(|session| groups(session)).collect(),
        sizes: division.sizes,
        sealed_from,
        prepared: Prepared {
            train: learnt,
            validation: encode_whole(&shared, &validation, until(sealed_from)),
            test: encode_whole(&shared, &sealed, until(end)),
            test_without_history: Encoded::default(),
            spec,
            weighting,
            positions,
            dropped: 0,
            same_time: false,
        },
    })
}

/// How many sessions with a known outcome the model has not learnt.
pub(crate) fn new_examples(
    data: &Loaded,
    cut: &Cut,
    options: &ExampleOptions,
) -> Result<usize, TrainError> {
    let all = sessions(data, None, options)?;
    Ok(count_new(candidates(&all, data, cut, options)))
}

fn candidates<'a>(
    all: &'a [Session],
    data: &'a Loaded,
    cut: &'a Cut,
    options: &'a ExampleOptions,
) -> impl Iterator<Item = Candidate<'a>> {
    let end = end_of(data);
    let arrivals = cut.before.map(|before| Arrivals::new(data, before));
    all.iter().map(move |session| Candidate {
        at: session.start,
        user: user_or_self(session),
        id: session.id.as_str().into(),
        is_new: session.start >= cut.since
            || arrivals
                .as_ref()
                .is_some_and(|arrivals| !arrivals.knew(session, wait(options))),
        known: is_known(session, end, options),
    })
}

/// Whose an event is, and when it was.
type Mark<'a> = (Option<&'a str>, Option<&'a str>, Option<&'a str>, i64);

fn mark(event: &Event) -> Mark<'_> {
    let (session, user) = (event.session_id.as_deref(), event.user_id.as_deref());
    (
        session,
        user,
        event.anonymous_id.as_deref(),
        event.timestamp,
    )
}

/// What has arrived since the model was made.
struct Arrivals<'a> {
    since: HashSet<Mark<'a>>,
    until: i64,
}

impl<'a> Arrivals<'a> {
    fn new(data: &'a Loaded, before: Before) -> Self {
        let later = data.events.get(before.events..).unwrap_or_default().iter();
        let later = later.filter(|event| event.timestamp <= before.until);
        Self {
            since: later.map(mark).collect(),
            until: before.until,
        }
    }

    /// Whether the session was there, with its outcome, when the model was made. One that has grown
    /// since was learnt from as it was: it is not learnt from twice.
    fn knew(&self, session: &Session, wait: i64) -> bool {
        let there =
            |event: &&Event| event.timestamp <= self.until && !self.since.contains(&mark(event));
        let last = session
            .events
            .iter()
            .filter(there)
            .map(|e| e.timestamp)
            .max();
        last.is_some_and(|last| last.saturating_add(wait) <= self.until)
    }
}

/// How long after a session's last event its outcome is known, in milliseconds.
const fn wait(options: &ExampleOptions) -> i64 {
    match options.target.horizon {
        Horizon::Session => options.gap_ms,
        Horizon::Within(ms) if ms > options.gap_ms => ms,
        Horizon::Within(_) => options.gap_ms,
    }
}

/// Whether a session's horizon has passed when the data ends. Only then is an outcome known, an
/// order no sooner than none: to take orders at once and the others later would make the end of the
/// data look like a rush of buyers.
fn is_known(session: &Session, end: i64, options: &ExampleOptions) -> bool {
    let last = session.events.last().map_or(session.start, |e| e.timestamp);
    last.saturating_add(wait(options)) < end
}

/// The sessions whose outcome is not known yet.
pub(crate) fn open_sessions(
    data: &Loaded,
    options: &ExampleOptions,
) -> Result<HashSet<String>, TrainError> {
    let end = end_of(data);
    let all = sessions(data, None, options)?;
    let open = all.into_iter().filter(|s| !is_known(s, end, options));
    Ok(open.map(|session| session.id).collect())
}

/// The specification to go on with, and the chosen sessions of the pool as examples. No row holds
/// a rate that its own user's sessions are in.
fn learn(
    spec: &FeatureSpec,
    pool: &[&Session],
    chosen: &HashSet<String>,
    data: &Loaded,
    cut: &Cut,
    labelling: Labelling<'_>,
    options: &ExampleOptions,
) -> (FeatureSpec, Encoded) {
    let fit_options = fit_options(data, options);
    let is_chosen = |session: &&Session| chosen.contains(&session.id);
    if cut.refresh_rates {
        let (items, categories) = fit_rates(pool, &fit_options);
        let mut fresh = spec.clone();
        if !fresh.item_rates.is_empty() {
            fresh.item_rates.extend(items);
        }
        if !fresh.category_rates.is_empty() {
            fresh.category_rates.extend(categories);
        }
        if !fresh.item_orders.is_empty() {
            fresh.item_orders.extend(fit_orders(pool));
        }
        let encoded = encode_out_of_fold(
            &fresh,
            (pool, &[]),
            &fit_options,
            labelling,
            options,
            &is_chosen,
        );
        return (fresh, encoded);
    }
    // The rates were learnt from the first model's data: its sessions must not see their own.
    let (first, later): (Vec<&Session>, Vec<&Session>) = pool
        .iter()
        .partition(|session| session.start <= cut.features_until);
    let mut encoded = encode_out_of_fold(
        spec,
        (&first, &[]),
        &fit_options,
        labelling,
        options,
        &is_chosen,
    );
    let shared = Arc::new(spec.clone());
    let later = later.iter().filter(|session| is_chosen(session));
    encoded
        .examples
        .extend(later.map(|session| encode_one(&shared, session, labelling, options)));
    (spec.clone(), encoded)
}

/// The named segments that the session belongs to: kinds of visitors and devices.
fn groups(session: &Session) -> Vec<String> {
    of_session(session)
        .into_iter()
        .filter(|(kind, _)| ["visitor", "device"].contains(kind))
        .map(|(kind, name)| format!("{kind} {name}"))
        .collect()
}
