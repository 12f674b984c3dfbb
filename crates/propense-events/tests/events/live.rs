//! Single events as JSON: what is accepted, what is repaired, what is set aside.

use propense_events::{Action, Event, EventKind, Limits, Problem, Rule, Value, parse_event};

fn parse(json: &str) -> (Option<Event>, Vec<Problem>) {
    parse_event(json, 7, &Limits::default())
}

#[test]
fn a_whole_ga4_event() {
    let (event, problems) = parse(
        r#"{"event": "add_to_cart", "timestamp": 1700000000000, "user_id": 17, "session_id": "s",
            "page_type": "product", "value": 5.1, "currency": "GBP",
            "items": [{"item_id": "85123A", "item_name": "Heart", "item_category": "Hearts",
                       "price": 2.55, "quantity": 2, "item_brand": "x"}],
            "context": {"device": "phone", "visits": 3, "new": false, "nothing": null}}"#,
    );
    let event = event.expect("kept");
    assert_eq!(problems, []);
    assert_eq!(event.kind, EventKind::AddToCart);
    assert_eq!(event.user_id.as_deref(), Some("17"));
    assert_eq!(event.items[0].quantity, Some(2.0));
    assert_eq!(event.context.len(), 3);
    assert_eq!(event.context.get("visits"), Some(&Value::Number(3.0)));
}

/// All that GA4 has beside the basics, at the top or nested.
#[test]
fn the_fields_of_orders_searches_and_reviews() {
    let rows = [
        (r#""user_pseudo_id": "a.1""#, "anonymous_id"),
        (r#""anonymous_id": 7"#, "anonymous_id"),
        (r#""currency": "GBP""#, "currency"),
        (r#""ecommerce": {"currency": "GBP"}"#, "currency"),
        (r#""ecommerce": {"transaction_id": 1000}"#, "transaction_id"),
        (r#""params": {"transaction_id": "T-1"}"#, "transaction_id"),
        (r#""params": {"search_term": "red heart"}"#, "search_term"),
        (r#""search_term": "red heart""#, "search_term"),
        (r#""rating": 4"#, "rating"),
        (r#""params": {"rating": 4.5}"#, "rating"),
    ];
    for (extra, field) in rows {
        let (event, problems) = parse(&format!(
            r#"{{"event": "purchase", "timestamp": 1700000000000, {extra}}}"#
        ));
        assert_eq!(problems, [], "{extra}");
        let event = serde_json::to_value(event.expect("kept")).expect("JSON");
        assert!(event.get(field).is_some(), "{extra}: {event}");
    }
}

#[test]
fn category_levels_become_a_path() {
    let rows = [
        (r#""item_category": "Home""#, Some("Home")),
        (
            r#""item_category": "Home", "item_category2": "Decoration", "item_category3": "Hearts",
               "item_category4": "Red", "item_category5": "Small""#,
            Some("Home/Decoration/Hearts/Red/Small"),
        ),
        (
            r#""item_category": "Home", "item_category3": "Hearts""#,
            Some("Home/Hearts"),
        ),
        (r#""item_category": "", "item_category2": 5"#, Some("5")),
        (
            r#""item_category": "Home/Decoration""#,
            Some("Home/Decoration"),
        ),
        (r#""item_name": "Heart""#, None),
    ];
    for (fields, expected) in rows {
        let (event, _) = parse(&format!(
            r#"{{"event": "view_item", "timestamp": 1700000000000,
                "items": [{{"item_id": "A", "item_brand": "Heartwood", {fields}}}]}}"#
        ));
        let event = event.expect("kept");
        assert_eq!(
            event.items[0].item_category.as_deref(),
            expected,
            "{fields}"
        );
        assert_eq!(event.items[0].item_brand.as_deref(), Some("Heartwood"));
    }
}

#[test]
fn the_shapes_that_shops_push() {
    for json in [
        r#"{"event_name": "purchase", "timestamp": 1700000000000,
            "ecommerce": {"value": 3, "items": [{"item_id": "A"}]}}"#,
        r#"{"name": "purchase", "timestamp": 1700000000000,
            "params": {"value": 3, "items": [{"item_id": "A"}]}}"#,
    ] {
        let (event, problems) = parse(json);
        let event = event.expect("kept");
        assert_eq!(problems, []);
        assert_eq!(event.kind, EventKind::Purchase);
        assert_eq!(event.value, Some(3.0));
        assert_eq!(event.items[0].item_id, "A");
    }
}

#[test]
fn a_word_of_the_shops_own_is_kept_as_other() {
    let (event, problems) = parse(r#"{"event": "spin_wheel", "timestamp": 1700000000000}"#);
    assert_eq!(event.map(|event| event.kind), Some(EventKind::Other));
    assert_eq!(problems, []);
}

#[test]
fn what_is_set_aside() {
    let rows = [
        ("", Rule::Malformed),
        ("{", Rule::Malformed),
        ("[]", Rule::Malformed),
        ("null", Rule::Malformed),
        (r#"{"timestamp": 1700000000000}"#, Rule::MissingField),
        (
            r#"{"event": 3, "timestamp": 1700000000000}"#,
            Rule::MissingField,
        ),
        (r#"{"event": "search"}"#, Rule::MissingField),
        (
            r#"{"event": "search", "timestamp": null}"#,
            Rule::MissingField,
        ),
        (
            r#"{"event": "search", "timestamp": "soon"}"#,
            Rule::AbsurdTimestamp,
        ),
        (
            r#"{"event": "search", "timestamp": []}"#,
            Rule::AbsurdTimestamp,
        ),
        (
            r#"{"event": "search", "timestamp": 0}"#,
            Rule::AbsurdTimestamp,
        ),
        (
            r#"{"event": "search", "timestamp": 1700000000}"#,
            Rule::AbsurdTimestamp,
        ),
        (
            r#"{"event": "search", "timestamp": -1e300}"#,
            Rule::AbsurdTimestamp,
        ),
    ];
    for (json, rule) in rows {
        let (event, problems) = parse(json);
        assert_eq!(event, None, "{json}");
        assert_eq!(problems.len(), 1, "{json}");
        assert_eq!(
            (problems[0].rule, problems[0].action),
            (rule, Action::Rejected),
            "{json}"
        );
        assert_eq!(problems[0].row, 7);
    }
}

#[test]
fn the_future_has_the_bound_that_the_caller_sets() {
    let limits = Limits {
        latest: 1_700_000_000_000,
        ..Limits::default()
    };
    for (timestamp, kept) in [(1_700_000_000_000_i64, true), (1_700_000_000_001, false)] {
        let json = format!(r#"{{"event": "search", "timestamp": {timestamp}}}"#);
        assert_eq!(parse_event(&json, 1, &limits).0.is_some(), kept);
    }
}

/// Large integers are not taken through a float, which would change them.
#[test]
fn timestamps_are_read_exactly() {
    for (json, expected) in [
        ("9016149579944787", 9_016_149_579_944_787),
        ("1700000000000.75", 1_700_000_000_000),
        ("1.7e12", 1_700_000_000_000),
        ("\"9016149579944787\"", 9_016_149_579_944_787),
        ("\"1.7e12\"", 1_700_000_000_000),
    ] {
        let (event, _) = parse(&format!(r#"{{"event": "search", "timestamp": {json}}}"#));
        assert_eq!(event.map(|event| event.timestamp), Some(expected), "{json}");
    }
}

#[test]
fn what_is_repaired() {
    let base =
        |extra: &str| format!(r#"{{"event": "search", "timestamp": 1700000000000, {extra}}}"#);
    let long = "x".repeat(600);
    let rows = [
        (base(r#""value": "5.5""#), Rule::WrongType),
        (base(r#""value": {}"#), Rule::WrongType),
        (base(r#""value": -1"#), Rule::AbsurdPrice),
        (base(r#""user_id": {}"#), Rule::WrongType),
        (base(r#""items": "A""#), Rule::WrongType),
        (base(r#""items": ["A"]"#), Rule::WrongType),
        (base(r#""items": [{"price": 1}]"#), Rule::MissingField),
        (
            base(r#""items": [{"item_id": "A", "price": "NaN"}]"#),
            Rule::WrongType,
        ),
        (
            base(r#""items": [{"item_id": "A", "quantity": 0}]"#),
            Rule::AbsurdQuantity,
        ),
        (base(r#""rating": 6"#), Rule::AbsurdNumber),
        (base(r#""rating": "5""#), Rule::WrongType),
        (base(r#""currency": ["GBP"]"#), Rule::WrongType),
        (base(r#""context": [1]"#), Rule::WrongType),
        (base(r#""context": {"a": [1]}"#), Rule::WrongType),
        (
            base(&format!(r#""page_type": "{long}""#)),
            Rule::TextTooLong,
        ),
        (
            base(&format!(r#""context": {{"{long}": 1}}"#)),
            Rule::TextTooLong,
        ),
        (
            r#"{"event": "search", "timestamp": "1700000000000"}"#.to_owned(),
            Rule::WrongType,
        ),
        (
            r#"{"event": "search", "timestamp": "2023-11-14T22:13:20Z"}"#.to_owned(),
            Rule::WrongType,
        ),
    ];
    for (json, rule) in rows {
        let (event, problems) = parse(&json);
        let event = event.unwrap_or_else(|| panic!("{json}: {problems:?}"));
        assert_eq!(event.timestamp, 1_700_000_000_000, "{json}");
        let problem = problems.first().unwrap_or_else(|| panic!("{json}"));
        assert_eq!(
            (problem.rule, problem.action),
            (rule, Action::Repaired),
            "{json}"
        );
    }
}

#[test]
fn a_number_written_as_text_is_read() {
    let (event, _) = parse(
        r#"{"event": "view_item", "timestamp": "1700000000000", "value": " 5.5 ",
            "items": [{"item_id": "A", "price": "2.55", "quantity": "3"}, {"item_name": "Only a name"}]}"#,
    );
    let event = event.expect("kept");
    assert_eq!(event.value, Some(5.5));
    assert_eq!(event.items[0].price, Some(2.55));
    assert_eq!(event.items[0].quantity, Some(3.0));
    assert_eq!(event.items[1].item_id, "Only a name");
}

#[test]
fn too_many_items_are_cut_without_reading_them_all() {
    let items = vec![r#"{"item_id":"A"}"#; 5000].join(",");
    let json = format!(r#"{{"event":"purchase","timestamp":1700000000000,"items":[{items}]}}"#);
    let (event, problems) = parse(&json);
    assert_eq!(event.map(|event| event.items.len()), Some(1000));
    assert_eq!(problems.len(), 1);
    assert_eq!(
        (problems[0].rule, problems[0].detail.as_str()),
        (Rule::TooManyItems, "5000")
    );
}
