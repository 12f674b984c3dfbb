//! A search for sizes and training options: `tune`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{FittingArgs, JsonArgs, ReadingArgs};

/// Search for the network's best sizes and training options on the validation part
#[derive(Debug, Args)]
#[command(after_help = "Example:
  propense tune --task in-session --data data/giftshop --out search
  propense tune --task in-session --data data/giftshop --search grid --trials 36 --out search --resume
  propense tune --task in-session --data data/giftshop --space space.json --jobs 2 --out search
  propense tune --task next-day --preset base --data UserBehavior.csv --trials 24 --out search

A space is JSON, with a list of values or two ends for any of hidden, learning_rate, batch, dropout,
of seed filters and clip too, of base decay:
  {\"hidden\": [64, 128], \"learning_rate\": {\"from\": 0.0003, \"to\": 0.01}}

The built-in one is for seed the grid 16, 32, 64 filters; 64, 128 hidden units; learning rate 0.0003,
0.001, 0.003; batches of 64, 128 (of shoppers, who have no events: learning rate, batch, and dropout 0,
0.2, 0.4); for base 16, 32, 64 hidden units; learning rate 0.001, 0.002, 0.004; dropout 0.1, 0.2, 0.4;
decay 0, 0.02, 0.1. grid tries every combination, random draws, asha draws too and trains only
the best third on, twice. The test part that `train` keeps is thrown away before the first trial.

DIR gets trials.jsonl (a line for each training), trials.html, and the checkpoints. A search that was
stopped goes on with --resume, to the same result, whatever --jobs; one that is finished with --resume
and more --trials.")]
pub(crate) struct TuneArgs {
    /// What to predict: shoppers, shoppers-no-pagevalues, in-session, next-day, thirty-day
    #[arg(long)]
    pub(crate) task: String,
    /// Files or folders with events
    #[arg(long, required = true, num_args = 1.., value_name = "PATH")]
    pub(crate) data: Vec<PathBuf>,
    /// What may be chosen: a file, or built-in
    #[arg(long, default_value = "built-in", value_name = "FILE.json|built-in")]
    pub(crate) space: String,
    /// How it is chosen
    #[arg(long, value_enum, default_value_t = SearchArg::Asha)]
    pub(crate) search: SearchArg,
    /// Most combinations tried
    #[arg(long, default_value_t = 12, value_name = "N")]
    pub(crate) trials: usize,
    /// Trials that are trained at once, at most 4
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub(crate) jobs: usize,
    /// Folder of the search
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) reading: ReadingArgs,
    #[command(flatten)]
    pub(crate) fitting: FittingArgs,
    #[command(flatten)]
    pub(crate) json: JsonArgs,
}

/// How combinations are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SearchArg {
    /// Every combination
    Grid,
    /// Drawn at random
    Random,
    /// Drawn at random, the best third trained on
    Asha,
}
