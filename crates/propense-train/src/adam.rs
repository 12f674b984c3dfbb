//! Adam (Kingma and Ba 2015) over a whole module, with clipping by the global norm.
//!
//! Burn's own optimiser materialises a loaded state on the process's default device, which is
//! the GPU in this build and does not exist on every machine; and it clips each parameter by
//! itself. This one keeps its moments beside the weights, in the order in which the module
//! visits its parameters, so that a checkpoint is two flat lists of numbers. It is tested to
//! make the same steps as Burn's.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};

use crate::TrainError;

pub(crate) use plain::PlainAdam;

mod plain;

const BETA_1: f32 = 0.9;
const BETA_2: f32 = 0.999;
/// Keras' value; with it a step is the published one.
const EPSILON: f32 = 1e-7;

/// First and second moment of each parameter, as numbers.
pub(crate) type Moments = Vec<(Vec<f32>, Vec<f32>)>;

/// The optimiser's state.
#[derive(Clone)]
pub(crate) struct Adam {
    rate: f32,
    clip: Option<f32>,
    /// Share of a weight (not of a bias) lost at each step, times the learning rate.
    decay: f32,
    steps: u32,
    /// First and second moment of each parameter, flat.
    moments: Vec<(Tensor<1>, Tensor<1>)>,
}

impl Adam {
    /// A fresh optimiser: learning rate, and the largest global gradient norm allowed.
    pub(crate) const fn new(rate: f32, clip: Option<f32>) -> Self {
        Self {
            rate,
            clip,
            decay: 0.0,
            steps: 0,
            moments: Vec::new(),
        }
    }

    /// With decoupled weight decay (Loshchilov and Hutter 2019).
    pub(crate) const fn with_decay(mut self, decay: f32) -> Self {
        self.decay = decay;
        self
    }

    /// The learning rate from the next step on.
    pub(crate) const fn set_rate(&mut self, rate: f32) {
        self.rate = rate;
    }

    /// Steps taken.
    pub(crate) const fn steps(&self) -> u32 {
        self.steps
    }

    /// One update of the module's weights.
    pub(crate) fn step<M: Module>(&mut self, module: M, mut grads: GradientsParams) -> M {
        self.steps += 1;
        let scale = self.clip.map(|limit| {
            let mut norm = SquaredNorm {
                grads: &grads,
                sum: None,
            };
            module.visit(&mut norm);
            // min(1, limit / norm), on the device: no readback inside a step
            norm.sum
                .map(|sum| (sum.sqrt() + 1e-6).recip().mul_scalar(limit).clamp_max(1.0))
        });
        let steps = self.steps as i32;
        let correction_2 = (1.0 - BETA_2.powi(steps)).sqrt();
        let mut update = Update {
            kept: 1.0 - self.rate * self.decay,
            factor: self.rate * correction_2 / (1.0 - BETA_1.powi(steps)),
            epsilon: EPSILON * correction_2,
            scale: scale.flatten(),
            grads: &mut grads,
            moments: &mut self.moments,
            next: 0,
        };
        module.map(&mut update)
    }

    /// The moments as numbers: first and second of each parameter.
    pub(crate) fn save(&self) -> Result<Moments, TrainError> {
        self.moments
            .iter()
            .map(|(first, second)| Ok((numbers(first.clone())?, numbers(second.clone())?)))
            .collect()
    }

    /// The state saved after this many steps.
    pub(crate) fn load(mut self, steps: u32, moments: Moments, device: &Device) -> Self {
        let tensor = |data: Vec<f32>| {
            let length = data.len();
            Tensor::<1>::from_data(TensorData::new(data, [length]), device)
        };
        self.steps = steps;
        self.moments = moments
            .into_iter()
            .map(|(first, second)| (tensor(first), tensor(second)))
            .collect();
        self
    }
}

/// A tensor's numbers, read back.
pub(crate) fn numbers<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, TrainError> {
    tensor
        .into_data()
        .try_into_vec::<f32>()
        .map_err(|error| TrainError::Tensor(format!("{error:?}")))
}

struct SquaredNorm<'a> {
    grads: &'a GradientsParams,
    sum: Option<Tensor<1>>,
}

impl ModuleVisitor for SquaredNorm<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(grad) = self.grads.get::<D>(param.id) {
            let squares = grad.square().sum();
            self.sum = Some(match self.sum.take() {
                Some(sum) => sum + squares,
                None => squares,
            });
        }
    }
}

struct Update<'a> {
    /// Share of a weight that decay leaves.
    kept: f32,
    factor: f32,
    epsilon: f32,
    scale: Option<Tensor<1>>,
    grads: &'a mut GradientsParams,
    moments: &'a mut Vec<(Tensor<1>, Tensor<1>)>,
    next: usize,
}

impl ModuleMapper for Update<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (id, weight, mapper) = param.consume();
        let index = self.next;
        self.next += 1;
        let weight = weight.inner();
        let shape = weight.shape();
        let length = shape.num_elements();
        // A parameter that the loss does not reach has a zero gradient: it keeps its place in
        // the list, so that the order of the moments is the order of the parameters.
        let grad = match self.grads.remove::<D>(id) {
            Some(grad) => grad.reshape([length]),
            None => Tensor::zeros([length], &weight.device()),
        };
        let grad = match &self.scale {
            Some(scale) => grad * scale.clone(),
            None => grad,
        };
        let (first, second) = match self.moments.get(index) {
            Some((first, second)) => (
                first.clone() * BETA_1 + grad.clone() * (1.0 - BETA_1),
                second.clone() * BETA_2 + grad.square() * (1.0 - BETA_2),
            ),
            None => (
                grad.clone() * (1.0 - BETA_1),
                grad.square() * (1.0 - BETA_2),
            ),
        };
        let delta = first.clone() * self.factor / (second.clone().sqrt() + self.epsilon);
        let weight = if D > 1 && self.kept < 1.0 {
            weight * self.kept
        } else {
            weight
        };
        let updated = weight - delta.reshape(shape);
        if index < self.moments.len() {
            self.moments[index] = (first, second);
        } else {
            self.moments.push((first, second));
        }
        Param::from_mapped_value(id, Tensor::from_inner(updated).require_grad(), mapper)
    }
}

#[cfg(test)]
mod tests {
    use burn::optim::AdamConfig;
    use propense_model::{CnnLstm, ModelConfig};

    use super::*;

    fn gradients(model: &CnnLstm, device: &Device, step: usize) -> GradientsParams {
        let rows: Vec<f32> = (0..2 * 3 * 8)
            .map(|i| ((i * 13 + step * 7) % 11) as f32 / 5.0 - 1.0)
            .collect();
        let rows = Tensor::<3>::from_data(TensorData::new(rows, [2, 3, 8]), device);
        let context = Tensor::<2>::ones([2, 2], device);
        let loss = model.forward(rows, context).powi_scalar(2).sum();
        GradientsParams::from_grads(loss.backward(), model)
    }

    fn setting() -> (CnnLstm, Device) {
        let config = ModelConfig {
            filters: 3,
            hidden: 5,
            context_hidden: 4,
            ..ModelConfig::seed(8, 2)
        };
        let device = propense_model::cpu_device().autodiff();
        (config.init(&device, 3).expect("a network"), device)
    }

    #[test]
    fn steps_are_those_of_burns_adam() {
        let (mut ours, device) = setting();
        let mut theirs = ours.clone();
        let mut adam = Adam::new(0.01, None);
        let mut burns = AdamConfig::new().with_epsilon(EPSILON).init();
        for step in 0..5 {
            let grads = gradients(&ours, &device, step);
            ours = adam.step(ours, grads);
            let grads = gradients(&theirs, &device, step);
            theirs = burns.step(0.01, theirs, grads);
        }
        let (ours, theirs) = (
            ours.weights().expect("ours"),
            theirs.weights().expect("theirs"),
        );
        for (a, b) in ours.iter().zip(&theirs) {
            for (x, y) in a.data.iter().zip(&b.data) {
                assert!((x - y).abs() < 1e-5, "{}: {x} and {y}", a.name);
            }
        }
    }

    #[test]
    fn clipping_bounds_the_global_norm_and_leaves_small_gradients_alone() {
        let (model, device) = setting();
        let mut norm = SquaredNorm {
            grads: &gradients(&model, &device, 0),
            sum: None,
        };
        model.visit(&mut norm);
        let norm = numbers(norm.sum.expect("gradients").sqrt()).expect("a number")[0];
        // After one step the first moment is a tenth of the (clipped) gradient.
        let first_moment = |clip| {
            let mut adam = Adam::new(0.01, clip);
            adam.step(model.clone(), gradients(&model, &device, 0));
            let moments = adam.save().expect("moments");
            let squares = moments.iter().flat_map(|(first, _)| first).map(|m| m * m);
            10.0 * squares.sum::<f32>().sqrt()
        };
        assert!((first_moment(None) - norm).abs() < 1e-3 * norm);
        assert!((first_moment(Some(2.0 * norm)) - norm).abs() < 1e-3 * norm);
        assert!((first_moment(Some(norm / 4.0)) - norm / 4.0).abs() < 1e-3 * norm);
    }
}
