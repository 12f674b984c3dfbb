//! Only what had ended before a session began may describe it.

use propense_events::{Context, EventKind, Session, Value};
use propense_features::UserHistory;

use crate::{event, session};

fn visit(id: &str, user: &str, kinds: &[(EventKind, i64)]) -> Session {
    let mut visit = session(
        kinds
            .iter()
            .map(|(kind, seconds)| event(*kind, *seconds))
            .collect(),
    );
    visit.id = id.to_owned();
    visit.user = (!user.is_empty()).then(|| user.to_owned());
    visit
}

fn number(context: &Context, key: &str) -> Option<f64> {
    match context.get(key)? {
        Value::Number(number) => Some(*number),
        other => panic!("{key}: {other:?}"),
    }
}

const DAY: i64 = 86_400;

#[test]
fn the_past_adds_up() {
    let mut order = visit(
        "2",
        "ann",
        &[(EventKind::AddToCart, DAY), (EventKind::Purchase, DAY + 60)],
    );
    order.events[1].value = Some(12.5);
    let mut sessions = vec![
        visit(
            "1",
            "ann",
            &[(EventKind::ViewItem, 0), (EventKind::AddToWishlist, 30)],
        ),
        order,
        visit("3", "ann", &[(EventKind::Refund, 2 * DAY)]),
        visit("4", "ann", &[(EventKind::Search, 3 * DAY)]),
        visit("5", "bob", &[(EventKind::Search, 3 * DAY)]),
        visit("6", "", &[(EventKind::Search, 3 * DAY)]),
    ];
    UserHistory::annotate(&mut sessions);
    let expected = [
        ("prior_sessions", [0.0, 1.0, 2.0, 3.0, 0.0]),
        ("prior_events", [0.0, 2.0, 4.0, 5.0, 0.0]),
        ("prior_views", [0.0, 1.0, 1.0, 1.0, 0.0]),
        ("prior_wishlist", [0.0, 1.0, 1.0, 1.0, 0.0]),
        ("prior_carts", [0.0, 0.0, 1.0, 1.0, 0.0]),
        ("prior_purchases", [0.0, 0.0, 1.0, 1.0, 0.0]),
        ("prior_refunds", [0.0, 0.0, 0.0, 1.0, 0.0]),
        ("prior_spend", [0.0, 0.0, 12.5, 12.5, 0.0]),
    ];
    for (key, numbers) in expected {
        let found: Vec<_> = sessions[..5]
            .iter()
            .filter_map(|s| number(&s.context, key))
            .collect();
        assert_eq!(found, numbers, "{key}");
    }
    let last = &sessions[3].context;
    assert_eq!(number(last, "prior_conversion"), Some(1.0 / 3.0));
    assert_eq!(number(last, "days_since_session"), Some(1.0));
    assert_eq!(
        number(last, "days_since_purchase"),
        Some(2.0 - 60.0 / DAY as f64)
    );
    let first = &sessions[0].context;
    for key in [
        "prior_conversion",
        "days_since_session",
        "days_since_purchase",
    ] {
        assert_eq!(number(first, key), None, "{key}");
    }
    // Nobody's past is not known to be empty.
    assert!(sessions[5].context.is_empty());
}

#[test]
fn recency_frequency_and_value() {
    let mut first = visit(
        "1",
        "ann",
        &[(EventKind::Search, 0), (EventKind::Purchase, 60)],
    );
    first.events[1].value = Some(10.0);
    let mut fourth = visit("4", "ann", &[(EventKind::Purchase, 10 * DAY + 60)]);
    fourth.events[0].value = Some(30.0);
    let mut sessions = vec![
        first,
        visit("2", "ann", &[(EventKind::AddToCart, 2 * DAY)]),
        // Of unknown value: it counts as an order, but not in the mean.
        visit("3", "ann", &[(EventKind::Purchase, 4 * DAY + 60)]),
        fourth,
        visit("5", "ann", &[(EventKind::Search, 11 * DAY + 60)]),
        visit("6", "ann", &[(EventKind::Search, 31 * DAY)]),
        visit("7", "ann", &[(EventKind::Search, 90 * DAY)]),
    ];
    UserHistory::annotate(&mut sessions);
    let no = None;
    let some = Some;
    let expected = [
        (
            "prior_searches",
            [0, 1, 1, 1, 1, 2, 3].map(|n| some(f64::from(n))),
        ),
        (
            "prior_abandoned",
            [0, 0, 1, 1, 1, 1, 1].map(|n| some(f64::from(n))),
        ),
        (
            "prior_order_value",
            [
                no,
                some(10.0),
                some(10.0),
                some(10.0),
                some(20.0),
                some(20.0),
                some(20.0),
            ],
        ),
        (
            "days_between_orders",
            [no, no, no, some(4.0), some(5.0), some(5.0), some(5.0)],
        ),
        (
            "sessions_7_days",
            [0, 1, 2, 1, 2, 0, 0].map(|n| some(f64::from(n))),
        ),
        (
            "sessions_30_days",
            [0, 1, 2, 3, 4, 4, 0].map(|n| some(f64::from(n))),
        ),
    ];
    for (key, numbers) in expected {
        let found = sessions.iter().map(|s| number(&s.context, key));
        assert_eq!(found.collect::<Vec<_>>(), numbers, "{key}");
    }
    let last = &sessions[6].context;
    assert_eq!(number(last, "days_since_first_session"), Some(90.0));
    assert_eq!(number(last, "days_since_cart"), Some(88.0));
    assert_eq!(number(&sessions[0].context, "days_since_cart"), None);
}

#[test]
fn every_key_is_listed() {
    let mut session = visit(
        "1",
        "ann",
        &[
            (EventKind::AddToCart, 0),
            (EventKind::Purchase, 10),
            (EventKind::Purchase, DAY),
            (EventKind::Review, DAY),
        ],
    );
    session.events[1].value = Some(1.0);
    session.events[3].rating = Some(4.0);
    let mut history = UserHistory::new();
    history.add(&session);
    let mut context = Context::new();
    history.write(session.start + 2 * DAY * 1000, &mut context);
    assert_eq!(number(&context, "prior_rating"), Some(4.0));
    let mut listed = [&UserHistory::BASE_KEYS[..], &UserHistory::MORE_KEYS].concat();
    listed.sort_unstable();
    assert_eq!(context.keys().collect::<Vec<_>>(), listed);
}

#[test]
fn a_session_still_open_does_not_count() {
    let mut sessions = vec![
        visit(
            "long",
            "ann",
            &[(EventKind::ViewItem, 0), (EventKind::Purchase, 1000)],
        ),
        visit("inside", "ann", &[(EventKind::ViewItem, 500)]),
        visit("at the end", "ann", &[(EventKind::ViewItem, 1000)]),
        visit("after", "ann", &[(EventKind::ViewItem, 1001)]),
    ];
    UserHistory::annotate(&mut sessions);
    let purchases: Vec<_> = sessions
        .iter()
        .filter_map(|s| number(&s.context, "prior_purchases"))
        .collect();
    assert_eq!(purchases, [0.0, 0.0, 0.0, 1.0]);
    let prior: Vec<_> = sessions
        .iter()
        .filter_map(|s| number(&s.context, "prior_sessions"))
        .collect();
    assert_eq!(prior, [0.0, 0.0, 1.0, 3.0]);
}

#[test]
fn the_future_changes_nothing() {
    let make = |count: usize| -> Vec<Session> {
        let kinds = [
            EventKind::ViewItem,
            EventKind::AddToCart,
            EventKind::Purchase,
        ];
        (0..count)
            .map(|n| visit(&n.to_string(), "ann", &[(kinds[n % 3], n as i64 * 700)]))
            .collect()
    };
    let mut all = make(30);
    UserHistory::annotate(&mut all);
    for count in 0..30 {
        let mut some = make(count);
        UserHistory::annotate(&mut some);
        assert_eq!(some[..], all[..count]);
        // Nor does the order in the list.
        let mut reversed = make(count);
        reversed.reverse();
        UserHistory::annotate(&mut reversed);
        reversed.reverse();
        assert_eq!(reversed, some);
    }
}

#[test]
fn streaming_equals_annotating() {
    let mut sessions: Vec<Session> = (0..20)
        .map(|n| {
            visit(
                &n.to_string(),
                "ann",
                &[
                    (EventKind::ViewItem, n * 100),
                    (EventKind::Purchase, n * 100 + 9),
                ],
            )
        })
        .collect();
    let mut history = UserHistory::new();
    let mut streamed = Vec::new();
    for session in &sessions {
        let mut context = Context::new();
        history.write(session.start, &mut context);
        streamed.push(context);
        history.add(session);
    }
    UserHistory::annotate(&mut sessions);
    let annotated: Vec<_> = sessions
        .into_iter()
        .map(|session| session.context)
        .collect();
    assert_eq!(streamed, annotated);
    assert_eq!(number(&annotated[0], "prior_sessions"), Some(0.0));
}
