//! The weights, packed for the CPU.

use super::base::Base;
use super::pack::{Filters, Panels};
use super::simd::Level;
use crate::weights::swap_outer;
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
    /// The output layer's row for the LSTM, `[hidden]`.
    pub(super) readout: Vec<f32>,
    base: Base,
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
        let weight = |name: &str| config.weight(weights, name);
        let ModelConfig {
            filters,
            kernel,
            hidden,
            ..
        } = *config;
        let (lanes, columns) = (level.lanes(), config.pooled_columns());
        // The kernels' windows are ordered by column, then by filter.
        let input = swap_outer(weight("lstm.input")?, filters, columns, 4 * hidden);
        Ok(Self {
            level,
            filters: Filters::new(lanes, kernel, weight("conv.weight")?, weight("conv.bias")?),
            panels: Panels::new(
                lanes,
                weight("lstm.recurrent")?,
                &input,
                weight("lstm.bias")?,
            ),
            readout: weight("output.weight")?[..hidden].to_vec(),
            base: Base::new(config, weights)?,
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
        self.base.logit(context, newest)
    }

    /// The output layer: its weights over the LSTM's output and the context layer, then its bias.
    #[must_use]
    pub fn head(&self) -> Vec<f32> {
        let (readout, bias) = self.base.head();
        [&self.readout[..], readout, &[bias]].concat()
    }

    /// The same network with this output layer; as it is where the widths differ.
    pub(crate) fn with_head(&self, head: &[f32]) -> Self {
        let mut changed = self.clone();
        if head.len() == self.head().len() {
            let (readout, rest) = head.split_at(self.readout.len());
            changed.readout.copy_from_slice(readout);
            changed.base.set_head(rest);
        }
        changed
    }

    /// The context layer's output; nothing where there is no context.
    pub(super) fn context_units(&self, context: &[f32]) -> impl Iterator<Item = f32> {
        self.base.units(context)
    }
}
