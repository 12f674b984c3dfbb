//! The page of `drift`: what moved, whether orders come as forecast, and the runs before.

use std::fmt::Write;

use propense_train::DriftReport;

use super::page::{chart, figures, glossary, notes, page, table};
use super::{day, escape};
use crate::drift_history::Line;

/// Columns in the table.
const SHOWN: usize = 40;

/// The page.
pub(crate) fn drift(found: &DriftReport, history: &[Line]) -> String {
    let when = match found.timed {
        true => format!("from {} to {}", day(found.from_ms), day(found.to_ms)),
        false => "without times".to_owned(),
    };
    let lead = format!(
        "{} sessions {when}, beside {} of the {}.",
        found.sessions,
        found.reference_sessions,
        if found.reference == "data" {
            "reference data"
        } else {
            "training, of which the bundle knows scores and outcomes alone"
        }
    );
    let mut body = boxes(found);
    body.push_str(&match found.alerts.is_empty() {
        true => notes(&["No alert."]),
        false => {
            let alerts = found.alerts.iter();
            notes(
                &alerts
                    .map(|a| format!("Alert, {}: {}", a.kind, a.detail))
                    .collect::<Vec<_>>(),
            )
        }
    });
    body.push_str(&orders(found));
    body.push_str(&columns(found));
    if history.len() > 1 {
        body.push_str(&runs(history));
    }
    body.push_str(&glossary(&[
        ("PSI", "population stability index: Σ (now − then) · ln(now / then) over ten bins. Below 0.1 hardly moved, above 0.25 moved much."),
        ("distance", "largest difference between the two distribution functions (Kolmogorov and Smirnov)."),
        ("p", "how often chance alone would show as much where nothing changed."),
        ("not watched", "moves with the calendar, or with how long the record is, whatever the shop does."),
    ]));
    page(&format!("Drift of {}", found.model), &lead, &body)
}

fn boxes(found: &DriftReport) -> String {
    let labels = found.labels;
    let whole = found.calibration_whole;
    figures(&[
        (
            "alerts",
            found.alerts.len().to_string(),
            format!(
                "{} columns watched",
                found.columns.iter().filter(|c| c.watched).count()
            ),
        ),
        (
            "sessions with an order",
            format!("{:.2} %", 100.0 * labels.recent),
            format!("{:.2} % before", 100.0 * labels.reference),
        ),
        (
            "scores' PSI",
            format!("{:.3}", found.scores.psi),
            "0.1 is watched".to_owned(),
        ),
        (
            "orders for each expected",
            whole.map_or("–".to_owned(), |w| format!("{:.2}", w.ratio())),
            whole.map_or(String::new(), |w| {
                format!("{} came, {:.0} expected", w.observed, w.expected)
            }),
        ),
    ])
}

fn orders(found: &DriftReport) -> String {
    let ratio: Vec<f64> = found
        .calibration
        .iter()
        .map(propense_train::Window::ratio)
        .collect();
    let rows: Vec<Vec<String>> = found
        .calibration
        .iter()
        .map(|w| {
            vec![
                match found.timed {
                    true => format!("{} to {}", day(w.from_ms), day(w.to_ms)),
                    false => "all".to_owned(),
                },
                w.sessions.to_string(),
                format!("{:.1}", w.expected),
                w.observed.to_string(),
                format!("{:.4}", w.p),
            ]
        })
        .collect();
    let mut html = String::from("<h2>Orders that came beside those forecast</h2>\n");
    html.push_str(&chart(
        "Orders for each expected, window by window",
        "1 is as forecast.",
        &line("orders for each expected", &ratio, Some(1.0)),
        &["window", "sessions", "expected", "came", "p"],
        &rows,
    ));
    if let Some(words) = found.no_refit() {
        html.push_str(&notes(&[format!("Calibration: {words}.")]));
    }
    if let Some(refit) = &found.recalibration {
        let loss = refit.judged.log_loss;
        html.push_str(&notes(&[format!(
            "A calibration fitted on the older of these sessions {} the log-loss of the newer ones from {:.4} to {:.4} \
             (p {:.4}): it is {}.",
            if loss.gain > 0.0 { "lowers" } else { "raises" },
            loss.before,
            loss.after,
            loss.p_better,
            if refit.proposed { "proposed" } else { "not proven better" }
        )]));
    }
    html
}

fn columns(found: &DriftReport) -> String {
    if found.columns.is_empty() {
        return notes(&["Features are not compared: no reference data was given (--reference)."]);
    }
    let rows: Vec<Vec<String>> = std::iter::once(&found.scores)
        .chain(&found.columns)
        .take(SHOWN)
        .map(|column| {
            vec![
                column.name.clone(),
                format!("{:.3}", column.psi),
                format!("{:.3}", column.apart),
                format!("{:.1e}", column.p),
                column.standing().to_owned(),
            ]
        })
        .collect();
    let more = found.columns.len().saturating_sub(SHOWN - 1);
    let more = match more {
        0 => String::new(),
        more => format!("<p>{more} more columns moved less.</p>\n"),
    };
    format!(
        "<h2>What moved</h2>\n{}{more}",
        table(&["column", "PSI", "distance", "p", ""], &rows)
    )
}

fn runs(history: &[Line]) -> String {
    let of = |value: fn(&Line) -> f64| -> Vec<f64> { history.iter().map(value).collect() };
    let rows: Vec<Vec<String>> = history
        .iter()
        .map(|run| {
            vec![
                run.to_ms.map_or("–".to_owned(), day),
                run.model.clone(),
                run.sessions.to_string(),
                format!("{:.3}", run.features_psi),
                format!("{:.3}", run.scores_psi),
                format!("{:.4}", run.base_rate),
                format!("{:.4}", run.log_loss),
                run.alerts.len().to_string(),
            ]
        })
        .collect();
    let head = [
        "until",
        "model",
        "sessions",
        "features' PSI",
        "scores' PSI",
        "base rate",
        "log-loss",
        "alerts",
    ];
    let mut html = String::from("<h2>Runs before</h2>\n<div class=\"pair\">\n");
    let plots: [(&str, Vec<f64>, Option<f64>); 4] = [
        (
            "Largest PSI of a feature",
            of(|run| run.features_psi),
            Some(0.1),
        ),
        ("PSI of the scores", of(|run| run.scores_psi), Some(0.1)),
        (
            "Orders for each expected",
            of(|run| run.observed_to_expected),
            Some(1.0),
        ),
        ("Log-loss", of(|run| run.log_loss), None),
    ];
    for (name, values, mark) in &plots {
        let _ = writeln!(
            html,
            "<figure><figcaption>{}</figcaption>{}</figure>",
            escape(name),
            line(name, values, *mark)
        );
    }
    html.push_str("</div>\n");
    html.push_str(&table(&head, &rows));
    html
}

/// Values one after the other, from 0 up, with a dashed line at `mark`.
fn line(label: &str, values: &[f64], mark: Option<f64>) -> String {
    let (width, height, left) = (360.0, 130.0, 44.0);
    let most = values.iter().copied().chain(mark).fold(1e-9, f64::max) * 1.1;
    let x = |place: usize| {
        left + 6.0 + (width - left - 12.0) * place as f64 / (values.len().max(2) - 1) as f64
    };
    let y = |value: f64| 8.0 + (1.0 - (value / most).clamp(0.0, 1.0)) * (height - 16.0);
    let mut svg = format!(
        "<svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{}\">\n\
         <line class=\"frame\" x1=\"{left}\" x2=\"{width}\" y1=\"{:.1}\" y2=\"{:.1}\"/>\
         <text x=\"{:.0}\" y=\"14\" text-anchor=\"end\">{most:.2}</text>\
         <text x=\"{:.0}\" y=\"{:.1}\" text-anchor=\"end\">0</text>\n",
        escape(label),
        y(0.0),
        y(0.0),
        left - 4.0,
        left - 4.0,
        y(0.0)
    );
    if let Some(mark) = mark {
        let _ = writeln!(
            svg,
            "<line class=\"faint\" x1=\"{left}\" x2=\"{width}\" y1=\"{:.1}\" y2=\"{:.1}\"/>",
            y(mark),
            y(mark)
        );
    }
    svg.push_str("<polyline class=\"line\" points=\"");
    for (place, value) in values.iter().enumerate() {
        let _ = write!(svg, "{:.1},{:.1} ", x(place), y(*value));
    }
    svg.push_str("\"/>\n");
    for (place, value) in values.iter().enumerate() {
        let _ = writeln!(
            svg,
            "<circle class=\"dot\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\"/>",
            x(place),
            y(*value)
        );
    }
    svg.push_str("</svg>\n");
    svg
}
