//! Keeping a model up to date: it goes on learning from what is new, and takes its own place only
//! where it is proven better.
//!
//! The feature specification is part of the model and stays as it is: columns, constants and their
//! order. What a page sends means the same before and after. The weights are trained on from where
//! they are, calibration, threshold and percentiles are fitted again.
//!
//! The bundle itself says up to when it has learnt ([`propense_model::Lineage`]). There is no second
//! file that could disagree with it: whoever replaces the live bundle in one rename has moved the
//! position in the same moment, and whoever does not has moved nothing. `docs/update.md`.

mod judge;

use propense_model::{Bundle, Lineage, Precision};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::decide::Deciding;
use crate::device::Chosen;
use crate::encode::Encoded;
use crate::evaluation::{example_options, owners};
use crate::fit::{FitReport, FitRequest, NetworkSizes, fit_on};
use crate::options::{Preset, TrainOptions};
use crate::paired::Pairs;
use crate::progress::{Observer, Progress, StopReason};
use crate::tasks::{self, Before, Continued, Cut, ExampleOptions, Sizes};
use crate::{Task, TrainError, scoring};
use propense_prepare::Loaded;

pub use judge::{Decision, Judgement, LEVEL};

/// How an update goes.
#[derive(Debug, Clone)]
pub struct UpdateRequest {
    /// The training loop's settings. Few epochs: the weights are good already.
    pub training: TrainOptions,
    /// Old examples that are learnt from again, for each new one; 5,000 in all at most.
    pub replay: f64,
    /// Share of the new examples, the newest, that judge and are not learnt from.
    pub sealed: f64,
    /// From when on (milliseconds since 1970) examples are new; where the bundle's learning ended
    /// unless given.
    pub since: Option<i64>,
    /// So many of the data's events, the first ones, had arrived when the live bundle was made. With
    /// it, sessions from before `since` are new, too, that have arrived whole since then, or whose
    /// outcome was not known. Without it the moment alone tells new from old.
    pub arrived: Option<usize>,
    /// Whether nobody looks at the candidate before it goes live: it is then refused, too, where it is
    /// not proven better than chance, or the live model has become worse than chance. Outcomes that
    /// are broken or inverted explain either better than shoppers do.
    pub unattended: bool,
    /// Whether the rates of items and categories, which the specification holds, are learnt again.
    pub refresh_rates: bool,
    /// Draws of the paired test.
    pub draws: usize,
    /// How the weights will be stored.
    pub precision: Precision,
    /// Where it runs.
    pub device: Chosen,
    /// Time of making, RFC 3339.
    pub created_at: String,
}

impl UpdateRequest {
    /// The defaults on this device.
    #[must_use]
    pub fn new(device: Chosen) -> Self {
        Self {
            training: TrainOptions {
                epochs: 3,
                patience: 2,
                ..TrainOptions::default()
            },
            replay: 3.0,
            sealed: 0.3,
            since: None,
            arrived: None,
            unattended: false,
            refresh_rates: false,
            draws: 2000,
            precision: Precision::F32,
            device,
            created_at: String::new(),
        }
    }

    /// Refuses what cannot work, before any data is read.
    ///
    /// # Errors
    ///
    /// [`TrainError::Option`] with the name of the option.
    pub fn validate(&self) -> Result<(), TrainError> {
        let wrong = |option, reason: &str| {
            Err(TrainError::Option {
                option,
                reason: reason.to_owned(),
            })
        };
        self.training.validate()?;
        if !(self.replay.is_finite() && (0.0..=100.0).contains(&self.replay)) {
            return wrong("--replay-ratio", "0 to 100");
        }
        if !(0.05..=0.9).contains(&self.sealed) {
            return wrong("--sealed", "0.05 to 0.9");
        }
        if !(100..=100_000).contains(&self.draws) {
            return wrong("--draws", "100 to 100000");
        }
        Ok(())
    }
}

/// A candidate and what was found of it.
#[derive(Debug, Clone)]
pub struct Updated {
    /// The candidate, whatever the decision.
    pub bundle: Bundle,
    /// What to print.
    pub report: UpdateReport,
}

/// The figures of one update.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UpdateReport {
    /// SHA-256 of the live bundle.
    pub parent: String,
    /// Where the candidate stands: its position and ancestry.
    pub lineage: Lineage,
    /// Examples by what they are for.
    pub examples: Sizes,
    /// Examples gone through in training, over all epochs: the cost.
    pub sample_steps: usize,
    /// Whether the candidate takes the live bundle's place, and why.
    pub judgement: Judgement,
    /// The training; its test part is the sealed window.
    pub training: FitReport,
}

/// How an update reads its data.
struct Plan {
    task: Task,
    cut: Cut,
    examples: ExampleOptions,
}

fn plan(live: &Bundle, request: &UpdateRequest) -> Result<Plan, TrainError> {
    let manifest = &live.manifest;
    if manifest.model.ensemble.is_some() {
        return Err(TrainError::NotUpdatable {
            reason: "it holds an ensemble (--preset base), whose members are stopped and averaged by turns of the data; \
                     it trains in minutes: use `propense train --preset base` on old and new data together"
                .to_owned(),
        });
    }
    let task: Task = manifest.task.parse()?;
    let mut examples = example_options(manifest, task);
    let settings = manifest.metrics.get("settings");
    let limit = settings.and_then(|s| s.get("max_events")?.as_u64());
    examples.max_events = limit
        .and_then(|limit| usize::try_from(limit).ok())
        .unwrap_or(ExampleOptions::default().max_events);
    examples.seed = request.training.seed;
    let cut = Cut {
        since: request.since.unwrap_or_else(|| manifest.learnt_until_ms()),
        before: request.arrived.map(|events| Before {
            events,
            until: manifest.data.to_ms,
        }),
        features_until: match &manifest.lineage {
            Some(lineage) => lineage.features_until_ms,
            None => manifest.data.to_ms,
        },
        sealed: request.sealed,
        replay: request.replay,
        refresh_rates: request.refresh_rates,
        seed: request.training.seed,
    };
    Ok(Plan {
        task,
        cut,
        examples,
    })
}

/// How many examples (sessions, or users' moments) with a known outcome the live bundle has not learnt.
///
/// # Errors
///
/// [`TrainError::NotUpdatable`] for an ensemble, and where the data does not suit the task.
pub fn new_examples(
    live: &Bundle,
    data: &Loaded,
    request: &UpdateRequest,
) -> Result<usize, TrainError> {
    let Plan {
        task,
        cut,
        examples,
    } = plan(live, request)?;
    tasks::new_examples(task, data, &cut, &examples)
}

/// Trains a bundle on with what is new in the data and judges the result on the newest part.
///
/// `data` holds new events and, as far as they are to be replayed, old ones; which is which, the
/// bundle's position tells. Events of earlier sessions are needed all the same where the model uses
/// what a visitor did before.
///
/// # Errors
///
/// [`TrainError::NotUpdatable`] for an ensemble, [`TrainError::TooLittleNew`] where hardly anything
/// is new, [`TrainError::OneClass`] where a part has one outcome alone, [`TrainError::Interrupted`]
/// where the observer stops it, and as
/// [`fit_bundle`](crate::fit_bundle).
pub fn update(
    live: &Bundle,
    data: &Loaded,
    request: &UpdateRequest,
    observer: &mut dyn Observer,
) -> Result<Updated, TrainError> {
    request.validate()?;
    let manifest = &live.manifest;
    let Plan {
        task,
        cut,
        examples,
    } = plan(live, request)?;
    let (since, features_until_ms) = (cut.since, cut.features_until);
    let continued = tasks::continue_from(task, &manifest.features, data, &cut, &examples)?;
    observer.on(&Progress::Note(&said(&continued.sizes)));
    let fit = FitRequest {
        task,
        preset: Preset::Seed,
        training: request.training.clone(),
        examples,
        activation: manifest.model.activation,
        sizes: NetworkSizes::default(),
        precision: request.precision,
        deciding: Deciding::of(manifest),
        device: request.device.clone(),
        name: manifest.name.clone(),
        licence: manifest.licence.clone(),
        created_at: request.created_at.clone(),
    };
    let prepared = &continued.prepared;
    let fitted = fit_on(live, prepared, data, &fit, observer)?;
    if fitted.report.stopped == StopReason::Interrupted || observer.stop() {
        return Err(TrainError::Interrupted(
            "before the candidate was complete: the live bundle stays as it is".to_owned(),
        ));
    }
    let mut bundle = fitted.bundle;
    observer.on(&Progress::Note(
        "judging the candidate beside the live model on the sealed window",
    ));
    let judgement = judged(live, &bundle, &continued, request)?;
    let lineage = Lineage {
        parent: manifest.sha256.clone(),
        generation: manifest.lineage.as_ref().map_or(0, |l| l.generation) + 1,
        features_until_ms: if request.refresh_rates {
            continued.sealed_from - 1
        } else {
            features_until_ms
        },
        learnt_from_ms: since,
        learnt_until_ms: continued.sealed_from,
    };
    bundle.manifest.lineage = Some(lineage.clone());
    bundle.manifest.catalogue.clone_from(&manifest.catalogue);
    if let Some(metrics) = bundle.manifest.metrics.as_object_mut() {
        metrics.insert(
            "update".to_owned(),
            json!({
                "examples": continued.sizes,
                "judgement": judgement,
            }),
        );
    }
    Ok(Updated {
        report: UpdateReport {
            parent: manifest.sha256.clone(),
            lineage,
            examples: continued.sizes,
            sample_steps: fitted.report.history.len() * prepared.train.examples.len(),
            judgement,
            training: fitted.report,
        },
        bundle,
    })
}

fn said(sizes: &Sizes) -> String {
    format!(
        "{} new and {} replayed examples to learn from, {} to validate on, {} sealed; {} wait for their outcome",
        sizes.fresh, sizes.replay, sizes.validation, sizes.sealed, sizes.waiting
    )
}

/// Both models on the sealed window, on the CPU and with the weights as they are stored.
fn judged(
    live: &Bundle,
    candidate: &Bundle,
    continued: &Continued,
    request: &UpdateRequest,
) -> Result<Judgement, TrainError> {
    let prepared = &continued.prepared;
    let sealed = &prepared.test;
    let before = continued.sealed_before.as_ref().unwrap_or(sealed);
    let scored = |bundle: &Bundle, encoded: &Encoded| -> Result<_, TrainError> {
        let model = bundle.model(&propense_model::cpu_device())?;
        let logits = scoring::all_prefixes(&model, &encoded.examples, prepared.weighting)?;
        Ok(scoring::pick(
            &logits,
            &encoded.examples,
            prepared.positions,
        ))
    };
    let (old, new) = (scored(live, before)?, scored(candidate, sealed)?);
    let of = |bundle: &Bundle, logits: &[f32]| -> Vec<f32> {
        let manifest = &bundle.manifest;
        logits
            .iter()
            .map(|logit| manifest.probability(*logit))
            .collect()
    };
    let pairs = Pairs {
        before: of(live, &old.logits),
        after: of(candidate, &new.logits),
        owners: owners(&new, &sealed.examples),
        labels: new.labels.clone(),
    };
    let several = new.prefix.iter().any(|k| Some(k) != new.prefix.first());
    let segments: Vec<Vec<String>> = new
        .example
        .iter()
        .zip(&new.prefix)
        .map(|(example, prefix)| {
            let mut names = continued.groups.get(*example).cloned().unwrap_or_default();
            if several && prepared.positions == crate::example::Positions::Protocol {
                names.push(format!("after {prefix} events"));
            }
            names
        })
        .collect();
    let seed = request.training.seed;
    let tests = judge::Tests {
        draws: request.draws,
        seed,
        unattended: request.unattended,
    };
    Ok(judge::judge(&pairs, &segments, &tests))
}

#[cfg(test)]
pub(crate) mod tests;
