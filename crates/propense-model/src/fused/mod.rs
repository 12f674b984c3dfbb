//! Scoring on a GPU with a kernel of our own: one launch for a batch of whole sessions, or for an
//! event of a live one, where tensors take dozens.

mod kernel;

use burn::tensor::{Device, Tensor, TensorData};
use burn_cubecl::CubeBackend;
use burn_cubecl::cubecl::prelude::{CubeCount, CubeDim};
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

use self::kernel::{Places, Sizes};
use crate::{Batch, CellActivation, CnnLstm, ModelConfig};

/// Bytes of workgroup memory that every WebGPU adapter has.
const SHARED: usize = 16 * 1024;

/// Units of a workgroup that every WebGPU adapter has.
const UNITS: usize = 256;

/// Sessions of one workgroup, where there are as many.
const TILE: usize = 8;

/// A network's weights, packed for the kernel, on a GPU.
#[derive(Debug, Clone)]
pub(crate) struct Fused {
    sizes: Sizes,
    weights: CubeTensor,
    device: Device,
}

/// A live session's state on the GPU: a logit, the LSTM's output, its cell: `[1, 1 + 2 × hidden]`.
#[derive(Debug, Clone)]
pub(crate) struct FusedState(Tensor<2>);

impl Fused {
    /// Packs the network's weights; none where it lies on no CubeCL device, is being trained, or
    /// does not fit: an ensemble, more hidden units than a workgroup has, more filters than its
    /// memory holds.
    pub(crate) fn new(model: &CnnLstm) -> Option<Self> {
        let config = model.config();
        let sizes = sizes(config)?;
        if model.ensemble().is_some() {
            return None;
        }
        let packed = Tensor::cat(model.packed(), 0);
        let weights = into_contiguous(packed.try_into_primitive::<CubeBackend>().ok()?);
        Some(Self {
            sizes,
            weights,
            device: model.device(),
        })
    }

    /// The logit of each session as a whole: `[sessions]`. The batch must hold at least one.
    pub(crate) fn score(&self, batch: &Batch) -> Option<Tensor<1>> {
        let sessions = batch.sessions();
        let facts = batch.facts(&self.device);
        let plane = batch.plane(&self.device);
        let before = Tensor::<1>::zeros([1], &self.device);
        let sizes = self.sizes;
        let tile = TILE.min(sessions).max(1);
        let sizes = Sizes {
            tile,
            chunk: chunk(&sizes, tile)?,
            ..sizes
        };
        let out = self.launch(sizes, plane, facts, before, batch.steps())?;
        Some(Tensor::<2>::from_primitive::<CubeBackend>(out).reshape([sessions]))
    }

    /// One step of a live session. `rows` are its newest `kernel + 1` rows, oldest first; no
    /// state means zero state.
    pub(crate) fn step(&self, rows: Vec<f32>, before: Option<&FusedState>) -> Option<FusedState> {
        Some(FusedState(self.live(rows, &[], before, 1)?))
    }

    /// The logit of this state with this context, `[1, 1]`.
    pub(crate) fn logit(&self, state: Option<&FusedState>, context: &[f32]) -> Option<Tensor<2>> {
        Some(self.live(Vec::new(), context, state, 0)?.narrow(1, 0, 1))
    }

    fn live(
        &self,
        mut rows: Vec<f32>,
        context: &[f32],
        before: Option<&FusedState>,
        steps: usize,
    ) -> Option<Tensor<2>> {
        let sizes = Sizes {
            tile: 1,
            chunk: chunk(&self.sizes, 1)?,
            stateful: true,
            ..self.sizes
        };
        let device = &self.device;
        let shape = [1, sizes.kernel + 1, sizes.features];
        rows.resize(shape.iter().product(), 0.0);
        let plane = Tensor::<3>::from_data(TensorData::new(rows, shape), device);
        let mut facts = vec![steps as f32];
        facts.extend(context.iter().copied().take(sizes.context));
        facts.resize(1 + sizes.context, 0.0);
        let shape = [1, 1 + sizes.context];
        let facts = Tensor::<2>::from_data(TensorData::new(facts, shape), device);
        let before = match before {
            Some(FusedState(state)) => state.clone().narrow(1, 1, 2 * sizes.hidden).reshape([-1]),
            None => Tensor::<1>::zeros([2 * sizes.hidden], device),
        };
        let out = self.launch(sizes, plane, facts, before, steps)?;
        Some(Tensor::from_primitive::<CubeBackend>(out))
    }

    fn launch(
        &self,
        sizes: Sizes,
        plane: Tensor<3>,
        facts: Tensor<2>,
        before: Tensor<1>,
        steps: usize,
    ) -> Option<CubeTensor> {
        let [sessions, height, _] = plane.dims();
        let primitive = |tensor: Result<CubeTensor, _>| -> Option<CubeTensor> {
            tensor
                .map(into_contiguous)
                .map_err(|_: burn::tensor::PrimitiveConversionError| ())
                .ok()
        };
        let plane = primitive(plane.try_into_primitive::<CubeBackend>())?;
        let facts = primitive(facts.try_into_primitive::<CubeBackend>())?;
        let before = primitive(before.try_into_primitive::<CubeBackend>())?;
        let width = if sizes.stateful {
            1 + 2 * sizes.hidden
        } else {
            1
        };
        let client = plane.client.clone();
        let out = burn_cubecl::ops::numeric::empty_device_contiguous_dtype(
            client.clone(),
            plane.device.clone(),
            [sessions, width].into(),
            plane.dtype,
        );
        let cubes = CubeCount::new_1d(u32::try_from(sessions.div_ceil(sizes.tile)).ok()?);
        let units = u32::try_from(sizes.hidden.next_multiple_of(32)).ok()?;
        // SAFETY: every index is bounded by the sizes that the buffers were made with: `plane` by
        // `count` and `height`, `facts` and `out` by `count`, `weights` by `Sizes::places`.
        unsafe {
            kernel::sessions::launch_unchecked(
                &client,
                cubes,
                CubeDim::new_1d(units),
                plane.into_tensor_arg(),
                facts.into_tensor_arg(),
                self.weights.clone().into_tensor_arg(),
                before.into_tensor_arg(),
                out.clone().into_tensor_arg(),
                u32::try_from(sessions).ok()?,
                u32::try_from(height).ok()?,
                u32::try_from(steps).ok()?,
                sizes,
            );
        }
        Some(out)
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
    (hidden <= UNITS && columns > 0 && chunk(&sizes, TILE).is_some()).then_some(sizes)
}

/// The most pooled columns, dividing all, whose windows fit beside the outputs of a tile.
fn chunk(sizes: &Sizes, tile: usize) -> Option<usize> {
    let fits = |chunk: usize| 4 * tile * (chunk * sizes.filters + sizes.hidden) <= SHARED;
    (1..=sizes.columns)
        .rev()
        .find(|chunk| sizes.columns.is_multiple_of(*chunk) && fits(*chunk))
}
