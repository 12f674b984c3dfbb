//! Models in use: `update`.

use std::fs;
use std::path::Path;

use super::{propense, shop, shop_events, words};

fn train(data: &Path, out: &Path, run: &Path) {
    let line = "train --task in-session --data {} --out {} --epochs 2 --batch 32 --device cpu --checkpoint {} --created-at 2026-01-02T03:04:05Z";
    propense(words(line, &[data, out, run])).code(0);
}

#[test]
fn a_folder_of_arriving_files_is_learnt_once_and_every_candidate_is_kept() {
    let old = shop(400);
    let out = tempfile::tempdir().expect("scratch folder");
    let at = |name: &str| out.path().join(name);
    let (live, versions) = (at("live.propense"), at("versions"));
    train(old.path(), &live, &at("run"));
    let before = fs::read(&live).expect("the bundle");

    let update = |data: &Path, rest: &str| {
        let line = format!(
            "update --model {{}} --data {{}} --out {{}} --epochs 2 --batch 16 --device cpu --created-at 2026-01-03T00:00:00Z --json - {rest}"
        );
        let ran = propense(words(&line, &[&live, data, &versions])).code(0);
        let json: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
        (json, ran.stderr)
    };
    let (json, _) = update(old.path(), "");
    assert_eq!(json["outcome"], "nothing_new", "{json}");
    assert_eq!(fs::read(&live).expect("the bundle"), before);

    // 400 known visits and 300 new ones.
    fs::write(old.path().join("events.csv"), shop_events(700)).expect("events");
    let (json, said) = update(old.path(), "");
    assert!(!said.contains("panicked"), "{said}");
    let outcome = json["outcome"].as_str().expect("an outcome");
    assert!(["kept", "replaced"].contains(&outcome), "{json}");
    assert!(!json["reasons"].as_array().expect("reasons").is_empty());
    let candidate = json["candidate"].as_str().expect("a candidate");
    let kept = fs::read(versions.join(candidate)).expect("the candidate");
    let after = fs::read(&live).expect("the bundle");
    assert_eq!(
        after,
        if outcome == "replaced" {
            &kept
        } else {
            &before
        }
        .as_slice()
    );
    let shown = propense(words("inspect {}", &[&versions.join(candidate)]))
        .code(0)
        .stdout;
    assert!(shown.contains("goes on from"), "{shown}");

    // Again: what was replaced has learnt it, what was kept was tried with it.
    let (json, said) = update(old.path(), "");
    let again = json["outcome"].as_str().expect("an outcome");
    assert!(
        again == "nothing_new" || said.contains("tried"),
        "{json} {said}"
    );
    assert_eq!(fs::read(&live).expect("the bundle"), after);
}

#[test]
fn wrong_use_of_update_is_named() {
    let folder = tempfile::tempdir().expect("scratch folder");
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/giftshop.propense");
    for (rest, said) in [
        ("--since yesterday", "--since"),
        ("--sealed 2", "--sealed"),
        ("--replay-ratio 200", "--replay-ratio"),
    ] {
        let line = format!("update --model {{}} --data nowhere --out {{}} --device cpu {rest}");
        propense(words(&line, &[&model, folder.path()]))
            .code(2)
            .says(said);
    }
}
