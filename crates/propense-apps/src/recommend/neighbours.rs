//! V-SKNN: earlier visits like this one, and what was seen in them (Ludewig and Jannach,
//! "Evaluation of session-based recommendation algorithms", 2018).
//!
//! Of the visits that share an item with the current one the `recent` latest are compared. An item
//! of the current visit weighs place/length, so that the last click weighs most; a visit's
//! similarity is the sum of these weights over the items shared, divided by the number of distinct
//! items seen. The `nearest` most similar visits each add
//!
//! ```text
//! similarity · (1 − 0.1 · s) · ln(N / n_i)
//! ```
//!
//! to each of their items i: `s` is how many clicks ago the latest shared item was (1 for the last
//! click), `N` the number of visits, `n_i` of those with item i.

use super::index::{VisitIndex, distinct};
use super::log::Click;
use super::measure::Ranker;

/// How many visits are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NeighbourOptions {
    /// Most similar visits that are asked.
    pub nearest: usize,
    /// Latest visits that are compared.
    pub recent: usize,
}

impl Default for NeighbourOptions {
    fn default() -> Self {
        Self {
            nearest: 100,
            recent: 1000,
        }
    }
}

/// The V-SKNN recommender.
#[derive(Debug, Clone)]
pub struct Neighbours<'a> {
    index: &'a VisitIndex,
    options: NeighbourOptions,
    /// ln(N / n_i) by item.
    rarity: Vec<f32>,
    /// Similarity by visit; zero between calls.
    similarity: Vec<f32>,
    /// Clicks since the latest shared item, by visit.
    steps: Vec<u32>,
}

impl<'a> Neighbours<'a> {
    /// A recommender over these visits, with this many items.
    #[must_use]
    pub fn new(index: &'a VisitIndex, items: usize, options: NeighbourOptions) -> Self {
        let all = index.len() as f32;
        let rarity = (0..items as u32).map(|item| {
            let with = index.visits_of(item).len().max(1) as f32;
            (all / with).ln()
        });
        Self {
            index,
            options,
            rarity: rarity.collect(),
            similarity: vec![0.0; index.len()],
            steps: vec![0; index.len()],
        }
    }

    /// The most similar visits, with their similarity and the clicks since the latest shared item.
    fn nearest(&mut self, seen: &[Click]) -> Vec<(u32, f32, u32)> {
        let current = distinct(seen);
        let mut candidates: Vec<u32> = Vec::new();
        for item in current.iter().rev() {
            let weight = (item.place + 1) as f32 / seen.len() as f32;
            for visit in self.index.visits_of(item.item) {
                let place = *visit as usize;
                let (Some(similarity), Some(steps)) =
                    (self.similarity.get_mut(place), self.steps.get_mut(place))
                else {
                    continue;
                };
                if *similarity == 0.0 {
                    candidates.push(*visit);
                    *steps = seen.len() as u32 - item.place;
                }
                *similarity += weight;
            }
        }
        if candidates.len() > self.options.recent {
            // Visits are numbered by start.
            let cut = candidates.len() - self.options.recent;
            candidates.select_nth_unstable(cut - 1);
            for visit in candidates.drain(..cut) {
                if let Some(similarity) = self.similarity.get_mut(visit as usize) {
                    *similarity = 0.0;
                }
            }
        }
        let mut found: Vec<(u32, f32, u32)> = Vec::with_capacity(candidates.len());
        for visit in candidates {
            let place = visit as usize;
            if let (Some(similarity), Some(steps)) =
                (self.similarity.get_mut(place), self.steps.get(place))
            {
                found.push((visit, *similarity / current.len() as f32, *steps));
                *similarity = 0.0;
            }
        }
        let nearer =
            |a: &(u32, f32, u32), b: &(u32, f32, u32)| b.1.total_cmp(&a.1).then(b.0.cmp(&a.0));
        if found.len() > self.options.nearest && self.options.nearest > 0 {
            found.select_nth_unstable_by(self.options.nearest - 1, nearer);
        }
        found.truncate(self.options.nearest);
        // The order of adding is then the same however the selection went.
        found.sort_unstable_by(nearer);
        found
    }
}

impl Ranker for Neighbours<'_> {
    fn score(&mut self, seen: &[Click], scores: &mut [f32]) {
        scores.fill(0.0);
        for (visit, similarity, steps) in self.nearest(seen) {
            let weight = similarity * (1.0 - 0.1 * steps as f32).max(0.0);
            for item in self.index.items(visit) {
                let place = item.item as usize;
                if let (Some(score), Some(rarity)) = (scores.get_mut(place), self.rarity.get(place))
                {
                    *score += weight * rarity;
                }
            }
        }
    }

    fn numbers(&self) -> usize {
        self.index.numbers() + self.rarity.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recommend::log::tests::clicks;
    use crate::recommend::log::{Items, Log};

    fn log(visits: &[&[u32]]) -> Log {
        Log {
            items: Items::new((0..4).map(|n| (n.to_string(), 9 - n))),
            visits: (0..)
                .zip(visits)
                .map(|(at, items)| clicks(items, at))
                .collect(),
        }
    }

    fn check(visits: &[&[u32]], options: NeighbourOptions, seen: &[u32], expected: &[f32]) {
        let log = log(visits);
        let index = VisitIndex::new(&log);
        let mut neighbours = Neighbours::new(&index, log.items.len(), options);
        let mut scores = vec![7.0; log.items.len()];
        // Twice: nothing of the first call is left in the second.
        for _ in 0..2 {
            neighbours.score(&clicks(seen, 99), &mut scores);
            for (score, expected) in scores.iter().zip(expected) {
                assert!((score - expected).abs() < 1e-6, "{scores:?} {expected:?}");
            }
        }
    }

    const VISITS: [&[u32]; 3] = [&[0, 1], &[1, 2], &[2, 3]];

    #[test]
    fn scores_by_hand() {
        let (half, one) = (1.5f32.ln(), 3f32.ln());
        let all = NeighbourOptions::default();
        // One click: similarity 1, one click ago, so 0.9.
        check(&VISITS, all, &[0], &[0.9 * one, 0.9 * half, 0.0, 0.0]);
        // Two clicks: 0 weighs 1/2, 1 weighs 2/2; the first visit shares both: 1.5 / 2.
        check(
            &VISITS,
            all,
            &[0, 1],
            &[
                0.75 * 0.9 * one,
                (0.75 + 0.5) * 0.9 * half,
                0.5 * 0.9 * half,
                0.0,
            ],
        );
        // The older click counts less: 0 was two clicks ago.
        check(
            &VISITS,
            all,
            &[0, 3],
            &[
                0.25 * 0.8 * one,
                0.25 * 0.8 * half,
                0.5 * 0.9 * half,
                0.5 * 0.9 * one,
            ],
        );
    }

    #[test]
    fn only_the_latest_and_nearest_are_asked() {
        let half = 1.5f32.ln();
        let few = |nearest, recent| NeighbourOptions { nearest, recent };
        // Both visits with item 1 are equally near: the later one is asked.
        let later = [0.0, 0.9 * half, 0.9 * half, 0.0];
        check(&VISITS, few(100, 1), &[1], &later);
        check(&VISITS, few(1, 100), &[1], &later);
    }

    #[test]
    fn nothing_known_is_nothing_said() {
        check(&[], NeighbourOptions::default(), &[0], &[0.0; 4]);
        check(&VISITS, NeighbourOptions::default(), &[9], &[0.0; 4]);
        check(&VISITS, NeighbourOptions::default(), &[], &[0.0; 4]);
    }
}
