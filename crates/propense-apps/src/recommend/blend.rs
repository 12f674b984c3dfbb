//! What the signals are worth together: a small network that scores the candidates of a moment,
//! trained so that the one that came next has the highest softmax.

use ndarray::{Array1, Array2, ArrayView2, Axis};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha12Rng;

use super::adam::{Pace, Weight, cross_entropy};
use super::features::FEATURES;

const WIDTH: usize = 32;
const BATCH: usize = 128;
const EPOCHS: usize = 12;
const RATE: f32 = 3e-3;

/// One moment: the features of each candidate, and which of them came next.
pub(crate) struct Moment {
    /// `[candidates, features]`
    pub(crate) features: Array2<f32>,
    /// Place of the item that came next.
    pub(crate) target: usize,
}

/// `x · l + relu(relu(x · A + a) · C + c) · b` of the standardised features x.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Blend {
    mean: Array1<f32>,
    deviation: Array1<f32>,
    linear: Array2<f32>,
    first: Array2<f32>,
    first_bias: Array2<f32>,
    second: Array2<f32>,
    second_bias: Array2<f32>,
    last: Array2<f32>,
}

impl Blend {
    /// How many weights it has.
    pub(crate) fn numbers(&self) -> usize {
        let Self {
            mean,
            deviation,
            linear,
            first,
            first_bias,
            second,
            second_bias,
            last,
        } = self;
        let scales = mean.len() + deviation.len();
        let weights = [linear, first, first_bias, second, second_bias, last];
        scales + weights.map(Array2::len).iter().sum::<usize>()
    }

    /// Learns from moments; every moment has the same number of candidates. None without moments.
    pub(crate) fn fit(mut moments: Vec<Moment>, seed: u64) -> Option<Self> {
        let candidates = moments.first()?.features.nrows();
        moments.retain(|moment| {
            moment.features.dim() == (candidates, FEATURES) && moment.target < candidates
        });
        let rows = (moments.len() * candidates).max(1) as f32;
        let mut mean = Array1::<f32>::zeros(FEATURES);
        for moment in &moments {
            mean += &(moment.features.sum_axis(Axis(0)) / rows);
        }
        let mut variance = Array1::<f32>::zeros(FEATURES);
        for moment in &moments {
            let off = &moment.features - &mean;
            variance += &((&off * &off).sum_axis(Axis(0)) / rows);
        }
        // A feature that never changes says nothing.
        let deviation = variance.mapv(|variance| {
            if variance > 1e-12 {
                variance.sqrt()
            } else {
                1.0
            }
        });
        for moment in &mut moments {
            moment.features -= &mean;
            moment.features /= &deviation;
        }
        let mut random = ChaCha12Rng::seed_from_u64(seed);
        let of = |inputs: usize| (1.0 / inputs as f32).sqrt();
        let mut linear = Weight::zeros((FEATURES, 1));
        let mut first = Weight::random((FEATURES, WIDTH), of(FEATURES), &mut random);
        let mut first_bias = Weight::zeros((1, WIDTH));
        let mut second = Weight::random((WIDTH, WIDTH), of(WIDTH), &mut random);
        let mut second_bias = Weight::zeros((1, WIDTH));
        let mut last = Weight::random((WIDTH, 1), of(WIDTH), &mut random);
        let mut order: Vec<usize> = (0..moments.len()).collect();
        let steps = moments.len().div_ceil(BATCH) * EPOCHS;
        let mut step = 0;
        for _ in 0..EPOCHS {
            order.shuffle(&mut random);
            for batch in order.chunks(BATCH) {
                let chosen: Vec<&Moment> = batch.iter().filter_map(|at| moments.get(*at)).collect();
                let views: Vec<ArrayView2<'_, f32>> =
                    chosen.iter().map(|moment| moment.features.view()).collect();
                // [batch · candidates, features]
                let Ok(inputs) = ndarray::concatenate(Axis(0), &views) else {
                    continue;
                };
                let targets: Vec<usize> = chosen.iter().map(|moment| moment.target).collect();
                let one = (inputs.dot(&first.value) + &first_bias.value).mapv(|x| x.max(0.0));
                let two = (one.dot(&second.value) + &second_bias.value).mapv(|x| x.max(0.0));
                let scores = inputs.dot(&linear.value) + two.dot(&last.value);
                let Ok(mut logits) = scores.into_shape_with_order((chosen.len(), candidates))
                else {
                    continue;
                };
                cross_entropy(&mut logits, &targets);
                let Ok(gradient) = logits.into_shape_with_order((chosen.len() * candidates, 1))
                else {
                    continue;
                };
                let open = |above: Array2<f32>, state: &Array2<f32>| {
                    above * state.mapv(|x| if x > 0.0 { 1.0 } else { 0.0 })
                };
                let two_gradient = open(gradient.dot(&last.value.t()), &two);
                let one_gradient = open(two_gradient.dot(&second.value.t()), &one);
                let pace = Pace::new(RATE, step, steps);
                let sum = |gradient: &Array2<f32>| gradient.sum_axis(Axis(0)).insert_axis(Axis(0));
                linear.step(&inputs.t().dot(&gradient), pace);
                last.step(&two.t().dot(&gradient), pace);
                second.step(&one.t().dot(&two_gradient), pace);
                second_bias.step(&sum(&two_gradient), pace);
                first.step(&inputs.t().dot(&one_gradient), pace);
                first_bias.step(&sum(&one_gradient), pace);
                step += 1;
            }
        }
        Some(Self {
            mean,
            deviation,
            linear: linear.value,
            first: first.value,
            first_bias: first_bias.value,
            second: second.value,
            second_bias: second_bias.value,
            last: last.value,
        })
    }

    /// The score of each candidate, from its features `[candidates, features]`.
    pub(crate) fn score(&self, features: &Array2<f32>) -> Vec<f32> {
        let inputs = (features - &self.mean) / &self.deviation;
        let one = (inputs.dot(&self.first) + &self.first_bias).mapv(|x| x.max(0.0));
        let two = (one.dot(&self.second) + &self.second_bias).mapv(|x| x.max(0.0));
        let scores = inputs.dot(&self.linear) + two.dot(&self.last);
        scores.iter().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two candidates; the right one has the larger feature 3, or the smaller one where feature 5
    /// says so: no sum of features can tell.
    fn moments(count: usize) -> Vec<Moment> {
        let moment = |n: usize| {
            let mut features = Array2::zeros((2, FEATURES));
            let turned = n % 2 == 1;
            let larger = n / 2 % 2;
            features[[larger, 3]] = 1.0;
            features[[0, 5]] = f32::from(u8::from(turned));
            features[[1, 5]] = f32::from(u8::from(turned));
            let target = if turned { 1 - larger } else { larger };
            Moment { features, target }
        };
        (0..count).map(moment).collect()
    }

    #[test]
    fn what_one_feature_means_can_hang_on_another() {
        let blend = Blend::fit(moments(4000), 1).expect("there are moments");
        for moment in moments(4) {
            let scores = blend.score(&moment.features);
            let (right, wrong) = (scores[moment.target], scores[1 - moment.target]);
            assert!(right > wrong + 1.0, "{right} {wrong}");
        }
        assert_eq!(
            Blend::fit(moments(4000), 1),
            Some(blend),
            "the seed decides"
        );
    }

    #[test]
    fn nothing_is_learnt_from_nothing() {
        assert_eq!(Blend::fit(Vec::new(), 1), None);
    }
}
