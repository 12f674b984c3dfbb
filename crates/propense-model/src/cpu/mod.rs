//! The fast path for one live session: plain Rust over contiguous numbers, without tensors.
//!
//! Burn's tensors cost an allocation and a dispatch for each of the several dozen operations of an
//! LSTM step. Here the weights are packed once, a step is a handful of loops that the compiler
//! turns into SIMD, and nothing is allocated after the first event. Exponentials are computed by
//! our own polynomial, so that every target gives the same bits.

mod arithmetic;
mod ensemble;
mod model;
mod stream;

pub use model::CpuModel;
pub use stream::CpuStream;
