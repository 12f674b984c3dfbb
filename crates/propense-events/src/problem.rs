//! What was wrong with the data, where, and what was done about it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A named rule of cleaning. The name is what reports count by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Rule {
    /// The record could not be read at all.
    Malformed,
    /// A field that the record cannot do without is missing.
    MissingField,
    /// A timestamp before 2000-01-01 or after the allowed future.
    AbsurdTimestamp,
    /// An event earlier than the one before it.
    OutOfOrder,
    /// A price below zero, or not a finite number.
    AbsurdPrice,
    /// A quantity that is not a finite number above zero.
    AbsurdQuantity,
    /// More items in one event than [`crate::Limits::max_items`].
    TooManyItems,
    /// A text longer than [`crate::Limits::max_text`] bytes.
    TextTooLong,
    /// An exact repetition of an earlier record.
    Duplicate,
    /// Outside the period that the data set covers.
    OutsidePeriod,
    /// A kind of record that the task leaves out (named in the adapter's documentation).
    LeftOut,
}

/// What was done about a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The record was kept with the repair that the rule documents.
    Repaired,
    /// The record was set aside.
    Rejected,
}

/// One problem: the rule it broke, the row it stands in, and what was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The rule.
    pub rule: Rule,
    /// What was done.
    pub action: Action,
    /// The row, counted from 1 with the header (or the event's number, live).
    pub row: u64,
    /// The field, where one is to blame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The offending value, shortened.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let action = match self.action {
            Action::Repaired => "repaired",
            Action::Rejected => "rejected",
        };
        write!(f, "row {}: {:?} ({action})", self.row, self.rule)?;
        if let Some(field) = &self.field {
            write!(f, ", field `{field}`")?;
        }
        if !self.detail.is_empty() {
            write!(f, ": {}", self.detail)?;
        }
        Ok(())
    }
}
