//! The oracles of the fuzz targets, on tables and events that are nearly right: bytes drawn
//! blindly never get past the first line.

use propense_events::Format;
use proptest::{
    collection::vec,
    option,
    prelude::*,
    sample::{select, subsequence},
};

use crate::{fixtures::FIXTURES, oracles};

const TIMES: &[&str] = &[
    "1700000000000",
    "1700000000000",
    "1700000001000",
    "1511544070",
    "1000",
    "1.7e12",
    "9e99",
    "later",
    "",
];
const KINDS: &[&str] = &["view_item", "purchase", "purchase", "pv", "telepathy", ""];
const TEXTS: &[&str] = &[
    "",
    "a",
    "a",
    "1",
    "漢",
    "\"b, \"\"c\"\"\"",
    "\"d\ne\"",
    " f ",
    "\"",
];
const NUMBERS: &[&str] = &["", "2.5", "1", "0", "-3", "cheap", "NaN", "1e400"];
const CONTEXTS: &[&str] = &["", "\"{\"\"x\"\":1,\"\"y\"\":true}\"", "not json", "[]"];

/// The columns of Propense's own table, with what may stand in them.
const COLUMNS: &[(&str, &[&str])] = &[
    ("timestamp", TIMES),
    ("event", KINDS),
    ("user_id", TEXTS),
    ("session_id", TEXTS),
    ("event_no", TEXTS),
    ("item_id", TEXTS),
    ("item_name", TEXTS),
    ("item_brand", TEXTS),
    ("price", NUMBERS),
    ("quantity", NUMBERS),
    ("value", NUMBERS),
    ("currency", TEXTS),
    ("rating", NUMBERS),
    ("context", CONTEXTS),
];

fn row(fields: Vec<&'static [&'static str]>) -> impl Strategy<Value = String> {
    let fields: Vec<_> = fields
        .into_iter()
        .map(|pool| select(pool.to_vec()))
        .collect();
    // A field too many or too few, now and then.
    (fields, option::weighted(0.1, select(vec![",x", "\r"]))).prop_map(|(fields, more)| {
        let line = fields.join(",") + more.unwrap_or_default();
        match more {
            Some("\r") => line[..line.floor_char_boundary(line.len() / 2)].to_owned(),
            _ => line,
        }
    })
}

/// A table with some of the columns, in another order.
fn own_table() -> impl Strategy<Value = String> {
    let further = subsequence(COLUMNS[2..].to_vec(), 0..COLUMNS.len() - 2).prop_shuffle();
    further.prop_flat_map(|further| {
        let columns = [&COLUMNS[..2], &further].concat();
        let header: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
        let header = header.join(",");
        let pools = columns.into_iter().map(|(_, pool)| pool).collect();
        table(row(pools)).prop_map(move |rows| format!("{header}\n{rows}"))
    })
}

fn bare_table() -> impl Strategy<Value = String> {
    let seconds: &[&str] = &["1511544070", "1511544070", "1511539200", "soon", ""];
    let kinds: &[&str] = &["pv", "pv", "buy", "stare", ""];
    table(row(vec![
        &["1", "2", ""],
        &["7", "8"],
        &["9"],
        kinds,
        seconds,
    ]))
}

fn table(row: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let end = select(vec!["\n", "\r\n", "\n\n"]);
    (vec(row, 0..8), end).prop_map(|(rows, end)| rows.join(end) + end)
}

/// One live event, or something like it.
fn live_event() -> impl Strategy<Value = String> {
    let value = select(vec![
        "null",
        "1",
        "-2.5",
        "1e300",
        "true",
        "\"7\"",
        "\"x\"",
        "\"\"",
        "[]",
        "{}",
        "1700000000000",
        "\"2023-11-14\"",
        "\"view_item\"",
        "[{\"item_id\": \"A\", \"price\": \"3\"}, {\"price\": -1}, 5]",
        "{\"a\": 1, \"b\": [], \"c\": \"\"}",
    ]);
    let name = select(vec![
        "event",
        "timestamp",
        "user_id",
        "session_id",
        "items",
        "value",
        "currency",
        "rating",
        "context",
        "ecommerce",
        "params",
        "search_term",
        "page_type",
    ]);
    let right = r#"{"event": "view_item", "timestamp": 1700000000000"#;
    vec((name, value), 0..8).prop_map(move |fields| {
        let mut json = right.to_owned();
        for (name, value) in fields {
            json += &format!(", \"{name}\": {value}");
        }
        json + "}"
    })
}

/// Some bytes replaced.
fn damaged(bytes: Vec<u8>, damage: &[(prop::sample::Index, u8)]) -> Vec<u8> {
    let mut bytes = bytes;
    for (at, byte) in damage {
        if !bytes.is_empty() {
            let at = at.index(bytes.len());
            bytes[at] = *byte;
        }
    }
    bytes
}

fn damage() -> impl Strategy<Value = Vec<(prop::sample::Index, u8)>> {
    prop_oneof![
        2 => Just(Vec::new()),
        1 => vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_table(own in own_table(), bare in bare_table(), damage in damage()) {
        for (format, text) in [(Format::Events, own), (Format::Taobao, bare)] {
            let bytes = [vec![oracles::choice(format)], text.into_bytes()].concat();
            oracles::any_table(&damaged(bytes, &damage));
        }
    }

    /// Every adapter: a fixture of each format with some of its lines, in any order, damaged.
    #[test]
    fn any_fixture(
        (format, text) in select(FIXTURES.to_vec()),
        lines in vec(any::<prop::sample::Index>(), 0..6),
        recognised in any::<bool>(),
        damage in damage(),
    ) {
        let all: Vec<&str> = text.lines().collect();
        let drawn = lines.iter().map(|line| all[line.index(all.len())]);
        let text: Vec<&str> = all.iter().take(1).copied().chain(drawn).collect();
        let choice = if recognised { oracles::BY_CONTENT } else { oracles::choice(format) };
        oracles::any_table(&damaged([vec![choice], text.join("\n").into_bytes()].concat(), &damage));
    }

    #[test]
    fn any_event(json in live_event(), damage in damage()) {
        oracles::any_event(&damaged(json.into_bytes(), &damage));
    }

    #[test]
    fn any_table_under_a_mapping(
        table in own_table(),
        unit in select(vec!["milliseconds", "seconds", "text"]),
        further in subsequence(vec!["user_id", "session_id", "event_no", "item_id", "price"], 0..5),
        damage in damage(),
    ) {
        let further: String = further.iter().map(|name| format!(r#", "{name}": "{name}""#)).collect();
        let mapping = format!(
            r#"{{"timestamp_unit": "{unit}", "events": {{"pv": "view_item"}},
                "columns": {{"timestamp": "timestamp", "event": "event"{further}}}}}"#
        );
        let bytes = [mapping.into_bytes(), vec![0], table.into_bytes()].concat();
        oracles::any_mapping(&damaged(bytes, &damage));
    }
}
