//! The HTML report of an evaluation: one file, no script, light and dark, fit to print.

mod compare;
mod curves;
mod demand;
mod drift;
mod evaluated;
mod page;
mod plot;
mod recommend;
mod segment;
mod tune;

use propense_train::{Confusion, Evaluation, Metrics, ValidationFigures};

pub(crate) use compare::comparison;
pub(crate) use demand::{demand, verdict};
pub(crate) use drift::drift;
pub(crate) use recommend::recommend;
pub(crate) use segment::{segment, source};
pub(crate) use tune::search;

use curves::{gains, lift_at, precision_recall, roc};
use plot::{Plot, Series};

/// The report as a page.
pub(crate) fn html(title: &str, evaluation: &Evaluation) -> String {
    let (scores, labels) = (&evaluation.probabilities, &evaluation.labels);
    let metrics = &evaluation.metrics;
    let title = escape(title);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <h1>{title}</h1>\n<p class=\"lead\">Task <b>{}</b>: {} examples, {:.2} % with an order. \
         Threshold {:.4}, chosen on validation by F1.</p>\n",
        evaluation.task,
        metrics.n,
        100.0 * metrics.base_rate,
        metrics.threshold
    );
    page.push_str(&figures(metrics));
    page.push_str("<section class=\"plots\">\n");
    for plot in plots(scores, labels, metrics) {
        page.push_str(&plot.svg());
    }
    page.push_str("</section>\n");
    page.push_str(&metrics_table(metrics));
    page.push_str(&confusion(scores, labels, metrics.threshold as f32));
    page.push_str(&lift_table(scores, labels));
    page.push_str(&positions(evaluation));
    page.push_str(&evaluated::more(evaluation));
    if let Some(figures) = &evaluation.validation {
        page.push_str(&validation(figures));
    }
    page.push_str("</main>\n</body>\n</html>\n");
    page
}

fn figures(metrics: &Metrics) -> String {
    let figure = |name: &str, value: f64, beside: String| {
        format!("<div><dt>{name}</dt><dd>{value:.3}</dd><small>{beside}</small></div>\n")
    };
    let mut text = String::from("<dl class=\"figures\">\n");
    text.push_str(&figure("ROC-AUC", metrics.auc, "0.5 is chance".to_owned()));
    text.push_str(&figure(
        "PR-AUC",
        metrics.pr_auc,
        format!("{:.3} is chance", metrics.base_rate),
    ));
    text.push_str(&figure(
        "log-loss",
        metrics.log_loss,
        format!("{:.3} for the base rate", metrics.base_rate_log_loss),
    ));
    text.push_str(&figure(
        "calibration error",
        metrics.ece,
        "15 bins of equal mass".to_owned(),
    ));
    text.push_str("</dl>\n");
    text
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
    let mut text = String::from(
        "<h2>Metrics</h2>\n<table><thead><tr><th>metric</th><th>value</th><th>95 % interval</th></tr></thead><tbody>\n",
    );
    for (name, value, interval) in metrics.rows() {
        let interval = interval.map_or(String::new(), |i| format!("{:.4} to {:.4}", i.0, i.1));
        text.push_str(&format!(
            "<tr><td>{name}</td><td>{value:.4}</td><td>{interval}</td></tr>\n"
        ));
    }
    text.push_str("</tbody></table>\n");
    text
}

fn confusion(scores: &[f32], labels: &[bool], threshold: f32) -> String {
    let counts = Confusion::at(scores, labels, threshold);
    format!(
        "<h2>At the threshold</h2>\n<table><thead><tr><th></th><th>order</th><th>no order</th></tr></thead><tbody>\n\
         <tr><td>forecast an order</td><td>{}</td><td>{}</td></tr>\n\
         <tr><td>forecast none</td><td>{}</td><td>{}</td></tr>\n</tbody></table>\n",
        counts.true_positives,
        counts.false_positives,
        counts.false_negatives,
        counts.true_negatives
    )
}

fn lift_table(scores: &[f32], labels: &[bool]) -> String {
    let mut text = String::from(
        "<h2>Lift</h2>\n<p>How many times more orders than in a random group of the same size.</p>\n\
         <table><thead><tr><th>best-scored share</th><th>lift</th><th>share of all orders</th></tr></thead><tbody>\n",
    );
    for share in [0.01, 0.05, 0.10, 0.20, 0.50] {
        let (lift, reached) = lift_at(scores, labels, share);
        text.push_str(&format!(
            "<tr><td>{:.0} %</td><td>{lift:.2}</td><td>{:.1} %</td></tr>\n",
            share * 100.0,
            reached * 100.0
        ));
    }
    text.push_str("</tbody></table>\n");
    text
}

fn positions(evaluation: &Evaluation) -> String {
    if evaluation.by_k.is_empty() && evaluation.also.is_empty() {
        return String::new();
    }
    let mut text = String::from(
        "<h2>By position</h2>\n<table><thead><tr><th></th><th>examples</th><th>base rate</th><th>ROC-AUC</th>\
         <th>PR-AUC</th><th>log-loss</th></tr></thead><tbody>\n",
    );
    let mut row = |name: &str, m: &Metrics| {
        text.push_str(&format!(
            "<tr><td>{}</td><td>{}</td><td>{:.4}</td><td>{:.4}</td><td>{:.4}</td><td>{:.4}</td></tr>\n",
            escape(name),
            m.n,
            m.base_rate,
            m.auc,
            m.pr_auc,
            m.log_loss
        ));
    };
    for (k, metrics) in &evaluation.by_k {
        row(&format!("after {k} events"), metrics);
    }
    for (name, metrics) in &evaluation.also {
        row(name, metrics);
    }
    text.push_str("</tbody></table>\n");
    text
}

fn validation(figures: &ValidationFigures) -> String {
    let mut text = format!(
        "<h2>On the validation part</h2>\n<p>At the same threshold ({:.4}), which was chosen on this part of the \
         training data. The second row is a resample of it with as many orders as other outcomes: what a study on a \
         balanced set reports, and what no shop meets.</p>\n<table><thead><tr><th></th><th>examples</th>\
         <th>base rate</th><th>accuracy</th><th>recall</th><th>F1</th></tr></thead><tbody>\n",
        figures.threshold
    );
    for (name, three) in [
        ("as it is", figures.as_it_is),
        ("class-balanced resample", figures.balanced),
    ] {
        text.push_str(&format!(
            "<tr><td>{name}</td><td>{}</td><td>{:.4}</td><td>{:.4}</td><td>{:.4}</td><td>{:.4}</td></tr>\n",
            three.n, three.base_rate, three.accuracy, three.recall, three.f1
        ));
    }
    text.push_str("</tbody></table>\n");
    text
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

    fn three(n: usize, accuracy: f64) -> propense_train::ThreeFigures {
        propense_train::ThreeFigures {
            n,
            base_rate: 0.2,
            accuracy,
            recall: 0.5,
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
            validation: Some(ValidationFigures {
                threshold: 0.5,
                as_it_is: three(1000, 0.1234),
                balanced: three(200, 0.8765),
            }),
            segments: vec![propense_train::SegmentMetrics {
                by: "visitor".to_owned(),
                name: "<new>".to_owned(),
                metrics: Metrics::measure(&scores, &labels, 0.5),
            }],
            calibrations: Vec::new(),
            most_wrong: vec![propense_train::Wrong {
                id: "s&1".to_owned(),
                events: 3,
                propensity: 0.9,
                order: false,
            }],
            adversarial: None,
            against: None,
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
        assert!(page.contains("as it is</td><td>1000</td><td>0.2000</td><td>0.1234"));
        assert!(page.contains("resample</td><td>200</td><td>0.2000</td><td>0.8765"));
        assert!(!page.contains("NaN") && !page.contains("http"));
    }
}
