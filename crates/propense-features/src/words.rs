//! The features in words that a shopper or a shop understands.

use crate::{ContextFeature, HashedField, Measure, RowFeature};

impl RowFeature {
    /// What the columns say about an event, in words.
    #[must_use]
    pub const fn words(&self) -> &'static str {
        match self {
            Self::Kind { .. } => "what was done",
            Self::PageType { .. } => "the kind of page",
            Self::Hashed { field, .. } => match field {
                HashedField::ItemId => "the item itself",
                HashedField::ItemCategory => "the item's category",
            },
            Self::Number { measure, .. } => match measure {
                Measure::Gap => "time since the event before",
                Measure::Elapsed => "time in the shop",
                Measure::Position => "number of events so far",
                Measure::Price => "price of the item",
                Measure::ItemRepeats => "coming back to the item",
                Measure::CategoryRepeats => "coming back to the category",
                Measure::DistinctItems => "number of different items seen",
                Measure::DistinctCategories => "number of different categories seen",
                Measure::CartUnits => "units in the cart",
                Measure::CartValue => "value of the cart",
                Measure::EventValue => "value of the event",
                Measure::EventItems => "number of items in the event",
                Measure::ItemRate => "how often visitors of this item buy",
                Measure::CategoryRate => "how often visitors of this category buy",
                Measure::Dwell => "time on the item's page",
                Measure::MeanDwell => "usual time on an item's page",
                Measure::SinceCart => "time since the cart last changed",
                Measure::PriceRatio => "price beside what such items cost",
                Measure::Rating => "stars of the review",
                Measure::ItemViews => "looking at the item again",
                Measure::MostViews => "views of the item looked at most",
                Measure::Views => "number of item pages opened",
                Measure::Searches => "number of searches",
                Measure::Carts => "additions to the cart",
                Measure::Searched => "having searched before",
                Measure::InCart => "whether the item is in the cart",
                Measure::CartItems => "number of different items in the cart",
                Measure::MeanItemRate => "how often visitors of these items buy",
                Measure::MaxItemRate => "the item seen whose visitors buy most often",
                Measure::MinItemRate => "the item seen whose visitors buy least often",
                Measure::SumItemRate => "how often visitors of these items buy, taken together",
                Measure::MeanCategoryRate => "how often visitors of these categories buy",
                Measure::MaxCategoryRate => "the category seen whose visitors buy most often",
                Measure::MinCategoryRate => "the category seen whose visitors buy least often",
                Measure::SumCategoryRate => {
                    "how often visitors of these categories buy, taken together"
                }
                Measure::MeanGap => "usual time between two events",
                Measure::LongestGap => "longest time between two events",
                Measure::Wishes => "additions to the wish list",
                Measure::ItemOrders => "how often the item is ordered",
                Measure::MeanItemOrders => "how often these items are ordered",
                Measure::MaxItemOrders => "the item seen that is ordered most often",
            },
        }
    }
}

impl ContextFeature {
    /// What the columns say about the visitor or the session: the context's own name for it.
    #[must_use]
    pub fn words(&self) -> &str {
        match self {
            Self::Number { name, .. } | Self::Category { name, .. } => name,
            Self::Hour => "hour of the day",
            Self::Weekday => "day of the week",
        }
    }
}
