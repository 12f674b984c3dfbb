//! `docs/features.md` is the catalogue: what can stand in a row stands in it.

use std::{collections::BTreeMap, fs, path::Path};

use propense_events::EventKind;
use propense_features::{
    FitOptions, HashedField, LIMIT, MAX_BUCKETS, Measure, RowFeature, Transform, UserHistory, fit,
};

use crate::{event, session, with_item};

fn page() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/features.md");
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The cells of the line of a table whose first cell names this column.
fn line<'a>(page: &'a str, name: &str) -> Option<Vec<&'a str>> {
    let quoted = format!("`{name}`");
    page.lines()
        .filter(|line| line.starts_with('|'))
        .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
        .find(|cells: &Vec<&str>| cells.first().is_some_and(|first| first.contains(&quoted)))
}

#[test]
fn every_measure_has_formula_unit_transform_missing_rule_and_reason() {
    let (page, transforms) = (page(), transforms());
    let mut not_fitted = Vec::new();
    for measure in Measure::ALL {
        let name = measure.name();
        let cells = line(&page, name).unwrap_or_else(|| panic!("`{name}` is not in the page"));
        assert_eq!(cells.len(), 6, "`{name}`: {cells:?}");
        assert!(
            cells.iter().all(|cell| !cell.is_empty()),
            "`{name}`: {cells:?}"
        );
        match transforms.get(name) {
            Some(transform) => assert_eq!(cells[3], *transform, "`{name}`"),
            None => not_fitted.push(name),
        }
    }
    assert!(not_fitted.is_empty(), "{not_fitted:?}");
}

/// The transforms that `fit` chooses, by column.
fn transforms() -> BTreeMap<&'static str, &'static str> {
    let mut events = Vec::new();
    for second in 0..40 {
        let kind = EventKind::ALL[(second * 7 % 16) as usize];
        let id = format!("i{}", second % 3);
        let mut event = with_item(
            event(kind, second * second),
            &id,
            "red",
            Some(second as f64),
        );
        event.value = Some(second as f64);
        event.rating = Some((second % 5 + 1) as f64);
        event.items.truncate((second % 5) as usize);
        events.push(event);
    }
    let sessions = [0, 20].map(|start| session(events[start..].to_vec()));
    let (spec, _) = fit(
        &sessions.iter().collect::<Vec<_>>(),
        &FitOptions {
            whole_history: true,
            ..FitOptions::full()
        },
    );
    let mut found = BTreeMap::new();
    for feature in &spec.row {
        if let RowFeature::Number {
            measure, transform, ..
        } = feature
        {
            found.insert(
                measure.name(),
                match transform {
                    Transform::Identity => "identity",
                    Transform::Log1p => "log1p",
                },
            );
        }
    }
    found
}

#[test]
fn everything_else_that_can_stand_in_a_row_or_a_context_is_named() {
    let page = page();
    let keys = UserHistory::BASE_KEYS
        .into_iter()
        .chain(UserHistory::MORE_KEYS);
    for key in keys {
        assert!(line(&page, key).is_some(), "`{key}` is not in the page");
    }
    for field in [HashedField::ItemId, HashedField::ItemCategory] {
        let name = format!("{}#…", field.name());
        assert!(line(&page, &name).is_some(), "`{name}` is not in the page");
    }
    for text in [
        "robust",
        "XXH64",
        &format!("-{LIMIT} … {LIMIT}"),
        &MAX_BUCKETS.to_string(),
    ] {
        assert!(page.contains(text), "{text} is not in the page");
    }
}
