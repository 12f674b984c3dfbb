//! The network's arithmetic on Burn tensors, from weights laid out once for a whole pass.

use std::sync::OnceLock;

use burn::tensor::activation::relu;
use burn::tensor::{Int, Tensor, TensorData};

#[cfg(feature = "wgpu")]
use crate::fused::{convolution, mixed};
use crate::lstm::Lstm;
use crate::{Arithmetic, ModelConfig};

/// The weights of convolution and LSTM in the layout that the passes use.
#[derive(Debug, Clone)]
pub(crate) struct Layers {
    config: ModelConfig,
    /// `[filters, 1, kernel, kernel]`.
    conv_weight: Tensor<4>,
    /// `[filters]`.
    conv_bias: Tensor<1>,
    /// What [`Self::placed`] made, once it was wanted.
    placed: OnceLock<[Tensor<2>; 4]>,
    /// `[step_inputs, 4 × hidden]`, rows by column, then by filter.
    input: Tensor<2>,
    /// `[1, 4 × hidden]`.
    bias: Tensor<2>,
    /// What takes the steps.
    pub(crate) lstm: Lstm,
}

impl Layers {
    /// Lays the bundle's weights out. Differentiable: gradients flow back to the weights.
    pub(crate) fn new(
        config: &ModelConfig,
        conv_weight: Tensor<4>,
        conv_bias: Tensor<1>,
        lstm_input: Tensor<2>,
        lstm_recurrent: Tensor<2>,
        lstm_bias: Tensor<1>,
    ) -> Self {
        let ModelConfig {
            filters, hidden, ..
        } = *config;
        Self {
            config: config.clone(),
            conv_weight,
            conv_bias,
            placed: OnceLock::new(),
            input: lstm_input
                .reshape([filters, config.pooled_columns(), 4 * hidden])
                .swap_dims(0, 1)
                .reshape([config.step_inputs(), 4 * hidden]),
            bias: lstm_bias.unsqueeze(),
            lstm: Lstm {
                recurrent: lstm_recurrent,
                activation: config.activation,
                arithmetic: Arithmetic::F32,
            },
        }
    }

    /// With gradients sought in these numbers.
    pub(crate) fn in_arithmetic(mut self, arithmetic: Arithmetic) -> Self {
        self.lstm.arithmetic = arithmetic;
        self
    }

    /// The plane of `rows`, `[batch, time, features]`, from which [`Self::windows`] makes a window for
    /// every event, and one more where their number is odd: zero rows before the first and behind the
    /// last.
    pub(crate) fn plane(&self, rows: Tensor<3>) -> Tensor<3> {
        let [batch, time, features] = rows.dims();
        let device = rows.device();
        let zeros = |height: usize| Tensor::zeros([batch, height, features], &device);
        let mut parts = vec![zeros(self.config.kernel), rows];
        if time % 2 == 1 {
            parts.push(zeros(1));
        }
        Tensor::cat(parts, 1)
    }

    /// Convolution, pooling and ReLU as one: pooled windows, `stride` events apart.
    ///
    /// `plane` is `[batch, height, features]`. A pooled cell covers `kernel + 1` rows and columns,
    /// which hold the four places of the kernel whose maximum pooling takes; maximum before bias
    /// and ReLU is the same as after, since both are monotone. Of equal places the first gets the
    /// gradient, by rows, then by columns; at zero ReLU has none. The result is
    /// `[batch, windows, step_inputs]`, by column, then by filter.
    pub(crate) fn windows(&self, plane: Tensor<3>, stride: usize) -> Tensor<3> {
        #[cfg(feature = "wgpu")]
        if let Some(windows) =
            convolution::windows(&plane, &self.conv_weight, &self.conv_bias, stride)
        {
            return windows;
        }
        self.windows_by_tensors(plane, stride)
    }

    /// Weights and bias of the convolution.
    #[cfg(all(test, feature = "wgpu"))]
    pub(crate) const fn convolution(&self) -> (&Tensor<4>, &Tensor<1>) {
        (&self.conv_weight, &self.conv_bias)
    }

    /// The same with tensors wherever they lie: what the other way is tested against.
    pub(crate) fn windows_by_tensors(&self, plane: Tensor<3>, stride: usize) -> Tensor<3> {
        let side = self.config.kernel + 1;
        let columns = self.config.pooled_columns();
        let device = plane.device();
        let [batch, height, features] = plane.dims();
        let windows = (height - side) / stride + 1;
        // A gather, not `unfold`: on wgpu, Burn 0.22.1 copies overlapping views of an odd width
        // wrongly (the golden case `context-f16` shows it).
        let places = patches(windows, stride, columns, side, features);
        let places = TensorData::new(places, [windows * columns * side * side]);
        let patches = plane
            .reshape([batch, height * features])
            .select(1, Tensor::<1, Int>::from_data(places, &device))
            .reshape([batch * windows * columns, side * side]);
        let [a, b, c, d] = self
            .placed()
            .each_ref()
            .map(|placed| patches.clone().matmul(placed.clone()));
        // [batch × windows × columns, filters]
        let pooled = a.max_pair(b).max_pair(c.max_pair(d));
        let bias = self.conv_bias.clone().unsqueeze::<2>();
        relu(pooled + bias).reshape([batch, windows, self.config.step_inputs()])
    }

    /// The kernel at its four places in a patch one row and one column larger than itself: each
    /// `[(kernel + 1)², filters]`.
    fn placed(&self) -> &[Tensor<2>; 4] {
        self.placed.get_or_init(|| {
            let ModelConfig {
                filters, kernel, ..
            } = self.config;
            let device = self.conv_weight.device();
            let kernels = self.conv_weight.clone();
            let kernels = kernels.reshape([filters, kernel * kernel]).transpose();
            placements(kernel).map(|placement| {
                let shape = [(kernel + 1) * (kernel + 1), kernel * kernel];
                Tensor::<2>::from_data(TensorData::new(placement, shape), &device)
                    .matmul(kernels.clone())
            })
        })
    }

    /// The input's part of the gates, of all steps in one product.
    ///
    /// `windows` is `[batch, steps, lanes × step_inputs]`; the result is
    /// `[batch, steps, lanes × 4 × hidden]`.
    pub(crate) fn project(&self, windows: Tensor<3>) -> Tensor<3> {
        let [batch, steps, width] = windows.dims();
        let inputs = self.config.step_inputs();
        let lanes = width / inputs;
        let windows = windows.reshape([batch * steps * lanes, inputs]);
        #[cfg(feature = "wgpu")]
        let halved = match self.lstm.arithmetic {
            Arithmetic::Mixed => mixed::product(&windows, &self.input),
            Arithmetic::F32 => None,
        };
        #[cfg(not(feature = "wgpu"))]
        let halved = None;
        let gates = halved.unwrap_or_else(|| windows.matmul(self.input.clone()));
        (gates + self.bias.clone()).reshape([batch, steps, lanes * 4 * self.config.hidden])
    }
}

/// Where the numbers of each pooled cell's patch stand in a plane, `[windows, columns, side, side]`:
/// windows are `stride` rows apart, columns two.
fn patches(
    windows: usize,
    stride: usize,
    columns: usize,
    side: usize,
    features: usize,
) -> Vec<i32> {
    let mut places = Vec::with_capacity(windows * columns * side * side);
    for window in 0..windows {
        for column in 0..columns {
            for row in 0..side {
                let start = (window * stride + row) * features + 2 * column;
                places.extend((start..start + side).map(|place| place as i32));
            }
        }
    }
    places
}

/// Where a kernel can lie in a patch one row and one column larger: four matrices
/// `[(kernel + 1)², kernel²]` of zeros and ones, row-major.
fn placements(kernel: usize) -> [Vec<f32>; 4] {
    [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(down, right)| {
        let area = kernel * kernel;
        let mut matrix = vec![0.0; (kernel + 1) * (kernel + 1) * area];
        for row in 0..kernel {
            for column in 0..kernel {
                let inner = row * kernel + column;
                let outer = (row + down) * (kernel + 1) + column + right;
                matrix[outer * area + inner] = 1.0;
            }
        }
        matrix
    })
}
