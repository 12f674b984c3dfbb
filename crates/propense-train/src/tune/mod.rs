//! `tune`: a search for the best sizes and training options of the published network.
//!
//! Trials learn from the training part and are judged by the log-loss on the validation part. The test
//! part is thrown away before the first of them starts: the search cannot see it, and `train` with the
//! winner's options measures on it once. Each finished training is one line of a journal, and each
//! trial has its checkpoint, so that a search that was stopped goes on to the same result.

mod journal;
mod schedule;
mod space;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::checkpoint;
use crate::fit::FitRequest;
use crate::options::TrainOptions;
use crate::progress::{Observer, Progress, StopReason};
use crate::tasks::{self, Prepared, Shares};
use crate::trainer;
use crate::{Task, TrainError};
use propense_prepare::Loaded;

pub use journal::Finished;
pub use space::{Axis, Choice, Space};

use journal::Journal;
use schedule::{Job, Losses};

/// How choices are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Search {
    /// Every combination.
    Grid,
    /// Combinations drawn at random.
    Random,
    /// Drawn at random, and only the best third trained on, twice.
    Asha,
}

/// What is searched, and how.
#[derive(Debug, Clone)]
pub struct TuneRequest {
    /// Task, examples, device; training options that the space does not set.
    pub fit: FitRequest,
    /// What may be chosen.
    pub space: Space,
    /// How it is chosen.
    pub search: Search,
    /// Most trials.
    pub trials: usize,
    /// Trials trained at once.
    pub jobs: usize,
    /// Folder of journal and checkpoints.
    pub out: PathBuf,
    /// Go on with the search in that folder.
    pub resume: bool,
}

/// The result of a search.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tuned {
    /// The task.
    pub task: Task,
    /// How choices were made.
    pub search: Search,
    /// Epochs of the rungs.
    pub rungs: Vec<usize>,
    /// Every training that finished, by trial and rung.
    pub finished: Vec<Finished>,
    /// Trials from the best to the worst, each by its highest rung: places in `finished`.
    pub ranking: Vec<usize>,
    /// Examples that trials learnt from, and that judged them.
    pub examples: (usize, usize),
}

impl Tuned {
    /// The best trial.
    #[must_use]
    pub fn winner(&self) -> Option<&Finished> {
        self.finished.get(*self.ranking.first()?)
    }
}

/// Searches until every trial is done.
///
/// # Errors
///
/// Where the data does not suit the task, the folder holds another search, all trials fail, or the
/// observer stops it: what is finished by then is kept.
pub fn tune(
    data: &Loaded,
    request: &TuneRequest,
    observer: &mut dyn Observer,
) -> Result<Tuned, TrainError> {
    let choices = choices(request)?;
    for choice in &choices {
        training(request, choice).validate()?;
    }
    let (task, examples) = (request.fit.task, &request.fit.examples);
    let mut prepared = tasks::prepare(task, data, Shares::Shop, examples, observer)?;
    let settings = settings(data, &prepared, request);
    let mut journal = Journal::open(&request.out, &settings, request.resume)?;
    // Sealed: nothing below can look at it.
    prepared.test = Default::default();
    prepared.test_without_history = Default::default();
    let halving = request.search == Search::Asha;
    let rungs = schedule::rungs(request.fit.training.epochs, halving);
    observer.on(&Progress::Note(&format!(
        "{} trials, of which {} run at once; epochs of a trial: {}",
        choices.len(),
        request.jobs.clamp(1, schedule::WAVE),
        rungs
            .iter()
            .map(usize::to_string)
            .collect::<Vec<_>>()
            .join(", then ")
    )));
    loop {
        let losses = journal.losses();
        let jobs = schedule::next(choices.len(), rungs.len(), &losses);
        if jobs.is_empty() {
            break;
        }
        let search = Running {
            data,
            request,
            prepared: &prepared,
            choices: &choices,
            rungs: &rungs,
        };
        search.wave(&jobs, &mut journal, observer)?;
    }
    let finished = journal.finished();
    let ranking = ranking(&finished, &journal.losses(), rungs.len());
    if ranking.is_empty() {
        return Err(TrainError::Diverged { epoch: 1 });
    }
    Ok(Tuned {
        task,
        search: request.search,
        rungs,
        finished,
        ranking,
        examples: (
            prepared.train.examples.len(),
            prepared.validation.examples.len(),
        ),
    })
}

fn choices(request: &TuneRequest) -> Result<Vec<Choice>, TrainError> {
    let wrong = |option, reason: &str| {
        Err(TrainError::Option {
            option,
            reason: reason.to_owned(),
        })
    };
    if request.trials == 0 {
        return wrong("--trials", "at least 1");
    }
    if request.jobs == 0 {
        return wrong("--jobs", "at least 1");
    }
    if request.jobs > schedule::WAVE {
        return wrong("--jobs", &format!("at most {}", schedule::WAVE));
    }
    request.space.check(request.fit.task)?;
    let seed = request.fit.training.seed;
    match request.search {
        Search::Grid => request.space.grid(request.trials, seed),
        Search::Random | Search::Asha => Ok(request.space.draws(request.trials, seed)),
    }
}

/// What must be the same for a search to go on. Not the number of jobs: the result does not hang on it.
/// The same bytes read in another format, or by another mapping, are other data.
fn settings(data: &Loaded, prepared: &Prepared, request: &TuneRequest) -> serde_json::Value {
    let TrainOptions {
        epochs,
        batch,
        learning_rate,
        patience,
        clip,
        seed,
        ..
    } = request.fit.training;
    let examples = &request.fit.examples;
    json!({
        "task": request.fit.task,
        "data": data.sha256,
        "reading": checkpoint::reading(&prepared.spec, &prepared.train.examples),
        "space": request.space,
        "search": request.search,
        "trials": request.trials,
        "training": {
            "epochs": epochs, "batch": batch, "learning_rate": learning_rate, "patience": patience,
            "clip": clip, "seed": seed, "activation": request.fit.activation, "sizes": request.fit.sizes,
        },
        "examples": {
            "max_events": examples.max_events, "gap_ms": examples.gap_ms, "midnight": examples.midnight,
            "target": examples.target, "augment": examples.augment, "share": examples.share,
        },
    })
}

/// The training options of a choice.
fn training(request: &TuneRequest, choice: &Choice) -> TrainOptions {
    let usual = request.fit.training.clone();
    TrainOptions {
        batch: choice.batch.unwrap_or(usual.batch),
        learning_rate: choice.learning_rate.unwrap_or(usual.learning_rate),
        time_limit: None,
        checkpoint: None,
        resume: false,
        ..usual
    }
}

/// The search while a wave of trials runs.
struct Running<'a> {
    data: &'a Loaded,
    request: &'a TuneRequest,
    prepared: &'a Prepared,
    choices: &'a [Choice],
    rungs: &'a [usize],
}

/// What a worker sends.
type Outcome = Result<Option<Finished>, TrainError>;

impl Running<'_> {
    /// Trains all of these, several at once, and writes each down as it finishes.
    fn wave(
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

    /// One trial up to its rung, from its checkpoint where it has one; none where it was stopped.
    fn trial(&self, (trial, rung): Job, stop: &AtomicBool) -> Outcome {
        let choice = self.choices.get(trial).copied().unwrap_or_default();
        let folder = self.request.out.join(format!("trial-{trial:04}"));
        let epochs = self.rungs.get(rung).copied().unwrap_or(1);
        let mut fit = self.request.fit.clone();
        fit.sizes = sizes(fit.sizes, choice);
        fit.training = TrainOptions {
            epochs,
            resume: checkpoint::is_there(&folder),
            checkpoint: Some(folder),
            ..training(self.request, &choice)
        };
        let config = fit.config(self.prepared);
        config.validate()?;
        let key = fit.run_key(self.data, self.prepared, &json!(config));
        let parts = self.prepared.parts();
        let clock = Instant::now();
        let mut quiet = Quiet(stop);
        let trained = trainer::train(&config, parts, &fit.training, &key, &fit.device, &mut quiet);
        let seconds = clock.elapsed().as_secs_f64();
        let base = Finished {
            trial,
            rung,
            epochs,
            choice,
            parameters: config.parameters(),
            validation_loss: None,
            validation_auc: None,
            best_epoch: 0,
            curve: Vec::new(),
            seconds,
        };
        match trained {
            Ok(trained) if trained.reason == StopReason::Interrupted => Ok(None),
            Ok(trained) => {
                let best = trained
                    .history
                    .iter()
                    .find(|e| e.epoch == trained.best_epoch);
                Ok(Some(Finished {
                    validation_loss: best.map(|epoch| epoch.validation_loss),
                    validation_auc: best.map(|epoch| epoch.validation_auc),
                    best_epoch: trained.best_epoch,
                    curve: trained
                        .history
                        .iter()
                        .map(|epoch| epoch.validation_loss)
                        .collect(),
                    ..base
                }))
            }
            // A learning rate too high is a finding, not the end of the search.
            Err(TrainError::Diverged { .. }) => Ok(Some(base)),
            Err(TrainError::Interrupted(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn sizes(usual: crate::NetworkSizes, choice: Choice) -> crate::NetworkSizes {
    crate::NetworkSizes {
        filters: choice.sizes.filters.or(usual.filters),
        hidden: choice.sizes.hidden.or(usual.hidden),
        dropout: choice.sizes.dropout.or(usual.dropout),
    }
}

/// Tells nothing, and stops when all are to stop.
struct Quiet<'a>(&'a AtomicBool);

impl Observer for Quiet<'_> {
    fn on(&mut self, _: &Progress<'_>) {}

    fn stop(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// Trials from the best to the worst: those of a higher rung first, then by loss.
fn ranking(finished: &[Finished], losses: &Losses, rungs: usize) -> Vec<usize> {
    let mut places = Vec::new();
    let mut ranked: Vec<usize> = Vec::new();
    for rung in (0..rungs).rev() {
        for trial in schedule::ranked(losses, rung) {
            if ranked.contains(&trial) {
                continue;
            }
            ranked.push(trial);
            let here = |one: &Finished| one.trial == trial && one.rung == rung;
            places.extend(finished.iter().position(here));
        }
    }
    places
}

#[cfg(test)]
mod tests;
