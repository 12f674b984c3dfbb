//! From logits to decisions: which curve makes probabilities of them, and from which probability on a
//! session counts as likely to buy.

mod isotonic;
mod threshold;

use std::fmt;
use std::str::FromStr;

use propense_model::{Calibration, Manifest};
use serde::{Deserialize, Serialize};

use crate::TrainError;
use crate::calibrate::{Scaling, cross_entropy};

pub use threshold::ThresholdRule;

/// Turns by which the kinds of calibration are compared.
const TURNS: usize = 5;

/// The least and the most that a calibrated probability is taken for in a log-loss.
const EDGE: f64 = 1e-6;

/// The curve from logit to probability.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CalibrationKind {
    /// The logistic function, as trained.
    None,
    /// A factor on the logit (Guo et al. 2017).
    Temperature,
    /// Factor and offset (Platt 1999); the factor alone where one outcome is rare.
    #[default]
    Platt,
    /// Any curve that does not fall (Zadrozny and Elkan 2002): for some thousand outcomes and more.
    Isotonic,
    /// The one of these with the lowest log-loss where it was not fitted, by turns.
    Best,
}

impl CalibrationKind {
    /// Those that can be fitted.
    const FITTED: [Self; 4] = [Self::None, Self::Temperature, Self::Platt, Self::Isotonic];

    /// The name, as `--calibration` takes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Temperature => "temperature",
            Self::Platt => "platt",
            Self::Isotonic => "isotonic",
            Self::Best => "best",
        }
    }

    fn fit(self, scores: &Scores<'_>) -> Calibration {
        let Scores {
            logits,
            labels,
            weights,
            ..
        } = *scores;
        match self {
            Self::None => Calibration::Identity,
            Self::Temperature => of(Scaling::fit_slope(logits, labels, weights)),
            Self::Platt | Self::Best => of(Scaling::fit_weighted(logits, labels, weights)),
            Self::Isotonic => isotonic::fit(logits, labels, weights),
        }
    }
}

impl fmt::Display for CalibrationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for CalibrationKind {
    type Err = TrainError;

    fn from_str(text: &str) -> Result<Self, TrainError> {
        let all = [&Self::FITTED[..], &[Self::Best]].concat();
        let found = all.iter().copied().find(|kind| kind.name() == text);
        found.ok_or_else(|| {
            let names: Vec<&str> = all.iter().map(|kind| kind.name()).collect();
            TrainError::Option {
                option: "--calibration",
                reason: format!("`{text}` is none of {}", names.join(", ")),
            }
        })
    }
}

/// How a model's scores are read.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Deciding {
    /// From logit to probability.
    pub calibration: CalibrationKind,
    /// From which probability on a session counts as likely to buy.
    pub threshold: ThresholdRule,
}

impl Deciding {
    /// As this bundle was made; the default where it does not say.
    pub(crate) fn of(manifest: &Manifest) -> Self {
        let settings = manifest.metrics.get("settings");
        let told = |key: &str| settings.and_then(|settings| settings.get(key)?.as_str());
        Self {
            calibration: told("calibration")
                .and_then(|text| text.parse().ok())
                .unwrap_or_default(),
            threshold: told("threshold")
                .and_then(|text| text.parse().ok())
                .unwrap_or_default(),
        }
    }
}

/// A kind of calibration where it was not fitted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CalibrationTrial {
    /// The kind.
    pub kind: CalibrationKind,
    /// Log-loss of each fifth of the users, fitted on the others.
    pub log_loss: f64,
}

/// Scores to be calibrated, each with its weight and the number of its user's part.
#[derive(Clone, Copy)]
pub(crate) struct Scores<'a> {
    pub(crate) logits: &'a [f32],
    pub(crate) labels: &'a [bool],
    pub(crate) weights: &'a [f32],
    pub(crate) parts: &'a [usize],
}

/// The calibration of this kind, and what each kind gives by turns.
pub(crate) fn calibrated(
    kind: CalibrationKind,
    scores: &Scores<'_>,
) -> (Calibration, Vec<CalibrationTrial>) {
    let trials: Vec<CalibrationTrial> = CalibrationKind::FITTED
        .into_iter()
        .map(|kind| CalibrationTrial {
            kind,
            log_loss: by_turns(kind, scores),
        })
        .collect();
    let kind = match kind {
        CalibrationKind::Best => trials
            .iter()
            .min_by(|a, b| a.log_loss.total_cmp(&b.log_loss))
            .map_or(kind, |trial| trial.kind),
        named => named,
    };
    (kind.fit(scores), trials)
}

fn by_turns(kind: CalibrationKind, scores: &Scores<'_>) -> f64 {
    let (mut sum, mut total) = (0.0, 0.0);
    for turn in 0..TURNS {
        let mut learnt = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut judged = Vec::new();
        let outcomes = scores.labels.iter().zip(scores.weights);
        let all = scores.logits.iter().zip(outcomes).zip(scores.parts);
        for ((logit, (label, weight)), part) in all {
            if part % TURNS == turn {
                judged.push((*logit, *label, *weight));
            } else {
                learnt.0.push(*logit);
                learnt.1.push(*label);
                learnt.2.push(*weight);
                learnt.3.push(*part);
            }
        }
        let calibration = kind.fit(&Scores {
            logits: &learnt.0,
            labels: &learnt.1,
            weights: &learnt.2,
            parts: &learnt.3,
        });
        for (logit, label, weight) in judged {
            let p = f64::from(calibration.apply(logit)).clamp(EDGE, 1.0 - EDGE);
            let target = f64::from(u8::from(label));
            sum += f64::from(weight) * cross_entropy((p / (1.0 - p)).ln(), target);
            total += f64::from(weight);
        }
    }
    sum / f64::max(total, 1e-9)
}

/// The scaling as a bundle names it.
pub(crate) fn of(scaling: Scaling) -> Calibration {
    if scaling == Scaling::IDENTITY {
        Calibration::Identity
    } else if scaling.offset == 0.0 {
        Calibration::Temperature {
            temperature: 1.0 / scaling.slope,
        }
    } else {
        Calibration::Platt {
            a: scaling.slope,
            b: scaling.offset,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibrate::sigmoid;

    /// Outcomes drawn by a law from evenly spread logits, without chance: of the scores near a
    /// logit, as many orders as the law says.
    fn drawn(law: impl Fn(f64) -> f64) -> (Vec<f32>, Vec<bool>) {
        let mut owed = 0.0;
        (0..8000)
            .map(|i| {
                let logit = f64::from(i % 400) / 50.0 - 4.0;
                owed += law(logit);
                let order = owed >= 1.0;
                owed -= f64::from(u8::from(order));
                (logit as f32, order)
            })
            .unzip()
    }

    fn check(law: impl Fn(f64) -> f64 + Copy, expected: CalibrationKind) {
        let (logits, labels) = drawn(law);
        let weights = vec![1.0; logits.len()];
        let parts: Vec<usize> = (0..logits.len()).map(|i| i / 400).collect();
        let scores = Scores {
            logits: &logits,
            labels: &labels,
            weights: &weights,
            parts: &parts,
        };
        let (best, trials) = calibrated(CalibrationKind::Best, &scores);
        let named = calibrated(expected, &scores).0;
        assert_eq!(best, named, "{trials:?}");
        for logit in [-3.0, -1.0, 0.5, 2.5f32] {
            let found = f64::from(best.apply(logit));
            let true_one = law(f64::from(logit));
            assert!(
                (found - true_one).abs() < 0.03,
                "{found} for {true_one} at {logit}"
            );
        }
    }

    #[test]
    fn the_best_kind_is_the_one_that_the_outcomes_follow() {
        check(|z| sigmoid(0.5 * z), CalibrationKind::Temperature);
        check(|z| sigmoid(0.5 * z - 1.5), CalibrationKind::Platt);
        // A step: no line of logits is like it.
        check(
            |z| if z < 0.0 { 0.1 } else { 0.6 },
            CalibrationKind::Isotonic,
        );
    }

    #[test]
    fn a_rule_is_read_as_it_is_written() {
        for text in ["none", "temperature", "platt", "isotonic", "best"] {
            let kind: CalibrationKind = text.parse().expect("a kind");
            assert_eq!(kind.to_string(), text);
        }
        let error = "beta".parse::<CalibrationKind>().expect_err("unknown");
        assert!(error.to_string().contains("isotonic"), "{error}");
    }
}
