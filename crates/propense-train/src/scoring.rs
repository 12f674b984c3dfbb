//! Scoring examples with a network that is not being trained.

use burn::tensor::Device;
use propense_model::CnnLstm;

use crate::TrainError;
use crate::adam::numbers;
use crate::batch::{by_length, collate, collate_whole};
use crate::example::{Example, Positions, Scored, Weighting};

/// The logit of every prefix 0..=events of every example, in the order of the examples. With
/// [`Weighting::Context`] only of prefix 0; with [`Weighting::Whole`] only of the last, zeros
/// standing for the others, which weigh nothing.
pub(crate) fn all_prefixes(
    model: &CnnLstm,
    examples: &[Example],
    weighting: Weighting,
) -> Result<Vec<Vec<f32>>, TrainError> {
    if weighting == Weighting::Whole {
        let last = last(model, examples, weighting)?;
        return Ok(examples
            .iter()
            .zip(last)
            .map(|(example, logit)| {
                let mut list = vec![0.0; example.events];
                list.push(logit);
                list
            })
            .collect());
    }
    let device: Device = model.device();
    let features = model.config().features;
    let mut logits = vec![Vec::new(); examples.len()];
    for indices in by_length(examples) {
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
    Ok(logits)
}

/// The logit of every example on all its events (with [`Weighting::Context`] on none).
pub(crate) fn last(
    model: &CnnLstm,
    examples: &[Example],
    weighting: Weighting,
) -> Result<Vec<f32>, TrainError> {
    let mut logits = vec![0.0; examples.len()];
    for indices in by_length(examples) {
        let batch = collate_whole(examples, &indices, model.config());
        let scores = if weighting == Weighting::Context {
            let context = collate(
                examples,
                &indices,
                model.config().features,
                weighting,
                &model.device(),
            );
            numbers(model.forward_context_only(context.context))?
        } else {
            model.score(&batch)?
        };
        for (&index, logit) in indices.iter().zip(scores) {
            logits[index] = logit;
        }
    }
    Ok(logits)
}

/// Mean log-loss over all prefixes with their weights.
pub(crate) fn weighted_log_loss(
    logits: &[Vec<f32>],
    examples: &[Example],
    weighting: Weighting,
) -> f64 {
    let (mut sum, mut total) = (0.0, 0.0);
    for (list, example) in logits.iter().zip(examples) {
        for (logit, weight) in list.iter().zip(weighting.weights(example.events)) {
            let z = f64::from(*logit) * if example.label { 1.0 } else { -1.0 };
            // −ln sigmoid(z) without overflow
            let loss = (-z).max(0.0) + (-z.abs()).exp().ln_1p();
            sum += f64::from(weight) * loss;
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
            let Some(&logit) = list.get(prefix) else {
                continue;
            };
            scored.example.push(index);
            scored.prefix.push(prefix);
            scored.logits.push(logit);
            scored.labels.push(example.label);
        }
    }
    scored
}
