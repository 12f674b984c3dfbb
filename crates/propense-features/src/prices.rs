//! What an item of a category usually costs.

use std::collections::BTreeMap;

use propense_events::Session;
use serde::{Deserialize, Serialize};

use crate::{FitOptions, amounts::price};

/// How many items' worth of evidence the category above counts for.
const STRENGTH: f64 = 10.0;

/// Separates the levels of a category path.
const LEVEL: char = '/';

/// A ratio beyond these is an error in one of the two prices more often than news.
const MOST_RATIO: f64 = 1000.0;

/// What is known of one item's price.
#[derive(Clone, Copy)]
struct Known<'a> {
    time: i64,
    category: Option<&'a str>,
    price: f64,
}

/// Typical prices by category, in the shop's currency, learnt from training sessions.
///
/// A category's typical price is the median over its items (each at its last known price), drawn
/// towards that of the category above it where it has few: geometrically, since prices spread by
/// factors. With `n` items, median `m` and the typical price `t` above it, `mⁿ t¹⁰` to the power
/// of `1/(n + 10)`. Above the outermost category stands the median of all items.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TypicalPrices {
    /// The median over all items.
    pub overall: f64,
    /// By category path; every level above one that occurs has an entry too.
    pub categories: BTreeMap<String, f64>,
}

impl TypicalPrices {
    /// Learns from the events that may be seen. None where no item has a price above zero.
    pub(crate) fn fit(sessions: &[&Session], options: &FitOptions) -> Option<Self> {
        let mut latest: BTreeMap<&str, Known<'_>> = BTreeMap::new();
        let events = sessions.iter().flat_map(|session| options.visible(session));
        for (event, item) in events.flat_map(|event| event.items.iter().map(move |i| (event, i))) {
            // A gift says nothing about what things cost.
            let Some(price) = price(item).filter(|price| *price > 0.0) else {
                continue;
            };
            let known = Known {
                time: event.timestamp,
                category: item.item_category.as_deref(),
                price,
            };
            let newest = latest.entry(&item.item_id).or_insert(known);
            if known.time >= newest.time {
                *newest = known;
            }
        }
        let mut all = Vec::with_capacity(latest.len());
        let mut groups: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        for Known {
            category, price, ..
        } in latest.into_values()
        {
            all.push(price);
            for level in category.into_iter().flat_map(levels) {
                groups.entry(level).or_default().push(price);
            }
        }
        let overall = median(&mut all)?;
        let mut categories: BTreeMap<String, f64> = BTreeMap::new();
        // In the order of the alphabet a category comes after the one above it.
        for (category, mut prices) in groups {
            let above = above(category).and_then(|above| categories.get(above));
            let above = above.copied().unwrap_or(overall);
            let count = prices.len() as f64;
            if let Some(median) = median(&mut prices) {
                let sum = count * median.ln() + STRENGTH * above.ln();
                categories.insert(category.to_owned(), (sum / (count + STRENGTH)).exp());
            }
        }
        Some(Self {
            overall,
            categories,
        })
    }

    /// The typical price of a category, of the nearest one above it that is known, or of all
    /// items.
    #[must_use]
    pub fn of(&self, category: Option<&str>) -> f64 {
        let mut level = category;
        while let Some(name) = level {
            if let Some(price) = self.categories.get(name) {
                return *price;
            }
            level = above(name);
        }
        self.overall
    }

    /// Logarithm of a price over the typical one, between that of a thousandth and a thousand.
    pub(crate) fn ratio(&self, price: f64, category: Option<&str>) -> f64 {
        let ratio = price / self.of(category);
        ratio.clamp(1.0 / MOST_RATIO, MOST_RATIO).ln()
    }

    /// Whether a ratio to each of them is a number.
    pub(crate) fn usable(&self) -> bool {
        let mut prices = self.categories.values().chain([&self.overall]);
        prices.all(|price| price.is_finite() && *price > 0.0)
    }
}

/// The category above this one in the path.
fn above(category: &str) -> Option<&str> {
    category.rsplit_once(LEVEL).map(|(above, _)| above)
}

/// The category and those above it.
fn levels(category: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(category), |level| above(level))
}

/// The middle number, or the mean of the two in the middle.
fn median(numbers: &mut [f64]) -> Option<f64> {
    numbers.sort_by(f64::total_cmp);
    let middle = numbers.len() / 2;
    let high = numbers.get(middle).copied()?;
    if numbers.len() % 2 == 1 {
        return Some(high);
    }
    let low = numbers.get(middle.checked_sub(1)?).copied()?;
    Some(low + (high - low) / 2.0)
}
