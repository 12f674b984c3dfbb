//! Which recommender a shop should use: the one that forecast its latest visits best.

use std::fmt;

use serde::Serialize;

use super::baselines::{ItemNeighbours, Popularity};
use super::error::RecommendError;
use super::index::VisitIndex;
use super::log::{Click, Items, Log, RawVisit, number};
use super::measure::{Figures, MEASURED, Ranker, Trial, thinned};
use super::model::NextItem;
use super::neighbours::{NeighbourOptions, Neighbours};

/// A way to rank items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Counts, likeness and their blend: [`NextItem`].
    Blend,
    /// Visits like this one: [`Neighbours`].
    VSknn,
    /// What comes together with the last item: [`ItemNeighbours`].
    ItemKnn,
    /// The most clicked items: [`Popularity`].
    Popularity,
}

impl Method {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Blend, Self::VSknn, Self::ItemKnn, Self::Popularity];

    /// Its name in tables, and among the baselines of the task `next-item`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Blend => "propense",
            Self::VSknn => "v_sknn",
            Self::ItemKnn => "item_knn",
            Self::Popularity => "popularity",
        }
    }

    /// What ranks in this way after these visits; by popularity where the blend has no model.
    pub(super) fn ranker<'a>(
        self,
        items: &'a Items,
        index: &'a VisitIndex,
        model: Option<&'a NextItem>,
    ) -> Box<dyn Ranker + 'a> {
        match (self, model) {
            (Self::Blend, Some(model)) => Box::new(model.ranker()),
            (Self::VSknn, _) => {
                let options = NeighbourOptions::default();
                Box::new(Neighbours::new(index, items.len(), options))
            }
            (Self::ItemKnn, _) => Box::new(ItemNeighbours::new(index)),
            (Self::Popularity | Self::Blend, _) => Box::new(Popularity::new(items)),
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What every method was worth on the shop's latest visits, and which was best.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Choice {
    /// The method with the highest NDCG.
    pub method: Method,
    /// Figures by method, the best first.
    pub figures: Vec<(Method, Figures)>,
    /// The blend that was compared, to go on with.
    #[serde(skip)]
    pub learnt: Option<NextItem>,
}

/// Share of the visits, the latest ones, on which methods are compared: one in so many.
const COMPARED: usize = 6;

/// Compares the methods on the latest sixth of the visits (of many an even choice), each having learnt from
/// all before it.
/// Where there is nothing to compare on, popularity is the choice, and no figures are given.
#[must_use]
pub fn choose(visits: &[RawVisit], k: usize, seed: u64, progress: &mut dyn FnMut(&str)) -> Choice {
    let (before, latest) = visits.split_at(visits.len() - visits.len() / COMPARED);
    let log = Log::new(before);
    let tested = thinned(number(latest, &log.items), MEASURED);
    let mut learnt = None;
    let mut figures: Vec<(Method, Figures)> = Vec::new();
    if tested.iter().any(|visit| visit.len() > 1) {
        let index = VisitIndex::new(&log);
        let model = NextItem::fit(before, seed, progress);
        progress("comparing on the latest visits");
        for method in Method::ALL {
            let mut ranker = method.ranker(&log.items, &index, Some(&model));
            let trial = Trial::run(ranker.as_mut(), &tested, &log.items, k);
            figures.push((method, trial.figures(400, seed)));
        }
        figures.sort_by(|a, b| b.1.ndcg.total_cmp(&a.1.ndcg));
        learnt = Some(model);
    }
    Choice {
        learnt,
        method: figures
            .first()
            .map_or(Method::Popularity, |(method, _)| *method),
        figures,
    }
}

/// A recommender of the chosen method that has learnt from all visits.
pub struct Recommender {
    method: Method,
    items: Items,
    index: VisitIndex,
    model: Option<NextItem>,
}

impl Recommender {
    /// Learns.
    ///
    /// # Errors
    /// Where there is no visit.
    pub fn fit(
        method: Method,
        visits: &[RawVisit],
        seed: u64,
        progress: &mut dyn FnMut(&str),
    ) -> Result<Self, RecommendError> {
        let model = || NextItem::fit(visits, seed, progress);
        Self::new(method, visits, (method == Method::Blend).then(model))
    }

    /// Goes on with the method that was chosen: what the blend's signals are worth is kept, the signals are
    /// learnt from all visits.
    ///
    /// # Errors
    /// Where there is no visit.
    pub fn chosen(
        choice: &Choice,
        visits: &[RawVisit],
        seed: u64,
        progress: &mut dyn FnMut(&str),
    ) -> Result<Self, RecommendError> {
        match (choice.method, &choice.learnt) {
            (Method::Blend, Some(learnt)) => {
                progress("learning from all visits");
                Self::new(Method::Blend, visits, Some(learnt.again(visits, seed)))
            }
            (method, _) => Self::fit(method, visits, seed, progress),
        }
    }

    fn new(
        method: Method,
        visits: &[RawVisit],
        model: Option<NextItem>,
    ) -> Result<Self, RecommendError> {
        let log = Log::new(visits);
        if log.items.is_empty() {
            return Err(RecommendError::NothingToLearn { shared_visits: 0 });
        }
        Ok(Self {
            method,
            index: VisitIndex::new(&log),
            items: log.items,
            model,
        })
    }

    /// The items, by number.
    #[must_use]
    pub const fn items(&self) -> &Items {
        &self.items
    }

    /// How many visits were learnt from.
    #[must_use]
    pub fn visits(&self) -> usize {
        self.index.len()
    }

    /// How many of them hold all of these items.
    #[must_use]
    pub fn visits_with(&self, ids: &[&str]) -> usize {
        let numbers: Option<Vec<u32>> = ids.iter().map(|id| self.items.number(id)).collect();
        let Some((first, others)) = numbers.as_deref().and_then(<[u32]>::split_first) else {
            return 0;
        };
        let visits = self.index.visits_of(*first).iter();
        let all = visits.filter(|visit| {
            let with = |item: &u32| self.index.visits_of(*item).binary_search(visit).is_ok();
            others.iter().all(with)
        });
        all.count()
    }

    /// Made once for any number of visits: gives the scores of all items for one visit. A visit of
    /// which no item is known is given what is popular; so is every item on which the method has
    /// nothing to say, below the others.
    pub fn scorer(&self) -> impl FnMut(&[Click]) -> Vec<f32> + '_ {
        let (method, model) = (self.method, self.model.as_ref());
        let mut ranker = method.ranker(&self.items, &self.index, model);
        let mut popular = vec![0.0; self.items.len()];
        Popularity::new(&self.items).score(&[], &mut popular);
        let most = popular.iter().copied().fold(1.0_f32, f32::max);
        move |visit: &[Click]| {
            let mut scores = vec![0.0; self.items.len()];
            if !visit.is_empty() {
                ranker.score(visit, &mut scores);
            }
            let least = scores
                .iter()
                .copied()
                .filter(|score| *score > 0.0)
                .fold(1.0_f32, f32::min);
            for (score, popular) in scores.iter_mut().zip(&popular) {
                if *score <= 0.0 {
                    *score = 0.5 * least * popular / most;
                }
            }
            scores
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recommend::log::tests::visit;
    use crate::recommend::measure::top;

    #[test]
    fn where_nothing_can_be_compared_popularity_is_chosen() {
        // Pairs that never come again: no later visit has two known items.
        let visits: Vec<RawVisit> = (0..200).map(|n| visit(&format!("x{n} y{n}"))).collect();
        let choice = choose(&visits, 10, 1, &mut |_| {});
        assert!(choice.figures.is_empty());
        assert_eq!(choice.method, Method::Popularity);
    }

    #[test]
    fn every_method_ranks_all_items_and_knows_what_to_show_a_newcomer() {
        let visits = ["a b", "a b", "a c", "d a", "e a", "a b"].map(visit);
        for method in Method::ALL {
            let recommender = Recommender::fit(method, &visits, 1, &mut |_| {}).expect("learnt");
            let seen = number(&[visit("a")], recommender.items());
            let scores = [&seen[0][..], &[]].map(recommender.scorer());
            assert!(
                scores[0].iter().all(|score| *score > 0.0),
                "{method}: {scores:?}"
            );
            let newcomer = top(&scores[1], 2);
            let ids: Vec<_> = newcomer
                .iter()
                .filter_map(|n| recommender.items().id(*n))
                .collect();
            assert_eq!(ids, ["a", "b"], "{method}");
            if method != Method::Popularity {
                let next = top(&scores[0], 3);
                assert!(next.contains(&1), "{method}: b comes after a");
            }
        }
        assert!(Recommender::fit(Method::VSknn, &[], 1, &mut |_| {}).is_err());
    }
}
