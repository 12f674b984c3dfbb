//! What things of a category cost, and how an event's price compares.

use propense_events::{Event, EventKind, Session};
use propense_features::{FitOptions, Measure, TypicalPrices, featurise, fit};

use std::sync::Arc;

use crate::{event, raw, session, spec, with_item};

fn view(second: i64, id: &str, category: &str, price: f64) -> Event {
    with_item(
        event(EventKind::ViewItem, second),
        id,
        category,
        Some(price),
    )
}

fn typical(sessions: &[Session]) -> Option<TypicalPrices> {
    let sessions: Vec<_> = sessions.iter().collect();
    fit(&sessions, &FitOptions::full()).0.typical_prices
}

fn close(found: f64, expected: f64) {
    assert!(
        (found / expected - 1.0).abs() < 1e-9,
        "{found} for {expected}"
    );
}

/// The median of `count` items, drawn towards the price above.
fn drawn(median: f64, count: f64, above: f64) -> f64 {
    ((count * median.ln() + 10.0 * above.ln()) / (count + 10.0)).exp()
}

#[test]
fn medians_are_over_items_and_drawn_towards_the_level_above() {
    let prices = typical(&[session(vec![
        // Looked at often, but one item at its last price.
        view(0, "a", "shoes/boots", 70.0),
        view(1, "a", "shoes/boots", 80.0),
        view(2, "a", "shoes/boots", 90.0),
        view(3, "b", "shoes", 30.0),
        view(4, "c", "hats", 10.0),
        view(5, "d", "hats", 20.0),
        view(6, "e", "", 5.0),
        // Gifts and items without a price say nothing.
        view(7, "f", "hats", 0.0),
        with_item(event(EventKind::ViewItem, 8), "g", "hats", None),
    ])])
    .expect("prices");
    assert_eq!(prices.overall, 20.0);
    let shoes = drawn(60.0, 2.0, 20.0);
    close(prices.of(Some("shoes")), shoes);
    close(prices.of(Some("shoes/boots")), drawn(90.0, 1.0, shoes));
    close(prices.of(Some("hats")), drawn(15.0, 2.0, 20.0));
    // What is not known costs what the level above costs.
    close(
        prices.of(Some("shoes/boots/high")),
        prices.of(Some("shoes/boots")),
    );
    close(prices.of(Some("shoes/clogs")), shoes);
    close(prices.of(Some("toys")), 20.0);
    close(prices.of(None), 20.0);
}

#[test]
fn the_order_of_the_sessions_does_not_matter() {
    let mut sessions = vec![
        session(vec![view(0, "a", "x", 1.0), view(9, "b", "x", 4.0)]),
        session(vec![view(5, "a", "x", 2.0)]),
        session(vec![view(3, "a", "y", 3.0)]),
    ];
    let forwards = typical(&sessions);
    sessions.reverse();
    assert_eq!(typical(&sessions), forwards);
}

#[test]
fn the_ratio_is_a_logarithm_and_bounded() {
    let mut with = (*spec(vec![raw(Measure::PriceRatio), raw(Measure::Price)])).clone();
    let ratio = |with: &propense_features::FeatureSpec, event: Event| {
        let with = Arc::new(with.clone());
        let (row, _) = featurise(&with, &session(Vec::new()), &[event]);
        (row[1] == 0.0).then_some(row[0])
    };
    // Nothing learnt, nothing to compare with.
    assert_eq!(ratio(&with, view(0, "a", "hats", 30.0)), None);
    with.typical_prices = Some(TypicalPrices {
        overall: 10.0,
        categories: [("hats".to_owned(), 30.0)].into(),
    });
    let rows = [
        (view(0, "a", "hats", 30.0), Some(0.0)),
        (view(0, "a", "hats", 60.0), Some(2.0_f32.ln())),
        (view(0, "a", "hats/straw", 15.0), Some(0.5_f32.ln())),
        (view(0, "a", "boots", 20.0), Some(2.0_f32.ln())),
        (view(0, "a", "", 10.0), Some(0.0)),
        (view(0, "a", "hats", 0.0), Some(0.001_f32.ln())),
        (view(0, "a", "hats", 1e300), Some(1000.0_f32.ln())),
        (view(0, "a", "hats", -1.0), None),
        (
            with_item(event(EventKind::ViewItem, 0), "a", "hats", None),
            None,
        ),
        (event(EventKind::PageView, 0), None),
    ];
    for (event, expected) in rows {
        match (ratio(&with, event.clone()), expected) {
            (Some(found), Some(expected)) => {
                assert!((found - expected).abs() < 1e-6, "{found} for {expected}");
            }
            (found, expected) => assert_eq!(found, expected, "{event:?}"),
        }
    }
}

#[test]
fn only_a_column_needs_prices() {
    let sessions = crate::fitting::shop();
    let sessions: Vec<_> = sessions.iter().collect();
    let (spec, _) = fit(&sessions, &FitOptions::default());
    assert_eq!(spec.typical_prices, None);
    let (spec, _) = fit(&sessions, &FitOptions::full());
    let names = spec.row_names();
    assert!(spec.typical_prices.is_some());
    // Missing where the price is: one column says so.
    assert!(names.contains(&"price_missing".to_owned()));
    assert!(names.contains(&"price_ratio".to_owned()));
    assert!(!names.contains(&"price_ratio_missing".to_owned()));
    // Alone, it says so itself.
    let alone = FitOptions {
        measures: vec![Measure::PriceRatio],
        ..FitOptions::default()
    };
    let (spec, _) = fit(&sessions, &alone);
    assert!(spec.row_names().contains(&"price_ratio_missing".to_owned()));
}
