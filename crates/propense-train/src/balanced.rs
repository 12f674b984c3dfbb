//! The three figures that the article on this network reports (accuracy, recall, F1), on the
//! validation part as it is and on a class-balanced resample of it. The article's set was balanced;
//! its figures can be compared with the latter alone, and a shop's page meets the former.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha12Rng;
use serde::{Deserialize, Serialize};

use crate::{Confusion, ThresholdRule};

/// Accuracy, recall and F1 of one set at the threshold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ThreeFigures {
    /// Examples.
    pub n: usize,
    /// Share of examples with an order.
    pub base_rate: f64,
    /// Share of right forecasts.
    pub accuracy: f64,
    /// Share of the orders that were forecast.
    pub recall: f64,
    /// Share of the forecast orders that came, which the article does not report; 0 where none is.
    #[serde(default)]
    pub precision: f64,
    /// Harmonic mean of precision and recall.
    pub f1: f64,
}

/// The figures on the validation part, at the measured positions and at the threshold, which was
/// chosen on that same part: both sets of figures are a little better than on new data.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ValidationFigures {
    /// The threshold of both.
    pub threshold: f64,
    /// The validation part as it is.
    pub as_it_is: ThreeFigures,
    /// All examples of the rarer outcome, and as many of the other, drawn at random.
    pub balanced: ThreeFigures,
    /// What acting brings there, where the threshold follows from gain and cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gained: Option<Gained>,
}

/// What acting brings on the validation part, in the units of the gain and the cost that were given,
/// for each of its examples. Acting on none brings 0.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Gained {
    /// Acting from the threshold on.
    pub from_threshold: f64,
    /// Acting on all.
    pub on_all: f64,
}

impl ValidationFigures {
    /// Measures both at a threshold, which this rule chose. The seed decides which examples are drawn.
    pub(crate) fn measure(
        probabilities: &[f32],
        labels: &[bool],
        (threshold, rule): (f32, ThresholdRule),
        seed: u64,
    ) -> Self {
        let of = |indices: &[usize]| {
            let (drawn, outcomes): (Vec<f32>, Vec<bool>) = indices
                .iter()
                .map(|&index| (probabilities[index], labels[index]))
                .unzip();
            let counts = Confusion::at(&drawn, &outcomes, threshold);
            let orders = counts.true_positives + counts.false_negatives;
            ThreeFigures {
                n: outcomes.len(),
                base_rate: orders as f64 / outcomes.len().max(1) as f64,
                accuracy: counts.accuracy(),
                recall: counts.recall(),
                precision: counts.precision(),
                f1: counts.f1(),
            }
        };
        let all: Vec<usize> = (0..labels.len().min(probabilities.len())).collect();
        let gained = match rule {
            ThresholdRule::Cost { gain, cost } => Some(Gained {
                from_threshold: brought(probabilities, labels, threshold, (gain, cost)),
                on_all: brought(probabilities, labels, 0.0, (gain, cost)),
            }),
            _ => None,
        };
        Self {
            gained,
            threshold: f64::from(threshold),
            as_it_is: of(&all),
            balanced: of(&undersample(labels, &all, seed)),
        }
    }
}

/// What acting from this probability on brings for each example.
fn brought(
    probabilities: &[f32],
    labels: &[bool],
    threshold: f32,
    (gain, cost): (f32, f32),
) -> f64 {
    let counts = Confusion::at(probabilities, labels, threshold);
    let all = probabilities.len().min(labels.len()).max(1) as f64;
    let orders = counts.true_positives as f64 * f64::from(gain);
    (orders - counts.false_positives as f64 * f64::from(cost)) / all
}

/// The examples of the rarer outcome and as many others, each at most once.
fn undersample(labels: &[bool], all: &[usize], seed: u64) -> Vec<usize> {
    let (mut orders, mut others): (Vec<usize>, Vec<usize>) =
        all.iter().partition(|&&index| labels[index]);
    let count = orders.len().min(others.len());
    let mut generator = ChaCha12Rng::seed_from_u64(seed);
    for class in [&mut orders, &mut others] {
        class.shuffle(&mut generator);
        class.truncate(count);
    }
    orders.append(&mut others);
    orders
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two in ten with an order; of those three in four are found, of the others one in four is
    /// taken for an order.
    fn sample() -> (Vec<f32>, Vec<bool>) {
        (0..4000)
            .map(|i| {
                let label = i % 10 < 2;
                let flagged = if label {
                    i / 10 % 4 != 0
                } else {
                    i / 10 % 4 == 0
                };
                (if flagged { 0.6 } else { 0.1 }, label)
            })
            .unzip()
    }

    #[test]
    fn the_balanced_figures_are_those_of_as_many_orders_as_others() {
        let (scores, labels) = sample();
        let figures = ValidationFigures::measure(&scores, &labels, (0.5, ThresholdRule::F1), 1);
        assert_eq!(figures.gained, None);
        let (whole, even) = (figures.as_it_is, figures.balanced);
        assert_eq!((whole.n, whole.base_rate), (4000, 0.2));
        assert_eq!((even.n, even.base_rate), (1600, 0.5));
        // All orders are in both, so the recall is the same; by hand: F1 = 2·600 / (2·600 + 800 + 200).
        assert_eq!((whole.recall, even.recall), (0.75, 0.75));
        // 600 of 1400 that are taken for orders.
        assert!((whole.precision - 600.0 / 1400.0).abs() < 1e-12);
        assert!((whole.accuracy - 0.75).abs() < 1e-12);
        assert!((whole.f1 - 1200.0 / 2200.0).abs() < 1e-12);
        // About a quarter of 800 others are taken for orders: 2·600 / (2·600 + 200 + 200).
        assert!((even.f1 - 0.75).abs() < 0.02, "{even:?}");
        assert!((even.accuracy - 0.75).abs() < 0.02, "{even:?}");
    }

    #[test]
    fn what_acting_brings_is_counted_in_gain_and_cost() {
        let (scores, labels) = sample();
        let rule = ThresholdRule::Cost {
            gain: 3.0,
            cost: 1.0,
        };
        let figures = ValidationFigures::measure(&scores, &labels, (0.25, rule), 1);
        let gained = figures.gained.expect("a rule of costs");
        // By hand, of 4000: 600 orders and 800 others from the threshold on; 800 and 3200 in all.
        assert!((gained.from_threshold - (1800.0 - 800.0) / 4000.0).abs() < 1e-12);
        assert!((gained.on_all - (2400.0 - 3200.0) / 4000.0).abs() < 1e-12);
    }

    #[test]
    fn the_seed_decides_and_nothing_is_drawn_twice() {
        let (_, labels) = sample();
        let all: Vec<usize> = (0..labels.len()).collect();
        let draw = |seed| undersample(&labels, &all, seed);
        assert_eq!(draw(3), draw(3));
        assert_ne!(draw(3), draw(4));
        let mut drawn = draw(3);
        drawn.sort_unstable();
        drawn.dedup();
        assert_eq!(drawn.len(), 1600);
        // Where one outcome is missing there is nothing to balance.
        assert!(undersample(&[false; 5], &[0, 1, 2, 3, 4], 1).is_empty());
    }
}
