//! Which events become one visit.

use propense_events::{Event, EventKind, Rule, Session, Value, sessionise};

const START: i64 = 1_700_000_000_000;
const GAP: i64 = 30 * 60 * 1000;

fn event(seconds: i64, user: &str, session: &str) -> Event {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Event {
        user_id: some(user),
        session_id: some(session),
        ..Event::new(EventKind::ViewItem, START + seconds * 1000)
    }
}

fn names(sessions: &[Session]) -> Vec<(&str, usize)> {
    sessions
        .iter()
        .map(|session| (session.id.as_str(), session.events.len()))
        .collect()
}

#[test]
fn a_pause_longer_than_the_gap_begins_a_new_visit() {
    let events = vec![
        event(0, "ann", ""),
        event(1800, "ann", ""),
        event(3601, "ann", ""),
        event(10, "bob", ""),
    ];
    let (sessions, problems) = sessionise(events, GAP);
    assert_eq!(names(&sessions), [("ann#1", 2), ("bob#1", 1), ("ann#2", 1)]);
    assert_eq!(problems, []);
}

#[test]
fn the_shops_own_session_knows_no_gap() {
    let events = vec![
        event(0, "ann", "s"),
        event(90_000, "", "s"),
        event(5, "ann", ""),
    ];
    let (sessions, _) = sessionise(events, GAP);
    assert_eq!(names(&sessions), [("s", 2), ("ann#1", 1)]);
    assert_eq!(sessions[0].user.as_deref(), Some("ann"));
}

#[test]
fn a_browser_is_a_visitor_until_somebody_signs_in() {
    let anonymous = |seconds, user: &str| Event {
        anonymous_id: Some("b".to_owned()),
        ..event(seconds, user, "")
    };
    let (sessions, _) = sessionise(
        vec![anonymous(0, ""), anonymous(5, ""), anonymous(6, "ann")],
        GAP,
    );
    assert_eq!(names(&sessions), [("b#1", 2), ("ann#1", 1)]);
    let users: Vec<_> = sessions.iter().map(|s| s.user.as_deref()).collect();
    assert_eq!(users, [Some("b"), Some("ann")]);

    // In one session of the shop's own, the user is who signed in.
    let mut visit = vec![anonymous(0, ""), anonymous(6, "ann")];
    for event in &mut visit {
        event.session_id = Some("s".to_owned());
    }
    let (sessions, _) = sessionise(visit, GAP);
    assert_eq!(sessions[0].user.as_deref(), Some("ann"));
}

#[test]
fn nobody_is_not_one_visitor() {
    let events = vec![event(0, "", ""), event(1, "", "")];
    let (sessions, _) = sessionise(events, GAP);
    assert_eq!(names(&sessions), [("anonymous#1", 1), ("anonymous#2", 1)]);
}

#[test]
fn names_never_meet() {
    let events = vec![
        event(0, "", "ann#1"),
        event(0, "ann", ""),
        event(9_000, "ann", ""),
        event(0, "anonymous", ""),
        event(0, "", ""),
    ];
    let (sessions, _) = sessionise(events, GAP);
    let mut ids: Vec<_> = sessions.iter().map(|session| &session.id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 5);
}

#[test]
fn disorder_is_sorted_and_reported_and_ties_keep_their_order() {
    let mut events = vec![
        event(20, "ann", ""),
        event(10, "ann", ""),
        event(15, "ann", ""),
        event(20, "ann", ""),
    ];
    events[0].page_type = Some("first".to_owned());
    events[1]
        .context
        .insert("new".to_owned(), Value::Flag(true));
    events[3].page_type = Some("second".to_owned());
    let (sessions, problems) = sessionise(events, GAP);
    let rows: Vec<_> = problems.iter().map(|p| (p.row, p.rule)).collect();
    assert_eq!(rows, [(2, Rule::OutOfOrder), (3, Rule::OutOfOrder)]);
    let pages: Vec<_> = sessions[0]
        .events
        .iter()
        .map(|e| e.page_type.as_deref())
        .collect();
    assert_eq!(pages, [None, None, Some("first"), Some("second")]);
    assert_eq!(sessions[0].start, START + 10_000);
    // What the first event knew, by time.
    assert_eq!(sessions[0].context.get("new"), Some(&Value::Flag(true)));
}
