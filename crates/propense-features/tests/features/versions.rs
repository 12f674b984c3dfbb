//! Specifications of earlier versions, as bundles hold them, still mean what they meant.

use std::{fs, path::Path, sync::Arc};

use propense_events::{Context, Limits, parse_event};
use propense_features::{FeatureSpec, Featuriser, FitOptions, SPEC_VERSION, fit};
use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .and_then(Path::parent)
        .expect("the crate lies two folders deep")
}

/// The specification in a bundle: eight bytes of length, a JSON header, weights.
fn in_bundle(path: &Path) -> Value {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let length = u64::from_le_bytes(bytes[..8].try_into().expect("eight bytes"));
    let header: Value = serde_json::from_slice(&bytes[8..8 + length as usize]).expect("JSON");
    let manifest = header["__metadata__"]["propense"].as_str().expect("text");
    let manifest: Value = serde_json::from_str(manifest).expect("JSON");
    manifest["features"].clone()
}

#[test]
fn every_bundle_in_the_repository_is_read() {
    let mut found = 0;
    for folder in ["models", "tests/golden"] {
        for entry in fs::read_dir(root().join(folder)).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path
                .extension()
                .is_some_and(|extension| extension == "propense")
            {
                let json = in_bundle(&path);
                let spec: FeatureSpec = serde_json::from_value(json.clone()).expect("readable");
                assert_eq!(spec.validate(), Ok(()), "{}", path.display());
                assert_eq!(spec.typical_prices, None);
                // Nothing is lost or added when it is written again.
                let again = serde_json::to_string(&spec).expect("JSON");
                let again: Value = serde_json::from_str(&again).expect("JSON");
                assert_eq!(again, json, "{}", path.display());
                found += 1;
            }
        }
    }
    assert!(found >= 5, "{found} bundles");
}

/// The visit that the browser's test uses too: written by version 1, with the shop's model.
#[test]
fn the_rows_of_a_version_1_specification_have_not_changed() {
    let path = root().join("web/tests/fixtures/live-rows.json");
    let text = fs::read_to_string(&path).expect("the file is in the repository");
    let visit: Value = serde_json::from_str(&text).expect("JSON");
    let spec: FeatureSpec = serde_json::from_value(visit["features"].clone()).expect("readable");
    assert_eq!(spec.version, 1);
    let context: Context = serde_json::from_value(visit["context"].clone()).expect("readable");
    let rows: Vec<Vec<f32>> = serde_json::from_value(visit["rows"].clone()).expect("readable");
    let events = visit["events"].as_array().expect("a list");
    // Reviews are in the visit and not in its rows: training left them out.
    let events: Vec<_> = events
        .iter()
        .map(|event| parse_event(&event.to_string(), 1, &Limits::default()))
        .map(|(event, _)| event.expect("kept"))
        .filter(|event| !spec.leaves_out(event.kind))
        .collect();
    assert_eq!(rows.len(), events.len());
    let mut featuriser: Option<Featuriser> = None;
    let spec = Arc::new(spec);
    let mut row = Vec::new();
    for (event, expected) in events.iter().zip(rows) {
        featuriser
            .get_or_insert_with(|| Featuriser::new(Arc::clone(&spec), event.timestamp, &context))
            .push(event, &mut row);
        assert_eq!(row.len(), expected.len());
        for (found, expected) in row.iter().zip(expected) {
            // A logarithm's last digit differs between targets.
            assert!((found - expected).abs() <= 1e-6, "{found} for {expected}");
        }
    }
}

#[test]
fn the_lowest_version_that_knows_the_columns_is_written() {
    let sessions = crate::fitting::shop();
    let sessions: Vec<_> = sessions.iter().collect();
    let version = |options: FitOptions| {
        let (spec, _) = fit(&sessions, &options);
        assert_eq!(spec.validate(), Ok(()));
        let json = serde_json::to_value(&spec).expect("JSON");
        assert_eq!(json["version"], spec.version);
        // Version 1 has no such key at all.
        assert_eq!(
            json.get("typical_prices").is_some(),
            spec.typical_prices.is_some()
        );
        spec.version
    };
    assert_eq!(version(FitOptions::default()), 1);
    assert_eq!(version(FitOptions::full()), SPEC_VERSION);
    assert_eq!(version(FitOptions::summed()), SPEC_VERSION);
    assert_eq!(
        version(FitOptions {
            item_buckets: 3,
            ..FitOptions::default()
        }),
        2
    );
}
