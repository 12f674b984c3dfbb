//! The real data sets beside the project, where they are: each goes through with its format found
//! by content, and its accounts balance.

use std::path::Path;

use propense_prepare::{LoadOptions, Request, load, prepare};

use crate::inputs::data_lines;

#[test]
fn every_set_goes_through() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let Ok(sets) = std::fs::read_dir(&shared) else {
        eprintln!("skipped: no data at {}", shared.display());
        return;
    };
    let mut tried = 0;
    for set in sets {
        let set = set.expect("an entry").path();
        // A set whose format this version does not know is another test's business.
        let Ok(loaded) = load(std::slice::from_ref(&set), &LoadOptions::default()) else {
            continue;
        };
        tried += 1;
        let out = tempfile::tempdir().expect("a folder");
        let request = Request::new(vec![set.clone()], out.path().to_owned());
        let prepared = prepare(&request, &mut ()).expect("prepared");
        let rows: u64 = prepared.inputs.iter().map(|input| input.rows).sum();
        assert_eq!(rows, loaded.rows(), "{}", set.display());
        assert_eq!(
            prepared.records_in,
            prepared.records_out + prepared.records_quarantined
        );
        assert_eq!(
            data_lines(&prepared.quarantine),
            prepared.records_quarantined
        );
        eprintln!(
            "{}: {rows} rows, {} out, removed {:?}, repaired {:?}, rejected {:?}, {} events, {} sessions",
            set.display(),
            prepared.records_out,
            prepared.cleaning.removed_by,
            prepared.cleaning.repaired_by,
            prepared
                .inputs
                .iter()
                .map(|input| &input.rejected_by)
                .collect::<Vec<_>>(),
            prepared.cleaning.events,
            prepared.cleaning.sessions,
        );
    }
    assert!(tried > 0 || shared.join("README.md").exists());
}
