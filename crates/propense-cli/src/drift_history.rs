//! What earlier runs of `propense drift` found: one line of JSON each.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::Context;
use propense_train::{Alert, DriftReport};
use serde::{Deserialize, Serialize};

/// One run, as a line of the history.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) model: String,
    /// Start of the newest session, in milliseconds since 1970.
    pub(crate) to_ms: i64,
    pub(crate) sessions: usize,
    /// Largest population stability index of a watched column.
    pub(crate) features_psi: f64,
    pub(crate) scores_psi: f64,
    pub(crate) base_rate: f64,
    pub(crate) log_loss: f64,
    /// Orders that came for each that was expected.
    pub(crate) observed_to_expected: f64,
    pub(crate) alerts: Vec<Alert>,
}

impl Line {
    pub(crate) fn of(found: &DriftReport) -> Self {
        let watched = found.columns.iter().filter(|column| column.watched);
        let whole = found.calibration_whole;
        Self {
            model: found.model.clone(),
            to_ms: found.to_ms,
            sessions: found.sessions,
            features_psi: watched.map(|column| column.psi).fold(0.0, f64::max),
            scores_psi: found.scores.psi,
            base_rate: found.labels.recent,
            log_loss: found.log_loss,
            observed_to_expected: whole.map_or(1.0, |whole| whole.ratio()),
            alerts: found.alerts.clone(),
        }
    }
}

/// The lines of earlier runs. One that is damaged is named: it would be lost from the page.
pub(crate) fn past(path: &Path) -> anyhow::Result<Vec<Line>> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(number, line)| {
            serde_json::from_str(line).with_context(|| {
                format!(
                    "{}, line {}: no line of a drift history; mend or remove it",
                    path.display(),
                    number + 1
                )
            })
        })
        .collect()
}

/// Adds the line of this run.
pub(crate) fn append(path: &Path, line: &Line) -> anyhow::Result<()> {
    let mut text = serde_json::to_string(line)?;
    text.push('\n');
    let write = || -> std::io::Result<()> {
        let mut file = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)?;
        file.write_all(text.as_bytes())
    };
    write().with_context(|| path.display().to_string())
}
