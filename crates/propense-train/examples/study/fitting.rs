//! A part of the data, and a shop's bundle of it.

use std::time::Instant;

use propense_events::Event;
use propense_model::{Bundle, CellActivation, Precision};
use propense_train::{
    Deciding, DeviceChoice, ExampleOptions, FitRequest, Loaded, NetworkSizes, Observer, Preset,
    Progress, Task, TrainError, TrainOptions, fit_bundle,
};

/// Examples gone through in training, and seconds.
#[derive(Clone, Copy, Default)]
pub(crate) struct Cost(pub(crate) usize, pub(crate) f64);

pub(crate) fn part(data: &Loaded, from: i64, to: i64) -> Loaded {
    let within = |event: &&Event| (from..to).contains(&event.timestamp);
    Loaded {
        events: data.events.iter().filter(within).cloned().collect(),
        files: Vec::new(),
        sessions: Vec::new(),
        sha256: format!("{}, from {from} to {to}", data.sha256),
        ..data.clone()
    }
}

/// Counts the examples gone through.
#[derive(Default)]
struct Steps {
    examples: usize,
    steps: usize,
}

impl Observer for Steps {
    fn on(&mut self, progress: &Progress<'_>) {
        match progress {
            Progress::Start { examples, .. } => self.examples = *examples,
            Progress::Epoch { .. } => self.steps += self.examples,
            _ => {}
        }
    }
}

/// A shop's bundle.
pub(crate) fn fit(task: Task, data: &Loaded, seed: u64) -> Result<(Bundle, Cost), TrainError> {
    let (clock, mut steps) = (Instant::now(), Steps::default());
    let request = FitRequest {
        task,
        preset: Preset::Seed,
        training: TrainOptions {
            seed,
            ..TrainOptions::default()
        },
        examples: ExampleOptions {
            seed,
            ..ExampleOptions::default()
        },
        activation: CellActivation::Tanh,
        sizes: NetworkSizes::default(),
        precision: Precision::F32,
        deciding: Deciding::default(),
        device: DeviceChoice::Cpu.open()?,
        name: "study".to_owned(),
        licence: String::new(),
        created_at: String::new(),
    };
    let fitted = fit_bundle(data, &request, &mut steps)?;
    let cost = Cost(steps.steps, clock.elapsed().as_secs_f64());
    Ok((fitted.bundle, cost))
}
