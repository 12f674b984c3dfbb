//! The WebGPU build: the network alone. The session, its features and its bundle's other parts
//! belong to the CPU build, which every page has.

mod device;
mod runtime;

pub use runtime::Runtime;
