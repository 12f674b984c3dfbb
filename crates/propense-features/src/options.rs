//! What can be chosen about fitting.

use propense_events::{Event, Session};

use crate::Measure;

/// Choices for [`crate::fit`] and [`crate::fit_rates`].
#[derive(Debug, Clone, PartialEq)]
pub struct FitOptions {
    /// The shop's offset from UTC in minutes, for hours and weekdays.
    pub utc_offset_minutes: i32,
    /// The measures that may become columns; those that tell nothing are left out all the same.
    pub measures: Vec<Measure>,
    /// The most values of one category (or page types) with a column of their own.
    pub max_categories: usize,
    /// The fewest events of a kind or page type, and sessions with a category, for a column of
    /// its own. In small sets (under 50 times this) one in fifty is enough.
    pub support: usize,
    /// The fewest training sessions with an item (or category) for a rate of its own.
    pub rate_support: usize,
    /// Context keys to leave out; `hour` and `weekday` leave out those of the session's start.
    pub context_exclude: Vec<String>,
    /// Learn from all events of a session, not only those before its first order. For tasks
    /// whose label lies after the session's end (a user's history up to a day).
    pub whole_history: bool,
}

impl Default for FitOptions {
    fn default() -> Self {
        Self {
            utc_offset_minutes: 0,
            measures: Measure::ALL.to_vec(),
            max_categories: 12,
            support: 20,
            rate_support: 1,
            context_exclude: Vec::new(),
            whole_history: false,
        }
    }
}

impl FitOptions {
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
}
