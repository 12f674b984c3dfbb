//! Cleaning: named rules over the lines of one owner, in time order.
//!
//! A rule of [`propense_events::Rule`] looks at one record by itself, while it is read. The rules
//! here ([`CleaningRule`]) need the lines around: they see everything that one owner (a user, or
//! a device that was never logged in) did, sorted by time, then source, then row. They are pure
//! functions: the same lines and [`Rules`] give the same [`Verdicts`], and nothing else is
//! touched.
//!
//! Every line gets exactly one verdict: kept, kept with repairs, or set aside by one rule. A line
//! that is kept also gets its place in a session ([`SessionPlace`]). Cleaning a cleaned table
//! changes nothing.
//!
//! # Size
//!
//! Memory grows with the lines of one call. An owner with more lines than may be held is judged
//! in slabs ([`begin_owner`], [`clean_slab`]), cut where no session goes on. What is then
//! approximate:
//!
//! - A session longer than a slab is judged piece by piece, each with the count of events and orders so
//!   far; once a piece is set aside, so are those after it.
//! - Of an order that two sources tell, the slab that has it first decides whom to believe.
//! - Lines are `out_of_order` only within a slab.
//! - A new session may get the name (`user#3`) that a later slab brings along.
//!
//! Whatever the size, of one owner at most 2²⁰ orders, 4,096 open sessions and 4,096 events of the
//! last second are remembered.

mod contexts;
mod double_fire;
mod equal;
mod events;
mod judge;
mod memory;
mod options;
mod orders;
mod pass;
mod repairs;
mod rule;
mod scratch;
mod sessions;
mod slab;
mod times;
mod verdicts;
mod words;

pub use options::{Options, OptionsError, Period, Rules, SessionOptions};
pub use pass::{begin_owner, clean_owner, clean_slab};
pub use rule::{CleaningRule, Counts};
pub use scratch::Scratch;
pub use verdicts::{Change, Detail, Removal, Repair, SessionName, SessionPlace, Verdicts};
