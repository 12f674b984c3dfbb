//! The item table: what a page needs to know of a shop's items to recommend them, in a few bytes each.
//!
//! For each item its nearest neighbours (the regularised cosine of being in one visit, in eight
//! bits), its popularity (likewise), price and category. Fifty thousand items with sixteen neighbours
//! each are some five megabytes before compression, and what was seen is looked up, not searched for: a
//! moment's candidates cost one pass over the items. No visit can be told from it.
//!
//! `table_file` writes and reads it.

use std::collections::{BTreeMap, HashMap};

use super::index::{VisitIndex, distinct};
use super::log::{Click, Items, Log, RawVisit, number};
use super::measure::{Figures, Ranker, Trial};
use super::policy::ItemFacts;

/// Neighbours kept of an item.
const NEIGHBOURS: usize = 16;
/// Against rare items that were together by chance.
const REGULARISATION: f32 = 20.0;
/// Newest items seen whose neighbours are asked.
const RECENT: usize = 12;
/// What an earlier item counts beside the one after it: e^(−1 / 1.5), as in the counts of the blend.
const FADING: f32 = 0.513_417_1;
/// The most popular item's score where nothing speaks for it: less than any neighbour's of late.
const POPULAR: f32 = 1e-4;
/// Items with their neighbours, numbered in the order of their identifiers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ItemTable {
    /// All identifiers, each ended by a line feed.
    pub(super) ids: String,
    /// Where each begins, and the end.
    pub(super) starts: Vec<u32>,
    /// ln(1 + clicks) on a scale to 255.
    pub(super) popularity: Vec<u8>,
    /// NaN where it is not known.
    pub(super) prices: Vec<f32>,
    /// Number in `categories`, from 1; 0 where it is not known.
    pub(super) category: Vec<u16>,
    pub(super) categories: Vec<String>,
    /// By item, where its neighbours begin; and the end.
    pub(super) offsets: Vec<u32>,
    pub(super) neighbours: Vec<u32>,
    /// The square root of each neighbour's cosine on a scale to 255.
    pub(super) strengths: Vec<u8>,
}

impl ItemTable {
    /// The table of these visits and of what is known of the items; some of those may have no visit.
    #[must_use]
    pub fn learn<'a>(log: &Log, known: impl IntoIterator<Item = (&'a str, &'a ItemFacts)>) -> Self {
        let mut items: BTreeMap<&str, Option<&ItemFacts>> = BTreeMap::new();
        for id in log.items.ids() {
            items.insert(id, None);
        }
        for (id, facts) in known {
            items.insert(id, Some(facts));
        }
        items.retain(|id, _| !id.contains('\n'));
        let number: HashMap<&str, u32> = items.keys().copied().zip(0..).collect();
        let index = VisitIndex::new(log);
        let clicks = log.items.clicks();
        let most = clicks.iter().copied().max().unwrap_or(0);
        let mut counts = vec![0.0_f32; log.items.len()];
        let mut table = Self {
            starts: vec![0],
            offsets: vec![0],
            ..Self::default()
        };
        let mut categories: BTreeMap<&str, u16> = BTreeMap::new();
        for (id, facts) in &items {
            table.ids.push_str(id);
            table.ids.push('\n');
            table.starts.push(table.ids.len() as u32);
            let own = log.items.number(id);
            let clicked = own.and_then(|own| clicks.get(own as usize)).copied();
            let share = (clicked.unwrap_or(0) as f32).ln_1p() / (most as f32).ln_1p().max(1e-9);
            table.popularity.push((share * 255.0).round() as u8);
            let price = facts.and_then(|facts| facts.price);
            table
                .prices
                .push(price.map_or(f32::NAN, |price| price as f32));
            let category = facts.and_then(|facts| facts.category.as_deref());
            table.category.push(category.map_or(0, |name| {
                let next = u16::try_from(categories.len() + 1).unwrap_or(0);
                let known = *categories.entry(name).or_insert(next);
                if known == next && next > 0 && table.categories.len() < usize::from(next) {
                    table.categories.push(name.to_owned());
                }
                known
            }));
            if let Some(own) = own {
                for (strength, other) in nearest(&index, own, &mut counts) {
                    let id = log.items.id(other).unwrap_or_default();
                    if let Some(other) = number.get(id) {
                        table.neighbours.push(*other);
                        table
                            .strengths
                            .push((strength.sqrt() * 255.0).round() as u8);
                    }
                }
            }
            table.offsets.push(table.neighbours.len() as u32);
        }
        table
    }

    /// How good the table is at telling the next click, on the latest sixth of these visits, learnt from
    /// all before; for beside the figures of [`choose`](super::choose).
    #[must_use]
    pub fn trial(visits: &[RawVisit], k: usize, seed: u64) -> Figures {
        let (before, latest) = visits.split_at(visits.len() - visits.len() / 6);
        let log = Log::new(before);
        let table = Self::learn(&log, []);
        let tested = number(latest, &log.items);
        let mut ranker = TableRanker {
            table: &table,
            items: &log.items,
        };
        Trial::run(&mut ranker, &tested, &log.items, k).figures(400, seed)
    }

    /// How many items there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.popularity.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.popularity.is_empty()
    }

    /// The identifier of an item.
    #[must_use]
    pub fn id(&self, item: u32) -> Option<&str> {
        let at = |place: usize| self.starts.get(place).map(|start| *start as usize);
        let (start, end) = (at(item as usize)?, at(item as usize + 1)?);
        self.ids.get(start..end.checked_sub(1)?)
    }

    /// The number of the item with this identifier.
    #[must_use]
    pub fn number(&self, id: &str) -> Option<u32> {
        let (mut low, mut high) = (0, self.len() as u32);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.id(middle)?.cmp(id) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return Some(middle),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    /// The price of an item, where it is known.
    #[must_use]
    pub fn price(&self, item: u32) -> Option<f64> {
        let price = self.prices.get(item as usize)?;
        price.is_finite().then(|| f64::from(*price))
    }

    /// The category of an item, where it is known.
    #[must_use]
    pub fn category(&self, item: u32) -> Option<&str> {
        let number = usize::from(*self.category.get(item as usize)?);
        self.categories
            .get(number.checked_sub(1)?)
            .map(String::as_str)
    }

    /// The most promising items for a visit that has seen `seen` (each once, the newest last), the best first, each
    /// with its score: the sum of its nearness to what was seen, the newest weighing most, with
    /// popularity as the last resort. Without those that `hidden` names.
    #[must_use]
    pub fn candidates<'a>(
        &self,
        seen: impl DoubleEndedIterator<Item = &'a str>,
        hidden: impl IntoIterator<Item = &'a str>,
        most: usize,
    ) -> Vec<(u32, f32)> {
        let mut scores = self.scores(seen);
        for id in hidden {
            let item = self.number(id).and_then(|n| scores.get_mut(n as usize));
            if let Some(score) = item {
                *score = f32::NEG_INFINITY;
            }
        }
        best(&scores, most)
    }

    fn scores<'a>(&self, seen: impl DoubleEndedIterator<Item = &'a str>) -> Vec<f32> {
        let popular = self.popularity.iter();
        let mut scores: Vec<f32> = popular
            .map(|share| f32::from(*share) * (POPULAR / 255.0))
            .collect();
        let mut weight = 1.0;
        for id in seen.rev().take(RECENT) {
            let Some(item) = self.number(id) else {
                continue;
            };
            for (other, strength) in self.near(item) {
                if let Some(score) = scores.get_mut(other as usize) {
                    *score += weight * strength;
                }
            }
            weight *= FADING;
        }
        scores
    }

    /// The neighbours of an item, each with its cosine.
    fn near(&self, item: u32) -> impl Iterator<Item = (u32, f32)> {
        let at = |place: usize| self.offsets.get(place).copied().unwrap_or(0) as usize;
        let range = at(item as usize)..at(item as usize + 1);
        let others = self.neighbours.get(range.clone()).unwrap_or_default();
        let strengths = self.strengths.get(range).unwrap_or_default();
        others.iter().zip(strengths).map(|(other, strength)| {
            let root = f32::from(*strength) / 255.0;
            (*other, root * root)
        })
    }
}

/// The `most` highest scores, the best first; of equals the lower number first. Without `-inf`.
///
/// All items are looked at once; few of them get into the list, so that no sort of all is needed, nor the
/// code of one.
fn best(scores: &[f32], most: usize) -> Vec<(u32, f32)> {
    let mut list: Vec<(u32, f32)> = Vec::new();
    for (item, score) in (0..).zip(scores.iter().copied()) {
        let last = match list.last() {
            Some((_, last)) if list.len() >= most => *last,
            _ => f32::NEG_INFINITY,
        };
        if score > last {
            let place = list.partition_point(|(_, other)| *other >= score);
            list.insert(place, (item, score));
            list.truncate(most);
        }
    }
    list
}

/// The items most often in one visit with this one, with their cosine, the nearest first. `counts` has a
/// zero for each item, and is left so.
fn nearest(index: &VisitIndex, own: u32, counts: &mut [f32]) -> Vec<(f32, u32)> {
    let visits = index.visits_of(own);
    let mut met = Vec::new();
    for visit in visits {
        for other in index.items(*visit) {
            if other.item != own
                && let Some(count) = counts.get_mut(other.item as usize)
            {
                if *count == 0.0 {
                    met.push(other.item);
                }
                *count += 1.0;
            }
        }
    }
    let mut found: Vec<(f32, u32)> = Vec::with_capacity(met.len());
    for other in met {
        if let Some(count) = counts.get_mut(other as usize) {
            let theirs = index.visits_of(other).len() as f32;
            let cosine = *count / (visits.len() as f32 * (theirs + REGULARISATION)).sqrt();
            found.push((cosine.min(1.0), other));
            *count = 0.0;
        }
    }
    found.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    found.truncate(NEIGHBOURS);
    found
}

/// The table as a ranker over another numbering of the items.
struct TableRanker<'a> {
    table: &'a ItemTable,
    items: &'a Items,
}

impl Ranker for TableRanker<'_> {
    fn score(&mut self, seen: &[Click], scores: &mut [f32]) {
        let seen = distinct(seen);
        let ids = seen.iter().filter_map(|seen| self.items.id(seen.item));
        let own = self.table.scores(ids.collect::<Vec<_>>().into_iter());
        for (id, score) in self.items.ids().iter().zip(scores) {
            let place = self.table.number(id).map(|number| number as usize);
            *score = place
                .and_then(|place| own.get(place))
                .copied()
                .unwrap_or(0.0);
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::recommend::log::Owner;

    fn visit(items: &str) -> RawVisit {
        let clicks = items.split_whitespace().map(|item| (item.to_owned(), 0));
        RawVisit {
            owner: Owner::Nobody,
            clicks: clicks.collect(),
        }
    }

    pub(in crate::recommend) fn table() -> ItemTable {
        let visits = ["a b", "a b c", "b a", "c d", "d e d", "a", "a"].map(visit);
        let tea = ItemFacts {
            category: Some("Tea".into()),
            price: Some(2.5),
            ..ItemFacts::default()
        };
        let known = [("a", &tea), ("new", &tea)];
        ItemTable::learn(&Log::new(&visits), known)
    }

    fn listed(seen: &[&str], hidden: &[&str], most: usize) -> Vec<String> {
        let table = table();
        let found = table.candidates(seen.iter().copied(), hidden.iter().copied(), most);
        let ids = found.iter().filter_map(|(item, _)| table.id(*item));
        ids.map(str::to_owned).collect()
    }

    #[test]
    fn neighbours_of_what_was_seen_come_first_then_what_is_popular() {
        let check = |seen: &[&str], hidden: &[&str], expected: &[&str]| {
            assert_eq!(listed(seen, hidden, 3), expected, "{seen:?} {hidden:?}");
        };
        check(&[], &[], &["a", "b", "d"]);
        check(&["a"], &[], &["b", "c", "a"]);
        check(&["a"], &["b"], &["c", "a", "d"]);
        check(&["a", "e"], &[], &["d", "b", "c"]);
        check(&["unknown"], &["nobody", "a"], &["b", "d", "c"]);
        assert_eq!(listed(&["a"], &[], 99).len(), 6, "new ones among them");
    }

    #[test]
    fn the_best_are_those_of_a_sort() {
        let scores: Vec<f32> = (0..500u32)
            .map(|n| match n.wrapping_mul(2_654_435_761) >> 24 {
                0..20 => f32::NEG_INFINITY,
                score => score as f32,
            })
            .collect();
        for most in [0, 1, 7, 128, 900] {
            let found: Vec<u32> = best(&scores, most).iter().map(|(item, _)| *item).collect();
            assert_eq!(found, crate::recommend::top(&scores, most), "{most}");
        }
    }
}
