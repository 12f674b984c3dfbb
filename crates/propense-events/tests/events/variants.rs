//! The same data in another dress: what a spreadsheet, a database or another exporter makes of it.

use propense_events::{Delimiter, Event, Format, Mapping, TimestampUnit};
use serde_json::{Value as Json, json};

use crate::{
    fixtures::{FIXTURES, is_named_table},
    read, read_bytes,
};

fn events(text: &str, what: &str) -> Vec<Event> {
    let table = read(text, None).unwrap_or_else(|error| panic!("{what}: {error}"));
    table.events
}

#[test]
fn tables_may_be_separated_otherwise() {
    for (format, text) in FIXTURES {
        // A table whose fields hold commas would need quotes; those have their own test.
        if !is_named_table(text) || text.contains('"') {
            continue;
        }
        let plain = read(text, None).expect("recognised");
        for delimiter in [";", "\t", "|"] {
            let table = read(&text.replace(',', delimiter), None).expect("recognised");
            assert_eq!(table.format, format, "{delimiter:?}");
            assert_eq!(table.events, plain.events, "{format} {delimiter:?}");
            assert_eq!(table.sessions, plain.sessions, "{format} {delimiter:?}");
        }
    }
}

/// The objects of a fixture of JSON lines, without what is no object.
fn objects(text: &str) -> Vec<Json> {
    text.lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .filter(Json::is_object)
        .collect()
}

#[test]
fn json_may_be_ordered_nested_in_lists_and_hold_more() {
    for (format, text) in FIXTURES {
        let objects = objects(text);
        if objects.is_empty() {
            continue;
        }
        // Printing sorts the keys.
        let lines: Vec<String> = objects.iter().map(Json::to_string).collect();
        let plain = events(&lines.join("\n"), "sorted keys");
        let more: Vec<String> = objects
            .iter()
            .map(|object| {
                let mut object = object.clone();
                object["zzz"] = json!({"a": [1, {"b": null}], "event": "\"}"});
                object.to_string()
            })
            .collect();
        let pretty = format!("[\n{}\n]\n", lines.join(",\n"));
        let tight = format!("[{}\n,{}]", lines[0], lines[1..].join(",\n"));
        for (dress, text) in [
            ("as it stands", text.to_owned()),
            ("more fields", more.join("\r\n")),
            ("blank lines", format!("\n\n{}\n", lines.join("\n\n"))),
            ("one list", format!("[{}]", lines.join(","))),
            ("a list over lines", pretty),
            ("a list, commas first", tight.replace("\n,", ",\n")),
            ("byte-order mark", format!("\u{feff}{}", lines.join("\n"))),
        ] {
            let found = events(&text, dress);
            if dress != "as it stands" {
                assert_eq!(found, plain, "{format}, {dress}");
            }
        }
    }
}

/// Optional columns missing, further ones there, quoted line ends.
#[test]
fn tables_of_other_shapes() {
    let rows = [
        (
            "itemid,event,visitorid,timestamp\n7,view,5,1600000001000\n",
            Format::RetailRocket,
            "7",
        ),
        (
            "\"timestamp\",\"visitorid\",\"event\",\"itemid\",\"transactionid\",\"note\"\n\
             \"1600000001000\",\"5.0\",\"view\",\"7\",\"\",\"two\nlines\"\n",
            Format::RetailRocket,
            "7",
        ),
        (
            "product_id,event_type,event_time\n7,view,2019-10-01T00:00:00Z\n",
            Format::Rees46,
            "7",
        ),
        (
            "event_time,event_type,product_id,brand\n1588680000,view,7,\"two\nlines\"\n",
            Format::Rees46,
            "7",
        ),
        (
            "Time;Session_Id;Item_Id\n1433145600.5;3;7\n",
            Format::Yoochoose,
            "7",
        ),
        (
            "1\t2015-06-01T08:00:00.250Z\t7\t0\n1\t2015-06-01T08:00:01.250Z\t8\t0\n",
            Format::Yoochoose,
            "7",
        ),
        (
            "SESSION ID,ITEM ID,TIMESTAMP,PRICE,QUANTITY\n3,7,2015-06-01T08:00:00Z,5,1\n",
            Format::Yoochoose,
            "7",
        ),
        (
            "index,type,ts,note,session,aid\r\n0,clicks,1659304800025,\"two\nlines\",3,7\r\n",
            Format::Otto,
            "7",
        ),
        (
            "\u{feff}aid;session;ts;type\n7;3;1659304800;1.0\n",
            Format::Otto,
            "7",
        ),
        (
            "InvoiceNo;StockCode;Description;Quantity;InvoiceDate;UnitPrice;CustomerID\n\
             1;7;\"two\nlines, \"\"quoted\"\"\";1;2010-12-01 08:26;2.5;9\n",
            Format::OnlineRetail,
            "7",
        ),
        (
            "timestamp\tevent\titem_id\n1700000000000\tview_item\t7\n",
            Format::Events,
            "7",
        ),
    ];
    for (text, format, item) in rows {
        let table = read(text, None).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!((table.format, table.rejected), (format, 0), "{text}");
        assert_eq!(table.events[0].items[0].item_id, item, "{text}");
    }
}

#[test]
fn yoochoose_buys_are_told_by_their_header() {
    let text = "SessionId,ItemId,Time,Price,Quantity\n3,7,2015-06-01T08:00:00Z,5,2\n";
    let bought = &events(text, "buys")[0];
    assert_eq!(bought.kind.name(), "purchase");
    assert_eq!(bought.items[0].quantity, Some(2.0));
}

fn mapping(json: &str) -> Mapping {
    Mapping::from_json(json).expect("a mapping")
}

#[test]
fn times_of_every_unit() {
    let rows = [
        ("milliseconds", "1700000000123", 1_700_000_000_123),
        ("seconds", "1700000000", 1_700_000_000_000),
        ("seconds", "1700000000.5", 1_700_000_000_500),
        ("microseconds", "1700000000123456", 1_700_000_000_123),
        ("microseconds", "1700000000123456.5", 1_700_000_000_123),
        ("text", "2023-11-14 23:13:20", 1_700_000_000_000),
        ("auto", "1700000000", 1_700_000_000_000),
        ("auto", "1700000000123", 1_700_000_000_123),
        ("auto", "1700000000123456", 1_700_000_000_123),
        ("auto", "1700000000123456789", 1_700_000_000_123),
        ("auto", "2023-11-14T22:13:20Z", 1_700_000_000_000),
        ("auto", "2023-11-14 23:13:20", 1_700_000_000_000),
    ];
    for (unit, time, expected) in rows {
        let mapping = mapping(&format!(
            r#"{{"columns": {{"timestamp": "t"}}, "default_event": "page_view",
                "timestamp_unit": "{unit}", "utc_offset_minutes": 60}}"#
        ));
        for text in [format!("t,x\n{time},1\n"), format!(r#"{{"t": "{time}"}}"#)] {
            let table = read_bytes(text.as_bytes(), None, Some(&mapping)).expect("readable");
            assert_eq!(table.events[0].timestamp, expected, "{unit} {text}");
        }
    }
}

#[test]
fn a_delimiter_is_found_or_given() {
    let of = |delimiter: &str| {
        mapping(&format!(
            r#"{{"columns": {{"timestamp": "t", "event": "e"}}, "delimiter": {delimiter}}}"#
        ))
    };
    for (delimiter, text) in [
        ("\"auto\"", "t;e\n1700000000000;search\n"),
        ("\"auto\"", "t\te\n1700000000000\tsearch\n"),
        ("\"auto\"", "t|e\n1700000000000|search\n"),
        ("\"auto\"", "t,e\n1700000000000,search\n"),
        ("\"^\"", "t^e\n1700000000000^search\n"),
    ] {
        let table = read_bytes(text.as_bytes(), None, Some(&of(delimiter))).expect("readable");
        assert_eq!(table.events[0].kind.name(), "search", "{text}");
    }
    assert_eq!(of("\"^\"").delimiter, Delimiter::Character('^'));
    let text = serde_json::to_string(&of("\"auto\"")).expect("JSON");
    assert_eq!(mapping(&text), of("\"auto\""));
    let error = serde_json::from_str::<Mapping>(r#"{"columns": {}, "delimiter": "::"}"#);
    assert!(
        error
            .expect_err("two characters")
            .to_string()
            .contains("auto")
    );
    assert_eq!(of("\"auto\"").timestamp_unit, TimestampUnit::Milliseconds);
}

#[test]
fn a_category_in_several_columns_or_with_another_separator() {
    let rows = [
        (
            r#""item_category": "c1", "item_category_levels": ["c2", "c3"]"#,
            "",
            "t,c1,c2,c3,id\n1700000000000,Home,,Hearts,A\n",
        ),
        (
            r#""item_category": "c""#,
            r#""category_separator": ">","#,
            "t,c,id\n1700000000000,Home > Hearts,A\n",
        ),
        (
            r#""item_category": "c""#,
            r#""category_separator": ".","#,
            r#"{"t": 1700000000000, "c": "Home.Hearts", "id": "A"}"#,
        ),
    ];
    for (columns, rest, text) in rows {
        let mapping = mapping(&format!(
            r#"{{"columns": {{"timestamp": "t", "item_id": "id", {columns}}}, {rest}
                "default_event": "view_item"}}"#
        ));
        let table = read_bytes(text.as_bytes(), None, Some(&mapping)).expect("readable");
        let category = table.events[0].items[0].item_category.as_deref();
        assert_eq!(category, Some("Home/Hearts"), "{text}");
    }
}

/// A line is a row: of a list, what cannot be kept is left out and counted.
#[test]
fn a_list_is_kept_as_far_as_it_can_be() {
    let good = r#"{"event": "search", "timestamp": 1700000000000}"#;
    let late = r#"{"event": "search", "timestamp": 0}"#;
    let rows = [
        (format!("[{good}, {good}]"), (2, 1, 0)),
        (format!("[{good}, 7, {late}, {{}}]"), (1, 1, 0)),
        (format!("{good}\n[{late}, {late}]"), (1, 1, 1)),
        (format!("{good}\n[7]\n[[]]"), (1, 1, 2)),
        (format!("[\n{good},\n{late}\n]"), (1, 1, 1)),
    ];
    for (text, (events, kept, rejected)) in rows {
        let table = read(&text, Some(Format::Events)).expect("readable");
        let found = (table.events.len(), table.kept, table.rejected);
        assert_eq!(found, (events, kept, rejected), "{text}");
    }
}

#[test]
fn ga4_parameters_may_be_an_object() {
    let text = r#"{"event_name": "view_item", "event_timestamp": 1700000000000000,
                   "user_pseudo_id": "a", "items": [{"item_id": "A"}],
                   "event_params": {"ga_session_id": 5, "value": 2.5, "currency": null}}"#;
    let event = &events(&text.replace('\n', " "), "an object")[0];
    assert_eq!(event.session_id.as_deref(), Some("a.5"));
    assert_eq!((event.value, event.currency.as_deref()), (Some(2.5), None));
}

/// Neighbouring JSON lines with one number are one event, as in a table.
#[test]
fn json_lines_of_one_order() {
    let mapping = mapping(
        r#"{"columns": {"timestamp": "t", "event_no": "order.no", "item_id": "order.sku"},
            "default_event": "purchase"}"#,
    );
    let text = r#"{"t": 1700000000000, "order": {"no": 1, "sku": "A"}}
{"t": 1700000000000, "order": {"no": 1, "sku": "B"}}
{"t": 1700000000000, "order": {"no": 2, "sku": "C"}}
{"t": 1700000000000, "order": {"sku": "D"}}"#;
    let table = read_bytes(text.as_bytes(), None, Some(&mapping)).expect("readable");
    let items: Vec<usize> = table.events.iter().map(|event| event.items.len()).collect();
    assert_eq!(items, [2, 1, 1]);
}

#[test]
fn unknown_json_is_refused_with_what_was_looked_for() {
    for text in [
        "{\"a\": 1}\n",
        "[1, 2]\n",
        "{",
        "[\"event\", \"view_item\", {}]",
    ] {
        let error = read(text, None).expect_err(text).to_string();
        for part in ["event_name", "collector_tstamp", "anonymousId", "mapping"] {
            assert!(error.contains(part), "{part:?} is not in: {error}");
        }
    }
    let error = read("{\"a\": 1}", Some(Format::Jsonl)).expect_err("no mapping");
    assert!(
        error.to_string().contains("`jsonl` needs a mapping"),
        "{error}"
    );
}

/// An object longer than what is looked at is still recognised, by its first keys.
#[test]
fn a_long_first_object_is_recognised() {
    let events: Vec<Json> = (0..5000)
        .map(|n| json!({"aid": n, "ts": 1_650_000_000_000_i64 + n, "type": "clicks"}))
        .collect();
    let text = format!(r#"{{"session":1,"events":{}}}"#, Json::from(events));
    let table = read(&text, None).expect("recognised");
    assert_eq!((table.format, table.events.len()), (Format::Otto, 5000));
}
