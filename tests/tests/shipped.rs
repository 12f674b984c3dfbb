//! The model in `models/`: it loads, gives its golden logits, and its card tells its figures.

use propense_model::{Batch, Bundle, cpu_device};
use propense_tests::difference;

fn read(path: &str) -> Vec<u8> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .join(path);
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
