//! Champion and challenger: whether the candidate takes the live model's place.
//!
//! It does where, on the sealed window, it is proven better in AUC or in log-loss, proven worse in
//! neither, and proven worse in neither in any named segment; where nobody looks at it, both must stand
//! to chance as models do. "Proven" is a one-sided test, paired where two models are compared.
//! Better is tested at half of [`LEVEL`] for each of the two metrics (Bonferroni), so that a
//! candidate that is no better passes at most so often; worse is tested at the whole level for each
//! segment alone: what errs, errs towards the live model.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::paired::{Comparison, Pairs, compare};

/// Level of the one-sided tests.
pub const LEVEL: f64 = 0.05;

/// Orders, and non-orders, that a segment must hold to be judged alone.
const FEWEST: usize = 20;

/// What became of the candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It takes the live model's place.
    Replace,
    /// The live model stays.
    Keep,
}

/// The judgement with all that it rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// What became of the candidate.
    pub decision: Decision,
    /// Why, in sentences.
    pub reasons: Vec<String>,
    /// Level of the one-sided tests.
    pub level: f64,
    /// On the whole sealed window.
    pub whole: Comparison,
    /// On each named segment with enough outcomes of both kinds.
    pub segments: BTreeMap<String, Comparison>,
    /// Segments with too few outcomes of one kind.
    pub too_small: Vec<String>,
}

/// How both models are tested.
pub(crate) struct Tests {
    pub(crate) draws: usize,
    pub(crate) seed: u64,
    /// Whether nobody looks at what replaces the live model.
    pub(crate) unattended: bool,
}

/// Judges scores of both models; `segments` names those of each score.
pub(crate) fn judge(pairs: &Pairs, segments: &[Vec<String>], tests: &Tests) -> Judgement {
    let compare = |pairs: &Pairs| compare(pairs, tests.draws, tests.seed);
    let whole = compare(pairs);
    let mut places: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (place, names) in segments.iter().enumerate() {
        for name in names {
            places.entry(name).or_default().push(place);
        }
    }
    let (mut judged, mut too_small) = (BTreeMap::new(), Vec::new());
    for (name, places) in places {
        let part = pairs.at(&places);
        let (orders, others) = part.classes();
        if orders.min(others) < FEWEST {
            too_small.push(name.to_owned());
        } else {
            judged.insert(name.to_owned(), compare(&part));
        }
    }
    let (decision, reasons) = decide(&whole, &judged, tests.unattended);
    Judgement {
        decision,
        reasons,
        level: LEVEL,
        whole,
        segments: judged,
        too_small,
    }
}

fn decide(
    whole: &Comparison,
    segments: &BTreeMap<String, Comparison>,
    unattended: bool,
) -> (Decision, Vec<String>) {
    let mut against = Vec::new();
    let places = std::iter::once(("the whole sealed window", whole));
    let parts = segments.iter().map(|(name, part)| (name.as_str(), part));
    for (place, part) in places.chain(parts) {
        for (metric, gain) in [("AUC", part.auc), ("log-loss", part.log_loss)] {
            if gain.p_worse <= LEVEL {
                against.push(format!(
                    "worse in {metric} on {place}: {:.4} after {:.4} (p {:.4})",
                    gain.after, gain.before, gain.p_worse
                ));
            }
        }
    }
    let (auc, loss) = (whole.auc, whole.log_loss);
    // Outcomes without any law make a model better that forecasts the base rate: its loss is lower.
    if unattended && whole.chance.p_after_above > LEVEL / 2.0 {
        against.push(format!(
            "not proven better than chance on the sealed window: AUC {:.4} (p {:.4})",
            auc.after, whole.chance.p_after_above
        ));
    }
    if unattended && whole.chance.p_before_below <= LEVEL / 2.0 {
        against.push(format!(
            "the live model has become worse than chance (AUC {:.4}, p {:.4}): the outcomes look inverted; see to the \
             tracking, or promote the candidate by hand",
            auc.before, whole.chance.p_before_below
        ));
    }
    let better: Vec<String> = [("AUC", auc), ("log-loss", loss)]
        .into_iter()
        .filter(|(_, gain)| gain.p_better <= LEVEL / 2.0)
        .map(|(metric, gain)| {
            format!(
                "better in {metric} on the sealed window: {:.4} after {:.4} (p {:.4})",
                gain.after, gain.before, gain.p_better
            )
        })
        .collect();
    if better.is_empty() {
        against.insert(
            0,
            format!(
                "not proven better on the sealed window: AUC {:.4} after {:.4} (p {:.4}), log-loss {:.4} after {:.4} (p {:.4}); \
                 needed is p at most {}",
                auc.after,
                auc.before,
                auc.p_better,
                loss.after,
                loss.before,
                loss.p_better,
                LEVEL / 2.0
            ),
        );
    }
    if against.is_empty() {
        (Decision::Replace, better)
    } else {
        (Decision::Keep, against)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bootstrap::Interval;
    use crate::paired::{Chance, Gain};

    fn gain(p_better: f64, p_worse: f64) -> Gain {
        Gain {
            before: 0.5,
            after: 0.6,
            gain: 0.1,
            interval: Interval(0.0, 0.2),
            p_better,
            p_worse,
        }
    }

    fn part(auc: (f64, f64), loss: (f64, f64)) -> Comparison {
        Comparison {
            n: 100,
            orders: 30,
            users: 50,
            auc: gain(auc.0, auc.1),
            log_loss: gain(loss.0, loss.1),
            chance: Chance {
                p_before_below: 0.9,
                p_after_above: 0.001,
            },
        }
    }

    #[test]
    fn better_in_one_and_worse_in_none_replaces() {
        let even = (0.5, 0.5);
        let better = (0.02, 0.98);
        let worse = (0.98, 0.02);
        let check = |whole: ((f64, f64), (f64, f64)), segment, expected, word: &str| {
            let segments = [("device phone".to_owned(), segment)].into();
            let (decision, reasons) = decide(&part(whole.0, whole.1), &segments, true);
            assert_eq!(decision, expected, "{reasons:?}");
            assert!(
                reasons.iter().any(|reason| reason.contains(word)),
                "{reasons:?}"
            );
        };
        let fine = part(even, even);
        check((better, even), fine, Decision::Replace, "better in AUC");
        check(
            (even, better),
            fine,
            Decision::Replace,
            "better in log-loss",
        );
        check((even, even), fine, Decision::Keep, "not proven better");
        // Between half the level and the level.
        check(
            ((0.04, 0.96), even),
            fine,
            Decision::Keep,
            "not proven better",
        );
        check(
            (better, worse),
            fine,
            Decision::Keep,
            "worse in log-loss on the whole",
        );
        let bad = part(worse, even);
        check(
            (better, better),
            bad,
            Decision::Keep,
            "worse in AUC on device phone",
        );
    }

    #[test]
    fn what_chance_explains_does_not_replace() {
        let better = part((0.01, 0.99), (0.01, 0.99));
        let check = |chance: (f64, f64), unattended, expected, word: &str| {
            let whole = Comparison {
                chance: Chance {
                    p_before_below: chance.0,
                    p_after_above: chance.1,
                },
                ..better
            };
            let (decision, reasons) = decide(&whole, &BTreeMap::new(), unattended);
            assert_eq!(decision, expected, "{reasons:?}");
            assert!(
                reasons.iter().any(|reason| reason.contains(word)),
                "{reasons:?}"
            );
        };
        check((0.9, 0.001), true, Decision::Replace, "better");
        check((0.9, 0.3), true, Decision::Keep, "than chance");
        check((0.001, 0.001), true, Decision::Keep, "inverted");
        // A person may know that the shop was turned around; the service cannot.
        check((0.001, 0.3), false, Decision::Replace, "better");
    }
}
