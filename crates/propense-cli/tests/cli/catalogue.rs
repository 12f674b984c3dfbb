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
fn an_item_table_is_a_catalogue_if_it_is_sound() {
    let data = shop(80);
    let folder = tempfile::tempdir().expect("scratch folder");
    let at = |name: &str| folder.path().join(name);
    let (bundle, table) = (at("m.propense"), at("shop.items"));
    let line = "recommend --data {} --out {} --export-table {}";
    propense(words(line, &[data.path(), &at("picks.csv"), &table])).code(0);
    let sound = std::fs::read(&table).expect("a table");
    let run = |bytes: &[u8]| {
        std::fs::write(&table, bytes).expect("file");
        propense(words(TRAIN, &[data.path(), &bundle, &table]))
    };
    for bytes in [&sound[..sound.len() - 3], b"\x02\0\0\0\0\0\0\0{}"] {
        run(bytes)
            .code(1)
            .says("catalogue")
            .says("shop.items: no item table")
            .says("--export-table");
        assert!(!bundle.exists());
    }
    run(&sound).code(0);
    let shown = propense(words("inspect {}", &[&bundle])).code(0).stdout;
    assert!(shown.contains("shop.items"), "{shown}");
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
