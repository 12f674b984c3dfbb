//! From events to scores, and every command's help.

use std::path::Path;

use super::{propense, shop, words};

#[test]
fn every_command_has_help_with_an_example() {
    let help = propense(["--help"]).code(0).stdout;
    let list = help
        .split("Commands:")
        .nth(1)
        .and_then(|rest| rest.split("\n\n").next());
    let commands: Vec<&str> = list
        .into_iter()
        .flat_map(str::lines)
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
        .filter(|name| !name.is_empty() && *name != "help")
        .collect();
    assert!(commands.len() >= 13, "{commands:?} of:\n{help}");
    for command in commands {
        let own = propense([command, "--help"]).code(0).stdout;
        assert!(own.contains("Example"), "no example:\n{own}");
        assert!(own.contains(&format!("propense {command}")), "{own}");
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
    for part in ["By segment", "Learning curve", "Most wrong"] {
        assert!(page.contains(part), "{part} is missing");
    }
    // A model is no better than itself.
    let against = "evaluate --model {} --against {} --data {} --device cpu --json {}";
    let paths = [
        &at("m.propense"),
        &at("halves.propense"),
        data.path(),
        &at("e.json"),
    ];
    propense(words(against, &paths.map(std::convert::AsRef::as_ref))).code(0);
    let json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(at("e.json")).expect("JSON")).expect("JSON");
    assert_eq!(json["against"]["delong"]["p"], 1.0, "{json}");
    assert_eq!(
        json["against"]["differences"][0],
        serde_json::json!([0.0, 0.0])
    );

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
    reasons_sum_to_the_score(&at("m.propense"), data.path(), out.path());
}

fn reasons_sum_to_the_score(model: &Path, data: &Path, out: &Path) {
    let at = |name: &str| out.join(name);
    let args = words(
        "score --model {} --data {} --device cpu --out {}",
        &[model, data, &at("whole.jsonl")],
    );
    propense(args).code(0);
    let args = words(
        "explain --model {} --data {} --out {}",
        &[model, data, &at("reasons.jsonl")],
    );
    let table = propense(args).code(0).says("explained 400").stdout;
    assert!(table.contains("mean effect"), "{table}");
    let lines = |name: &str| -> Vec<serde_json::Value> {
        let text = std::fs::read_to_string(at(name)).expect("a file");
        let line = |line: &str| serde_json::from_str(line).expect("JSON");
        text.lines().map(line).collect()
    };
    let (scores, reasons) = (lines("whole.jsonl"), lines("reasons.jsonl"));
    assert_eq!(scores.len(), reasons.len());
    for (score, one) in scores.iter().zip(&reasons) {
        assert_eq!(score["id"], one["id"]);
        let number = |value: &serde_json::Value| value.as_f64().expect("a number");
        assert!((number(&score["propensity"]) - number(&one["propensity"])).abs() < 1e-5);
        let parts = one["reasons"].as_array().expect("reasons");
        let sum: f64 = parts.iter().map(|part| number(&part["effect"])).sum();
        assert!((number(&one["start"]) + sum - number(&one["logit"])).abs() < 1e-9);
        let events = parts
            .iter()
            .filter(|part| part["event"].is_string())
            .count();
        assert_eq!(Some(events as u64), score["events"].as_u64());
    }

    let id = reasons[7]["id"].as_str().expect("an id");
    let line = format!("explain --model {{}} --data {{}} --of {id} --json -");
    let shown = propense(words(&line, &[model, data])).code(0).stdout;
    let json: serde_json::Value = serde_json::from_str(&shown).expect("JSON");
    assert_eq!(json["explanations"][0], reasons[7]);
    let line = format!("explain --model {{}} --data {{}} --of {id},nobody,u0,no-one");
    let args = words(&line, &[model, data]);
    propense(args).code(1).says("is called no-one or nobody;");
    let args = words("explain --model {} --data {} --of nobody", &[model, data]);
    propense(args).code(1).says("nobody");
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
    let json = std::fs::read(out.path().join("report.json")).expect("report");
    let json: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
    let number = |name: &str| json["records"][name].as_u64().expect(name);
    assert_eq!(number("in") as usize, lines);
    assert_eq!(number("in"), number("out") + number("quarantined"));
    assert_eq!(number("quarantined"), 2);
    let page = std::fs::read_to_string(out.path().join("report.html")).expect("page");
    assert!(page.contains("absurd_timestamp"), "the page names the rule");
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
    let shown = propense(words("inspect {}", &[out.path()])).code(0).stdout;
    for part in ["columns", "item_category", "Timestamp", "first events"] {
        assert!(shown.contains(part), "`{part}` is missing in:\n{shown}");
    }
}

/// Golden logits, threshold and figures are those of the weights in the file, not of the more
/// precise ones that were trained.
#[track_caller]
fn the_bundle_describes_its_stored_weights(bytes: &[u8]) {
    let bundle = propense_model::Bundle::from_bytes(bytes).expect("a sound bundle");
    let golden = bundle.manifest.golden.as_ref().expect("a golden session");
    let mut stream = propense_model::CpuStream::new(bundle.cpu_model().expect("a network"));
    let logits: Vec<f32> = golden
        .rows
        .iter()
        .map(|row| {
            stream.push(row);
            stream.logit(&golden.context)
        })
        .collect();
    let worst = golden.difference(&logits);
    assert!(worst <= 1e-4, "{worst:e}");
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
        let bytes = std::fs::read(&bundle).expect("bundle");
        sizes.push(bytes.len());
        the_bundle_describes_its_stored_weights(&bytes);
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

#[test]
fn the_articles_activation_is_a_setting_and_a_resumed_run_keeps_it() {
    let data = shop(200);
    let out = tempfile::tempdir().expect("scratch folder");
    let bundle = out.path().join("m.propense");
    let train = |more: &str| {
        let line = format!(
            "train --task in-session --data {{}} --out {{}} --epochs 1 --batch 32 --device cpu {more}"
        );
        propense(words(&line, &[data.path(), &bundle]))
    };
    train("--activation relu").code(0);
    let shown = propense(words("inspect {}", &[&bundle])).code(0).stdout;
    assert!(shown.contains("128 hidden (relu)"), "{shown}");
    train("--resume").code(1).says("--activation");
    train("--activation gelu").code(2).says("relu");
    train("--activation tanh").code(0).says("kept as");
    let shown = propense(words("inspect {}", &[&bundle])).code(0).stdout;
    assert!(shown.contains("128 hidden (tanh)"), "{shown}");
}

#[test]
fn learning_from_few_events_measures_on_all() {
    let folder = tempfile::tempdir().expect("scratch folder");
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("a.csv"), super::shop_events(400)).expect("file");
    let measured = |most: usize| {
        let line = format!(
            "eval --task in-session --train {{}} --test {{}} --json {{}} --epochs 1 --batch 32 --device cpu --max-events {most}"
        );
        propense(words(&line, &[&at("a.csv"), &at("a.csv"), &at("e.json")])).code(0);
        let json = std::fs::read(at("e.json")).expect("JSON");
        let json: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
        let by_k = json["by_k"].as_object().expect("by_k").clone();
        let count = |part: &serde_json::Value| part["n"].as_u64().expect("a number");
        by_k.values().map(count).collect::<Vec<_>>()
    };
    assert_eq!(measured(2), measured(64));
}
