//! From events to scores, and every command's help.

use super::{command, propense, ran, shop, words};

const COMMANDS: [&str; 7] = [
    "prepare", "train", "evaluate", "eval", "score", "synth", "inspect",
];

#[test]
fn every_command_has_help_with_an_example_and_no_stub_is_listed() {
    let help = propense(["--help"]).code(0).stdout;
    for command in COMMANDS {
        assert!(help.contains(command), "{command} is missing in:\n{help}");
        let own = propense([command, "--help"]).code(0).stdout;
        assert!(own.contains("Example"), "no example:\n{own}");
        assert!(own.contains(&format!("propense {command}")), "{own}");
    }
    for later in ["compare", "tune", "recommend", "serve", "drift"] {
        assert!(!help.contains(later), "{later} is listed:\n{help}");
    }
}

#[test]
fn train_inspect_evaluate_and_score_a_small_shop() {
    let data = shop(400);
    let out = tempfile::tempdir().expect("scratch folder");
    let at = |name: &str| out.path().join(name);
    let train = words(
        "train --task in-session --data {} --out {} --epochs 4 --batch 32 --device cpu --json {} --checkpoint {} --created-at 2026-01-02T03:04:05Z",
        &[
            data.path(),
            &at("m.propense"),
            &at("train.json"),
            &at("run"),
        ],
    );
    let shown = propense(&train).code(0).says("epoch").says("samples/s");
    assert!(shown.stdout.contains("test"), "{}", shown.stdout);
    let bundle = std::fs::read(at("m.propense")).expect("the bundle");

    let json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(at("train.json")).expect("JSON")).expect("JSON");
    assert_eq!(json["history"].as_array().map(Vec::len), Some(4));

    // Two epochs and two more are the same bundle as four.
    let halves = |epochs: &str, rest: &str| {
        let line = format!(
            "train --task in-session --data {{}} --out {{}} --epochs {epochs} --batch 32 --device cpu --checkpoint {{}} --created-at 2026-01-02T03:04:05Z --name m {rest}"
        );
        let args = words(&line, &[data.path(), &at("halves.propense"), &at("run2")]);
        propense(args).code(0);
    };
    halves("2", "");
    halves("4", "--resume");
    assert_eq!(
        std::fs::read(at("halves.propense")).expect("the bundle"),
        bundle
    );

    let inspected = propense(words("inspect {}", &[&at("m.propense")]))
        .code(0)
        .stdout;
    for part in [
        "in-session",
        "lstm.recurrent",
        "2026-01-02T03:04:05Z",
        "validation",
    ] {
        assert!(
            inspected.contains(part),
            "`{part}` is missing in:\n{inspected}"
        );
    }

    let evaluate = "evaluate --model {} --data {} --device cpu --json {} --report {}";
    let paths = [
        &at("m.propense"),
        data.path(),
        &at("e.json"),
        &at("report.html"),
    ];
    propense(words(evaluate, &paths.map(std::convert::AsRef::as_ref))).code(0);
    let json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(at("e.json")).expect("JSON")).expect("JSON");
    assert!(json["auc"].as_f64().is_some_and(|auc| auc > 0.6), "{json}");
    let page = std::fs::read_to_string(at("report.html")).expect("report");
    assert!(page.contains("<svg") && page.contains("prefers-color-scheme"));

    for (name, ending) in [
        ("scores.csv", "id,user,events"),
        ("scores.jsonl", "{\"id\""),
    ] {
        let args = words(
            "score --model {} --data {} --device cpu --after 3 --out {}",
            &[&at("m.propense"), data.path(), &at(name)],
        );
        propense(args).code(0).says("scored 400");
        let text = std::fs::read_to_string(at(name)).expect("scores");
        assert!(text.starts_with(ending), "{text}");
    }
}

#[test]
fn prepare_accounts_for_every_row_and_its_output_reads_back() {
    let data = shop(30);
    let file = data.path().join("events.csv");
    let mut text = std::fs::read_to_string(&file).expect("events");
    text.push_str("1600000000000,view_item,u1,s1,i1,,,-5,1,,,,9001\n");
    text.push_str("12,view_item,u1,s1,i1,,,1,1,,,,9002\n");
    text.push_str("never,view_item,u1,s1,i1,,,1,1,,,,9003\n");
    let lines = text.lines().count() - 1;
    std::fs::write(&file, text).expect("events");
    let out = tempfile::tempdir().expect("scratch folder");
    propense(words("prepare {} --out {}", &[data.path(), out.path()])).code(0);
    let json = std::fs::read(out.path().join("prepare.json")).expect("report");
    let json: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
    let number = |name: &str| json[name].as_u64().expect(name);
    assert_eq!(number("rows") as usize, lines);
    assert_eq!(number("rows"), number("kept") + number("rejected"));
    assert_eq!(number("rejected"), 2);
    let quarantine = std::fs::read_to_string(out.path().join("quarantine.csv")).expect("file");
    assert_eq!(quarantine.lines().count(), 3, "{quarantine}");
    assert!(quarantine.contains("absurd_timestamp"), "{quarantine}");

    let events = |path: &std::path::Path| {
        let shown = propense(words("inspect {} --json -", &[path]))
            .code(0)
            .stdout;
        let json: serde_json::Value = serde_json::from_str(&shown).expect("JSON");
        json["events"].as_u64()
    };
    assert_eq!(events(out.path()), events(&file));
}

#[test]
fn int8_and_f16_bundles_are_smaller_and_score_alike() {
    let data = shop(200);
    let out = tempfile::tempdir().expect("scratch folder");
    let mut sizes = Vec::new();
    let mut aucs = Vec::new();
    for precision in ["f32", "f16", "int8"] {
        let bundle = out.path().join(format!("{precision}.propense"));
        let json = out.path().join("e.json");
        let line = format!(
            "train --task in-session --data {{}} --out {{}} --epochs 1 --batch 32 --device cpu --precision {precision}"
        );
        propense(words(&line, &[data.path(), &bundle])).code(0);
        sizes.push(std::fs::metadata(&bundle).expect("bundle").len());
        let line = "evaluate --model {} --data {} --device cpu --json {}";
        propense(words(line, &[&bundle, data.path(), &json])).code(0);
        let json: serde_json::Value =
            serde_json::from_slice(&std::fs::read(&json).expect("JSON")).expect("JSON");
        aucs.push(json["auc"].as_f64().expect("auc"));
    }
    assert!(
        sizes[0] > sizes[1] * 3 / 2 && sizes[1] > sizes[2] * 3 / 2,
        "{sizes:?}"
    );
    assert!(
        aucs.iter().all(|auc| (auc - aucs[0]).abs() < 0.02),
        "{aucs:?}"
    );
}

#[cfg(unix)]
#[test]
fn ctrl_c_leaves_a_checkpoint_that_can_be_resumed_and_a_usable_bundle() {
    use std::io::{BufRead, BufReader};
    use std::process::Stdio;

    let data = shop(400);
    let out = tempfile::tempdir().expect("scratch folder");
    let (bundle, run) = (out.path().join("m.propense"), out.path().join("run"));
    let line = "train --task in-session --data {} --out {} --epochs 500 --patience 500 --batch 32 --device cpu --checkpoint {}";
    let args = words(line, &[data.path(), &bundle, &run]);
    let mut child = command(args)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    let mut lines = BufReader::new(child.stderr.take().expect("stderr")).lines();
    let mut said = String::new();
    let first_epoch = lines
        .by_ref()
        .map_while(Result::ok)
        .find(|line| line.starts_with("epoch "));
    assert!(first_epoch.is_some());
    let killed = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(killed.expect("kill").success());
    for line in lines.map_while(Result::ok) {
        said.push_str(&line);
        said.push('\n');
    }
    let status = child.wait().expect("ended");
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("--resume"), "{said}");
    propense(words("inspect {}", &[&bundle])).code(0);

    let done = said
        .lines()
        .chain(["epoch 1/"])
        .filter(|line| line.starts_with("epoch "))
        .count();
    let line = format!(
        "train --task in-session --data {{}} --out {{}} --epochs {} --patience 500 --batch 32 --device cpu --checkpoint {{}} --resume",
        done + 1
    );
    let resumed = ran(command(words(&line, &[data.path(), &bundle, &run])).output());
    resumed.code(0).says("continuing after epoch");
}
