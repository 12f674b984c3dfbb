//! `propense recommend`: lists under the shop's rules, and which recommender made them.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use super::apps::is_a_page;
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
fn a_page_shows_what_is_recommended_why_and_how_far_to_trust_it() {
    let folder = shop(300);
    let path = |name: &str| folder.path().join(name);
    let live = "timestamp,event,session_id,item_id\n1700000000000,view_item,live,i3\n";
    std::fs::write(path("live.txt"), live).expect("events");
    let line = "recommend --data {} --session {} --out {} --report {} --export-table {} --json {}";
    let files = [
        "events.csv",
        "live.txt",
        "picks.csv",
        "picks.html",
        "shop.items",
        "picks.json",
    ]
    .map(path);
    let files: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    propense(words(line, &files)).code(0);
    let page = std::fs::read_to_string(path("picks.html")).expect("page");
    is_a_page(&page);
    for part in [
        "For the home page",
        "Because you looked at",
        "looked at together",
        "For running visits",
        "the item table, in the page",
        "Places given to the tenth most in demand",
    ] {
        assert!(page.contains(part), "{part} is missing");
    }
    let report = std::fs::read(path("picks.json")).expect("report");
    let report: serde_json::Value = serde_json::from_slice(&report).expect("JSON");
    let showcase = &report["showcase"];
    assert_eq!(showcase["home"].as_array().map(Vec::len), Some(8));
    assert_eq!(showcase["because"].as_array().map(Vec::len), Some(6));
    let ndcg = |of: &serde_json::Value| of["ndcg"].as_f64().expect("a figure");
    let table = &report["table"];
    assert!(ndcg(table) >= ndcg(&table["popularity"]), "{table}");
    #[cfg(feature = "engine")]
    {
        let files = [path("events.csv"), path("picks.parquet")];
        propense(words(
            "recommend --data {} --out {}",
            &[&files[0], &files[1]],
        ))
        .code(0);
        let bytes = std::fs::read(&files[1]).expect("file");
        assert!(bytes.starts_with(b"PAR1"));
    }
}

/// A log in which one of the shop's items is shown by lot to each of its later visits.
fn log(propensity: impl Fn(usize) -> String) -> String {
    let mut text = String::from("session_id;time;item_id;propensity;clicked\n");
    for user in 150..300 {
        let second = 1_600_000_000 + user * 3600 + 10;
        let item = user * 7 % 17;
        let clicked = usize::from(user % 3 == 0);
        let propensity = propensity(user);
        writeln!(text, "s{user};{second}000;i{item};{propensity};{clicked}")
            .expect("writing to a string");
    }
    text
}

#[test]
fn a_log_of_what_was_shown_by_lot_tells_what_each_would_have_earned() {
    let folder = shop(300);
    let path = |name: &str| folder.path().join(name);
    let files = [
        "events.csv",
        "log.csv",
        "picks.csv",
        "picks.html",
        "picks.json",
    ]
    .map(path);
    let files: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    let line = "recommend --data {} --log {} --out {} --report {} --json {}";
    let report = |text: String| -> serde_json::Value {
        std::fs::write(files[1], text).expect("log");
        propense(words(line, &files))
            .code(0)
            .says("effective sample");
        let bytes = std::fs::read(files[4]).expect("report");
        serde_json::from_slice(&bytes).expect("JSON")
    };
    let all = report(log(|_| "0.0588".to_owned()));
    let judged = &all["off_policy"];
    assert_eq!(
        (&judged["lists"], &judged["left_out"]),
        (&150.into(), &0.into())
    );
    assert_eq!(judged["train_visits"], 150);
    assert_eq!(judged["unknown_visits"], 0);
    assert_eq!(judged["methods"].as_array().map(Vec::len), Some(4));
    let shown = judged["shown"]["value"].as_f64().expect("a figure");
    assert!((shown - 1.0 / 3.0).abs() < 1e-9, "{judged}");
    let page = std::fs::read_to_string(files[3]).expect("page");
    is_a_page(&page);
    assert!(page.contains("What they would have earned"));
    // A third of the lines is of no use; it is counted, and said.
    let some = report(log(|user| ["0.0588", "", "0"][user % 3].to_owned()));
    assert_eq!(some["off_policy"]["left_out"], 100);
    let page = std::fs::read_to_string(files[3]).expect("page");
    assert!(page.contains("100 of 150 lists of the log are left out"));
}

#[test]
fn a_log_that_cannot_be_used_is_refused_with_the_place() {
    let folder = shop(300);
    let path = |name: &str| folder.path().join(name);
    let files = ["events.csv", "log.csv", "picks.csv"].map(path);
    let files: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    let check = |text: &str, part: &str| {
        std::fs::write(files[1], text).expect("log");
        let line = "recommend --data {} --log {} --out {}";
        propense(words(line, &files)).code(1).says(part);
    };
    check(
        "session_id,time,item_id,clicked\n",
        "no column `propensity`",
    );
    let line = |row: &str| format!("session_id,time,item_id,propensity,reward\n{row}\n");
    check(&line("s1,soon,i1,0.5,1"), "row 2: expected a time");
    check(
        &line("s1,2020-09-14,,0.5,1"),
        "row 2: expected an identifier",
    );
    check(
        &line("s1,2020-09-14,i1,often,1"),
        "row 2: expected a number",
    );
    check(
        &line("s1,2020-09-14,i1,0.5,inf"),
        "row 2: expected a number",
    );
    check(&line("s1,2020-09-14,i1,7,1"), "none of the 1 line");
    check(&line(""), "none of the 0 line");
    // Everything in --data comes after it.
    check(&line("s1,2000-01-01,i1,0.5,1"), "no visit before");
}

#[test]
fn what_an_order_is_worth_and_what_comes_back_change_no_list() {
    let folder = tempfile::tempdir().expect("scratch folder");
    let path = |name: &str| folder.path().join(name);
    let head = "timestamp,event,user_id,transaction_id,item_id,price,quantity,event_no\n";
    let mut text = String::from(head);
    let mut number = 0;
    let mut row = |text: &mut String, kind: &str, order: usize, item: usize, rest: &str| {
        number += 1;
        // A month without any order lies in the middle.
        let pause = if order < 60 { 0 } else { 31 * 86_400_000_i64 };
        let time = 1_600_000_000_000 + order as i64 * 3_600_000 + pause;
        writeln!(
            text,
            "{time},{kind},u{order},{kind}{order},i{item},{rest},{number}"
        )
        .expect("writing to a string");
    };
    for order in 0..120 {
        for place in 0..2 + order % 3 {
            row(
                &mut text,
                "purchase",
                order,
                (order * 3 + place) % 11,
                "2.5,1",
            );
        }
    }
    let lists = |text: &str| {
        std::fs::write(path("orders.csv"), text).expect("orders");
        let line = "recommend --data {} --k 5 --out {} --price-to 5";
        let files = [path("orders.csv"), path("picks.csv")];
        propense(words(line, &[&files[0], &files[1]])).code(0);
        std::fs::read_to_string(path("picks.csv")).expect("lists")
    };
    let usual = lists(&text);
    assert_eq!(usual.lines().count(), 6, "{usual}");
    // One customer with far more than half of the revenue, in an order as any other.
    let rich = text.replacen("2.5,1,1\n", "2.5,900000,1\n", 1);
    assert_ne!(rich, text);
    assert_eq!(lists(&rich), usual);
    // More comes back than was sold.
    let mut returned = text.clone();
    for order in 0..90 {
        row(&mut returned, "refund", order, 3, "2.5,9");
    }
    assert_eq!(lists(&returned), usual);
    // Without a price no item keeps a bound on it.
    let unpriced = text.replace(",2.5,1,", ",,1,");
    assert_eq!(lists(&unpriced).lines().count(), 1);
}

#[test]
fn what_is_no_goods_is_in_no_list() {
    let folder = tempfile::tempdir().expect("scratch folder");
    let path = |name: &str| folder.path().join(name);
    // Postage is in each order, and the catalogue names a voucher that nobody has ordered yet.
    let table = |kind: &str| {
        let mut text = String::from("timestamp,event,session_id,transaction_id,item_id,event_no\n");
        for order in 0..60 {
            let time = 1_600_000_000_000 + order as i64 * 3_600_000;
            let mut items = vec!["POST".to_owned()];
            items.extend((0..3).map(|place| format!("i{}", (order * 3 + place) % 7)));
            for (place, item) in items.iter().enumerate() {
                let (number, at) = (order * 4 + place, time + place as i64);
                let at = if kind == "purchase" { time } else { at };
                writeln!(text, "{at},{kind},s{order},{kind}{order},{item},{number}")
                    .expect("writing to a string");
            }
        }
        text
    };
    std::fs::write(path("items.csv"), "item_id,price\nM,9\nvoucher,9\n").expect("catalogue");
    let files = ["events.csv", "items.csv", "picks.csv", "shop.items"].map(path);
    let files: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    let check = |kind: &str, more: &str, listed: [(&str, bool); 4]| {
        std::fs::write(files[0], table(kind)).expect("events");
        let line = "recommend --data {} --catalogue {} --k 20 --out {} --export-table {}";
        propense(words(&format!("{line} {more}"), &files)).code(0);
        let picks = std::fs::read_to_string(files[2]).expect("lists");
        let exported = std::fs::read(files[3]).expect("table");
        for (item, is) in listed {
            assert_eq!(picks.contains(&format!(",{item},")), is, "{item}: {picks}");
            let line = format!("\n{item}\n");
            let there = exported
                .windows(line.len())
                .any(|part| part == line.as_bytes());
            assert!(is || !there, "{item} is in the table");
        }
    };
    // Of orders postage and manual entries go by themselves, the voucher where it is named.
    let [post, m, voucher, goods] = ["POST", "M", "voucher", "i3"];
    check(
        "purchase",
        "",
        [(post, false), (m, false), (voucher, true), (goods, true)],
    );
    let named = "--ignore voucher,i3";
    check(
        "purchase",
        named,
        [(post, false), (m, false), (voucher, false), (goods, false)],
    );
    // A page that is viewed is none of the books': it goes where it is named.
    check(
        "view_item",
        "",
        [(post, true), (m, true), (voucher, true), (goods, true)],
    );
    check(
        "view_item",
        "--ignore POST",
        [(post, false), (m, true), (voucher, true), (goods, true)],
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
fn a_catalogue_is_read_as_every_table_is_and_refused_with_the_place() {
    let folder = shop(60);
    let path = |name: &str| folder.path().join(name);
    let run = |catalogue: &str| {
        std::fs::write(path("items.txt"), catalogue).expect("catalogue");
        let line = "recommend --data {} --catalogue {} --margin-weight 1 --k 30 --out {}";
        let files = ["events.csv", "items.txt", "picks.csv"].map(path);
        propense(words(line, &files.each_ref().map(PathBuf::as_path)))
    };
    for number in ["NaN", "inf", "much"] {
        let catalogue = format!("item_id,margin\n\ni2,0.5\ni1,{number}\n");
        run(&catalogue)
            .code(1)
            .says("items.txt: row 4: expected a number");
    }
    run("item_id,margin\ni1,0.5\ni2,0.1\ni1,0.9\n")
        .code(1)
        .says("row 4: `i1` is there already, in row 2");
    run("sku,price\n").code(0);
    run("price\n2\n").code(1).says("no column `item_id`");
    run("item_id;item_name;price\nlamp;new lamp;4\n").code(0);
    let lists = std::fs::read_to_string(path("picks.csv")).expect("lists");
    assert!(lists.contains("lamp,new lamp"), "{lists}");
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
    check("--out picks.txt", 2, ".csv, .jsonl or .parquet");
    check("--out picks.csv --k 0", 2, "--k");
    check("--out picks.csv --diversity 2", 2, "--diversity");
    check(
        "--out picks.csv --catalogue no-such-file",
        1,
        "no-such-file",
    );
}
