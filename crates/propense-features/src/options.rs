//! What can be chosen about fitting.

use propense_events::{Event, Session};

use crate::{Measure, UserHistory};

/// How a number is brought to the scale of the others, after its transform (`docs/features.md`
/// says which numbers are taken the logarithm of).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Scaling {
    /// Less the mean, over the standard deviation.
    #[default]
    Standard,
    /// Less the median, over the interquartile range (divided by 1.349, which makes it a standard
    /// deviation where the number is normally distributed): absurd values in training move
    /// nothing.
    Robust,
}

/// Choices for [`crate::fit`] and [`crate::fit_rates`].
#[derive(Debug, Clone, PartialEq)]
pub struct FitOptions {
    /// The shop's offset from UTC in minutes, for hours and weekdays.
    pub utc_offset_minutes: i32,
    /// The measures that may become columns; those that tell nothing are left out all the same.
    pub measures: Vec<Measure>,
    /// How numbers are brought to one scale.
    pub scaling: Scaling,
    /// Columns for the hash of the first item's id; 0 for none.
    pub item_buckets: u32,
    /// Columns for the hash of the first item's category; 0 for none.
    pub category_buckets: u32,
    /// The most values of one category (or page types) with a column of their own.
    pub max_categories: usize,
    /// The fewest events of a kind or page type, and sessions with a category, for a column of
    /// its own. In small sets (under 50 times this) one in fifty is enough.
    pub support: usize,
    /// The fewest training sessions with an item (or category) for a rate of its own.
    pub rate_support: usize,
    /// Context keys to leave out; `hour` and `weekday` leave out those of the session's start.
    pub context_exclude: Vec<String>,
    /// Learn from all that [`UserHistory`] tells, not only from [`UserHistory::BASE_KEYS`].
    pub full_history: bool,
    /// Learn from all events of a session, not only those before its first order. For tasks
    /// whose label lies after the session's end (a user's history up to a day).
    pub whole_history: bool,
}

impl Default for FitOptions {
    fn default() -> Self {
        Self {
            utc_offset_minutes: 0,
            measures: Measure::BASE.to_vec(),
            scaling: Scaling::Standard,
            item_buckets: 0,
            category_buckets: 0,
            max_categories: 12,
            support: 20,
            rate_support: 1,
            context_exclude: Vec::new(),
            full_history: false,
            whole_history: false,
        }
    }
}

impl FitOptions {
    /// The default with every measure that there is, and all of a visitor's history. Rows become
    /// wider, so that a network is larger and learns from more, if there is enough to learn from.
    #[must_use]
    pub fn full() -> Self {
        Self {
            measures: Measure::ALL.to_vec(),
            full_history: true,
            ..Self::default()
        }
    }

    /// The default with what sums up the session so far (version 3 of the specification), for a
    /// network that reads the newest row alone.
    #[must_use]
    pub fn summed() -> Self {
        Self {
            measures: [&Measure::BASE[..], &Measure::SUMMED].concat(),
            ..Self::default()
        }
    }

    /// The events of a session that may be learnt from.
    pub(crate) fn visible<'a>(&self, session: &'a Session) -> &'a [Event] {
        if self.whole_history {
            &session.events
        } else {
            session.before_purchase()
        }
    }

    /// The support asked for among `total` events or sessions.
    pub(crate) fn support_among(&self, total: usize) -> usize {
        self.support.min(total.div_ceil(50)).max(1)
    }

    pub(crate) fn excludes(&self, key: &str) -> bool {
        self.context_exclude.iter().any(|name| name == key)
    }

    /// Whether the key is one of the visitor's history that was not asked for.
    pub(crate) fn skips(&self, key: &str) -> bool {
        !self.full_history && UserHistory::MORE_KEYS.contains(&key)
    }
}
