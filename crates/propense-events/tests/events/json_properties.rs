//! What holds for every JSON, however far from any schema: each object is kept or set aside, and
//! nothing panics.

use propense_events::{Format, Limits, Mapping, parse_event};
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Map, Value as Json};

use crate::{assert_accounts, fixtures::FIXTURES};

const FORMATS: [Format; 6] = [
    Format::Events,
    Format::Ga4,
    Format::Segment,
    Format::Snowplow,
    Format::Otto,
    Format::Jsonl,
];

/// Every key of the fixtures, so that random objects come near to the schemas.
fn keys() -> Vec<String> {
    fn collect(value: &Json, keys: &mut Vec<String>) {
        match value {
            Json::Object(fields) => {
                for (key, value) in fields {
                    keys.push(key.clone());
                    collect(value, keys);
                }
            }
            Json::Array(list) => list.iter().for_each(|value| collect(value, keys)),
            _ => {}
        }
    }
    let mut keys = Vec::new();
    for value in lines() {
        collect(&value, &mut keys);
    }
    keys.sort();
    keys.dedup();
    keys
}

/// The objects of all fixtures.
fn lines() -> Vec<Json> {
    FIXTURES
        .iter()
        .flat_map(|(_, text)| text.lines())
        .filter_map(|line| serde_json::from_str(line).ok())
        .filter(Json::is_object)
        .collect()
}

fn leaf() -> impl Strategy<Value = Json> {
    prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<u64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        (1_700_000_000_000_i64..1_700_000_100_000).prop_map(Json::from),
        select(vec![
            "track",
            "event",
            "purchase",
            "clicks",
            "2023-11-14T22:13:20Z",
            "1700000000"
        ])
        .prop_map(Json::from),
        "\\PC{0,8}".prop_map(Json::from),
    ]
}

fn value() -> impl Strategy<Value = Json> {
    leaf().prop_recursive(3, 24, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Json::from),
            vec((select(keys()), inner), 0..6)
                .prop_map(|fields| Json::Object(fields.into_iter().collect())),
        ]
    })
}

/// A fixture's object with some values replaced.
fn damaged() -> impl Strategy<Value = Json> {
    let places = vec((any::<prop::sample::Index>(), value()), 0..4);
    (select(lines()), places).prop_map(|(mut line, places)| {
        for (place, value) in places {
            let mut paths = Vec::new();
            pointers(&line, String::new(), &mut paths);
            if let Some(target) = line.pointer_mut(&paths[place.index(paths.len())]) {
                *target = value;
            }
        }
        line
    })
}

/// The JSON pointers to every value in it.
fn pointers(value: &Json, here: String, paths: &mut Vec<String>) {
    match value {
        Json::Object(fields) => {
            for (key, value) in fields {
                let key = key.replace('~', "~0").replace('/', "~1");
                pointers(value, format!("{here}/{key}"), paths);
            }
        }
        Json::Array(list) => {
            for (position, value) in list.iter().enumerate() {
                pointers(value, format!("{here}/{position}"), paths);
            }
        }
        _ => {}
    }
    paths.push(here);
}

fn mapping() -> Mapping {
    Mapping::from_json(
        r#"{"columns": {"timestamp": "timestamp", "event": "event", "items": "items",
            "item_id": "item_id", "item_category": "item_category", "price": "price",
            "event_no": "session", "context_json": "context", "context": ["event_params.0.value"]},
            "timestamp_unit": "auto", "category_separator": "."}"#,
    )
    .expect("a mapping")
}

/// Each line of the file is a row; whatever could be read is in the accounts.
fn check(lines: &[Json]) {
    let text: Vec<String> = lines.iter().map(Json::to_string).collect();
    let text = text.join("\n");
    for format in FORMATS {
        if let Ok(table) = propense_events::read(text.as_bytes(), Some(format), Some(&mapping())) {
            assert_accounts(&table);
            assert_eq!(table.rows, lines.len() as u64, "{format}");
        }
    }
    let _ = propense_events::read(text.as_bytes(), None, None);
    for line in &text.split('\n').collect::<Vec<_>>() {
        let (event, problems) = parse_event(line, 1, &Limits::default());
        assert!(event.is_some() || !problems.is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_objects_are_kept_or_set_aside(
        // The first line decides that the file is JSON at all.
        objects in vec(vec((select(keys()), value()), 0..8), 1..6),
        rest in vec(value(), 0..3),
    ) {
        let objects = objects.into_iter().map(|fields| {
            Json::Object(fields.into_iter().collect::<Map<_, _>>())
        });
        check(&objects.chain(rest).collect::<Vec<_>>());
    }

    #[test]
    fn damaged_objects_are_kept_or_set_aside(lines in vec(damaged(), 1..6)) {
        prop_assume!(lines[0].is_object());
        check(&lines);
    }
}
