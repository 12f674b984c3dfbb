//! What another recommender would have earned, told from what was shown by lot: inverse propensity
//! weighting.
//!
//! A shop that shows items at random now and then, and writes down with which probability each was shown,
//! can judge a recommender without showing it to anybody. In every moment (one visit at one time) some
//! items were shown; a shown item i that the other list holds, too, counts 1/p_i, so that it stands for the
//! times when it was not shown. With r its reward (clicked, bought, or an amount) and L the other list:
//!
//! ```text
//! inverse propensity   V = 1/n Σ_moments Σ_{shown i in L} r_i / p_i          (Horvitz, Thompson 1952)
//! clipped              the same with no weight above √n                      (Ionides 2008)
//! self-normalised      V = places · Σ r_i / p_i / Σ 1/p_i                    (Swaminathan, Joachims 2015)
//! doubly robust        V = 1/n Σ [ Σ_{i in L} q_i + Σ_{shown i in L} (r_i − q_i) / p_i ]
//!                                                                            (Dudík, Langford, Li 2011)
//! ```
//!
//! q_i is the item's own reward as others met it: its mean over the moments of all other visits' folds,
//! drawn to the mean of all items as if it had been shown twenty times more. `p_i` is the probability that i
//! was anywhere in the list that was shown. An item is taken to earn what it earns whichever others
//! stand beside it, and whatever its place (item-position independence: Li et al. 2018). Intervals are
//! normal, of the linearised ratio, over whole visits.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use xxhash_rust::xxh64::xxh64;

/// An item's mean is drawn to that of all as if it had been shown this many times more.
const DRAWN: f64 = 20.0;
/// Parts of the visits, for the mean of an item in the others.
const FOLDS: u64 = 5;
/// An effective sample below this bears no judgement.
const FEWEST: f64 = 100.0;
/// The normal distribution's 97.5 % quantile.
const NORMAL: f64 = 1.96;

/// A line of the log: an item that was shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// Session or visitor.
    pub visit: String,
    /// When, in milliseconds since 1970. Lines of one visit and time are one list.
    pub at: i64,
    /// The item.
    pub item_id: String,
    /// Probability that it was shown then; none where it is not known.
    pub propensity: Option<f64>,
    /// What came of it: 1 for a click or an order, or an amount.
    pub reward: f64,
}

/// A list that was shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Moment {
    /// Session or visitor.
    pub visit: String,
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// The items with the probability that each was shown, and its reward.
    pub shown: Vec<(String, f64, f64)>,
}

/// A log of what was shown, cleaned.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ShownLog {
    /// By visit, then time.
    pub moments: Vec<Moment>,
    /// Lines read.
    pub lines: usize,
    /// Moments left out because the probability of an item in them is missing, zero, or no probability.
    pub left_out: usize,
    /// Lines that named an item of their moment again; the higher reward was kept.
    pub repeated: usize,
}

impl ShownLog {
    /// Joins the lines to lists. A list with an unusable probability is left out as a whole: without that
    /// line alone it would seem to have earned less.
    #[must_use]
    pub fn new(lines: Vec<Shown>) -> Self {
        let mut log = Self {
            lines: lines.len(),
            ..Self::default()
        };
        /// Probability, where it is usable, and reward, by item.
        type List = BTreeMap<String, (Option<f64>, f64)>;
        let mut lists: BTreeMap<(String, i64), List> = BTreeMap::new();
        for line in lines {
            let list = lists.entry((line.visit, line.at)).or_default();
            let usable = line.propensity.filter(|p| *p > 0.0 && *p <= 1.0);
            match list.get_mut(&line.item_id) {
                None => {
                    list.insert(line.item_id, (usable, line.reward));
                }
                Some((known, reward)) => {
                    log.repeated += 1;
                    // Two probabilities for one item are none.
                    if *known != usable {
                        *known = None;
                    }
                    *reward = reward.max(line.reward);
                }
            }
        }
        for ((visit, at), list) in lists {
            let shown: Option<Vec<_>> = list
                .into_iter()
                .map(|(item, (propensity, reward))| Some((item, propensity?, reward)))
                .collect();
            match shown {
                Some(shown) => log.moments.push(Moment { visit, at, shown }),
                None => log.left_out += 1,
            }
        }
        log
    }

    /// The first moment.
    #[must_use]
    pub fn begin(&self) -> Option<i64> {
        self.moments.iter().map(|moment| moment.at).min()
    }

    /// What the lists that were shown earned, each.
    #[must_use]
    pub fn earned(&self) -> Estimate {
        let sums = self.moments.iter().map(|moment| {
            let all = moment.shown.iter().map(|(_, _, reward)| reward).sum();
            (moment.visit.as_str(), all, 1.0)
        });
        ratio(sums)
    }

    /// What should be known of the log before anything is read from it.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let mut found = Vec::new();
        if self.left_out > 0 {
            found.push(format!(
                "{} of {} lists of the log are left out: the probability of an item in them is missing, zero or no \
                 probability. Where that has to do with what was clicked, the figures are biased.",
                self.left_out,
                self.left_out + self.moments.len()
            ));
        }
        if self.repeated > 0 {
            found.push(format!(
                "{} lines of the log name an item of their list again; the higher reward is kept.",
                self.repeated
            ));
        }
        let visits: BTreeSet<&str> = self.moments.iter().map(|m| m.visit.as_str()).collect();
        let sure = |moment: &&Moment| moment.shown.iter().all(|(_, p, _)| *p >= 1.0);
        let sure = self.moments.iter().filter(sure).count();
        if sure * 10 > self.moments.len() {
            found.push(format!(
                "{sure} of {} lists were shown with certainty: they tell nothing of what was not shown.",
                self.moments.len()
            ));
        }
        if visits.len() < 30 {
            found.push(format!(
                "The log has {} visits: too few for intervals.",
                visits.len()
            ));
        }
        found
    }
}

/// A figure with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// The figure.
    pub value: f64,
    /// Its interval.
    pub interval: (f64, f64),
}

/// What a recommender would have earned a list, in several ways.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PolicyValue {
    /// Shown items that the recommender would have shown, too.
    pub matched: usize,
    /// (Σw)² / Σw² of their weights: how many such items, all equally probable, would tell as much (Kish 1965).
    pub effective_sample: f64,
    /// The largest weight.
    pub largest_weight: f64,
    /// Sum of the weights over the places of the recommender's lists: 1 where the probabilities are right and
    /// everything that it recommends could have been shown.
    pub reached: Estimate,
    /// Inverse propensity.
    pub ips: Estimate,
    /// Inverse propensity with the weights clipped.
    pub clipped: Estimate,
    /// Self-normalised.
    pub self_normalised: Estimate,
    /// Doubly robust.
    pub doubly_robust: Estimate,
    /// Doubly robust, less what the lists that were shown earned.
    pub ahead: Estimate,
    /// What speaks against reading the figures.
    pub warnings: Vec<String>,
}

/// Judges a recommender by its list in each moment of the log.
#[must_use]
pub fn off_policy(log: &ShownLog, lists: &[Vec<String>]) -> PolicyValue {
    let rewards = Rewards::learn(log);
    let cap = (log.moments.len() as f64).sqrt();
    let mut sums: Vec<(&str, Sums)> = Vec::with_capacity(log.moments.len());
    let (mut matched, mut all, mut squares, mut largest) = (0, 0.0, 0.0, 0.0_f64);
    for (moment, list) in log.moments.iter().zip(lists) {
        let list: BTreeSet<&str> = list.iter().map(String::as_str).collect();
        let mean = |item: &str| rewards.mean(&moment.visit, item);
        let mut own = Sums {
            places: list.len() as f64,
            robust: list.iter().map(|item| mean(item)).sum(),
            ..Sums::default()
        };
        for (item, propensity, reward) in &moment.shown {
            own.earned += reward;
            if !list.contains(item.as_str()) {
                continue;
            }
            let weight = 1.0 / propensity;
            matched += 1;
            all += weight;
            squares += weight * weight;
            largest = largest.max(weight);
            own.weights += weight;
            own.ips += weight * reward;
            own.clipped += weight.min(cap) * reward;
            own.robust += weight * (reward - mean(item));
        }
        sums.push((&moment.visit, own));
    }
    let mean = |of: fn(&Sums) -> f64| ratio(sums.iter().map(|(visit, own)| (*visit, of(own), 1.0)));
    let reached = ratio(
        sums.iter()
            .map(|(visit, own)| (*visit, own.weights, own.places)),
    );
    let places = mean(|own| own.places).value;
    let share = ratio(
        sums.iter()
            .map(|(visit, own)| (*visit, own.ips, own.weights)),
    );
    let effective_sample = if squares > 0.0 {
        all * all / squares
    } else {
        0.0
    };
    PolicyValue {
        warnings: doubts(effective_sample, &reached),
        matched,
        effective_sample,
        largest_weight: largest,
        reached,
        ips: mean(|own| own.ips),
        clipped: mean(|own| own.clipped),
        self_normalised: Estimate {
            value: places * share.value,
            interval: (places * share.interval.0, places * share.interval.1),
        },
        doubly_robust: mean(|own| own.robust),
        ahead: mean(|own| own.robust - own.earned),
    }
}

fn doubts(effective_sample: f64, reached: &Estimate) -> Vec<String> {
    let mut found = Vec::new();
    if effective_sample < FEWEST {
        found.push(format!(
            "The log bears out this recommender by an effective sample of {effective_sample:.0} items only: its figures may \
             be far off, and their intervals too narrow. Log longer, or show more of the items by lot."
        ));
    }
    if reached.interval.1 < 0.9 {
        found.push(format!(
            "About {:.0} % of what this recommender lists could not have been in the log: what that would earn is not \
             known, and counts as nothing in the inverse-propensity figures.",
            100.0 * (1.0 - reached.value)
        ));
    }
    if reached.interval.0 > 1.1 {
        found.push(format!(
            "The weights add up to {:.2} times the places: the probabilities of the log are too small for what was shown.",
            reached.value
        ));
    }
    found
}

/// What a moment adds.
#[derive(Default)]
struct Sums {
    places: f64,
    earned: f64,
    weights: f64,
    ips: f64,
    clipped: f64,
    robust: f64,
}

/// Times shown, and their rewards.
type Count = (f64, f64);

/// The mean reward of each item, as the visits of other folds met it.
struct Rewards<'a> {
    items: BTreeMap<&'a str, [Count; FOLDS as usize]>,
    /// Over all items.
    all: [Count; FOLDS as usize],
}

impl<'a> Rewards<'a> {
    fn learn(log: &'a ShownLog) -> Self {
        let mut found = Self {
            items: BTreeMap::new(),
            all: Default::default(),
        };
        for moment in &log.moments {
            let fold = fold(&moment.visit);
            for (item, _, reward) in &moment.shown {
                let folds = found.items.entry(item).or_default();
                for folds in [folds, &mut found.all] {
                    if let Some((times, sum)) = folds.get_mut(fold) {
                        *times += 1.0;
                        *sum += reward;
                    }
                }
            }
        }
        found
    }

    fn mean(&self, visit: &str, item: &str) -> f64 {
        let own = fold(visit);
        let others = |folds: &[Count; FOLDS as usize]| {
            let others = folds.iter().enumerate().filter(|(fold, _)| *fold != own);
            others.fold((0.0, 0.0), |sum, (_, (times, reward))| {
                (sum.0 + times, sum.1 + reward)
            })
        };
        let (times, reward) = others(&self.all);
        let usual = if times > 0.0 { reward / times } else { 0.0 };
        let (times, reward) = self.items.get(item).map_or((0.0, 0.0), others);
        (reward + DRAWN * usual) / (times + DRAWN)
    }
}

fn fold(visit: &str) -> usize {
    (xxh64(visit.as_bytes(), 0) % FOLDS) as usize
}

/// Σ a / Σ b over rows (visit, a, b), with its interval: the spread of a − ratio · b over whole visits.
fn ratio<'a>(rows: impl Iterator<Item = (&'a str, f64, f64)>) -> Estimate {
    let mut visits: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    for (visit, a, b) in rows {
        let sums = visits.entry(visit).or_default();
        sums.0 += a;
        sums.1 += b;
    }
    let sum = |of: fn(&(f64, f64)) -> f64| visits.values().map(of).sum::<f64>();
    let (a, b) = (sum(|sums| sums.0), sum(|sums| sums.1));
    if b <= 0.0 {
        return Estimate {
            value: 0.0,
            interval: (0.0, 0.0),
        };
    }
    let value = a / b;
    let squares = visits.values().map(|(a, b)| (a - value * b).powi(2));
    let count = visits.len() as f64;
    let error = (squares.sum::<f64>() * count / (count - 1.0).max(1.0)).sqrt() / b;
    Estimate {
        value,
        interval: (value - NORMAL * error, value + NORMAL * error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha12Rng;

    const ITEMS: usize = 6;

    /// Visitors of three kinds; what an item earns with each.
    fn rate(kind: usize, item: usize) -> f64 {
        0.04 + 0.3 * ((item * 5 + kind * 7) % 11) as f64 / 11.0
    }

    /// How often a pair of items is shown to a kind: never nothing, and not what is best for it.
    fn weight(kind: usize, one: usize, other: usize) -> f64 {
        1.0 + ((one * 3 + other * 5 + kind) % 4) as f64
    }

    fn pairs() -> impl Iterator<Item = (usize, usize)> {
        (0..ITEMS).flat_map(|one| (one + 1..ITEMS).map(move |other| (one, other)))
    }

    /// The two items that the recommender on trial lists for a kind: the best.
    fn listed(kind: usize) -> [usize; 2] {
        let mut items: Vec<usize> = (0..ITEMS).collect();
        items.sort_by(|a, b| rate(kind, *b).total_cmp(&rate(kind, *a)));
        [items[0], items[1]]
    }

    fn truth() -> f64 {
        let list = |kind: usize| {
            listed(kind)
                .map(|item| rate(kind, item))
                .iter()
                .sum::<f64>()
        };
        (0..3).map(list).sum::<f64>() / 3.0
    }

    /// A log of pairs shown by lot to visits of one to three moments, and the lists on trial.
    fn simulated(visits: usize, seed: u64) -> (ShownLog, Vec<Vec<String>>) {
        let mut random = ChaCha12Rng::seed_from_u64(seed);
        let mut lines = Vec::new();
        let mut kinds = BTreeMap::new();
        for visit in 0..visits {
            let kind = random.random_range(0..3);
            for moment in 0..random.random_range(1..4) {
                let all: f64 = pairs().map(|(a, b)| weight(kind, a, b)).sum();
                let mut lot = random.random::<f64>() * all;
                let pair = pairs().find(|(a, b)| {
                    lot -= weight(kind, *a, *b);
                    lot < 0.0
                });
                let (one, other) = pair.unwrap_or((0, 1));
                for item in [one, other] {
                    let with = pairs().filter(|(a, b)| *a == item || *b == item);
                    let share: f64 = with.map(|(a, b)| weight(kind, a, b)).sum();
                    let earns = random.random::<f64>() < rate(kind, item);
                    lines.push(Shown {
                        visit: format!("v{visit}"),
                        at: moment,
                        item_id: item.to_string(),
                        propensity: Some(share / all),
                        reward: f64::from(u8::from(earns)),
                    });
                }
            }
            kinds.insert(format!("v{visit}"), kind);
        }
        let log = ShownLog::new(lines);
        let lists = log.moments.iter().map(|moment| {
            let kind = kinds.get(&moment.visit).copied().unwrap_or(0);
            listed(kind).map(|item| item.to_string()).to_vec()
        });
        let lists = lists.collect();
        (log, lists)
    }

    #[test]
    fn intervals_hold_the_true_value_in_nineteen_of_twenty_simulations() {
        const TIMES: u64 = 300;
        let truth = truth();
        let mut held = [0; 5];
        let mut sums = [0.0; 5];
        for seed in 0..TIMES {
            let (log, lists) = simulated(500, seed);
            let found = off_policy(&log, &lists);
            assert!(found.warnings.is_empty(), "{found:?}");
            let ways = [
                found.ips,
                found.clipped,
                found.self_normalised,
                found.doubly_robust,
                log.earned(),
            ];
            for (way, estimate) in ways.iter().enumerate() {
                let (low, high) = estimate.interval;
                held[way] += u64::from(low <= truth && truth <= high);
                sums[way] += estimate.value / TIMES as f64;
            }
            let (low, high) = found.reached.interval;
            assert!(low < 1.05 && high > 0.95, "{found:?}");
        }
        // 285 of 300 are expected; a spread of four on either side.
        for way in 0..4 {
            assert!((274..=296).contains(&held[way]), "{held:?}");
            assert!((sums[way] - truth).abs() < 0.01 * truth, "{sums:?} {truth}");
        }
        // What was shown earned something else: without the weights the answer is wrong.
        assert!(held[4] < TIMES / 10, "{held:?} {sums:?} {truth}");
    }

    #[test]
    fn small_cases_by_hand() {
        let line = |visit: &str, item: &str, propensity, reward| Shown {
            visit: visit.to_owned(),
            at: 0,
            item_id: item.to_owned(),
            propensity: Some(propensity),
            reward,
        };
        let log = ShownLog::new(vec![
            line("a", "x", 0.5, 1.0),
            line("b", "y", 0.5, 0.0),
            line("c", "x", 0.25, 0.0),
            line("d", "y", 0.75, 1.0),
        ]);
        let always = |item: &str| vec![vec![item.to_owned()]; 4];
        let found = off_policy(&log, &always("x"));
        assert_eq!((found.matched, found.largest_weight), (2, 4.0));
        assert!((found.effective_sample - 36.0 / 20.0).abs() < 1e-12);
        assert!((found.ips.value - 2.0 / 4.0).abs() < 1e-12);
        // Weights of at most √4.
        assert!((found.clipped.value - 2.0 / 4.0).abs() < 1e-12);
        assert!((found.self_normalised.value - 2.0 / 6.0).abs() < 1e-12);
        assert!((found.reached.value - 6.0 / 4.0).abs() < 1e-12);
        assert!(
            found
                .warnings
                .iter()
                .any(|words| words.contains("effective sample of 2"))
        );
        // Never shown: nothing is known, and that is said.
        let found = off_policy(&log, &always("z"));
        assert_eq!((found.matched, found.ips.value), (0, 0.0));
        assert!(found.warnings.iter().any(|words| words.contains("100 %")));
        assert!((log.earned().value - 0.5).abs() < 1e-12);
    }

    #[test]
    fn what_is_no_probability_takes_its_list_along() {
        for wrong in [None, Some(0.0), Some(-0.1), Some(1.2), Some(f64::NAN)] {
            let line = |visit: &str, item: &str, propensity| Shown {
                visit: visit.to_owned(),
                at: 7,
                item_id: item.to_owned(),
                propensity,
                reward: 1.0,
            };
            let log = ShownLog::new(vec![
                line("a", "x", Some(0.5)),
                line("a", "y", wrong),
                line("b", "x", Some(0.5)),
                line("b", "x", Some(0.5)),
            ]);
            assert_eq!((log.left_out, log.repeated, log.moments.len()), (1, 1, 1));
            let words = log.warnings().join(" ");
            assert!(
                words.contains("1 of 2 lists") && words.contains("name an item"),
                "{words}"
            );
        }
        let empty = ShownLog::new(Vec::new());
        assert_eq!((empty.begin(), empty.earned().value), (None, 0.0));
        let found = off_policy(&empty, &[]);
        assert!(found.ips.value.is_finite() && found.effective_sample == 0.0);
    }

    #[test]
    fn probabilities_that_are_too_small_are_noticed() {
        let (mut log, lists) = simulated(500, 1);
        for moment in &mut log.moments {
            for (_, propensity, _) in &mut moment.shown {
                *propensity /= 2.0;
            }
        }
        let words = off_policy(&log, &lists).warnings.join(" ");
        assert!(words.contains("too small for what was shown"), "{words}");
    }
}
