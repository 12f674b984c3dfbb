//! What must hold of any lines.

use propense_prepare::clean::{Change, Options, Period, Rules, SessionPlace};
use propense_prepare::table::{Column, Lines};
use propense_prepare::usual_price::UsualPrices;
use proptest::prelude::*;

use crate::table::{Row, START, clean, place_name, sort};

/// One of a few texts, so that lines meet.
fn text(choices: &'static [&'static str]) -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        1 => Just(None),
        3 => proptest::sample::select(choices).prop_map(|text| Some(text.to_owned())),
    ]
}

fn number(choices: &'static [f64]) -> impl Strategy<Value = Option<f64>> {
    prop_oneof![
        1 => Just(None),
        2 => proptest::sample::select(choices).prop_map(Some),
    ]
}

prop_compose! {
    fn line()(
        step in prop_oneof![
            Just(0i64), 1..2000i64, 1000..60_000i64, 0..7_200_000i64, 0..90_000_000i64
        ],
        kind in prop_oneof![Just(4u8), Just(12u8), Just(12u8), Just(13u8), 0..16u8],
        source in 0..3u16,
        session in text(&["s", "t", "u#1", "u#2"]),
        item in text(&["a", "b", "c", "test"]),
        price in number(&[2.5, 250.0, 10.0, 1000.0, 3.0]),
        value in number(&[2.5, 250.0, 500.0]),
        quantity in number(&[1.0, 2.0]),
        page in text(&["product", "home"]),
        currency in text(&["EUR", "USD", "JPY"]),
        order in text(&["T1", "T2", "T3", "0"]),
        anonymous in text(&["d", "e"]),
        context in text(&["{\"bot\":true}", "{\"a\":1}", "{\"a\":2}"]),
        together in proptest::bool::weighted(0.3),
    ) -> (i64, bool, Row) {
        let mut row = Row { kind, source, ..Row::default() };
        *row.text(Column::UserId) = Some("u".to_owned());
        *row.text(Column::SessionId) = session;
        *row.text(Column::ItemId) = item;
        *row.text(Column::PageType) = page;
        *row.text(Column::Currency) = currency;
        *row.text(Column::TransactionId) = order;
        *row.text(Column::AnonymousId) = anonymous;
        // A flag on every fourth line would leave no session.
        *row.text(Column::Context) = context.filter(|_| step % 7 == 0);
        *row.number(Column::Price) = price;
        *row.number(Column::Value) = value;
        *row.number(Column::Quantity) = quantity;
        (step, together, row)
    }
}

/// Lines of one owner, sorted; some are lines of one record. Rows of a file stand in any order.
fn table() -> impl Strategy<Value = Vec<Row>> {
    let lines = proptest::collection::vec((line(), 0..8u64), 0..60);
    lines.prop_map(|lines| {
        let mut rows: Vec<Row> = Vec::new();
        let mut time = START;
        for (number, ((step, together, mut row), shift)) in lines.into_iter().enumerate() {
            match rows.last() {
                Some(before) if together => {
                    let (item, price) =
                        (row.text(Column::ItemId).clone(), *row.number(Column::Price));
                    row = before.clone();
                    *row.text(Column::ItemId) = item;
                    *row.number(Column::Price) = price;
                }
                _ => {
                    time += step;
                    row.timestamp = time;
                    // Each record has a row of its own; some stand a little before their time.
                    row.row = ((number as u64 + 1) * 8 + shift * 20) * 64 + number as u64;
                }
            }
            rows.push(row);
        }
        sort(&mut rows);
        rows
    })
}

fn rules() -> Rules {
    let mut options = Options {
        latest: Some(START + 3_000_000_000),
        period: Some(Period {
            from: START + 1000,
            to: i64::MAX,
        }),
        currency: Some("EUR".to_owned()),
        bot_events: 20,
        bot_fast_events: 6,
        session_most_orders: 4,
        ..Options::default()
    };
    options.rates.insert("USD".to_owned(), 0.5);
    options.sessions.midnight = true;
    Rules::new(options, UsualPrices::known([("a", 2.5), ("b", 10.0)])).expect("good options")
}

/// The table after cleaning, as it would be read again: one file, rows in order, sessions named.
fn cleaned(rows: &[Row], rules: &Rules) -> Vec<Row> {
    let (batch, verdicts) = clean(rows, rules);
    let lines = Lines::new(&batch).expect("the staged table");
    let mut rows = rows.to_vec();
    for repair in &verdicts.repaired {
        let row = &mut rows[repair.line];
        match repair.change {
            Change::Sorted => {}
            Change::Price(price) => *row.number(Column::Price) = price,
            Change::Value(value) => *row.number(Column::Value) = value,
            Change::Currency => *row.text(Column::Currency) = Some("EUR".to_owned()),
        }
    }
    let mut kept = Vec::new();
    let mut before = None;
    let mut record = 0;
    for (mut row, place) in rows.into_iter().zip(&verdicts.places) {
        if *place == SessionPlace::NONE {
            continue;
        }
        // The lines of an event are written as one event.
        record += u64::from(before != Some(*place));
        before = Some(*place);
        row.source = 0;
        row.row = record;
        let name = place_name(&lines, &verdicts, *place);
        let name = name.rsplit_once(' ').map(|(name, _)| name.to_owned());
        *row.text(Column::SessionId) = name;
        kept.push(row);
    }
    kept
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn every_line_gets_one_verdict(rows in table()) {
        let (_, verdicts) = clean(&rows, &rules());
        prop_assert_eq!(verdicts.places.len(), rows.len());
        let removed: Vec<usize> = verdicts.removed.iter().map(|removal| removal.line).collect();
        prop_assert!(removed.is_sorted_by(|one, other| one < other), "{:?}", removed);
        let repaired: Vec<usize> = verdicts.repaired.iter().map(|repair| repair.line).collect();
        prop_assert!(repaired.is_sorted());
        for (line, place) in verdicts.places.iter().enumerate() {
            let gone = removed.binary_search(&line).is_ok();
            prop_assert_eq!(gone, *place == SessionPlace::NONE);
            prop_assert!(!(gone && repaired.contains(&line)));
            prop_assert!(gone || (place.session as usize) < verdicts.sessions.len());
        }
        prop_assert_eq!(verdicts.counts.set_aside(), removed.len() as u64);
    }

    #[test]
    fn events_are_numbered_without_gaps(rows in table()) {
        let (_, verdicts) = clean(&rows, &rules());
        let mut last = std::collections::BTreeMap::new();
        for place in verdicts.places.iter().filter(|place| **place != SessionPlace::NONE) {
            let before = last.insert(place.session, place.event_no).unwrap_or(0);
            prop_assert!(place.event_no == before || place.event_no == before + 1);
        }
    }

    #[test]
    fn cleaning_what_is_clean_changes_nothing(rows in table()) {
        let rules = rules();
        let once = cleaned(&rows, &rules);
        let (_, verdicts) = clean(&once, &rules);
        prop_assert_eq!(&verdicts.removed, &[], "{:#?}", once);
        prop_assert_eq!(&verdicts.repaired, &[], "{:#?}", once);
        prop_assert_eq!(cleaned(&once, &rules), once);
    }

    /// Which file was given first matters only where two lines have the same time.
    #[test]
    fn the_order_of_the_files_does_not_matter(rows in table()) {
        let mut rows = rows;
        // So: no two events have.
        for (shift, row) in rows.chunk_by_mut(|one, other| one.row == other.row).enumerate() {
            row.iter_mut().for_each(|row| row.timestamp += shift as i64);
        }
        let mut turned: Vec<Row> = rows.clone();
        for row in &mut turned {
            row.source = 2 - row.source;
        }
        sort(&mut turned);
        let rules = rules();
        let (_, one) = clean(&rows, &rules);
        let (_, other) = clean(&turned, &rules);
        let removed = |verdicts: &propense_prepare::clean::Verdicts| -> Vec<_> {
            verdicts.removed.iter().map(|removal| (removal.line, removal.rule)).collect()
        };
        prop_assert_eq!(removed(&one), removed(&other));
        prop_assert_eq!(one.repaired, other.repaired);
        prop_assert_eq!(one.places, other.places);
    }
}
