//! The data report: figures, warnings, the page.
#![cfg(feature = "engine")]
#![allow(clippy::unwrap_used)]

mod figures;
mod page;
mod properties;
mod run;
mod shop;
mod warnings;
