//! A shop's files in, one clean event table out, whatever their size.
//!
//! # What it is for
//!
//! [`load`] reads files of any format into memory, for training and scoring. `prepare` makes of
//! any number of files one Parquet table of events: sorted by owner and time, cleaned by named
//! rules, cut into sessions. What it leaves out lies in `quarantine.csv`, row by row with the
//! reason, and the accounts are asserted: records in = records out + records quarantined.
//!
//! # How
//!
//! ```text
//! files ─ decode ─ propense_events::Reader ─ blocks ─ parse (threads) ─ lines by owner, on disk
//!                                                                          │ one bucket at a time
//!                        events.parquet ─ join ─ Parquet ─ sessions ─ clean ─ sort
//! ```
//!
//! Memory is bounded whatever the input's size, and cost is linear in rows: an owner's lines meet
//! in one bucket, so a bucket can be sorted and cleaned by itself. A run that was stopped goes on
//! from the last finished input or bucket, and gives the same bytes.
//!
//! # What is deliberately absent
//!
//! No format is known here (that is `propense-events`), and no network. Nothing is printed:
//! progress goes to an `Observer`. With the `engine` feature off only [`load`] is left, for plain
//! and gzip text.
//!
#![cfg_attr(feature = "engine", doc = "```")]
#![cfg_attr(not(feature = "engine"), doc = "```ignore")]
//! use propense_prepare::{Request, prepare};
//!
//! let folder = tempfile::tempdir()?;
//! let log = folder.path().join("log.csv");
//! std::fs::write(
//!     &log,
//!     "timestamp,event,user_id,item_id\n1700000000000,view_item,u,85123A\nyesterday,view_item,u,85123A\n",
//! )?;
//! let request = Request::new(vec![log], folder.path().join("out"));
//! let prepared = prepare(&request, &mut ())?;
//! assert_eq!((prepared.records_in, prepared.records_out), (2, 1));
//! assert_eq!(prepared.records_quarantined, 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[cfg(feature = "engine")]
mod account;
#[cfg(feature = "engine")]
pub mod attributes;
#[cfg(feature = "engine")]
mod bucket;
#[cfg(feature = "engine")]
pub mod catalogue;
#[cfg(feature = "engine")]
pub mod clean;
pub mod decode;
mod error;
mod load;
mod mappings;
#[cfg(feature = "engine")]
mod prepare;
#[cfg(feature = "engine")]
mod progress;
#[cfg(feature = "engine")]
mod quarantine;
#[cfg(feature = "engine")]
pub mod report;
#[cfg(feature = "engine")]
mod request;
mod several;
#[cfg(feature = "engine")]
mod side_table;
#[cfg(feature = "engine")]
mod sides;
#[cfg(feature = "engine")]
mod stage;
#[cfg(feature = "engine")]
pub mod stitch;
#[cfg(feature = "engine")]
pub mod table;
#[cfg(feature = "engine")]
pub mod usual_price;
mod whole;
#[cfg(feature = "engine")]
mod work;

#[cfg(feature = "engine")]
pub use account::{BucketAccount, Counts, InputAccount};
pub use error::PrepareError;
pub use load::{FileReport, LoadOptions, Loaded, files_of, hex, load};
pub use mappings::Mappings;
#[cfg(feature = "engine")]
pub use prepare::prepare;
#[cfg(feature = "engine")]
pub use progress::{Observer, Progress, Stage};
#[cfg(feature = "engine")]
pub use request::{Prepared, Request};
#[cfg(feature = "engine")]
pub use side_table::SideTableError;
#[cfg(feature = "engine")]
pub use sides::{SideAccount, SideTables};
pub use whole::write_whole;
