//! What should be looked at before learning from a table, in words.
//!
//! A warning follows from the figures of the report alone, by the thresholds of
//! `docs/data-report.md`.

mod drift;
mod learning;
mod quality;
mod tracking;

use super::figures::{DataReport, Verdict};
use super::warning::{Severity, Warning};

impl DataReport {
    /// Adds the warnings and the verdict that follow from the figures.
    #[must_use]
    pub fn judged(mut self) -> Self {
        self.warnings = all(&self);
        self.verdict = verdict(&self.warnings);
        self
    }
}

/// Every warning, the gravest first.
fn all(report: &DataReport) -> Vec<Warning> {
    let mut warnings = quality::warnings(report);
    if report.totals.events > 0 {
        warnings.extend(learning::warnings(report));
        warnings.extend(tracking::warnings(report));
        warnings.extend(drift::warnings(report));
    }
    // Stable: equally grave ones keep their order.
    warnings.sort_by_key(|warning| warning.severity);
    warnings
}

/// The verdict that follows.
fn verdict(warnings: &[Warning]) -> Verdict {
    match warnings.first().map(|warning| warning.severity) {
        Some(Severity::Severe) => Verdict::NotYet,
        Some(Severity::Caution) => Verdict::WithCare,
        Some(Severity::Note) | None => Verdict::Ready,
    }
}
