//! The weights, packed for the CPU.

use super::ensemble::CpuEnsemble;
use super::pack::{Filters, Panels};
use super::simd::Level;
use crate::weights::values;
use crate::{ModelConfig, ModelError, NamedTensor};

/// The network's weights in the order in which the kernels of this machine read them. Share it in
/// an `Arc` between sessions.
#[derive(Debug, Clone)]
pub struct CpuModel {
    pub(super) config: ModelConfig,
    /// The instruction set that the weights are laid out for.
    pub(super) level: Level,
    pub(super) filters: Filters,
    pub(super) panels: Panels,
    /// `[context_hidden, context]`.
    context: Vec<f32>,
    /// `[context_hidden]`.
    context_bias: Vec<f32>,
    /// The output layer's row for the LSTM, `[hidden]`.
    pub(super) readout: Vec<f32>,
    /// The output layer's row for the context layer, `[context_hidden]`.
    context_readout: Vec<f32>,
    output_bias: f32,
    ensemble: Option<CpuEnsemble>,
}

impl CpuModel {
    /// Packs a bundle's weights.
    ///
    /// # Errors
    /// [`ModelError`] where the configuration is out of range, a weight is missing or has the
    /// wrong shape.
    pub fn new(config: &ModelConfig, weights: &[NamedTensor]) -> Result<Self, ModelError> {
        Self::for_level(Level::best(), config, weights)
    }

    /// Packs them for this instruction set.
    pub(super) fn for_level(
        level: Level,
        config: &ModelConfig,
        weights: &[NamedTensor],
    ) -> Result<Self, ModelError> {
        config.validate()?;
        let shapes = config.weight_shapes();
        let weight = |name: &str| match shapes.iter().find(|(known, _)| *known == name) {
            Some((_, shape)) => values(weights, name, shape),
            None => Ok(&[][..]),
        };
        let ModelConfig {
            filters,
            kernel,
            hidden,
            ..
        } = *config;
        let (lanes, columns) = (level.lanes(), config.pooled_columns());
        // The kernels' windows are ordered by column, then by filter.
        let input = swap_outer(weight("lstm.input")?, filters, columns, 4 * hidden);
        let output = weight("output.weight")?;
        let (readout, context_readout) = output.split_at(hidden);
        Ok(Self {
            level,
            filters: Filters::new(lanes, kernel, weight("conv.weight")?, weight("conv.bias")?),
            panels: Panels::new(
                lanes,
                weight("lstm.recurrent")?,
                &input,
                weight("lstm.bias")?,
            ),
            context: transpose(
                weight("context.weight")?,
                config.context,
                config.context_hidden,
            ),
            context_bias: weight("context.bias")?.to_vec(),
            readout: readout.to_vec(),
            context_readout: context_readout.to_vec(),
            output_bias: weight("output.bias")?.iter().sum(),
            ensemble: match &config.ensemble {
                Some(ensemble) => Some(CpuEnsemble::new(ensemble, weight)?),
                None => None,
            },
            config: config.clone(),
        })
    }

    /// The sizes of this network.
    #[must_use]
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// What is added to the recurrent path's part of a session's logit, known its context and its
    /// newest row (zeros before the first event): also the logit before the first event. Numbers
    /// that are missing count as zero, a surplus is ignored.
    #[must_use]
    pub fn base(&self, context: &[f32], newest: &[f32]) -> f32 {
        let own = self.context_layer(context);
        match &self.ensemble {
            Some(ensemble) => own + ensemble.logit(self.inputs(context, newest)),
            None => own,
        }
    }

    /// Context, then newest row, each at its width.
    fn inputs<'a>(
        &self,
        context: &'a [f32],
        newest: &'a [f32],
    ) -> impl Iterator<Item = f32> + use<'a> {
        let at_width = |numbers: &'a [f32], width: usize| {
            let zeros = core::iter::repeat(0.0);
            numbers.iter().copied().chain(zeros).take(width)
        };
        at_width(context, self.config.context).chain(at_width(newest, self.config.features))
    }

    /// What the context layer and the bias add.
    fn context_layer(&self, context: &[f32]) -> f32 {
        if self.config.context == 0 {
            return self.output_bias;
        }
        let given = context.len().min(self.config.context);
        let units = self
            .context
            .chunks_exact(self.config.context)
            .zip(&self.context_bias)
            .zip(&self.context_readout);
        units.fold(self.output_bias, |sum, ((row, bias), out)| {
            let unit = super::arithmetic::dot(&row[..given], &context[..given]) + bias;
            // Not `max`, which would make zero of what is no number.
            sum + out * if unit < 0.0 { 0.0 } else { unit }
        })
    }
}

/// `[rows, columns]` to `[columns, rows]`.
fn transpose(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    swap_outer(values, rows, columns, 1)
}

/// `[a, b, c]` to `[b, a, c]`.
fn swap_outer(values: &[f32], a: usize, b: usize, c: usize) -> Vec<f32> {
    let mut out = Vec::with_capacity(values.len());
    if values.is_empty() {
        return out;
    }
    for j in 0..b {
        for i in 0..a {
            let start = (i * b + j) * c;
            out.extend_from_slice(&values[start..start + c]);
        }
    }
    out
}
