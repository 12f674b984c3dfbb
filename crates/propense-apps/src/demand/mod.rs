//! Inventory: what will sell, and when to order how much.
//!
//! ```text
//! events ─ Sales::count ─ weeks of each item ─ every method, at every earlier week's end ─ back-test
//!                                                                                            │ the best
//!           order advice ─ Terms (lead time, costs) ─ outlook of each week and span ─────────┘
//! ```
//!
//! The forecast is a distribution, not a number: see `spread.rs`. The formulas and their sources
//! are in `docs/demand.md`.

mod backtest;
mod learn;
mod method;
mod plan;
mod policy;
mod sales;
mod simulate;
mod spread;
mod state;

pub use backtest::{Group, Measured, Score};
pub use method::{Method, Window};
pub use plan::{Caution, Choice, DemandOptions, DemandPlan, ItemPlan, Span, plan};
pub use policy::{Advice, Stock, Terms};
pub use sales::{BOOK_ENTRIES, ItemSales, Sales, SalesNotes, SalesOptions};
pub use simulate::StockCost;
pub use spread::{Outlook, SHARES};
pub use state::{FEATURES, FURTHER, Propensities};
