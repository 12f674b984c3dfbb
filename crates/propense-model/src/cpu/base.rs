//! What stands beside the recurrent path: the context layer, the output's bias, the ensemble.

use super::arithmetic::dot;
use super::ensemble::CpuEnsemble;
use crate::weights::swap_outer;
use crate::{ModelConfig, ModelError, NamedTensor};

/// The part of a logit that needs no convolution and no LSTM.
#[derive(Debug, Clone)]
pub(crate) struct Base {
    /// Numbers of a context and of a row.
    widths: [usize; 2],
    /// `[context_hidden, context]`.
    context: Vec<f32>,
    /// `[context_hidden]`.
    context_bias: Vec<f32>,
    /// The output layer's row for the context layer, `[context_hidden]`.
    readout: Vec<f32>,
    output_bias: f32,
    ensemble: Option<CpuEnsemble>,
}

impl Base {
    /// Packs a bundle's weights.
    pub(crate) fn new(config: &ModelConfig, weights: &[NamedTensor]) -> Result<Self, ModelError> {
        let weight = |name: &str| config.weight(weights, name);
        let (rows, columns) = (config.context, config.context_hidden);
        Ok(Self {
            widths: [config.context, config.features],
            context: swap_outer(weight("context.weight")?, rows, columns, 1),
            context_bias: weight("context.bias")?.to_vec(),
            readout: weight("output.weight")?[config.hidden..].to_vec(),
            output_bias: weight("output.bias")?.iter().sum(),
            ensemble: match &config.ensemble {
                Some(ensemble) => Some(CpuEnsemble::new(ensemble, weight)?),
                None => None,
            },
        })
    }

    /// What is added to the recurrent path's part, known the context and the newest row (zeros
    /// before the first event). Numbers that are missing count as zero, a surplus is ignored.
    pub(crate) fn logit(&self, context: &[f32], newest: &[f32]) -> f32 {
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
        at_width(context, self.widths[0]).chain(at_width(newest, self.widths[1]))
    }

    /// What the context layer and the bias add.
    fn context_layer(&self, context: &[f32]) -> f32 {
        let units = self.units(context).zip(&self.readout);
        units.fold(self.output_bias, |sum, (unit, out)| sum + out * unit)
    }

    /// The context layer's output; nothing where there is no context.
    pub(super) fn units(&self, context: &[f32]) -> impl Iterator<Item = f32> {
        let [width, _] = self.widths;
        let given = context.len().min(width);
        let rows = self.context.chunks_exact(width.max(1));
        rows.zip(&self.context_bias).map(move |(row, bias)| {
            let unit = dot(&row[..given], &context[..given]) + bias;
            // Not `max`, which would make zero of what is no number.
            if unit < 0.0 { 0.0 } else { unit }
        })
    }

    /// The output layer's row for the context layer, and its bias.
    pub(super) fn head(&self) -> (&[f32], f32) {
        (&self.readout, self.output_bias)
    }

    /// Puts these in their place, the bias last.
    pub(super) fn set_head(&mut self, head: &[f32]) {
        if let Some((bias, readout)) = head.split_last() {
            self.readout.copy_from_slice(readout);
            self.output_bias = *bias;
        }
    }
}
