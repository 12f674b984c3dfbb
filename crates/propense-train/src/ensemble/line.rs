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

    /// Takes it into the ensemble, unless what neither has learnt from is forecast worse so. Says whether.
    pub(crate) fn join(&self, ensembled: &mut Ensembled, table: &Table) -> bool {
        let pairs = ensembled.held_out.iter().zip(&self.held_out);
        let mixed: Vec<f32> = pairs
            .map(|(members, line)| (1.0 - SHARE) * members + SHARE * line)
            .collect();
        if log_loss(&mixed, table) > log_loss(&ensembled.held_out, table) * (1.0 + MARGIN) {
            return false;
        }
        let member = member(&self.mean, &ensembled.config);
        let (old, all) = (ensembled.config.members, ensembled.config.members + 1);
        for weight in &mut ensembled.weights {
            let Some(added) = member.iter().find(|added| added.name == weight.name) else {
                continue;
            };
            // The logit is the mean of all members: each of the old ones counts for as much as all
            // count together, by its share of them.
            let scaled = |by: f32| move |value: &f32| value * by;
            let (kept, new) = match weight.name.as_str() {
                "ensemble.output" | "ensemble.output_bias" => {
                    ((1.0 - SHARE) * all as f32 / old as f32, SHARE * all as f32)
                }
                _ => (1.0, 1.0),
            };
            let data: Vec<f32> = match (weight.name.as_str(), &mut weight.shape[..]) {
                // Members are columns of the first layer, rows of all others.
                ("ensemble.first", [_, units]) => {
                    let rows = weight.data.chunks_exact(*units);
                    let own = ensembled.config.hidden;
                    *units += own;
                    let pairs = rows.zip(added.data.chunks_exact(own));
                    pairs.flat_map(|(old, new)| [old, new].concat()).collect()
                }
                (_, shape) => {
                    if let (Some(rows), Some(more)) = (shape.first_mut(), added.shape.first()) {
                        *rows += more;
                    }
                    let old = weight.data.iter().map(scaled(kept));
                    old.chain(added.data.iter().map(scaled(new))).collect()
                }
            };
            weight.data = data;
        }
        ensembled.config.members = all;
        ensembled.held_out = mixed;
        true
    }
}

/// The regression as a member of an ensemble of this kind: its first layer has the logit in one unit
/// and its negative in another, of which rectifying leaves one; the second layer passes both on, and
/// the output takes the second from the first.
fn member(line: &Logistic, config: &EnsembleConfig) -> Vec<NamedTensor> {
    let hidden = config.hidden;
    let row = |pair: [f64; 2]| -> Vec<f32> {
        let mut row = vec![0.0; hidden];
        for (unit, value) in row.iter_mut().zip(pair) {
            *unit = value as f32;
        }
        row
    };
    let mut first = Vec::new();
    // Where all bins are empty, each input stands at its first edge.
    let mut constant = line.constant;
    for (slope, edges) in line.slopes.iter().zip(&config.edges) {
        for pair in edges.windows(2) {
            let gain = slope * f64::from(pair[1] - pair[0]);
            first.extend(row([gain, -gain]));
        }
        constant += slope * edges.first().copied().map_or(0.0, f64::from);
    }
    let mut second = row([1.0, 0.0]);
    second.extend(row([0.0, 1.0]));
    second.resize(hidden * hidden, 0.0);
    let tensor = |name: &str, shape: Vec<usize>, data: Vec<f32>| NamedTensor {
        name: format!("ensemble.{name}"),
        shape,
        data,
    };
    vec![
        tensor("first", vec![config.encoded(), hidden], first),
        tensor("first_bias", vec![hidden], row([constant, -constant])),
        tensor("second", vec![hidden, hidden], second),
        tensor("second_bias", vec![hidden], vec![0.0; hidden]),
        tensor("output", vec![hidden, 1], row([1.0, -1.0])),
        tensor("output_bias", vec![1], vec![0.0]),
    ]
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use propense_model::{CpuModel, ModelConfig};

    use super::*;
    use crate::progress::StopReason;

    /// Two columns, of which one tells the outcome; rows of five parts.
    fn table() -> Table {
        let mut table = Table {
            width: 5,
            ..Table::default()
        };
        for row in 0..500usize {
            let told = (row % 50) as f32 / 25.0 - 1.0;
            let other = (row * 7 % 11) as f32 / 5.0;
            table.inputs.extend([0.0, other, told, 0.0, 1.0]);
            table
                .labels
                .push((row as f32 * 0.618).fract() < 0.3 + 0.2 * told);
            table.weights.push(1.0);
            table.folds.push(row % PARTS);
            table.moments.push((row, 1));
        }
        table
    }

    fn ensembled(table: &Table, held_out: f32) -> (ModelConfig, Ensembled) {
        let config = EnsembleConfig {
            members: 3,
            hidden: 4,
            edges: super::super::table_edges(table, 10),
        };
        let whole = ModelConfig {
            filters: 1,
            hidden: 1,
            ensemble: Some(config.clone()),
            ..ModelConfig::seed(5, 0)
        };
        let weights = whole.initial_weights(3).expect("sound");
        let weights = weights.into_iter();
        let ensembled = Ensembled {
            config,
            weights: weights
                .filter(|weight| weight.name.starts_with("ensemble."))
                .collect(),
            held_out: vec![held_out; table.len()],
            history: Vec::new(),
            best_epoch: 1,
            reason: StopReason::Patience,
            samples_per_second: 0.0,
        };
        (whole, ensembled)
    }

    /// The ensemble's logit of a row, the recurrent path being silent.
    fn logit(whole: &ModelConfig, ensembled: &Ensembled, row: &[f32]) -> f32 {
        let config = ModelConfig {
            ensemble: Some(ensembled.config.clone()),
            ..whole.clone()
        };
        let mut weights = config.initial_weights(3).expect("sound");
        for weight in &mut weights {
            weight.data.fill(0.0);
            if let Some(own) = ensembled.weights.iter().find(|own| own.name == weight.name) {
                weight.clone_from(own);
            }
        }
        let model = CpuModel::new(&config, &weights).expect("a network");
        Arc::new(model).score(row, &[])
    }

    #[test]
    fn half_of_the_logit_is_the_line_s() {
        let table = table();
        let line = Line::new(&table);
        let (whole, mut ensembled) = ensembled(&table, 0.0);
        let rows: Vec<&[f32]> = [0, 7, 123, 499].map(|row| table.row(row)).to_vec();
        let before: Vec<f32> = rows.iter().map(|r| logit(&whole, &ensembled, r)).collect();
        assert!(line.join(&mut ensembled, &table));
        assert_eq!(ensembled.config.members, 4);
        for (row, members) in rows.into_iter().zip(before) {
            let expected = 0.5 * members + 0.5 * line.mean.logit(row) as f32;
            let found = logit(&whole, &ensembled, row);
            assert!((found - expected).abs() < 1e-5, "{found} for {expected}");
        }
        let held_out = ensembled.held_out.iter().zip(&line.held_out);
        for (found, line) in held_out {
            assert_eq!(*found, 0.5 * line);
        }
    }

    #[test]
    fn members_that_forecast_better_alone_stay_alone() {
        let table = table();
        let (_, mut ensembled) = ensembled(&table, 0.0);
        for (logit, label) in ensembled.held_out.iter_mut().zip(&table.labels) {
            *logit = if *label { 6.0 } else { -6.0 };
        }
        let before = ensembled.weights.clone();
        assert!(!Line::new(&table).join(&mut ensembled, &table));
        assert_eq!((ensembled.config.members, ensembled.weights), (3, before));
    }
}
