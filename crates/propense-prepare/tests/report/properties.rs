//! Whatever stands in a table, nothing panics, every number is finite, and the sums agree.

use propense_events::EventKind;
use propense_prepare::report::{DataReport, Intake, html};
use proptest::prelude::*;

use crate::shop::{Line, report_of};

fn amount() -> impl Strategy<Value = Option<f64>> {
    prop::option::of(prop_oneof![
        0.0..1000.0,
        Just(0.0),
        Just(f64::MAX),
        Just(f64::MIN_POSITIVE),
        Just(-5.0),
        Just(f64::NAN),
        Just(f64::INFINITY),
    ])
}

fn name() -> impl Strategy<Value = Option<String>> {
    prop::option::of(prop_oneof![
        "[a-c]",
        "<script>|&\"'`|\u{202e}|/|",
        // Something may be called so, and then the page says it: it would hide a number that is none.
        ".{0,120}".prop_filter("a name like a number that is none", |name| !name
            .contains("NaN")),
    ])
}

prop_compose! {
    fn line()(
        time in prop_oneof![
            1_700_000_000_000..1_700_900_000_000_i64,
            0..8_000_000_000_000_i64,
            any::<i64>(),
        ],
        kind in prop::option::of(0..16_u8),
        names in prop::array::uniform5(name()),
        session in "[a-d]{0,2}",
        event_no in 0..4_u32,
        amounts in prop::array::uniform3(amount()),
        source in 0..3_u16,
    ) -> Line {
        let [user, anonymous, item, category, currency] = names;
        let [price, quantity, value] = amounts;
        Line {
            time,
            kind: Some(kind.and_then(EventKind::from_code).unwrap_or(EventKind::Other)),
            user, anonymous, session, event_no, item, category, price, quantity, value, currency, source,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_table_gives_a_report(lines in prop::collection::vec(line(), 0..120), size in 1..40_usize) {
        let report = report_of(&lines, size, Intake::default());
        let text = serde_json::to_string(&report).unwrap();
        let read: DataReport = serde_json::from_str(&text).unwrap();
        // A number that is none is written as null, and cannot be read back.
        prop_assert_eq!(&read.totals, &report.totals);
        for feature in &report.features {
            prop_assert!(feature.values.mean.is_finite(), "{:?}", feature);
            prop_assert_eq!(
                feature.values.bins.iter().map(|bin| bin.count).sum::<u64>(),
                feature.values.count
            );
        }
        let totals = report.totals;
        prop_assert_eq!(totals.lines, lines.len() as u64);
        prop_assert_eq!(report.kinds.iter().map(|kind| kind.events).sum::<u64>(), totals.events);
        prop_assert_eq!(report.week.iter().sum::<u64>(), totals.events);
        let slots = &report.volumes.slots;
        prop_assert_eq!(slots.iter().map(|slot| slot.events).sum::<u64>(), totals.events);
        prop_assert_eq!(slots.iter().map(|slot| slot.sessions).sum::<u64>(), totals.sessions);
        prop_assert_eq!(report.sessions.events.count, totals.sessions);
        let page = html(&report);
        for word in ["NaN", "inf\"", "<script", "-1.0\" height", "height=\"-", "width=\"-"] {
            prop_assert!(!page.contains(word), "{word}");
        }
    }
}
