//! `propense prepare`

use std::collections::BTreeMap;
use std::io::Write;

use anyhow::Context;
use flate2::Compression;
use flate2::write::GzEncoder;
use propense_events::{Action, Problem, write_events};
use propense_train::Loaded;
use serde::Serialize;

use super::{Outcome, resolve};
use crate::args::PrepareArgs;
use crate::output::{Output, Table, note, write_file};

/// The counts, as `prepare.json` holds them.
#[derive(Serialize)]
struct Report {
    rows: u64,
    kept: u64,
    rejected: u64,
    repaired: u64,
    events: usize,
    /// Sessions that the input holds only as summaries; they have no events to write.
    summary_sessions: usize,
    sha256: String,
    files: Vec<FileCounts>,
}

#[derive(Serialize)]
struct FileCounts {
    path: String,
    format: String,
    rows: u64,
    kept: u64,
    rejected: u64,
    /// Problems by rule and by what was done.
    problems: BTreeMap<String, u64>,
}

pub(crate) fn run(args: &PrepareArgs) -> Outcome {
    let data = resolve::data(&args.inputs, &args.reading)?;
    if data.events.is_empty() {
        return Err(anyhow::anyhow!(
            "{}: session summaries hold no events to write; train and eval read them as they are",
            data.places()
        )
        .into());
    }
    let report = report(&data)?;

    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    write_events(&data.events, &mut packed).context("events.csv.gz")?;
    let packed = packed.finish().context("events.csv.gz")?;
    write_file(&args.out.join("events.csv.gz"), &packed)?;
    write_file(&args.out.join("quarantine.csv"), &quarantine(&data)?)?;
    let mut json = serde_json::to_vec_pretty(&report).context("prepare.json")?;
    json.write_all(b"\n").context("prepare.json")?;
    write_file(&args.out.join("prepare.json"), &json)?;

    Output::new(&args.json).finish(&table(&report), &report)?;
    note(&format!(
        "wrote events.csv.gz, quarantine.csv and prepare.json into {}",
        args.out.display()
    ));
    Ok(())
}

/// One line for each row that was set aside.
fn quarantine(data: &Loaded) -> anyhow::Result<Vec<u8>> {
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record(["file", "row", "rule", "field", "detail"])?;
    for file in &data.files {
        let path = file.path.display().to_string();
        for problem in &file.problems {
            if problem.action == Action::Rejected {
                out.write_record([
                    path.as_str(),
                    &problem.row.to_string(),
                    &rule(problem),
                    problem.field.as_deref().unwrap_or_default(),
                    &problem.detail,
                ])?;
            }
        }
    }
    out.into_inner().context("quarantine.csv")
}

/// The rule's name as reports count by it.
fn rule(problem: &Problem) -> String {
    match serde_json::to_value(problem.rule) {
        Ok(serde_json::Value::String(name)) => name,
        _ => format!("{:?}", problem.rule),
    }
}

fn report(data: &Loaded) -> anyhow::Result<Report> {
    let mut repaired = 0;
    let mut files = Vec::new();
    for file in &data.files {
        let mut problems: BTreeMap<String, u64> = BTreeMap::new();
        for problem in &file.problems {
            let done = match problem.action {
                Action::Repaired => "repaired",
                Action::Rejected => "set aside",
            };
            repaired += u64::from(problem.action == Action::Repaired);
            *problems
                .entry(format!("{}, {done}", rule(problem)))
                .or_default() += 1;
        }
        anyhow::ensure!(
            file.rows == file.kept + file.rejected,
            "{}: {} rows read, but {} kept and {} set aside: please report this as a defect",
            file.path.display(),
            file.rows,
            file.kept,
            file.rejected
        );
        files.push(FileCounts {
            path: file.path.display().to_string(),
            format: file.format.to_string(),
            rows: file.rows,
            kept: file.kept,
            rejected: file.rejected,
            problems,
        });
    }
    Ok(Report {
        rows: data.rows(),
        kept: files.iter().map(|file| file.kept).sum(),
        rejected: files.iter().map(|file| file.rejected).sum(),
        repaired,
        events: data.events.len(),
        summary_sessions: data.sessions.len(),
        sha256: data.sha256.clone(),
        files,
    })
}

fn table(report: &Report) -> Table {
    let mut table = Table::new();
    for file in &report.files {
        table.block(format!("{} ({})", file.path, file.format));
        table.row(["rows read".to_owned(), file.rows.to_string()]);
        table.row(["rows kept".to_owned(), file.kept.to_string()]);
        table.row(["rows set aside".to_owned(), file.rejected.to_string()]);
        for (problem, count) in &file.problems {
            table.row([problem.clone(), count.to_string()]);
        }
    }
    table.block("all files");
    table.row(["events".to_owned(), report.events.to_string()]);
    table
}
