//! Logistic regression with a ridge, by iteratively reweighted least squares (McCullagh and Nelder
//! 1989, section 4.4).

use crate::linear::solve;

/// A fitted regression.
#[derive(Debug, Clone)]
pub(super) struct Logistic {
    means: Vec<f64>,
    scales: Vec<f64>,
    weights: Vec<f64>,
}

/// Steps at most; the fit mostly stands after six.
const STEPS: usize = 25;

pub(super) fn sigmoid(logit: f64) -> f64 {
    1.0 / (1.0 + (-logit).exp())
}

impl Logistic {
    /// From rows, outcomes and weights; none where outcomes are all alike or rows are missing.
    pub(super) fn fit<R: AsRef<[f64]>>(
        rows: &[R],
        outcomes: &[bool],
        weights: Option<&[f64]>,
        ridge: f64,
    ) -> Option<Self> {
        let columns = rows.first()?.as_ref().len();
        let count = rows.len() as f64;
        if outcomes.iter().all(|outcome| *outcome) || !outcomes.iter().any(|outcome| *outcome) {
            return None;
        }
        let mut means = vec![0.0; columns];
        let mut scales = vec![0.0; columns];
        for row in rows {
            for (mean, value) in means.iter_mut().zip(row.as_ref()) {
                *mean += value / count;
            }
        }
        for row in rows {
            for ((scale, mean), value) in scales.iter_mut().zip(&means).zip(row.as_ref()) {
                *scale += (value - mean).powi(2) / count;
            }
        }
        for scale in &mut scales {
            // A column that does not vary says nothing.
            *scale = if *scale > 1e-12 {
                scale.sqrt()
            } else {
                f64::INFINITY
            };
        }
        let size = columns + 1;
        let mut fitted = Self {
            means,
            scales,
            weights: vec![0.0; size],
        };
        let mut row = Vec::with_capacity(size);
        for _ in 0..STEPS {
            let mut matrix = vec![0.0; size * size];
            let mut right = vec![0.0; size];
            for (number, (raw, outcome)) in rows.iter().zip(outcomes).enumerate() {
                fitted.scaled(raw.as_ref(), &mut row);
                let weight = weights
                    .and_then(|list| list.get(number))
                    .copied()
                    .unwrap_or(1.0);
                let chance = sigmoid(dot(&row, &fitted.weights));
                let residual = weight * (f64::from(*outcome) - chance);
                let curvature = weight * (chance * (1.0 - chance)).max(1e-6);
                for ((value, slope), line) in row
                    .iter()
                    .zip(&mut right)
                    .zip(matrix.chunks_exact_mut(size))
                {
                    *slope += residual * value;
                    let scaled = curvature * value;
                    for (cell, other) in line.iter_mut().zip(&row) {
                        *cell += scaled * other;
                    }
                }
            }
            for (place, weight) in fitted.weights.iter().enumerate() {
                // The constant, which comes first, is not held back.
                let held = if place == 0 { 1e-9 } else { ridge };
                if let (Some(cell), Some(slope)) =
                    (matrix.get_mut(place * size + place), right.get_mut(place))
                {
                    *cell += held;
                    *slope -= held * weight;
                }
            }
            let step = solve(matrix, right)?;
            let largest = step
                .iter()
                .fold(0.0, |most: f64, change| most.max(change.abs()));
            // A step across the whole scale would overshoot on outcomes that are told apart fully.
            let length = (2.0 / largest).min(1.0);
            for (weight, change) in fitted.weights.iter_mut().zip(step) {
                *weight += length * change;
            }
            if largest < 1e-6 {
                break;
            }
        }
        Some(fitted)
    }

    fn scaled(&self, raw: &[f64], row: &mut Vec<f64>) {
        row.clear();
        row.push(1.0);
        let columns = raw.iter().zip(&self.means).zip(&self.scales);
        row.extend(columns.map(|((value, mean), scale)| (value - mean) / scale));
    }

    /// The probability for a row.
    pub(super) fn probability(&self, raw: &[f64]) -> f64 {
        let mut row = Vec::with_capacity(self.weights.len());
        self.scaled(raw, &mut row);
        sigmoid(dot(&row, &self.weights))
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_coefficients_come_back() {
        // Outcomes in the exact shares of a logit of 1 − 2·x: 1,000 rows at each of two places.
        let (mut rows, mut outcomes) = (Vec::new(), Vec::new());
        for x in [0.0, 1.0] {
            let share = sigmoid(1.0 - 2.0 * x);
            for n in 0..1000 {
                rows.push([x, 7.0]);
                outcomes.push(f64::from(n) < share * 1000.0);
            }
        }
        let fitted = Logistic::fit(&rows, &outcomes, None, 1e-6).expect("a fit");
        for (x, logit) in [(0.0, 1.0), (1.0, -1.0), (0.5, 0.0)] {
            let found = fitted.probability(&[x, 7.0]);
            assert!((found - sigmoid(logit)).abs() < 2e-3, "{x}: {found}");
        }
    }

    #[test]
    fn outcomes_told_apart_fully_stay_finite_and_one_outcome_is_no_fit() {
        let rows: Vec<[f64; 1]> = (0..20).map(|n| [f64::from(n)]).collect();
        let outcomes: Vec<bool> = (0..20).map(|n| n >= 10).collect();
        let fitted = Logistic::fit(&rows, &outcomes, None, 1.0).expect("a fit");
        let (low, high) = (fitted.probability(&[0.0]), fitted.probability(&[19.0]));
        assert!(low < 0.1 && high > 0.9 && high < 1.0, "{low} {high}");
        assert!(Logistic::fit(&rows, &[true; 20], None, 1.0).is_none());
        assert!(Logistic::fit::<[f64; 1]>(&[], &[], None, 1.0).is_none());
    }
}
