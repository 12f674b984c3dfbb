//! Sessions into examples.

use propense_events::{EventKind, Item};
use propense_features::Measure;

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
fn augmentation_and_shares_touch_the_training_part_alone() {
    let data = shop(300);
    let of = |options: ExampleOptions| {
        prepare(&data, Shares::Shop, &options, &mut Silent).expect("examples")
    };
    let plain = of(ExampleOptions::default());
    let augmented = of(ExampleOptions {
        augment: vec![augment::Augmentation::Mask, augment::Augmentation::Jitter],
        ..ExampleOptions::default()
    });
    let count = plain.train.examples.len();
    assert_eq!(augmented.train.examples.len(), 2 * count);
    assert_ne!(augmented.train.examples[count..], plain.train.examples[..]);
    // What is fitted on the sessions does not know the copies; rates are scaled on all rows.
    let rows = |prepared: &Prepared| prepared.spec.row_names();
    assert_eq!(rows(&augmented), rows(&plain));
    for (with, without) in [
        (&augmented.validation, &plain.validation),
        (&augmented.test, &plain.test),
    ] {
        let ids = |encoded: &Encoded| -> Vec<(String, usize, Label)> {
            let all = encoded.examples.iter();
            all.map(|e| (e.id.clone(), e.events, e.label.clone()))
                .collect()
        };
        assert_eq!(ids(with), ids(without));
    }
    let ids = |share: u32| -> Vec<String> {
        let made = of(ExampleOptions {
            share,
            ..ExampleOptions::default()
        });
        assert_eq!(made.test.examples.len(), plain.test.examples.len());
        made.train.examples.into_iter().map(|e| e.id).collect()
    };
    let (few, more) = (ids(25), ids(50));
    assert!((30..80).contains(&few.len()), "{}", few.len());
    assert!(more.len() > few.len() && few.iter().all(|id| more.contains(id)));
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
fn what_was_learnt_from_is_compared_without_its_own_outcomes() {
    // Each user looks at a thing of their own twice, so that the specification has a rate for each.
    let mut data = shop(60);
    let again = |session: usize| {
        let own = format!("only {session}");
        event(
            EventKind::ViewItem,
            session as i64 * 4000 + 51,
            session,
            &own,
        )
    };
    data.events.extend((0..60).map(again));
    data.events.sort_by_key(|event| event.timestamp);
    let mut spec = prepared(&data).spec;
    for user in 0..60 {
        spec.item_rates.insert(format!("only {user}"), 1.0);
    }
    let options = ExampleOptions::default();
    let (learnt, folds) = encode_learnt(&spec, &data, &options).expect("examples");
    let new = encode_test(&spec, &data, None, &options).expect("examples");
    let ids = |encoded: &Encoded| -> Vec<String> {
        encoded.examples.iter().map(|e| e.id.clone()).collect()
    };
    assert_eq!(ids(&learnt), ids(&new));
    assert_ne!(learnt.examples, new.examples);
    for session in sessions(&data, None, &options).expect("sessions") {
        let known = &folds.of(&session).item_rates;
        let own = format!("only {}", &session.id[1..]);
        assert!(!known.contains_key(&own), "{own}");
        assert!(known.contains_key("i0"));
    }
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
    does_not_know_its_own_outcome(Measure::ItemRate, false);
    does_not_know_its_own_outcome(Measure::ItemOrders, true);
}

fn does_not_know_its_own_outcome(wanted: Measure, summed: bool) {
    let mut data = shop(120);
    let options = ExampleOptions {
        summed,
        ..ExampleOptions::default()
    };
    let prepared =
        |data: &Loaded| prepare(data, Shares::Protocol, &options, &mut Silent).expect("examples");
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
                && *measure == wanted
            {
                let width = prepared.spec.row_len();
                let values = rows
                    .chunks(width)
                    .map(|row| row[column] * normal.std + normal.mean);
                return values.collect::<Vec<f32>>();
            }
            column += feature.len();
        }
        panic!("no {wanted:?} in {:?}", prepared.spec.row)
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
    let [train, validation, test] = [&parts.train, &parts.validation, &parts.test].map(examples);
    for example in train.iter().chain(&validation).chain(&test) {
        let user: usize = example.id[1..].parse().expect("a number");
        let buys = user.is_multiple_of(3);
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
