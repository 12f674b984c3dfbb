//! `explain`.

use std::path::PathBuf;

use clap::Args;

use super::{JsonArgs, ReadingArgs};

/// Say why sessions score as they do: parts of each score, which sum to it
#[derive(Debug, Args)]
#[command(after_help = "Example:
  propense explain --model giftshop.propense --data visits.csv --out reasons.jsonl
  propense explain --model giftshop.propense --data visits.csv --of visit-17

A reason is one event, or one thing known of the visitor beforehand, with what it did to the logit.
An event's part is the change from just before it to just after it; those of what was known are
Shapley values. All of them, from the score of a visitor of whom nothing is known, give the score.
The table sums up what moves scores most; with --of it tells those sessions event by event.")]
pub(crate) struct ExplainArgs {
    /// The bundle
    #[arg(long, value_name = "FILE.propense")]
    pub(crate) model: PathBuf,
    /// Files or folders with events or summaries
    #[arg(long, required = true, num_args = 1.., value_name = "PATH")]
    pub(crate) data: Vec<PathBuf>,
    /// Earlier events of the same shop, as score takes them
    #[arg(long, num_args = 1.., value_name = "PATH")]
    pub(crate) history: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) reading: ReadingArgs,
    /// Only these sessions, by their id, or all of these users
    #[arg(long, value_name = "ID,…", value_delimiter = ',')]
    pub(crate) of: Vec<String>,
    /// Lines of a table, at most: the strongest
    #[arg(long, default_value_t = 12, value_name = "N")]
    pub(crate) top: usize,
    /// CPU threads [default: all cores]
    #[arg(long)]
    pub(crate) threads: Option<usize>,
    /// Where to write every reason: .jsonl (a session a line) or .csv (a reason a row)
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) json: JsonArgs,
}
