//! `repeated_order`: an order counts once, however often and by whomever it is told.

use propense_events::EventKind;

use super::memory::Order;
use super::scratch::Scratch;
use super::slab::{HashedMap, Slab, hash};
use super::{CleaningRule, Detail, Rules};
use crate::table::text_at;

/// The most orders remembered of one owner: beyond it nobody is a person, and memory is bounded.
const MOST: usize = 1 << 20;

/// What shops write where they have no order number. GA4 itself writes `(not set)`.
const NO_NUMBER: [&str; 10] = [
    "",
    "0",
    "-",
    "null",
    "none",
    "undefined",
    "nan",
    "n/a",
    "(not set)",
    "unknown",
];

pub(super) fn judge(slab: &Slab<'_>, rules: &Rules, scratch: &mut Scratch) {
    let purchase = EventKind::Purchase as u8;
    if !rules.applies(CleaningRule::RepeatedOrder)
        || slab.lines.transaction_id.is_none()
        || !slab.kinds().contains(&purchase)
    {
        return;
    }
    let lines: Vec<(usize, u64)> = (0..slab.len)
        .filter(|at| slab.kinds().get(*at) == Some(&purchase) && scratch.is_kept(*at))
        .filter_map(|at| Some((at, number(slab, at)?)))
        .collect();
    let several_sources = slab
        .sources()
        .iter()
        .any(|source| *source != slab.source(0));
    for (at, order) in &lines {
        believe(slab, scratch, *at, *order, several_sources);
    }
    for (at, order) in lines {
        let event = scratch.events.of.get(at).copied().unwrap_or_default();
        let event = scratch.memory.events + u64::from(event);
        if let Some(detail) = repeated(slab, scratch, at, order, event) {
            scratch.remove(slab, at, CleaningRule::RepeatedOrder, detail);
        }
    }
}

/// The hash of the line's order number, where it has one that says something.
fn number(slab: &Slab<'_>, at: usize) -> Option<u64> {
    let text = text_at(slab.lines.transaction_id, slab.start + at)?.trim();
    let says_nothing = NO_NUMBER
        .iter()
        .any(|nothing| nothing.eq_ignore_ascii_case(text));
    (!says_nothing).then(|| hash(text))
}

/// Decides which source is believed on an order: the one that knows more of the visit, then the
/// earlier. An order system often writes only the day, and an order at midnight would stand
/// before everything that led to it.
fn believe(slab: &Slab<'_>, scratch: &mut Scratch, at: usize, order: u64, several: bool) {
    let source = slab.source(at);
    let known = scratch.memory.orders.get(&order).copied();
    if known.is_some_and(|known| known.source == source || known.event.is_some())
        || (known.is_none() && scratch.memory.orders.len() >= MOST)
    {
        return;
    }
    let rank = if several { rank(slab, at) } else { 0 };
    if known.is_none_or(|known| known.rank < rank) {
        let new = Order {
            rank,
            source,
            event: None,
            row: slab.row(at),
            time: slab.time(at),
            itemless: None,
        };
        scratch.memory.orders.insert(order, new);
    }
}

/// 2 where the line names its session, and 1 more where its source also says what the visitor
/// did before.
fn rank(slab: &Slab<'_>, at: usize) -> u8 {
    let has_session = text_at(slab.lines.session_id, slab.start + at).is_some();
    let source = slab.source(at);
    let after_the_visit = [EventKind::Purchase, EventKind::Refund, EventKind::Review];
    let browses = slab
        .sources()
        .iter()
        .zip(slab.kinds())
        .any(|(other, kind)| {
            *other == source && !after_the_visit.iter().any(|after| (*after as u8) == *kind)
        });
    u8::from(has_session) * 2 + u8::from(browses)
}

/// Why the line is a repetition, if it is. Where it is not, it is remembered.
fn repeated(
    slab: &Slab<'_>,
    scratch: &mut Scratch,
    at: usize,
    order_id: u64,
    event: u64,
) -> Option<Detail> {
    let item = text_at(slab.lines.item_id, slab.start + at).map(|item| hash((order_id, item)));
    let memory = &mut scratch.memory;
    // More orders than are remembered: the line stays.
    let order = memory.orders.get_mut(&order_id)?;
    let time = slab.time(at);
    let again = Detail::Again {
        source: order.source,
        row: order.row,
        after: time.saturating_sub(order.time),
    };
    if order.source != slab.source(at) {
        return Some(again);
    }
    let Some(first) = order.event else {
        order.event = Some(event);
        order.row = slab.row(at);
        order.time = time;
        remember(order, &mut memory.order_items, item, event);
        return None;
    };
    // The lines of an order may come as several events: each item is new once. But an order
    // without items is the whole order.
    let here_before = match item {
        None => first != event,
        Some(item) => {
            order.itemless.is_some_and(|other| other != event)
                || memory
                    .order_items
                    .get(&item)
                    .is_some_and(|other| *other != event)
        }
    };
    if here_before {
        return Some(again);
    }
    remember(order, &mut memory.order_items, item, event);
    None
}

fn remember(order: &mut Order, items: &mut HashedMap<u64, u64>, item: Option<u64>, event: u64) {
    match item {
        None => order.itemless = Some(event),
        Some(item) if items.len() < MOST => {
            items.entry(item).or_insert(event);
        }
        Some(_) => {}
    }
}
