//! `compare`: tables that name who is ahead.

use super::{propense, shop, words};

fn json(path: &std::path::Path) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(path).expect("JSON")).expect("JSON")
}

#[test]
fn compare_measures_all_on_one_part_and_says_why_it_chose() {
    let data = shop(300);
    let out = tempfile::tempdir().expect("scratch folder");
    let (file, page) = (out.path().join("c.json"), out.path().join("c.html"));
    let line = "compare --task in-session --data {} --structures seed,conv,logistic,base-rate --epochs 2 --filters 2 --hidden 4 --device cpu --json {} --report {}";
    let shown = propense(words(line, &[data.path(), &file, &page])).code(0);
    assert!(shown.stdout.contains("not shipped"), "{}", shown.stdout);
    let found = json(&file);
    let rows = found["rows"].as_array().expect("rows");
    assert_eq!(rows.len(), 4);
    assert_eq!(rows[3]["auc"]["mean"], 0.5, "the base rate ranks nothing");
    let best = found["best"].as_u64().expect("the best") as usize;
    let name = rows[best]["name"].as_str().expect("a name");
    assert!(shown.stdout.contains(&format!(
        "{name} has the lowest log-loss on the validation part"
    )));
    assert!(rows[best]["behind"].is_null());
    let page = std::fs::read_to_string(&page).expect("the page");
    assert!(page.contains("<svg") && page.contains("conv") && !page.contains("NaN"));

    let line = "compare --task in-session --data {} --structures conv --ablate objectives --epochs 1 --device cpu --json {}";
    let shown = propense(words(line, &[data.path(), &file])).code(0);
    assert!(
        shown.stdout.contains("conv + next item"),
        "{}",
        shown.stdout
    );
    let rows = json(&file)["rows"].as_array().map(Vec::len);
    assert_eq!(rows, Some(6), "each alone, together, beforehand");

    for (line, word) in [
        (
            "compare --task in-session --data {} --structures seeds",
            "--structures",
        ),
        (
            "compare --task in-session --data {} --preset base",
            "--preset",
        ),
        ("compare --task in-session --data {} --seeds 0", "--seeds"),
        (
            "compare --task in-session --data {} --train-shares 0,1",
            "--train-shares",
        ),
        (
            "compare --task in-session --data {} --augment blur",
            "--augment",
        ),
        (
            "compare --task thirty-day --data {} --augment crop",
            "--augment",
        ),
        (
            "compare --task in-session --data {} --structures seed --ablate recipe",
            "--ablate",
        ),
        (
            "compare --task shoppers --data {} --ablate objectives",
            "needs events",
        ),
        ("compare --task next-item --data {}", "--test"),
        (
            "compare --task next-item --data {} --test c.tsv --ablate recipe",
            "--ablate",
        ),
    ] {
        propense(words(line, &[data.path()])).code(2).says(word);
    }
}

#[test]
fn compare_ranks_what_comes_next_beside_a_recurrent_network() {
    let folder = tempfile::tempdir().expect("scratch folder");
    let walk = |sessions: std::ops::Range<usize>| {
        let mut text = String::from("SessionId\tItemId\tTime\n");
        for session in sessions {
            for place in 0..2 + session % 4 {
                let item = 100 + (session * 7 + place) % 12;
                let time = 1_396_000_000 + session * 60 + place;
                text.push_str(&format!("{session}\t{item}\t{time}.5\n"));
            }
        }
        text
    };
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("a.tsv"), walk(0..400)).expect("file");
    std::fs::write(at("b.tsv"), walk(400..460)).expect("file");
    let line = "compare --task next-item --data {} --test {} --epochs 12 --hidden 16 --learning-rate 0.01 --json {}";
    propense(words(line, &[&at("a.tsv"), &at("b.tsv"), &at("r.json")])).code(0);
    let found = json(&at("r.json"));
    let mrr = |name: &str| found["baselines"][name]["mrr"].as_f64().expect("a figure");
    assert!(mrr("gru4rec") > 0.9, "{found}");
    assert!(mrr("last_item") < 0.5, "a walk never stays: {found}");
}
