//! Whole runs: the accounts balance, and what went in comes out.

use std::fs;
use std::io::Write;

use propense_events::Event;
use propense_prepare::{LoadOptions, PrepareError, load, prepare};

use crate::inputs::{ALL, OWN, RETAIL, SHOPPERS, Shop, TAOBAO, data_lines, events, log};

/// Events in an order of their own, without their sessions: those are cut anew.
fn comparable(mut events: Vec<Event>) -> Vec<String> {
    let mut texts: Vec<String> = events
        .iter_mut()
        .map(|event| {
            event.session_id = None;
            // No difference between nothing and nothing below zero.
            event.value = event.value.map(|value| value + 0.0);
            serde_json::to_string(event).expect("json")
        })
        .collect();
    texts.sort();
    texts
}

#[test]
fn every_input_balances_and_comes_back() {
    for (name, text) in ALL {
        let shop = Shop::new(&[(name, text)]);
        let prepared = shop.prepare("out");
        assert_eq!(
            prepared.records_in,
            prepared.records_out + prepared.records_quarantined,
            "{name}"
        );
        assert_eq!(
            data_lines(&prepared.quarantine),
            prepared.records_quarantined,
            "{name}"
        );
        let expected = load(&[shop.path("in")], &LoadOptions::default()).expect("loaded");
        assert_eq!(prepared.inputs[0].rows, expected.rows(), "{name}");
        if name == "shoppers.csv" {
            assert!(prepared.tables.is_empty());
            let summaries = prepared.summaries.expect("summaries");
            let text = fs::read_to_string(summaries).expect("text");
            assert_eq!(text.lines().count(), expected.sessions.len());
            continue;
        }
        // The set's own repetitions are the rule's business here, and the reader's in memory.
        let mut found = comparable(events(&prepared));
        if name == "taobao.csv" {
            found.dedup();
        }
        assert_eq!(found, comparable(expected.events), "{name}");
        assert!(!shop.path("out/.work").exists());
    }
}

#[test]
fn what_was_set_aside_is_named_with_its_row() {
    let shop = Shop::new(&[("taobao.csv", TAOBAO)]);
    let mut request = shop.request("out");
    request.cleaning.without.clear();
    let prepared = prepare(&request, &mut ()).expect("prepared");
    let text = fs::read_to_string(&prepared.quarantine).expect("text");
    let starts: Vec<String> = text
        .lines()
        .map(|line| line.split(',').take(3).collect::<Vec<_>>().join(","))
        .collect();
    assert_eq!(
        starts,
        [
            "source,row,rule",
            "0,6,malformed",
            "0,7,missing_field",
            "0,2,duplicate"
        ]
    );
    assert_eq!(prepared.cleaning.removed_by.get("duplicate"), Some(&1));
    assert_eq!((prepared.records_in, prepared.records_out), (7, 4));
}

#[test]
fn many_inputs_make_one_table() {
    let shop = Shop::new(&ALL);
    let prepared = shop.prepare("out");
    assert_eq!(prepared.inputs.len(), ALL.len());
    let rows: u64 = prepared.inputs.iter().map(|input| input.rows).sum();
    let expected: u64 = ALL
        .iter()
        .map(|(name, text)| {
            let alone = Shop::new(&[(*name, *text)]);
            alone.prepare("out").inputs[0].rows
        })
        .sum();
    assert_eq!(rows, expected);
    assert_eq!(
        prepared.records_in,
        prepared.records_out + prepared.records_quarantined
    );
}

#[test]
fn the_wrapping_of_an_input_changes_nothing() {
    let text = log(3000, 40, 0);
    let plain = Shop::new(&[("log.csv", text.as_str())]);
    let expected = events(&plain.prepare("out"));
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).expect("gzip");
    let utf16: Vec<u8> = "\u{feff}"
        .encode_utf16()
        .chain(text.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    let wrapped = [
        ("log.csv.gz", gzip.finish().expect("gzip")),
        (
            "log.csv.zst",
            zstd::encode_all(text.as_bytes(), 1).expect("zstd"),
        ),
        ("log.txt", utf16),
    ];
    for (name, bytes) in wrapped {
        let shop = Shop::new(&[]);
        shop.write(name, &bytes);
        assert_eq!(events(&shop.prepare("out")), expected, "{name}");
    }
}

#[test]
fn the_number_of_buckets_and_threads_changes_nothing() {
    let text = log(5000, 60, 30);
    let shop = Shop::new(&[
        ("log.csv", text.as_str()),
        ("own.csv", OWN),
        ("retail.csv", RETAIL),
    ]);
    let expected = events(&shop.prepare("out"));
    for (bits, threads) in [(0, 1), (1, 2), (3, 3), (6, 2)] {
        let mut request = shop.request("again");
        request.bucket_bits = Some(bits);
        request.threads = Some(threads);
        let prepared = prepare(&request, &mut ()).expect("prepared");
        assert_eq!(
            events(&prepared),
            expected,
            "{bits} bits, {threads} threads"
        );
    }
}

#[test]
fn a_prepared_table_can_be_prepared_again() {
    let shop = Shop::new(&[("own.csv", OWN), ("retail.csv", RETAIL)]);
    let once = shop.prepare("once");
    let mut request = shop.request("twice");
    request.inputs = vec![shop.path("once")];
    let twice = prepare(&request, &mut ()).expect("prepared");
    assert_eq!(comparable(events(&twice)), comparable(events(&once)));
    assert_eq!(twice.records_out, once.records_out);
    let loaded = load(&[shop.path("once")], &LoadOptions::default()).expect("loaded");
    assert_eq!(loaded.events, events(&once));
}

#[test]
fn an_input_that_would_be_written_over_is_refused() {
    let shop = Shop::new(&[("events.parquet", OWN)]);
    let error = prepare(&shop.request("in"), &mut ()).expect_err("refused");
    assert!(error.to_string().contains("output folder"), "{error}");
    assert!(shop.path("in/events.parquet").exists());
}

#[test]
fn nothing_to_read_is_an_error_with_its_place() {
    let shop = Shop::new(&[("empty.csv", ""), ("good.csv", OWN)]);
    let error = prepare(&shop.request("out"), &mut ()).expect_err("empty");
    assert!(matches!(error, PrepareError::Events { .. }));
    assert!(error.to_string().contains("empty.csv"), "{error}");
    let shop = Shop::new(&[("bad.csv", "1,2,3,stare,1511561733\n2,3,4,pv,never\n")]);
    let mut request = shop.request("out");
    request.format = Some(propense_events::Format::Taobao);
    let error = prepare(&request, &mut ()).expect_err("nothing readable");
    assert!(error.to_string().contains("none of the 2 rows"), "{error}");
}

#[test]
fn summaries_and_events_stand_side_by_side() {
    let shop = Shop::new(&[("shoppers.csv", SHOPPERS), ("own.csv", OWN)]);
    let prepared = shop.prepare("out");
    assert!(prepared.summaries.is_some() && prepared.tables.len() == 1);
    assert_eq!((prepared.records_in, prepared.records_out), (12, 11));
}

/// Google's analytics export, as JSON lines and as nested Parquet.
#[test]
fn nested_parquet_is_read_as_its_json_is() {
    use std::io::Cursor;
    use std::sync::Arc;

    let text = "\
{\"event_timestamp\":1612069510766593,\"event_name\":\"view_item\",\"user_pseudo_id\":\"p.1\",\"items\":[{\"item_id\":\"a\",\"item_name\":\"Lamp\",\"price\":2.5}]}
{\"event_timestamp\":1612069520766593,\"event_name\":\"purchase\",\"user_pseudo_id\":\"p.1\",\"user_id\":\"ann\",\"ecommerce\":{\"transaction_id\":\"t1\",\"purchase_revenue\":6.0},\"items\":[{\"item_id\":\"a\",\"price\":2.5,\"quantity\":1},{\"item_id\":\"b\",\"price\":3.5,\"quantity\":1}]}
";
    let shop = Shop::new(&[("export.json", text)]);
    let expected = shop.prepare("out");
    assert_eq!(expected.stitched_lines, 1);
    let (schema, _) =
        arrow::json::reader::infer_json_schema(Cursor::new(text), None).expect("schema");
    let batches = arrow::json::ReaderBuilder::new(Arc::new(schema))
        .build(Cursor::new(text))
        .expect("a reader");
    let other = Shop::new(&[]);
    let mut writer = None;
    for batch in batches {
        let batch = batch.expect("a batch");
        let file = fs::File::create(other.path("in/export.parquet")).expect("a file");
        let mut out =
            parquet::arrow::ArrowWriter::try_new(file, batch.schema(), None).expect("a writer");
        out.write(&batch).expect("written");
        writer = Some(out);
    }
    writer.expect("rows").close().expect("closed");
    let found = other.prepare("out");
    assert_eq!(found.inputs[0].format, expected.inputs[0].format);
    assert_eq!(events(&found), events(&expected));
    assert_eq!(events(&found).len(), 2);
}

/// The period that a public set promises is a rule like any other: named, and with a switch.
#[test]
fn rows_outside_a_sets_own_period_are_kept_where_asked_for() {
    use propense_prepare::clean::CleaningRule;
    let text = "1,2,3,pv,1511561733\n1,2,3,pv,1511000000\n1,2,3,buy,1513000000\n";
    let shop = Shop::new(&[("UserBehavior.csv", text)]);
    let mut request = shop.request("out");
    for (kept, quarantined) in [(3, 0), (1, 2)] {
        let prepared = prepare(&request, &mut ()).expect("prepared");
        assert_eq!(prepared.records_quarantined, quarantined);
        assert_eq!(events(&prepared).len(), kept);
        assert!(
            request
                .cleaning
                .without
                .remove(&CleaningRule::OutsidePeriod)
                || kept == 1
        );
    }
}
