//! Boosted trees as a teacher: where they forecast what they have not seen better than the
//! ensemble does, the ensemble learns from their forecasts as well as from the outcomes
//! (distillation: Hinton, Vinyals and Dean 2015).

use rayon::prelude::*;

use super::{PARTS, Table, log_loss};
use crate::baselines::{Binned, Growth, Trees};
use crate::calibrate::sigmoid;

/// By how much the trees' log-loss must be lower, as a share of it: a tie is no reason to teach.
const MARGIN: f64 = 0.005;

/// Share of the teacher in what is learnt; the rest is the outcome.
const SHARE: f64 = 0.7;

/// What members learn: for each part that is left out and each row, a probability.
pub(crate) struct Targets([Vec<f32>; PARTS]);

impl Targets {
    /// The target of a row for members that leave this part out.
    pub(crate) fn get(&self, part: usize, row: usize) -> f32 {
        let targets = self.0.get(part).and_then(|targets| targets.get(row));
        targets.copied().unwrap_or(0.0)
    }

    /// The outcomes alone.
    pub(crate) fn outcomes(table: &Table) -> Self {
        let outcomes: Vec<f32> = table
            .labels
            .iter()
            .map(|l| f32::from(u8::from(*l)))
            .collect();
        Self(std::array::from_fn(|_| outcomes.clone()))
    }
}

/// What the trees would teach, and how well they forecast themselves.
pub(crate) struct Teacher<'a> {
    table: &'a Table,
    binned: Binned,
    growth: Growth,
    /// Log-loss of each part's forecast by trees that have not seen it.
    pub(crate) loss: f64,
}

impl<'a> Teacher<'a> {
    /// Trees on four of the parts, for each of them.
    pub(crate) fn new(table: &'a Table, seed: u64) -> Self {
        let growth = Growth {
            seed,
            ..Growth::default()
        };
        let mut teacher = Self {
            binned: Binned::new(table),
            table,
            growth,
            loss: f64::INFINITY,
        };
        let forecasts: Vec<Vec<(usize, f64)>> = (0..PARTS)
            .into_par_iter()
            .map(|part| teacher.forecast(part, part))
            .collect();
        let mut logits = vec![0.0; table.len()];
        for (row, logit) in forecasts.into_iter().flatten() {
            logits[row] = logit as f32;
        }
        teacher.loss = log_loss(&logits, table);
        teacher
    }

    /// Whether it knows better than an ensemble of this log-loss.
    pub(crate) fn knows_better(&self, loss: f64) -> bool {
        self.loss < loss * (1.0 - MARGIN)
    }

    /// Targets for each member. Trees that teach a member of one part have not seen the part that
    /// the member leaves out, so that this part stays unseen to it.
    pub(crate) fn targets(&self) -> Targets {
        let mut targets = Targets::outcomes(self.table);
        let pairs: Vec<(usize, usize)> = (0..PARTS)
            .flat_map(|a| (0..a).map(move |b| (a, b)))
            .collect();
        let forecasts: Vec<Vec<(usize, f64)>> = pairs
            .par_iter()
            .map(|&(a, b)| self.forecast(a, b))
            .collect();
        for ((a, b), forecast) in pairs.into_iter().zip(forecasts) {
            for (row, logit) in forecast {
                let own = self.table.folds[row];
                // A row of one part teaches the members that leave the other one out.
                let member = if own == a { b } else { a };
                let outcome = f64::from(u8::from(self.table.labels[row]));
                let target = SHARE * sigmoid(logit) + (1.0 - SHARE) * outcome;
                targets.0[member][row] = target as f32;
            }
        }
        targets
    }

    /// Logits of the rows of two parts by trees that have seen neither.
    fn forecast(&self, a: usize, b: usize) -> Vec<(usize, f64)> {
        let (unseen, rows): (Vec<usize>, Vec<usize>) = (0..self.table.len())
            .partition(|row| self.table.folds[*row] == a || self.table.folds[*row] == b);
        let trees = Trees::fit(&self.binned, self.table, &rows, &self.growth);
        unseen
            .into_iter()
            .map(|row| (row, trees.logit(&self.binned, row)))
            .collect()
    }
}
