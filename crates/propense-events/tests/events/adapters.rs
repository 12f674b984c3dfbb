//! One small file for each format: what comes out, whatever its line ends and column order.

use propense_events::{EventKind, Format, Mapping, Problem, Rule, Table, Value};

use crate::{
    fixtures::{FIXTURES, is_named_table},
    read, read_bytes,
};

fn fixture(format: Format) -> Table {
    let (_, text) = FIXTURES
        .into_iter()
        .find(|(found, _)| *found == format)
        .expect("a fixture");
    read(text, Some(format)).expect("a readable fixture")
}

fn rules(problems: &[Problem]) -> Vec<(u64, Rule)> {
    problems.iter().map(|p| (p.row, p.rule)).collect()
}

#[test]
fn each_format_is_recognised_and_read_the_same_in_any_dress() {
    for (format, text) in FIXTURES {
        let plain = read(text, None).expect("recognised");
        assert_eq!(plain.format, format);
        for (dress, text) in [
            ("CRLF", text.replace('\n', "\r\n")),
            ("byte-order mark", format!("\u{feff}{text}")),
            ("blank lines at the end", format!("{text}\n\n")),
            ("no last line end", text.trim_end().to_owned()),
        ] {
            let table = read(&text, None).expect(dress);
            assert_eq!(table, plain, "{format}, {dress}");
        }
    }
}

/// The page says of every format what it is recognised by and what becomes of its fields.
#[test]
fn each_format_is_documented() {
    let page = include_str!("../../../../docs/formats.md");
    for format in Format::ALL {
        assert!(page.contains(&format!("\n## {format}\n")), "{format}");
    }
}

#[test]
fn columns_may_stand_in_another_order_and_among_others() {
    for (format, text) in FIXTURES {
        if !is_named_table(text) {
            continue;
        }
        let plain = read(text, None).expect("recognised");
        let mut reader = csv_rows(text);
        let width = reader[0].len();
        // Short rows are padded, so that each field stays under its name.
        for (number, row) in reader.iter_mut().enumerate() {
            if row.len() < width {
                continue;
            }
            row.push(if number == 0 {
                "extra".into()
            } else {
                "7".into()
            });
            row.reverse();
        }
        let rows: Vec<String> = reader
            .iter()
            .map(|row| {
                let fields: Vec<String> = row
                    .iter()
                    .map(|field| format!("\"{}\"", field.replace('"', "\"\"")))
                    .collect();
                fields.join(",")
            })
            .collect();
        let table = read(&rows.join("\n"), None).expect("recognised");
        assert_eq!(table.events, plain.events, "{format}");
        assert_eq!(table.sessions, plain.sessions, "{format}");
        assert_eq!(table.rejected, plain.rejected, "{format}");
    }
}

/// A second, independent reading of CSV, enough for the fixtures.
fn csv_rows(text: &str) -> Vec<Vec<String>> {
    text.lines()
        .map(|line| {
            let mut fields = vec![String::new()];
            let mut quoted = false;
            let mut letters = line.chars().peekable();
            while let Some(letter) = letters.next() {
                match letter {
                    '"' if quoted && letters.peek() == Some(&'"') => {
                        letters.next();
                        fields.last_mut().expect("a field").push('"');
                    }
                    '"' => quoted = !quoted,
                    ',' if !quoted => fields.push(String::new()),
                    other => fields.last_mut().expect("a field").push(other),
                }
            }
            fields
        })
        .collect()
}

#[test]
fn online_retail() {
    let table = fixture(Format::OnlineRetail);
    assert_eq!((table.rows, table.kept, table.rejected), (6, 4, 2));
    assert_eq!(
        rules(&table.problems),
        [
            (4, Rule::AbsurdPrice),
            (6, Rule::LeftOut),
            (7, Rule::LeftOut)
        ]
    );
    let [order, anonymous, refund] = table.events.as_slice() else {
        panic!("three invoices, not {}", table.events.len());
    };
    assert_eq!(order.kind, EventKind::Purchase);
    assert_eq!(order.timestamp, 1_291_191_960_000);
    assert_eq!(order.user_id.as_deref(), Some("17850"));
    assert_eq!(order.items.len(), 2);
    assert_eq!(order.items[0].item_name.as_deref(), Some("HEART, WHITE"));
    assert_eq!(order.value, Some(6.0 * 2.55 + 2.0 * 3.0));
    assert_eq!(
        order.context.get("country"),
        Some(&Value::Category("United Kingdom".to_owned()))
    );
    assert_eq!(anonymous.user_id, None);
    assert_eq!(anonymous.items[0].price, None);
    assert_eq!(refund.kind, EventKind::Refund);
    assert_eq!(refund.items[0].quantity, Some(1.0));
    assert_eq!(refund.value, Some(2.55));
}

#[test]
fn online_retail_two_names_its_columns_otherwise() {
    let text = "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country\n\
                489434,85048,LIGHTS,12,12/1/2009 7:45,6.95,13085,France\n";
    let table = read(text, None).expect("recognised");
    assert_eq!(table.format, Format::OnlineRetail);
    assert_eq!(table.events[0].user_id.as_deref(), Some("13085"));
    assert_eq!(table.events[0].timestamp, 1_259_653_500_000);
}

#[test]
fn a_visit_that_is_going_on_has_no_revenue_and_no_page_value() {
    let (_, text) = FIXTURES
        .into_iter()
        .find(|(found, _)| *found == Format::OnlineShoppers)
        .expect("a fixture");
    let without = |line: &str| -> String {
        let cells: Vec<&str> = line.split(',').collect();
        let kept = cells
            .iter()
            .enumerate()
            .filter(|(place, _)| ![8, 17].contains(place));
        kept.map(|(_, cell)| *cell).collect::<Vec<_>>().join(",") + "\n"
    };
    let lines: String = text.lines().take(3).map(without).collect();
    let table = read(&lines, None).expect("readable");
    assert_eq!((table.rows, table.kept), (2, 2));
    assert!(
        table
            .sessions
            .iter()
            .all(|session| session.outcome.is_none())
    );
    assert_eq!(table.sessions[0].context.len(), 16);
}

#[test]
fn online_shoppers() {
    let table = fixture(Format::OnlineShoppers);
    assert_eq!((table.rows, table.kept, table.rejected), (5, 3, 2));
    assert_eq!(
        rules(&table.problems),
        [
            (3, Rule::AbsurdNumber),
            (4, Rule::WrongType),
            (4, Rule::WrongType),
            (5, Rule::Malformed),
            (6, Rule::Malformed)
        ]
    );
    assert!(table.events.is_empty());
    let outcomes: Vec<_> = table.sessions.iter().map(|s| s.outcome).collect();
    assert_eq!(outcomes, [Some(false), Some(true), None]);
    let first = &table.sessions[0];
    assert_eq!(first.id, "2");
    assert_eq!(first.context.len(), 17);
    assert!(!first.context.contains_key("Revenue"));
    for (key, value) in [
        ("Administrative_Duration", Value::Number(80.5)),
        ("OperatingSystems", Value::Category("1".to_owned())),
        ("Weekend", Value::Flag(false)),
    ] {
        assert_eq!(first.context.get(key), Some(&value));
    }
    // The absurd duration, the empty one, `many`, `maybe`.
    assert_eq!(table.sessions[1].context.len(), 16);
    assert_eq!(table.sessions[2].context.len(), 14);
}

#[test]
fn taobao() {
    let table = fixture(Format::Taobao);
    assert_eq!((table.rows, table.kept, table.rejected), (9, 4, 5));
    assert_eq!(
        rules(&table.problems),
        [
            (2, Rule::Duplicate),
            (5, Rule::OutsidePeriod),
            (7, Rule::OutsidePeriod),
            (8, Rule::Malformed),
            (9, Rule::MissingField)
        ]
    );
    let kinds: Vec<_> = table.events.iter().map(|event| event.kind).collect();
    assert_eq!(
        kinds,
        [
            EventKind::ViewItem,
            EventKind::Purchase,
            EventKind::AddToCart,
            EventKind::AddToWishlist
        ]
    );
    assert_eq!(table.events[0].timestamp, 1_511_600_000_000);
    assert_eq!(
        table.events[0].items[0].item_category.as_deref(),
        Some("7100")
    );
    assert_eq!(table.utc_offset_minutes, 480);
}

#[test]
fn taobao_with_a_header() {
    let text = "timestamp,behavior_type,user_id,item_id,category_id\n1511600000,pv,1,22,333\n";
    let table = read(text, None).expect("recognised");
    assert_eq!(table.format, Format::Taobao);
    assert_eq!(table.events[0].items[0].item_id, "22");
}

#[test]
fn jdata() {
    let table = fixture(Format::Jdata);
    assert_eq!((table.rows, table.kept, table.rejected), (7, 4, 3));
    assert_eq!(
        rules(&table.problems),
        [
            (6, Rule::Malformed),
            (7, Rule::Malformed),
            (8, Rule::MissingField)
        ]
    );
    let found: Vec<_> = table
        .events
        .iter()
        .map(|event| (event.kind, event.session_id.as_deref().unwrap_or("")))
        .collect();
    assert_eq!(
        found,
        [
            (EventKind::ViewItem, "9001-42"),
            (EventKind::Purchase, "9001-42"),
            (EventKind::AddToWishlist, "9002-93"),
            (EventKind::Review, "9003-129")
        ]
    );
    // Six seconds past ten in China: two in the morning UTC.
    assert_eq!(table.events[0].timestamp, 1_519_956_006_000);
}

#[test]
fn jd_micro() {
    let table = fixture(Format::JdMicro);
    assert_eq!((table.rows, table.kept, table.rejected), (3, 2, 1));
    assert_eq!(
        rules(&table.problems),
        [
            (3, Rule::Malformed),
            (3, Rule::Malformed),
            (4, Rule::Malformed)
        ]
    );
    let found: Vec<_> = table
        .events
        .iter()
        .map(|event| {
            (
                event.kind,
                event.page_type.as_deref().unwrap_or(""),
                event.session_id.as_deref().unwrap_or(""),
                event.timestamp - propense_events::EARLIEST,
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            (EventKind::SelectItem, "search", "1", 0),
            (EventKind::Other, "comments", "1", 14_000),
            (EventKind::AddToCart, "", "1", 27_000),
            (EventKind::ViewItem, "home", "3", 2),
            (EventKind::Purchase, "", "3", 5_002),
        ]
    );
}

#[test]
fn own_format() {
    let table = fixture(Format::Events);
    assert_eq!((table.rows, table.kept, table.rejected), (10, 6, 4));
    assert_eq!(
        rules(&table.problems),
        [
            (6, Rule::UnknownEvent),
            (7, Rule::MissingField),
            (8, Rule::AbsurdTimestamp),
            (9, Rule::Malformed),
            (10, Rule::MissingField),
            (11, Rule::WrongType),
            (11, Rule::WrongType),
            (11, Rule::AbsurdQuantity)
        ]
    );
    let items: Vec<_> = table.events.iter().map(|event| event.items.len()).collect();
    assert_eq!(items, [1, 2, 1, 0, 1]);
    assert_eq!(table.events[0].context.len(), 3);
    assert_eq!(table.events[1].value, Some(8.5));
    assert_eq!(table.events[4].items[0].quantity, Some(1.0));
}

#[test]
fn own_format_needs_only_time_and_event() {
    let text = "event,timestamp\nview_item,1700000000000\nview_item,1700000000000\n";
    let table = read(text, None).expect("recognised");
    // Without `event_no` every line is an event of its own.
    assert_eq!(table.events.len(), 2);
}

#[test]
fn a_context_column_is_read_as_a_live_events_context() {
    let context = r#"{"device": "phone", "path": [1], "nothing": null, "visits": 3}"#;
    let cell = context.replace('"', "\"\"");
    let text = format!("event,timestamp,context\nview_item,1700000000000,\"{cell}\"\n");
    let table = read(&text, None).expect("recognised");
    let line =
        format!(r#"{{"event": "view_item", "timestamp": 1700000000000, "context": {context}}}"#);
    let (live, problems) =
        propense_events::parse_event(&line, 2, &propense_events::Limits::default());
    assert_eq!(table.events[0].context.len(), 2);
    assert_eq!(Some(&table.events[0]), live.as_ref());
    assert_eq!(table.problems, problems);
    assert_eq!(rules(&table.problems), [(2, Rule::WrongType)]);
}

#[test]
fn any_table_with_a_mapping() {
    let mapping = Mapping::from_json(
        r#"{
            "delimiter": ";",
            "columns": {
                "timestamp": "when", "event": "what", "user_id": "visitor", "item_id": "sku",
                "price": "cost", "event_no": "order",
                "context": ["Age", "Member", "Town"], "context_categories": ["Plan"]
            },
            "timestamp_unit": "text",
            "utc_offset_minutes": 60,
            "events": { "click": "view_item", "order": "purchase" }
        }"#,
    )
    .expect("a mapping");
    let text = "sku;when;what;visitor;cost;order;Age;Member;Town;Plan\n\
                A;2020-01-01 01:00:00;click;v;1.5;;33;true;Bath;4\n\
                B;2020-01-01 01:00:05;order;v;2.5;9;;;;\n\
                C;2020-01-01 01:00:05;order;v;3.5;9;;;;\n\
                D;2020-01-01 01:00:06;add_to_cart;v;3.5;;;;;\n";
    let table = read_bytes(text.as_bytes(), None, Some(&mapping)).expect("readable");
    assert_eq!(table.format, Format::Csv);
    assert_eq!(table.utc_offset_minutes, 60);
    let kinds: Vec<_> = table.events.iter().map(|event| event.kind).collect();
    assert_eq!(
        kinds,
        [
            EventKind::ViewItem,
            EventKind::Purchase,
            EventKind::AddToCart
        ]
    );
    assert_eq!(table.events[0].timestamp, 1_577_836_800_000);
    assert_eq!(table.events[1].items.len(), 2);
    let context = &table.events[0].context;
    for (key, value) in [
        ("Age", Value::Number(33.0)),
        ("Member", Value::Flag(true)),
        ("Town", Value::Category("Bath".to_owned())),
        ("Plan", Value::Category("4".to_owned())),
    ] {
        assert_eq!(context.get(key), Some(&value));
    }
}

#[test]
fn a_table_of_orders_without_header_or_event_column() {
    let mapping = Mapping::from_json(
        r#"{
            "header": false, "delimiter": "\t", "timestamp_unit": "seconds",
            "columns": { "timestamp": "2", "user_id": "1" }, "default_event": "purchase"
        }"#,
    )
    .expect("a mapping");
    let table = read_bytes(
        b"ann\t1600000000.25\nbob\t1600000001\n",
        None,
        Some(&mapping),
    )
    .expect("readable");
    let found: Vec<_> = table
        .events
        .iter()
        .map(|event| (event.kind, event.timestamp, event.user_id.as_deref()))
        .collect();
    assert_eq!(
        found,
        [
            (EventKind::Purchase, 1_600_000_000_250, Some("ann")),
            (EventKind::Purchase, 1_600_000_001_000, Some("bob"))
        ]
    );
}
