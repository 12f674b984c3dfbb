//! From a list of events to the visits they belong to.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::{Action, Event, Problem, Rule, Session, midnight};

/// Whose events belong together.
#[derive(PartialEq, Eq, Hash)]
enum Owner {
    Session(String),
    User(String),
    Anonymous(String),
    /// None is known. Two such events cannot be told to come from one visitor, so each is a
    /// visit of its own.
    Nobody(usize),
}

/// Groups events into sessions: by `session_id` where there is one, otherwise by `user_id`, else
/// by `anonymous_id`, where a pause longer than `gap_ms` milliseconds begins a new session. An
/// event with none of them is a session of its own.
///
/// Events are sorted by time within each group; equal times keep their order in the list. Every
/// event that stood later in the list than a younger one of its group is reported as
/// [`Rule::OutOfOrder`], repaired; the problem's row is the event's number in the list, from 1.
/// A session's context is the context of its first event, since nothing later was known when it
/// began. Sessions come out sorted by start, then id; every event is in exactly one of them.
#[must_use]
pub fn sessionise(events: Vec<Event>, gap_ms: i64) -> (Vec<Session>, Vec<Problem>) {
    sessionise_where(events, |before, time| time.saturating_sub(before) > gap_ms)
}

/// [`sessionise`], where midnight begins a new session, too: that of a place `utc_offset_minutes`
/// ahead of UTC.
#[must_use]
pub fn sessionise_by_day(
    events: Vec<Event>,
    gap_ms: i64,
    utc_offset_minutes: i32,
) -> (Vec<Session>, Vec<Problem>) {
    let day = |time: i64| midnight(time, utc_offset_minutes);
    sessionise_where(events, |before, time| {
        time.saturating_sub(before) > gap_ms || day(before) != day(time)
    })
}

/// [`sessionise`] with any rule that tells from the times of two events of one visitor, the earlier
/// first, whether a new session begins between them.
fn sessionise_where(
    events: Vec<Event>,
    begins: impl Fn(i64, i64) -> bool,
) -> (Vec<Session>, Vec<Problem>) {
    let mut problems = Vec::new();
    let mut groups: Vec<(Owner, Vec<Event>)> = Vec::new();
    let mut group_of: HashMap<Owner, (usize, i64)> = HashMap::new();
    for (position, event) in events.into_iter().enumerate() {
        let owner = match (&event.session_id, &event.user_id, &event.anonymous_id) {
            (Some(session), ..) => Owner::Session(session.clone()),
            (None, Some(user), _) => Owner::User(user.clone()),
            (None, None, Some(browser)) => Owner::Anonymous(browser.clone()),
            (None, None, None) => Owner::Nobody(position),
        };
        let next = groups.len();
        let (group, latest) = match group_of.get_mut(&owner) {
            Some(found) => found,
            None => {
                let copy = match &owner {
                    Owner::Session(id) => Owner::Session(id.clone()),
                    Owner::User(id) => Owner::User(id.clone()),
                    Owner::Anonymous(id) => Owner::Anonymous(id.clone()),
                    Owner::Nobody(position) => Owner::Nobody(*position),
                };
                groups.push((copy, Vec::new()));
                group_of.entry(owner).or_insert((next, i64::MIN))
            }
        };
        if event.timestamp < *latest {
            problems.push(
                Problem::new(Rule::OutOfOrder, Action::Repaired, position as u64 + 1)
                    .field("timestamp")
                    .detail(event.timestamp),
            );
        }
        *latest = (*latest).max(event.timestamp);
        if let Some((_, list)) = groups.get_mut(*group) {
            list.push(event);
        }
    }
    drop(group_of);

    let mut names = Names::new(&groups);
    let mut sessions = Vec::new();
    for (owner, mut events) in groups {
        events.sort_by_key(|event| event.timestamp);
        match owner {
            Owner::Session(id) => sessions.extend(session(id, events)),
            Owner::User(user) | Owner::Anonymous(user) => {
                for visit in split(events, &begins) {
                    sessions.extend(session(names.next(&user), visit));
                }
            }
            Owner::Nobody(_) => sessions.extend(session(names.next("anonymous"), events)),
        }
    }
    sessions.sort_by(|a, b| a.start.cmp(&b.start).then_with(|| a.id.cmp(&b.id)));
    (sessions, problems)
}

fn split(events: Vec<Event>, begins: &impl Fn(i64, i64) -> bool) -> Vec<Vec<Event>> {
    let mut visits: Vec<Vec<Event>> = Vec::new();
    let mut before = None;
    for event in events {
        let goes_on = before.is_some_and(|before| !begins(before, event.timestamp));
        before = Some(event.timestamp);
        match visits.last_mut() {
            Some(visit) if goes_on => visit.push(event),
            _ => visits.push(vec![event]),
        }
    }
    visits
}

fn session(id: String, events: Vec<Event>) -> Option<Session> {
    let first = events.first()?;
    let user = events.iter().find_map(|event| event.user_id.clone());
    Some(Session {
        id,
        user: user.or_else(|| events.iter().find_map(|event| event.anonymous_id.clone())),
        start: first.timestamp,
        context: first.context.clone(),
        outcome: None,
        events,
    })
}

/// Names sessions `user#1`, `user#2`, … without meeting an identifier of the shop's own.
struct Names {
    taken: HashSet<String>,
    count: BTreeMap<String, usize>,
}

impl Names {
    fn new(groups: &[(Owner, Vec<Event>)]) -> Self {
        let taken = groups
            .iter()
            .filter_map(|(owner, _)| match owner {
                Owner::Session(id) if id.contains('#') => Some(id.clone()),
                _ => None,
            })
            .collect();
        Self {
            taken,
            count: BTreeMap::new(),
        }
    }

    fn next(&mut self, user: &str) -> String {
        let count = self.count.entry(user.to_owned()).or_insert(0);
        loop {
            *count += 1;
            let name = format!("{user}#{count}");
            if self.taken.insert(name.clone()) {
                return name;
            }
        }
    }
}
