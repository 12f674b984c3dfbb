//! What a visit had seen by a moment: the situation that a logged list was shown in.

use std::collections::HashMap;

use propense_events::Event;

/// Events by session and by visitor, in order of time.
#[derive(Debug, Clone, Default)]
pub struct Past<'a> {
    sessions: HashMap<&'a str, Vec<&'a Event>>,
    visitors: HashMap<&'a str, Vec<&'a Event>>,
    gap_ms: i64,
}

impl<'a> Past<'a> {
    /// Sorts the events; a pause longer than `gap_ms` ends a visit where only the visitor is known.
    #[must_use]
    pub fn new(events: &'a [Event], gap_ms: i64) -> Self {
        let mut past = Self {
            gap_ms,
            ..Self::default()
        };
        for event in events {
            if let Some(id) = &event.session_id {
                past.sessions.entry(id).or_default().push(event);
            }
            for id in [&event.user_id, &event.anonymous_id].into_iter().flatten() {
                past.visitors.entry(id).or_default().push(event);
            }
        }
        let lists = past.sessions.values_mut().chain(past.visitors.values_mut());
        lists.for_each(|list| list.sort_by_key(|event| event.timestamp));
        past
    }

    /// The events of the visit with this identifier (of a session, else of a visitor) before a moment,
    /// the newest last. None for one that is not known.
    #[must_use]
    pub fn before(&self, visit: &str, at: i64) -> Vec<Event> {
        let earlier = |list: &[&Event]| -> Vec<Event> {
            let end = list.partition_point(|event| event.timestamp < at);
            list.iter()
                .take(end)
                .map(|event| (*event).clone())
                .collect()
        };
        if let Some(list) = self.sessions.get(visit) {
            return earlier(list);
        }
        let mut events = self
            .visitors
            .get(visit)
            .map_or(Vec::new(), |list| earlier(list));
        let mut next = at;
        let mut begin = events.len();
        for event in events.iter().rev() {
            if next.saturating_sub(event.timestamp) > self.gap_ms {
                break;
            }
            next = event.timestamp;
            begin -= 1;
        }
        events.drain(..begin);
        events
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use propense_events::EventKind;

    #[test]
    fn a_visit_s_past_ends_before_the_moment_and_begins_after_the_last_pause() {
        let event = |at, session: Option<&str>, user: Option<&str>| {
            let mut event = Event::new(EventKind::ViewItem, at);
            event.session_id = session.map(str::to_owned);
            event.user_id = user.map(str::to_owned);
            event
        };
        let events = [
            event(900, Some("s"), Some("u")),
            event(10, Some("s"), Some("u")),
            event(500, None, Some("u")),
            event(560, None, Some("u")),
        ];
        let past = Past::new(&events, 100);
        let check = |visit: &str, at: i64, expected: &[i64]| {
            let found = past.before(visit, at);
            let times: Vec<i64> = found.iter().map(|event| event.timestamp).collect();
            assert_eq!(times, expected, "{visit} {at}");
        };
        // The shop's own session has no pauses; a visitor's visit has.
        check("s", 900, &[10]);
        check("s", 901, &[10, 900]);
        check("u", 600, &[500, 560]);
        check("u", 560, &[500]);
        check("u", 700, &[]);
        check("nobody", 700, &[]);
    }
}
