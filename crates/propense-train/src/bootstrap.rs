//! 95 % bootstrap intervals: the examples are drawn again with replacement, all metrics measured
//! on each draw, the 2.5th and 97.5th percentiles reported (Efron's percentile method).
//!
//! Drawn are users (sessions, where the user is unknown), each with all its examples: one session
//! is scored at several positions and one user has several sessions, and such scores vary together.
//! Drawn one by one they would make the intervals too narrow (the cluster bootstrap: Davison and
//! Hinkley 1997, section 3.8).

use std::collections::BTreeMap;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;
use serde::{Deserialize, Serialize};

use crate::Metrics;

/// Low and high end of an interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval(pub f64, pub f64);

/// An interval for each metric.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Intervals {
    /// Of ROC-AUC.
    pub auc: Interval,
    /// Of average precision.
    pub pr_auc: Interval,
    /// Of F1.
    pub f1: Interval,
    /// Of recall.
    pub recall: Interval,
    /// Of precision.
    pub precision: Interval,
    /// Of accuracy.
    pub accuracy: Interval,
    /// Of log-loss.
    pub log_loss: Interval,
    /// Of the Brier score.
    pub brier: Interval,
    /// Of the expected calibration error.
    pub ece: Interval,
}

/// Intervals from this many resamples; none for fewer than 2 resamples or no examples. `owners`
/// says whose each example is.
pub(crate) fn intervals(
    probabilities: &[f32],
    labels: &[bool],
    owners: &[usize],
    threshold: f32,
    resamples: usize,
    seed: u64,
) -> Option<Intervals> {
    let mut of_owner: BTreeMap<usize, Vec<(f32, bool)>> = BTreeMap::new();
    for ((score, label), owner) in probabilities.iter().zip(labels).zip(owners) {
        of_owner.entry(*owner).or_default().push((*score, *label));
    }
    let groups: Vec<Vec<(f32, bool)>> = of_owner.into_values().collect();
    if resamples < 2 || groups.is_empty() {
        return None;
    }
    let mut generator = ChaCha12Rng::seed_from_u64(seed);
    let (mut drawn, mut outcome) = (Vec::new(), Vec::new());
    let measured: Vec<Metrics> = (0..resamples)
        .map(|_| {
            drawn.clear();
            outcome.clear();
            for _ in 0..groups.len() {
                for (score, label) in &groups[generator.random_range(0..groups.len())] {
                    drawn.push(*score);
                    outcome.push(*label);
                }
            }
            Metrics::measure(&drawn, &outcome, threshold)
        })
        .collect();
    let of = |metric: fn(&Metrics) -> f64| {
        let mut values: Vec<f64> = measured.iter().map(metric).collect();
        values.sort_by(f64::total_cmp);
        let at = |q: f64| values[((resamples - 1) as f64 * q).round() as usize];
        Interval(at(0.025), at(0.975))
    };
    Some(Intervals {
        auc: of(|m| m.auc),
        pr_auc: of(|m| m.pr_auc),
        f1: of(|m| m.f1),
        recall: of(|m| m.recall),
        precision: of(|m| m.precision),
        accuracy: of(|m| m.accuracy),
        log_loss: of(|m| m.log_loss),
        brier: of(|m| m.brier),
        ece: of(|m| m.ece),
    })
}
