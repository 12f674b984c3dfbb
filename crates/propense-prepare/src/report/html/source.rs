//! What was read, what was set aside, what was repaired, and what is missing.

use std::fmt::Write;

use super::chart::{Bar, Chart, bars, table};
use super::text::escape;
use crate::report::figures::DataReport;
use crate::report::intake::Counted;
use crate::report::share;
use crate::report::words::{number, of, percent};

pub(super) fn files(report: &DataReport) -> String {
    let rows: Vec<Vec<String>> = report
        .files
        .iter()
        .map(|file| {
            let offset = file.utc_offset_minutes;
            vec![
                file.path.clone(),
                file.format.clone(),
                format!("{:+03}:{:02}", offset / 60, (offset % 60).abs()),
                bytes(file.bytes),
                number(file.rows),
                number(file.kept),
                number(file.rows.saturating_sub(file.kept)),
                number(file.repaired.values().sum()),
                number(file.lines),
            ]
        })
        .collect();
    table(
        &[
            "file",
            "format",
            "UTC",
            "size",
            "rows",
            "kept",
            "set aside",
            "repairs",
            "lines",
        ],
        &rows,
    )
}

fn bytes(count: u64) -> String {
    let count = count as f64;
    match count {
        c if c < 1e3 => format!("{c:.0} B"),
        c if c < 1e6 => format!("{:.1} kB", c / 1e3),
        c if c < 1e9 => format!("{:.1} MB", c / 1e6),
        c => format!("{:.1} GB", c / 1e9),
    }
}

pub(super) fn rules(report: &DataReport) -> String {
    let mut html = String::new();
    if !report.set_aside.is_empty() {
        html.push_str(&by_rule(
            "Set aside, by rule",
            format!(
                "{} of {} in quarantine.csv, each with its row and the reason.",
                number(report.records.quarantined),
                of(report.records.read, "record", "records")
            ),
            &report.set_aside,
            report.records.read,
        ));
    }
    if !report.repaired.is_empty() {
        html.push_str(&by_rule(
            "Repaired, by rule",
            "Records that are in the table with something mended.".to_owned(),
            &report.repaired,
            report.records.read,
        ));
    }
    if !report.joins.is_empty() {
        let rows: Vec<Vec<String>> = report
            .joins
            .iter()
            .map(|join| vec![join.what.clone(), number(join.count)])
            .collect();
        html.push_str(
            "<figure class=\"chart\"><figcaption><h3>Joined and recognised</h3></figcaption>\n",
        );
        html.push_str(&table(&["", "count"], &rows));
        html.push_str("</figure>\n");
    }
    html
}

fn by_rule(title: &str, words: String, rules: &[Counted], all: u64) -> String {
    let shown: Vec<Bar> = rules
        .iter()
        .map(|rule| {
            let note = format!(
                "{} · {}",
                number(rule.count),
                percent(share(rule.count, all))
            );
            Bar::new(&rule.name, rule.count as f64, note)
        })
        .collect();
    let rows = rules
        .iter()
        .map(|rule| vec![rule.name.clone(), number(rule.count), rule.what.clone()])
        .collect();
    Chart::new(title)
        .words(words)
        .picture(bars(title, &shown))
        .table(&["rule", "records", "what it does"], rows)
        .html()
}

/// Columns of the table against kinds of events, darker where more is missing.
pub(super) fn missing(report: &DataReport) -> String {
    let missing = &report.missing;
    // A column that is nowhere, or missing nowhere, is told in words.
    let all = missing.rows.first();
    let count = |column: usize| {
        all.and_then(|row| row.missing.get(column))
            .copied()
            .unwrap_or_default()
    };
    let lines = all.map_or(0, |row| row.lines);
    let name = |column: &usize| missing.columns.get(*column).cloned().unwrap_or_default();
    let columns = || 0..missing.columns.len();
    let shown: Vec<usize> = columns()
        .filter(|column| count(*column) > 0 && count(*column) < lines)
        .collect();
    let code = |columns: Vec<usize>| -> String {
        let names: Vec<String> = columns
            .iter()
            .map(|column| format!("<code>{}</code>", escape(&name(column))))
            .collect();
        names.join(", ")
    };
    let mut html = String::from("<p>");
    let nowhere: Vec<usize> = columns().filter(|column| count(*column) == lines).collect();
    let everywhere: Vec<usize> = columns().filter(|column| count(*column) == 0).collect();
    if !nowhere.is_empty() {
        let _ = write!(html, "On no line: {}. ", code(nowhere));
    }
    if !everywhere.is_empty() {
        let _ = write!(html, "On every line: {}. ", code(everywhere));
    }
    if shown.is_empty() {
        html.push_str("</p>\n");
        return html;
    }
    html.push_str(
        "Below, the share of lines <em>without</em> a value: much of it is as it should be, since a \
         search has no price.</p>\n<div class=\"scroll\"><table class=\"matrix\"><thead><tr>\
         <th scope=\"col\">event</th><th scope=\"col\">lines</th>",
    );
    for column in &shown {
        let _ = write!(
            html,
            "<th scope=\"col\">{}</th>",
            escape(&name(column)).replace('_', "_<wbr>")
        );
    }
    html.push_str("</tr></thead><tbody>\n");
    for row in &missing.rows {
        let _ = write!(
            html,
            "<tr><td>{}</td><td class=\"all\">{}</td>",
            escape(&row.kind),
            number(row.lines)
        );
        for column in &shown {
            let gone = share(
                row.missing.get(*column).copied().unwrap_or_default(),
                row.lines,
            );
            let _ = write!(
                html,
                "<td style=\"--gone:{:.0}%\">{}</td>",
                gone * 45.0,
                if gone <= 0.0 {
                    "–".to_owned()
                } else {
                    percent(gone)
                }
            );
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody></table></div>\n");
    html
}
