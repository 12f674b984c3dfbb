//! The rows of a live visit, natively and in the browser: both are compared with one file, this
//! side here and the other in `web/tests/golden.test.mjs`.

use std::path::Path;
use std::sync::Arc;

use propense_events::{Context, Limits, parse_event};
use propense_features::{FeatureSpec, Featuriser};
use serde::Deserialize;

/// Targets differ by the last digit of a logarithm.
const TOLERANCE: f32 = 1e-6;

#[derive(Deserialize)]
struct Fixture {
    features: FeatureSpec,
    context: Context,
    events: Vec<serde_json::Value>,
    context_row: Vec<f32>,
    rows: Vec<Vec<f32>>,
}

fn check(found: &[f32], expected: &[f32], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (column, (found, expected)) in found.iter().zip(expected).enumerate() {
        let difference = (found - expected).abs();
        assert!(
            difference <= TOLERANCE,
            "{what}, column {column}: {found} for {expected}"
        );
    }
}

#[test]
fn a_visit_has_the_same_rows_as_in_the_browser() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../web/tests/fixtures/live-rows.json");
    let text = std::fs::read_to_string(path).expect("the file is in the repository");
    let visit: Fixture = serde_json::from_str(&text).expect("the file is valid");
    assert!(!visit.events.is_empty());

    let events: Vec<_> = (1..)
        .zip(&visit.events)
        .map(|(row, event)| {
            let (event, problems) = parse_event(&event.to_string(), row, &Limits::default());
            assert!(problems.is_empty(), "{problems:?}");
            event.expect("an event without problems is kept")
        })
        .collect();
    let all = events.len();
    let events: Vec<_> = events
        .into_iter()
        .filter(|event| !visit.features.leaves_out(event.kind))
        .collect();
    assert_eq!(all - events.len(), 2, "the reviews");
    assert_eq!(events.len(), visit.rows.len());
    let start = events[0].timestamp;
    let mut featuriser = Featuriser::new(Arc::new(visit.features), start, &visit.context);
    check(featuriser.context(), &visit.context_row, "the context");
    let mut row = Vec::new();
    for (index, (event, expected)) in events.iter().zip(&visit.rows).enumerate() {
        featuriser.push(event, &mut row);
        check(&row, expected, &format!("event {index}"));
    }
}
