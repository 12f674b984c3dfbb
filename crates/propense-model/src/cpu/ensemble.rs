//! The ensemble, packed for the CPU.

use super::arithmetic::{add_product, add_scaled, dot};
use crate::ensemble::MAX_UNITS;
use crate::{EnsembleConfig, ModelError};

/// A piecewise linear function of each input is a table of its values at the edges: two rows of it
/// are mixed for each input, however many bins there are.
#[derive(Debug, Clone)]
pub(super) struct CpuEnsemble {
    config: EnsembleConfig,
    /// What each edge of each input that is read adds to the first layer, `[edges, units]`.
    table: Vec<f32>,
    /// `[units]`.
    first_bias: Vec<f32>,
    /// `[members, hidden, hidden]`.
    second: Vec<f32>,
    /// `[units]`.
    second_bias: Vec<f32>,
    /// `[units]`.
    output: Vec<f32>,
    /// Mean of the members' biases.
    output_bias: f32,
}

impl CpuEnsemble {
    /// Packs the weights; `weight` gives those of a name.
    pub(super) fn new<'a>(
        config: &EnsembleConfig,
        weight: impl Fn(&str) -> Result<&'a [f32], ModelError>,
    ) -> Result<Self, ModelError> {
        let units = config.units();
        let mut table = Vec::new();
        let mut rows = weight("ensemble.first")?.chunks_exact(units);
        for edges in config.edges.iter().filter(|edges| edges.len() > 1) {
            // At the first edge all bins are empty; each edge after it fills one bin more.
            let mut sum = vec![0.0; units];
            table.extend_from_slice(&sum);
            for row in rows.by_ref().take(edges.len() - 1) {
                add_scaled(&mut sum, 1.0, row);
                table.extend_from_slice(&sum);
            }
        }
        let biases = weight("ensemble.output_bias")?;
        Ok(Self {
            table,
            first_bias: weight("ensemble.first_bias")?.to_vec(),
            second: weight("ensemble.second")?.to_vec(),
            second_bias: weight("ensemble.second_bias")?.to_vec(),
            output: weight("ensemble.output")?.to_vec(),
            output_bias: biases.iter().sum::<f32>() / biases.len().max(1) as f32,
            config: config.clone(),
        })
    }

    /// The mean logit of the members on these inputs: the context's numbers, then the newest
    /// row's.
    pub(super) fn logit(&self, inputs: impl Iterator<Item = f32>) -> f32 {
        let (hidden, units) = (self.config.hidden, self.config.units());
        // `EnsembleConfig::validate` bounds the units: nothing is allocated at an event.
        let mut first = [0.0f32; MAX_UNITS];
        let mut second = [0.0f32; MAX_UNITS];
        let (first, second) = (&mut first[..units], &mut second[..units]);
        first.copy_from_slice(&self.first_bias);
        let mut table = self.table.chunks_exact(units);
        for (input, edges) in inputs.zip(&self.config.edges) {
            if edges.len() < 2 {
                continue;
            }
            let (bin, part) = place(edges, input);
            let mut rows = table.by_ref().take(edges.len()).skip(bin);
            if let (Some(low), Some(high)) = (rows.next(), rows.next()) {
                for ((unit, low), high) in first.iter_mut().zip(low).zip(high) {
                    *unit += low + part * (high - low);
                }
            }
            // The rest of this input's rows.
            rows.for_each(|_| ());
        }
        for unit in first.iter_mut() {
            *unit = unit.max(0.0);
        }
        second.copy_from_slice(&self.second_bias);
        let blocks = self.second.chunks_exact(hidden * hidden);
        let members = second
            .chunks_exact_mut(hidden)
            .zip(first.chunks_exact(hidden));
        for ((out, inputs), block) in members.zip(blocks) {
            add_product(out, inputs, block);
        }
        for unit in second.iter_mut() {
            *unit = unit.max(0.0);
        }
        dot(second, &self.output) / self.config.members as f32 + self.output_bias
    }
}

/// The bin of a number and how far it fills that bin; beyond the edges it counts as at them.
fn place(edges: &[f32], input: f32) -> (usize, f32) {
    let last = edges.len().saturating_sub(2);
    let bin = edges
        .partition_point(|edge| *edge <= input)
        .saturating_sub(1)
        .min(last);
    match edges.get(bin..bin + 2) {
        Some(&[low, high]) => (bin, ((input - low) / (high - low)).clamp(0.0, 1.0)),
        _ => (0, 0.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_lies_in_its_bin_and_never_beyond_the_edges() {
        let edges = [-1.0, 0.0, 2.0];
        let check = |input: f32, expected: (usize, f32)| {
            assert_eq!(place(&edges, input), expected, "{input}");
        };
        check(-5.0, (0, 0.0));
        check(-0.5, (0, 0.5));
        check(0.0, (1, 0.0));
        check(1.0, (1, 0.5));
        check(2.0, (1, 1.0));
        check(9.0, (1, 1.0));
    }
}
