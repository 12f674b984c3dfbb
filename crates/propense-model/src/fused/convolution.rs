//! Convolution, pooling and ReLU as one operation with a gradient, on CubeCL devices: a launch forward
//! and two back, one more where the rows want a gradient too.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::tensor::{DType, Tensor};
use burn_cubecl::CubeBackend;
use burn_cubecl::cubecl::prelude::{CubeCount, CubeDim};
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

use super::convolution_kernel::{self as kernel, Sizes};
use super::{Tracked, empty};
use crate::limits::{KERNEL, UNITS, WORKGROUPS};

/// Positions that a unit takes, where there are as many: it reads its weights once for all of them.
const POSITIONS: usize = 8;

/// Workgroups among which the weights' gradient is divided, where there are positions for as many.
const SLABS: usize = 256;

/// Pooled windows, `stride` rows apart, by column, then by filter: `[batch, windows, columns × filters]`,
/// from `plane`, `[batch, height, features]`, the weights, `[filters, 1, kernel, kernel]`, and the bias,
/// `[filters]`.
///
/// None where the tensors lie on no CubeCL device, are not all tracked or all untracked, are to be
/// computed again on the way back, or do not fit the kernels: more filters than a workgroup has units,
/// a kernel wider than [`KERNEL`], no window, more positions than a launch takes.
pub(crate) fn windows(
    plane: &Tensor<3>,
    weights: &Tensor<4>,
    bias: &Tensor<1>,
    stride: usize,
) -> Option<Tensor<3>> {
    let pass = Pass::new(plane, weights, bias, stride)?;
    let (plane, weights, bias) = (plane.clone(), weights.clone(), bias.clone());
    if plane.device().is_autodiff() {
        let plane = plane.try_into_primitive::<Tracked>().ok()?;
        let weights = weights.try_into_primitive::<Tracked>().ok()?;
        let bias = bias.try_into_primitive::<Tracked>().ok()?;
        let windows = pass.tracked(plane, weights, bias);
        Some(Tensor::from_primitive::<Tracked>(windows))
    } else {
        let plane = plane.try_into_primitive::<CubeBackend>().ok()?;
        let weights = weights.try_into_primitive::<CubeBackend>().ok()?;
        let bias = bias.try_into_primitive::<CubeBackend>().ok()?;
        let (windows, _) = pass.forward(plane, weights, bias, false);
        Some(Tensor::from_primitive::<CubeBackend>(windows))
    }
}

/// The shape of one pass over a batch.
#[derive(Debug, Clone, Copy)]
struct Pass {
    batch: usize,
    height: usize,
    features: usize,
    kernel: usize,
    filters: usize,
    windows: usize,
    columns: usize,
    stride: usize,
}

/// What the way back needs of the way forward.
#[derive(Debug, Clone)]
struct Kept {
    /// `[batch, height, features]`.
    plane: CubeTensor,
    /// `[filters, 1, kernel, kernel]`.
    weights: CubeTensor,
    /// The place that pooling chose of each cell, as the kernels lay it out.
    chosen: CubeTensor,
}

impl Pass {
    fn new(
        plane: &Tensor<3>,
        weights: &Tensor<4>,
        bias: &Tensor<1>,
        stride: usize,
    ) -> Option<Self> {
        let [batch, height, features] = plane.dims();
        let [filters, _, kernel, _] = weights.dims();
        let numbers = [plane.dtype(), weights.dtype(), bias.dtype()];
        let fits = (1..=UNITS).contains(&filters) && (1..=KERNEL).contains(&kernel) && stride > 0;
        if numbers != [DType::F32; 3] || !fits || height <= kernel || features <= kernel {
            return None;
        }
        let pass = Self {
            batch,
            height,
            features,
            kernel,
            filters,
            windows: (height - kernel - 1) / stride + 1,
            columns: (features + 1 - kernel) / 2,
            stride,
        };
        let launches = pass.positions().div_ceil(pass.span());
        (batch > 0 && launches <= WORKGROUPS).then_some(pass)
    }

    /// Pooled columns of all windows of all sessions.
    const fn positions(&self) -> usize {
        self.batch * self.windows * self.columns
    }

    const fn sizes(&self, kept: bool) -> Sizes {
        Sizes {
            features: self.features,
            kernel: self.kernel,
            filters: self.filters,
            columns: self.columns,
            kept,
        }
    }

    /// Positions of a workgroup on the way forward.
    const fn span(&self) -> usize {
        POSITIONS * self.sizes(false).rows()
    }

    /// The same on the way back to the weights.
    fn span_back(&self) -> usize {
        self.span().max(self.positions().div_ceil(SLABS))
    }

    fn tracked(
        self,
        plane: FloatTensor<Tracked>,
        weights: FloatTensor<Tracked>,
        bias: FloatTensor<Tracked>,
    ) -> FloatTensor<Tracked> {
        let nodes = [plane.node(), weights.node(), bias.node()];
        let plane = plane.into_primitive();
        let (weights, bias) = (weights.into_primitive(), bias.into_primitive());
        match self
            .prepare::<NoCheckpointing>(nodes)
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prepared) => {
                let (windows, kept) = self.forward(plane, weights, bias, true);
                prepared.finish(kept, windows)
            }
            OpsKind::UnTracked(prepared) => {
                prepared.finish(self.forward(plane, weights, bias, false).0)
            }
        }
    }

    /// The windows, and what the way back needs, which is next to nothing unless it is to be kept.
    fn forward(
        &self,
        plane: CubeTensor,
        weights: CubeTensor,
        bias: CubeTensor,
        keep: bool,
    ) -> (CubeTensor, Kept) {
        let plane = into_contiguous(plane);
        let (weights, bias) = (into_contiguous(weights), into_contiguous(bias));
        let width = self.columns * self.filters;
        let cells = empty(&plane, [self.batch, self.windows, width], DType::F32);
        // A binding takes a buffer even where nothing is written to it.
        let places = if keep { self.positions() } else { 1 };
        let width = if keep { self.filters } else { 1 };
        let kept = Kept {
            chosen: empty(&plane, [places, width], DType::U32),
            plane,
            weights,
        };
        let span = self.span();
        // SAFETY: `Pass::new` took the sizes from the tensors' shapes. Positions are below their
        // number and a unit's filter is below that of the filters, so that cells, weights and biases
        // are within theirs; the patch of a position ends in the last row and column at most. What
        // was chosen is written to only where it has these sizes.
        unsafe {
            kernel::forward::launch_unchecked(
                &kept.plane.client.clone(),
                CubeCount::new_1d(self.positions().div_ceil(span) as u32),
                CubeDim::new_1d(UNITS as u32),
                kept.plane.clone().into_tensor_arg(),
                kept.weights.clone().into_tensor_arg(),
                bias.into_tensor_arg(),
                cells.clone().into_tensor_arg(),
                kept.chosen.clone().into_tensor_arg(),
                self.positions() as u32,
                span as u32,
                self.windows as u32,
                self.height as u32,
                self.stride as u32,
                self.sizes(keep),
            );
        }
        (cells, kept)
    }

    /// The gradients by weights and bias, in their shapes, from that by the windows.
    fn by_weights(&self, kept: &Kept, given: &CubeTensor) -> [CubeTensor; 2] {
        let span = self.span_back();
        let slabs = self.positions().div_ceil(span);
        let sizes = self.sizes(true);
        let (filters, kernel) = (self.filters, self.kernel);
        let numbers = filters * (kernel * kernel + 1);
        let count = slabs * sizes.rows();
        let parts = empty(given, [numbers, count], DType::F32);
        let weights = empty(given, [filters, 1, kernel, kernel], DType::F32);
        let bias = empty(given, [filters], DType::F32);
        // SAFETY: as above; `given` has the shape of the windows, a choice beyond the four places
        // reads nothing, and there is a part for each row of units of each workgroup.
        unsafe {
            kernel::by_weights::launch_unchecked(
                &given.client.clone(),
                CubeCount::new_1d(slabs as u32),
                CubeDim::new_1d(UNITS as u32),
                kept.plane.clone().into_tensor_arg(),
                kept.chosen.clone().into_tensor_arg(),
                given.clone().into_tensor_arg(),
                parts.clone().into_tensor_arg(),
                self.positions() as u32,
                span as u32,
                self.windows as u32,
                self.height as u32,
                self.stride as u32,
                sizes,
            );
            kernel::add_up::launch_unchecked(
                &given.client.clone(),
                CubeCount::new_1d(numbers as u32),
                CubeDim::new_1d(UNITS as u32),
                parts.into_tensor_arg(),
                weights.clone().into_tensor_arg(),
                bias.clone().into_tensor_arg(),
                count as u32,
                sizes,
            );
        }
        [weights, bias]
    }

    /// The gradient by the plane, in its shape.
    fn by_plane(&self, kept: &Kept, given: &CubeTensor) -> CubeTensor {
        let gradient = empty(given, [self.batch, self.height, self.features], DType::F32);
        let numbers = self.batch * self.height * self.features;
        let workgroups = numbers.div_ceil(UNITS).min(WORKGROUPS);
        // SAFETY: as above; windows, columns and places of a kernel are compared with their number
        // before they are read.
        unsafe {
            kernel::by_plane::launch_unchecked(
                &given.client.clone(),
                CubeCount::new_1d(workgroups as u32),
                CubeDim::new_1d(UNITS as u32),
                kept.weights.clone().into_tensor_arg(),
                kept.chosen.clone().into_tensor_arg(),
                given.clone().into_tensor_arg(),
                gradient.clone().into_tensor_arg(),
                numbers as u32,
                self.windows as u32,
                self.height as u32,
                self.stride as u32,
                self.sizes(true),
            );
        }
        gradient
    }
}

impl Backward<CubeBackend, 3> for Pass {
    type State = Kept;

    fn backward(
        self,
        ops: Ops<Kept, 3>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let given = into_contiguous(gradients.consume::<CubeBackend>(&ops.node));
        let kept = ops.state;
        let [plane, weights, bias] = ops.parents;
        if weights.is_some() || bias.is_some() {
            let [by_weights, by_bias] = self.by_weights(&kept, &given);
            if let Some(node) = weights {
                gradients.register::<CubeBackend>(node.id, by_weights);
            }
            if let Some(node) = bias {
                gradients.register::<CubeBackend>(node.id, by_bias);
            }
        }
        if let Some(node) = plane {
            gradients.register::<CubeBackend>(node.id, self.by_plane(&kept, &given));
        }
    }
}

#[cfg(all(test, feature = "flex"))]
mod tests;
