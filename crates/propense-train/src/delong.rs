//! DeLong's test of two ROC-AUCs on the same examples (DeLong, DeLong and Clarke-Pearson 1988), by the
//! ranks of Sun and Xu (2014). It takes the scores as independent; where a session is scored several
//! times, the bootstrap over users is the one to read.

use serde::{Deserialize, Serialize};

use crate::metrics::roc_auc;

/// The test's outcome.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DeLong {
    /// First AUC less the second.
    pub difference: f64,
    /// Standard error of the difference.
    pub error: f64,
    /// Two-sided p-value of "no difference".
    pub p: f64,
}

/// Tests whether the first forecast ranks better or worse than the second; none where an outcome is
/// missing.
pub(crate) fn delong(first: &[f32], second: &[f32], labels: &[bool]) -> Option<DeLong> {
    let [a, b] = [first, second].map(|scores| places(scores, labels));
    let (orders, others) = (a.0.len(), a.1.len());
    if orders < 2 || others < 2 || b.0.len() != orders || b.1.len() != others {
        return None;
    }
    let difference = roc_auc(first, labels) - roc_auc(second, labels);
    let variance = difference_variance(&a.0, &b.0) + difference_variance(&a.1, &b.1);
    let error = variance.max(0.0).sqrt();
    let p = match error > 0.0 {
        true => 2.0 * tail((difference / error).abs()),
        // The same order of all examples: nothing to tell apart.
        false => 1.0,
    };
    Some(DeLong {
        difference,
        error,
        p,
    })
}

/// For each order the share of non-orders below it, and for each non-order the share of orders above
/// it; equal scores count half.
fn places(scores: &[f32], labels: &[bool]) -> (Vec<f64>, Vec<f64>) {
    let of = |outcome: bool| -> Vec<f32> {
        let pairs = scores.iter().zip(labels);
        pairs
            .filter(|(_, l)| **l == outcome)
            .map(|(score, _)| *score)
            .collect()
    };
    let sorted = |mut scores: Vec<f32>| {
        scores.sort_by(f32::total_cmp);
        scores
    };
    let (orders, others) = (of(true), of(false));
    let (below, above) = (sorted(others.clone()), sorted(orders.clone()));
    let share = |sorted: &[f32], score: f32| {
        let less = sorted.partition_point(|other| *other < score);
        let same = sorted.partition_point(|other| *other <= score) - less;
        (less as f64 + same as f64 / 2.0) / sorted.len().max(1) as f64
    };
    (
        orders.iter().map(|score| share(&below, *score)).collect(),
        others
            .iter()
            .map(|score| 1.0 - share(&above, *score))
            .collect(),
    )
}

/// Variance of the mean of the differences.
fn difference_variance(a: &[f64], b: &[f64]) -> f64 {
    let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    let count = differences.len() as f64;
    let mean = differences.iter().sum::<f64>() / count;
    let squares: f64 = differences.iter().map(|d| (d - mean).powi(2)).sum();
    squares / (count - 1.0) / count
}

/// The standard normal's share above `x`, for x of 0 and more: Abramowitz and Stegun 1964, 26.2.17,
/// to 7.5e-8.
pub(crate) fn tail(x: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * x);
    let terms = [
        0.319_381_530,
        -0.356_563_782,
        1.781_477_937,
        -1.821_255_978,
        1.330_274_429,
    ];
    let sum = terms.iter().rev().fold(0.0, |sum, term| (sum + term) * t);
    sum * (-x * x / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_of_the_normal_distribution() {
        for (x, expected) in [
            (0.0, 0.5),
            (1.0, 0.158_655_3),
            (1.959_964, 0.025),
            (4.0, 3.167e-5),
        ] {
            assert!((tail(x) - expected).abs() < 1e-6, "{x}: {}", tail(x));
        }
    }

    #[test]
    fn a_case_by_hand() {
        // Orders 0.9, 0.4 and others 0.5, 0.1, 0.3: of six pairs five are right.
        let labels = [true, true, false, false, false];
        let first = [0.9, 0.4, 0.5, 0.1, 0.3];
        // Three of six: the first order is above all, the second below all.
        let second = [0.9, 0.0, 0.5, 0.1, 0.3];
        let found = delong(&first, &second, &labels).expect("both outcomes");
        assert!((found.difference - (5.0 / 6.0 - 0.5)).abs() < 1e-12);
        // Places of orders: (1, 2/3) and (1, 0); of others: (1/2, 1, 1) and (1/2, 1/2, 1/2).
        let orders = ((0.0f64 - 1.0 / 3.0).powi(2) + (2.0f64 / 3.0 - 1.0 / 3.0).powi(2)) / 2.0;
        let others =
            ((0.0f64 - 1.0 / 3.0).powi(2) + 2.0 * (0.5f64 - 1.0 / 3.0).powi(2)) / 2.0 / 3.0;
        assert!(
            (found.error - (orders + others).sqrt()).abs() < 1e-12,
            "{found:?}"
        );
    }

    #[test]
    fn better_is_told_from_the_same() {
        let labels: Vec<bool> = (0..600).map(|i| (i * 7) % 10 < 3).collect();
        let noise = |i: usize, by: usize| ((i * by) % 211) as f32 / 211.0;
        let good: Vec<f32> = (0..600)
            .map(|i| 0.5 * f32::from(u8::from(labels[i])) + noise(i, 37))
            .collect();
        let bad: Vec<f32> = (0..600).map(|i| noise(i, 71)).collect();
        assert!(delong(&good, &bad, &labels).is_some_and(|test| test.p < 1e-6));
        assert_eq!(delong(&good, &good, &labels).map(|test| test.p), Some(1.0));
        assert_eq!(delong(&good, &bad, &[true; 600]), None);
    }
}
