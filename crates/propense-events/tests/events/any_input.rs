//! The oracles of the fuzz targets, on random bytes and on bytes that look like something.

use proptest::{collection::vec, prelude::*};

use crate::oracles;

/// Pieces that formats are made of.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let words = [
        "timestamp",
        "event",
        "item_id",
        "price",
        "view_item",
        "purchase",
        "1511544075",
        "1",
        "2017-11-25 00:00:00",
        "pv",
        "buy",
        "InvoiceNo",
        "StockCode",
        "context",
        "1700000000000",
        "u1",
        "-2.5",
        "1e308",
        "NaN",
    ];
    prop_oneof![
        6 => proptest::sample::select(words.to_vec()).prop_map(|word| word.as_bytes().to_vec()),
        6 => proptest::sample::select(b",,,,\n\n\r\"\t;{}[]:+ ".to_vec()).prop_map(|byte| vec![byte]),
        1 => vec(any::<u8>(), 1..4),
    ]
}

fn pieces() -> impl Strategy<Value = Vec<u8>> {
    vec(piece(), 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_table(choice in any::<u8>(), input in pieces()) {
        let bytes = [vec![choice], input].concat();
        oracles::any_table(&bytes);
    }

    #[test]
    fn any_event(input in pieces()) {
        oracles::any_event(&input);
    }

    #[test]
    fn any_table_under_a_mapping(
        delimiter in proptest::sample::select(vec![",", ";", "|", "\\t"]),
        header in any::<bool>(),
        unit in proptest::sample::select(vec!["milliseconds", "seconds", "text"]),
        input in pieces(),
    ) {
        let columns = if header {
            r#""timestamp": "timestamp", "event": "event""#
        } else {
            r#""timestamp": "1", "event": "2", "item_id": "3", "price": "4""#
        };
        let mapping = format!(
            r#"{{"delimiter": "{delimiter}", "header": {header}, "timestamp_unit": "{unit}", "columns": {{{columns}}}}}"#
        );
        let bytes = [mapping.into_bytes(), vec![0], input].concat();
        oracles::any_mapping(&bytes);
    }
}
