//! Models in use: `update` and `drift`.

use std::fs;
use std::path::Path;

use super::{propense, shop, shop_events, words};

fn train(data: &Path, out: &Path, run: &Path) {
    let line = "train --task in-session --data {} --out {} --epochs 2 --batch 32 --device cpu --checkpoint {} --created-at 2026-01-02T03:04:05Z";
    propense(words(line, &[data, out, run])).code(0);
}

/// What came of it, and what was said.
fn update(live: &Path, data: &Path, versions: &Path, rest: &str) -> (serde_json::Value, String) {
    let line = format!(
        "update --model {{}} --data {{}} --out {{}} --epochs 2 --batch 16 --device cpu --created-at 2026-01-03T00:00:00Z --json - {rest}"
    );
    let ran = propense(words(&line, &[live, data, versions])).code(0);
    let json = serde_json::from_str(&ran.stdout).expect("JSON");
    (json, ran.stderr)
}

#[test]
fn a_folder_of_arriving_files_is_learnt_once_and_every_candidate_is_kept() {
    let old = shop(400);
    let out = tempfile::tempdir().expect("scratch folder");
    let at = |name: &str| out.path().join(name);
    let (live, versions) = (at("live.propense"), at("versions"));
    train(old.path(), &live, &at("run"));
    let before = fs::read(&live).expect("the bundle");

    let update = |data: &Path, rest: &str| update(&live, data, &versions, rest);
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
fn what_was_found_before_is_carried_out_and_not_twice() {
    let data = shop(700);
    let old = shop(400);
    let out = tempfile::tempdir().expect("scratch folder");
    let at = |name: &str| out.path().join(name);
    let (live, versions) = (at("live.propense"), at("versions"));
    train(old.path(), &live, &at("run"));
    let before = fs::read(&live).expect("the bundle");
    let update = |rest: &str| update(&live, data.path(), &versions, rest);
    let (json, _) = update("--keep-live");
    assert_eq!(fs::read(&live).expect("the bundle"), before);
    let candidate = json["candidate"].as_str().expect("a candidate").to_owned();
    let candidate = fs::read(versions.join(candidate)).expect("the candidate");
    // Whatever the judgement was, say that it was better: this is about what follows from it.
    let record = fs::read_dir(&versions)
        .expect("versions")
        .map(|file| file.expect("a file").path())
        .find(|file| file.extension().is_some_and(|ending| ending == "json"))
        .expect("a record");
    let mut told = json;
    told["outcome"] = "better".into();
    fs::write(&record, told.to_string()).expect("written");

    let (json, _) = update("--keep-live");
    assert_eq!(json["outcome"], "better");
    assert_eq!(fs::read(&live).expect("the bundle"), before);
    let (json, said) = update("");
    assert_eq!(json["outcome"], "replaced", "{said}");
    assert_eq!(fs::read(&live).expect("the bundle"), candidate);

    // Taken back by hand: the same data do not put it there once more.
    fs::write(&live, &before).expect("written");
    let (json, said) = update("");
    assert_eq!(json["outcome"], "kept", "{said}");
    assert!(json["reasons"].to_string().contains("taken back"), "{json}");
    assert!(said.contains("stays as it is"), "{said}");
    assert_eq!(fs::read(&live).expect("the bundle"), before);
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

#[test]
fn drift_is_shown_sent_kept_and_told_in_the_exit_status() {
    let old = shop(400);
    let out = tempfile::tempdir().expect("scratch folder");
    let at = |name: &str| out.path().join(name);
    let live = at("live.propense");
    train(old.path(), &live, &at("run"));
    // The same visits with prices in pence.
    let dear: String = shop_events(400)
        .lines()
        .map(|line| {
            let mut cells: Vec<String> = line.split(',').map(str::to_owned).collect();
            if let Some(price) = cells.get_mut(7).filter(|price| price.ends_with(".5")) {
                *price = format!("{}00", price.trim_end_matches(".5"));
            }
            cells.join(",") + "\n"
        })
        .collect();
    fs::write(at("new.csv"), dear).expect("events");

    // What the webhook got: a server of one request.
    let server = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}/alerts", server.local_addr().expect("an address"));
    let received = std::thread::spawn(move || {
        let (mut stream, _) = server.accept().expect("a request");
        let mut bytes = Vec::new();
        let mut part = [0; 4096];
        while !String::from_utf8_lossy(&bytes).contains("\"alerts\":[") {
            match std::io::Read::read(&mut stream, &mut part) {
                Ok(0) | Err(_) => break,
                Ok(count) => bytes.extend_from_slice(&part[..count]),
            }
        }
        let answer = b"HTTP/1.1 204 No Content\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        std::io::Write::write_all(&mut stream, answer).expect("an answer");
        String::from_utf8_lossy(&bytes).into_owned()
    });

    let run = |data: &Path, rest: &str, code: i32| {
        let line = format!(
            "drift --model {{}} --data {{}} --reference {{}} --history {{}} --report {{}} {rest}"
        );
        let paths = [&live, data, old.path(), &at("h.jsonl"), &at("d.html")];
        propense(words(&line, &paths)).code(code)
    };
    run(old.path(), "", 0);
    let said = run(
        &at("new.csv"),
        &format!("--fail-on-alert --webhook {address}"),
        1,
    );
    assert!(
        said.stderr.contains("alert: feature: price"),
        "{}",
        said.stderr
    );
    let request = received.join().expect("the server");
    assert!(request.starts_with("POST /alerts"), "{request}");
    assert!(request.contains("price"), "{request}");
    let history = fs::read_to_string(at("h.jsonl")).expect("the history");
    assert_eq!(history.lines().count(), 2);
    let page = fs::read_to_string(at("d.html")).expect("the page");
    assert!(page.contains("Runs before") && page.contains("<svg") && !page.contains("NaN"));

    let cut = history.len() - 9;
    fs::write(at("h.jsonl"), &history[..cut]).expect("a history that was cut off");
    run(old.path(), "", 0).says("h.jsonl, line 2: cut off, left out");
    let again = fs::read_to_string(at("h.jsonl")).expect("the history");
    assert_eq!(again.lines().count(), 2);
    fs::write(at("h.jsonl"), "{}\n").expect("a damaged history");
    run(old.path(), "", 1).says("line 1");
    let unreachable = "--webhook http://127.0.0.1:9/";
    let again = format!("drift --model {{}} --data {{}} --reference {{}} {unreachable}");
    let paths = [live.as_path(), &at("new.csv"), old.path()];
    propense(words(&again, &paths)).code(1).says("--webhook");
}

/// The shoppers of the repository: those of spring, and the rest.
fn shoppers(folder: &Path) -> [std::path::PathBuf; 2] {
    let packed = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../data/online_shoppers/online_shoppers_intention.csv.gz");
    let packed = fs::File::open(packed).expect("the data is in the repository");
    let text = std::io::read_to_string(flate2::read::GzDecoder::new(packed)).expect("text");
    let (head, rows) = text.split_once('\n').expect("a head");
    [true, false].map(|spring| {
        let is_spring = |row: &&str| [",Mar,", ",May,", ",June,"].iter().any(|m| row.contains(m));
        let own = rows.lines().filter(|row| is_spring(row) == spring);
        let path = folder.join(if spring { "spring.csv" } else { "rest.csv" });
        let text: Vec<&str> = std::iter::once(head).chain(own).collect();
        fs::write(&path, text.join("\n")).expect("file");
        path
    })
}

#[test]
fn summaries_have_no_times_and_the_calendar_raises_no_alert() {
    let folder = tempfile::tempdir().expect("scratch folder");
    let at = |name: &str| folder.path().join(name);
    let [spring, rest] = shoppers(folder.path());
    let train = "train --task shoppers --epochs 1 --device cpu --data {} --out {}";
    propense(words(train, &[&spring, &at("m.propense")])).code(0);
    let line = "drift --model {} --data {} --reference {} --recalibrate {} --history {} --report {} --json {}";
    let files = [
        at("m.propense"),
        rest,
        spring,
        at("again.propense"),
        at("h.jsonl"),
        at("d.html"),
        at("d.json"),
    ];
    let ran = propense(words(
        line,
        &files.each_ref().map(std::path::PathBuf::as_path),
    ))
    .code(0)
    .says("the sessions have no times");
    let page = fs::read_to_string(at("d.html")).expect("the page");
    for text in [&ran.stdout, &ran.stderr, &page] {
        assert!(!text.contains("1970"), "{text}");
    }
    assert!(!at("again.propense").exists());
    let json = fs::read_to_string(at("d.json")).expect("figures");
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert!(json["recalibration"].is_null(), "{json}");
    let mut months = 0;
    for column in json["columns"].as_array().expect("columns") {
        let name = column["name"].as_str().expect("a name");
        if ["Month", "Weekend", "SpecialDay"]
            .iter()
            .any(|key| name.starts_with(key))
        {
            months += usize::from(name.starts_with("Month") && column["psi"].as_f64() > Some(0.25));
            assert_eq!(column["watched"], false, "{name}");
            assert_eq!(column["alert"], false, "{name}");
        }
    }
    assert!(months > 0, "that they moved is shown: {json}");
}
