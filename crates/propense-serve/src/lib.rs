//! The service: events in, scores out, bundles and their roll-out.
//!
//! **What it is for.** A shop runs one [`Service`] beside its page. The shop's server sends it
//! events, which are on disk before they are acknowledged; browsers fetch from it which model is
//! current, and the model; servers have it score sessions; an operator publishes a bundle, rolls
//! it out to a share of the visitors, and takes it back. A [`Learner`] makes better bundles of the
//! stored events, in rounds that the service begins and ends, so that none is learnt from twice.
//!
//! **What is deliberately absent.** No Burn: bundles are scored by `propense-model`'s kernels for
//! the CPU. No training: a [`Learner`] is the caller's. No TLS and no user accounts: those are the proxy's before it. No signal is
//! listened to and nothing is printed: the caller says when to stop, and where the log goes.
//!
//! **How data passes.**
//!
//! ```text
//! POST /v1/events ─ guard ─ intake (check_event) ─ queue ─┐ one transaction for many batches
//! Redis stream ──────────── intake ────────────── queue ──┴─ Store ─ events_after ─▶ Learner ─┐
//! pages ◀─ /bundles/…, manifest.json ◀─ Store: the candidate, its position and its promotion ─┘
//! POST /v1/bundles ─ guard ─ Bundle::from_bytes ─ file, then Store ─ manifest.json, /bundles/… ─▶ pages
//! browsers ─ /v1/contributions ─ gathering ─ Store: a round of head updates ─▶ a candidate
//! POST /v1/score ─ guard ─ intake ─ sessions ─ CpuModel ─▶ propensity, percentile, model version
//! ```
//!
//! The order of writing is what a kill at any moment relies on: a bundle's file is synchronised
//! before the row that names it, and an answer is sent after the commit that it reports.
//! `docs/serve.md` has the routes.

mod blocking;
mod clock;
mod error;
mod files;
mod gathering;
mod http;
mod intake;
mod learning;
mod logging;
mod metrics;
mod patience;
mod publishing;
mod queue;
mod scoring;
mod server;
mod settings;
mod store;
mod stream;

pub use error::ServeError;
pub use learning::{Candidate, Learner, Lesson, RoundKey, Told, Unlearnt};
pub use logging::log_to_stderr;
pub use server::Service;
pub use settings::{Contributions, Learning, Limits, Settings};
pub use store::{BundleRecord, Move, Published, Rollout, Store, StoredEvents};
