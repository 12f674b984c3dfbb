//! The lower half of an evaluation's report: percentiles, positions, segments, the second model, whether the parts
//! can be told apart, learning curves, errors.

use std::fmt::Write;

use propense_train::{Adversarial, Evaluation, Metrics, Task, ThreeIntervals};

use super::{escape, page};
use crate::output::{DIFFERENCES, FIGURES, INTERVALS, by_position, figures, range, signed, two};

/// Head of a table of several sets: what [`measured`] says of each.
fn measures() -> Vec<&'static str> {
    [""].into_iter().chain(FIGURES).chain(INTERVALS).collect()
}

/// One set's figures and intervals under its name.
fn measured(name: String, metrics: &Metrics, intervals: Option<&ThreeIntervals>) -> Vec<String> {
    let figures = figures(metrics).into_iter();
    [name]
        .into_iter()
        .chain(figures)
        .chain(two(intervals))
        .collect()
}

/// The figures at each position, where there are several.
pub(super) fn positions(evaluation: &Evaluation) -> String {
    let rows: Vec<Vec<String>> = by_position(evaluation)
        .into_iter()
        .map(|(name, metrics, intervals)| measured(name, metrics, intervals))
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    format!("<h2>By position</h2>\n{}", page::table(&measures(), &rows))
}

/// Which probability is high for this model, where it is known.
pub(super) fn percentiles(evaluation: &Evaluation) -> String {
    if evaluation.percentiles.is_empty() {
        return String::new();
    }
    let rows: Vec<Vec<String>> = evaluation
        .percentiles
        .iter()
        .map(|(percent, probability)| {
            vec![
                format!("{percent} %"),
                format!("{:.1} %", 100.0 * probability),
            ]
        })
        .collect();
    format!(
        "<h2>What is a high score</h2>\n<p>So many of the scores on the validation part of the training lie below; where a \
         session is scored after each event, at moments spread over it.</p>\n{}",
        page::table(&["share of scores below", "probability of an order"], &rows)
    )
}

/// What the evaluation holds beyond its metrics.
pub(super) fn more(evaluation: &Evaluation) -> String {
    let mut text = String::new();
    if !evaluation.segments.is_empty() {
        let rows: Vec<Vec<String>> = evaluation
            .segments
            .iter()
            .map(|segment| {
                let name = format!("{}: {}", segment.by, segment.name);
                measured(name, &segment.metrics, segment.intervals.as_ref())
            })
            .collect();
        let table = page::table(&measures(), &rows);
        let _ = write!(text, "<h2>By segment</h2>\n{table}");
    }
    text.push_str(&against(evaluation));
    text.push_str(&adversarial(evaluation.adversarial.as_ref()));
    if evaluation.curve.len() > 1 {
        let _ = write!(
            text,
            "<h2>Learning curve</h2>\n<p>Log-loss by epoch: solid on the validation part, dashed on the training \
             part.</p>\n{}",
            curve(&evaluation.curve)
        );
    }
    if !evaluation.most_wrong.is_empty() {
        // A summary has no events.
        let events = |count: usize| match evaluation.task.is_summary() {
            true => String::new(),
            false => count.to_string(),
        };
        let name = match evaluation.task {
            Task::Shoppers | Task::ShoppersNoPagevalues => "row of the file",
            Task::InSession => "session",
            Task::NextDay | Task::ThirtyDay => "user@day",
        };
        let rows: Vec<Vec<String>> = evaluation
            .most_wrong
            .iter()
            .map(|wrong| {
                vec![
                    wrong.id.clone(),
                    events(wrong.events),
                    format!("{:.3}", wrong.propensity),
                    if wrong.order { "an order" } else { "no order" }.to_owned(),
                ]
            })
            .collect();
        let table = page::table(&[name, "events seen", "forecast", "came"], &rows);
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
    let mut rows: Vec<Vec<String>> = other
        .rows(&evaluation.metrics)
        .into_iter()
        .map(|both| {
            vec![
                both.name.to_owned(),
                format!("{:.4}", both.own),
                format!("{:.4}", both.other),
                signed(both.difference),
                both.interval.map(range).unwrap_or_default(),
            ]
        })
        .collect();
    rows.extend(other.segments.iter().map(|part| {
        vec![
            format!("ROC-AUC, {}", part.name),
            format!("{:.4}", part.auc.0),
            format!("{:.4}", part.auc.1),
            signed(part.auc.0 - part.auc.1),
            format!("of {} scores", part.n),
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
        page::table(&DIFFERENCES, &rows)
    )
}

/// Whether the test examples can be told from those that were learnt from, where it was tried.
fn adversarial(found: Option<&Adversarial>) -> String {
    let Some(found) = found else {
        return String::new();
    };
    let mut text = format!(
        "<h2>Training and test told apart</h2>\n<p>Trees tell {} test examples from {} training examples with a ROC-AUC \
         of {:.4} ({}); 0.5 is chance, a warning comes above {}.</p>\n",
        found.test,
        found.train,
        found.auc,
        range(found.interval),
        found.bound
    );
    text.push_str(&page::notes(found.words().as_slice()));
    if found.warning {
        let rows: Vec<Vec<String>> = found
            .features
            .iter()
            .map(|feature| {
                vec![
                    feature.name.clone(),
                    page::percent(feature.share),
                    format!("{:.4}", feature.auc),
                ]
            })
            .collect();
        text.push_str(&page::table(
            &["told by", "share of the gain", "ROC-AUC alone"],
            &rows,
        ));
    }
    if !found.left_out.is_empty() {
        let names = escape(&found.left_out.join(", "));
        let _ = writeln!(text, "<p>Left out, since it only says when: {names}.</p>");
    }
    text
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
