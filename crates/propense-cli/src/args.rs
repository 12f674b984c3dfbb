//! What can be typed. Nothing is opened or checked against the disk here.

mod apps;
mod compare;
mod explain;
mod learn;
mod measure;
mod prepare;
#[cfg(feature = "serve")]
mod seconds;
#[cfg(feature = "serve")]
mod serve;
mod sign;
mod synth;
mod tune;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use apps::{DemandArgs, RecommendArgs, SegmentArgs};
pub(crate) use compare::{Ablation, CompareArgs};
pub(crate) use explain::ExplainArgs;
pub(crate) use learn::{DriftArgs, UpdateArgs};
pub(crate) use measure::{EvalArgs, EvaluateArgs, ScoreArgs};
pub(crate) use prepare::{InspectArgs, PrepareArgs};
#[cfg(feature = "serve")]
pub(crate) use serve::{ContributionArgs, LearningArgs, ServeArgs};
pub(crate) use sign::SignArgs;
pub(crate) use synth::{EventsArgs, GiftshopArgs, SynthArgs, SynthWhat};
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

/// Train a model and write it as a bundle
#[derive(Debug, Args)]
#[command(after_help = "Example:
  propense train --task in-session --data data/giftshop --out giftshop.propense
  propense train --task in-session --data data/giftshop --out giftshop.propense --resume

The data is split into a training part, a validation part (early stopping, calibration, threshold)
and a test part (measured once), by the task:
  in-session   70, 15 and 15 % of the sessions by their start; a user stays in the part where they
               were first seen, their sessions in other parts are left out. Where that would leave
               out more than half of the validation or the test part, 70, 15 and 15 % of the users,
               each with all sessions; once these are measured, the bundle learns again, from the
               test part too
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
    #[command(flatten)]
    pub(crate) deciding: DecidingArgs,
    /// Name of the model in the bundle [default: the bundle's file name]
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Catalogue of the items that a page can recommend, to be served beside the bundle: JSON with
    /// a list `items`, or the item table that `recommend --export-table` writes
    #[arg(long, value_name = "FILE")]
    pub(crate) catalogue: Option<PathBuf>,
    /// How the weights are stored
    #[arg(long, value_enum, default_value_t = PrecisionArg::F32)]
    pub(crate) precision: PrecisionArg,
    /// In what numbers a GPU trains --preset seed
    #[arg(long, value_enum, default_value_t = ArithmeticArg::F32)]
    pub(crate) arithmetic: ArithmeticArg,
    /// Licence of the model, as in `CC-BY-4.0`, kept in the bundle
    #[arg(long, default_value = "unspecified")]
    pub(crate) licence: String,
    /// Time of making, kept in the bundle (RFC 3339) [default: now]
    #[arg(long, value_name = "TIME")]
    pub(crate) created_at: Option<String>,
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
    /// Activation of seed's LSTM: relu is the article's variant, which needs --clip [default: tanh]
    #[arg(long, value_enum)]
    pub(crate) activation: Option<ActivationArg>,
    /// Sessions in a batch [default: 128; base: 256]
    #[arg(long)]
    pub(crate) batch: Option<usize>,
    /// Learning rate of Adam [default: 0.001; base: 0.002, falling to 0]
    #[arg(long)]
    pub(crate) learning_rate: Option<f32>,
    /// Convolution filters of seed [default: 32]
    #[arg(long)]
    pub(crate) filters: Option<usize>,
    /// Hidden units of seed's LSTM [default: 128], or of each layer of a member of base [default: 32]
    #[arg(long)]
    pub(crate) hidden: Option<usize>,
    /// Share of the units left out in training: before the output of seed [default: 0], in the layers
    /// of base [default: 0.2]
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
    /// Largest norm of the gradient over all weights; 0 for no limit; of seed alone [default: 5]
    #[arg(long)]
    pub(crate) clip: Option<f32>,
    /// Weight decay of AdamW; of base alone [default: 0.02]
    #[arg(long)]
    pub(crate) decay: Option<f32>,
    /// Seed: the same seed on the same CPU gives the same weights
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Events of a session that are learnt from, at most; measuring looks at all [default: 64]
    #[arg(long)]
    pub(crate) max_events: Option<usize>,
    /// How far ahead in-session looks: session (to its end), or 30m, 12h, 7d from each event on,
    /// into the user's later sessions too [default: session]
    #[arg(long, value_name = "session|N(m|h|d)")]
    pub(crate) horizon: Option<String>,
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

/// How scores become probabilities and decisions.
#[derive(Debug, Clone, Args)]
pub(crate) struct DecidingArgs {
    /// Curve from logit to probability, fitted on the validation part: none, temperature, platt,
    /// isotonic, or best, the one of these with the lowest log-loss by turns of the users
    #[arg(long, default_value = "platt", value_name = "KIND")]
    pub(crate) calibration: String,
    /// From which probability on a session counts as likely to buy: f1 (the highest F1),
    /// precision:SHARE (the most orders found with at least this precision), cost:GAIN:COST (what
    /// acting brings on a buyer and costs on another), or a probability
    #[arg(long, default_value = "f1", value_name = "RULE")]
    pub(crate) threshold: String,
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

/// In what numbers training computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ArithmeticArg {
    /// 32-bit floats
    F32,
    /// 16-bit floats in the LSTM's products, summed up in 32 bits; the GPU must have them
    Mixed,
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
