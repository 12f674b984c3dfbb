//! A GRU over a visit's items that says which comes next (GRU4Rec: Hidasi et al. 2016), with the items'
//! embeddings for input and output alike (Hidasi and Karatzoglou 2018).

use burn::module::{Module, Param};
use burn::tensor::{Device, Int, Tensor};

use super::recurrent::{self, Recurrent};
use super::{StructureConfig, StructureKind};
use crate::ModelError;

/// The network.
#[derive(Module, Debug)]
pub struct NextItemGru {
    /// `[items, width]`.
    table: Param<Tensor<2>>,
    body: Recurrent,
    /// `[items]`: what is liked whatever was seen.
    popularity: Param<Tensor<1>>,
    #[module(skip)]
    width: usize,
}

/// Bound of both extents.
const MOST: usize = 1 << 20;

impl NextItemGru {
    /// A network for so many items, with embeddings and a state of this width, drawn from the seed.
    ///
    /// # Errors
    /// [`ModelError::Config`] where a size is out of range.
    pub fn init(
        items: usize,
        width: usize,
        device: &Device,
        seed: u64,
    ) -> Result<Self, ModelError> {
        let config = StructureConfig {
            width,
            ..StructureConfig::new(StructureKind::Gru, width, 0)
        };
        config.validate()?;
        if !(1..=MOST).contains(&items) {
            return Err(ModelError::Config {
                field: "items",
                value: items.to_string(),
                allowed: format!("1 to {MOST}"),
            });
        }
        let mut draw = recurrent::draw(seed, device);
        Ok(Self {
            table: draw.matrix(items, width),
            body: Recurrent::new(&config, &mut draw),
            popularity: draw.zeros(items),
            width,
        })
    }

    /// Scores of all items after each click: `[batch, time]` item numbers to `[batch × time, items]`.
    #[must_use]
    pub fn forward(&self, clicks: Tensor<2, Int>) -> Tensor<2> {
        let [batch, time] = clicks.dims();
        let table = self.table.val();
        let rows = table.clone().select(0, clicks.reshape([batch * time]));
        let states = self.body.forward(rows.reshape([batch, time, self.width]));
        let states = states.reshape([batch * time, self.width]);
        states.matmul(table.transpose()) + self.popularity.val().unsqueeze()
    }

    /// Scores of all items after the last of a visit's clicks: `[1, time]` to `[items]`.
    #[must_use]
    pub fn last(&self, clicks: Tensor<2, Int>) -> Tensor<1> {
        let [_, time] = clicks.dims();
        let table = self.table.val();
        let rows = table.clone().select(0, clicks.reshape([time]));
        let states = self.body.forward(rows.reshape([1, time, self.width]));
        let state = states.narrow(1, time - 1, 1).reshape([1, self.width]);
        let scores = state.matmul(table.transpose()) + self.popularity.val().unsqueeze();
        scores.squeeze_dim(0)
    }

    /// Trained numbers.
    #[must_use]
    pub fn parameters(&self) -> usize {
        self.num_params()
    }
}
