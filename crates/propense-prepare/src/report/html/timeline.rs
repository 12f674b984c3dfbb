//! Events and orders over time, and over the week.

use std::fmt::Write;

use super::chart::{Bar, Chart, bars, grid, open, ticks};
use super::text::escape;
use crate::report::calendar::{
    WEEKDAYS, begins_month, iso_day, iso_hour, long_day, month_number, short_day, short_month,
    weekday,
};
use crate::report::figures::{DataReport, Slot, Span};
use crate::report::share;
use crate::report::words::{list, number, of};

/// Left and right margin.
const LEFT: f64 = 44.0;
const RIGHT: f64 = 8.0;

/// Rows in a table behind a chart.
const ROWS: usize = 400;

pub(super) fn charts(report: &DataReport) -> String {
    let Some(span) = report.span else {
        return String::new();
    };
    let mut html = volumes(report, span);
    html.push_str(&week(report));
    html.push_str(&conversion(report));
    html
}

/// Orders per hundred sessions, by weekday.
fn conversion(report: &DataReport) -> String {
    let week = report
        .span
        .is_some_and(|span| span.last_day - span.first_day >= 6);
    if report.volumes.slot_hours > 24 || report.totals.orders == 0 || !week {
        return String::new();
    }
    let mut days = [(0, 0); 7];
    for slot in &report.volumes.slots {
        if let Some((orders, sessions)) = days.get_mut(weekday(slot.hour.div_euclid(24))) {
            *orders += slot.orders;
            *sessions += slot.sessions;
        }
    }
    let rate = |(orders, sessions): (u64, u64)| share(orders, sessions) * 100.0;
    let shown: Vec<Bar> = WEEKDAYS
        .into_iter()
        .zip(days)
        .map(|(name, day)| Bar::new(name, rate(day), format!("{:.1}", rate(day))))
        .collect();
    let rows = WEEKDAYS
        .into_iter()
        .zip(days)
        .map(|(name, day)| {
            vec![
                name.to_owned(),
                number(day.0),
                number(day.1),
                format!("{:.2}", rate(day)),
            ]
        })
        .collect();
    Chart::new("Orders per hundred sessions, by weekday")
        .words("Orders placed on the day, to sessions begun on it.")
        .picture(bars("Orders per hundred sessions by weekday", &shown))
        .table(&["weekday", "orders", "sessions", "per hundred"], rows)
        .html()
}

/// What a picture spans, in local hours since 1970.
struct Axis {
    from: i64,
    to: i64,
    slot: i64,
    width: f64,
}

impl Axis {
    fn x(&self, hour: i64) -> f64 {
        let share = (hour - self.from) as f64 / (self.to - self.from).max(1) as f64;
        LEFT + share.clamp(0.0, 1.0) * (self.width - LEFT - RIGHT)
    }

    /// Where dates stand, and which.
    fn dates(&self) -> Vec<(i64, String)> {
        let room = ((self.width - LEFT - RIGHT) / 68.0).max(2.0) as i64;
        let days = (self.to - self.from).div_euclid(24);
        let (first, last) = (self.from.div_euclid(24), self.to.div_euclid(24));
        if days <= 2 {
            let step = (self.to - self.from) / room / 3 * 3 + 3;
            return (self.from..=self.to)
                .filter(|hour| hour.rem_euclid(step) == 0)
                .map(|hour| (hour, format!("{:02}:00", hour.rem_euclid(24))))
                .collect();
        }
        if days <= 100 {
            let step = (days / room + 1).max(1);
            return (first..last)
                .filter(|day| (day - first) % step == 0)
                // Below the middle of the day.
                .map(|day| (day * 24 + 12, short_day(day)))
                .collect();
        }
        // A fixed number of months apart, from January on.
        let months = days / 30 / room + 1;
        let step = [1, 2, 3, 4, 6, 12, 24, 60, 120, 600]
            .into_iter()
            .find(|step| *step >= months)
            .unwrap_or(1200);
        (first..=last)
            .filter(|day| begins_month(*day) && month_number(*day) % step == 0)
            .map(|day| (day * 24, short_month(day)))
            .collect()
    }
}

fn volumes(report: &DataReport, span: Span) -> String {
    let volumes = &report.volumes;
    let slot = i64::from(volumes.slot_hours).max(1);
    let (from, to) = if slot == 1 {
        // Only the hours in which there was anything.
        let hours = || volumes.slots.iter().map(|slot| slot.hour);
        let inside = |hour: &i64| (span.first_day..=span.last_day).contains(&hour.div_euclid(24));
        let first = hours().filter(inside).min().unwrap_or(span.first_day * 24);
        let last = hours().filter(inside).max().unwrap_or(span.last_day * 24);
        (first, last + 1)
    } else {
        (
            span.first_day.saturating_mul(24),
            span.last_day.saturating_add(1).saturating_mul(24),
        )
    };
    let shown: Vec<&Slot> = volumes
        .slots
        .iter()
        .filter(|slot| (from..to).contains(&slot.hour))
        .collect();
    let picture = |class: &str, width: f64| {
        let axis = Axis {
            from,
            to,
            slot,
            width,
        };
        let mut svg = open(class, width, 296.0, "Events and orders over time");
        panel(&mut svg, &axis, &shown, 22.0, 140.0, "events", &|slot| {
            slot.events
        });
        panel(&mut svg, &axis, &shown, 196.0, 70.0, "orders", &|slot| {
            slot.orders
        });
        let mut empty = volumes.empty_days.iter().peekable();
        for day in span.first_day..=span.last_day {
            let Some(name) = empty.next_if(|name| **name == iso_day(day)) else {
                continue;
            };
            let (left, right) = (axis.x(day * 24), axis.x(day * 24 + 24));
            let _ = write!(
                svg,
                "<rect class=\"mark\" x=\"{left:.1}\" y=\"163\" width=\"{:.1}\" height=\"5\"><title>no event on {}</title></rect>",
                (right - left).max(2.0),
                escape(name)
            );
        }
        for (hour, name) in axis.dates() {
            let x = axis.x(hour);
            let _ = write!(
                svg,
                "<line class=\"base\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"266\" y2=\"270\"/>"
            );
            // At the right end there is no room for a name.
            if x <= width - 28.0 {
                let _ = write!(
                    svg,
                    "<text x=\"{x:.1}\" y=\"284\" text-anchor=\"middle\">{}</text>",
                    escape(&name)
                );
            }
        }
        svg.push_str("</svg>\n");
        svg
    };
    let unit = match slot {
        1 => "hour",
        24 => "day",
        _ => "week",
    };
    let mut words = String::new();
    if let Some(most) = shown.iter().max_by_key(|slot| slot.events) {
        words = format!(
            "The busiest {unit} is {} with {} and {}.",
            if slot == 1 {
                iso_hour(most.hour)
            } else {
                long_day(most.hour.div_euclid(24))
            },
            of(most.events, "event", "events"),
            of(most.orders, "order", "orders")
        );
    }
    if !volumes.closed_weekdays.is_empty() {
        words.push_str(&format!(
            " Most of each {} is empty: taken as closing days.",
            list(&volumes.closed_weekdays, 7)
        ));
    }
    if span.outside > 0 {
        words.push_str(&format!(
            " {} before or after this time, not drawn.",
            of(span.outside, "event lies", "events lie")
        ));
    }
    let every = volumes.slots.len().div_ceil(ROWS).max(1);
    let rows = volumes
        .slots
        .iter()
        .step_by(every)
        .map(|slot| {
            vec![
                slot.start.clone(),
                number(slot.events),
                number(slot.orders),
                number(slot.sessions),
            ]
        })
        .collect();
    Chart::new(&format!("Events and orders by {unit}"))
        .words(words)
        .picture(picture("broad", 980.0))
        .picture(picture("narrow", 360.0))
        .table(&[unit, "events", "orders", "sessions begun"], rows)
        .wide()
        .html()
}

/// One quantity over time, as steps.
fn panel(
    svg: &mut String,
    axis: &Axis,
    slots: &[&Slot],
    top: f64,
    high: f64,
    name: &str,
    of: &dyn Fn(&Slot) -> u64,
) {
    let most = slots.iter().map(|slot| of(slot)).max().unwrap_or_default();
    let (step, count) = ticks(most as f64, if high > 100.0 { 4 } else { 2 });
    let top_value = step * f64::from(count);
    grid(svg, (LEFT, axis.width - RIGHT), top, high, step, count);
    let _ = write!(
        svg,
        "<text class=\"name\" x=\"{LEFT}\" y=\"{:.1}\">{name}</text><path class=\"bar\" d=\"",
        top - 8.0
    );
    // A hair between neighbours where there are few; none where they would vanish.
    let each = axis.x(axis.from + axis.slot) - axis.x(axis.from);
    let gap = if each > 4.0 { each * 0.12 } else { 0.0 };
    for slot in slots {
        let value = of(slot);
        if value == 0 {
            continue;
        }
        let (left, right) = (axis.x(slot.hour), axis.x(slot.hour + axis.slot));
        let height = (value as f64 / top_value * high).max(0.7);
        let _ = write!(
            svg,
            "M{:.1} {:.1}v-{height:.1}h{:.1}v{height:.1}z",
            left + gap / 2.0,
            top + high,
            (right - left - gap).max(0.5)
        );
    }
    svg.push_str("\"/>\n");
}

/// Weekday against hour.
fn week(report: &DataReport) -> String {
    let at = |weekday: usize, hour: usize| -> u64 {
        report
            .week
            .get(weekday * 24 + hour)
            .copied()
            .unwrap_or_default()
    };
    let most = report.week.iter().copied().max().unwrap_or_default();
    if most == 0 {
        return String::new();
    }
    let (left, each, high) = (32.0, 13.5, 20.0);
    let mut svg = open(
        "week",
        360.0,
        high * 7.0 + 22.0,
        "Events by weekday and hour",
    );
    for (weekday, name) in WEEKDAYS.into_iter().enumerate() {
        let top = high * weekday as f64;
        let _ = write!(
            svg,
            "<text x=\"0\" y=\"{:.1}\">{}</text>",
            top + 14.0,
            name.get(..3).unwrap_or(name)
        );
        for hour in 0..24 {
            let count = at(weekday, hour);
            let x = left + each * hour as f64;
            let _ = write!(
                svg,
                "<rect class=\"track\" x=\"{x:.1}\" y=\"{top:.1}\" width=\"12.5\" height=\"18\" rx=\"2\"/>"
            );
            if count > 0 {
                let _ = write!(
                    svg,
                    "<rect class=\"bar\" x=\"{x:.1}\" y=\"{top:.1}\" width=\"12.5\" height=\"18\" rx=\"2\" fill-opacity=\"{:.2}\"><title>{name} {hour:02}:00: {}</title></rect>",
                    (count as f64 / most as f64).max(0.05),
                    number(count)
                );
            }
        }
        svg.push('\n');
    }
    for hour in [0, 6, 12, 18, 23] {
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{hour}</text>",
            left + each * hour as f64 + 6.0,
            high * 7.0 + 14.0
        );
    }
    svg.push_str("</svg>\n");
    let hours: Vec<u64> = (0..24)
        .map(|hour| (0..7).map(|weekday| at(weekday, hour)).sum())
        .collect();
    let busiest = |counts: &[u64]| {
        (0..counts.len()).max_by_key(|place| counts.get(*place).copied().unwrap_or_default())
    };
    let days: Vec<u64> = (0..7)
        .map(|day| (0..24).map(|hour| at(day, hour)).sum())
        .collect();
    let words = match (
        busiest(&days).and_then(|day| WEEKDAYS.get(day)),
        busiest(&hours),
    ) {
        (Some(day), Some(hour)) => format!(
            "Most happens on {day}s, and in the hour from {hour}:00. The strongest field is {} events.",
            number(most)
        ),
        _ => String::new(),
    };
    let rows = (0..24)
        .map(|hour| {
            let mut row = vec![format!("{hour:02}:00")];
            row.extend((0..7).map(|day| number(at(day, hour))));
            row
        })
        .collect();
    let mut head = vec!["hour"];
    head.extend(WEEKDAYS);
    Chart::new("The week, in the shop's time")
        .words(words)
        .picture(svg)
        .table(&head, rows)
        .html()
}
