//! Structures to compare the published network with: other ways to read the events of a session,
//! with the same context layer and the same output. They are trained and measured, not shipped: the
//! bundle and the page know [`crate::CnnLstm`] alone.

mod attention;
mod config;
mod layers;
mod next_item;
mod recurrent;
mod store;

use burn::module::{Module, Param};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor, TensorData};

pub use config::{HashedColumns, StructureConfig, StructureKind};
pub use next_item::NextItemGru;
pub use store::{read_weights, write_weights};

use crate::{Ensemble, ModelError, NamedTensor};
use attention::{ConvAttention, Convolutions, Transformer};
use layers::{Dense, Draw};
use recurrent::{ConvLstmItems, Recurrent};

/// What reads the events.
#[derive(Module, Debug)]
pub(crate) enum Body {
    /// Convolutions over time.
    Convolutions(Convolutions),
    /// LSTM or GRU.
    Recurrent(Recurrent),
    /// Convolution, LSTM and items.
    ConvLstmItems(ConvLstmItems),
    /// Convolution and attention.
    ConvAttention(ConvAttention),
    /// Self-attention.
    Transformer(Transformer),
}

/// A network that gives a logit after every event, as [`crate::CnnLstm`] does.
#[derive(Module, Debug)]
pub struct Structure {
    /// None where the events are not read.
    body: Option<Body>,
    /// `[read out, 1]`.
    readout: Param<Tensor<2>>,
    /// The context layer.
    context: Option<Dense>,
    /// `[context_hidden, 1]`.
    context_readout: Param<Tensor<2>>,
    /// The context on bins.
    bins: Option<Ensemble>,
    /// `[1]`.
    output_bias: Param<Tensor<1>>,
    #[module(skip)]
    config: StructureConfig,
}

impl StructureConfig {
    /// A network with fresh weights: the same seed gives the same numbers on every device.
    ///
    /// # Errors
    /// [`ModelError::Config`] where the configuration is out of range.
    pub fn init(&self, device: &Device, seed: u64) -> Result<Structure, ModelError> {
        self.validate()?;
        let mut draw = recurrent::draw(seed, device);
        let body = match self.kind {
            StructureKind::Conv => Some(Body::Convolutions(Convolutions::new(self, &mut draw))),
            StructureKind::Lstm | StructureKind::Gru => {
                Some(Body::Recurrent(Recurrent::new(self, &mut draw)))
            }
            StructureKind::ConvLstmItems => {
                Some(Body::ConvLstmItems(ConvLstmItems::new(self, &mut draw)))
            }
            StructureKind::ConvAttention => {
                Some(Body::ConvAttention(ConvAttention::new(self, &mut draw)))
            }
            StructureKind::Transformer => {
                Some(Body::Transformer(Transformer::new(self, &mut draw)))
            }
            StructureKind::Context => None,
        };
        let plain = self.context > 0 && self.kind != StructureKind::Context;
        let bins = match (&self.bins, self.kind) {
            (Some(config), StructureKind::Context) => Some(binned(config, &mut draw)?),
            _ => None,
        };
        Ok(Structure {
            body,
            readout: draw.matrix(self.read_out(), 1),
            context: plain.then(|| Dense::new(&mut draw, self.context, self.context_hidden)),
            context_readout: draw.matrix(self.context_hidden, 1),
            bins,
            output_bias: draw.zeros(1),
            config: self.clone(),
        })
    }
}

/// One small network on the binned context.
fn binned(config: &crate::EnsembleConfig, draw: &mut Draw<'_>) -> Result<Ensemble, ModelError> {
    let shapes = config.weight_shapes();
    let device = draw.device;
    let data = |name: &'static str| -> Result<TensorData, ModelError> {
        let shape = shapes.iter().find(|(known, _)| *known == name);
        let (_, shape) = shape.ok_or_else(|| ModelError::Missing { what: name.into() })?;
        let count = shape.iter().product();
        let values = match shape[..] {
            [rows, _] => draw.random.even(count, rows),
            _ => vec![0.0; count],
        };
        Ok(TensorData::new(values, shape.clone()))
    };
    Ensemble::new(config, data, device)
}

impl Structure {
    /// Kind and sizes.
    #[must_use]
    pub const fn config(&self) -> &StructureConfig {
        &self.config
    }

    /// The device that holds the weights.
    #[must_use]
    pub fn device(&self) -> Device {
        self.output_bias.val().device()
    }

    /// The logit after each event of each session. `rows` is `[batch, time, features]`, padded at
    /// its end: every structure looks back only. `context` is `[batch, context]`. The result is
    /// `[batch, time]`; `time` is at least 1.
    #[must_use]
    pub fn forward(&self, rows: Tensor<3>, context: Tensor<2>) -> Tensor<2> {
        self.forward_with_states(rows, context).0
    }

    /// The same, and what it is read from: `[batch, time, read out]`; none where no events are read.
    #[must_use]
    pub fn forward_with_states(
        &self,
        rows: Tensor<3>,
        context: Tensor<2>,
    ) -> (Tensor<2>, Option<Tensor<3>>) {
        let [batch, time, _] = rows.dims();
        let base = self.base(context); // [batch, 1]
        let states = match &self.body {
            Some(Body::Convolutions(body)) => body.forward(rows),
            Some(Body::Recurrent(body)) => body.forward(rows),
            Some(Body::ConvLstmItems(body)) => body.forward(rows),
            Some(Body::ConvAttention(body)) => body.forward(rows),
            Some(Body::Transformer(body)) => body.forward(rows),
            None => return (base.expand([batch, time]), None),
        };
        let width = self.config.read_out();
        let logits = states
            .clone()
            .reshape([batch * time, width])
            .matmul(self.readout.val())
            .reshape([batch, time]);
        (logits + base, Some(states))
    }

    /// The logit of sessions without events: `[batch, context]` to `[batch]`.
    #[must_use]
    pub fn forward_context_only(&self, context: Tensor<2>) -> Tensor<1> {
        let [batch, _] = context.dims();
        self.base(context).reshape([batch])
    }

    /// What context and bias add: `[batch, 1]`.
    fn base(&self, context: Tensor<2>) -> Tensor<2> {
        let [batch, _] = context.dims();
        let bias = self.output_bias.val().unsqueeze::<2>().expand([batch, 1]);
        if let Some(bins) = &self.bins {
            return bins.logits(context) + bias;
        }
        match &self.context {
            Some(layer) => relu(layer.flat(context)).matmul(self.context_readout.val()) + bias,
            None => bias,
        }
    }

    /// The weights as plain numbers, by their place in the module. Blocks until the device is done:
    /// for native use.
    ///
    /// # Errors
    /// [`ModelError::Device`] where the device cannot be read.
    pub fn weights(&self) -> Result<Vec<NamedTensor>, ModelError> {
        read_weights(self)
    }

    /// The same network with these weights.
    ///
    /// # Errors
    /// [`ModelError`] where one is missing or of another shape.
    pub fn with_weights(self, weights: &[NamedTensor]) -> Result<Self, ModelError> {
        write_weights(self, weights)
    }
}

#[cfg(test)]
mod tests;
