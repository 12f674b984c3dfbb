//! The model: the network on the CPU and on Burn tensors, live and in bulk, and the bundle that
//! ships it.
//!
//! **What it is for.** A session is a row of numbers for each event and a row of numbers for its
//! context. `CnnLstm` turns a batch of sessions into logits with Burn, on any device and under
//! autodiff; [`CpuModel`] does it on the CPU with kernels made for it, and `GpuModel` on a page's
//! WebGPU device with a shader made for it. `Stream`, [`CpuStream`] and `GpuStream` do it for one
//! live session, an event at a time, at the cost of one LSTM step; [`Bundle`] is the file
//! that carries the weights from training to the page. All of them give the same numbers, and the
//! tests hold them to it.
//!
//! **What is deliberately absent.** No files and no network: a bundle is bytes. No threads but those
//! that a caller asks for, and no clock. No featuriser (`propense-features` writes the rows), no training loop and no metrics
//! (`propense-train`).
//!
//! **How data passes through.**
//!
//! ```text
//! bytes ── Bundle::from_bytes ──┬── Bundle::model(&device) ── CnnLstm ──┬── forward: [batch, time] logits
//!                               │                                      ├── score(&Batch): a logit a session
//!                               │                                      └── Stream::push / logit
//!                               ├── Bundle::cpu_model() ── CpuModel ──┬── score_batch, score_prefixes
//!                               │                                    └── CpuStream::push / logit
//!                               └── Bundle::gpu_model(..) ── GpuModel ──┬── score(&Batch)
//!                                                                      └── GpuStream::push / logit
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
//! Features: without any there are the bundle and the CPU's own kernels, which is all that scoring
//! on a CPU needs. `webgpu` adds the shader on `wgpu`'s devices, for the page (and for tests on this
//! machine's GPU). `burn` adds the network on tensors, for training; it is implied by `flex`, Burn's
//! CPU backend, `threads`, which makes that use several, and `wgpu`, its GPU backend (Vulkan, Metal,
//! DX12). `webgpu` compiles for `wasm32-unknown-unknown`, and so does the crate without features.

#[cfg(feature = "burn")]
mod arithmetic;
#[cfg(any(feature = "burn", feature = "webgpu"))]
mod batch;
mod bundle;
mod config;
mod cpu;
#[cfg(feature = "burn")]
mod device;
mod ensemble;
mod error;
mod explain;
#[cfg(feature = "wgpu")]
mod fused;
mod head;
#[cfg(feature = "burn")]
mod layers;
#[cfg(any(feature = "wgpu", feature = "webgpu"))]
mod limits;
#[cfg(feature = "burn")]
mod lstm;
#[cfg(feature = "burn")]
mod network;
#[cfg(feature = "burn")]
mod scorer;
#[cfg(feature = "burn")]
mod stream;
#[cfg(feature = "burn")]
mod structures;
#[cfg(feature = "webgpu")]
mod webgpu;
mod weights;

#[cfg(feature = "burn")]
pub use arithmetic::Arithmetic;
#[cfg(any(feature = "burn", feature = "webgpu"))]
pub use batch::{Batch, groups};
pub use bundle::{
    Bundle, Calibration, CatalogueRef, DataFingerprint, FORMAT_VERSION, Golden, Lineage, Manifest,
    Precision, Signed,
};
pub use config::{CellActivation, ModelConfig};
#[cfg(not(target_family = "wasm"))]
pub use cpu::{CpuGradient, Lesson};
pub use cpu::{CpuModel, CpuStream, SessionRows};
#[cfg(feature = "flex")]
pub use device::cpu_device;
#[cfg(feature = "wgpu")]
pub use device::{Adapter, gpu_device};
pub use ensemble::EnsembleConfig;
#[cfg(feature = "burn")]
pub use ensemble::{Ensemble, Masks};
pub use error::{BundleError, DeviceError, ModelError};
pub use explain::{EventEffect, EventEffects, context_effects};
pub use head::{
    CLIP, Contribution, Head, Lived, PREFIXES, Privacy, Steps, Unfit, filtered_mean, server_rate,
};
#[cfg(feature = "burn")]
pub use network::CnnLstm;
#[cfg(feature = "burn")]
pub use scorer::Scorer;
#[cfg(feature = "burn")]
pub use stream::Stream;
#[cfg(feature = "burn")]
pub use structures::{
    HashedColumns, NextItemGru, Structure, StructureConfig, StructureKind, read_weights,
    write_weights,
};
#[cfg(feature = "webgpu")]
pub use webgpu::{GpuModel, GpuStream};
pub use weights::NamedTensor;
