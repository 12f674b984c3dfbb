//! The task `next-item` of the evaluation protocol: learn from one set of visits, rank in another.

use std::collections::BTreeMap;

use propense_events::Event;
use serde::Serialize;

use super::choose::Method;
use super::error::RecommendError;
use super::index::VisitIndex;
use super::log::{Log, Source, drop_shared, number, visits};
use super::measure::{Figures, Ranker, Trial};
use super::model::NextItem;

/// How the task is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProtocolOptions {
    /// Length of the list.
    pub k: usize,
    /// A pause longer than this begins a new visit where the shop names none, in milliseconds.
    pub gap_ms: i64,
    /// Seed of weights and resamples.
    pub seed: u64,
    /// Bootstrap resamples.
    pub resamples: usize,
}

impl Default for ProtocolOptions {
    fn default() -> Self {
        Self {
            k: 20,
            gap_ms: 30 * 60 * 1000,
            seed: 1,
            resamples: 400,
        }
    }
}

/// What a recommender takes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Cost {
    /// Numbers (counts, weights) that it ranks by.
    pub numbers: usize,
    /// Seconds of learning from the visits.
    pub seconds: f64,
    /// Microseconds of ranking all items once, on average over the positions.
    pub microseconds: f64,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProtocolOutcome {
    /// Figures of the recommender.
    pub ours: Figures,
    /// Figures of the plain ones, by name: `popularity`, `item_knn`, `v_sknn`.
    pub baselines: BTreeMap<&'static str, Figures>,
    /// 95 % intervals of how much HR, MRR, NDCG and NDCG of the first ten exceed each plain one's, on the
    /// same positions.
    pub ahead_of: BTreeMap<&'static str, [(f64, f64); 4]>,
    /// What each takes, by name; the recommender's is `propense`.
    pub costs: BTreeMap<&'static str, Cost>,
    /// Visits learnt from.
    pub train_visits: usize,
    /// Visits that were left out of them because the test data holds a part of each.
    pub shared_visits: usize,
    /// Items learnt.
    pub items: usize,
    /// Clicks of the test data on items that training never met, which were left out.
    pub unknown_clicks: usize,
}

/// Runs the task. Visits of `train` that are also in `test` are left out of `train`, items of
/// `test` that `train` does not know out of `test`; then at every position of every visit all
/// items of `train` are ranked from the clicks before it. Everything is learnt from `train`. `clock` says
/// the seconds since any moment: what learning and ranking take is read off it.
///
/// # Errors
/// Where nothing can be learnt, or nothing measured.
pub fn next_item(
    train: Vec<Event>,
    test: Vec<Event>,
    options: &ProtocolOptions,
    clock: &dyn Fn() -> f64,
    progress: &mut dyn FnMut(&str),
) -> Result<ProtocolOutcome, RecommendError> {
    let nobody = &mut |_: &Log| Ok(Vec::new());
    next_item_beside(train, test, options, nobody, clock, progress)
}

/// A recommender to compare with.
pub struct Named {
    /// Its name.
    pub name: &'static str,
    /// Seconds of learning.
    pub seconds: f64,
    /// What it has learnt.
    pub ranker: Box<dyn Ranker>,
}

/// The same with further recommenders to compare with, which `more` teaches from the visits that all
/// learn from.
///
/// # Errors
/// As [`next_item`], and whatever `more` fails with.
pub fn next_item_beside<E: From<RecommendError>>(
    train: Vec<Event>,
    test: Vec<Event>,
    options: &ProtocolOptions,
    more: &mut dyn FnMut(&Log) -> Result<Vec<Named>, E>,
    clock: &dyn Fn() -> f64,
    progress: &mut dyn FnMut(&str),
) -> Result<ProtocolOutcome, E> {
    let source = Source::of(&train);
    let mut train = visits(train, source, options.gap_ms);
    let test = visits(test, source, options.gap_ms);
    let shared_visits = drop_shared(&mut train, &test, options.gap_ms);
    if train.is_empty() {
        return Err(RecommendError::NothingToLearn { shared_visits }.into());
    }
    let log = Log::new(&train);
    let tested = number(&test, &log.items);
    if tested.iter().all(|visit| visit.len() < 2) {
        return Err(RecommendError::NothingToMeasure { visits: test.len() }.into());
    }
    let all: usize = test.iter().map(|visit| visit.clicks.len()).sum();
    let known: usize = tested.iter().map(Vec::len).sum();

    let since = |begin: f64| clock() - begin;
    let begin = clock();
    let model = NextItem::fit(&train, options.seed, progress);
    let learning = since(begin);
    let mut costs = BTreeMap::new();
    let mut run = |name: &'static str, seconds: f64, ranker: &mut dyn Ranker| {
        let begin = clock();
        let trial = Trial::run(ranker, &tested, &log.items, options.k);
        let each = since(begin) / trial.ranks.len().max(1) as f64;
        let cost = Cost {
            numbers: ranker.numbers(),
            seconds,
            microseconds: 1e6 * each,
        };
        costs.insert(name, cost);
        trial
    };
    progress("ranking");
    let begin = clock();
    let index = VisitIndex::new(&log);
    let indexing = since(begin);
    // The model numbers the same visits in the same way.
    let mut by = |method: Method, seconds: f64| {
        let mut ranker = method.ranker(&log.items, &index, Some(&model));
        run(method.name(), seconds, ranker.as_mut())
    };
    let ours = by(Method::Blend, learning);
    progress("ranking with the plain recommenders");
    let plain = [
        // Clicks are counted while the items are numbered.
        (Method::Popularity, 0.0),
        (Method::ItemKnn, indexing),
        (Method::VSknn, indexing),
    ];
    let mut trials: Vec<(&str, Trial)> = plain
        .into_iter()
        .map(|(method, seconds)| (method.name(), by(method, seconds)))
        .collect();
    for mut other in more(&log)? {
        progress(&format!("ranking with {}", other.name));
        let trial = run(other.name, other.seconds, other.ranker.as_mut());
        trials.push((other.name, trial));
    }
    let (resamples, seed) = (options.resamples, options.seed);
    let figures = |trial: &Trial| trial.figures(resamples, seed);
    Ok(ProtocolOutcome {
        ours: figures(&ours),
        baselines: trials
            .iter()
            .map(|(name, trial)| (*name, figures(trial)))
            .collect(),
        ahead_of: trials
            .iter()
            .map(|(name, trial)| (*name, ours.ahead_of(trial, resamples, seed)))
            .collect(),
        costs,
        train_visits: train.len(),
        shared_visits,
        items: log.items.len(),
        unknown_clicks: all - known,
    })
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use propense_events::{EventKind, Item};

    fn events(sessions: &[(&str, &str)]) -> Vec<Event> {
        let mut at = 0;
        let mut events = Vec::new();
        for (session, items) in sessions {
            for item in items.split_whitespace() {
                at += 1;
                let mut event = Event::new(EventKind::ViewItem, at);
                event.session_id = Some((*session).to_owned());
                event.items.push(Item {
                    item_id: item.to_owned(),
                    ..Item::default()
                });
                events.push(event);
            }
        }
        events
    }

    fn run(
        train: &[(&str, &str)],
        test: &[(&str, &str)],
    ) -> Result<ProtocolOutcome, RecommendError> {
        let options = ProtocolOptions {
            resamples: 10,
            ..ProtocolOptions::default()
        };
        // A clock that moves on by a second whenever it is looked at.
        let seconds = Cell::new(0.0);
        let clock = || {
            seconds.set(seconds.get() + 1.0);
            seconds.get()
        };
        next_item(events(train), events(test), &options, &clock, &mut |_| {})
    }

    const TRAIN: [(&str, &str); 3] = [("1", "a b c"), ("2", "a b"), ("3", "c a")];

    #[test]
    fn positions_are_those_of_known_items() {
        // x is unknown: a b remains of it, one position; c c another; a single click none.
        let outcome = run(&TRAIN, &[("8", "a x b"), ("9", "c c"), ("10", "b")]).expect("measured");
        assert_eq!(
            (outcome.ours.n, outcome.unknown_clicks, outcome.items),
            (2, 1, 3)
        );
        assert_eq!((outcome.train_visits, outcome.shared_visits), (3, 0));
        // Two positions in the second between two looks at the clock; three counts for three items.
        let popular = outcome.costs["popularity"];
        assert_eq!((popular.numbers, popular.microseconds), (3, 5e5));
        assert_eq!(outcome.costs["propense"].seconds, 1.0);
        for figures in outcome.baselines.values() {
            assert_eq!(figures.n, 2);
        }
    }

    #[test]
    fn a_visit_in_both_is_learnt_from_in_neither() {
        let shared = run(&TRAIN, &[("3", "a b")]).expect("measured");
        assert_eq!((shared.train_visits, shared.shared_visits), (2, 1));
        // What else the test data holds changes no rank: only the figures of what is measured.
        let alone = run(&TRAIN[..2], &[("9", "a b")]).expect("measured");
        assert_eq!(shared.ours, alone.ours);
    }

    #[test]
    fn where_nothing_can_be_said_it_is_said_why() {
        let learn = run(&[("1", "a b")], &[("1", "a b")]).expect_err("all shared");
        assert!(learn.to_string().contains("1 visit"), "{learn}");
        for test in [&[("9", "a")][..], &[("9", "x y")], &[]] {
            let error = run(&TRAIN, test).expect_err("no position");
            assert!(
                matches!(error, RecommendError::NothingToMeasure { .. }),
                "{error}"
            );
        }
        assert!(run(&[], &[("9", "a b")]).is_err());
    }
}
