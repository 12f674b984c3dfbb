//! The features in words that a shopper or a shop understands.

use propense_features::{Measure, RowFeature};

/// What this group of columns says about an event.
pub(crate) const fn feature(feature: &RowFeature) -> &'static str {
    match feature {
        RowFeature::Kind { .. } => "what was done",
        RowFeature::PageType { .. } => "the kind of page",
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
        },
    }
}
