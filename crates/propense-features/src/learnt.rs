//! What was learnt in training about items and categories, as the streaming state looks it up.

use std::collections::BTreeSet;

use propense_events::Session;

use crate::{
    FeatureSpec, TypicalPrices,
    orders::{Orders, ordered, scale},
    rates::{RateModel, outcome},
};

/// Where the streaming state looks up what is known of an item beforehand.
pub(crate) trait Learnt {
    fn item_rate(&self, id: &str) -> Option<f64>;
    fn category_rate(&self, name: &str) -> Option<f64>;
    /// `ln(1 + n)` for the `n` sessions that ordered the item.
    fn item_orders(&self, id: &str) -> f64;
    fn typical_prices(&self) -> Option<&TypicalPrices>;
}

impl Learnt for FeatureSpec {
    fn item_rate(&self, id: &str) -> Option<f64> {
        self.item_rates.get(id).copied().map(f64::from)
    }

    fn category_rate(&self, name: &str) -> Option<f64> {
        self.category_rates.get(name).copied().map(f64::from)
    }

    fn item_orders(&self, id: &str) -> f64 {
        self.item_orders.get(id).copied().map_or(0.0, f64::from)
    }

    fn typical_prices(&self) -> Option<&TypicalPrices> {
        self.typical_prices.as_ref()
    }
}

/// What is learnt from all training sessions, before a specification holds it.
pub(crate) struct Training<'a> {
    pub(crate) items: RateModel<'a>,
    pub(crate) categories: RateModel<'a>,
    pub(crate) orders: Orders<'a>,
    pub(crate) prices: Option<TypicalPrices>,
}

/// The same as one training session sees it: rates are learnt from all the others. The constants
/// that normalise a rate are fitted on these, because a session's own outcome is in none of the
/// rates that a model will be given. Prices tell nothing of an outcome and stay as they are.
pub(crate) struct OtherSessions<'a> {
    training: &'a Training<'a>,
    outcome: usize,
    /// What the session itself ordered.
    ordered: BTreeSet<&'a str>,
}

impl<'a> OtherSessions<'a> {
    pub(crate) fn new(training: &'a Training<'a>, session: &'a Session) -> Self {
        Self {
            training,
            outcome: outcome(session),
            ordered: ordered(session),
        }
    }
}

impl Learnt for OtherSessions<'_> {
    fn item_rate(&self, id: &str) -> Option<f64> {
        self.training.items.without(id, self.outcome)
    }

    fn category_rate(&self, name: &str) -> Option<f64> {
        self.training.categories.without(name, self.outcome)
    }

    fn item_orders(&self, id: &str) -> f64 {
        let all = self.training.orders.get(id).copied().unwrap_or(0);
        scale(all.saturating_sub(u32::from(self.ordered.contains(id))))
    }

    fn typical_prices(&self) -> Option<&TypicalPrices> {
        self.training.prices.as_ref()
    }
}
