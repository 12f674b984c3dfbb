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
const RIDGE: f64 = 1e-2;

/// A fitted regression.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Logistic {
    /// What each column adds to the logit, for each unit of it; 0 where it does not vary.
    pub(crate) slopes: Vec<f64>,
    /// The logit of a row of zeros.
    pub(crate) constant: f64,
}

impl Logistic {
    /// Learns from every row of the table.
    pub(crate) fn fit(table: &Table) -> Self {
        let rows: Vec<usize> = (0..table.len()).collect();
        Self::fit_on(table, &rows)
    }

    /// Learns from these rows of the table.
    pub(crate) fn fit_on(table: &Table, rows: &[usize]) -> Self {
        let scale = standardisation(table, rows);
        let total: f64 = rows.iter().map(|&row| f64::from(table.weights[row])).sum();
        // The weights of the standardised columns, then the constant.
        let loss = |weights: &[f64]| -> (f64, Vec<f64>) {
            let fitted = Self::unscaled(&scale, weights);
            let mut gradient = vec![0.0; weights.len()];
            let (mut sum, mut constant) = (0.0, 0.0);
            for &row in rows {
                let logit = fitted.logit(table.row(row));
                let target = f64::from(u8::from(table.labels[row]));
                let share = f64::from(table.weights[row]) / f64::max(total, 1e-9);
                sum += share * cross_entropy(logit, target);
                let slope = share * (sigmoid(logit) - target);
                for (cell, value) in gradient.iter_mut().zip(table.row(row)) {
                    *cell += slope * f64::from(*value);
                }
                constant += slope;
            }
            let columns = gradient.iter_mut().zip(&scale).zip(weights);
            for ((cell, (mean, factor)), weight) in columns {
                *cell = (*cell - mean * constant) * factor + RIDGE * weight;
                sum += RIDGE * weight * weight / 2.0;
            }
            // The constant is not drawn to zero.
            if let Some(cell) = gradient.last_mut() {
                *cell = constant;
            }
            (sum, gradient)
        };
        let weights = minimise(vec![0.0; table.width + 1], &loss);
        Self::unscaled(&scale, &weights)
    }

    /// For columns as they stand, from weights of the standardised ones and a constant.
    fn unscaled(scale: &[(f64, f64)], weights: &[f64]) -> Self {
        let pairs = scale.iter().zip(weights);
        let slopes: Vec<f64> = pairs.map(|((_, factor), weight)| weight * factor).collect();
        let means = scale.iter().zip(&slopes);
        let moved: f64 = means.map(|((mean, _), slope)| mean * slope).sum();
        Self {
            constant: weights.last().copied().unwrap_or(0.0) - moved,
            slopes,
        }
    }

    /// Trained numbers.
    pub(crate) fn parameters(&self) -> usize {
        self.slopes.len() + 1
    }

    /// The logit of a row.
    pub(crate) fn logit(&self, row: &[f32]) -> f64 {
        let pairs = self.slopes.iter().zip(row);
        let sum: f64 = pairs.map(|(slope, value)| slope * f64::from(*value)).sum();
        self.constant + sum
    }
}

/// Below this deviation a column is taken not to vary, as the ensemble's bins take it.
const STILL: f64 = 1e-4;

/// Mean and one over the deviation of each column; 0 where it does not vary.
fn standardisation(table: &Table, rows: &[usize]) -> Vec<(f64, f64)> {
    let count = rows.len().max(1) as f64;
    let mut sums = vec![(0.0, 0.0); table.width];
    for &row in rows {
        for ((sum, squares), value) in sums.iter_mut().zip(table.row(row)) {
            let value = f64::from(*value);
            *sum += value;
            *squares += value * value;
        }
    }
    let columns = sums.into_iter().map(|(sum, squares)| {
        let mean = sum / count;
        let deviation = (squares / count - mean * mean).max(0.0).sqrt();
        let varies = deviation > STILL;
        (mean, if varies { 1.0 / deviation } else { 0.0 })
    });
    columns.collect()
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
        let table = Table::of((0..6_000usize).map(|row| {
            let [x, y] = [row % 37, row * 7 % 41].map(|v| v as f64 / 20.0 - 1.0);
            let chance = sigmoid(1.5 * x - 0.7 * y - 0.5);
            let draw = (row as f64 * 0.618_033_988_75).fract();
            // The third column never varies.
            ([x as f32, y as f32, 5.0], draw < chance, 0)
        }));
        let fitted = Logistic::fit(&table);
        let at = |x: f32, y: f32| fitted.logit(&[x, y, 5.0]);
        let origin = at(0.0, 0.0);
        let found = [origin, at(1.0, 0.0) - origin, at(0.0, 1.0) - origin];
        for (found, expected) in found.into_iter().zip([-0.5, 1.5, -0.7]) {
            assert!((found - expected).abs() < 0.1, "{found} for {expected}");
        }
        assert_eq!(fitted.slopes[2], 0.0);
    }
}
