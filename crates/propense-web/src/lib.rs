//! The browser's bindings: thin, close to the metal.
//!
//! # What it is for
//!
//! Two WebAssembly modules are built from this crate. With the feature `cpu`, the `Engine`: it
//! reads a bundle, checks events, featurises them, keeps the session and scores it on the CPU.
//! With the feature `webgpu`, the `Runtime`: the network alone on a WebGPU device, fed with the
//! engine's rows. A page always has the first and fetches the second only where there is a GPU;
//! since the first goes on by itself, a lost device loses nothing.
//!
//! # What is deliberately absent
//!
//! No fetching, no choice of backend, no queue of calls: that is TypeScript's, in `web/`. No
//! clock: the page passes the time. No second featuriser, no second check of events: both are the
//! crates that training uses.
//!
//! # How data passes
//!
//! Bytes and numbers are copied across, text crosses as JSON, failures as `{ code, message }`.
//! Objects live until the page calls `free()`. Nothing panics on what comes from outside; an
//! unforeseen panic is told through [`on_panic`].
//!
//! ```text
//! event JSON ─ parse_event ─ Featuriser ─┬─ row ─ CpuStream ─ logit ─┬─ probability
//!              (Engine)                  ├─ rows ─ CpuModel ─ logits ┤
//!                                        └─ rows ─ Runtime ─ logit ──┘
//! ```

#[cfg(feature = "cpu")]
mod cpu;
mod error;
#[cfg(feature = "webgpu")]
mod gpu;
mod panic;

#[cfg(feature = "cpu")]
pub use cpu::{Engine, Gatherer, Prepared};
pub use error::WebError;
#[cfg(feature = "webgpu")]
pub use gpu::Runtime;
pub use panic::on_panic;
