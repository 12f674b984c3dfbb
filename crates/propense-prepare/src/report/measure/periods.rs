//! The main period, and what happened in it day by day.

use std::collections::BTreeMap;

use crate::report::calendar::{WEEKDAYS, iso_day, iso_hour, weekday};
use crate::report::figures::{Slot, Volumes};

use super::time::{Days, Volume};

/// More days than this are told by the week.
const MOST_DAYS: usize = 1500;

/// The main period begins and ends with a day that has this share of a usual day's events …
const LEAST_DAY: f64 = 0.01;

/// … and lies in a week (three days to either side) that has this share of a usual week's: a
/// single stray visit makes no period.
const LEAST_WEEK: f64 = 0.05;

/// A weekday of which at least this share of the days is empty is a closing day.
const CLOSED: f64 = 0.75;

/// Days without an event that are listed.
const EMPTY_DAYS: usize = 1000;

/// First and last day of the main period.
pub(super) fn main_period(days: &Days) -> Option<(i64, i64)> {
    let mut counts: Vec<u64> = days.days.values().map(|volume| volume.events).collect();
    counts.sort_unstable();
    let half = counts.iter().sum::<u64>().div_ceil(2);
    let mut below = 0;
    let usual = counts.into_iter().find(|count| {
        below += count;
        below >= half
    })?;
    let events = |range: std::ops::RangeInclusive<i64>| -> f64 {
        let volumes = days.days.range(range);
        volumes.map(|(_, volume)| volume.events).sum::<u64>() as f64
    };
    let usual = usual as f64;
    let busy = |day: i64| {
        let own = events(day..=day);
        own > 0.0
            && own >= usual * LEAST_DAY
            && events(day.saturating_sub(3)..=day.saturating_add(3)) >= usual * 7.0 * LEAST_WEEK
    };
    let mut busy = days.days.keys().copied().filter(|day| busy(*day));
    let first = busy.next()?;
    Some((first, busy.next_back().unwrap_or(first)))
}

/// Volumes over time, with the days of the main period on which something is missing.
pub(super) fn volumes(days: &Days, period: Option<(i64, i64)>) -> Volumes {
    let mut volumes = Volumes::default();
    let slot = |hour: i64, start: String, volume: &Volume| Slot {
        hour,
        start,
        events: volume.events,
        orders: volume.orders,
        sessions: volume.sessions,
    };
    let short = period.is_none_or(|(from, to)| to - from < 4);
    match &days.hours {
        Some(hours) if short => {
            volumes.slot_hours = 1;
            volumes.slots = hours
                .iter()
                .map(|(hour, volume)| slot(*hour, iso_hour(*hour), volume))
                .collect();
        }
        _ if days.days.len() <= MOST_DAYS => {
            volumes.slot_hours = 24;
            volumes.slots = days
                .days
                .iter()
                .map(|(day, volume)| slot(day.saturating_mul(24), iso_day(*day), volume))
                .collect();
        }
        _ => {
            volumes.slot_hours = 168;
            let mut weeks = BTreeMap::<i64, Volume>::new();
            for (day, volume) in &days.days {
                let monday = (day + 3).div_euclid(7) * 7 - 3;
                weeks.entry(monday).or_default().add(volume);
            }
            volumes.slots = weeks
                .iter()
                .map(|(day, volume)| slot(day.saturating_mul(24), iso_day(*day), volume))
                .collect();
        }
    }
    if let Some((from, to)) = period {
        empty_days(days, from, to, &mut volumes);
        volumes.without_orders = without_orders(days, from, to);
    }
    volumes
}

/// Days of the main period without an event, but for closing days.
fn empty_days(days: &Days, from: i64, to: i64, volumes: &mut Volumes) {
    let mut all = [0_u32; 7];
    let mut empty = [0_u32; 7];
    let is_empty = |day: &i64| days.days.get(day).is_none_or(|volume| volume.events == 0);
    for day in from..=to {
        let weekday = weekday(day);
        if let (Some(all), Some(empty)) = (all.get_mut(weekday), empty.get_mut(weekday)) {
            *all += 1;
            *empty += u32::from(is_empty(&day));
        }
    }
    // Of a weekday that was met less than three times, nothing is known.
    let closed = |weekday: usize| {
        let of = |counts: &[u32; 7]| counts.get(weekday).copied().unwrap_or_default();
        of(&all) >= 3 && f64::from(of(&empty)) >= f64::from(of(&all)) * CLOSED
    };
    volumes.closed_weekdays = (0..7)
        .filter(|weekday| closed(*weekday))
        .filter_map(|weekday| WEEKDAYS.get(weekday))
        .map(|name| (*name).to_owned())
        .collect();
    let empty = || (from..=to).filter(|day| is_empty(day) && !closed(weekday(*day)));
    volumes.empty_day_count = empty().count() as u64;
    volumes.empty_days = empty().take(EMPTY_DAYS).map(iso_day).collect();
}

/// The longest run of days with events and without an order.
fn without_orders(days: &Days, from: i64, to: i64) -> Option<(String, u32)> {
    let mut longest: Option<(i64, u32)> = None;
    let mut run: Option<(i64, u32)> = None;
    for (day, volume) in days.days.range(from..=to) {
        if volume.events == 0 {
            continue;
        }
        run = match (volume.orders, run) {
            (0, Some((first, length))) => Some((first, length + 1)),
            (0, None) => Some((*day, 1)),
            _ => None,
        };
        if run.is_some_and(|(_, length)| longest.is_none_or(|(_, most)| length > most)) {
            longest = run;
        }
    }
    longest.map(|(day, length)| (iso_day(day), length))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Days with events and orders, the first being Monday 1970-01-05.
    fn days(counts: &[(u64, u64)]) -> Days {
        let mut days = Days::default();
        for (day, &(events, orders)) in (4..).zip(counts) {
            if events > 0 {
                let volume = Volume {
                    events,
                    orders,
                    sessions: 1,
                };
                days.add(day * 24, &volume);
            }
        }
        days.settle();
        days
    }

    #[test]
    fn stray_days_at_the_ends_are_outside_the_main_period() {
        for (counts, expected) in [
            (
                vec![(1, 0), (0, 0), (500, 9), (3, 0), (500, 9), (2, 0)],
                Some((6, 8)),
            ),
            (vec![(5, 0)], Some((4, 4))),
            // A stray visit is more than a hundredth of a small shop's day.
            (
                vec![(7, 0), (0, 0), (0, 0), (0, 0), (0, 0), (90, 9), (99, 9)],
                Some((9, 10)),
            ),
            (vec![], None),
        ] {
            assert_eq!(main_period(&days(&counts)), expected, "{counts:?}");
        }
    }

    #[test]
    fn empty_days_are_told_from_closing_days() {
        // Four weeks, closed on Sundays; the second Wednesday is missing.
        let mut counts = [(100, 1); 28];
        for sunday in [6, 13, 20, 27] {
            counts[sunday] = (0, 0);
        }
        counts[9] = (0, 0);
        let days = days(&counts);
        let volumes = volumes(&days, main_period(&days));
        assert_eq!(volumes.closed_weekdays, ["Sunday"]);
        assert_eq!(volumes.empty_days, ["1970-01-14"]);
        // Two Sundays say nothing.
        let days = self::days(&counts[..20]);
        let volumes = super::volumes(&days, main_period(&days));
        assert_eq!(volumes.closed_weekdays, Vec::<String>::new());
        assert_eq!(
            volumes.empty_days,
            ["1970-01-11", "1970-01-14", "1970-01-18"]
        );
    }

    #[test]
    fn the_longest_run_without_orders() {
        for (counts, expected) in [
            (
                vec![(9, 1), (9, 0), (9, 0), (9, 1), (9, 0)],
                Some(("1970-01-06", 2)),
            ),
            (vec![(9, 1), (9, 2)], None),
            (vec![(9, 0), (0, 0), (9, 0)], Some(("1970-01-05", 2))),
        ] {
            let days = days(&counts);
            let found = without_orders(&days, i64::MIN, i64::MAX);
            let found = found.as_ref().map(|(day, length)| (day.as_str(), *length));
            assert_eq!(found, expected, "{counts:?}");
        }
    }

    #[test]
    fn short_spans_are_told_by_the_hour_and_very_long_ones_by_the_week() {
        for (count, hours) in [(3, 1), (10, 24), (1500, 24), (1501, 168)] {
            let days = days(&vec![(9, 1); count]);
            assert_eq!(
                volumes(&days, main_period(&days)).slot_hours,
                hours,
                "{count}"
            );
        }
    }
}
