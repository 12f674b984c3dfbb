//! `prepare` as people use it: made-up dirt in, one clean table out; and what it refuses.

use super::{propense, shop, words};

#[test]
fn what_cannot_be_asked_of_prepare_is_wrong_use() {
    let data = shop(5);
    let out = data.path().join("out");
    for (options, part) in [
        ("--without cleverness", "double_fire"),
        ("--rate USD", "USD=0.92"),
        ("--rate USD=-1 --currency EUR", "USD"),
        ("--from yesterday", "2017-11-25"),
        ("--gap 0", "above 0"),
        ("--encoding klingon", "windows-1252"),
        ("--format xml", "segment"),
    ] {
        let line = format!("prepare {{}} --out {{}} {options}");
        propense(words(&line, &[data.path(), &out]))
            .code(2)
            .says(part);
        assert!(!out.join("events.parquet").exists(), "{options}");
    }
}

#[test]
fn made_up_dirt_is_found_and_a_rule_can_be_switched_off() {
    let folder = tempfile::tempdir().expect("scratch folder");
    let made = folder.path().join("events.csv.gz");
    propense(words(
        "synth events --rows 20000 --seed 5 --out {}",
        &[&made],
    ))
    .code(0);
    let manifest = folder.path().join("events.csv.gz.manifest.json");
    assert!(manifest.exists());
    let prepare = |name: &str, more: &str| {
        let out = folder.path().join(name);
        propense(words(
            &format!("prepare {{}} --out {{}} {more}"),
            &[&made, &out],
        ))
        .code(0);
        let json = std::fs::read(out.join("report.json")).expect("report");
        let json: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
        let set_aside = |rule: &str| {
            let rules = json["set_aside"].as_array().expect("a list");
            let found = rules.iter().find(|found| found["name"] == rule);
            found.map_or(0, |found| found["count"].as_u64().expect("a count"))
        };
        assert_eq!(json["records"]["in"], 20_000);
        (set_aside("duplicate"), set_aside("double_fire"))
    };
    let (duplicates, double) = prepare("all", "");
    assert!(duplicates > 0 && double > 0, "{duplicates} {double}");
    let (duplicates_again, none) = prepare("without", "--without double_fire");
    assert!(duplicates_again >= duplicates && none == 0);

    // Doing it again changes nothing: the same bytes.
    let bytes = |name: &str| std::fs::read(folder.path().join(name).join("events.parquet"));
    prepare("again", "");
    assert_eq!(bytes("all").expect("a table"), bytes("again").expect("one"));
}
