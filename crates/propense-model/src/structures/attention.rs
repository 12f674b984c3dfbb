//! Structures without a state: convolutions over time, and attention.

use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::activation::relu;

use super::StructureConfig;
use super::layers::{Dense, Draw, attend, normalise, positions, three};

/// Gaps of the convolutions: together they see 63 events.
const GAPS: [usize; 5] = [1, 2, 4, 8, 16];

/// Convolutions over time, each of three rows, added up as they go.
#[derive(Module, Debug)]
pub(crate) struct Convolutions {
    /// Rows to units.
    input: Dense,
    /// Three times the units to units, one for each gap.
    layers: Vec<Dense>,
}

impl Convolutions {
    pub(super) fn new(config: &StructureConfig, draw: &mut Draw<'_>) -> Self {
        let width = config.width;
        let input = Dense::new(draw, config.features, width);
        let layers = GAPS.map(|_| Dense::new(draw, 3 * width, width));
        Self {
            input,
            layers: layers.into(),
        }
    }

    /// `[batch, time, features]` to `[batch, time, width]`.
    pub(super) fn forward(&self, rows: Tensor<3>) -> Tensor<3> {
        let mut units = self.input.each(rows);
        for (layer, gap) in self.layers.iter().zip(GAPS) {
            units = units.clone() + relu(layer.each(three(&units, gap)));
        }
        units
    }
}

/// A convolution over three rows, and what attention finds before the newest one.
#[derive(Module, Debug)]
pub(crate) struct ConvAttention {
    conv: Dense,
    query: Dense,
    key: Dense,
    value: Dense,
}

impl ConvAttention {
    pub(super) fn new(config: &StructureConfig, draw: &mut Draw<'_>) -> Self {
        let width = config.width;
        Self {
            conv: Dense::new(draw, 3 * config.features, width),
            query: Dense::new(draw, width, width),
            key: Dense::new(draw, width, width),
            value: Dense::new(draw, width, width),
        }
    }

    /// `[batch, time, features]` to `[batch, time, 2 × width]`.
    pub(super) fn forward(&self, rows: Tensor<3>) -> Tensor<3> {
        let units = relu(self.conv.each(three(&rows, 1)));
        let found = attend(
            self.query.each(units.clone()),
            self.key.each(units.clone()),
            self.value.each(units.clone()),
            1,
        );
        Tensor::cat(vec![units, found], 2)
    }
}

const BLOCKS: usize = 2;
const HEADS: usize = 4;

/// One block: attention, then a dense layer, each added to what comes in.
#[derive(Module, Debug)]
pub(crate) struct Block {
    query: Dense,
    key: Dense,
    value: Dense,
    joined: Dense,
    wide: Dense,
    narrow: Dense,
}

impl Block {
    fn new(width: usize, draw: &mut Draw<'_>) -> Self {
        Self {
            query: Dense::new(draw, width, width),
            key: Dense::new(draw, width, width),
            value: Dense::new(draw, width, width),
            joined: Dense::new(draw, width, width),
            wide: Dense::new(draw, width, 2 * width),
            narrow: Dense::new(draw, 2 * width, width),
        }
    }

    fn forward(&self, units: Tensor<3>) -> Tensor<3> {
        let seen = normalise(units.clone());
        let found = attend(
            self.query.each(seen.clone()),
            self.key.each(seen.clone()),
            self.value.each(seen),
            HEADS,
        );
        let units = units + self.joined.each(found);
        let inner = relu(self.wide.each(normalise(units.clone())));
        units + self.narrow.each(inner)
    }
}

/// A small transformer that looks back only.
#[derive(Module, Debug)]
pub(crate) struct Transformer {
    input: Dense,
    blocks: Vec<Block>,
}

impl Transformer {
    pub(super) fn new(config: &StructureConfig, draw: &mut Draw<'_>) -> Self {
        let input = Dense::new(draw, config.features, config.width);
        let blocks = (0..BLOCKS).map(|_| Block::new(config.width, draw));
        Self {
            input,
            blocks: blocks.collect(),
        }
    }

    /// `[batch, time, features]` to `[batch, time, width]`.
    pub(super) fn forward(&self, rows: Tensor<3>) -> Tensor<3> {
        let units = self.input.each(rows);
        let [_, time, width] = units.dims();
        let mut units = units.clone() + positions(time, width, &units.device());
        for block in &self.blocks {
            units = block.forward(units);
        }
        normalise(units)
    }
}
