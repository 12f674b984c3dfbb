//! Made-up events: what the manifest says is what is in the file.

#![allow(
    clippy::unwrap_used,
    reason = "a test stops where something is not as it should be"
)]

mod file;
mod own;
mod real;
mod taobao;

use std::path::Path;

use propense_synth::{EventsLayout, EventsManifest, EventsOptions, events, manifest_path};

/// Makes a file in a scratch folder and returns its text with the manifest.
fn made(layout: EventsLayout, rows: u64, seed: u64) -> (String, EventsManifest) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("made.csv");
    let manifest = make(&path, layout, rows, seed);
    (std::fs::read_to_string(path).unwrap(), manifest)
}

fn make(path: &Path, layout: EventsLayout, rows: u64, seed: u64) -> EventsManifest {
    let options = EventsOptions { rows, seed, layout };
    let manifest = events(&options, path, |_| {}).unwrap();
    let beside = std::fs::read(manifest_path(path)).unwrap();
    assert_eq!(
        serde_json::from_slice::<EventsManifest>(&beside).unwrap(),
        manifest
    );
    manifest
}

/// The rows counted under a rule.
fn count(manifest: &EventsManifest, rule: &str) -> u64 {
    let all = [&manifest.set_aside, &manifest.repaired, &manifest.unusual];
    all.iter().filter_map(|counts| counts.get(rule)).sum()
}
