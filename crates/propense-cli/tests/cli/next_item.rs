//! `propense eval --task next-item`: the contract's keys, and the positions that a plain count finds.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};

use super::protocol::unpacked;
use super::{development_data, propense, words};

fn eval(parts: &[PathBuf; 2], folder: &Path) -> serde_json::Value {
    let json = folder.join("result.json");
    let page = folder.join("result.html");
    let line = "eval --task next-item --train {} --test {} --json {} --report {}";
    propense(words(line, &[&parts[0], &parts[1], &json, &page])).code(0);
    let result: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&json).expect("result")).expect("JSON");
    assert_eq!(result["task"], "next-item");
    for name in ["propense", "popularity", "item_knn", "v_sknn"] {
        let cost = &result["costs"][name];
        assert!(cost["numbers"].as_u64() > Some(0), "{name}: {result}");
        assert!(cost["microseconds"].as_f64() > Some(0.0), "{result}");
    }
    let page = std::fs::read_to_string(page).expect("a page");
    let hr = result["hr20"].as_f64().expect("a number");
    assert!(page.contains(&format!("{hr:.3}")) && page.contains("v_sknn"));
    assert_eq!(result["n"].as_u64(), Some(positions(parts)), "{result}");
    for key in ["hr20", "mrr20", "ndcg20"] {
        let value = result[key].as_f64().expect("a number");
        let interval = &result["intervals"][key];
        let end = |place: usize| interval[place].as_f64().expect("a number");
        assert!(end(0) <= value && value <= end(1), "{key}: {result}");
    }
    result
}

/// Rows of session, item and time, in file order.
fn rows(path: &Path) -> Vec<(String, String, f64)> {
    let text = std::fs::read_to_string(path).expect("part");
    let row = |line: &str| {
        let fields: Vec<&str> = line.split('\t').collect();
        (
            fields[0].to_owned(),
            fields[1].to_owned(),
            fields[2].parse().expect("a time"),
        )
    };
    text.lines().skip(1).map(row).collect()
}

/// Clicks of the test file on known items that have another one before them in their session.
fn positions([train, test]: &[PathBuf; 2]) -> u64 {
    let (train, test) = (rows(train), rows(test));
    let tested: BTreeSet<&String> = test.iter().map(|row| &row.0).collect();
    let learnt = train.iter().filter(|row| !tested.contains(&row.0));
    let known: BTreeSet<&String> = learnt.map(|row| &row.1).collect();
    let mut clicks: BTreeMap<&String, u64> = BTreeMap::new();
    for (session, item, _) in &test {
        *clicks.entry(session).or_default() += u64::from(known.contains(item));
    }
    clicks.values().map(|count| count.saturating_sub(1)).sum()
}

#[test]
fn next_item_on_walks_through_a_ring() {
    let folder = tempfile::tempdir().expect("scratch folder");
    let walk = |sessions: std::ops::Range<usize>| {
        let mut text = String::from("SessionId\tItemId\tTime\n");
        for session in sessions {
            for place in 0..1 + session % 5 {
                let item = 100 + (session * 7 + place) % 30;
                let time = 1_396_000_000 + session * 60 + place;
                writeln!(text, "{session}\t{item}\t{time}.5").expect("writing to a string");
            }
        }
        text
    };
    let parts = ["a.tsv", "b.tsv"].map(|name| folder.path().join(name));
    std::fs::write(&parts[0], walk(0..900)).expect("file");
    // One session goes on in the test file, and one item is new there.
    let mut test = walk(901..1100);
    test.push_str("4\t101\t1396999999\n4\t102\t1396999999.5\n950\t999\t1396999999\n");
    std::fs::write(&parts[1], test).expect("file");
    let result = eval(&parts, folder.path());
    assert!(
        result["mrr20"].as_f64().expect("a number") > 0.9,
        "{result}"
    );
    assert_eq!(result["shared_visits"], 1);
    assert_eq!(result["unknown_clicks"], 1);
}

#[test]
fn next_item_is_ahead_of_v_sknn_on_a_later_day() {
    let Some(folder) = development_data("yoochoose") else {
        return;
    };
    let text = unpacked(&folder.join("clicks.tsv.gz"));
    let scratch = tempfile::tempdir().expect("scratch folder");
    // 3 April 2014 from the two days before it: enough to tell, and quick.
    let (begin, end) = (1_396_483_200.0, 1_396_569_600.0);
    let mut texts = ["a.tsv", "b.tsv"].map(|_| String::new());
    for (number, line) in text.lines().enumerate() {
        let time = line
            .rsplit('\t')
            .next()
            .and_then(|time| time.parse::<f64>().ok());
        let places: &[usize] = match time {
            None if number == 0 => &[0, 1],
            Some(time) if time < begin => &[0],
            Some(time) if time < end => &[1],
            _ => &[],
        };
        for place in places {
            writeln!(texts[*place], "{line}").expect("writing to a string");
        }
    }
    let parts = ["a.tsv", "b.tsv"].map(|name| scratch.path().join(name));
    for (path, text) in parts.iter().zip(&texts) {
        std::fs::write(path, text).expect("file");
    }
    let result = eval(&parts, scratch.path());
    for metric in 0..2 {
        let low = result["ahead_of"]["v_sknn"][metric][0]
            .as_f64()
            .expect("a number");
        assert!(low > 0.0, "{result}");
    }
}

#[test]
fn next_item_says_what_it_cannot_do() {
    let folder = tempfile::tempdir().expect("scratch folder");
    let file = folder.path().join("a.tsv");
    std::fs::write(
        &file,
        "SessionId\tItemId\tTime\n1\t5\t1396000000\n1\t6\t1396000001\n",
    )
    .expect("file");
    let line = "eval --task next-item --train {} --test {}";
    propense(words(line, &[&file, &file]))
        .code(1)
        .says("no visit to learn from");
    // What every task is given by a harness is taken, what trains a network is not.
    let line = "eval --task next-item --preset base --device cpu --threads 1 --plain --seed 2 --train {} --test {}";
    propense(words(line, &[&file, &file]))
        .code(1)
        .says("--preset is passed over")
        .says("no visit to learn from");
    for option in ["--calibration none", "--threshold 0.5"] {
        let line = format!("eval --task next-item --train {{}} --test {{}} {option}");
        let name = option.split(' ').next().expect("a name");
        propense(words(&line, &[&file, &file]))
            .code(2)
            .says(&format!("error: {name}: "));
    }
    for option in [
        "--preset base",
        "--epochs 3",
        "--minutes 1",
        "--checkpoint run",
        "--max-events 64",
        "--horizon session",
        "--clip 5",
    ] {
        let name = option.split(' ').next().expect("a name");
        for task in ["eval --train", "compare --data"] {
            if [("compare --data", "--epochs"), ("eval --train", "--preset")]
                .contains(&(task, name))
            {
                continue;
            }
            let (command, data) = task.split_once(' ').expect("two words");
            let line = format!("{command} --task next-item {data} {{}} --test {{}} {option}");
            propense(words(&line, &[&file, &file]))
                .code(2)
                .says(&format!("error: {name}: "));
        }
    }
}
