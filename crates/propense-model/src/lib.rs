//! The model: the network on Burn tensors, its streaming forms, and the bundle that ships it.
//!
//! **What it is for.** A session is a row of numbers for each event and a row of numbers for its
//! context. [`CnnLstm`] turns a batch of sessions into logits, on any device and under autodiff;
//! [`Stream`] and [`CpuStream`] do it for one live session, an event at a time, at the cost of one
//! LSTM step; [`Bundle`] is the file that carries the weights from training to the page. All of
//! them give the same numbers, and the tests hold them to it.
//!
//! **What is deliberately absent.** No files and no network: a bundle is bytes. No threads and no
//! clock. No featuriser (`propense-features` writes the rows), no training loop and no metrics
//! (`propense-train`).
//!
//! **How data passes through.**
//!
//! ```text
//! bytes ── Bundle::from_bytes ──┬── Bundle::model(&device) ── CnnLstm ──┬── forward: [batch, time] logits
//!                               │                                      ├── score(&Batch): a logit a session
//!                               │                                      └── Stream::push / logit
//!                               └── Bundle::cpu_model() ── CpuModel ──── CpuStream::push / logit
//! logit ── Manifest::probability ── Manifest::percentile
//! ```
//!
//! ```
//! use std::sync::Arc;
//! use propense_model::{CpuModel, CpuStream, ModelConfig};
//!
//! # fn main() -> Result<(), propense_model::ModelError> {
//! let config = ModelConfig::seed(16, 0);
//! let model = CpuModel::new(&config, &config.initial_weights(1)?)?;
//! let mut session = CpuStream::new(Arc::new(model));
//! session.push(&[0.5; 16]);
//! let logit = session.logit(&[]);
//! assert!(logit.is_finite());
//! # Ok(())
//! # }
//! ```
//!
//! Features: `flex` is the CPU backend, `threads` makes it use several, `wgpu` is the GPU backend
//! (Vulkan, Metal, DX12 natively, WebGPU in the browser). Each of `flex` and `wgpu` alone compiles
//! for `wasm32-unknown-unknown`.

mod batch;
mod bundle;
mod config;
mod cpu;
mod device;
mod ensemble;
mod error;
mod layers;
mod network;
mod stream;
mod weights;

pub use batch::{Batch, groups};
pub use bundle::{
    Bundle, Calibration, CatalogueRef, DataFingerprint, FORMAT_VERSION, Golden, Manifest, Precision,
};
pub use config::{CellActivation, ModelConfig};
pub use cpu::{CpuModel, CpuStream};
#[cfg(feature = "flex")]
pub use device::cpu_device;
#[cfg(all(feature = "wgpu", not(target_family = "wasm")))]
pub use device::{Adapter, gpu_device};
pub use ensemble::{Ensemble, EnsembleConfig, Masks};
pub use error::{BundleError, DeviceError, ModelError};
pub use network::CnnLstm;
pub use stream::Stream;
pub use weights::NamedTensor;
