//! `report.json`: every figure of the data report.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::drift::Drift;
use super::intake::{Counted, FileFigures, Intake, Records};
use super::warning::Warning;

/// The shares at which [`Distribution::quantiles`] stand.
pub(crate) const QUANTILES: [f64; 7] = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99];

/// The data report.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct DataReport {
    /// Version of this structure.
    pub version: u32,
    /// Name for people: those of the inputs.
    pub name: String,
    /// Whether the table is fit to learn from.
    pub verdict: Verdict,
    /// What should be looked at, the gravest first.
    pub warnings: Vec<Warning>,
    /// Records in = out + quarantined.
    pub records: Records,
    /// The inputs.
    pub files: Vec<FileFigures>,
    /// Records set aside, by rule.
    pub set_aside: Vec<Counted>,
    /// Records kept with a repair, by rule.
    pub repaired: Vec<Counted>,
    /// How sources were joined and visitors recognised again.
    pub joins: Vec<Counted>,
    /// From the first to the last event; `None` where there is none.
    pub span: Option<Span>,
    /// How much of everything.
    pub totals: Totals,
    /// Over time.
    pub volumes: Volumes,
    /// Events by local weekday (Monday first) and hour: 7 × 24.
    pub week: Vec<u64>,
    /// From a view to an order, by sessions.
    pub funnel: Vec<Step>,
    /// The kinds of events, the most frequent first.
    pub kinds: Vec<KindFigures>,
    /// What is missing where.
    pub missing: Missing,
    /// How long sessions are.
    pub sessions: Sessions,
    /// How often the label is positive.
    pub balance: Balance,
    /// Who the events come from.
    pub visitors: Visitors,
    /// How interactions are spread over items.
    pub items: Concentration,
    /// The same over category paths, and the outermost categories by name.
    pub categories: Categories,
    /// Distributions of numbers that stand at events.
    pub features: Vec<Feature>,
    /// Currencies, by lines that carry a price or value.
    pub currencies: BTreeMap<String, u64>,
    /// How later parts of the time differ from the first; `None` where the time cannot be split.
    pub drift: Option<Drift>,
}

/// Whether a table is fit to learn from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing stands in the way.
    #[default]
    Ready,
    /// Something should be looked at first.
    WithCare,
    /// Something must be mended first.
    NotYet,
}

/// A period, in the shop's time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Span {
    /// Time of the first event, in milliseconds since 1970 (UTC).
    pub first: i64,
    /// Time of the last.
    pub last: i64,
    /// First day of the main period: days since 1970, local. See [`Volumes`].
    pub first_day: i64,
    /// Last day of the main period.
    pub last_day: i64,
    /// Events before and after the main period.
    pub outside: u64,
}

/// How much of everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Totals {
    /// Lines of the table: one for each item of an event.
    pub lines: u64,
    /// Events.
    pub events: u64,
    /// Sessions.
    pub sessions: u64,
    /// Sessions with an order.
    pub order_sessions: u64,
    /// Orders.
    pub orders: u64,
    /// Visitors: users, browsers, and visits of neither.
    pub visitors: u64,
}

/// Events, orders and sessions over time. The main period goes from the first to the last day
/// that is about as busy as usual (`docs/data-report.md`): a few stray timestamps must not stretch
/// the picture.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Volumes {
    /// Hours in a slot: 1, 24, or 168 where there are very many days.
    pub slot_hours: u32,
    /// The slots with anything in them, in order.
    pub slots: Vec<Slot>,
    /// Days of the main period without an event, as `2024-03-09`: the first thousand.
    pub empty_days: Vec<String>,
    /// The number of such days.
    pub empty_day_count: u64,
    /// Weekdays on which the shop seems closed: most of them have no event. Their days are not in
    /// `empty_days`.
    pub closed_weekdays: Vec<String>,
    /// The longest run of days of the main period with events and without an order: first day
    /// (as `2024-03-09`), and length in days.
    pub without_orders: Option<(String, u32)>,
}

/// A slot of time.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Slot {
    /// When it begins: hours since 1970, local.
    pub hour: i64,
    /// The same for people: `2024-03-09`, or `2024-03-09 14:00`.
    pub start: String,
    /// Events.
    pub events: u64,
    /// Orders.
    pub orders: u64,
    /// Sessions that began.
    pub sessions: u64,
}

/// A step of the funnel.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Step {
    /// `visit`, `view`, `cart`, `checkout`, `purchase`.
    pub name: String,
    /// Whether the data have such events at all; a step without is skipped in `in_order`.
    pub recorded: bool,
    /// Sessions with the step.
    pub sessions: u64,
    /// Sessions with the step after all recorded steps before it, in this order.
    pub in_order: u64,
}

/// One kind of event.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct KindFigures {
    /// The GA4 name.
    pub kind: String,
    /// Events.
    pub events: u64,
    /// Lines.
    pub lines: u64,
    /// Events that come after an order in their session.
    pub after_order: u64,
    /// Sessions with the kind before their first order (or without an order).
    pub sessions: u64,
    /// Those of them with an order.
    pub order_sessions: u64,
}

/// What is missing: lines without a value, by column and kind of event.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Missing {
    /// The columns.
    pub columns: Vec<String>,
    /// All lines, then those of each kind.
    pub rows: Vec<MissingRow>,
}

/// The lines of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MissingRow {
    /// The GA4 name, or `all`.
    pub kind: String,
    /// Lines.
    pub lines: u64,
    /// Lines without a value, column by column.
    pub missing: Vec<u64>,
}

/// How long sessions are.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Sessions {
    /// In events.
    pub events: Distribution,
    /// From the first event to the last, in seconds.
    pub seconds: Distribution,
    /// Sessions of one event.
    pub single: u64,
    /// Orders placed in a session in which no item, list or page was seen before.
    pub orders_unseen: u64,
}

/// How often the label is positive.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Balance {
    /// Sessions.
    pub sessions: u64,
    /// Sessions with an order.
    pub with_order: u64,
    /// Sessions with an order and something before it: what a model can learn from.
    pub with_history: u64,
    /// Examples of the first k events.
    pub prefixes: Vec<Prefix>,
}

/// Examples of the first k events of a session, cut before its first order (reviews apart): the
/// sessions with at least k such events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Prefix {
    /// Events seen.
    pub k: u32,
    /// Examples.
    pub examples: u64,
    /// Those in whose session an order follows.
    pub positives: u64,
}

/// Who the events come from.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Visitors {
    /// Visitors with a `user_id`.
    pub users: u64,
    /// Visitors with only an `anonymous_id`.
    pub anonymous: u64,
    /// Visits of neither.
    pub unknown: u64,
    /// Visitors with more than one session.
    pub returning: u64,
    /// Visitors with an order.
    pub buyers: u64,
    /// Events a visitor.
    pub events: Distribution,
    /// Share of the events that the busiest hundredth of the visitors made.
    pub top_percent: f64,
    /// The busiest visitors.
    pub top: Vec<Visitor>,
}

/// One visitor.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Visitor {
    /// The identifier.
    pub id: String,
    /// Events.
    pub events: u64,
    /// Orders.
    pub orders: u64,
}

/// How interactions (lines with an item) are spread over items.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Concentration {
    /// Different ones; estimated where `exact` is false.
    pub distinct: u64,
    /// Whether all were counted, or a sample of them (by hash).
    pub exact: bool,
    /// Different ones with an order.
    pub ordered: u64,
    /// Interactions.
    pub interactions: u64,
    /// Share of the interactions with the top hundredth.
    pub top_1: f64,
    /// Share of the interactions with the top tenth.
    pub top_10: f64,
    /// Those met in no more than five lines.
    pub rare: u64,
    /// The most frequent, where all were counted.
    pub top: Vec<Named>,
}

/// A name with counts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Named {
    /// The name.
    pub name: String,
    /// Lines.
    pub lines: u64,
    /// Lines of orders.
    pub ordered: u64,
}

/// Categories.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Categories {
    /// Whole paths.
    pub paths: Concentration,
    /// The outermost level.
    pub outermost: Concentration,
}

/// A number that stands at events.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Feature {
    /// Its name.
    pub name: String,
    /// What it is, in words.
    pub meaning: String,
    /// Its distribution.
    pub values: Distribution,
}

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// The shop's currency.
    Amount,
    /// Things.
    #[default]
    Count,
    /// Seconds.
    Seconds,
}

/// A distribution. Quantiles are at most 0.8 % too low, and exact for whole numbers up to 255;
/// everything else is exact.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Distribution {
    /// What is counted.
    pub unit: Unit,
    /// Values.
    pub count: u64,
    /// Places without a value.
    pub missing: u64,
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
    /// The mean.
    pub mean: f64,
    /// At 1, 5, 25, 50, 75, 95 and 99 %.
    pub quantiles: [f64; 7],
    /// The histogram, bins without values at both ends left out.
    pub bins: Vec<Bin>,
}

/// A bin of a histogram.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Bin {
    /// The least value that is in it.
    pub from: f64,
    /// The least value that is above it; `None` for the last.
    pub to: Option<f64>,
    /// Values.
    pub count: u64,
}

impl Distribution {
    /// The median.
    #[must_use]
    pub fn median(&self) -> f64 {
        self.quantiles.get(3).copied().unwrap_or_default()
    }
}

impl DataReport {
    /// The version of the structure that this code writes.
    pub const VERSION: u32 = 1;

    /// A report of what was read and set aside, without anything that a table holds.
    #[must_use]
    pub fn of_intake(intake: Intake) -> Self {
        Self {
            version: Self::VERSION,
            name: intake.name,
            records: intake.records,
            files: intake.files,
            set_aside: intake.set_aside,
            repaired: intake.repaired,
            joins: intake.joins,
            ..Self::default()
        }
    }

    /// The figures of one kind of event.
    #[must_use]
    pub fn kind(&self, name: &str) -> Option<&KindFigures> {
        self.kinds.iter().find(|kind| kind.kind == name)
    }

    /// The figures of one feature.
    #[must_use]
    pub fn feature(&self, name: &str) -> Option<&Feature> {
        self.features.iter().find(|feature| feature.name == name)
    }
}
