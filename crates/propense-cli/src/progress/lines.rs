//! One line for each epoch, on standard error.

use propense_train::{Observer, Progress};

use super::{duration, reason};

pub(crate) struct Lines;

impl Observer for Lines {
    fn on(&mut self, progress: &Progress<'_>) {
        match progress {
            Progress::Note(note) => eprintln!("{note}"),
            Progress::Start {
                done,
                epochs,
                examples,
                parameters,
            } => {
                eprintln!(
                    "training {parameters} parameters on {examples} examples, at most {epochs} epochs"
                );
                if let Some(last) = done.last() {
                    eprintln!("continuing after epoch {}", last.epoch);
                }
            }
            Progress::Epoch {
                report,
                pace,
                epochs,
            } => eprintln!(
                "epoch {:>3}/{epochs}  train loss {:.4}  validation loss {:.4}  AUC {:.4}  {:>6.0} samples/s  {} an epoch, at most {} left{}",
                report.epoch,
                report.train_loss,
                report.validation_loss,
                report.validation_auc,
                pace.samples_per_second,
                duration(pace.epoch_seconds),
                duration(pace.seconds_left),
                if report.best { "  *" } else { "" },
            ),
            Progress::End {
                best_epoch,
                reason: why,
            } => eprintln!("done: {}; best epoch {best_epoch}", reason(*why)),
            _ => {}
        }
    }
}
