//! What the score is for: `demand`, `segment` and `recommend`.

use std::path::PathBuf;

use clap::Args;

use super::{JsonArgs, ReadingArgs, RunningArgs};

/// Forecast what will sell, and advise when to order how much
#[derive(Debug, Args)]
#[command(after_help = "Example:
  propense demand --data orders.csv --stock stock.csv --out order-list.csv --report demand.html
  propense demand --data orders.csv --lead 3 --service 0.97 --margin 0.45 --json -

Eleven ways to forecast are compared on the weeks held back: the older half of them chooses, the newer half
measures. Where a textbook method wins, it is used, and the table says so. Weeks are counted back from the
last order; weeks without any order in the shop count as closed.

--out holds a row an item: expected units and interval for each week and until delivery, reorder
point, order quantity, what to order now (where --stock tells what is there), and cautions in
words. docs/demand.md has the formulas.")]
pub(crate) struct DemandArgs {
    /// Files or folders with orders
    #[arg(long, required = true, num_args = 1.., value_name = "PATH")]
    pub(crate) data: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) reading: ReadingArgs,
    /// Weeks to forecast
    #[arg(long, default_value_t = 4, value_name = "WEEKS")]
    pub(crate) weeks: usize,
    /// Weeks from an order to the supplier until the goods are on the shelf
    #[arg(long, default_value_t = 2, value_name = "WEEKS")]
    pub(crate) lead: usize,
    /// Probability that stock lasts until the next delivery [default: follows from the costs]
    #[arg(long, value_name = "SHARE")]
    pub(crate) service: Option<f64>,
    /// What a sale brings beyond the cost of the goods, as a share of the price
    #[arg(long, default_value_t = 0.5, value_name = "SHARE")]
    pub(crate) margin: f64,
    /// Cost of keeping goods for a year, as a share of what they cost
    #[arg(long, default_value_t = 0.25, value_name = "SHARE")]
    pub(crate) holding: f64,
    /// Cost of a missed sale, as a share of the margin it would have brought
    #[arg(long, default_value_t = 1.0, value_name = "SHARE")]
    pub(crate) stock_out: f64,
    /// Cost of ordering one item once, in the shop's currency
    #[arg(long, default_value_t = 2.0, value_name = "AMOUNT")]
    pub(crate) order_cost: f64,
    /// Weeks that an order lasts where no price is known
    #[arg(long, default_value_t = 4.0, value_name = "WEEKS")]
    pub(crate) cover: f64,
    /// What is there: CSV with item_id, on_hand and, if known, on_order, pack, unit_cost
    #[arg(long, value_name = "FILE.csv")]
    pub(crate) stock: Option<PathBuf>,
    /// Propensities of items over time, to forecast with: CSV with item_id, time, propensity
    #[arg(long, value_name = "FILE.csv")]
    pub(crate) propensities: Option<PathBuf>,
    /// auto, or naive, seasonal-naive, moving-average, exponential, damped, croston, sba, tsb,
    /// own-weeks, pooled, combined
    #[arg(long, default_value = "auto")]
    pub(crate) method: String,
    /// Probability of the intervals
    #[arg(long, default_value_t = 0.8, value_name = "SHARE")]
    pub(crate) interval: f64,
    /// Weeks held back to choose the method and to measure it
    #[arg(long, default_value_t = 16, value_name = "WEEKS")]
    pub(crate) held_back: usize,
    /// Further identifiers that are no goods, separated by commas, beside POST, DOT, M and the like
    #[arg(long, value_name = "ID,…", value_delimiter = ',')]
    pub(crate) ignore: Vec<String>,
    /// Look no further than this day, or moment, as 2011-11-01
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
    /// Write the plan of every item: .csv or .parquet
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Write a page to read and print
    #[arg(long, value_name = "FILE.html")]
    pub(crate) report: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) json: JsonArgs,
}

/// Choose whom to address, within a budget or for a profit
#[derive(Debug, Args)]
#[command(after_help = "Example:
  propense segment --data orders.csv --budget 200 --contact-cost 0.5 --out mailing.csv --report segment.html
  propense segment --data orders.csv --model thirty-day.propense --treatments last-mailing.csv --out mailing.csv

Propensities (an order within thirty days) come from --model, a bundle of the task thirty-day, or
from --scores, which `propense score` writes; without either, a regression on recency, frequency
and turnover is learnt from the earlier months of --data. What --model and the rules do on months
held back is measured, and the better score is used.

--out holds a row a customer: segment, propensity, decision (address, holdout, capped,
beyond-budget, not-worth-it), expected profit, habits. --ads holds the SHA-256 of the identifiers
of those to address. Without --treatments nobody knows who would order anyway: the figures say so.
docs/segment.md has the formulas.")]
pub(crate) struct SegmentArgs {
    /// Files or folders with orders
    #[arg(long, required = true, num_args = 1.., value_name = "PATH")]
    pub(crate) data: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) reading: ReadingArgs,
    #[command(flatten)]
    pub(crate) running: RunningArgs,
    /// A bundle of the task thirty-day, to score with
    #[arg(long, value_name = "FILE.propense", conflicts_with = "scores")]
    pub(crate) model: Option<PathBuf>,
    /// Scores by customer: CSV with user and propensity
    #[arg(long, value_name = "FILE.csv")]
    pub(crate) scores: Option<PathBuf>,
    /// What an order brings beyond the cost of the goods, as a share of its value
    #[arg(long, default_value_t = 0.4, value_name = "SHARE")]
    pub(crate) margin: f64,
    /// The discount offered, as a share of an order's value
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    pub(crate) discount: f64,
    /// Cost of one contact, in the shop's currency
    #[arg(long, default_value_t = 0.1, value_name = "AMOUNT")]
    pub(crate) contact_cost: f64,
    /// What all contacts may cost
    #[arg(long, value_name = "AMOUNT")]
    pub(crate) budget: Option<f64>,
    /// The profit to reach with as few contacts as can be
    #[arg(long, value_name = "AMOUNT")]
    pub(crate) target_profit: Option<f64>,
    /// Contacts that are enough, in so many days, as 2/30; needs --contacts
    #[arg(long, value_name = "N/DAYS", requires = "contacts")]
    pub(crate) cap: Option<String>,
    /// Earlier contacts: CSV with customer_id and time
    #[arg(long, value_name = "FILE.csv")]
    pub(crate) contacts: Option<PathBuf>,
    /// Share of those worth addressing who are held out, to measure by
    #[arg(long, default_value_t = 0.1, value_name = "SHARE")]
    pub(crate) holdout: f64,
    /// Seed of the holdout group: the same seed holds out the same customers
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// An earlier mailing: CSV with customer_id, time, treated and ordered (1 or 0)
    #[arg(long, value_name = "FILE.csv")]
    pub(crate) treatments: Option<PathBuf>,
    /// Months held back to measure on
    #[arg(long, default_value_t = 3, value_name = "MONTHS")]
    pub(crate) months: usize,
    /// Look no further than this day, or moment, as 2011-11-01
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
    /// Write every customer with the decision: .csv or .parquet
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Write the SHA-256 of the identifiers of those to address, as ad tools take them
    #[arg(long, value_name = "FILE.csv")]
    pub(crate) ads: Option<PathBuf>,
    /// Write a page to read and print
    #[arg(long, value_name = "FILE.html")]
    pub(crate) report: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) json: JsonArgs,
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
    /// What is known of the items: CSV with item_id, each once, and any of item_name, item_category,
    /// price, margin (share of the price), stock; items that nobody clicked yet are then listed too
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
