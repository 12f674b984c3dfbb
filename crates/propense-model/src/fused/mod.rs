//! Scoring on a GPU with a kernel of our own: one launch for a batch of whole sessions, or for an
//! event of a live one, where tensors take dozens.

pub(crate) mod convolution;
mod convolution_kernel;
mod kernel;
pub(crate) mod mixed;
mod mixed_kernel;
pub(crate) mod recurrent;
mod recurrent_kernel;
#[cfg(all(test, feature = "flex"))]
mod testing;

use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::tensor::{DType, Tensor};
use burn_cubecl::CubeBackend;
use burn_cubecl::cubecl::prelude::{CubeCount, CubeDim, CubeElement};
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

use self::kernel::{Places, Sizes};
use crate::limits::{self, TILE};
use crate::{Batch, CellActivation, CnnLstm, ModelConfig};

/// Where a device computes with gradients.
type Tracked = Autodiff<CubeBackend, NoCheckpointing>;

/// A network's weights, packed for the kernel, on a GPU. Cloning is cheap: the buffers are shared.
#[derive(Debug, Clone)]
pub(crate) struct Fused {
    sizes: Sizes,
    weights: CubeTensor,
    /// What is bound where there is no state.
    blank: CubeTensor,
}

/// A live session's state on the GPU.
#[derive(Debug, Clone)]
pub(crate) struct FusedState {
    /// A logit, the LSTM's output, its cell: `[1, 1 + 2 × hidden]`.
    numbers: CubeTensor,
    /// With what context the logit was made.
    context: Vec<f32>,
}

impl Fused {
    /// Packs the network's weights; none where it lies on no CubeCL device, is being trained, or
    /// does not fit: an ensemble, a wide convolution kernel, more hidden units than a workgroup has,
    /// more filters than its memory holds.
    pub(crate) fn new(model: &CnnLstm) -> Option<Self> {
        let sizes = sizes(model.config())?;
        if model.ensemble().is_some() {
            return None;
        }
        let on_gpu = |tensor: Tensor<1>| {
            let tensor = tensor.try_into_primitive::<CubeBackend>().ok()?;
            Some(into_contiguous(tensor))
        };
        Some(Self {
            sizes,
            weights: on_gpu(Tensor::cat(model.packed(), 0))?,
            blank: on_gpu(Tensor::zeros([1], &model.device()))?,
        })
    }

    /// The logit of each session as a whole: `[sessions]`. The batch must hold at least one.
    pub(crate) fn score(&self, batch: &Batch) -> Tensor<1> {
        let sessions = batch.sessions();
        let sizes = self.sizes.in_tiles_of(TILE.min(sessions).max(1));
        let mut given = Vec::new();
        batch.pack(&mut given, true);
        let out = self.launch(
            sizes,
            &given,
            None,
            [sessions, batch.height(), batch.steps()],
        );
        Tensor::<2>::from_primitive::<CubeBackend>(out).reshape([sessions])
    }

    /// One step of a live session, scored with this context. `rows` are its newest `kernel + 1`
    /// rows, oldest first; no state means zero state.
    pub(crate) fn step(
        &self,
        rows: &[f32],
        context: &[f32],
        before: Option<&FusedState>,
    ) -> FusedState {
        self.live(rows, context, before, 1)
    }

    /// This state scored with this context, which costs nothing where it is already: the logit, and
    /// behind it the state, since reading less than a buffer takes a launch.
    pub(crate) fn logit(&self, state: Option<&FusedState>, context: &[f32]) -> Tensor<2> {
        let known = state.filter(|state| state.context == context).cloned();
        let scored = known.unwrap_or_else(|| self.live(&[], context, state, 0));
        Tensor::from_primitive::<CubeBackend>(scored.numbers)
    }

    fn live(
        &self,
        rows: &[f32],
        context: &[f32],
        before: Option<&FusedState>,
        steps: usize,
    ) -> FusedState {
        let sizes = Sizes {
            stateful: true,
            resumed: before.is_some(),
            ..self.sizes.in_tiles_of(1)
        };
        let height = sizes.kernel + 1;
        let mut given = vec![steps as f32];
        given.extend(context.iter().copied().take(sizes.context));
        given.resize(1 + sizes.context, 0.0);
        given.extend_from_slice(rows);
        given.resize(1 + sizes.context + height * sizes.features, 0.0);
        let before = before.map(|state| &state.numbers);
        FusedState {
            numbers: self.launch(sizes, &given, before, [1, height, steps]),
            context: context.to_vec(),
        }
    }

    fn launch(
        &self,
        sizes: Sizes,
        given: &[f32],
        before: Option<&CubeTensor>,
        [sessions, height, steps]: [usize; 3],
    ) -> CubeTensor {
        let (client, device) = (&self.weights.client, &self.weights.device);
        let on_device = |handle, shape: [usize; 2]| {
            let (client, device) = (client.clone(), device.clone());
            CubeTensor::new_contiguous(client, device, shape.into(), handle, DType::F32)
        };
        let shape = [sessions, given.len() / sessions];
        let given = on_device(client.create_from_slice(f32::as_bytes(given)), shape);
        let width = if sizes.stateful {
            1 + 2 * sizes.hidden
        } else {
            1
        };
        let bytes = sessions * width * size_of::<f32>();
        let out = on_device(client.empty(bytes), [sessions, width]);
        // SAFETY: every index is bounded by what the buffers were made with: those into `given`,
        // `before` and `out` by the number of sessions, `height` and `Sizes`, those into `weights`
        // by `Sizes::places`.
        unsafe {
            kernel::sessions::launch_unchecked(
                client,
                CubeCount::new_1d(sessions.div_ceil(sizes.tile) as u32),
                CubeDim::new_1d(sizes.hidden.next_multiple_of(32) as u32),
                given.into_tensor_arg(),
                self.weights.clone().into_tensor_arg(),
                before.unwrap_or(&self.blank).clone().into_tensor_arg(),
                out.clone().into_tensor_arg(),
                sessions as u32,
                height as u32,
                steps as u32,
                sizes,
            );
        }
        out
    }
}

impl Sizes {
    /// For so many sessions a workgroup, at most [`TILE`], with as many windows at a time as fit.
    fn in_tiles_of(self, tile: usize) -> Self {
        let chunk = limits::columns_at_a_time(self.columns, self.filters, self.hidden, tile);
        Self {
            tile,
            chunk,
            ..self
        }
    }
}

/// What the kernel is compiled for, apart from the tile; none where the network does not fit.
fn sizes(config: &ModelConfig) -> Option<Sizes> {
    let ModelConfig {
        features,
        kernel,
        filters,
        hidden,
        context,
        context_hidden,
        ..
    } = *config;
    let columns = config.pooled_columns();
    let context_hidden = if context == 0 { 0 } else { context_hidden };
    let mut end = 0;
    let mut place = |numbers: usize| {
        end += numbers;
        end - numbers
    };
    let sizes = Sizes {
        features,
        kernel,
        filters,
        columns,
        hidden,
        context,
        context_hidden,
        tile: 1,
        chunk: 1,
        rectified: config.activation == CellActivation::Relu,
        stateful: false,
        resumed: false,
        places: Places {
            conv: place(filters * kernel * kernel),
            conv_bias: place(filters),
            input: place(columns * filters * 4 * hidden),
            recurrent: place(hidden * 4 * hidden),
            bias: place(4 * hidden),
            output: place(hidden + context_hidden),
            output_bias: place(1),
            context: place(context * context_hidden),
            context_bias: place(context_hidden),
        },
    };
    limits::fits(config).then_some(sizes)
}

/// A tensor beside another one, with anything in it.
fn empty<const D: usize>(beside: &CubeTensor, shape: [usize; D], dtype: DType) -> CubeTensor {
    let bytes = shape.iter().product::<usize>() * dtype.size();
    let (client, device) = (beside.client.clone(), beside.device.clone());
    let handle = client.empty(bytes);
    CubeTensor::new_contiguous(client, device, shape.into(), handle, dtype)
}

#[cfg(all(test, feature = "flex"))]
mod tests;
