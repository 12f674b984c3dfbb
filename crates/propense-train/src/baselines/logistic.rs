//! Logistic regression on standardised columns, with a small ridge, by the limited-memory
//! Broyden–Fletcher–Goldfarb–Shanno method (Nocedal 1980).

use std::collections::VecDeque;

use crate::calibrate::{cross_entropy, sigmoid};
use crate::ensemble::Table;

/// Most steps; the loss is convex, and a hundred columns need a few dozen.
const STEPS: usize = 200;

/// Steps remembered.
const MEMORY: usize = 10;

/// Ridge on the standardised weights, as a share of the mean loss.
const RIDGE: f64 = 1e-3;

/// A fitted regression.
pub(crate) struct Logistic {
    /// Mean and one over the deviation of each column; 0 where it does not vary.
    scale: Vec<(f64, f64)>,
    /// A weight for each column, then the constant.
    weights: Vec<f64>,
}

impl Logistic {
    /// Learns from every row of the table.
    pub(crate) fn fit(table: &Table) -> Self {
        let scale = standardisation(table);
        let rows: Vec<Vec<f64>> = (0..table.len())
            .map(|row| standardised(&scale, table.row(row)))
            .collect();
        let total: f64 = table.weights.iter().map(|weight| f64::from(*weight)).sum();
        let loss = |weights: &[f64]| -> (f64, Vec<f64>) {
            let mut gradient = vec![0.0; weights.len()];
            let mut sum = 0.0;
            let outcomes = table.labels.iter().zip(&table.weights);
            for (row, (label, weight)) in rows.iter().zip(outcomes) {
                let logit = logit(weights, row);
                let target = f64::from(u8::from(*label));
                let share = f64::from(*weight) / f64::max(total, 1e-9);
                sum += share * cross_entropy(logit, target);
                let slope = share * (sigmoid(logit) - target);
                for (cell, value) in gradient.iter_mut().zip(row) {
                    *cell += slope * value;
                }
                if let Some(constant) = gradient.last_mut() {
                    *constant += slope;
                }
            }
            // The constant is not drawn to zero.
            let ridged = weights.len().saturating_sub(1);
            for (cell, weight) in gradient.iter_mut().zip(weights).take(ridged) {
                sum += RIDGE * weight * weight / 2.0;
                *cell += RIDGE * weight;
            }
            (sum, gradient)
        };
        let weights = minimise(vec![0.0; table.width + 1], &loss);
        Self { scale, weights }
    }

    /// Trained numbers.
    pub(crate) fn parameters(&self) -> usize {
        self.weights.len()
    }

    /// The logit of a row.
    pub(crate) fn logit(&self, row: &[f32]) -> f64 {
        logit(&self.weights, &standardised(&self.scale, row))
    }
}

fn standardisation(table: &Table) -> Vec<(f64, f64)> {
    let count = table.len().max(1) as f64;
    (0..table.width)
        .map(|column| {
            let values = (0..table.len()).filter_map(|row| table.row(row).get(column));
            let (sum, squares) = values.fold((0.0, 0.0), |(sum, squares), value| {
                let value = f64::from(*value);
                (sum + value, squares + value * value)
            });
            let mean = sum / count;
            let deviation = (squares / count - mean * mean).max(0.0).sqrt();
            let factor = if deviation > 1e-6 {
                1.0 / deviation
            } else {
                0.0
            };
            (mean, factor)
        })
        .collect()
}

fn standardised(scale: &[(f64, f64)], row: &[f32]) -> Vec<f64> {
    let pairs = row.iter().zip(scale);
    pairs
        .map(|(value, (mean, factor))| (f64::from(*value) - mean) * factor)
        .collect()
}

fn logit(weights: &[f64], row: &[f64]) -> f64 {
    let constant = weights.last().copied().unwrap_or(0.0);
    constant + dot(&weights[..weights.len().saturating_sub(1)], row)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// A function's value and its gradient at a point.
type Function<'a> = dyn Fn(&[f64]) -> (f64, Vec<f64>) + 'a;

/// The lowest point of a convex function that gives its value and its gradient.
fn minimise(mut at: Vec<f64>, function: &Function<'_>) -> Vec<f64> {
    let (mut value, mut gradient) = function(&at);
    // Steps and changes of the gradient, the newest last.
    let mut memory: VecDeque<(Vec<f64>, Vec<f64>)> = VecDeque::new();
    for _ in 0..STEPS {
        let direction = direction(&memory, &gradient);
        let slope = dot(&direction, &gradient);
        if slope > -1e-12 {
            break;
        }
        let mut length = 1.0;
        let (next, next_value, next_gradient) = loop {
            let along = at.iter().zip(&direction);
            let next: Vec<f64> = along.map(|(at, step)| at + length * step).collect();
            let (found, gradient) = function(&next);
            if found <= value + 1e-4 * length * slope {
                break (next, found, gradient);
            }
            length /= 2.0;
            if length < 1e-10 {
                return at;
            }
        };
        let difference = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a - b).collect();
        let step: Vec<f64> = difference(&next, &at);
        let change: Vec<f64> = difference(&next_gradient, &gradient);
        // Curvature must be positive, or the memory would point uphill.
        if dot(&step, &change) > 1e-12 {
            memory.push_back((step, change));
            if memory.len() > MEMORY {
                memory.pop_front();
            }
        }
        let gain = value - next_value;
        (at, value, gradient) = (next, next_value, next_gradient);
        if gain < 1e-9 {
            break;
        }
    }
    at
}

/// Where to go: the gradient turned by what the last steps tell of the curvature.
fn direction(memory: &VecDeque<(Vec<f64>, Vec<f64>)>, gradient: &[f64]) -> Vec<f64> {
    let mut along = gradient.to_vec();
    let mut shares = Vec::with_capacity(memory.len());
    for (step, change) in memory.iter().rev() {
        let share = dot(step, &along) / dot(step, change);
        for (cell, change) in along.iter_mut().zip(change) {
            *cell -= share * change;
        }
        shares.push(share);
    }
    if let Some((step, change)) = memory.back() {
        let factor = dot(step, change) / f64::max(dot(change, change), 1e-300);
        along.iter_mut().for_each(|cell| *cell *= factor);
    }
    for ((step, change), share) in memory.iter().zip(shares.into_iter().rev()) {
        let back = dot(change, &along) / dot(step, change);
        for (cell, step) in along.iter_mut().zip(step) {
            *cell += (share - back) * step;
        }
    }
    along.iter_mut().for_each(|cell| *cell = -*cell);
    along
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_that_made_the_data_are_found_again() {
        let mut table = Table {
            width: 3,
            ..Table::default()
        };
        for row in 0..6_000usize {
            let [x, y] = [row % 37, row * 7 % 41].map(|v| v as f64 / 20.0 - 1.0);
            // The third column never varies.
            table.inputs.extend([x as f32, y as f32, 5.0]);
            let chance = sigmoid(1.5 * x - 0.7 * y - 0.5);
            let draw = (row as f64 * 0.618_033_988_75).fract();
            table.labels.push(draw < chance);
            table.weights.push(1.0);
        }
        let fitted = Logistic::fit(&table);
        let at = |x: f32, y: f32| fitted.logit(&[x, y, 5.0]);
        let origin = at(0.0, 0.0);
        let found = [origin, at(1.0, 0.0) - origin, at(0.0, 1.0) - origin];
        for (found, expected) in found.into_iter().zip([-0.5, 1.5, -0.7]) {
            assert!((found - expected).abs() < 0.1, "{found} for {expected}");
        }
        assert_eq!(fitted.weights[2], 0.0);
    }
}
