//! `tune`: a search for the best sizes and training options of a preset.
//!
//! Trials learn from the training part and are judged by the log-loss on the validation part. The test
//! part is thrown away before the first of them starts: the search cannot see it, and `train` with the
//! winner's options measures on it once. Each finished training is one line of a journal, and each
//! trial of the published network has its checkpoint, so that a search that was stopped goes on to the
//! same result. The ensemble keeps no state: a rung trains it anew, the rate falling over its epochs.

mod journal;
mod schedule;
mod space;
mod trial;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::checkpoint;
use crate::fit::{FitRequest, NetworkSizes, validated_later};
use crate::options::Preset;
use crate::options::TrainOptions;
use crate::progress::{Observer, Progress};
use crate::tasks::{self, Prepared, Shares};
use crate::{Task, TrainError};
use propense_prepare::Loaded;

pub use journal::Finished;
pub use space::{Axis, Choice, Space};

use journal::Journal;
use trial::Running;

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
    /// What is trained.
    pub preset: Preset,
    /// How choices were made.
    pub search: Search,
    /// Epochs of the rungs.
    pub rungs: Vec<usize>,
    /// Every training that finished, by trial and rung.
    pub finished: Vec<Finished>,
    /// Trials from the best to the worst, each by its best training: places in `finished`.
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
        fit(request, choice).training.validate()?;
        fit(request, choice).sizes.validate(request.fit.preset)?;
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
    // Those that members left out judge the ensemble, too.
    let left_out = match request.fit.preset {
        Preset::Base if !validated_later(task, &prepared) => prepared.train.examples.len(),
        _ => 0,
    };
    let finished = journal.finished();
    let ranking = ranking(&finished);
    if ranking.is_empty() {
        return Err(TrainError::Diverged { epoch: 1 });
    }
    Ok(Tuned {
        task,
        preset: request.fit.preset,
        search: request.search,
        rungs,
        finished,
        ranking,
        examples: (
            prepared.train.examples.len(),
            prepared.validation.examples.len() + left_out,
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
    request.space.check(request.fit.task, request.fit.preset)?;
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
        decay,
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
            "preset": request.fit.preset, "clip": clip, "decay": decay, "seed": seed, "activation": request.fit.activation, "sizes": request.fit.sizes,
        },
        "examples": {
            "max_events": examples.max_events, "gap_ms": examples.gap_ms, "midnight": examples.midnight,
            "target": examples.target, "augment": examples.augment, "share": examples.share,
        },
    })
}

/// What a choice asks for.
fn fit(request: &TuneRequest, choice: &Choice) -> FitRequest {
    let usual = &request.fit;
    let training = TrainOptions {
        batch: choice.batch.unwrap_or(usual.training.batch),
        learning_rate: choice.learning_rate.unwrap_or(usual.training.learning_rate),
        clip: match choice.clip {
            Some(clip) => (clip != 0.0).then_some(clip),
            None => usual.training.clip,
        },
        decay: choice.decay.unwrap_or(usual.training.decay),
        time_limit: None,
        checkpoint: None,
        resume: false,
        ..usual.training.clone()
    };
    let sizes = NetworkSizes {
        filters: choice.sizes.filters.or(usual.sizes.filters),
        hidden: choice.sizes.hidden.or(usual.sizes.hidden),
        dropout: choice.sizes.dropout.or(usual.sizes.dropout),
    };
    FitRequest {
        training,
        sizes,
        ..usual.clone()
    }
}

/// Trials from the best to the worst, each by its best training: of two alike the longer one. A longer training
/// need not be better where the learning rate falls over its epochs.
fn ranking(finished: &[Finished]) -> Vec<usize> {
    let mut best: BTreeMap<usize, (f64, usize)> = BTreeMap::new();
    for (place, one) in finished.iter().enumerate() {
        let Some(loss) = one.validation_loss.filter(|loss| loss.is_finite()) else {
            continue;
        };
        let known = best.entry(one.trial).or_insert((loss, place));
        // Longer ones stand behind the others.
        if loss <= known.0 {
            *known = (loss, place);
        }
    }
    let mut ranked: Vec<(f64, usize)> = best.into_values().collect();
    ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
    ranked.into_iter().map(|(_, place)| place).collect()
}

#[cfg(test)]
mod tests;
