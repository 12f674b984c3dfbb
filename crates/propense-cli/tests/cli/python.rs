//! Python reads what `prepare` writes, and finds in it what a made-up file holds.

use std::path::Path;
use std::process::Command;

use propense_synth::{EventsLayout, EventsOptions, events, manifest_path};

use super::{propense, words};

/// The Python to take, where it has pyarrow: `PROPENSE_PYTHON`, or else `python3`. None, with a
/// message, where there is no such thing.
fn python() -> Option<String> {
    let python = std::env::var("PROPENSE_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let found = Command::new(&python)
        .args(["-c", "import pyarrow.parquet"])
        .output();
    if found.is_ok_and(|output| output.status.success()) {
        return Some(python);
    }
    println!(
        "skipped: {python} has no pyarrow; install it, or name another Python in PROPENSE_PYTHON"
    );
    None
}

#[test]
fn pyarrow_reads_a_prepared_table() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().expect("scratch folder");
    for layout in EventsLayout::ALL {
        let made = folder.path().join(format!("{}.csv", layout.name()));
        let options = EventsOptions {
            rows: 60_000,
            seed: 3,
            layout,
        };
        events(&options, &made, |_| {}).expect("made-up events");
        let out = folder.path().join(layout.name());
        propense(words("prepare {} --out {}", &[&made, &out])).code(0);
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/python/read_table.py");
        let read = Command::new(&python)
            .arg(script)
            .arg(&out)
            .arg("--manifest")
            .arg(manifest_path(&made))
            .output()
            .expect("Python runs");
        assert!(
            read.status.success(),
            "{layout:?}: {}",
            String::from_utf8_lossy(&read.stderr)
        );
    }
}
