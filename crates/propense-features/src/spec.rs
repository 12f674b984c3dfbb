//! The fitted feature specification: which numbers are written for an event and for a session,
//! in which order, with which constants.

use std::collections::BTreeMap;

use propense_events::EventKind;
use serde::{Deserialize, Serialize};

use crate::{HashedField, Measure, TypicalPrices};

/// The newest version of the specification's meaning. Every earlier one is read as well and
/// gives the numbers that it always gave; a later one is refused.
///
/// Version 2 added measures, hashed identifiers and typical prices, version 3 the measures that
/// sum up the session so far, version 4 the orders of items. [`crate::fit`] writes the
/// lowest version that knows all that it used, so that a model without the new columns still
/// loads where only version 1 is known.
pub const SPEC_VERSION: u32 = 4;

/// Centre and spread taken out of a number: `(transform(x) - mean) / std`.
///
/// Named after the standard choice. [`crate::Scaling::Robust`] puts the median and the
/// interquartile range, divided by 1.349, in their places: a reader need not know which.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Normal {
    /// Mean (or median) over the training part, after the transform.
    pub mean: f32,
    /// Standard deviation (or its robust stand-in) over the training part, after the transform;
    /// 1 where it vanishes.
    pub std: f32,
}

/// What is done to a number before [`Normal`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transform {
    /// Nothing.
    Identity,
    /// `ln(1 + max(x, 0))`.
    Log1p,
}

/// One column, or several for a one-hot, of an event's row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum RowFeature {
    /// One column for each kind listed, and one for all others.
    Kind {
        /// The kinds with a column of their own.
        kinds: Vec<EventKind>,
    },
    /// One column for each page type listed, and one for all others (all zero where missing).
    PageType {
        /// The page types with a column of their own.
        names: Vec<String>,
    },
    /// A normalised number; where `flag` is set, a second column that is 1 where it is missing.
    Number {
        /// Which number.
        measure: Measure,
        /// The transform before normalisation.
        transform: Transform,
        /// The fitted constants.
        normal: Normal,
        /// Whether a missing-value column follows.
        flag: bool,
    },
    /// The field's hash as a point in a few columns: +1 or -1 in one of them, 0 in the others,
    /// all zero where it is missing. Identifiers that training has not seen get a column too.
    Hashed {
        /// Which identifier of the event's (first) item.
        field: HashedField,
        /// The number of columns, at most [`crate::MAX_BUCKETS`].
        buckets: u32,
    },
}

/// One column, or several, of a session's context.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ContextFeature {
    /// A normalised number of the session's context map.
    Number {
        /// Key in the context map.
        name: String,
        /// The transform before normalisation.
        transform: Transform,
        /// The fitted constants.
        normal: Normal,
        /// Whether a missing-value column follows.
        flag: bool,
    },
    /// One column for each name listed, and one for all others (all zero where missing).
    Category {
        /// Key in the context map.
        name: String,
        /// The names with a column of their own.
        names: Vec<String>,
    },
    /// Sine and cosine of the local hour of the session's start.
    Hour,
    /// Sine and cosine of the local weekday of the session's start.
    Weekday,
}

/// The fitted specification. Serialised into the bundle; the same native and in the browser.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FeatureSpec {
    /// The lowest version that knows all of this, at most [`SPEC_VERSION`].
    pub version: u32,
    /// The columns of an event's row, in order.
    pub row: Vec<RowFeature>,
    /// The columns of the session's context, in order.
    pub context: Vec<ContextFeature>,
    /// The shop's offset from UTC in minutes, for hours and weekdays.
    pub utc_offset_minutes: i32,
    /// Smoothed log-odds of conversion by item, from the training part.
    pub item_rates: BTreeMap<String, f32>,
    /// Smoothed log-odds of conversion by category, from the training part.
    pub category_rates: BTreeMap<String, f32>,
    /// `ln(1 + n)` for the `n` sessions of the training part that ordered the item; only where a
    /// column needs it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub item_orders: BTreeMap<String, f32>,
    /// What an item of a category usually costs, from the training part; only where
    /// [`Measure::PriceRatio`] is a column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub typical_prices: Option<TypicalPrices>,
}
