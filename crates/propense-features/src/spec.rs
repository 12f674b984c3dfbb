//! The fitted feature specification: which numbers are written for an event and for a session,
//! in which order, with which constants.

use std::collections::BTreeMap;

use propense_events::EventKind;
use serde::{Deserialize, Serialize};

/// Version of the specification's meaning. A reader refuses any other.
pub const SPEC_VERSION: u32 = 1;

/// Mean and standard deviation taken out of a number: `(transform(x) - mean) / std`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Normal {
    /// Mean over the training part, after the transform.
    pub mean: f32,
    /// Standard deviation over the training part, after the transform; 1 where it vanishes.
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

/// A number that the streaming featuriser keeps for every event. Names and units are in
/// `docs/features.md`.
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
    /// [`SPEC_VERSION`] of the writer.
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
}
