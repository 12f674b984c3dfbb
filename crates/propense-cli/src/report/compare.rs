//! The page of a comparison.

use std::collections::BTreeMap;
use std::fmt::Write;

use propense_train::{CompareReport, Compared, Figure, Interval};

use super::escape;
use super::frame::Frame;
use super::page;
use crate::output::range;

/// The table, with the intervals as charts.
pub(crate) fn comparison(title: &str, comparison: &CompareReport) -> String {
    let lead = format!(
        "Task {}: {} scores of the test part, {:.2} % with an order. Every contender was calibrated on the same {} examples \
         of the validation part.",
        comparison.task,
        comparison.n,
        100.0 * comparison.base_rate,
        comparison.examples.validation
    );
    let remarks = comparison.remarks();
    let remarks = remarks.iter().map(|words| format!("Warning: {words}."));
    let choice = comparison.choice.iter().cloned();
    let notes: Vec<String> = remarks.chain(choice).collect();
    let mut body = page::notes(&notes);
    body.push_str("<div class=\"pair\">\n");
    for (name, of) in [
        (
            "ROC-AUC (higher is better)",
            (|row| row.auc) as fn(&Compared) -> Figure,
        ),
        ("Log-loss (lower is better)", |row| row.log_loss),
    ] {
        let svg = intervals(name, comparison, of);
        let _ = write!(
            body,
            "<figure><figcaption>{name}<p>Mean and 95 % interval, the chosen one larger; a dashed line where a seed lies outside it.</p></figcaption>\n{svg}</figure>\n"
        );
    }
    body.push_str("</div>\n<h2>Figures</h2>\n");
    let list = |cells: fn(&Compared) -> Vec<String>| -> Vec<Vec<String>> {
        comparison.rows.iter().map(cells).collect()
    };
    body.push_str(&page::table(&QUALITY, &list(quality)));
    if comparison.rows.iter().any(|row| row.seeds > 1) {
        body.push_str(&seeds(comparison));
    }
    body.push_str("<h2>What each costs</h2>\n");
    body.push_str(&page::table(&COST, &list(cost)));
    body.push_str(&shares(comparison));
    if comparison.rows.iter().any(|row| row.worth.is_some()) {
        body.push_str(&worth(comparison));
    }
    if comparison.rows.iter().any(|row| !row.shifts.is_empty()) {
        body.push_str(&shifts(comparison));
    }
    page::page(title, &lead, &body)
}

/// How well each forecasts.
const QUALITY: [&str; 7] = [
    "",
    "ROC-AUC (95 %)",
    "PR-AUC (95 %)",
    "log-loss (95 %)",
    "less the best's",
    "F1",
    "ECE",
];

fn quality(row: &Compared) -> Vec<String> {
    vec![
        row.name.clone(),
        with_interval(row.auc),
        with_interval(row.pr_auc),
        with_interval(row.log_loss),
        row.behind
            .map_or("chosen".to_owned(), |[_, _, loss]| range(loss)),
        format!("{:.4}", row.f1),
        format!("{:.4}", row.ece),
    ]
}

/// A figure and, to three places, its interval.
fn with_interval(figure: Figure) -> String {
    let interval = figure
        .interval
        .map_or_else(String::new, |Interval(low, high)| {
            format!(" ({low:.3} to {high:.3})")
        });
    format!("{:.4}{interval}", figure.mean)
}

/// How much hangs on the seed.
fn seeds(comparison: &CompareReport) -> String {
    let rows: Vec<Vec<String>> = comparison
        .rows
        .iter()
        .map(|row| {
            let spread = |figure: Figure| range(figure.seeds);
            vec![
                row.name.clone(),
                row.seeds.to_string(),
                spread(row.auc),
                spread(row.pr_auc),
                spread(row.log_loss),
            ]
        })
        .collect();
    let table = page::table(&["", "seeds", "ROC-AUC", "PR-AUC", "log-loss"], &rows);
    format!(
        "<h2>Spread over the seeds</h2>\n<p>Lowest to highest. What hangs on no chance is trained once.</p>\n{table}"
    )
}

/// What each is, and what it takes.
const COST: [&str; 7] = [
    "",
    "what it is",
    "learnt from",
    "parameters",
    "seconds",
    "µs a score",
    "bundle",
];

fn cost(row: &Compared) -> Vec<String> {
    vec![
        row.name.clone(),
        row.words.to_owned(),
        page::number(row.examples as f64),
        page::number(row.parameters as f64),
        format!("{:.1}", row.seconds),
        format!("{:.1}", row.microseconds),
        match row.bundle_bytes {
            Some(bytes) => page::number(bytes as f64),
            None => "not shipped".to_owned(),
        },
    ]
}

/// ROC-AUC by the number of examples learnt from, of what learns from several shares.
fn shares(comparison: &CompareReport) -> String {
    let mut curves: BTreeMap<&str, Vec<(f64, f64)>> = BTreeMap::new();
    for row in &comparison.rows {
        let ending = format!(" on {} %", row.share);
        let name = row.name.strip_suffix(&ending).unwrap_or(&row.name);
        let point = (row.examples as f64, row.auc.mean);
        curves.entry(name).or_default().push(point);
    }
    curves.retain(|_, points| points.len() > 1);
    if curves.is_empty() {
        return String::new();
    }
    let frame = Frame::around(curves.values().flatten().copied()).spread();
    curves
        .values_mut()
        .for_each(|points| points.sort_by(|a, b| a.0.total_cmp(&b.0)));
    let line = |points: &[(f64, f64)], class: &str| {
        let places = points.iter().map(|point| frame.place(*point));
        let places: Vec<String> = places.map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        format!(
            "<polyline class=\"{class}\" points=\"{}\"/>\n",
            places.join(" ")
        )
    };
    let mut html = String::from(
        "<h2>What more data brings</h2>\n<p>ROC-AUC on the test part by the number of examples learnt from; the others \
         dashed.</p>\n<div class=\"pair\">\n",
    );
    for (name, points) in &curves {
        let others = curves.iter().filter(|(other, _)| *other != name);
        let mut inside: String = others.map(|(_, points)| line(points, "faint")).collect();
        inside.push_str(&line(points, "line"));
        let name = escape(name);
        let _ = write!(
            html,
            "<figure><figcaption>{name}</figcaption>\n{}</figure>\n",
            frame.svg(&name, &inside)
        );
    }
    html.push_str("</div>\n");
    html
}

/// What each change is worth beside the same structure without.
fn worth(comparison: &CompareReport) -> String {
    let head = ["", "ROC-AUC", "PR-AUC", "log-loss"];
    let row = |row: &Compared| {
        let figures = row.worth?.map(range);
        Some([vec![row.name.clone()], figures.to_vec()].concat())
    };
    let rows: Vec<Vec<String>> = comparison.rows.iter().filter_map(row).collect();
    let table = page::table(&head, &rows);
    format!(
        "<h2>What each change is worth</h2>\n<p>Less the same structure without the change, 95 %. \
         An interval that holds 0 shows nothing.</p>\n{table}"
    )
}

fn shifts(comparison: &CompareReport) -> String {
    let names = comparison.rows.first().map_or(&[][..], |row| &row.shifts);
    let head: Vec<&str> = ["", "as it is"]
        .into_iter()
        .chain(names.iter().map(|shift| shift.shift))
        .collect();
    let rows: Vec<Vec<String>> = comparison
        .rows
        .iter()
        .map(|row| {
            let cell = |auc: f64, loss: f64| format!("{auc:.4}, {loss:.4}");
            let shifts = row.shifts.iter();
            let shifts = shifts.map(|shift| cell(shift.auc, shift.log_loss));
            [row.name.clone(), cell(row.auc.mean, row.log_loss.mean)]
                .into_iter()
                .chain(shifts)
                .collect()
        })
        .collect();
    let table = page::table(&head, &rows);
    format!(
        "<h2>On changed test parts</h2>\n<p>ROC-AUC and log-loss where things are not as in training.</p>\n{table}"
    )
}

/// A line for each contender: interval, mean as a dot, span of the seeds.
fn intervals(label: &str, comparison: &CompareReport, of: fn(&Compared) -> Figure) -> String {
    let ends = |figure: &Figure| {
        let interval = figure.interval.unwrap_or(figure.seeds);
        (
            interval.0.min(figure.seeds.0),
            interval.1.max(figure.seeds.1),
        )
    };
    let figures: Vec<Figure> = comparison.rows.iter().map(of).collect();
    let low = figures
        .iter()
        .map(|f| ends(f).0)
        .fold(f64::INFINITY, f64::min);
    let high = figures
        .iter()
        .map(|f| ends(f).1)
        .fold(f64::NEG_INFINITY, f64::max);
    // Twelve-pixel letters are some seven wide; the names stand beside the lines, not under them.
    let longest = comparison.rows.iter().map(|row| row.name.chars().count());
    let left = f64::max(130.0, 7.0 * longest.max().unwrap_or(0) as f64 + 4.0);
    let right = left + 220.0;
    let x = |value: f64| left + (value - low) / (high - low).max(1e-9) * (right - left);
    let height = 22.0 * figures.len() as f64 + 22.0;
    let mut svg = format!(
        "<svg viewBox=\"0 0 {} {height}\" role=\"img\" aria-label=\"{}\">\n",
        right + 10.0,
        escape(label)
    );
    for (place, (row, figure)) in comparison.rows.iter().zip(&figures).enumerate() {
        let y = 22.0 * place as f64 + 12.0;
        let interval = figure.interval.unwrap_or(figure.seeds);
        let _ = writeln!(
            svg,
            "<text class=\"name\" x=\"0\" y=\"{:.0}\">{}</text>\
             <line class=\"faint\" x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{y}\" y2=\"{y}\"/>\
             <line class=\"line\" x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{y}\" y2=\"{y}\"/>\
             <circle class=\"dot\" cx=\"{:.1}\" cy=\"{y}\" r=\"{}\"/>",
            y + 4.0,
            escape(&row.name),
            x(figure.seeds.0),
            x(figure.seeds.1),
            x(interval.0),
            x(interval.1),
            x(figure.mean),
            if place == comparison.best { 5.0 } else { 3.5 }
        );
    }
    let _ = writeln!(
        svg,
        "<text x=\"{left}\" y=\"{:.0}\">{low:.3}</text><text x=\"{right}\" y=\"{:.0}\" text-anchor=\"end\">{high:.3}</text>\n</svg>",
        height - 4.0,
        height - 4.0
    );
    svg
}
