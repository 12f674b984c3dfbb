//! The LSTM's recurrent part on Burn tensors: by steps on any device, as one operation on a GPU.

use burn::tensor::Tensor;
use burn::tensor::activation::{relu, sigmoid, tanh};

#[cfg(feature = "wgpu")]
use crate::fused::recurrent;
use crate::{Arithmetic, CellActivation};

/// What an LSTM does once the inputs' part of its gates is known. Cloning is cheap.
#[derive(Debug, Clone)]
pub(crate) struct Lstm {
    /// `[hidden, 4 × hidden]`, gates in the order input, forget, candidate, output.
    pub(crate) recurrent: Tensor<2>,
    pub(crate) activation: CellActivation,
    /// In what numbers gradients are sought.
    pub(crate) arithmetic: Arithmetic,
}

/// The state: output and cell, each `[batch, hidden]`.
pub(crate) type State = (Tensor<2>, Tensor<2>);

impl Lstm {
    /// Hidden units.
    pub(crate) fn hidden(&self) -> usize {
        let [hidden, _] = self.recurrent.dims();
        hidden
    }

    /// All steps from zero state. `inputs` is `[batch, steps, lanes × 4 × hidden]`, lanes being
    /// sequences that lie side by side; the result is each step's output,
    /// `[batch, steps, lanes × hidden]`.
    pub(crate) fn outputs(&self, inputs: Tensor<3>) -> Tensor<3> {
        #[cfg(feature = "wgpu")]
        if let Some(outputs) =
            recurrent::outputs(&inputs, &self.recurrent, self.activation, self.arithmetic)
        {
            return outputs;
        }
        self.outputs_by_steps(inputs)
    }

    /// The same with tensors wherever they lie: what the other way is tested against.
    pub(crate) fn outputs_by_steps(&self, inputs: Tensor<3>) -> Tensor<3> {
        let [batch, steps, width] = inputs.dims();
        let hidden = self.hidden();
        let lanes = width / (4 * hidden);
        let mut slices = Vec::with_capacity(steps);
        split(inputs, &mut slices);
        let mut state = None;
        let mut outputs = Vec::with_capacity(steps);
        for slice in slices {
            let (output, cell) = self.step(slice.reshape([batch * lanes, 4 * hidden]), state);
            outputs.push(output.clone().reshape([batch, 1, lanes * hidden]));
            state = Some((output, cell));
        }
        Tensor::cat(outputs, 1)
    }

    /// One step. `input` is the input's part of the gates, `[batch, 4 × hidden]`; no state means
    /// zero state.
    pub(crate) fn step(&self, input: Tensor<2>, state: Option<State>) -> State {
        let hidden = self.hidden();
        let squash = |tensor| match self.activation {
            CellActivation::Tanh => tanh(tensor),
            CellActivation::Relu => relu(tensor),
        };
        let (gates, cell) = match state {
            Some((output, cell)) => (input + output.matmul(self.recurrent.clone()), Some(cell)),
            None => (input, None),
        };
        let gate = |index: usize| gates.clone().narrow(1, index * hidden, hidden);
        let admitted = sigmoid(gate(0)) * squash(gate(2));
        let cell = match cell {
            Some(cell) => sigmoid(gate(1)) * cell + admitted,
            None => admitted,
        };
        let output = sigmoid(gate(3)) * squash(cell.clone());
        (output, cell)
    }
}

/// Splits `[batch, steps, width]` into its steps. Autodiff writes each slice's gradient into a zero
/// tensor of the sliced tensor's size: by halves that costs steps × log(steps) instead of steps².
pub(crate) fn split(tensor: Tensor<3>, steps: &mut Vec<Tensor<3>>) {
    let [_, count, _] = tensor.dims();
    if count == 1 {
        steps.push(tensor);
    } else if tensor.device().is_autodiff() {
        let half = count / 2;
        split(tensor.clone().narrow(1, 0, half), steps);
        split(tensor.narrow(1, half, count - half), steps);
    } else {
        steps.extend((0..count).map(|step| tensor.clone().narrow(1, step, 1)));
    }
}
