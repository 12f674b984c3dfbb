//! `propense prepare`

use std::collections::{BTreeMap, BTreeSet};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use propense_events::parse_timestamp;
use propense_prepare::clean::{CleaningRule, Options, Period};
use propense_prepare::report::{Intake, Measure, html};
use propense_prepare::{Counts, Observer, Prepared, Progress, Request, SideTables, Stage, prepare};

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

    let mut files = written(&prepared);
    // Without figures the accounts are all that the report says.
    let figures = prepared
        .figures
        .clone()
        .unwrap_or_else(|| Measure::new(&[]));
    let mut report = figures.report(Intake::of(&prepared));
    if args.no_report {
        report.warnings.clear();
    } else {
        let mut json = serde_json::to_vec_pretty(&report).context("report.json")?;
        json.push(b'\n');
        write_file(&args.out.join("report.json"), &json)?;
        write_file(&args.out.join("report.html"), html(&report).as_bytes())?;
        files.extend(["report.json".to_owned(), "report.html".to_owned()]);
    }
    Output::new(&args.json).finish(&table(&prepared), &report)?;
    for warning in &report.warnings {
        note(&format!("warning: {}", warning.text));
    }
    note(&format!(
        "wrote {} into {}",
        files.join(", "),
        args.out.display()
    ));
    Ok(())
}

/// The names of the files written.
fn written(prepared: &Prepared) -> Vec<String> {
    prepared
        .tables
        .iter()
        .chain(&prepared.items)
        .chain(&prepared.summaries)
        .chain(std::iter::once(&prepared.quarantine))
        .filter_map(|path| path.file_name())
        .map(|name| name.to_string_lossy().into_owned())
        .collect()
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
    if !(1.0..1e12).contains(&gap_ms) {
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
        mappings: reading.mappings,
        encoding: reading.encoding,
        cleaning,
        sides: SideTables {
            catalogue: args.catalogue.clone(),
            users: args.users.clone(),
            ..SideTables::default()
        },
        measure: !args.no_report,
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

fn table(prepared: &Prepared) -> Table {
    let mut table = Table::new();
    let counts = |table: &mut Table, what: &str, counts: &Counts| {
        for (rule, count) in counts {
            table.row([format!("{what} {rule}"), count.to_string()]);
        }
    };
    for input in &prepared.inputs {
        table.block(format!("{} ({})", input.path.display(), input.format));
        table.row(["rows read".to_owned(), input.rows.to_string()]);
        table.row(["rows set aside".to_owned(), input.rejected.to_string()]);
        counts(&mut table, "set aside:", &input.rejected_by);
        counts(&mut table, "repaired:", &input.repaired_by);
    }
    let cleaning = &prepared.cleaning;
    table.block("cleaning");
    counts(&mut table, "set aside:", &cleaning.removed_by);
    counts(&mut table, "repaired:", &cleaning.repaired_by);
    table.row([
        "lines given a user by stitching".to_owned(),
        prepared.stitched_lines.to_string(),
    ]);
    table.block("table");
    table.row(["visitors".to_owned(), cleaning.owners.to_string()]);
    table.row(["sessions".to_owned(), cleaning.sessions.to_string()]);
    table.row(["events".to_owned(), cleaning.events.to_string()]);
    table.row(["records in".to_owned(), prepared.records_in.to_string()]);
    table.row(["= records out".to_owned(), prepared.records_out.to_string()]);
    table.row([
        "+ in quarantine".to_owned(),
        prepared.records_quarantined.to_string(),
    ]);
    table
}
