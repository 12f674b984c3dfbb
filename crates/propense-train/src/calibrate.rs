//! Calibration on the validation part: `p = sigmoid(slope · logit + offset)`, fitted by Newton's
//! method on the log-loss with Platt's smoothed targets (Platt 1999; Lin, Lin and Weng 2007, "A
//! note on Platt's probabilistic outputs", whose line search is used here).

/// Orders and non-orders that the validation part must hold before an offset is fitted too.
/// Below it one number is all that the data can bear.
const ENOUGH_FOR_OFFSET: usize = 30;

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
        sigmoid(f64::from(self.slope) * f64::from(logit) + f64::from(self.offset)) as f32
    }

    /// The scaling with the lowest log-loss: slope and offset where both classes are well
    /// represented, else the slope alone, else (or where the fit would turn the order of the
    /// scores around) nothing.
    #[must_use]
    pub fn fit(logits: &[f32], labels: &[bool]) -> Self {
        let positives = labels.iter().filter(|label| **label).count();
        let negatives = labels.len() - positives;
        if positives == 0 || negatives == 0 {
            return Self::IDENTITY;
        }
        let both = positives.min(negatives) >= ENOUGH_FOR_OFFSET;
        let fitted = newton(logits, labels, both);
        let usable = |s: &Self| s.slope.is_finite() && s.offset.is_finite() && s.slope > 1e-3;
        if usable(&fitted) {
            fitted
        } else {
            Self::IDENTITY
        }
    }
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

/// Smoothed targets: as if each class had been seen once more with the other's label.
fn targets(labels: &[bool]) -> (f64, f64) {
    let positives = labels.iter().filter(|label| **label).count() as f64;
    let negatives = labels.len() as f64 - positives;
    (
        (positives + 1.0) / (positives + 2.0),
        1.0 / (negatives + 2.0),
    )
}

fn loss(logits: &[f32], labels: &[bool], (high, low): (f64, f64), a: f64, b: f64) -> f64 {
    logits
        .iter()
        .zip(labels)
        .map(|(logit, label)| {
            let z = a * f64::from(*logit) + b;
            let target = if *label { high } else { low };
            // softplus(z) - t z, written so that neither term overflows
            z.max(0.0) - target * z + (-z.abs()).exp().ln_1p()
        })
        .sum()
}

fn newton(logits: &[f32], labels: &[bool], with_offset: bool) -> Scaling {
    let goal = targets(labels);
    let (mut a, mut b) = (1.0, 0.0);
    let mut current = loss(logits, labels, goal, a, b);
    for _ in 0..100 {
        let (mut ga, mut gb, mut haa, mut hab, mut hbb) = (0.0, 0.0, 1e-9, 0.0, 1e-9);
        for (logit, label) in logits.iter().zip(labels) {
            let x = f64::from(*logit);
            let p = sigmoid(a * x + b);
            let error = p - if *label { goal.0 } else { goal.1 };
            let weight = p * (1.0 - p);
            ga += error * x;
            haa += weight * x * x;
            if with_offset {
                gb += error;
                hab += weight * x;
                hbb += weight;
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
            let next = loss(logits, labels, goal, na, nb);
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
    fn few_orders_get_a_slope_alone_and_one_class_nothing() {
        let (logits, labels) = sample(1.0, -3.5, 200);
        let orders = labels.iter().filter(|label| **label).count();
        assert!(orders > 0 && orders < ENOUGH_FOR_OFFSET, "{orders}");
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
