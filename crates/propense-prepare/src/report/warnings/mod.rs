//! What should be looked at before learning from a table, in words.
//!
//! A warning follows from the figures of the report alone, by the thresholds of
//! `docs/data-report.md`.

mod drift;
mod learning;
mod quality;
mod tracking;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::figures::{DataReport, Verdict};

/// How grave a warning is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Must be mended before learning.
    Severe,
    /// Should be looked at before learning.
    Caution,
    /// Good to know.
    Note,
}

/// Something that should be looked at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Warning {
    /// What it is, for programs.
    pub code: String,
    /// How grave it is.
    pub severity: Severity,
    /// What it is, in a few words.
    pub title: String,
    /// What was found, with figures.
    pub text: String,
    /// What to do about it.
    pub remedy: String,
    /// The figures, for programs.
    pub figures: BTreeMap<String, f64>,
}

impl Warning {
    fn new(code: &str, severity: Severity, title: &str) -> Self {
        Self {
            code: code.to_owned(),
            severity,
            title: title.to_owned(),
            text: String::new(),
            remedy: String::new(),
            figures: BTreeMap::new(),
        }
    }

    fn text(mut self, text: impl Into<String>) -> Self {
        self.text = text.into();
        self
    }

    fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = remedy.into();
        self
    }

    fn figure(mut self, name: &str, value: f64) -> Self {
        self.figures.insert(name.to_owned(), value);
        self
    }
}

/// Every warning, the gravest first.
pub(super) fn all(report: &DataReport) -> Vec<Warning> {
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
pub(super) fn verdict(warnings: &[Warning]) -> Verdict {
    match warnings.first().map(|warning| warning.severity) {
        Some(Severity::Severe) => Verdict::NotYet,
        Some(Severity::Caution) => Verdict::WithCare,
        Some(Severity::Note) | None => Verdict::Ready,
    }
}
