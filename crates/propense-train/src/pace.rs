//! How fast training runs, for benchmarks: the real training loop over sessions that are numbers
//! already.

use propense_model::ModelConfig;

use crate::TrainError;
use crate::checkpoint::RunKey;
use crate::device::DeviceChoice;
use crate::example::{Example, Label, Positions, Weighting};
use crate::options::TrainOptions;
use crate::progress::Silent;
use crate::trainer::{self, Parts};

/// Sessions learnt from per second, on the CPU, in the last of the epochs that `options` asks for.
/// A session is rows of `config.features` numbers with one outcome, and is scored once, as a whole.
/// The weights learnt are thrown away.
///
/// # Errors
///
/// Where an option is out of range, or training fails.
pub fn training_pace(
    config: &ModelConfig,
    sessions: &[Vec<f32>],
    labels: &[bool],
    options: &TrainOptions,
) -> Result<f64, TrainError> {
    let examples: Vec<Example> = sessions
        .iter()
        .zip(labels)
        .map(|(rows, &label)| Example {
            id: String::new(),
            user: None,
            start: 0,
            events: rows.len() / config.features.max(1),
            rows: rows.clone(),
            context: Vec::new(),
            label: Label::Whole(label),
        })
        .collect();
    // Validation is not part of the figure.
    let validation = &examples[..examples.len().min(2)];
    let parts = Parts {
        train: &examples,
        validation,
        weighting: Weighting::Whole,
        positions: Positions::Last,
    };
    // Of use where there is a checkpoint only.
    let key = RunKey {
        data: String::new(),
        task: String::new(),
        seed: options.seed,
        batch: options.batch,
        learning_rate: options.learning_rate,
        clip: options.clip,
        max_events: 0,
        reading: String::new(),
        network: String::new(),
    };
    let chosen = DeviceChoice::Cpu.open()?;
    let trained = trainer::train(config, parts, options, &key, &chosen, &mut Silent)?;
    Ok(trained.samples_per_second)
}
