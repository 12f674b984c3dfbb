//! Made shop data: real sessions laid out over a real assortment, and made-up events in any number.
//!
//! **What for.** Public data sets of shop sessions that may be passed on either summarise each
//! session or name no products. [`giftshop`] joins two that may be: the session summaries of UCI
//! *Online Shoppers Purchasing Intention* (how many pages of which kind, for how long, who, when,
//! and whether an order followed) and the invoices of UCI *Online Retail* (a gift shop's real
//! products, prices and baskets). The result is the repository's default data: small, free to
//! share, and made of the same events that a live shop page emits.
//!
//! **What is deliberately absent.** No network and no system time: the same two files and the same
//! seed give the same bytes on every machine (draws use integers, and of floating point only
//! operations that IEEE 754 rounds exactly). No effect of items on the outcome: the outcome is the
//! real one of the session, and items are drawn without looking at it, so nothing learnt from item
//! identity on this data says anything about a real shop. No column that is computed after the
//! outcome (`PageValues`, `ExitRates`, `BounceRates`).
//!
//! **How data passes.** The two files are read by `propense-events`; `sales` and `catalogue` turn
//! invoices into an assortment, `shop` into monthly baskets to draw from; `visit` takes from each
//! session summary what may be used. Then, for each visit, `calendar` chooses the moment, `layout`
//! the order and times of pages, `browse` the items shown. None of these three is given the
//! outcome. `cart` decides who fills a cart and what happens to it, `session` puts the events
//! together, `output` writes the files and `report` counts.
//!
//! [`events()`] is another thing: rows drawn from figures measured on real sets, in any number, with
//! dirt laid in on purpose and counted in a manifest. It is what cleaning is tested and timed with;
//! nothing may be learnt from it about shoppers. Its parts lie in `events/`, the figures in
//! [`event_rates`], and `docs/synthetic-events.md` says where each comes from.
//!
//! The data card beside the data (`data/giftshop/DATA_CARD.md`) says field by field what is real
//! and what is imputed; [`rates`] holds each imputed rate with its source.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        reason = "a test stops where something is not as it should be"
    )
)]

mod browse;
mod calendar;
mod cart;
mod catalogue;
mod department;
mod draw;
mod error;
mod events;
mod giftshop;
mod layout;
mod output;
pub mod rates;
mod report;
mod sales;
mod session;
mod shop;
mod title;
mod visit;

pub use error::SynthError;
pub use events::{
    EventsLayout, EventsManifest, EventsOptions, events, manifest_path, rates as event_rates,
};
pub use giftshop::{GiftshopOptions, GiftshopSources, giftshop};
pub use report::GiftshopReport;

/// The file of events that [`giftshop`] writes: gzip, in the project's own CSV layout.
pub const EVENTS_FILE: &str = "events.csv.gz";
/// The file of products that [`giftshop`] writes: JSON.
pub const CATALOGUE_FILE: &str = "catalogue.json";
/// The file of sessions to replay that [`giftshop`] writes: JSON.
pub const SAMPLE_FILE: &str = "sample-sessions.json";
