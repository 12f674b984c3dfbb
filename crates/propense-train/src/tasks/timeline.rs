//! Users' events in time order, and what was known of a user at one moment.

use std::collections::BTreeMap;

use propense_events::Event;

/// The events of each user in time order; file order breaks ties.
pub(crate) struct Timelines {
    /// By user.
    pub(crate) users: BTreeMap<String, Vec<Event>>,
    /// Events without a user, which these tasks cannot use.
    pub(crate) anonymous: usize,
}

impl Timelines {
    /// Groups the events by user.
    pub(crate) fn new(events: impl IntoIterator<Item = Event>) -> Self {
        let mut users: BTreeMap<String, Vec<Event>> = BTreeMap::new();
        let mut anonymous = 0;
        for event in events {
            match event.user_id.clone() {
                Some(user) => users.entry(user).or_default().push(event),
                None => anonymous += 1,
            }
        }
        for events in users.values_mut() {
            events.sort_by_key(|event| event.timestamp);
        }
        Self { users, anonymous }
    }

    /// First and last moment, in milliseconds; none without events.
    pub(crate) fn period(&self) -> Option<(i64, i64)> {
        let first = self.users.values().filter_map(|list| list.first());
        let last = self.users.values().filter_map(|list| list.last());
        Some((
            first.map(|event| event.timestamp).min()?,
            last.map(|event| event.timestamp).max()?,
        ))
    }
}

/// The events strictly before a moment.
pub(crate) fn before(events: &[Event], moment: i64) -> &[Event] {
    &events[..events.partition_point(|event| event.timestamp < moment)]
}

/// The events from `from` (included) to `to` (excluded).
pub(crate) fn between(events: &[Event], from: i64, to: i64) -> &[Event] {
    let first = events.partition_point(|event| event.timestamp < from);
    let last = events.partition_point(|event| event.timestamp < to);
    events.get(first..last).unwrap_or_default()
}
