//! `propense recommend`: lists under the shop's rules, and which recommender made them.

use std::path::{Path, PathBuf};

use super::{propense, shop, words};

#[test]
fn lists_keep_the_rules_of_the_shop() {
    let folder = shop(300);
    let path = |name: &str| folder.path().join(name);
    let live = "timestamp,event,session_id,item_id\n\
                1700000000000,view_item,live,i3\n\
                1700000001000,add_to_cart,live,i1\n\
                1700000002000,view_item,other,never-seen\n";
    std::fs::write(path("live.txt"), live).expect("events");
    // i7 is sold out; the new lamp is like no other but in its category.
    let catalogue = "item_id,item_name,item_category,price,stock\n\
                     i7,thing,c1,2.5,0\ni8,thing,c2,3.5,4\nlamp,new lamp,c1,4.0,9\n";
    std::fs::write(path("items.txt"), catalogue).expect("catalogue");
    let line = "recommend --data {} --session {} --catalogue {} --in-stock --price-to 5 --k 30 --out {} --json {}";
    let paths = [
        "events.csv",
        "live.txt",
        "items.txt",
        "out/picks.csv",
        "out/report.json",
    ]
    .map(path);
    let paths: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
    let ran = propense(words(line, &paths)).code(0);
    assert!(ran.stdout.contains("is used: best of 4"), "{}", ran.stdout);

    let mut reader = csv::Reader::from_path(paths[3]).expect("lists");
    let rows: Vec<Vec<String>> = reader
        .records()
        .map(|row| row.expect("row").iter().map(str::to_owned).collect())
        .collect();
    for session in ["live", "other"] {
        let list: Vec<&Vec<String>> = rows.iter().filter(|row| row[0] == session).collect();
        let has = |item: &str| list.iter().any(|row| row[2] == item);
        assert!(list.len() > 5 && has("lamp") && has("i8"), "{rows:?}");
        assert!(!has("i7"), "sold out: {rows:?}");
        assert_eq!(has("i3"), session == "other", "seen: {rows:?}");
        assert_eq!(has("i1"), session == "other", "in the cart: {rows:?}");
        for row in list {
            assert!(row[5].parse::<f64>().expect("a price") <= 5.0, "{row:?}");
        }
    }
    let report = std::fs::read(paths[4]).expect("report");
    let report: serde_json::Value = serde_json::from_slice(&report).expect("JSON");
    assert_eq!(report["lists"], 2);
    assert_eq!(report["new_items"], 1);
    assert_eq!(
        report["figures"].as_array().map(Vec::len),
        Some(4),
        "{report}"
    );
}

#[test]
fn a_new_visitor_is_shown_what_is_popular() {
    let folder = shop(40);
    let out = folder.path().join("home.jsonl");
    let line = "recommend --data {} --k 3 --out {}";
    let ran = propense(words(line, &[&folder.path().join("events.csv"), &out])).code(0);
    assert!(ran.stdout.contains("new visitor"), "{}", ran.stdout);
    let text = std::fs::read_to_string(out).expect("list");
    assert_eq!(text.lines().count(), 3, "{text}");
}

#[test]
fn wrong_use_is_named() {
    let folder = shop(5);
    let check = |more: &str, code: i32, part: &str| {
        let line = format!("recommend --data {{}} {more}");
        propense(words(&line, &[folder.path()]))
            .code(code)
            .says(part);
    };
    check("--out picks.txt", 2, ".csv or .jsonl");
    check("--out picks.csv --k 0", 2, "--k");
    check("--out picks.csv --diversity 2", 2, "--diversity");
    check(
        "--out picks.csv --catalogue no-such-file",
        1,
        "no-such-file",
    );
}
