//! What was learnt in training about items and categories, as the streaming state looks it up.

use propense_events::Session;

use crate::{
    FeatureSpec, TypicalPrices,
    rates::{RateModel, outcome},
};

/// Where the streaming state looks up what is known of an item beforehand.
pub(crate) trait Learnt {
    fn item_rate(&self, id: &str) -> Option<f64>;
    fn category_rate(&self, name: &str) -> Option<f64>;
    fn typical_prices(&self) -> Option<&TypicalPrices>;
}

impl Learnt for FeatureSpec {
    fn item_rate(&self, id: &str) -> Option<f64> {
        self.item_rates.get(id).copied().map(f64::from)
    }

    fn category_rate(&self, name: &str) -> Option<f64> {
        self.category_rates.get(name).copied().map(f64::from)
    }

    fn typical_prices(&self) -> Option<&TypicalPrices> {
        self.typical_prices.as_ref()
    }
}

/// What is learnt from all training sessions, before a specification holds it.
pub(crate) struct Training<'a> {
    pub(crate) items: RateModel<'a>,
    pub(crate) categories: RateModel<'a>,
    pub(crate) prices: Option<TypicalPrices>,
}

/// The same as one training session sees it: rates are learnt from all the others. The constants
/// that normalise a rate are fitted on these, because a session's own outcome is in none of the
/// rates that a model will be given. Prices tell nothing of an outcome and stay as they are.
pub(crate) struct OtherSessions<'a> {
    training: &'a Training<'a>,
    outcome: usize,
}

impl<'a> OtherSessions<'a> {
    pub(crate) fn new(training: &'a Training<'a>, session: &Session) -> Self {
        Self {
            training,
            outcome: outcome(session),
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

    fn typical_prices(&self) -> Option<&TypicalPrices> {
        self.training.prices.as_ref()
    }
}
