//! `demand` and `segment`, and the walk-through that shows them.

use std::path::Path;

use super::{development_data, propense, words};

/// Forty weeks in which twenty customers order three items, in the project's own format.
fn orders() -> tempfile::TempDir {
    let mut text = String::from(
        "timestamp,event,user_id,session_id,item_id,item_name,price,quantity,event_no\n",
    );
    let start = 1_600_041_600_000_i64;
    for day in 0..280_i64 {
        for part in 0..4 {
            let user = (day * 7 + part * 5) % 20;
            // Some come every week, some hardly ever.
            if user > 9 && day % 90 > 2 {
                continue;
            }
            let time = start + day * 86_400_000 + part * 3_600_000;
            let item = part % 3;
            text.push_str(&format!(
                "{time},purchase,u{user},s{day}-{part},i{item},\"thing {item}\",{}.5,{},{}\n",
                2 + item,
                1 + (day + part) % 3,
                day * 4 + part
            ));
        }
    }
    let folder = tempfile::tempdir().expect("scratch folder");
    std::fs::write(folder.path().join("orders.csv"), text).expect("orders");
    folder
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).expect("the file")
}

/// A page that stands alone: figures, charts with their tables, nothing fetched, nothing missing.
#[track_caller]
pub(super) fn is_a_page(page: &str) {
    for part in [
        "<svg",
        "<table",
        "<details>",
        "prefers-color-scheme",
        "@media print",
    ] {
        assert!(page.contains(part), "{part} is missing");
    }
    for part in ["NaN", "inf", "http", "<script"] {
        assert!(!page.contains(part), "{part} in the page");
    }
}

#[test]
fn demand_writes_its_plan_as_table_parquet_json_and_page() {
    let data = orders();
    let at = |name: &str| data.path().join(name);
    std::fs::write(
        at("stock.csv"),
        "item_id;on_hand;pack\ni0;0;6\ni1;500;\ni9;1;\n",
    )
    .expect("stock");
    let line = "demand --data {} --stock {} --out {} --report {} --json {}";
    let files = [
        &at("orders.csv"),
        &at("stock.csv"),
        &at("d.csv"),
        &at("d.html"),
        &at("d.json"),
    ];
    let ran = propense(words(line, &files.map(std::path::PathBuf::as_path)))
        .code(0)
        .says("1 items of --stock are not planned");
    assert!(
        ran.stdout.contains("measured on the last 8 weeks"),
        "{}",
        ran.stdout
    );
    let table = read(&at("d.csv"));
    assert!(
        table.starts_with("item_id,item_name,week_1_expected,week_1_low,week_1_high"),
        "{table}"
    );
    assert_eq!(table.lines().count(), 4);
    let json: serde_json::Value = serde_json::from_str(&read(&at("d.json"))).expect("JSON");
    let items = json["items"].as_array().expect("items");
    let of = |id: &str| {
        items
            .iter()
            .find(|item| item["item_id"] == id)
            .expect("the item")
    };
    assert!(
        of("i0")["advice"]["order_now"]
            .as_f64()
            .is_some_and(|units| units > 0.0 && units % 6.0 == 0.0)
    );
    assert_eq!(of("i1")["advice"]["order_now"], 0.0);
    assert!(of("i2")["advice"]["order_now"].is_null());
    is_a_page(&read(&at("d.html")));
    #[cfg(feature = "engine")]
    {
        propense(words(
            "demand --data {} --out {}",
            &[&at("orders.csv"), &at("d.parquet")],
        ))
        .code(0);
        assert!(
            std::fs::read(at("d.parquet"))
                .expect("file")
                .starts_with(b"PAR1")
        );
    }
}

#[test]
fn segment_writes_its_list_and_page() {
    let data = orders();
    let at = |name: &str| data.path().join(name);
    std::fs::write(
        at("contacts.csv"),
        "user_id,time\nu0,2021-06-18\nu0,2021-06-19\n",
    )
    .expect("contacts");
    let line = "segment --data {} --contacts {} --cap 2/30 --budget 0.5 --out {} --ads {} --report {} --json {}";
    let files = [
        "orders.csv",
        "contacts.csv",
        "s.csv",
        "ads.csv",
        "s.html",
        "s.json",
    ]
    .map(at);
    let files: Vec<&Path> = files.iter().map(std::path::PathBuf::as_path).collect();
    let ran = propense(words(line, &files))
        .code(0)
        .says("No treatment log");
    assert!(ran.stdout.contains("lift of the best"), "{}", ran.stdout);
    let table = read(&at("s.csv"));
    assert!(table.lines().count() > 10, "{table}");
    let decided = |word: &str| table.lines().filter(|line| line.contains(word)).count();
    assert_eq!(decided(",address,"), 5, "{table}");
    assert_eq!(read(&at("ads.csv")).lines().count(), 6);
    let json: serde_json::Value = serde_json::from_str(&read(&at("s.json"))).expect("JSON");
    assert_eq!(json["expected"]["contacts"], 5);
    assert!(json.get("customers").is_none(), "people are in --out alone");
    is_a_page(&read(&at("s.html")));
    // The scores of another model.
    std::fs::write(at("scores.csv"), "id,user,propensity\na,u1,0.99\n").expect("scores");
    let line = "segment --data {} --scores {} --out {} --holdout 0";
    propense(words(
        line,
        &[&at("orders.csv"), &at("scores.csv"), &at("t.csv")],
    ))
    .code(0);
    let row = read(&at("t.csv"))
        .lines()
        .find(|line| line.starts_with("u1,"))
        .map(str::to_owned);
    assert!(row.is_some_and(|row| row.contains(",0.99,")));
}

#[test]
fn a_bundle_scores_customers_and_is_measured_beside_habits() {
    let data = orders();
    let at = |name: &str| data.path().join(name);
    let train = "train --task thirty-day --data {} --out {} --epochs 1 --device cpu";
    propense(words(train, &[&at("orders.csv"), &at("m.propense")])).code(0);
    let line = "segment --data {} --model {} --device cpu --json {}";
    let files = ["orders.csv", "m.propense", "s.json"].map(at);
    let files: Vec<&Path> = files.iter().map(std::path::PathBuf::as_path).collect();
    propense(words(line, &files)).code(0).says("may flatter it");
    let json: serde_json::Value = serde_json::from_str(&read(&at("s.json"))).expect("JSON");
    let names: Vec<&str> = json["held_back"][0]["rankings"]
        .as_array()
        .expect("rankings")
        .iter()
        .filter_map(|ranking| ranking["name"].as_str())
        .collect();
    assert_eq!(
        names.get(..2),
        Some(&["propensity", "habits alone"][..]),
        "{names:?}"
    );
    assert!(
        ["bundle", "habits"]
            .map(Some)
            .contains(&json["source"].as_str())
    );
}

#[test]
fn wrong_use_and_files_that_do_not_suit_are_told_apart() {
    let data = orders();
    let orders = data.path().join("orders.csv");
    let bad = data.path().join("bad.csv");
    std::fs::write(&bad, "sku,amount\na,b\n").expect("file");
    for (line, code, says) in [
        (
            "demand --data {} --out a.xlsx",
            2,
            "should end in .csv or .parquet",
        ),
        (
            "demand --data {} --method oracle",
            2,
            "there are: auto, naive",
        ),
        ("demand --data {} --weeks 99", 2, "--weeks: 1 to 26"),
        (
            "demand --data {} --until soon",
            2,
            "--until: `soon` is no time",
        ),
        (
            "demand --data {} --until 1999-01-01",
            1,
            "whole weeks of orders",
        ),
        ("demand --data {} --stock {}", 1, "no column `on_hand`"),
        ("segment --data {} --cap 3", 2, "--contacts"),
        (
            "segment --data {} --margin 7",
            2,
            "--margin: between 0 and 1",
        ),
        (
            "segment --data {} --scores {}",
            1,
            "no column `customer_id`",
        ),
        ("segment --data {} --until 1999-01-01", 1, "no orders"),
        ("segment --data {} --until 2020-10-01", 1, "days of orders"),
    ] {
        propense(words(line, &[&orders, &bad]))
            .code(code)
            .says(says);
    }
}

/// The commands of docs/walk-through.md, each as it stands there.
#[test]
fn the_walk_through_can_be_walked() {
    let text = include_str!("../../../../docs/walk-through.md");
    let commands: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("    propense "))
        .collect();
    assert!(commands.len() >= 3, "{commands:?}");
    for command in &commands {
        let name = command.split_whitespace().next().expect("a command");
        propense([name, "--help"]).code(0);
    }
    let Some(retail) = development_data("online_retail") else {
        return;
    };
    let folder = tempfile::tempdir().expect("scratch folder");
    std::fs::copy(
        retail.join("online_retail.csv.gz"),
        folder.path().join("online_retail.csv.gz"),
    )
    .expect("copied");
    std::fs::write(
        folder.path().join("stock.csv"),
        "item_id,on_hand,pack\n85123A,200,12\n",
    )
    .expect("stock");
    for command in commands {
        let ran = super::ran(
            super::command(command.split_whitespace())
                .current_dir(folder.path())
                .output(),
        );
        ran.code(0);
    }
    for file in [
        "mailing.csv",
        "mailing.html",
        "purchase-order.csv",
        "demand.html",
        "home-page.csv",
        "picks.html",
    ] {
        assert!(folder.path().join(file).is_file(), "{file}");
    }
}
