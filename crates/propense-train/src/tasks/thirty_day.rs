//! `thirty-day`: will a customer order again within thirty days of a moment?
//!
//! Invoices are events: a purchase, or (numbers starting with `C`) a refund. An uncancelled
//! invoice is one that is not itself a cancellation. A later `C` invoice does not undo an
//! earlier order: it names no order, and the customer did come and buy.

use std::collections::BTreeSet;

use propense_events::{Context, DAY, Event, EventKind, Value};
use time::{Date, Month, OffsetDateTime};

use super::timeline::{Timelines, before, between};

/// The horizon.
pub(crate) const HORIZON: i64 = 30 * DAY;

/// One customer at one moment.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Snapshot {
    pub(crate) user: String,
    pub(crate) at: i64,
    /// Number of the customer's events before the moment.
    pub(crate) events: usize,
    pub(crate) context: Context,
    pub(crate) label: bool,
}

/// Snapshots at this moment of every customer with an order before it. `later` holds the events
/// that decide the label; in training it is the same data.
pub(crate) fn snapshots(history: &Timelines, later: &Timelines, at: i64) -> Vec<Snapshot> {
    history
        .users
        .iter()
        .filter_map(|(user, events)| {
            let known = before(events, at);
            if !known.iter().any(is_order) {
                return None;
            }
            let after = later
                .users
                .get(user)
                .map(|events| between(events, at, at + HORIZON))
                .unwrap_or_default();
            Some(Snapshot {
                user: user.clone(),
                at,
                events: known.len(),
                context: habits(known, at),
                label: after.iter().any(is_order),
            })
        })
        .collect()
}

/// Days without orders at the end of the data that a shop may have closed.
const CLOSED: i64 = 2;

/// How much of the horizon after this moment the data that end so do not hold. It is complete when they
/// reach its last day.
fn missing(at: i64, last: i64) -> i64 {
    (at + HORIZON - (last + DAY)).max(0)
}

/// How many days of the horizon after this moment the data that end so do not hold; none where at most
/// so many as a shop may be closed.
pub(crate) fn days_short(at: i64, last: i64) -> Option<u32> {
    let days = (missing(at, last) + DAY - 1) / DAY;
    u32::try_from(days).ok().filter(|_| days > CLOSED)
}

/// Firsts of the months after the first event whose horizon lies within the data, oldest first: the
/// midnights of a shop that many minutes ahead of UTC. To the day: what is learnt from must be over.
pub(crate) fn month_starts(first: i64, last: i64, utc_offset_minutes: i32) -> Vec<i64> {
    let mut moments = Vec::new();
    let offset = i64::from(utc_offset_minutes) * 60_000;
    let local = (first + offset).div_euclid(1000);
    let Ok(start) = OffsetDateTime::from_unix_timestamp(local) else {
        return moments;
    };
    let (mut year, mut month) = (start.year(), start.month());
    loop {
        if month == Month::December {
            year += 1;
        }
        month = month.next();
        let Ok(date) = Date::from_calendar_date(year, month, 1) else {
            return moments;
        };
        let moment = date.midnight().assume_utc().unix_timestamp() * 1000 - offset;
        if missing(moment, last) > 0 {
            return moments;
        }
        moments.push(moment);
    }
}

fn is_order(event: &Event) -> bool {
    event.kind == EventKind::Purchase
}

/// Recency, frequency, monetary value and rhythm (the RFM of direct marketing and a little more),
/// in days, orders and the shop's currency.
fn habits(events: &[Event], at: i64) -> Context {
    let days = |from: i64| (at - from).max(0) as f64 / DAY as f64;
    let orders: Vec<&Event> = events.iter().filter(|event| is_order(event)).collect();
    let first = orders.first().map_or(at, |event| event.timestamp);
    let last = orders.last().map_or(at, |event| event.timestamp);
    let value = |event: &Event| event.value.unwrap_or(0.0).max(0.0);
    let spent: f64 = orders.iter().map(|event| value(event)).sum();
    let count = orders.len() as f64;
    let since = |period: f64| {
        orders
            .iter()
            .filter(|event| days(event.timestamp) <= period)
            .count() as f64
    };
    let items: BTreeSet<&str> = orders
        .iter()
        .flat_map(|event| &event.items)
        .map(|item| item.item_id.as_str())
        .collect();
    let lines: usize = orders.iter().map(|event| event.items.len()).sum();
    // Distinct days: two invoices of one day are one visit to the shop.
    let visits: BTreeSet<i64> = orders
        .iter()
        .map(|event| event.timestamp.div_euclid(DAY))
        .collect();
    let rhythm =
        (visits.len() > 1).then(|| (last - first) as f64 / DAY as f64 / (visits.len() - 1) as f64);

    let mut context = Context::new();
    let mut put = |name: &str, number: f64| {
        context.insert(name.to_owned(), Value::Number(number));
    };
    put("recency_days", days(last));
    put("tenure_days", days(first));
    put("orders", count);
    put("order_days", visits.len() as f64);
    put("cancellations", (events.len() - orders.len()) as f64);
    put("spent", spent);
    put("mean_order_value", spent / count.max(1.0));
    put(
        "last_order_value",
        orders.last().map_or(0.0, |event| value(event)),
    );
    put("distinct_items", items.len() as f64);
    put("mean_lines", lines as f64 / count.max(1.0));
    put("orders_30_days", since(30.0));
    put("orders_60_days", since(60.0));
    put("orders_90_days", since(90.0));
    put("orders_180_days", since(180.0));
    put("orders_per_30_days", count * 30.0 / days(first).max(30.0));
    if let Some(rhythm) = rhythm {
        put("mean_gap_days", rhythm);
        put("recency_in_gaps", days(last) / rhythm.max(1.0));
    }
    let country = events
        .iter()
        .rev()
        .find_map(|event| event.context.get("country"));
    if let Some(country) = country {
        context.insert("country".to_owned(), country.clone());
    }
    context
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(date: (i32, Month, u8)) -> i64 {
        let date = Date::from_calendar_date(date.0, date.1, date.2).expect("a date");
        date.midnight().assume_utc().unix_timestamp() * 1000
    }

    fn invoice(kind: EventKind, at: i64) -> Event {
        let mut event = Event::new(kind, at);
        event.user_id = Some("u".into());
        event.value = Some(10.0);
        event
    }

    #[test]
    fn months_whose_thirty_days_are_complete() {
        let first = day((2010, Month::December, 1)) + 8 * 3_600_000;
        // 1 August + 30 days = 31 August, the last day of the data
        let last = day((2011, Month::August, 31)) + 17 * 3_600_000;
        let months = month_starts(first, last, 0);
        assert_eq!(months.len(), 8);
        assert_eq!(months[0], day((2011, Month::January, 1)));
        assert_eq!(months[7], day((2011, Month::August, 1)));
        assert_eq!(month_starts(first, last - 2 * DAY, 0).len(), 7);
        // Of a shop eight hours ahead the month begins eight hours earlier.
        let ahead = month_starts(first, last, 480);
        assert_eq!(ahead[0], day((2011, Month::January, 1)) - 8 * 3_600_000);
    }

    #[test]
    fn an_outcome_that_is_not_over_is_noticed() {
        let at = day((2011, Month::September, 1));
        let noon = |day_of_month| day((2011, Month::September, day_of_month)) + 12 * 3_600_000;
        assert_eq!(days_short(at, noon(30)), None);
        assert_eq!(days_short(at, noon(28)), None, "closed on two days");
        assert_eq!(days_short(at, noon(27)), Some(3));
        assert_eq!(days_short(at, noon(1)), Some(29));
    }

    #[test]
    fn a_cancellation_is_neither_history_nor_outcome() {
        let at = day((2011, Month::March, 1));
        let order = invoice(EventKind::Purchase, at - 5 * DAY);
        let refund = invoice(EventKind::Refund, at + DAY);
        let only_refund = Timelines::new([invoice(EventKind::Refund, at - DAY)]);
        assert!(snapshots(&only_refund, &only_refund, at).is_empty());
        let cancelled = Timelines::new([order.clone(), refund.clone()]);
        let found = snapshots(&cancelled, &cancelled, at);
        assert_eq!(
            (found.len(), found[0].label, found[0].events),
            (1, false, 1)
        );
        let again = Timelines::new([order, refund, invoice(EventKind::Purchase, at)]);
        assert!(snapshots(&again, &again, at)[0].label);
    }

    #[test]
    fn the_thirtieth_day_counts_and_the_thirty_first_does_not() {
        let at = day((2011, Month::March, 1));
        for (moment, expected) in [(at + HORIZON - 1, true), (at + HORIZON, false)] {
            let lines = Timelines::new([
                invoice(EventKind::Purchase, at - 1),
                invoice(EventKind::Purchase, moment),
            ]);
            assert_eq!(snapshots(&lines, &lines, at)[0].label, expected);
        }
    }

    #[test]
    fn nothing_after_the_moment_enters_the_history() {
        let at = day((2011, Month::March, 1));
        let past = [invoice(EventKind::Purchase, at - 9 * DAY)];
        let with_future = Timelines::new(past.clone().into_iter().chain([
            invoice(EventKind::Purchase, at),
            invoice(EventKind::Purchase, at + DAY),
        ]));
        let alone = Timelines::new(past);
        let (a, b) = (
            snapshots(&with_future, &alone, at),
            snapshots(&alone, &alone, at),
        );
        assert_eq!(a, b);
    }
}
