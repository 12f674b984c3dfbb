//! Two models on the same examples: which one is better, and how sure that is.
//!
//! A paired bootstrap over users (as in `bootstrap`: the scores of one user hang together): users are
//! drawn again with replacement, both models are measured on each draw, and the share of draws in
//! which the difference has the other sign is the one-sided p-value, counted so that it is never 0
//! (Davison and Hinkley 1997, sections 3.8 and 4.2).

use std::collections::BTreeMap;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;
use serde::{Deserialize, Serialize};

use crate::bootstrap::Interval;
use crate::metrics::descending;

/// The difference of one metric, positive where the second model is better.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Gain {
    /// The first model's figure.
    pub before: f64,
    /// The second model's.
    pub after: f64,
    /// How much better the second is.
    pub gain: f64,
    /// 90 % interval of the gain: its ends are the bounds of two one-sided tests at 5 %.
    pub interval: Interval,
    /// One-sided p-value of "the second is no better".
    pub p_better: f64,
    /// One-sided p-value of "the second is no worse".
    pub p_worse: f64,
}

/// Two models on one set.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Scores compared.
    pub n: usize,
    /// Scores of examples with an order.
    pub orders: usize,
    /// Users (sessions, where the user is unknown): what the test draws.
    pub users: usize,
    /// Area under the ROC curve.
    pub auc: Gain,
    /// Mean log-loss; its gain is the fall.
    pub log_loss: Gain,
}

/// Probabilities of both models, outcomes, and whose each is.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pairs {
    pub(crate) before: Vec<f32>,
    pub(crate) after: Vec<f32>,
    pub(crate) labels: Vec<bool>,
    pub(crate) owners: Vec<usize>,
}

impl Pairs {
    /// The pairs at these places.
    pub(crate) fn at(&self, places: &[usize]) -> Self {
        let mut part = Self::default();
        for &place in places {
            let (Some(before), Some(after)) = (self.before.get(place), self.after.get(place))
            else {
                continue;
            };
            part.before.push(*before);
            part.after.push(*after);
            part.labels
                .push(self.labels.get(place).copied().unwrap_or(false));
            part.owners
                .push(self.owners.get(place).copied().unwrap_or(place));
        }
        part
    }

    /// Scores with an order, and without.
    pub(crate) fn classes(&self) -> (usize, usize) {
        let orders = self.labels.iter().filter(|label| **label).count();
        (orders, self.labels.len() - orders)
    }
}

/// Compares by this many draws.
pub(crate) fn compare(pairs: &Pairs, draws: usize, seed: u64) -> Comparison {
    let mut of_owner: BTreeMap<usize, usize> = BTreeMap::new();
    let owners: Vec<usize> = pairs
        .owners
        .iter()
        .map(|owner| {
            let next = of_owner.len();
            *of_owner.entry(*owner).or_insert(next)
        })
        .collect();
    let users = of_owner.len();
    let measured = Measured {
        labels: &pairs.labels,
        owners: &owners,
        before: Ranked::new(&pairs.before, &pairs.labels),
        after: Ranked::new(&pairs.after, &pairs.labels),
    };
    let whole = measured.figures(&vec![1; users]);
    let mut generator = ChaCha12Rng::seed_from_u64(seed);
    let mut weights = vec![0u32; users];
    let (mut auc, mut loss) = (Vec::with_capacity(draws), Vec::with_capacity(draws));
    for _ in 0..draws {
        weights.fill(0);
        for _ in 0..users {
            if let Some(weight) = weights.get_mut(generator.random_range(0..users.max(1))) {
                *weight += 1;
            }
        }
        let drawn = measured.figures(&weights);
        auc.push(drawn.auc.1 - drawn.auc.0);
        loss.push(drawn.loss.0 - drawn.loss.1);
    }
    let (orders, others) = pairs.classes();
    Comparison {
        n: orders + others,
        orders,
        users,
        auc: gain(whole.auc, whole.auc.1 - whole.auc.0, auc),
        log_loss: gain(whole.loss, whole.loss.0 - whole.loss.1, loss),
    }
}

fn gain((before, after): (f64, f64), gain: f64, mut draws: Vec<f64>) -> Gain {
    draws.sort_by(f64::total_cmp);
    let share = |count: usize| (count + 1) as f64 / (draws.len() + 1) as f64;
    let at = |q: f64| {
        let place = (draws.len().saturating_sub(1) as f64 * q).round() as usize;
        draws.get(place).copied().unwrap_or(gain)
    };
    Gain {
        before,
        after,
        gain,
        interval: Interval(at(0.05), at(0.95)),
        p_better: share(draws.iter().filter(|draw| **draw <= 0.0).count()),
        p_worse: share(draws.iter().filter(|draw| **draw >= 0.0).count()),
    }
}

/// One model's scores in their order, sorted once for all draws.
struct Ranked {
    /// Places from the highest score down, equal scores in one list.
    ties: Vec<Vec<usize>>,
    losses: Vec<f64>,
}

impl Ranked {
    fn new(scores: &[f32], labels: &[bool]) -> Self {
        let order = descending(scores);
        Self {
            ties: order
                .chunk_by(|&a, &b| scores.get(a) == scores.get(b))
                .map(<[usize]>::to_vec)
                .collect(),
            losses: scores
                .iter()
                .zip(labels)
                .map(|(p, l)| loss(*p, *l))
                .collect(),
        }
    }
}

/// The log-loss of one probability, kept 1e-7 away from 0 and 1.
pub(crate) fn loss(probability: f32, label: bool) -> f64 {
    let p = f64::from(probability).clamp(1e-7, 1.0 - 1e-7);
    -if label { p.ln() } else { (1.0 - p).ln() }
}

struct Measured<'a> {
    labels: &'a [bool],
    owners: &'a [usize],
    before: Ranked,
    after: Ranked,
}

/// Both models' figures, (first, second).
struct Figures {
    auc: (f64, f64),
    loss: (f64, f64),
}

impl Measured<'_> {
    /// With each owner's scores counting this often.
    fn figures(&self, weights: &[u32]) -> Figures {
        let weight = |place: usize| {
            let owner = self.owners.get(place);
            f64::from(owner.and_then(|o| weights.get(*o)).copied().unwrap_or(0))
        };
        let auc = |ranked: &Ranked| {
            let (mut above, mut below, mut area) = (0.0, 0.0, 0.0);
            for tie in &ranked.ties {
                let (mut up, mut right) = (0.0, 0.0);
                for &place in tie {
                    match self.labels.get(place) {
                        Some(true) => up += weight(place),
                        _ => right += weight(place),
                    }
                }
                area += right * (above + up / 2.0);
                above += up;
                below += right;
            }
            if above > 0.0 && below > 0.0 {
                area / (above * below)
            } else {
                0.5
            }
        };
        let mean = |ranked: &Ranked| {
            let (mut sum, mut total) = (0.0, 0.0);
            for (place, loss) in ranked.losses.iter().enumerate() {
                sum += weight(place) * loss;
                total += weight(place);
            }
            sum / f64::max(total, 1.0)
        };
        Figures {
            auc: (auc(&self.before), auc(&self.after)),
            loss: (mean(&self.before), mean(&self.after)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{log_loss, roc_auc};

    /// Scores that know the outcome to this degree, of `users` with two scores each.
    fn scores(users: usize, knows: f32, salt: usize) -> (Vec<f32>, Vec<bool>, Vec<usize>) {
        let mut made = (Vec::new(), Vec::new(), Vec::new());
        for place in 0..2 * users {
            let owner = place / 2;
            let label = (owner * 7919) % 10 < 3;
            let noise = (((place + salt) * 104_729) % 1009) as f32 / 1009.0;
            let centre = if label { knows } else { 0.0 };
            made.0
                .push((0.1 + 0.5 * noise + 0.3 * centre).clamp(0.01, 0.99));
            made.1.push(label);
            made.2.push(owner);
        }
        made
    }

    fn pairs(before: f32, after: f32) -> Pairs {
        let (first, labels, owners) = scores(400, before, 0);
        Pairs {
            before: first,
            after: scores(400, after, 13).0,
            labels,
            owners,
        }
    }

    #[test]
    fn the_figures_are_those_of_the_metrics() {
        let pairs = pairs(0.2, 0.8);
        let found = compare(&pairs, 50, 1);
        assert_eq!((found.n, found.users), (800, 400));
        assert!((found.auc.before - roc_auc(&pairs.before, &pairs.labels)).abs() < 1e-12);
        assert!((found.auc.after - roc_auc(&pairs.after, &pairs.labels)).abs() < 1e-12);
        assert!((found.log_loss.after - log_loss(&pairs.after, &pairs.labels)).abs() < 1e-12);
        assert_eq!(found, compare(&pairs, 50, 1));
    }

    #[test]
    fn better_is_told_from_worse_and_from_the_same() {
        // (first, second, better proven in AUC, worse proven in AUC)
        for (before, after, better, worse) in [
            (0.2, 0.8, true, false),
            (0.8, 0.2, false, true),
            (0.5, 0.5, false, false),
        ] {
            let found = compare(&pairs(before, after), 400, 7).auc;
            let proven = (found.p_better <= 0.025, found.p_worse <= 0.025);
            assert_eq!(proven, (better, worse), "{before} {after}: {found:?}");
        }
        // A model beside itself is neither.
        let mut same = pairs(0.5, 0.5);
        same.after.clone_from(&same.before);
        let found = compare(&same, 100, 7);
        assert_eq!((found.auc.p_better, found.log_loss.p_worse), (1.0, 1.0));
    }

    #[test]
    fn equal_models_are_rarely_called_different() {
        // 60 comparisons of two draws of one law, at 5 %.
        let wrong = (0..60)
            .filter(|round| {
                let (before, labels, owners) = scores(150, 0.5, 17 * round + 1);
                let after = scores(150, 0.5, 31 * round + 400).0;
                let pairs = Pairs {
                    before,
                    after,
                    labels,
                    owners,
                };
                compare(&pairs, 200, *round as u64).auc.p_better <= 0.05
            })
            .count();
        assert!(wrong <= 8, "{wrong} of 60");
    }

    #[test]
    fn nothing_to_compare_is_no_panic() {
        let found = compare(&Pairs::default(), 10, 1);
        assert_eq!(
            (found.n, found.auc.gain, found.log_loss.gain),
            (0, 0.0, 0.0)
        );
    }
}
