//! A network with further heads.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use propense_model::{
    HashedColumns, ModelError, NamedTensor, cpu_device, read_weights, write_weights,
};

use super::{HeadSizes, Heads};
use crate::network::{Blueprint, Network};

/// What a further head misses counts so much beside what is missed of the order.
const BESIDES: f32 = 0.3;

/// A network, its further heads, and what it is not shown of the rows.
#[derive(Debug, Clone)]
pub(crate) struct HeadedConfig<B> {
    pub(crate) network: B,
    pub(crate) heads: HeadSizes,
    /// Numbers in a row.
    pub(crate) features: usize,
    /// Columns of which the network knows nothing: they tell a head what comes.
    pub(crate) hidden: Option<HashedColumns>,
}

/// The network of a [`HeadedConfig`].
#[derive(Module, Debug)]
pub(crate) struct Headed<N: Module> {
    network: N,
    heads: Heads,
    #[module(skip)]
    features: usize,
    #[module(skip)]
    hidden: Option<HashedColumns>,
}

impl<N: Network> Headed<N> {
    /// The rows as the network sees them.
    fn shown(&self, rows: Tensor<3>) -> Tensor<3> {
        match self.hidden {
            Some(columns) => columns.left_out(rows),
            None => rows,
        }
    }

    /// What the heads miss: `[1]`.
    pub(super) fn missed(&self, rows: Tensor<3>, context: Tensor<2>) -> Option<Tensor<1>> {
        let (_, states) = self.with_states(rows.clone(), context);
        self.heads.missed(&states?, &rows)
    }
}

impl<B: Blueprint> Blueprint for HeadedConfig<B> {
    type Network = Headed<B::Network>;

    fn fresh(&self, seed: u64) -> Result<Vec<NamedTensor>, ModelError> {
        let mut weights = self.network.fresh(seed)?;
        weights.extend(read_weights(&self.heads.init(&cpu_device()))?);
        Ok(weights)
    }

    fn build(&self, weights: &[NamedTensor], device: &Device) -> Result<Self::Network, ModelError> {
        Ok(Headed {
            network: self.network.build(weights, device)?,
            heads: write_weights(self.heads.init(device), weights)?,
            features: self.features,
            hidden: self.hidden,
        })
    }

    /// Of the network alone: the heads are left behind.
    fn parameters(&self) -> usize {
        self.network.parameters()
    }

    fn output_bias(&self) -> &'static str {
        self.network.output_bias()
    }

    fn states(&self) -> usize {
        self.network.states()
    }
}

impl<N: Network> Network for Headed<N> {
    fn features(&self) -> usize {
        self.features
    }

    fn with_states(&self, rows: Tensor<3>, context: Tensor<2>) -> (Tensor<2>, Option<Tensor<3>>) {
        self.network.with_states(self.shown(rows), context)
    }

    fn taught(&self, rows: Tensor<3>, context: Tensor<2>) -> (Tensor<2>, Option<Tensor<1>>) {
        let (logits, states) = self.with_states(rows.clone(), context);
        let missed = states.and_then(|states| self.heads.missed(&states, &rows));
        (logits, missed.map(|missed| missed * BESIDES))
    }

    fn without_events(&self, context: Tensor<2>) -> Tensor<1> {
        self.network.without_events(context)
    }

    fn device(&self) -> Device {
        self.network.device()
    }

    fn numbers(&self) -> Result<Vec<NamedTensor>, ModelError> {
        let mut weights = self.network.numbers()?;
        weights.extend(read_weights(&self.heads)?);
        Ok(weights)
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::TensorData;
    use propense_model::ModelConfig;

    use super::*;
    use crate::adam::numbers;
    use crate::objectives::{Aim, Columns};

    /// Two kinds, two columns of an item's hash, four others; the items are not shown.
    fn config() -> HeadedConfig<ModelConfig> {
        let items = HashedColumns { first: 2, count: 2 };
        HeadedConfig {
            network: ModelConfig {
                filters: 3,
                hidden: 5,
                ..ModelConfig::seed(6, 0)
            },
            heads: HeadSizes {
                aims: vec![Aim::NextEvent, Aim::NextItem],
                columns: Columns {
                    kinds: (0, 2),
                    items: Some(items),
                },
                states: 5,
            },
            features: 8,
            hidden: Some(items),
        }
    }

    fn rows(sign: f32) -> Tensor<3> {
        let value = |place: usize| match place % 8 {
            0 => f32::from(u8::from(place.is_multiple_of(16))),
            1 => f32::from(u8::from(place % 16 != 1)),
            2 => sign,
            3 => 0.0,
            _ => (place * 7 % 11) as f32 / 11.0,
        };
        let rows: Vec<f32> = (0..2 * 3 * 8).map(value).collect();
        Tensor::from_data(TensorData::new(rows, [2, 3, 8]), &cpu_device())
    }

    #[test]
    fn the_network_is_the_one_without_heads_and_knows_nothing_of_what_is_hidden() {
        let config = config();
        let weights = config.fresh(3).expect("weights");
        let headed = config.build(&weights, &cpu_device()).expect("a network");
        let alone = config.network.build(&weights, &cpu_device());
        let alone = alone.expect("a network");
        let context = || Tensor::<2>::zeros([2, 0], &cpu_device());
        let shown = Tensor::cat(
            vec![rows(1.0).narrow(2, 0, 2), rows(1.0).narrow(2, 4, 4)],
            2,
        );
        let plain = numbers(alone.after_each(shown, context())).expect("logits");
        let (logits, missed) = headed.taught(rows(1.0), context());
        assert_eq!(numbers(logits).expect("logits"), plain);
        // Fresh heads know nothing: two kinds, and two columns with two signs.
        let missed = numbers(missed.expect("a loss")).expect("a number")[0];
        let nothing = BESIDES * (2f32.ln() + 4f32.ln());
        assert!((missed - nothing).abs() < 1e-6, "{missed} for {nothing}");
        let other = numbers(headed.after_each(rows(-1.0), context())).expect("logits");
        assert_eq!(other, plain, "items tell the heads alone");
        assert_eq!(config.parameters(), config.network.parameters());
        assert_eq!(headed.numbers().expect("weights"), weights);
    }
}
