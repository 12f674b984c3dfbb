//! The training loop: epochs of shuffled batches, validation after each, the best weights kept.

use std::path::Path;
use std::time::{Duration, Instant};

use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, activation};
use propense_model::NamedTensor;

use crate::TrainError;
use crate::adam::{Adam, numbers};
use crate::batch::{Batch, collate, last_labels, shuffled};
use crate::checkpoint::{self, RunKey, State};
use crate::device::Chosen;
use crate::example::{Example, Positions, Weighting};
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

/// Trains a network on from these weights. They stay where no epoch gives a lower validation
/// log-loss: the best epoch is 0 then.
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
    let mut run = Run::warm(config, weights, options, chosen)?;
    run.floor = run.loss_on_validation(parts)?;
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
    let best_epoch = match best_of(&run.history) {
        Some(epoch) => epoch,
        None if run.floor.is_finite() && !run.history.is_empty() => 0,
        None => return Err(before_first_epoch(options)),
    };
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

/// The moving parts of a run. Cloning is cheap: tensors share their data until they change.
#[derive(Clone)]
struct Run<N> {
    model: N,
    adam: Adam,
    best: Vec<NamedTensor>,
    history: Vec<EpochReport>,
    /// Validation log-loss of the weights that training goes on from; infinite from a seed.
    floor: f64,
    device: Device,
}

impl<N: Network> Run<N> {
    /// From the weights of a finished model.
    fn warm<B: Blueprint<Network = N>>(
        config: &B,
        weights: &[NamedTensor],
        options: &TrainOptions,
        chosen: &Chosen,
    ) -> Result<Self, TrainError> {
        let device = chosen.device.clone().autodiff();
        Ok(Self {
            model: config.build(weights, &device)?,
            adam: Adam::new(options.learning_rate, options.clip),
            best: weights.to_vec(),
            history: Vec::new(),
            floor: f64::INFINITY,
            device,
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
        let device = chosen.device.clone().autodiff();
        let state = checkpoint::load(folder, key)?;
        Ok(Self {
            model: config.build(&state.weights, &device)?,
            adam: Adam::new(options.learning_rate, options.clip).load(
                state.steps,
                state.moments,
                &chosen.device,
            ),
            best: state.best,
            history: state.history,
            floor: f64::INFINITY,
            device,
        })
    }

    /// From the seed.
    fn fresh<B: Blueprint<Network = N>>(
        config: &B,
        parts: Parts<'_>,
        options: &TrainOptions,
        chosen: &Chosen,
    ) -> Result<Self, TrainError> {
        let device = chosen.device.clone().autodiff();
        let mut weights = config.fresh(options.seed)?;
        let outcomes = parts.train.iter().filter_map(|e| e.label.last());
        start_at_base_rate(&mut weights, config.output_bias(), outcomes);
        silence_unseen(&mut weights, parts.train);
        Ok(Self {
            model: config.build(&weights, &device)?,
            adam: Adam::new(options.learning_rate, options.clip),
            best: weights,
            history: Vec::new(),
            floor: f64::INFINITY,
            device,
        })
    }

    fn over(&self, options: &TrainOptions, elapsed: Duration) -> Option<StopReason> {
        let done = self.history.len();
        if done >= options.epochs {
            return Some(StopReason::Epochs);
        }
        // What a warm start began with is the best of epoch 0.
        let before = if self.floor.is_finite() { 0 } else { done };
        let best = best_of(&self.history).unwrap_or(before);
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
        let mut waiting: Option<Tensor<1>> = None;
        for (step, indices) in batches.iter().enumerate() {
            let (sum, total) = self.loss(parts, indices);
            weight_sum += f64::from(total);
            let kept = sum.clone().inner();
            waiting = Some(match waiting.take() {
                Some(others) => others + kept,
                None => kept,
            });
            let gradients = (sum / total.max(1e-6)).backward();
            let gradients = GradientsParams::from_grads(gradients, &self.model);
            self.model = self.adam.step(self.model.clone(), gradients);
            done += indices.len();
            if (step + 1) % STEPS_PER_READ == 0 || step + 1 == batches.len() {
                for loss in waiting.take().map(numbers).transpose()?.unwrap_or_default() {
                    loss_sum += f64::from(loss);
                }
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

    /// Sum of `weight · BCE` over a batch, `[1]`, and the sum of the weights.
    fn loss(&self, parts: Parts<'_>, indices: &[usize]) -> (Tensor<1>, f32) {
        let whole = match parts.weighting {
            Weighting::Whole => self.model.whole(parts.train, indices),
            _ => None,
        };
        if let Some(logits) = whole {
            // Each example is scored once: half the work of scoring it after every event.
            let logits = logits.unsqueeze_dim(1); // [batch, 1]
            let outcomes = last_labels(parts.train, indices, &self.device);
            return (cross_entropy(logits, outcomes).sum(), indices.len() as f32);
        }
        let batch = collate(
            parts.train,
            indices,
            self.model.features(),
            parts.weighting,
            &self.device,
        );
        (
            weighted_loss(&self.model, &batch, parts.weighting, &self.device),
            batch.total,
        )
    }

    /// The epoch's figures, or none where the observer stopped it.
    fn validate(
        &mut self,
        epoch: usize,
        train_loss: f64,
        parts: Parts<'_>,
        observer: &dyn Observer,
    ) -> Result<Option<EpochReport>, TrainError> {
        let model = self.model.valid();
        let stop = || observer.stop();
        let scored = model.prefixes(parts.validation, parts.weighting, &stop)?;
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
            .fold(self.floor, f64::min);
        let best = validation_loss < lowest;
        if best {
            self.best = model.numbers()?;
        }
        Ok(Some(EpochReport {
            epoch,
            train_loss,
            validation_loss,
            validation_auc: roc_auc(&scored.logits, &scored.labels),
            best,
        }))
    }

    /// Log-loss of the weights as they are on the validation part.
    fn loss_on_validation(&self, parts: Parts<'_>) -> Result<f64, TrainError> {
        let model = self.model.valid();
        let scored = model.prefixes(parts.validation, parts.weighting, &|| false)?;
        let logits = scored.unwrap_or_default();
        Ok(scoring::weighted_log_loss(
            &logits,
            parts.validation,
            parts.weighting,
        ))
    }

    fn state(&self, key: &RunKey) -> Result<State, TrainError> {
        Ok(State {
            key: key.clone(),
            history: self.history.clone(),
            steps: self.adam.steps(),
            weights: self.model.valid().numbers()?,
            best: self.best.clone(),
            moments: self.adam.save()?,
        })
    }
}

/// Sum of `weight · BCE` over the batch: `[1]`.
fn weighted_loss<N: Network>(
    model: &N,
    batch: &Batch,
    weighting: Weighting,
    device: &Device,
) -> Tensor<1> {
    let mut parts = Vec::new();
    if batch.has_events && weighting != Weighting::Context {
        let logits = model.after_each(batch.rows.clone(), batch.context.clone()); // [batch, time]
        let loss = cross_entropy(logits, batch.labels.clone()) * batch.weights.clone();
        parts.push(loss.sum());
    }
    if batch.scores_context {
        let logits = model.without_events(batch.context.clone()); // [batch]
        let loss = cross_entropy(logits.unsqueeze_dim(1), batch.context_labels.clone()); // [batch, 1]
        parts.push((loss.squeeze_dim::<1>(1) * batch.context_weights.clone()).sum());
    }
    match (parts.pop(), parts.pop()) {
        (Some(a), Some(b)) => a + b,
        (Some(a), None) => a,
        (None, _) => Tensor::zeros([1], device),
    }
}

/// Binary cross-entropy with logits, `max(x, 0) − x·y + ln(1 + e^−|x|)`: no term overflows.
pub(crate) fn cross_entropy(logits: Tensor<2>, labels: Tensor<2>) -> Tensor<2> {
    let tail = logits.clone().abs().neg().exp().log1p();
    activation::relu(logits.clone()) - logits * labels + tail
}

#[cfg(test)]
mod tests;
