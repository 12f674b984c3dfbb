//! The data in the repository is what the generator makes from the two real files.
//!
//! Needs the real files beside the workspace (`../shared/data`, or `PROPENSE_SHARED_DATA`); without
//! them these tests say so and pass. With `PROPENSE_UPDATE=1` the committed files are written anew;
//! run the tests once more afterwards.

use std::{fs, path::Path};

use propense_synth::{CATALOGUE_FILE, EVENTS_FILE, SAMPLE_FILE};

use crate::real;

#[test]
fn the_committed_files_are_the_generators_byte_for_byte() {
    let Some(made) = real::made() else { return };
    let committed = real::committed();
    for name in [EVENTS_FILE, CATALOGUE_FILE, SAMPLE_FILE] {
        let new = fs::read(made.dir.path().join(name)).unwrap();
        if std::env::var_os("PROPENSE_UPDATE").is_some() {
            fs::create_dir_all(&committed).unwrap();
            fs::write(committed.join(name), &new).unwrap();
        }
        let old = fs::read(committed.join(name)).unwrap();
        assert!(
            old == new,
            "{name} differs; run `propense synth giftshop` again and look at the difference"
        );
    }
}

#[test]
fn the_data_card_states_the_counts() {
    let Some(made) = real::made() else { return };
    let path = real::committed().join("DATA_CARD.md");
    let card = fs::read_to_string(&path).unwrap();
    let counts = made.report.to_string();
    const BEGIN: &str = "<!-- counts -->\n";
    const END: &str = "<!-- end of counts -->";
    let (before, rest) = card.split_once(BEGIN).unwrap();
    let (stated, after) = rest.split_once(END).unwrap();
    if std::env::var_os("PROPENSE_UPDATE").is_some() {
        fs::write(&path, format!("{before}{BEGIN}{counts}{END}{after}")).unwrap();
    } else {
        assert_eq!(stated, counts);
    }
}

#[test]
fn the_copy_of_the_session_summaries_is_the_original() {
    let Some((shoppers, _)) = real::sources() else {
        return;
    };
    assert!(real::shoppers() == fs::read_to_string(shoppers).unwrap());
}

#[test]
fn the_files_stay_small_enough_for_a_repository() {
    let dir = real::committed();
    let size = |path: &Path| fs::metadata(path).unwrap().len();
    assert!(size(&dir.join(EVENTS_FILE)) <= 5_000_000);
    assert!(size(&dir.join(SAMPLE_FILE)) <= 2_000_000);
    assert!(size(&dir.join(CATALOGUE_FILE)) <= 500_000);
}
