//! From which probability on a session counts as likely to buy.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::TrainError;
use crate::metrics::{best_f1_threshold, descending};

/// Fewest scores that a precision is believed from.
const FEWEST: usize = 20;

/// What the threshold is for. All but the last two are fitted on the validation part.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum ThresholdRule {
    /// The highest F1.
    #[default]
    F1,
    /// The most orders found while at least this share of what is found are orders.
    Precision(f32),
    /// The most gained, where acting on a session that ends in an order brings `gain` and on another
    /// costs `cost`: `cost / (gain + cost)`, which calibrated probabilities need no fit for (Elkan
    /// 2001).
    Cost {
        /// What acting brings on a session that ends in an order.
        gain: f32,
        /// What acting costs on any other.
        cost: f32,
    },
    /// This probability.
    At(f32),
}

impl ThresholdRule {
    /// The threshold for these calibrated scores, and whether the rule could be kept: no threshold may
    /// reach a precision. Then it is the one with the highest.
    pub(crate) fn choose(self, probabilities: &[f32], labels: &[bool]) -> (f32, bool) {
        match self {
            Self::F1 => (best_f1_threshold(probabilities, labels), true),
            Self::Precision(wanted) => precise(probabilities, labels, f64::from(wanted)),
            Self::Cost { gain, cost } => (cost / (gain + cost), true),
            Self::At(probability) => (probability, true),
        }
    }
}

/// The lowest threshold with this precision among those that find at least [`FEWEST`] scores.
fn precise(probabilities: &[f32], labels: &[bool], wanted: f64) -> (f32, bool) {
    let order = descending(probabilities);
    let score = |place: usize| {
        let index = *order.get(place)?;
        probabilities.get(index).copied()
    };
    let (mut reached, mut highest) = (None, (0.0, 0.5));
    let mut orders = 0usize;
    for (place, &index) in order.iter().enumerate() {
        orders += usize::from(labels.get(index).copied().unwrap_or(false));
        let taken = place + 1;
        let (Some(here), next) = (score(place), score(taken)) else {
            break;
        };
        if taken < FEWEST.min(order.len()) || next == Some(here) {
            continue;
        }
        let precision = orders as f64 / taken as f64;
        // Halfway to the next score, so that one that moves in its last digit does not change sides.
        let threshold = next.map_or(here / 2.0, |next| next + (here - next) / 2.0);
        // A share as it is written, 0.8, is no binary number.
        if precision >= wanted - 1e-6 {
            reached = Some(threshold);
        }
        if precision > highest.0 {
            highest = (precision, threshold);
        }
    }
    match reached {
        Some(threshold) => (threshold, true),
        None => (highest.1, false),
    }
}

impl fmt::Display for ThresholdRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::F1 => f.write_str("f1"),
            Self::Precision(share) => write!(f, "precision:{share}"),
            Self::Cost { gain, cost } => write!(f, "cost:{gain}:{cost}"),
            Self::At(probability) => write!(f, "{probability}"),
        }
    }
}

impl FromStr for ThresholdRule {
    type Err = TrainError;

    fn from_str(text: &str) -> Result<Self, TrainError> {
        let wrong = || TrainError::Option {
            option: "--threshold",
            reason: format!(
                "`{text}` is none of f1, precision:SHARE (above 0, up to 1), cost:GAIN:COST (both above 0; \
                 cost:4:1 where acting on a buyer brings four times what it costs on another) and a \
                 probability between 0 and 1"
            ),
        };
        let number = |text: &str| text.parse::<f32>().map_err(|_| wrong());
        let parts: Vec<&str> = text.split(':').collect();
        let rule = match parts[..] {
            ["f1"] => Self::F1,
            ["precision", share] => Self::Precision(number(share)?),
            ["cost", gain, cost] => Self::Cost {
                gain: number(gain)?,
                cost: number(cost)?,
            },
            [probability] => Self::At(number(probability)?),
            _ => return Err(wrong()),
        };
        let sound = match rule {
            Self::F1 => true,
            Self::Precision(share) => 0.0 < share && share <= 1.0,
            Self::Cost { gain, cost } => {
                let positive = |number: f32| number.is_finite() && number > 0.0;
                positive(gain) && positive(cost)
            }
            Self::At(probability) => 0.0 < probability && probability < 1.0,
        };
        if sound { Ok(rule) } else { Err(wrong()) }
    }
}

impl From<ThresholdRule> for String {
    fn from(rule: ThresholdRule) -> Self {
        rule.to_string()
    }
}

impl TryFrom<String> for ThresholdRule {
    type Error = TrainError;

    fn try_from(text: String) -> Result<Self, TrainError> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_threshold_with_the_precision_asked_for() {
        // A hundred scores, the highest forty all orders, the rest none.
        let probabilities: Vec<f32> = (0..100).map(|i| 1.0 - i as f32 / 100.0).collect();
        let labels: Vec<bool> = (0..100).map(|i| i < 40).collect();
        let check = |wanted: f32, taken: usize, kept: bool| {
            let (threshold, found) =
                ThresholdRule::Precision(wanted).choose(&probabilities, &labels);
            let count = probabilities.iter().filter(|p| **p >= threshold).count();
            assert_eq!((count, found), (taken, kept), "{wanted}");
        };
        check(1.0, 40, true);
        check(0.8, 50, true);
        check(0.4, 100, true);
        // Turned around nothing is precise: the best that there is, all of them.
        let turned: Vec<bool> = labels.iter().map(|order| !order).collect();
        let rule = ThresholdRule::Precision(0.9);
        let (threshold, found) = rule.choose(&probabilities, &turned);
        assert!(!found && threshold < 0.02, "{threshold}");
    }

    #[test]
    fn acting_pays_from_cost_over_gain_and_cost_on() {
        let rule: ThresholdRule = "cost:4:1".parse().expect("a rule");
        assert_eq!(rule.choose(&[], &[]), (0.2, true));
        let rule: ThresholdRule = "0.35".parse().expect("a rule");
        assert_eq!(rule.choose(&[], &[]), (0.35, true));
    }

    #[test]
    fn rules_are_written_as_they_are_read_and_wrong_ones_named() {
        for text in ["f1", "precision:0.5", "cost:4:1", "0.25"] {
            let rule: ThresholdRule = text.parse().expect(text);
            assert_eq!(rule.to_string(), text);
        }
        for text in [
            "",
            "f2",
            "precision:0",
            "precision:2",
            "cost:1",
            "cost:0:1",
            "1",
            "nan",
            "0",
        ] {
            let error = text.parse::<ThresholdRule>().expect_err(text);
            assert!(error.to_string().contains("--threshold"), "{error}");
        }
    }
}
