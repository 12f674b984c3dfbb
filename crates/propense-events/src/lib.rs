//! propense-events
mod event;
mod problem;
mod session;
pub use event::{Context, Event, EventKind, Item, Value};
pub use problem::{Action, Problem, Rule};
pub use session::Session;
/// Bounds on one event.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Items in one event.
    pub max_items: usize,
    /// Bytes in one text field.
    pub max_text: usize,
}
