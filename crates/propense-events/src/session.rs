//! Sessions: the events of one visit in order, with what is known of the visit as a whole.

use serde::{Deserialize, Serialize};

use crate::{Context, Event, EventKind};

/// One visit. Either events in time order, or (for data sets that hold only a summary of each
/// visit) no events and everything in [`Session::context`].
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Session {
    /// The session's identifier, unique in its data set.
    pub id: String,
    /// The visitor, where known: the user, else the browser.
    pub user: Option<String>,
    /// Start, in milliseconds since 1970.
    pub start: i64,
    /// The events in time order (file order breaks ties).
    pub events: Vec<Event>,
    /// What is known of the visit from its start on: nothing here may come from later.
    pub context: Context,
    /// The outcome where the data set states it; otherwise it follows from the events.
    pub outcome: Option<bool>,
}

impl Session {
    /// Position of the first order, where there is one.
    #[must_use]
    pub fn first_purchase(&self) -> Option<usize> {
        self.events
            .iter()
            .position(|event| event.kind == EventKind::Purchase)
    }

    /// Whether the visit led to an order.
    #[must_use]
    pub fn converted(&self) -> bool {
        self.outcome
            .unwrap_or_else(|| self.first_purchase().is_some())
    }

    /// The events before the first order: all that a model may see.
    #[must_use]
    pub fn before_purchase(&self) -> &[Event] {
        &self.events[..self.first_purchase().unwrap_or(self.events.len())]
    }
}
