//! Batches: examples of similar length side by side, so that little is padded.

use burn::tensor::{Device, Tensor, TensorData};
use propense_model::ModelConfig;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha12Rng;

use crate::example::{Example, Weighting};

/// Batches drawn together before they are sorted by length: long enough to make like lengths
/// meet, short enough to keep the order random.
const POOL: usize = 24;

/// One batch on a device, scored after every event.
pub(crate) struct Batch {
    /// `[batch, time, features]`, right-padded with zeros; time is at least 1.
    pub(crate) rows: Tensor<3>,
    /// `[batch, context]`.
    pub(crate) context: Tensor<2>,
    /// `[batch, time]`, 0 or 1: the outcome from this event on; 0 where it is not known, which
    /// weighs nothing.
    pub(crate) labels: Tensor<2>,
    /// `[batch, 1]`: the outcome from the start on.
    pub(crate) context_labels: Tensor<2>,
    /// `[batch, time]`: weight of the prefix that ends with this event.
    pub(crate) weights: Tensor<2>,
    /// `[batch]`: weight of the context alone.
    pub(crate) context_weights: Tensor<1>,
    /// Sum of all weights.
    pub(crate) total: f32,
    /// Whether the context alone has any weight.
    pub(crate) scores_context: bool,
    /// Whether any example of the batch has events.
    pub(crate) has_events: bool,
}

/// Indices of the examples of each batch of an epoch: a function of seed and epoch alone.
pub(crate) fn shuffled(
    examples: &[Example],
    size: usize,
    seed: u64,
    epoch: usize,
) -> Vec<Vec<usize>> {
    let mut generator = ChaCha12Rng::seed_from_u64(seed);
    generator.set_stream(epoch as u64);
    let mut order: Vec<usize> = (0..examples.len()).collect();
    order.shuffle(&mut generator);
    let mut batches = Vec::new();
    for pool in order.chunks_mut(size * POOL) {
        // Stable sort: examples of one length keep their random order.
        pool.sort_by_key(|&index| examples[index].events);
        batches.extend(pool.chunks(size).map(<[usize]>::to_vec));
    }
    batches.shuffle(&mut generator);
    batches
}

/// Rows of one batch in scoring, padding included: some hundred megabytes of activations.
pub(crate) const SCORED_ROWS: usize = 16_384;

/// Indices of the examples to score together. An example of more than [`SCORED_ROWS`] events comes
/// alone, and is to be streamed.
pub(crate) fn by_length(examples: &[Example]) -> Vec<Vec<usize>> {
    let lengths: Vec<usize> = examples.iter().map(|example| example.events).collect();
    propense_model::groups(&lengths, SCORED_ROWS)
}

/// The named examples, to be scored as a whole.
pub(crate) fn collate_whole(
    examples: &[Example],
    indices: &[usize],
    config: &ModelConfig,
) -> propense_model::Batch {
    let sessions = indices.iter().map(|&index| {
        let example = &examples[index];
        (example.rows.as_slice(), example.context.as_slice())
    });
    propense_model::Batch::of(config, sessions)
}

/// Outcomes of the named examples as seen from their last prefixes: `[batch, 1]`, 0 or 1.
pub(crate) fn last_labels(examples: &[Example], indices: &[usize], device: &Device) -> Tensor<2> {
    let labels: Vec<f32> = indices
        .iter()
        .map(|&index| number(examples[index].label.at(examples[index].events)))
        .collect();
    let shape = [labels.len(), 1];
    Tensor::from_data(TensorData::new(labels, shape), device)
}

/// The outcome of an example as seen from each prefix, `[events + 1]`, 0 or 1; 0 where it is not
/// known.
pub(crate) fn outcomes(example: &Example) -> Vec<f32> {
    let prefixes = 0..=example.events;
    prefixes
        .map(|prefix| number(example.label.at(prefix)))
        .collect()
}

fn number(label: Option<bool>) -> f32 {
    f32::from(u8::from(label.unwrap_or(false)))
}

/// Puts the named examples on the device.
pub(crate) fn collate(
    examples: &[Example],
    indices: &[usize],
    features: usize,
    weighting: Weighting,
    device: &Device,
) -> Batch {
    let batch = indices.len();
    let longest = indices
        .iter()
        .map(|&i| examples[i].events)
        .max()
        .unwrap_or(0);
    let time = longest.max(1);
    let width = indices.first().map_or(0, |&i| examples[i].context.len());
    let mut rows = vec![0.0; batch * time * features];
    let mut context = Vec::with_capacity(batch * width);
    let mut labels = vec![0.0; batch * time];
    let mut context_labels = Vec::with_capacity(batch);
    let mut weights = vec![0.0; batch * time];
    let mut context_weights = Vec::with_capacity(batch);
    let (mut total, mut scores_context) = (0.0, false);
    for (place, &index) in indices.iter().enumerate() {
        let example = &examples[index];
        let from = place * time * features;
        rows[from..from + example.rows.len()].copy_from_slice(&example.rows);
        context.extend_from_slice(&example.context);
        let all = example.weights(weighting);
        context_labels.push(number(example.label.at(0)));
        for (event, label) in labels[place * time..][..example.events]
            .iter_mut()
            .enumerate()
        {
            *label = number(example.label.at(event + 1));
        }
        total += all.iter().sum::<f32>();
        context_weights.push(all[0]);
        scores_context |= all[0] > 0.0;
        weights[place * time..place * time + example.events].copy_from_slice(&all[1..]);
    }
    Batch {
        rows: Tensor::from_data(TensorData::new(rows, [batch, time, features]), device),
        context: Tensor::from_data(TensorData::new(context, [batch, width]), device),
        labels: Tensor::from_data(TensorData::new(labels, [batch, time]), device),
        context_labels: Tensor::from_data(TensorData::new(context_labels, [batch, 1]), device),
        weights: Tensor::from_data(TensorData::new(weights, [batch, time]), device),
        context_weights: Tensor::from_data(TensorData::new(context_weights, [batch]), device),
        total,
        scores_context,
        has_events: longest > 0,
    }
}
