//! How many sessions ordered an item: what is looked at is bought more often where others bought it.

use std::collections::{BTreeMap, BTreeSet};

use propense_events::{EventKind, Session};

/// Sessions that ordered each item.
pub(crate) type Orders<'a> = BTreeMap<&'a str, u32>;

/// `ln(1 + n)` for the `n` sessions that ordered each item; items without an order are left out. A
/// session counts once for each item, wherever its orders lie.
///
/// As with [`crate::fit_rates`], training rows need the orders of other sessions than their own.
#[must_use]
pub fn fit_orders(sessions: &[&Session]) -> BTreeMap<String, f32> {
    let named = |(item, count): (&str, u32)| (item.to_owned(), scale(count) as f32);
    count_orders(sessions).into_iter().map(named).collect()
}

/// The counts behind [`fit_orders`].
pub(crate) fn count_orders<'a>(sessions: &[&'a Session]) -> Orders<'a> {
    let mut orders = Orders::new();
    for item in sessions.iter().flat_map(|session| ordered(session)) {
        let count = orders.entry(item).or_default();
        *count = count.saturating_add(1);
    }
    orders
}

/// The items that a session ordered.
pub(crate) fn ordered(session: &Session) -> BTreeSet<&str> {
    let events = session.events.iter();
    events
        .filter(|event| event.kind == EventKind::Purchase)
        .flat_map(|event| &event.items)
        .map(|item| item.item_id.as_str())
        .collect()
}

/// `ln(1 + n)`: the first orders tell more than the hundredth.
pub(crate) fn scale(count: u32) -> f64 {
    f64::from(count).ln_1p()
}
