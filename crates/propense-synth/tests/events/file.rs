//! The file itself: as many rows as asked for, the same for the same seed, packed or not.

use std::{collections::BTreeMap, io::Read};

use flate2::read::MultiGzDecoder;
use propense_events::{Format, Rule};
use propense_synth::{EventsLayout, SynthError};

use crate::{count, made, make};

#[test]
fn as_many_rows_as_asked_for() {
    for layout in EventsLayout::ALL {
        for rows in [0, 1, 2, 17, 1_000, 30_000] {
            let (text, manifest) = made(layout, rows, 3);
            let mut reader = csv::ReaderBuilder::new()
                .has_headers(layout == EventsLayout::Events)
                .from_reader(text.as_bytes());
            assert_eq!(
                reader.byte_records().map(Result::unwrap).count() as u64,
                rows
            );
            assert_eq!(manifest.rows, rows);
            assert_eq!(manifest.kinds.values().sum::<u64>(), rows);
            assert_eq!(manifest.bytes, text.len() as u64);
            assert!(manifest.kept() <= rows);
        }
    }
}

#[test]
fn the_seed_alone_decides() {
    for layout in EventsLayout::ALL {
        let first = made(layout, 5_000, 1);
        assert_eq!(first, made(layout, 5_000, 1));
        assert_ne!(first.0, made(layout, 5_000, 2).0);
    }
}

#[test]
fn a_packed_file_holds_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/er/made.csv.gz");
    let manifest = make(&path, EventsLayout::Taobao, 5_000, 1);
    let mut text = String::new();
    let mut packed = MultiGzDecoder::new(std::fs::File::open(&path).unwrap());
    packed.read_to_string(&mut text).unwrap();
    assert_eq!((text, manifest), made(EventsLayout::Taobao, 5_000, 1));
    let left = std::fs::read_dir(path.parent().unwrap()).unwrap().count();
    assert_eq!(left, 2, "the file and its manifest, nothing unfinished");
}

/// Every kind of dirt is there once the file is large enough.
#[test]
fn nothing_is_forgotten() {
    let (_, manifest) = made(EventsLayout::Events, 1_000_000, 5);
    for rule in [
        "duplicate",
        "double_fire",
        "repeated_order",
        "future_timestamp",
        "outside_period",
        "absurd_timestamp",
        "missing_field",
        "malformed",
        "bot",
        "impossible_session",
        "test_order",
        "out_of_order",
        "absurd_price",
        "price_unit",
        "foreign_currency",
        "name_missing",
        "name_with_comma",
        "name_with_quotation_mark",
        "name_with_line_break",
        "guest",
        "logged_in_later",
    ] {
        assert!(count(&manifest, rule) > 10, "{rule}: {manifest}");
    }
}

/// What can be told from a single row is told by the project's own readers.
#[test]
fn the_readers_find_what_they_can() {
    for (layout, format) in [
        (EventsLayout::Events, Format::Events),
        (EventsLayout::Taobao, Format::Taobao),
    ] {
        let (text, manifest) = made(layout, 200_000, 21);
        let table = propense_events::read(text.as_bytes(), None, None).unwrap();
        assert_eq!(table.format, format);
        assert_eq!(table.rows, manifest.rows);
        let mut found: BTreeMap<Rule, u64> = BTreeMap::new();
        for problem in &table.problems {
            *found.entry(problem.rule).or_default() += 1;
        }
        // Others look at several rows together.
        let mut expected: BTreeMap<Rule, u64> = [
            (Rule::MissingField, "missing_field"),
            (Rule::Malformed, "malformed"),
            (Rule::AbsurdTimestamp, "absurd_timestamp"),
            (Rule::AbsurdPrice, "absurd_price"),
        ]
        .map(|(rule, name)| (rule, count(&manifest, name)))
        .into();
        if layout == EventsLayout::Taobao {
            found.remove(&Rule::Duplicate);
            expected.insert(Rule::OutsidePeriod, count(&manifest, "outside_period"));
        }
        expected.retain(|_, rows| *rows > 0);
        assert_eq!(found, expected);
    }
}

#[test]
fn layouts_have_names() {
    for layout in EventsLayout::ALL {
        assert_eq!(layout.name().parse::<EventsLayout>().unwrap(), layout);
    }
    let error = "parquet".parse::<EventsLayout>().unwrap_err();
    assert!(matches!(error, SynthError::Layout(_)));
    assert!(error.to_string().contains("taobao"), "{error}");
}
