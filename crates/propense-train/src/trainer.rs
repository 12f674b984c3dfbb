//! The training loop: epochs of shuffled batches, validation after each, the best weights kept.

use std::path::Path;
use std::time::{Duration, Instant};

use propense_model::NamedTensor;

use crate::TrainError;
use crate::batch::shuffled;
use crate::checkpoint::{self, RunKey, State};
use crate::device::Chosen;
use crate::example::{Example, Positions, Weighting};
use crate::learner::Learner;
use crate::metrics::roc_auc;
use crate::network::{Blueprint, Network};
use crate::options::TrainOptions;
use crate::progress::{EpochReport, Observer, Pace, Progress, StopReason};
use crate::scoring;
use crate::start::{silence_unseen, start_at_base_rate};

/// Steps between two readbacks of the loss: often enough to answer Ctrl-C and to keep a GPU's
/// queue short, seldom enough not to stall it.
const STEPS_PER_READ: usize = 8;

/// What is learnt from and how it is weighed.
#[derive(Clone, Copy)]
pub(crate) struct Parts<'a> {
    pub(crate) train: &'a [Example],
    pub(crate) validation: &'a [Example],
    pub(crate) weighting: Weighting,
    pub(crate) positions: Positions,
}

/// A finished run.
#[derive(Debug, Clone)]
pub(crate) struct Trained {
    /// The weights of the best epoch.
    pub(crate) weights: Vec<NamedTensor>,
    pub(crate) history: Vec<EpochReport>,
    pub(crate) best_epoch: usize,
    pub(crate) reason: StopReason,
    /// Examples trained on per second in the last epoch of this process; 0 where none ran.
    pub(crate) samples_per_second: f64,
}

/// Trains a network from its seed (or from a checkpoint).
pub(crate) fn train<B: Blueprint>(
    config: &B,
    parts: Parts<'_>,
    options: &TrainOptions,
    key: &RunKey,
    chosen: &Chosen,
    observer: &mut dyn Observer,
) -> Result<Trained, TrainError> {
    options.validate()?;
    let run = match &options.checkpoint {
        Some(folder) if options.resume => Run::resumed(config, options, folder, key, chosen)?,
        _ => Run::fresh(config, parts, options, chosen)?,
    };
    go(run, config, parts, options, key, observer)
}

/// Weights drawn from the seed and made to suit these examples.
pub(crate) fn first_weights<B: Blueprint>(
    config: &B,
    train: &[Example],
    seed: u64,
) -> Result<Vec<NamedTensor>, TrainError> {
    let mut weights = config.fresh(seed)?;
    let outcomes = train.iter().filter_map(|e| e.label.last());
    start_at_base_rate(&mut weights, config.output_bias(), outcomes);
    silence_unseen(&mut weights, train);
    Ok(weights)
}

/// Trains a network on from these weights. The best of the epochs is kept, be it better than they are
/// or not: whether to go over to it is for a test on other examples to say.
pub(crate) fn train_on<B: Blueprint>(
    config: &B,
    weights: &[NamedTensor],
    parts: Parts<'_>,
    options: &TrainOptions,
    key: &RunKey,
    chosen: &Chosen,
    observer: &mut dyn Observer,
) -> Result<Trained, TrainError> {
    options.validate()?;
    let run = Run::warm(config, weights, options, chosen)?;
    go(run, config, parts, options, key, observer)
}

fn go<B: Blueprint>(
    mut run: Run<B::Network>,
    config: &B,
    parts: Parts<'_>,
    options: &TrainOptions,
    key: &RunKey,
    observer: &mut dyn Observer,
) -> Result<Trained, TrainError> {
    if let (false, Some(folder)) = (options.resume, &options.checkpoint) {
        if let Some(kept) = checkpoint::keep_previous(folder)? {
            observer.on(&Progress::Note(&kept));
        }
        // Before the first epoch, so that whatever stops the run leaves something to resume.
        checkpoint::save(folder, &run.state(key)?)?;
    }
    observer.on(&Progress::Start {
        done: &run.history,
        epochs: options.epochs,
        examples: parts.train.len(),
        parameters: config.parameters(),
    });
    let started = Instant::now();
    let mut samples_per_second = 0.0;
    let reason = loop {
        if let Some(reason) = run.over(options, started.elapsed()) {
            break reason;
        }
        let epoch = run.history.len() + 1;
        let clock = Instant::now();
        let before = run.clone();
        let Some(train_loss) = run.epoch(epoch, parts, options, observer)? else {
            // Stopped within an epoch: what counts is the state after the last whole one.
            run = before;
            break StopReason::Interrupted;
        };
        samples_per_second = parts.train.len() as f64 / clock.elapsed().as_secs_f64().max(1e-9);
        let Some(report) = run.validate(epoch, train_loss, parts, observer)? else {
            run = before;
            break StopReason::Interrupted;
        };
        run.history.push(report.clone());
        if let Some(folder) = &options.checkpoint {
            checkpoint::save(folder, &run.state(key)?)?;
        }
        let seconds = clock.elapsed().as_secs_f64();
        observer.on(&Progress::Epoch {
            report: &report,
            pace: Pace {
                samples_per_second,
                epoch_seconds: seconds,
                seconds_left: seconds * (options.epochs - epoch.min(options.epochs)) as f64,
            },
            epochs: options.epochs,
        });
    };
    let best_epoch = best_of(&run.history).ok_or_else(|| before_first_epoch(options))?;
    observer.on(&Progress::End { best_epoch, reason });
    Ok(Trained {
        weights: run.best,
        history: run.history,
        best_epoch,
        reason,
        samples_per_second,
    })
}

fn best_of(history: &[EpochReport]) -> Option<usize> {
    history
        .iter()
        .rev()
        .find(|epoch| epoch.best)
        .map(|epoch| epoch.epoch)
}

fn before_first_epoch(options: &TrainOptions) -> TrainError {
    let rest = match &options.checkpoint {
        Some(folder) => format!(
            "; the same command with --resume goes on (from {})",
            folder.display()
        ),
        None => String::new(),
    };
    TrainError::Interrupted(format!(
        "before the first epoch was complete: there is no result{rest}"
    ))
}

/// The moving parts of a run. Cloning is cheap beside an epoch.
#[derive(Clone)]
struct Run<N> {
    learner: Learner<N>,
    best: Vec<NamedTensor>,
    history: Vec<EpochReport>,
}

impl<N: Network> Run<N> {
    /// From the weights of a finished model.
    fn warm<B: Blueprint<Network = N>>(
        config: &B,
        weights: &[NamedTensor],
        options: &TrainOptions,
        chosen: &Chosen,
    ) -> Result<Self, TrainError> {
        Ok(Self {
            learner: Learner::new(config, weights, None, options, chosen)?,
            best: weights.to_vec(),
            history: Vec::new(),
        })
    }

    /// As the checkpoint left it.
    fn resumed<B: Blueprint<Network = N>>(
        config: &B,
        options: &TrainOptions,
        folder: &Path,
        key: &RunKey,
        chosen: &Chosen,
    ) -> Result<Self, TrainError> {
        let state = checkpoint::load(folder, key)?;
        let optimiser = Some((state.steps, state.moments));
        Ok(Self {
            learner: Learner::new(config, &state.weights, optimiser, options, chosen)?,
            best: state.best,
            history: state.history,
        })
    }

    /// From the seed.
    fn fresh<B: Blueprint<Network = N>>(
        config: &B,
        parts: Parts<'_>,
        options: &TrainOptions,
        chosen: &Chosen,
    ) -> Result<Self, TrainError> {
        let weights = first_weights(config, parts.train, options.seed)?;
        Self::warm(config, &weights, options, chosen)
    }

    fn over(&self, options: &TrainOptions, elapsed: Duration) -> Option<StopReason> {
        let done = self.history.len();
        if done >= options.epochs {
            return Some(StopReason::Epochs);
        }
        let best = best_of(&self.history).unwrap_or(done);
        if done - best >= options.patience.max(1) {
            return Some(StopReason::Patience);
        }
        (done > 0 && options.time_limit.is_some_and(|limit| elapsed >= limit))
            .then_some(StopReason::Time)
    }

    /// One pass over the training part: mean loss, or none where the observer stopped it.
    fn epoch(
        &mut self,
        epoch: usize,
        parts: Parts<'_>,
        options: &TrainOptions,
        observer: &mut dyn Observer,
    ) -> Result<Option<f64>, TrainError> {
        let batches = shuffled(parts.train, options.batch, options.seed, epoch);
        let (mut loss_sum, mut weight_sum, mut done) = (0.0, 0.0, 0);
        for (step, indices) in batches.iter().enumerate() {
            let weight = self.learner.step(parts.train, indices, parts.weighting)?;
            weight_sum += f64::from(weight);
            done += indices.len();
            if (step + 1) % STEPS_PER_READ == 0 || step + 1 == batches.len() {
                loss_sum += self.learner.loss()?;
                if !f64::is_finite(loss_sum) {
                    return Err(TrainError::Diverged { epoch });
                }
                observer.on(&Progress::Batch {
                    epoch,
                    done,
                    of: parts.train.len(),
                });
            }
            if observer.stop() {
                return Ok(None);
            }
        }
        Ok(Some(loss_sum / f64::max(weight_sum, 1e-9)))
    }

    /// The epoch's figures, or none where the observer stopped it.
    fn validate(
        &mut self,
        epoch: usize,
        train_loss: f64,
        parts: Parts<'_>,
        observer: &dyn Observer,
    ) -> Result<Option<EpochReport>, TrainError> {
        let stop = || observer.stop();
        let (examples, weighting) = (parts.validation, parts.weighting);
        let scored = self.learner.prefixes(examples, weighting, &stop)?;
        let Some(logits) = scored else {
            return Ok(None);
        };
        let validation_loss =
            scoring::weighted_log_loss(&logits, parts.validation, parts.weighting);
        if !validation_loss.is_finite() {
            return Err(TrainError::Diverged { epoch });
        }
        let scored = scoring::pick(&logits, parts.validation, parts.positions);
        let lowest = self
            .history
            .iter()
            .map(|report| report.validation_loss)
            .fold(f64::INFINITY, f64::min);
        let best = validation_loss < lowest;
        if best {
            self.best = self.learner.weights()?;
        }
        Ok(Some(EpochReport {
            epoch,
            train_loss,
            validation_loss,
            validation_auc: roc_auc(&scored.logits, &scored.labels),
            best,
        }))
    }

    fn state(&self, key: &RunKey) -> Result<State, TrainError> {
        let (steps, moments) = self.learner.state()?;
        Ok(State {
            key: key.clone(),
            history: self.history.clone(),
            steps,
            weights: self.learner.weights()?,
            best: self.best.clone(),
            moments,
        })
    }
}

#[cfg(test)]
mod tests;
