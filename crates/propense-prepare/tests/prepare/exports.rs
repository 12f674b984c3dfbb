//! Parquet, nested as BigQuery exports GA4 and as the lists of OTTO are kept, or flat as the sets for
//! competitions are: the same events as from the format's own text.

use std::io::Cursor;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, Int32Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray, UInt8Array,
};
use arrow::json::ReaderBuilder;
use arrow::json::reader::infer_json_schema;
use parquet::arrow::ArrowWriter;
use serde_json::Value as Json;

use crate::inputs::{Shop, events};

const GA4: &str = include_str!("../../../propense-events/tests/events/fixtures/ga4.jsonl");
const OTTO: &str = include_str!("../../../propense-events/tests/events/fixtures/otto.jsonl");

/// Whole numbers in BigQuery's table, which its JSON export writes as texts.
const WHOLE: [&str; 4] = [
    "event_timestamp",
    "int_value",
    "quantity",
    "total_item_quantity",
];

/// The value as a table with types has it.
fn typed(value: Json, key: &str) -> Json {
    match value {
        Json::Object(fields) => {
            let field = |(key, value): (String, Json)| (key.clone(), typed(value, &key));
            Json::Object(fields.into_iter().map(field).collect())
        }
        Json::Array(list) => list.into_iter().map(|value| typed(value, key)).collect(),
        Json::String(text) if WHOLE.contains(&key) => text.parse::<i64>().expect(key).into(),
        Json::String(text) if key == "price" => text.parse::<f64>().expect(key).into(),
        other => other,
    }
}

fn parquet(rows: &[Json]) -> Vec<u8> {
    let text: String = rows.iter().map(|row| format!("{row}\n")).collect();
    let (schema, _) = infer_json_schema(Cursor::new(&text), None).expect("a schema");
    let schema = Arc::new(schema);
    let reader = ReaderBuilder::new(Arc::clone(&schema))
        .build(Cursor::new(&text))
        .expect("a reader");
    let mut writer = ArrowWriter::try_new(Vec::new(), schema, None).expect("a writer");
    for batch in reader {
        writer.write(&batch.expect("rows")).expect("written");
    }
    writer.into_inner().expect("a whole file")
}

fn check(lines: &str, format: &str, least: usize) {
    let readable = |line: &&str| serde_json::from_str::<Json>(line).is_ok();
    let text: String = lines
        .lines()
        .filter(readable)
        .map(|line| format!("{line}\n"))
        .collect();
    let rows: Vec<Json> = text
        .lines()
        .map(|line| typed(serde_json::from_str(line).expect("json"), ""))
        .collect();
    let shop = Shop::new(&[("export.jsonl", text.as_str())]);
    let from_lines = shop.prepare("lines");
    std::fs::remove_file(shop.path("in").join("export.jsonl")).expect("removed");
    shop.write("export.parquet", &parquet(&rows));
    let from_table = shop.prepare("table");
    assert_eq!(from_table.inputs[0].format, format);
    assert_eq!(from_table.inputs[0].rows, from_lines.inputs[0].rows);
    assert_eq!(
        from_table.records_quarantined,
        from_lines.records_quarantined
    );
    let found = events(&from_table);
    assert!(found.len() >= least, "{found:?}");
    assert_eq!(found, events(&from_lines), "{format}");
}

#[test]
fn nested_parquet_gives_the_same_events_as_json_lines() {
    check(GA4, "ga4", 7);
    check(OTTO, "otto", 4);
}

/// One file of these columns.
fn flat(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter(columns).expect("a batch");
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).expect("a writer");
    writer.write(&batch).expect("written");
    writer.into_inner().expect("a whole file")
}

/// The events of a Parquet file are those of the text, and it is taken for this format.
fn check_flat(format: &str, text: &str, name: &str, parquet: &[u8]) {
    let from_text = Shop::new(&[(name, text)]);
    let expected = from_text.prepare("out");
    let shop = Shop::new(&[]);
    shop.write("table.parquet", parquet);
    let found = shop.prepare("out");
    assert_eq!(found.inputs[0].format, format);
    assert_eq!(found.records_quarantined, expected.records_quarantined);
    assert_eq!(events(&found), events(&expected), "{format}");
    assert!(!events(&found).is_empty(), "{format}");
}

/// The re-releases of OTTO: integers of few bits, seconds, the kind as a number; and one that keeps
/// the kind as bytes that nobody declared as text, its columns in another order.
#[test]
fn a_flat_table_of_otto() {
    let text = "session,aid,ts,type\n1,59625,1661724000,0\n1,60,1661724060,1\n\
                1,60,1661724120,2\n1,7,1661724120,2\n2,60,1661724000,9\n";
    let sessions: ArrayRef = Arc::new(Int32Array::from(vec![1, 1, 1, 1, 2]));
    let articles: ArrayRef = Arc::new(Int32Array::from(vec![59625, 60, 60, 7, 60]));
    let seconds = vec![
        1_661_724_000,
        1_661_724_060,
        1_661_724_120,
        1_661_724_120,
        1_661_724_000,
    ];
    let small = flat(vec![
        ("session", Arc::clone(&sessions)),
        ("aid", Arc::clone(&articles)),
        ("ts", Arc::new(Int32Array::from(seconds.clone()))),
        ("type", Arc::new(UInt8Array::from(vec![0, 1, 2, 2, 9]))),
    ]);
    check_flat("otto", text, "otto.csv", &small);
    let milliseconds: Vec<i64> = seconds
        .iter()
        .map(|second| i64::from(*second) * 1000)
        .collect();
    let words: Vec<&[u8]> = vec![b"clicks", b"carts", b"orders", b"orders", b"stares"];
    let wide = flat(vec![
        ("type", Arc::new(BinaryArray::from(words))),
        (
            "__index_level_0__",
            Arc::new(Int64Array::from(vec![4, 3, 2, 1, 0])),
        ),
        ("ts", Arc::new(Int64Array::from(milliseconds))),
        ("aid", articles),
        ("session", sessions),
    ]);
    check_flat("otto", text, "otto.csv", &wide);
}

/// A table with texts, times and gaps in it: REES46's, whose users kept it as Parquet for its size.
#[test]
fn a_flat_table_of_rees46() {
    let text = "event_time,event_type,product_id,category_code,brand,price,user_id\n\
                2019-10-01 00:00:00 UTC,view,880001,,\"acorn, the\",7.25,700011\n\
                2019-10-01 00:00:04 UTC,purchase,880002,toys.puzzle,,20.5,\n";
    let microseconds = vec![1_569_888_000_000_000, 1_569_888_004_000_000];
    let table = flat(vec![
        (
            "event_time",
            Arc::new(TimestampMicrosecondArray::from(microseconds).with_timezone("UTC")),
        ),
        (
            "event_type",
            Arc::new(StringArray::from(vec!["view", "purchase"])),
        ),
        (
            "product_id",
            Arc::new(Int64Array::from(vec![880_001, 880_002])),
        ),
        (
            "category_code",
            Arc::new(StringArray::from(vec![None, Some("toys.puzzle")])),
        ),
        (
            "brand",
            Arc::new(StringArray::from(vec![Some("acorn, the"), None])),
        ),
        (
            "price",
            Arc::new(arrow::array::Float64Array::from(vec![7.25, 20.5])),
        ),
        (
            "user_id",
            Arc::new(Int64Array::from(vec![Some(700_011), None])),
        ),
    ]);
    check_flat("rees46", text, "rees46.csv", &table);
}

/// Our own schema as other tools write it: some of the columns, the time as a time.
#[test]
fn a_flat_table_of_our_own_schema() {
    let text = "timestamp,event,user_id,item_id,price,event_no\n\
                1700000000123,view_item,u,A,2.5,1\n1700000001000,purchase,u,A,2.5,2\n\
                1700000001000,purchase,u,B,3.5,2\n";
    let microseconds = vec![
        1_700_000_000_123_000,
        1_700_000_001_000_000,
        1_700_000_001_000_000,
    ];
    let table = flat(vec![
        (
            "timestamp",
            Arc::new(TimestampMicrosecondArray::from(microseconds)),
        ),
        (
            "event",
            Arc::new(StringArray::from(vec!["view_item", "purchase", "purchase"])),
        ),
        ("user_id", Arc::new(StringArray::from(vec!["u", "u", "u"]))),
        ("item_id", Arc::new(StringArray::from(vec!["A", "A", "B"]))),
        (
            "price",
            Arc::new(arrow::array::Float64Array::from(vec![2.5, 2.5, 3.5])),
        ),
        ("event_no", Arc::new(Int32Array::from(vec![1, 2, 2]))),
    ]);
    check_flat("events", text, "own.csv", &table);
}
