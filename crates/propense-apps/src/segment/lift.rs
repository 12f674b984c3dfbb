//! Gain and lift: how many of the later buyers are among the best-ranked customers.

use serde::Serialize;

/// Points kept of a curve.
const POINTS: usize = 200;

/// Buyers reached at each share of the base addressed, best first; customers with equal scores are
/// one step.
#[must_use]
pub fn gains(scores: &[f64], bought: &[bool]) -> Vec<(f64, f64)> {
    let steps = steps(scores.iter().copied(), bought);
    let (all, buyers) = steps.last().copied().unwrap_or((0, 0));
    let share = |a: usize, b: usize| a as f64 / b.max(1) as f64;
    let every = steps.len().div_ceil(POINTS).max(1);
    let last = steps.len().saturating_sub(1);
    let kept = steps.iter().enumerate();
    let kept = kept.filter(|(place, _)| place % every == 0 || *place == last);
    std::iter::once((0.0, 0.0))
        .chain(kept.map(|(_, (taken, found))| (share(*taken, all), share(*found, buyers))))
        .collect()
}

/// How much a share of the base, best first, holds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Lift {
    /// The share addressed.
    pub share: f64,
    /// Customers addressed.
    pub customers: f64,
    /// Share of those addressed who bought.
    pub rate: f64,
    /// How many times more buyers than among as many chosen at random.
    pub lift: f64,
    /// Share of all buyers who are among them.
    pub reached: f64,
}

/// Lift of the best-scored share. Of customers with equal scores at the border a part counts.
#[must_use]
pub fn lift(scores: &[f64], bought: &[bool], share: f64) -> Lift {
    let steps = steps(scores.iter().copied(), bought);
    let (all, buyers) = steps.last().copied().unwrap_or((0, 0));
    let wanted = share * all as f64;
    let (mut before, mut found_by_then) = ((0, 0), 0.0);
    for (taken, found) in steps {
        if taken as f64 >= wanted {
            let part = (wanted - before.0 as f64) / (taken - before.0).max(1) as f64;
            found_by_then = before.1 as f64 + part * (found - before.1) as f64;
            break;
        }
        before = (taken, found);
    }
    let reached = found_by_then / buyers.max(1) as f64;
    Lift {
        share,
        customers: wanted,
        rate: if wanted > 0.0 {
            found_by_then / wanted
        } else {
            0.0
        },
        lift: if share > 0.0 { reached / share } else { 0.0 },
        reached,
    }
}

/// Counts after each distinct score from the highest on: (taken, buyers among them).
#[must_use]
pub fn steps(scores: impl IntoIterator<Item = f64>, bought: &[bool]) -> Vec<(usize, usize)> {
    let mut order: Vec<(f64, bool)> = scores.into_iter().zip(bought.iter().copied()).collect();
    order.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut taken, mut found) = (0, 0);
    order
        .chunk_by(|a, b| a.0 == b.0)
        .map(|tie| {
            taken += tie.len();
            found += tie.iter().filter(|(_, bought)| *bought).count();
            (taken, found)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_case_by_hand() {
        // Best: a buyer; then two tied, one of whom bought; then one who did not.
        let (scores, bought) = ([0.9, 0.5, 0.5, 0.1], [true, false, true, false]);
        assert_eq!(
            gains(&scores, &bought),
            [(0.0, 0.0), (0.25, 0.5), (0.75, 1.0), (1.0, 1.0)]
        );
        for (share, rate, reached) in [(0.25, 1.0, 0.5), (0.5, 0.75, 0.75), (1.0, 0.5, 1.0)] {
            let found = lift(&scores, &bought, share);
            assert_eq!(
                (found.rate, found.reached, found.lift),
                (rate, reached, reached / share)
            );
        }
        assert_eq!(lift(&[], &[], 0.1).lift, 0.0);
    }
}
