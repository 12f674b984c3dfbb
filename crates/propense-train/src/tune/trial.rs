//! Training trials, several at once.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::json;

use super::journal::{Finished, Journal};
use super::schedule::Job;
use super::space::Choice;
use super::{TuneRequest, fit};
use crate::checkpoint;
use crate::decide::{CalibrationKind, CalibrationTrial};
use crate::fit::{FitRequest, fit_model};
use crate::metrics::roc_auc;
use crate::options::{Preset, TrainOptions};
use crate::progress::{EpochReport, Observer, Progress, StopReason};
use crate::tasks::Prepared;
use crate::{TrainError, scoring, trainer};
use propense_prepare::Loaded;

/// The search while a wave of trials runs.
pub(super) struct Running<'a> {
    pub(super) data: &'a Loaded,
    pub(super) request: &'a TuneRequest,
    pub(super) prepared: &'a Prepared,
    pub(super) choices: &'a [Choice],
    pub(super) rungs: &'a [usize],
}

/// What a worker sends.
type Outcome = Result<Option<Finished>, TrainError>;

impl Running<'_> {
    /// Trains all of these, several at once, and writes each down as it finishes.
    pub(super) fn wave(
        &self,
        jobs: &[Job],
        journal: &mut Journal,
        observer: &mut dyn Observer,
    ) -> Result<(), TrainError> {
        let stop = AtomicBool::new(false);
        let next = AtomicUsize::new(0);
        let (sender, receiver) = mpsc::channel::<Outcome>();
        std::thread::scope(|scope| {
            for _ in 0..self.request.jobs.min(jobs.len()) {
                let (sender, stop, next) = (sender.clone(), &stop, &next);
                scope.spawn(move || {
                    while let Some(job) = jobs.get(next.fetch_add(1, Ordering::SeqCst)) {
                        let outcome = self.trial(*job, stop);
                        let over = !matches!(outcome, Ok(Some(_)));
                        if sender.send(outcome).is_err() || over {
                            break;
                        }
                    }
                });
            }
            drop(sender);
            let mut failed = None;
            loop {
                match receiver.recv_timeout(Duration::from_millis(100)) {
                    Ok(Ok(Some(finished))) => {
                        observer.on(&Progress::Note(&journal.words(&finished)));
                        if let Err(error) = journal.add(finished) {
                            stop.store(true, Ordering::SeqCst);
                            failed.get_or_insert(error);
                        }
                    }
                    Ok(Ok(None)) => {}
                    Ok(Err(error)) => {
                        stop.store(true, Ordering::SeqCst);
                        failed.get_or_insert(error);
                    }
                    Err(mpsc::RecvTimeoutError::Timeout) => {}
                    Err(mpsc::RecvTimeoutError::Disconnected) => break,
                }
                if observer.stop() {
                    stop.store(true, Ordering::SeqCst);
                }
            }
            match failed {
                Some(error) => Err(error),
                None if stop.load(Ordering::SeqCst) => Err(TrainError::Interrupted(format!(
                    "before every trial was done; the same command with --resume goes on (from {})",
                    self.request.out.display()
                ))),
                None => Ok(()),
            }
        })
    }

    /// One trial up to its rung; none where it was stopped.
    fn trial(&self, (trial, rung): Job, stop: &AtomicBool) -> Outcome {
        let choice = self.choices.get(trial).copied().unwrap_or_default();
        let epochs = self.rungs.get(rung).copied().unwrap_or(1);
        let mut fit = fit(self.request, &choice);
        fit.training.epochs = epochs;
        let mut quiet = Quiet(stop);
        let clock = Instant::now();
        let found = match fit.preset {
            Preset::Seed => self.seed(fit, trial, &mut quiet),
            Preset::Base => self.base(&fit, &mut quiet),
        };
        let found = match found {
            Ok(found) => found,
            // A learning rate too high is a finding, not the end of the search.
            Err(TrainError::Diverged { .. }) => Found::default(),
            Err(TrainError::Interrupted(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok(Some(Finished {
            trial,
            rung,
            epochs,
            choice,
            parameters: found.parameters,
            validation_loss: found.loss,
            validation_auc: found.auc,
            best_epoch: found.best_epoch,
            curve: found.history.iter().map(|e| e.validation_loss).collect(),
            seconds: clock.elapsed().as_secs_f64(),
        }))
    }

    /// Trains the published network, from the trial's checkpoint where it has one.
    fn seed(
        &self,
        mut fit: FitRequest,
        trial: usize,
        quiet: &mut Quiet<'_>,
    ) -> Result<Found, TrainError> {
        let folder = self.request.out.join(format!("trial-{trial:04}"));
        fit.training = TrainOptions {
            resume: checkpoint::is_there(&folder),
            checkpoint: Some(folder),
            ..fit.training
        };
        let config = fit.config(self.prepared);
        config.validate()?;
        let key = fit.run_key(self.data, self.prepared, &json!(config));
        let parts = self.prepared.parts();
        let parameters = config.parameters();
        let trained = match trainer::train(&config, parts, &fit.training, &key, &fit.device, quiet)
        {
            Err(TrainError::Diverged { .. }) => {
                return Ok(Found {
                    parameters,
                    ..Found::default()
                });
            }
            trained => trained?,
        };
        if trained.reason == StopReason::Interrupted {
            return Err(stopped());
        }
        let epochs = &trained.history;
        let best = epochs.iter().find(|e| e.epoch == trained.best_epoch);
        Ok(Found {
            parameters,
            loss: best.map(|epoch| epoch.validation_loss),
            auc: best.map(|epoch| epoch.validation_auc),
            best_epoch: trained.best_epoch,
            history: trained.history,
        })
    }

    /// Trains the ensemble. Where the validation part covers the same days as the training part, what each
    /// member left out judges it as well: several times as many examples, and chance chooses less.
    fn base(&self, fit: &FitRequest, quiet: &mut Quiet<'_>) -> Result<Found, TrainError> {
        let Prepared {
            validation,
            weighting,
            positions,
            ..
        } = self.prepared;
        let model = fit_model(self.prepared, self.data, fit, None, quiet)?;
        if model.trained.reason == StopReason::Interrupted {
            return Err(stopped());
        }
        let examples = &validation.examples;
        let logits = scoring::all_prefixes(&model.network, examples, *weighting)?;
        let scored = scoring::pick(&logits, examples, *positions);
        let uncalibrated = |trial: &&CalibrationTrial| trial.kind == CalibrationKind::None;
        let judged = model.calibrations.iter().find(uncalibrated);
        Ok(Found {
            parameters: model.config.parameters(),
            loss: judged.map(|trial| trial.log_loss),
            auc: Some(roc_auc(&scored.logits, &scored.labels)),
            best_epoch: model.trained.best_epoch,
            history: model.trained.history,
        })
    }
}

/// What a training came to; nothing where it left the range of numbers.
#[derive(Default)]
struct Found {
    parameters: usize,
    loss: Option<f64>,
    auc: Option<f64>,
    best_epoch: usize,
    history: Vec<EpochReport>,
}

fn stopped() -> TrainError {
    TrainError::Interrupted("before the trial was done".to_owned())
}

/// Tells nothing, and stops when all are to stop.
struct Quiet<'a>(&'a AtomicBool);

impl Observer for Quiet<'_> {
    fn on(&mut self, _: &Progress<'_>) {}

    fn stop(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}
