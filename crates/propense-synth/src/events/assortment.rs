//! What is sold: items by category, each with a popularity, a price and a name that follow from
//! its number, so that nothing has to be kept for millions of items.

use super::rates;
use crate::draw::Draws;

/// An item, as it is drawn: a category and a rank of popularity in it, both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Item {
    pub(crate) category: u32,
    pub(crate) rank: u32,
}

/// Items in the most popular category; the category of rank r has the r-th part of them. Together
/// 2.3 million, where Taobao's whole set has 4.2.
const LARGEST_CATEGORY: u32 = 1 << 18;

/// Octaves of items in a category at most.
const OCTAVES: usize = 18;

/// Ranks up to which a category, and an item in it, is among the best known.
const WELL_KNOWN: (u32, u32) = (15, 3);

/// The shop's items.
pub(crate) struct Assortment {
    /// The number of each category's first item.
    first: Vec<u32>,
    items: u32,
    categories: Vec<(f64, u32)>,
    /// Cumulated weights of the octaves of items: octave k has weight 2^(k/4), which gives
    /// Taobao's share of items that only one user meets (90 %) and of the 100 best known (1.5 %).
    weights: [f64; OCTAVES + 1],
}

impl Assortment {
    pub(crate) fn new() -> Self {
        let mut first = Vec::new();
        let mut items = 0;
        for rank in 1..1_u32 << rates::CATEGORY_OCTAVES.len() {
            first.push(items);
            items += size(rank);
        }
        let all: f64 = rates::CATEGORY_OCTAVES.iter().sum();
        let mut sum = 0.0;
        let categories = rates::CATEGORY_OCTAVES
            .iter()
            .zip(0..)
            .map(|(share, octave)| {
                sum += share / all;
                (sum, octave)
            })
            .collect();
        let step = 2_f64.sqrt().sqrt();
        let mut weights = [0.0; OCTAVES + 1];
        let (mut sum, mut weight) = (0.0, 1.0);
        for entry in weights.iter_mut().skip(1) {
            sum += weight;
            weight *= step;
            *entry = sum;
        }
        Self {
            first,
            items,
            categories,
            weights,
        }
    }

    /// A category, by popularity.
    pub(crate) fn category(&self, draws: &mut Draws) -> u32 {
        let share = draws.unit();
        let octave = self
            .categories
            .iter()
            .find(|(sum, _)| share < *sum)
            .map_or(0, |(_, octave)| *octave);
        in_octave(octave, draws)
    }

    /// An item of this category, by popularity.
    pub(crate) fn item(&self, category: u32, draws: &mut Draws) -> Item {
        let size = size(category);
        // Whole octaves only; the few items beyond the last are never met.
        let octaves = (size + 1).ilog2().max(1) as usize;
        let all = self.weights.get(octaves).copied().unwrap_or(1.0);
        let place = draws.unit() * all;
        let above = self.weights.partition_point(|sum| *sum <= place);
        let octave = above.saturating_sub(1).min(octaves - 1) as u32;
        Item {
            category,
            rank: in_octave(octave, draws),
        }
    }

    /// The item of this running number; numbers beyond the last begin again. For bots, which
    /// walk through everything.
    pub(crate) fn nth(&self, number: u64) -> Item {
        let number = (number % u64::from(self.items)) as u32;
        let category = self.first.partition_point(|first| *first <= number);
        let first = self.first.get(category - 1).copied().unwrap_or_default();
        Item {
            category: category as u32,
            rank: number - first + 1,
        }
    }

    /// The item's running number.
    pub(crate) fn number(&self, item: Item) -> u32 {
        let first = self.first.get(item.category as usize - 1).copied();
        first.unwrap_or_default() + item.rank - 1
    }
}

impl Item {
    /// Whether it is seen often enough for its usual price to be known.
    pub(crate) const fn is_well_known(self) -> bool {
        self.category <= WELL_KNOWN.0 && self.rank <= WELL_KNOWN.1
    }
}

const fn size(category: u32) -> u32 {
    LARGEST_CATEGORY / category
}

/// A rank from 2^octave to 2^(octave+1) − 1.
fn in_octave(octave: u32, draws: &mut Draws) -> u32 {
    let begin = 1_u64 << octave;
    (begin + draws.below(begin)) as u32
}

/// A well mixed word for a number, the same always (the finaliser of SplitMix64, Steele, Lea and
/// Flood, OOPSLA 2014).
pub(crate) const fn mixed(number: u64) -> u64 {
    let mut word = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// The item's price in pence, the same always.
pub(crate) fn price(word: u64) -> u64 {
    let share = (word >> 11) as f64 / (1_u64 << 53) as f64;
    let mut before = (0.0, 10.0);
    for point in rates::PRICE_PENCE {
        if share < point.0 {
            let part = (share - before.0) / (point.0 - before.0);
            return (before.1 + part * (point.1 - before.1)) as u64;
        }
        before = point;
    }
    before.1 as u64
}

const LOOKS: [&str; 16] = [
    "RED", "VINTAGE", "SMALL", "ROUND", "STRIPED", "IVORY", "LARGE", "FOLDING", "BLUE", "FLORAL",
    "RUSTIC", "GREEN", "SPOTTY", "SILVER", "PINK", "CLASSIC",
];
const MATERIALS: [&str; 16] = [
    "WOODEN", "GLASS", "COTTON", "CERAMIC", "TIN", "PAPER", "WOOL", "STEEL", "BAMBOO", "ENAMEL",
    "LINEN", "MARBLE", "WICKER", "LEATHER", "FELT", "COPPER",
];
const THINGS: [&str; 16] = [
    "MUG", "LANTERN", "BASKET", "CUSHION", "CLOCK", "TRAY", "VASE", "NOTEBOOK", "APRON", "CANDLE",
    "FRAME", "TEAPOT", "GARLAND", "STOOL", "BOWL", "KEYRING",
];
const DEPARTMENTS: [&str; 8] = [
    "Kitchen", "Home", "Garden", "Gifts", "Paper", "Bags", "Toys", "Seasonal",
];
const BRANDS: [&str; 8] = [
    "Ashdown",
    "Brightwell",
    "Calloway",
    "Dunmore",
    "Elmfield",
    "Fairholt",
    "Greyling",
    "Hartley",
];

fn word_of<'a>(words: &[&'a str], number: u64) -> &'a str {
    words
        .get(number as usize % words.len().max(1))
        .copied()
        .unwrap_or_default()
}

/// How an item is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Name {
    Missing,
    Plain([&'static str; 3]),
    Comma([&'static str; 3]),
    Quote([&'static str; 3]),
    LineBreak([&'static str; 3]),
}

/// The item's name, from its mixed number.
pub(crate) fn name(word: u64) -> Name {
    let words = [
        word_of(&LOOKS, word >> 4),
        word_of(&MATERIALS, word >> 8),
        word_of(&THINGS, word >> 12),
    ];
    let share = (mixed(word) >> 11) as f64 / (1_u64 << 53) as f64;
    let mut bound = rates::NAME_MISSING;
    if share < bound {
        return Name::Missing;
    }
    bound += rates::NAME_WITH_COMMA;
    if share < bound {
        return Name::Comma(words);
    }
    bound += rates::NAME_WITH_QUOTE;
    if share < bound {
        return Name::Quote(words);
    }
    if share < bound + rates::NAME_WITH_LINE_BREAK {
        return Name::LineBreak(words);
    }
    Name::Plain(words)
}

/// What stands in the search field for this word.
pub(crate) fn search_term(word: u64) -> [&'static str; 2] {
    [word_of(&MATERIALS, word), word_of(&THINGS, word >> 4)]
}

/// The department of a category.
pub(crate) fn department(category: u32) -> &'static str {
    word_of(&DEPARTMENTS, mixed(u64::from(category)))
}

/// The brand of an item, from its mixed number.
pub(crate) fn brand(word: u64) -> &'static str {
    word_of(&BRANDS, word >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::Purpose;

    #[test]
    fn numbers_and_items_are_one_to_one() {
        let assortment = Assortment::new();
        for number in (0..assortment.items).step_by(997) {
            let item = assortment.nth(u64::from(number));
            assert_eq!(assortment.number(item), number);
            assert!(item.rank >= 1 && item.rank <= size(item.category));
        }
        assert_eq!(
            assortment.nth(u64::from(assortment.items)),
            assortment.nth(0)
        );
    }

    #[test]
    fn drawn_items_exist() {
        let assortment = Assortment::new();
        let mut draws = Draws::new(1, Purpose::Events, 0);
        for _ in 0..10_000 {
            let category = assortment.category(&mut draws);
            let item = assortment.item(category, &mut draws);
            assert!((1..4096).contains(&item.category));
            assert!((1..=size(category)).contains(&item.rank), "{item:?}");
        }
    }

    #[test]
    fn prices_are_those_of_the_real_shop() {
        let mut prices: Vec<u64> = (0..10_001).map(|n| price(mixed(n))).collect();
        prices.sort_unstable();
        for (share, pence) in rates::PRICE_PENCE {
            if (0.04..0.96).contains(&share) {
                let at = prices[(share * 10_000.0) as usize] as f64;
                assert!((at / pence - 1.0).abs() < 0.08, "{share}: {at} for {pence}");
            }
        }
    }
}
