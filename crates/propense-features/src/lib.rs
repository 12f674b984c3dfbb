//! propense-features
mod spec;
pub use spec::*;
