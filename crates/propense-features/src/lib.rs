//! The fitted feature specification and the streaming featuriser.
//!
//! # What it is for
//!
//! A model sees numbers, not events. [`fit`] looks at training sessions once and writes down, in
//! a [`FeatureSpec`], which numbers there are, in which order and with which constants. A
//! [`Featuriser`] then turns the events of one visit, one by one, into rows of exactly
//! [`FeatureSpec::row_len`] numbers. Training files go through the same `Featuriser` as live
//! events ([`featurise`] is a loop around it), so training and serving cannot drift apart.
//!
//! `docs/features.md` lists every feature with its formula, its unit and its reason.
//!
//! # What is deliberately absent
//!
//! No Burn, no tensors, no files, no clock, no randomness: the same code runs natively and in
//! the browser and gives the same numbers. Nothing looks ahead: a row depends on the events up
//! to its own only, and the constants on the sessions given to `fit` only.
//!
//! # How data passes
//!
//! ```text
//! training sessions ─ fit ─ FeatureSpec ─┐   (serialised into the bundle)
//! start, context ────────────────────────┼─ Featuriser ─ context(): [context_len]
//! event, event, … ───────────────────────┘             └ push(): one row of [row_len] per event
//! ```
//!
//! ```
//! use std::sync::Arc;
//! use propense_events::{Context, Event, EventKind, Session};
//! use propense_features::{FitOptions, Featuriser, fit};
//!
//! let session = Session {
//!     start: 1_700_000_000_000,
//!     events: vec![
//!         Event::new(EventKind::PageView, 1_700_000_000_000),
//!         Event::new(EventKind::ViewItem, 1_700_000_005_000),
//!     ],
//!     ..Session::default()
//! };
//! let (spec, _notes) = fit(&[&session], &FitOptions::default());
//! let spec = Arc::new(spec);
//! let mut featuriser = Featuriser::new(Arc::clone(&spec), session.start, &Context::new());
//! let mut row = Vec::new();
//! featuriser.push(&session.events[0], &mut row);
//! assert_eq!(row.len(), spec.row_len());
//! ```

mod amounts;
mod cart;
mod error;
mod featuriser;
mod fit;
mod fit_context;
mod frequent;
mod hashing;
mod history;
mod layout;
mod learnt;
mod measure;
mod moments;
mod options;
mod orders;
mod prices;
mod rates;
mod sample;
mod sight;
mod spec;
mod state;
mod stay;
mod summary;
mod wait;
mod words;

pub use error::FeatureError;
pub use featuriser::{Featuriser, LIMIT, featurise};
pub use fit::fit;
pub use hashing::{HashedField, MAX_BUCKETS};
pub use history::UserHistory;
pub use layout::MIN_ROW_LEN;
pub use measure::Measure;
pub use options::{FitOptions, Scaling};
pub use orders::fit_orders;
pub use prices::TypicalPrices;
pub use rates::{Rates, fit_rates};
pub use sight::{follows_orders, sessions_shown};
pub use spec::{ContextFeature, FeatureSpec, Normal, RowFeature, SPEC_VERSION, Transform};
pub use wait::Wait;
