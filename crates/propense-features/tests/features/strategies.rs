//! Random visits, as an event file could hold them.

use propense_events::{Event, EventKind, Item, Limits, Value, check_event};
use proptest::{
    collection::{btree_map, vec},
    option,
    prelude::*,
};

fn amount() -> impl Strategy<Value = f64> {
    prop_oneof![
        (0_u32..1_000_000).prop_map(|cents| f64::from(cents) / 100.0),
        0.0..1e300_f64,
        any::<f64>(),
    ]
}

fn item() -> impl Strategy<Value = Item> {
    (
        "[A-F]",
        option::of("[a-c \",é]{0,4}"),
        option::of("(red|blue|green)"),
        option::of(amount()),
        option::of(amount()),
    )
        .prop_map(
            |(item_id, item_name, item_category, price, quantity)| Item {
                item_id,
                item_name,
                item_category,
                price,
                quantity,
                ..Item::default()
            },
        )
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<bool>().prop_map(Value::Flag),
        amount().prop_map(Value::Number),
        "(phone|desktop|3|true)".prop_map(Value::Category),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    (
        proptest::sample::select(EventKind::ALL.to_vec()),
        0_i64..100_000_000,
        vec(item(), 0..4),
        option::of("(home|product|cart)"),
        option::of(amount()),
        btree_map("(device|visits|new)", value(), 0..3),
        option::of(prop_oneof![1.0..=5.0_f64, any::<f64>()]),
    )
        .prop_map(
            |(kind, offset, items, page_type, value, context, rating)| Event {
                rating,
                session_id: Some("s".to_owned()),
                user_id: Some("u".to_owned()),
                items,
                page_type,
                value,
                context,
                ..Event::new(kind, crate::START + offset)
            },
        )
}

/// The events of one visit in time order, as the gate lets them through.
pub(crate) fn visit() -> impl Strategy<Value = Vec<Event>> {
    vec(event(), 1..40).prop_map(|events| {
        let mut events: Vec<Event> = events
            .into_iter()
            .filter_map(|event| check_event(event, 1, &Limits::default()).0)
            .collect();
        events.sort_by_key(|event| event.timestamp);
        events
    })
}
