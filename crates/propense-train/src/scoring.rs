//! Scoring examples with a network that is not being trained: on the CPU with the kernels of
//! `propense-model`, on a GPU with tensors.

use std::sync::Arc;

use burn::tensor::Device;
use propense_model::{CnnLstm, CpuModel, CpuStream, Scorer, SessionRows, cpu_device};

use crate::TrainError;
use crate::adam::numbers;
use crate::batch::{SCORED_ROWS, by_length, collate, collate_whole};
use crate::calibrate::cross_entropy;
use crate::example::{Example, Positions, Scored, Weighting};

/// The logit of every prefix 0..=events of every example, in the order of the examples. With
/// [`Weighting::Context`] only of prefix 0; with [`Weighting::Whole`] only of the last, zeros
/// standing for the others, which weigh nothing.
pub(crate) fn all_prefixes(
    model: &CnnLstm,
    examples: &[Example],
    weighting: Weighting,
) -> Result<Vec<Vec<f32>>, TrainError> {
    let all = all_prefixes_unless(model, examples, weighting, &|| false)?;
    Ok(all.unwrap_or_default())
}

/// The same, or none where `stop` said true between two batches.
pub(crate) fn all_prefixes_unless(
    model: &CnnLstm,
    examples: &[Example],
    weighting: Weighting,
    stop: &dyn Fn() -> bool,
) -> Result<Option<Vec<Vec<f32>>>, TrainError> {
    if let Some(model) = on_cpu(model)? {
        return Ok(all_prefixes_on_cpu(&model, examples, weighting, stop));
    }
    let whole = (weighting == Weighting::Whole).then(|| Scorer::new(model));
    let device: Device = model.device();
    let features = model.config().features;
    let mut long = Long::new(model);
    let mut logits = vec![Vec::new(); examples.len()];
    for indices in by_length(examples) {
        if stop() {
            return Ok(None);
        }
        if let Some(scorer) = &whole {
            let scores = last_of(scorer, &mut long, examples, &indices)?;
            for (&index, logit) in indices.iter().zip(scores) {
                logits[index] = vec![0.0; examples[index].events];
                logits[index].push(logit);
            }
            continue;
        }
        if let Some(example) = Long::alone(examples, &indices)
            && weighting != Weighting::Context
        {
            logits[indices[0]] = long.all(example)?;
            continue;
        }
        let batch = collate(examples, &indices, features, weighting, &device);
        let first = numbers(model.forward_context_only(batch.context.clone()))?;
        let (rest, time) = if batch.has_events && weighting != Weighting::Context {
            let [_, time, _] = batch.rows.dims();
            (numbers(model.forward(batch.rows, batch.context))?, time)
        } else {
            (Vec::new(), 0)
        };
        for (place, &index) in indices.iter().enumerate() {
            let list = &mut logits[index];
            list.push(first[place]);
            if time > 0 {
                let from = place * time;
                list.extend_from_slice(&rest[from..from + examples[index].events]);
            }
        }
    }
    Ok(Some(logits))
}

/// The logit of every example on all its events (with [`Weighting::Context`] on none).
pub(crate) fn last(
    model: &CnnLstm,
    examples: &[Example],
    weighting: Weighting,
) -> Result<Vec<f32>, TrainError> {
    if let Some(model) = on_cpu(model)? {
        return Ok(match weighting {
            Weighting::Context => contexts(&model, examples),
            _ => model.score_batch(&sessions(examples), threads()),
        });
    }
    let mut long = Long::new(model);
    let whole = (weighting != Weighting::Context).then(|| Scorer::new(model));
    let mut logits = vec![0.0; examples.len()];
    for indices in by_length(examples) {
        let scores = match &whole {
            Some(scorer) => last_of(scorer, &mut long, examples, &indices)?,
            None => {
                let features = model.config().features;
                let batch = collate(examples, &indices, features, weighting, &model.device());
                numbers(model.forward_context_only(batch.context))?
            }
        };
        for (&index, logit) in indices.iter().zip(scores) {
            logits[index] = logit;
        }
    }
    Ok(logits)
}

/// Examples scored between two questions whether to stop.
const AT_A_TIME: usize = 1024;

/// The network for the kernels, where it lies on the CPU.
fn on_cpu(model: &CnnLstm) -> Result<Option<CpuModel>, TrainError> {
    if model.device() != cpu_device() {
        return Ok(None);
    }
    Ok(Some(CpuModel::new(model.config(), &model.weights()?)?))
}

/// [`all_prefixes_unless`] with the kernels.
pub(crate) fn all_prefixes_on_cpu(
    model: &CpuModel,
    examples: &[Example],
    weighting: Weighting,
    stop: &dyn Fn() -> bool,
) -> Option<Vec<Vec<f32>>> {
    let mut logits = Vec::with_capacity(examples.len());
    for examples in examples.chunks(AT_A_TIME) {
        if stop() {
            return None;
        }
        match weighting {
            Weighting::Context => {
                logits.extend(
                    contexts(model, examples)
                        .into_iter()
                        .map(|logit| vec![logit]),
                );
            }
            Weighting::Whole => {
                let scores = model.score_batch(&sessions(examples), threads());
                logits.extend(examples.iter().zip(scores).map(|(example, logit)| {
                    let mut list = vec![0.0; example.events];
                    list.push(logit);
                    list
                }));
            }
            _ => logits.extend(model.score_prefixes(&sessions(examples), threads())),
        }
    }
    Some(logits)
}

/// The logits of the contexts alone.
fn contexts(model: &CpuModel, examples: &[Example]) -> Vec<f32> {
    examples
        .iter()
        .map(|example| model.base(&example.context, &[]))
        .collect()
}

fn sessions(examples: &[Example]) -> Vec<SessionRows<'_>> {
    examples
        .iter()
        .map(|example| (example.rows.as_slice(), example.context.as_slice()))
        .collect()
}

/// As many threads as training uses.
pub(crate) fn threads() -> usize {
    rayon::current_num_threads()
}

/// The logits of these examples on all their events.
fn last_of(
    scorer: &Scorer,
    long: &mut Long<'_>,
    examples: &[Example],
    indices: &[usize],
) -> Result<Vec<f32>, TrainError> {
    match Long::alone(examples, indices) {
        Some(example) => Ok(vec![long.whole(example)?]),
        None => {
            let config = scorer.model().config();
            Ok(scorer.score(&collate_whole(examples, indices, config))?)
        }
    }
}

/// Examples that are too long for a batch: a batch pass holds every event's activations at once, a
/// stream those of one event.
struct Long<'a> {
    network: &'a CnnLstm,
    model: Option<Arc<CpuModel>>,
}

impl<'a> Long<'a> {
    const fn new(network: &'a CnnLstm) -> Self {
        Self {
            network,
            model: None,
        }
    }

    /// The example that goes alone for its length.
    fn alone<'b>(examples: &'b [Example], indices: &[usize]) -> Option<&'b Example> {
        let [index] = *indices else { return None };
        examples
            .get(index)
            .filter(|example| example.events > SCORED_ROWS)
    }

    /// The weights, fetched from the device when the first such example comes.
    fn model(&mut self) -> Result<Arc<CpuModel>, TrainError> {
        let model = match self.model.take() {
            Some(model) => model,
            None => {
                let weights = self.network.weights()?;
                Arc::new(CpuModel::new(self.network.config(), &weights)?)
            }
        };
        Ok(Arc::clone(self.model.insert(model)))
    }

    /// The logit of every prefix.
    fn all(&mut self, example: &Example) -> Result<Vec<f32>, TrainError> {
        let mut stream = CpuStream::new(self.model()?);
        let mut logits = Vec::with_capacity(example.events + 1);
        logits.push(stream.logit(&example.context));
        for row in example.rows.chunks_exact(self.network.config().features) {
            stream.push(row);
            logits.push(stream.logit(&example.context));
        }
        Ok(logits)
    }

    /// The logit on all events.
    fn whole(&mut self, example: &Example) -> Result<f32, TrainError> {
        Ok(self.model()?.score(&example.rows, &example.context))
    }
}

/// Mean log-loss over all prefixes with their weights.
pub(crate) fn weighted_log_loss(
    logits: &[Vec<f32>],
    examples: &[Example],
    weighting: Weighting,
) -> f64 {
    let (mut sum, mut total) = (0.0, 0.0);
    for (list, example) in logits.iter().zip(examples) {
        let labels = (0..).map(|prefix| example.label.at(prefix).unwrap_or(false));
        let weights = example.weights(weighting);
        for ((logit, weight), label) in list.iter().zip(weights).zip(labels) {
            let target = f64::from(u8::from(label));
            sum += f64::from(weight) * cross_entropy(f64::from(*logit), target);
            total += f64::from(weight);
        }
    }
    sum / f64::max(total, 1e-9)
}

/// The logits at the positions that are measured.
pub(crate) fn pick(logits: &[Vec<f32>], examples: &[Example], positions: Positions) -> Scored {
    let mut scored = Scored::default();
    for (index, (list, example)) in logits.iter().zip(examples).enumerate() {
        for prefix in positions.of(example.events) {
            let (Some(&logit), Some(label)) = (list.get(prefix), example.label.at(prefix)) else {
                continue;
            };
            scored.example.push(index);
            scored.prefix.push(prefix);
            scored.logits.push(logit);
            scored.labels.push(label);
        }
    }
    scored
}

#[cfg(test)]
mod tests {
    use propense_model::{ModelConfig, cpu_device};

    use super::*;

    fn example(events: usize, config: &ModelConfig) -> Example {
        Example {
            id: String::new(),
            user: None,
            start: 0,
            rows: (0..events * config.features)
                .map(|place| ((place * 37) % 23) as f32 / 11.0 - 1.0)
                .collect(),
            events,
            context: vec![0.5, -1.0],
            label: false.into(),
        }
    }

    #[test]
    fn a_stream_gives_the_logits_of_a_batch_and_bounds_what_a_long_session_takes() {
        let config = ModelConfig {
            filters: 2,
            hidden: 3,
            context_hidden: 2,
            ..ModelConfig::seed(5, 2)
        };
        let model = config.init(&cpu_device(), 4).expect("a network");
        let short = example(30, &config);
        let mut long = Long::new(&model);
        let one = std::slice::from_ref(&short);
        let batch = all_prefixes(&model, one, Weighting::EveryPrefix).expect("scores");
        let streamed = long.all(&short).expect("scores");
        assert_eq!(batch[0].len(), 31);
        for (a, b) in batch[0].iter().zip(&streamed) {
            assert!((a - b).abs() < 1e-5, "{a} and {b}");
        }
        let whole = long.whole(&short).expect("a score");
        assert!((whole - streamed[30]).abs() < 1e-5);

        // Longer than any batch: it goes the other way by itself, beside a short one.
        let both = [example(SCORED_ROWS + 1, &config), short];
        let prefixes = all_prefixes(&model, &both, Weighting::EveryPrefix).expect("scores");
        assert_eq!(prefixes[0].len(), SCORED_ROWS + 2);
        assert_eq!(prefixes[0][..31], streamed);
        let ends = last(&model, &both, Weighting::Whole).expect("scores");
        assert!((ends[0] - prefixes[0][SCORED_ROWS + 1]).abs() < 1e-5);
        assert!((ends[1] - whole).abs() < 1e-5);
    }
}
