//! The calibration watch: orders that were expected beside orders that came, and a refit where they
//! part.

use propense_model::{Bundle, Calibration, Lineage, Manifest};
use serde::{Deserialize, Serialize};

use super::clustered;
use super::sample::{Drawn, Sample};
use crate::decide::Deciding;
use crate::delong::tail;
use crate::evaluation::owners;
use crate::fit::held_out;
use crate::paired::{Comparison, Pairs, compare};
use crate::tasks::{Shares, scheme};
use crate::{Task, TrainError, scoring};

/// Windows at most, and sessions in one at least.
const WINDOWS: usize = 8;
const FEWEST: usize = 200;

/// Orders and non-orders that a refit needs.
const FEWEST_OF_EACH: usize = 30;

/// Share of the sessions, the oldest, that a refit is fitted on; the rest judges.
const FITTED: f64 = 0.7;

/// Draws of the paired test that judges a refit.
const DRAWS: usize = 1000;

/// One stretch of sessions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Window {
    /// Start of the first session, in milliseconds since 1970.
    pub from_ms: i64,
    /// Start of the last.
    pub to_ms: i64,
    /// Sessions.
    pub sessions: usize,
    /// Sum of their probabilities.
    pub expected: f64,
    /// Orders that came.
    pub observed: usize,
    /// Two-sided p-value of "as many came as expected".
    pub p: f64,
}

impl Window {
    /// Orders that came for each that was expected.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        self.observed as f64 / self.expected.max(1e-9)
    }
}

/// A refitted calibration and what it does on sessions it was not fitted on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recalibration {
    /// The new calibration.
    pub calibration: Calibration,
    /// Both on the newest sessions: AUC stays, since the order of scores does.
    pub judged: Comparison,
    /// Whether the log-loss is proven lower there (one-sided p at most 0.05).
    pub proposed: bool,
}

/// Expected and observed orders, window by window; in one window where the sessions have no times.
pub(super) fn windows(drawn: &[Drawn], timed: bool) -> Vec<Window> {
    let known = known(drawn);
    let most = if timed { WINDOWS } else { 1 };
    let count = (known.len() / FEWEST).clamp(1, most);
    known
        .chunks(known.len().div_ceil(count).max(1))
        .filter_map(window)
        .collect()
}

/// All windows as one.
pub(super) fn whole(drawn: &[Drawn]) -> Option<Window> {
    window(&known(drawn))
}

/// The scores whose outcome is known.
fn known(drawn: &[Drawn]) -> Vec<(&Drawn, bool)> {
    let all = drawn.iter();
    all.filter_map(|score| Some((score, score.order?)))
        .collect()
}

/// Expected and observed orders of these; none where there are none.
fn window(part: &[(&Drawn, bool)]) -> Option<Window> {
    let (first, last) = (part.first()?.0, part.last()?.0);
    let probability = |(score, _): &(&Drawn, bool)| f64::from(score.probability);
    let expected: f64 = part.iter().map(probability).sum();
    let independent: f64 = part.iter().map(probability).map(|p| p * (1.0 - p)).sum();
    let residuals = part.iter().map(|one| {
        let (score, order) = one;
        (score.owner, f64::from(u8::from(*order)) - probability(one))
    });
    let variance = clustered::variance(residuals, independent);
    let observed = part.iter().filter(|(_, order)| *order).count();
    let z = (observed as f64 - expected) / variance.max(1e-9).sqrt();
    Some(Window {
        from_ms: first.start,
        to_ms: last.start,
        sessions: part.len(),
        expected,
        observed,
        p: (2.0 * tail(z.abs())).min(1.0),
    })
}

/// The bundle with its calibration fitted again on the older sessions, judged on the newer ones;
/// none where there are too few outcomes.
pub(super) fn refit(
    bundle: &Bundle,
    sample: &Sample,
    seed: u64,
) -> Result<Option<(Bundle, Recalibration)>, TrainError> {
    let task: Task = bundle.manifest.task.parse()?;
    let (weighting, positions) = scheme(task, Shares::Shop);
    let known: Vec<usize> = (0..sample.examples.len())
        .filter(|place| sample.known.get(*place) == Some(&true))
        .collect();
    let (older, newer) = known.split_at((known.len() as f64 * FITTED) as usize);
    let part = |places: &[usize]| {
        let examples: Vec<_> = places
            .iter()
            .filter_map(|p| sample.examples.get(*p))
            .cloned()
            .collect();
        let logits: Vec<_> = places
            .iter()
            .filter_map(|p| sample.logits.get(*p))
            .cloned()
            .collect();
        let scored = scoring::pick(&logits, &examples, positions);
        (examples, logits, scored)
    };
    let (examples, logits, fitted) = part(older);
    let (judges, _, judging) = part(newer);
    let enough = |labels: &[bool]| {
        let orders = labels.iter().filter(|label| **label).count();
        orders.min(labels.len() - orders) >= FEWEST_OF_EACH
    };
    if !enough(&fitted.labels) || !enough(&judging.labels) {
        return Ok(None);
    }
    let deciding = Deciding::of(&bundle.manifest);
    let calibrating = held_out(&logits, &examples, weighting, positions);
    let mut refitted = bundle.clone();
    refitted.manifest.calibration = calibrating.calibration(deciding.calibration);
    let of = |manifest: &Manifest, logits: &[f32]| -> Vec<f32> {
        logits
            .iter()
            .map(|logit| manifest.probability(*logit))
            .collect()
    };
    let scores = of(&refitted.manifest, &fitted.logits);
    (refitted.manifest.threshold, _) = deciding.threshold.choose(&scores, &fitted.labels);
    let moments: Vec<f32> = sample.moments_of(older).collect();
    refitted.manifest.percentiles = Manifest::percentile_table(&of(&refitted.manifest, &moments));
    // They are of the old curve.
    if let Some(metrics) = refitted.manifest.metrics.as_object_mut() {
        metrics.remove("validation");
    }
    let lineage = bundle.manifest.lineage.as_ref();
    refitted.manifest.lineage = Some(Lineage {
        parent: bundle.manifest.sha256.clone(),
        generation: lineage.map_or(0, |l| l.generation) + 1,
        features_until_ms: lineage.map_or(bundle.manifest.data.to_ms, |l| l.features_until_ms),
        learnt_from_ms: bundle.manifest.learnt_until_ms(),
        // The weights have learnt nothing new.
        learnt_until_ms: bundle.manifest.learnt_until_ms(),
    });
    let pairs = Pairs {
        before: of(&bundle.manifest, &judging.logits),
        after: of(&refitted.manifest, &judging.logits),
        owners: owners(&judging, &judges),
        labels: judging.labels,
    };
    let judged = compare(&pairs, DRAWS, seed);
    let recalibration = Recalibration {
        calibration: refitted.manifest.calibration.clone(),
        proposed: judged.log_loss.p_better <= 0.05,
        judged,
    };
    Ok(Some((refitted, recalibration)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_orders_as_expected_are_quiet_and_twice_as_many_are_not() {
        let check = |every: usize, quiet: bool| {
            let drawn: Vec<Drawn> = (0..1000usize)
                .map(|place| Drawn {
                    owner: place,
                    start: place as i64,
                    probability: 0.1,
                    order: (place >= 20).then_some(place % every == 0),
                })
                .collect();
            let found = windows(&drawn, true);
            assert_eq!(found.len(), 4);
            assert_eq!(found.iter().map(|w| w.sessions).sum::<usize>(), 980);
            assert_eq!(found.iter().all(|w| w.p > 0.01), quiet, "{found:?}");
        };
        check(10, true);
        check(5, false);
        assert!(windows(&[], true).is_empty());
    }

    #[test]
    fn users_of_many_sessions_are_no_proof_of_a_change() {
        // Ten sessions of each of a hundred users, of whom thirteen always order.
        let of = |users: usize| -> Vec<Drawn> {
            (0..1000)
                .map(|place| Drawn {
                    owner: place % users,
                    start: place as i64,
                    probability: 0.1,
                    order: Some(place % 100 < 13),
                })
                .collect()
        };
        let p = |users| whole(&of(users)).map_or(f64::NAN, |window| window.p);
        assert!(p(1000) < 0.01, "{}", p(1000));
        assert!(p(100) > 0.2, "{}", p(100));
    }
}
