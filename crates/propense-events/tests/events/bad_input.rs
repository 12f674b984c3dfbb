//! Input that cannot be read at all gives an error that names the trouble and the remedy;
//! damage to single rows does not.

use std::io::Read;

use propense_events::{
    Event, EventKind, EventsError, Format, Item, Limits, Mapping, Rule, check_event,
};

use crate::{
    fixtures::{FIXTURES, is_named_table},
    read, read_bytes,
};

fn message(bytes: &[u8], format: Option<Format>) -> String {
    match read_bytes(bytes, format, None) {
        Ok(table) => panic!("read as {}", table.format),
        Err(error) => error.to_string(),
    }
}

#[test]
fn errors_name_what_is_wrong() {
    let rows: [(&[u8], Option<Format>, &[&str]); 10] = [
        (b"", None, &["empty"]),
        (b"\xef\xbb\xbf \r\n\n", Some(Format::Taobao), &["empty"]),
        (b"\x1f\x8b\x08\x00abc", None, &["gzip", "decompress"]),
        (b"\xff\xfea\x00,\x00", None, &["UTF-16", "UTF-8"]),
        (
            b"color,size\nred,4\n",
            None,
            &[
                "online-retail",
                "`InvoiceNo`",
                "taobao",
                "color,size",
                "mapping",
            ],
        ),
        (
            b"InvoiceNo,StockCode,Quantity,InvoiceDate,CustomerID\n1,2,3,4,5\n",
            None,
            &["`UnitPrice`", "online-retail", "StockCode", "mapping"],
        ),
        (
            b"action_time,user_id,sku_id,type\n",
            None,
            &["`sessionId`", "jdata"],
        ),
        (
            b"user,what\nann,view_item\n",
            Some(Format::Events),
            &["`timestamp`", "user, what"],
        ),
        (b"a,b\n1,2\n", Some(Format::Csv), &["mapping"]),
        (
            b"1,2,3,pv,1511539200\n1,2,3,pv,1\n",
            Some(Format::Taobao),
            &["none of the 2 rows", "taobao", "row 1", "OutsidePeriod"],
        ),
    ];
    for (bytes, format, parts) in rows {
        let message = message(bytes, format);
        for part in parts {
            assert!(message.contains(part), "{part:?} is not in: {message}");
        }
    }
}

#[test]
fn a_mapping_that_does_not_fit_is_named() {
    for (json, part) in [
        ("{", "not valid"),
        (r#"{"columns": {"timestmp": "t"}}"#, "timestmp"),
        (r#"{"columns": {"event": "e"}}"#, "`timestamp`"),
        (r#"{"columns": {"timestamp": "t"}}"#, "`default_event`"),
        (
            r#"{"columns": {"timestamp": "t", "event": "e"}, "delimiter": "é"}"#,
            "delimiter",
        ),
    ] {
        let error = Mapping::from_json(json).expect_err(json).to_string();
        assert!(error.contains(part), "{part:?} is not in: {error}");
    }
    let mapping =
        Mapping::from_json(r#"{"columns": {"timestamp": "t", "event": "e", "price": "cost"}}"#)
            .expect("a mapping");
    let error = read_bytes(b"t,e\n1,2\n", None, Some(&mapping)).expect_err("no column `cost`");
    assert!(error.to_string().contains("`cost`"), "{error}");
}

#[test]
fn unknown_format_names_the_known_ones() {
    let error = "xml".parse::<Format>().expect_err("no such format");
    assert!(error.to_string().contains("online-retail"), "{error}");
    for format in Format::ALL {
        assert_eq!(format.to_string().parse::<Format>().ok(), Some(format));
    }
}

#[test]
fn bytes_that_are_not_utf8_cost_a_field_or_a_row_but_not_the_file() {
    let retail =
        b"InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n\
        1,A,caf\xe9,1,2010-12-01 08:26:00,1,7,France\n\
        2,B\xff,cup,1,2010-12-01 08:26:00,1,7,France\n\
        3,C,cup,1,2010-12-01 08:26:00,1,7,France\n";
    let table = read_bytes(retail, None, None).expect("readable");
    assert_eq!((table.rows, table.kept), (3, 2));
    let rules: Vec<_> = table.problems.iter().map(|problem| problem.rule).collect();
    assert_eq!(rules, [Rule::NotUtf8, Rule::Malformed]);
    let name = table.events[0].items[0].item_name.as_deref();
    assert_eq!(name, Some("caf\u{fffd}"));
}

#[test]
fn a_stray_quote_in_taobao_costs_one_row() {
    let text = "1,2,3,pv,1511600000\n\"1,2,3,pv,1511600001\n1,2,3,pv,1511600002\n";
    let table = read(text, Some(Format::Taobao)).expect("readable");
    assert_eq!(table.rows, 3);
    assert_eq!(table.events[1].user_id.as_deref(), Some("\"1"));
}

#[test]
fn a_damaged_first_line_does_not_hide_the_format() {
    for (text, format) in [
        (
            "#!?\n1,2,3,pv,1511600000\n1,2,3,pv,1511600001\n",
            Format::Taobao,
        ),
        (
            "{\"session\": 1, \"eve\n{\"session\": 2, \"events\": [{\"aid\": 1, \"ts\": 1650000000000, \"type\": \"clicks\"}]}\n\
             {\"session\": 3, \"events\": [{\"aid\": 1, \"ts\": 1650000000000, \"type\": \"clicks\"}]}",
            Format::Otto,
        ),
        (
            "sion\": 1}\n{\"event\": \"search\", \"timestamp\": 1650000000000}\n\
             {\"event\": \"search\", \"timestamp\": 1650000000000}\n",
            Format::Events,
        ),
    ] {
        let table = read(text, None).expect("recognised");
        assert_eq!(
            (table.format, table.kept, table.rejected),
            (format, 2, 1),
            "{text}"
        );
    }
}

#[test]
fn a_header_without_rows_is_an_empty_table() {
    for (format, text) in FIXTURES {
        if !is_named_table(text) {
            continue;
        }
        let header = text.lines().next().unwrap_or_default();
        let table = read(header, None).expect("a header is enough");
        assert_eq!((table.format, table.rows), (format, 0));
    }
}

#[test]
fn a_reader_that_fails_halfway_is_an_error_not_a_shorter_table() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("the disk is gone"))
        }
    }
    for (format, text) in FIXTURES {
        // Long enough that the failure comes after the format was recognised.
        let lines: Vec<&str> = text.lines().collect();
        let mut long = String::from(text);
        while long.len() < 200_000 {
            long.push_str(lines.get(1).copied().unwrap_or_default());
            long.push('\n');
        }
        let input = long.as_bytes().chain(Broken);
        match propense_events::read(input, None, None) {
            Err(EventsError::Read(error)) => assert!(error.to_string().contains("disk")),
            other => panic!("{format}: {other:?}"),
        }
    }
}

#[test]
fn a_million_items_are_cut_and_counted() {
    let mut event = Event::new(EventKind::Purchase, 1_700_000_000_000);
    event.items = vec![
        Item {
            item_id: "A".to_owned(),
            price: Some(f64::NAN),
            ..Item::default()
        };
        1_000_000
    ];
    let (event, problems) = check_event(event, 1, &Limits::default());
    let event = event.expect("kept");
    assert_eq!(event.items.len(), 1000);
    assert_eq!(problems[0].rule, Rule::TooManyItems);
    assert_eq!(problems[0].detail, "1000000");
    assert_eq!(problems.len(), 1001);
    assert!(event.items.iter().all(|item| item.price.is_none()));
}

#[test]
fn an_order_with_more_lines_than_allowed_loses_them_by_count() {
    let mut text = String::from("timestamp,event,item_id,event_no\n");
    for line in 0..15_000 {
        text.push_str(&format!("1700000000000,purchase,A{line},1\n"));
    }
    let table = read(&text, None).expect("readable");
    assert_eq!(
        (table.rows, table.kept, table.rejected),
        (15_000, 10_000, 5000)
    );
    assert_eq!(table.events[0].items.len(), 10_000);
}

#[test]
fn problems_read_well() {
    let text = "timestamp,event,item_id,price\n1700000000000,view_item,A,-2.5\n";
    let table = read(text, None).expect("readable");
    assert_eq!(
        table.problems[0].to_string(),
        "row 2: AbsurdPrice (repaired), field `items[0].price`: -2.5"
    );
}

#[test]
fn a_quote_that_is_never_closed_costs_one_line() {
    let mut text = String::from("timestamp,event,item_id,item_name\n");
    for line in 0..1000 {
        let name = if line == 500 { "\"5 inch" } else { "lamp" };
        text.push_str(&format!("1700000000000,view_item,A{line},{name}\n"));
    }
    let table = read(&text, None).expect("readable");
    assert_eq!((table.rows, table.rejected), (1000, 1));
    assert_eq!(
        (table.problems[0].rule, table.problems[0].row),
        (Rule::Malformed, 502)
    );
}
