//! The item table: what a page needs to know of a shop's items to recommend them, in a few bytes each.
//!
//! For each item its nearest neighbours (the regularised cosine of being in one visit, in eight
//! bits), its popularity (likewise), price and category. Fifty thousand items with sixteen neighbours
//! each are some five megabytes before compression, and what was seen is looked up, not searched for: a
//! moment's candidates cost one pass over the items. No visit can be told from it.
//!
//! The file is a safetensors file; `docs/recommendation.md` lists the tensors.

use std::collections::{BTreeMap, HashMap};

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use super::error::RecommendError;
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
/// The version of the layout, under this key of the metadata.
const KEY: &str = "propense-items";
const VERSION: &str = "1";

/// Items with their neighbours, numbered in the order of their identifiers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ItemTable {
    /// All identifiers, each ended by a line feed.
    ids: String,
    /// Where each begins, and the end.
    starts: Vec<u32>,
    /// ln(1 + clicks) on a scale to 255.
    popularity: Vec<u8>,
    /// NaN where it is not known.
    prices: Vec<f32>,
    /// Number in `categories`, from 1; 0 where it is not known.
    category: Vec<u16>,
    categories: Vec<String>,
    /// By item, where its neighbours begin; and the end.
    offsets: Vec<u32>,
    neighbours: Vec<u32>,
    /// The square root of each neighbour's cosine on a scale to 255.
    strengths: Vec<u8>,
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

    /// The table as a file: the same table gives the same bytes.
    ///
    /// # Errors
    /// Should the library refuse to write it.
    pub fn to_bytes(&self) -> Result<Vec<u8>, RecommendError> {
        let numbers =
            |numbers: &[u32]| -> Vec<u8> { numbers.iter().flat_map(|n| n.to_le_bytes()).collect() };
        let mut categories = String::new();
        for name in &self.categories {
            categories.push_str(&name.replace('\n', " "));
            categories.push('\n');
        }
        let prices = self.prices.iter().flat_map(|price| price.to_le_bytes());
        let category = self.category.iter().flat_map(|n| n.to_le_bytes());
        let tensors = [
            ("ids", Dtype::U8, self.ids.clone().into_bytes()),
            ("popularity", Dtype::U8, self.popularity.clone()),
            ("prices", Dtype::F32, prices.collect()),
            ("category", Dtype::U16, category.collect()),
            ("categories", Dtype::U8, categories.into_bytes()),
            ("offsets", Dtype::U32, numbers(&self.offsets)),
            ("neighbours", Dtype::U32, numbers(&self.neighbours)),
            ("strengths", Dtype::U8, self.strengths.clone()),
        ];
        let mut views = Vec::new();
        for (name, kind, bytes) in &tensors {
            let count = bytes.len() / (kind.bitsize() / 8);
            let view = TensorView::new(*kind, vec![count], bytes).map_err(unsound)?;
            views.push((*name, view));
        }
        let metadata = HashMap::from([(KEY.to_owned(), VERSION.to_owned())]);
        safetensors::serialize(views, Some(metadata)).map_err(unsound)
    }

    /// Reads a table. The bytes come from outside: all that the other methods rely on is checked.
    ///
    /// # Errors
    /// Where the bytes are no item table.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RecommendError> {
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(unsound)?;
        let version = metadata.metadata().as_ref().and_then(|map| map.get(KEY));
        if version.map(String::as_str) != Some(VERSION) {
            return Err(unsound("it has another version, or none"));
        }
        let tensors = SafeTensors::deserialize(bytes).map_err(unsound)?;
        let of = |name: &str, kind: Dtype| {
            let tensor = tensors.tensor(name).map_err(unsound)?;
            match tensor.dtype() == kind {
                true => Ok(tensor.data()),
                false => Err(unsound(format!("`{name}` is no {kind:?}"))),
            }
        };
        let numbers = |name: &str| -> Result<Vec<u32>, RecommendError> {
            let (chunks, _) = of(name, Dtype::U32)?.as_chunks();
            Ok(chunks.iter().map(|b| u32::from_le_bytes(*b)).collect())
        };
        let text = |name: &str| {
            let bytes = of(name, Dtype::U8)?.to_vec();
            String::from_utf8(bytes).map_err(unsound)
        };
        let ids = text("ids")?;
        let mut starts = vec![0];
        starts.extend(ids.match_indices('\n').map(|(end, _)| end as u32 + 1));
        let table = Self {
            starts,
            ids,
            popularity: of("popularity", Dtype::U8)?.to_vec(),
            prices: {
                let (chunks, _) = of("prices", Dtype::F32)?.as_chunks();
                chunks.iter().map(|b| f32::from_le_bytes(*b)).collect()
            },
            category: {
                let (chunks, _) = of("category", Dtype::U16)?.as_chunks();
                chunks.iter().map(|b| u16::from_le_bytes(*b)).collect()
            },
            categories: text("categories")?.lines().map(str::to_owned).collect(),
            offsets: numbers("offsets")?,
            neighbours: numbers("neighbours")?,
            strengths: of("strengths", Dtype::U8)?.to_vec(),
        };
        table.check()?;
        Ok(table)
    }

    fn check(&self) -> Result<(), RecommendError> {
        let count = self.popularity.len();
        let ends = self.starts.last().map(|end| *end as usize);
        let lengths = [
            self.starts.len() - 1,
            self.prices.len(),
            self.category.len(),
        ];
        if ends != Some(self.ids.len()) || lengths != [count; 3] {
            return Err(unsound("its parts differ in length"));
        }
        let near = self.neighbours.len();
        if self.offsets.len() != count + 1
            || self.offsets.first() != Some(&0)
            || self.offsets.last().map(|end| *end as usize) != Some(near)
            || self.offsets.windows(2).any(|pair| pair[0] > pair[1])
            || self.strengths.len() != near
            || self.neighbours.iter().any(|other| *other as usize >= count)
        {
            return Err(unsound("its neighbours are not of its items"));
        }
        let mut last = None;
        for id in self.ids.lines() {
            if last.is_some_and(|last| last >= id) {
                return Err(unsound("its identifiers do not rise"));
            }
            last = Some(id);
        }
        Ok(())
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

fn unsound(detail: impl ToString) -> RecommendError {
    RecommendError::Table {
        detail: detail.to_string(),
    }
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
mod tests {
    use super::*;
    use crate::recommend::log::Owner;

    fn visit(items: &str) -> RawVisit {
        let clicks = items.split_whitespace().map(|item| (item.to_owned(), 0));
        RawVisit {
            owner: Owner::Nobody,
            clicks: clicks.collect(),
        }
    }

    fn table() -> ItemTable {
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

    #[test]
    fn a_table_is_read_as_it_was_written_and_others_are_refused() {
        let table = table();
        let bytes = table.to_bytes().expect("writable");
        let read = ItemTable::from_bytes(&bytes).expect("readable");
        assert_eq!(read.to_bytes(), Ok(bytes.clone()));
        assert_eq!((read.len(), read.number("new")), (6, Some(5)));
        assert_eq!((read.price(0), read.category(0)), (Some(2.5), Some("Tea")));
        assert_eq!(
            (read.price(1), read.category(1), read.id(6)),
            (None, None, None)
        );
        for end in 0..bytes.len() {
            assert!(ItemTable::from_bytes(&bytes[..end]).is_err(), "{end}");
        }
        // Any one byte may be another: never a panic, here or in use.
        for place in 0..bytes.len() {
            let mut other = bytes.clone();
            other[place] ^= 0x55;
            if let Ok(table) = ItemTable::from_bytes(&other) {
                let _ = table.candidates(["a", "b"].into_iter(), ["c"], 9);
                let _ = (0..9).map(|item| table.category(item)).count();
            }
        }
        let check = |change: fn(&mut ItemTable)| {
            let mut table = self::table();
            change(&mut table);
            let bytes = table.to_bytes().expect("writable");
            ItemTable::from_bytes(&bytes).expect_err("unsound");
        };
        check(|t| t.offsets[1] = 99);
        check(|t| t.neighbours[0] = 6);
        check(|t| t.prices.truncate(2));
        check(|t| t.ids.push('x'));
        check(|t| t.offsets.clear());
    }
}
