//! What earlier runs of `propense drift` found: one line of JSON each.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::Path;

use anyhow::Context;
use propense_prepare::write_whole;
use propense_train::{Alert, DriftReport};
use serde::{Deserialize, Serialize};

use crate::output::note;

/// One run, as a line of the history.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) model: String,
    /// Start of the newest session, in milliseconds since 1970; none where sessions have no times.
    pub(crate) to_ms: Option<i64>,
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
            to_ms: found.timed.then_some(found.to_ms),
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

/// Adds the line of this run to those of earlier ones, and gives all. A last line that was cut off, by
/// a run that was stopped, is said and left out; any other that is damaged is an error, since it would be
/// lost from the page.
pub(crate) fn add(path: &Path, line: Line) -> anyhow::Result<Vec<Line>> {
    let place = || path.display().to_string();
    let bytes = match fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        read => read.with_context(place)?,
    };
    let mut lines = Vec::new();
    let mut kept = 0;
    for (number, text) in (1..).zip(bytes.split_inclusive(|byte| *byte == b'\n')) {
        if !text.trim_ascii().is_empty() {
            match serde_json::from_slice(text) {
                Ok(line) => lines.push(line),
                Err(_) if !text.ends_with(b"\n") => {
                    note(&format!("{}, line {number}: cut off, left out", place()));
                    break;
                }
                Err(error) => Err(error).with_context(|| {
                    let wrong = "no line of a drift history; mend or remove it";
                    format!("{}, line {number}: {wrong}", place())
                })?,
            }
        }
        kept += text.len();
    }
    let whole = bytes.get(..kept).unwrap_or_default();
    if kept < bytes.len() {
        write_whole(path, whole).with_context(place)?;
    }
    let mut text = Vec::new();
    if whole.last().is_some_and(|byte| *byte != b'\n') {
        text.push(b'\n');
    }
    serde_json::to_writer(&mut text, &line)?;
    text.push(b'\n');
    append(path, &text).with_context(place)?;
    lines.push(line);
    Ok(lines)
}

/// Adds to a file; when this returns, that outlives a loss of power.
fn append(path: &Path, text: &[u8]) -> std::io::Result<()> {
    let mut file = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)?;
    file.write_all(text)?;
    file.sync_data()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(model: &str) -> Line {
        Line {
            model: model.to_owned(),
            to_ms: Some(1_600_000_000_000),
            sessions: 5,
            features_psi: 0.1,
            scores_psi: 0.2,
            base_rate: 0.3,
            log_loss: 0.4,
            observed_to_expected: 1.1,
            alerts: Vec::new(),
        }
    }

    #[test]
    fn a_line_that_was_cut_off_is_left_out_and_the_others_stay() {
        let folder = tempfile::tempdir().expect("scratch folder");
        let path = folder.path().join("h.jsonl");
        let models = |name: &str| -> Vec<String> {
            let all = add(&path, line(name)).expect("the history");
            all.into_iter().map(|line| line.model).collect()
        };
        assert_eq!(models("é"), ["é"]);
        let one = fs::read(&path).expect("the file");
        // Anywhere, within a letter too.
        for cut in 1..one.len() - 1 {
            fs::write(&path, [&one[..], &one[..cut]].concat()).expect("written");
            assert_eq!(models("b"), ["é", "b"], "cut after {cut} bytes");
            assert_eq!(models("c"), ["é", "b", "c"]);
        }
        // All but the end of the line is a line.
        fs::write(&path, &one[..one.len() - 1]).expect("written");
        assert_eq!(models("b"), ["é", "b"]);
        assert_eq!(models("c"), ["é", "b", "c"]);

        fs::write(&path, [&one[..9], b"\n", &one[..]].concat()).expect("written");
        let error = add(&path, line("d")).expect_err("damaged");
        assert!(
            format!("{error:#}").contains("line 1: no line"),
            "{error:#}"
        );
    }
}
