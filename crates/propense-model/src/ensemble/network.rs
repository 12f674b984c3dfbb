//! The ensemble on tensors.

use burn::module::{Module, Param};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Int, Tensor, TensorData};

use super::EnsembleConfig;
use crate::network::read;
use crate::{ModelError, NamedTensor};

/// What dropout does to one batch in training: factors of the units of both hidden layers, 0 or
/// `1 / (1 − share)`, each `[batch, members × hidden]`.
pub type Masks = [Tensor<2>; 2];

/// The members of an ensemble side by side. See [`EnsembleConfig`].
#[derive(Module, Debug)]
pub struct Ensemble {
    /// `[encoded, members × hidden]`.
    first: Param<Tensor<2>>,
    /// `[members × hidden]`.
    first_bias: Param<Tensor<1>>,
    /// `[members × hidden, hidden]`.
    second: Param<Tensor<2>>,
    /// `[members × hidden]`.
    second_bias: Param<Tensor<1>>,
    /// `[members × hidden, 1]`.
    output: Param<Tensor<2>>,
    /// `[members]`.
    output_bias: Param<Tensor<1>>,
    #[module(skip)]
    config: EnsembleConfig,
}

impl Ensemble {
    /// The ensemble with its weights in the order of [`EnsembleConfig::weight_shapes`].
    pub(crate) fn new<E>(
        config: &EnsembleConfig,
        mut data: impl FnMut(&'static str) -> Result<TensorData, E>,
        device: &Device,
    ) -> Result<Self, E> {
        Ok(Self {
            first: Param::from_data(data("ensemble.first")?, device),
            first_bias: Param::from_data(data("ensemble.first_bias")?, device),
            second: Param::from_data(data("ensemble.second")?, device),
            second_bias: Param::from_data(data("ensemble.second_bias")?, device),
            output: Param::from_data(data("ensemble.output")?, device),
            output_bias: Param::from_data(data("ensemble.output_bias")?, device),
            config: config.clone(),
        })
    }

    /// Sizes and edges.
    #[must_use]
    pub const fn config(&self) -> &EnsembleConfig {
        &self.config
    }

    /// The logit of each member. `inputs` is `[batch, context + features]`, the context's numbers
    /// first; the result is `[members, batch]`. `masks` are for training alone.
    #[must_use]
    pub fn members(&self, inputs: Tensor<2>, masks: Option<Masks>) -> Tensor<2> {
        let EnsembleConfig {
            members, hidden, ..
        } = self.config;
        let [batch, _] = inputs.dims();
        let [first_mask, second_mask] = match masks {
            Some([first, second]) => [Some(first), Some(second)],
            None => [None, None],
        };
        let apart = |layer: Tensor<2>| {
            // [batch, members × hidden] to [members, batch, hidden]
            layer.reshape([batch, members, hidden]).swap_dims(0, 1)
        };
        let first = self.encode(inputs).matmul(self.first.val());
        let first = drop(relu(first + self.first_bias.val().unsqueeze()), first_mask);
        let blocks = self.second.val().reshape([members, hidden, hidden]);
        let bias = self.second_bias.val().reshape([members, 1, hidden]);
        let second = relu(apart(first).matmul(blocks) + bias); // [members, batch, hidden]
        let second = match second_mask {
            Some(mask) => second * apart(mask),
            None => second,
        };
        let output = self.output.val().reshape([members, hidden, 1]);
        let logits = second.matmul(output).reshape([members, batch]);
        logits + self.output_bias.val().reshape([members, 1])
    }

    /// The mean logit: `[batch, 1]`.
    #[must_use]
    pub fn logits(&self, inputs: Tensor<2>) -> Tensor<2> {
        self.members(inputs, None).mean_dim(0).transpose()
    }

    /// The weights as plain numbers, in the bundle's names and shapes. Blocks until the device is
    /// done: for native use.
    ///
    /// # Errors
    /// [`ModelError::Device`] where the device cannot be read.
    pub fn named_weights(&self) -> Result<Vec<NamedTensor>, ModelError> {
        let flat = [
            self.first.val().flatten::<1>(0, 1),
            self.first_bias.val(),
            self.second.val().flatten(0, 1),
            self.second_bias.val(),
            self.output.val().flatten(0, 1),
            self.output_bias.val(),
        ];
        let shapes = self.config.weight_shapes().into_iter();
        shapes
            .zip(flat)
            .map(|((name, shape), tensor)| {
                Ok(NamedTensor {
                    name: name.into(),
                    shape,
                    data: read(tensor.try_to_vec_as::<f32>())?,
                })
            })
            .collect()
    }

    /// Each input laid out on its bins: `[batch, inputs]` to `[batch, encoded]`.
    fn encode(&self, inputs: Tensor<2>) -> Tensor<2> {
        let device = inputs.device();
        let (mut columns, mut lows, mut factors) = (Vec::new(), Vec::new(), Vec::new());
        for (column, edges) in self.config.edges.iter().enumerate() {
            for bin in edges.windows(2) {
                columns.push(column as i32);
                lows.push(bin[0]);
                factors.push(1.0 / (bin[1] - bin[0]));
            }
        }
        let encoded = columns.len();
        let row = |values| Tensor::<2>::from_data(TensorData::new(values, [1, encoded]), &device);
        let columns = Tensor::<1, Int>::from_data(TensorData::new(columns, [encoded]), &device);
        ((inputs.select(1, columns) - row(lows)) * row(factors)).clamp(0.0, 1.0)
    }
}

fn drop(units: Tensor<2>, mask: Option<Tensor<2>>) -> Tensor<2> {
    match mask {
        Some(mask) => units * mask,
        None => units,
    }
}
