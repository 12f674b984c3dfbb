//! Tables, JSON and error lines: the one place that knows how the command writes.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::Path;

use anyhow::{Context, Result};
use propense_apps::recommend::{Cost, Figures, ProtocolOutcome};
use propense_prepare::write_whole;
use propense_train::{
    Adversarial, Evaluation, Gained, Interval, Metrics, ThreeIntervals, ValidationFigures,
};
use serde::Serialize;

use crate::args::JsonArgs;
use crate::narrow;
use crate::outcome::{Failure, Outcome};

/// How a list is written: as the file's name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lines {
    Csv,
    Json,
}

impl Lines {
    /// By the ending, `.csv` or `.jsonl`.
    pub(crate) fn of(out: &Path) -> Outcome<Self> {
        match out.extension().and_then(|ending| ending.to_str()) {
            Some("csv") => Ok(Self::Csv),
            Some("jsonl") => Ok(Self::Json),
            _ => Err(Failure::Usage(format!(
                "--out: {} should end in .csv or .jsonl",
                out.display()
            ))),
        }
    }
}

/// Lower and upper end to four places; what rounds to zero has no sign.
pub(crate) fn range(Interval(low, high): Interval) -> String {
    let end = |x: f64| (x * 1e4).round() / 1e4 + 0.0;
    format!("{:.4} to {:.4}", end(low), end(high))
}

/// One JSON object a line.
pub(crate) fn json_lines(rows: impl IntoIterator<Item = impl Serialize>) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for row in rows {
        serde_json::to_writer(&mut bytes, &row)?;
        bytes.push(b'\n');
    }
    Ok(bytes)
}

/// An error with its causes on one line, each named once.
pub(crate) fn one_line(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        if !text.contains(&cause) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&cause);
        }
    }
    text
}

/// Writes to standard output. A pipe that nobody reads any more (`propense … | head`) has had enough:
/// what would be said is dropped, and the command goes on.
///
/// # Errors
///
/// Where it cannot be written for any other reason, as on a full disk.
pub(crate) fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).context("standard output")
        }
        _ => Ok(()),
    }
}

/// What [`figures`] are, to stand above them.
pub(crate) const FIGURES: [&str; 7] = [
    "examples",
    "base rate",
    "ROC-AUC",
    "PR-AUC",
    "F1",
    "log-loss",
    "ECE",
];

/// The figures of one set among several.
pub(crate) fn figures(m: &Metrics) -> [String; 7] {
    let [base_rate, auc, pr_auc, f1, log_loss, ece] =
        [m.base_rate, m.auc, m.pr_auc, m.f1, m.log_loss, m.ece].map(|value| format!("{value:.4}"));
    [m.n.to_string(), base_rate, auc, pr_auc, f1, log_loss, ece]
}

/// What [`two`] are, to stand above them.
pub(crate) const INTERVALS: [&str; 2] = ["ROC-AUC, 95 %", "PR-AUC, 95 %"];

/// The first two of three intervals, ROC-AUC and PR-AUC; nothing where none were drawn.
pub(crate) fn two(intervals: Option<&ThreeIntervals>) -> [String; 2] {
    intervals.map_or_else(Default::default, |[auc, pr_auc, _]| {
        [range(*auc), range(*pr_auc)]
    })
}

/// Name, figures and intervals of each position at which a session was scored.
pub(crate) fn by_position(
    evaluation: &Evaluation,
) -> Vec<(String, &Metrics, Option<&ThreeIntervals>)> {
    let by_k = evaluation.by_k.iter();
    let by_k = by_k.map(|(k, metrics)| (k.to_string(), format!("after {k} events"), metrics));
    let also = evaluation.also.iter();
    let also = also.map(|(name, metrics)| (name.clone(), name.clone(), metrics));
    by_k.chain(also)
        .map(|(key, name, metrics)| (name, metrics, evaluation.position_intervals.get(&key)))
        .collect()
}

/// What [`validated`] are, to stand above them.
pub(crate) const VALIDATED: [&str; 7] = [
    "",
    "examples",
    "base rate",
    "accuracy",
    "recall",
    "F1",
    "precision",
];

/// What acting brings on the validation part, in words; nothing where the threshold does not follow from
/// costs.
pub(crate) fn gained(figures: &ValidationFigures) -> Option<String> {
    let Gained {
        from_threshold,
        on_all,
    } = figures.gained?;
    Some(format!(
        "for each example of the validation part, acting from the threshold on brings {from_threshold:.4}, on all \
         {on_all:.4}, on none 0"
    ))
}

/// The article's figures on the validation part, in both readings.
pub(crate) fn validated(figures: &ValidationFigures) -> [[String; 7]; 2] {
    let four = |value: f64| format!("{value:.4}");
    [
        ("as it is", figures.as_it_is),
        ("class-balanced resample", figures.balanced),
    ]
    .map(|(name, three)| {
        [
            name.to_owned(),
            three.n.to_string(),
            four(three.base_rate),
            four(three.accuracy),
            four(three.recall),
            four(three.f1),
            four(three.precision),
        ]
    })
}

/// Name and figures of each in the task next-item, the recommender last.
pub(crate) fn everybody(
    outcome: &ProtocolOutcome,
) -> impl Iterator<Item = (&'static str, &Figures)> {
    let baselines = outcome.baselines.iter();
    let baselines = baselines.map(|(name, figures)| (*name, figures));
    baselines.chain([("propense", &outcome.ours)])
}

/// What [`cost_cells`] are, to stand above them.
pub(crate) const COSTS: [&str; 4] = ["", "numbers", "seconds of learning", "µs a ranking"];

/// What one recommender takes.
pub(crate) fn cost_cells(name: &str, cost: &Cost) -> [String; 4] {
    [
        name.to_owned(),
        cost.numbers.to_string(),
        format!("{:.1}", cost.seconds),
        format!("{:.0}", cost.microseconds),
    ]
}

/// Head of two models' figures side by side.
pub(crate) const DIFFERENCES: [&str; 5] = ["", "this model", "the other", "difference", "95 %"];

/// A difference to four places, with its sign.
pub(crate) fn signed(difference: f64) -> String {
    let rounded = (difference * 1e4).round() / 1e4 + 0.0;
    format!("{rounded:+.4}")
}

/// Where a command's table goes.
pub(crate) struct Output<'a> {
    json: &'a JsonArgs,
}

impl<'a> Output<'a> {
    pub(crate) const fn new(json: &'a JsonArgs) -> Self {
        Self { json }
    }

    /// Whether JSON takes the place of the table on standard output.
    fn json_only(&self) -> bool {
        self.json.json.as_deref() == Some(Path::new("-"))
    }

    /// Writes the JSON where asked, and prints the table.
    pub(crate) fn finish<T: Serialize>(&self, table: &Table, value: &T) -> Result<()> {
        if let Some(path) = &self.json.json {
            let mut text = serde_json::to_string_pretty(value)?;
            text.push('\n');
            if self.json_only() {
                return print(&text);
            }
            write_file(path, text.as_bytes())?;
        }
        print(&table.render(narrow::width(&std::io::stdout())))
    }
}

/// A line beside the table: on standard error, so that standard output stays clean. One that cannot
/// be written is no reason to stop.
pub(crate) fn note(text: &str) {
    let text = narrow::paragraph(text, narrow::width(&std::io::stderr()), 0);
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Says that the test part is not of the training part's kind, where it is not.
pub(crate) fn warn(adversarial: Option<&Adversarial>) {
    if let Some(words) = adversarial.and_then(Adversarial::words) {
        note(&format!("warning: {words}"));
    }
}

/// Writes a file, making its folder; it is there whole or not at all.
pub(crate) fn write_file(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder {
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    write_whole(path, bytes).with_context(|| path.display().to_string())
}

/// Rows of cells under a title, aligned when printed.
#[derive(Debug, Default)]
pub(crate) struct Table {
    blocks: Vec<Block>,
}

#[derive(Debug, Default)]
struct Block {
    title: String,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Starts a block with a title.
    pub(crate) fn block(&mut self, title: impl Into<String>) {
        self.blocks.push(Block {
            title: title.into(),
            rows: Vec::new(),
        });
    }

    /// Adds a row to the last block.
    pub(crate) fn row<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) {
        if self.blocks.is_empty() {
            self.block("");
        }
        if let Some(block) = self.blocks.last_mut() {
            block.rows.push(cells.into_iter().map(Into::into).collect());
        }
    }

    /// Adds a block with one set's metrics.
    pub(crate) fn metrics(&mut self, title: &str, metrics: &Metrics) {
        self.block(format!(
            "{title}: {} examples, base rate {:.4}, threshold {:.4}",
            metrics.n, metrics.base_rate, metrics.threshold
        ));
        for (name, value, interval) in metrics.rows() {
            let interval = interval.map_or(String::new(), |interval| {
                format!("{:.4} to {:.4}", interval.0, interval.1)
            });
            self.row([name.to_owned(), format!("{value:.4}"), interval]);
        }
    }

    /// Adds a block with the validation part's figures, as it is and balanced.
    pub(crate) fn validation(&mut self, figures: &ValidationFigures) {
        self.block(format!(
            "validation part at the threshold {:.4}; unless it was given or follows from costs, it was chosen on it",
            figures.threshold
        ));
        self.row(VALIDATED);
        for row in validated(figures) {
            self.row(row);
        }
        if let Some(words) = gained(figures) {
            self.block(words);
        }
    }

    /// Adds a block that says whether the test part can be told from the training part.
    pub(crate) fn adversarial(&mut self, found: Option<&Adversarial>) {
        let Some(found) = found else { return };
        let Interval(low, high) = found.interval;
        self.block(format!(
            "test examples told from training examples: ROC-AUC {:.4} ({low:.4} to {high:.4}), 0.5 is chance, a warning above {}",
            found.auc, found.bound
        ));
        if found.warning {
            self.row(["told by", "share of the gain", "ROC-AUC alone"]);
            for feature in &found.features {
                self.row([
                    feature.name.clone(),
                    format!("{:.2}", feature.share),
                    format!("{:.4}", feature.auc),
                ]);
            }
        }
        if !found.left_out.is_empty() {
            self.row([
                "left out, since it only says when",
                &found.left_out.join(", "),
            ]);
        }
    }

    /// The text, columns aligned within each block; what does not fit into this many letters is broken.
    pub(crate) fn render(&self, width: Option<usize>) -> String {
        let mut text = String::new();
        for (number, block) in self.blocks.iter().enumerate() {
            if number > 0 {
                text.push('\n');
            }
            if !block.title.is_empty() {
                text.push_str(&narrow::paragraph(&block.title, width, 0));
                text.push('\n');
            }
            text.push_str(&narrow::rows(&block.rows, width));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rounds_to_zero_has_no_sign() {
        let found = range(Interval(-0.000_04, 0.012_35));
        assert_eq!(found, "0.0000 to 0.0124");
        assert_eq!(range(Interval(-0.1, -0.000_06)), "-0.1000 to -0.0001");
    }
}
