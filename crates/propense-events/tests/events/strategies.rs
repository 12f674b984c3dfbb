//! Random events, tame and wild.

use propense_events::{Event, EventKind, Item, Value};
use proptest::{
    collection::{btree_map, vec},
    option,
    prelude::*,
};

/// Letters, quotes, delimiters, line ends, other scripts.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-c]{1,3}",
        "[ -~]{0,12}",
        "[\\n\\r\\t\",;#ßé漢🎁\u{feff}]{0,6}",
        "\\PC{0,20}",
        // Longer than a text may be, its end inside a character of three bytes.
        (170_usize..175).prop_map(|count| "漢".repeat(count)),
    ]
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        (0_u32..100_000).prop_map(|cents| f64::from(cents) / 100.0),
        any::<f64>(),
        proptest::num::f64::ANY,
    ]
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<bool>().prop_map(Value::Flag),
        number().prop_map(Value::Number),
        text().prop_map(Value::Category),
    ]
}

fn item() -> impl Strategy<Value = Item> {
    (
        text(),
        option::of(text()),
        option::of(text()),
        option::of(number()),
        option::of(number()),
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

fn timestamp() -> impl Strategy<Value = i64> {
    prop_oneof![
        8 => (0_i64..10_000).prop_map(|seconds| 1_700_000_000_000 + seconds * 1000),
        1 => any::<i64>(),
    ]
}

/// Events as they may come from anywhere: nothing checked.
pub(crate) fn event() -> impl Strategy<Value = Event> {
    (
        proptest::sample::select(EventKind::ALL.to_vec()),
        timestamp(),
        option::of(text()),
        option::of(text()),
        vec(item(), 0..4),
        option::of(text()),
        option::of(number()),
        btree_map(text(), value(), 0..4),
        (vec(option::of(text()), 5), option::of(number())),
    )
        .prop_map(
            |(kind, timestamp, user_id, session_id, mut items, page_type, value, context, more)| {
                let (mut texts, rating) = more;
                let mut text = || texts.pop().flatten();
                if let Some(item) = items.first_mut() {
                    item.item_brand = text();
                }
                Event {
                    user_id,
                    session_id,
                    items,
                    page_type,
                    value,
                    context,
                    anonymous_id: text(),
                    currency: text(),
                    transaction_id: text(),
                    search_term: text(),
                    rating,
                    ..Event::new(kind, timestamp)
                }
            },
        )
}
