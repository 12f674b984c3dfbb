//! The journal of a search: its settings, and a line for each training that finished.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::schedule::Losses;
use super::space::Choice;
use crate::TrainError;
use propense_prepare::write_whole;

/// One training that finished.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finished {
    /// Number of the trial, from 0.
    pub trial: usize,
    /// Its rung, from 0.
    pub rung: usize,
    /// Most epochs on this rung.
    pub epochs: usize,
    /// What was chosen.
    pub choice: Choice,
    /// Trained numbers; 0 where an ensemble diverged.
    pub parameters: usize,
    /// Log-loss on the validation part with the weights that are kept; of the ensemble on what members left out,
    /// too, where that covers the same days. None where training diverged.
    pub validation_loss: Option<f64>,
    /// ROC-AUC on the validation part with these weights.
    pub validation_auc: Option<f64>,
    /// The epoch whose weights are kept, from 1.
    pub best_epoch: usize,
    /// Log-loss after each epoch on what says when to stop: of the published network the validation part, of the
    /// ensemble what each member leaves out.
    pub curve: Vec<f64>,
    /// Seconds on this rung.
    pub seconds: f64,
}

/// The file and what is in it.
pub(super) struct Journal {
    path: PathBuf,
    lines: Vec<Finished>,
}

/// The journal's file in a folder.
fn path(folder: &Path) -> PathBuf {
    folder.join("trials.jsonl")
}

impl Journal {
    /// Starts a journal, or goes on with one of the same settings.
    pub(super) fn open(
        folder: &Path,
        settings: &serde_json::Value,
        resume: bool,
    ) -> Result<Self, TrainError> {
        let (path, of) = (path(folder), folder.join("tune.json"));
        let wrong = |path: &Path, reason: &str| TrainError::Checkpoint {
            path: path.to_owned(),
            reason: reason.to_owned(),
        };
        if of.exists() && !resume {
            let reason =
                "the folder holds a search; --resume goes on with it, another --out starts one";
            return Err(wrong(&of, reason));
        }
        if !of.exists() {
            fs::create_dir_all(folder).map_err(TrainError::io(folder))?;
            let text = serde_json::to_string_pretty(settings).unwrap_or_default();
            write_whole(&of, text.as_bytes()).map_err(TrainError::io(&of))?;
        }
        let text = fs::read_to_string(&of).map_err(TrainError::io(&of))?;
        let mut known: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        // Through text, so that numbers are compared as they are written.
        let mut asked: serde_json::Value =
            serde_json::from_str(&settings.to_string()).unwrap_or_default();
        // More trials than there were go on with what is there.
        let trials = [&mut known, &mut asked].map(|settings| {
            let trials = settings.get_mut("trials").map(serde_json::Value::take);
            trials.and_then(|trials| trials.as_u64())
        });
        if known != asked {
            let reason =
                "the search in this folder was of other data or other options; take another --out";
            return Err(wrong(&of, reason));
        }
        match trials {
            [Some(known), Some(asked)] if known > asked => {
                let reason = format!(
                    "the search in this folder has {known} trials; --trials {known} or more goes on with it"
                );
                return Err(wrong(&of, &reason));
            }
            [known, asked] if known == asked => {}
            _ => {
                let text = serde_json::to_string_pretty(settings).unwrap_or_default();
                write_whole(&of, text.as_bytes()).map_err(TrainError::io(&of))?;
            }
        }
        let mut lines: Vec<Finished> = Vec::new();
        if path.exists() {
            let text = fs::read_to_string(&path).map_err(TrainError::io(&path))?;
            let whole = text
                .split_inclusive('\n')
                .filter(|line| line.ends_with('\n'));
            for (number, line) in whole.clone().enumerate() {
                let line = serde_json::from_str(line).map_err(|error| {
                    wrong(
                        &path,
                        &format!("line {}: {error}; delete the line and --resume", number + 1),
                    )
                })?;
                lines.push(line);
            }
            // A line that was cut off is trained again, from its checkpoint.
            let kept: usize = whole.map(str::len).sum();
            if kept < text.len() {
                let kept = text.get(..kept).unwrap_or_default();
                write_whole(&path, kept.as_bytes()).map_err(TrainError::io(&path))?;
            }
        }
        Ok(Self { path, lines })
    }

    /// Writes a line.
    pub(super) fn add(&mut self, finished: Finished) -> Result<(), TrainError> {
        let mut line = serde_json::to_string(&finished).unwrap_or_default();
        line.push('\n');
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.path);
        let mut file = file.map_err(TrainError::io(&self.path))?;
        file.write_all(line.as_bytes())
            .and_then(|()| file.sync_data())
            .map_err(TrainError::io(&self.path))?;
        self.lines.push(finished);
        Ok(())
    }

    /// Losses by trial and rung.
    pub(super) fn losses(&self) -> Losses {
        let loss = |line: &Finished| line.validation_loss.unwrap_or(f64::INFINITY);
        let all = self.lines.iter();
        all.map(|line| ((line.trial, line.rung), loss(line)))
            .collect()
    }

    /// All lines by trial and rung, whatever the order in which they finished.
    pub(super) fn finished(&self) -> Vec<Finished> {
        let mut lines = self.lines.clone();
        lines.sort_by_key(|line| (line.trial, line.rung));
        lines
    }

    /// What to say of a training that finished.
    pub(super) fn words(&self, new: &Finished) -> String {
        let options: Vec<String> = new
            .choice
            .options()
            .into_iter()
            .map(|(name, value)| format!("{} {value}", name.trim_start_matches('-')))
            .collect();
        let losses = self
            .lines
            .iter()
            .chain([new])
            .filter_map(|line| line.validation_loss);
        let best = losses.fold(f64::INFINITY, f64::min);
        let found = match new.validation_loss {
            Some(loss) => format!("log-loss {loss:.4} in epoch {}", new.best_epoch),
            None => "the loss left the range of numbers".to_owned(),
        };
        format!(
            "trial {} ({}), up to {} epochs: {found}; the best so far {best:.4}",
            new.trial,
            options.join(", "),
            new.epochs
        )
    }
}
