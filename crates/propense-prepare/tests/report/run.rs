//! Reports of whole runs: the accounts and the table say the same.

use std::path::{Path, PathBuf};

use propense_prepare::report::{DataReport, Intake, Measure, html, measure_table};
use propense_prepare::{Request, prepare};

/// Prepares a file and measures what was written.
fn run(input: &Path) -> DataReport {
    let out = tempfile::tempdir().unwrap();
    let request = Request::new(vec![input.to_owned()], out.path().to_owned());
    let prepared = prepare(&request, &mut ()).unwrap();
    let offsets: Vec<i32> = prepared
        .inputs
        .iter()
        .map(|input| input.utc_offset_minutes)
        .collect();
    let mut measure = Measure::new(&offsets);
    for table in &prepared.tables {
        measure_table(table, &mut measure).unwrap();
    }
    let report = measure.report(Intake::of(&prepared));
    // The same as was taken on the way, bucket by bucket, in whatever order they were finished.
    let taken = prepared.figures.clone().unwrap();
    assert_eq!(taken.report(Intake::of(&prepared)), report);
    assert_eq!(
        report.records.read,
        report.records.written + report.records.quarantined
    );
    assert_eq!(
        report.totals.lines + report.records.summaries,
        report.records.written
    );
    assert_eq!(report.totals.events, prepared.cleaning.events);
    assert_eq!(report.totals.sessions, prepared.cleaning.sessions);
    let set_aside: u64 = report.set_aside.iter().map(|rule| rule.count).sum();
    assert_eq!(set_aside, report.records.quarantined);
    report
}

#[test]
fn a_small_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.csv");
    let lines = [
        "timestamp,event,user_id,item_id,price",
        "1709510400000,view_item,ann,x,2.5",
        "1709510400000,view_item,ann,x,2.5",
        "1709510460000,purchase,ann,x,2.5",
        "never,view_item,ann,x,2.5",
        "1709510400000,view_item,bob,,",
    ];
    std::fs::write(&path, lines.join("\n")).unwrap();
    let report = run(&path);
    assert_eq!(
        (
            report.totals.events,
            report.totals.orders,
            report.totals.lines
        ),
        (3, 1, 3)
    );
    let by_rule: Vec<(&str, u64, bool)> = report
        .set_aside
        .iter()
        .map(|rule| (&*rule.name, rule.count, rule.what.is_empty()))
        .collect();
    assert_eq!(by_rule, [("duplicate", 1, false), ("malformed", 1, false)]);
    let file = &report.files[0];
    assert_eq!((file.rows, file.kept), (5, 4));
    assert!(file.bytes > 100 && file.path.ends_with("events.csv"));
}

/// The real sets may not be shipped: where they are not, there is nothing to test.
fn real(name: &str) -> Option<DataReport> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data")
        .join(name);
    if !path.exists() {
        eprintln!("skipped: {} is not here", path.display());
        return None;
    }
    let report = run(&path);
    if let Some(folder) = std::env::var_os("PROPENSE_PAGES") {
        let name = name.split('/').next().unwrap_or(name);
        let folder = Path::new(&folder);
        std::fs::write(folder.join(format!("{name}.html")), html(&report)).unwrap();
        let json = serde_json::to_string_pretty(&report).unwrap();
        std::fs::write(folder.join(format!("{name}.json")), json).unwrap();
    }
    Some(report)
}

fn codes(report: &DataReport) -> Vec<&str> {
    report
        .warnings
        .iter()
        .map(|warning| &*warning.code)
        .collect()
}

#[test]
fn real_sets_raise_what_is_known_of_them() {
    if let Some(report) = real("jdata2019") {
        // Comments, which the protocol leaves out, are seen as what they are.
        assert!(report.kind("review").is_some(), "{:?}", report.kinds);
        assert!(
            codes(&report).contains(&"short_period"),
            "{:?}",
            codes(&report)
        );
    }
    if let Some(report) = real("taobao") {
        let span = report.span.unwrap();
        assert_eq!(span.last_day - span.first_day + 1, 9, "{span:?}");
        assert!(
            codes(&report).contains(&"prices_missing"),
            "{:?}",
            codes(&report)
        );
        assert!(!codes(&report).contains(&"time_zone"), "{:?}", report.week);
    }
    if let Some(report) = real("online_retail") {
        assert!(
            codes(&report).contains(&"only_orders"),
            "{:?}",
            codes(&report)
        );
        assert_eq!(report.volumes.closed_weekdays, ["Saturday"]);
    }
    if let Some(report) = real("online_shoppers") {
        assert_eq!(codes(&report), ["summaries_only"]);
    }
}
