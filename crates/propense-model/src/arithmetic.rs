//! In what numbers a network is trained.

use burn::tensor::Device;

use crate::ModelError;
#[cfg(feature = "wgpu")]
use crate::fused::mixed;

/// In what numbers a network is trained. Weights, losses and the optimiser are of 32 bits in any case,
/// and so is every pass that tracks no gradient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Arithmetic {
    /// 32 bits throughout.
    #[default]
    F32,
    /// The LSTM's products are of numbers of 16 bits, summed up in 32: on a GPU that has them.
    Mixed,
}

impl Arithmetic {
    /// Whether this device computes so.
    ///
    /// # Errors
    /// [`ModelError::NoHalf`] where it does not.
    pub fn check(self, device: &Device) -> Result<(), ModelError> {
        #[cfg(feature = "wgpu")]
        let there = self == Self::F32 || mixed::is_there(device);
        #[cfg(not(feature = "wgpu"))]
        let there = {
            let _ = device;
            false
        };
        match self {
            Self::F32 => Ok(()),
            Self::Mixed => there.then_some(()).ok_or(ModelError::NoHalf),
        }
    }
}
