//! Histograms of numbers, and how they move over time.

use std::fmt::Write;

use super::chart::{Chart, Column, WIDTH, columns, open};
use super::text::{bin, escape, value};
use crate::report::calendar::{DAY_MS, iso_day};
use crate::report::drift::LABEL_RATE;
use crate::report::figures::{DataReport, Distribution, QUANTILES, Unit};
use crate::report::share;
use crate::report::words::{number, percent};

/// A histogram with its quantiles behind it; nothing where there is no value.
pub(super) fn histogram(
    title: &str,
    words: String,
    below: &str,
    distribution: &Distribution,
) -> String {
    if distribution.count == 0 {
        return String::new();
    }
    let unit = distribution.unit;
    let shown: Vec<Column> = distribution
        .bins
        .iter()
        .map(|part| Column {
            name: format!(
                "{}: {} ({})",
                bin(part, unit),
                number(part.count),
                percent(share(part.count, distribution.count))
            ),
            below: match unit {
                Unit::Count => bin(part, unit).replace(" and above", "+"),
                _ => edge(part.from, unit),
            },
            at_edge: unit != Unit::Count,
            count: part.count,
        })
        .collect();
    let mut rows: Vec<Vec<String>> = QUANTILES
        .iter()
        .zip(distribution.quantiles)
        .map(|(share, quantile)| {
            vec![
                format!("{:.0} % lie at or below", share * 100.0),
                value(quantile, unit),
            ]
        })
        .collect();
    rows.insert(0, vec!["least".to_owned(), value(distribution.min, unit)]);
    rows.push(vec!["greatest".to_owned(), value(distribution.max, unit)]);
    rows.push(vec!["mean".to_owned(), value(distribution.mean, unit)]);
    rows.push(vec!["values".to_owned(), number(distribution.count)]);
    rows.push(vec!["missing".to_owned(), number(distribution.missing)]);
    rows.extend(
        distribution
            .bins
            .iter()
            .map(|part| vec![bin(part, unit), number(part.count)]),
    );
    Chart::new(title)
        .words(words)
        .picture(columns(title, below, &shown))
        .table(&["", "value or count"], rows)
        .html()
}

/// The lower edge of a bin, short.
fn edge(from: f64, unit: Unit) -> String {
    match unit {
        Unit::Seconds => super::text::duration(from)
            .replace(" days", "d")
            .replace(" day", "d")
            .replace(" min", "m")
            .replace(' ', ""),
        _ if from >= 1.0 && from.fract() == 0.0 => super::text::short(from),
        _ => {
            let text = format!("{from:.3}");
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
    }
}

pub(super) fn features(report: &DataReport) -> String {
    let mut html = String::new();
    for (name, title, below) in [
        ("price", "Price of an item", "price"),
        ("quantity", "Units on a line", "units"),
        (
            "gap",
            "Pause between two events",
            "time since the event before",
        ),
        ("order_value", "Value of an order", "value"),
        ("order_units", "Units in an order", "units"),
    ] {
        let Some(feature) = report.feature(name) else {
            continue;
        };
        let values = &feature.values;
        let mut words = format!(
            "Half lie at or below {}, nine tenths between {} and {}.",
            value(values.median(), values.unit),
            value(
                values.quantiles.get(1).copied().unwrap_or_default(),
                values.unit
            ),
            value(
                values.quantiles.get(5).copied().unwrap_or_default(),
                values.unit
            )
        );
        let missing = share(values.missing, values.count + values.missing);
        if missing > 0.0 && name != "gap" {
            words.push_str(&format!(" {} are missing.", percent(missing)));
        }
        html.push_str(&histogram(title, words, below, values));
    }
    html
}

/// Left of it stand the names.
const LEFT: f64 = 78.0;
const ROW: f64 = 26.0;

pub(super) fn drift(report: &DataReport) -> String {
    let Some(drift) = &report.drift else {
        return "<p>The time cannot be split into three parts with sessions in each, so there is \
                nothing to compare.</p>\n"
            .to_owned();
    };
    let mut html = String::from("<div class=\"charts\">\n");
    let most = drift
        .features
        .iter()
        .map(|feature| feature.validation.max(feature.test))
        .fold(0.4, f64::max)
        .min(4.0);
    let wide = WIDTH - LEFT - 14.0;
    // The root spreads what is small, where the limits lie.
    let x = |index: f64| LEFT + (index / most).clamp(0.0, 1.0).sqrt() * wide;
    let high = ROW * drift.features.len() as f64;
    let mut svg = open(
        "drift",
        WIDTH,
        high + 36.0,
        "Population stability index by feature",
    );
    for limit in [0.1, 0.25] {
        let x = x(limit);
        let _ = write!(
            svg,
            "<line class=\"limit\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"0\" y2=\"{high:.1}\"/>\
             <text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{limit}</text>",
            high + 14.0
        );
    }
    let _ = writeln!(
        svg,
        "<line class=\"base\" x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{high:.1}\" y2=\"{high:.1}\"/>\
         <text x=\"{LEFT}\" y=\"{:.1}\" text-anchor=\"middle\">0</text>\
         <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">population stability index, on a scale of its root</text>",
        LEFT + wide,
        high + 14.0,
        LEFT + wide / 2.0,
        high + 32.0
    );
    for (number, feature) in drift.features.iter().enumerate() {
        let y = ROW * number as f64 + ROW / 2.0;
        let _ = writeln!(
            svg,
            "<text class=\"name\" x=\"0\" y=\"{:.1}\">{}{}</text>\
             <line class=\"span\" x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
             <circle class=\"ring\" cx=\"{:.1}\" cy=\"{y:.1}\" r=\"5\"><title>validation {:.3}</title></circle>\
             <circle class=\"dot\" cx=\"{:.1}\" cy=\"{y:.1}\" r=\"5\"><title>test {:.3}</title></circle>",
            y + 4.0,
            escape(&feature.feature),
            if feature.comparable { "" } else { " *" },
            x(feature.validation.max(feature.test)),
            x(feature.validation),
            feature.validation,
            x(feature.test),
            feature.test
        );
    }
    svg.push_str("</svg>\n");
    let rows = drift
        .features
        .iter()
        .map(|feature| {
            vec![
                feature.feature.clone(),
                format!("{:.4}", feature.validation),
                format!("{:.4}", feature.test),
                format!("{:.4}", feature.noise),
                if feature.comparable { "yes" } else { "no" }.to_owned(),
            ]
        })
        .collect();
    let some_not = drift.features.iter().any(|feature| !feature.comparable);
    html.push_str(
        &Chart::new("How far each feature moved")
            .words(format!(
                "From the first 70 % of the time to the next 15 % (ring) and the last 15 % (dot). \
                 Below 0.1 is little, above 0.25 much. `{LABEL_RATE}` is the share of sessions with an \
                 order.{}",
                if some_not { " * The parts are too short for this one to mean anything." } else { "" }
            ))
            .picture(svg)
            .table(&["feature", "validation", "test", "by chance", "comparable"], rows)
            .html(),
    );
    let shown: Vec<super::chart::Bar> = drift
        .parts
        .iter()
        .map(|part| {
            let rate = share(part.order_sessions, part.sessions);
            super::chart::Bar::new(
                &format!(
                    "{}: {} to {}",
                    part.name,
                    iso_day(part.from.div_euclid(DAY_MS)),
                    iso_day((part.to - 1).div_euclid(DAY_MS))
                ),
                rate,
                percent(rate),
            )
        })
        .collect();
    let rows = drift
        .parts
        .iter()
        .map(|part| {
            vec![
                part.name.clone(),
                number(part.events),
                number(part.sessions),
                number(part.order_sessions),
                percent(share(part.order_sessions, part.sessions)),
            ]
        })
        .collect();
    html.push_str(
        &Chart::new("Sessions with an order, by part of the time")
            .words(
                "The base rate of each part. A model is learnt on the first, chosen on the second \
                 and measured on the third.",
            )
            .picture(super::chart::bars(
                "Share of sessions with an order",
                &shown,
            ))
            .table(
                &["part", "events", "sessions", "with an order", "share"],
                rows,
            )
            .html(),
    );
    html.push_str("</div>\n");
    html
}
