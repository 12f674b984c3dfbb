//! The bundle: one safetensors file that holds the weights and, as JSON, everything else that is
//! needed to score with them. `docs/bundle.md` describes the bytes.

mod calibration;
mod manifest;
mod precision;
mod read;
mod signature;
mod write;

use std::sync::Arc;

#[cfg(feature = "burn")]
use burn::tensor::Device;
use sha2::{Digest, Sha256};

#[cfg(feature = "burn")]
use crate::CnnLstm;
use crate::{CpuModel, ModelError, NamedTensor};

pub use calibration::Calibration;
pub use manifest::{CatalogueRef, DataFingerprint, FORMAT_VERSION, Golden, Lineage, Manifest};
pub use precision::Precision;
pub use signature::Signed;

/// The key of the manifest in the safetensors metadata.
const METADATA_KEY: &str = "propense";

/// A trained model as it is shipped: the manifest and the weights.
#[derive(Debug, Clone, PartialEq)]
pub struct Bundle {
    /// What the model is, how rows are made for it and how its logits are read.
    pub manifest: Manifest,
    /// The weights, by name.
    pub weights: Vec<NamedTensor>,
}

impl Bundle {
    /// The bundle of a trained network. The manifest's `model` is set to the network's sizes.
    ///
    /// # Errors
    /// [`ModelError::Device`] where the weights cannot be read from the device.
    #[cfg(feature = "burn")]
    pub fn from_model(manifest: Manifest, model: &CnnLstm) -> Result<Self, ModelError> {
        Ok(Self {
            manifest: Manifest {
                format_version: manifest::lowest_version(model.config()),
                model: model.config().clone(),
                ..manifest
            },
            weights: model.weights()?,
        })
    }

    /// The network on this device.
    ///
    /// # Errors
    /// [`ModelError`] where weights and configuration do not belong together.
    #[cfg(feature = "burn")]
    pub fn model(&self, device: &Device) -> Result<CnnLstm, ModelError> {
        CnnLstm::from_weights(&self.manifest.model, &self.weights, device)
    }

    /// The network for the CPU's fast path.
    ///
    /// # Errors
    /// [`ModelError`] where weights and configuration do not belong together.
    pub fn cpu_model(&self) -> Result<Arc<CpuModel>, ModelError> {
        CpuModel::new(&self.manifest.model, &self.weights).map(Arc::new)
    }

    /// The network on a WebGPU device.
    ///
    /// # Errors
    /// As those of [`crate::GpuModel::new`].
    #[cfg(feature = "webgpu")]
    pub fn gpu_model(
        &self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
    ) -> Result<crate::GpuModel, ModelError> {
        crate::GpuModel::new(device, queue, &self.manifest.model, &self.weights)
    }
}

/// The SHA-256 of the file in lower-case hexadecimal, counting the 64 digits that start at `hole`
/// as zeros.
fn checksum(bytes: &[u8], hole: usize) -> String {
    let mut hash = Sha256::new();
    hash.update(&bytes[..hole]);
    hash.update(manifest::UNSIGNED.as_bytes());
    hash.update(&bytes[hole + manifest::UNSIGNED.len()..]);
    hash.finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Where `needle` stands in `bytes`, first occurrence.
fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes
        .windows(needle.len())
        .position(|window| window == needle)
}
