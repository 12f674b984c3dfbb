//! The streaming counters against sums over all events so far, made anew for each event.

use std::{collections::BTreeMap, sync::Arc};

use propense_events::{Context, Event, EventKind, Item};
use propense_features::{Featuriser, Measure, Normal, RowFeature, Transform};
use proptest::prelude::*;

use crate::{spec, strategies::visit};

fn amount(number: Option<f64>, most: f64) -> Option<f64> {
    number
        .filter(|number| number.is_finite() && *number >= 0.0)
        .map(|number| number.min(most))
}

/// Units and price by item.
fn cart(events: &[Event]) -> BTreeMap<&str, (f64, f64)> {
    let mut cart = BTreeMap::new();
    let units = |item: &Item| {
        amount(item.quantity, 1e9)
            .filter(|u| *u > 0.0)
            .unwrap_or(1.0)
    };
    for event in events {
        for item in &event.items {
            let id = item.item_id.as_str();
            match event.kind {
                EventKind::AddToCart => {
                    let line = cart.entry(id).or_insert((0.0, 0.0));
                    line.0 = f64::min(line.0 + units(item), 1e9);
                    line.1 = amount(item.price, 1e12).unwrap_or(line.1);
                }
                EventKind::RemoveFromCart => {
                    if let Some(line) = cart.get_mut(id) {
                        line.0 -= units(item);
                    }
                    cart.retain(|_, line| line.0 > 0.0);
                }
                _ => {}
            }
        }
        if event.kind == EventKind::Purchase {
            cart.clear();
        }
    }
    cart
}

/// The items whose page was opened, in order.
fn openings(events: &[Event]) -> Vec<&str> {
    let item = |position: usize| {
        let event = events.get(position)?;
        event.items.first().map(|item| item.item_id.as_str())
    };
    (0..events.len())
        .filter(|&position| match events[position].kind {
            EventKind::SelectItem => true,
            EventKind::ViewItem => {
                position == 0
                    || events[position - 1].kind != EventKind::SelectItem
                    || item(position - 1) != item(position)
            }
            _ => false,
        })
        .filter_map(item)
        .collect()
}

fn expected(measure: Measure, events: &[Event]) -> f64 {
    let count = |kind| events.iter().filter(|event| event.kind == kind).count() as f64;
    let opened = openings(events);
    let times = |id: &str| opened.iter().filter(|other| **other == id).count();
    match measure {
        Measure::CartUnits => cart(events).values().map(|line| line.0).sum(),
        Measure::CartValue => cart(events).values().map(|line| line.0 * line.1).sum(),
        Measure::CartItems => cart(events).len() as f64,
        Measure::Views => opened.len() as f64,
        Measure::MostViews => opened.iter().map(|id| times(id)).max().unwrap_or(0) as f64,
        Measure::Searches => count(EventKind::Search),
        Measure::Carts => count(EventKind::AddToCart),
        other => panic!("no reference for {other:?}"),
    }
}

const MEASURES: [Measure; 7] = [
    Measure::CartUnits,
    Measure::CartValue,
    Measure::CartItems,
    Measure::Views,
    Measure::MostViews,
    Measure::Searches,
    Measure::Carts,
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn counters_are_what_counting_anew_gives(events in visit()) {
        let spec = spec(MEASURES.map(|measure| RowFeature::Number {
            measure,
            transform: Transform::Log1p,
            // So that 10²² still lies within the limit.
            normal: Normal { mean: 0.0, std: 10.0 },
            flag: false,
        }).to_vec());
        let mut featuriser = Featuriser::new(Arc::clone(&spec), events[0].timestamp, &Context::new());
        let mut row = Vec::new();
        for (position, event) in events.iter().enumerate() {
            featuriser.push(event, &mut row);
            for (measure, found) in MEASURES.into_iter().zip(&row) {
                let expected = (expected(measure, &events[..=position]).ln_1p() / 10.0) as f32;
                prop_assert!(
                    (found - expected).abs() < 1e-6,
                    "{} after {position}: {found} for {expected}", measure.name()
                );
            }
        }
    }
}
