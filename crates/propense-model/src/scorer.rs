//! Scoring whole sessions on a device, by whichever way is faster there.

#[cfg(feature = "wgpu")]
use crate::fused::Fused;
use crate::network::read;
use crate::{Batch, CnnLstm, ModelError, Stream};
use burn::tensor::Tensor;

/// A network that is not being trained, ready to score batches: on a GPU with one launch a batch
/// where the network suits it, else as [`CnnLstm::forward_last`] does, which it equals.
#[derive(Debug, Clone)]
pub struct Scorer {
    model: CnnLstm,
    #[cfg(feature = "wgpu")]
    fused: Option<Fused>,
}

impl Scorer {
    /// Gets the network ready: its weights are those of this moment.
    #[must_use]
    pub fn new(model: &CnnLstm) -> Self {
        Self {
            model: model.clone(),
            #[cfg(feature = "wgpu")]
            fused: Fused::new(model),
        }
    }

    /// The network.
    #[must_use]
    pub const fn model(&self) -> &CnnLstm {
        &self.model
    }

    /// A live session without events: with one launch for an event where a batch takes one, else
    /// with tensors.
    #[must_use]
    pub fn stream(&self) -> Stream {
        #[cfg(feature = "wgpu")]
        if let Some(fused) = &self.fused {
            return Stream::fused(&self.model, fused.clone());
        }
        Stream::with_tensors(&self.model)
    }

    /// Whether a batch takes one launch.
    #[must_use]
    pub const fn is_fused(&self) -> bool {
        #[cfg(feature = "wgpu")]
        return self.fused.is_some();
        #[cfg(not(feature = "wgpu"))]
        false
    }

    /// The logit of each session as a whole, read back. Blocks until the device is done.
    ///
    /// # Errors
    /// [`ModelError::Device`] where the device cannot be read.
    pub fn score(&self, batch: &Batch) -> Result<Vec<f32>, ModelError> {
        if batch.sessions() == 0 {
            return Ok(Vec::new());
        }
        read(self.logits(batch).try_to_vec_as::<f32>())
    }

    fn logits(&self, batch: &Batch) -> Tensor<1> {
        #[cfg(feature = "wgpu")]
        if let Some(fused) = &self.fused {
            return fused.score(batch);
        }
        self.model.forward_last(batch)
    }
}
