//! Scoring on a GPU with a kernel of our own: one launch for a batch of whole sessions, or for an
//! event of a live one, where tensors take dozens.

mod kernel;

use burn::tensor::{Device, Tensor, TensorData};
use burn_cubecl::CubeBackend;
use burn_cubecl::cubecl::prelude::{CubeCount, CubeDim};
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;
use burn_cubecl::tensor::CubeTensor;

use self::kernel::{Places, Sizes};
use crate::{Batch, CellActivation, CnnLstm, ModelConfig};

/// Bytes of workgroup memory that every WebGPU adapter has.
const SHARED: usize = 16 * 1024;

/// Units of a workgroup that every WebGPU adapter has.
const UNITS: usize = 256;

/// The widest convolution kernel: its loops are written out in full.
const KERNEL: usize = 5;

/// Sessions of one workgroup, where there are as many.
const TILE: usize = 8;

/// A network's weights, packed for the kernel, on a GPU.
#[derive(Debug, Clone)]
pub(crate) struct Fused {
    sizes: Sizes,
    weights: CubeTensor,
    /// What is bound where there is no state.
    blank: CubeTensor,
    device: Device,
}

/// A live session's state on the GPU.
#[derive(Debug, Clone)]
pub(crate) struct FusedState {
    /// A logit, the LSTM's output, its cell: `[1, 1 + 2 × hidden]`.
    numbers: Tensor<2>,
    /// With what context the logit was made.
    context: Vec<f32>,
}

impl Fused {
    /// Packs the network's weights; none where it lies on no CubeCL device, is being trained, or
    /// does not fit: an ensemble, a wide convolution kernel, more hidden units than a workgroup has,
    /// more filters than its memory holds.
    pub(crate) fn new(model: &CnnLstm) -> Option<Self> {
        let config = model.config();
        let sizes = sizes(config)?;
        if model.ensemble().is_some() {
            return None;
        }
        let device = model.device();
        Some(Self {
            sizes,
            weights: primitive(Tensor::cat(model.packed(), 0))?,
            blank: primitive(Tensor::<1>::zeros([1], &device))?,
            device,
        })
    }

    /// The logit of each session as a whole: `[sessions]`. The batch must hold at least one.
    pub(crate) fn score(&self, batch: &Batch) -> Option<Tensor<1>> {
        let sessions = batch.sessions();
        let tile = TILE.min(sessions).max(1);
        let sizes = Sizes {
            tile,
            chunk: chunk(&self.sizes, tile)?,
            ..self.sizes
        };
        let height = self.sizes.kernel - 1 + 2 * batch.steps();
        let given = batch.packed(&self.device);
        let out = self.launch(sizes, given, None, height, batch.steps())?;
        Some(out.reshape([sessions]))
    }

    /// One step of a live session, scored with this context. `rows` are its newest `kernel + 1`
    /// rows, oldest first; no state means zero state.
    pub(crate) fn step(
        &self,
        rows: &[f32],
        context: &[f32],
        before: Option<&FusedState>,
    ) -> Option<FusedState> {
        self.live(rows, context, before, 1)
    }

    /// This state scored with this context, which costs nothing where it is already: the logit, and
    /// behind it the state, since reading less than a buffer takes a launch.
    pub(crate) fn logit(&self, state: Option<&FusedState>, context: &[f32]) -> Option<Tensor<2>> {
        let known = state.filter(|state| state.context == context).cloned();
        let scored = known.or_else(|| self.live(&[], context, state, 0))?;
        Some(scored.numbers)
    }

    fn live(
        &self,
        rows: &[f32],
        context: &[f32],
        before: Option<&FusedState>,
        steps: usize,
    ) -> Option<FusedState> {
        let sizes = Sizes {
            tile: 1,
            chunk: chunk(&self.sizes, 1)?,
            stateful: true,
            resumed: before.is_some(),
            ..self.sizes
        };
        let height = sizes.kernel + 1;
        let mut given = vec![steps as f32];
        given.extend(context.iter().copied().take(sizes.context));
        given.resize(1 + sizes.context, 0.0);
        given.extend_from_slice(rows);
        given.resize(1 + sizes.context + height * sizes.features, 0.0);
        let shape = [1, given.len()];
        let given = Tensor::from_data(TensorData::new(given, shape), &self.device);
        let before = before.map(|state| state.numbers.clone());
        Some(FusedState {
            numbers: self.launch(sizes, given, before, height, steps)?,
            context: context.to_vec(),
        })
    }

    fn launch(
        &self,
        sizes: Sizes,
        given: Tensor<2>,
        before: Option<Tensor<2>>,
        height: usize,
        steps: usize,
    ) -> Option<Tensor<2>> {
        let [sessions, _] = given.dims();
        let given = primitive(given)?;
        let before = match before {
            Some(state) => primitive(state)?,
            None => self.blank.clone(),
        };
        let width = if sizes.stateful {
            1 + 2 * sizes.hidden
        } else {
            1
        };
        let client = given.client.clone();
        let out = empty_device_contiguous_dtype(
            client.clone(),
            given.device.clone(),
            [sessions, width].into(),
            given.dtype,
        );
        let cubes = CubeCount::new_1d(u32::try_from(sessions.div_ceil(sizes.tile)).ok()?);
        let units = u32::try_from(sizes.hidden.next_multiple_of(32)).ok()?;
        // SAFETY: every index is bounded by what the buffers were made with: those into `given`,
        // `before` and `out` by the number of sessions, `height` and `Sizes`, those into `weights`
        // by `Sizes::places`.
        unsafe {
            kernel::sessions::launch_unchecked(
                &client,
                cubes,
                CubeDim::new_1d(units),
                given.into_tensor_arg(),
                self.weights.clone().into_tensor_arg(),
                before.into_tensor_arg(),
                out.clone().into_tensor_arg(),
                u32::try_from(sessions).ok()?,
                u32::try_from(height).ok()?,
                u32::try_from(steps).ok()?,
                sizes,
            );
        }
        Some(Tensor::from_primitive::<CubeBackend>(out))
    }
}

/// The tensor as it lies on a CubeCL device, without gaps; none where it lies elsewhere or is being
/// differentiated.
fn primitive<const D: usize>(tensor: Tensor<D>) -> Option<CubeTensor> {
    let tensor = tensor.try_into_primitive::<CubeBackend>().ok()?;
    Some(into_contiguous(tensor))
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
    let fits = hidden <= UNITS && kernel <= KERNEL && chunk(&sizes, TILE).is_some();
    fits.then_some(sizes)
}

/// The most pooled columns, dividing all, whose windows fit beside the outputs of a tile.
fn chunk(sizes: &Sizes, tile: usize) -> Option<usize> {
    let fits = |chunk: usize| 4 * tile * (chunk * sizes.filters + sizes.hidden) <= SHARED;
    (1..=sizes.columns)
        .rev()
        .find(|chunk| sizes.columns.is_multiple_of(*chunk) && fits(*chunk))
}
