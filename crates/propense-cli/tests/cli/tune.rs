//! `tune`: a winner's command that works.

use std::path::Path;

use serde_json::Value;

use super::{propense, shop, words};

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).expect("JSON")).expect("JSON")
}

#[test]
fn the_winners_command_gives_the_winners_figure() {
    let data = shop(300);
    let out = tempfile::tempdir().expect("scratch folder");
    let folder = out.path().join("a search");
    let space = out.path().join("space.json");
    std::fs::write(
        &space,
        r#"{"hidden": [4, 6], "learning_rate": [0.003, 0.01]}"#,
    )
    .expect("space");
    let line = "tune --task in-session --data {} --space {} --trials 4 --epochs 3 --filters 2 --device cpu --out {} --json {}";
    let file = out.path().join("t.json");
    let args = words(line, &[data.path(), &space, &folder, &file]);
    propense(&args).code(0).says("the best so far");
    let found = json(&file);
    let command = found["command"].as_str().expect("the command");
    let winner = &found["finished"][found["ranking"][0].as_u64().expect("a place") as usize];

    let history = run_printed(command, &out.path().join("train.json"));
    let losses = history["history"].as_array().expect("epochs").iter();
    let lowest = losses.filter_map(|epoch| epoch["validation_loss"].as_f64());
    let lowest = lowest.fold(f64::INFINITY, f64::min);
    assert_eq!(winner["validation_loss"].as_f64(), Some(lowest));
    assert!(folder.join("best.propense").exists() && folder.join("trials.html").exists());

    // There it is, and of a search that is over nothing is left to do.
    propense(&args).code(1).says("--resume goes on");
    let mut again = args;
    again.push("--resume".to_owned());
    propense(&again).code(0);
    assert_eq!(json(&file)["ranking"], found["ranking"]);
    // What the space searches is not set beside it.
    let line = "tune --task in-session --data {} --space {} --out {} --hidden 8";
    propense(words(line, &[data.path(), &space, &folder]))
        .code(2)
        .says("--hidden");
    let line = "tune --task in-session --data {} --space {} --out {} --search grid";
    std::fs::write(&space, r#"{"hidden": {"from": 4, "to": 8}}"#).expect("space");
    let other = out.path().join("other");
    propense(words(line, &[data.path(), &space, &other]))
        .code(2)
        .says("--space");
}

/// Runs a printed command, as a shell splits it, for its JSON.
fn run_printed(command: &str, result: &Path) -> Value {
    let mut line: Vec<String> = Vec::new();
    for (place, part) in command.split('\'').enumerate() {
        match place % 2 {
            0 => line.extend(part.split_whitespace().map(str::to_owned)),
            _ => line.push(part.to_owned()),
        }
    }
    assert_eq!(line.remove(0), "propense");
    line.extend(["--json".to_owned(), result.display().to_string()]);
    propense(line).code(0);
    json(result)
}

#[test]
fn the_ensemble_is_searched_too() {
    let data = shop(300);
    let out = tempfile::tempdir().expect("scratch folder");
    let at = |name: &str| out.path().join(name);
    std::fs::write(at("space.json"), r#"{"hidden": [4, 8], "decay": [0, 0.1]}"#).expect("space");
    let line = "tune --task in-session --preset base --data {} --space {} --trials 3 --epochs 6 --dropout 0.1 --device cpu --out {} --json {}";
    let args = words(
        line,
        &[data.path(), &at("space.json"), &at("search"), &at("t.json")],
    );
    propense(&args).code(0);
    let found = json(&at("t.json"));
    let winner = &found["finished"][found["ranking"][0].as_u64().expect("a place") as usize];
    let command = found["command"].as_str().expect("the command");
    assert!(command.contains("--preset base --dropout 0.1"), "{command}");
    let trained = run_printed(command, &at("train.json"));
    let history = trained["history"].as_array().expect("epochs");
    let losses: Vec<&Value> = history
        .iter()
        .map(|epoch| &epoch["validation_loss"])
        .collect();
    let curve: Vec<&Value> = winner["curve"]
        .as_array()
        .expect("a curve")
        .iter()
        .collect();
    assert_eq!(curve, losses);

    for (line, word) in [
        (
            "tune --task in-session --data {} --decay 0.1 --out x",
            "--decay",
        ),
        (
            "tune --task in-session --preset base --data {} --filters 8 --out x",
            "--filters",
        ),
        (
            "tune --task in-session --preset base --data {} --hidden 69 --out x",
            "1 to 68",
        ),
        (
            "train --task in-session --preset base --data {} --hidden 69 --out x",
            "1 to 68",
        ),
        (
            "train --task in-session --preset base --data {} --dropout 1 --out x",
            "--dropout",
        ),
        (
            "train --task in-session --data {} --decay 0.1 --out x",
            "--decay",
        ),
    ] {
        propense(words(line, &[data.path()])).code(2).says(word);
    }
}
