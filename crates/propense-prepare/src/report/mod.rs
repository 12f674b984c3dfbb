//! The data report: what was read, what became of it, and what the table holds, in figures, in
//! words and in charts.
//!
//! # How
//!
//! ```text
//! written batches ─ Measure (one a bucket, merged in bucket order) ┐
//!                                                                  ├─ DataReport ─ report.json
//! accounts of reading and cleaning ─ Intake ───────────────────────┘      └─ html() ─ report.html
//! ```
//!
//! A `Measure` takes the finished lines batch by batch and holds a bounded amount whatever their
//! number: counts, sketches of distributions, and samples of identifiers. [`DataReport`] is plain
//! numbers; [`html`] makes a page of them and reads nothing else. What each figure means, how it
//! is computed, and when a warning is given stands in `docs/data-report.md`.

#[cfg(feature = "engine")]
mod accounts;
mod calendar;
mod drift;
mod figures;
mod html;
mod intake;
#[cfg(feature = "engine")]
mod measure;
#[cfg(feature = "engine")]
mod scale;
mod warning;
mod warnings;
mod words;

pub use drift::{Drift, FeatureDrift, LABEL_RATE, Part};
pub use figures::{
    Balance, Bin, Categories, Concentration, DataReport, Distribution, Feature, KindFigures,
    Missing, MissingRow, Named, Prefix, Sessions, Slot, Span, Step, Totals, Unit, Verdict, Visitor,
    Visitors, Volumes,
};
pub use html::html;
pub use intake::{Counted, FileFigures, Intake, Records};
#[cfg(feature = "engine")]
pub use measure::{Measure, measure_table};
pub use warning::{Severity, Warning};

/// `a` of `b` as a share; 0 where there is nothing.
pub(crate) fn share(a: u64, b: u64) -> f64 {
    if b == 0 { 0.0 } else { a as f64 / b as f64 }
}
