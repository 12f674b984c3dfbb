//! The weights as the kernels read them on the way there and back, and gradients in the same order.

use crate::cpu::pack::{Aligned, Filters, Panels};
use crate::cpu::simd::Level;
use crate::weights::values;
use crate::{ModelConfig, ModelError, NamedTensor};

/// One step's weights.
pub(super) struct Packed<'a> {
    pub(super) config: &'a ModelConfig,
    pub(super) level: Level,
    pub(super) filters: Filters,
    pub(super) panels: Panels,
    /// The recurrent kernel transposed: from the gates' gradients to those of the outputs before.
    pub(super) to_outputs: Transposed,
    /// The input kernel transposed: from the gates' gradients to those of the windows.
    pub(super) to_windows: Transposed,
    /// `[context, context_hidden]`.
    pub(super) context: &'a [f32],
    /// `[context_hidden]`.
    pub(super) context_bias: &'a [f32],
    /// `[hidden]`.
    pub(super) readout: &'a [f32],
    /// `[context_hidden]`.
    pub(super) context_readout: &'a [f32],
    pub(super) output_bias: f32,
}

/// Some of the panels' rows as columns, in panels of four vectors:
/// `[panels, 4 × units made up, 4 × lanes]`.
pub(super) struct Transposed {
    pub(super) panels: usize,
    pub(super) weights: Aligned,
}

impl Transposed {
    fn new(panels: &Panels, lanes: usize, rows: core::ops::Range<usize>) -> Self {
        let width = 4 * lanes;
        let depth = panels.count() * width;
        let mut weights = Aligned::zeros(rows.len().next_multiple_of(width) * depth);
        let source = panels.weights();
        // Tiles of one panel's width each way, so that neither side is read in long strides alone.
        for panel in 0..panels.count() {
            let source = &source[panel * panels.rows() * width..][..panels.rows() * width];
            for (place, row) in rows.clone().enumerate() {
                let row = &source[row * width..(row + 1) * width];
                let first = (place / width * depth + panel * width) * width + place % width;
                for (column, &weight) in row.iter().enumerate() {
                    weights[first + column * width] = weight;
                }
            }
        }
        Self {
            panels: rows.len().div_ceil(width),
            weights,
        }
    }
}

impl<'a> Packed<'a> {
    pub(super) fn new(
        level: Level,
        config: &'a ModelConfig,
        weights: &'a [NamedTensor],
    ) -> Result<Self, ModelError> {
        let shapes = config.weight_shapes();
        let weight = |name: &str| match shapes.iter().find(|(known, _)| *known == name) {
            Some((_, shape)) => values(weights, name, shape),
            None => Ok(&[][..]),
        };
        let ModelConfig {
            filters, hidden, ..
        } = *config;
        let (lanes, columns) = (level.lanes(), config.pooled_columns());
        let input = weight("lstm.input")?;
        let mut by_column = Vec::with_capacity(input.len());
        for column in 0..columns {
            for filter in 0..filters {
                let first = (filter * columns + column) * 4 * hidden;
                by_column.extend_from_slice(&input[first..first + 4 * hidden]);
            }
        }
        let panels = Panels::new(
            lanes,
            weight("lstm.recurrent")?,
            &by_column,
            weight("lstm.bias")?,
        );
        let (readout, context_readout) = weight("output.weight")?.split_at(hidden);
        Ok(Self {
            config,
            level,
            filters: Filters::new(
                lanes,
                config.kernel,
                weight("conv.weight")?,
                weight("conv.bias")?,
            ),
            to_outputs: Transposed::new(&panels, lanes, 0..hidden),
            to_windows: Transposed::new(&panels, lanes, hidden..panels.rows()),
            panels,
            context: weight("context.weight")?,
            context_bias: weight("context.bias")?,
            readout,
            context_readout,
            output_bias: weight("output.bias")?[0],
        })
    }

    /// Hidden units made up to whole vectors.
    pub(super) fn units(&self) -> usize {
        self.panels.count() * self.level.lanes()
    }

    /// Gradients of nothing.
    pub(super) fn zeros(&self) -> Gradients {
        let mut gradients = Gradients::default();
        gradients.clear(self);
        gradients
    }

    /// The gradients in the order and shape of the bundle's weights.
    pub(super) fn unpack(&self, gradients: &Gradients) -> Vec<Vec<f32>> {
        let ModelConfig {
            filters,
            kernel,
            hidden,
            ..
        } = *self.config;
        let (padded, columns) = (self.filters.padded(), self.config.pooled_columns());
        let taps = kernel * kernel;
        let conv = (0..filters)
            .flat_map(|filter| (0..taps).map(move |tap| (filter, tap)))
            .map(|(filter, tap)| gradients.kernel[tap * padded + filter])
            .collect();
        let recurrent = (0..hidden).flat_map(|row| self.gates(&gradients.lstm, row));
        let input = (0..filters)
            .flat_map(|filter| (0..columns).map(move |column| hidden + column * filters + filter))
            .flat_map(|row| self.gates(&gradients.lstm, row));
        let mut all = vec![
            conv,
            gradients.conv_bias[..filters].to_vec(),
            input.collect(),
            recurrent.collect(),
            self.gates(&gradients.lstm, self.panels.rows()).collect(),
        ];
        if self.config.context > 0 {
            all.push(gradients.context.clone());
            all.push(gradients.context_bias.clone());
        }
        all.push(gradients.output.clone());
        all.push(vec![gradients.output_bias]);
        all
    }

    /// A row of the LSTM's gradient, gate by gate, without the units that only fill a vector up.
    fn gates<'b>(&self, lstm: &'b [f32], row: usize) -> impl Iterator<Item = f32> + use<'b> {
        let (lanes, units, hidden) = (self.level.lanes(), self.units(), self.config.hidden);
        let row = &lstm[row * 4 * units..(row + 1) * 4 * units];
        (0..4).flat_map(move |gate| {
            (0..hidden).map(move |unit| row[(unit / lanes * 4 + gate) * lanes + unit % lanes])
        })
    }
}

/// Gradients as the kernels lay them down.
#[derive(Debug, Default)]
pub(super) struct Gradients {
    /// `[hidden + step inputs + 1, 4 × units made up]`, columns as in [`Panels`], the last row that of
    /// the bias.
    pub(super) lstm: Vec<f32>,
    /// `[kernel × kernel, filters made up]`.
    pub(super) kernel: Vec<f32>,
    /// `[filters made up]`.
    pub(super) conv_bias: Vec<f32>,
    /// `[context, context_hidden]`.
    pub(super) context: Vec<f32>,
    /// `[context_hidden]`.
    pub(super) context_bias: Vec<f32>,
    /// `[joined]`.
    pub(super) output: Vec<f32>,
    pub(super) output_bias: f32,
}

impl Gradients {
    /// Makes room for these weights' gradients, all zero.
    pub(super) fn clear(&mut self, packed: &Packed<'_>) {
        let zeros = |numbers: &mut Vec<f32>, length: usize| {
            numbers.clear();
            numbers.resize(length, 0.0);
        };
        let padded = packed.filters.padded();
        zeros(
            &mut self.lstm,
            (packed.panels.rows() + 1) * 4 * packed.units(),
        );
        let side = packed.filters.kernel;
        zeros(&mut self.kernel, side * side * padded);
        zeros(&mut self.conv_bias, padded);
        zeros(&mut self.context, packed.context.len());
        zeros(&mut self.context_bias, packed.context_bias.len());
        zeros(
            &mut self.output,
            packed.readout.len() + packed.context_readout.len(),
        );
        self.output_bias = 0.0;
    }

    pub(super) fn add(&mut self, other: &Self) {
        let add = |sums: &mut [f32], numbers: &[f32]| {
            for (sum, number) in sums.iter_mut().zip(numbers) {
                *sum += number;
            }
        };
        add(&mut self.lstm, &other.lstm);
        add(&mut self.kernel, &other.kernel);
        add(&mut self.conv_bias, &other.conv_bias);
        add(&mut self.context, &other.context);
        add(&mut self.context_bias, &other.context_bias);
        add(&mut self.output, &other.output);
        self.output_bias += other.output_bias;
    }
}
