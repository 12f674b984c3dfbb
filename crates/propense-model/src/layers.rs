//! The network's arithmetic on Burn tensors, from weights laid out once for a whole pass.

use burn::tensor::activation::relu;
use burn::tensor::{Int, Tensor, TensorData};

use crate::ModelConfig;
use crate::lstm::Lstm;

/// The weights of convolution and LSTM in the layout that the passes use.
#[derive(Debug, Clone)]
pub(crate) struct Layers {
    config: ModelConfig,
    /// The kernel at its four places in a patch one row and one column larger than itself: each
    /// `[(kernel + 1)², filters]`.
    placed: [Tensor<2>; 4],
    /// `[1, filters]`.
    conv_bias: Tensor<2>,
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
            filters,
            kernel,
            hidden,
            ..
        } = *config;
        let device = conv_weight.device();
        let kernels = conv_weight.reshape([filters, kernel * kernel]).transpose();
        let placed = placements(kernel).map(|placement| {
            let shape = [(kernel + 1) * (kernel + 1), kernel * kernel];
            Tensor::<2>::from_data(TensorData::new(placement, shape), &device)
                .matmul(kernels.clone())
        });
        Self {
            config: config.clone(),
            placed,
            conv_bias: conv_bias.unsqueeze(),
            input: lstm_input
                .reshape([filters, config.pooled_columns(), 4 * hidden])
                .swap_dims(0, 1)
                .reshape([config.step_inputs(), 4 * hidden]),
            bias: lstm_bias.unsqueeze(),
            lstm: Lstm {
                recurrent: lstm_recurrent,
                activation: config.activation,
            },
        }
    }

    /// Convolution, pooling and ReLU as one: pooled windows, `stride` events apart.
    ///
    /// `plane` is `[batch, height, features]`. A pooled cell covers `kernel + 1` rows and columns,
    /// which hold the four places of the kernel whose maximum pooling takes; maximum before bias
    /// and ReLU is the same as after, since both are monotone. The result is
    /// `[batch, windows, step_inputs]`, by column, then by filter.
    pub(crate) fn windows(&self, plane: Tensor<3>, stride: usize) -> Tensor<3> {
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
            .placed
            .each_ref()
            .map(|placed| patches.clone().matmul(placed.clone()));
        // [batch × windows × columns, filters]
        let pooled = a.max_pair(b).max_pair(c.max_pair(d));
        relu(pooled + self.conv_bias.clone()).reshape([batch, windows, self.config.step_inputs()])
    }

    /// The input's part of the gates, of all steps in one product.
    ///
    /// `windows` is `[batch, steps, lanes × step_inputs]`; the result is
    /// `[batch, steps, lanes × 4 × hidden]`.
    pub(crate) fn project(&self, windows: Tensor<3>) -> Tensor<3> {
        let [batch, steps, width] = windows.dims();
        let inputs = self.config.step_inputs();
        let lanes = width / inputs;
        let gates = windows
            .reshape([batch * steps * lanes, inputs])
            .matmul(self.input.clone())
            + self.bias.clone();
        gates.reshape([batch, steps, lanes * 4 * self.config.hidden])
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
