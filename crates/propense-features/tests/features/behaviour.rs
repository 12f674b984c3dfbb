//! The measures of behaviour by hand: stays, openings, searches, cart state.

use propense_events::{Event, EventKind};
use propense_features::Measure;

use crate::{columns::trace, event, with_item};

const NO: Option<f32> = None;

fn at(kind: EventKind, seconds: i64, item: &str) -> Event {
    with_item(event(kind, seconds), item, "", None)
}

fn check(measure: Measure, events: &[Event], expected: &[Option<f32>]) {
    assert_eq!(trace(measure, events), expected, "{}", measure.name());
}

/// Bare numbers: never missing.
fn known(numbers: &[f32]) -> Vec<Option<f32>> {
    numbers.iter().copied().map(Some).collect()
}

fn visit() -> Vec<Event> {
    vec![
        event(EventKind::Search, 0),
        at(EventKind::ViewItem, 10, "A"),
        // On A's page.
        at(EventKind::AddToCart, 16, "A"),
        // Leaves it after 8 seconds; the click and the view are one opening of B's page.
        at(EventKind::SelectItem, 18, "B"),
        at(EventKind::ViewItem, 19, "B"),
        event(EventKind::Search, 22),
        at(EventKind::ViewItem, 30, "A"),
        at(EventKind::RemoveFromCart, 31, "A"),
        event(EventKind::ViewCart, 36),
        event(EventKind::PageView, 40),
    ]
}

#[test]
fn every_measure_of_behaviour() {
    check(
        Measure::Dwell,
        &visit(),
        &[
            NO,
            NO,
            Some(6.0),
            Some(8.0),
            Some(1.0),
            Some(4.0),
            NO,
            Some(1.0),
            Some(6.0),
            NO,
        ],
    );
    check(
        Measure::MeanDwell,
        &visit(),
        &[
            NO,
            NO,
            NO,
            Some(8.0),
            Some(8.0),
            Some(6.0),
            Some(6.0),
            Some(6.0),
            Some(6.0),
            Some(6.0),
        ],
    );
    check(
        Measure::SinceCart,
        &visit(),
        &[
            NO,
            NO,
            NO,
            Some(2.0),
            Some(3.0),
            Some(6.0),
            Some(14.0),
            Some(15.0),
            Some(5.0),
            Some(9.0),
        ],
    );
    let some = Some;
    check(
        Measure::ItemViews,
        &visit(),
        &[
            NO,
            some(0.0),
            some(1.0),
            some(0.0),
            some(1.0),
            NO,
            some(1.0),
            some(2.0),
            NO,
            NO,
        ],
    );
    check(
        Measure::InCart,
        &visit(),
        &[
            NO,
            some(0.0),
            some(1.0),
            some(0.0),
            some(0.0),
            NO,
            some(1.0),
            some(0.0),
            NO,
            NO,
        ],
    );
    for (measure, numbers) in [
        (Measure::MostViews, [0, 1, 1, 1, 1, 1, 2, 2, 2, 2]),
        (Measure::Views, [0, 1, 1, 2, 2, 2, 3, 3, 3, 3]),
        (Measure::Searches, [1, 1, 1, 1, 1, 2, 2, 2, 2, 2]),
        (Measure::Searched, [0, 1, 1, 1, 1, 1, 1, 1, 1, 1]),
        (Measure::Carts, [0, 0, 1, 1, 1, 1, 1, 1, 1, 1]),
        (Measure::CartItems, [0, 0, 1, 1, 1, 1, 1, 0, 0, 0]),
    ] {
        check(measure, &visit(), &known(&numbers.map(|n| n as f32)));
    }
}

#[test]
fn a_stay_lasts_until_another_page() {
    let check = |next: &[Event], expected: &[Option<f32>]| {
        let mut events = vec![at(EventKind::ViewItem, 0, "A")];
        events.extend_from_slice(next);
        check(Measure::Dwell, &events, &[&[NO], expected].concat());
    };
    // What happens on the page does not end the stay.
    for kind in [
        EventKind::AddToWishlist,
        EventKind::Review,
        EventKind::Other,
    ] {
        check(&[event(kind, 3), event(kind, 5)], &[Some(3.0), Some(5.0)]);
    }
    for kind in [
        EventKind::PageView,
        EventKind::Search,
        EventKind::ViewItemList,
        EventKind::BeginCheckout,
        EventKind::Purchase,
    ] {
        check(&[event(kind, 3), event(kind, 5)], &[Some(3.0), NO]);
    }
    // The same page again is a new stay, and so is the view that follows some other event.
    check(
        &[at(EventKind::ViewItem, 4, "A"), event(EventKind::Other, 9)],
        &[Some(4.0), Some(5.0)],
    );
    check(
        &[
            at(EventKind::SelectItem, 4, "B"),
            event(EventKind::Other, 5),
            at(EventKind::ViewItem, 6, "B"),
            event(EventKind::Other, 9),
        ],
        &[Some(4.0), Some(1.0), Some(2.0), Some(3.0)],
    );
    // A page left open over night was not read all night.
    check(&[event(EventKind::Search, 40_000)], &[Some(1800.0)]);
    // A view that names no item opens no item's page.
    check(
        &[event(EventKind::ViewItem, 3), event(EventKind::Search, 9)],
        &[Some(3.0), NO],
    );
}

#[test]
fn a_clock_that_runs_backwards_makes_no_stay_negative() {
    let events = [
        at(EventKind::ViewItem, 100, "A"),
        at(EventKind::AddToCart, 40, "A"),
        event(EventKind::Search, 103),
    ];
    check(Measure::Dwell, &events, &[NO, Some(0.0), Some(3.0)]);
    check(Measure::SinceCart, &events, &[NO, NO, Some(3.0)]);
}

#[test]
fn only_a_review_has_stars() {
    let stars = |kind, rating| Event {
        rating,
        ..event(kind, 0)
    };
    let rows = [
        (stars(EventKind::Review, Some(4.5)), Some(4.5)),
        (stars(EventKind::Review, Some(1.0)), Some(1.0)),
        (stars(EventKind::Review, None), NO),
        // Straight from a page, past the gate.
        (stars(EventKind::Review, Some(0.0)), NO),
        (stars(EventKind::Review, Some(f64::NAN)), NO),
        (stars(EventKind::ViewItem, Some(4.0)), NO),
    ];
    for (event, expected) in rows {
        check(Measure::Rating, &[event], &[expected]);
    }
}
