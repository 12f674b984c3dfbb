//! The gift shop's data: what the generator makes of small made-up files, what stands in the
//! repository, and whether the one follows from the real files as the other says.
#![allow(
    clippy::unwrap_used,
    reason = "a test stops where something is not as it should be"
)]

mod committed;
mod leakage;
mod made_up;
mod real;
mod truth;
