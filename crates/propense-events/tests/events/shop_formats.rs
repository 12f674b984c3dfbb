//! Analytics exports and research sets: each fixture, event by event, as text.

use std::fmt::Write;

use propense_events::{Action, Event, Format, Mapping, Problem, Table, Value};

use crate::{read, read_bytes};

/// One line: kind, seconds after `start`, and whatever else is there.
fn shown(event: &Event, start: i64) -> String {
    let mut text = format!(
        "{} {}",
        event.kind.name(),
        (event.timestamp - start) as f64 / 1000.0
    );
    let texts = [
        ("user", &event.user_id),
        ("anonymous", &event.anonymous_id),
        ("session", &event.session_id),
        ("page", &event.page_type),
        ("currency", &event.currency),
        ("order", &event.transaction_id),
        ("term", &event.search_term),
    ];
    for (name, found) in texts {
        if let Some(found) = found {
            write!(text, " {name}={found}").expect("text");
        }
    }
    for (name, found) in [("value", event.value), ("rating", event.rating)] {
        if let Some(found) = found {
            write!(text, " {name}={found}").expect("text");
        }
    }
    for item in &event.items {
        let number = |number: Option<f64>| number.map(|n| n.to_string()).unwrap_or_default();
        let fields = [
            item.item_id.clone(),
            item.item_name.clone().unwrap_or_default(),
            item.item_category.clone().unwrap_or_default(),
            item.item_brand.clone().unwrap_or_default(),
            number(item.price),
            number(item.quantity),
        ];
        write!(text, " [{}]", fields.join("|").trim_end_matches('|')).expect("text");
    }
    for (key, value) in &event.context {
        match value {
            Value::Flag(flag) => write!(text, " {key}:{flag}"),
            Value::Number(number) => write!(text, " {key}:{number}"),
            Value::Category(name) => write!(text, " {key}:{name}"),
        }
        .expect("text");
    }
    text
}

/// `row Rule`, with a bang where the row was set aside.
fn noted(problem: &Problem) -> String {
    let bang = if problem.action == Action::Rejected {
        "!"
    } else {
        ""
    };
    format!("{} {:?}{bang}", problem.row, problem.rule)
}

fn check_table(table: &Table, start: i64, events: &[&str], problems: &[&str]) {
    let shown: Vec<String> = table
        .events
        .iter()
        .map(|event| shown(event, start))
        .collect();
    assert_eq!(shown.join("\n"), events.join("\n"));
    let noted: Vec<String> = table.problems.iter().map(noted).collect();
    assert_eq!(noted, problems);
}

/// Recognised by content, and read into these events and problems.
fn check(text: &str, format: Format, start: i64, events: &[&str], problems: &[&str]) {
    let table = read(text, None).expect("recognised");
    assert_eq!(table.format, format);
    check_table(&table, start, events, problems);
}

/// 2023-11-14T22:13:20Z.
const START: i64 = 1_700_000_000_000;

#[test]
fn ga4_export() {
    check(
        include_str!("fixtures/ga4.jsonl"),
        Format::Ga4,
        START,
        &[
            "other 0 anonymous=1234567.8901234 session=1234567.8901234.1699999999 country:United Kingdom device:mobile medium:organic",
            "view_item 10 anonymous=1234567.8901234 session=1234567.8901234.1699999999 page=product currency=GBP value=2.55 [85123A|White hanging heart|Home/Decoration||2.55] device:mobile",
            "add_to_cart 20 user=u-17 anonymous=1234567.8901234 session=1234567.8901234.1699999999 [85123A|White hanging heart|Home|Heartwood|2.55|2]",
            "search 30 anonymous=1234567.8901234 term=red heart",
            "purchase 40 user=u-17 anonymous=1234567.8901234 session=1234567.8901234.1699999999 currency=GBP order=T-1000 value=8.7 [85123A||||2.55|2] [71053|Lantern|||3.6|1]",
            "refund 50 anonymous=1234567.8901234 order=T-1000 value=3.6 [71053||||3.6|1]",
            "other 60 anonymous=77.88",
        ],
        &[
            "7 UnknownEvent",
            "8 MissingField!",
            "9 Malformed!",
            "10 MissingField!",
        ],
    );
}

#[test]
fn ga4_data_layer() {
    check(
        include_str!("fixtures/data_layer.jsonl"),
        Format::Ga4,
        START,
        &[
            "page_view 0.02 anonymous=1234567.8901234 session=1234567.8901234.1699999999 page=home",
            "view_item_list 1.01 anonymous=1234567.8901234 [85123A|White hanging heart|Home/Decoration||2.55] [71053||||3.6]",
            "add_to_cart 2 anonymous=1234567.8901234 currency=GBP value=5.1 [85123A||||2.55|2]",
            "purchase 3 anonymous=1234567.8901234 currency=GBP order=T-1000 value=8.7 [85123A||||2.55|2] [71053||||3.6|1]",
        ],
        &["1 LeftOut!", "2 LeftOut!", "4 LeftOut!", "8 MissingField!"],
    );
}

/// What shops pushed before GA4: told by the keys of `ecommerce`, under names of their own.
#[test]
fn universal_analytics_data_layer() {
    check(
        include_str!("fixtures/enhanced_ecommerce.jsonl"),
        Format::Ga4,
        START,
        &[
            "view_item 0 anonymous=1234567.8901234 currency=EUR [85123A|White hanging heart|Home/Decoration|Heartwood|2.55]",
            "view_item_list 0 anonymous=1234567.8901234 currency=EUR [71053|Lantern|Home||3.6] [22633|Bottle]",
            "select_item 1 anonymous=1234567.8901234 page=list [71053|Lantern|||3.6]",
            "add_to_cart 2 anonymous=1234567.8901234 currency=EUR [71053|Lantern|||3.6|2]",
            "remove_from_cart 3 anonymous=1234567.8901234 [71053||||3.6|1]",
            "begin_checkout 4 anonymous=1234567.8901234 page=checkout [71053||||3.6|1]",
            "other 5 anonymous=1234567.8901234 page=checkout [71053]",
            "other 6 anonymous=1234567.8901234 page=checkout",
            "purchase 7 user=u-17 anonymous=1234567.8901234 order=T12345 value=35.43 [71053|Lantern|||3.6|1] [Bottle|Bottle|||2.1|3]",
            "refund 8 anonymous=1234567.8901234 order=T12345 [71053|||||1]",
            "other 9 anonymous=1234567.8901234",
            "other 10 anonymous=1234567.8901234 [71053|Lantern|Home|Glow|3.6|1]",
            "remove_from_cart 12 anonymous=1234567.8901234",
        ],
        &[
            "1 LeftOut!",
            "9 MissingField",
            "13 LeftOut!",
            "14 MissingField!",
            "15 WrongType",
        ],
    );
}

#[test]
fn segment() {
    check(
        include_str!("fixtures/segment.jsonl"),
        Format::Segment,
        START,
        &[
            "page_view 0 anonymous=a-1 page=Docs country:France device:mobile medium:email",
            "search 1 anonymous=a-1 term=blue kite",
            "view_item_list 2 anonymous=a-1 [P-1|Kite|Toys||19] [P-2|Ball|Toys|Brook|3]",
            "select_item 3 anonymous=a-1 [P-1|Kite|||19]",
            "view_item 4 anonymous=a-1 currency=usd value=18.99 [P-1|Kite|Toys|Acorn|18.99|1]",
            "other 5 user=u-9 anonymous=a-1 age:43 newsletter:true plan:gold",
            "add_to_wishlist 6 user=u-9 anonymous=a-1 [P-2||||3]",
            "add_to_cart 7 user=u-9 anonymous=a-1 [P-1||||18.99|2]",
            "remove_from_cart 8 user=u-9 anonymous=a-1 [P-1||||18.99|1]",
            "view_cart 9 user=u-9 anonymous=a-1 [P-1||||18.99|1]",
            "begin_checkout 10 user=u-9 anonymous=a-1 page=checkout currency=USD order=O-1 value=30 [P-1||||18.99|1]",
            "add_shipping_info 11 user=u-9 anonymous=a-1 page=checkout",
            "add_payment_info 12 user=u-9 anonymous=a-1",
            "purchase 13 user=u-9 anonymous=a-1 currency=USD order=O-2 value=27.5 [P-1|Kite, large|Toys||19|1] [P-2|Ball, red|Toys||3|2]",
            "review 14 user=u-9 anonymous=a-1 rating=5 [P-1]",
            "refund 15 user=u-9 anonymous=a-1 currency=USD order=O-2 value=27.5 [P-1||||19|1]",
            "other 16 user=u-9 anonymous=a-0",
            "other 17 anonymous=a-1",
        ],
        &[
            "18 UnknownEvent",
            "19 MissingField!",
            "20 Malformed!",
            "21 AbsurdTimestamp!",
        ],
    );
}

#[test]
fn snowplow() {
    check(
        include_str!("fixtures/snowplow.jsonl"),
        Format::Snowplow,
        START,
        &[
            "page_view 0 anonymous=d-1 session=s-1 page=homepage country:GB device:Mobile medium:cpc",
            "view_item_list 1 anonymous=d-1 session=s-1 currency=USD [SH-1|Linen shirt|Clothes/Shirts|Acorn|200] [HT-1||Clothes/Hats||12.5]",
            "view_item 2 anonymous=d-1 session=s-1 currency=USD [SH-1|Linen shirt|Clothes/Shirts||200]",
            "add_to_cart 3 anonymous=d-1 session=s-1 currency=USD [SH-1||Clothes/Shirts||200|2]",
            "begin_checkout 4 user=u-17 anonymous=d-1 session=s-1 page=checkout currency=USD",
            "add_shipping_info 5 user=u-17 anonymous=d-1 session=s-1 page=checkout",
            "purchase 6 user=u-17 anonymous=d-1 session=s-1 currency=USD order=T-1000 value=412.5 [SH-1||Clothes/Shirts||200|2] [HT-1||Clothes/Hats||12.5|1]",
            "refund 7 user=u-17 anonymous=d-1 session=s-1 currency=USD order=T-1000 value=12.5",
            "search 8 anonymous=d-2 session=s-2 term=red hat bot:true",
            "other 10 anonymous=d-1 session=s-1",
        ],
        &["10 LeftOut!", "11 UnknownEvent", "12 MissingField!"],
    );
}

/// As the pipeline writes them: tabs, no header, no quotes. Row 9 has damaged JSON, row 11 is cut.
#[test]
fn snowplow_enriched() {
    check(
        include_str!("fixtures/snowplow.tsv"),
        Format::Snowplow,
        START,
        &[
            "page_view 0 anonymous=d-1 session=s-1 page=homepage country:GB device:Mobile medium:cpc",
            "view_item_list 1 anonymous=d-1 session=s-1 currency=USD [SH-1|Linen shirt|Clothes/Shirts|Acorn|200] [HT-1||Clothes/Hats||12.5]",
            "view_item 2 anonymous=d-1 session=s-1 currency=USD [SH-1|Linen shirt|Clothes/Shirts|Acorn|200]",
            "add_to_cart 3 anonymous=n-1 session=s-1 currency=USD [HT-1||Clothes/Hats||12.5|2]",
            "add_payment_info 4 user=u-17 anonymous=d-1 session=s-1 page=checkout",
            "purchase 5 user=u-17 anonymous=d-1 session=s-1 currency=USD order=T-1000 value=25 [HT-1||Clothes/Hats||12.5|2]",
            "search 6 anonymous=d-1 session=s-1 term=red hat bot:true",
            "other 8 anonymous=d-1 session=s-1",
        ],
        &[
            "8 LeftOut!",
            "9 WrongType",
            "9 UnknownEvent",
            "10 MissingField!",
            "11 Malformed!",
        ],
    );
}

/// One event a row, as the sets for competitions have it.
#[test]
fn otto_table() {
    check(
        include_str!("fixtures/otto.csv"),
        Format::Otto,
        1_650_000_000_000,
        &[
            "view_item 0 session=11 [4001]",
            "add_to_cart 1 session=11 [4002]",
            "purchase 2 session=11 [4001] [4002]",
            "purchase 2 session=12 [4002]",
            "view_item 3.5 session=12 [4003]",
            "purchase 4 session=12 [4003]",
        ],
        &["9 Malformed!", "10 MissingField!", "11 Malformed!"],
    );
}

#[test]
fn otto() {
    check(
        include_str!("fixtures/otto.jsonl"),
        Format::Otto,
        1_650_000_000_000,
        &[
            "view_item 0.5 session=11 [4001]",
            "add_to_cart 1 session=11 [4002]",
            "purchase 2 session=11 [4001] [4002]",
            "purchase 2.001 session=11 [4002]",
            "view_item 0.001 session=12 [2]",
        ],
        &[
            "2 Malformed",
            "2 Malformed",
            "3 AbsurdTimestamp!",
            "4 Malformed!",
            "5 MissingField!",
            "6 Malformed!",
        ],
    );
}

#[test]
fn own_json_lines() {
    check(
        include_str!("fixtures/events.jsonl"),
        Format::Events,
        START,
        &[
            "view_item 0 anonymous=a-1 session=s-1 page=product [85123A|Heart|Home/Decoration|Heartwood|2.55] device:phone visits:3",
            "search 1 anonymous=a-1 term=red heart",
            "purchase 2 user=u-17 anonymous=a-1 currency=GBP order=T-1 value=5.1 [85123A||||2.55|2]",
            "review 3 user=u-17 rating=4 [85123A]",
            "other 4 user=u-17",
            "view_cart 6 user=u-17",
        ],
        &[
            "5 UnknownEvent",
            "6 AbsurdTimestamp!",
            "7 MissingField",
            "8 Malformed!",
        ],
    );
}

#[test]
fn retailrocket() {
    check(
        include_str!("fixtures/retailrocket.csv"),
        Format::RetailRocket,
        1_600_000_000_000,
        &[
            "view_item 1 anonymous=31 [9001]",
            "add_to_cart 2 anonymous=32 [9002]",
            "purchase 3 anonymous=33 order=4000 [9003] [9004]",
            "other 5 anonymous=34 [9004]",
        ],
        &["6 UnknownEvent", "7 MissingField!", "8 AbsurdTimestamp!"],
    );
}

#[test]
fn rees46() {
    check(
        include_str!("fixtures/rees46.csv"),
        Format::Rees46,
        1_588_680_000_000,
        &[
            "view_item 0 user=700011 session=visit-a [880001||501|acorn|7.25]",
            "add_to_cart 4 user=700022 session=visit-b [880002||toys/puzzle|brook|20.5]",
            "remove_from_cart 5 user=700022 session=visit-b [880002||toys/puzzle|brook]",
            "purchase 7 user=700022 session=visit-b [880002||toys/puzzle|brook|20.5] [880003||garden/shed||149.9]",
            "purchase 8 user=700022 session=visit-b [880003||garden/shed||149.9]",
            "other 8 user=700022 [880003||garden/shed||149.9]",
        ],
        &[
            "4 AbsurdPrice",
            "8 UnknownEvent",
            "9 Malformed!",
            "10 MissingField!",
        ],
    );
}

#[test]
fn yoochoose_clicks() {
    check(
        include_str!("fixtures/yoochoose_clicks.csv"),
        Format::Yoochoose,
        1_433_145_600_250,
        &[
            "view_item 0 session=1 [7001]",
            "view_item 29.75 session=1 page=special_offer [7002]",
            "view_item 59.75 session=1 [7003||5]",
            "view_item 3599.75 session=2 [7004|||2147483647]",
            "view_item 3609.75 session=2 [7004]",
        ],
        &["5 WrongType", "6 Malformed!", "7 MissingField!"],
    );
}

#[test]
fn yoochoose_buys() {
    check(
        include_str!("fixtures/yoochoose_buys.csv"),
        Format::Yoochoose,
        1_433_239_200_500,
        &[
            "purchase 0 session=61 [7005||||1250|1] [7006||||990|2]",
            "purchase 0.5 session=61 [7006||||990|1]",
            "purchase -10800 session=62 [7007]",
        ],
        &["4 MissingField", "5 MissingField!"],
    );
}

#[test]
fn yoochoose_sample() {
    check(
        include_str!("fixtures/yoochoose_sample.tsv"),
        Format::Yoochoose,
        1_433_145_600_500,
        &[
            "view_item 0 session=3 [7001]",
            "view_item 60.25 session=3 [7002]",
        ],
        &["4 Malformed!"],
    );
}

#[test]
fn any_json_lines_with_a_mapping() {
    let mapping = Mapping::from_json(
        r#"{
            "columns": {
                "timestamp": "meta.when", "event": "what", "user_id": "user.id",
                "anonymous_id": "user.cookie", "items": "lines", "item_id": "sku",
                "item_category": "path.0", "item_category_levels": ["path.1"],
                "price": "price.net", "quantity": "n", "currency": "cur",
                "transaction_id": "no", "value": "total", "search_term": "q", "rating": "stars",
                "context": ["device.kind"], "context_categories": ["plan"]
            },
            "timestamp_unit": "auto",
            "utc_offset_minutes": 60,
            "events": {
                "click": "view_item", "order": "purchase", "find": "search", "rate": "review"
            }
        }"#,
    )
    .expect("a mapping");
    let text = include_str!("fixtures/mapped.jsonl");
    let table = read_bytes(text.as_bytes(), None, Some(&mapping)).expect("readable");
    assert_eq!(
        (table.format, table.utc_offset_minutes),
        (Format::Jsonl, 60)
    );
    check_table(
        &table,
        START,
        &[
            "view_item 0 user=17 anonymous=c-1 currency=EUR [A||Home/Hearts||1.5|2] [B||||2.5] device.kind:phone plan:4",
            "purchase 1 user=17 order=T-1 value=5.5 [A||||1.5|1]",
            "search 2 anonymous=c-1 term=hearts",
            "review 3 user=17 [A]",
        ],
        &["4 AbsurdNumber", "5 MissingField!", "6 MissingField!"],
    );
}
