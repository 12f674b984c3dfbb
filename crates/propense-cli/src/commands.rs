//! One module for each command: resolve the arguments, call the library, hand the result to
//! `output`.

pub(crate) mod compare;
pub(crate) mod demand;
pub(crate) mod drift;
pub(crate) mod eval;
pub(crate) mod evaluate;
mod event_cells;
pub(crate) mod explain;
pub(crate) mod inspect;
#[cfg(feature = "engine")]
mod inspect_table;
pub(crate) mod next_item;
#[cfg(feature = "engine")]
pub(crate) mod prepare;
#[cfg(not(feature = "engine"))]
#[path = "commands/without_engine.rs"]
pub(crate) mod prepare;
pub(crate) mod recommend;
pub(crate) mod score;
pub(crate) mod segment;
#[cfg(feature = "serve")]
pub(crate) mod serve;
pub(crate) mod sign;
pub(crate) mod synth;
pub(crate) mod train;
pub(crate) mod tune;
pub(crate) mod update;

mod resolve;

use crate::outcome::{Failure, Outcome, refuse};
