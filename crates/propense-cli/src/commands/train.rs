//! `propense train`

mod catalogue;

use std::path::{Path, PathBuf};

use anyhow::Context;
use propense_model::{Arithmetic, Precision};
use propense_train::{
    CalibrationKind, CalibrationTrial, FitReport, FitRequest, Preset, StopReason, TrainError,
    fit_bundle,
};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{Failure, Outcome, resolve};
use crate::args::{ArithmeticArg, PrecisionArg, TrainArgs};
use crate::destinations;
use crate::output::{Output, Table, note, warn, write_file};
use crate::{interrupt, progress};

use catalogue::catalogue;

pub(crate) fn run(args: &TrainArgs) -> Outcome {
    destinations::check(
        [
            ("--out", Some(&args.out)),
            ("--json", args.json.json.as_ref()),
        ],
        args.data.iter().chain(&args.catalogue),
    )?;
    let name = match &args.name {
        Some(name) => name.clone(),
        None => args.out.file_stem().map_or_else(
            || "model".to_owned(),
            |stem| stem.to_string_lossy().into_owned(),
        ),
    };
    let created_at = created_at(args.created_at.as_deref())?;
    let checkpoint = args.fitting.checkpoint.clone();
    let checkpoint = checkpoint.unwrap_or_else(|| beside(&args.out));
    // `base` keeps no state; where one is asked for, that is refused with its reason.
    let keeps = args.fitting.preset.as_deref() != Some(Preset::Base.name());
    let mut fitting = args.fitting.clone();
    if keeps {
        fitting.checkpoint = Some(checkpoint.clone());
    }
    let precision = precision(args.precision);
    let mut request = FitRequest {
        precision,
        name,
        licence: args.licence.clone(),
        created_at,
        deciding: resolve::deciding(&args.deciding)?,
        ..resolve::request(&args.task, Preset::Seed, &fitting)?
    };
    request.training.arithmetic = arithmetic(args.arithmetic, &request)?;
    // Before any training: a mistake in the command.
    let named = args.catalogue.as_deref().map(catalogue).transpose()?;
    let data = resolve::data(&args.data, &args.reading)?;
    let mut observer = progress::observer(&format!("train {}", args.task), args.fitting.plain);
    let fitted = fit_bundle(&data, &request, observer.as_mut());
    // Gives the terminal back before anything is printed.
    drop(observer);
    let mut fitted = fitted?;
    fitted.bundle.manifest.catalogue = named;
    let bytes = fitted
        .bundle
        .to_bytes(precision)
        .with_context(|| args.out.display().to_string())?;
    write_file(&args.out, &bytes)?;
    Output::new(&args.json).finish(&table(&fitted.report), &fitted.report)?;
    warn(fitted.report.adversarial.as_ref());
    note(&format!(
        "wrote {} ({} bytes)",
        args.out.display(),
        bytes.len()
    ));
    let done = fitted.report.history.len();
    if fitted.report.stopped == StopReason::Interrupted && !keeps {
        let message = format!("interrupted: the bundle holds the best of {done} epochs");
        return Err(Failure::Interrupted(message));
    }
    if fitted.report.stopped == StopReason::Interrupted {
        return Err(Failure::Interrupted(format!(
            "interrupted: the bundle holds the best of {done} epochs; the same command with --resume \
             goes on from where it was ({})",
            checkpoint.display()
        )));
    }
    if interrupt::asked() {
        let message =
            format!("interrupted after the last of {done} epochs: the bundle is complete");
        return Err(Failure::Interrupted(message));
    }
    Ok(())
}

/// The checkpoint's folder where none is named: beside the bundle.
fn beside(out: &Path) -> PathBuf {
    let mut name = out.as_os_str().to_owned();
    name.push(".checkpoint");
    PathBuf::from(name)
}

/// In what numbers training computes, where the device can.
fn arithmetic(named: ArithmeticArg, request: &FitRequest) -> Outcome<Arithmetic> {
    if named == ArithmeticArg::F32 {
        return Ok(Arithmetic::F32);
    }
    if request.preset == Preset::Base {
        let why = "--arithmetic mixed belongs to --preset seed";
        return Err(Failure::Usage(why.to_owned()));
    }
    let device = &request.device.device;
    Arithmetic::Mixed.check(device).map_err(TrainError::from)?;
    Ok(Arithmetic::Mixed)
}

/// How the weights are stored.
pub(super) const fn precision(named: PrecisionArg) -> Precision {
    match named {
        PrecisionArg::F32 => Precision::F32,
        PrecisionArg::F16 => Precision::F16,
        PrecisionArg::Int8 => Precision::Int8,
        PrecisionArg::Int5 => Precision::Int5,
    }
}

/// What decides, and what other calibrations would give. Shared with `eval`.
pub(super) fn deciding(
    threshold: f64,
    (used, calibrations): (CalibrationKind, &[CalibrationTrial]),
    table: &mut Table,
) {
    table.block(format!("threshold {threshold:.4}, calibration {used}"));
    if calibrations.is_empty() {
        return;
    }
    table.block("log-loss by kind of calibration on all that was held out to calibrate by, where it is not fitted");
    for trial in calibrations {
        table.row([trial.kind.to_string(), format!("{:.4}", trial.log_loss)]);
    }
}

/// The time to write into the bundle.
pub(super) fn created_at(given: Option<&str>) -> Outcome<String> {
    let time = match given {
        Some(text) => OffsetDateTime::parse(text, &Rfc3339).map_err(|_| {
            Failure::Usage(format!(
                "--created-at: `{text}` is not a time like 2026-01-31T12:00:00Z"
            ))
        })?,
        None => OffsetDateTime::now_utc()
            .replace_nanosecond(0)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH),
    };
    let text = time.format(&Rfc3339).context("formatting the time")?;
    Ok(text)
}

fn table(report: &FitReport) -> Table {
    let mut table = Table::new();
    table.block(format!(
        "{} on {}: {} parameters, best epoch {} of {}, {:.0} samples/s",
        report.task,
        report.device,
        report.parameters,
        report.best_epoch,
        report.history.len(),
        report.samples_per_second
    ));
    table.row([
        "part",
        "measured",
        "examples",
        "base rate",
        "ROC-AUC",
        "PR-AUC",
        "F1",
        "log-loss",
        "base-rate log-loss",
        "ECE",
    ]);
    for entry in &report.metrics {
        let m = &entry.metrics;
        table.row([
            entry.part.clone(),
            entry.position.clone(),
            m.n.to_string(),
            format!("{:.4}", m.base_rate),
            format!("{:.4}", m.auc),
            format!("{:.4}", m.pr_auc),
            format!("{:.4}", m.f1),
            format!("{:.4}", m.log_loss),
            format!("{:.4}", m.base_rate_log_loss),
            format!("{:.4}", m.ece),
        ]);
    }
    let calibrated = (report.calibrated_by, report.calibrations.as_slice());
    deciding(report.threshold.into(), calibrated, &mut table);
    table.validation(&report.validation);
    table.adversarial(report.adversarial.as_ref());
    table
}
