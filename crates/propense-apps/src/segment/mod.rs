//! Marketing: whom to address, at what cost, with what to expect.
//!
//! ```text
//! events ─ Base::count ─ Habits at a moment ─┬─ fifths and named segments, in words
//!                                            ├─ HabitModel ─┐
//! a bundle's scores, or a file of them ──────┼──────────────┴─ propensity ─ decide ─ groups
//! treatment log ─────────────────────────────┴─ Uplift ───────┘    (budget, caps, holdout)
//! ```
//!
//! The formulas and their sources are in `docs/segment.md`.

mod address;
mod customers;
mod lift;
mod logistic;
mod plan;
mod propensity;
mod rfm;
mod uplift;
mod words;

pub use address::{Candidate, Contacts, Decision, Expected, Group, Terms, decide};
pub use customers::{Base, BaseNotes, Customer, Habits};
pub use lift::{Lift, gains, lift, steps};
pub use plan::{CustomerPlan, SegmentInput, SegmentPlan, SegmentSummary, Source, plan};
pub use propensity::{
    HABITS, HORIZON_DAYS, HabitModel, HeldBack, PROPENSITY, Ranking, Standing, compare,
    held_back_moments,
};
pub use rfm::{Rfm, Segment, rfm};
pub use uplift::{Kind, QiniPoint, Treatment, Uplift, UpliftModel, UpliftReport, learn};
pub use words::sets_apart;
