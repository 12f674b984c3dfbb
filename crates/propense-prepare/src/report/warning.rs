//! A warning, as the report holds it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

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
    pub(super) fn new(code: &str, severity: Severity, title: &str) -> Self {
        Self {
            code: code.to_owned(),
            severity,
            title: title.to_owned(),
            text: String::new(),
            remedy: String::new(),
            figures: BTreeMap::new(),
        }
    }

    pub(super) fn text(mut self, text: impl Into<String>) -> Self {
        self.text = text.into();
        self
    }

    pub(super) fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = remedy.into();
        self
    }

    pub(super) fn figure(mut self, name: &str, value: f64) -> Self {
        self.figures.insert(name.to_owned(), value);
        self
    }
}
