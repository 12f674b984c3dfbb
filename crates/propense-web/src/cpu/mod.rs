//! The CPU build: the session, its features, the network and everything else of the bundle.

mod catalogue;
mod engine;
mod exchange;
mod explain;
mod head;
mod prepared;
mod recommend;
mod recorder;
mod stay;

pub use engine::Engine;
pub use prepared::{Gatherer, Prepared};
