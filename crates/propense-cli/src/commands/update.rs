//! `propense update`

use std::fs;
use std::path::Path;

use anyhow::Context;
use propense_model::Bundle;
use propense_train::{Decision, TrainError, TrainOptions, UpdateReport, UpdateRequest, update};
use serde::{Deserialize, Serialize};

use super::{Failure, Outcome, resolve, train};
use crate::args::UpdateArgs;
use crate::output::{Output, Table, note, write_file};
use crate::progress;

/// What is kept beside a candidate, and printed as JSON.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    /// `replaced`, `kept`, `better` (with --keep-live) or `nothing_new`.
    outcome: String,
    /// The candidate's file, in the folder of versions.
    candidate: Option<String>,
    /// SHA-256 of the live bundle, as it was.
    parent: String,
    /// SHA-256 over the files read.
    data_sha256: String,
    /// The options that change the result.
    options: String,
    /// Why, in sentences.
    reasons: Vec<String>,
    /// All figures.
    report: Option<UpdateReport>,
}

pub(crate) fn run(args: &UpdateArgs) -> Outcome {
    let live = resolve::bundle(&args.model)?;
    let request = request(args)?;
    request.validate()?;
    note(&request.device.reason);
    let paths: Vec<_> = args.data.iter().chain(&args.replay).cloned().collect();
    let data = resolve::data(&paths, &args.reading)?;
    let mut record = Record {
        outcome: "nothing_new".to_owned(),
        candidate: None,
        parent: live.manifest.sha256.clone(),
        data_sha256: data.sha256.clone(),
        options: options(args),
        reasons: Vec::new(),
        report: None,
    };
    if let Some(before) = tried(&args.out, &record) {
        note("these data were tried with this bundle before; what came of it:");
        return finish(args, &before);
    }
    let title = format!("update {}", live.manifest.task);
    let mut observer = progress::observer(&title, args.plain);
    let updated = update(&live, &data, &request, observer.as_mut());
    drop(observer);
    let updated = match updated {
        Err(error @ TrainError::TooLittleNew { .. }) => {
            record.reasons = vec![error.to_string()];
            return finish(args, &record);
        }
        other => other?,
    };
    let bytes = updated
        .bundle
        .to_bytes(request.precision)
        .with_context(|| format!("the candidate for {}", args.out.display()))?;
    let candidate = version(&Bundle::from_bytes(&bytes).context("reading the candidate back")?);
    write_file(&args.out.join(format!("{candidate}.propense")), &bytes)?;
    let better = updated.report.judgement.decision == Decision::Replace;
    record.outcome = match (better, args.keep_live) {
        (true, false) => "replaced",
        (true, true) => "better",
        (false, _) => "kept",
    }
    .to_owned();
    record.candidate = Some(format!("{candidate}.propense"));
    record.reasons.clone_from(&updated.report.judgement.reasons);
    record.report = Some(updated.report);
    if better && !args.keep_live {
        // The way back is laid before the step is taken.
        let parent = args.out.join(format!("{}.propense", version(&live)));
        if !parent.exists() {
            let old = fs::read(&args.model).with_context(|| args.model.display().to_string())?;
            write_file(&parent, &old)?;
        }
        write_file(&args.model, &bytes)?;
    }
    let json = serde_json::to_vec_pretty(&record).context("writing the record")?;
    write_file(&args.out.join(format!("{candidate}.json")), &json)?;
    finish(args, &record)
}

/// Name and first digits of the checksum, as a file is called.
fn version(bundle: &Bundle) -> String {
    let word = |letter: char| match letter {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_' | '.' => letter,
        _ => '_',
    };
    let name: String = bundle.manifest.name.chars().map(word).collect();
    let digits: String = bundle.manifest.sha256.chars().take(12).collect();
    format!("{name}-{digits}")
}

fn request(args: &UpdateArgs) -> Outcome<UpdateRequest> {
    let since = match args.since.as_deref() {
        None => None,
        Some(text) => Some(propense_events::parse_timestamp(text, 0).ok_or_else(|| {
            Failure::Usage(format!(
                "--since: `{text}` is no time; write it as 2017-11-29 or 2017-11-29T08:00:00Z"
            ))
        })?),
    };
    let defaults = UpdateRequest::new(resolve::device(&args.running)?);
    Ok(UpdateRequest {
        training: TrainOptions {
            epochs: args.epochs,
            batch: args.batch,
            learning_rate: args.learning_rate,
            patience: args.patience,
            seed: args.seed,
            ..defaults.training
        },
        replay: args.replay_ratio,
        sealed: args.sealed,
        since,
        refresh_rates: args.refresh_rates,
        precision: train::precision(args.precision),
        created_at: train::created_at(args.created_at.as_deref())?,
        ..defaults
    })
}

/// What else decides of the result, in words.
fn options(args: &UpdateArgs) -> String {
    format!(
        "since {:?}, replay {}, sealed {}, rates {}, epochs {}, batch {}, learning rate {}, patience {}, seed {}",
        args.since,
        args.replay_ratio,
        args.sealed,
        args.refresh_rates,
        args.epochs,
        args.batch,
        args.learning_rate,
        args.patience,
        args.seed
    )
}

/// The record of an earlier run with the same bundle, data and options. A file that is none is
/// passed over.
fn tried(folder: &Path, now: &Record) -> Option<Record> {
    let files = fs::read_dir(folder).ok()?;
    files
        .filter_map(|file| Some(file.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .filter_map(|path| serde_json::from_slice::<Record>(&fs::read(path).ok()?).ok())
        .find(|record| {
            record.parent == now.parent
                && record.data_sha256 == now.data_sha256
                && record.options == now.options
        })
}

fn finish(args: &UpdateArgs, record: &Record) -> Outcome {
    Output::new(&args.json).finish(&table(record), record)?;
    let live = args.model.display();
    match (record.outcome.as_str(), &record.candidate) {
        ("replaced", Some(file)) => note(&format!(
            "{live} is now {file}; the one before is in {}, too",
            args.out.display()
        )),
        ("nothing_new", _) => note(&format!("{live} stays as it is")),
        (_, file) => note(&format!(
            "{live} stays as it is; the candidate is {}",
            args.out.join(file.as_deref().unwrap_or_default()).display()
        )),
    }
    Ok(())
}

fn table(record: &Record) -> Table {
    let mut table = Table::new();
    table.block(format!("update: {}", record.outcome.replace('_', " ")));
    for reason in &record.reasons {
        table.row([reason.as_str()]);
    }
    let Some(report) = &record.report else {
        return table;
    };
    let sizes = report.examples;
    table.block(format!(
        "learnt from {} new and {} replayed, validated on {}, judged on {}; {} wait; best epoch {} of {}",
        sizes.fresh,
        sizes.replay,
        sizes.validation,
        sizes.sealed,
        sizes.waiting,
        report.training.best_epoch,
        report.training.history.len()
    ));
    table.row([
        "sealed window",
        "scores",
        "orders",
        "AUC before",
        "after",
        "p better",
        "p worse",
        "log-loss before",
        "after",
        "p better",
        "p worse",
    ]);
    let judgement = &report.judgement;
    let whole = std::iter::once(("all", &judgement.whole));
    let segments = judgement
        .segments
        .iter()
        .map(|(name, c)| (name.as_str(), c));
    for (name, part) in whole.chain(segments) {
        let four = |value: f64| format!("{value:.4}");
        table.row([
            name.to_owned(),
            part.n.to_string(),
            part.orders.to_string(),
            four(part.auc.before),
            four(part.auc.after),
            four(part.auc.p_better),
            four(part.auc.p_worse),
            four(part.log_loss.before),
            four(part.log_loss.after),
            four(part.log_loss.p_better),
            four(part.log_loss.p_worse),
        ]);
    }
    if !judgement.too_small.is_empty() {
        let names = judgement.too_small.join(", ");
        table.row([format!("too few outcomes to judge alone: {names}")]);
    }
    table
}
