//! What takes the steps of training: Burn's tensors on any device, or the CPU's own kernels.

use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use propense_model::{CpuGradient, CpuModel, Lesson, ModelConfig, NamedTensor, cpu_device};

use crate::TrainError;
use crate::adam::{Adam, Moments, PlainAdam, numbers};
use crate::batch::{Batch, collate, last_labels, outcomes};
use crate::device::Chosen;
use crate::example::{Example, Weighting};
use crate::loss::cross_entropy;
use crate::network::{Blueprint, Network};
use crate::options::TrainOptions;
use crate::scoring;

/// A network and its optimiser. Cloning is cheap beside an epoch.
#[derive(Clone)]
pub(crate) enum Learner<N> {
    /// Automatic differentiation of tensors.
    Tensors(Box<Tensors<N>>),
    /// The published network's own kernels, on the CPU.
    Kernels(Box<Kernels>),
}

impl<N: Network> Learner<N> {
    /// From these weights; from the optimiser's state after so many steps, where there is one.
    pub(crate) fn new<B: Blueprint<Network = N>>(
        config: &B,
        weights: &[NamedTensor],
        state: Option<(u32, Moments)>,
        options: &TrainOptions,
        chosen: &Chosen,
    ) -> Result<Self, TrainError> {
        // What the kernels could not check, building the network does.
        let device = chosen.device.clone().autodiff();
        let model = config.build(weights, &device)?;
        let model = model.in_arithmetic(options.arithmetic)?;
        let gradient = match chosen.device == cpu_device() {
            true => config.gradient()?,
            false => None,
        };
        if let Some(gradient) = gradient {
            let adam = PlainAdam::new(options.learning_rate, options.clip);
            return Ok(Self::Kernels(Box::new(Kernels {
                gradient,
                weights: weights.to_vec(),
                adam: match state {
                    Some((steps, moments)) => adam.load(steps, moments),
                    None => adam,
                },
                seed: options.seed,
                loss: 0.0,
            })));
        }
        let adam = Adam::new(options.learning_rate, options.clip);
        Ok(Self::Tensors(Box::new(Tensors {
            model,
            adam: match state {
                Some((steps, moments)) => adam.load(steps, moments, &chosen.device),
                None => adam,
            },
            waiting: None,
            device,
        })))
    }

    /// One step on the named examples. Gives the sum of their weights; their loss waits for
    /// [`Self::loss`].
    pub(crate) fn step(
        &mut self,
        examples: &[Example],
        indices: &[usize],
        weighting: Weighting,
    ) -> Result<f32, TrainError> {
        match self {
            Self::Tensors(tensors) => Ok(tensors.step(examples, indices, weighting)),
            Self::Kernels(kernels) => kernels.step(examples, indices, weighting),
        }
    }

    /// Sum of `weight · BCE` over the steps since it was last asked for. Waits for the device.
    pub(crate) fn loss(&mut self) -> Result<f64, TrainError> {
        match self {
            Self::Tensors(tensors) => {
                let loss = tensors.waiting.take().map(numbers).transpose()?;
                Ok(loss.unwrap_or_default().into_iter().map(f64::from).sum())
            }
            Self::Kernels(kernels) => Ok(std::mem::take(&mut kernels.loss)),
        }
    }

    /// The logits of all prefixes, as [`Network::prefixes`] gives them.
    pub(crate) fn prefixes(
        &self,
        examples: &[Example],
        weighting: Weighting,
        stop: &dyn Fn() -> bool,
    ) -> Result<Option<Vec<Vec<f32>>>, TrainError> {
        match self {
            Self::Tensors(tensors) => tensors.model.valid().prefixes(examples, weighting, stop),
            Self::Kernels(kernels) => {
                let model = CpuModel::new(kernels.gradient.config(), &kernels.weights)?;
                Ok(scoring::all_prefixes_on_cpu(
                    &model, examples, weighting, stop,
                ))
            }
        }
    }

    /// The weights as they are.
    pub(crate) fn weights(&self) -> Result<Vec<NamedTensor>, TrainError> {
        match self {
            Self::Tensors(tensors) => Ok(tensors.model.valid().numbers()?),
            Self::Kernels(kernels) => Ok(kernels.weights.clone()),
        }
    }

    /// Steps taken, and the optimiser's moments.
    pub(crate) fn state(&self) -> Result<(u32, Moments), TrainError> {
        match self {
            Self::Tensors(tensors) => Ok((tensors.adam.steps(), tensors.adam.save()?)),
            Self::Kernels(kernels) => Ok((kernels.adam.steps(), kernels.adam.moments().clone())),
        }
    }
}

/// Tensors share their data until they change.
#[derive(Clone)]
pub(crate) struct Tensors<N> {
    model: N,
    adam: Adam,
    /// Losses that nobody has read yet.
    waiting: Option<Tensor<1>>,
    device: Device,
}

impl<N: Network> Tensors<N> {
    fn step(&mut self, examples: &[Example], indices: &[usize], weighting: Weighting) -> f32 {
        let (sum, total) = self.loss(examples, indices, weighting);
        let kept = sum.clone().inner();
        self.waiting = Some(match self.waiting.take() {
            Some(others) => others + kept,
            None => kept,
        });
        let gradients = (sum / total.max(1e-6)).backward();
        let gradients = GradientsParams::from_grads(gradients, &self.model);
        self.model = self.adam.step(self.model.clone(), gradients);
        total
    }

    /// Sum of `weight · BCE` over a batch, `[1]`, and the sum of the weights.
    fn loss(
        &self,
        examples: &[Example],
        indices: &[usize],
        weighting: Weighting,
    ) -> (Tensor<1>, f32) {
        let whole = match weighting {
            Weighting::Whole => self.model.whole(examples, indices),
            _ => None,
        };
        if let Some(logits) = whole {
            // Each example is scored once: half the work of scoring it after every event.
            let logits = logits.unsqueeze_dim(1); // [batch, 1]
            let outcomes = last_labels(examples, indices, &self.device);
            return (cross_entropy(logits, outcomes).sum(), indices.len() as f32);
        }
        let features = self.model.features();
        let batch = collate(examples, indices, features, weighting, &self.device);
        let loss = weighted_loss(&self.model, &batch, weighting, &self.device);
        (loss, batch.total)
    }
}

/// Sum of `weight · BCE` over the batch: `[1]`.
fn weighted_loss<N: Network>(
    model: &N,
    batch: &Batch,
    weighting: Weighting,
    device: &Device,
) -> Tensor<1> {
    let mut parts = Vec::new();
    if batch.has_events && weighting != Weighting::Context {
        let (logits, besides) = model.taught(batch.rows.clone(), batch.context.clone()); // [batch, time]
        let loss = cross_entropy(logits, batch.labels.clone()) * batch.weights.clone();
        let loss = loss.sum();
        parts.push(match besides {
            Some(besides) => loss + besides * batch.total,
            None => loss,
        });
    }
    if batch.scores_context {
        let logits = model.without_events(batch.context.clone()); // [batch]
        let loss = cross_entropy(logits.unsqueeze_dim(1), batch.context_labels.clone()); // [batch, 1]
        parts.push((loss.squeeze_dim::<1>(1) * batch.context_weights.clone()).sum());
    }
    match (parts.pop(), parts.pop()) {
        (Some(a), Some(b)) => a + b,
        (Some(a), None) => a,
        (None, _) => Tensor::zeros([1], device),
    }
}

/// Everything in memory.
#[derive(Clone)]
pub(crate) struct Kernels {
    gradient: CpuGradient,
    weights: Vec<NamedTensor>,
    adam: PlainAdam,
    seed: u64,
    loss: f64,
}

impl Kernels {
    fn step(
        &mut self,
        examples: &[Example],
        indices: &[usize],
        weighting: Weighting,
    ) -> Result<f32, TrainError> {
        let config: &ModelConfig = self.gradient.config();
        let chosen = || indices.iter().map(|&index| &examples[index]);
        let weights: Vec<Vec<f32>> = chosen().map(|example| example.weights(weighting)).collect();
        let outcomes: Vec<Vec<f32>> = chosen().map(outcomes).collect();
        let lessons: Vec<Lesson<'_>> = chosen()
            .zip(&weights)
            .zip(&outcomes)
            .map(|((example, weights), outcomes)| Lesson {
                rows: &example.rows,
                context: match config.context {
                    0 => &[],
                    _ => &example.context,
                },
                outcomes,
                weights,
            })
            .collect();
        // Another draw of what drops out at each step; the same again in a run that is resumed.
        let draw = self.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ u64::from(self.adam.steps());
        let threads = scoring::threads();
        let (loss, gradients) = self
            .gradient
            .gradient(&self.weights, &lessons, draw, threads)?;
        self.adam.step(&mut self.weights, &gradients);
        self.loss += loss;
        Ok(weights.iter().flatten().sum())
    }
}
