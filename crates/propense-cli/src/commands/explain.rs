//! `propense explain`

use std::collections::BTreeSet;

use anyhow::Context;
use propense_train::{Explanation, Influence, Reason, explain, influences, use_threads};
use serde::Serialize;

use super::{Failure, Outcome, resolve};
use crate::args::ExplainArgs;
use crate::destinations;
use crate::output::{Lines, Output, Table, json_lines, note, write_file};

/// What `--json` holds.
#[derive(Serialize)]
struct Summary<'a> {
    n: usize,
    influences: &'a [Influence],
    /// Only those asked for by `--of`.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    explanations: &'a [Explanation],
}

pub(crate) fn run(args: &ExplainArgs) -> Outcome {
    destinations::check(
        [
            ("--json", args.json.json.as_ref()),
            ("--out", args.out.as_ref()),
        ],
        [&args.model]
            .into_iter()
            .chain(&args.history)
            .chain(&args.data),
    )?;
    let lines = args.out.as_deref().map(Lines::of).transpose()?;
    if args.top == 0 {
        return Err(Failure::Usage("--top: at least 1".to_owned()));
    }
    if let Some(threads) = args.threads {
        use_threads(threads)?;
    }
    let (bundle, _) = resolve::scorer(&args.model)?;
    let data = resolve::data(&args.data, &args.reading)?;
    let history = resolve::history(&args.history, &data, &args.reading)?;
    let only: BTreeSet<String> = args.of.iter().cloned().collect();
    let explanations = explain(&bundle, &data, history.as_ref(), &only)?;
    let influences = influences(&explanations);
    let mut table = Table::new();
    if args.of.is_empty() {
        influence_rows(&mut table, &influences, explanations.len(), args.top);
    } else {
        for one in &explanations {
            reason_rows(&mut table, one, args.top);
        }
    }
    let named: &[Explanation] = if args.of.is_empty() {
        &[]
    } else {
        &explanations
    };
    let summary = Summary {
        n: explanations.len(),
        influences: &influences,
        explanations: named,
    };
    if let (Some(lines), Some(out)) = (lines, &args.out) {
        let bytes = match lines {
            Lines::Csv => csv(&explanations)?,
            Lines::Json => json_lines(&explanations)?,
        };
        write_file(out, &bytes)?;
        note(&format!(
            "explained {} into {}",
            explanations.len(),
            out.display()
        ));
    }
    Output::new(&args.json).finish(&table, &summary)?;
    Ok(())
}

fn influence_rows(table: &mut Table, influences: &[Influence], scores: usize, top: usize) {
    table.block(format!("what moves {scores} scores"));
    table.row(["event", "what about it", "reasons", "mean effect", "share"]);
    for influence in influences.iter().take(top) {
        table.row([
            influence.event.unwrap_or("known before").to_owned(),
            influence.feature.clone(),
            influence.reasons.to_string(),
            format!("{:+.3}", influence.mean_effect),
            format!("{:.1} %", influence.share * 100.0),
        ]);
    }
}

/// The strongest reasons of one score, in the order of their events.
fn reason_rows(table: &mut Table, one: &Explanation, top: usize) {
    table.block(format!(
        "{}: propensity {:.4}, above {:.0} % of visits",
        one.id, one.propensity, one.percentile
    ));
    table.row(["", "event", "item", "what about it", "effect", "propensity"]);
    let mut order: Vec<usize> = (0..one.reasons.len()).collect();
    let size = |place: &usize| one.reasons.get(*place).map_or(0.0, |r| r.effect.abs());
    order.sort_by(|a, b| size(b).total_cmp(&size(a)));
    order.truncate(top);
    order.sort_unstable();
    for reason in order.iter().filter_map(|place| one.reasons.get(*place)) {
        table.row([
            reason
                .index
                .map_or(String::new(), |index| (index + 1).to_string()),
            reason.event.unwrap_or("known before").to_owned(),
            reason.item_id.clone().unwrap_or_default(),
            reason.feature.clone(),
            format!("{:+.3}", reason.effect),
            format!("{:.4}", reason.propensity),
        ]);
    }
    let left = one.reasons.len().saturating_sub(top);
    if left > 0 {
        table.row([String::new(), format!("and {left} weaker ones")]);
    }
}

fn csv(explanations: &[Explanation]) -> anyhow::Result<Vec<u8>> {
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record([
        "id",
        "user",
        "index",
        "event",
        "timestamp",
        "item_id",
        "feature",
        "effect",
        "propensity",
    ])?;
    for one in explanations {
        for reason in &one.reasons {
            out.write_record(record(one, reason))?;
        }
    }
    out.into_inner().context("writing the reasons")
}

fn record(one: &Explanation, reason: &Reason) -> [String; 9] {
    [
        one.id.clone(),
        one.user.clone().unwrap_or_default(),
        reason
            .index
            .map_or(String::new(), |index| index.to_string()),
        reason.event.unwrap_or_default().to_owned(),
        reason
            .timestamp
            .map_or(String::new(), |time| time.to_string()),
        reason.item_id.clone().unwrap_or_default(),
        reason.feature.clone(),
        reason.effect.to_string(),
        reason.propensity.to_string(),
    ]
}
