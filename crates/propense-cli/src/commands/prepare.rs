//! `propense prepare`

use std::collections::{BTreeMap, BTreeSet};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use propense_events::parse_timestamp;
use propense_prepare::clean::{CleaningRule, Options, Period};
use propense_prepare::{
    BucketAccount, Counts, InputAccount, Observer, Prepared, Progress, Request, SideAccount,
    SideTables, Stage, prepare,
};
use serde::Serialize;

use super::{Failure, Outcome, resolve};
use crate::args::PrepareArgs;
use crate::interrupt;
use crate::output::{Output, Table, note, write_file};
use crate::progress::{Line, duration};

pub(crate) fn run(args: &PrepareArgs) -> Outcome {
    let request = request(args)?;
    interrupt::graceful(true);
    let mut shown = Shown(Line::new());
    let prepared = prepare(&request, &mut shown);
    interrupt::graceful(false);
    drop(shown);
    let prepared = prepared?;

    let report = Report::new(&prepared);
    let mut json = serde_json::to_vec_pretty(&report).context("report.json")?;
    json.push(b'\n');
    write_file(&args.out.join("report.json"), &json)?;
    Output::new(&args.json).finish(&table(&report), &report)?;
    note(&format!(
        "wrote {} into {}",
        report.files.join(", "),
        args.out.display()
    ));
    Ok(())
}

/// From what was typed to what will be done.
fn request(args: &PrepareArgs) -> Outcome<Request> {
    let reading = resolve::reading(&args.reading)?;
    let usage = |option: &str, what: String| Failure::Usage(format!("{option}: {what}"));
    let mut without = BTreeSet::new();
    for name in &args.without {
        let rule = CleaningRule::from_name(name).ok_or_else(|| {
            let known = CleaningRule::ALL.map(CleaningRule::name).join(", ");
            usage(
                "--without",
                format!("no cleaning rule `{name}`; there are: {known}"),
            )
        })?;
        without.insert(rule);
    }
    let moment = |option: &str, text: &Option<String>| match text {
        None => Ok(None),
        Some(text) => parse_timestamp(text, 0).map(Some).ok_or_else(|| {
            usage(
                option,
                format!("`{text}` is no time; write it as 2017-11-25 or 2017-11-25T08:00:00Z"),
            )
        }),
    };
    let (from, to) = (moment("--from", &args.from)?, moment("--to", &args.to)?);
    let period = (from.is_some() || to.is_some()).then(|| Period {
        from: from.unwrap_or(i64::MIN),
        to: to.unwrap_or(i64::MAX),
    });
    let gap_ms = args.gap * 60_000.0;
    if !(gap_ms >= 1.0 && gap_ms < 1e12) {
        return Err(usage("--gap", "a number of minutes above 0".to_owned()));
    }
    let mut rates = BTreeMap::new();
    for rate in &args.rates {
        let (code, number) = rate.split_once('=').unwrap_or((rate, ""));
        let number: f64 = number
            .trim()
            .parse()
            .map_err(|_| usage("--rate", format!("`{rate}`; write it as USD=0.92")))?;
        rates.insert(code.trim().to_owned(), number);
    }
    let mut cleaning = Options {
        without,
        period,
        currency: args.currency.clone(),
        rates,
        ..Options::default()
    };
    cleaning.sessions.gap_ms = gap_ms as i64;
    cleaning.sessions.midnight = args.midnight;
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let cleaning = cleaning.prepared_at(i64::try_from(now.as_millis()).unwrap_or(i64::MAX));
    Ok(Request {
        format: reading.format,
        mapping: reading.mapping,
        encoding: reading.encoding,
        cleaning,
        sides: SideTables {
            catalogue: args.catalogue.clone(),
            users: args.users.clone(),
            ..SideTables::default()
        },
        memory: args.memory.max(16) << 20,
        threads: args.threads,
        ..Request::new(args.inputs.clone(), args.out.clone())
    })
}

/// One line of progress.
struct Shown(Line);

impl Observer for Shown {
    fn progress(&mut self, progress: &Progress) {
        let share = |done: u64, all: u64| 100.0 * done as f64 / all.max(1) as f64;
        let (what, percent) = match progress.stage {
            Stage::Reading => ("reading", share(progress.bytes, progress.total_bytes)),
            Stage::Cleaning => ("cleaning", share(progress.lines, progress.total_lines)),
            Stage::Joining => ("joining", 100.0),
        };
        let left = progress.left.map_or_else(String::new, |left| {
            format!(", about {} left", duration(left.as_secs_f64()))
        });
        self.0.show(&format!(
            "{what} {percent:.0} %, {} rows{left}",
            progress.rows
        ));
    }

    fn interrupted(&self) -> bool {
        interrupt::asked()
    }
}

/// What `report.json` holds.
#[derive(Serialize)]
struct Report<'a> {
    name: &'a str,
    records_in: u64,
    records_out: u64,
    records_quarantined: u64,
    /// The files written.
    files: Vec<String>,
    inputs: &'a [InputAccount],
    cleaning: &'a BucketAccount,
    sides: &'a SideAccount,
    /// Lines that got the user whom their anonymous id belongs to.
    stitched_lines: u64,
    resumed: bool,
    /// Seconds of reading, cleaning and joining.
    seconds: [f64; 3],
}

impl<'a> Report<'a> {
    fn new(prepared: &'a Prepared) -> Self {
        let named = prepared
            .tables
            .iter()
            .chain(&prepared.items)
            .chain(&prepared.summaries)
            .chain(std::iter::once(&prepared.quarantine));
        let files = named
            .filter_map(|path| path.file_name())
            .map(|name| name.to_string_lossy().into_owned())
            .chain(["report.json".to_owned()])
            .collect();
        Self {
            name: &prepared.name,
            records_in: prepared.records_in,
            records_out: prepared.records_out,
            records_quarantined: prepared.records_quarantined,
            files,
            inputs: &prepared.inputs,
            cleaning: &prepared.cleaning,
            sides: &prepared.sides,
            stitched_lines: prepared.stitched_lines,
            resumed: prepared.resumed,
            seconds: prepared.times.map(|time| time.as_secs_f64()),
        }
    }
}

fn table(report: &Report<'_>) -> Table {
    let mut table = Table::new();
    let counts = |table: &mut Table, what: &str, counts: &Counts| {
        for (rule, count) in counts {
            table.row([format!("{what} {rule}"), count.to_string()]);
        }
    };
    for input in report.inputs {
        table.block(format!("{} ({})", input.path.display(), input.format));
        table.row(["rows read".to_owned(), input.rows.to_string()]);
        table.row(["rows set aside".to_owned(), input.rejected.to_string()]);
        counts(&mut table, "set aside:", &input.rejected_by);
        counts(&mut table, "repaired:", &input.repaired_by);
    }
    let cleaning = report.cleaning;
    table.block("cleaning");
    counts(&mut table, "set aside:", &cleaning.removed_by);
    counts(&mut table, "repaired:", &cleaning.repaired_by);
    table.row([
        "lines given a user by stitching".to_owned(),
        report.stitched_lines.to_string(),
    ]);
    table.block("table");
    table.row(["visitors".to_owned(), cleaning.owners.to_string()]);
    table.row(["sessions".to_owned(), cleaning.sessions.to_string()]);
    table.row(["events".to_owned(), cleaning.events.to_string()]);
    table.row(["records in".to_owned(), report.records_in.to_string()]);
    table.row(["= records out".to_owned(), report.records_out.to_string()]);
    table.row([
        "+ in quarantine".to_owned(),
        report.records_quarantined.to_string(),
    ]);
    table
}
