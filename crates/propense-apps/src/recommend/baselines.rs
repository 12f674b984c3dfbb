//! What every recommender has to be better than: popularity, and items bought or viewed together.

use super::index::VisitIndex;
use super::log::{Click, Items};
use super::measure::Ranker;

/// The most clicked items, whatever was seen.
#[derive(Debug, Clone)]
pub struct Popularity {
    clicks: Vec<f32>,
}

impl Popularity {
    /// By clicks.
    #[must_use]
    pub fn new(items: &Items) -> Self {
        Self {
            clicks: items.clicks().iter().map(|count| *count as f32).collect(),
        }
    }
}

impl Ranker for Popularity {
    fn score(&mut self, _: &[Click], scores: &mut [f32]) {
        for (score, clicks) in scores.iter_mut().zip(&self.clicks) {
            *score = *clicks;
        }
    }

    fn numbers(&self) -> usize {
        self.clicks.len()
    }
}

/// The items of the visit again, the newest first; then the most clicked ones.
#[derive(Debug, Clone)]
pub struct LastItem(Popularity);

impl LastItem {
    /// With these items behind those of the visit.
    #[must_use]
    pub fn new(items: &Items) -> Self {
        Self(Popularity::new(items))
    }
}

impl Ranker for LastItem {
    fn score(&mut self, seen: &[Click], scores: &mut [f32]) {
        self.0.score(seen, scores);
        let most = scores.iter().copied().fold(0.0, f32::max);
        for (place, click) in seen.iter().enumerate() {
            if let Some(score) = scores.get_mut(click.item as usize) {
                *score = most + 1.0 + place as f32;
            }
        }
    }

    fn numbers(&self) -> usize {
        self.0.numbers()
    }
}

/// Item-kNN: the items most often in one visit with the last one, by regularised cosine
///
/// ```text
/// c_ij / sqrt(n_i · (n_j + λ))
/// ```
///
/// with `c_ij` visits that hold both, `n_i` those with item i, and λ = 20 against rare items by
/// chance (Sarwar et al. 2001; the regularisation as in Hidasi et al. 2016).
#[derive(Debug, Clone)]
pub struct ItemNeighbours<'a> {
    index: &'a VisitIndex,
}

const REGULARISATION: f32 = 20.0;

impl<'a> ItemNeighbours<'a> {
    /// Over these visits.
    #[must_use]
    pub const fn new(index: &'a VisitIndex) -> Self {
        Self { index }
    }
}

impl Ranker for ItemNeighbours<'_> {
    fn score(&mut self, seen: &[Click], scores: &mut [f32]) {
        scores.fill(0.0);
        let Some(last) = seen.last() else { return };
        let visits = self.index.visits_of(last.item);
        for visit in visits {
            for other in self.index.items(*visit) {
                if other.item != last.item
                    && let Some(score) = scores.get_mut(other.item as usize)
                {
                    *score += 1.0;
                }
            }
        }
        let own = visits.len() as f32;
        for (item, score) in (0..).zip(scores.iter_mut()) {
            if *score > 0.0 {
                let other = self.index.visits_of(item).len() as f32;
                *score /= (own * (other + REGULARISATION)).sqrt();
            }
        }
    }

    fn numbers(&self) -> usize {
        self.index.numbers()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recommend::log::Log;
    use crate::recommend::log::tests::clicks;

    #[test]
    fn scores_by_hand() {
        let visit = |items: &[u32]| clicks(items, 0);
        let items = Items::new([
            ("a".to_owned(), 5),
            ("b".to_owned(), 3),
            ("c".to_owned(), 1),
        ]);
        let log = Log {
            items,
            visits: vec![visit(&[0, 1, 0]), visit(&[0, 1, 2]), visit(&[0])],
        };
        let index = VisitIndex::new(&log);
        let mut scores = vec![9.0; 3];
        let mut together = ItemNeighbours::new(&index);
        together.score(&visit(&[2, 0]), &mut scores);
        let expected = [
            0.0,
            2.0 / (3.0f32 * 22.0).sqrt(),
            1.0 / (3.0f32 * 21.0).sqrt(),
        ];
        for (score, expected) in scores.iter().zip(expected) {
            assert!((score - expected).abs() < 1e-6, "{scores:?}");
        }
        together.score(&[], &mut scores);
        assert_eq!(scores, [0.0; 3]);
        Popularity::new(&log.items).score(&[], &mut scores);
        assert_eq!(scores, [5.0, 3.0, 1.0]);
    }
}
