//! `propense eval` on the development data: the contract's keys, and better than chance.

use std::fmt::Write;
use std::io::Read;
use std::path::Path;

use super::{development_data, propense, words};

/// The keys that the command line's contract names.
const KEYS: [&str; 13] = [
    "task",
    "n",
    "base_rate",
    "auc",
    "pr_auc",
    "f1",
    "recall",
    "precision",
    "accuracy",
    "majority_accuracy",
    "log_loss",
    "brier",
    "ece",
];

pub(super) fn unpacked(file: &Path) -> String {
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(file).expect("data"))
        .read_to_string(&mut text)
        .expect("text");
    text
}

/// Writes the lines into two files, by what the function says of each; the header (where there
/// is one) into both.
pub(super) fn divide(
    text: &str,
    header: bool,
    folder: &Path,
    later: impl Fn(&str) -> Option<bool>,
) -> [std::path::PathBuf; 2] {
    let mut parts = [String::new(), String::new()];
    for (number, line) in text.lines().enumerate() {
        let places: &[usize] = match (header && number == 0, later(line)) {
            (true, _) => &[0, 1],
            (false, Some(later)) => &[later as usize],
            (false, None) => &[],
        };
        for &place in places {
            writeln!(parts[place], "{line}").expect("writing to a string");
        }
    }
    ["a.csv", "b.csv"]
        .map(|name| folder.join(name))
        .map(|path| {
            let place = usize::from(path.ends_with("b.csv"));
            std::fs::write(&path, &parts[place]).expect("file");
            path
        })
}

pub(super) fn eval(
    task: &str,
    parts: &[std::path::PathBuf; 2],
    folder: &Path,
    more: &str,
) -> serde_json::Value {
    let result = run(task, parts, folder, more);
    let number = |key: &str| result[key].as_f64().expect("a number");
    assert!(number("auc") > 0.55, "{result}");
    assert!(
        number("log_loss") < number("base_rate_log_loss") + 0.02,
        "{result}"
    );
    result
}

/// The result, whatever its figures.
fn run(
    task: &str,
    parts: &[std::path::PathBuf; 2],
    folder: &Path,
    more: &str,
) -> serde_json::Value {
    let json = folder.join("result.json");
    let line =
        format!("eval --task {task} --train {{}} --test {{}} --json {{}} --device cpu {more}");
    propense(words(&line, &[&parts[0], &parts[1], &json])).code(0);
    let bytes = std::fs::read(&json).expect("result");
    let result: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
    for key in KEYS {
        assert!(!result[key].is_null(), "`{key}` is missing in {result}");
    }
    assert_eq!(result["task"], task);
    result
}

#[test]
fn shoppers_with_and_without_page_values() {
    let Some(data) = development_data("online_shoppers") else {
        return;
    };
    let text = std::fs::read_to_string(data.join("online_shoppers_intention.csv")).expect("data");
    let folder = tempfile::tempdir().expect("scratch folder");
    let number = std::cell::Cell::new(0);
    let parts = divide(&text, true, folder.path(), |_| {
        number.set(number.get() + 1);
        Some(number.get() % 5 == 0)
    });
    let with = eval("shoppers", &parts, folder.path(), "--epochs 8");
    let without = eval(
        "shoppers-no-pagevalues",
        &parts,
        folder.path(),
        "--epochs 8",
    );
    let auc = |result: &serde_json::Value| result["auc"].as_f64().expect("a number");
    assert!(auc(&with) > 0.88, "{with}");
    assert!(auc(&with) > auc(&without) + 0.05, "{without}");
    assert_eq!(with["n"].as_u64(), without["n"].as_u64());
}

#[test]
fn thirty_day_and_its_refusal_of_overlap() {
    let Some(data) = development_data("online_retail") else {
        return;
    };
    let text = unpacked(&data.join("online_retail.csv.gz"));
    let folder = tempfile::tempdir().expect("scratch folder");
    let parts = divide(&text, true, folder.path(), |line| {
        Some(&line[line.find(",201")? + 1..][..7] >= "2011-09")
    });
    let result = eval("thirty-day", &parts, folder.path(), "--epochs 6");
    assert!(result["auc"].as_f64().expect("a number") > 0.68, "{result}");
    assert!(result["days_short"].is_null(), "{result}");
    // The first week of the month tells of few who come back.
    let text = std::fs::read_to_string(&parts[1]).expect("the later part");
    let week = |line: &&str| !line.contains(",2011-") || line.contains(",2011-09-0");
    let week: Vec<&str> = text.lines().filter(week).collect();
    let short = folder.path().join("week.csv");
    std::fs::write(&short, week.join("\n")).expect("a file");
    let json = folder.path().join("week.json");
    let line = "eval --task thirty-day --train {} --test {} --json {} --device cpu --epochs 1";
    propense(words(line, &[&parts[0], &short, &json]))
        .code(0)
        .says("the data end 21 days before");
    let twice = words(
        "eval --task thirty-day --train {} --test {} --json {}",
        &[&parts[0], &parts[0], &folder.path().join("none.json")],
    );
    propense(twice)
        .code(1)
        .says("overlap in time")
        .says("2011-08-31");
}

#[test]
fn in_session_with_figures_by_number_of_events() {
    let Some(data) = development_data("jdata2019") else {
        return;
    };
    let text = unpacked(&data.join("sessions.csv.gz"));
    let folder = tempfile::tempdir().expect("scratch folder");
    let parts = divide(&text, true, folder.path(), |line| {
        Some(line.get(..10)? >= "2018-03-03")
    });
    let page = folder.path().join("result.html");
    let more = format!("--epochs 2 --report {}", page.display());
    let result = eval("in-session", &parts, folder.path(), &more);
    let by_k = result["by_k"].as_object().expect("by_k");
    let keys: std::collections::BTreeSet<&str> = by_k.keys().map(String::as_str).collect();
    assert_eq!(keys, ["2", "3", "5", "10"].into());
    let of = |part: &serde_json::Value| part["n"].as_u64().expect("a number");
    let total: u64 = by_k.values().map(of).sum();
    assert_eq!(total, of(&result));
    // What the training part says of the users tells who returns.
    let segments = result["segments"].as_array().expect("segments");
    let visitors = segments.iter().filter(|part| part["by"] == "visitor");
    let sizes: Vec<u64> = visitors.map(|part| of(&part["metrics"])).collect();
    assert_eq!(sizes.len(), 2, "{segments:?}");
    assert_eq!(sizes.iter().sum::<u64>(), total);
    assert!(result["also"]["at the last event before the cut"]["auc"].is_number());
    let page = std::fs::read_to_string(page).expect("the page");
    for part in ["By segment", "returning", "Learning curve"] {
        assert!(page.contains(part), "the page has no `{part}`");
    }
}

/// A fixed order without meaning.
fn shuffled<T>(mut list: Vec<T>) -> Vec<T> {
    let mut state = 7_u64;
    for last in (1..list.len()).rev() {
        // Knuth's linear congruential generator; its high bits are good enough to shuffle with.
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        list.swap(last, (state >> 33) as usize % (last + 1));
    }
    list
}

#[track_caller]
fn is_chance(result: &serde_json::Value) {
    let auc = result["auc"].as_f64().expect("a number");
    assert!((auc - 0.5).abs() < 0.03, "{result}");
}

#[test]
fn from_shuffled_outcomes_of_summaries_nothing_is_learnt() {
    let Some(data) = development_data("online_shoppers") else {
        return;
    };
    let text = std::fs::read_to_string(data.join("online_shoppers_intention.csv")).expect("data");
    let (header, lines) = text.split_once('\n').expect("a header");
    let rows: Vec<(&str, &str)> = lines.lines().filter_map(|l| l.rsplit_once(',')).collect();
    let outcomes = shuffled(rows.iter().map(|(_, outcome)| *outcome).collect());
    let mut mixed = format!("{header}\n");
    for ((known, _), outcome) in rows.iter().zip(outcomes) {
        writeln!(mixed, "{known},{outcome}").expect("writing to a string");
    }
    let folder = tempfile::tempdir().expect("scratch folder");
    let number = std::cell::Cell::new(0);
    let parts = divide(&mixed, true, folder.path(), |_| {
        number.set(number.get() + 1);
        Some(number.get() % 2 == 0)
    });
    is_chance(&run("shoppers", &parts, folder.path(), ""));
}

/// Rates of items are learnt from outcomes: were a row to see its own, the network would learn to
/// read it off.
#[test]
fn from_shuffled_orders_of_sessions_nothing_is_learnt() {
    let Some(data) = development_data("jdata2019") else {
        return;
    };
    let text = unpacked(&data.join("sessions.csv.gz"));
    let mut lines = text.lines();
    let header = lines.next().expect("a header");
    // By session: what is seen before the first order, and whether there is one.
    let mut sessions: std::collections::BTreeMap<String, (Vec<Vec<&str>>, bool)> =
        std::collections::BTreeMap::new();
    for line in lines {
        let fields: Vec<&str> = line.split(',').collect();
        let [_, user, _, kind, session, ..] = fields[..] else {
            continue;
        };
        let known = sessions.entry(format!("{user}-{session}")).or_default();
        match kind {
            "4" => {}
            "2" => known.1 = true,
            _ if known.1 => {}
            _ => known.0.push(fields),
        }
    }
    let sessions: Vec<_> = sessions.into_values().filter(|s| !s.0.is_empty()).collect();
    let orders = shuffled(sessions.iter().map(|session| session.1).collect());
    let mut mixed = format!("{header}\n");
    for ((events, _), order) in sessions.iter().zip(orders) {
        for event in events {
            writeln!(mixed, "{}", event.join(",")).expect("writing to a string");
        }
        if let (true, Some(last)) = (order, events.last()) {
            let mut bought = last.clone();
            bought[3] = "2";
            writeln!(mixed, "{}", bought.join(",")).expect("writing to a string");
        }
    }
    let folder = tempfile::tempdir().expect("scratch folder");
    let parts = divide(&mixed, true, folder.path(), |line| {
        let user: u64 = line.split(',').nth(1)?.parse().ok()?;
        Some(user.is_multiple_of(2))
    });
    // Learnt from either half and scored on the other: one half alone varies by 0.016.
    let [a, b] = parts;
    let auc = |parts: &[std::path::PathBuf; 2]| {
        let result = run("in-session", parts, folder.path(), "");
        result["auc"].as_f64().expect("a number")
    };
    let mean = (auc(&[a.clone(), b.clone()]) + auc(&[b, a])) / 2.0;
    assert!((mean - 0.5).abs() < 0.03, "{mean}");
}
