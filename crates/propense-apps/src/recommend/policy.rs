//! From scores to the list that is shown: what a shop can and wants to sell.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

/// What a shop knows of an item.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ItemFacts {
    /// The item's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its category; levels joined by `/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Price of one unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<f64>,
    /// Share of the price that is profit, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub margin: Option<f64>,
    /// Units that can be sold; not known where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stock: Option<f64>,
}

/// The rules of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// Length of the list.
    pub k: usize,
    /// Leave out what has no stock. An item whose stock is not known stays.
    pub in_stock: bool,
    /// Lowest price. With a bound, an item whose price is not known is left out.
    pub price_from: Option<f64>,
    /// Highest price.
    pub price_to: Option<f64>,
    /// How much profit counts: a score is multiplied by `1 + weight · margin`. A margin that is not
    /// known, or no number, counts as none.
    pub margin_weight: f64,
    /// Each further item of a category counts for less: with `n` of it in the list already the
    /// score is multiplied by `(1 − diversity)^n`. 0 leaves the order, 1 takes one of each
    /// category first. Items without a category are not held against each other.
    pub diversity: f64,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            k: 8,
            in_stock: false,
            price_from: None,
            price_to: None,
            margin_weight: 0.0,
            diversity: 0.0,
        }
    }
}

/// Items considered for each place of the list, where the order can still change.
const CANDIDATES: usize = 25;

impl Policy {
    /// Whether the item may be shown at all.
    #[must_use]
    pub fn allows(&self, facts: &ItemFacts) -> bool {
        if self.in_stock && facts.stock.is_some_and(|stock| stock <= 0.0) {
            return false;
        }
        let price = facts.price.filter(|price| price.is_finite());
        let fits = |bound: Option<f64>, good: fn(f64, f64) -> bool| match (bound, price) {
            (None, _) => true,
            (Some(bound), Some(price)) => good(price, bound),
            (Some(_), None) => false,
        };
        fits(self.price_from, |price, bound| price >= bound)
            && fits(self.price_to, |price, bound| price <= bound)
    }

    /// The list: item numbers with their scores, in the order of showing. Scores are expected not
    /// to be negative; `facts` gives what is known of an item, `excluded` says which not to show
    /// (already bought, in the cart, on the page).
    #[must_use]
    pub fn list<'a>(
        &self,
        scores: &[f32],
        facts: impl Fn(u32) -> Option<&'a ItemFacts>,
        excluded: impl Fn(u32) -> bool,
    ) -> Vec<(u32, f32)> {
        let unknown = ItemFacts::default();
        let mut candidates: Vec<(u32, f64)> = Vec::new();
        for (item, score) in (0..).zip(scores) {
            let facts = facts(item).unwrap_or(&unknown);
            if !score.is_finite() || excluded(item) || !self.allows(facts) {
                continue;
            }
            let margin = facts.margin.filter(|margin| margin.is_finite());
            let margin = margin.unwrap_or(0.0).clamp(0.0, 1.0);
            candidates.push((
                item,
                f64::from(*score) * (1.0 + self.margin_weight * margin),
            ));
        }
        let better = |a: &(u32, f64), b: &(u32, f64)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
        let most = self.k.saturating_mul(CANDIDATES);
        if candidates.len() > most && most > 0 {
            candidates.select_nth_unstable_by(most - 1, better);
        }
        candidates.truncate(most);
        candidates.sort_unstable_by(better);
        let category = |item: u32| facts(item).and_then(|facts| facts.category.as_deref());
        let chosen = if self.diversity > 0.0 {
            self.diverse(candidates, category)
        } else {
            candidates.truncate(self.k);
            candidates
        };
        let shown = chosen.into_iter();
        shown
            .map(|(item, _)| (item, scores.get(item as usize).copied().unwrap_or(0.0)))
            .collect()
    }

    /// Takes the best item again and again, each time with the categories taken so far in mind.
    fn diverse<'a>(
        &self,
        mut candidates: Vec<(u32, f64)>,
        category: impl Fn(u32) -> Option<&'a str>,
    ) -> Vec<(u32, f64)> {
        let kept = 1.0 - self.diversity.clamp(0.0, 1.0);
        let mut taken: HashMap<&str, i32> = HashMap::new();
        let mut chosen = Vec::new();
        while chosen.len() < self.k && !candidates.is_empty() {
            let mut best = 0;
            let mut best_value = f64::NEG_INFINITY;
            for (place, (item, score)) in candidates.iter().enumerate() {
                let times = category(*item).and_then(|category| taken.get(category));
                let value = score * kept.powi(times.copied().unwrap_or(0));
                // Of equal values the first in the order stays.
                if value > best_value {
                    (best, best_value) = (place, value);
                }
            }
            let picked = candidates.remove(best);
            if let Some(category) = category(picked.0) {
                *taken.entry(category).or_insert(0) += 1;
            }
            chosen.push(picked);
        }
        chosen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shop() -> Vec<ItemFacts> {
        let item = |category: &str, price, margin, stock| ItemFacts {
            name: None,
            category: (!category.is_empty()).then(|| category.to_owned()),
            price,
            margin,
            stock,
        };
        vec![
            item("bags", Some(2.0), Some(0.1), Some(3.0)),
            item("bags", Some(4.0), Some(0.9), Some(0.0)),
            item("bags", Some(6.0), None, None),
            item("lamps", Some(8.0), Some(0.5), Some(1.0)),
            item("", None, None, Some(9.0)),
        ]
    }

    /// The list of a shop whose items score 0.5, 0.4, 0.3, 0.2, 0.1.
    fn check(policy: &Policy, excluded: &[u32], expected: &[u32]) {
        let shop = shop();
        let scores = [0.5, 0.4, 0.3, 0.2, 0.1];
        let list = policy.list(
            &scores,
            |item| shop.get(item as usize),
            |item| excluded.contains(&item),
        );
        let items: Vec<u32> = list.iter().map(|(item, _)| *item).collect();
        assert_eq!(items, expected, "{policy:?}");
        for (item, score) in list {
            assert_eq!(score, scores[item as usize], "the score is not changed");
        }
    }

    #[test]
    fn rules_one_by_one() {
        let all = Policy::default();
        check(&all, &[], &[0, 1, 2, 3, 4]);
        check(&all, &[0, 3], &[1, 2, 4]);
        let rule = |change: fn(&mut Policy)| {
            let mut policy = Policy::default();
            change(&mut policy);
            policy
        };
        check(&rule(|p| p.k = 2), &[], &[0, 1]);
        check(&rule(|p| p.k = 0), &[], &[]);
        // Item 2 has no known stock and stays.
        check(&rule(|p| p.in_stock = true), &[], &[0, 2, 3, 4]);
        check(&rule(|p| p.price_from = Some(4.0)), &[], &[1, 2, 3]);
        check(&rule(|p| p.price_to = Some(6.0)), &[], &[0, 1, 2]);
        // 0.55, 0.76, 0.3, 0.3, 0.1
        check(&rule(|p| p.margin_weight = 1.0), &[], &[1, 0, 2, 3, 4]);
        // 0.5, then 0.2, 0.15, 0.2, 0.1: the first of the equal ones.
        check(&rule(|p| p.diversity = 0.5), &[], &[0, 1, 3, 4, 2]);
        check(&rule(|p| p.diversity = 1.0), &[], &[0, 3, 4, 1, 2]);
    }

    #[test]
    fn what_is_no_number_is_not_shown() {
        let list = Policy::default().list(&[f32::NAN, f32::INFINITY, 0.0], |_| None, |_| false);
        assert_eq!(list, [(2, 0.0)]);
        assert_eq!(Policy::default().list(&[], |_| None, |_| false), []);
        let greedy = Policy {
            margin_weight: 1.0,
            ..Policy::default()
        };
        for margin in [f64::NAN, f64::INFINITY] {
            let shop = [None, Some(margin)].map(|margin| ItemFacts {
                margin,
                ..ItemFacts::default()
            });
            let list = greedy.list(&[0.5, 0.4], |item| shop.get(item as usize), |_| false);
            assert_eq!(list, [(0, 0.5), (1, 0.4)]);
        }
    }
}
