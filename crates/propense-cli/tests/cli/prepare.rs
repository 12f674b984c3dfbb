//! `prepare` as people use it: made-up dirt in, one clean table out; and what it refuses.

use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use super::{command, propense, ran, shop, words};

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

/// Killed outright, again and again: the same command goes on from what is finished, ends, and gives
/// the bytes of a run that nobody touched.
#[test]
fn a_killed_run_is_taken_up_again() {
    let folder = tempfile::tempdir().expect("scratch folder");
    let mut inputs = Vec::new();
    for seed in [1, 2, 3] {
        let made = folder.path().join(format!("{seed}.csv"));
        let line = format!("synth events --rows 150000 --seed {seed} --out {{}}");
        propense(words(&line, &[&made])).code(0);
        inputs.push(made);
    }
    let prepare = |out: &std::path::Path| {
        let paths = [inputs.as_slice(), &[out.to_owned()]].concat();
        words(
            "prepare {} {} {} --out {}",
            &paths
                .iter()
                .map(std::path::PathBuf::as_path)
                .collect::<Vec<_>>(),
        )
    };
    let whole = folder.path().join("whole");
    propense(prepare(&whole)).code(0);
    let out = folder.path().join("killed");
    let mut killed = 0;
    // Each run is left a little more time than the one before, so that the last one ends by itself.
    for wait in 1.. {
        let mut child = command(prepare(&out))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("started");
        for _ in 0..wait {
            sleep(Duration::from_millis(30));
            if child.try_wait().expect("a child").is_some() {
                break;
            }
        }
        if child.try_wait().expect("a child").is_some() {
            ran(child.wait_with_output()).code(0);
            break;
        }
        child.kill().expect("killed");
        child.wait().expect("ended");
        killed += 1;
    }
    assert!(killed >= 2, "it was over before it could be killed");
    for name in ["events.parquet", "quarantine.csv"] {
        let bytes = |folder: &std::path::Path| std::fs::read(folder.join(name)).expect(name);
        assert_eq!(bytes(&out), bytes(&whole), "{name}");
    }
    assert!(!out.join(".work").exists());
}
