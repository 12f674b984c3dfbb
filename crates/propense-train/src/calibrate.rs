//! Calibration on the validation part: `p = sigmoid(slope · logit + offset)`, fitted by Newton's
//! method on the log-loss with Platt's smoothed targets (Platt 1999; Lin, Lin and Weng 2007, "A
//! note on Platt's probabilistic outputs", whose line search is used here).

/// Orders and non-orders that the validation part must hold before an offset is fitted too.
/// Below it one number is all that the data can bear.
const ENOUGH_FOR_OFFSET: f64 = 30.0;

/// Slope and offset on the logit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scaling {
    /// Factor of the logit; the inverse of the temperature.
    pub slope: f32,
    /// Added after it; 0 for plain temperature scaling.
    pub offset: f32,
}

impl Scaling {
    /// Nothing changed.
    pub const IDENTITY: Self = Self {
        slope: 1.0,
        offset: 0.0,
    };

    /// The calibrated probability.
    #[must_use]
    pub fn probability(&self, logit: f32) -> f32 {
        sigmoid(self.scaled(logit)) as f32
    }

    /// The calibrated logit.
    pub(crate) fn scaled(&self, logit: f32) -> f64 {
        f64::from(self.slope) * f64::from(logit) + f64::from(self.offset)
    }

    /// The scaling with the lowest log-loss: slope and offset where both classes are well
    /// represented, else the slope alone, else (or where the fit would turn the order of the
    /// scores around) nothing.
    #[must_use]
    pub fn fit(logits: &[f32], labels: &[bool]) -> Self {
        Self::fit_weighted(logits, labels, &vec![1.0; labels.len()])
    }

    /// The same with a weight for each score: several scores of one session, which bring no more
    /// knowledge than one, share a weight of one.
    #[must_use]
    pub fn fit_weighted(logits: &[f32], labels: &[bool], weights: &[f32]) -> Self {
        let (positives, negatives) = counts(labels, weights);
        let with_offset = positives.min(negatives) >= ENOUGH_FOR_OFFSET;
        Self::fit_as(logits, labels, weights, with_offset)
    }

    /// The slope alone.
    pub(crate) fn fit_slope(logits: &[f32], labels: &[bool], weights: &[f32]) -> Self {
        Self::fit_as(logits, labels, weights, false)
    }

    fn fit_as(logits: &[f32], labels: &[bool], weights: &[f32], with_offset: bool) -> Self {
        let sample = Sample {
            logits,
            labels,
            weights,
            goal: targets(labels, weights),
        };
        let (positives, negatives) = counts(labels, weights);
        if positives <= 0.0 || negatives <= 0.0 {
            return Self::IDENTITY;
        }
        let fitted = newton(&sample, with_offset);
        let usable = |s: &Self| s.slope.is_finite() && s.offset.is_finite() && s.slope > 1e-3;
        if usable(&fitted) {
            fitted
        } else {
            Self::IDENTITY
        }
    }
}

/// The log-loss of a logit against a target from 0 to 1: softplus(z) − t·z, written so that neither
/// term overflows.
pub(crate) fn cross_entropy(logit: f64, target: f64) -> f64 {
    logit.max(0.0) - target * logit + (-logit.abs()).exp().ln_1p()
}

/// The logistic function in the form that does not overflow.
pub(crate) fn sigmoid(x: f64) -> f64 {
    if x >= 0.0 {
        1.0 / (1.0 + (-x).exp())
    } else {
        let e = x.exp();
        e / (1.0 + e)
    }
}

/// Scores to be calibrated.
struct Sample<'a> {
    logits: &'a [f32],
    labels: &'a [bool],
    weights: &'a [f32],
    /// Targets of orders and of non-orders.
    goal: (f64, f64),
}

impl Sample<'_> {
    /// Logit, target and weight of each score.
    fn scores(&self) -> impl Iterator<Item = (f64, f64, f64)> {
        let outcomes = self.labels.iter().zip(self.weights);
        self.logits
            .iter()
            .zip(outcomes)
            .map(|(logit, (label, weight))| {
                let target = if *label { self.goal.0 } else { self.goal.1 };
                (f64::from(*logit), target, f64::from(*weight))
            })
    }

    fn loss(&self, a: f64, b: f64) -> f64 {
        self.scores()
            .map(|(logit, target, weight)| {
                let z = a * logit + b;
                weight * cross_entropy(z, target)
            })
            .sum()
    }
}

/// Weight of orders and of non-orders.
pub(crate) fn counts(labels: &[bool], weights: &[f32]) -> (f64, f64) {
    labels
        .iter()
        .zip(weights)
        .fold((0.0, 0.0), |(yes, no), (label, weight)| {
            let weight = f64::from(*weight);
            if *label {
                (yes + weight, no)
            } else {
                (yes, no + weight)
            }
        })
}

/// Smoothed targets: as if each class had been seen once more with the other's label.
fn targets(labels: &[bool], weights: &[f32]) -> (f64, f64) {
    let (positives, negatives) = counts(labels, weights);
    (
        (positives + 1.0) / (positives + 2.0),
        1.0 / (negatives + 2.0),
    )
}

fn newton(sample: &Sample<'_>, with_offset: bool) -> Scaling {
    let (mut a, mut b) = (1.0, 0.0);
    let mut current = sample.loss(a, b);
    for _ in 0..100 {
        let (mut ga, mut gb, mut haa, mut hab, mut hbb) = (0.0, 0.0, 1e-9, 0.0, 1e-9);
        for (x, target, weight) in sample.scores() {
            let p = sigmoid(a * x + b);
            let error = weight * (p - target);
            let curvature = weight * p * (1.0 - p);
            ga += error * x;
            haa += curvature * x * x;
            if with_offset {
                gb += error;
                hab += curvature * x;
                hbb += curvature;
            }
        }
        let determinant = haa * hbb - hab * hab;
        let (da, db) = if with_offset && determinant > 1e-12 {
            (
                -(hbb * ga - hab * gb) / determinant,
                -(haa * gb - hab * ga) / determinant,
            )
        } else {
            (-ga / haa, 0.0)
        };
        // Backtrack until the loss falls enough (Armijo), else the minimum is reached.
        let descent = ga * da + gb * db;
        let mut step = 1.0;
        let reached = loop {
            let (na, nb) = (a + step * da, b + step * db);
            let next = sample.loss(na, nb);
            if next <= current + 1e-4 * step * descent {
                let gain = current - next;
                (a, b, current) = (na, nb, next);
                break gain < 1e-9 * current.abs().max(1.0);
            }
            step /= 2.0;
            if step < 1e-10 {
                break true;
            }
        };
        if reached {
            break;
        }
    }
    Scaling {
        slope: a as f32,
        offset: b as f32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::log_loss;

    /// Logits from −3 to 3; the outcome follows `sigmoid(slope · logit + offset)` by a fixed
    /// pattern of fractions.
    fn sample(slope: f64, offset: f64, count: usize) -> (Vec<f32>, Vec<bool>) {
        (0..count)
            .map(|i| {
                let logit = 6.0 * ((i * 7919) % count) as f64 / count as f64 - 3.0;
                let fraction = (i as f64 * 0.618_033_988_75).fract();
                (logit as f32, fraction < sigmoid(slope * logit + offset))
            })
            .unzip()
    }

    #[test]
    fn slope_and_offset_are_found_again() {
        let (logits, labels) = sample(0.5, -1.0, 4000);
        let fitted = Scaling::fit(&logits, &labels);
        assert!((fitted.slope - 0.5).abs() < 0.05, "{fitted:?}");
        assert!((fitted.offset + 1.0).abs() < 0.08, "{fitted:?}");
    }

    #[test]
    fn calibration_never_raises_the_log_loss_it_is_fitted_on() {
        for (slope, offset) in [(0.2, 0.0), (3.0, 1.0), (1.0, -2.0)] {
            let (logits, labels) = sample(slope, offset, 600);
            let fitted = Scaling::fit(&logits, &labels);
            let loss = |scaling: Scaling| {
                let p: Vec<f32> = logits.iter().map(|l| scaling.probability(*l)).collect();
                log_loss(&p, &labels)
            };
            assert!(loss(fitted) <= loss(Scaling::IDENTITY) + 1e-3);
        }
    }

    #[test]
    fn a_weight_of_two_is_the_score_twice() {
        let (logits, labels) = sample(0.7, 0.4, 300);
        let weights: Vec<f32> = (0..300).map(|i| [1.0, 2.0][i % 2]).collect();
        let weighted = Scaling::fit_weighted(&logits, &labels, &weights);
        let (mut more, mut outcomes) = (logits.clone(), labels.clone());
        for i in (1..300).step_by(2) {
            more.push(logits[i]);
            outcomes.push(labels[i]);
        }
        let twice = Scaling::fit(&more, &outcomes);
        assert!(
            (weighted.slope - twice.slope).abs() < 1e-4,
            "{weighted:?} {twice:?}"
        );
        assert!((weighted.offset - twice.offset).abs() < 1e-4);
    }

    #[test]
    fn few_orders_get_a_slope_alone_and_one_class_nothing() {
        let (logits, labels) = sample(1.0, -3.5, 200);
        let orders = labels.iter().filter(|label| **label).count();
        assert!(
            orders > 0 && (orders as f64) < ENOUGH_FOR_OFFSET,
            "{orders}"
        );
        assert_eq!(Scaling::fit(&logits, &labels).offset, 0.0);
        assert_eq!(Scaling::fit(&logits, &[false; 200]), Scaling::IDENTITY);
        assert_eq!(Scaling::fit(&[], &[]), Scaling::IDENTITY);
    }

    #[test]
    fn scores_that_rank_the_wrong_way_are_left_alone() {
        let (logits, labels) = sample(-2.0, 0.0, 600);
        assert_eq!(Scaling::fit(&logits, &labels), Scaling::IDENTITY);
    }

    #[test]
    fn extreme_logits_stay_finite() {
        let logits = [1e30, -1e30, 500.0, -500.0];
        let fitted = Scaling::fit(&logits, &[true, false, true, false]);
        assert!(
            logits
                .iter()
                .all(|logit| fitted.probability(*logit).is_finite())
        );
    }
}
