//! The model in `models/`: it loads, gives its golden logits, and its card tells its figures, which
//! are measured here again from the data in the repository.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use propense_events::{Session, sessionise};
use propense_features::featurise;
use propense_model::{Batch, Bundle, CpuStream, cpu_device};
use propense_tests::difference;
use propense_train::{LoadOptions, load};
use sha2::{Digest, Sha256};

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

fn read(path: &str) -> Vec<u8> {
    let path = repository(path);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn shipped() -> Bundle {
    Bundle::from_bytes(&read("models/giftshop.propense")).expect("the shipped bundle loads")
}

#[test]
fn the_shipped_bundle_gives_its_golden_logits() {
    let bundle = shipped();
    let golden = bundle.manifest.golden.clone().expect("a golden session");
    let rows = golden.rows.concat();
    let width = bundle.manifest.model.features;
    let model = bundle
        .model(&cpu_device())
        .expect("the weights fit the network");

    let found: Vec<f32> = (1..=golden.rows.len())
        .map(|events| {
            let mut batch = Batch::new(model.config());
            batch.push(&rows[..events * width], &golden.context);
            model.score(&batch).expect("scores")[0]
        })
        .collect();
    assert!(difference(&found, &golden.logits) <= 1e-4);

    let fast = bundle.cpu_model().expect("the weights fit the network");
    let last = golden.logits.last().copied().expect("an event");
    assert!((fast.score(&rows, &golden.context) - last).abs() <= 1e-4);
}

#[test]
fn the_model_card_tells_the_bundle_s_own_figures() {
    let manifest = shipped().manifest;
    let card = String::from_utf8(read("models/README.md")).expect("text");
    assert!(
        card.contains(&manifest.created_at),
        "{}",
        manifest.created_at
    );
    assert!(
        card.contains(&manifest.data.sha256),
        "{}",
        manifest.data.sha256
    );
    let parts = manifest.metrics["parts"]
        .as_array()
        .expect("metrics by part");
    assert_eq!(parts.len(), 6, "three parts, two positions");
    for part in parts {
        let cells: Vec<String> = [
            "base_rate",
            "auc",
            "pr_auc",
            "f1",
            "log_loss",
            "base_rate_log_loss",
            "ece",
        ]
        .iter()
        .map(|key| format!("{:.4}", part["metrics"][key].as_f64().expect("a number")))
        .collect();
        let row = cells.join(" | ");
        assert!(
            card.contains(&row),
            "the card lacks `{row}` for {}",
            part["part"]
        );
    }
}

/// The file that the card names.
const DATA: &str = "data/giftshop/events.csv.gz";

#[test]
fn the_shipped_bundle_was_trained_on_the_data_in_the_repository() {
    let sum: String = Sha256::digest(read(DATA))
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(sum, shipped().manifest.data.sha256);
}

/// The last sessions of the data, as the card describes the test part: what is left by time after
/// 85 % of all. Each visitor of these data has one session, so no user is on both sides.
fn test_part() -> Vec<Session> {
    let data = load(&[repository(DATA)], &LoadOptions::default()).expect("the data reads");
    let (mut sessions, _) = sessionise(data.events, 30 * 60 * 1000);
    sessions.retain(|session| !session.before_purchase().is_empty());
    sessions.sort_by_key(|session| session.start);
    let users: std::collections::BTreeSet<_> = sessions.iter().map(|s| s.user.clone()).collect();
    assert_eq!(users.len(), sessions.len());
    let first = (sessions.len() as f64 * 0.85).round() as usize;
    sessions.split_off(first)
}

/// The chance that an order scores above a non-order, ties half: by counting pairs.
fn auc(scores: &[(f64, bool)]) -> f64 {
    let of = |wanted: bool| -> Vec<f64> {
        let chosen = scores.iter().filter(|(_, label)| *label == wanted);
        chosen.map(|(score, _)| *score).collect()
    };
    let (orders, mut others) = (of(true), of(false));
    others.sort_by(f64::total_cmp);
    let wins: f64 = orders
        .iter()
        .map(|order| {
            let below = others.partition_point(|other| other < order);
            let upto = others.partition_point(|other| other <= order);
            (below + upto) as f64 / 2.0
        })
        .sum();
    wins / (orders.len() * others.len()) as f64
}

fn log_loss(scores: &[(f64, bool)]) -> f64 {
    let loss = |(p, label): &(f64, bool)| -(if *label { *p } else { 1.0 - p }).ln();
    scores.iter().map(loss).sum::<f64>() / scores.len() as f64
}

#[test]
fn the_card_s_figures_of_the_test_part_are_those_of_data_and_bundle() {
    let bundle = shipped();
    let spec = Arc::new(bundle.manifest.features.clone());
    let model = bundle.cpu_model().expect("the weights fit the network");
    let (mut early, mut late) = (Vec::new(), Vec::new());
    for session in test_part() {
        let (rows, context) = featurise(&spec, &session, session.before_purchase());
        let mut stream = CpuStream::new(Arc::clone(&model));
        let score = |stream: &CpuStream| {
            let probability = bundle.manifest.probability(stream.logit(&context));
            (f64::from(probability), session.converted())
        };
        for (row, events) in rows.chunks_exact(spec.row_len()).zip(1..) {
            stream.push(row);
            if [2, 3, 5, 10].contains(&events) {
                early.push(score(&stream));
            }
        }
        late.push(score(&stream));
    }
    let card = String::from_utf8(read("models/README.md")).expect("text");
    for (position, scores) in [
        ("after 2, 3, 5 and 10 events", early),
        ("at the last event before the cut", late),
    ] {
        let start = format!("| test | {position} | ");
        let row = card.lines().find_map(|line| line.strip_prefix(&start));
        let cells: Vec<f64> = row
            .expect("the card has the row")
            .split('|')
            .filter_map(|cell| cell.trim().parse().ok())
            .collect();
        let [n, base_rate, card_auc, .., card_loss, _, _] = cells[..] else {
            panic!("{start}{cells:?}");
        };
        assert_eq!(scores.len() as f64, n, "{position}");
        let orders = scores.iter().filter(|(_, label)| *label).count() as f64;
        assert!((orders / n - base_rate).abs() < 1e-4, "{position}");
        let (auc, loss) = (auc(&scores), log_loss(&scores));
        assert!((auc - card_auc).abs() < 1e-3, "{position}: {auc}");
        assert!((loss - card_loss).abs() < 1e-3, "{position}: {loss}");
    }
}
