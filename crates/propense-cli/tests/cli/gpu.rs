//! Training through wgpu, on whatever adapter there is: software Vulkan in most test machines.
//! With `PROPENSE_REQUIRE_GPU=1` a machine without any adapter fails instead of being passed over.

use std::path::Path;

use super::{propense, words};

/// Every sixteenth session of the default data: small enough for a software adapter.
fn some_of_the_default_data(folder: &Path) -> std::path::PathBuf {
    let packed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/giftshop/events.csv.gz");
    let packed = std::fs::File::open(packed).expect("the default data is in the repository");
    let mut rows = csv::Reader::from_reader(flate2::read::GzDecoder::new(packed));
    let header = rows.headers().expect("a header").clone();
    let session = header
        .iter()
        .position(|name| name == "session_id")
        .expect("sessions");
    let path = folder.join("events.csv");
    let mut out = csv::Writer::from_path(&path).expect("file");
    out.write_record(&header).expect("header");
    for row in rows.records() {
        let row = row.expect("a row");
        let number: usize = row[session]
            .trim_start_matches('s')
            .parse()
            .expect("a number");
        if number.is_multiple_of(16) {
            out.write_record(&row).expect("row");
        }
    }
    out.flush().expect("written");
    path
}

#[test]
fn training_on_the_default_data_through_wgpu_beats_the_base_rate_and_follows_the_cpu() {
    let folder = tempfile::tempdir().expect("scratch folder");
    let data = some_of_the_default_data(folder.path());
    let train = |device: &str, arithmetic: &str| {
        let json = folder.path().join(format!("{device}.json"));
        let line = format!(
            "train --task in-session --data {{}} --out {{}} --json {{}} --device {device} --arithmetic {arithmetic} --epochs 1 --max-events 40 --batch 32 --learning-rate 0.003"
        );
        let out = folder.path().join(format!("{device}.propense"));
        let ran = propense(words(&line, &[&data, &out, &json]));
        if device == "wgpu" && ran.stderr.contains("no usable GPU") {
            assert!(
                std::env::var_os("PROPENSE_REQUIRE_GPU").is_none_or(|value| value != "1"),
                "PROPENSE_REQUIRE_GPU=1, but: {}",
                ran.stderr
            );
            println!("skipped: there is no adapter, not even a software one");
            return None;
        }
        if arithmetic == "mixed" && ran.stderr.contains("16-bit floats") {
            ran.code(1).says("--arithmetic f32");
            println!("skipped: {device} has no 16-bit floats");
            return None;
        }
        ran.code(0).says(&format!("device: {device}"));
        let json = std::fs::read(&json).expect("figures");
        Some(serde_json::from_slice::<serde_json::Value>(&json).expect("JSON"))
    };
    let Some(gpu) = train("wgpu", "f32") else {
        return;
    };
    let cpu = train("cpu", "f32").expect("the CPU is always there");
    assert!(train("cpu", "mixed").is_none(), "the CPU has f32 alone");
    for part in ["validation", "test"] {
        let metrics = gpu["metrics"]
            .as_array()
            .expect("metrics")
            .iter()
            .find(|entry| {
                entry["part"] == part
                    && entry["position"].as_str() == Some("at the last event before the cut")
            })
            .map(|entry| entry["metrics"].clone())
            .expect("measured");
        let number = |key: &str| metrics[key].as_f64().expect("a number");
        assert!(
            number("log_loss") < number("base_rate_log_loss"),
            "{part}: {metrics}"
        );
        assert!(number("auc") > 0.65, "{part}: {metrics}");
    }
    let close = |other: &serde_json::Value| {
        for key in ["train_loss", "validation_loss", "validation_auc"] {
            let of = |json: &serde_json::Value| json["history"][0][key].as_f64().expect("a number");
            let (gpu, other) = (of(&gpu), of(other));
            assert!((gpu - other).abs() < 5e-3, "{key}: {gpu} and {other}");
        }
    };
    close(&cpu);
    if let Some(mixed) = train("wgpu", "mixed") {
        assert_eq!(mixed["device"], "wgpu, mixed arithmetic");
        close(&mixed);
    }
}
