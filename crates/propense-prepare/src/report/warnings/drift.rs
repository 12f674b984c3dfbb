//! Whether the later part of the time is like the earlier.

use super::{Severity, Warning};
use crate::report::drift::{Drift, LABEL_RATE, Part};
use crate::report::figures::DataReport;
use crate::report::share;
use crate::report::words::{list, percent};

/// A population stability index from which a shift is called major (the custom of credit scoring,
/// Siddiqi, "Credit risk scorecards", 2006).
const MAJOR: f64 = 0.25;

/// How many times what chance gives an index must be.
const ABOVE_CHANCE: f64 = 3.0;

/// Change of the base rate, relative to that of the training part.
const RATE_CHANGE: f64 = 0.25;

/// How many standard errors a change must be.
const STANDARD_ERRORS: f64 = 4.0;

pub(super) fn warnings(report: &DataReport) -> Vec<Warning> {
    let Some(drift) = &report.drift else {
        return Vec::new();
    };
    [base_rate(drift), features(drift)]
        .into_iter()
        .flatten()
        .collect()
}

fn base_rate(drift: &Drift) -> Option<Warning> {
    let [train, later @ ..] = drift.parts.as_slice() else {
        return None;
    };
    let rate = |part: &Part| share(part.order_sessions, part.sessions);
    let reference = rate(train);
    let moved: Vec<&Part> = later
        .iter()
        .filter(|part| {
            let change = (rate(part) - reference).abs();
            let all = share(
                part.order_sessions + train.order_sessions,
                part.sessions + train.sessions,
            );
            let error =
                (all * (1.0 - all) * (1.0 / part.sessions as f64 + 1.0 / train.sessions as f64))
                    .sqrt();
            change > RATE_CHANGE * reference && change > STANDARD_ERRORS * error
        })
        .collect();
    let worst = moved.iter().max_by(|a, b| {
        (rate(a) - reference)
            .abs()
            .total_cmp(&(rate(b) - reference).abs())
    })?;
    let rates: Vec<String> = drift.parts.iter().map(|part| percent(rate(part))).collect();
    Some(
        Warning::new("base_rate_shift", Severity::Caution, "The base rate moves")
            .text(format!(
                "The share of sessions with an order is {} in the first 70 % of the time, the next \
                 15 % and the last 15 %.",
                list(&rates, 3)
            ))
            .remedy(
                "Probabilities learnt on the first part will be wrong on the last: a season, a \
                 campaign, or recording that changed. Learn on a period like the one to come, \
                 calibrate on the latest, and watch the calibration error.",
            )
            .figure("train", reference)
            .figure("moved_to", rate(worst)),
    )
}

fn features(drift: &Drift) -> Option<Warning> {
    let moved: Vec<_> = drift
        .features
        .iter()
        .filter(|feature| {
            let index = feature.validation.max(feature.test);
            feature.feature != LABEL_RATE
                && feature.comparable
                && index > MAJOR
                && index > ABOVE_CHANCE * feature.noise
        })
        .collect();
    let most = moved
        .iter()
        .map(|feature| feature.validation.max(feature.test))
        .fold(0.0, f64::max);
    if moved.is_empty() {
        return None;
    }
    let names: Vec<String> = moved
        .iter()
        .map(|feature| {
            format!(
                "{} ({:.2})",
                feature.feature,
                feature.validation.max(feature.test)
            )
        })
        .collect();
    Some(
        Warning::new(
            "feature_drift",
            Severity::Caution,
            "The later part of the time is different",
        )
        .text(format!(
            "Between the first 70 % of the time and what follows, these moved by more than \
                 {MAJOR} (population stability index): {}.",
            list(&names, 8)
        ))
        .remedy(
            "See the comparison below. If recording changed on a day, begin after it; if the \
                 shop changed, expect a model to be worse than its test says.",
        )
        .figure("features", moved.len() as f64)
        .figure("most", most),
    )
}
