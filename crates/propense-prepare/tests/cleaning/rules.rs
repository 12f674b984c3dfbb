//! Every rule by itself: what it takes, what it leaves, and that it can be switched off.

use propense_prepare::clean::{CleaningRule, Options, OptionsError, Period, Rules};
use propense_prepare::usual_price::UsualPrices;

use crate::table::{START, check, judged, rows, with};

#[test]
fn future_timestamp() {
    let table = "
        0     page_view | keep
        10    page_view | keep
        10.001 page_view | future_timestamp: 2024-01-01 00:00:10.001 UTC
        99    page_view | future_timestamp: 2024-01-01 00:01:39 UTC
    ";
    check(
        &with(|options| options.latest = Some(START + 10_000)),
        table,
    );
    let prepared = Options::default().prepared_at(START);
    assert_eq!(prepared.latest, Some(START + 86_400_000));
}

#[test]
fn outside_period() {
    let table = "
        9.999  page_view | outside_period: 2024-01-01 00:00:09.999 UTC
        10     page_view | keep
        19.999 page_view | keep
        20     page_view | outside_period: 2024-01-01 00:00:20 UTC
    ";
    let period = Period {
        from: START + 10_000,
        to: START + 20_000,
    };
    check(&with(|options| options.period = Some(period)), table);
}

#[test]
fn test_order() {
    check(
        &with(|_| {}),
        "
        0    purchase   item_id=x transaction_id=TEST-1 | test_order: in transaction_id of row 1
        100  view_item  item_id=TEST001                 | test_order: in item_id of row 2
        200  view_item  item_id=x item_name=Dummy~item  | test_order: in item_name of row 3
        300  view_item  item_id=x item_name=The~latest  | keep
        400  search     search_term=test                | keep
        500  purchase   item_id=x transaction_id=T1 row=6 | test_order: in item_name of row 6
        500  purchase   item_id=y item_name=a~test transaction_id=T1 row=6 | test_order: in item_name of row 6
        600  view_item_list item_id=x row=7             | keep
        600  view_item_list item_id=test row=7          | test_order: in item_id of row 7
        ",
    );
    check(
        &with(|_| {}),
        "
        0 page_view user_id=qa.test@example.com | test_order: in user_id of row 1
        9 page_view user_id=qa.test@example.com | test_order: in user_id of row 2
        ",
    );
    check(
        &with(|options| options.test_words = vec!["probe".to_owned()]),
        "
        0 view_item item_name=Probe | test_order: in item_name of row 1
        9 view_item item_name=test  | keep
        ",
    );
}

#[test]
fn duplicate() {
    check(
        &with(|_| {}),
        "
        0 view_item item_id=a price=2 | keep
        0 view_item item_id=a price=3 | double_fire: 0 ms after row 1 of source 0
        0 view_item item_id=a price=2 | duplicate: 0 ms after row 1 of source 0
        0 view_item item_id=a price=2 source=1 | duplicate: 0 ms after row 1 of source 0
        5 view_item item_id=a price=2 | keep
        ",
    );
    // Every field counts.
    for field in [
        "anonymous_id=x",
        "session_id=x",
        "item_id=x",
        "item_name=x",
        "item_category=x",
        "item_brand=x",
        "price=1",
        "quantity=1",
        "page_type=x",
        "value=1",
        "currency=EUR",
        "transaction_id=x",
        "search_term=x",
        "rating=1",
        "context={}",
    ] {
        let table = format!(
            "
            0 page_view         | keep
            0 page_view {field} | keep
            0 page_view {field} | duplicate: 0 ms after row 2 of source 0
            "
        );
        check(&off(&["double_fire", "price_unit"]), &table);
    }
}

#[test]
fn many_lines_of_one_time() {
    // More than are compared one by one: each of 50 items three times.
    let text: String = (0..150)
        .map(|line| format!("0 view_item item_id=i{}\n", line % 50))
        .collect();
    let found = judged(&rows(&text), &off(&["double_fire", "bot"]));
    for (line, verdict) in found.iter().enumerate() {
        let expected = match line {
            0..50 => "keep".to_owned(),
            _ => format!("duplicate: 0 ms after row {} of source 0", line % 50 + 1),
        };
        assert_eq!(*verdict, expected, "{line}");
    }
}

#[test]
fn repeated_order() {
    check(
        &with(|_| {}),
        "
        0    purchase item_id=x transaction_id=T1 row=1 | keep
        0    purchase item_id=y transaction_id=T1 row=1 | keep
        0    purchase item_id=y transaction_id=T1 row=1 quantity=2 | keep
        900  purchase item_id=x transaction_id=T1 row=2 | repeated_order: 900000 ms after row 1 of source 0
        900  purchase item_id=z transaction_id=T1 row=2 | keep
        950  purchase transaction_id=T1 row=3 | repeated_order: 950000 ms after row 1 of source 0
        960  purchase item_id=x transaction_id=T2 row=4 | keep
        970  purchase item_id=x row=5 | keep
        990  purchase item_id=x row=6 | keep
        995  refund item_id=x transaction_id=T1 row=7 | keep
        ",
    );
    // An order without items is the whole order.
    check(
        &with(|_| {}),
        "
        0    purchase transaction_id=T1           | keep
        900  purchase transaction_id=T1 item_id=x | repeated_order: 900000 ms after row 1 of source 0
        ",
    );
    // Words that are no order number.
    check(
        &with(|_| {}),
        "
        0    purchase item_id=x transaction_id=(not~set) | keep
        900  purchase item_id=x transaction_id=(not~set) | keep
        950  purchase item_id=x transaction_id=0 | keep
        970  purchase item_id=x transaction_id=0 | keep
        ",
    );
}

#[test]
fn repeated_order_from_a_second_source() {
    // The source that knows the visit is believed, although the order system says midnight.
    check(
        &with(|_| {}),
        "
        0     purchase  item_id=x transaction_id=T1 source=1 | repeated_order: 36060000 ms before row 3 of source 0
        36000 view_item item_id=x                            | keep
        36060 purchase  item_id=x transaction_id=T1          | keep
        ",
    );
    check(
        &with(|_| {}),
        "
        0     purchase  item_id=x transaction_id=T1 source=1 | repeated_order: 36060000 ms before row 2 of source 0
        36060 purchase  item_id=x transaction_id=T1 session_id=s | keep
        ",
    );
    // Where neither knows more, the earlier is; and the other's further items are not believed.
    check(
        &with(|_| {}),
        "
        0     purchase  item_id=x transaction_id=T1 source=1 | keep
        36060 purchase  item_id=x transaction_id=T1 source=0 row=2 | repeated_order: 36060000 ms after row 1 of source 1
        36060 purchase  item_id=y transaction_id=T1 source=0 row=2 | repeated_order: 36060000 ms after row 1 of source 1
        ",
    );
}

#[test]
fn double_fire() {
    check(
        &with(|_| {}),
        "
        0     view_item item_id=a price=1 | keep
        0.4   view_item item_id=a price=2 | double_fire: 400 ms after row 1 of source 0
        1.0   view_item item_id=a price=3 | double_fire: 1000 ms after row 1 of source 0
        1.001 view_item item_id=a         | keep
        1.2   view_item item_id=b         | keep
        1.3   view_item item_id=a         | double_fire: 299 ms after row 4 of source 0
        1.4   add_to_cart item_id=a       | keep
        1.5   view_item item_id=a page_type=quick_view | keep
        2.4   search search_term=lamp     | keep
        2.5   search search_term=lamps    | keep
        2.6   search search_term=lamp     | double_fire: 200 ms after row 9 of source 0
        2.7   purchase item_id=a transaction_id=T1 | keep
        2.8   purchase item_id=a transaction_id=T2 | keep
        ",
    );
    // Without item and page the whole context tells events apart.
    check(
        &with(|_| {}),
        r#"
        0   page_view context={"path":"/a"} | keep
        0.1 page_view context={"path":"/b"} | keep
        0.2 page_view context={"path":"/a"} | double_fire: 200 ms after row 1 of source 0
        "#,
    );
    // Of an event with several items the first one counts, and all lines go.
    check(
        &with(|_| {}),
        "
        0   view_item_list item_id=a row=1 | keep
        0   view_item_list item_id=b row=1 | keep
        0.5 view_item_list item_id=a row=2 | double_fire: 500 ms after row 1 of source 0
        0.5 view_item_list item_id=c row=2 | double_fire: 500 ms after row 1 of source 0
        0.6 view_item_list item_id=b row=3 | keep
        ",
    );
    check(
        &with(|options| options.double_fire_ms = 100),
        "
        0    page_view | keep
        0.1  page_view | double_fire: 100 ms after row 1 of source 0
        0.201 page_view | keep
        ",
    );
}

/// `count` events of a session `s`, `pause` seconds apart.
fn events(count: u32, pause: f64, start: f64) -> String {
    (0..count)
        .map(|event| {
            let time = start + f64::from(event) * pause;
            format!("{time} view_item item_id=i{event} session_id=s\n")
        })
        .collect()
}

fn all(text: &str, rules: &Rules, expected: &str) {
    let found = judged(&rows(text), rules);
    assert!(found.iter().all(|verdict| verdict == expected), "{found:?}");
}

#[test]
fn bot() {
    let rules = with(|_| {});
    all(&events(999, 20.0, 0.0), &rules, "keep");
    all(
        &events(1000, 20.0, 0.0),
        &rules,
        "bot: session of 1000 events",
    );
    all(&events(99, 0.2, 0.0), &rules, "keep");
    all(&events(100, 0.3, 0.0), &rules, "keep");
    all(
        &events(100, 0.299, 0.0),
        &rules,
        "bot: session of 100 events, median pause 299 ms",
    );
    // Times to the minute say nothing of pauses.
    all(&events(100, 0.0, 60.0), &rules, "keep");
    all(
        &events(100, 0.0, 61.0),
        &rules,
        "bot: session of 100 events, median pause 0 ms",
    );
    // Only the session, not the owner; and the lines set aside before do not count.
    let text = events(100, 0.1, 0.0) + "9000 page_view session_id=t\n";
    let found = judged(&rows(&text), &rules);
    assert_eq!(found.last().map(String::as_str), Some("keep"));
    assert_eq!(
        found
            .iter()
            .filter(|verdict| verdict.starts_with("bot"))
            .count(),
        100
    );
    let twice = events(60, 0.1, 0.0) + &events(60, 0.1, 0.0);
    let found = judged(&rows(&twice), &rules);
    assert_eq!(
        found.iter().filter(|verdict| *verdict == "keep").count(),
        60
    );
}

#[test]
fn bot_by_its_own_word() {
    for (context, expected) in [
        (r#"{"bot":true}"#, "bot: the context says bot"),
        (r#"{"a":1,"bot":"true"}"#, "bot: the context says bot"),
        (r#"{"bot":1}"#, "bot: the context says bot"),
        (r#"{"bot":false}"#, "keep"),
        (r#"{"robot":true}"#, "keep"),
        (r#"{"x":"\"bot\":true"}"#, "keep"),
        (r#"{"bot":"#, "keep"),
    ] {
        let table = format!(
            "
            0 page_view session_id=s | {expected}
            9 page_view session_id=s context={context} | {expected}
            9 page_view session_id=t | keep
            "
        );
        check(&with(|_| {}), &table);
    }
}

#[test]
fn impossible_session() {
    check(
        &with(|_| {}),
        "
        0     page_view session_id=s | keep
        86400 page_view session_id=s | keep
        ",
    );
    check(
        &with(|_| {}),
        "
        0     page_view session_id=s | impossible_session: session of 24.5 hours
        86400 page_view session_id=t | keep
        88200 page_view session_id=s | impossible_session: session of 24.5 hours
        ",
    );
    // Nobody says that a session without a visitor is not the visitor.
    check(
        &with(|_| {}),
        "
        0     page_view user_id= session_id=s | keep
        88200 page_view user_id= session_id=s | keep
        ",
    );
    // A name that an earlier preparation gave is not the shop's own.
    check(
        &with(|_| {}),
        "
        0     page_view session_id=u#3 | keep
        88200 page_view session_id=u#3 | keep
        ",
    );
    let orders = |count: u32| -> String {
        (0..count)
            .map(|order| {
                format!(
                    "{} purchase item_id=x transaction_id=T{order}\n",
                    order * 20
                )
            })
            .collect()
    };
    all(&orders(50), &with(|_| {}), "keep");
    all(
        &orders(51),
        &with(|_| {}),
        "impossible_session: session of 51 orders",
    );
    // Sixty items of one order are one order.
    let items: String = (0..60)
        .map(|item| format!("0 purchase item_id=i{item}\n"))
        .collect();
    all(&items, &with(|_| {}), "keep");
}

#[test]
fn out_of_order() {
    check(
        &with(|_| {}),
        "
        10 page_view | keep
        30 page_view | keep
        20 page_view | keep, out_of_order sorted
        5  page_view | keep, out_of_order sorted
        40 page_view source=1 row=9 | keep
        35 page_view source=1 row=8 | keep
        50 page_view | keep
        ",
    );
    // A stamp from the future that is set aside puts nobody out of order.
    check(
        &with(|options| options.latest = Some(START + 60_000)),
        "
        10 page_view | keep
        99 page_view | future_timestamp: 2024-01-01 00:01:39 UTC
        20 page_view | keep
        ",
    );
}

#[test]
fn foreign_currency() {
    let rules = with(|options| {
        options.currency = Some("EUR".to_owned());
        options.rates.insert("usd".to_owned(), 0.5);
    });
    check(
        &rules,
        "
        10 purchase item_id=x price=4 value=8 currency=EUR | keep
        20 purchase item_id=x price=4 value=8 currency=eur | keep
        30 purchase item_id=x price=4 value=8 | keep
        40 purchase item_id=x price=4 value=8 currency=USD | keep, foreign_currency price 2, foreign_currency value 4, foreign_currency currency
        50 purchase item_id=x price=4 currency=USD | keep, foreign_currency price 2, foreign_currency currency
        60 purchase item_id=x price=4 value=8 currency=JPY | keep, foreign_currency price missing, foreign_currency value missing
        70 purchase item_id=x currency=JPY | keep
        ",
    );
    check(
        &with(|_| {}),
        "10 purchase item_id=x price=4 currency=JPY | keep",
    );
}

#[test]
fn price_unit() {
    check(
        &with(|_| {}),
        "
        10 view_item item_id=a price=250   | keep, price_unit price 2.5
        20 view_item item_id=a price=255   | keep, price_unit price 2.55
        30 view_item item_id=a price=255.1 | keep
        40 view_item item_id=a price=245   | keep, price_unit price 2.45
        50 view_item item_id=a price=25    | keep
        60 view_item item_id=b price=250   | keep
        70 view_item item_id=c price=250   | keep
        80 view_item price=250             | keep
        ",
    );
    // The value goes with the prices: here with 3.00 of postage, in cents.
    check(
        &with(|_| {}),
        "
        10 purchase item_id=a price=250  quantity=2 value=1800 row=1 | keep, price_unit price 2.5, price_unit value 18
        10 purchase item_id=b price=1000 value=1800 row=1 | keep, price_unit price 10, price_unit value 18
        20 purchase item_id=a price=250 value=2.5 row=2   | keep, price_unit price 2.5
        30 purchase item_id=a price=250 value=12 row=3    | keep, price_unit price 2.5
        30 purchase item_id=b price=10  value=12 row=3    | keep
        ",
    );
    // First converted, then looked at.
    let rules = with(|options| {
        options.currency = Some("EUR".to_owned());
        options.rates.insert("GBP".to_owned(), 1.25);
    });
    check(
        &rules,
        "
        10 view_item item_id=a price=200 currency=GBP | keep, foreign_currency price 250, foreign_currency currency, price_unit price 2.5
        ",
    );
}

fn off(names: &[&str]) -> Rules {
    with(|options| {
        for name in names {
            let rule = CleaningRule::from_name(name).expect("a rule");
            options.without.insert(rule);
        }
    })
}

/// A table in which every rule finds something: each can be switched off, and then finds nothing.
#[test]
fn every_rule_can_be_switched_off() {
    let mut text = "
        10   page_view
        20   view_item item_id=x
        20   view_item item_id=x
        20.5 view_item item_id=x
        30   view_item item_id=a price=250
        25   page_view
        40   purchase item_id=x transaction_id=T1
        50   purchase item_id=x transaction_id=T1
        60   purchase item_id=x transaction_id=test
        70   view_item item_id=x price=4 currency=JPY
        80   page_view session_id=long
        90000 page_view session_id=long
        90100 page_view
        99999 page_view
    "
    .to_owned();
    text.push_str(&events(100, 0.1, 80_000.0));
    let rules = |without: Option<CleaningRule>| {
        with(|options| {
            options.currency = Some("EUR".to_owned());
            options.latest = Some(START + 90_100_000 - 1);
            options.period = Some(Period {
                from: START + 10_001,
                to: i64::MAX,
            });
            options.without.extend(without);
        })
    };
    let applied = |rules: &Rules, name: &str| {
        let found = judged(&rows(&text), rules);
        found
            .iter()
            .filter(|verdict| verdict.contains(name))
            .count()
    };
    for rule in CleaningRule::ALL {
        assert!(
            applied(&rules(None), rule.name()) > 0,
            "{rule} finds nothing"
        );
        assert_eq!(applied(&rules(Some(rule)), rule.name()), 0, "{rule} is off");
    }
}

/// `docs/cleaning.md` has a row with the bound for every rule, and a paragraph with the reason.
#[test]
fn every_rule_is_documented() {
    let page = include_str!("../../../../docs/cleaning.md");
    for rule in CleaningRule::ALL {
        for part in [format!("\n| `{rule}` | "), format!("\n**`{rule}`** ")] {
            assert!(page.contains(&part), "{part}");
        }
    }
}

#[test]
fn bounds_that_make_no_sense_are_refused() {
    let refused = |change: fn(&mut Options)| {
        let mut options = Options::default();
        change(&mut options);
        match Rules::new(options, UsualPrices::default()) {
            Err(OptionsError::Bound { rule, .. }) => rule,
            other => panic!("{other:?}"),
        }
    };
    type Spoil = fn(&mut Options);
    let rows: [(Spoil, &str); 9] = [
        (|options| options.double_fire_ms = 0, "double_fire"),
        (|options| options.bot_events = 0, "bot"),
        (|options| options.bot_fast_ms = -1, "bot"),
        (
            |options| options.session_longest_ms = 0,
            "impossible_session",
        ),
        (|options| options.sessions.gap_ms = 0, "sessions"),
        (
            |options| options.period = Some(Period { from: 2, to: 2 }),
            "outside_period",
        ),
        (
            |options| options.test_words.push("ab".to_owned()),
            "test_order",
        ),
        (
            |options| options.rates.extend([("USD".to_owned(), f64::NAN)]),
            "foreign_currency",
        ),
        (|options| options.price_factor = 1.0, "price_unit"),
    ];
    for (change, expected) in rows {
        assert_eq!(refused(change), expected);
    }
}

/// A context stands on the first line of its event, and goes to the next where that is set aside.
#[test]
fn a_context_outlives_its_line() {
    use arrow::array::AsArray;
    use propense_prepare::table::Column;

    let rows = rows(
        r#"
        0 view_item_list item_id=test context={"a":1} row=1
        0 view_item_list item_id=x row=1
        0 view_item_list item_id=y row=1
        9 view_item item_id=test context={"a":2} row=2
        9 view_item item_id=z context={"a":3} row=3
        "#,
    );
    let (batch, verdicts) = crate::table::clean(&rows, &with(|_| {}));
    assert_eq!(verdicts.contexts, [(1, 0)]);
    let moved = verdicts.move_contexts(&batch).expect("the staged table");
    let contexts = moved.column_by_name(Column::Context.name());
    let contexts: Vec<Option<&str>> = contexts
        .expect("the contexts")
        .as_string::<i32>()
        .iter()
        .collect();
    assert_eq!(contexts[1..3], [Some(r#"{"a":1}"#), None]);
    assert_eq!(contexts[4], Some(r#"{"a":3}"#));
}
