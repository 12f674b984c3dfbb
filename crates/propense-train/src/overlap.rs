//! What data to measure on share with the data that were learnt from.

use std::collections::{BTreeSet, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use propense_events::{Event, Session};
use propense_prepare::Loaded;
use serde::{Deserialize, Serialize};

/// From which share on an overlap is no chance: summaries of two short visits may well be equal.
const MUCH: f64 = 0.05;

/// What test data share with training data. Figures on lines that were learnt from say nothing of new
/// ones; figures on other sessions of the same users and days say too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overlap {
    /// Lines of the test data: events, or summaries of sessions.
    pub lines: usize,
    /// Those that stand in the training data, too: an event of the same visitor, time, kind and item, or
    /// a summary that is equal in all columns that both data have.
    pub shared_lines: usize,
    /// Events of the test data that lie before the last one of the training data, and not before the first.
    pub same_time: usize,
    /// Users (or browsers, where they are told) of the test data.
    pub users: usize,
    /// Those who are in the training data, too.
    pub shared_users: usize,
}

impl Overlap {
    /// What is wrong with measuring on these data, in words; none where nothing is.
    #[must_use]
    pub fn words(&self) -> Option<String> {
        let much = |part: usize, all: usize| part as f64 > MUCH * all as f64;
        if much(self.shared_lines, self.lines) {
            return Some(format!(
                "{} of {} lines of the test data are equal to lines of the training data: what they say is no figure \
                 for new ones",
                self.shared_lines, self.lines
            ));
        }
        let users = much(self.shared_users, self.users) && much(self.same_time, self.lines);
        users.then(|| {
            format!(
                "{} of {} users of the test data are in the training data, too, which cover the same days: the \
                 figures are better than on users, or days, that are new",
                self.shared_users, self.users
            )
        })
    }
}

/// What `test` shares with `train`.
#[must_use]
pub fn overlap(train: &Loaded, test: &Loaded) -> Overlap {
    let names = |data: &Loaded| -> BTreeSet<String> {
        let told = data
            .sessions
            .iter()
            .flat_map(|session| session.context.keys());
        told.cloned().collect()
    };
    // A column that one of them lacks makes no line another.
    let common: BTreeSet<String> = names(train).intersection(&names(test)).cloned().collect();
    let lines = |data: &Loaded| -> Vec<u64> {
        let summaries = data.sessions.iter();
        let summaries = summaries.map(|session| of_summary(session, &common));
        data.events.iter().map(of_event).chain(summaries).collect()
    };
    let known: HashSet<u64> = lines(train).into_iter().collect();
    let own = lines(test);
    let users = |data: &Loaded| -> HashSet<u64> {
        let users = data.events.iter().filter_map(owner);
        users.map(|user| hash(&user)).collect()
    };
    let (learnt, tested) = (users(train), users(test));
    let times = || train.events.iter().map(|event| event.timestamp);
    let (first, last) = (times().min(), times().max());
    let within = |event: &&Event| Some(event.timestamp) >= first && Some(event.timestamp) < last;
    Overlap {
        lines: own.len(),
        shared_lines: own.iter().filter(|line| known.contains(line)).count(),
        same_time: test.events.iter().filter(within).count(),
        users: tested.len(),
        shared_users: tested.intersection(&learnt).count(),
    }
}

/// Who did it, where that is known beyond the session.
fn owner(event: &Event) -> Option<&str> {
    let known = event.user_id.as_ref().or(event.anonymous_id.as_ref());
    known.map(String::as_str)
}

fn of_event(event: &Event) -> u64 {
    let owner = owner(event).or(event.session_id.as_deref());
    let item = event.items.first().map(|item| item.item_id.as_str());
    hash(&(owner, event.timestamp, event.kind, item))
}

/// Of what the summary tells under these names, and of its outcome.
fn of_summary(session: &Session, names: &BTreeSet<String>) -> u64 {
    let told: Vec<_> = names.iter().map(|name| session.context.get(name)).collect();
    let told = serde_json::to_string(&told).unwrap_or_default();
    hash(&(told, session.outcome))
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use propense_events::{EventKind, Value};

    use super::*;

    /// A view by each of these users in each of these hours.
    fn data(users: std::ops::Range<usize>, hours: std::ops::Range<i64>) -> Loaded {
        let mut data = Loaded::default();
        for hour in hours {
            for user in users.clone() {
                let mut event = Event::new(EventKind::ViewItem, hour * 3_600_000 + user as i64);
                event.user_id = Some(format!("u{user}"));
                data.events.push(event);
            }
        }
        data
    }

    fn words(train: &Loaded, test: &Loaded) -> String {
        overlap(train, test).words().unwrap_or_default()
    }

    #[test]
    fn shared_lines_are_counted() {
        let train = data(0..10, 0..10);
        let found = overlap(&train, &data(5..15, 5..10));
        assert_eq!((found.lines, found.shared_lines), (50, 25));
        assert_eq!((found.users, found.shared_users), (10, 5));
        assert!(words(&train, &data(5..15, 5..10)).contains("25 of 50 lines"));
        // One shared event in a hundred is no reason to warn.
        assert_eq!(words(&data(0..1, 0..1), &data(0..10, 0..10)), "");
    }

    #[test]
    fn users_are_shared_where_the_days_are_shared_too() {
        let train = data(0..10, 0..10);
        assert_eq!(words(&train, &data(0..10, 10..20)), "", "later");
        assert_eq!(words(&train, &data(10..20, 0..10)), "", "others");
        let mut moved = data(0..10, 0..10);
        for event in &mut moved.events {
            event.timestamp += 60_000;
        }
        assert!(words(&train, &moved).contains("10 of 10 users"));
    }

    #[test]
    fn summaries_are_equal_where_all_that_they_tell_is() {
        let of = |numbers: std::ops::Range<usize>| Loaded {
            sessions: numbers
                .map(|number| {
                    let mut session = Session {
                        outcome: Some(false),
                        ..Session::default()
                    };
                    let pages = Value::Number(number as f64);
                    session.context.insert("pages".to_owned(), pages);
                    session
                })
                .collect(),
            ..Loaded::default()
        };
        let found = overlap(&of(0..100), &of(90..110));
        assert_eq!((found.lines, found.shared_lines, found.users), (20, 10, 0));
        assert_eq!(overlap(&of(0..100), &of(100..110)).shared_lines, 0);
        let mut wider = of(90..110);
        for session in &mut wider.sessions {
            let more = Value::Number(7.0);
            session.context.insert("more".to_owned(), more);
        }
        assert_eq!(overlap(&of(0..100), &wider).shared_lines, 10);
    }
}
