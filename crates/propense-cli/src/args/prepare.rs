//! What a shop's files are: `prepare`, `inspect`.

use std::path::PathBuf;

use clap::Args;

use super::{JsonArgs, ReadingArgs};

/// Turn files of any supported format, however large, into one clean table of events
#[derive(Debug, Args)]
#[command(after_help = "Example:
  propense prepare exports/ --out prepared
  propense prepare clicks.jsonl orders.csv --catalogue items.csv --out prepared
  propense prepare clicks.csv --mapping columns.json --without bot --out prepared
  propense prepare web/ till/ --mapping 'web*=web.json' --mapping '*.csv=till.json' --out prepared

Writes events.parquet (sorted by visitor and time, cut into sessions), items.parquet where there is
a catalogue, quarantine.csv (every record that was set aside, with row, rule and detail),
report.json and report.html. Records in = records out + records in quarantine, or it fails.
A run that was stopped goes on where it was; the result is the same, byte for byte.")]
pub(crate) struct PrepareArgs {
    /// Files or folders
    #[arg(required = true, value_name = "INPUT")]
    pub(crate) inputs: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) reading: ReadingArgs,
    /// Folder to write into; it is made where it is missing
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Catalogue of the items (CSV or JSON lines: item_id, item_name, item_category, item_brand,
    /// price, image_path): fills what events lack; may be given several times
    #[arg(long, value_name = "FILE")]
    pub(crate) catalogue: Vec<PathBuf>,
    /// Attributes of the users (CSV or JSON lines with user_id): go into the context as user.NAME
    #[arg(long, value_name = "FILE")]
    pub(crate) users: Vec<PathBuf>,
    /// Cleaning rules to switch off, separated by commas (docs/cleaning.md lists them)
    #[arg(long, value_name = "RULE,…", value_delimiter = ',')]
    pub(crate) without: Vec<String>,
    /// Pause that begins a new session, in minutes, where the shop names no sessions
    #[arg(long, default_value_t = 30.0, value_name = "MINUTES")]
    pub(crate) gap: f64,
    /// Begin a new session at the shop's midnight, too
    #[arg(long)]
    pub(crate) midnight: bool,
    /// First day to keep, or moment, as 2017-11-25 or 2017-11-25T08:00:00Z
    #[arg(long, value_name = "TIME")]
    pub(crate) from: Option<String>,
    /// First day, or moment, not to keep
    #[arg(long, value_name = "TIME")]
    pub(crate) to: Option<String>,
    /// The shop's currency, as EUR: amounts in others are converted by --rate or taken as missing
    #[arg(long, value_name = "CODE")]
    pub(crate) currency: Option<String>,
    /// What one unit of another currency is worth in the shop's, as USD=0.92
    #[arg(long = "rate", value_name = "CODE=NUMBER")]
    pub(crate) rates: Vec<String>,
    /// Write no report.json and no report.html, which take about a tenth of the time
    #[arg(long, conflicts_with = "json")]
    pub(crate) no_report: bool,
    /// Memory for sorting, in MiB; what does not fit goes to disk
    #[arg(long, default_value_t = 1024, value_name = "MIB")]
    pub(crate) memory: usize,
    /// Threads [default: all cores]
    #[arg(long)]
    pub(crate) threads: Option<usize>,
    #[command(flatten)]
    pub(crate) json: JsonArgs,
}

/// Show what is in a bundle or in a file of events
#[derive(Debug, Args)]
#[command(after_help = "Example:
  propense inspect giftshop.propense
  propense inspect giftshop.propense --public-key shop.pub
  propense inspect events.csv.gz --rows 20")]
pub(crate) struct InspectArgs {
    /// A bundle, or a file or folder with events
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) reading: ReadingArgs,
    /// Whose signature the bundle must have: an Ed25519 public key, PEM
    #[arg(long, value_name = "FILE")]
    pub(crate) public_key: Option<PathBuf>,
    /// Events and problems to show
    #[arg(long, default_value_t = 10, value_name = "N")]
    pub(crate) rows: usize,
    #[command(flatten)]
    pub(crate) json: JsonArgs,
}
