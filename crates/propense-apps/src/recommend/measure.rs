//! Measuring a recommender: every position of every visit, all items ranked, the next one looked for.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;
use serde::Serialize;

use super::log::{Click, Items};

/// HR, MRR, NDCG, and NDCG of the first ten alone.
const METRICS: usize = 4;

/// Positions on which a shop's methods are compared, at most: enough to tell them apart, and quick.
pub(super) const MEASURED: usize = 12_000;

/// The metrics of one position.
type Gains = [f64; METRICS];

/// Scores every item for what comes next.
pub trait Ranker {
    /// Scores of all items, by number, from what the visit has shown so far (in order, at least one
    /// click). Higher is better; `scores` is as long as there are items, and is overwritten.
    fn score(&mut self, seen: &[Click], scores: &mut [f32]);

    /// How many numbers (counts, weights) it ranks by.
    fn numbers(&self) -> usize;
}

/// The figures of a ranker, with 95 % bootstrap intervals over visits.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figures {
    /// Positions measured.
    pub n: usize,
    /// Length of the list.
    pub k: usize,
    /// Share of positions with the next item in the list.
    pub hr: f64,
    /// Mean of 1/rank of the next item; 0 where it is not in the list.
    pub mrr: f64,
    /// Mean of 1/log2(1 + rank): with one right item, the normalised discounted cumulative gain
    /// (Järvelin and Kekäläinen 2002).
    pub ndcg: f64,
    /// The same with nothing for a rank beyond ten.
    pub ndcg10: f64,
    /// Share of all items that were in a list at all.
    pub coverage: f64,
    /// Share of the lists' places that went to the most clicked tenth of the items.
    pub popular_share: f64,
    /// The same share among the items that did come next.
    pub popular_share_of_targets: f64,
    /// Interval of `hr`.
    pub hr_interval: (f64, f64),
    /// Interval of `mrr`.
    pub mrr_interval: (f64, f64),
    /// Interval of `ndcg`.
    pub ndcg_interval: (f64, f64),
    /// Interval of `ndcg10`.
    pub ndcg10_interval: (f64, f64),
}

/// What a ranker did at every position; figures, intervals and comparisons come from it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Trial {
    /// Rank of the next item from 1, by position.
    pub ranks: Vec<u32>,
    /// Number of the visit, by position.
    pub visits: Vec<u32>,
    listed: Vec<bool>,
    popular_places: usize,
    places: usize,
    popular_targets: usize,
    k: usize,
}

impl Trial {
    /// Lets the ranker rank all items at every position `n >= 1` of every visit.
    pub fn run(ranker: &mut dyn Ranker, visits: &[Vec<Click>], items: &Items, k: usize) -> Self {
        let mut trial = Self {
            listed: vec![false; items.len()],
            k,
            ..Self::default()
        };
        let popular = items.len().div_ceil(10);
        let mut scores = vec![0.0; items.len()];
        for (number, visit) in (0..).zip(visits) {
            for (before, target) in visit.iter().enumerate().skip(1) {
                let seen = visit.get(..before).unwrap_or_default();
                ranker.score(seen, &mut scores);
                let target = target.item as usize;
                trial.ranks.push(rank(&scores, target));
                trial.visits.push(number);
                trial.popular_targets += usize::from(target < popular);
                for item in top(&scores, k) {
                    trial.places += 1;
                    trial.popular_places += usize::from((item as usize) < popular);
                    if let Some(listed) = trial.listed.get_mut(item as usize) {
                        *listed = true;
                    }
                }
            }
        }
        trial
    }

    /// The figures, with intervals from this many resamples.
    #[must_use]
    pub fn figures(&self, resamples: usize, seed: u64) -> Figures {
        let gains: Vec<Gains> = self.ranks.iter().map(|rank| self.gains(*rank)).collect();
        let [hr, mrr, ndcg, ndcg10] = mean(&gains);
        let [hr_interval, mrr_interval, ndcg_interval, ndcg10_interval] =
            intervals(&gains, &self.visits, resamples, seed);
        let share = |part: usize, all: usize| part as f64 / all.max(1) as f64;
        let listed = self.listed.iter().filter(|listed| **listed).count();
        Figures {
            n: self.ranks.len(),
            k: self.k,
            hr,
            mrr,
            ndcg,
            ndcg10,
            coverage: share(listed, self.listed.len()),
            popular_share: share(self.popular_places, self.places),
            popular_share_of_targets: share(self.popular_targets, self.ranks.len()),
            hr_interval,
            mrr_interval,
            ndcg_interval,
            ndcg10_interval,
        }
    }

    /// How much this trial's HR, MRR, NDCG and NDCG of the first ten exceed another's on the same
    /// positions: intervals of the paired difference.
    #[must_use]
    pub fn ahead_of(&self, other: &Self, resamples: usize, seed: u64) -> [(f64, f64); METRICS] {
        let pairs = self.ranks.iter().zip(&other.ranks);
        let gains: Vec<Gains> = pairs
            .map(|(ours, theirs)| {
                let (ours, theirs) = (self.gains(*ours), other.gains(*theirs));
                std::array::from_fn(|metric| ours[metric] - theirs[metric])
            })
            .collect();
        intervals(&gains, &self.visits, resamples, seed)
    }

    fn gains(&self, rank: u32) -> Gains {
        if rank as usize > self.k {
            return [0.0; METRICS];
        }
        let rank = f64::from(rank);
        let discounted = 1.0 / (1.0 + rank).log2();
        let within_ten = if rank > 10.0 { 0.0 } else { discounted };
        [1.0, 1.0 / rank, discounted, within_ten]
    }
}

/// These visits, or, where they have more positions than `most`, an even choice of them with about so many.
#[must_use]
pub(super) fn thinned(mut visits: Vec<Vec<Click>>, most: usize) -> Vec<Vec<Click>> {
    let all: usize = visits
        .iter()
        .map(|visit| visit.len().saturating_sub(1))
        .sum();
    let every = all.div_ceil(most.max(1)).max(1);
    let mut place = 0;
    visits.retain(|_| {
        place += 1;
        place % every == 0
    });
    visits
}

/// The rank of an item, from 1: the number of items with a higher score, or an equal one and a
/// lower number, plus one. A score that is not a number counts as the lowest.
#[must_use]
pub fn rank(scores: &[f32], target: usize) -> u32 {
    let value = |score: &f32| {
        if score.is_nan() {
            f32::NEG_INFINITY
        } else {
            *score
        }
    };
    let own = scores.get(target).map_or(f32::NEG_INFINITY, value);
    let ahead = scores.iter().enumerate().filter(|(number, score)| {
        let score = value(score);
        score > own || (score == own && *number < target)
    });
    ahead.count() as u32 + 1
}

/// The `k` items with the highest scores, the best first; of equal ones the lower number first.
/// Items scored `-inf` or not a number are left out.
#[must_use]
pub fn top(scores: &[f32], k: usize) -> Vec<u32> {
    let better = |a: &(u32, f32), b: &(u32, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
    let mut candidates: Vec<(u32, f32)> = (0..)
        .zip(scores.iter().copied())
        .filter(|(_, score)| *score > f32::NEG_INFINITY)
        .collect();
    if candidates.len() > k && k > 0 {
        candidates.select_nth_unstable_by(k - 1, better);
    }
    candidates.truncate(k);
    candidates.sort_unstable_by(better);
    candidates.into_iter().map(|(item, _)| item).collect()
}

fn mean(gains: &[Gains]) -> Gains {
    let count = gains.len().max(1) as f64;
    std::array::from_fn(|metric| gains.iter().map(|gain| gain[metric]).sum::<f64>() / count)
}

/// 95 % intervals by drawing visits with replacement, each with all its positions (the cluster
/// bootstrap: Davison and Hinkley 1997, section 3.8).
fn intervals(
    gains: &[Gains],
    visits: &[u32],
    resamples: usize,
    seed: u64,
) -> [(f64, f64); METRICS] {
    // Sum of gains and number of positions of each visit; positions of a visit lie side by side.
    let mut sums: Vec<(Gains, f64)> = Vec::new();
    let mut last = None;
    for (gain, visit) in gains.iter().zip(visits) {
        if last != Some(visit) {
            sums.push(([0.0; METRICS], 0.0));
            last = Some(visit);
        }
        if let Some((sum, count)) = sums.last_mut() {
            for (sum, gain) in sum.iter_mut().zip(gain) {
                *sum += gain;
            }
            *count += 1.0;
        }
    }
    if sums.is_empty() || resamples == 0 {
        return mean(gains).map(|mean| (mean, mean));
    }
    let mut generator = ChaCha12Rng::seed_from_u64(seed);
    let mut drawn: [Vec<f64>; METRICS] = Default::default();
    for _ in 0..resamples {
        let (mut total, mut positions) = ([0.0; METRICS], 0.0);
        for _ in 0..sums.len() {
            if let Some((sum, count)) = sums.get(generator.random_range(0..sums.len())) {
                for (total, sum) in total.iter_mut().zip(sum) {
                    *total += sum;
                }
                positions += count;
            }
        }
        for (drawn, total) in drawn.iter_mut().zip(total) {
            drawn.push(total / positions);
        }
    }
    drawn.map(|mut values| {
        values.sort_by(f64::total_cmp);
        let at = |q: f64| {
            let place = ((values.len() - 1) as f64 * q).round() as usize;
            values.get(place).copied().unwrap_or(f64::NAN)
        };
        (at(0.025), at(0.975))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recommend::log::tests::clicks;

    #[test]
    fn ranks_and_lists_agree() {
        let check = |scores: &[f32], k: usize, expected: &[u32]| {
            assert_eq!(top(scores, k), expected, "{scores:?}");
            for (place, item) in (1..).zip(expected) {
                assert_eq!(rank(scores, *item as usize), place, "{scores:?}");
            }
        };
        check(&[0.1, 0.3, 0.2], 3, &[1, 2, 0]);
        check(&[0.1, 0.3, 0.2], 2, &[1, 2]);
        // Ties go to the more popular item, which has the lower number.
        check(&[0.0, 1.0, 0.0, 1.0], 4, &[1, 3, 0, 2]);
        check(&[f32::NAN, 1.0, f32::NEG_INFINITY], 3, &[1]);
        check(&[1.0], 0, &[]);
        check(&[], 5, &[]);
        assert_eq!(rank(&[f32::NAN, 1.0], 0), 2);
    }

    /// Always the same scores.
    struct Fixed(Vec<f32>);

    impl Ranker for Fixed {
        fn score(&mut self, _: &[Click], scores: &mut [f32]) {
            scores.copy_from_slice(&self.0);
        }

        fn numbers(&self) -> usize {
            self.0.len()
        }
    }

    fn visit(items: &[u32]) -> Vec<Click> {
        clicks(items, 0)
    }

    #[test]
    fn figures_by_hand() {
        let items = Items::new((0..4).map(|n| (format!("i{n}"), 10 - n)));
        let mut ranker = Fixed(vec![0.4, 0.3, 0.2, 0.1]);
        // Targets 1 (rank 2), 0 (rank 1), 3 (rank 4, out of the list); the last visit has none.
        let visits = [visit(&[2, 1, 0]), visit(&[0, 3]), visit(&[2])];
        let trial = Trial::run(&mut ranker, &visits, &items, 2);
        assert_eq!(trial.ranks, [2, 1, 4]);
        let figures = trial.figures(200, 1);
        assert_eq!((figures.n, figures.k), (3, 2));
        assert!((figures.hr - 2.0 / 3.0).abs() < 1e-12);
        assert!((figures.mrr - 0.5).abs() < 1e-12);
        assert!((figures.ndcg - (1.0 + 1.0 / 3f64.log2()) / 3.0).abs() < 1e-12);
        assert!((figures.coverage - 0.5).abs() < 1e-12);
        assert!((figures.popular_share - 0.5).abs() < 1e-12);
        assert!((figures.popular_share_of_targets - 1.0 / 3.0).abs() < 1e-12);
        // Whole visits are drawn: either all of one, or of the other, or both.
        assert_eq!(figures.hr_interval, (0.0, 1.0));
        assert_eq!(trial.ahead_of(&trial, 50, 1), [(0.0, 0.0); METRICS]);
    }

    #[test]
    fn of_many_visits_an_even_choice_is_measured() {
        let visits: Vec<Vec<Click>> = (0..10).map(|n| visit(&[n, n, n])).collect();
        let kept = |most| -> Vec<u32> {
            let kept = thinned(visits.clone(), most);
            kept.iter().map(|visit| visit[0].item).collect()
        };
        assert_eq!(kept(20), (0..10).collect::<Vec<u32>>());
        assert_eq!(kept(10), [1, 3, 5, 7, 9]);
        assert_eq!(kept(7), [2, 5, 8]);
        assert_eq!(thinned(Vec::new(), 5), Vec::<Vec<Click>>::new());
    }

    #[test]
    fn nothing_to_measure_is_no_failure() {
        let items = Items::new([]);
        let trial = Trial::run(&mut Fixed(Vec::new()), &[], &items, 20);
        let figures = trial.figures(10, 1);
        assert_eq!((figures.n, figures.hr), (0, 0.0));
    }
}
