//! Each measure by hand, over a small visit; the layout; what a specification from outside must
//! satisfy.

use std::sync::Arc;

use propense_events::{Context, Event, EventKind, Item, Value};
use propense_features::{
    ContextFeature, FeatureError, FeatureSpec, Featuriser, FitOptions, HashedField, LIMIT, Measure,
    Normal, RowFeature, Transform, TypicalPrices, featurise, fit,
};

use crate::{START, event, raw, session, spec, with_item};

/// The measure after each event; `None` where the flag says missing.
pub(crate) fn trace(measure: Measure, events: &[Event]) -> Vec<Option<f32>> {
    // Scaled by a power of two, which loses no digit, so that seconds of an hour lie within the
    // limit.
    const SCALE: f32 = 1024.0;
    let column = RowFeature::Number {
        measure,
        transform: Transform::Identity,
        normal: Normal {
            mean: 0.0,
            std: SCALE,
        },
        flag: true,
    };
    let mut wide = (*spec(vec![column, raw(Measure::Position), raw(Measure::Gap)])).clone();
    wide.item_rates.insert("A".to_owned(), 0.5);
    wide.category_rates.insert("red".to_owned(), -0.5);
    let wide = Arc::new(wide);
    let mut featuriser = Featuriser::new(Arc::clone(&wide), START, &Context::new());
    let mut row = Vec::new();
    events
        .iter()
        .map(|event| {
            featuriser.push(event, &mut row);
            assert_eq!(row.len(), wide.row_len());
            (row[1] == 0.0).then_some(row[0] * SCALE)
        })
        .collect()
}

fn visit() -> Vec<Event> {
    let mut add = with_item(event(EventKind::AddToCart, 4), "A", "red", Some(2.0));
    add.items[0].quantity = Some(3.0);
    let mut remove = with_item(event(EventKind::RemoveFromCart, 5), "A", "red", None);
    remove.items[0].quantity = Some(2.0);
    let mut order = with_item(event(EventKind::Purchase, 6), "A", "red", Some(2.0));
    order.items.push(Item {
        item_id: "C".to_owned(),
        item_category: Some("blue".to_owned()),
        ..Item::default()
    });
    order.value = Some(7.5);
    vec![
        event(EventKind::PageView, 1),
        with_item(event(EventKind::ViewItem, 3), "A", "red", Some(2.0)),
        with_item(event(EventKind::ViewItem, 3), "B", "", None),
        add,
        remove,
        order,
    ]
}

#[test]
fn every_measure_after_every_event() {
    const NO: Option<f32> = None;
    let some = |numbers: [f32; 6]| numbers.map(Some);
    let rows: [(Measure, [Option<f32>; 6]); 14] = [
        (
            Measure::Gap,
            [NO, Some(2.0), Some(0.0), Some(1.0), Some(1.0), Some(1.0)],
        ),
        (Measure::Elapsed, some([1.0, 3.0, 3.0, 4.0, 5.0, 6.0])),
        (Measure::Position, some([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])),
        (
            Measure::Price,
            [NO, Some(2.0), NO, Some(2.0), NO, Some(2.0)],
        ),
        (
            Measure::ItemRepeats,
            [NO, Some(0.0), Some(0.0), Some(1.0), Some(2.0), Some(3.0)],
        ),
        (
            Measure::CategoryRepeats,
            [NO, Some(0.0), NO, Some(1.0), Some(2.0), Some(3.0)],
        ),
        (Measure::DistinctItems, some([0.0, 1.0, 2.0, 2.0, 2.0, 3.0])),
        (
            Measure::DistinctCategories,
            some([0.0, 1.0, 1.0, 1.0, 1.0, 2.0]),
        ),
        (Measure::CartUnits, some([0.0, 0.0, 0.0, 3.0, 1.0, 0.0])),
        (Measure::CartValue, some([0.0, 0.0, 0.0, 6.0, 2.0, 0.0])),
        (Measure::EventValue, [NO, NO, NO, NO, NO, Some(7.5)]),
        (Measure::EventItems, some([0.0, 1.0, 1.0, 1.0, 1.0, 2.0])),
        (
            Measure::ItemRate,
            [NO, Some(0.5), NO, Some(0.5), Some(0.5), Some(0.5)],
        ),
        (
            Measure::CategoryRate,
            [NO, Some(-0.5), NO, Some(-0.5), Some(-0.5), Some(-0.5)],
        ),
    ];
    // The others are in `behaviour.rs`.
    assert_eq!(rows.map(|(measure, _)| measure), Measure::BASE);
    for (measure, expected) in rows {
        assert_eq!(trace(measure, &visit()), expected, "{}", measure.name());
    }
}

#[test]
fn time_never_runs_backwards() {
    let events = [10, 4, 12].map(|seconds| event(EventKind::Search, seconds));
    assert_eq!(trace(Measure::Gap, &events), [None, Some(0.0), Some(2.0)]);
    assert_eq!(
        trace(
            Measure::Elapsed,
            &[event(EventKind::Search, -5), event(EventKind::Search, 2)]
        ),
        [Some(0.0), Some(2.0)]
    );
}

#[test]
fn one_hots_have_a_column_for_the_rest() {
    let spec = spec(vec![
        RowFeature::Kind {
            kinds: vec![EventKind::ViewItem, EventKind::AddToCart],
        },
        RowFeature::PageType {
            names: vec!["product".to_owned()],
        },
    ]);
    let page = |kind, page: Option<&str>| Event {
        page_type: page.map(str::to_owned),
        ..event(kind, 0)
    };
    let rows = [
        (
            page(EventKind::ViewItem, Some("product")),
            [1.0, 0.0, 0.0, 1.0, 0.0],
        ),
        (
            page(EventKind::AddToCart, Some("help")),
            [0.0, 1.0, 0.0, 0.0, 1.0],
        ),
        (page(EventKind::Search, None), [0.0, 0.0, 1.0, 0.0, 0.0]),
    ];
    for (event, expected) in rows {
        let (row, _) = featurise(&spec, &session(vec![event.clone()]), &[event]);
        assert_eq!(row, expected);
    }
}

#[test]
fn absurd_numbers_stay_finite_and_bounded() {
    let mut events = Vec::new();
    for number in [f64::NAN, f64::INFINITY, -f64::INFINITY, f64::MAX, -1.0, 0.0] {
        for kind in [
            EventKind::AddToCart,
            EventKind::RemoveFromCart,
            EventKind::ViewItem,
        ] {
            let mut wild = with_item(event(kind, 0), "A", "red", Some(number));
            wild.items[0].quantity = Some(number);
            wild.value = Some(number);
            events.push(wild);
        }
    }
    events.push(Event::new(EventKind::Search, i64::MAX));
    events.push(Event::new(EventKind::Search, i64::MIN));
    let narrow = |measure| RowFeature::Number {
        measure,
        transform: Transform::Identity,
        normal: Normal {
            mean: -1e30,
            std: 1e-30,
        },
        flag: true,
    };
    let spec = spec(Measure::ALL.map(narrow).to_vec());
    let mut start = session(events.clone());
    for moment in [i64::MIN, 0, i64::MAX] {
        start.start = moment;
        let (rows, _) = featurise(&spec, &start, &events);
        assert!(
            rows.iter()
                .all(|number| number.is_finite() && number.abs() <= LIMIT)
        );
    }
}

#[test]
fn context_numbers_flags_and_categories() {
    let number = |name: &str, transform| ContextFeature::Number {
        name: name.to_owned(),
        transform,
        normal: Normal {
            mean: 1.0,
            std: 2.0,
        },
        flag: true,
    };
    let mut spec = (*spec(vec![raw(Measure::Gap), raw(Measure::Position)])).clone();
    spec.context = vec![
        ContextFeature::Hour,
        ContextFeature::Weekday,
        number("visits", Transform::Identity),
        number("member", Transform::Identity),
        ContextFeature::Category {
            name: "device".to_owned(),
            names: vec!["desktop".to_owned(), "phone".to_owned()],
        },
    ];
    // 22:13:20 UTC is 06:13:20 on Wednesday in China.
    spec.utc_offset_minutes = 480;
    let spec = Arc::new(spec);
    let values = |pairs: &[(&str, Value)]| -> Context {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), value.clone()))
            .collect()
    };
    let row = |context: &Context| {
        Featuriser::new(Arc::clone(&spec), START, context)
            .context()
            .to_vec()
    };

    let full = row(&values(&[
        ("visits", Value::Number(5.0)),
        ("member", Value::Flag(true)),
        ("device", Value::Category("phone".to_owned())),
        ("unheard of", Value::Flag(true)),
    ]));
    assert_eq!(full.len(), spec.context_len());
    let hour = std::f64::consts::TAU * (6.0 * 3600.0 + 13.0 * 60.0 + 20.0) / 86_400.0;
    assert!((f64::from(full[0]) - hour.sin()).abs() < 1e-6);
    assert!((f64::from(full[1]) - hour.cos()).abs() < 1e-6);
    // Days are counted from 1970-01-01, a Thursday: Wednesday is 6.
    let day = std::f64::consts::TAU * 6.0 / 7.0;
    assert!((f64::from(full[2]) - day.sin()).abs() < 1e-6);
    assert_eq!(full[4..], [2.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0]);

    let unseen = row(&values(&[
        ("device", Value::Category("fridge".to_owned())),
        ("visits", Value::Category("many".to_owned())),
        ("member", Value::Number(f64::NAN)),
    ]));
    assert_eq!(unseen[4..], [0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0]);
    let missing = row(&Context::new());
    assert_eq!(missing[4..], [0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
    for moment in [i64::MIN, i64::MAX] {
        let featuriser = Featuriser::new(Arc::clone(&spec), moment, &Context::new());
        assert!(featuriser.context().iter().all(|number| number.is_finite()));
    }
}

#[test]
fn names_are_as_many_as_numbers_and_all_different() {
    let sessions = crate::fitting::shop();
    let sessions: Vec<_> = sessions.iter().collect();
    let (spec, _) = fit(&sessions, &FitOptions::default());
    assert_eq!(spec.row_names().len(), spec.row_len());
    assert_eq!(spec.context_names().len(), spec.context_len());
    assert_eq!(spec.validate(), Ok(()));
}

#[test]
fn a_specification_from_outside_is_checked() {
    let good = (*spec(vec![raw(Measure::Gap), raw(Measure::Position)])).clone();
    assert_eq!(good.validate(), Ok(()));
    let broken = |change: &dyn Fn(&mut FeatureSpec)| {
        let mut spec = good.clone();
        change(&mut spec);
        spec.validate()
    };
    let constant = |mean, std| {
        broken(&move |spec| {
            spec.context.push(ContextFeature::Number {
                name: "x".to_owned(),
                transform: Transform::Identity,
                normal: Normal { mean, std },
                flag: false,
            });
        })
    };
    let unusable = Err(FeatureError::Constant {
        feature: "x".to_owned(),
    });
    assert_eq!(constant(f32::NAN, 1.0), unusable);
    assert_eq!(constant(0.0, 0.0), unusable);
    assert_eq!(constant(0.0, f32::INFINITY), unusable);
    assert_eq!(
        broken(&|spec| spec.version = 9),
        Err(FeatureError::Version { found: 9, known: 4 })
    );
    assert_eq!(
        broken(&|spec| spec.version = 0),
        Err(FeatureError::Version { found: 0, known: 4 })
    );
    assert_eq!(
        broken(&|spec| spec.row.truncate(1)),
        Err(FeatureError::TooNarrow {
            found: 2,
            needed: 4
        })
    );
    assert_eq!(
        broken(&|spec| spec.row.push(raw(Measure::Gap))),
        Err(FeatureError::Duplicate {
            column: "gap".to_owned()
        })
    );
    assert_eq!(
        broken(&|spec| spec.utc_offset_minutes = i32::MIN),
        Err(FeatureError::Offset { minutes: i32::MIN })
    );
    assert_eq!(
        broken(&|spec| {
            spec.item_rates.insert("A".to_owned(), f32::NAN);
        }),
        Err(FeatureError::Constant {
            feature: "item_rate".to_owned()
        })
    );
    for buckets in [0, 4097, u32::MAX] {
        assert_eq!(
            broken(&|spec| {
                spec.row.push(RowFeature::Hashed {
                    field: HashedField::ItemId,
                    buckets,
                });
            }),
            Err(FeatureError::Buckets {
                field: "item_id",
                found: buckets,
                most: 4096
            })
        );
    }
    for price in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(
            broken(&|spec| {
                spec.typical_prices = Some(TypicalPrices {
                    overall: 1.0,
                    categories: [("red".to_owned(), price)].into(),
                });
            }),
            Err(FeatureError::Constant {
                feature: "price_ratio".to_owned()
            })
        );
    }
}
