//! Tests of the public surface, in one binary.

mod behaviour;
mod catalogue;
mod columns;
mod fitting;
mod hashing;
mod history;
mod leaks;
mod orders;
mod parity;
mod prices;
mod rates;
mod reference;
mod scaling;
mod shared_data;
mod strategies;
mod versions;

use std::{collections::BTreeMap, sync::Arc};

use propense_events::{Event, EventKind, Item, Session};
use propense_features::{FeatureSpec, Measure, Normal, RowFeature, SPEC_VERSION, Transform};

/// 2023-11-14T22:13:20Z, a Tuesday.
const START: i64 = 1_700_000_000_000;

fn event(kind: EventKind, seconds: i64) -> Event {
    Event::new(kind, START + seconds * 1000)
}

fn with_item(mut event: Event, id: &str, category: &str, price: Option<f64>) -> Event {
    event.items.push(Item {
        item_id: id.to_owned(),
        item_category: (!category.is_empty()).then(|| category.to_owned()),
        price,
        ..Item::default()
    });
    event
}

fn session(events: Vec<Event>) -> Session {
    Session {
        id: "s".to_owned(),
        start: events.first().map_or(START, |event| event.timestamp),
        events,
        ..Session::default()
    }
}

/// A specification with these columns and no rates.
fn spec(row: Vec<RowFeature>) -> Arc<FeatureSpec> {
    Arc::new(FeatureSpec {
        version: SPEC_VERSION,
        row,
        context: Vec::new(),
        utc_offset_minutes: 0,
        item_rates: BTreeMap::new(),
        category_rates: BTreeMap::new(),
        item_orders: BTreeMap::new(),
        typical_prices: None,
    })
}

/// The measure as it is, neither transformed nor normalised, then its flag.
fn raw(measure: Measure) -> RowFeature {
    RowFeature::Number {
        measure,
        transform: Transform::Identity,
        normal: Normal {
            mean: 0.0,
            std: 1.0,
        },
        flag: true,
    }
}
