//! The network in Burn's own modules, as one writes it from Burn's book, on Burn's CPU backend.

use anyhow::{Context, Result, bail};
use burn::module::{Module, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{GateController, Linear, LinearConfig, Lstm, LstmConfig};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor, TensorData};
use propense_model::{Bundle, cpu_device};
use serde_json::{Value, json};

use super::{EVENTS, FEATURES, Inputs, Peer, microseconds};

const HIDDEN: usize = 128;
const FILTERS: usize = 32;
const COLUMNS: usize = (FEATURES - 2) / 2;
const ROWS: usize = EVENTS + 2;

#[derive(Module, Debug)]
struct Network {
    convolution: Conv2d,
    pooling: MaxPool2d,
    lstm: Lstm,
    output: Linear,
}

impl Network {
    /// `[batch, 1, ROWS, FEATURES]` to `[batch, 1]`.
    fn forward(&self, sessions: Tensor<4>) -> Tensor<2> {
        let [batch, ..] = sessions.dims();
        let pooled = self
            .pooling
            .forward(relu(self.convolution.forward(sessions)));
        // [batch, FILTERS, steps, COLUMNS] to [batch, steps, FILTERS × COLUMNS]
        let steps = EVENTS / 2;
        let inputs = pooled
            .swap_dims(1, 2)
            .reshape([batch, steps, FILTERS * COLUMNS]);
        let (_, state) = self.lstm.forward(inputs, None);
        self.output.forward(state.hidden)
    }
}

pub(super) struct Plain {
    network: Network,
    one: Tensor<4>,
    many: Tensor<4>,
}

impl Plain {
    pub(super) fn new(inputs: &Inputs) -> Result<Self> {
        let device = cpu_device();
        let bundle = Bundle::from_bytes(&inputs.bundle()?)?;
        let weight = |name: &str| -> Result<Vec<f32>> {
            let found = bundle.weights.iter().find(|weight| weight.name == name);
            Ok(found
                .with_context(|| format!("no weight {name}"))?
                .data
                .clone())
        };
        let mut network = Network {
            convolution: Conv2dConfig::new([1, FILTERS], [3, 3]).init(&device),
            pooling: MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init(),
            lstm: LstmConfig::new(FILTERS * COLUMNS, HIDDEN, true).init(&device),
            output: LinearConfig::new(HIDDEN, 1).init(&device),
        };
        network.convolution.weight = given(weight("conv.weight")?, [FILTERS, 1, 3, 3], &device);
        network.convolution.bias = Some(given(weight("conv.bias")?, [FILTERS], &device));
        network.output.weight = given(weight("output.weight")?, [HIDDEN, 1], &device);
        network.output.bias = Some(given(weight("output.bias")?, [1], &device));
        let (input, recurrent, bias) = (
            weight("lstm.input")?,
            weight("lstm.recurrent")?,
            weight("lstm.bias")?,
        );
        let lstm = &mut network.lstm;
        let forget = lstm.forget_gate.as_mut().context("a gate is missing")?;
        // The bundle holds the gates side by side, in Keras' order.
        for (index, gate) in [
            &mut lstm.input_gate,
            forget,
            &mut lstm.cell_gate,
            &mut lstm.output_gate,
        ]
        .into_iter()
        .enumerate()
        {
            set_gate(gate, index, (&input, &recurrent, &bias), &device);
        }
        let sessions = inputs.sessions();
        let shape = [sessions, 1, ROWS, FEATURES];
        let many = Tensor::from_data(TensorData::new(inputs.padded.clone(), shape), &device);
        Ok(Self {
            network,
            one: many.clone().narrow(0, 0, 1),
            many,
        })
    }

    fn score(&self, sessions: &Tensor<4>) -> Result<Vec<f32>> {
        let logits = self.network.forward(sessions.clone());
        logits
            .try_into_vec_as::<f32>()
            .map_err(|error| anyhow::anyhow!("reading the logits: {error}"))
    }
}

fn given<const D: usize>(values: Vec<f32>, shape: [usize; D], device: &Device) -> Param<Tensor<D>> {
    Param::from_tensor(Tensor::from_data(TensorData::new(values, shape), device))
}

/// The columns of one gate, for the weights of input and recurrence and for the bias.
fn set_gate(
    gate: &mut GateController,
    index: usize,
    (input, recurrent, bias): (&[f32], &[f32], &[f32]),
    device: &Device,
) {
    let columns = |values: &[f32]| -> Vec<f32> {
        values
            .chunks_exact(4 * HIDDEN)
            .flat_map(|row| &row[index * HIDDEN..][..HIDDEN])
            .copied()
            .collect()
    };
    gate.input_transform.weight = given(columns(input), [FILTERS * COLUMNS, HIDDEN], device);
    gate.input_transform.bias = Some(given(columns(bias), [HIDDEN], device));
    gate.hidden_transform.weight = given(columns(recurrent), [HIDDEN, HIDDEN], device);
    gate.hidden_transform.bias = Some(given(vec![0.0; HIDDEN], [HIDDEN], device));
}

impl Peer for Plain {
    fn about(&self) -> Value {
        json!({
            "name": "Burn, its own modules",
            "version": "0.22.1",
            "threads": std::thread::available_parallelism().map_or(1, usize::from),
            "cases": ["one", "many"],
        })
    }

    fn logits(&mut self) -> Result<Vec<f32>> {
        self.score(&self.many)
    }

    fn one(&mut self) -> Result<f32> {
        self.score(&self.one)?.first().copied().context("no logit")
    }

    fn time(&mut self, case: &str) -> Result<Vec<f64>> {
        match case {
            "one" => microseconds(20, 1, || self.score(&self.one).map(drop)),
            "many" => microseconds(2, 1, || self.score(&self.many).map(drop)),
            other => bail!("no case `{other}`"),
        }
    }
}
