//! The LSTM's steps as one operation with a gradient, on CubeCL devices: a launch forward and one
//! back, where tensors take dozens for each step.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::ops::FloatTensorOps;
use burn::backend::tensor::FloatTensor;
use burn::tensor::{DType, Tensor};
use burn_cubecl::CubeBackend;
use burn_cubecl::cubecl::prelude::{CubeCount, CubeDim, Float};
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use half::f16;

use super::mixed::{Half, multiply};
use super::recurrent_kernel::{self as kernel, KEPT, Sizes};
use super::{Tracked, empty};
use crate::limits::{self, UNITS, WORKGROUPS};
use crate::{Arithmetic, CellActivation};

/// Every step's output, `[batch, steps, lanes × hidden]`, from `inputs`,
/// `[batch, steps, lanes × 4 × hidden]`, and the weights, `[hidden, 4 × hidden]`.
///
/// None where the tensors lie on no CubeCL device, are not both tracked or both untracked, are to be
/// computed again on the way back, or do not fit the kernels: more hidden units than a workgroup has,
/// no step, more sequences than a launch takes.
pub(crate) fn outputs(
    inputs: &Tensor<3>,
    recurrent: &Tensor<2>,
    activation: CellActivation,
    arithmetic: Arithmetic,
) -> Option<Tensor<3>> {
    let mut pass = Pass::new(inputs, recurrent, activation)?;
    let (inputs, recurrent) = (inputs.clone(), recurrent.clone());
    if inputs.device().is_autodiff() {
        pass.mixed = arithmetic == Arithmetic::Mixed;
        let inputs = inputs.try_into_primitive::<Tracked>().ok()?;
        let recurrent = recurrent.try_into_primitive::<Tracked>().ok()?;
        let outputs = pass.tracked(inputs, recurrent);
        Some(Tensor::from_primitive::<Tracked>(outputs))
    } else {
        let inputs = inputs.try_into_primitive::<CubeBackend>().ok()?;
        let recurrent = recurrent.try_into_primitive::<CubeBackend>().ok()?;
        let (outputs, _) = pass.forward(inputs, recurrent, false);
        Some(Tensor::from_primitive::<CubeBackend>(outputs))
    }
}

/// The shape of one pass over a batch.
#[derive(Debug, Clone, Copy)]
struct Pass {
    batch: usize,
    steps: usize,
    lanes: usize,
    hidden: usize,
    rectified: bool,
    /// Whether products are of numbers of 16 bits.
    mixed: bool,
}

/// What the way back needs of the way forward.
#[derive(Debug, Clone)]
struct Kept {
    /// `[places, KEPT × hidden]`, as the kernels lay it out.
    steps: CubeTensor,
    /// The output of the step before: `[places, hidden]`.
    earlier: CubeTensor,
    /// `[hidden, 4 × hidden]`, of as many bits as the kernels read.
    recurrent: CubeTensor,
}

impl Pass {
    fn new(inputs: &Tensor<3>, recurrent: &Tensor<2>, activation: CellActivation) -> Option<Self> {
        let [batch, steps, width] = inputs.dims();
        let [hidden, _] = recurrent.dims();
        let pass = Self {
            batch,
            steps,
            lanes: width / (4 * hidden).max(1),
            hidden,
            rectified: activation == CellActivation::Relu,
            mixed: false,
        };
        let numbers = inputs.dtype() == DType::F32 && recurrent.dtype() == DType::F32;
        let some = hidden > 0 && steps > 0 && pass.sequences() > 0;
        let fits = some && hidden <= UNITS && pass.workgroups(pass.tile_back()) <= WORKGROUPS;
        (numbers && fits).then_some(pass)
    }

    const fn sequences(&self) -> usize {
        self.batch * self.lanes
    }

    /// All steps of all sequences.
    const fn places(&self) -> usize {
        self.sequences() * self.steps
    }

    const fn workgroups(&self, tile: usize) -> usize {
        self.sequences().div_ceil(tile)
    }

    /// Sequences of a workgroup on the way forward, which holds their outputs.
    fn tile(&self) -> usize {
        limits::tile(self.sequences(), self.hidden)
    }

    /// The same on the way back, which holds the gradients of four gates.
    fn tile_back(&self) -> usize {
        limits::tile(self.sequences(), 4 * self.hidden)
    }

    const fn sizes(&self, tile: usize, kept: bool) -> Sizes {
        Sizes {
            hidden: self.hidden,
            tile,
            rectified: self.rectified,
            kept,
        }
    }

    fn cube_dim(&self) -> CubeDim {
        CubeDim::new_1d(self.hidden.next_multiple_of(32) as u32)
    }

    fn tracked(
        self,
        inputs: FloatTensor<Tracked>,
        recurrent: FloatTensor<Tracked>,
    ) -> FloatTensor<Tracked> {
        let nodes = [inputs.node(), recurrent.node()];
        let (inputs, recurrent) = (inputs.into_primitive(), recurrent.into_primitive());
        match self
            .prepare::<NoCheckpointing>(nodes)
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prepared) => {
                let (outputs, kept) = self.forward(inputs, recurrent, true);
                prepared.finish(kept, outputs)
            }
            OpsKind::UnTracked(prepared) => {
                prepared.finish(self.forward(inputs, recurrent, false).0)
            }
        }
    }

    /// The outputs, and what the way back needs, which is next to nothing unless it is to be kept.
    fn forward(&self, inputs: CubeTensor, recurrent: CubeTensor, keep: bool) -> (CubeTensor, Kept) {
        let inputs = into_contiguous(inputs);
        let recurrent = match self.mixed {
            true => Half::rounded(recurrent).numbers,
            false => into_contiguous(recurrent),
        };
        let outputs = empty(
            &inputs,
            [self.batch, self.steps, self.lanes * self.hidden],
            DType::F32,
        );
        // A binding takes a buffer even where nothing is written to it.
        let places = if keep { self.places() } else { 1 };
        let width = if keep { self.hidden } else { 1 };
        let kept = Kept {
            steps: empty(&inputs, [places, KEPT * width], DType::F32),
            earlier: empty(&inputs, [places, width], DType::F32),
            recurrent,
        };
        match self.mixed {
            true => self.launch_forward::<f16>(inputs, &outputs, &kept, keep),
            false => self.launch_forward::<f32>(inputs, &outputs, &kept, keep),
        }
        (outputs, kept)
    }

    fn launch_forward<W: Float>(
        &self,
        inputs: CubeTensor,
        outputs: &CubeTensor,
        kept: &Kept,
        keep: bool,
    ) {
        let tile = self.tile();
        // SAFETY: indices into `inputs` and `outputs` are bounded by the number of sequences, of
        // steps and of lanes, which their shapes gave, and by `hidden`; so are those into what is
        // kept, which is written to only where it has these sizes; those into `recurrent` by
        // `hidden` alone.
        unsafe {
            kernel::forward::launch_unchecked::<W>(
                &inputs.client.clone(),
                CubeCount::new_1d(self.workgroups(tile) as u32),
                self.cube_dim(),
                inputs.into_tensor_arg(),
                kept.recurrent.clone().into_tensor_arg(),
                outputs.clone().into_tensor_arg(),
                kept.steps.clone().into_tensor_arg(),
                kept.earlier.clone().into_tensor_arg(),
                self.sequences() as u32,
                self.steps as u32,
                self.lanes as u32,
                self.sizes(tile, keep),
            );
        }
    }

    /// The gradient by the inputs, in their shape, from that by the outputs.
    fn back(&self, kept: &Kept, given: CubeTensor) -> CubeTensor {
        match self.mixed {
            true => self.launch_backward::<f16>(kept, into_contiguous(given)),
            false => self.launch_backward::<f32>(kept, into_contiguous(given)),
        }
    }

    fn launch_backward<W: Float>(&self, kept: &Kept, given: CubeTensor) -> CubeTensor {
        let transposed = into_contiguous(CubeBackend::float_transpose(kept.recurrent.clone()));
        let tile = self.tile_back();
        let gradients = empty(
            &given,
            [self.batch, self.steps, self.lanes * 4 * self.hidden],
            DType::F32,
        );
        // SAFETY: as above; `given` has the shape of the outputs, and a step before the first is
        // never read.
        unsafe {
            kernel::backward::launch_unchecked::<W>(
                &given.client.clone(),
                CubeCount::new_1d(self.workgroups(tile) as u32),
                self.cube_dim(),
                kept.steps.clone().into_tensor_arg(),
                transposed.into_tensor_arg(),
                given.into_tensor_arg(),
                gradients.clone().into_tensor_arg(),
                self.sequences() as u32,
                self.steps as u32,
                self.lanes as u32,
                self.sizes(tile, true),
            );
        }
        gradients
    }
}

impl Backward<CubeBackend, 2> for Pass {
    type State = Kept;

    fn backward(
        self,
        ops: Ops<Kept, 2>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let given = gradients.consume::<CubeBackend>(&ops.node);
        let kept = ops.state;
        let by_inputs = self.back(&kept, given);
        let [inputs, recurrent] = ops.parents;
        if let Some(node) = recurrent {
            // Σ over all steps of the output before it × the gradient by its gates.
            let shape = [self.places(), 4 * self.hidden];
            let by_gates = CubeBackend::float_reshape(by_inputs.clone(), shape.into());
            let by_weights = if self.mixed {
                let earlier = Half::rounded(kept.earlier).transposed();
                multiply(&earlier, &Half::scaled(by_gates))
            } else {
                let earlier = CubeBackend::float_transpose(kept.earlier);
                CubeBackend::float_matmul(earlier, by_gates)
            };
            gradients.register::<CubeBackend>(node.id, by_weights);
        }
        if let Some(node) = inputs {
            gradients.register::<CubeBackend>(node.id, by_inputs);
        }
    }
}

#[cfg(all(test, feature = "flex"))]
mod tests;
