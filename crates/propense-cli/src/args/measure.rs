//! What a model is worth, and its scores: `evaluate`, `eval`, `score`.

use std::path::PathBuf;

use clap::Args;

use super::{DecidingArgs, FittingArgs, JsonArgs, ReadingArgs, RunningArgs};

/// Measure a bundle on data that it has not learnt from
#[derive(Debug, Args)]
#[command(after_help = "Example:
  propense evaluate --model giftshop.propense --data newer-events --json metrics.json --report report.html

  propense evaluate --model giftshop.propense --history older-events --data newer-events
  propense evaluate --model new.propense --against live.propense --data newer-events --report report.html

Calibration and threshold come from the bundle; nothing is fitted here. --against measures a second
bundle on the same examples: differences with users drawn again (95 %), DeLong's test of the ROC-AUCs,
and both by segment. A model that uses what visitors did before is measured too low, or on too few
examples, on data that begin in the middle of a shop's life: --history gives the earlier events,
which are not scored. --train tries to tell the examples of --data from those that were learnt from
(boosted trees on what the model sees, ROC-AUC), and warns where it can.")]
pub(crate) struct EvaluateArgs {
    /// The bundle
    #[arg(long, value_name = "FILE.propense")]
    pub(crate) model: PathBuf,
    /// A second bundle to compare it with
    #[arg(long, value_name = "FILE.propense")]
    pub(crate) against: Option<PathBuf>,
    /// The data that the bundle has learnt from: to warn where --data is not of its kind
    #[arg(long, num_args = 1.., value_name = "PATH")]
    pub(crate) train: Vec<PathBuf>,
    /// Earlier events of the same shop: what the visitors of --data did before (thirty-day: the one
    /// forecast at the first day of --data is measured)
    #[arg(long, num_args = 1.., value_name = "PATH")]
    pub(crate) history: Vec<PathBuf>,
    /// Files or folders with events
    #[arg(long, required = true, num_args = 1.., value_name = "PATH")]
    pub(crate) data: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) reading: ReadingArgs,
    #[command(flatten)]
    pub(crate) running: RunningArgs,
    #[command(flatten)]
    pub(crate) json: JsonArgs,
    /// Write a report with plots
    #[arg(long, value_name = "FILE.html")]
    pub(crate) report: Option<PathBuf>,
}

/// Run one task of the evaluation protocol: learn from --train, score --test once
#[derive(Debug, Args)]
#[command(after_help = "Example:
  propense eval --task in-session --train first-week --test second-week --json result.json

Everything (vocabularies, weights, calibration, threshold) is learnt from --train. The preset base
validates each of its networks on a fifth that it left out; --preset seed keeps a part for
validation: 15 % of the users (in-session, next-day) or of the sessions at random with equal
base rates (shoppers), the last two months (thirty-day). For thirty-day, --test must continue --train
in time. next-item trains no network, and takes --seed alone of the options of training
(--preset is passed over): a visit is ranked after each of its clicks, by a recommender that
--train alone has taught. Ctrl-C ends without a result.")]
pub(crate) struct EvalArgs {
    /// What to predict: shoppers, shoppers-no-pagevalues, in-session, next-day, thirty-day,
    /// next-item
    #[arg(long)]
    pub(crate) task: String,
    /// Files or folders to learn from
    #[arg(long, required = true, num_args = 1.., value_name = "PATH")]
    pub(crate) train: Vec<PathBuf>,
    /// Files or folders to score once
    #[arg(long, required = true, num_args = 1.., value_name = "PATH")]
    pub(crate) test: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) reading: ReadingArgs,
    #[command(flatten)]
    pub(crate) fitting: FittingArgs,
    #[command(flatten)]
    pub(crate) deciding: DecidingArgs,
    #[command(flatten)]
    pub(crate) json: JsonArgs,
    /// Write a report with plots
    #[arg(long, value_name = "FILE.html")]
    pub(crate) report: Option<PathBuf>,
}

/// Score every session of a file
#[derive(Debug, Args)]
#[command(after_help = "Example:
  propense score --model giftshop.propense --data today.csv --out scores.csv
  propense score --model giftshop.propense --data today.csv --after 3 --out scores.jsonl
  propense score --model giftshop.propense --history last-month --data today.csv --out scores.csv

A session is scored on its events before its first order: after the last of them, or after the
first K where --after says so. Columns: id, user, events, propensity, percentile.")]
pub(crate) struct ScoreArgs {
    /// The bundle
    #[arg(long, value_name = "FILE.propense")]
    pub(crate) model: PathBuf,
    /// Files or folders with events
    #[arg(long, required = true, num_args = 1.., value_name = "PATH")]
    pub(crate) data: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) reading: ReadingArgs,
    #[command(flatten)]
    pub(crate) running: RunningArgs,
    /// Earlier events of the same shop, which are not scored: what the visitors of --data did before;
    /// in-session only (other tasks take them in --data)
    #[arg(long, num_args = 1.., value_name = "PATH")]
    pub(crate) history: Vec<PathBuf>,
    /// Score after the first K events (a shorter session after its last); in-session only
    #[arg(long, value_name = "K")]
    pub(crate) after: Option<usize>,
    /// Where to write: .csv or .jsonl
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}
