//! Two bundles on the same examples.

use propense_model::Bundle;

use crate::bootstrap::MeasureOptions;
use crate::delong::delong;
use crate::device::Chosen;
use crate::draws::draw;
use crate::evaluation::{self, Against, Beside, Evaluation};
use crate::example::Scored;
use crate::metrics::Metrics;
use crate::tasks::{self, Shares};
use crate::{Task, TrainError, scoring};
use propense_prepare::Loaded;

/// Measures a bundle as [`crate::evaluate`] does, and a second one beside it.
///
/// # Errors
///
/// As [`crate::evaluate`]; where the two forecast different things, or see different examples.
pub fn evaluate_against(
    bundle: &Bundle,
    other: &Bundle,
    data: &Loaded,
    history: Option<&Loaded>,
    device: &Chosen,
    options: &MeasureOptions,
) -> Result<Evaluation, TrainError> {
    let task: Task = bundle.manifest.task.parse()?;
    let of = |bundle: &Bundle| evaluation::example_options(&bundle.manifest, task);
    let (first, second) = (of(bundle), of(other));
    let same = other.manifest.task == bundle.manifest.task
        && first.target == second.target
        && (first.gap_ms, first.midnight) == (second.gap_ms, second.midnight);
    if !same {
        return Err(TrainError::Unsuited {
            task,
            reason: format!(
                "the two models forecast different things ({}, {}; {}, {}); compare models of one task, horizon and \
                 sessions",
                bundle.manifest.task, first.target, other.manifest.task, second.target
            ),
        });
    }
    let mut evaluation = evaluation::evaluate(bundle, data, history, device, options)?;
    let (scored, probabilities, owners) = scores(other, (data, history), device, task)?;
    if scored.labels != evaluation.labels {
        return Err(TrainError::Unsuited {
            task,
            reason: "the two models see different examples of these data".to_owned(),
        });
    }
    let models = [
        vec![evaluation.probabilities.clone()],
        vec![probabilities.clone()],
    ];
    let MeasureOptions { resamples, seed } = options.of_sample(&scored.labels, &owners);
    let drawn = draw(&models, &scored.labels, &owners, resamples, seed);
    let threshold = other.manifest.threshold;
    let names = tasks::segments(task, data, history, &second)?;
    // Of one segment's figures both are shown, and no interval of either.
    let drawing = (
        owners.as_slice(),
        &MeasureOptions {
            resamples: 0,
            ..*options
        },
    );
    let theirs = crate::segments::measure(&scored, &probabilities, &names, threshold, drawing);
    let segments = evaluation.segments.iter().filter_map(|own| {
        let their = theirs
            .iter()
            .find(|t| (&t.by, &t.name) == (&own.by, &own.name))?;
        Some(Beside {
            name: format!("{} {}", own.by, own.name),
            n: own.metrics.n,
            auc: (own.metrics.auc, their.metrics.auc),
            log_loss: (own.metrics.log_loss, their.metrics.log_loss),
        })
    });
    evaluation.against = Some(Against {
        name: other.manifest.version(),
        metrics: Metrics::measure(&probabilities, &scored.labels, threshold),
        differences: drawn.differences(0, 1),
        delong: delong(&evaluation.probabilities, &probabilities, &scored.labels),
        segments: segments.collect(),
    });
    Ok(evaluation)
}

/// Calibrated scores of a bundle at the measured positions, and whose each is.
fn scores(
    bundle: &Bundle,
    (data, history): (&Loaded, Option<&Loaded>),
    device: &Chosen,
    task: Task,
) -> Result<(Scored, Vec<f32>, Vec<usize>), TrainError> {
    let manifest = &bundle.manifest;
    let options = evaluation::example_options(manifest, task);
    let encoded = tasks::encode_test(task, &manifest.features, data, history, &options)?;
    let (weighting, positions) = tasks::scheme(task, Shares::Shop);
    let model = bundle.model(&device.device)?;
    let logits = scoring::all_prefixes(&model, &encoded.examples, weighting)?;
    let scored = scoring::pick(&logits, &encoded.examples, positions);
    let probability = |logit: &f32| manifest.probability(*logit);
    let probabilities = scored.logits.iter().map(probability).collect();
    let owners = evaluation::owners(&scored, &encoded.examples);
    Ok((scored, probabilities, owners))
}
