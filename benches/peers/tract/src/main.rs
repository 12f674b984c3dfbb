//! tract, timed as `benches/peers/README.md` says: `propense-peer-tract FOLDER`, then one case a
//! line on standard input, one JSON object a line on standard output.

use std::io::{BufRead, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use serde_json::json;
use tract_onnx::prelude::*;

/// Rows and columns of a session as the peers get it: two rows of zeros, then 32 events.
const ROWS: usize = 34;
const FEATURES: usize = 16;

type Model = Arc<TypedRunnableModel>;

/// The network for batches of this many sessions.
fn model(folder: &Path, sessions: usize) -> TractResult<Model> {
    tract_onnx::onnx()
        .model_for_path(folder.join("network.onnx"))?
        .with_input_fact(0, f32::fact([sessions, 1, ROWS, FEATURES]).into())?
        .into_optimized()?
        .into_runnable()
}

fn input(numbers: &[f32], sessions: usize) -> TractResult<Tensor> {
    let numbers = &numbers[..sessions * ROWS * FEATURES];
    Tensor::from_shape(&[sessions, 1, ROWS, FEATURES], numbers)
}

fn score(model: &Model, input: &Tensor) -> TractResult<Vec<f32>> {
    let output = model.run(tvec!(input.clone().into()))?;
    Ok(output[0].to_plain_array_view::<f32>()?.iter().copied().collect())
}

fn main() -> TractResult<()> {
    let folder = std::env::args().nth(1).expect("the folder of the network");
    let folder = Path::new(&folder);
    let bytes = std::fs::read(folder.join("padded.bin"))?;
    let numbers: Vec<f32> = bytes
        .chunks_exact(4)
        .map(|number| f32::from_le_bytes([number[0], number[1], number[2], number[3]]))
        .collect();
    let sessions = numbers.len() / (ROWS * FEATURES);

    let begun = Instant::now();
    let one = model(folder, 1)?;
    let single = input(&numbers, 1)?;
    score(&one, &single)?;
    let first = begun.elapsed().as_secs_f64() * 1e6;
    let many = model(folder, sessions)?;
    let all = input(&numbers, sessions)?;
    let hello = json!({
        "name": "tract", "version": "0.23.9", "threads": 1, "first": first,
        "logits": score(&many, &all)?, "one": score(&one, &single)?[0],
        "cases": ["one", "many"],
    });
    let mut out = std::io::stdout().lock();
    writeln!(out, "{hello}")?;
    out.flush()?;
    for line in std::io::stdin().lock().lines() {
        let (model, input, repeats) = match line?.as_str() {
            "one" => (&one, &single, 20),
            _ => (&many, &all, 2),
        };
        let mut times = Vec::new();
        for _ in 0..repeats {
            let start = Instant::now();
            score(model, input)?;
            times.push(start.elapsed().as_secs_f64() * 1e6);
        }
        writeln!(out, "{}", json!({ "times": times }))?;
        out.flush()?;
    }
    Ok(())
}
