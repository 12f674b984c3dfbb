//! Instructions of the hot paths, counted by callgrind: a figure that repeats on a busy machine,
//! where times do not. More than a tenth above what `tests/instructions.json` records is a failure.
//!
//! The machine that valgrind presents has AVX2 and no AVX-512, so the AVX2 kernels are counted.
//! After a change that is meant: `UPDATE_INSTRUCTIONS=1 cargo test --release -p propense-tests
//! --test instructions`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use propense_events::{Context, Event, Limits, parse_event};
use propense_features::{FeatureSpec, Featuriser};
use propense_model::{CpuModel, CpuStream, ModelConfig, SessionRows};
use propense_tests::Numbers;
use serde::Deserialize;

const FEATURES: usize = 16;
const EVENTS: usize = 32;
/// How far above the record is too far.
const TOLERANCE: f64 = 1.1;

/// What is counted, how often it is done in the longer of two runs, and what it is.
type HotPath = (&'static str, usize, fn(usize));

const PATHS: [HotPath; 3] = [
    ("one live event and its score", 512, live_events),
    ("32 sessions of 32 events", 1, sessions),
    ("one row of the featuriser", 512, featuriser_rows),
];

fn model() -> Arc<CpuModel> {
    let config = ModelConfig::seed(FEATURES, 0);
    let weights = config.initial_weights(1).expect("a valid configuration");
    Arc::new(CpuModel::new(&config, &weights).expect("sound weights"))
}

fn live_events(times: usize) {
    let rows = Numbers(1).rows(EVENTS, FEATURES);
    let mut stream = CpuStream::new(model());
    let mut sum = 0.0;
    for row in rows.iter().cycle().take(times) {
        stream.push(row);
        sum += stream.logit(&[]);
    }
    assert!(sum.is_finite());
}

fn sessions(times: usize) {
    let model = model();
    let rows: Vec<f32> = Numbers(1).rows(EVENTS, FEATURES).concat();
    let sessions: Vec<SessionRows<'_>> = vec![(&rows, &[]); 32];
    for _ in 0..times {
        assert_eq!(model.score_batch(&sessions, 1).len(), sessions.len());
    }
}

fn featuriser_rows(times: usize) {
    #[derive(Deserialize)]
    struct Visit {
        features: FeatureSpec,
        context: Context,
        events: Vec<serde_json::Value>,
    }
    let path = root().join("web/tests/fixtures/live-rows.json");
    let text = std::fs::read_to_string(path).expect("the file is in the repository");
    let visit: Visit = serde_json::from_str(&text).expect("the file is valid");
    let events: Vec<Event> = (1..)
        .zip(&visit.events)
        .filter_map(|(row, event)| parse_event(&event.to_string(), row, &Limits::default()).0)
        .collect();
    let fresh = Featuriser::new(
        Arc::new(visit.features),
        events[0].timestamp,
        &visit.context,
    );
    let (mut featuriser, mut row) = (fresh.clone(), Vec::new());
    for at in 0..times {
        // A visit does not go on for ever.
        if at % events.len() == 0 {
            featuriser = fresh.clone();
        }
        featuriser.push(&events[at % events.len()], &mut row);
    }
    assert!(times == 0 || row.iter().all(|number| number.is_finite()));
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Run by the test below, under callgrind: `PROPENSE_HOT_PATH` says which path how often.
#[test]
#[ignore = "what is counted, not a test"]
fn counted() {
    let wanted = std::env::var("PROPENSE_HOT_PATH").unwrap_or_default();
    if let Some((name, times)) = wanted.split_once(" × ")
        && let Some((_, _, work)) = PATHS.iter().find(|(path, ..)| *path == name)
    {
        work(times.parse().expect("a number"));
    }
}

/// Instructions of a run that does it so often; none where callgrind cannot be had.
fn count(name: &str, times: usize) -> Option<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe().expect("this program"))
        .args(["--exact", "counted", "--ignored", "--test-threads=1"])
        .env("PROPENSE_HOT_PATH", format!("{name} × {times}"))
        .output()
        .ok()?;
    let words = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        eprintln!("skipped: valgrind fails: {}", words.trim());
        return None;
    }
    // `==1234== Collected : 123456`
    let line = words.lines().find(|line| line.contains("Collected :"))?;
    line.rsplit_once(':')?.1.trim().parse().ok()
}

#[test]
fn hot_paths_take_no_more_instructions_than_recorded() {
    if !cfg!(target_arch = "x86_64") || count("", 0).is_none() {
        eprintln!("skipped: no valgrind (Debian's package of that name), or not an x86-64");
        return;
    }
    let path = root().join("tests/instructions.json");
    // Two runs that differ in nothing but the work: what starting takes is in both.
    let found: BTreeMap<&str, u64> = PATHS
        .iter()
        .filter_map(|&(name, times, _)| {
            let work = count(name, times + 1)?.saturating_sub(count(name, 1)?);
            Some((name, work / times as u64))
        })
        .collect();
    assert_eq!(found.len(), PATHS.len(), "every path can be counted");
    if std::env::var_os("UPDATE_INSTRUCTIONS").is_some() {
        let text = serde_json::to_string_pretty(&found).expect("plain numbers");
        std::fs::write(&path, format!("{text}\n")).expect("the record can be written");
    }
    let text = std::fs::read_to_string(&path).expect("the record is in the repository");
    let recorded: BTreeMap<String, u64> = serde_json::from_str(&text).expect("the record is valid");
    for (name, found) in found {
        let recorded = *recorded.get(name).expect("every path is recorded");
        let ratio = found as f64 / recorded as f64;
        println!("{name}: {found} instructions, {ratio:.3} of the record");
        assert!(
            ratio <= TOLERANCE,
            "{name}: {found} instructions, {recorded} are recorded. Where that is meant, \
             UPDATE_INSTRUCTIONS=1 records it"
        );
    }
}
