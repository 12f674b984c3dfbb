//! From logits to probabilities.

use serde::{Deserialize, Serialize};

/// How a logit becomes a probability. Fitted on validation sessions by log-loss.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Calibration {
    /// The logistic function, as trained.
    #[default]
    Identity,
    /// The logistic function of `logit / temperature` (Guo et al. 2017).
    Temperature {
        /// Above zero; more than one makes the scores less extreme.
        temperature: f32,
    },
    /// The logistic function of `a · logit + b` (Platt 1999).
    Platt {
        /// Slope.
        a: f32,
        /// Offset.
        b: f32,
    },
    /// A rising curve through points, linear between them and level beyond them.
    Isotonic {
        /// Logits, strictly rising.
        x: Vec<f32>,
        /// Probabilities at those logits, never falling.
        y: Vec<f32>,
    },
}

impl Calibration {
    /// The probability for this logit, in [0, 1].
    #[must_use]
    pub fn apply(&self, logit: f32) -> f32 {
        match self {
            Self::Identity => logistic(logit),
            Self::Temperature { temperature } => logistic(logit / temperature),
            Self::Platt { a, b } => logistic(a * logit + b),
            Self::Isotonic { x, y } => interpolate(x, y, logit),
        }
    }

    /// What is wrong with it, where something is.
    pub(super) fn problem(&self) -> Option<&'static str> {
        let sound = match self {
            Self::Identity => true,
            Self::Temperature { temperature } => temperature.is_finite() && *temperature > 0.0,
            Self::Platt { a, b } => a.is_finite() && b.is_finite(),
            Self::Isotonic { x, y } => {
                !x.is_empty()
                    && x.len() == y.len()
                    && x.iter().all(|value| value.is_finite())
                    && x.windows(2).all(|pair| pair[0] < pair[1])
                    && y.iter().all(|value| (0.0..=1.0).contains(value))
                    && y.windows(2).all(|pair| pair[0] <= pair[1])
            }
        };
        (!sound).then_some(match self {
            Self::Identity => "",
            Self::Temperature { .. } => "temperature must be finite and above zero",
            Self::Platt { .. } => "a and b must be finite",
            Self::Isotonic { .. } => {
                "x must rise strictly, y must not fall and lie in [0, 1], both of one length"
            }
        })
    }
}

fn logistic(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}

/// The value at `at` of the line through the points (x, y), level beyond its ends.
fn interpolate(x: &[f32], y: &[f32], at: f32) -> f32 {
    let above = x.partition_point(|&x| x <= at);
    let point = |index: usize| Some((*x.get(index)?, *y.get(index)?));
    match (above.checked_sub(1).and_then(point), point(above)) {
        (Some((x0, y0)), Some((x1, y1))) => y0 + (y1 - y0) * ((at - x0) / (x1 - x0)),
        (Some((_, y)), None) | (None, Some((_, y))) => y,
        (None, None) => logistic(at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_gives_its_curve() {
        let check = |calibration: &Calibration, logit: f32, expected: f32| {
            let found = calibration.apply(logit);
            assert!(
                (found - expected).abs() < 1e-6,
                "{calibration:?} at {logit}: {found}"
            );
        };
        check(&Calibration::Identity, 0.0, 0.5);
        check(&Calibration::Identity, -200.0, 0.0);
        check(
            &Calibration::Temperature { temperature: 2.0 },
            2.0,
            0.731_058_6,
        );
        check(&Calibration::Platt { a: -1.0, b: 1.0 }, 1.0, 0.5);
        let isotonic = Calibration::Isotonic {
            x: vec![-1.0, 0.0, 2.0],
            y: vec![0.1, 0.3, 0.9],
        };
        check(&isotonic, -5.0, 0.1);
        check(&isotonic, -0.5, 0.2);
        check(&isotonic, 0.0, 0.3);
        check(&isotonic, 1.0, 0.6);
        check(&isotonic, 5.0, 0.9);
    }

    #[test]
    fn unsound_curves_are_named() {
        let check = |calibration: Calibration| assert!(calibration.problem().is_some());
        check(Calibration::Temperature { temperature: 0.0 });
        check(Calibration::Temperature {
            temperature: f32::NAN,
        });
        check(Calibration::Platt {
            a: f32::INFINITY,
            b: 0.0,
        });
        for (x, y) in [
            (vec![], vec![]),
            (vec![0.0, 1.0], vec![0.0]),
            (vec![1.0, 0.0], vec![0.0, 1.0]),
            (vec![0.0, 1.0], vec![1.0, 0.0]),
            (vec![0.0, 1.0], vec![0.0, 2.0]),
        ] {
            check(Calibration::Isotonic { x, y });
        }
        assert!(Calibration::Identity.problem().is_none());
    }
}
