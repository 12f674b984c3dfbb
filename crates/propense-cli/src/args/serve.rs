//! `serve`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::seconds::duration;

/// Serve models to pages and take events from the shop: bundles and their roll-out, scores, metrics
#[derive(Debug, Args)]
#[command(after_help = "Example:
  propense serve --dir state --model models/giftshop.propense --token-file token
  curl -H \"Authorization: Bearer $(cat token)\" --data-binary @events.jsonl http://127.0.0.1:8080/v1/events

Prints the address once it listens. Ctrl-C, or SIGTERM, finishes the requests in progress and ends;
an event is on disk before it is acknowledged, so that even kill -9 loses none. docs/serve.md has the
routes.

With --learn it follows the shop: rounds of `propense update` over the stored events, on a thread of
low priority. A candidate that is proven better goes live, any other is kept with the reason.

The token (at least 16 characters) is asked of whoever writes. It comes from --token-file or the
variable PROPENSE_TOKEN. PROPENSE_LOG says how much is logged: warn, info, propense_serve=debug.")]
pub(crate) struct ServeArgs {
    /// Folder for bundles and the database; it is made where it is missing
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// Where to listen; port 0 for any that is free
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS:PORT")]
    pub(crate) listen: SocketAddr,
    /// Database, as postgres://USER@HOST/NAME or sqlite:FILE [default: propense.db in --dir]
    #[arg(long, value_name = "URL")]
    pub(crate) database: Option<String>,
    /// Bundle to begin with, where none is promoted yet
    #[arg(long, value_name = "FILE.propense")]
    pub(crate) model: Option<PathBuf>,
    /// File that holds the token
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// Let nobody write; without a token, everybody may have sessions scored
    #[arg(long)]
    pub(crate) read_only: bool,
    /// Folder whose files are served at /: the shop's page, the JavaScript module
    #[arg(long, value_name = "DIR")]
    pub(crate) r#static: Option<PathBuf>,
    /// Take events from a Redis stream, too: the field `event` of each entry
    #[arg(long, value_name = "redis://HOST/STREAM")]
    pub(crate) stream: Option<String>,
    /// Requests a second from one address; 0 for no limit
    #[arg(long, default_value_t = 500, value_name = "N")]
    pub(crate) rate: u32,
    /// Events taken and not yet on disk, over all requests; beyond it requests are told to come again
    #[arg(long, default_value_t = 100_000, value_name = "EVENTS")]
    pub(crate) queue: usize,
    /// Threads that answer requests [default: all cores]
    #[arg(long)]
    pub(crate) threads: Option<usize>,
    #[command(flatten)]
    pub(crate) learning: LearningArgs,
    #[command(flatten)]
    pub(crate) contributions: ContributionArgs,
}

/// Improving the model's head by what browsers contribute
#[derive(Debug, Args)]
#[command(next_help_heading = "Contributions")]
pub(crate) struct ContributionArgs {
    /// Take contributions of browsers: so many make a candidate (docs/on-device.md)
    #[arg(long, conflicts_with = "read_only", value_name = "N")]
    pub(crate) contributions: Option<usize>,
    /// Privacy budget: ε of a visitor who contributes to all rounds
    #[arg(
        long,
        requires = "contributions",
        default_value_t = 8.0,
        value_name = "EPSILON"
    )]
    pub(crate) contributions_epsilon: f64,
    /// δ of that ε
    #[arg(
        long,
        requires = "contributions",
        default_value_t = 1e-6,
        value_name = "DELTA"
    )]
    pub(crate) contributions_delta: f64,
    /// Rounds that the budget is to last for; more of them mean more noise in each
    #[arg(
        long,
        requires = "contributions",
        default_value_t = 5,
        value_name = "ROUNDS"
    )]
    pub(crate) contributions_rounds: u32,
    /// Contributions a minute from one address
    #[arg(
        long,
        requires = "contributions",
        default_value_t = 60,
        value_name = "N"
    )]
    pub(crate) contributions_rate: u32,
}

/// Learning from the events that come in
#[derive(Debug, Args)]
#[command(next_help_heading = "Learning")]
pub(crate) struct LearningArgs {
    /// Train the live model on with the events that come in; a better one is promoted
    #[arg(long, conflicts_with = "read_only")]
    pub(crate) learn: bool,
    /// Shortest time between two rounds of learning, as 30s, 10m, 6h or 1d
    #[arg(long, requires = "learn", default_value = "1h", value_name = "DURATION", value_parser = duration)]
    pub(crate) learn_every: Duration,
    /// Finished sessions that must be new for a round
    #[arg(
        long,
        requires = "learn",
        default_value_t = 500,
        value_name = "SESSIONS"
    )]
    pub(crate) learn_least: usize,
    /// Share of the visitors who get a better model, in percent; below 100 the next round waits
    /// until it is promoted to everybody or taken back
    #[arg(
        long,
        requires = "learn",
        default_value_t = 100,
        value_name = "PERCENT"
    )]
    pub(crate) learn_percentage: i64,
    /// Files or folders with earlier events, of which a sample is learnt again
    #[arg(long, requires = "learn", num_args = 1.., value_name = "PATH")]
    pub(crate) learn_replay: Vec<PathBuf>,
    /// Stored events that a round reads, the newest
    #[arg(
        long,
        requires = "learn",
        default_value_t = 1_000_000,
        value_name = "EVENTS"
    )]
    pub(crate) learn_events: usize,
    /// Threads that learn, at low priority
    #[arg(long, requires = "learn", default_value_t = 1, value_name = "N")]
    pub(crate) learn_threads: usize,
    /// Most epochs of a round
    #[arg(long, requires = "learn", default_value_t = 3, value_name = "N")]
    pub(crate) learn_epochs: usize,
}
