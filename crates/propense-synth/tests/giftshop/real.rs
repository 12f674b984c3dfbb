//! The real files, the data made from them once for all tests, and the data in the repository.

use std::{
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
    sync::OnceLock,
    time::{Duration, Instant},
};

use flate2::read::GzDecoder;
use propense_events::{Format, Session, read, sessionise};
use propense_synth::{EVENTS_FILE, GiftshopOptions, GiftshopReport, GiftshopSources, giftshop};
use tempfile::TempDir;

/// What the generator made from the real files with the default seed.
pub(crate) struct Made {
    pub(crate) dir: TempDir,
    pub(crate) report: GiftshopReport,
    pub(crate) time: Duration,
}

/// The workspace's root.
pub(crate) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The data in the repository.
pub(crate) fn committed() -> PathBuf {
    workspace().join("data/giftshop")
}

/// The session summaries in the repository.
pub(crate) fn shoppers() -> String {
    let path = "data/online_shoppers/online_shoppers_intention.csv.gz";
    let mut text = String::new();
    let file = File::open(workspace().join(path)).unwrap();
    GzDecoder::new(file).read_to_string(&mut text).unwrap();
    text
}

/// The same session summaries with every outcome turned around.
pub(crate) fn turned(shoppers: &str) -> String {
    let turn = |line: &str| {
        if let Some(rest) = line.strip_suffix("True") {
            format!("{rest}False\n")
        } else if let Some(rest) = line.strip_suffix("False") {
            format!("{rest}True\n")
        } else {
            format!("{line}\n")
        }
    };
    shoppers.lines().map(turn).collect()
}

/// A JSON file of a folder.
pub(crate) fn json(dir: &Path, name: &str) -> serde_json::Value {
    serde_json::from_str(&fs::read_to_string(dir.join(name)).unwrap()).unwrap()
}

/// The session summaries and the invoices; none, with a message, where they are not there.
pub(crate) fn sources() -> Option<(PathBuf, PathBuf)> {
    let shared = std::env::var_os("PROPENSE_SHARED_DATA")
        .map_or_else(|| workspace().join("../shared/data"), PathBuf::from);
    let shoppers = shared.join("online_shoppers/online_shoppers_intention.csv");
    let retail = shared.join("online_retail/online_retail.csv.gz");
    if shoppers.is_file() && retail.is_file() {
        Some((shoppers, retail))
    } else {
        eprintln!("skipped: the real data is not at {}", shared.display());
        None
    }
}

/// Makes the data into a folder of its own.
fn make() -> Option<Made> {
    let (shoppers, retail) = sources()?;
    let dir = tempfile::tempdir().unwrap();
    let begin = Instant::now();
    let report = giftshop(
        &GiftshopSources { shoppers, retail },
        &GiftshopOptions::default(),
        dir.path(),
        |_| {},
    )
    .unwrap();
    let time = begin.elapsed();
    Some(Made { dir, report, time })
}

/// The data with the default options.
pub(crate) fn made() -> Option<&'static Made> {
    static MADE: OnceLock<Option<Made>> = OnceLock::new();
    MADE.get_or_init(make).as_ref()
}

/// The sessions of an events file, in order of time.
pub(crate) fn read_sessions(dir: &Path) -> Vec<Session> {
    let file = File::open(dir.join(EVENTS_FILE)).unwrap();
    let table = read(GzDecoder::new(file), None, None).unwrap();
    assert_eq!(table.format, Format::Events);
    assert_eq!(table.problems, []);
    assert_eq!(table.rows, table.kept);
    let (sessions, problems) = sessionise(table.events, 1_800_000);
    assert_eq!(problems, []);
    sessions
}
