//! Likeness of items by what is written about them: the only thing known of a new item.
//!
//! An item's words are those of its name, and its category as one word. A word weighs ln(N / n)
//! with `N` items, `n` of those with the word (inverse document frequency: Spärck Jones 1972); the
//! likeness of two items is the cosine of their weighted word sets.

use std::collections::HashMap;

use super::policy::ItemFacts;

/// Old items that speak for a new one.
const SPEAKERS: usize = 10;
/// What a new item's borrowed score is multiplied by: its speakers have proved themselves, it has
/// not.
const DISCOUNT: f32 = 0.5;

/// New items, each with the old ones that are most like it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NewItems {
    /// By new item: number of an old item and its share of the new one's score. Shares sum to at
    /// most 1: a new item unlike all others borrows little.
    speakers: Vec<Vec<(u32, f32)>>,
}

impl NewItems {
    /// Compares new items with old ones. An item without any word, or unlike all others, has no
    /// score to borrow.
    #[must_use]
    pub fn new(old: &[ItemFacts], new: &[ItemFacts]) -> Self {
        let words_of: Vec<Vec<String>> = old.iter().chain(new).map(words).collect();
        let mut with: HashMap<&str, f32> = HashMap::new();
        for word in words_of.iter().flatten() {
            *with.entry(word).or_default() += 1.0;
        }
        let all = words_of.len() as f32;
        let weight = |word: &str| (all / with.get(word).copied().unwrap_or(1.0)).ln();
        let length = |words: &[String]| {
            let squares = words.iter().map(|word| weight(word).powi(2));
            squares.sum::<f32>().sqrt()
        };
        let (old_words, new_words) = words_of.split_at(old.len());
        let mut holders: HashMap<&str, Vec<u32>> = HashMap::new();
        for (item, words) in (0..).zip(old_words) {
            for word in words {
                holders.entry(word).or_default().push(item);
            }
        }
        let lengths: Vec<f32> = old_words.iter().map(|words| length(words)).collect();
        let speakers = new_words.iter().map(|words| {
            let own = length(words);
            let mut shared: HashMap<u32, f32> = HashMap::new();
            for word in words {
                for item in holders.get(word.as_str()).into_iter().flatten() {
                    *shared.entry(*item).or_default() += weight(word).powi(2);
                }
            }
            let like = shared.into_iter().filter_map(|(item, product)| {
                let likeness = product / (own * lengths.get(item as usize)?);
                (likeness > 0.0).then_some((item, likeness))
            });
            let mut like: Vec<(u32, f32)> = like.collect();
            like.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            like.truncate(SPEAKERS);
            let count = like.len().max(1) as f32;
            for (_, likeness) in &mut like {
                *likeness /= count;
            }
            like
        });
        Self {
            speakers: speakers.collect(),
        }
    }

    /// The scores of the new items, from those of the old ones: the mean of the speakers' scores,
    /// each by its likeness, halved.
    #[must_use]
    pub fn scores(&self, old: &[f32]) -> Vec<f32> {
        let score = |speakers: &Vec<(u32, f32)>| {
            let parts = speakers
                .iter()
                .filter_map(|(item, share)| Some(share * old.get(*item as usize)?));
            DISCOUNT * parts.sum::<f32>()
        };
        self.speakers.iter().map(score).collect()
    }
}

/// The distinct words of an item, sorted.
fn words(facts: &ItemFacts) -> Vec<String> {
    let name = facts.name.as_deref().unwrap_or_default().to_lowercase();
    let split = name.split(|c: char| !c.is_alphanumeric());
    let mut words: Vec<String> = split
        .filter(|word| word.chars().count() > 1)
        .map(str::to_owned)
        .collect();
    // A category is one word, told from the words of names by its mark.
    words.extend(facts.category.iter().map(|category| format!("/{category}")));
    words.sort_unstable();
    words.dedup();
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(name: &str, category: &str) -> ItemFacts {
        ItemFacts {
            name: (!name.is_empty()).then(|| name.to_owned()),
            category: (!category.is_empty()).then(|| category.to_owned()),
            ..ItemFacts::default()
        }
    }

    fn check(new: ItemFacts, scores: &[f32], expected: f32) {
        let old = [
            item("Red lamp", "lamps"),
            item("Blue lamp", "lamps"),
            item("Red bag", "bags"),
            item("", ""),
        ];
        let found = NewItems::new(&old, &[new]).scores(scores);
        assert!((found[0] - expected).abs() < 1e-6, "{found:?} {expected}");
    }

    #[test]
    fn a_new_item_borrows_from_those_like_it() {
        // The same words as the first item, which alone speaks fully: mean of 1 and of the others'
        // likeness times nothing.
        check(
            item("RED, lamp!", "lamps"),
            &[3.0, 0.0, 0.0, 0.0],
            0.5 * 3.0 / 3.0,
        );
        // One word, `bag`, in two of five items; `red bag` has ln(5/2) twice and ln(5/1) for its
        // category.
        let (two, one) = (2.5f32.ln(), 5f32.ln());
        let likeness = two / (2.0 * two * two + one * one).sqrt();
        check(item("bag", ""), &[0.0, 0.0, 4.0, 0.0], 0.5 * likeness * 4.0);
    }

    #[test]
    fn nothing_in_common_is_nothing_to_borrow() {
        check(item("candle", "lights"), &[1.0; 4], 0.0);
        check(item("", ""), &[1.0; 4], 0.0);
        check(item("bag", ""), &[], 0.0);
        assert_eq!(NewItems::new(&[], &[item("bag", "")]).scores(&[]), [0.0]);
    }
}
