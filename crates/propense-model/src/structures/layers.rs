//! The parts of which structures are made.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, TensorData, activation::softmax};

use super::HashedColumns;
use crate::weights::Random;

/// Where fresh weights come from: drawn on the CPU in a fixed order, so that a seed gives the same
/// numbers on every device.
pub(super) struct Draw<'a> {
    pub(super) random: Random,
    pub(super) device: &'a Device,
}

impl Draw<'_> {
    /// A matrix, Glorot-uniform.
    pub(super) fn matrix(&mut self, rows: usize, columns: usize) -> Param<Tensor<2>> {
        let data = self.random.glorot(rows * columns, rows, columns);
        self.of(data, [rows, columns])
    }

    /// A square block for each gate side by side, at right angles (Saxe et al. 2013).
    pub(super) fn recurrent(&mut self, hidden: usize, gates: usize) -> Param<Tensor<2>> {
        let data = self.random.orthogonal(hidden, gates * hidden);
        self.of(data, [hidden, gates * hidden])
    }

    /// Zeros.
    pub(super) fn zeros(&mut self, length: usize) -> Param<Tensor<1>> {
        self.of(vec![0.0; length], [length])
    }

    /// These numbers.
    pub(super) fn of<const D: usize>(
        &mut self,
        data: Vec<f32>,
        shape: [usize; D],
    ) -> Param<Tensor<D>> {
        Param::from_data(TensorData::new(data, shape), self.device)
    }
}

impl HashedColumns {
    /// The rows, `[batch, time, features]`, without these columns.
    #[must_use]
    pub fn left_out(self, rows: Tensor<3>) -> Tensor<3> {
        let [_, _, width] = rows.dims();
        let behind = self.first + self.count;
        let mut own = Vec::new();
        if self.first > 0 {
            own.push(rows.clone().narrow(2, 0, self.first));
        }
        if behind < width {
            own.push(rows.narrow(2, behind, width - behind));
        }
        Tensor::cat(own, 2)
    }
}

/// A matrix and a bias.
#[derive(Module, Debug)]
pub(crate) struct Dense {
    /// `[inputs, outputs]`.
    weight: Param<Tensor<2>>,
    /// `[outputs]`.
    bias: Param<Tensor<1>>,
}

impl Dense {
    pub(super) fn new(draw: &mut Draw<'_>, inputs: usize, outputs: usize) -> Self {
        Self {
            weight: draw.matrix(inputs, outputs),
            bias: draw.zeros(outputs),
        }
    }

    /// With this bias to begin with.
    pub(super) fn with_bias(mut self, draw: &mut Draw<'_>, bias: Vec<f32>) -> Self {
        let length = bias.len();
        self.bias = draw.of(bias, [length]);
        self
    }

    /// `[rows, inputs]` to `[rows, outputs]`.
    pub(super) fn flat(&self, inputs: Tensor<2>) -> Tensor<2> {
        inputs.matmul(self.weight.val()) + self.bias.val().unsqueeze()
    }

    /// `[batch, time, inputs]` to `[batch, time, outputs]`.
    pub(super) fn each(&self, inputs: Tensor<3>) -> Tensor<3> {
        let [batch, time, width] = inputs.dims();
        let outputs = self.flat(inputs.reshape([batch * time, width]));
        let [_, width] = outputs.dims();
        outputs.reshape([batch, time, width])
    }
}

/// The rows so many events earlier, zeros before the first: `[batch, time, width]`.
pub(super) fn earlier(rows: &Tensor<3>, events: usize) -> Tensor<3> {
    let [batch, time, width] = rows.dims();
    if events == 0 {
        return rows.clone();
    }
    let device = rows.device();
    if events >= time {
        return Tensor::zeros([batch, time, width], &device);
    }
    let before = Tensor::zeros([batch, events, width], &device);
    Tensor::cat(vec![before, rows.clone().narrow(1, 0, time - events)], 1)
}

/// The newest row and the two before it, `gap` events apart, side by side.
pub(super) fn three(rows: &Tensor<3>, gap: usize) -> Tensor<3> {
    let rows = vec![rows.clone(), earlier(rows, gap), earlier(rows, 2 * gap)];
    Tensor::cat(rows, 2)
}

/// Attention of each event to itself and those before it. All are `[batch, time, width]`; the
/// heads share the width.
pub(super) fn attend(
    queries: Tensor<3>,
    keys: Tensor<3>,
    values: Tensor<3>,
    heads: usize,
) -> Tensor<3> {
    let [batch, time, width] = queries.dims();
    let each = width / heads;
    let device = queries.device();
    // [batch, heads, time, each]
    let apart = |tensor: Tensor<3>| tensor.reshape([batch, time, heads, each]).swap_dims(1, 2);
    let scores = apart(queries).matmul(apart(keys).transpose()); // [batch, heads, time, time]
    let scores = scores.div_scalar((each as f32).sqrt());
    let later = |row: usize, column: usize| if column > row { -1e9f32 } else { 0.0 };
    let mask = (0..time * time).map(|place| later(place / time, place % time));
    let mask = TensorData::new(mask.collect::<Vec<f32>>(), [1, 1, time, time]);
    let shares = softmax(scores + Tensor::<4>::from_data(mask, &device), 3);
    shares
        .matmul(apart(values))
        .swap_dims(1, 2)
        .reshape([batch, time, width])
}

/// Each row brought to mean 0 and deviation 1, without weights (Ba, Kiros and Hinton 2016).
pub(super) fn normalise(rows: Tensor<3>) -> Tensor<3> {
    let centred = rows.clone() - rows.mean_dim(2);
    let variance = centred.clone().square().mean_dim(2);
    centred / (variance + 1e-5).sqrt()
}

/// Where an event stands in its session, as waves of growing length: `[1, time, width]`.
pub(super) fn positions(time: usize, width: usize, device: &Device) -> Tensor<3> {
    let wave = |place: usize| {
        let (event, column) = ((place / width) as f32, place % width);
        let length = 10_000f32.powf((column / 2 * 2) as f32 / width as f32);
        match column % 2 {
            0 => (event / length).sin(),
            _ => (event / length).cos(),
        }
    };
    let waves = (0..time * width).map(wave).collect::<Vec<f32>>();
    Tensor::from_data(TensorData::new(waves, [1, time, width]), device)
}
