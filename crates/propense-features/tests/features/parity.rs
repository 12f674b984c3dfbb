//! File and live paths give the same numbers, bit for bit.

use std::sync::Arc;

use propense_events::{Context, Limits, parse_event, read, sessionise, write_events};
use propense_features::{
    FeatureSpec, Featuriser, FitOptions, LIMIT, Measure, RowFeature, featurise, fit,
};
use proptest::prelude::*;

use crate::strategies::visit;

/// What is fitted to a shop, and every measure besides, so that nothing goes untested because
/// this shop does not know it.
fn spec() -> Arc<FeatureSpec> {
    let sessions = crate::fitting::shop();
    let sessions: Vec<_> = sessions.iter().collect();
    let options = FitOptions {
        whole_history: true,
        item_buckets: 5,
        category_buckets: 3,
        ..FitOptions::full()
    };
    let (mut spec, _) = fit(&sessions, &options);
    for measure in Measure::ALL {
        let there = |feature: &RowFeature| matches!(feature, RowFeature::Number { measure: m, .. } if *m == measure);
        if !spec.row.iter().any(there) {
            spec.row.push(crate::raw(measure));
        }
    }
    spec.item_rates.insert("A".to_owned(), 0.7);
    spec.category_rates.insert("red".to_owned(), -0.3);
    assert_eq!(spec.validate(), Ok(()));
    assert!(spec.typical_prices.is_some());
    Arc::new(spec)
}

fn bits(numbers: &[f32]) -> Vec<u32> {
    numbers.iter().map(|number| number.to_bits()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_file_and_a_live_visit_give_the_same_rows(events in visit()) {
        let spec = spec();

        // The file: own CSV, read, sessions, rows.
        let mut file = Vec::new();
        write_events(&events, &mut file).expect("a vector can be written to");
        let table = read(file.as_slice(), None, None).expect("readable");
        let (sessions, _) = sessionise(table.events, 1_800_000);
        prop_assert_eq!(sessions.len(), 1);
        let session = &sessions[0];
        let (file_rows, file_context) = featurise(&spec, session, &session.events);

        // Live: JSON, one by one.
        let mut live_rows = Vec::new();
        let mut featuriser: Option<Featuriser> = None;
        let mut row = Vec::new();
        for (number, event) in events.iter().enumerate() {
            let json = serde_json::to_string(event).expect("an event is JSON");
            let (event, problems) = parse_event(&json, number as u64 + 1, &Limits::default());
            prop_assert_eq!(&problems, &[]);
            let event = event.expect("kept");
            let featuriser = featuriser.get_or_insert_with(|| {
                Featuriser::new(Arc::clone(&spec), event.timestamp, &event.context)
            });
            featuriser.push(&event, &mut row);
            prop_assert_eq!(featuriser.len(), number + 1);
            live_rows.extend_from_slice(&row);
        }
        let live_context = featuriser.map(|f| f.context().to_vec()).unwrap_or_default();

        prop_assert_eq!(file_rows.len(), events.len() * spec.row_len());
        prop_assert_eq!(bits(&file_rows), bits(&live_rows));
        prop_assert_eq!(bits(&file_context), bits(&live_context));
    }

    #[test]
    fn every_number_is_finite_and_bounded(events in visit()) {
        let spec = spec();
        let mut featuriser = Featuriser::new(Arc::clone(&spec), events[0].timestamp, &events[0].context);
        let mut row = Vec::new();
        for event in &events {
            featuriser.push(event, &mut row);
            prop_assert_eq!(row.len(), spec.row_len());
            prop_assert!(row.iter().all(|number| number.is_finite() && number.abs() <= LIMIT));
        }
        prop_assert!(featuriser.context().iter().all(|number| number.is_finite()));
    }

    #[test]
    fn a_row_depends_on_nothing_later(events in visit(), keep in any::<prop::sample::Index>()) {
        let spec = spec();
        let keep = keep.index(events.len()) + 1;
        let session = crate::session(events.clone());
        let (all, _) = featurise(&spec, &session, &events);
        let (some, _) = featurise(&spec, &session, &events[..keep]);
        prop_assert_eq!(bits(&all[..some.len()]), bits(&some));
    }

    #[test]
    fn a_row_does_not_change_when_later_events_change(
        events in visit(),
        others in visit(),
        keep in any::<prop::sample::Index>(),
    ) {
        let spec = spec();
        let keep = keep.index(events.len()) + 1;
        let mut changed = events[..keep].to_vec();
        let last = changed.last().map_or(0, |event| event.timestamp);
        changed.extend(others.into_iter().map(|mut event| {
            event.timestamp = event.timestamp.max(last);
            event
        }));
        let (a, _) = featurise(&spec, &crate::session(events.clone()), &events);
        let (b, _) = featurise(&spec, &crate::session(changed.clone()), &changed);
        let known = keep * spec.row_len();
        prop_assert_eq!(bits(&a[..known]), bits(&b[..known]));
    }

    #[test]
    fn a_copy_goes_its_own_way(events in visit()) {
        let spec = spec();
        let mut original = Featuriser::new(Arc::clone(&spec), events[0].timestamp, &Context::new());
        let mut expected = original.clone();
        let (mut row, mut ignored) = (Vec::new(), Vec::new());
        let mut expected_row = Vec::new();
        for event in &events {
            original.clone().push(&events[0], &mut ignored);
            original.push(event, &mut row);
            expected.push(event, &mut expected_row);
            prop_assert_eq!(bits(&row), bits(&expected_row));
        }
    }
}
