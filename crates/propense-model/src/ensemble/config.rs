//! Sizes and fitted constants of the ensemble.

use serde::{Deserialize, Serialize};

use crate::ModelError;

/// What an ensemble looks like. The edges of the bins are fitted on training data; they
/// stand here and not among the weights, because eight bits would not do for them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EnsembleConfig {
    /// Networks whose logits are averaged.
    pub members: usize,
    /// Units of each of a member's two hidden layers.
    pub hidden: usize,
    /// The edges of the bins of each input, rising: those of the context's numbers, then those of
    /// the newest event's row. An input with fewer than two edges is not read.
    pub edges: Vec<Vec<f32>>,
}

/// Bounds of a configuration read from a file. The last one is what the live step keeps on the
/// stack.
const MAX_EDGES: usize = 256;
const MAX_ENCODED: usize = 65_536;
pub(crate) const MAX_UNITS: usize = 1_024;

impl EnsembleConfig {
    /// Most units of a hidden layer of all members together.
    pub const MAX_UNITS: usize = MAX_UNITS;

    /// Numbers that the first layer reads: one for each bin.
    #[must_use]
    pub fn encoded(&self) -> usize {
        self.edges
            .iter()
            .map(|edges| edges.len().saturating_sub(1))
            .sum()
    }

    /// Units of one hidden layer of all members together.
    #[must_use]
    pub const fn units(&self) -> usize {
        self.members * self.hidden
    }

    /// Every weight's name and shape. The members stand side by side: columns of the first layer,
    /// rows of the second, which has a square block for each.
    pub(crate) fn weight_shapes(&self) -> Vec<(&'static str, Vec<usize>)> {
        let units = self.units();
        vec![
            ("ensemble.first", vec![self.encoded(), units]),
            ("ensemble.first_bias", vec![units]),
            ("ensemble.second", vec![units, self.hidden]),
            ("ensemble.second_bias", vec![units]),
            ("ensemble.output", vec![units, 1]),
            ("ensemble.output_bias", vec![self.members]),
        ]
    }

    /// Checks sizes and edges for this many inputs.
    pub(crate) fn validate(&self, inputs: usize) -> Result<(), ModelError> {
        let wrong = |field: &'static str, value: String, allowed: String| {
            Err(ModelError::Config {
                field,
                value,
                allowed,
            })
        };
        for (field, value) in [
            ("ensemble.members", self.members),
            ("ensemble.hidden", self.hidden),
        ] {
            if !(1..=MAX_UNITS).contains(&value) {
                return wrong(field, value.to_string(), format!("1 to {MAX_UNITS}"));
            }
        }
        if self.units() > MAX_UNITS {
            let units = self.units().to_string();
            let allowed = format!("at most {MAX_UNITS}");
            return wrong("ensemble.members × ensemble.hidden", units, allowed);
        }
        if self.edges.len() != inputs {
            let found = format!("{} lists", self.edges.len());
            let allowed = format!("{inputs}: one for each number of context and row");
            return wrong("ensemble.edges", found, allowed);
        }
        for edges in &self.edges {
            let rising = edges.windows(2).all(|pair| pair[0] < pair[1]);
            if edges.len() > MAX_EDGES || !rising || edges.iter().any(|edge| !edge.is_finite()) {
                let allowed = format!("at most {MAX_EDGES} finite, rising numbers each");
                return wrong("ensemble.edges", format!("{edges:?}"), allowed);
            }
        }
        if !(1..=MAX_ENCODED).contains(&self.encoded()) {
            let found = format!("{} bins", self.encoded());
            return wrong("ensemble.edges", found, format!("1 to {MAX_ENCODED} bins"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_no_ensemble_is_refused_by_name() {
        let sound = || EnsembleConfig {
            members: 4,
            hidden: 8,
            edges: vec![vec![-1.0, 0.0, 2.0], vec![], vec![0.0, 1.0]],
        };
        assert_eq!(sound().encoded(), 3);
        sound().validate(3).expect("sound");
        let check = |change: fn(&mut EnsembleConfig), expected: &str| {
            let mut config = sound();
            change(&mut config);
            let error = config.validate(3).expect_err("must be refused");
            assert!(matches!(error, ModelError::Config { field, .. } if field == expected));
        };
        check(|c| c.members = 0, "ensemble.members");
        check(|c| c.hidden = usize::MAX, "ensemble.hidden");
        check(|c| c.hidden = 600, "ensemble.members × ensemble.hidden");
        check(|c| c.edges.truncate(2), "ensemble.edges");
        check(|c| c.edges[0][0] = f32::NAN, "ensemble.edges");
        check(|c| c.edges[0][1] = -1.0, "ensemble.edges");
        check(|c| c.edges = vec![vec![]; 3], "ensemble.edges");
    }
}
