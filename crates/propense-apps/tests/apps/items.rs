//! The item table of the gift shop, and what it says of real visits: the page's tests find the same in a
//! browser (`web/tests/items.test.mjs`). `PROPENSE_GOLDEN=write` writes both files anew.

use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use propense_apps::recommend::{
    ItemFacts, ItemTable, Items, Log, RawVisit, Shop, Source, TableTrial, distinct, visits,
};
use propense_events::{Event, Format, read};

/// Visits that are asked for candidates, one in so many.
const ONE_IN: usize = 200;
const CANDIDATES: usize = 24;

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
}

/// What the table says of some visits, as JSON: of their items, the one clicked last is in the cart.
fn said(table: &ItemTable, log: &Log, items: &Items) -> String {
    let mut lines = Vec::new();
    for visit in log.visits.iter().step_by(ONE_IN) {
        let seen: Vec<&str> = distinct(visit)
            .iter()
            .filter_map(|seen| items.id(seen.item))
            .collect();
        let Some(cart) = seen.last() else { continue };
        let best = table.candidates(seen.iter().copied(), [*cart], CANDIDATES);
        let best: Vec<String> = best
            .iter()
            .map(|(item, score)| format!("[\"{}\",{score:e}]", table.id(*item).unwrap_or("?")))
            .collect();
        lines.push(format!(
            "{{\"seen\":{seen:?},\"cart\":\"{cart}\",\"best\":[{}]}}",
            best.join(",")
        ));
    }
    format!("[\n{}\n]\n", lines.join(",\n"))
}

fn events(path: &Path, format: Format) -> Vec<Event> {
    let data = std::fs::File::open(path).expect("the data");
    let table = read(MultiGzDecoder::new(data), Some(format), None);
    table.expect("events").events
}

fn visits_of(events: &[Event]) -> Vec<RawVisit> {
    visits(events.to_vec(), Source::of(events), 30 * 60 * 1000)
}

/// What the table is worth on the latest visits: more than popularity.
fn ahead_of_popularity(visits: &[RawVisit], repeats: bool) -> TableTrial {
    let trial = TableTrial::run(visits, repeats, 10, 1);
    let (own, popular) = (trial.figures.ndcg, trial.popularity.ndcg);
    println!(
        "NDCG@10 {own:.4}, popularity {popular:.4}: {:?}",
        trial.recipe
    );
    assert!(own > popular, "{trial:?}");
    trial
}

#[test]
fn the_table_is_ahead_of_popularity_and_far_where_visits_tell_more() {
    for (name, file, format, repeats, at_least) in [
        ("yoochoose", "clicks.tsv.gz", Format::Yoochoose, true, 0.35),
        ("yoochoose", "clicks.tsv.gz", Format::Yoochoose, false, 0.2),
        (
            "online_retail",
            "online_retail.csv.gz",
            Format::OnlineRetail,
            false,
            0.2,
        ),
    ] {
        let path = repository("../shared/data").join(name).join(file);
        if !path.is_file() {
            println!("skipped: the data set {name} is not at {}", path.display());
            continue;
        }
        let trial = ahead_of_popularity(&visits_of(&events(&path, format)), repeats);
        assert!(trial.figures.ndcg > at_least, "{name}: {trial:?}");
    }
}

#[test]
fn the_gift_shop_s_item_table() {
    let events = events(&repository("data/giftshop/events.csv.gz"), Format::Events);
    let known = Default::default();
    let raw = visits_of(&events);
    ahead_of_popularity(&raw, false);
    let trial = ahead_of_popularity(&raw, true);
    let log = Log::new(&raw);
    let shop = Shop::new(&log.items, &events, &known);
    let facts: Vec<(&str, &ItemFacts)> = shop.known().collect();
    let table = ItemTable::learn(&log, facts, &trial.recipe);
    let bytes = table.to_bytes().expect("writable");
    let read = ItemTable::from_bytes(&bytes).expect("readable");
    let said = said(&read, &log, &log.items);
    let files =
        ["giftshop.items", "giftshop-items.json"].map(|name| repository("tests/golden").join(name));
    if std::env::var_os("PROPENSE_GOLDEN").is_some() {
        std::fs::write(&files[0], &bytes).expect("written");
        std::fs::write(&files[1], &said).expect("written");
    }
    assert!(
        std::fs::read(&files[0]).expect("the table") == bytes,
        "another table"
    );
    assert_eq!(
        std::fs::read_to_string(&files[1]).expect("the answers"),
        said
    );
}
