//! The real data sets beside the project, where they are: each goes through with its format found
//! by content, its accounts balance, and it holds what its description says.

use std::path::Path;

use propense_prepare::report::{DataReport, Intake};
use propense_prepare::{LoadOptions, Request, load, prepare};

use crate::inputs::{data_lines, lenient};

/// What the description of the sets (`data/README.md`) says of one, and how it reads in a report
/// of the table with every cleaning rule off.
type Fact = (&'static str, u64, fn(&DataReport) -> u64);

/// Folder, format found, facts.
const SETS: [(&str, &str, &[Fact]); 7] = [
    (
        "online_shoppers",
        "online-shoppers",
        &[("sessions", 9_801, |report| report.records.summaries)],
    ),
    ("online_retail", "online-retail", &[("rows", 431_673, rows)]),
    (
        "otto",
        "otto",
        &[("rows", 20, rows), ("sessions", 20, sessions)],
    ),
    (
        "taobao",
        "taobao",
        &[
            ("rows", 84_475, rows),
            ("users", 815, |report| report.visitors.users),
            ("buys", 1_750, |report| report.totals.orders),
        ],
    ),
    (
        "jdata2019",
        "jdata",
        &[("rows", 27_183, rows), ("sessions", 5_052, sessions)],
    ),
    (
        "jd_micro",
        "jd-micro",
        &[("rows", 1_000, rows), ("sessions", 1_000, sessions)],
    ),
    ("yoochoose", "yoochoose", &[("rows", 70_278, rows)]),
];

fn rows(report: &DataReport) -> u64 {
    report.files.iter().map(|file| file.rows).sum()
}

fn sessions(report: &DataReport) -> u64 {
    report.totals.sessions
}

#[test]
fn every_set_holds_what_is_said_of_it() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    for (name, format, facts) in SETS {
        let set = shared.join(name);
        if !set.exists() {
            eprintln!("skipped: no data at {}", set.display());
            continue;
        }
        let out = tempfile::tempdir().expect("a folder");
        let mut request = Request::new(vec![set.clone()], out.path().to_owned());
        for cleaned in [true, false] {
            if !cleaned {
                request.cleaning = lenient();
            }
            let prepared = prepare(&request, &mut ()).expect("prepared");
            assert_eq!(
                prepared.records_in,
                prepared.records_out + prepared.records_quarantined,
                "{name}"
            );
            assert_eq!(
                data_lines(&prepared.quarantine),
                prepared.records_quarantined,
                "{name}"
            );
            let figures = prepared.figures.clone().expect("figures");
            let report = figures.report(Intake::of(&prepared));
            assert!(
                report.files.iter().all(|file| file.format == format),
                "{name}: {:?}",
                report.files
            );
            if !cleaned {
                for (what, expected, found) in facts {
                    assert_eq!(found(&report), *expected, "{name}: {what}");
                }
            }
        }
    }
}

#[test]
fn as_many_shoppers_buy_as_is_said() {
    let set = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/online_shoppers");
    if !set.exists() {
        eprintln!("skipped: no data at {}", set.display());
        return;
    }
    let loaded = load(&[set], &LoadOptions::default()).expect("loaded");
    let bought = |session: &&propense_events::Session| session.outcome == Some(true);
    let share = loaded.sessions.iter().filter(bought).count() as f64 / 9_801.0;
    assert!((share - 0.157).abs() < 0.0005, "{share}");
}
