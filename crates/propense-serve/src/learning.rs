//! Learning from the stored events, in rounds, while the service runs.
//!
//! The service decides when there is enough to learn from, brings the events, keeps the place and
//! publishes; how to learn and how to judge is the [`Learner`]'s, so that nothing here knows of
//! training. A round is written down before it begins and ends in the transaction that publishes its
//! candidate (`store/rounds.rs`).

mod cycle;

use std::fmt;

use propense_events::Event;
use propense_model::Bundle;
use thiserror::Error;
use tokio::sync::watch;

pub(crate) use cycle::Cycle;

/// Stored events to learn from.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Lesson {
    /// The events in the order of their arrival. Those dated after the round's beginning are not
    /// among them: a clock that is ahead would make sessions look finished.
    pub events: Vec<Event>,
    /// So many of them, the first ones, had arrived when the live bundle was made; none where it
    /// knows no position.
    pub arrived: Option<usize>,
    /// The position before the first of them.
    pub from: i64,
    /// The position that has been read up to.
    pub up_to: i64,
}

/// What makes a round the same when it is done again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoundKey {
    /// Counts the rounds from 1.
    pub number: u64,
    /// When it was begun, in milliseconds since 1970.
    pub begun_ms: i64,
}

/// A bundle that may take the live one's place.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The bundle, which the service stores in the live one's precision.
    pub bundle: Bundle,
    /// Whether it is to take the live one's place.
    pub better: bool,
    /// Why, in sentences.
    pub reasons: Vec<String>,
    /// Sessions by what they were for: a word, and how many.
    pub sessions: Vec<(&'static str, u64)>,
    /// How both did on what neither has learnt from: the name of a figure, the live bundle's, the
    /// candidate's.
    pub figures: Vec<(&'static str, f64, f64)>,
}

/// Why there is no candidate.
#[derive(Debug, Error)]
pub enum Unlearnt {
    /// The service stops: the round will be done again.
    #[error("stopped")]
    Stopped,
    /// Nothing can be learnt so.
    #[error("{0}")]
    Unfit(String),
}

/// Whether the service stops.
#[derive(Debug, Clone)]
pub struct Told(watch::Receiver<bool>);

impl Told {
    /// True once it does: what can be done again should end.
    #[must_use]
    pub fn stop(&self) -> bool {
        *self.0.borrow()
    }
}

/// What learns. It is called on a thread of its own, which nothing else waits for.
pub trait Learner: fmt::Debug + Send + Sync {
    /// How many sessions with a known outcome the live bundle has not learnt.
    ///
    /// # Errors
    /// [`Unlearnt::Unfit`] where the live bundle cannot be gone on from.
    fn count(&self, live: &Bundle, lesson: &Lesson) -> Result<usize, Unlearnt>;

    /// Makes a candidate and judges it. The same arguments must give the same bytes.
    ///
    /// # Errors
    /// Where there is none; see [`Unlearnt`].
    fn learn(
        &self,
        live: &Bundle,
        lesson: &Lesson,
        round: RoundKey,
        told: &Told,
    ) -> Result<Candidate, Unlearnt>;
}
