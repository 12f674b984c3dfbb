//! One line for each epoch, on standard error.

use propense_train::{Observer, Progress};

use super::{duration, reason};
use crate::output::note;

pub(crate) struct Lines;

impl Observer for Lines {
    fn on(&mut self, progress: &Progress<'_>) {
        match progress {
            Progress::Note(text) => note(text),
            Progress::Start {
                done,
                epochs,
                examples,
                parameters,
            } => {
                note(&format!(
                    "training {parameters} parameters on {examples} examples, at most {epochs} epochs"
                ));
                if let Some(last) = done.last() {
                    note(&format!("continuing after epoch {}", last.epoch));
                }
            }
            Progress::Epoch {
                report,
                pace,
                epochs,
            } => note(&format!(
                "epoch {:>3}/{epochs}  train loss {:.4}  validation loss {:.4}  AUC {:.4}  {:>6.0} samples/s  {} an epoch, at most {} left{}",
                report.epoch,
                report.train_loss,
                report.validation_loss,
                report.validation_auc,
                pace.samples_per_second,
                duration(pace.epoch_seconds),
                duration(pace.seconds_left),
                if report.best { "  *" } else { "" },
            )),
            Progress::End {
                best_epoch,
                reason: why,
            } => note(&format!("done: {}; best epoch {best_epoch}", reason(*why))),
            _ => {}
        }
    }
}
