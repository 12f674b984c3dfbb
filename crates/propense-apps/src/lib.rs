//! What the score is for: recommendation, marketing, inventory.
//!
//! Events and scores come in as values, plans go out as values. *No Burn, no files, no clock*: the
//! command line reads and writes, and a score is just a number to this crate.

pub mod demand;
mod error;
mod linear;
pub mod recommend;
pub mod segment;

pub use error::AppsError;
