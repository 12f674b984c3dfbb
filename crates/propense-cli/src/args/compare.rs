//! Structures side by side: `compare`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{FittingArgs, JsonArgs, ReadingArgs};

/// Train several structures and baselines on one split and measure them on the same held-back part
#[derive(Debug, Args)]
#[command(after_help = "Example:
  propense compare --task in-session --data data/giftshop --structures seed,base,trees --report compare.html
  propense compare --task in-session --data a.csv --test b.csv --structures seed --seeds 5
  propense compare --task in-session --data a.csv --structures seed --ablate augmentation --seeds 3
  propense compare --task in-session --data a.csv --structures seed,gru --ablate objectives
  propense compare --task in-session --data a.csv --structures base --train-shares 0.1,0.25,0.5,1

Structures: seed, base, conv, lstm, gru, conv-lstm-items, conv-attention, transformer, context; and trees,
logistic, base-rate to be better than. next-item has its own: the recommender beside popularity, the last
items again, item-kNN, V-SKNN and GRU4Rec; it needs --test. All others learn from the training part, stop early and are calibrated on the
validation part, which also chooses, and are measured on the test part: that of `train`, or --test.
Differences are paired: users are drawn again, the same for all. docs/comparison.md has the tables.")]
pub(crate) struct CompareArgs {
    /// What to predict: shoppers, shoppers-no-pagevalues, in-session, next-day, thirty-day,
    /// next-item
    #[arg(long)]
    pub(crate) task: String,
    /// Files or folders with events
    #[arg(long, required = true, num_args = 1.., value_name = "PATH")]
    pub(crate) data: Vec<PathBuf>,
    /// Files or folders to measure on, in the place of the test part of --data
    #[arg(long, num_args = 1.., value_name = "PATH")]
    pub(crate) test: Vec<PathBuf>,
    /// Who takes part [default: all that the task has something for; with --ablate or --train-shares: seed; with --ablate recipe: base]
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub(crate) structures: Vec<String>,
    /// Trainings of each, from different seeds: the table has their mean and their spread
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub(crate) seeds: usize,
    /// augmentation: each structure without, with each way to augment alone, and with all together;
    /// recipe: base, and base with one thing of how it is trained taken away or added; objectives: each
    /// structure that reads events in turn, and the same forecasting what comes next as well, or beforehand
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(crate) ablate: Option<Ablation>,
    /// Each structure on these shares of the training part
    #[arg(long, value_name = "SHARE,…", value_delimiter = ',')]
    pub(crate) train_shares: Vec<f64>,
    /// Measure on changed test parts too: events lost, a late start, new items, another pace
    #[arg(long)]
    pub(crate) shift: bool,
    #[command(flatten)]
    pub(crate) reading: ReadingArgs,
    #[command(flatten)]
    pub(crate) fitting: FittingArgs,
    #[command(flatten)]
    pub(crate) json: JsonArgs,
    /// Write a page with the table and its intervals as a chart
    #[arg(long, value_name = "FILE.html")]
    pub(crate) report: Option<PathBuf>,
}

/// What is taken away or added one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Ablation {
    /// The ways to augment the training fold
    Augmentation,
    /// The recipe of base
    Recipe,
    /// What else is forecast
    Objectives,
}
