//! Made-up data: `synth`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::JsonArgs;

/// Make data: the demonstration shop's from public sets, or any number of made-up events
#[derive(Debug, Args)]
#[command(after_help = "Example:
  propense synth giftshop --shoppers online_shoppers_intention.csv --retail online_retail.csv.gz --out data/giftshop
  propense synth events --rows 1000000 --out events.csv.gz")]
pub(crate) struct SynthArgs {
    #[command(subcommand)]
    pub(crate) what: SynthWhat,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SynthWhat {
    /// Real session summaries laid out as timed events over real products
    Giftshop(GiftshopArgs),
    /// Made-up events in any number, dirty on purpose, to test and time `prepare` with
    Events(EventsArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  propense synth events --rows 1000000 --out events.csv.gz

Writes FILE and FILE.manifest.json, which counts every kind of dirt that was laid in
(docs/synthetic-events.md).")]
pub(crate) struct EventsArgs {
    /// Data rows to write
    #[arg(long, value_name = "N")]
    pub(crate) rows: u64,
    /// Seed: the same rows, seed and layout give the same bytes
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// events (Propense's own columns) or taobao (five columns, no header)
    #[arg(long, default_value = "events", value_name = "LAYOUT")]
    pub(crate) layout: propense_synth::EventsLayout,
    /// File to write; gzip where the name ends in .gz
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) json: JsonArgs,
}

#[derive(Debug, Args)]
pub(crate) struct GiftshopArgs {
    /// UCI Online Shoppers Purchasing Intention: the CSV file, plain or gzip
    #[arg(long, value_name = "PATH")]
    pub(crate) shoppers: PathBuf,
    /// UCI Online Retail: its table as a CSV file, plain or gzip
    #[arg(long, value_name = "PATH")]
    pub(crate) retail: PathBuf,
    /// Folder to write into
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Seed: the same seed gives the same files; 7 gives those in data/giftshop
    #[arg(long, default_value_t = propense_synth::GiftshopOptions::default().seed)]
    pub(crate) seed: u64,
    #[command(flatten)]
    pub(crate) json: JsonArgs,
}
