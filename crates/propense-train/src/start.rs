//! The weights before the first step, made to suit the training part.

use propense_model::NamedTensor;

use crate::example::Example;

/// The bias of this name, an output's, starts at the log-odds of the base rate: no epoch is spent on
/// learning it.
pub(crate) fn start_at_base_rate(
    weights: &mut [NamedTensor],
    bias: &str,
    outcomes: impl Iterator<Item = bool>,
) {
    let (positives, all) = outcomes.fold((0u32, 0u32), |(positives, all), order| {
        (positives + u32::from(order), all + 1)
    });
    let rate = (f64::from(positives) / f64::from(all.max(1))).clamp(0.001, 0.999);
    for weight in weights {
        if weight.name == bias {
            weight.data.fill((rate / (1.0 - rate)).ln() as f32);
        }
    }
}

/// A context column that is zero in every training example (the column for categories that
/// training has not met, say) never moves its weights: they start at zero, so that such a category
/// counts as nothing known and not as whatever the seed drew.
pub(crate) fn silence_unseen(weights: &mut [NamedTensor], examples: &[Example]) {
    for weight in weights {
        let [_, units] = weight.shape[..] else {
            continue;
        };
        if weight.name != "context.weight" || units == 0 {
            continue;
        }
        for (column, row) in weight.data.chunks_exact_mut(units).enumerate() {
            let seen = |example: &Example| example.context.get(column).is_some_and(|x| *x != 0.0);
            if !examples.iter().any(seen) {
                row.fill(0.0);
            }
        }
    }
}
