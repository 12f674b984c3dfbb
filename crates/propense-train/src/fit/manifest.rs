//! Putting a bundle's manifest together.

use propense_model::{DataFingerprint, Golden, Manifest};
use serde_json::json;

use super::model::Model;
use super::report::FitReport;
use super::request::FitRequest;
use crate::example::{Example, Positions, Weighting};
use crate::tasks::Prepared;
use crate::{TrainError, scoring};
use propense_prepare::Loaded;

/// Everything that the bundle says beside its weights.
pub(crate) fn manifest(
    data: &Loaded,
    request: &FitRequest,
    prepared: &Prepared,
    model: &Model,
    report: &FitReport,
) -> Result<Manifest, TrainError> {
    let mut manifest = Manifest::new(
        request.name.clone(),
        request.task.name(),
        model.config.clone(),
        model.spec.clone(),
    );
    manifest.calibration = model.calibration.clone();
    manifest.threshold = model.threshold;
    manifest.percentiles = model.percentiles.clone();
    let known = prepared
        .train
        .examples
        .iter()
        .chain(&prepared.validation.examples);
    let outcomes: Vec<bool> = known.filter_map(|example| example.label.last()).collect();
    let orders = outcomes.iter().filter(|order| **order).count();
    let count = outcomes.len();
    let times = data.events.iter().map(|event| event.timestamp);
    manifest.data = DataFingerprint {
        name: data.name.clone(),
        sha256: data.sha256.clone(),
        rows: data.rows(),
        sessions: count as u64,
        base_rate: orders as f32 / count.max(1) as f32,
        from_ms: times.clone().min().unwrap_or(0),
        to_ms: times.max().unwrap_or(0),
    };
    manifest.metrics = json!({
        "parts": report.metrics,
        "validation": report.validation,
        "examples": report.examples,
        "epochs": report.history.len(),
        "best_epoch": report.best_epoch,
        "curve": {
            "training": rounded(report.history.iter().map(|epoch| epoch.train_loss)),
            "validation": rounded(report.history.iter().map(|epoch| epoch.validation_loss)),
        },
        "settings": {
            "max_events": request.examples.max_events,
            "gap_ms": request.examples.gap_ms,
            "midnight": request.examples.midnight,
            "target": request.examples.target,
            "seed": request.training.seed,
            "batch": request.training.batch,
            "learning_rate": request.training.learning_rate,
            "clip": request.training.clip,
            "augment": request.examples.augment,
            "train_share": f64::from(request.examples.share) / 100.0,
            "calibration": request.deciding.calibration,
            "threshold": request.deciding.threshold,
        },
    });
    manifest.licence.clone_from(&request.licence);
    manifest.created_at.clone_from(&request.created_at);
    manifest.golden = golden(model, prepared)?;
    Ok(manifest)
}

/// To five places: enough for a curve, few bytes in a file that a page loads.
fn rounded(losses: impl Iterator<Item = f64>) -> Vec<f64> {
    losses.map(|loss| (loss * 1e5).round() / 1e5).collect()
}

/// A validation session of middling length with the logits of the CPU: long enough to go
/// through both phases of the stream many times, short enough to be checked at once.
fn golden(model: &Model, prepared: &Prepared) -> Result<Option<Golden>, TrainError> {
    if prepared.weighting == Weighting::Context || prepared.positions == Positions::Context {
        return Ok(None);
    }
    let wanted = 12usize;
    let example: Option<&Example> = prepared
        .validation
        .examples
        .iter()
        .filter(|example| example.events > 0)
        .min_by_key(|example| example.events.abs_diff(wanted));
    let Some(example) = example else {
        return Ok(None);
    };
    let logits = scoring::all_prefixes(
        &model.network,
        std::slice::from_ref(example),
        Weighting::EveryPrefix,
    )?;
    let width = model.config.features;
    Ok(Some(Golden {
        rows: example
            .rows
            .chunks_exact(width)
            .map(<[f32]>::to_vec)
            .collect(),
        context: example.context.clone(),
        logits: logits.into_iter().flatten().skip(1).collect(),
    }))
}
