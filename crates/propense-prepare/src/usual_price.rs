//! What an item usually costs: how a price in cents among prices in euros is told.
//!
//! While the input is staged, [`PriceSamples`] keeps a few prices of each item. Which ones is
//! decided by a hash of the line, not by the order in which lines come, so several threads, or
//! files in another order, give the same samples (a bottom-k sample: E. Cohen and H. Kaplan,
//! "Summarizing data using bottom-k sketches", PODC 2007). [`PriceSamples::resolve`] takes the
//! medians, and keeps those alone that some price contradicts: mostly none at all.

use std::collections::HashMap;
use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use serde::{Deserialize, Serialize};

/// Prices kept of each item. The median of 15 is off by more than the quartiles once in a
/// thousand.
const KEPT: usize = 15;

/// Fewer prices than this say nothing about the usual one.
const ENOUGH: usize = 3;

/// Items kept where nothing else is asked for: some 100 MB.
const ITEMS: usize = 1 << 19;

type Map<V> = HashMap<u64, V, FixedState>;

fn hash(value: impl std::hash::Hash) -> u64 {
    FixedState::default().hash_one(value)
}

/// A sample of the prices of every item, in bounded memory.
///
/// Where there are more items than may be kept, only those are whose hash ends in as many zeros
/// as are needed: a part of the items, the same in whatever order they come.
#[derive(Debug, Clone)]
pub struct PriceSamples {
    items: Map<Samples>,
    most: usize,
    zeros: u32,
}

#[derive(Debug, Clone, Default)]
struct Samples {
    /// The prices of the lowest hashes, sorted.
    prices: Vec<(u32, f32)>,
    highest: f32,
}

impl Default for PriceSamples {
    fn default() -> Self {
        Self::with_most_items(ITEMS)
    }
}

impl PriceSamples {
    /// No prices yet; at most this many items will be kept.
    #[must_use]
    pub fn with_most_items(most: usize) -> Self {
        Self {
            items: Map::default(),
            most: most.max(1),
            zeros: 0,
        }
    }

    /// Adds a price in the shop's currency (a few in others do no harm). `line` is any number
    /// that tells lines apart and does not depend on the order of the files: say a hash of row
    /// and time.
    pub fn add(&mut self, item_id: &str, price: f64, line: u64) {
        let item = hash(item_id);
        if item.trailing_zeros() < self.zeros || !(price.is_finite() && price > 0.0) {
            return;
        }
        let samples = self.items.entry(item).or_default();
        samples.add((hash(line) >> 32) as u32, price as f32);
        self.shrink();
    }

    /// Adds the samples of another part of the input.
    pub fn merge(&mut self, other: Self) {
        self.zeros = self.zeros.max(other.zeros);
        self.retain();
        for (item, theirs) in other.items {
            if item.trailing_zeros() < self.zeros {
                continue;
            }
            let mine = self.items.entry(item).or_default();
            mine.highest = mine.highest.max(theirs.highest);
            for (line, price) in theirs.prices {
                mine.add(line, price);
            }
        }
        self.shrink();
    }

    /// The usual price of each item of which some price is `factor` times that much, or nearly.
    /// An item with too few prices is judged by its price in the catalogue, where it has one.
    pub fn resolve<'a>(
        self,
        factor: f64,
        catalogue: impl IntoIterator<Item = (&'a str, f64)>,
    ) -> UsualPrices {
        let mut listed: Map<f64> = Map::default();
        for (item, price) in catalogue {
            let item = hash(item);
            let few = |samples: &Samples| samples.prices.len() < ENOUGH;
            if price > 0.0 && self.items.get(&item).is_some_and(few) {
                listed.insert(item, price);
            }
        }
        let usual = |(item, samples): (u64, Samples)| {
            let highest = f64::from(samples.highest);
            let usual = samples.median().or_else(|| listed.get(&item).copied())?;
            // Half of it leaves room for any tolerance.
            (highest >= usual * factor / 2.0).then_some((item, usual))
        };
        UsualPrices {
            prices: self.items.into_iter().filter_map(usual).collect(),
        }
    }

    fn shrink(&mut self) {
        while self.items.len() > self.most && self.zeros < u64::BITS {
            self.zeros += 1;
            self.retain();
        }
    }

    fn retain(&mut self) {
        let zeros = self.zeros;
        self.items.retain(|item, _| item.trailing_zeros() >= zeros);
    }
}

impl Samples {
    fn add(&mut self, line: u32, price: f32) {
        self.highest = self.highest.max(price);
        let entry = (line, price);
        let before = |other: &(u32, f32)| (other.0, other.1.to_bits()) < (line, price.to_bits());
        let position = self.prices.partition_point(before);
        // The same line again, from a file that was given twice.
        if position >= KEPT || self.prices.get(position) == Some(&entry) {
            return;
        }
        self.prices.insert(position, entry);
        self.prices.truncate(KEPT);
    }

    /// The lower median: a price that was there.
    fn median(&self) -> Option<f64> {
        let mut prices: Vec<f32> = self.prices.iter().map(|(_, price)| *price).collect();
        prices.sort_unstable_by(f32::total_cmp);
        let middle = prices.len().saturating_sub(1) / 2;
        let median = prices.get(middle).copied()?;
        (prices.len() >= ENOUGH).then_some(f64::from(median))
    }
}

/// The usual prices of the items that need looking at.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct UsualPrices {
    prices: Map<f64>,
}

impl UsualPrices {
    /// Whether no price of any item contradicts the usual one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.prices.is_empty()
    }

    /// The item's usual price, where some price of it is far above.
    #[must_use]
    pub fn get(&self, item_id: &str) -> Option<f64> {
        self.prices.get(&hash(item_id)).copied()
    }

    /// Usual prices that are known already.
    #[must_use]
    pub fn known<'a>(prices: impl IntoIterator<Item = (&'a str, f64)>) -> Self {
        Self {
            prices: prices
                .into_iter()
                .map(|(item, price)| (hash(item), price))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(prices: &[(&str, &[f64])]) -> PriceSamples {
        let mut samples = PriceSamples::default();
        for (item, prices) in prices {
            for (line, price) in prices.iter().enumerate() {
                samples.add(item, *price, line as u64);
            }
        }
        samples
    }

    #[test]
    fn only_items_with_a_contradiction_are_kept() {
        let rows: [(&[f64], Option<f64>); 6] = [
            (&[2.5, 2.5, 2.5], None),
            (&[2.5, 2.5, 250.0], Some(2.5)),
            (&[2.5, 250.0, 2.5, 2.25], Some(2.5)),
            (&[2.5, 250.0], None),
            (&[250.0, 250.0, 2.5], None),
            (&[0.0, -1.0, f64::NAN, f64::INFINITY], None),
        ];
        for (prices, expected) in rows {
            let usual = samples(&[("a", prices)]).resolve(100.0, []);
            assert_eq!(usual.get("a"), expected, "{prices:?}");
            assert_eq!(usual.is_empty(), expected.is_none());
        }
        let usual = samples(&[("a", &[2.5, 250.0])]).resolve(100.0, [("a", 2.5), ("b", 1.0)]);
        assert_eq!(usual.get("a"), Some(2.5));
        assert_eq!(usual.get("b"), None);
    }

    #[test]
    fn the_order_of_the_lines_does_not_matter() {
        let prices: Vec<(String, f64, u64)> = (0..5000u64)
            .map(|line| {
                (
                    format!("item {}", line % 37),
                    (line * 7 % 101 + 1) as f64,
                    line,
                )
            })
            .collect();
        let mut forwards = PriceSamples::with_most_items(10);
        let mut halves = [10, 10].map(PriceSamples::with_most_items);
        for (item, price, line) in &prices {
            forwards.add(item, *price, *line);
        }
        for (item, price, line) in prices.iter().rev() {
            halves[*line as usize % 2].add(item, *price, *line);
        }
        let [mut merged, other] = halves;
        merged.merge(other);
        assert!(!forwards.items.is_empty() && forwards.items.len() <= 10);
        let one = forwards.resolve(1.0, []);
        let other = merged.resolve(1.0, []);
        assert_eq!(one.prices, other.prices);
    }
}
