//! Products of numbers of 16 bits, summed up in 32, with a gradient, on CubeCL devices.
//!
//! Weights and activations are rounded to f16, which keeps eleven bits. Gradients, most of which are
//! below what f16 can say, are first divided by the largest of the tensor that goes into a product, and
//! the product is multiplied by it again. So no loss is scaled, nothing overflows, and no step is skipped.

use burn::backend::Backend;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::ops::FloatTensorOps;
use burn::backend::tensor::FloatTensor;
use burn::tensor::{DType, Device, FloatDType, Tensor};
use burn_cubecl::CubeBackend;
use burn_cubecl::cubecl::prelude::{CubeCount, CubeDim};
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::kernel::matmul::{MatmulStrategy, matmul};
use burn_cubecl::tensor::CubeTensor;

use super::mixed_kernel as kernel;
use super::{Tracked, empty};
use crate::limits::{UNITS, WORKGROUPS};

/// Gradients of zeros alone are divided by this.
const LEAST: f32 = f32::MIN_POSITIVE;

/// Whether this device, with or without gradients, computes with numbers of 16 bits in kernels of ours.
pub(crate) fn is_there(device: &Device) -> bool {
    let probe = Tensor::<1>::zeros([1], &device.clone().inner());
    probe
        .try_into_primitive::<CubeBackend>()
        .is_ok_and(|probe| CubeBackend::supports_dtype(&probe.device, DType::F16))
}

/// The product of `left`, `[n, m]`, and `right`, `[m, k]`: `[n, k]`, in f32 as they are.
///
/// None where the tensors lie on no CubeCL device or are not tracked, or are to be computed again on the
/// way back.
pub(crate) fn product(left: &Tensor<2>, right: &Tensor<2>) -> Option<Tensor<2>> {
    if !left.device().is_autodiff() || [left.dtype(), right.dtype()] != [DType::F32; 2] {
        return None;
    }
    let left = left.clone().try_into_primitive::<Tracked>().ok()?;
    let right = right.clone().try_into_primitive::<Tracked>().ok()?;
    Some(Tensor::from_primitive::<Tracked>(tracked(left, right)))
}

fn tracked(left: FloatTensor<Tracked>, right: FloatTensor<Tracked>) -> FloatTensor<Tracked> {
    let nodes = [left.node(), right.node()];
    let factors = [left.into_primitive(), right.into_primitive()].map(Half::rounded);
    let out = multiply(&factors[0], &factors[1]);
    match Product
        .prepare::<NoCheckpointing>(nodes)
        .compute_bound()
        .stateful()
    {
        OpsKind::Tracked(prepared) => prepared.finish(factors, out),
        OpsKind::UnTracked(prepared) => prepared.finish(out),
    }
}

/// The operation on the tape.
#[derive(Debug)]
struct Product;

impl Backward<CubeBackend, 2> for Product {
    type State = [Half; 2];

    fn backward(
        self,
        ops: Ops<[Half; 2], 2>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let given = Half::scaled(gradients.consume::<CubeBackend>(&ops.node));
        let [left, right] = ops.state;
        let [by_left, by_right] = ops.parents;
        if let Some(node) = by_left {
            let gradient = multiply(&given, &right.transposed());
            gradients.register::<CubeBackend>(node.id, gradient);
        }
        if let Some(node) = by_right {
            let gradient = multiply(&left.transposed(), &given);
            gradients.register::<CubeBackend>(node.id, gradient);
        }
    }
}

/// A matrix in f16.
#[derive(Debug, Clone)]
pub(super) struct Half {
    pub(super) numbers: CubeTensor,
    /// By what the numbers were divided: `[1, 1]`, in f32.
    scale: Option<CubeTensor>,
}

impl Half {
    /// As it is: what is larger than f16 can say becomes its largest.
    pub(super) fn rounded(matrix: CubeTensor) -> Self {
        Self {
            numbers: narrow(matrix, None),
            scale: None,
        }
    }

    /// Divided by its largest magnitude.
    pub(super) fn scaled(matrix: CubeTensor) -> Self {
        let largest = CubeBackend::float_max_abs_dim(matrix.clone(), 1);
        let largest = CubeBackend::float_max_dim(largest, 0);
        let scale = CubeBackend::float_clamp_min(largest, LEAST.into());
        Self {
            numbers: narrow(matrix, Some(&scale)),
            scale: Some(scale),
        }
    }

    pub(super) fn transposed(&self) -> Self {
        Self {
            numbers: CubeBackend::float_transpose(self.numbers.clone()),
            scale: self.scale.clone(),
        }
    }
}

/// The product, summed up and given in f32.
pub(super) fn multiply(left: &Half, right: &Half) -> CubeTensor {
    let (a, b) = (left.numbers.clone(), right.numbers.clone());
    let strategy = MatmulStrategy::default();
    let product = matmul(a, b, None, strategy, DType::F32).unwrap_or_else(|_| {
        // No kernel for these types: the same numbers in f32.
        let wide = |half: &Half| CubeBackend::float_cast(half.numbers.clone(), FloatDType::F32);
        CubeBackend::float_matmul(wide(left), wide(right))
    });
    let scales = [&left.scale, &right.scale].into_iter().flatten();
    scales.fold(product, |product, scale| {
        CubeBackend::float_mul(product, scale.clone())
    })
}

fn narrow(matrix: CubeTensor, scale: Option<&CubeTensor>) -> CubeTensor {
    let matrix = into_contiguous(matrix);
    let shape = matrix.meta.shape();
    let shape = [shape[0], shape[1]];
    let count = shape[0] * shape[1];
    let out = empty(&matrix, shape, DType::F16);
    let workgroups = count.div_ceil(UNITS).clamp(1, WORKGROUPS);
    let scaled = scale.is_some();
    // SAFETY: both have `count` numbers, and a scale has one.
    unsafe {
        kernel::narrow::launch_unchecked(
            &matrix.client.clone(),
            CubeCount::new_1d(workgroups as u32),
            CubeDim::new_1d(UNITS as u32),
            matrix.clone().into_tensor_arg(),
            // A binding takes a buffer even where nothing is read from it.
            scale.unwrap_or(&matrix).clone().into_tensor_arg(),
            out.clone().into_tensor_arg(),
            count as u32,
            scaled,
        );
    }
    out
}

#[cfg(all(test, feature = "flex"))]
mod tests;
