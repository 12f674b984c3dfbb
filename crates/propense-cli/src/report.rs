//! The HTML report of an evaluation: one file, no script, light and dark, fit to print.

mod compare;
mod curves;
mod demand;
mod drift;
mod evaluated;
mod frame;
mod next_item;
mod page;
mod plot;
mod recommend;
mod segment;
mod tune;

use propense_train::{
    CalibrationKind, CalibrationTrial, Confusion, Evaluation, Metrics, ValidationFigures,
};

pub(crate) use compare::comparison;
pub(crate) use demand::{demand, verdict};
pub(crate) use drift::drift;
pub(crate) use next_item::next_item;
pub(crate) use recommend::recommend;
pub(crate) use segment::{segment, source};
pub(crate) use tune::search;

use crate::output::{VALIDATED, gained, range, validated};
use curves::{gains, lift_at, precision_recall, roc};
use plot::{Plot, Series};

/// The report as a page.
pub(crate) fn html(title: &str, evaluation: &Evaluation) -> String {
    let (scores, labels) = (&evaluation.probabilities, &evaluation.labels);
    let metrics = &evaluation.metrics;
    let lead = format!(
        "Task {}: {} examples, {:.2} % with an order. Threshold {:.4}, fixed beforehand.",
        evaluation.task,
        metrics.n,
        100.0 * metrics.base_rate,
        metrics.threshold
    );
    let mut body = figures(metrics);
    for remark in evaluation.remarks() {
        body.push_str(&format!("<p>Warning: {remark}.</p>\n"));
    }
    body.push_str("<section class=\"plots\">\n");
    for plot in plots(scores, labels, metrics) {
        body.push_str(&plot.svg());
    }
    body.push_str("</section>\n");
    body.push_str(&metrics_table(metrics));
    body.push_str(&confusion(scores, labels, metrics.threshold as f32));
    body.push_str(&lift_table(scores, labels));
    body.push_str(&evaluated::percentiles(evaluation));
    body.push_str(&evaluated::positions(evaluation));
    body.push_str(&evaluated::more(evaluation));
    if let Some(figures) = &evaluation.validation {
        body.push_str(&validation(figures));
        body.push_str(&calibrations(
            evaluation.calibrated_by,
            &evaluation.calibrations,
        ));
    }
    page::page(title, &lead, &body)
}

fn figures(metrics: &Metrics) -> String {
    let figure = |name, value: f64, beside| (name, format!("{value:.3}"), beside);
    page::figures(&[
        figure("ROC-AUC", metrics.auc, "0.5 is chance".to_owned()),
        figure(
            "PR-AUC",
            metrics.pr_auc,
            format!("{:.3} is chance", metrics.base_rate),
        ),
        figure(
            "log-loss",
            metrics.log_loss,
            format!("{:.3} for the base rate", metrics.base_rate_log_loss),
        ),
        figure(
            "calibration error",
            metrics.ece,
            "15 bins of equal mass".to_owned(),
        ),
    ])
}

fn plots(scores: &[f32], labels: &[bool], metrics: &Metrics) -> Vec<Plot> {
    let reliability: Vec<(f64, f64)> = propense_train::reliability(scores, labels)
        .iter()
        .map(|bin| (bin.mean_probability, bin.observed))
        .collect();
    let top = reliability
        .iter()
        .map(|(x, y)| x.max(*y))
        .fold(0.05, f64::max);
    let diagonal = |to: f64| vec![(0.0, 0.0), (to, to)];
    vec![
        Plot::unit(
            "ROC",
            "share of non-orders flagged",
            "share of orders found",
            vec![
                Series::faint(diagonal(1.0)),
                Series::line(roc(scores, labels)),
            ],
        ),
        Plot::unit(
            "Precision and recall",
            "recall",
            "precision",
            vec![
                Series::faint(vec![(0.0, metrics.base_rate), (1.0, metrics.base_rate)]),
                Series::line(precision_recall(scores, labels)),
            ],
        ),
        Plot::unit(
            "Reliability",
            "forecast probability",
            "observed share of orders",
            vec![Series::faint(diagonal(1.0)), Series::dots(reliability)],
        )
        .up_to((top * 1.05).min(1.0)),
        Plot::unit(
            "Gains",
            "share of examples addressed, best first",
            "share of orders reached",
            vec![
                Series::faint(diagonal(1.0)),
                Series::line(gains(scores, labels)),
            ],
        ),
    ]
}

fn metrics_table(metrics: &Metrics) -> String {
    let rows: Vec<Vec<String>> = metrics
        .rows()
        .into_iter()
        .map(|(name, value, interval)| {
            vec![
                name.to_owned(),
                format!("{value:.4}"),
                interval.map(range).unwrap_or_default(),
            ]
        })
        .collect();
    let table = page::table(&["metric", "value", "95 % interval"], &rows);
    format!("<h2>Metrics</h2>\n{table}")
}

fn confusion(scores: &[f32], labels: &[bool], threshold: f32) -> String {
    let counts = Confusion::at(scores, labels, threshold);
    let row = |name: &str, order: usize, other: usize| {
        vec![name.to_owned(), order.to_string(), other.to_string()]
    };
    let rows = [
        row(
            "forecast an order",
            counts.true_positives,
            counts.false_positives,
        ),
        row(
            "forecast none",
            counts.false_negatives,
            counts.true_negatives,
        ),
    ];
    let table = page::table(&["", "order", "no order"], &rows);
    format!("<h2>At the threshold</h2>\n{table}")
}

fn lift_table(scores: &[f32], labels: &[bool]) -> String {
    let rows: Vec<Vec<String>> = [0.01, 0.05, 0.10, 0.20, 0.50]
        .into_iter()
        .map(|share| {
            let (lift, reached) = lift_at(scores, labels, share);
            vec![
                page::percent(share),
                format!("{lift:.2}"),
                format!("{:.1} %", reached * 100.0),
            ]
        })
        .collect();
    let table = page::table(&["best-scored share", "lift", "share of all orders"], &rows);
    format!(
        "<h2>Lift</h2>\n<p>How many times more orders than in a random group of the same size.</p>\n{table}"
    )
}

fn validation(figures: &ValidationFigures) -> String {
    let rows = validated(figures).map(Vec::from);
    format!(
        "<h2>On the validation part</h2>\n<p>At the same threshold ({:.4}); unless it was given or follows from \
         costs, it was chosen on this part of the training data. The second row is a resample of it with as many orders as other outcomes: what a study on a \
         balanced set reports, and what no shop meets.</p>\n{}",
        figures.threshold,
        page::table(&VALIDATED, &rows)
    ) + &gained(figures).map_or_else(String::new, |words| {
        format!(
            "<p>In the units of gain and cost: {}.</p>\n",
            escape(&words)
        )
    })
}

/// What each kind of calibration gives, where they were compared.
fn calibrations(used: Option<CalibrationKind>, trials: &[CalibrationTrial]) -> String {
    if trials.is_empty() {
        return String::new();
    }
    let row =
        |trial: &CalibrationTrial| vec![trial.kind.to_string(), format!("{:.4}", trial.log_loss)];
    let rows: Vec<Vec<String>> = trials.iter().map(row).collect();
    let table = page::table(&["calibration", "log-loss"], &rows);
    let used = used.map_or_else(String::new, |kind| format!("Calibrated by: {kind}. "));
    format!(
        "<p>{used}Log-loss by kind of calibration on all that was held out to calibrate by, each where it is not fitted.</p>\n{table}"
    )
}

/// A moment's day, as 2011-11-01.
pub(crate) fn day(milliseconds: i64) -> String {
    time::OffsetDateTime::from_unix_timestamp(milliseconds.div_euclid(1000))
        .map_or_else(|_| milliseconds.to_string(), |time| time.date().to_string())
}

/// Text made safe inside HTML.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

const STYLE: &str = "
:root { color-scheme: light dark; --ink: #1c2430; --dim: #667085; --line: #d5dae1; --page: #fbfbfa; --accent: #0b6e75; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8eaed; --dim: #9aa4b2; --line: #3a4350; --page: #14181d; --accent: #5cc8c0; }
}
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 62rem; margin: 0 auto; padding: 2rem 1rem 4rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .5rem; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 2.5rem 0 .5rem; }
.lead { color: var(--dim); margin: 0 0 1.5rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); gap: 1rem; margin: 0; }
.figures div { border-top: 2px solid var(--accent); padding-top: .5rem; }
.figures dt, small { color: var(--dim); }
.figures dd { margin: 0; font-size: 2rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(24rem, 100%), 1fr)); gap: 2rem; margin-top: 2rem; }
svg { width: 100%; height: auto; }
svg text { fill: var(--dim); font: 11px system-ui, sans-serif; }
svg text.title { fill: var(--ink); font-size: 14px; font-weight: 600; }
svg .frame { stroke: var(--line); fill: none; }
svg .faint { stroke: var(--dim); stroke-dasharray: 4 4; fill: none; }
svg .line { stroke: var(--accent); stroke-width: 2; fill: none; stroke-linejoin: round; }
svg .dot { fill: var(--accent); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .35rem .5rem; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; }
th { color: var(--dim); font-weight: 500; }
@media print {
  :root { --ink: #000; --dim: #444; --line: #bbb; --page: #fff; --accent: #0b6e75; }
  main { max-width: none; padding: 0; }
  .plots { grid-template-columns: 1fr 1fr; }
  svg, table { break-inside: avoid; }
}
";

#[cfg(test)]
mod tests {
    use super::*;
    use propense_train::{Adversarial, Against, Interval, Telltale, TestData};

    /// A table stands in the box that scrolls sideways by itself, so that the page never does.
    fn every_table_scrolls(page: &str) {
        let tables = page.matches("<table").count();
        assert!(tables > 0);
        assert_eq!(page.matches("<div class=\"scroll\"><table").count(), tables);
        assert!(page.contains(".scroll { overflow-x: auto;"));
    }

    fn three(n: usize, accuracy: f64) -> propense_train::ThreeFigures {
        propense_train::ThreeFigures {
            n,
            base_rate: 0.2,
            accuracy,
            recall: 0.5,
            precision: 0.5,
            f1: 0.5,
        }
    }

    #[test]
    fn the_page_holds_the_figures_and_escapes_names() {
        let scores: Vec<f32> = (0..100).map(|i| i as f32 / 100.0).collect();
        let labels: Vec<bool> = (0..100).map(|i| i % 3 == 0 || i > 80).collect();
        let evaluation = Evaluation {
            task: propense_train::Task::InSession,
            metrics: Metrics::measure(&scores, &labels, 0.5),
            by_k: [(2, Metrics::measure(&scores, &labels, 0.5))].into(),
            also: [("a < b".to_owned(), Metrics::measure(&scores, &labels, 0.5))].into(),
            position_intervals: [("2".to_owned(), [Interval(0.51, 0.59); 3])].into(),
            percentiles: [(50, 0.0123), (99, 0.4567)].into(),
            validation: Some(ValidationFigures {
                threshold: 0.5,
                as_it_is: three(1000, 0.1234),
                balanced: three(200, 0.8765),
                gained: None,
            }),
            segments: vec![propense_train::SegmentMetrics {
                by: "visitor".to_owned(),
                name: "<new>".to_owned(),
                metrics: Metrics::measure(&scores, &labels, 0.5),
                intervals: Some([Interval(0.61, 0.89); 3]),
            }],
            most_wrong: vec![propense_train::Wrong {
                id: "s&1".to_owned(),
                events: 3,
                propensity: 0.9,
                order: false,
            }],
            adversarial: Some(Adversarial {
                auc: 0.91,
                interval: Interval(0.88, 0.94),
                bound: 0.8,
                warning: true,
                train: 500,
                test: 400,
                features: vec![Telltale {
                    name: "price".to_owned(),
                    share: 0.4,
                    auc: 0.7,
                }],
                left_out: vec!["hour".to_owned()],
            }),
            test_data: TestData {
                days_short: Some(17),
                ..TestData::default()
            },
            rarer_users: 40,
            calibrated_by: Some(CalibrationKind::Platt),
            calibrations: vec![CalibrationTrial {
                kind: CalibrationKind::Isotonic,
                log_loss: 0.4321,
            }],
            against: Some(Against {
                name: "other 1".to_owned(),
                metrics: Metrics::measure(
                    &labels.iter().map(|_| 0.5).collect::<Vec<_>>(),
                    &labels,
                    0.5,
                ),
                differences: Some([
                    Interval(0.01, 0.02),
                    Interval(0.03, 0.04),
                    Interval(-0.06, -0.05),
                ]),
                delong: None,
                segments: Vec::new(),
            }),
            curve: vec![(0.5, 0.6), (0.4, 0.55)],
            probabilities: scores,
            labels,
        };
        let page = html("shop <1> & \"2\"", &evaluation);
        assert!(page.contains("<h1>shop &lt;1&gt; &amp; &quot;2&quot;</h1>"));
        assert!(page.contains("a &lt; b"));
        assert!(page.contains(&format!("{:.4}", evaluation.metrics.auc)));
        assert_eq!(page.matches("<svg").count(), 5);
        assert!(page.contains("&lt;new&gt;") && page.contains("s&amp;1"));
        for row in [
            "as it is</td><td>1000</td><td>0.2000</td><td>0.1234",
            "resample</td><td>200</td><td>0.2000</td><td>0.8765",
        ] {
            assert!(page.contains(row), "{row} in {page}");
        }
        assert!(page.contains("<td>0.4321</td>"));
        assert!(page.contains("Warning: the data end 17 days before"));
        every_table_scrolls(&page);
        // What the terminal shows of a position stands here, too, and its intervals.
        let m = &evaluation.metrics;
        let four = [m.f1, m.log_loss, m.ece].map(|value| format!("<td>{value:.4}</td>"));
        let row = format!("{}<td>0.5100 to 0.5900</td>", four.concat());
        assert!(page.contains(&row), "{row} in {page}");
        assert!(page.contains("0.6100 to 0.8900"));
        for words in [
            "Training and test told apart",
            "0.9100",
            "0.8800 to 0.9400",
            "price",
            "hour",
        ] {
            assert!(page.contains(words), "{words}");
        }
        let against = format!("{:.4}</td><td>0.0100 to 0.0200", m.auc - 0.5);
        assert!(page.contains(&against), "{against} in {page}");
        assert!(page.contains("1.2 %") && page.contains("45.7 %"), "{page}");
        assert!(!page.contains("NaN") && !page.contains("http"));
    }
}
