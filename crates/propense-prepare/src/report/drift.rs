//! How the later parts of the time differ from the first.

use serde::{Deserialize, Serialize};

/// The name under which the label's rate is listed.
pub const LABEL_RATE: &str = "label";

/// Training, validation and test part of the time, compared.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Drift {
    /// First 70 %, next 15 %, last 15 % of the sessions in order of their start.
    pub parts: Vec<Part>,
    /// Each feature of the events.
    pub features: Vec<FeatureDrift>,
}

/// One part of the time.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Part {
    /// `train`, `validation`, `test`.
    pub name: String,
    /// When it begins, in milliseconds since 1970.
    pub from: i64,
    /// When it ends.
    pub to: i64,
    /// Events.
    pub events: u64,
    /// Sessions that began.
    pub sessions: u64,
    /// Those of them with an order.
    pub order_sessions: u64,
}

/// How far a feature's distribution moved from the training part: the population stability index.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct FeatureDrift {
    /// The feature; [`LABEL_RATE`] for the share of sessions with an order.
    pub feature: String,
    /// To the validation part.
    pub validation: f64,
    /// To the test part.
    pub test: f64,
    /// What chance alone gives in parts of these sizes, about (the larger of the two).
    pub noise: f64,
    /// Whether the parts are long enough for the comparison to mean something: the weekday needs
    /// whole weeks, the hour whole days.
    pub comparable: bool,
}
