//! Whether the events were recorded as they happened: days, clocks, visitors.

use super::{Severity, Warning};
use crate::report::calendar::long_day;
use crate::report::figures::DataReport;
use crate::report::share;
use crate::report::words::{list, number, of, percent};

/// Events a day from which an empty day is no chance: at twenty a day one in 5 · 10⁸ is empty.
const DAILY: f64 = 20.0;

/// Orders that were to be expected in a time without any.
const EXPECTED_ORDERS: f64 = 20.0;

/// Share of the events that one visitor may have.
const DOMINANT: f64 = 0.10;

/// Sessions of a single event.
const SINGLE: f64 = 0.80;

/// Visitors who are neither known nor recognised.
const UNKNOWN: f64 = 0.5;

/// Events of a kind that has no name.
const OTHER: f64 = 0.2;

/// Events that it takes to judge the daily rhythm by.
const RHYTHM: u64 = 1000;

pub(super) fn warnings(report: &DataReport) -> Vec<Warning> {
    [
        dominant(report),
        empty_days(report),
        without_orders(report),
        clock(report),
        stray(report),
        single(report),
        unknown(report),
        other(report),
        short(report),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn dominant(report: &DataReport) -> Option<Warning> {
    let top = report.visitors.top.first()?;
    let rate = share(top.events, report.totals.events);
    // Among a handful of visitors somebody is always above a tenth.
    let much = if report.totals.visitors < 50 {
        0.4
    } else {
        DOMINANT
    };
    (rate >= much && report.totals.events >= 100).then(|| {
        Warning::new(
            "dominant_visitor",
            if rate >= 0.4 {
                Severity::Severe
            } else {
                Severity::Caution
            },
            "One visitor makes very many of the events",
        )
        .text(format!(
            "“{}” has {} of all events ({}) and {}.",
            top.id,
            percent(rate),
            number(top.events),
            of(top.orders, "order", "orders")
        ))
        .remedy(
            "Usually this is no person: a test account, a monitoring robot, or a word such as \
             “guest” or “null” where an identifier is missing. Leave that identifier empty or its \
             rows out, and prepare again.",
        )
        .figure("share", rate)
        .figure("events", top.events as f64)
    })
}

fn days(report: &DataReport) -> f64 {
    report
        .span
        .map_or(0.0, |span| (span.last_day - span.first_day + 1) as f64)
}

fn empty_days(report: &DataReport) -> Option<Warning> {
    let empty = &report.volumes.empty_days;
    let daily = report.totals.events as f64 / days(report).max(1.0);
    if empty.is_empty() || daily < DAILY {
        return None;
    }
    let count = report.volumes.empty_day_count;
    let one = count == 1;
    let mut text = format!(
        "There is no event on {}{}, in a time with {} a day on average.",
        if one {
            String::new()
        } else {
            format!("{} days: ", number(count))
        },
        list(empty, 5),
        number(daily as u64)
    );
    if !report.volumes.closed_weekdays.is_empty() {
        text.push_str(&format!(
            " (Most of each {} is empty, too: taken as closing days.)",
            list(&report.volumes.closed_weekdays, 7)
        ));
    }
    Some(
        Warning::new(
            "days_without_events",
            Severity::Caution,
            if one {
                "A day without events"
            } else {
                "Days without events"
            },
        )
        .text(text)
        .remedy(
            "Check whether tracking was broken, a file is missing, or the shop was closed. Around \
             such a day sessions are cut off, and rates are wrong.",
        )
        .figure("days", count as f64),
    )
}

fn without_orders(report: &DataReport) -> Option<Warning> {
    let (first, length) = report.volumes.without_orders.as_ref()?;
    let daily = report.totals.orders as f64 / days(report).max(1.0);
    let expected = daily * f64::from(*length);
    (expected >= EXPECTED_ORDERS).then(|| {
        Warning::new(
            "days_without_orders",
            Severity::Caution,
            "A time without purchases",
        )
        .text(format!(
            "From {first} on there is no purchase for {}, though there are events; about {} \
                 were to be expected.",
            of(u64::from(*length), "day", "days"),
            number(expected.round() as u64)
        ))
        .remedy(
            "Most likely orders were not recorded, or come from another source that ends \
                 there. Sessions of that time would be learnt as “did not buy”: leave it out.",
        )
        .figure("days", f64::from(*length))
        .figure("expected", expected)
    })
}

/// People shop by day. Where the nights are busier, the clock is most likely another one.
fn clock(report: &DataReport) -> Option<Warning> {
    if report.totals.events < RHYTHM || days(report) < 2.0 {
        return None;
    }
    let hours: Vec<u64> = (0..24)
        .map(|hour| report.week.iter().skip(hour).step_by(24).sum())
        .collect();
    let sum =
        |from: usize, count: usize| -> u64 { hours.iter().cycle().skip(from).take(count).sum() };
    // 1 to 6 o'clock against 9 to 22 o'clock, an hour each.
    let (night, day) = (sum(1, 5) as f64 / 5.0, sum(9, 13) as f64 / 13.0);
    if night <= day {
        return None;
    }
    let quietest = (0..24).min_by_key(|from| sum(*from, 6))?;
    // The quietest six hours usually begin at 1 o'clock.
    let ahead = (quietest as i64 - 1 + 12).rem_euclid(24) - 12;
    Some(
        Warning::new("time_zone", Severity::Caution, "The nights are busier than the days")
            .text(format!(
                "Between 1 and 6 o'clock there are {:.1} times as many events an hour as between 9 \
                 and 22 o'clock. The quietest six hours begin at {quietest}:00; in most shops they \
                 begin about 1:00.",
                if day > 0.0 { night / day } else { night }
            ))
            .remedy(format!(
                "The time zone is most likely wrong, by about {} {}. Give the shop's offset from \
                 UTC in the mapping. (A shop whose customers live elsewhere may be right as it is.)",
                of(ahead.unsigned_abs(), "hour", "hours"),
                if ahead < 0 { "(times are too early)" } else { "(times are too late)" }
            ))
            .figure("night_events_per_hour", night)
            .figure("day_events_per_hour", day)
            .figure("quietest_from", quietest as f64),
    )
}

fn stray(report: &DataReport) -> Option<Warning> {
    let span = report.span.filter(|span| span.outside > 0)?;
    let rate = share(span.outside, report.totals.events);
    Some(
        Warning::new("stray_times", Severity::Note, "Events far from all others")
            .text(format!(
                "{} ({}) outside the time from {} to {}, in which nearly all others lie.",
                of(span.outside, "event lies", "events lie"),
                percent(rate),
                long_day(span.first_day),
                long_day(span.last_day)
            ))
            .remedy(
                "Wrong clocks, or left-overs of another period. Keep to the main period with the \
                 rule `outside_period`: a split by time would take them for the past.",
            )
            .figure("events", span.outside as f64)
            .figure("share", rate),
    )
}

fn single(report: &DataReport) -> Option<Warning> {
    let rate = share(report.sessions.single, report.totals.sessions);
    (report.totals.sessions >= 100 && rate > SINGLE).then(|| {
        Warning::new(
            "single_events",
            Severity::Caution,
            "Most sessions are a single event",
        )
        .text(format!(
            "{} of the {} hold one event only.",
            percent(rate),
            of(report.totals.sessions, "session", "sessions")
        ))
        .remedy(
            "Where visitors are not that brief, identifiers do not hold the events together: \
                 check which columns were read as user, anonymous and session identifier.",
        )
        .figure("share", rate)
    })
}

fn unknown(report: &DataReport) -> Option<Warning> {
    let rate = share(report.visitors.unknown, report.totals.visitors);
    (rate > UNKNOWN).then(|| {
        Warning::new(
            "visitors_unknown",
            Severity::Note,
            "Most visitors are not recognised again",
        )
        .text(format!(
            "{} of the visits carry neither a user nor a browser identifier.",
            percent(rate)
        ))
        .remedy(
            "What a visitor did in earlier sessions cannot be used, and a split cannot keep a \
                 visitor on one side. Where an identifier exists, name its column in the mapping.",
        )
        .figure("share", rate)
    })
}

fn other(report: &DataReport) -> Option<Warning> {
    let rate = share(report.kind("other")?.events, report.totals.events);
    (rate > OTHER).then(|| {
        Warning::new(
            "other_events",
            Severity::Note,
            "Many events of no known kind",
        )
        .text(format!("{} of the events are `other`.", percent(rate)))
        .remedy(
            "Give the shop's own event names their GA4 names in the mapping: a model learns \
                 little from “something happened”.",
        )
        .figure("share", rate)
    })
}

fn short(report: &DataReport) -> Option<Warning> {
    let days = days(report);
    (days < 14.0 && days > 0.0).then(|| {
        Warning::new("short_period", Severity::Note, "A short period")
            .text(format!(
                "The events lie within {}. Weekdays cannot be told from single days.",
                of(days as u64, "day", "days")
            ))
            .remedy("Read at least two, better eight weeks where there are more.")
            .figure("days", days)
    })
}
