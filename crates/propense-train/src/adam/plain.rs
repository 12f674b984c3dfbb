//! The same steps over plain numbers.

use propense_model::NamedTensor;

use super::{BETA_1, BETA_2, EPSILON, Moments};

/// Adam over weights that lie in memory, in their order.
#[derive(Clone)]
pub(crate) struct PlainAdam {
    rate: f32,
    clip: Option<f32>,
    steps: u32,
    moments: Moments,
}

impl PlainAdam {
    /// A fresh optimiser: learning rate, and the largest global gradient norm allowed.
    pub(crate) const fn new(rate: f32, clip: Option<f32>) -> Self {
        Self {
            rate,
            clip,
            steps: 0,
            moments: Vec::new(),
        }
    }

    /// The state saved after this many steps.
    pub(crate) fn load(mut self, steps: u32, moments: Moments) -> Self {
        self.steps = steps;
        self.moments = moments;
        self
    }

    /// Steps taken.
    pub(crate) const fn steps(&self) -> u32 {
        self.steps
    }

    /// First and second moment of each weight.
    pub(crate) const fn moments(&self) -> &Moments {
        &self.moments
    }

    /// One update of the weights by their gradients, both in the same order.
    pub(crate) fn step(&mut self, weights: &mut [NamedTensor], gradients: &[Vec<f32>]) {
        if self.moments.is_empty() {
            let zeros =
                |gradient: &Vec<f32>| (vec![0.0; gradient.len()], vec![0.0; gradient.len()]);
            self.moments = gradients.iter().map(zeros).collect();
        }
        self.steps += 1;
        let scale = self.clip.map_or(1.0, |limit| {
            let norm = gradients.iter().map(|g| squares(g)).sum::<f32>().sqrt();
            (limit / (norm + 1e-6)).min(1.0)
        });
        let steps = self.steps as i32;
        let correction_2 = (1.0 - BETA_2.powi(steps)).sqrt();
        let factor = self.rate * correction_2 / (1.0 - BETA_1.powi(steps));
        let epsilon = EPSILON * correction_2;
        for ((weight, gradient), (first, second)) in
            weights.iter_mut().zip(gradients).zip(&mut self.moments)
        {
            let numbers = weight.data.iter_mut().zip(gradient).zip(first).zip(second);
            for (((weight, gradient), first), second) in numbers {
                let gradient = gradient * scale;
                *first = *first * BETA_1 + gradient * (1.0 - BETA_1);
                *second = *second * BETA_2 + gradient * gradient * (1.0 - BETA_2);
                *weight -= *first * factor / (second.sqrt() + epsilon);
            }
        }
    }
}

/// Sum of the squares, in eight sums that the compiler makes a vector of.
fn squares(numbers: &[f32]) -> f32 {
    let mut sums = [0.0f32; 8];
    let chunks = numbers.chunks_exact(8);
    let rest: f32 = chunks.remainder().iter().map(|x| x * x).sum();
    for chunk in chunks {
        for (sum, x) in sums.iter_mut().zip(chunk) {
            *sum += x * x;
        }
    }
    sums.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use burn::optim::{AdamConfig, GradientsParams};
    use burn::tensor::{Tensor, TensorData};
    use propense_model::ModelConfig;

    use super::*;

    /// The gradient of `Σ weight² / 2` is the weight itself: both optimisers can be given it.
    #[test]
    fn steps_are_those_of_burns_adam() {
        let config = ModelConfig {
            filters: 3,
            hidden: 5,
            context_hidden: 4,
            ..ModelConfig::seed(8, 2)
        };
        let mut ours = config.initial_weights(3).expect("weights");
        let device = propense_model::cpu_device().autodiff();
        let layer = burn::nn::LinearConfig::new(1, 1)
            .with_bias(false)
            .init(&device);
        let flat: Vec<f32> = ours.iter().flat_map(|w| w.data.clone()).collect();
        let count = flat.len();
        let start = Tensor::<2>::from_data(TensorData::new(flat, [1, count]), &device);
        let mut theirs = burn::nn::Linear {
            weight: layer.weight.map(|_| start.require_grad()),
            bias: None,
        };
        let mut adam = PlainAdam::new(0.01, None);
        let mut burns = AdamConfig::new().with_epsilon(EPSILON).init();
        for _ in 0..5 {
            let gradients: Vec<Vec<f32>> = ours.iter().map(|w| w.data.clone()).collect();
            adam.step(&mut ours, &gradients);
            let loss = theirs.weight.val().square().sum() / 2.0;
            let gradients = GradientsParams::from_grads(loss.backward(), &theirs);
            theirs = burns.step(0.01, theirs, gradients);
        }
        let theirs = theirs
            .weight
            .val()
            .into_data()
            .try_into_vec::<f32>()
            .expect("numbers");
        for (a, b) in ours.iter().flat_map(|w| &w.data).zip(&theirs) {
            assert!((a - b).abs() < 1e-6, "{a} and {b}");
        }
    }

    #[test]
    fn clipping_bounds_the_global_norm_and_leaves_small_gradients_alone() {
        let weight = |data: Vec<f32>| NamedTensor {
            name: "w".into(),
            shape: vec![data.len()],
            data,
        };
        // Norm 13. After one step the first moment is a tenth of the (clipped) gradient.
        let gradients = [vec![3.0, 4.0], vec![12.0]];
        let norm = |clip| {
            let mut adam = PlainAdam::new(0.01, clip);
            adam.step(&mut [weight(vec![0.0; 2]), weight(vec![0.0])], &gradients);
            let squares = adam
                .moments()
                .iter()
                .flat_map(|(first, _)| first)
                .map(|m| m * m);
            10.0 * squares.sum::<f32>().sqrt()
        };
        assert!((norm(None) - 13.0).abs() < 1e-4);
        assert!((norm(Some(26.0)) - 13.0).abs() < 1e-4);
        assert!((norm(Some(2.0)) - 2.0).abs() < 1e-4);
    }
}
