//! `propense score`

use anyhow::Context;
use propense_train::{ScoreRow, Task, score};

use super::{Failure, Outcome, resolve};
use crate::args::ScoreArgs;
use crate::destinations;
use crate::output::{Lines, json_lines, note, write_file};

pub(crate) fn run(args: &ScoreArgs) -> Outcome {
    destinations::check(
        [("--out", Some(&args.out))],
        [&args.model]
            .into_iter()
            .chain(&args.history)
            .chain(&args.data),
    )?;
    let lines = Lines::of(&args.out)?;
    if args.after == Some(0) {
        return Err(Failure::Usage("--after: at least 1".to_owned()));
    }
    let (bundle, task) = resolve::scorer(&args.model)?;
    if args.after.is_some() && task != Task::InSession {
        return Err(Failure::Usage(format!(
            "--after: {} is a model for `{task}`, which scores each user or summary once; only \
             in-session models score after K events",
            args.model.display()
        )));
    }
    let device = resolve::device(&args.running)?;
    note(&device.reason);
    let data = resolve::data(&args.data, &args.reading)?;
    let history = resolve::history(&args.history, &data, &args.reading)?;
    let rows = score(&bundle, &data, history.as_ref(), &device, args.after)?;
    let bytes = match lines {
        Lines::Csv => csv(&rows)?,
        Lines::Json => json_lines(&rows)?,
    };
    write_file(&args.out, &bytes)?;
    note(&format!(
        "scored {} into {}",
        rows.len(),
        args.out.display()
    ));
    Ok(())
}

fn csv(rows: &[ScoreRow]) -> anyhow::Result<Vec<u8>> {
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record(["id", "user", "events", "propensity", "percentile"])?;
    for row in rows {
        out.write_record([
            row.id.as_str(),
            row.user.as_deref().unwrap_or_default(),
            &row.events.to_string(),
            &row.propensity.to_string(),
            &format!("{:.1}", row.percentile),
        ])?;
    }
    out.into_inner().context("writing the scores")
}
