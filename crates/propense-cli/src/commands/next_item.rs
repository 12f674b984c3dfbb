//! `propense eval --task next-item`

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use anyhow::Context;
use propense_apps::recommend::{
    Click, Figures, LastItem, Log, Named, ProtocolOptions, ProtocolOutcome, Ranker, next_item,
    next_item_beside,
};
use propense_train::{Deciding, Gru4Rec, GruOptions};
use serde::Serialize;

use super::{Failure, Outcome, refuse, resolve};
use crate::args::{CompareArgs, EvalArgs, FittingArgs, JsonArgs};
use crate::output::{COSTS, Output, Table, cost_cells, everybody, note, write_file};
use crate::report;

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
    let none = "next-item trains no network";
    let usual = Deciding::default();
    let deciding = resolve::deciding(&args.deciding)?;
    refuse(&[
        (
            deciding.calibration != usual.calibration,
            "--calibration",
            none,
        ),
        (deciding.threshold != usual.threshold, "--threshold", none),
    ])?;
    // `eval` takes a preset whatever the task, so that one command line serves all of them.
    refuse_fitting(&args.fitting, &["--preset"], none)?;
    if args.fitting.preset.is_some() {
        note("next-item trains no network: --preset is passed over");
    }
    resolve::threads(&args.fitting.running)?;
    let train = resolve::data(&args.train, &args.reading)?;
    let test = resolve::data(&args.test, &args.reading)?;
    let options = ProtocolOptions {
        seed: args.fitting.seed,
        ..ProtocolOptions::default()
    };
    let names = format!("{} → {}", train.name, test.name);
    let clock = clock();
    let outcome = next_item(train.events, test.events, &options, &clock, &mut note);
    let outcome = outcome.with_context(|| names.clone())?;
    finish(&names, &outcome, &args.json, args.report.as_deref())
}

/// `propense compare --task next-item`: the same, beside the last items again and GRU4Rec.
pub(crate) fn compare(args: &CompareArgs) -> Outcome {
    if args.test.is_empty() {
        let message = "--task next-item needs --test: later visits to rank in".to_owned();
        return Err(Failure::Usage(message));
    }
    let same = "next-item compares the same rankings always, once";
    refuse(&[
        (!args.structures.is_empty(), "--structures", same),
        (args.ablate.is_some(), "--ablate", same),
        (!args.train_shares.is_empty(), "--train-shares", same),
        (args.shift, "--shift", same),
        (args.seeds != 1, "--seeds", same),
    ])?;
    let heeded = ["--epochs", "--hidden", "--batch", "--learning-rate"];
    let why = "the one network that next-item trains, GRU4Rec, has no use for it";
    refuse_fitting(&args.fitting, &heeded, why)?;
    resolve::threads(&args.fitting.running)?;
    let train = resolve::data(&args.data, &args.reading)?;
    let test = resolve::data(&args.test, &args.reading)?;
    let seed = args.fitting.seed;
    let options = ProtocolOptions {
        seed,
        ..ProtocolOptions::default()
    };
    let usual = GruOptions::default();
    let network = GruOptions {
        epochs: args.fitting.epochs.unwrap_or(usual.epochs),
        width: args.fitting.hidden.unwrap_or(usual.width),
        batch: args.fitting.batch.unwrap_or(usual.batch),
        learning_rate: args.fitting.learning_rate.unwrap_or(usual.learning_rate),
        seed,
        ..usual
    };
    let names = format!("{} → {}", train.name, test.name);
    let mut more = |log: &Log| -> anyhow::Result<Vec<Named>> {
        let items = |visit: &Vec<Click>| visit.iter().map(|click| click.item).collect();
        let visits: Vec<Vec<u32>> = log.visits.iter().map(items).collect();
        let begin = Instant::now();
        let trained = Gru4Rec::fit(&visits, log.items.len(), &network, &mut note)?;
        Ok(vec![
            Named {
                name: "last_item",
                seconds: 0.0,
                ranker: Box::new(LastItem::new(&log.items)),
            },
            Named {
                name: "gru4rec",
                seconds: begin.elapsed().as_secs_f64(),
                ranker: Box::new(Network(trained)),
            },
        ])
    };
    let clock = clock();
    let (train, test) = (train.events, test.events);
    let outcome = next_item_beside(train, test, &options, &mut more, &clock, &mut note);
    let outcome = outcome.with_context(|| names.clone())?;
    finish(&names, &outcome, &args.json, args.report.as_deref())
}

/// Seconds since now.
fn clock() -> impl Fn() -> f64 {
    let begin = Instant::now();
    move || begin.elapsed().as_secs_f64()
}

/// Refuses what trains a forecast of orders, but for what is heeded here. A device may be named, as for
/// every task: it changes nothing.
fn refuse_fitting(args: &FittingArgs, heeded: &[&str], why: &str) -> Outcome {
    let given = [
        (args.preset.is_some(), "--preset"),
        (args.epochs.is_some(), "--epochs"),
        (args.activation.is_some(), "--activation"),
        (args.batch.is_some(), "--batch"),
        (args.learning_rate.is_some(), "--learning-rate"),
        (args.filters.is_some(), "--filters"),
        (args.hidden.is_some(), "--hidden"),
        (args.dropout.is_some(), "--dropout"),
        (!args.augment.is_empty(), "--augment"),
        (args.train_share.is_some(), "--train-share"),
        (args.patience.is_some(), "--patience"),
        (args.clip.is_some(), "--clip"),
        (args.decay.is_some(), "--decay"),
        (args.max_events.is_some(), "--max-events"),
        (args.horizon.is_some(), "--horizon"),
        (args.this_item, "--this-item"),
        (args.midnight, "--midnight"),
        (args.minutes.is_some(), "--minutes"),
        (args.checkpoint.is_some(), "--checkpoint"),
        (args.resume, "--resume"),
    ];
    let others = given.into_iter().filter(|(_, name)| !heeded.contains(name));
    refuse(
        &others
            .map(|(given, name)| (given, name, why))
            .collect::<Vec<_>>(),
    )
}

/// GRU4Rec as a recommender.
struct Network(Gru4Rec);

impl Ranker for Network {
    fn score(&mut self, seen: &[Click], scores: &mut [f32]) {
        let seen: Vec<u32> = seen.iter().map(|click| click.item).collect();
        // A device that cannot be read ranks nothing: all scores are equal then.
        let found = self.0.scores(&seen).unwrap_or_default();
        scores.fill(0.0);
        for (score, found) in scores.iter_mut().zip(found) {
            *score = found;
        }
    }

    fn numbers(&self) -> usize {
        self.0.parameters()
    }
}

fn finish(names: &str, outcome: &ProtocolOutcome, json: &JsonArgs, page: Option<&Path>) -> Outcome {
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
        outcome,
    };
    Output::new(json).finish(&table(outcome), &report)?;
    if let Some(path) = page {
        let title = format!("{TASK}: {names}");
        write_file(path, report::next_item(&title, outcome).as_bytes())?;
        note(&format!("wrote {}", path.display()));
    }
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
    for (name, figures) in everybody(outcome) {
        table.row(cells(name, figures));
    }
    table.block("what each takes");
    table.row(COSTS);
    for (name, cost) in &outcome.costs {
        table.row(cost_cells(name, cost));
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
