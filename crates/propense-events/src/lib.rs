//! Shop events: the schema, the readers for shop formats, the cleaning rules, the sessions.
//!
//! # What it is for
//!
//! Everything that Propense learns from or scores is an [`Event`] under its GA4 ecommerce name.
//! This crate is the one place where outside data becomes events: a file through `read`, a
//! single live event through [`parse_event`], both through the same [`check_event`]. Events of
//! one visit become a [`Session`] through [`sessionise`].
//!
//! # What is deliberately absent
//!
//! No files are opened and nothing is decompressed: `read` takes any [`std::io::Read`]. No clock
//! is read: "too far in the future" is [`Limits::latest`], which the caller sets. No feature is
//! computed. With the `adapters` feature off (the browser) the readers are left out too.
//!
//! # How data passes
//!
//! ```text
//! bytes ─ read ──────┐                    ┌─ events ─ sessionise ─ sessions
//!                    ├─ check_event ──────┤
//! JSON ─ parse_event ┘                    └─ problems (what was repaired or set aside, and where)
//! ```
//!
//! Messy data is not an error. Functions return what could be kept together with a list of
//! [`Problem`]s, each with its [`Rule`], its row, and whether the record was repaired or set
//! aside. An `EventsError` is returned only where nothing sensible can be read at all.
//!
//! ```
//! use propense_events::{EventKind, Limits, parse_event};
//!
//! let (event, problems) = parse_event(
//!     r#"{"event": "view_item", "timestamp": 1700000000000,
//!         "items": [{"item_id": "85123A", "price": -2.55}]}"#,
//!     1,
//!     &Limits::default(),
//! );
//! let event = event.expect("a negative price is repaired, not fatal");
//! assert_eq!(event.kind, EventKind::ViewItem);
//! assert_eq!(event.items[0].price, None);
//! assert_eq!(problems.len(), 1);
//! ```

#[cfg(feature = "adapters")]
mod adapters;
mod check;
#[cfg(feature = "adapters")]
mod delimiter;
#[cfg(feature = "adapters")]
mod error;
mod event;
#[cfg(feature = "adapters")]
mod format;
mod json;
mod json_fields;
#[cfg(feature = "adapters")]
mod ledger;
#[cfg(feature = "adapters")]
mod mapping;
mod problem;
#[cfg(feature = "adapters")]
mod reader;
#[cfg(feature = "adapters")]
mod recognise;
#[cfg(feature = "adapters")]
mod records;
mod session;
mod sessionise;
#[cfg(feature = "adapters")]
mod sink;
#[cfg(feature = "adapters")]
mod table;
mod timestamp;
#[cfg(feature = "adapters")]
mod write;

pub use check::{EARLIEST, Limits, check_event};
#[cfg(feature = "adapters")]
pub use delimiter::Delimiter;
#[cfg(feature = "adapters")]
pub use error::EventsError;
pub use event::{Context, Event, EventKind, Item, Value};
#[cfg(feature = "adapters")]
pub use format::Format;
pub use json::parse_event;
#[cfg(feature = "adapters")]
pub use ledger::Counts;
#[cfg(feature = "adapters")]
pub use mapping::{Columns, Mapping, TimestampUnit};
pub use problem::{Action, Problem, Rule};
#[cfg(feature = "adapters")]
pub use reader::{Plan, Reader};
#[cfg(feature = "adapters")]
pub use recognise::recognise_columns;
#[cfg(feature = "adapters")]
pub use records::{Block, MAX_RECORD};
pub use session::Session;
pub use sessionise::{sessionise, sessionise_by_day};
#[cfg(feature = "adapters")]
pub use sink::{Key, Place, Sink};
#[cfg(feature = "adapters")]
pub use table::{Table, read};
pub use timestamp::{DAY, format_timestamp, midnight, parse_timestamp};
#[cfg(feature = "adapters")]
pub use write::write_events;
