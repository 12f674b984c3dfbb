//! `propense evaluate`

use propense_train::{
    Evaluation, Interval, MeasureOptions, evaluate, evaluate_against, tell_apart, uses_history,
};

use super::train::deciding;
use super::{Outcome, resolve};
use crate::args::EvaluateArgs;
use crate::destinations;
use crate::output::{FIGURES, Output, Table, figures, note, warn, write_file};
use crate::report;

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
    let history = match args.history.as_slice() {
        [] => None,
        paths => Some(resolve::data(paths, &args.reading)?),
    };
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
        evaluation.adversarial = tell_apart(&bundle, &train, &data, &options)?;
    }
    Output::new(&args.json).finish(&table(&evaluation), &evaluation)?;
    warn(evaluation.adversarial.as_ref());
    if data.sha256 == bundle.manifest.data.sha256 {
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
    let figures = &evaluation.metrics;
    if figures.log_loss > figures.base_rate_log_loss {
        note("warning: on these data the base rate alone would forecast better (log-loss)");
    }
    if let Some(path) = &args.report {
        let title = format!("{} on {}", bundle.manifest.version(), data.name);
        write_file(path, report::html(&title, &evaluation).as_bytes())?;
        note(&format!("wrote {}", path.display()));
    }
    Ok(())
}

/// The figures as text, shared with `eval`.
pub(super) fn table(evaluation: &Evaluation) -> Table {
    let mut table = Table::new();
    table.metrics(evaluation.task.name(), &evaluation.metrics);
    if !evaluation.by_k.is_empty() || !evaluation.also.is_empty() {
        table.block("by position");
        table.row([""].into_iter().chain(FIGURES));
        let by_k = evaluation
            .by_k
            .iter()
            .map(|(k, metrics)| (format!("after {k} events"), metrics));
        let also = evaluation
            .also
            .iter()
            .map(|(name, metrics)| (name.clone(), metrics));
        for (name, metrics) in by_k.chain(also) {
            table.row([name].into_iter().chain(figures(metrics)));
        }
    }
    if !evaluation.segments.is_empty() {
        table.block("by segment");
        table.row(["", ""].into_iter().chain(FIGURES));
        for segment in &evaluation.segments {
            let names = [segment.by.clone(), segment.name.clone()];
            table.row(names.into_iter().chain(figures(&segment.metrics)));
        }
    }
    against(evaluation, &mut table);
    if let Some(figures) = &evaluation.validation {
        deciding(
            evaluation.metrics.threshold,
            &evaluation.calibrations,
            &mut table,
        );
        table.validation(figures);
    }
    table.adversarial(evaluation.adversarial.as_ref());
    table
}

/// The second model's block, where there is one.
fn against(evaluation: &Evaluation, table: &mut Table) {
    let Some(other) = &evaluation.against else {
        return;
    };
    table.block(format!("against {}, on the same examples", other.name));
    table.row(["", "this model", "the other", "difference, 95 %"]);
    let (own, their) = (&evaluation.metrics, &other.metrics);
    let range = |Interval(low, high): Interval| format!("{low:.4} to {high:.4}");
    for (place, (name, own, their)) in [
        ("ROC-AUC", own.auc, their.auc),
        ("PR-AUC", own.pr_auc, their.pr_auc),
        ("log-loss", own.log_loss, their.log_loss),
    ]
    .into_iter()
    .enumerate()
    {
        let difference = other.differences.and_then(|all| all.get(place).copied());
        table.row([
            name.to_owned(),
            format!("{own:.4}"),
            format!("{their:.4}"),
            difference.map(range).unwrap_or_default(),
        ]);
    }
    for (name, own, their) in [("F1", own.f1, their.f1), ("ECE", own.ece, their.ece)] {
        table.row([name.to_owned(), format!("{own:.4}"), format!("{their:.4}")]);
    }
    if let Some(test) = other.delong {
        table.row([
            "DeLong".to_owned(),
            format!("p = {:.4}", test.p),
            String::new(),
            "takes scores as independent".to_owned(),
        ]);
    }
    for part in &other.segments {
        table.row([
            format!("ROC-AUC, {}", part.name),
            format!("{:.4}", part.auc.0),
            format!("{:.4}", part.auc.1),
            format!("of {} scores", part.n),
        ]);
    }
}
