//! What is trained next: successive halving without waiting (ASHA: Li et al. 2020).
//!
//! The rungs of the ladder are numbers of epochs. A trial climbs where it is among the best third of
//! those that reached its rung; it then goes on from its checkpoint. Decisions are taken a few at a
//! time on what is finished by then, so that they hang neither on timing nor on how many run at once.

use std::collections::{BTreeMap, BTreeSet};

/// Of so many trials on a rung, one climbs.
pub(super) const ONE_IN: usize = 3;

/// Decisions taken together: as many as can run at once.
pub(super) const WAVE: usize = 4;

/// A trial on a rung.
pub(super) type Job = (usize, usize);

/// Validation log-losses of what is finished; infinite where training failed.
pub(super) type Losses = BTreeMap<Job, f64>;

/// Epochs of the rungs: the last has all, each lower one a third of the next.
pub(super) fn rungs(epochs: usize, halving: bool) -> Vec<usize> {
    let mut rungs = vec![epochs];
    while halving && rungs.len() < 3 {
        let lower = rungs.first().map_or(0, |epochs| epochs / ONE_IN);
        if lower == 0 {
            break;
        }
        rungs.insert(0, lower);
    }
    rungs
}

/// The next jobs; none where the search is over.
pub(super) fn next(trials: usize, rungs: usize, losses: &Losses) -> Vec<Job> {
    let mut begun: BTreeSet<Job> = losses.keys().copied().collect();
    let mut jobs = Vec::new();
    while jobs.len() < WAVE {
        let Some(job) = climb(rungs, losses, &begun).or_else(|| start(trials, &begun)) else {
            break;
        };
        begun.insert(job);
        jobs.push(job);
    }
    if jobs.is_empty() {
        jobs.extend(finish(rungs, losses));
    }
    jobs
}

/// The best trial that may climb and has not, from the highest rung down.
fn climb(rungs: usize, losses: &Losses, begun: &BTreeSet<Job>) -> Option<Job> {
    (0..rungs.saturating_sub(1)).rev().find_map(|rung| {
        let ranked = ranked(losses, rung);
        let best = ranked.iter().take(ranked.len() / ONE_IN);
        let free = |trial: &&usize| !begun.contains(&(**trial, rung + 1));
        best.copied()
            .collect::<Vec<_>>()
            .iter()
            .find(free)
            .map(|trial| (*trial, rung + 1))
    })
}

/// The first trial that has not begun.
fn start(trials: usize, begun: &BTreeSet<Job>) -> Option<Job> {
    (0..trials)
        .map(|trial| (trial, 0))
        .find(|job| !begun.contains(job))
}

/// Where too few trials ran for any to climb to the top, the best one climbs all the same: one at least
/// has all epochs.
fn finish(rungs: usize, losses: &Losses) -> Option<Job> {
    let highest = losses.keys().map(|(_, rung)| *rung).max()?;
    if highest + 1 >= rungs {
        return None;
    }
    ranked(losses, highest)
        .first()
        .map(|trial| (*trial, highest + 1))
}

/// The trials that finished on a rung, the lowest loss first; those that failed are left out.
pub(super) fn ranked(losses: &Losses, rung: usize) -> Vec<usize> {
    let here = losses.iter().filter(|((_, on), _)| *on == rung);
    let mut trials: Vec<(f64, usize)> = here
        .filter(|(_, loss)| loss.is_finite())
        .map(|((trial, _), loss)| (*loss, *trial))
        .collect();
    trials.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    trials.into_iter().map(|(_, trial)| trial).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs the schedule to its end with a loss for each trial that falls with each rung.
    fn play(trials: usize, rungs: usize, loss: impl Fn(usize) -> f64) -> Losses {
        let mut losses = Losses::new();
        loop {
            let jobs = next(trials, rungs, &losses);
            if jobs.is_empty() {
                return losses;
            }
            for (trial, rung) in jobs {
                let found = loss(trial) / (rung + 1) as f64;
                assert!(
                    losses.insert((trial, rung), found).is_none(),
                    "trained twice"
                );
            }
        }
    }

    #[test]
    fn every_trial_starts_and_the_best_reaches_the_top() {
        for trials in [1, 2, 5, 9, 27] {
            let best = trials / 2;
            let losses = play(trials, 3, |trial| 1.0 + trial.abs_diff(best) as f64);
            for trial in 0..trials {
                assert!(losses.contains_key(&(trial, 0)), "{trial} of {trials}");
            }
            assert!(losses.contains_key(&(best, 2)), "{trials} trials");
            let top = losses.keys().filter(|(_, rung)| *rung == 2).count();
            assert!(
                top <= trials.div_ceil(ONE_IN),
                "{top} of {trials} at the top"
            );
        }
    }

    #[test]
    fn without_halving_each_runs_once_and_failures_win_nothing() {
        let losses = play(7, 1, |trial| trial as f64);
        assert_eq!(losses.len(), 7);
        let failed = play(7, 1, |trial| if trial == 0 { f64::INFINITY } else { 1.0 });
        assert_eq!(ranked(&failed, 0)[0], 1);
    }

    #[test]
    fn rungs_of_so_many_epochs() {
        let check = |epochs, halving, expected: &[usize]| {
            assert_eq!(rungs(epochs, halving), expected);
        };
        check(27, true, &[3, 9, 27]);
        check(200, true, &[22, 66, 200]);
        check(2, true, &[2]);
        check(27, false, &[27]);
    }
}
