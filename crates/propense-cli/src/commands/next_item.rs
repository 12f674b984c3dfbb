//! `propense eval --task next-item`

use std::collections::BTreeMap;

use anyhow::Context;
use propense_apps::recommend::{Figures, ProtocolOptions, ProtocolOutcome, next_item};
use serde::Serialize;

use super::{Failure, Outcome, resolve};
use crate::args::EvalArgs;
use crate::output::{Output, Table, note};

/// The name of the task.
pub(crate) const TASK: &str = "next-item";

/// The JSON of the task: the contract's keys first.
#[derive(Serialize)]
struct Report<'a> {
    task: &'static str,
    n: usize,
    hr20: f64,
    mrr20: f64,
    ndcg20: f64,
    intervals: BTreeMap<&'static str, (f64, f64)>,
    #[serde(flatten)]
    outcome: &'a ProtocolOutcome,
}

pub(crate) fn eval(args: &EvalArgs) -> Outcome {
    if args.report.is_some() {
        let message = "--report: next-item has no report yet; take --json".to_owned();
        return Err(Failure::Usage(message));
    }
    let train = resolve::data(&args.train, &args.reading)?;
    let test = resolve::data(&args.test, &args.reading)?;
    let options = ProtocolOptions {
        seed: args.fitting.seed,
        ..ProtocolOptions::default()
    };
    let outcome = next_item(train.events, test.events, &options, &mut note);
    let outcome = outcome.with_context(|| format!("{} → {}", train.name, test.name))?;
    let ours = &outcome.ours;
    let report = Report {
        task: TASK,
        n: ours.n,
        hr20: ours.hr,
        mrr20: ours.mrr,
        ndcg20: ours.ndcg,
        intervals: BTreeMap::from([
            ("hr20", ours.hr_interval),
            ("mrr20", ours.mrr_interval),
            ("ndcg20", ours.ndcg_interval),
        ]),
        outcome: &outcome,
    };
    Output::new(&args.json).finish(&table(&outcome), &report)?;
    Ok(())
}

fn table(outcome: &ProtocolOutcome) -> Table {
    let mut table = Table::new();
    table.block(format!(
        "next-item: {} positions; learnt from {} visits of {} items ({} visits left out as tested, {} clicks on unknown \
         items)",
        outcome.ours.n,
        outcome.train_visits,
        outcome.items,
        outcome.shared_visits,
        outcome.unknown_clicks
    ));
    let k = outcome.ours.k;
    table.row([
        String::new(),
        format!("HR@{k}"),
        "95 %".to_owned(),
        format!("MRR@{k}"),
        "95 %".to_owned(),
        format!("NDCG@{k}"),
        "NDCG@10".to_owned(),
        "items shown".to_owned(),
        "places of the top tenth".to_owned(),
    ]);
    let baselines = outcome
        .baselines
        .iter()
        .map(|(name, figures)| (*name, figures));
    for (name, figures) in baselines.chain([("propense", &outcome.ours)]) {
        table.row(cells(name, figures));
    }
    table.block(format!(
        "ahead by, 95 % ({:.1} % of the items that came next are of the top tenth)",
        100.0 * outcome.ours.popular_share_of_targets
    ));
    table.row(["", &format!("HR@{k}"), &format!("MRR@{k}"), "NDCG@10"]);
    for (name, [hr, mrr, _, ndcg10]) in &outcome.ahead_of {
        let range = |(low, high): &(f64, f64)| format!("{low:.4} to {high:.4}");
        table.row([(*name).to_owned(), range(hr), range(mrr), range(ndcg10)]);
    }
    table
}

fn cells(name: &str, figures: &Figures) -> [String; 9] {
    let range = |(low, high): (f64, f64)| format!("{low:.4} to {high:.4}");
    [
        name.to_owned(),
        format!("{:.4}", figures.hr),
        range(figures.hr_interval),
        format!("{:.4}", figures.mrr),
        range(figures.mrr_interval),
        format!("{:.4}", figures.ndcg),
        format!("{:.4}", figures.ndcg10),
        format!("{:.1} %", 100.0 * figures.coverage),
        format!("{:.1} %", 100.0 * figures.popular_share),
    ]
}
