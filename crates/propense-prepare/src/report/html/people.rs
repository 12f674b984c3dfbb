//! Visitors and their sessions.

use super::chart::{Bar, Chart, SHOWN, bars};
use super::distributions::histogram;
use super::text::{duration, value};
use crate::report::figures::{DataReport, Unit};
use crate::report::share;
use crate::report::words::{number, of, percent};

pub(super) fn sessions(report: &DataReport) -> String {
    let sessions = &report.sessions;
    let mut html = histogram(
        "Events in a session",
        format!(
            "Half of the sessions have {} or fewer; {} of a hundred are a single event; the longest \
             has {}.",
            of(sessions.events.median() as u64, "event", "events"),
            (share(sessions.single, report.totals.sessions) * 100.0).round(),
            number(sessions.events.max.max(0.0) as u64)
        ),
        "events",
        &sessions.events,
    );
    html.push_str(&histogram(
        "Length of a session",
        format!(
            "From the first event to the last: half take {} or less, the longest {}.",
            duration(sessions.seconds.median()),
            duration(sessions.seconds.max)
        ),
        "time",
        &sessions.seconds,
    ));
    html
}

pub(super) fn visitors(report: &DataReport) -> String {
    let visitors = &report.visitors;
    let all = report.totals.events;
    let shown: Vec<Bar> = visitors
        .top
        .iter()
        .take(SHOWN)
        .map(|visitor| {
            let rate = share(visitor.events, all);
            Bar {
                marked: rate >= 0.1,
                ..Bar::new(
                    &visitor.id,
                    visitor.events as f64,
                    format!("{} · {}", number(visitor.events), percent(rate)),
                )
            }
        })
        .collect();
    let mut rows: Vec<Vec<String>> = visitors
        .top
        .iter()
        .map(|visitor| {
            vec![
                visitor.id.clone(),
                number(visitor.events),
                percent(share(visitor.events, all)),
                number(visitor.orders),
            ]
        })
        .collect();
    rows.push(vec![
        "median of all visitors".to_owned(),
        value(visitors.events.median(), Unit::Count),
        String::new(),
        String::new(),
    ]);
    Chart::new("The busiest visitors")
        .words(format!(
            "{} are known by a user identifier, {} by their browser, {} by neither. {} of them came \
             more than once, {} ordered. The busiest hundredth has {} of the events.",
            number(visitors.users),
            number(visitors.anonymous),
            number(visitors.unknown),
            percent(share(visitors.returning, report.totals.visitors)),
            percent(share(visitors.buyers, report.totals.visitors)),
            percent(visitors.top_percent)
        ))
        .picture(bars("Events of the busiest visitors", &shown))
        .table(&["visitor", "events", "of all", "orders"], rows)
        .html()
}
