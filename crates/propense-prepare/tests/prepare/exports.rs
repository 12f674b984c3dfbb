//! Nested Parquet, as BigQuery exports GA4 and as the lists of OTTO are kept: the same events as
//! from the format's JSON lines.

use std::io::Cursor;
use std::sync::Arc;

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
