//! The next item: counts and a small network give signals, a blend of them ranks the candidates.

use super::blend::{Blend, Moment};
use super::embedding::Embedding;
use super::features::Scratch;
use super::log::{Click, Items, Log, RawVisit, number};
use super::measure::{Ranker, top};
use super::tables::Tables;

/// Items that the blend looks at in each moment.
const CANDIDATES: usize = 100;
/// Parts of equal size into which the visits are cut by time. The blend learns from the last
/// three, each forecast from all before it, as it will be used.
const PARTS: usize = 6;
/// The parts that the blend learns from.
const LEARNT_FROM: [usize; 3] = [3, 4, 5];
/// Moments of a part that the blend learns from at most, so that they fit in memory; of more every
/// second one is taken, or every third, and so on.
const MOMENTS: usize = 9_000;
/// Fewer moments than this are no sample to learn a blend from.
const FEWEST: usize = 200;

/// What ranks the items.
#[derive(Debug, Clone, PartialEq)]
pub struct NextItem {
    items: Items,
    base: Base,
    blend: Option<Blend>,
}

/// The signals of one stretch of time.
#[derive(Debug, Clone, PartialEq)]
struct Base {
    tables: Tables,
    embedding: Embedding,
}

impl Base {
    fn fit(log: &Log, seed: u64) -> Self {
        Self {
            tables: Tables::new(&log.items, &log.visits),
            embedding: Embedding::fit(&log.items, &log.visits, seed),
        }
    }
}

impl NextItem {
    /// Learns from visits, which are in order of their start. The same visits and seed give the
    /// same ranking. `progress` is told in words what is being done.
    #[must_use]
    pub fn fit(visits: &[RawVisit], seed: u64, progress: &mut dyn FnMut(&str)) -> Self {
        progress("learning what signals are worth, and from all visits");
        let part = |part: usize| move || part_moments(visits, part, seed);
        let all = || {
            let log = Log::new(visits);
            (Base::fit(&log, seed), log.items)
        };
        let [first, second, third] = LEARNT_FROM.map(part);
        let (first, second) = both(first, second);
        let (third, (base, items)) = both(third, all);
        let mut moments: Vec<Moment> = [first, second, third].into_iter().flatten().collect();
        let width = moments.iter().map(|moment| moment.features.nrows()).max();
        // A shop of fewer items than candidates has moments of several widths in its early parts.
        moments.retain(|moment| Some(moment.features.nrows()) == width);
        let blend = if moments.len() < FEWEST {
            None
        } else {
            Blend::fit(moments, seed)
        };
        Self { items, base, blend }
    }

    /// The same blend of signals that are learnt anew from these visits.
    #[must_use]
    pub fn again(&self, visits: &[RawVisit], seed: u64) -> Self {
        let log = Log::new(visits);
        Self {
            base: Base::fit(&log, seed),
            items: log.items,
            blend: self.blend.clone(),
        }
    }

    /// The items, by number.
    #[must_use]
    pub const fn items(&self) -> &Items {
        &self.items
    }

    /// A ranker with memory of its own.
    #[must_use]
    pub fn ranker(&self) -> impl Ranker + '_ {
        NextItemRanker {
            model: self,
            scratch: Scratch::default(),
        }
    }
}

/// The moments of a part, forecast from all before it.
fn part_moments(visits: &[RawVisit], part: usize, seed: u64) -> Vec<Moment> {
    let cut = |part: usize| visits.len() * part / PARTS;
    let (before, after) = visits.split_at(cut(part));
    let log = Log::new(before);
    if log.items.is_empty() {
        return Vec::new();
    }
    let base = Base::fit(&log, seed);
    let later = after.get(..cut(part + 1) - cut(part)).unwrap_or_default();
    moments_of(&base, &log.items, &number(later, &log.items))
}

/// Two works at once, the second on a thread of its own: no more, since each holds the counts of a shop.
fn both<A, B: Send>(one: impl FnOnce() -> A, other: impl FnOnce() -> B + Send) -> (A, B) {
    std::thread::scope(|scope| {
        let other = scope.spawn(other);
        let one = one();
        let other = other.join();
        (
            one,
            other.unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
        )
    })
}

fn moments_of(base: &Base, items: &Items, visits: &[Vec<Click>]) -> Vec<Moment> {
    let mut moments = Vec::new();
    let mut scratch = Scratch::default();
    let positions: usize = visits
        .iter()
        .map(|visit| visit.len().saturating_sub(1))
        .sum();
    let stride = positions.div_ceil(MOMENTS).max(1);
    let mut position: usize = 0;
    for visit in visits {
        for (place, next) in visit.iter().enumerate().skip(1) {
            position += 1;
            if !position.is_multiple_of(stride) {
                continue;
            }
            let seen = visit.get(..place).unwrap_or_default();
            scratch.fill(&base.tables, &base.embedding, seen, items.len());
            let candidates = top(&scratch.coarse, CANDIDATES);
            if let Some(target) = candidates.iter().position(|item| *item == next.item) {
                let features = scratch.features(&base.tables, seen, &candidates);
                moments.push(Moment { features, target });
            }
        }
    }
    moments
}

struct NextItemRanker<'a> {
    model: &'a NextItem,
    scratch: Scratch,
}

impl Ranker for NextItemRanker<'_> {
    /// Scores are shares of 1: among the candidates the softmax of the blend, all other items
    /// below them in the order of the coarse score. A visit without known items is given what is
    /// popular.
    fn score(&mut self, seen: &[Click], scores: &mut [f32]) {
        let Base { tables, embedding } = &self.model.base;
        self.scratch.fill(tables, embedding, seen, scores.len());
        let coarse = &self.scratch.coarse;
        let largest = coarse.iter().copied().fold(0.0_f32, f32::max).max(1e-9);
        for (score, coarse) in scores.iter_mut().zip(coarse) {
            *score = coarse / largest;
        }
        let (Some(blend), false) = (&self.model.blend, seen.is_empty()) else {
            return;
        };
        let candidates = top(coarse, CANDIDATES);
        let blended = blend.score(&self.scratch.features(tables, seen, &candidates));
        let best = blended.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let sum: f32 = blended.iter().map(|score| (score - best).exp()).sum();
        let shares: Vec<f32> = blended
            .iter()
            .map(|score| (score - best).exp() / sum)
            .collect();
        let least = shares.iter().copied().fold(1.0_f32, f32::min);
        // Coarse scores are at most 1 here, so what is no candidate stays below the least of them.
        scores.iter_mut().for_each(|score| *score *= least * 0.5);
        for (item, share) in candidates.iter().zip(shares) {
            if let Some(score) = scores.get_mut(*item as usize) {
                *score = share;
            }
        }
    }

    fn numbers(&self) -> usize {
        let NextItem { base, blend, .. } = self.model;
        base.tables.numbers() + base.embedding.numbers() + blend.as_ref().map_or(0, Blend::numbers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recommend::log::Owner;
    use crate::recommend::measure::{Trial, rank};

    /// Visits that walk through a ring of ten items, two in three forwards.
    fn ring(count: usize) -> Vec<RawVisit> {
        let visit = |n: usize| {
            let step = if n.is_multiple_of(3) { 9 } else { 1 };
            let item = |place: usize| format!("i{}", (n * 7 + place * step) % 10);
            let clicks = (0..2 + n % 3).map(|place| (item(place), (n * 1000 + place) as i64));
            RawVisit {
                owner: Owner::Nobody,
                clicks: clicks.collect(),
            }
        };
        (0..count).map(visit).collect()
    }

    #[test]
    fn a_ring_is_learnt_and_the_direction_of_a_walk_seen() {
        let visits = ring(1200);
        let (train, test) = visits.split_at(1000);
        let model = NextItem::fit(train, 1, &mut |_| {});
        assert!(model.blend.is_some());
        let tested = number(test, model.items());
        let trial = Trial::run(&mut model.ranker(), &tested, model.items(), 2);
        let figures = trial.figures(0, 1);
        // Either neighbour; and the second click tells which way.
        assert!(figures.hr > 0.95 && figures.mrr > 0.8, "{figures:?}");
        let again = NextItem::fit(train, 1, &mut |_| {});
        assert_eq!(again, model, "the seed decides");
    }

    #[test]
    fn few_or_no_visits_give_a_ranking_all_the_same() {
        for count in [0, 1, 5] {
            let model = NextItem::fit(&ring(count), 1, &mut |_| {});
            assert!(model.blend.is_none());
            let mut scores = vec![0.0; model.items().len()];
            for seen in [
                vec![],
                vec![Click { item: 0, at: 0 }],
                vec![Click { item: 99, at: 0 }],
            ] {
                model.ranker().score(&seen, &mut scores);
                assert!(scores.iter().all(|score| score.is_finite()), "{scores:?}");
            }
            // Without a visit the most popular item leads.
            model.ranker().score(&[], &mut scores);
            assert!(scores.is_empty() || rank(&scores, 0) == 1);
        }
    }
}
