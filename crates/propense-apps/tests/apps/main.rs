//! Plans from outside the crate: made-up shops with known answers, and a real one.

mod demand;
mod items;
mod online_retail;
mod segment;

use propense_events::{Event, EventKind, Item};

/// An order or a refund of one item.
fn line(kind: EventKind, day: i64, customer: &str, item: &str, units: f64, price: f64) -> Event {
    // 2024-01-01 is a Monday.
    let mut event = Event::new(kind, 1_704_067_200_000 + day * 86_400_000 + 36_000_000);
    event.user_id = (!customer.is_empty()).then(|| customer.to_owned());
    event.value = Some(units * price);
    event.items.push(Item {
        item_id: item.to_owned(),
        price: (price > 0.0).then_some(price),
        quantity: Some(units),
        ..Item::default()
    });
    event
}
