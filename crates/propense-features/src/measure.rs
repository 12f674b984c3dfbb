//! The numbers that are kept for every event of a session: their names, and what holds of each.

use serde::{Deserialize, Serialize};

use crate::Transform;

/// A number that the streaming featuriser keeps for every event. Formulas, units and reasons are
/// in `docs/features.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Seconds since the event before; missing at the first event.
    Gap,
    /// Seconds since the session's start.
    Elapsed,
    /// Number of this event in the session, from 1.
    Position,
    /// Price of the event's (first) item in the shop's currency; missing where unknown.
    Price,
    /// Times that the event's (first) item occurred earlier in the session.
    ItemRepeats,
    /// Times that the event's (first) item's category occurred earlier in the session.
    CategoryRepeats,
    /// Distinct items seen so far.
    DistinctItems,
    /// Distinct categories seen so far.
    DistinctCategories,
    /// Units in the cart after the event.
    CartUnits,
    /// Value of the cart after the event, in the shop's currency.
    CartValue,
    /// Value of the event (order total), in the shop's currency; missing where unknown.
    EventValue,
    /// Number of items in the event.
    EventItems,
    /// Smoothed log-odds that a training session with this item converts; missing for unknown items.
    ItemRate,
    /// The same for the item's category.
    CategoryRate,
    /// Seconds for which the item's page that was open when the event came had been open, at most
    /// half an hour; missing where none was.
    Dwell,
    /// Mean seconds on the item pages left so far, the one that this event leaves included;
    /// missing before the first.
    MeanDwell,
    /// Seconds since the last event before this one that changed the cart; missing before the
    /// first.
    SinceCart,
    /// Logarithm of the price over the category's typical price; missing where the price is.
    PriceRatio,
    /// Stars of a review, 1 to 5; missing elsewhere.
    Rating,
    /// Times that the page of the event's (first) item was opened earlier in the session.
    ItemViews,
    /// The most that the page of any one item was opened so far, this event included.
    MostViews,
    /// Item pages opened so far, this event included.
    Views,
    /// Searches so far, this event included.
    Searches,
    /// Additions to the cart so far, this event included.
    Carts,
    /// 1 where a search came before this event, else 0.
    Searched,
    /// 1 where the event's (first) item is in the cart after the event, else 0; missing without
    /// an item.
    InCart,
    /// Distinct items in the cart after the event.
    CartItems,
    /// Mean of [`Measure::ItemRate`] over the events with an item so far, this one included; an item
    /// that training has not seen counts as 0, the average; missing before the first.
    MeanItemRate,
    /// The highest of them.
    MaxItemRate,
    /// The lowest of them.
    MinItemRate,
    /// Their sum over the distinct items so far.
    SumItemRate,
    /// The same four of [`Measure::CategoryRate`], over the events with a category: the mean.
    MeanCategoryRate,
    /// The highest.
    MaxCategoryRate,
    /// The lowest.
    MinCategoryRate,
    /// The sum over the distinct categories.
    SumCategoryRate,
    /// Mean seconds between two events so far; missing at the first.
    MeanGap,
    /// The longest of these times; missing at the first event.
    LongestGap,
    /// Additions to the wish list so far, this event included.
    Wishes,
    /// `ln(1 + n)` for the `n` training sessions that ordered the event's (first) item; missing
    /// without an item.
    ItemOrders,
    /// Mean of [`Measure::ItemOrders`] over the events with an item so far, this one included;
    /// missing before the first.
    MeanItemOrders,
    /// The highest of them.
    MaxItemOrders,
}

impl Measure {
    /// Every measure, in the order of the variants.
    pub const ALL: [Self; 41] = [
        Self::Gap,
        Self::Elapsed,
        Self::Position,
        Self::Price,
        Self::ItemRepeats,
        Self::CategoryRepeats,
        Self::DistinctItems,
        Self::DistinctCategories,
        Self::CartUnits,
        Self::CartValue,
        Self::EventValue,
        Self::EventItems,
        Self::ItemRate,
        Self::CategoryRate,
        Self::Dwell,
        Self::MeanDwell,
        Self::SinceCart,
        Self::PriceRatio,
        Self::Rating,
        Self::ItemViews,
        Self::MostViews,
        Self::Views,
        Self::Searches,
        Self::Carts,
        Self::Searched,
        Self::InCart,
        Self::CartItems,
        Self::MeanItemRate,
        Self::MaxItemRate,
        Self::MinItemRate,
        Self::SumItemRate,
        Self::MeanCategoryRate,
        Self::MaxCategoryRate,
        Self::MinCategoryRate,
        Self::SumCategoryRate,
        Self::MeanGap,
        Self::LongestGap,
        Self::Wishes,
        Self::ItemOrders,
        Self::MeanItemOrders,
        Self::MaxItemOrders,
    ];

    /// The measures that are fitted unless others are asked for: those of specification version 1.
    pub const BASE: [Self; 14] = [
        Self::Gap,
        Self::Elapsed,
        Self::Position,
        Self::Price,
        Self::ItemRepeats,
        Self::CategoryRepeats,
        Self::DistinctItems,
        Self::DistinctCategories,
        Self::CartUnits,
        Self::CartValue,
        Self::EventValue,
        Self::EventItems,
        Self::ItemRate,
        Self::CategoryRate,
    ];

    /// What sums up the session so far, for a network that reads the newest row alone: beside
    /// [`Measure::BASE`], as [`crate::FitOptions::summed`] asks for them.
    pub(crate) const SUMMED: [Self; 16] = [
        Self::Views,
        Self::Carts,
        Self::Wishes,
        Self::MeanItemRate,
        Self::MaxItemRate,
        Self::MinItemRate,
        Self::SumItemRate,
        Self::MeanCategoryRate,
        Self::MaxCategoryRate,
        Self::MinCategoryRate,
        Self::SumCategoryRate,
        Self::MeanGap,
        Self::LongestGap,
        Self::ItemOrders,
        Self::MeanItemOrders,
        Self::MaxItemOrders,
    ];

    /// Whether it needs the orders of items.
    pub(crate) const fn of_item_orders(self) -> bool {
        matches!(
            self,
            Self::ItemOrders | Self::MeanItemOrders | Self::MaxItemOrders
        )
    }

    /// Whether it needs the rates of items.
    pub(crate) const fn of_item_rates(self) -> bool {
        matches!(
            self,
            Self::ItemRate
                | Self::MeanItemRate
                | Self::MaxItemRate
                | Self::MinItemRate
                | Self::SumItemRate
        )
    }

    /// Whether it needs the rates of categories.
    pub(crate) const fn of_category_rates(self) -> bool {
        matches!(
            self,
            Self::CategoryRate
                | Self::MeanCategoryRate
                | Self::MaxCategoryRate
                | Self::MinCategoryRate
                | Self::SumCategoryRate
        )
    }

    /// Whether it is a rate of items or categories.
    #[must_use]
    pub const fn is_rate(self) -> bool {
        self.of_item_rates() || self.of_category_rates()
    }

    /// Whether it is learnt from other sessions' outcomes: a rate, or the number of an item's orders.
    #[must_use]
    pub const fn is_learnt(self) -> bool {
        self.is_rate() || self.of_item_orders()
    }

    /// The order of a row's numbers. A 3×3 convolution looks at three neighbouring columns at
    /// once, so what belongs together stands together: time, rates, money, repetition, breadth,
    /// counters, cart. Left out where they are not fitted, the newer ones do not disturb the
    /// order of the others.
    pub(crate) const ORDER: [Self; 41] = [
        Self::Gap,
        Self::MeanGap,
        Self::LongestGap,
        Self::Elapsed,
        Self::Position,
        Self::Dwell,
        Self::MeanDwell,
        Self::ItemRate,
        Self::MeanItemRate,
        Self::MaxItemRate,
        Self::MinItemRate,
        Self::SumItemRate,
        Self::ItemOrders,
        Self::MeanItemOrders,
        Self::MaxItemOrders,
        Self::CategoryRate,
        Self::MeanCategoryRate,
        Self::MaxCategoryRate,
        Self::MinCategoryRate,
        Self::SumCategoryRate,
        Self::Rating,
        Self::Price,
        Self::PriceRatio,
        Self::EventValue,
        Self::EventItems,
        Self::ItemRepeats,
        Self::ItemViews,
        Self::MostViews,
        Self::CategoryRepeats,
        Self::DistinctItems,
        Self::DistinctCategories,
        Self::Views,
        Self::Searches,
        Self::Searched,
        Self::Carts,
        Self::Wishes,
        Self::SinceCart,
        Self::InCart,
        Self::CartItems,
        Self::CartUnits,
        Self::CartValue,
    ];

    /// The column's name, as in `docs/features.md`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gap => "gap",
            Self::Elapsed => "elapsed",
            Self::Position => "position",
            Self::Price => "price",
            Self::ItemRepeats => "item_repeats",
            Self::CategoryRepeats => "category_repeats",
            Self::DistinctItems => "distinct_items",
            Self::DistinctCategories => "distinct_categories",
            Self::CartUnits => "cart_units",
            Self::CartValue => "cart_value",
            Self::EventValue => "event_value",
            Self::EventItems => "event_items",
            Self::ItemRate => "item_rate",
            Self::CategoryRate => "category_rate",
            Self::Dwell => "dwell",
            Self::MeanDwell => "mean_dwell",
            Self::SinceCart => "since_cart",
            Self::PriceRatio => "price_ratio",
            Self::Rating => "rating",
            Self::ItemViews => "item_views",
            Self::MostViews => "most_views",
            Self::Views => "views",
            Self::Searches => "searches",
            Self::Carts => "carts",
            Self::Searched => "searched",
            Self::InCart => "in_cart",
            Self::CartItems => "cart_items",
            Self::MeanItemRate => "mean_item_rate",
            Self::MaxItemRate => "max_item_rate",
            Self::MinItemRate => "min_item_rate",
            Self::SumItemRate => "sum_item_rate",
            Self::MeanCategoryRate => "mean_category_rate",
            Self::MaxCategoryRate => "max_category_rate",
            Self::MinCategoryRate => "min_category_rate",
            Self::SumCategoryRate => "sum_category_rate",
            Self::MeanGap => "mean_gap",
            Self::LongestGap => "longest_gap",
            Self::Wishes => "wishes",
            Self::ItemOrders => "item_orders",
            Self::MeanItemOrders => "mean_item_orders",
            Self::MaxItemOrders => "max_item_orders",
        }
    }

    /// Every count, amount and duration has a long tail; a rate, a ratio and an item's orders are
    /// logarithms already, stars and yes-or-no have no tail.
    pub(crate) const fn transform(self) -> Transform {
        match self {
            _ if self.is_learnt() => Transform::Identity,
            Self::PriceRatio | Self::Rating | Self::Searched | Self::InCart => Transform::Identity,
            _ => Transform::Log1p,
        }
    }

    /// The first version of the specification that knows this measure.
    pub(crate) fn since(self) -> u32 {
        if Self::BASE.contains(&self) {
            1
        } else if self <= Self::CartItems {
            2
        } else if self <= Self::Wishes {
            3
        } else {
            4
        }
    }

    /// One name for all measures that are missing in exactly the same rows: a column for it beside
    /// one of them tells it of all, a second one would be a copy.
    pub(crate) const fn missing_as(self) -> Self {
        match self {
            Self::PriceRatio => Self::Price,
            Self::ItemViews | Self::InCart | Self::ItemOrders => Self::ItemRepeats,
            Self::MaxItemRate | Self::MinItemRate | Self::SumItemRate => Self::MeanItemRate,
            Self::MaxCategoryRate | Self::MinCategoryRate | Self::SumCategoryRate => {
                Self::MeanCategoryRate
            }
            Self::MeanItemOrders | Self::MaxItemOrders => Self::MeanItemRate,
            own => own,
        }
    }
}
