//! A logistic regression beside the members, as one more of them.
//!
//! It bends nowhere, so it forecasts worse than the networks where thresholds matter; but what it
//! says is steadier, and it errs where they do not. Half of each errs less than either wherever the
//! columns sum a session up well, and the more so the less new data are like the old.

use propense_model::{EnsembleConfig, NamedTensor};

use super::training::Ensembled;
use super::{PARTS, Table, log_loss};
use crate::baselines::Logistic;

/// The regression's share of the logit.
const SHARE: f32 = 0.5;

/// By how much the log-loss may be higher with it, as a share of it: what is held out is of the same
/// days and the same shop, where a regression shows less of its worth than on what comes later.
const MARGIN: f64 = 0.005;

/// A regression for each part that is left out.
pub(crate) struct Line {
    /// Their mean.
    mean: Logistic,
    /// For each row of the table the logit of the regression that has not learnt from it.
    held_out: Vec<f32>,
}

impl Line {
    /// Learns from four of the parts, for each of them.
    pub(crate) fn new(table: &Table) -> Self {
        let mut held_out = vec![0.0; table.len()];
        let mut mean = Logistic {
            slopes: vec![0.0; table.width],
            constant: 0.0,
        };
        for part in 0..PARTS {
            let (own, others): (Vec<usize>, Vec<usize>) =
                (0..table.len()).partition(|row| table.folds[*row] == part);
            let fitted = Logistic::fit_on(table, &others);
            for row in own {
                held_out[row] = fitted.logit(table.row(row)) as f32;
            }
            let share = 1.0 / PARTS as f64;
            for (sum, slope) in mean.slopes.iter_mut().zip(&fitted.slopes) {
                *sum += share * slope;
            }
            mean.constant += share * fitted.constant;
        }
        Self { mean, held_out }
    }

    /// Takes it into the ensemble, unless what neither has learnt from is forecast worse so, by more than
    /// [`MARGIN`]. Says whether.
    pub(crate) fn join(&self, ensembled: &mut Ensembled, table: &Table) -> bool {
        let pairs = ensembled.held_out.iter().zip(&self.held_out);
        let mixed: Vec<f32> = pairs
            .map(|(members, line)| (1.0 - SHARE) * members + SHARE * line)
            .collect();
        if log_loss(&mixed, table) > log_loss(&ensembled.held_out, table) * (1.0 + MARGIN) {
            return false;
        }
        // The logit is the mean of all members: each of the old ones counts for less, by its share.
        let (old, all) = (ensembled.config.members, ensembled.config.members + 1);
        let kept = (1.0 - SHARE) * all as f32 / old as f32;
        let outputs = ["ensemble.output", "ensemble.output_bias"];
        for weight in &mut ensembled.weights {
            if outputs.contains(&weight.name.as_str()) {
                weight.data.iter_mut().for_each(|value| *value *= kept);
            }
        }
        let gain = f64::from(SHARE) * all as f64;
        let member = Member::new(&self.mean, gain, ensembled);
        for weight in &mut ensembled.weights {
            member.append_to(weight);
        }
        ensembled.config.members = all;
        ensembled.held_out = mixed;
        true
    }
}

/// The regression as a member: units of the first layer have a part of the logit each, or its
/// negative, of which rectifying leaves one; the second layer passes them on, and the output adds
/// and subtracts.
///
/// A part holds bins that count for about as much, and the layers after the first have weights as
/// large as the other members': few bits round them no worse than those.
struct Member {
    /// `[encoded, hidden]`.
    first: Vec<f32>,
    /// The diagonal of the second layer.
    second: Vec<f32>,
    /// Of the output, with the sign of each unit.
    output: Vec<f32>,
    output_bias: f32,
}

impl Member {
    /// This many times the regression's logit.
    fn new(line: &Logistic, times: f64, ensembled: &Ensembled) -> Self {
        let EnsembleConfig { hidden, edges, .. } = &ensembled.config;
        let hidden = *hidden;
        // Where all bins are empty, each input stands at its first edge.
        let mut constant = line.constant;
        let mut gains = Vec::new();
        for (slope, edges) in line.slopes.iter().zip(edges) {
            let bins = edges.windows(2);
            gains.extend(bins.map(|pair| slope * f64::from(pair[1] - pair[0])));
            constant += slope * edges.first().copied().map_or(0.0, f64::from);
        }
        let second: Vec<f32> = (0..hidden)
            .map(|unit| {
                let column = numbers(ensembled, "ensemble.second");
                largest(column.iter().skip(unit).step_by(hidden))
            })
            .collect();
        let size = largest(numbers(ensembled, "ensemble.output").iter());
        let mut order: Vec<usize> = (0..gains.len()).collect();
        order.sort_by(|a, b| gains[*a].abs().total_cmp(&gains[*b].abs()));
        let mut first = vec![0.0; gains.len() * hidden];
        let parts = (hidden / 2).max(1);
        for (part, bins) in order.chunks(gains.len().div_ceil(parts).max(1)).enumerate() {
            for (unit, sign) in [(2 * part, 1.0), (2 * part + 1, -1.0)] {
                let passed = f64::from(second[unit]) * f64::from(size);
                for &bin in bins {
                    first[bin * hidden + unit] = (sign * times * gains[bin] / passed) as f32;
                }
            }
        }
        Self {
            first,
            second,
            output: (0..hidden)
                .map(|unit| if unit % 2 == 0 { size } else { -size })
                .collect(),
            output_bias: (times * constant) as f32,
        }
    }

    /// Takes its weights into those of all members: columns of the first layer, rows of all others.
    fn append_to(&self, weight: &mut NamedTensor) {
        let hidden = self.second.len();
        let added = match weight.name.as_str() {
            "ensemble.first" => {
                let units = weight.shape.last().copied().unwrap_or(0);
                let rows = weight.data.chunks_exact(units.max(1));
                let pairs = rows.zip(self.first.chunks_exact(hidden));
                weight.data = pairs.flat_map(|(old, own)| [old, own].concat()).collect();
                weight.shape = vec![self.first.len() / hidden, units + hidden];
                return;
            }
            "ensemble.second" => {
                let mut rows = vec![0.0; hidden * hidden];
                for (unit, value) in self.second.iter().enumerate() {
                    rows[unit * hidden + unit] = *value;
                }
                rows
            }
            "ensemble.output" => self.output.clone(),
            "ensemble.output_bias" => vec![self.output_bias],
            // The biases of both layers.
            _ => vec![0.0; hidden],
        };
        let width: usize = weight.shape.iter().skip(1).product();
        if let Some(rows) = weight.shape.first_mut() {
            *rows += added.len() / width;
        }
        weight.data.extend(added);
    }
}

fn numbers<'a>(ensembled: &'a Ensembled, name: &str) -> &'a [f32] {
    let weight = ensembled.weights.iter().find(|weight| weight.name == name);
    weight.map_or(&[], |weight| &weight.data)
}

/// The largest of these numbers without their signs; one where there is none but zero.
fn largest<'a>(values: impl Iterator<Item = &'a f32>) -> f32 {
    let largest = values.fold(0.0f32, |most, value| most.max(value.abs()));
    if largest > 0.0 { largest } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use propense_model::{CpuModel, ModelConfig, Precision};

    use super::*;
    use crate::progress::StopReason;

    /// Two columns, of which one tells the outcome; rows of five parts.
    fn table() -> Table {
        Table::of((0..500usize).map(|row| {
            let told = (row % 50) as f32 / 25.0 - 1.0;
            let other = (row * 7 % 11) as f32 / 5.0;
            let order = (row as f32 * 0.618).fract() < 0.3 + 0.2 * told;
            ([0.0, other, told, 0.0, 1.0], order, row % PARTS)
        }))
    }

    fn ensembled(table: &Table, held_out: f32) -> Ensembled {
        let config = EnsembleConfig {
            members: 3,
            hidden: 4,
            edges: super::super::table_edges(table, |_| 10),
        };
        let whole = ModelConfig {
            ensemble: Some(config.clone()),
            ..ModelConfig::seed(5, 0)
        };
        let weights = whole.initial_weights(3).expect("sound").into_iter();
        Ensembled {
            config,
            weights: weights
                .filter(|weight| weight.name.starts_with("ensemble."))
                .collect(),
            held_out: vec![held_out; table.len()],
            history: Vec::new(),
            best_epoch: 1,
            reason: StopReason::Patience,
            samples_per_second: 0.0,
        }
    }

    /// The ensemble's logit of a row.
    fn logit(ensembled: &Ensembled, row: &[f32]) -> f32 {
        let (config, weights) = ensembled.network((5, 0), 3).expect("sound");
        let model = CpuModel::new(&config, &weights).expect("a network");
        Arc::new(model).score(row, &[])
    }

    #[test]
    fn half_of_the_logit_is_the_line_s() {
        let table = table();
        let line = Line::new(&table);
        let mut ensembled = ensembled(&table, 0.0);
        let rows: Vec<&[f32]> = [0, 7, 123, 499].map(|row| table.row(row)).to_vec();
        let before: Vec<f32> = rows.iter().map(|r| logit(&ensembled, r)).collect();
        assert!(line.join(&mut ensembled, &table));
        assert_eq!(ensembled.config.members, 4);
        for (row, members) in rows.into_iter().zip(before) {
            let expected = 0.5 * members + 0.5 * line.mean.logit(row) as f32;
            let found = logit(&ensembled, row);
            assert!((found - expected).abs() < 1e-5, "{found} for {expected}");
        }
        let held_out = ensembled.held_out.iter().zip(&line.held_out);
        for (found, line) in held_out {
            assert_eq!(*found, 0.5 * line);
        }
    }

    #[test]
    fn few_bits_do_not_spoil_it() {
        let table = table();
        let line = Line::new(&table);
        let mut ensembled = ensembled(&table, 0.0);
        assert!(line.join(&mut ensembled, &table));
        let all = |ensembled: &Ensembled| -> Vec<f32> {
            let rows = 0..table.len();
            rows.map(|row| logit(ensembled, table.row(row))).collect()
        };
        let exact = all(&ensembled);
        ensembled.weights = Precision::Int5.round(&ensembled.weights).expect("finite");
        let error = exact
            .iter()
            .zip(all(&ensembled))
            .map(|(a, b)| (a - b).abs());
        let spread = exact.iter().fold(0.0f32, |most, value| most.max(*value))
            - exact.iter().fold(0.0f32, |least, value| least.min(*value));
        let worst = error.fold(0.0, f32::max);
        assert!(worst < 0.1 * spread, "{worst} of {spread}");
    }

    #[test]
    fn members_that_forecast_better_alone_stay_alone() {
        let table = table();
        let mut ensembled = ensembled(&table, 0.0);
        for (logit, label) in ensembled.held_out.iter_mut().zip(&table.labels) {
            *logit = if *label { 6.0 } else { -6.0 };
        }
        let before = ensembled.weights.clone();
        assert!(!Line::new(&table).join(&mut ensembled, &table));
        assert_eq!((ensembled.config.members, ensembled.weights), (3, before));
    }
}
