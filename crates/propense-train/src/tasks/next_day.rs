//! `next-day`: will a user buy on a given day, known what they did before its midnight?

use std::collections::BTreeSet;

use propense_events::{Context, DAY, Event, EventKind, Value, midnight};

use super::thirty_day::Snapshot;
use super::timeline::{Timelines, before, between};

/// The first day that is forecast, counted from 0: three days of history before it.
pub(super) const FIRST_DAY: i64 = 3;

/// Every user at every midnight from the fourth day of the period to its last, where there is an
/// earlier event. `from` is any moment of the first day; the period ends with `end`, and an event
/// at that very moment opens no further day: a period that ends at midnight is one of whole days.
pub(crate) fn snapshots(
    users: &Timelines,
    from: i64,
    end: i64,
    utc_offset_minutes: i32,
) -> Vec<Snapshot> {
    let start = midnight(from, utc_offset_minutes);
    let days = (end - 1 - start).div_euclid(DAY);
    let mut found = Vec::new();
    for (user, events) in &users.users {
        for day in FIRST_DAY..=days {
            let at = start + day * DAY;
            let known = before(events, at);
            if known.is_empty() {
                continue;
            }
            found.push(Snapshot {
                user: user.clone(),
                at,
                events: known.len(),
                context: habits(known, at, start, utc_offset_minutes),
                label: between(events, at, at + DAY).iter().any(is_order),
            });
        }
    }
    found
}

/// The same of days that begin 6, 12 and 18 hours after midnight and end within the period: more to
/// learn from, though what a user does in one day and in the next that overlaps it is nearly the same.
pub(crate) fn between_midnights(
    users: &Timelines,
    from: i64,
    end: i64,
    utc_offset_minutes: i32,
) -> Vec<Snapshot> {
    let later = [6, 12, 18].into_iter();
    let days = later.flat_map(|hours| snapshots(users, from, end, utc_offset_minutes - 60 * hours));
    days.filter(|snapshot| snapshot.at + DAY <= end + 1)
        .collect()
}

/// Events that must be missing, by what other days have at that time, before a day counts as cut short: so
/// many, since events come in visits of several. And the share of a day's events: a day that lacks less is
/// nearly whole.
const MISSED: f64 = 20.0;
const MISSED_SHARE: f64 = 0.05;

/// A last day of which the data hold the beginning alone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct CutShort {
    /// Its midnight: where whole days end.
    pub(crate) from: i64,
    /// Hours that are missing, rounded.
    pub(crate) hours: u32,
}

/// Whether the last day of the period is cut short: fewer whole days before it than are needed say nothing, and
/// neither does a quiet evening of a small shop.
pub(crate) fn cut_short(
    users: &Timelines,
    from: i64,
    end: i64,
    utc_offset_minutes: i32,
) -> Option<CutShort> {
    let last = midnight(end - 1, utc_offset_minutes);
    if last - midnight(from, utc_offset_minutes) < FIRST_DAY * DAY {
        return None;
    }
    let reached = end - last;
    let (mut early, mut late, mut seen) = (0.0, 0.0, 0.0);
    for event in users.users.values().flatten() {
        let begin = midnight(event.timestamp, utc_offset_minutes);
        match event.timestamp - begin <= reached {
            _ if begin >= last => seen += 1.0,
            true => early += 1.0,
            false => late += 1.0,
        }
    }
    let missed = seen * late / f64::max(early, 1.0);
    let share = late / f64::max(early + late, 1.0);
    let hour = DAY / 24;
    let hours = (DAY - reached + hour / 2) / hour;
    (missed >= MISSED && share >= MISSED_SHARE).then_some(CutShort {
        from: last,
        hours: u32::try_from(hours).unwrap_or_default(),
    })
}

fn is_order(event: &Event) -> bool {
    event.kind == EventKind::Purchase
}

/// What the user did in all, on the last day and in the last three, and how long ago. Hours and
/// counts. Rates are per day of the period, so that a long history is comparable with a short one.
fn habits(events: &[Event], at: i64, start: i64, utc_offset_minutes: i32) -> Context {
    let period_days = ((at - start) / DAY).max(1) as f64;
    let day = between(events, at - DAY, at);
    let three = between(events, at - 3 * DAY, at);
    let count = |part: &[Event], kind: EventKind| {
        part.iter().filter(|event| event.kind == kind).count() as f64
    };
    let hours = |event: Option<&Event>| {
        event.map_or(24.0 * 30.0, |event| (at - event.timestamp) as f64 / 3.6e6)
    };
    let last_of = |kind: EventKind| events.iter().rev().find(|event| event.kind == kind);
    let mut context = Context::new();
    let mut put = |name: &str, number: f64| {
        context.insert(name.to_owned(), Value::Number(number));
    };
    for (kind, name) in [
        (EventKind::ViewItem, "views"),
        (EventKind::AddToWishlist, "wishes"),
        (EventKind::AddToCart, "carts"),
        (EventKind::Purchase, "orders"),
    ] {
        put(
            &format!("{name}_per_day"),
            count(events, kind) / period_days,
        );
        put(&format!("{name}_last_day"), count(day, kind));
        put(&format!("{name}_last_three_days"), count(three, kind));
        put(&format!("hours_since_{name}"), hours(last_of(kind)));
    }
    let active: BTreeSet<i64> = events
        .iter()
        .map(|event| midnight(event.timestamp, utc_offset_minutes))
        .collect();
    let order_days: BTreeSet<i64> = events
        .iter()
        .filter(|event| is_order(event))
        .map(|event| midnight(event.timestamp, utc_offset_minutes))
        .collect();
    put("hours_since_last", hours(events.last()));
    put("share_of_days_active", active.len() as f64 / period_days);
    put(
        "share_of_days_with_order",
        order_days.len() as f64 / period_days,
    );
    put(
        "distinct_categories_last_day",
        distinct(day, |item| item.item_category.as_deref()),
    );
    put(
        "distinct_items_last_day",
        distinct(day, |item| Some(&item.item_id)),
    );
    put("open_cart_items", open_cart(events));
    // 1970-01-01 was a Thursday.
    let local_day = (at + i64::from(utc_offset_minutes) * 60_000).div_euclid(DAY);
    let weekend = matches!((local_day + 3).rem_euclid(7), 5 | 6);
    context.insert("weekend".to_owned(), Value::Flag(weekend));
    context
}

fn distinct<'a>(
    events: &'a [Event],
    key: impl Fn(&'a propense_events::Item) -> Option<&'a str>,
) -> f64 {
    let keys: BTreeSet<&str> = events
        .iter()
        .flat_map(|event| &event.items)
        .filter_map(key)
        .collect();
    keys.len() as f64
}

/// Items put into the cart and not bought since.
fn open_cart(events: &[Event]) -> f64 {
    let mut open = BTreeSet::new();
    for event in events {
        for item in &event.items {
            match event.kind {
                EventKind::AddToCart => {
                    open.insert(item.item_id.as_str());
                }
                EventKind::Purchase | EventKind::RemoveFromCart => {
                    open.remove(item.item_id.as_str());
                }
                _ => {}
            }
        }
    }
    open.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_the_fourth_day_to_the_last_with_history() {
        let start = 1_511_539_200_000; // 2017-11-25 00:00 UTC+8
        let mut view = Event::new(EventKind::ViewItem, start + 4 * DAY + 5);
        view.user_id = Some("u".into());
        let mut order = Event::new(EventKind::Purchase, start + 6 * DAY);
        order.user_id = Some("u".into());
        let users = Timelines::new([order, view]);
        let found = snapshots(&users, start, start + 8 * DAY + 7, 480);
        let labels: Vec<(i64, bool)> = found
            .iter()
            .map(|snapshot| ((snapshot.at - start) / DAY, snapshot.label))
            .collect();
        // no history before day 5; the order at midnight sharp belongs to day 6
        assert_eq!(labels, [(5, false), (6, true), (7, false), (8, false)]);
        assert_eq!(found[0].events, 1);
    }

    #[test]
    fn a_last_day_is_cut_short_where_the_others_went_on() {
        let start = 1_511_539_200_000; // 2017-11-25 00:00 UTC+8
        let hour = DAY / 24;
        // A view of somebody else in each hour of a few days, so many at once.
        let shop = |hours: i64, at_once: i64| {
            let views = (0..hours).flat_map(|place| {
                (0..at_once).map(move |user| {
                    let at = start + place * hour + user;
                    let mut view = Event::new(EventKind::ViewItem, at);
                    view.user_id = Some(format!("u{user}"));
                    view
                })
            });
            let lines = Timelines::new(views);
            let (first, last) = lines.period().expect("events");
            cut_short(&lines, first, last, 480)
        };
        let noon = CutShort {
            from: start + 5 * DAY,
            hours: 12,
        };
        // Thirteen hours of the sixth day, and eleven to come at which the other days had events.
        assert_eq!(shop(5 * 24 + 13, 3), Some(noon));
        assert_eq!(shop(6 * 24, 3), None, "whole days");
        assert_eq!(shop(6 * 24 - 1, 3), None, "nobody came in the last hour");
        assert_eq!(shop(6 * 24 - 1, 30), None, "nearly whole");
        assert_eq!(shop(5 * 24 + 13, 1), None, "too few to say");
        assert_eq!(shop(2 * 24 + 13, 9), None, "no day is forecast");
    }

    #[test]
    fn days_between_midnights_end_within_the_period() {
        let start = 1_511_539_200_000; // 2017-11-25 00:00 UTC+8
        let hour = DAY / 24;
        let end = start + 5 * DAY - 1;
        let mut view = Event::new(EventKind::ViewItem, start + 5);
        view.user_id = Some("u".into());
        let mut order = Event::new(EventKind::Purchase, start + 4 * DAY + 7 * hour);
        order.user_id = Some("u".into());
        let users = Timelines::new([view, order]);
        let mut found: Vec<(i64, bool)> = between_midnights(&users, start + 5, end, 480)
            .iter()
            .map(|snapshot| ((snapshot.at - start) / hour, snapshot.label))
            .collect();
        found.sort_unstable();
        // Hours from the period's start, which ends after 120; the order is in hour 103.
        let expected = [54, 60, 66, 78, 84, 90].map(|at| (at, at >= 84));
        assert_eq!(found, expected);
        // None is one of the protocol's.
        assert!(found.iter().all(|(at, _)| at % 24 != 0));
    }

    #[test]
    fn an_event_at_the_end_of_the_period_opens_no_tenth_day() {
        let start = 1_511_539_200_000; // 2017-11-25 00:00 UTC+8
        let end = 1_512_316_800_000; // the ninth midnight after it
        let mut view = Event::new(EventKind::ViewItem, start + 5);
        view.user_id = Some("u".into());
        let mut order = Event::new(EventKind::Purchase, end);
        order.user_id = Some("u".into());
        let users = Timelines::new([view, order]);
        let days = |end: i64| -> Vec<(i64, bool)> {
            snapshots(&users, start + 5, end, 480)
                .iter()
                .map(|snapshot| ((snapshot.at - start) / DAY, snapshot.label))
                .collect()
        };
        // The fourth to the ninth day; the order at the end is on none of them.
        let six = [3, 4, 5, 6, 7, 8].map(|day| (day, false));
        assert_eq!(days(end), six);
        // A millisecond later there is a tenth day, and the order is its first event.
        assert_eq!(days(end + 1).last(), Some(&(9, true)));
    }
}
