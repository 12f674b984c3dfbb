//! Every method on trial in a log of what was shown by lot.

use std::collections::{BTreeMap, BTreeSet};

use propense_events::Event;
use serde::Serialize;

use super::choose::{Method, Recommender};
use super::error::RecommendError;
use super::log::{Owner, RawVisit};
use super::off_policy::{Estimate, PolicyValue, ShownLog, off_policy};
use super::past::Past;
use super::policy::{ItemFacts, Policy};
use super::shop::Shop;
use super::showcase::Lister;

/// What the methods would have earned in the log, and what was shown did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Judgement {
    /// Lists of the log that were used.
    pub lists: usize,
    /// Visits that they were shown to.
    pub visits: usize,
    /// Lists left out for an unusable probability.
    pub left_out: usize,
    /// Visits before the log, which the methods learnt from.
    pub train_visits: usize,
    /// Lists whose visit `events` know nothing of: what was seen before is not known.
    pub unknown_visits: usize,
    /// What the lists that were shown earned, each.
    pub shown: Estimate,
    /// What each method would have earned, the best first.
    pub methods: Vec<(Method, PolicyValue)>,
    /// What speaks against reading the figures at all.
    pub warnings: Vec<String>,
}

/// What is known of a shop, and its rules.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// All events, those of the log's visits among them.
    pub events: &'a [Event],
    /// The visits in them, by start.
    pub visits: &'a [RawVisit],
    /// What is known of the items besides.
    pub catalogue: &'a BTreeMap<String, ItemFacts>,
    /// The rules of a list.
    pub policy: &'a Policy,
    /// Whether what a visit has seen is listed again.
    pub seen_too: bool,
    /// A pause longer than this ends a visit, in milliseconds.
    pub gap_ms: i64,
}

/// Lets every method make the list of each moment of the log, with as many places as were shown, from what
/// the visit had seen by then; learnt from the visits that had ended before the log begins.
///
/// # Errors
/// Where no line of the log can be used, or nothing lies before it to learn from.
pub fn judge(
    log: &ShownLog,
    case: &Case<'_>,
    seed: u64,
    progress: &mut dyn FnMut(&str),
) -> Result<Judgement, RecommendError> {
    let Some(begin) = log.begin() else {
        return Err(RecommendError::NothingUsable { lines: log.lines });
    };
    let shown: BTreeSet<&str> = log.moments.iter().map(|m| m.visit.as_str()).collect();
    let before = |visit: &&RawVisit| {
        let last = visit
            .clicks
            .iter()
            .map(|(_, at)| *at)
            .max()
            .unwrap_or(begin);
        let goes_on = match &visit.owner {
            Owner::Named(id) | Owner::Visitor(id) => shown.contains(id.as_str()),
            Owner::Nobody => false,
        };
        last < begin && !(goes_on && last.saturating_add(case.gap_ms) >= begin)
    };
    let learnt: Vec<RawVisit> = case.visits.iter().filter(before).cloned().collect();
    if learnt.is_empty() {
        return Err(RecommendError::NothingBefore);
    }
    let past = Past::new(case.events, case.gap_ms);
    let situations: Vec<Vec<Event>> = log
        .moments
        .iter()
        .map(|moment| past.before(&moment.visit, moment.at))
        .collect();
    let mut methods = Vec::new();
    for method in Method::ALL {
        progress(&format!("judging {method} by what was shown"));
        let recommender = Recommender::fit(method, &learnt, seed, progress)?;
        let shop = Shop::new(recommender.items(), case.events, case.catalogue);
        let mut lister = Lister::new(&recommender, &shop, case.policy, case.seen_too);
        let lists: Vec<Vec<String>> = log
            .moments
            .iter()
            .zip(&situations)
            .map(|(moment, events)| {
                let list = lister.list_of(moment.shown.len(), events).into_iter();
                list.map(|pick| pick.item_id).collect()
            })
            .collect();
        methods.push((method, off_policy(log, &lists)));
    }
    methods.sort_by(|a, b| b.1.doubly_robust.value.total_cmp(&a.1.doubly_robust.value));
    Ok(Judgement {
        lists: log.moments.len(),
        visits: shown.len(),
        left_out: log.left_out,
        train_visits: learnt.len(),
        unknown_visits: situations.iter().filter(|events| events.is_empty()).count(),
        shown: log.earned(),
        methods,
        warnings: log.warnings(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recommend::log::{Source, visits};
    use crate::recommend::off_policy::Shown;
    use propense_events::{EventKind, Item};
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha12Rng;

    fn view(session: &str, at: i64, item: u32) -> Event {
        let mut event = Event::new(EventKind::ViewItem, at);
        event.session_id = Some(session.to_owned());
        event.items.push(Item {
            item_id: format!("i{item}"),
            ..Item::default()
        });
        event
    }

    /// Visits that go from an even item to the next one; then a log in which one of ten items is shown by
    /// lot to visits of which one click is known, who take the one that comes next.
    fn case() -> (Vec<Event>, Vec<Shown>) {
        let mut random = ChaCha12Rng::seed_from_u64(5);
        let mut lot = |below: u32| random.random_range(0..below);
        let mut events = Vec::new();
        for n in 0..400_u32 {
            let item = 2 * lot(5);
            let begin = i64::from(n) * 1000;
            events.push(view(&format!("t{n}"), begin, item));
            events.push(view(&format!("t{n}"), begin + 1, item + 1));
        }
        let mut lines = Vec::new();
        for n in 0..2000_u32 {
            let (item, shown) = (2 * lot(5), lot(10));
            let begin = 1_000_000 + i64::from(n) * 1000;
            events.push(view(&format!("l{n}"), begin, item));
            lines.push(Shown {
                visit: format!("l{n}"),
                at: begin + 1,
                item_id: format!("i{shown}"),
                propensity: Some(0.1),
                reward: f64::from(u8::from(shown == item + 1)),
            });
        }
        (events, lines)
    }

    fn judged(events: &[Event], lines: Vec<Shown>) -> Result<Judgement, RecommendError> {
        let gap_ms = 1_800_000;
        let visits = visits(events.to_vec(), Source::Views, gap_ms);
        let case = Case {
            events,
            visits: &visits,
            catalogue: &BTreeMap::new(),
            policy: &Policy::default(),
            seen_too: false,
            gap_ms,
        };
        judge(&ShownLog::new(lines), &case, 1, &mut |_| {})
    }

    #[test]
    fn what_follows_from_what_was_seen_is_worth_more_than_what_is_popular() {
        let (events, lines) = case();
        let found = judged(&events, lines).expect("judged");
        assert_eq!(
            (found.lists, found.train_visits, found.unknown_visits),
            (2000, 400, 0)
        );
        let of = |wanted| {
            let found = found.methods.iter().find(|(method, _)| *method == wanted);
            &found.expect("judged").1
        };
        let neighbours = of(Method::ItemKnn);
        // It lists what is taken each time; by lot that is shown one time in ten.
        for estimate in [
            neighbours.ips,
            neighbours.self_normalised,
            neighbours.doubly_robust,
        ] {
            let (low, high) = estimate.interval;
            assert!(low <= 1.0 && 1.0 <= high && low > 0.8, "{neighbours:?}");
        }
        assert!(neighbours.effective_sample > 150.0 && neighbours.warnings.is_empty());
        assert!(of(Method::Popularity).doubly_robust.interval.1 < 0.5);
        assert!(found.shown.interval.0 < 0.1 && 0.1 < found.shown.interval.1);
        assert!(neighbours.ahead.interval.0 > 0.7);
    }

    #[test]
    fn nothing_is_judged_by_what_it_has_learnt_from() {
        let (events, mut lines) = case();
        for line in &mut lines {
            line.at = -1;
        }
        assert_eq!(
            judged(&events, lines.clone()),
            Err(RecommendError::NothingBefore)
        );
        for line in &mut lines {
            line.propensity = Some(0.0);
        }
        assert_eq!(
            judged(&events, lines),
            Err(RecommendError::NothingUsable { lines: 2000 })
        );
    }
}
