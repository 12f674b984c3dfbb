//! The item table: what a page needs to know of a shop's items to recommend them, in a few bytes each.
//!
//! For each item what comes with it or after it (a share, in eight bits), its popularity (likewise),
//! price and category. Fifty thousand items with sixteen neighbours each are some five megabytes before
//! compression. What was seen is looked up, not searched for, and what is popular stands in order: a
//! moment's candidates cost the same in a small shop and in a large one. No visit can be told from it.
//!
//! `table_learn` makes it of visits, `table_file` writes and reads it.

use std::collections::BTreeMap;

/// Newest items seen whose neighbours are asked.
const RECENT: usize = 12;
/// The weights of a table that names none.
const WEIGHTS: Weights = Weights {
    popular: 1e-4,
    fading: 0.513_417_1,
};

/// What the parts of a score count.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Weights {
    /// The most popular item's score where nothing speaks for it.
    pub(super) popular: f32,
    /// What an earlier item seen counts beside the one after it.
    pub(super) fading: f32,
}

/// Items with their neighbours, numbered in the order of their identifiers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ItemTable {
    /// All identifiers, each ended by a line feed.
    pub(super) ids: String,
    /// Where each begins, and the end.
    pub(super) starts: Vec<u32>,
    /// On a scale to 255: the square root of the share of the most popular item's clicks, or, in a table
    /// without weights, ln(1 + clicks).
    pub(super) popularity: Vec<u8>,
    /// NaN where it is not known.
    pub(super) prices: Vec<f32>,
    /// Number in `categories`, from 1; 0 where it is not known.
    pub(super) category: Vec<u16>,
    pub(super) categories: Vec<String>,
    /// By item, where its neighbours begin; and the end.
    pub(super) offsets: Vec<u32>,
    pub(super) neighbours: Vec<u32>,
    /// The square root of each neighbour's strength on a scale to 255.
    pub(super) strengths: Vec<u8>,
    /// None in the first version of the file.
    pub(super) weights: Option<Weights>,
    /// All items in the order of their scores where nothing was seen; see [`ItemTable::ranked`].
    pub(super) popular: Vec<u32>,
}

impl ItemTable {
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
        let mut near: BTreeMap<u32, f32> = BTreeMap::new();
        self.visit_near(seen, |item, strength| {
            if let Some(share) = self.popularity.get(item as usize) {
                *near.entry(item).or_insert_with(|| self.own(*share)) += strength;
            }
        });
        for item in hidden.into_iter().filter_map(|id| self.number(id)) {
            near.insert(item, f32::NEG_INFINITY);
        }
        let mut best = Best::new(most);
        // Of all others none can be in the list but those that are the first without what was seen.
        let others = self.popular.iter().filter(|item| !near.contains_key(item));
        for item in others.take(most) {
            let share = self.popularity.get(*item as usize);
            best.offer(
                *item,
                share.map_or(f32::NEG_INFINITY, |share| self.own(*share)),
            );
        }
        for (item, score) in &near {
            best.offer(*item, *score);
        }
        best.list
    }

    /// Of all items, by number, what [`Self::candidates`] says of the best.
    pub(super) fn scores<'a>(&self, seen: impl DoubleEndedIterator<Item = &'a str>) -> Vec<f32> {
        let shares = self.popularity.iter();
        let mut scores: Vec<f32> = shares.map(|share| self.own(*share)).collect();
        self.visit_near(seen, |item, strength| {
            if let Some(score) = scores.get_mut(item as usize) {
                *score += strength;
            }
        });
        scores
    }

    /// The score of an item of this popularity for which nothing else speaks.
    fn own(&self, share: u8) -> f32 {
        let Weights { popular, .. } = self.weights.unwrap_or(WEIGHTS);
        let share = f32::from(share) / 255.0;
        popular
            * if self.weights.is_some() {
                share * share
            } else {
                share
            }
    }

    /// Names the neighbours of what was seen, each with what it adds to the item's score.
    fn visit_near<'a>(
        &self,
        seen: impl DoubleEndedIterator<Item = &'a str>,
        mut add: impl FnMut(u32, f32),
    ) {
        let Weights { fading, .. } = self.weights.unwrap_or(WEIGHTS);
        let mut weight = 1.0;
        for id in seen.rev().take(RECENT) {
            let Some(item) = self.number(id) else {
                continue;
            };
            for (other, strength) in self.near(item) {
                add(other, weight * strength);
            }
            weight *= fading;
        }
    }

    /// With the items put in order: those of the highest [`Self::own`] first, of equals the lower number.
    pub(super) fn ranked(mut self) -> Self {
        // A counting sort, since there are no more scores than shares; shares may have one score.
        let mut place = [0_usize; 256];
        for share in 0..255 {
            let rises = self.own(share) < self.own(share + 1);
            place[usize::from(share)] = usize::from(rises);
        }
        let mut rank = 0;
        for each in place.iter_mut().rev() {
            rank += *each;
            *each = rank;
        }
        let mut starts = [0_usize; 257];
        for share in &self.popularity {
            starts[place[usize::from(*share)] + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut popular = vec![0; self.len()];
        for (item, share) in (0..).zip(&self.popularity) {
            let start = &mut starts[place[usize::from(*share)]];
            popular[*start] = item;
            *start += 1;
        }
        self.popular = popular;
        self
    }

    /// The neighbours of an item, each with its strength.
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
/// A few hundred are put in place sooner than the code of a sort is loaded.
struct Best {
    most: usize,
    list: Vec<(u32, f32)>,
}

impl Best {
    const fn new(most: usize) -> Self {
        Self {
            most,
            list: Vec::new(),
        }
    }

    fn offer(&mut self, item: u32, score: f32) {
        let before = |other: &(u32, f32)| other.1 > score || (other.1 == score && other.0 < item);
        let full = self.list.len() >= self.most;
        if score == f32::NEG_INFINITY || (full && self.list.last().is_none_or(before)) {
            return;
        }
        let place = self.list.partition_point(before);
        self.list.insert(place, (item, score));
        self.list.truncate(self.most);
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::recommend::log::Log;
    use crate::recommend::log::tests::visit;
    use crate::recommend::{ItemFacts, Recipe};

    pub(in crate::recommend) fn table() -> ItemTable {
        let visits = ["a b", "a b c", "b a", "c d", "d e d", "a", "a"].map(visit);
        let tea = ItemFacts {
            category: Some("Tea".into()),
            price: Some(2.5),
            ..ItemFacts::default()
        };
        let known = [("a", &tea), ("new", &tea)];
        ItemTable::learn(&Log::new(&visits), known, &Recipe::usual(false))
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

    /// Many items with many equal scores, and neighbours among popular and unpopular ones.
    fn crowd(count: u32, neighbours: impl Fn(u32) -> u32, weights: Option<Weights>) -> ItemTable {
        let mixed = |n: u32| n.wrapping_mul(2_654_435_761) >> 8;
        let mut table = ItemTable {
            starts: vec![0],
            offsets: vec![0],
            popularity: (0..count).map(|n| (mixed(n) % 9 * 31) as u8).collect(),
            prices: vec![1.0; count as usize],
            category: vec![0; count as usize],
            weights,
            ..ItemTable::default()
        };
        for n in 0..count {
            table.ids.push_str(&format!("i{n:06}\n"));
            table.starts.push(table.ids.len() as u32);
            for place in 0..neighbours(n) {
                table.neighbours.push(mixed(n * 41 + place) % count);
                table.strengths.push((place % 4 * 60) as u8);
            }
            table.offsets.push(table.neighbours.len() as u32);
        }
        table.ranked()
    }

    #[test]
    fn a_million_items_are_not_searched() {
        for count in [1000, 50_000, 200_000, 1_000_000] {
            let weights = Weights {
                popular: 0.01,
                fading: 0.5,
            };
            let table = crowd(count, |_| 16, Some(weights));
            let seen: Vec<String> = (0..12).map(|n| format!("i{:06}", n * 77)).collect();
            let mut taken: Vec<std::time::Duration> = (0..51)
                .map(|_| {
                    let start = std::time::Instant::now();
                    let found = table.candidates(seen.iter().map(String::as_str), [], 128);
                    assert_eq!(found.len(), 128);
                    start.elapsed()
                })
                .collect();
            taken.sort_unstable();
            println!("{count} items: candidates in {:?}", taken[25]);
            // A look at each of a million takes longer.
            assert!(taken[25].as_micros() < 1000, "{taken:?}");
        }
    }

    #[test]
    fn the_best_are_those_of_a_sort_of_all() {
        let seen = [
            "i000001", "i000039", "nobody", "i000238", "i000599", "i000039",
        ];
        let hidden: Vec<String> = (0..300).map(|n| format!("i{:06}", n * 2)).collect();
        let weights = |popular, fading| Some(Weights { popular, fading });
        // The last: scores so small that different popularities have the same.
        for weights in [
            None,
            weights(0.01, 0.5),
            weights(1.0, 0.9),
            weights(0.0, 0.2),
            weights(1e-44, 0.5),
        ] {
            let table = crowd(600, |n| n % 40, weights);
            for (seen, hidden) in [
                (&seen[..], &hidden[..0]),
                (&seen, &hidden[..40]),
                (&seen, &hidden),
                (&[], &hidden[..1]),
                (&["nobody"], &[]),
            ] {
                let mut scores = table.scores(seen.iter().copied());
                for id in hidden {
                    let item = table.number(id).expect("an item");
                    scores[item as usize] = f32::NEG_INFINITY;
                }
                for most in [0, 1, 7, 128, 900] {
                    let hidden = hidden.iter().map(String::as_str);
                    let found = table.candidates(seen.iter().copied(), hidden, most);
                    let numbers: Vec<u32> = found.iter().map(|(item, _)| *item).collect();
                    assert_eq!(numbers, crate::recommend::top(&scores, most), "{most}");
                    for (item, score) in found {
                        assert_eq!(score.to_bits(), scores[item as usize].to_bits());
                    }
                }
            }
        }
    }
}
