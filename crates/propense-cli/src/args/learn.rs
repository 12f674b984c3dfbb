//! What happens to a model once it is in use: `update` and `drift`.

use std::path::PathBuf;

use clap::Args;

use super::{JsonArgs, PrecisionArg, ReadingArgs, RunningArgs};

/// Train a bundle on with newer data; it takes its own place only where it is proven better
#[derive(Debug, Args)]
#[command(after_help = "Example:
  propense update --model live.propense --data arriving/ --replay first-month/ --out versions

What is new, the bundle itself knows: it says up to when it has learnt. So a folder of arriving files
can be given again and again. The newest part of the new sessions is sealed: nothing is fitted on it,
and the candidate replaces --model only where a paired test there proves it better, and worse in no
segment. The candidate and the reason are kept in --out in any case, the replaced bundle too
(docs/update.md). Nothing new enough is no failure. in-session, next-day and thirty-day with the preset
seed can be updated.")]
pub(crate) struct UpdateArgs {
    /// The live bundle; replaced in one step where the candidate is better
    #[arg(long, value_name = "FILE.propense")]
    pub(crate) model: PathBuf,
    /// Files or folders with events, new ones among them
    #[arg(long, required = true, num_args = 1.., value_name = "PATH")]
    pub(crate) data: Vec<PathBuf>,
    /// Files or folders with earlier events, of which a sample is learnt again
    #[arg(long, num_args = 1.., value_name = "PATH")]
    pub(crate) replay: Vec<PathBuf>,
    /// Folder that keeps every candidate, with the reason of its acceptance or refusal
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) reading: ReadingArgs,
    #[command(flatten)]
    pub(crate) running: RunningArgs,
    /// Judge and keep the candidate, but leave --model as it is
    #[arg(long)]
    pub(crate) keep_live: bool,
    /// From when on events are new, as 2017-11-29 or 2017-11-29T08:00:00Z [default: where the bundle's
    /// learning ended]
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// Old sessions that are learnt again for each new one, 5,000 in all at most
    #[arg(long, default_value_t = 3.0, value_name = "RATIO")]
    pub(crate) replay_ratio: f64,
    /// Share of the new sessions, the newest, that judge
    #[arg(long, default_value_t = 0.3, value_name = "SHARE")]
    pub(crate) sealed: f64,
    /// Learn the rates of items and categories again, which the feature specification holds; give
    /// the old data too
    #[arg(long)]
    pub(crate) refresh_rates: bool,
    /// Most epochs
    #[arg(long, default_value_t = 3)]
    pub(crate) epochs: usize,
    /// Sessions in a batch
    #[arg(long, default_value_t = 128)]
    pub(crate) batch: usize,
    /// Learning rate of Adam
    #[arg(long, default_value_t = 0.001)]
    pub(crate) learning_rate: f32,
    /// Epochs without a lower validation log-loss before training stops
    #[arg(long, default_value_t = 2)]
    pub(crate) patience: usize,
    /// Seed of the shuffles, of the replayed sample and of the test's draws
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// How the weights are stored [default: as the live bundle's]
    #[arg(long, value_enum)]
    pub(crate) precision: Option<PrecisionArg>,
    /// Time of making, kept in the bundle (RFC 3339) [default: now]
    #[arg(long, value_name = "TIME")]
    pub(crate) created_at: Option<String>,
    /// Plain lines instead of the terminal display
    #[arg(long)]
    pub(crate) plain: bool,
    #[command(flatten)]
    pub(crate) json: JsonArgs,
}

/// See whether the shop still looks like what a bundle was trained on
#[derive(Debug, Args)]
#[command(after_help = "Example:
  propense drift --model live.propense --data this-week/ --reference training/ --report drift.html
  propense drift --model live.propense --data this-week/ --history drift.jsonl --fail-on-alert

Features are compared with --reference, of which the training data is best; without it scores and
outcomes are compared with what the bundle says of its training, and features not at all. Alerts go to
standard error, to --webhook as JSON, and with --fail-on-alert into the exit status: 1 where there
is one. docs/drift.md has the thresholds, and how often they raise a false alarm.")]
pub(crate) struct DriftArgs {
    /// The bundle
    #[arg(long, value_name = "FILE.propense")]
    pub(crate) model: PathBuf,
    /// Files or folders with recent events
    #[arg(long, required = true, num_args = 1.., value_name = "PATH")]
    pub(crate) data: Vec<PathBuf>,
    /// Files or folders to compare with: the training data, or an earlier period
    #[arg(long, num_args = 1.., value_name = "PATH")]
    pub(crate) reference: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) reading: ReadingArgs,
    /// Population stability index from which on a column that stands out is an alert
    #[arg(long, default_value_t = 0.1, value_name = "PSI")]
    pub(crate) psi: f64,
    /// Level of the tests; for columns the share of false ones among those that stand out
    #[arg(long, default_value_t = 0.01, value_name = "LEVEL")]
    pub(crate) level: f64,
    /// Seed of the moment that is drawn of each session
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Write the bundle with a refitted calibration here, where that is proven better
    #[arg(long, value_name = "FILE.propense")]
    pub(crate) recalibrate: Option<PathBuf>,
    /// Append a line to this file of JSON lines; the report draws it
    #[arg(long, value_name = "FILE.jsonl")]
    pub(crate) history: Option<PathBuf>,
    /// Write a page
    #[arg(long, value_name = "FILE.html")]
    pub(crate) report: Option<PathBuf>,
    /// Send the alerts as JSON to this address, by POST, where there are any
    #[arg(long, value_name = "URL")]
    pub(crate) webhook: Option<String>,
    /// End with status 1 where there is an alert
    #[arg(long)]
    pub(crate) fail_on_alert: bool,
    #[command(flatten)]
    pub(crate) json: JsonArgs,
}
