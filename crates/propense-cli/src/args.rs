//! What can be typed. Nothing is opened or checked against the disk here.

mod apps;
mod compare;
mod explain;
mod learn;
#[cfg(feature = "serve")]
mod seconds;
#[cfg(feature = "serve")]
mod serve;
mod sign;
mod tune;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use apps::{DemandArgs, SegmentArgs};
pub(crate) use compare::{Ablation, CompareArgs};
pub(crate) use explain::ExplainArgs;
pub(crate) use learn::{DriftArgs, UpdateArgs};
#[cfg(feature = "serve")]
pub(crate) use serve::{ContributionArgs, LearningArgs, ServeArgs};
pub(crate) use sign::SignArgs;
pub(crate) use tune::{SearchArg, TuneArgs};

/// Learns how likely a shopper is to buy, from a shop's own events.
#[derive(Debug, Parser)]
#[command(name = "propense", version, arg_required_else_help = true, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "Example, from shop data to a bundle that a browser can load:
  propense train --task in-session --data data/giftshop --out models/giftshop.propense
  propense evaluate --model models/giftshop.propense --data data/giftshop --report report.html

Exit status: 0 fine, 1 failed or stopped by Ctrl-C, 2 wrong use.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Prepare(PrepareArgs),
    Train(TrainArgs),
    Evaluate(EvaluateArgs),
    Eval(EvalArgs),
    Compare(CompareArgs),
    Tune(TuneArgs),
    Score(ScoreArgs),
    Explain(ExplainArgs),
    Segment(SegmentArgs),
    Demand(DemandArgs),
    Recommend(RecommendArgs),
    #[cfg(feature = "serve")]
    Serve(ServeArgs),
    Update(UpdateArgs),
    Drift(DriftArgs),
    Synth(SynthArgs),
    Inspect(InspectArgs),
    Sign(SignArgs),
}

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

/// Train a model and write it as a bundle
#[derive(Debug, Args)]
#[command(after_help = "Example:
  propense train --task in-session --data data/giftshop --out giftshop.propense
  propense train --task in-session --data data/giftshop --out giftshop.propense --resume

The data is split into a training part, a validation part (early stopping, calibration, threshold)
and a test part (measured once), by the task:
  in-session   70, 15 and 15 % of the sessions by their start; a user stays in the part where they
               were first seen, their sessions in other parts are left out
  next-day     70, 15 and 15 % of the users, with all their days
  thirty-day   month by month: the last for test, the two before it for validation
  shoppers     70, 15 and 15 % of the sessions at random with equal base rates: they have no times

Ctrl-C stops after the current step; the best complete epoch is still written. A second one ends
at once. --resume goes on from the checkpoint.")]
pub(crate) struct TrainArgs {
    /// What to predict: shoppers, shoppers-no-pagevalues, in-session, next-day, thirty-day
    #[arg(long)]
    pub(crate) task: String,
    /// Files or folders with events
    #[arg(long, required = true, num_args = 1.., value_name = "PATH")]
    pub(crate) data: Vec<PathBuf>,
    /// The bundle to write
    #[arg(long, value_name = "FILE.propense")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) reading: ReadingArgs,
    #[command(flatten)]
    pub(crate) fitting: FittingArgs,
    /// Name of the model in the bundle [default: the bundle's file name]
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Catalogue of the items that a page can recommend, to be served beside the bundle: JSON with
    /// a list `items`
    #[arg(long, value_name = "FILE.json")]
    pub(crate) catalogue: Option<PathBuf>,
    /// How the weights are stored
    #[arg(long, value_enum, default_value_t = PrecisionArg::F32)]
    pub(crate) precision: PrecisionArg,
    /// Licence of the model, as in `CC-BY-4.0`, kept in the bundle
    #[arg(long, default_value = "unspecified")]
    pub(crate) licence: String,
    /// Time of making, kept in the bundle (RFC 3339) [default: now]
    #[arg(long, value_name = "TIME")]
    pub(crate) created_at: Option<String>,
    #[command(flatten)]
    pub(crate) json: JsonArgs,
}

/// Measure a bundle on data that it has not learnt from
#[derive(Debug, Args)]
#[command(after_help = "Example:
  propense evaluate --model giftshop.propense --data newer-events --json metrics.json --report report.html

  propense evaluate --model new.propense --against live.propense --data newer-events --report report.html

Calibration and threshold come from the bundle; nothing is fitted here. --against measures a second
bundle on the same examples: differences with users drawn again (95 %), DeLong's test of the ROC-AUCs,
and both by segment. --train tries to tell the examples of --data from those that were learnt from
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
in time. next-item takes no --preset, --device or limits of training: a visit is ranked after each
of its clicks, by a recommender that --train alone has taught. Ctrl-C ends without a result.")]
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
    /// Score after the first K events (a shorter session after its last); in-session only
    #[arg(long, value_name = "K")]
    pub(crate) after: Option<usize>,
    /// Where to write: .csv or .jsonl
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

/// List for each visitor what they are likely to want to see next
#[derive(Debug, Args)]
#[command(after_help = "Example:
  propense recommend --data data/giftshop --session today.csv --k 8 --out picks.csv
  propense recommend --data orders.csv --catalogue items.csv --in-stock --out home-page.csv --report picks.html
  propense recommend --data orders.csv views.csv --log shown-by-lot.csv --out home-page.csv --json -

Four recommenders are compared on the latest sixth of the visits, and the one with the highest
NDCG is used; the table says which, and by how much (docs/recommendation.md). Without --session one
list is made, for a visitor of whom nothing is known. --log tells what each would have earned.")]
pub(crate) struct RecommendArgs {
    /// Files or folders with events to learn from
    #[arg(long, required = true, num_args = 1.., value_name = "PATH")]
    pub(crate) data: Vec<PathBuf>,
    /// Events of the visits that are to be given a list
    #[arg(long, value_name = "FILE")]
    pub(crate) session: Option<PathBuf>,
    /// What is known of the items: CSV with item_id and any of item_name, item_category, price,
    /// margin (share of the price), stock; items that nobody clicked yet are then listed too
    #[arg(long, value_name = "FILE")]
    pub(crate) catalogue: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) reading: ReadingArgs,
    /// Length of a list
    #[arg(long, default_value_t = 8)]
    pub(crate) k: usize,
    /// Leave out items without stock; one whose stock is not known stays
    #[arg(long)]
    pub(crate) in_stock: bool,
    /// Lowest price
    #[arg(long, value_name = "PRICE")]
    pub(crate) price_from: Option<f64>,
    /// Highest price
    #[arg(long, value_name = "PRICE")]
    pub(crate) price_to: Option<f64>,
    /// How much profit counts: a score is multiplied by 1 + WEIGHT x margin
    #[arg(long, default_value_t = 0.0, value_name = "WEIGHT")]
    pub(crate) margin_weight: f64,
    /// How much each further item of a category is held back, 0 to 1
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    pub(crate) diversity: f64,
    /// List items again that the visit has already seen; never those in the cart or bought
    #[arg(long)]
    pub(crate) seen_too: bool,
    /// Identifiers that are no goods, separated by commas; in orders beside POST, DOT, M and the like
    #[arg(long, value_name = "ID,…", value_delimiter = ',')]
    pub(crate) ignore: Vec<String>,
    /// Seed of what is random in learning
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Also write the table by which a page recommends: served in place of a catalogue
    #[arg(long, value_name = "FILE.items")]
    pub(crate) export_table: Option<PathBuf>,
    /// Lists that were shown by lot, to judge recommenders by: CSV with session_id (or user_id), time,
    /// item_id, propensity (probability that the item was in the list) and reward (clicked or bought)
    #[arg(long, value_name = "FILE.csv")]
    pub(crate) log: Option<PathBuf>,
    /// Where to write the lists: .csv, .parquet or .jsonl
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Write a page to read and print
    #[arg(long, value_name = "FILE.html")]
    pub(crate) report: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) json: JsonArgs,
}

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

/// How files are read.
#[derive(Debug, Clone, Args)]
pub(crate) struct ReadingArgs {
    /// Format of the files: auto, events, jsonl, ga4, segment, snowplow, retailrocket, rees46,
    /// yoochoose, otto, taobao, jdata, jd-micro, online-retail, online-shoppers, csv
    #[arg(long, default_value = "auto")]
    pub(crate) format: String,
    /// Column names of CSV files or JSON lines, as JSON (see docs/cli.md): one file for all, or
    /// PATTERN=FILE.json for the files with such a name; may be given several times
    #[arg(long = "mapping", value_name = "[PATTERN=]FILE.json")]
    pub(crate) mappings: Vec<String>,
    /// Text encoding of the files where it is not UTF-8, by its name on the web: windows-1252
    #[arg(long, value_name = "NAME")]
    pub(crate) encoding: Option<String>,
}

/// Where the work runs.
#[derive(Debug, Clone, Args)]
pub(crate) struct RunningArgs {
    /// Device: auto takes a hardware GPU where there is one, else the CPU
    #[arg(long, default_value = "auto", value_name = "auto|cpu|wgpu|cuda")]
    pub(crate) device: String,
    /// CPU threads [default: all cores]
    #[arg(long)]
    pub(crate) threads: Option<usize>,
}

/// How a model is fitted.
#[derive(Debug, Clone, Args)]
pub(crate) struct FittingArgs {
    /// The network: seed is the published one, base an ensemble of small networks that reads the
    /// context and the newest event's row [default: base of eval, seed of train]
    #[arg(long)]
    pub(crate) preset: Option<String>,
    #[command(flatten)]
    pub(crate) running: RunningArgs,
    /// Most epochs [default: 200; base: 60]
    #[arg(long)]
    pub(crate) epochs: Option<usize>,
    /// Activation of the LSTM: relu is the article's variant, which needs --clip
    #[arg(long, value_enum, default_value_t = ActivationArg::Tanh)]
    pub(crate) activation: ActivationArg,
    /// Sessions in a batch [default: 128; base: 256]
    #[arg(long)]
    pub(crate) batch: Option<usize>,
    /// Learning rate of Adam [default: 0.001; base: 0.002, falling to 0]
    #[arg(long)]
    pub(crate) learning_rate: Option<f32>,
    /// Convolution filters of seed [default: 32]
    #[arg(long)]
    pub(crate) filters: Option<usize>,
    /// Hidden units of seed's LSTM [default: 128]
    #[arg(long)]
    pub(crate) hidden: Option<usize>,
    /// Share of the units that seed leaves out before its output, in training [default: 0]
    #[arg(long, value_name = "SHARE")]
    pub(crate) dropout: Option<f64>,
    /// What makes more of the training part: crop, mask, substitute, jitter, resample [default: none,
    /// which measured best: docs/comparison.md]
    #[arg(long, value_name = "KIND,…", value_delimiter = ',')]
    pub(crate) augment: Vec<String>,
    /// Share of the training part's users (or sessions) to learn from [default: 1]
    #[arg(long, value_name = "SHARE")]
    pub(crate) train_share: Option<f64>,
    /// Epochs without a lower validation log-loss before training stops [default: 10; base: 8]
    #[arg(long)]
    pub(crate) patience: Option<usize>,
    /// Largest norm of the gradient over all weights; 0 for no limit; of seed alone
    #[arg(long, default_value_t = 5.0)]
    pub(crate) clip: f32,
    /// Seed: the same seed on the same CPU gives the same weights
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Events of a session that are learnt from, at most; measuring looks at all
    #[arg(long, default_value_t = 64)]
    pub(crate) max_events: usize,
    /// How far ahead in-session looks: session (to its end), or 30m, 12h, 7d from each event on,
    /// into the user's later sessions too
    #[arg(long, default_value = "session", value_name = "session|N(m|h|d)")]
    pub(crate) horizon: String,
    /// In-session: an order of the very item that the newest event is about
    #[arg(long)]
    pub(crate) this_item: bool,
    /// Begin a new session at the shop's midnight, too, where the shop names no sessions
    #[arg(long)]
    pub(crate) midnight: bool,
    /// Minutes after which no further epoch begins
    #[arg(long, value_name = "MINUTES")]
    pub(crate) minutes: Option<f64>,
    /// Folder for the state after each epoch [default of train: OUT.checkpoint, beside the bundle]
    #[arg(long, value_name = "DIR")]
    pub(crate) checkpoint: Option<PathBuf>,
    /// Continue from the checkpoint
    #[arg(long)]
    pub(crate) resume: bool,
    /// Plain lines instead of the terminal display
    #[arg(long)]
    pub(crate) plain: bool,
}

/// Where the table goes as JSON.
#[derive(Debug, Clone, Args)]
pub(crate) struct JsonArgs {
    /// Write the figures as JSON; - for standard output instead of the table
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}

/// Activation of the LSTM's candidate and output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ActivationArg {
    /// Hyperbolic tangent
    Tanh,
    /// Rectified linear, unbounded
    Relu,
}

/// How weights are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PrecisionArg {
    /// 32-bit floats
    F32,
    /// 16-bit floats
    F16,
    /// 8-bit integers with a scale for each channel
    Int8,
    /// The same with 31 steps: compresses best
    Int5,
}
