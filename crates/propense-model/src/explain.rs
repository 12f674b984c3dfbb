//! What each event, and each thing known of the visitor, did to a score.

use propense_features::{FeatureSpec, RowFeature};

use crate::{CpuModel, CpuStream};

/// One event's part in a score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EventEffect {
    /// Change of the logit by this event.
    pub effect: f64,
    /// Place in [`FeatureSpec::row`] of the feature that mattered most about the event.
    pub feature: usize,
}

/// The parts of a session's events. Later events change nothing about earlier parts, so that only
/// what is new is computed.
///
/// An event's effect is the logit after it less the logit before it, so that all effects sum to
/// the change since before the first event. The feature is the group of columns without which the
/// step would have come out most differently: the step is taken again from the same state with one
/// group after the other at zero, which is the training mean of a number and "none" of a category.
#[derive(Debug)]
pub struct EventEffects {
    /// The stream after the events explained so far.
    stream: CpuStream,
    effects: Vec<EventEffect>,
}

impl EventEffects {
    /// Nothing explained yet. `fresh` is a stream without events.
    #[must_use]
    pub const fn new(fresh: CpuStream) -> Self {
        Self {
            stream: fresh,
            effects: Vec::new(),
        }
    }

    /// The parts of all events. `rows` is `[events, row]`, row-major, and begins with the rows of
    /// the calls before; `context` is the same at every call.
    pub fn of(&mut self, spec: &FeatureSpec, rows: &[f32], context: &[f32]) -> &[EventEffect] {
        let known = self.effects.len();
        for row in rows.chunks_exact(spec.row_len().max(1)).skip(known) {
            let before = self.stream.logit(context);
            let feature = self.most_important(&spec.row, row, context);
            self.stream.push(row);
            self.effects.push(EventEffect {
                effect: f64::from(self.stream.logit(context)) - f64::from(before),
                feature,
            });
        }
        &self.effects
    }

    /// What about the next row matters most.
    fn most_important(&self, features: &[RowFeature], row: &[f32], context: &[f32]) -> usize {
        // The row as it is, then once without each group.
        let mut rows = row.repeat(features.len() + 1);
        let mut start = 0;
        let altered = rows.chunks_exact_mut(row.len()).skip(1);
        for (group, altered) in features.iter().zip(altered) {
            let end = start + group.len();
            if let Some(own) = altered.get_mut(start..end) {
                own.fill(0.0);
            }
            start = end;
        }
        let logits = self.stream.what_if(&rows, context);
        let Some((after, without)) = logits.split_first() else {
            return 0;
        };
        let (mut feature, mut most) = (0, -1.0);
        for (place, logit) in without.iter().enumerate() {
            let change = (after - logit).abs();
            if change > most {
                (feature, most) = (place, change);
            }
        }
        feature
    }
}

/// Pairs of an order and its reverse over which [`context_effects`] takes the mean.
const PAIRS: usize = 8;

/// What each feature of the context did to the logit before the first event: by place in
/// [`FeatureSpec::context`]. The effects sum to that logit less the logit of an empty context (all
/// zeros: every number at its training mean, no category).
///
/// Shapley values, estimated: features are put in one after the other, and a feature's effect is
/// the mean of its steps over some fixed orders and their reverses (Castro, Gómez and Tejada 2009).
/// Each order's steps sum to the whole, and so do their means; the same context gives the same bits.
#[must_use]
pub fn context_effects(model: &CpuModel, spec: &FeatureSpec, context: &[f32]) -> Vec<f64> {
    let places = spec.context.iter().scan(0, |start, feature| {
        let place = *start..*start + feature.len();
        *start = place.end;
        Some(place)
    });
    let places: Vec<_> = places.collect();
    let mut effects = vec![0.0_f64; places.len()];
    let mut order: Vec<usize> = (0..places.len()).collect();
    let mut random = 1;
    let empty = f64::from(model.base(&vec![0.0; context.len()], &[]));
    for _ in 0..PAIRS {
        shuffle(&mut order, &mut random);
        for _ in 0..2 {
            let mut partial = vec![0.0; context.len()];
            let mut before = empty;
            for &feature in &order {
                let Some(place) = places.get(feature).cloned() else {
                    continue;
                };
                if let (Some(to), Some(from)) = (partial.get_mut(place.clone()), context.get(place))
                {
                    // A feature that says nothing has no effect, in whatever order.
                    if from.iter().all(|number| *number == 0.0) {
                        continue;
                    }
                    to.copy_from_slice(from);
                }
                let after = f64::from(model.base(&partial, &[]));
                if let Some(effect) = effects.get_mut(feature) {
                    *effect += after - before;
                }
                before = after;
            }
            order.reverse();
        }
    }
    let orders = (2 * PAIRS) as f64;
    effects.iter().map(|sum| sum / orders).collect()
}

/// Fisher and Yates, by the numbers of SplitMix64.
fn shuffle(order: &mut [usize], random: &mut u64) {
    for last in (1..order.len()).rev() {
        *random = random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = *random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        order.swap(last, (mixed % (last as u64 + 1)) as usize);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use propense_features::{ContextFeature, FeatureSpec, Normal, Transform};

    use super::*;
    use crate::ModelConfig;

    fn spec(context: usize) -> FeatureSpec {
        let normal = Normal {
            mean: 0.0,
            std: 1.0,
        };
        FeatureSpec {
            version: 1,
            row: ["Administrative", "shop", "help"]
                .map(|name| RowFeature::PageType {
                    names: vec![name.to_owned()],
                })
                .to_vec(),
            context: (0..context)
                .map(|number| ContextFeature::Number {
                    name: format!("n{number}"),
                    transform: Transform::Identity,
                    normal,
                    flag: number % 2 == 1,
                })
                .collect(),
            utc_offset_minutes: 0,
            item_rates: Default::default(),
            category_rates: Default::default(),
            item_orders: Default::default(),
            typical_prices: None,
        }
    }

    fn model(spec: &FeatureSpec) -> Arc<CpuModel> {
        let config = ModelConfig {
            filters: 3,
            hidden: 5,
            context_hidden: 6,
            ..ModelConfig::seed(spec.row_len(), spec.context_len())
        };
        let weights = config.initial_weights(3).expect("weights");
        Arc::new(CpuModel::new(&config, &weights).expect("a model"))
    }

    #[test]
    fn all_effects_sum_to_the_score() {
        let spec = spec(5);
        let model = model(&spec);
        let context: Vec<f32> = (0..spec.context_len())
            .map(|place| [0.7, -1.2, 0.0, 2.0][place % 4])
            .collect();
        let rows: Vec<f32> = (0..9 * spec.row_len())
            .map(|place| ((place * 37) % 23) as f32 / 11.0 - 1.0)
            .collect();
        let mut effects = EventEffects::new(CpuStream::new(Arc::clone(&model)));
        // Explained in two goes, as in a page.
        effects.of(&spec, &rows[..4 * spec.row_len()], &context);
        let events: f64 = effects
            .of(&spec, &rows, &context)
            .iter()
            .map(|event| event.effect)
            .sum();
        let known: f64 = context_effects(&model, &spec, &context).iter().sum();
        let empty = f64::from(model.base(&vec![0.0; context.len()], &[]));
        let score = f64::from(model.score(&rows, &context));
        assert!((empty + known + events - score).abs() < 1e-5);
    }

    #[test]
    fn what_is_not_known_has_no_effect_and_the_same_context_the_same_bits() {
        let spec = spec(4);
        let model = model(&spec);
        let mut context = vec![0.0; spec.context_len()];
        context[0] = 1.5;
        let effects = context_effects(&model, &spec, &context);
        let empty = model.base(&vec![0.0; context.len()], &[]);
        let alone = f64::from(model.base(&context, &[]) - empty);
        assert!((effects[0] - alone).abs() < 1e-6);
        assert!(effects[0] != 0.0);
        assert_eq!(effects[1..], [0.0, 0.0, 0.0]);
        context[1] = -0.5;
        assert_eq!(
            context_effects(&model, &spec, &context),
            context_effects(&model, &spec, &context)
        );
    }

    #[test]
    fn the_feature_named_is_the_one_that_alone_is_there() {
        let spec = spec(0);
        let model = model(&spec);
        // Only the second group's columns are set in the first row, only the third's in the next.
        let rows = [0.0, 0.0, 2.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 2.0];
        let mut effects = EventEffects::new(CpuStream::new(model));
        let found = effects.of(&spec, &rows, &[]);
        assert_eq!(
            found.iter().map(|event| event.feature).collect::<Vec<_>>(),
            [1, 2]
        );
    }
}
