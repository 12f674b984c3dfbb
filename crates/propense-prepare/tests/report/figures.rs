//! Figures of small tables by hand, however the table is cut.

use propense_events::EventKind;
use propense_prepare::report::{DataReport, Intake, Measure};

use crate::shop::{DAY, HOUR, Line, MONDAY, batch, healthy, intake, lines, report_of};

/// `user session event_no minutes kind item price`, `-` for nothing.
fn table(text: &str) -> Vec<Line> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let text = |place: usize| Some(words[place].to_owned()).filter(|word| word != "-");
            Line {
                user: text(0),
                session: words[1].to_owned(),
                event_no: words[2].parse().expect("a number"),
                time: MONDAY + words[3].parse::<i64>().expect("minutes") * 60_000,
                kind: Some(EventKind::from_name(words[4])),
                item: text(5),
                price: text(6).map(|price| price.parse().expect("a price")),
                quantity: text(5).map(|_| 2.0),
                ..Line::default()
            }
        })
        .collect()
}

const SMALL: &str = "
    ann a#1 1    0 view_item   x 2.5
    ann a#1 2   10 add_to_cart x 2.5
    ann a#1 3   12 purchase    x 2.5
    ann a#1 3   12 purchase    y 4
    ann a#2 1 1500 view_item   y -
    bob b#1 1   20 page_view   - -
    bob b#1 2   21 view_item   x 2.5
    -   c   1   30 purchase    x 2.5
";

fn small() -> DataReport {
    report_of(&table(SMALL), 3, intake(8))
}

#[test]
fn totals() {
    let totals = small().totals;
    let found = [
        totals.lines,
        totals.events,
        totals.sessions,
        totals.order_sessions,
        totals.orders,
        totals.visitors,
    ];
    assert_eq!(found, [8, 7, 4, 2, 2, 3]);
}

#[test]
fn sessions_and_visitors() {
    let report = small();
    assert_eq!(
        (report.sessions.single, report.sessions.orders_unseen),
        (2, 1)
    );
    assert_eq!(
        (report.sessions.events.max, report.sessions.events.median()),
        (3.0, 1.0)
    );
    assert_eq!(report.sessions.seconds.max, 720.0);
    let visitors = &report.visitors;
    assert_eq!(
        (visitors.users, visitors.anonymous, visitors.unknown),
        (2, 0, 1)
    );
    assert_eq!((visitors.returning, visitors.buyers), (1, 2));
    let top = &visitors.top[0];
    assert_eq!((&*top.id, top.events, top.orders), ("ann", 4, 1));
    let balance = &report.balance;
    assert_eq!((balance.with_order, balance.with_history), (2, 1));
    let prefixes: Vec<(u64, u64)> = balance
        .prefixes
        .iter()
        .map(|prefix| (prefix.examples, prefix.positives))
        .collect();
    assert_eq!(prefixes, [(2, 1), (0, 0), (0, 0), (0, 0)]);
}

#[test]
fn kinds_funnel_and_what_is_missing() {
    let report = small();
    let kinds: Vec<(&str, u64, u64)> = report
        .kinds
        .iter()
        .map(|kind| (&*kind.kind, kind.events, kind.lines))
        .collect();
    let expected = [
        ("view_item", 3, 3),
        ("purchase", 2, 3),
        ("page_view", 1, 1),
        ("add_to_cart", 1, 1),
    ];
    assert_eq!(kinds, expected);
    let funnel: Vec<(&str, u64, u64)> = report
        .funnel
        .iter()
        .map(|step| (&*step.name, step.sessions, step.in_order))
        .collect();
    let expected = [
        ("visit", 4, 4),
        ("view", 3, 3),
        ("cart", 1, 1),
        ("checkout", 0, 0),
        ("purchase", 2, 1),
    ];
    assert_eq!(funnel, expected);
    let price = report
        .missing
        .columns
        .iter()
        .position(|column| column == "price")
        .expect("price");
    let missing: Vec<(&str, u64, u64)> = report
        .missing
        .rows
        .iter()
        .map(|row| (&*row.kind, row.lines, row.missing[price]))
        .collect();
    let expected = [
        ("all", 8, 2),
        ("page_view", 1, 1),
        ("view_item", 3, 1),
        ("add_to_cart", 1, 0),
        ("purchase", 3, 0),
    ];
    assert_eq!(missing, expected);
}

#[test]
fn items_prices_and_orders() {
    let report = small();
    let items = &report.items;
    assert_eq!(
        (items.distinct, items.ordered, items.interactions),
        (2, 2, 7)
    );
    assert_eq!(
        (
            &*items.top[0].name,
            items.top[0].lines,
            items.top[0].ordered
        ),
        ("x", 5, 2)
    );
    let values = |name: &str| report.feature(name).expect("a feature").values.clone();
    assert_eq!((values("price").count, values("price").missing), (6, 1));
    assert_eq!(
        (
            values("gap").count,
            values("gap").missing,
            values("gap").max
        ),
        (3, 4, 600.0)
    );
    // 2 × 2.5 + 2 × 4, and 2 × 2.5
    assert_eq!(
        (values("order_value").max, values("order_value").min),
        (13.0, 5.0)
    );
    assert_eq!(values("order_units").max, 4.0);
}

#[test]
fn time() {
    let report = small();
    let slots: Vec<(&str, u64, u64, u64)> = report
        .volumes
        .slots
        .iter()
        .map(|slot| (&*slot.start, slot.events, slot.orders, slot.sessions))
        .collect();
    assert_eq!(
        slots,
        [("2024-03-04 00:00", 6, 2, 3), ("2024-03-05 01:00", 1, 0, 1)]
    );
    assert_eq!(
        (
            report.week[0],
            report.week[25],
            report.week.iter().sum::<u64>()
        ),
        (6, 1, 7)
    );
    // In a shop an hour ahead everything is an hour later.
    let mut ahead = Measure::new(&[60]);
    ahead.push(&batch(&table(SMALL))).expect("the table");
    let ahead = ahead.report(Intake::default());
    assert_eq!((ahead.week[1], ahead.week[26]), (6, 1));
}

#[test]
fn sessions_of_one_visitor_may_alternate() {
    let report = report_of(
        &table(
            "
            ann a 1 0 view_item x -
            ann b 1 1 view_item x -
            ann a 2 2 purchase  x -
            ann b 2 3 view_item x -
            ",
        ),
        2,
        intake(4),
    );
    assert_eq!((report.totals.sessions, report.totals.events), (2, 4));
    assert_eq!(
        (report.totals.order_sessions, report.sessions.events.max),
        (1, 2.0)
    );
}

#[test]
fn a_visitor_with_very_many_open_sessions_is_held() {
    let mut lines = Vec::new();
    for session in 0..20_000 {
        lines.push(Line {
            time: MONDAY + session * 1000,
            kind: Some(EventKind::ViewItem),
            user: Some("robot".to_owned()),
            session: format!("{session}"),
            event_no: 1,
            ..Line::default()
        });
    }
    let report = report_of(&lines, 4096, intake(lines.len()));
    assert_eq!(
        (report.totals.sessions, report.totals.visitors),
        (20_000, 1)
    );
}

#[test]
fn drift_splits_at_70_and_85_percent_of_the_sessions() {
    let mut lines = Vec::new();
    for session in 0..100_i64 {
        lines.push(Line {
            time: MONDAY + session * HOUR,
            kind: Some(if session >= 85 {
                EventKind::Purchase
            } else {
                EventKind::ViewItem
            }),
            user: Some(format!("{session:03}")),
            session: format!("{session}"),
            event_no: 1,
            ..Line::default()
        });
    }
    let drift = report_of(&lines, 7, intake(100))
        .drift
        .expect("three parts");
    let parts: Vec<(&str, u64, u64)> = drift
        .parts
        .iter()
        .map(|part| (&*part.name, part.sessions, part.order_sessions))
        .collect();
    assert_eq!(
        parts,
        [("train", 70, 0), ("validation", 15, 0), ("test", 15, 15)]
    );
    let label = &drift.features[0];
    assert!(label.validation < 0.05 && label.test > 1.0, "{label:?}");
    let weekday = drift
        .features
        .iter()
        .find(|feature| feature.feature == "weekday");
    assert!(!weekday.expect("weekday").comparable);
}

#[test]
fn the_cut_of_the_table_changes_nothing() {
    let lines = lines(&healthy()[..600]);
    let whole = report_of(&lines, usize::MAX, intake(lines.len()));
    for size in [1, 17, 1000] {
        assert_eq!(
            report_of(&lines, size, intake(lines.len())),
            whole,
            "{size}"
        );
    }
    // In parts, each cut between two visitors.
    for cut in [1, 300, 900] {
        let cut = (cut..)
            .find(|at| lines[*at].user != lines[at - 1].user)
            .expect("a border");
        let part = |lines: &[Line]| {
            let mut measure = Measure::new(&[0]);
            measure.push(&batch(lines)).expect("the table");
            measure
        };
        let mut measure = part(&lines[..cut]);
        measure.merge(part(&lines[cut..]));
        let mut found = measure.report(intake(lines.len()));
        // Sums of fractions depend on their order in the last digit.
        for (found, whole) in found.features.iter_mut().zip(&whole.features) {
            assert!((found.values.mean - whole.values.mean).abs() < 1e-9);
            found.values.mean = whole.values.mean;
        }
        found.sessions.seconds.mean = whole.sessions.seconds.mean;
        assert_eq!(found, whole);
    }
}

#[test]
fn a_long_time_is_told_by_days() {
    let report = report_of(&lines(&healthy()), 1000, intake(1));
    assert_eq!(
        (report.volumes.slot_hours, report.volumes.slots.len()),
        (24, 63)
    );
    let span = report.span.expect("a span");
    assert_eq!(
        (span.first_day, span.last_day - span.first_day),
        (MONDAY / DAY, 62)
    );
}
