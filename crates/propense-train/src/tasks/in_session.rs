//! `in-session`: will this session lead to an order, known its first events?
//!
//! A session is cut before its first order. Events that only follow orders (reviews) are left
//! out. What the same user did in earlier sessions is context; how often sessions with an item
//! or a category end in an order is learnt from other training sessions than the one described
//! (out of fold), else the row would give its own outcome away.

use std::sync::Arc;

use propense_events::{Event, Session, sessionise, sessionise_by_day};
use propense_features::{
    FeatureSpec, FitOptions, Measure, UserHistory, fit, fit_rates, follows_orders,
};

use super::{ExampleOptions, Prepared, Shares, history, parts, scheme, unsuited};
use crate::encode::{Encoded, Keep, encode};
use crate::example::Example;
use crate::horizon::{Orders, Target};
use crate::progress::{Observer, Progress};
use crate::rates::renormalise;
use crate::split::{by_time_and_user, by_user, fold_of};
use crate::{Task, TrainError};
use propense_prepare::Loaded;

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
        let wanted = |event: &&Event| !follows_orders(event.kind);
        let events: Vec<Event> = data.events.iter().filter(wanted).cloned().collect();
        match options.midnight {
            true => sessionise_by_day(events, options.gap_ms, data.utc_offset_minutes).0,
            false => sessionise(events, options.gap_ms).0,
        }
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

/// What makes a session's label: the target, the orders, and up to when (milliseconds since 1970)
/// everything is known.
#[derive(Clone, Copy)]
struct Labelling<'a> {
    target: Target,
    orders: &'a Orders<'a>,
    known_until: i64,
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

fn fit_options(data: &Loaded, summed: bool) -> FitOptions {
    FitOptions {
        utc_offset_minutes: data.utc_offset_minutes,
        ..match summed {
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
    let (train, validation) = shares.parts();
    let split = match shares {
        Shares::Shop => by_time_and_user(&keys, train, validation),
        // The last hours of a set of a few days are no sample of it.
        Shares::Protocol | Shares::Whole => {
            by_user(sessions.iter().map(user_or_self), train, validation)
        }
    };
    let with_history =
        shares == Shares::Shop && history::forget_some(&mut sessions, &split, options.seed);
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
        Shares::Shop => [start_of(&validation, end), start_of(&test, end)],
        Shares::Protocol | Shares::Whole => [end, end],
    };
    let fit_options = fit_options(data, options.summed);
    let (mut spec, notes) = fit(&train, &fit_options);
    if !notes.is_empty() {
        observer.on(&Progress::Note(&format!("features: {}", notes.join("; "))));
    }
    let labelling = until(until_validation);
    let mut learnt = encode_out_of_fold(&spec, &train, &fit_options, labelling, options);
    for measure in Measure::RATES {
        renormalise(&mut spec, measure, &mut learnt.examples);
    }
    let shared = Arc::new(spec.clone());
    let (weighting, positions) = scheme(Task::InSession, shares);
    Ok(Prepared {
        train: learnt,
        validation: encode_whole(&shared, &validation, until(until_test)),
        test: encode_whole(&shared, &test, until(end)),
        test_without_history: if with_history {
            let strangers = history::without(&test);
            encode_whole(&shared, &strangers.iter().collect::<Vec<_>>(), until(end))
        } else {
            Encoded::default()
        },
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
    let sessions: Vec<&Session> = sessions.iter().collect();
    let labelling = Labelling {
        target: options.target,
        orders: &Orders::new(&data.events),
        known_until: end_of(data),
    };
    Ok(encode_whole(&Arc::new(spec.clone()), &sessions, labelling))
}

/// The first `max_events` events of each session.
pub(super) fn encode_for_scoring(
    spec: &FeatureSpec,
    data: &Loaded,
    options: &ExampleOptions,
) -> Result<Encoded, TrainError> {
    let sessions = sessions(data, None, options)?;
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
    let Labelling {
        target,
        orders,
        known_until,
    } = labelling;
    encode(
        spec,
        session,
        before,
        orders.label(session, seen, target, known_until),
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

/// Training rows: each fold of users with the rates of the other folds. The order of the
/// sessions is kept.
fn encode_out_of_fold(
    spec: &FeatureSpec,
    sessions: &[&Session],
    fit_options: &FitOptions,
    labelling: Labelling<'_>,
    options: &ExampleOptions,
) -> Encoded {
    if spec.item_rates.is_empty() && spec.category_rates.is_empty() {
        return encode_all(&Arc::new(spec.clone()), sessions, labelling, options);
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
            .map(|(session, &fold)| encode_one(&specs[fold], session, labelling, options))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use propense_events::{EventKind, Item};

    use super::*;
    use crate::example::Label;
    use crate::progress::Silent;

    fn event(kind: EventKind, second: i64, user: usize, item: &str) -> Event {
        let mut event = Event::new(kind, 1_600_000_000_000 + second * 1000);
        event.user_id = Some(format!("u{user}"));
        event.session_id = Some(format!("s{user}"));
        event.items.push(Item {
            item_id: item.to_owned(),
            ..Item::default()
        });
        event
    }

    /// One session for each user: four views, and for every third user an order.
    fn shop(users: usize) -> Loaded {
        let mut data = Loaded::default();
        for user in 0..users {
            let start = user as i64 * 4000;
            for view in 0..4 {
                let item = format!("i{}", (user + view) % 5);
                let second = start + 9 * view as i64;
                data.events
                    .push(event(EventKind::ViewItem, second, user, &item));
            }
            // An item that this user alone looks at, twice to have the support for a rate.
            let own = format!("only {user}");
            data.events
                .push(event(EventKind::ViewItem, start + 50, user, &own));
            if user % 3 == 0 {
                data.events
                    .push(event(EventKind::Purchase, start + 60, user, "i0"));
            }
        }
        data
    }

    fn prepared(data: &Loaded) -> Prepared {
        let options = ExampleOptions::default();
        prepare(data, Shares::Protocol, &options, &mut Silent).expect("examples")
    }

    #[test]
    fn what_follows_the_order_changes_nothing() {
        for summed in [false, true] {
            what_follows_changes_nothing(summed);
        }
    }

    fn what_follows_changes_nothing(summed: bool) {
        let data = shop(60);
        let options = ExampleOptions {
            summed,
            ..ExampleOptions::default()
        };
        let spec = prepare(&data, Shares::Protocol, &options, &mut Silent)
            .expect("examples")
            .spec;
        let mut longer = data.clone();
        for user in (0..60).step_by(3) {
            let start = user as i64 * 4000;
            for (kind, second) in [
                (EventKind::ViewItem, 70),
                (EventKind::Purchase, 80),
                (EventKind::Review, 90),
            ] {
                longer.events.push(event(kind, start + second, user, "i1"));
            }
        }
        let options = ExampleOptions::default();
        let encoded = |data| {
            encode_test(&spec, data, None, &options)
                .expect("examples")
                .examples
        };
        assert_eq!(encoded(&data), encoded(&longer));
    }

    #[test]
    fn learning_from_few_events_does_not_shorten_what_is_measured() {
        let data = shop(60);
        let spec = prepared(&data).spec;
        let lengths = |max_events| -> Vec<usize> {
            let options = ExampleOptions {
                max_events,
                ..ExampleOptions::default()
            };
            let encoded = encode_test(&spec, &data, None, &options).expect("examples");
            encoded.examples.iter().map(|e| e.events).collect()
        };
        assert_eq!(lengths(64), vec![5; 60]);
        assert_eq!(lengths(1), lengths(64));
    }

    #[test]
    fn what_cannot_be_measured_is_said() {
        let options = ExampleOptions::default();
        let mut data = shop(60);
        let mut views = 0;
        // One event of each session is left, and the orders.
        data.events.retain(|event| {
            views += usize::from(event.kind == EventKind::ViewItem);
            event.kind != EventKind::ViewItem || views % 5 == 0
        });
        let Err(error) = super::super::prepare(
            Task::InSession,
            &data,
            Shares::Protocol,
            &options,
            &mut Silent,
        ) else {
            panic!("no session can be measured");
        };
        assert!(matches!(error, TrainError::TooShort { .. }), "{error}");
    }

    #[test]
    fn a_training_row_does_not_know_its_own_outcome() {
        let mut data = shop(120);
        // The same sessions with all outcomes of one user turned round must give this user the
        // same rows: rates come from the others.
        let before = prepared(&data);
        let target = before
            .train
            .examples
            .iter()
            .find(|example| example.label.at(0) == Some(true))
            .expect("an order");
        let (id, rows) = (target.id.clone(), target.rows.clone());
        data.events.retain(|event| {
            !(event.kind == EventKind::Purchase && event.session_id.as_deref() == Some(&id))
        });
        let after = prepared(&data);
        let same = after
            .train
            .examples
            .iter()
            .find(|example| example.id == id)
            .expect("the session");
        assert_eq!(same.label, false.into());
        let raw = |prepared: &Prepared, rows: &[f32]| {
            // Undo the normalisation, which is fitted on all rows.
            let mut column = 0;
            for feature in &prepared.spec.row {
                if let propense_features::RowFeature::Number {
                    measure, normal, ..
                } = feature
                    && *measure == Measure::ItemRate
                {
                    let width = prepared.spec.row_len();
                    let values = rows
                        .chunks(width)
                        .map(|row| row[column] * normal.std + normal.mean);
                    return values.collect::<Vec<f32>>();
                }
                column += feature.len();
            }
            panic!("no item rate in {:?}", prepared.spec.row)
        };
        let (a, b) = (raw(&before, &rows), raw(&after, &same.rows));
        // The first four events show items that others look at; the fifth shows this user's own,
        // for which no rate is known, so that it stands at the mean of the column.
        for (a, b) in a.iter().zip(&b).take(4) {
            assert!((a - b).abs() < 1e-4, "{a} became {b}");
        }
    }

    #[test]
    fn a_horizon_gives_each_prefix_its_label_and_no_part_knows_a_later_one() {
        use crate::horizon::Horizon;

        let data = shop(120);
        // Each session lasts a minute, the next begins 4,000 seconds after it: an order within half
        // a minute of an event is one of the last event alone, which comes 10 seconds before it.
        let options = ExampleOptions {
            target: Target {
                horizon: Horizon::Within(30_000),
                this_item: false,
            },
            ..ExampleOptions::default()
        };
        let parts = super::prepare(&data, Shares::Shop, &options, &mut Silent).expect("examples");
        let examples = |part: &Encoded| part.examples.clone();
        let [train, validation, test] =
            [&parts.train, &parts.validation, &parts.test].map(examples);
        for example in train.iter().chain(&validation).chain(&test) {
            let user: usize = example.id[1..].parse().expect("a number");
            let buys = user % 3 == 0;
            let expected = (0..=5).map(|prefix| Some(buys && prefix == 5));
            // The last moment of the data has no future.
            let last = user == 119;
            if !last {
                assert_eq!(example.label, Label::Prefixes(expected.collect()), "{user}");
            }
        }
        // Three hours reach beyond the part for its last two sessions; the data end with a session.
        let options = ExampleOptions {
            target: Target {
                horizon: Horizon::Within(3 * 3_600_000),
                this_item: false,
            },
            ..ExampleOptions::default()
        };
        let parts = super::prepare(&data, Shares::Shop, &options, &mut Silent).expect("examples");
        for (part, last) in [(&parts.train, 2), (&parts.validation, 2), (&parts.test, 3)] {
            let unknown = |example: &&Example| example.label.last().is_none();
            assert_eq!(part.examples.iter().filter(unknown).count(), last);
            assert!(part.examples.iter().rev().take(last).all(|e| unknown(&e)));
        }
    }

    #[test]
    fn parts_share_no_user_and_a_session_that_begins_with_its_order_is_left_out() {
        let mut data = shop(60);
        data.events
            .push(event(EventKind::Purchase, 999_999, 777, "i0"));
        let prepared = prepared(&data);
        let users = |part: &Encoded| -> std::collections::BTreeSet<Option<String>> {
            part.examples
                .iter()
                .map(|example| example.user.clone())
                .collect()
        };
        let (train, validation) = (users(&prepared.train), users(&prepared.validation));
        assert!(train.is_disjoint(&validation));
        assert_eq!(train.len() + validation.len(), 60);
    }
}
