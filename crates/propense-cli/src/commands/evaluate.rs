//! `propense evaluate`

use propense_train::{Evaluation, MeasureOptions, evaluate};

use super::{Outcome, resolve};
use crate::args::EvaluateArgs;
use crate::output::{Output, Table, note, write_file};
use crate::report;

pub(crate) fn run(args: &EvaluateArgs) -> Outcome {
    let (bundle, _) = resolve::scorer(&args.model)?;
    let device = resolve::device(&args.running)?;
    note(&device.reason);
    let data = resolve::data(&args.data, &args.reading)?;
    let evaluation = evaluate(&bundle, &data, &device, &MeasureOptions::default())?;
    if let Some(path) = &args.report {
        let title = format!("{} on {}", bundle.manifest.version(), data.name);
        write_file(path, report::html(&title, &evaluation).as_bytes())?;
    }
    Output::new(&args.json).finish(&table(&evaluation), &evaluation)?;
    if let Some(path) = &args.report {
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
        table.row([
            "",
            "examples",
            "base rate",
            "ROC-AUC",
            "PR-AUC",
            "F1",
            "log-loss",
            "ECE",
        ]);
        let by_k = evaluation
            .by_k
            .iter()
            .map(|(k, metrics)| (format!("after {k} events"), metrics));
        let also = evaluation
            .also
            .iter()
            .map(|(name, metrics)| (name.clone(), metrics));
        for (name, m) in by_k.chain(also) {
            table.row([
                name,
                m.n.to_string(),
                format!("{:.4}", m.base_rate),
                format!("{:.4}", m.auc),
                format!("{:.4}", m.pr_auc),
                format!("{:.4}", m.f1),
                format!("{:.4}", m.log_loss),
                format!("{:.4}", m.ece),
            ]);
        }
    }
    if let Some(figures) = &evaluation.validation {
        table.validation(figures);
    }
    table
}
