//! `propense evaluate`

use propense_train::{
    Evaluation, MeasureOptions, Metrics, ThreeIntervals, evaluate, evaluate_against, overlap,
    tell_apart, uses_history,
};

use super::train::deciding;
use super::{Outcome, resolve};
use crate::args::EvaluateArgs;
use crate::destinations;
use crate::output::{
    DIFFERENCES, FIGURES, INTERVALS, Output, Table, by_position, figures, note, range, signed, two,
    write_file,
};
use crate::{output, report};

pub(crate) fn run(args: &EvaluateArgs) -> Outcome {
    destinations::check(
        [
            ("--json", args.json.json.as_ref()),
            ("--report", args.report.as_ref()),
        ],
        [&args.model]
            .into_iter()
            .chain(&args.against)
            .chain(&args.train)
            .chain(&args.history)
            .chain(&args.data),
    )?;
    let (bundle, _) = resolve::scorer(&args.model)?;
    let device = resolve::device(&args.running)?;
    note(&device.reason);
    let data = resolve::data(&args.data, &args.reading)?;
    let history = resolve::history(&args.history, &data, &args.reading)?;
    let earlier = history.as_ref();
    let options = MeasureOptions::default();
    let mut evaluation = match &args.against {
        None => evaluate(&bundle, &data, earlier, &device, &options)?,
        Some(path) => {
            let (other, _) = resolve::scorer(path)?;
            evaluate_against(&bundle, &other, &data, earlier, &device, &options)?
        }
    };
    if !args.train.is_empty() {
        let train = resolve::data(&args.train, &args.reading)?;
        if train.sha256 != bundle.manifest.data.sha256 {
            note(&format!(
                "--train is not what the bundle says it has learnt from, {}: what follows compares with the files \
                 given",
                bundle.manifest.data.name
            ));
        }
        evaluation.adversarial = tell_apart(&bundle, &train, &data, &options)?;
        evaluation.test_data.overlap = Some(overlap(&train, &data));
    }
    Output::new(&args.json).finish(&table(&evaluation), &evaluation)?;
    if evaluation.test_data.overlap.is_none() && data.sha256 == bundle.manifest.data.sha256 {
        note(
            "warning: the bundle has learnt from these very files: what they say is no figure for new ones",
        );
    }
    if earlier.is_none() && uses_history(&bundle)? {
        note(
            "the model uses what visitors did before, and of what lies before --data nothing is known: \
             give it with --history",
        );
    }
    warn(&evaluation);
    if let Some(path) = &args.report {
        let title = format!("{} on {}", bundle.manifest.version(), data.name);
        write_file(path, report::html(&title, &evaluation).as_bytes())?;
        note(&format!("wrote {}", path.display()));
    }
    Ok(())
}

/// What takes from the worth of the figures, shared with `eval`.
pub(super) fn warn(evaluation: &Evaluation) {
    for remark in evaluation.remarks() {
        note(&format!("warning: {remark}"));
    }
    output::warn(evaluation.adversarial.as_ref());
}

/// The figures as text, shared with `eval`.
pub(super) fn table(evaluation: &Evaluation) -> Table {
    let mut table = Table::new();
    table.metrics(evaluation.task.name(), &evaluation.metrics);
    if !evaluation.percentiles.is_empty() {
        table.block("what is a high score: so many lie below, of all on the validation part");
        table.row(["share below", "probability"]);
        for (percent, probability) in &evaluation.percentiles {
            table.row([format!("{percent} %"), format!("{probability:.4}")]);
        }
    }
    let positions = by_position(evaluation);
    parts("by position", positions, &mut table);
    let segments = evaluation.segments.iter().map(|segment| {
        let name = format!("{}: {}", segment.by, segment.name);
        (name, &segment.metrics, segment.intervals.as_ref())
    });
    parts("by segment", segments.collect(), &mut table);
    against(evaluation, &mut table);
    if let Some(kind) = evaluation.calibrated_by {
        let calibrated = (kind, evaluation.calibrations.as_slice());
        deciding(evaluation.metrics.threshold, calibrated, &mut table);
    }
    if let Some(figures) = &evaluation.validation {
        table.validation(figures);
    }
    table.adversarial(evaluation.adversarial.as_ref());
    table
}

/// The figures of some parts, with their intervals where any part has them.
fn parts(title: &str, parts: Vec<(String, &Metrics, Option<&ThreeIntervals>)>, table: &mut Table) {
    if parts.is_empty() {
        return;
    }
    table.block(title);
    let drawn = parts.iter().any(|(_, _, intervals)| intervals.is_some());
    let shown = if drawn { INTERVALS.len() } else { 0 };
    let head = FIGURES.into_iter().chain(INTERVALS.into_iter().take(shown));
    table.row([""].into_iter().chain(head));
    for (name, metrics, intervals) in parts {
        let intervals = two(intervals).into_iter().take(shown);
        let row = [name].into_iter().chain(figures(metrics));
        table.row(row.chain(intervals));
    }
}

/// The second model's block, where there is one.
fn against(evaluation: &Evaluation, table: &mut Table) {
    let Some(other) = &evaluation.against else {
        return;
    };
    table.block(format!("against {}, on the same examples", other.name));
    table.row(DIFFERENCES);
    for both in other.rows(&evaluation.metrics) {
        table.row([
            both.name.to_owned(),
            format!("{:.4}", both.own),
            format!("{:.4}", both.other),
            signed(both.difference),
            both.interval.map(range).unwrap_or_default(),
        ]);
    }
    if let Some(test) = other.delong {
        table.block(format!(
            "DeLong's test of the two ROC-AUCs, which takes scores as independent: p = {:.4}",
            test.p
        ));
    }
    if !other.segments.is_empty() {
        table.block(format!("against {} by segment, ROC-AUC", other.name));
        table.row(["", "this model", "the other", "difference", "scores"]);
    }
    for part in &other.segments {
        table.row([
            part.name.clone(),
            format!("{:.4}", part.auc.0),
            format!("{:.4}", part.auc.1),
            signed(part.auc.0 - part.auc.1),
            part.n.to_string(),
        ]);
    }
}
