//! `propense drift`

use std::time::Duration;

use anyhow::Context;
use propense_model::Precision;
use propense_train::{Alert, DriftOptions, DriftReport, drift};
use serde::Serialize;

use super::{Failure, Outcome, resolve};
use crate::args::DriftArgs;
use crate::destinations;
use crate::drift_history::{self, Line};
use crate::output::{Output, Table, note, write_file};
use crate::report;

/// Columns shown in the table.
const SHOWN: usize = 12;

pub(crate) fn run(args: &DriftArgs) -> Outcome {
    destinations::check(
        [
            ("--json", args.json.json.as_ref()),
            ("--report", args.report.as_ref()),
            ("--recalibrate", args.recalibrate.as_ref()),
        ],
        [&args.model]
            .into_iter()
            .chain(&args.data)
            .chain(&args.reference)
            .chain(&args.history),
    )?;
    let inside = |number: f64| number.is_finite() && number > 0.0;
    if !(inside(args.psi) && inside(args.level) && args.level < 0.5) {
        let message = "--psi: above 0; --level: above 0 and below 0.5";
        return Err(Failure::Usage(message.to_owned()));
    }
    let (bundle, _) = resolve::scorer(&args.model)?;
    let recent = resolve::data(&args.data, &args.reading)?;
    let reference = match args.reference.as_slice() {
        [] => None,
        paths => Some(resolve::data(paths, &args.reading)?),
    };
    let options = DriftOptions {
        false_share: args.level,
        psi: args.psi,
        level: args.level,
        seed: args.seed,
        refit: args.recalibrate.is_some(),
        ..DriftOptions::default()
    };
    let drifted = drift(&bundle, &recent, reference.as_ref(), &options)?;
    let found = &drifted.report;
    let line = Line::of(found);
    let history = match &args.history {
        Some(path) => drift_history::add(path, line)?,
        None => vec![line],
    };
    if let Some(path) = &args.report {
        write_file(path, report::drift(found, &history).as_bytes())?;
    }
    Output::new(&args.json).finish(&table(found), found)?;
    if let Some(path) = &args.report {
        note(&format!("wrote {}", path.display()));
    }
    if let Some(path) = &args.recalibrate {
        match &drifted.recalibrated {
            Some(bundle) => {
                let live =
                    std::fs::read(&args.model).with_context(|| args.model.display().to_string())?;
                let bytes = Precision::of(&live).and_then(|stored| bundle.to_bytes(stored));
                write_file(path, &bytes.with_context(|| path.display().to_string())?)?;
                note(&format!(
                    "wrote {} with a refitted calibration",
                    path.display()
                ));
                if bundle.manifest.signature.is_some() {
                    note("the bundle was signed, and the new one is not: `propense sign` it");
                }
            }
            None => note(
                found
                    .no_refit()
                    .unwrap_or("no refitted calibration is proven better: nothing is written"),
            ),
        }
    }
    for alert in &found.alerts {
        note(&format!("alert: {}: {}", alert.kind, alert.detail));
    }
    if let (Some(address), false) = (&args.webhook, found.alerts.is_empty()) {
        send(address, found)?;
    }
    if args.fail_on_alert && !found.alerts.is_empty() {
        let message = format!("{} alerts (--fail-on-alert)", found.alerts.len());
        return Err(Failure::Failed(anyhow::anyhow!(message)));
    }
    Ok(())
}

/// What the webhook gets.
#[derive(Serialize)]
struct Message<'a> {
    model: &'a str,
    from_ms: i64,
    to_ms: i64,
    sessions: usize,
    alerts: &'a [Alert],
}

fn send(address: &str, found: &DriftReport) -> anyhow::Result<()> {
    let message = Message {
        model: &found.model,
        from_ms: found.from_ms,
        to_ms: found.to_ms,
        sessions: found.sessions,
        alerts: &found.alerts,
    };
    let body = serde_json::to_string(&message)?;
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(20)))
        .build()
        .into();
    agent
        .post(address)
        .header("content-type", "application/json")
        .send(body)
        .with_context(|| format!("--webhook {address}: the alerts could not be delivered"))?;
    note(&format!("sent {} alerts", found.alerts.len()));
    Ok(())
}

fn table(found: &DriftReport) -> Table {
    let mut table = Table::new();
    table.block(format!(
        "{}: {} sessions beside {} of the {}",
        found.model,
        found.sessions,
        found.reference_sessions,
        if found.reference == "data" {
            "reference"
        } else {
            "training"
        }
    ));
    table.row(["", "PSI", "distance", "p", ""]);
    let row = |column: &propense_train::ColumnDrift| {
        [
            column.name.clone(),
            format!("{:.3}", column.psi),
            format!("{:.3}", column.apart),
            format!("{:.1e}", column.p),
            column.standing().to_owned(),
        ]
    };
    table.row(row(&found.scores));
    for column in found.columns.iter().take(SHOWN) {
        table.row(row(column));
    }
    if let Some(rest) = found.columns.len().checked_sub(SHOWN + 1) {
        table.row([format!("and {} more, which moved less", rest + 1)]);
    }
    table.block("outcomes");
    let labels = found.labels;
    table.row([
        "share of sessions with an order".to_owned(),
        format!(
            "{:.4} after {:.4}, p {:.1e}",
            labels.recent, labels.reference, labels.p
        ),
    ]);
    table.row(["log-loss".to_owned(), format!("{:.4}", found.log_loss)]);
    let whole = found.calibration_whole.iter();
    let whole = whole.filter(|_| found.calibration.len() > 1);
    for window in found.calibration.iter().chain(whole) {
        let from = match found.timed {
            true => format!(" from {}", report::day(window.from_ms)),
            false => String::new(),
        };
        table.row([
            format!("of {} sessions{from}", window.sessions),
            format!(
                "{:.1} orders expected, {} came, p {:.1e}",
                window.expected, window.observed, window.p
            ),
        ]);
    }
    if let Some(words) = found.no_refit() {
        table.row(["refitted calibration", words]);
    }
    if let Some(refit) = &found.recalibration {
        let loss = refit.judged.log_loss;
        table.row([
            "refitted calibration".to_owned(),
            format!(
                "log-loss {:.4} after {:.4} on {} newer scores, p {:.4}: {}",
                loss.after,
                loss.before,
                refit.judged.n,
                loss.p_better,
                if refit.proposed {
                    "proposed"
                } else {
                    "not proven better"
                }
            ),
        ]);
    }
    table
}
