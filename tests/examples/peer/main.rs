//! Propense, and the same network in Burn's own modules, timed beside other runtimes by
//! `cargo xtask bench`: `peer propense|burn FOLDER`. Standard input names one case a line, standard
//! output answers with one JSON object a line (`benches/peers/README.md`).

mod plain;
mod propense;

use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

/// Numbers in an event's row, events of a session, sessions of a batch in training.
const FEATURES: usize = 16;
const EVENTS: usize = 32;
const BATCH: usize = 64;

/// What is scored and learnt from, as `benches/peers/prepare.py` has written it.
struct Inputs {
    folder: PathBuf,
    /// `[sessions, EVENTS, FEATURES]`.
    rows: Vec<f32>,
    /// The same with two rows of zeros before each session.
    padded: Vec<f32>,
    /// The outcome of each session.
    labels: Vec<bool>,
}

impl Inputs {
    fn read(folder: &Path) -> Result<Self> {
        Ok(Self {
            folder: folder.to_owned(),
            rows: numbers(&folder.join("sessions.bin"))?,
            padded: numbers(&folder.join("padded.bin"))?,
            labels: numbers(&folder.join("labels.bin"))?
                .into_iter()
                .map(|label| label > 0.5)
                .collect(),
        })
    }

    fn sessions(&self) -> usize {
        self.labels.len()
    }

    /// The bundle of the network that all share.
    fn bundle(&self) -> Result<Vec<u8>> {
        let path = self.folder.join("network.propense");
        std::fs::read(&path).with_context(|| path.display().to_string())
    }
}

fn numbers(path: &Path) -> Result<Vec<f32>> {
    let bytes = std::fs::read(path).with_context(|| path.display().to_string())?;
    let (numbers, _) = bytes.as_chunks::<4>();
    Ok(numbers
        .iter()
        .map(|four| f32::from_le_bytes(*four))
        .collect())
}

/// One implementation.
trait Peer {
    /// Name, version, threads, and the cases that it can do.
    fn about(&self) -> Value;
    /// The logit of each session.
    fn logits(&mut self) -> Result<Vec<f32>>;
    /// The logit of the first session by the way that the case `one` times.
    fn one(&mut self) -> Result<f32>;
    /// Does a case once or several times: microseconds for each, or for training sessions a second.
    fn time(&mut self, case: &str) -> Result<Vec<f64>>;
}

/// Microseconds of each of several repetitions, divided by the parts of one.
fn microseconds(
    repeats: usize,
    parts: usize,
    mut work: impl FnMut() -> Result<()>,
) -> Result<Vec<f64>> {
    (0..repeats)
        .map(|_| {
            let start = Instant::now();
            work()?;
            Ok(start.elapsed().as_secs_f64() * 1e6 / parts as f64)
        })
        .collect()
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [which, folder] = &arguments[..] else {
        bail!("two arguments are needed: propense or burn, and the folder of the inputs");
    };
    let inputs = Inputs::read(Path::new(folder))?;
    let start = Instant::now();
    let mut peer: Box<dyn Peer> = match which.as_str() {
        "propense" => Box::new(propense::Propense::new(&inputs)?),
        "burn" => Box::new(plain::Plain::new(&inputs)?),
        other => bail!("no implementation `{other}`: propense or burn"),
    };
    let one = peer.one()?;
    let first = start.elapsed().as_secs_f64() * 1e6;
    let mut hello = peer.about();
    hello["first"] = json!(first);
    hello["one"] = json!(one);
    hello["logits"] = json!(peer.logits()?);
    let mut out = std::io::stdout().lock();
    writeln!(out, "{hello}")?;
    out.flush()?;
    for line in std::io::stdin().lock().lines() {
        let times = peer.time(line?.trim())?;
        writeln!(out, "{}", json!({ "times": times }))?;
        out.flush()?;
    }
    Ok(())
}
