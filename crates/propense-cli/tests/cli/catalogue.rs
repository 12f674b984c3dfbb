//! The catalogue that `train` names in the bundle.

use super::{propense, shop, words};

const TRAIN: &str =
    "train --task in-session --epochs 1 --batch 32 --device cpu --data {} --out {} --catalogue {}";

#[test]
fn the_bundle_names_the_catalogue_by_file_and_sum() {
    let data = shop(80);
    let folder = tempfile::tempdir().expect("scratch folder");
    let bundle = folder.path().join("m.propense");
    let catalogue = folder.path().join("things.json");
    std::fs::write(
        &catalogue,
        r#"{"items": [{"item_id": "i1", "price": 2.5}]}"#,
    )
    .expect("file");
    propense(words(TRAIN, &[data.path(), &bundle, &catalogue])).code(0);
    let bytes = std::fs::read(&bundle).expect("bundle");
    let read = propense_model::Bundle::from_bytes(&bytes).expect("a sound bundle");
    let named = read.manifest.catalogue.expect("a catalogue");
    assert_eq!(named.file, "things.json");
    // sha256sum of the line above.
    assert_eq!(
        named.sha256,
        "8897ebac3f54b3add574894db700173f8b0084ae0141e49723378aaa8531f79a"
    );
    let shown = propense(words("inspect {}", &[&bundle])).code(0).stdout;
    assert!(
        shown.contains("things.json") && shown.contains(&named.sha256),
        "{shown}"
    );
}

#[test]
fn what_is_no_catalogue_is_refused_before_training() {
    let data = shop(80);
    let folder = tempfile::tempdir().expect("scratch folder");
    let bundle = folder.path().join("m.propense");
    let catalogue = folder.path().join("things.json");
    let refused = |part: &str| {
        let ran = propense(words(TRAIN, &[data.path(), &bundle, &catalogue]));
        let ran = ran.code(1).says("things.json").says(part);
        assert!(!ran.stderr.contains("epoch"), "{}", ran.stderr);
        assert!(!bundle.exists());
    };
    refused("No such file");
    for text in [
        "",
        "items",
        "[]",
        "{}",
        r#"{"items": 3}"#,
        r#"{"items": []}"#,
        r#"{"items": [{"name": "x"}]}"#,
    ] {
        std::fs::write(&catalogue, text).expect("file");
        refused("a list `items`");
    }
}
