//! How often items were ordered in other sessions.

use std::collections::BTreeMap;
use std::sync::Arc;

use propense_events::{EventKind, Session};
use propense_features::{FeatureSpec, Featuriser, FitOptions, Measure, fit, fit_orders};

use crate::{event, raw, session, spec, with_item};

fn step(kind: EventKind, seconds: i64, item: &str) -> propense_events::Event {
    with_item(event(kind, seconds), item, "", None)
}

fn visit(looked_at: &str, ordered: &[&str]) -> Session {
    let mut events = vec![step(EventKind::ViewItem, 0, looked_at)];
    let orders = ordered.iter().enumerate();
    events.extend(orders.map(|(n, item)| step(EventKind::Purchase, 9 + n as i64, item)));
    session(events)
}

#[test]
fn a_session_counts_once_for_each_item_that_it_orders() {
    let sessions = [
        visit("seen", &["a", "a", "b"]),
        visit("a", &["a"]),
        visit("seen", &[]),
    ];
    let orders = fit_orders(&sessions.iter().collect::<Vec<_>>());
    let expected = [("a", 3.0f32.ln()), ("b", 2.0f32.ln())];
    let expected = expected.map(|(item, number)| (item.to_owned(), number));
    assert_eq!(orders, BTreeMap::from(expected));
}

#[test]
fn newest_mean_and_highest_of_the_items_so_far() {
    let columns = [
        Measure::ItemOrders,
        Measure::MeanItemOrders,
        Measure::MaxItemOrders,
    ];
    let known = FeatureSpec {
        item_orders: BTreeMap::from([("a".to_owned(), 1.5), ("b".to_owned(), 0.5)]),
        ..(*spec(columns.map(raw).to_vec())).clone()
    };
    let events = [
        event(EventKind::PageView, 0),
        step(EventKind::ViewItem, 1, "b"),
        step(EventKind::ViewItem, 2, "never ordered"),
        step(EventKind::ViewItem, 3, "a"),
        event(EventKind::Search, 4),
    ];
    let mut featuriser = Featuriser::new(Arc::new(known), events[0].timestamp, &BTreeMap::new());
    let mut row = Vec::new();
    let third = 2.0 / 3.0;
    // Number and missing-value flag of each column.
    for (event, expected) in events.iter().zip([
        [0.0, 1.0, 0.0, 1.0, 0.0, 1.0],
        [0.5, 0.0, 0.5, 0.0, 0.5, 0.0],
        [0.0, 0.0, 0.25, 0.0, 0.5, 0.0],
        [1.5, 0.0, third, 0.0, 1.5, 0.0],
        [0.0, 1.0, third, 0.0, 1.5, 0.0],
    ]) {
        featuriser.push(event, &mut row);
        for (found, expected) in row.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-6, "{row:?}");
        }
        assert_eq!(row.len(), expected.len());
    }
}

/// What a session ordered itself is no news to it: where each item is ordered by its own visitor
/// alone, there is nothing to learn, and no column.
#[test]
fn the_constants_do_not_know_a_sessions_own_order() {
    let names: Vec<String> = (0..100).map(|n| n.to_string()).collect();
    let columns = |visits: Vec<Session>| {
        let visits: Vec<_> = visits.iter().collect();
        let names = fit(&visits, &FitOptions::summed()).0.row_names();
        names
            .iter()
            .filter(|name| name.ends_with("_orders"))
            .count()
    };
    let own = |name: &String| visit(name, &[name.as_str()]);
    assert_eq!(columns(names.iter().map(own).collect()), 0);
    // Ordered by others too, they tell something.
    let shared = |(n, name): (usize, &String)| visit(name, &[names[n % 7].as_str()]);
    assert_eq!(columns(names.iter().enumerate().map(shared).collect()), 3);
}
