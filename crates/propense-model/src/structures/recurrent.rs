//! Recurrent structures: an LSTM or a GRU over the rows, and the published network with items.

use burn::module::{Module, Param};
use burn::tensor::activation::{sigmoid, tanh};
use burn::tensor::{Device, Tensor};

use super::layers::{Dense, Draw, earlier};
use super::{HashedColumns, StructureConfig};
use crate::layers::Layers;
use crate::lstm::split;
use crate::weights::Random;
use crate::{ModelConfig, StructureKind};

/// An LSTM or a GRU over the rows.
#[derive(Module, Debug)]
pub(crate) struct Recurrent {
    /// `[features, gates × hidden]`.
    input: Dense,
    /// `[hidden, gates × hidden]`.
    recurrent: Param<Tensor<2>>,
    #[module(skip)]
    gated: bool,
    #[module(skip)]
    hidden: usize,
}

impl Recurrent {
    pub(super) fn new(config: &StructureConfig, draw: &mut Draw<'_>) -> Self {
        let gated = config.kind == StructureKind::Gru;
        let (hidden, gates) = (config.width, if gated { 3 } else { 4 });
        let input = Dense::new(draw, config.features, gates * hidden);
        Self {
            input: match gated {
                true => input,
                // The forget gate begins open (Gers, Schmidhuber and Cummins 2000).
                false => {
                    let mut bias = vec![0.0; 4 * hidden];
                    bias[hidden..2 * hidden].fill(1.0);
                    input.with_bias(draw, bias)
                }
            },
            recurrent: draw.recurrent(hidden, gates),
            gated,
            hidden,
        }
    }

    /// `[batch, time, features]` to `[batch, time, hidden]`.
    pub(super) fn forward(&self, rows: Tensor<3>) -> Tensor<3> {
        let [batch, time, _] = rows.dims();
        let mut steps = Vec::with_capacity(time);
        split(self.input.each(rows), &mut steps);
        let (mut output, mut cell) = (None, None);
        let mut outputs = Vec::with_capacity(time);
        for step in steps {
            let [_, _, gates] = step.dims();
            let inputs = step.reshape([batch, gates]);
            let (next, kept) = match self.gated {
                true => (self.gru(inputs, output.take()), None),
                false => {
                    let (next, kept) = self.lstm(inputs, output.take(), cell.take());
                    (next, Some(kept))
                }
            };
            outputs.push(next.clone());
            (output, cell) = (Some(next), kept);
        }
        // [time × batch, hidden]
        Tensor::cat(outputs, 0)
            .reshape([time, batch, self.hidden])
            .swap_dims(0, 1)
    }

    /// Gates in the order input, forget, candidate, output.
    fn lstm(
        &self,
        inputs: Tensor<2>,
        output: Option<Tensor<2>>,
        cell: Option<Tensor<2>>,
    ) -> (Tensor<2>, Tensor<2>) {
        let gates = match output {
            Some(output) => inputs + output.matmul(self.recurrent.val()),
            None => inputs,
        };
        let gate = |index: usize| gates.clone().narrow(1, index * self.hidden, self.hidden);
        let admitted = sigmoid(gate(0)) * tanh(gate(2));
        let cell = match cell {
            Some(cell) => sigmoid(gate(1)) * cell + admitted,
            None => admitted,
        };
        (sigmoid(gate(3)) * tanh(cell.clone()), cell)
    }

    /// Gates in the order update, reset, candidate.
    fn gru(&self, inputs: Tensor<2>, output: Option<Tensor<2>>) -> Tensor<2> {
        let part = |gates: &Tensor<2>, index: usize| {
            gates.clone().narrow(1, index * self.hidden, self.hidden)
        };
        let Some(output) = output else {
            let kept = sigmoid(part(&inputs, 0));
            let candidate = tanh(part(&inputs, 2));
            return candidate.clone() - kept * candidate;
        };
        let before = output.clone().matmul(self.recurrent.val());
        let kept = sigmoid(part(&inputs, 0) + part(&before, 0));
        let reset = sigmoid(part(&inputs, 1) + part(&before, 1));
        let candidate = tanh(part(&inputs, 2) + reset * part(&before, 2));
        kept.clone() * output + (kept.neg() + 1.0) * candidate
    }
}

/// Numbers of an item's embedding.
const EMBEDDED: usize = 16;

/// The published convolution and LSTM, with the embeddings of the newest two items at each step.
#[derive(Module, Debug)]
pub(crate) struct ConvLstmItems {
    conv_weight: Param<Tensor<4>>,
    conv_bias: Param<Tensor<1>>,
    lstm_input: Param<Tensor<2>>,
    lstm_recurrent: Param<Tensor<2>>,
    lstm_bias: Param<Tensor<1>>,
    /// `[buckets, EMBEDDED]`: an item's hash is one column of ±1.
    table: Param<Tensor<2>>,
    /// `[EMBEDDED, 4 × hidden]`.
    to_gates: Param<Tensor<2>>,
    #[module(skip)]
    config: ModelConfig,
    #[module(skip)]
    first: usize,
}

impl ConvLstmItems {
    pub(super) fn new(config: &StructureConfig, draw: &mut Draw<'_>) -> Self {
        let (first, count) = config
            .items
            .map_or((0, 0), |items| (items.first, items.count));
        let inner = ModelConfig {
            hidden: config.width,
            ..ModelConfig::seed(config.features - count, 0)
        };
        let (filters, side) = (inner.filters, inner.kernel);
        let (hidden, inputs) = (inner.hidden, inner.step_inputs());
        let area = side * side;
        let conv = draw.random.glorot(filters * area, area, filters * area);
        let mut bias = vec![0.0; 4 * hidden];
        bias[hidden..2 * hidden].fill(1.0);
        Self {
            conv_weight: draw.of(conv, [filters, 1, side, side]),
            conv_bias: draw.zeros(filters),
            lstm_input: draw.matrix(inputs, 4 * hidden),
            lstm_recurrent: draw.recurrent(hidden, 4),
            lstm_bias: draw.of(bias, [4 * hidden]),
            table: draw.matrix(count, EMBEDDED),
            to_gates: draw.matrix(EMBEDDED, 4 * hidden),
            config: inner,
            first,
        }
    }

    /// `[batch, time, features]` to `[batch, time, hidden]`.
    pub(super) fn forward(&self, rows: Tensor<3>) -> Tensor<3> {
        let [batch, time, _] = rows.dims();
        let [count, _] = self.table.dims();
        let (hidden, inputs) = (self.config.hidden, self.config.step_inputs());
        let hashes = rows.clone().narrow(2, self.first, count);
        let columns = HashedColumns {
            first: self.first,
            count,
        };
        let own = columns.left_out(rows); // [batch, time, features − count]

        let steps = time.div_ceil(2);
        let layers = Layers::new(
            &self.config,
            self.conv_weight.val(),
            self.conv_bias.val(),
            self.lstm_input.val(),
            self.lstm_recurrent.val(),
            self.lstm_bias.val(),
        );
        let windows = layers.windows(layers.plane(own), 1); // [batch, 2 × steps, step_inputs]
        let gates = layers.project(windows.reshape([batch, steps, 2 * inputs]));
        // A phase sees every second window, so each step takes in two items.
        let items = hashes.clone() + earlier(&hashes, 1);
        let items = items
            .reshape([batch * time, count])
            .matmul(self.table.val())
            .matmul(self.to_gates.val())
            .reshape([batch, time, 4 * hidden]);
        let gates = gates + even(items).reshape([batch, steps, 8 * hidden]);
        layers
            .lstm
            .outputs(gates) // [batch, steps, 2 × hidden]
            .reshape([batch, 2 * steps, hidden])
            .narrow(1, 0, time)
    }
}

/// With a row of zeros at the end where their number is odd.
fn even(rows: Tensor<3>) -> Tensor<3> {
    let [batch, time, width] = rows.dims();
    if time % 2 == 0 {
        return rows;
    }
    let after = Tensor::zeros([batch, 1, width], &rows.device());
    Tensor::cat(vec![rows, after], 1)
}

/// A generator for fresh weights.
pub(super) fn draw(seed: u64, device: &Device) -> Draw<'_> {
    Draw {
        random: Random::new(seed),
        device,
    }
}
