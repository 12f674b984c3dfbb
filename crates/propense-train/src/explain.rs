//! Why a session (or user) scores as it does: parts that sum to the logit.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use propense_events::Event;
use propense_model::{Bundle, CpuModel, CpuStream, EventEffects, Manifest, context_effects};
use propense_prepare::Loaded;
use rayon::prelude::*;
use serde::Serialize;

use crate::evaluation::example_options;
use crate::example::Example;
use crate::{Task, TrainError, tasks};

/// One part of a score.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reason {
    /// The event's name; none for what was known of the visitor or the session before any event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<&'static str>,
    /// Number of the event in the session (of a long history: among its newest events), from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<usize>,
    /// Time of the event, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<i64>,
    /// The event's first item.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item_id: Option<String>,
    /// What about the event mattered most, or what was known.
    pub feature: String,
    /// Change of the logit.
    pub effect: f64,
    /// Calibrated probability once this part counts.
    pub propensity: f32,
}

/// A score with its parts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// The session, or `user@day`.
    pub id: String,
    /// The visitor, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Calibrated probability of an order.
    pub propensity: f32,
    /// Share of validation scores below it, in percent.
    pub percentile: f32,
    /// The logit of a visitor of whom nothing is known: the empty context, no events.
    pub start: f64,
    /// The logit before calibration: `start` and all effects.
    pub logit: f64,
    /// First what was known beforehand, then the events as they came.
    pub reasons: Vec<Reason>,
}

/// How much one feature moves scores.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Influence {
    /// The event's name; none for what was known beforehand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<&'static str>,
    /// The feature.
    pub feature: String,
    /// How many reasons name it.
    pub reasons: usize,
    /// Mean change of the logit where it is named.
    pub mean_effect: f64,
    /// Its share of all changes, up and down taken alike; all shares sum to 1.
    pub share: f64,
}

/// Explains the score of every session (or user) of the data, on all events before the first order.
///
/// The parts of the events are the differences of the logit from one event to the next, those of the
/// context Shapley values; both are described at [`EventEffects`] and [`context_effects`]. With `only`
/// those sessions alone are explained: by their id, or all of a user. With `history` scores are those of
/// [`crate::score`] with it.
///
/// # Errors
///
/// Where the data or a history does not suit the bundle's task, or the data lacks any of `only`.
pub fn explain(
    bundle: &Bundle,
    data: &Loaded,
    history: Option<&Loaded>,
    only: &BTreeSet<String>,
) -> Result<Vec<Explanation>, TrainError> {
    let manifest = &bundle.manifest;
    let task: Task = manifest.task.parse()?;
    let options = example_options(manifest, task);
    let mut seen = Vec::new();
    let mut keep = |events: &[Event]| seen.push(events.to_vec());
    let encoded =
        tasks::encode_for_scoring(task, &manifest.features, data, history, &options, &mut keep)?;
    // Summaries show no events.
    seen.resize(encoded.examples.len(), Vec::new());
    let model = bundle.cpu_model()?;
    let known: HashSet<&str> = encoded
        .examples
        .iter()
        .flat_map(|example| {
            example
                .user
                .as_deref()
                .into_iter()
                .chain([example.id.as_str()])
        })
        .collect();
    let unknown = only.iter().filter(|name| !known.contains(name.as_str()));
    let asked: Vec<String> = unknown.cloned().collect();
    if !asked.is_empty() {
        return Err(TrainError::NotThere { asked });
    }
    if encoded.examples.is_empty() {
        return Err(TrainError::NoExamples { part: "data" });
    }
    let wanted = |example: &Example| {
        let user = example.user.as_ref();
        only.is_empty()
            || only.contains(&example.id)
            || user.is_some_and(|user| only.contains(user))
    };
    let examples: Vec<_> = encoded
        .examples
        .iter()
        .zip(seen)
        .filter(|(example, _)| wanted(example))
        .collect();
    Ok(examples
        .into_par_iter()
        .map(|(example, events)| explain_one(manifest, &model, example, &events))
        .collect())
}

fn explain_one(
    manifest: &Manifest,
    model: &Arc<CpuModel>,
    example: &Example,
    events: &[Event],
) -> Explanation {
    let spec = &manifest.features;
    let start = f64::from(model.base(&vec![0.0; example.context.len()], &[]));
    let mut logit = start;
    let mut reasons = Vec::new();
    let mut add = |mut reason: Reason| {
        logit += reason.effect;
        reason.propensity = manifest.probability(logit as f32);
        reasons.push(reason);
    };
    let known = context_effects(model, spec, &example.context);
    for (feature, effect) in spec.context.iter().zip(known) {
        if effect != 0.0 {
            add(Reason {
                event: None,
                index: None,
                timestamp: None,
                item_id: None,
                feature: feature.words().to_owned(),
                effect,
                propensity: 0.0,
            });
        }
    }
    let mut effects = EventEffects::new(CpuStream::new(Arc::clone(model)));
    let effects = effects.of(spec, &example.rows, &example.context);
    for (index, (effect, event)) in effects.iter().zip(events).enumerate() {
        let feature = spec.row.get(effect.feature);
        add(Reason {
            event: Some(event.kind.name()),
            index: Some(index),
            timestamp: Some(event.timestamp),
            item_id: event.items.first().map(|item| item.item_id.clone()),
            feature: feature.map_or("", |feature| feature.words()).to_owned(),
            effect: effect.effect,
            propensity: 0.0,
        });
    }
    let propensity = manifest.probability(logit as f32);
    Explanation {
        id: example.id.clone(),
        user: example.user.clone(),
        propensity,
        percentile: manifest.percentile(propensity),
        start,
        logit,
        reasons,
    }
}

/// What moves the scores of all these, the strongest first.
#[must_use]
pub fn influences(explanations: &[Explanation]) -> Vec<Influence> {
    let mut sums: BTreeMap<(Option<&'static str>, &str), (usize, f64, f64)> = BTreeMap::new();
    for reason in explanations.iter().flat_map(|one| &one.reasons) {
        let sum = sums.entry((reason.event, &reason.feature)).or_default();
        sum.0 += 1;
        sum.1 += reason.effect;
        sum.2 += reason.effect.abs();
    }
    let whole: f64 = sums.values().map(|(_, _, size)| size).sum();
    let mut influences: Vec<Influence> = sums
        .into_iter()
        .map(|((event, feature), (reasons, sum, size))| Influence {
            event,
            feature: feature.to_owned(),
            reasons,
            mean_effect: sum / reasons as f64,
            share: size / f64::max(whole, f64::MIN_POSITIVE),
        })
        .collect();
    influences.sort_by(|a, b| b.share.total_cmp(&a.share));
    influences
}
