//! The event table: its columns, and a typed view over a batch of its lines.

mod key;
mod lines;
mod overview;
mod read;
mod schema;

pub(crate) use key::bucket;
pub use key::{Key, LATEST, MOST_LINES, Owner, Record};
pub(crate) use lines::group;
pub use lines::{Lines, NotTheTable, number_at, text_at};
pub use overview::{ColumnOverview, Overview, overview};
pub(crate) use read::{EventTable, OFFSET};
pub use read::{TableEvents, read_events};
pub use schema::{Column, ColumnSet, output_schema, staged_schema};
pub(crate) use schema::{KEY_TYPE, is_event_table, widen};
