//! What the training loop needs of a network: the published one and those it is compared with.

use burn::module::{Module, ModuleDisplay};
use burn::tensor::{Device, Tensor};
use propense_model::{
    Arithmetic, CnnLstm, CpuGradient, ModelConfig, ModelError, NamedTensor, Structure,
    StructureConfig, StructureKind,
};

use crate::TrainError;
use crate::adam::numbers;
use crate::batch::{by_length, collate, collate_whole};
use crate::example::{Example, Weighting};
use crate::scoring;

/// A network's sizes.
pub(crate) trait Blueprint: Clone {
    /// The network of these sizes.
    type Network: Network;

    /// Weights drawn from the seed.
    fn fresh(&self, seed: u64) -> Result<Vec<NamedTensor>, ModelError>;

    /// The network with these weights on this device.
    fn build(&self, weights: &[NamedTensor], device: &Device) -> Result<Self::Network, ModelError>;

    /// Kernels that give its gradient on the CPU, where there are any.
    fn gradient(&self) -> Result<Option<CpuGradient>, ModelError> {
        Ok(None)
    }

    /// Trained numbers.
    fn parameters(&self) -> usize;

    /// Name of the weight that is added to every logit.
    fn output_bias(&self) -> &'static str;

    /// Numbers of the state after an event.
    fn states(&self) -> usize;
}

/// A network that gives a logit after every event.
pub(crate) trait Network: Module + ModuleDisplay {
    /// Numbers in a row.
    fn features(&self) -> usize;

    /// `[batch, time, features]` and `[batch, context]` to `[batch, time]`.
    fn after_each(&self, rows: Tensor<3>, context: Tensor<2>) -> Tensor<2> {
        self.with_states(rows, context).0
    }

    /// The same, and the states that it is read from, `[batch, time, states]`; none where events are not
    /// read.
    fn with_states(&self, rows: Tensor<3>, context: Tensor<2>) -> (Tensor<2>, Option<Tensor<3>>);

    /// What training looks at: the logits as [`Self::after_each`] gives them, and the mean loss of what
    /// else is forecast after each event, `[1]`, where something is.
    fn taught(&self, rows: Tensor<3>, context: Tensor<2>) -> (Tensor<2>, Option<Tensor<1>>) {
        (self.after_each(rows, context), None)
    }

    /// `[batch, context]` to `[batch]`.
    fn without_events(&self, context: Tensor<2>) -> Tensor<1>;

    /// Where the weights lie.
    fn device(&self) -> Device;

    /// The logits of whole examples, `[batch]`, where that is less work than scoring them after
    /// every event.
    fn whole(&self, _: &[Example], _: &[usize]) -> Option<Tensor<1>> {
        None
    }

    /// The same network, with gradients sought in these numbers; the published one alone has others
    /// than f32.
    fn in_arithmetic(self, arithmetic: Arithmetic) -> Result<Self, ModelError> {
        match arithmetic {
            Arithmetic::F32 => Ok(self),
            Arithmetic::Mixed => Err(ModelError::Config {
                field: "arithmetic",
                value: "mixed".into(),
                allowed: "f32, but for the published network".into(),
            }),
        }
    }

    /// The weights as plain numbers.
    fn numbers(&self) -> Result<Vec<NamedTensor>, ModelError>;

    /// The logits of all prefixes, as [`scoring::all_prefixes_unless`] gives them.
    fn prefixes(
        &self,
        examples: &[Example],
        weighting: Weighting,
        stop: &dyn Fn() -> bool,
    ) -> Result<Option<Vec<Vec<f32>>>, TrainError> {
        let device = self.device();
        let mut logits = vec![Vec::new(); examples.len()];
        for indices in by_length(examples) {
            if stop() {
                return Ok(None);
            }
            let batch = collate(examples, &indices, self.features(), weighting, &device);
            let first = numbers(self.without_events(batch.context.clone()))?;
            let (rest, time) = if batch.has_events && weighting != Weighting::Context {
                let [_, time, _] = batch.rows.dims();
                (numbers(self.after_each(batch.rows, batch.context))?, time)
            } else {
                (Vec::new(), 0)
            };
            for ((place, &index), first) in indices.iter().enumerate().zip(first) {
                let (Some(list), Some(example)) = (logits.get_mut(index), examples.get(index))
                else {
                    continue;
                };
                list.push(first);
                let seen = place * time..place * time + example.events.min(time);
                list.extend_from_slice(rest.get(seen).unwrap_or_default());
            }
        }
        Ok(Some(logits))
    }
}

impl Blueprint for ModelConfig {
    type Network = CnnLstm;

    fn fresh(&self, seed: u64) -> Result<Vec<NamedTensor>, ModelError> {
        self.initial_weights(seed)
    }

    fn build(&self, weights: &[NamedTensor], device: &Device) -> Result<CnnLstm, ModelError> {
        CnnLstm::from_weights(self, weights, device)
    }

    fn gradient(&self) -> Result<Option<CpuGradient>, ModelError> {
        CpuGradient::new(self)
    }

    fn parameters(&self) -> usize {
        self.parameters()
    }

    fn output_bias(&self) -> &'static str {
        "output.bias"
    }

    fn states(&self) -> usize {
        self.hidden
    }
}

impl Network for CnnLstm {
    fn features(&self) -> usize {
        self.config().features
    }

    fn with_states(&self, rows: Tensor<3>, context: Tensor<2>) -> (Tensor<2>, Option<Tensor<3>>) {
        let (logits, states) = self.forward_with_states(rows, context);
        (logits, Some(states))
    }

    fn device(&self) -> Device {
        self.device()
    }

    fn without_events(&self, context: Tensor<2>) -> Tensor<1> {
        self.forward_context_only(context)
    }

    fn whole(&self, examples: &[Example], indices: &[usize]) -> Option<Tensor<1>> {
        Some(self.forward_last(&collate_whole(examples, indices, self.config())))
    }

    fn in_arithmetic(self, arithmetic: Arithmetic) -> Result<Self, ModelError> {
        self.in_arithmetic(arithmetic)
    }

    fn numbers(&self) -> Result<Vec<NamedTensor>, ModelError> {
        self.weights()
    }

    fn prefixes(
        &self,
        examples: &[Example],
        weighting: Weighting,
        stop: &dyn Fn() -> bool,
    ) -> Result<Option<Vec<Vec<f32>>>, TrainError> {
        scoring::all_prefixes_unless(self, examples, weighting, stop)
    }
}

impl Blueprint for StructureConfig {
    type Network = Structure;

    fn fresh(&self, seed: u64) -> Result<Vec<NamedTensor>, ModelError> {
        self.init(&propense_model::cpu_device(), seed)?.weights()
    }

    fn build(&self, weights: &[NamedTensor], device: &Device) -> Result<Structure, ModelError> {
        self.init(device, 0)?.with_weights(weights)
    }

    fn parameters(&self) -> usize {
        let weights = self.fresh(0).unwrap_or_default();
        weights.iter().map(|weight| weight.data.len()).sum()
    }

    fn output_bias(&self) -> &'static str {
        "output_bias"
    }

    fn states(&self) -> usize {
        match self.kind {
            StructureKind::Context => 0,
            _ => self.read_out(),
        }
    }
}

impl Network for Structure {
    fn features(&self) -> usize {
        self.config().features
    }

    fn with_states(&self, rows: Tensor<3>, context: Tensor<2>) -> (Tensor<2>, Option<Tensor<3>>) {
        self.forward_with_states(rows, context)
    }

    fn device(&self) -> Device {
        self.device()
    }

    fn without_events(&self, context: Tensor<2>) -> Tensor<1> {
        self.forward_context_only(context)
    }

    fn numbers(&self) -> Result<Vec<NamedTensor>, ModelError> {
        self.weights()
    }
}
