//! The features in words that a shopper or a shop understands.

use propense_features::{HashedField, Measure, RowFeature};

/// What this group of columns says about an event.
pub(crate) const fn feature(feature: &RowFeature) -> &'static str {
    match feature {
        RowFeature::Kind { .. } => "what was done",
        RowFeature::PageType { .. } => "the kind of page",
        RowFeature::Hashed { field, .. } => match field {
            HashedField::ItemId => "the item itself",
            HashedField::ItemCategory => "the item's category",
        },
        RowFeature::Number { measure, .. } => match measure {
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
        },
    }
}
