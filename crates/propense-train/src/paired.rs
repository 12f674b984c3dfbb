//! Two models on the same examples: which one is better, and how sure that is.
//!
//! A paired bootstrap over users (as in `bootstrap`: the scores of one user hang together): users are
//! drawn again with replacement, both models are measured on each draw, and the share of draws in
//! which the difference has the other sign is the one-sided p-value, counted so that it is never 0
//! (Davison and Hinkley 1997, sections 3.8 and 4.2). Of the AUC, draws that hold one outcome alone say
//! nothing, and are left out.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::bootstrap::{Interval, percentiles};
use crate::draws::{Three, draw, measured};

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
    /// How each stands to chance.
    #[serde(default)]
    pub chance: Chance,
}

/// Two models beside one that knows nothing, whose AUC is a half.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Chance {
    /// One-sided p-value of "the first is no worse than chance".
    pub p_before_below: f64,
    /// One-sided p-value of "the second is no better than chance".
    pub p_after_above: f64,
}

impl Default for Chance {
    /// Nothing is proven.
    fn default() -> Self {
        Self {
            p_before_below: 1.0,
            p_after_above: 1.0,
        }
    }
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
    let models = [vec![pairs.before.clone()], vec![pairs.after.clone()]];
    let drawn = draw(&models, &pairs.labels, &pairs.owners, draws, seed);
    let all: Vec<((Three, Three), bool)> = drawn.beside(0, 1).collect();
    let both = all.iter().filter(|(_, both)| *both);
    let both: Vec<(Three, Three)> = both.map(|(pair, _)| *pair).collect();
    let all: Vec<(Three, Three)> = all.into_iter().map(|(pair, _)| pair).collect();
    let whole = models
        .each_ref()
        .map(|runs| measured(runs, &pairs.labels).first().copied());
    let [before, after] = whole.map(Option::unwrap_or_default);
    // Positive where the second is better.
    let gain = |drawn: &[(Three, Three)], figure: fn(Three) -> f64, better: fn(f64, f64) -> f64| {
        let draws = drawn.iter();
        let draws = draws.map(|(before, after)| better(figure(*before), figure(*after)));
        gain(
            (figure(before), figure(after)),
            better(figure(before), figure(after)),
            draws.collect(),
        )
    };
    let (orders, others) = pairs.classes();
    Comparison {
        n: orders + others,
        orders,
        users: pairs.owners.iter().collect::<BTreeSet<_>>().len(),
        auc: gain(&both, |three| three.auc, |before, after| after - before),
        log_loss: gain(&all, |three| three.log_loss, |before, after| before - after),
        chance: Chance {
            p_before_below: share(&both, |(before, _)| before.auc >= 0.5),
            p_after_above: share(&both, |(_, after)| after.auc <= 0.5),
        },
    }
}

/// The share of the draws for which this holds, counted so that it is never 0.
fn share<T>(draws: &[T], holds: impl Fn(&T) -> bool) -> f64 {
    let count = draws.iter().filter(|draw| holds(draw)).count();
    (count + 1) as f64 / (draws.len() + 1) as f64
}

fn gain((before, after): (f64, f64), gain: f64, draws: Vec<f64>) -> Gain {
    Gain {
        before,
        after,
        gain,
        p_better: share(&draws, |draw| *draw <= 0.0),
        p_worse: share(&draws, |draw| *draw >= 0.0),
        interval: percentiles(draws, 0.05).unwrap_or(Interval(gain, gain)),
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
        // Beside chance: one that knows nothing, one that knows, one that knows the contrary.
        for (before, after, below, above) in [
            (0.0, 0.0, false, false),
            (-0.5, 0.5, true, true),
            (0.5, -0.5, false, false),
        ] {
            let found = compare(&pairs(before, after), 400, 7).chance;
            let proven = (found.p_before_below <= 0.025, found.p_after_above <= 0.025);
            assert_eq!(proven, (below, above), "{before} {after}: {found:?}");
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
    fn draws_without_an_order_do_not_hide_that_one_ranks_better() {
        // Two orders of 400: a draw in seven holds none.
        let rising: Vec<f32> = (0..400).map(|i| 0.1 + i as f32 / 1000.0).collect();
        let pairs = Pairs {
            after: rising.iter().rev().copied().collect(),
            before: rising,
            labels: (0..400).map(|i| i < 2).collect(),
            owners: (0..400).collect(),
        };
        let found = compare(&pairs, 400, 3);
        assert!(found.auc.interval.0 > 0.98, "{found:?}");
        assert!(found.auc.p_better < 0.01, "{found:?}");
        assert!(found.chance.p_after_above < 0.01, "{found:?}");
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
