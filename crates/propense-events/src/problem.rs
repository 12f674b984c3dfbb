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
    /// A number elsewhere (in the context) that is not finite, or below zero where it cannot be.
    AbsurdNumber,
    /// A field of another type than the schema's. A number written as a text was read; anything
    /// else was taken as missing.
    WrongType,
    /// An event name that is neither a GA4 name nor in the mapping; kept as `other`.
    UnknownEvent,
    /// Bytes that are not UTF-8; each was replaced by U+FFFD.
    NotUtf8,
    /// More items in one event than [`crate::Limits::max_items`].
    TooManyItems,
    /// A text longer than [`crate::Limits::max_text`] bytes.
    TextTooLong,
    /// An exact repetition of an earlier record.
    Duplicate,
    /// A record longer than [`crate::MAX_RECORD`] bytes.
    RecordTooLong,
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
    /// The record in the file, counted from 1 with the header, as a spreadsheet counts: a record
    /// whose quoted text goes over several lines is one, an empty line in a CSV file is none.
    /// Live, the event's number.
    pub row: u64,
    /// The field, where one is to blame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The offending value, shortened.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

/// The longest detail kept, in bytes: enough to recognise the value by.
const DETAIL: usize = 80;

impl Problem {
    /// A problem in this row, without field or detail.
    #[must_use]
    pub const fn new(rule: Rule, action: Action, row: u64) -> Self {
        Self {
            rule,
            action,
            row,
            field: None,
            detail: String::new(),
        }
    }

    /// Names the field to blame.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// Adds the offending value, shortened.
    #[must_use]
    pub fn detail(mut self, detail: impl fmt::Display) -> Self {
        self.detail = detail.to_string();
        if self.detail.len() > DETAIL {
            self.detail
                .truncate(self.detail.floor_char_boundary(DETAIL));
            self.detail.push('…');
        }
        self
    }
}

impl fmt::Display for Rule {
    /// Its name, as reports have it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
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
