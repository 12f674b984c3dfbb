//! The preset `base`: an ensemble on the context and the newest row, which holds the counters of
//! the whole session.

use std::time::{Duration, Instant};

use propense_features::{FeatureSpec, RowFeature};
use propense_model::ModelConfig;

use crate::TrainError;
use crate::decide::HeldOut;
use crate::ensemble::{self, Line, PARTS, Table, Targets, Teacher, table_edges};
use crate::fit::request::FitRequest;
use crate::progress::{Observer, Progress, StopReason};
use crate::recipe::Recipe;
use crate::tasks::Prepared;
use crate::trainer::Trained;

/// A trained ensemble in its network.
pub(crate) struct Base {
    pub(crate) config: ModelConfig,
    pub(crate) trained: Trained,
    /// Scores of the training data by members that have not learnt from it.
    pub(crate) held_out: HeldOut,
}

/// The bins of each column of a table: the context's, then a row's.
fn bins(spec: &FeatureSpec, recipe: &Recipe) -> impl Fn(usize) -> usize {
    let Recipe {
        bins, rate_bins, ..
    } = *recipe;
    let context = std::iter::repeat_n(bins, spec.context_len());
    let row = spec.row.iter().flat_map(|feature| {
        let bins = match feature {
            RowFeature::Number { measure, .. } if measure.is_rate() => rate_bins,
            _ => bins,
        };
        std::iter::repeat_n(bins, feature.len())
    });
    let of_columns: Vec<usize> = context.chain(row).collect();
    move |column| of_columns.get(column).copied().unwrap_or(bins)
}

/// The columns of a table that hold what was learnt of the newest item, each with what an item has there
/// of which nothing was.
fn of_items(spec: &FeatureSpec) -> Vec<(usize, f32)> {
    let mut column = spec.context_len();
    let mut found = Vec::new();
    for feature in &spec.row {
        match feature {
            RowFeature::Number { measure, flag, .. } if measure.is_learnt() => {
                found.push((column, 0.0));
                // Where it is missing, the second column says so.
                found.extend(flag.then_some((column + 1, 1.0)));
            }
            _ => {}
        }
        column += feature.len();
    }
    found
}

/// Trains it on the training part.
pub(crate) fn fit(
    prepared: &Prepared,
    request: &FitRequest,
    observer: &mut dyn Observer,
) -> Result<Base, TrainError> {
    let sizes = (prepared.spec.row_len(), prepared.spec.context_len());
    let examples = &prepared.train.examples;
    let mut table = Table::new(examples, sizes.0, prepared.weighting, PARTS);
    table.of_items = of_items(&prepared.spec);
    let usual = Recipe::default();
    let recipe = Recipe {
        epochs: request.training.epochs,
        patience: request.training.patience,
        batch: request.training.batch,
        rate: request.training.learning_rate,
        decay: request.training.decay,
        hidden: request.sizes.hidden.unwrap_or(usual.hidden),
        dropout: request.sizes.dropout.unwrap_or(usual.dropout),
        seed: request.training.seed,
        ..usual
    };
    let recipe = match request.training.change {
        Some(change) => change.of(recipe),
        None => recipe,
    };
    let device = &request.device.device;
    let started = Instant::now();
    // Of the time there is, what is left.
    let left = || {
        let limit = request.training.time_limit?;
        Some(limit.saturating_sub(started.elapsed()))
    };
    request.training.validate()?;
    request.sizes.validate(request.preset)?;
    let edges = table_edges(&table, bins(&prepared.spec, &recipe));
    if edges.iter().all(Vec::is_empty) {
        return Err(TrainError::Unsuited {
            task: request.task,
            reason: "all that is known of the examples is the same for each: nothing tells one from another".to_owned(),
        });
    }
    let learn = |targets: &Targets, observer: &mut dyn Observer| {
        let what = (&table, targets, &edges[..]);
        let ensembled = ensemble::train(what, sizes, &recipe, device, left(), observer)?;
        ensembled.ok_or_else(|| {
            let place = "before the first epoch was complete: there is no result";
            TrainError::Interrupted(place.to_owned())
        })
    };
    let mut ensembled = learn(&Targets::outcomes(&table), observer)?;
    let time_is_left = || left() != Some(Duration::ZERO);
    if recipe.taught && ensembled.reason != StopReason::Interrupted && time_is_left() {
        observer.on(&Progress::Note(
            "boosted trees, to compare with and perhaps to learn from",
        ));
        let teacher = Teacher::new(&table, recipe.seed);
        let own = ensemble::log_loss(&ensembled.held_out, &table);
        let better = teacher.knows_better(own);
        let note = format!(
            "log-loss on what was not learnt from: ensemble {own:.4}, boosted trees {:.4}{}",
            teacher.loss,
            if better { "; they teach it" } else { "" }
        );
        observer.on(&Progress::Note(&note));
        if better && !observer.stop() && time_is_left() {
            match learn(&teacher.targets(), observer) {
                Err(TrainError::Interrupted(_)) => ensembled.reason = StopReason::Interrupted,
                Err(error) => return Err(error),
                Ok(taught) if ensemble::log_loss(&taught.held_out, &table) < own => {
                    ensembled = taught;
                }
                // Broken off early, say: what was there already is better.
                Ok(taught) => {
                    ensembled.reason = taught.reason;
                    observer.on(&Progress::Note(
                        "taught, it forecasts no better: it stays as it was",
                    ));
                }
            }
        }
    }
    if recipe.regression && Line::new(&table).join(&mut ensembled, &table) {
        let own = ensemble::log_loss(&ensembled.held_out, &table);
        let note = format!("half of the logit is a logistic regression's: log-loss {own:.4}");
        observer.on(&Progress::Note(&note));
    }
    let (config, weights) = ensembled.network(sizes, recipe.seed)?;
    Ok(Base {
        config,
        trained: Trained {
            weights,
            history: ensembled.history,
            best_epoch: ensembled.best_epoch,
            reason: ensembled.reason,
            samples_per_second: ensembled.samples_per_second,
        },
        held_out: HeldOut {
            logits: ensembled.held_out,
            labels: table.labels,
            weights: table.weights,
            parts: table.folds,
        },
    })
}
