//! What becomes a column, and with which constants.

use propense_events::{Context, EventKind, Session, Value};
use propense_features::{
    ContextFeature, FeatureSpec, FitOptions, MIN_ROW_LEN, Measure, RowFeature, Transform,
    featurise, fit,
};

use std::sync::Arc;

use crate::{event, session, with_item};

/// Two hundred visits to a shop with a cart, over 40 days.
pub(crate) fn shop() -> Vec<Session> {
    (0..200_i64)
        .map(|number| {
            let offset = number * 4 * 3600 + (number % 7) * 600;
            let id = format!("item{}", number % 9);
            let category = if number % 2 == 0 { "red" } else { "blue" };
            let price = (number % 5 != 0).then_some(1.0 + (number % 11) as f64);
            let mut events = vec![
                event(EventKind::PageView, offset),
                with_item(
                    event(EventKind::ViewItem, offset + 5 + number),
                    &id,
                    category,
                    price,
                ),
            ];
            if number % 3 == 0 {
                let at = offset + 400 + number;
                events.push(with_item(
                    event(EventKind::AddToCart, at),
                    &id,
                    category,
                    price,
                ));
            }
            if number % 6 == 0 {
                let at = offset + 900 + number;
                events.push(with_item(
                    event(EventKind::Purchase, at),
                    &id,
                    category,
                    price,
                ));
                events.push(event(EventKind::Review, at + 50));
            }
            for (position, event) in events.iter_mut().enumerate() {
                event.page_type =
                    Some(["home", "product", "cart", "checkout", "thanks"][position].to_owned());
            }
            let mut session = session(events);
            session.id = format!("s{number}");
            session.context = [
                (
                    "visits".to_owned(),
                    Value::Number(((number % 50) as f64).exp2()),
                ),
                ("age".to_owned(), Value::Number(20.0 + (number % 40) as f64)),
                ("member".to_owned(), Value::Flag(number % 4 == 0)),
                (
                    "device".to_owned(),
                    Value::Category(format!("d{}", (number % 20).min(5))),
                ),
                ("visit_id".to_owned(), Value::Category(format!("v{number}"))),
                ("currency".to_owned(), Value::Category("GBP".to_owned())),
            ]
            .into_iter()
            .collect::<Context>();
            if number % 10 == 0 {
                session.context.remove("age");
            }
            session
        })
        .collect()
}

fn fitted(sessions: &[Session], options: &FitOptions) -> (FeatureSpec, Vec<String>) {
    let sessions: Vec<_> = sessions.iter().collect();
    let (spec, notes) = fit(&sessions, options);
    assert_eq!(spec.validate(), Ok(()));
    (spec, notes)
}

#[test]
fn a_shop_with_a_cart() {
    let (spec, notes) = fitted(&shop(), &FitOptions::default());
    assert_eq!(
        spec.row_names(),
        [
            "kind=page_view",
            "kind=view_item",
            "kind=add_to_cart",
            "kind=(other)",
            "page_type=cart",
            "page_type=home",
            "page_type=product",
            "page_type=(other)",
            "gap",
            "elapsed",
            "position",
            "item_rate",
            "item_rate_missing",
            "category_rate",
            "category_rate_missing",
            "price",
            "price_missing",
            "event_items",
            "item_repeats",
            "item_repeats_missing",
            "category_repeats",
            "category_repeats_missing",
            "distinct_items",
            "distinct_categories",
            "cart_units",
            "cart_value",
        ]
    );
    assert_eq!(
        spec.context_names(),
        [
            "hour_sin",
            "hour_cos",
            "weekday_sin",
            "weekday_cos",
            "age",
            "age_missing",
            "device=d0",
            "device=d1",
            "device=d2",
            "device=d3",
            "device=d4",
            "device=d5",
            "device=(other)",
            "member",
            "visits",
        ]
    );
    for part in ["`event_value`", "`currency`", "`visit_id`"] {
        assert!(
            notes.iter().any(|note| note.contains(part)),
            "{part}: {notes:?}"
        );
    }
    let transform = |wanted: &str| {
        spec.context.iter().find_map(|feature| match feature {
            ContextFeature::Number {
                name, transform, ..
            } if name == wanted => Some(*transform),
            _ => None,
        })
    };
    assert_eq!(transform("visits"), Some(Transform::Log1p));
    assert_eq!(transform("age"), Some(Transform::Identity));
}

#[test]
fn nothing_after_the_first_order_is_looked_at() {
    let sessions = shop();
    let cut: Vec<Session> = sessions
        .iter()
        .map(|session| Session {
            events: session.before_purchase().to_vec(),
            outcome: Some(session.converted()),
            ..session.clone()
        })
        .collect();
    assert_eq!(
        fitted(&sessions, &FitOptions::default()),
        fitted(&cut, &FitOptions::default())
    );
    let (whole, _) = fitted(
        &sessions,
        &FitOptions {
            whole_history: true,
            ..FitOptions::default()
        },
    );
    assert!(whole.row_names().contains(&"kind=purchase".to_owned()));
}

#[test]
fn a_shop_without_a_cart_has_no_cart_columns() {
    let sessions: Vec<Session> = shop()
        .into_iter()
        .map(|mut session| {
            session
                .events
                .retain(|event| event.kind == EventKind::ViewItem);
            session
        })
        .collect();
    let (spec, _) = fitted(&sessions, &FitOptions::default());
    let names = spec.row_names();
    assert!(!names.iter().any(|name| name.contains("cart")), "{names:?}");
}

#[test]
fn training_rows_are_normalised() {
    let sessions = shop();
    let (spec, _) = fitted(&sessions, &FitOptions::default());
    let spec = Arc::new(spec);
    let names = spec.row_names();
    let column = |wanted: &str| -> Vec<f64> {
        let at = names.iter().position(|name| name == wanted).expect(wanted);
        let missing = names
            .iter()
            .position(|name| *name == format!("{wanted}_missing"));
        let mut numbers = Vec::new();
        for session in &sessions {
            let (rows, _) = featurise(&spec, session, session.before_purchase());
            for row in rows.chunks(spec.row_len()) {
                if missing.is_none_or(|missing| row[missing] == 0.0) {
                    numbers.push(f64::from(row[at]));
                }
            }
        }
        numbers
    };
    for name in ["elapsed", "position", "price", "cart_value"] {
        let numbers = column(name);
        let count = numbers.len() as f64;
        let mean = numbers.iter().sum::<f64>() / count;
        let variance = numbers.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
        assert!(mean.abs() < 1e-4, "{name}: mean {mean}");
        assert!((variance - 1.0).abs() < 1e-3, "{name}: variance {variance}");
    }
}

#[test]
fn rows_are_never_too_narrow_for_the_network() {
    let same = || session(vec![event(EventKind::Search, 0)]);
    let cases: [Vec<Session>; 4] = [
        Vec::new(),
        vec![same()],
        vec![same(), same(), same()],
        vec![Session {
            context: shop()[0].context.clone(),
            ..Session::default()
        }],
    ];
    for sessions in cases {
        let (spec, _) = fitted(&sessions, &FitOptions::default());
        assert!(spec.row_len() >= MIN_ROW_LEN);
        let measures = FitOptions {
            measures: Vec::new(),
            ..FitOptions::default()
        };
        let (spec, _) = fitted(&sessions, &measures);
        assert!(spec.row_len() >= MIN_ROW_LEN);
    }
}

#[test]
fn summaries_have_no_hour() {
    let sessions: Vec<Session> = (0..100)
        .map(|number| Session {
            id: number.to_string(),
            context: [("pages".to_owned(), Value::Number(f64::from(number)))].into(),
            outcome: Some(number % 5 == 0),
            ..Session::default()
        })
        .collect();
    let (spec, notes) = fitted(&sessions, &FitOptions::default());
    assert_eq!(spec.context_names(), ["pages"]);
    assert_eq!(notes.len(), 1, "{notes:?}");
}

#[test]
fn few_days_teach_no_weekday() {
    for (days, expected) in [(1, &[][..]), (5, &["hour_sin", "hour_cos"])] {
        let sessions: Vec<Session> = (0..=days)
            .map(|day| session(vec![event(EventKind::Search, day * 86_400)]))
            .collect();
        let (spec, _) = fitted(&sessions, &FitOptions::default());
        assert_eq!(spec.context_names(), expected);
    }
}

#[test]
fn what_is_excluded_stays_out() {
    let options = FitOptions {
        context_exclude: ["hour", "weekday", "device"].map(str::to_owned).to_vec(),
        measures: vec![Measure::Elapsed, Measure::Price],
        ..FitOptions::default()
    };
    let (spec, _) = fitted(&shop(), &options);
    assert_eq!(
        spec.context_names(),
        ["age", "age_missing", "member", "visits"]
    );
    let numbers = spec
        .row
        .iter()
        .filter(|feature| matches!(feature, RowFeature::Number { .. }))
        .count();
    assert_eq!(numbers, 2);
    assert!(spec.item_rates.is_empty());
}

#[test]
fn rare_values_share_a_column() {
    let mut sessions = shop();
    for (number, session) in sessions.iter_mut().enumerate() {
        let town = if number % 2 == 0 {
            "Bath".to_owned()
        } else {
            format!("t{}", number % 7)
        };
        session
            .context
            .insert("town".to_owned(), Value::Category(town));
    }
    sessions[0].events[0].kind = EventKind::Search;
    let (spec, notes) = fitted(
        &sessions,
        &FitOptions {
            max_categories: 3,
            ..FitOptions::default()
        },
    );
    let towns = spec
        .context_names()
        .iter()
        .filter(|name| name.starts_with("town"))
        .count();
    assert_eq!(towns, 4);
    assert!(spec.context_names().contains(&"town=Bath".to_owned()));
    assert!(!spec.row_names().contains(&"kind=search".to_owned()));
    assert!(
        notes.iter().any(|note| note.contains("`search`")),
        "{notes:?}"
    );
}

#[test]
fn a_serialised_specification_gives_the_same_rows() {
    let sessions = shop();
    let (spec, _) = fitted(&sessions, &FitOptions::default());
    let json = serde_json::to_string(&spec).expect("JSON");
    let back: FeatureSpec = serde_json::from_str(&json).expect("the same specification");
    assert_eq!(back, spec);
    let (a, b) = (Arc::new(spec), Arc::new(back));
    for session in &sessions {
        assert_eq!(
            featurise(&a, session, &session.events),
            featurise(&b, session, &session.events)
        );
    }
}
