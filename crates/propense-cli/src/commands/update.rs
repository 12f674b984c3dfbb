//! `propense update`

use std::fs;
use std::path::Path;

use anyhow::Context;
use propense_model::{Bundle, Precision};
use propense_train::{Decision, TrainError, TrainOptions, UpdateReport, UpdateRequest, update};
use serde::{Deserialize, Serialize};

use super::{Failure, Outcome, resolve, train};
use crate::args::UpdateArgs;
use crate::destinations;
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
    destinations::check(
        [("--json", args.json.json.as_ref())],
        [&args.model]
            .into_iter()
            .chain(&args.data)
            .chain(&args.replay),
    )?;
    let place = || args.model.display().to_string();
    let old = fs::read(&args.model).with_context(place)?;
    let live = Bundle::from_bytes(&old).with_context(place)?;
    if live.manifest.signature.is_some() && !args.keep_live {
        return Err(Failure::Usage(format!(
            "{} is signed, and what `update` writes is not: who checks it would refuse the next one. \
             Give --keep-live, and `propense sign` the candidate where it is better",
            args.model.display()
        )));
    }
    let request = request(args, &old)?;
    request.validate()?;
    note(&request.device.reason);
    let paths: Vec<_> = args.data.iter().chain(&args.replay).cloned().collect();
    let data = resolve::data(&paths, &args.reading)?;
    let mut record = Record {
        outcome: "nothing_new".to_owned(),
        candidate: None,
        parent: live.manifest.sha256.clone(),
        data_sha256: data.sha256.clone(),
        options: options(args, &request)?,
        reasons: Vec::new(),
        report: None,
    };
    if let Some(before) = tried(&args.out, &record) {
        note("these data were tried with this bundle before; what came of it:");
        return follow(args, (&live, &old), before);
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
    record.outcome = if better { "better" } else { "kept" }.to_owned();
    record.candidate = Some(format!("{candidate}.propense"));
    record.reasons.clone_from(&updated.report.judgement.reasons);
    record.report = Some(updated.report);
    // Before the live bundle: killed in between, the next run finds the candidate and takes it.
    keep(args, &record)?;
    if better && !args.keep_live {
        replace(args, (&live, &old), &bytes)?;
        record.outcome = "replaced".to_owned();
        keep(args, &record)?;
    }
    finish(args, &record)
}

/// What an earlier run with the same data found, carried out where that is still to be done.
fn follow(args: &UpdateArgs, live: (&Bundle, &[u8]), mut record: Record) -> Outcome {
    let candidate = record.candidate.as_deref().map(|file| args.out.join(file));
    match (record.outcome.as_str(), candidate) {
        ("better", Some(file)) if !args.keep_live => {
            let bytes = fs::read(&file).with_context(|| file.display().to_string())?;
            Bundle::from_bytes(&bytes).with_context(|| file.display().to_string())?;
            replace(args, live, &bytes)?;
            record.outcome = "replaced".to_owned();
            keep(args, &record)?;
        }
        ("replaced", Some(_)) => {
            // It went on from this bundle, which is live again.
            record.outcome = "kept".to_owned();
            record.reasons = vec![
                "this candidate took the live bundle's place before, and was taken back since"
                    .to_owned(),
            ];
        }
        _ => {}
    }
    finish(args, &record)
}

/// Puts the candidate in the live bundle's place. The way back is laid before the step is taken.
fn replace(args: &UpdateArgs, (live, old): (&Bundle, &[u8]), candidate: &[u8]) -> Outcome {
    let parent = args.out.join(format!("{}.propense", version(live)));
    if !parent.exists() {
        write_file(&parent, old)?;
    }
    write_file(&args.model, candidate)?;
    Ok(())
}

/// Writes the record beside its candidate.
fn keep(args: &UpdateArgs, record: &Record) -> Outcome {
    let json = serde_json::to_vec_pretty(record).context("writing the record")?;
    if let Some(candidate) = &record.candidate {
        let file = args.out.join(candidate).with_extension("json");
        write_file(&file, &json)?;
    }
    Ok(())
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

fn request(args: &UpdateArgs, live: &[u8]) -> Outcome<UpdateRequest> {
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
        precision: match args.precision {
            Some(named) => train::precision(named),
            None => Precision::of(live).with_context(|| args.model.display().to_string())?,
        },
        created_at: train::created_at(args.created_at.as_deref())?,
        ..defaults
    })
}

/// What else decides of the result, in words.
fn options(args: &UpdateArgs, request: &UpdateRequest) -> Outcome<String> {
    let UpdateRequest {
        training,
        replay,
        sealed,
        refresh_rates,
        precision,
        ..
    } = request;
    Ok(format!(
        "since {:?}, replay {replay}, sealed {sealed}, rates {refresh_rates}, epochs {}, batch {}, \
         learning rate {}, patience {}, seed {}, stored as {precision:?}, read as {:?}",
        args.since,
        training.epochs,
        training.batch,
        training.learning_rate,
        training.patience,
        training.seed,
        resolve::reading(&args.reading)?
    ))
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
