//! The lower half of an evaluation's report: segments, the second model, learning curves, errors.

use std::fmt::Write;

use propense_train::{Evaluation, Interval};

use super::{escape, page};
use crate::output::{FIGURES, figures};

/// What the evaluation holds beyond its metrics.
pub(super) fn more(evaluation: &Evaluation) -> String {
    let mut text = String::new();
    if !evaluation.segments.is_empty() {
        let rows: Vec<Vec<String>> = evaluation
            .segments
            .iter()
            .map(|segment| {
                let name = format!("{}: {}", segment.by, segment.name);
                let figures = figures(&segment.metrics);
                [name].into_iter().chain(figures).collect()
            })
            .collect();
        let head: Vec<&str> = [""].into_iter().chain(FIGURES).collect();
        let _ = write!(text, "<h2>By segment</h2>\n{}", page::table(&head, &rows));
    }
    text.push_str(&against(evaluation));
    if evaluation.curve.len() > 1 {
        let _ = write!(
            text,
            "<h2>Learning curve</h2>\n<p>Log-loss by epoch: solid on the validation part, dashed on the training \
             part.</p>\n{}",
            curve(&evaluation.curve)
        );
    }
    if !evaluation.most_wrong.is_empty() {
        let rows: Vec<Vec<String>> = evaluation
            .most_wrong
            .iter()
            .map(|wrong| {
                vec![
                    wrong.id.clone(),
                    wrong.events.to_string(),
                    format!("{:.3}", wrong.propensity),
                    if wrong.order { "an order" } else { "no order" }.to_owned(),
                ]
            })
            .collect();
        let table = page::table(&["", "events seen", "forecast", "came"], &rows);
        let _ = write!(
            text,
            "<h2>Most wrong</h2>\n<p>The highest scores without an order, and the lowest with one.</p>\n{table}"
        );
    }
    text
}

fn against(evaluation: &Evaluation) -> String {
    let Some(other) = &evaluation.against else {
        return String::new();
    };
    let (own, their) = (&evaluation.metrics, &other.metrics);
    let range = |Interval(low, high): Interval| format!("{low:.4} to {high:.4}");
    let measures = [
        ("ROC-AUC", own.auc, their.auc),
        ("PR-AUC", own.pr_auc, their.pr_auc),
        ("log-loss", own.log_loss, their.log_loss),
        ("F1", own.f1, their.f1),
        ("ECE", own.ece, their.ece),
    ];
    let mut rows: Vec<Vec<String>> = measures
        .into_iter()
        .enumerate()
        .map(|(place, (name, own, their))| {
            let difference = other.differences.and_then(|all| all.get(place).copied());
            vec![
                name.to_owned(),
                format!("{own:.4}"),
                format!("{their:.4}"),
                difference.map(range).unwrap_or_default(),
            ]
        })
        .collect();
    rows.extend(other.segments.iter().map(|part| {
        vec![
            format!("ROC-AUC, {}", part.name),
            format!("{:.4}", part.auc.0),
            format!("{:.4}", part.auc.1),
            format!("{} scores", part.n),
        ]
    }));
    let test = other.delong.map_or(String::new(), |test| {
        format!(
            " DeLong's test of the two ROC-AUCs, which takes scores as independent: p = {:.4}.",
            test.p
        )
    });
    format!(
        "<h2>Against {}</h2>\n<p>Both on the same examples; the intervals are of the difference, with users drawn \
         again.{test}</p>\n{}",
        escape(&other.name),
        page::table(&["", "this model", "the other", "difference, 95 %"], &rows)
    )
}

/// Two lines over the epochs.
fn curve(losses: &[(f64, f64)]) -> String {
    let (left, right, top, bottom) = (52.0, 350.0, 8.0, 150.0);
    let all = || {
        losses
            .iter()
            .flat_map(|(training, validation)| [*training, *validation])
    };
    let low = all().fold(f64::INFINITY, f64::min);
    let high = all().fold(f64::NEG_INFINITY, f64::max);
    let last = (losses.len() - 1).max(1) as f64;
    let line = |class: &str, of: fn(&(f64, f64)) -> f64| {
        let mut text = format!("<polyline class=\"{class}\" points=\"");
        for (epoch, pair) in losses.iter().enumerate() {
            let x = left + epoch as f64 / last * (right - left);
            let y = bottom - (of(pair) - low) / (high - low).max(1e-9) * (bottom - top);
            let _ = write!(text, "{x:.1},{y:.1} ");
        }
        text.push_str("\"/>\n");
        text
    };
    format!(
        "<svg viewBox=\"0 0 360 172\" style=\"max-width:34rem\" role=\"img\" aria-label=\"Log-loss by epoch\">\n\
         <rect class=\"frame\" x=\"{left}\" y=\"{top}\" width=\"{}\" height=\"{}\"/>\n{}{}\
         <text x=\"{}\" y=\"16\" text-anchor=\"end\">{high:.3}</text><text x=\"{}\" y=\"{bottom}\" text-anchor=\"end\">{low:.3}</text>\
         <text x=\"{left}\" y=\"166\">1</text><text x=\"{right}\" y=\"166\" text-anchor=\"end\">epoch {}</text>\n</svg>\n",
        right - left,
        bottom - top,
        line("faint", |pair| pair.0),
        line("line", |pair| pair.1),
        left - 4.0,
        left - 4.0,
        losses.len()
    )
}
