//! The network on the CPU: our own kernels, without tensors.
//!
//! **Live** ([`CpuStream`]): one convolution row and one LSTM step an event, nothing allocated.
//! **In bulk** ([`CpuModel::score_batch`], [`CpuModel::score_prefixes`]): tiles of sessions that
//! advance in step, so that a weight fetched once serves them all. Both are made of the same
//! kernels, and a session's logit is the same to the last bit by either.
//!
//! The weights are packed once, for the widest vectors that the machine has (AVX-512, AVX2, NEON;
//! in WebAssembly those it was compiled for). **Bits**: the same on the same machine, whatever the
//! way, the batch or the number of threads; between machines they differ in the last places,
//! since some round a multiply-add once and others twice. The tests bound what that may amount to.
//!
//! `unsafe` is confined to `simd` (instructions that only some machines have), `kernels` (loads and
//! stores by pointer, every range asserted once before the loops) and `pack` (alignment).

mod activation;
mod arithmetic;
mod base;
mod batch;
mod ensemble;
mod kernels;
mod model;
mod pack;
mod parallel;
mod simd;
mod stream;
#[cfg(test)]
mod tests;
#[cfg(not(target_family = "wasm"))]
mod training;

#[cfg(feature = "webgpu")]
pub(crate) use base::Base;
pub use batch::SessionRows;
pub use model::CpuModel;
pub use stream::CpuStream;
#[cfg(not(target_family = "wasm"))]
pub use training::{CpuGradient, Lesson};

/// Moves the oldest row out and this one in.
pub(crate) fn append_row(rows: &mut [f32], row: &[f32], features: usize) {
    rows.copy_within(features.., 0);
    let start = rows.len() - features;
    let given = row.len().min(features);
    rows[start..start + given].copy_from_slice(&row[..given]);
    rows[start + given..].fill(0.0);
}
