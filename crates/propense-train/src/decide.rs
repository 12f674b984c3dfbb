//! From logits to decisions: which curve makes probabilities of them, and from which probability on a
//! session counts as likely to buy.

mod isotonic;
mod threshold;

use std::fmt;
use std::str::FromStr;

use propense_model::{Calibration, Manifest};
use serde::{Deserialize, Serialize};

use crate::TrainError;
use crate::calibrate::{Scaling, counts, cross_entropy};

pub use threshold::ThresholdRule;

/// Turns by which the kinds of calibration are compared.
const TURNS: usize = 5;

/// The least and the most that a calibrated probability is taken for in a log-loss.
const EDGE: f64 = 1e-6;

/// Orders, and others, from which on the best calibration may be an isotonic one.
const ENOUGH_FOR_CURVE: f64 = 500.0;

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
    /// The one of these with the lowest log-loss where it was not fitted, by turns; isotonic where at
    /// least 500 orders and as many others were held out.
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

    fn fit(self, held_out: &HeldOut) -> Calibration {
        let HeldOut {
            logits,
            labels,
            weights,
            ..
        } = held_out;
        match self {
            Self::None => Calibration::Identity,
            Self::Temperature => of(Scaling::fit_slope(logits, labels, weights)),
            Self::Platt => of(Scaling::fit_weighted(logits, labels, weights)),
            Self::Isotonic => isotonic::fit(logits, labels, weights),
            Self::Best => held_out.kind(self, &held_out.trials()).fit(held_out),
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

/// Scores of what was not learnt from, each with its outcome, its weight and the number of its user's part.
#[derive(Debug, Default)]
pub(crate) struct HeldOut {
    pub(crate) logits: Vec<f32>,
    pub(crate) labels: Vec<bool>,
    pub(crate) weights: Vec<f32>,
    pub(crate) parts: Vec<usize>,
}

impl HeldOut {
    /// The calibration of this kind.
    pub(crate) fn calibration(&self, kind: CalibrationKind) -> Calibration {
        kind.fit(self)
    }

    /// The kind asked for, or where the best is asked for the best of these trials. A curve of steps,
    /// which few outcomes bend as they happen to fall and which makes equal what was ranked, is taken
    /// where there are enough of them alone.
    pub(crate) fn kind(
        &self,
        asked: CalibrationKind,
        trials: &[CalibrationTrial],
    ) -> CalibrationKind {
        if asked != CalibrationKind::Best {
            return asked;
        }
        let (orders, others) = counts(&self.labels, &self.weights);
        let curve = orders.min(others) >= ENOUGH_FOR_CURVE;
        let apt = |trial: &&CalibrationTrial| curve || trial.kind != CalibrationKind::Isotonic;
        trials
            .iter()
            .filter(apt)
            .min_by(|a, b| a.log_loss.total_cmp(&b.log_loss))
            .map_or(CalibrationKind::default(), |trial| trial.kind)
    }

    /// What each kind gives by turns.
    pub(crate) fn trials(&self) -> Vec<CalibrationTrial> {
        let mut sums = [0.0; CalibrationKind::FITTED.len()];
        for turn in 0..TURNS {
            let (judged, learnt) = (
                self.only(|part| part == turn),
                self.only(|part| part != turn),
            );
            for (sum, kind) in sums.iter_mut().zip(CalibrationKind::FITTED) {
                *sum += judged.loss(&learnt.calibration(kind));
            }
        }
        let total: f64 = self.weights.iter().map(|weight| f64::from(*weight)).sum();
        let trial = |(kind, sum): (CalibrationKind, f64)| CalibrationTrial {
            kind,
            log_loss: sum / total.max(1e-9),
        };
        CalibrationKind::FITTED
            .into_iter()
            .zip(sums)
            .map(trial)
            .collect()
    }

    /// Adds others.
    pub(crate) fn join(&mut self, other: Self) {
        self.logits.extend(other.logits);
        self.labels.extend(other.labels);
        self.weights.extend(other.weights);
        self.parts.extend(other.parts);
    }

    /// The scores whose part, counted round after [`TURNS`], is wanted.
    fn only(&self, wanted: impl Fn(usize) -> bool) -> Self {
        let mut found = Self::default();
        let outcomes = self.labels.iter().zip(&self.weights);
        let all = self.logits.iter().zip(outcomes).zip(&self.parts);
        for ((logit, (label, weight)), part) in all.filter(|(_, part)| wanted(*part % TURNS)) {
            found.logits.push(*logit);
            found.labels.push(*label);
            found.weights.push(*weight);
            found.parts.push(*part);
        }
        found
    }

    /// Sum of the weighted losses.
    fn loss(&self, calibration: &Calibration) -> f64 {
        let outcomes = self.labels.iter().zip(&self.weights);
        let losses = self
            .logits
            .iter()
            .zip(outcomes)
            .map(|(logit, (label, weight))| {
                let p = f64::from(calibration.apply(*logit)).clamp(EDGE, 1.0 - EDGE);
                let target = f64::from(u8::from(*label));
                f64::from(*weight) * cross_entropy((p / (1.0 - p)).ln(), target)
            });
        losses.sum()
    }
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
        let held_out = HeldOut {
            weights: vec![1.0; logits.len()],
            parts: (0..logits.len()).map(|i| i / 400).collect(),
            logits,
            labels,
        };
        let best = held_out.calibration(CalibrationKind::Best);
        let named = held_out.calibration(expected);
        assert_eq!(best, named, "{:?}", held_out.trials());
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
    fn few_outcomes_are_not_bent_to() {
        // The same step, of which a curve of steps would still forecast best, seen 300 times.
        let law = |z: f64| if z < 0.0 { 0.1 } else { 0.6 };
        let (logits, labels) = drawn(law);
        let few = |list: &[f32]| list.iter().step_by(27).copied().collect::<Vec<f32>>();
        let held_out = HeldOut {
            logits: few(&logits),
            labels: labels.iter().step_by(27).copied().collect(),
            weights: vec![1.0; 8000usize.div_ceil(27)],
            parts: (0..8000usize.div_ceil(27)).map(|i| i / 20).collect(),
        };
        let trials = held_out.trials();
        let lowest = trials
            .iter()
            .min_by(|a, b| a.log_loss.total_cmp(&b.log_loss));
        assert_eq!(
            lowest.map(|trial| trial.kind),
            Some(CalibrationKind::Isotonic)
        );
        let best = held_out.kind(CalibrationKind::Best, &trials);
        assert_ne!(best, CalibrationKind::Isotonic);
        let named = held_out.kind(CalibrationKind::Isotonic, &trials);
        assert_eq!(named, CalibrationKind::Isotonic);
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
