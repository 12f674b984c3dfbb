//! The item table: what a page needs to know of a shop's items to recommend them, in a few bytes each.
//!
//! For each item what comes with it or after it (a share, in eight bits), its popularity (likewise),
//! price and category. Fifty thousand items with sixteen neighbours each are some five megabytes before
//! compression, and what was seen is looked up, not searched for: a moment's candidates cost one pass
//! over the items. No visit can be told from it.
//!
//! `table_learn` makes it of visits, `table_file` writes and reads it.

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
        let mut scores = self.scores(seen);
        for id in hidden {
            let item = self.number(id).and_then(|n| scores.get_mut(n as usize));
            if let Some(score) = item {
                *score = f32::NEG_INFINITY;
            }
        }
        best(&scores, most)
    }

    pub(super) fn scores<'a>(&self, seen: impl DoubleEndedIterator<Item = &'a str>) -> Vec<f32> {
        let Weights { popular, fading } = self.weights.unwrap_or(WEIGHTS);
        let squared = self.weights.is_some();
        let shares = self.popularity.iter();
        let mut scores: Vec<f32> = shares
            .map(|share| {
                let share = f32::from(*share) / 255.0;
                popular * if squared { share * share } else { share }
            })
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
            weight *= fading;
        }
        scores
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

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::recommend::log::{Log, Owner, RawVisit};
    use crate::recommend::{ItemFacts, Recipe};

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
