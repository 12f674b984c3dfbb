//! Fitting on the public data sets, where they lie beside the repository. Skipped, with a
//! message, where they are absent.

use std::{fs::File, io::Read, path::Path, sync::Arc, time::Instant};

use flate2::read::GzDecoder;
use propense_events::{Session, read, sessionise};
use propense_features::{FeatureSpec, FitOptions, UserHistory, featurise, fit};

fn load(name: &str) -> Option<(Vec<Session>, i32)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data")
        .join(name);
    let Ok(file) = File::open(&path) else {
        eprintln!("skipped: {name} is not there");
        return None;
    };
    let input: Box<dyn Read> = if name.ends_with(".gz") {
        Box::new(GzDecoder::new(file))
    } else {
        Box::new(file)
    };
    let table = read(input, None, None).unwrap_or_else(|error| panic!("{name}: {error}"));
    let (mut sessions, _) = sessionise(table.events, 1_800_000);
    sessions.extend(table.sessions);
    UserHistory::annotate(&mut sessions);
    Some((sessions, table.utc_offset_minutes))
}

/// Fits, writes every row, and checks what a network needs.
fn fitted(name: &str, sessions: &[Session], offset: i32) -> FeatureSpec {
    let references: Vec<_> = sessions.iter().collect();
    let options = FitOptions {
        utc_offset_minutes: offset,
        ..FitOptions::default()
    };
    let start = Instant::now();
    let (spec, notes) = fit(&references, &options);
    let fitting = start.elapsed();
    assert_eq!(spec.validate(), Ok(()));
    let shared = Arc::new(spec);
    let start = Instant::now();
    let mut numbers = 0;
    for session in sessions {
        let (rows, context) = featurise(&shared, session, session.before_purchase());
        assert!(rows.iter().chain(&context).all(|number| number.is_finite()));
        numbers += rows.len();
    }
    eprintln!(
        "{name}: fitted in {fitting:.2?}, {} rows in {:.2?}\n  row ({}): {}\n  context ({}): {}\n  {}",
        numbers / shared.row_len(),
        start.elapsed(),
        shared.row_len(),
        shared.row_names().join(" "),
        shared.context_len(),
        shared.context_names().join(" "),
        notes.join("\n  ")
    );
    FeatureSpec::clone(&shared)
}

#[test]
fn event_sets_give_compact_rows() {
    for (name, widths) in [
        ("taobao/UserBehavior.csv.gz", 12..=24),
        ("jdata2019/sessions.csv.gz", 8..=24),
        ("jd_micro/JD_Appliances_sample.txt", 16..=28),
    ] {
        let Some((sessions, offset)) = load(name) else {
            continue;
        };
        let spec = fitted(name, &sessions, offset);
        let width = spec.row_len();
        assert!(widths.contains(&width), "{name}: {width} columns");
        assert!(!spec.item_rates.is_empty());
        let cart = spec.row_names().contains(&"cart_units".to_owned());
        assert_eq!(cart, !name.starts_with("jdata"), "{name}");
    }
}

#[test]
fn summaries_become_context() {
    let name = "online_shoppers/online_shoppers_intention.csv";
    let Some((sessions, offset)) = load(name) else {
        return;
    };
    let spec = fitted(name, &sessions, offset);
    let names = spec.context_names();
    for name in [
        "PageValues",
        "Month=Nov",
        "VisitorType=New_Visitor",
        "Weekend",
    ] {
        assert!(
            names.contains(&name.to_owned()),
            "{name} is not in {names:?}"
        );
    }
    assert!(!names.iter().any(|name| name.starts_with("hour")));
}
