//! The convolution and LSTM network as a Burn module, and its batch forward pass.

use burn::module::{Module, Param};
use burn::nn::{Dropout, DropoutConfig};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor, TensorData};

use crate::layers::Layers;
use crate::weights::values;
use crate::{Arithmetic, Batch, Ensemble, ModelConfig, ModelError, NamedTensor};

/// The CNN-LSTM: a convolution over [events × features], ReLU, 2×2 max pooling, an LSTM over what
/// is left, and a linear output; context joins before the output. Holds the weights in the layout
/// of the bundle; works on any device, under autodiff or not.
#[derive(Module, Debug)]
pub struct CnnLstm {
    /// Convolution kernel, `[filters, 1, kernel, kernel]`.
    conv_weight: Param<Tensor<4>>,
    /// Convolution bias, `[filters]`.
    conv_bias: Param<Tensor<1>>,
    /// Input kernel, `[step_inputs, 4 × hidden]`, gates in the order input, forget, candidate,
    /// output; rows filter-major.
    lstm_input: Param<Tensor<2>>,
    /// Recurrent kernel, `[hidden, 4 × hidden]`.
    lstm_recurrent: Param<Tensor<2>>,
    /// The gates' bias, `[4 × hidden]`.
    lstm_bias: Param<Tensor<1>>,
    /// Context layer, `[context, context_hidden]`.
    context_weight: Option<Param<Tensor<2>>>,
    /// Context layer's bias, `[context_hidden]`.
    context_bias: Option<Param<Tensor<1>>>,
    /// Output layer, `[joined, 1]`: the LSTM's rows first, then the context layer's.
    output_weight: Param<Tensor<2>>,
    /// Output bias, `[1]`.
    output_bias: Param<Tensor<1>>,
    dropout: Dropout,
    /// The ensemble, where there is one.
    ensemble: Option<Ensemble>,
    #[module(skip)]
    config: ModelConfig,
    #[module(skip)]
    arithmetic: Arithmetic,
}

impl ModelConfig {
    /// A network with fresh weights on this device ([`ModelConfig::initial_weights`]): the same
    /// seed gives the same numbers on every device.
    ///
    /// # Errors
    /// [`ModelError::Config`] where the configuration is out of range.
    pub fn init(&self, device: &Device, seed: u64) -> Result<CnnLstm, ModelError> {
        CnnLstm::from_weights(self, &self.initial_weights(seed)?, device)
    }
}

impl CnnLstm {
    /// The network with these weights on this device.
    ///
    /// # Errors
    /// [`ModelError`] where the configuration is out of range, a weight is missing or has the
    /// wrong shape.
    pub fn from_weights(
        config: &ModelConfig,
        weights: &[NamedTensor],
        device: &Device,
    ) -> Result<Self, ModelError> {
        config.validate()?;
        let shapes = config.weight_shapes();
        let data = |name: &str| -> Result<TensorData, ModelError> {
            let (_, shape) = shapes
                .iter()
                .find(|(known, _)| *known == name)
                .ok_or_else(|| ModelError::Missing { what: name.into() })?;
            let values = values(weights, name, shape)?;
            Ok(TensorData::new(values.to_vec(), shape.clone()))
        };
        let with_context = config.context > 0;
        Ok(Self {
            conv_weight: Param::from_data(data("conv.weight")?, device),
            conv_bias: Param::from_data(data("conv.bias")?, device),
            lstm_input: Param::from_data(data("lstm.input")?, device),
            lstm_recurrent: Param::from_data(data("lstm.recurrent")?, device),
            lstm_bias: Param::from_data(data("lstm.bias")?, device),
            context_weight: match with_context {
                true => Some(Param::from_data(data("context.weight")?, device)),
                false => None,
            },
            context_bias: match with_context {
                true => Some(Param::from_data(data("context.bias")?, device)),
                false => None,
            },
            output_weight: Param::from_data(data("output.weight")?, device),
            output_bias: Param::from_data(data("output.bias")?, device),
            dropout: DropoutConfig::new(config.dropout).init(),
            ensemble: match &config.ensemble {
                Some(ensemble) => Some(Ensemble::new(ensemble, data, device)?),
                None => None,
            },
            config: config.clone(),
            arithmetic: Arithmetic::default(),
        })
    }

    /// The same network, with gradients sought in these numbers.
    ///
    /// # Errors
    /// [`ModelError::NoHalf`] where they are to be mixed and the network lies on no GPU that has
    /// numbers of 16 bits.
    pub fn in_arithmetic(mut self, arithmetic: Arithmetic) -> Result<Self, ModelError> {
        arithmetic.check(&self.device())?;
        self.arithmetic = arithmetic;
        Ok(self)
    }

    /// The weights as plain numbers, in the bundle's names and shapes. Blocks until the device is
    /// done: for native use.
    ///
    /// # Errors
    /// [`ModelError::Device`] where the device cannot be read.
    pub fn weights(&self) -> Result<Vec<NamedTensor>, ModelError> {
        fn named<const D: usize>(name: &str, tensor: Tensor<D>) -> Result<NamedTensor, ModelError> {
            Ok(NamedTensor {
                name: name.into(),
                shape: tensor.dims().to_vec(),
                data: read(tensor.try_to_vec_as::<f32>())?,
            })
        }
        let mut weights = vec![
            named("conv.weight", self.conv_weight.val())?,
            named("conv.bias", self.conv_bias.val())?,
            named("lstm.input", self.lstm_input.val())?,
            named("lstm.recurrent", self.lstm_recurrent.val())?,
            named("lstm.bias", self.lstm_bias.val())?,
        ];
        if let (Some(weight), Some(bias)) = (&self.context_weight, &self.context_bias) {
            weights.push(named("context.weight", weight.val())?);
            weights.push(named("context.bias", bias.val())?);
        }
        weights.push(named("output.weight", self.output_weight.val())?);
        weights.push(named("output.bias", self.output_bias.val())?);
        if let Some(ensemble) = &self.ensemble {
            weights.extend(ensemble.named_weights()?);
        }
        Ok(weights)
    }

    /// The sizes of this network.
    #[must_use]
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// The ensemble, where there is one.
    #[must_use]
    pub const fn ensemble(&self) -> Option<&Ensemble> {
        self.ensemble.as_ref()
    }

    /// The device that holds the weights.
    #[must_use]
    pub fn device(&self) -> Device {
        self.output_bias.val().device()
    }

    /// The logit after each event of each session.
    ///
    /// `rows` is `[batch, time, features]`, each session from its first event on, padded at its
    /// end to a common length with anything finite: the network is causal, so that padding never
    /// changes an earlier logit. `context` is `[batch, context]`, and ignored where the network has
    /// no context. The result is `[batch, time]`.
    ///
    /// Column n−1 equals the published network on the session's first n events: three zero rows
    /// on the left, valid convolution, pooling aligned to the session's end, LSTM from zero state,
    /// its last output. Windows of even n form one sequence and windows of odd n another: both run
    /// as one batch of twice the size and half the steps.
    ///
    /// `time` is at least 1; without events, [`Self::forward_context_only`] is the score.
    #[must_use]
    pub fn forward(&self, rows: Tensor<3>, context: Tensor<2>) -> Tensor<2> {
        self.forward_with_states(rows, context).0
    }

    /// The same, and what it is read from: the LSTM's output after each event, `[batch, time, hidden]`.
    #[must_use]
    pub fn forward_with_states(
        &self,
        rows: Tensor<3>,
        context: Tensor<2>,
    ) -> (Tensor<2>, Tensor<3>) {
        let [batch, time, _] = rows.dims();
        let hidden = self.config.hidden;
        let inputs = self.config.step_inputs();
        let steps = time.div_ceil(2);
        let layers = self.layers();

        let beside = self.beside(rows.clone(), context.clone());
        let windows = layers.windows(layers.plane(rows), 1); // [batch, 2 × steps, step_inputs]
        // The two phases side by side: windows 1 and 2, 3 and 4, ...
        let gates = layers.project(windows.reshape([batch, steps, 2 * inputs]));
        let outputs = layers.lstm.outputs(gates); // [batch, steps, 2 × hidden]
        let outputs = outputs.reshape([batch, 2 * steps, hidden]);
        let logits = self
            .dropout
            .forward(outputs.clone().reshape([batch * 2 * steps, hidden]))
            .matmul(self.readout())
            .reshape([batch, 2 * steps])
            .narrow(1, 0, time);
        let logits = logits + beside + self.base(context);
        (logits, outputs.narrow(1, 0, time))
    }

    /// The logit of each session as a whole, by the phase in which it ends.
    /// Half the work of [`Self::forward`], which computes both phases. The result is `[sessions]`;
    /// the batch must hold at least one.
    #[must_use]
    pub fn forward_last(&self, batch: &Batch) -> Tensor<1> {
        let device = self.device();
        let (sessions, steps) = (batch.sessions(), batch.steps());
        let context = batch.context(&device);
        let beside = self.beside(batch.newest(&device), context.clone()); // [sessions, 1]
        let mut logits = beside + self.base(context);
        if steps > 0 {
            let layers = self.layers();
            let windows = layers.windows(batch.plane(&device), 2); // [sessions, steps, step_inputs]
            let outputs = layers.lstm.outputs(layers.project(windows)); // [sessions, steps, hidden]
            let scores = self
                .dropout
                .forward(outputs.reshape([sessions * steps, self.config.hidden]))
                .matmul(self.readout())
                .reshape([sessions, steps]);
            // Each session's last step, picked by a product with zeros and ones.
            logits = logits + (scores * batch.last_step(&device)).sum_dim(1); // [sessions, 1]
        }
        logits.reshape([sessions])
    }

    /// [`Self::forward_last`], read back. Blocks until the device is done: for native use.
    ///
    /// # Errors
    /// [`ModelError::Device`] where the device cannot be read.
    pub fn score(&self, batch: &Batch) -> Result<Vec<f32>, ModelError> {
        if batch.sessions() == 0 {
            return Ok(Vec::new());
        }
        read(self.forward_last(batch).try_to_vec_as::<f32>())
    }

    /// The logit of sessions without events: the LSTM's output is zero. `context` is
    /// `[batch, context]`; the result is `[batch]`.
    #[must_use]
    pub fn forward_context_only(&self, context: Tensor<2>) -> Tensor<1> {
        let [batch, _] = context.dims();
        let rows = Tensor::zeros([batch, 1, self.config.features], &self.device());
        (self.beside(rows, context.clone()) + self.base(context)).reshape([batch])
    }

    /// What the ensemble adds after each event: `rows` is `[batch, time, features]` and `context`
    /// `[batch, context]`; the result is `[batch, time]`, zeros without an ensemble.
    pub(crate) fn beside(&self, rows: Tensor<3>, context: Tensor<2>) -> Tensor<2> {
        let [batch, time, features] = rows.dims();
        let Some(ensemble) = &self.ensemble else {
            return Tensor::zeros([batch, time], &rows.device());
        };
        let rows = rows.reshape([batch * time, features]);
        let inputs = if self.config.context == 0 {
            rows
        } else {
            let width = self.config.context;
            let context = context.unsqueeze_dim::<3>(1).expand([batch, time, width]);
            Tensor::cat(vec![context.reshape([batch * time, width]), rows], 1)
        };
        ensemble.logits(inputs).reshape([batch, time])
    }

    /// What context and bias add to every logit of a session: `[batch, 1]`, or `[1, 1]` without
    /// context.
    pub(crate) fn base(&self, context: Tensor<2>) -> Tensor<2> {
        let bias = self.output_bias.val().unsqueeze::<2>(); // [1, 1]
        let (Some(weight), Some(layer_bias)) = (&self.context_weight, &self.context_bias) else {
            return bias;
        };
        let units = context.matmul(weight.val()) + layer_bias.val().unsqueeze();
        let units = self.dropout.forward(relu(units)); // [batch, context_hidden]
        let weight =
            self.output_weight
                .val()
                .narrow(0, self.config.hidden, self.config.context_hidden);
        units.matmul(weight) + bias
    }

    /// The weights laid out for a pass.
    pub(crate) fn layers(&self) -> Layers {
        Layers::new(
            &self.config,
            self.conv_weight.val(),
            self.conv_bias.val(),
            self.lstm_input.val(),
            self.lstm_recurrent.val(),
            self.lstm_bias.val(),
        )
        .in_arithmetic(self.arithmetic)
    }

    /// All weights as vectors, in the order in which the GPU's kernel reads them.
    #[cfg(feature = "wgpu")]
    pub(crate) fn packed(&self) -> Vec<Tensor<1>> {
        fn flat<const D: usize>(weight: &Param<Tensor<D>>) -> Tensor<1> {
            weight.val().reshape([-1])
        }
        let ModelConfig {
            filters, hidden, ..
        } = self.config;
        // Rows filter by filter become rows column by column, as windows come.
        let input = self
            .lstm_input
            .val()
            .reshape([filters, self.config.pooled_columns(), 4 * hidden])
            .swap_dims(0, 1)
            .reshape([-1]);
        let mut packed = vec![
            flat(&self.conv_weight),
            flat(&self.conv_bias),
            input,
            flat(&self.lstm_recurrent),
            flat(&self.lstm_bias),
            flat(&self.output_weight),
            flat(&self.output_bias),
        ];
        if let (Some(weight), Some(bias)) = (&self.context_weight, &self.context_bias) {
            packed.extend([flat(weight), flat(bias)]);
        }
        packed
    }

    /// The output layer's rows for the LSTM, `[hidden, 1]`.
    pub(crate) fn readout(&self) -> Tensor<2> {
        self.output_weight.val().narrow(0, 0, self.config.hidden)
    }
}

/// The numbers of a tensor that was read back.
pub(crate) fn read<E: core::fmt::Display>(
    values: Result<Vec<f32>, E>,
) -> Result<Vec<f32>, ModelError> {
    values.map_err(|error| ModelError::Device {
        detail: error.to_string(),
    })
}
