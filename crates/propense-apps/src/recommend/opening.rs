//! What a visitor is shown of whom nothing is known, or nothing but where they come from.

use std::collections::BTreeMap;
use std::fmt;

use propense_events::{Context, Event, Value};
use serde::Serialize;

use super::log::{Items, Log, Owner, RawVisit};
use super::measure::rank;
use super::past::Past;

/// Share of the visits, the latest ones, on which ways are compared: one in so many.
const COMPARED: usize = 6;
/// Places of the list that count in the comparison.
const PLACES: u32 = 10;
/// First clicks of all visitors that those of a context are drawn to.
const DRAWN: f32 = 100.0;
/// A context of more values than this is no kind of visitor.
const KINDS: usize = 50;

/// A way to open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// The most clicked items.
    Popular,
    /// What visits began with, those a sixth of the time earlier counting 1/e.
    First,
    /// The same, times how much more often visits of this context begin with the item than others do.
    Context,
}

impl Way {
    /// All of them, the plainest first.
    pub const ALL: [Self; 3] = [Self::Popular, Self::First, Self::Context];
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Popular => "popularity",
            Self::First => "what visits begin with of late",
            Self::Context => "what visits of their kind begin with of late",
        })
    }
}

/// The beginning of a visit.
#[derive(Debug, Clone, PartialEq)]
pub struct First {
    /// The first item.
    pub item: String,
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// What was known of the visitor by then.
    pub context: Context,
}

/// The beginnings of these visits, with what the events say of each by then.
#[must_use]
pub fn beginnings(visits: &[RawVisit], past: &Past<'_>) -> Vec<First> {
    let first = |visit: &RawVisit| {
        let (item, at) = visit.clicks.first()?.clone();
        let context = match &visit.owner {
            Owner::Named(id) | Owner::Visitor(id) => context(&past.before(id, at + 1)),
            Owner::Nobody => Context::new(),
        };
        Some(First { item, at, context })
    };
    visits.iter().filter_map(first).collect()
}

/// What these events say of their visitor, the latest word counting.
#[must_use]
pub fn context(events: &[Event]) -> Context {
    let mut found = Context::new();
    for event in events {
        let known = event.context.iter();
        found.extend(known.map(|(key, value)| (key.clone(), value.clone())));
    }
    found
}

/// Scores the items for a visit that has not begun.
#[derive(Debug, Clone, PartialEq)]
pub struct Opening {
    /// By item; every one above 0.
    scores: Vec<f32>,
    /// By key and value of the context: first clicks of each item, and of all.
    kinds: BTreeMap<(String, String), (BTreeMap<u32, f32>, f32)>,
    /// First clicks of each item, and of all.
    first: (Vec<f32>, f32),
}

impl Opening {
    /// Learns from the beginnings of the visits that the items are of.
    #[must_use]
    pub fn fit(way: Way, items: &Items, firsts: &[First]) -> Self {
        let most = items.clicks().iter().copied().max().unwrap_or(1).max(1) as f32;
        let popular = items.clicks().iter().map(|clicks| *clicks as f32 / most);
        let mut opening = Self {
            scores: popular.collect(),
            kinds: BTreeMap::new(),
            first: (vec![0.0; items.len()], 0.0),
        };
        if way == Way::Popular {
            return opening;
        }
        let end = firsts.iter().map(|first| first.at).max().unwrap_or(0);
        let begin = firsts.iter().map(|first| first.at).min().unwrap_or(0);
        let age = ((end - begin) as f32 / 6.0).max(1.0);
        // What no visit began with stands last, by popularity.
        opening.scores.iter_mut().for_each(|score| *score *= 1e-3);
        for first in firsts {
            let Some(item) = items.number(&first.item) else {
                continue;
            };
            if let Some(score) = opening.scores.get_mut(item as usize) {
                *score += (-((end - first.at) as f32) / age).exp();
            }
            if way == Way::First {
                continue;
            }
            if let Some(clicks) = opening.first.0.get_mut(item as usize) {
                *clicks += 1.0;
                opening.first.1 += 1.0;
            }
            for (key, value) in &first.context {
                let Some(value) = kind(value) else { continue };
                let (clicks, all) = opening.kinds.entry((key.clone(), value)).or_default();
                *clicks.entry(item).or_default() += 1.0;
                *all += 1.0;
            }
        }
        let mut values: BTreeMap<String, usize> = BTreeMap::new();
        for (key, _) in opening.kinds.keys() {
            *values.entry(key.clone()).or_default() += 1;
        }
        opening
            .kinds
            .retain(|(key, _), _| values.get(key).is_some_and(|count| *count <= KINDS));
        opening
    }

    /// The scores of all items, by number, for a visitor of this context.
    #[must_use]
    pub fn scores(&self, context: &Context) -> Vec<f32> {
        let mut scores = self.scores.clone();
        for (key, value) in context {
            let known = kind(value).and_then(|value| self.kinds.get(&(key.clone(), value)));
            let Some((clicks, all)) = known else { continue };
            for (item, (score, usual)) in (0..).zip(scores.iter_mut().zip(&self.first.0)) {
                let usual = (usual + 1.0) / (self.first.1 + self.first.0.len() as f32);
                let here = clicks.get(&item).copied().unwrap_or(0.0);
                *score *= (here + DRAWN * usual) / (all + DRAWN) / usual;
            }
        }
        scores
    }
}

/// What makes visitors of a kind: no quantity does.
fn kind(value: &Value) -> Option<String> {
    match value {
        Value::Flag(flag) => Some(flag.to_string()),
        Value::Category(name) => Some(name.clone()),
        Value::Number(_) => None,
    }
}

/// What each way was worth on the latest visits, and which was best.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OpeningChoice {
    /// The way with the highest NDCG; of equals the plainest.
    pub way: Way,
    /// NDCG of the first ten for the first click of a visit, by way; empty where there is none to compare on.
    pub ndcg10: Vec<(Way, f64)>,
    /// First clicks that were looked for.
    pub n: usize,
}

/// Compares the ways on the beginnings of the latest sixth of the visits, each learnt from all before.
#[must_use]
pub fn choose_opening(visits: &[RawVisit], firsts: &[First]) -> OpeningChoice {
    let cut = visits.len() - visits.len() / COMPARED;
    let log = Log::new(visits.get(..cut).unwrap_or_default());
    let (before, latest) = firsts.split_at(cut.min(firsts.len()));
    let targets: Vec<(usize, &Context)> = latest
        .iter()
        .filter_map(|first| Some((log.items.number(&first.item)? as usize, &first.context)))
        .collect();
    let mut ndcg10 = Vec::new();
    let mut best = (Way::Popular, f64::NEG_INFINITY);
    for way in Way::ALL {
        if targets.is_empty() {
            break;
        }
        let opening = Opening::fit(way, &log.items, before);
        let plain = opening.scores(&Context::new());
        let gain = |(target, context): &(usize, &Context)| {
            let rank = if way == Way::Context {
                rank(&opening.scores(context), *target)
            } else {
                rank(&plain, *target)
            };
            if rank > PLACES {
                0.0
            } else {
                1.0 / (1.0 + f64::from(rank)).log2()
            }
        };
        let found = targets.iter().map(gain).sum::<f64>() / targets.len() as f64;
        ndcg10.push((way, found));
        if found > best.1 {
            best = (way, found);
        }
    }
    OpeningChoice {
        way: best.0,
        ndcg10,
        n: targets.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use propense_events::{EventKind, Item};

    /// Sessions on a phone or a desktop, each beginning with one item and going on with another.
    fn events(first: impl Fn(usize, bool) -> u32) -> Vec<Event> {
        let mut events = Vec::new();
        for n in 0..600_usize {
            let phone = (n * 7) % 3 == 0;
            for (place, item) in [first(n, phone), 90 + (n % 3) as u32]
                .into_iter()
                .enumerate()
            {
                let mut event = Event::new(EventKind::ViewItem, (n * 1000 + place) as i64);
                event.session_id = Some(format!("s{n}"));
                if place == 0 {
                    let device = if phone { "phone" } else { "desktop" };
                    let value = Value::Category(device.to_owned());
                    event.context.insert("device".to_owned(), value);
                }
                event.items.push(Item {
                    item_id: format!("i{item}"),
                    ..Item::default()
                });
                events.push(event);
            }
        }
        events
    }

    fn check(first: impl Fn(usize, bool) -> u32, way: Way, on_a_phone: &str) {
        use crate::recommend::{Source, top, visits};
        let events = events(first);
        let raw = visits(events.clone(), Source::Views, 1_800_000);
        let firsts = beginnings(&raw, &Past::new(&events, 1_800_000));
        let choice = choose_opening(&raw, &firsts);
        assert_eq!(choice.way, way, "{choice:?}");
        assert_eq!(choice.n, 100);
        let log = Log::new(&raw);
        let scores = Opening::fit(choice.way, &log.items, &firsts).scores(&firsts[0].context);
        let best = top(&scores, 1).first().and_then(|item| log.items.id(*item));
        assert_eq!(best, Some(on_a_phone));
        assert!(scores.iter().all(|score| *score > 0.0));
    }

    #[test]
    fn visits_begin_elsewhere_than_they_go() {
        check(|n, _| [1, 1, 1, 2, 3][n % 5], Way::First, "i1");
    }

    #[test]
    fn a_phone_s_visits_begin_with_another_item() {
        let first = |n: usize, phone: bool| match (phone, n % 4) {
            (true, 0) => 2,
            (true, _) => 1,
            (false, _) => 11 + (n % 9) as u32,
        };
        check(first, Way::Context, "i1");
    }

    #[test]
    fn where_nothing_is_known_what_is_popular_comes_first() {
        let choice = choose_opening(&[], &[]);
        assert_eq!((choice.way, choice.n), (Way::Popular, 0));
        let items = Items::new([("a".to_owned(), 2), ("b".to_owned(), 5)]);
        for way in Way::ALL {
            let scores = Opening::fit(way, &items, &[]).scores(&Context::new());
            assert_eq!(rank(&scores, 0), 1, "{way}");
        }
    }
}
