//! What another recommender would have earned, told from what was shown by lot: inverse propensity
//! weighting.
//!
//! A shop that shows items at random now and then, and writes down with which probability each was shown,
//! can judge a recommender without showing it to anybody. In every moment (one visit at one time) some
//! items were shown; a shown item i that the other list holds, too, counts 1/p_i, so that it stands for the
//! times when it was not shown. With r its reward (clicked, bought, or an amount) and L the other list:
//!
//! ```text
//! inverse propensity   V = 1/n Σ_moments Σ_{shown i in L} r_i / p_i          (Horvitz, Thompson 1952)
//! clipped              the same with no weight above √n                      (Ionides 2008)
//! self-normalised      V = places · Σ r_i / p_i / Σ 1/p_i                    (Swaminathan, Joachims 2015)
//! doubly robust        V = 1/n Σ [ Σ_{i in L} q_i + Σ_{shown i in L} (r_i − q_i) / p_i ]
//!                                                                            (Dudík, Langford, Li 2011)
//! ```
//!
//! q_i is the item's own reward as others met it: its mean over the moments of all other visits' folds,
//! drawn to the mean of all items as if it had been shown twenty times more. `p_i` is the probability that i
//! was anywhere in the list that was shown. An item is taken to earn what it earns whichever others
//! stand beside it, and whatever its place (item-position independence: Li et al. 2018). Intervals are
//! normal, of the linearised ratio, over whole visits.

mod rewards;
mod shown;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use rewards::Rewards;
pub use shown::{Moment, Shown, ShownLog};

/// An effective sample below this bears no judgement.
const FEWEST: f64 = 100.0;
/// The normal distribution's 97.5 % quantile.
const NORMAL: f64 = 1.96;

/// A figure with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// The figure.
    pub value: f64,
    /// Its interval.
    pub interval: (f64, f64),
}

/// What a recommender would have earned a list, in several ways.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PolicyValue {
    /// Shown items that the recommender would have shown, too.
    pub matched: usize,
    /// (Σw)² / Σw² of their weights: how many such items, all equally probable, would tell as much (Kish 1965).
    pub effective_sample: f64,
    /// The largest weight.
    pub largest_weight: f64,
    /// Sum of the weights over the places of the recommender's lists: 1 where the probabilities are right and
    /// everything that it recommends could have been shown.
    pub reached: Estimate,
    /// Inverse propensity.
    pub ips: Estimate,
    /// Inverse propensity with the weights clipped.
    pub clipped: Estimate,
    /// Self-normalised.
    pub self_normalised: Estimate,
    /// Doubly robust.
    pub doubly_robust: Estimate,
    /// Doubly robust, less what the lists that were shown earned.
    pub ahead: Estimate,
    /// What speaks against reading the figures.
    pub warnings: Vec<String>,
}

/// Judges a recommender by its list in each moment of the log.
#[must_use]
pub fn off_policy(log: &ShownLog, lists: &[Vec<String>]) -> PolicyValue {
    let rewards = Rewards::learn(log);
    let cap = (log.moments.len() as f64).sqrt();
    let mut sums: Vec<(&str, Sums)> = Vec::with_capacity(log.moments.len());
    let (mut matched, mut all, mut squares, mut largest) = (0, 0.0, 0.0, 0.0_f64);
    for (moment, list) in log.moments.iter().zip(lists) {
        let list: BTreeSet<&str> = list.iter().map(String::as_str).collect();
        let mean = |item: &str| rewards.mean(&moment.visit, item);
        let mut own = Sums {
            places: list.len() as f64,
            robust: list.iter().map(|item| mean(item)).sum(),
            ..Sums::default()
        };
        for (item, propensity, reward) in &moment.shown {
            own.earned += reward;
            if !list.contains(item.as_str()) {
                continue;
            }
            let weight = 1.0 / propensity;
            matched += 1;
            all += weight;
            squares += weight * weight;
            largest = largest.max(weight);
            own.weights += weight;
            own.ips += weight * reward;
            own.clipped += weight.min(cap) * reward;
            own.robust += weight * (reward - mean(item));
        }
        sums.push((&moment.visit, own));
    }
    let mean = |of: fn(&Sums) -> f64| ratio(sums.iter().map(|(visit, own)| (*visit, of(own), 1.0)));
    let reached = ratio(
        sums.iter()
            .map(|(visit, own)| (*visit, own.weights, own.places)),
    );
    let places = mean(|own| own.places).value;
    let share = ratio(
        sums.iter()
            .map(|(visit, own)| (*visit, own.ips, own.weights)),
    );
    let effective_sample = if squares > 0.0 {
        all * all / squares
    } else {
        0.0
    };
    PolicyValue {
        warnings: doubts(effective_sample, &reached),
        matched,
        effective_sample,
        largest_weight: largest,
        reached,
        ips: mean(|own| own.ips),
        clipped: mean(|own| own.clipped),
        self_normalised: Estimate {
            value: places * share.value,
            interval: (places * share.interval.0, places * share.interval.1),
        },
        doubly_robust: mean(|own| own.robust),
        ahead: mean(|own| own.robust - own.earned),
    }
}

fn doubts(effective_sample: f64, reached: &Estimate) -> Vec<String> {
    let mut found = Vec::new();
    if effective_sample < FEWEST {
        found.push(format!(
            "The log bears out this recommender by an effective sample of {effective_sample:.0} items only: its figures may \
             be far off, and their intervals too narrow. Log longer, or show more of the items by lot."
        ));
    }
    if reached.interval.1 < 0.9 {
        found.push(format!(
            "About {:.0} % of what this recommender lists could not have been in the log: what that would earn is not \
             known, and counts as nothing in the inverse-propensity figures.",
            100.0 * (1.0 - reached.value)
        ));
    }
    if reached.interval.0 > 1.1 {
        found.push(format!(
            "The weights add up to {:.2} times the places: the probabilities of the log are too small for what was shown.",
            reached.value
        ));
    }
    found
}

/// What a moment adds.
#[derive(Default)]
struct Sums {
    places: f64,
    earned: f64,
    weights: f64,
    ips: f64,
    clipped: f64,
    robust: f64,
}

/// Σ a / Σ b over rows (visit, a, b), with its interval: the spread of a − ratio · b over whole visits.
fn ratio<'a>(rows: impl Iterator<Item = (&'a str, f64, f64)>) -> Estimate {
    let mut visits: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    for (visit, a, b) in rows {
        let sums = visits.entry(visit).or_default();
        sums.0 += a;
        sums.1 += b;
    }
    let sum = |of: fn(&(f64, f64)) -> f64| visits.values().map(of).sum::<f64>();
    let (a, b) = (sum(|sums| sums.0), sum(|sums| sums.1));
    if b <= 0.0 {
        return Estimate {
            value: 0.0,
            interval: (0.0, 0.0),
        };
    }
    let value = a / b;
    let squares = visits.values().map(|(a, b)| (a - value * b).powi(2));
    let count = visits.len() as f64;
    let error = (squares.sum::<f64>() * count / (count - 1.0).max(1.0)).sqrt() / b;
    Estimate {
        value,
        interval: (value - NORMAL * error, value + NORMAL * error),
    }
}

#[cfg(test)]
mod tests;
