//! Earlier events beside those that are scored, explained or measured.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{propense, shop_events, words};

/// A quarter of a shop's visitors come four times; the last visits in a file of their own.
fn returning(folder: &Path) -> [PathBuf; 3] {
    let text = shop_events(400);
    let mut lines = text.lines();
    let head = lines.next().expect("a head");
    let mut parts = [vec![head.to_owned()], vec![head.to_owned()]];
    for line in lines {
        let mut fields: Vec<String> = line.split(',').map(str::to_owned).collect();
        let visit: usize = fields[2][1..].parse().expect("a number");
        fields[2] = format!("u{}", visit % 100);
        parts[usize::from(visit >= 300)].push(fields.join(","));
    }
    let [earlier, later] = parts.map(|lines| lines.join("\n"));
    let whole = format!("{earlier}\n{}", &later[head.len() + 1..]);
    let write = |(name, text): (&str, String)| {
        let path = folder.join(name);
        std::fs::write(&path, text).expect("a file");
        path
    };
    [
        ("whole.csv", whole),
        ("earlier.csv", earlier),
        ("later.csv", later),
    ]
    .map(write)
}

/// The propensity of each session.
fn scores(file: &Path) -> BTreeMap<String, f64> {
    let text = std::fs::read_to_string(file).expect("scores");
    let row = |line: &str| {
        let row: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let id = row["id"].as_str().expect("an id").to_owned();
        (id, row["propensity"].as_f64().expect("a number"))
    };
    text.lines().map(row).collect()
}

#[test]
fn what_visitors_did_before_is_known_from_a_file_of_its_own() {
    let folder = tempfile::tempdir().expect("scratch folder");
    let [whole, earlier, later] = returning(folder.path());
    let model = folder.path().join("m.propense");
    let line = "train --task in-session --preset base --data {} --out {} --epochs 2 --device cpu";
    propense(words(line, &[&earlier, &model])).code(0);

    let score = |command: &str, paths: &[&Path], name: &str| {
        let out = folder.path().join(name);
        let paths = [&[model.as_path()], paths, &[out.as_path()]].concat();
        propense(words(command, &paths)).code(0);
        scores(&out)
    };
    let plain = "score --model {} --data {} --device cpu --out {}";
    let all = score(plain, &[&whole], "all.jsonl");
    let alone = score(plain, &[&later], "alone.jsonl");
    let line = "score --model {} --history {} --data {} --device cpu --out {}";
    let known = score(line, &[&earlier, &later], "known.jsonl");
    assert_eq!((known.len(), all.len()), (100, 400));
    assert!(known.iter().all(|(id, score)| all[id] == *score));
    assert_ne!(known, alone);
    let line = "explain --model {} --history {} --data {} --out {}";
    let explained = score(line, &[&earlier, &later], "reasons.jsonl");
    let near = |(id, score): (&String, &f64)| (explained[id] - score).abs() < 1e-5;
    assert!(known.iter().all(near));

    let figure = |line: &str, paths: &[&Path]| {
        let json = folder.path().join("e.json");
        let paths = [&[model.as_path()], paths, &[json.as_path()]].concat();
        let run = propense(words(line, &paths)).code(0);
        let json = std::fs::read(&json).expect("JSON");
        let json: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
        (json["log_loss"].as_f64().expect("a number"), run.stderr)
    };
    let line = "evaluate --model {} --history {} --data {} --device cpu --json {}";
    let (with, _) = figure(line, &[&earlier, &later]);
    let (without, said) = figure(
        "evaluate --model {} --data {} --device cpu --json {}",
        &[&later],
    );
    assert!(said.contains("give it with --history"), "{said}");
    assert!((with - without).abs() > 1e-6, "{with} {without}");

    let twice = "score --model {} --history {} --data {} --device cpu --out {}";
    let out = folder.path().join("none.csv");
    propense(words(twice, &[&model, &later, &later, &out]))
        .code(2)
        .says("--history holds the same as --data");
    let same = "compare --task in-session --data {} --test {} --structures logistic --device cpu";
    propense(words(same, &[&earlier, &earlier]))
        .code(0)
        .says("lines of the test data are equal to lines of the training data");
}

#[test]
fn a_forecast_of_users_takes_what_they_did_with_the_data() {
    let folder = tempfile::tempdir().expect("scratch folder");
    let [whole, earlier, later] = returning(folder.path());
    let model = folder.path().join("m.propense");
    let line = "train --task next-day --preset base --data {} --out {} --epochs 1 --device cpu";
    propense(words(line, &[&whole, &model])).code(0);
    let out = folder.path().join("scores.csv");
    let line = "score --model {} --history {} --data {} --device cpu --out {}";
    propense(words(line, &[&model, &earlier, &later, &out]))
        .code(1)
        .says("give the earlier events with the data");
}
