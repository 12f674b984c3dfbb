//! Training beforehand: the further heads alone, on every event of the examples.

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use propense_model::NamedTensor;

use super::HeadedConfig;
use crate::TrainError;
use crate::adam::{Adam, numbers};
use crate::batch::{collate, shuffled};
use crate::device::Chosen;
use crate::example::{Example, Weighting};
use crate::network::{Blueprint, Network};
use crate::options::TrainOptions;
use crate::progress::{Observer, Progress};

/// Passes over the examples.
const EPOCHS: usize = 10;

/// The weights after training the heads, and what lies before them, on what comes after each event of
/// these examples. Nothing is read of an order. None where the observer stopped it.
pub(crate) fn beforehand<B: Blueprint>(
    config: &HeadedConfig<B>,
    weights: &[NamedTensor],
    examples: &[Example],
    options: &TrainOptions,
    chosen: &Chosen,
    observer: &mut dyn Observer,
) -> Result<Option<Vec<NamedTensor>>, TrainError> {
    let device = chosen.device.clone().autodiff();
    let mut network = config.build(weights, &device)?;
    let mut adam = Adam::new(options.learning_rate, options.clip);
    for epoch in 1..=EPOCHS.min(options.epochs) {
        let batches = shuffled(examples, options.batch, options.seed, epoch);
        // Read once an epoch: a step waits for no device.
        let mut sum: Option<Tensor<1>> = None;
        for indices in &batches {
            if observer.stop() {
                return Ok(None);
            }
            let weighting = Weighting::EveryPrefix;
            let batch = collate(examples, indices, config.features, weighting, &device);
            let Some(loss) = network.missed(batch.rows, batch.context) else {
                continue;
            };
            let kept = loss.clone().inner();
            sum = Some(match sum.take() {
                Some(others) => others + kept,
                None => kept,
            });
            let gradients = GradientsParams::from_grads(loss.backward(), &network);
            network = adam.step(network, gradients);
        }
        let sum = sum.map(numbers).transpose()?.unwrap_or_default();
        let loss = sum.into_iter().sum::<f32>() / batches.len().max(1) as f32;
        if !loss.is_finite() {
            return Err(TrainError::Diverged { epoch });
        }
        let note = format!("beforehand, epoch {epoch}: loss {loss:.4} of what comes next");
        observer.on(&Progress::Note(&note));
    }
    Ok(Some(network.valid().numbers()?))
}

#[cfg(test)]
mod tests {
    use propense_model::ModelConfig;

    use super::*;
    use crate::device::DeviceChoice;
    use crate::example::Label;
    use crate::objectives::{Aim, Columns, HeadSizes};

    /// Tells the losses that are told.
    #[derive(Default)]
    struct Losses(Vec<f32>);

    impl Observer for Losses {
        fn on(&mut self, progress: &Progress<'_>) {
            if let Progress::Note(note) = progress {
                let loss = note
                    .split("loss ")
                    .nth(1)
                    .and_then(|rest| rest.split(' ').next());
                self.0
                    .extend(loss.and_then(|loss| loss.parse::<f32>().ok()));
            }
        }
    }

    /// Visits of two kinds of events in turn: what comes next is certain.
    fn examples(order: impl Fn(usize) -> bool) -> Vec<Example> {
        let visit = |number: usize| {
            let events = 2 + number % 5;
            let row = |event: usize| {
                let even = f32::from(u8::from((event + number).is_multiple_of(2)));
                [even, 1.0 - even, 0.5, 0.0]
            };
            Example {
                id: number.to_string(),
                user: None,
                start: 0,
                rows: (0..events).flat_map(row).collect(),
                events,
                context: Vec::new(),
                label: Label::Whole(order(number)),
            }
        };
        (0..200).map(visit).collect()
    }

    #[test]
    fn what_comes_next_is_learnt_and_nothing_of_orders() {
        let config = HeadedConfig {
            network: ModelConfig {
                filters: 16,
                hidden: 16,
                ..ModelConfig::seed(4, 0)
            },
            heads: HeadSizes {
                aims: vec![Aim::NextEvent],
                columns: Columns {
                    kinds: (0, 2),
                    items: None,
                },
                states: 16,
            },
            features: 4,
            hidden: None,
        };
        let options = TrainOptions {
            batch: 16,
            learning_rate: 0.02,
            ..TrainOptions::default()
        };
        let weights = config.fresh(1).expect("weights");
        let chosen = DeviceChoice::Cpu.open().expect("a CPU");
        let learn = |examples: &[Example], losses: &mut Losses| {
            let found = beforehand(&config, &weights, examples, &options, &chosen, losses);
            found.expect("weights").expect("not stopped")
        };
        let mut losses = Losses::default();
        let learnt = learn(&examples(|number| number % 3 == 0), &mut losses);
        assert_eq!(losses.0.len(), EPOCHS);
        let (first, last) = (losses.0[0], losses.0[EPOCHS - 1]);
        assert!(last < first / 2.0, "{:?}", losses.0);
        let others = learn(&examples(|number| number % 2 == 0), &mut losses);
        assert_eq!(learnt, others, "whoever ordered");
        let output = |weights: &[NamedTensor]| {
            let output = weights.iter().find(|one| one.name == "output.weight");
            output.map(|one| one.data.clone())
        };
        assert_eq!(output(&learnt), output(&weights));
    }
}
