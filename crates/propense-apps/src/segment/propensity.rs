//! How likely a customer orders within thirty days: from habits, learnt on earlier months of the
//! same base; and how any score did on months held back, beside the rules.

use serde::Serialize;

use propense_events::DAY;

use super::customers::{Base, Habits};
use super::lift::{Lift, gains, lift};
use super::logistic::Logistic;
use super::rfm::rfm;

/// Days that a propensity looks ahead.
pub const HORIZON_DAYS: i64 = 30;
/// Days between two moments that are learnt from: half a horizon, since months are few.
const EVERY: i64 = 15;
/// Moments learnt from, at most: two years.
const MOST: i64 = 48;
/// Days of history before the first moment.
pub(super) const LEAST_HISTORY: i64 = 30;
/// Weight against large coefficients, in customers.
const RIDGE: f64 = 10.0;

/// Customers as they stood at a moment.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    /// Places in [`Base::customers`].
    pub customers: Vec<usize>,
    /// Their habits.
    pub habits: Vec<Habits>,
}

impl Base {
    /// Everybody with an order before the moment.
    #[must_use]
    pub fn standing(&self, at: i64) -> Standing {
        let mut standing = Standing::default();
        for (place, customer) in self.customers.iter().enumerate() {
            if let Some(habits) = customer.habits(at) {
                standing.customers.push(place);
                standing.habits.push(habits);
            }
        }
        standing
    }

    /// Who of them orders in the thirty days from the moment.
    #[must_use]
    pub fn bought(&self, standing: &Standing, at: i64) -> Vec<bool> {
        let customers = standing.customers.iter();
        customers
            .map(|place| {
                let customer = self.customers.get(*place);
                customer.is_some_and(|customer| customer.orders_within(at, HORIZON_DAYS))
            })
            .collect()
    }
}

/// A regression on habits.
#[derive(Debug, Clone)]
pub struct HabitModel(Logistic);

impl HabitModel {
    /// Learns from what was known `before` a moment, outcomes included; none where the history is
    /// too short or nobody ever came back.
    #[must_use]
    pub fn learn(base: &Base, before: i64) -> Option<Self> {
        let (mut rows, mut outcomes) = (Vec::new(), Vec::new());
        for step in 0..MOST {
            let at = before - (HORIZON_DAYS + step * EVERY) * DAY;
            if at < base.from + LEAST_HISTORY * DAY {
                break;
            }
            let standing = base.standing(at);
            outcomes.extend(base.bought(&standing, at));
            rows.extend(standing.habits.iter().map(Habits::columns));
        }
        Logistic::fit(&rows, &outcomes, None, RIDGE).map(Self)
    }

    /// The propensity of a customer with these habits.
    #[must_use]
    pub fn propensity(&self, habits: &Habits) -> f64 {
        self.0.probability(&habits.columns())
    }
}

/// One way to rank customers, on one month.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ranking {
    /// Its name.
    pub name: String,
    /// Whether it is a rule and not a model.
    pub rule: bool,
    /// Lift of the best 5, 10, 20, 30 and 50 %.
    pub lifts: Vec<Lift>,
    /// Share of the base addressed against share of the buyers reached.
    pub gains: Vec<(f64, f64)>,
}

impl Ranking {
    /// The lift of the best tenth.
    #[must_use]
    pub fn top_decile(&self) -> f64 {
        let tenth = self
            .lifts
            .iter()
            .find(|lift| (lift.share - 0.1).abs() < 1e-9);
        tenth.map_or(0.0, |lift| lift.lift)
    }
}

/// A month that was held back.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HeldBack {
    /// Its beginning, in milliseconds.
    pub from_ms: i64,
    /// Customers ranked.
    pub customers: usize,
    /// Share of them who ordered within thirty days.
    pub base_rate: f64,
    /// Mean propensity forecast, to compare with it.
    pub mean_propensity: f64,
    /// The scores and the rules, the score that is used first.
    pub rankings: Vec<Ranking>,
}

/// Name of the ranking by the score that is used.
pub const PROPENSITY: &str = "propensity";

/// Name of the ranking by the regression on habits, where another score is used.
pub const HABITS: &str = "habits alone";

/// How a score, other scores (by name) and the rules ranked the base at a moment, by who ordered
/// afterwards.
#[must_use]
pub fn compare(
    base: &Base,
    standing: &Standing,
    at: i64,
    propensities: &[f64],
    others: &[(&str, &[f64])],
) -> HeldBack {
    let bought = base.bought(standing, at);
    let rfm = rfm(&standing.habits);
    let of = |value: fn(&Habits) -> f64| standing.habits.iter().map(value).collect::<Vec<f64>>();
    let rules: [(&str, Vec<f64>); 4] = [
        (
            "RFM: fifths added up",
            rfm.iter().map(|rfm| f64::from(rfm.sum())).collect(),
        ),
        (
            "RFM: recency first",
            rfm.iter().map(|rfm| f64::from(rfm.cell())).collect(),
        ),
        ("ordered last", of(|habits| -habits.recency_days)),
        ("ordered most often", of(|habits| habits.orders)),
    ];
    let rank = |name: &str, scores: &[f64], rule: bool| Ranking {
        name: name.to_owned(),
        rule,
        lifts: [0.05, 0.1, 0.2, 0.3, 0.5]
            .map(|share| lift(scores, &bought, share))
            .to_vec(),
        gains: gains(scores, &bought),
    };
    let mut rankings = vec![rank(PROPENSITY, propensities, false)];
    rankings.extend(
        others
            .iter()
            .map(|(name, scores)| rank(name, scores, false)),
    );
    rankings.extend(rules.iter().map(|(name, scores)| rank(name, scores, true)));
    let count = bought.len().max(1) as f64;
    HeldBack {
        from_ms: at,
        customers: bought.len(),
        base_rate: bought.iter().filter(|bought| **bought).count() as f64 / count,
        mean_propensity: propensities.iter().sum::<f64>() / count,
        rankings,
    }
}

/// The moments held back: beginnings of the last so many spans of thirty days, oldest first, that
/// leave at least as many days to learn from.
#[must_use]
pub fn held_back_moments(base: &Base, months: usize) -> Vec<i64> {
    let months = i64::try_from(months).unwrap_or(0);
    let moments = (1..=months)
        .rev()
        .map(|month| base.now - month * HORIZON_DAYS * DAY);
    let least = base.from + (LEAST_HISTORY + 2 * HORIZON_DAYS) * DAY;
    moments.filter(|at| *at >= least).collect()
}
