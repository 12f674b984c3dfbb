//! How long it takes until the next event, and what a wait so far leaves of that.

use crate::{FeatureSpec, Measure, Normal, RowFeature, Transform};

/// Gaps that stand for the distribution.
const POINTS: u32 = 16;

/// Standard deviations from the mean within which nearly all of a normal distribution lies.
const REACH: f64 = 4.0;

/// Beyond its reach, the least width (in standard deviations) that is looked at: the tail of a
/// normal distribution thins out ever faster.
const TAIL: f64 = 1.0;

/// The time from one event of a session to the next, as training saw it: the specification's
/// [`Measure::Gap`] is normal after its transform, with the fitted mean and deviation.
///
/// A row tells how long its event was waited for, so a model knows nothing of the time that has
/// passed since the newest event. But that time tells something about the next row: its gap will
/// be at least as long. [`Wait::gaps`] lists the gaps that are still possible with their weights,
/// so that a caller can average what the model would say after each of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wait {
    transform: Transform,
    normal: Normal,
    longest: f64,
}

impl Wait {
    /// The waits of this specification, where no gap in a session is longer than `longest`
    /// seconds. None where the gap is no column: then time makes no difference to speak of.
    #[must_use]
    pub fn of(spec: &FeatureSpec, longest: f64) -> Option<Self> {
        spec.row.iter().find_map(|feature| match feature {
            RowFeature::Number {
                measure: Measure::Gap,
                transform,
                normal,
                ..
            } => Some(Self {
                transform: *transform,
                normal: *normal,
                longest: longest.max(0.0),
            }),
            _ => None,
        })
    }

    /// The gaps, in seconds, that are possible once `waited` seconds have passed, each with its
    /// weight; the weights sum to 1. After the longest possible wait, that one alone is left.
    #[must_use]
    pub fn gaps(&self, waited: f64) -> Vec<(f64, f64)> {
        let waited = if waited.is_finite() { waited } else { 0.0 };
        let waited = waited.clamp(0.0, self.longest);
        let from = self.score(waited).max(-REACH);
        let to = REACH.max(from + TAIL).min(self.score(self.longest));
        if to <= from {
            return vec![(waited, 1.0)];
        }
        let step = (to - from) / f64::from(POINTS);
        let density = |score: f64| {
            // In relation to the first, so that nothing vanishes far out in the tail.
            let first = from.max(0.0);
            ((first * first - score * score) / 2.0).exp()
        };
        let scores = (0..POINTS).map(|point| from + (f64::from(point) + 0.5) * step);
        let total: f64 = scores.clone().map(density).sum();
        scores
            .map(|score| (self.seconds(score).max(waited), density(score) / total))
            .collect()
    }

    /// A gap in standard deviations from the mean.
    fn score(&self, seconds: f64) -> f64 {
        (self.transform.apply(seconds) - f64::from(self.normal.mean)) / f64::from(self.normal.std)
    }

    /// The gap that is so many standard deviations from the mean.
    fn seconds(&self, score: f64) -> f64 {
        let transformed = f64::from(self.normal.mean) + score * f64::from(self.normal.std);
        let seconds = match self.transform {
            Transform::Identity => transformed,
            Transform::Log1p => transformed.exp_m1(),
        };
        seconds.max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HALF_HOUR: f64 = 1800.0;

    /// Gaps as the gift shop has them: the logarithm's mean is that of 16 seconds.
    fn wait() -> Wait {
        Wait {
            transform: Transform::Log1p,
            normal: Normal {
                mean: 2.85,
                std: 1.28,
            },
            longest: HALF_HOUR,
        }
    }

    fn mean(wait: &Wait, waited: f64, of: impl Fn(f64) -> f64) -> f64 {
        let gaps = wait.gaps(waited);
        gaps.iter().map(|(gap, weight)| weight * of(*gap)).sum()
    }

    #[test]
    fn the_mean_is_the_one_that_was_fitted() {
        let found = mean(&wait(), 0.0, f64::ln_1p);
        // Gaps below zero and above half an hour are cut off, 2.2 deviations below and 3.6 above.
        assert!((found - 2.85).abs() < 0.05, "{found}");
    }

    #[test]
    fn the_mean_beyond_a_wait_is_that_of_a_truncated_normal_distribution() {
        // Mean of the standard normal distribution above c: density(c) / (1 - cumulative(c)).
        for (c, expected) in [(0.0, 0.797_885), (1.0, 1.525_135), (2.0, 2.373_216)] {
            let open = Wait {
                longest: 1e12,
                ..wait()
            };
            let waited = (2.85_f64 + 1.28 * c).exp_m1();
            let found = mean(&open, waited, |gap| (gap.ln_1p() - 2.85) / 1.28);
            assert!((found - expected).abs() < 0.01, "{c}: {found}");
        }
    }

    #[test]
    fn what_is_left_is_possible_and_weighs_one() {
        let plain = Wait {
            transform: Transform::Identity,
            ..wait()
        };
        for wait in [wait(), plain] {
            for waited in [
                -5.0,
                0.0,
                0.4,
                20.0,
                1799.9,
                1800.0,
                1e9,
                f64::NAN,
                f64::INFINITY,
            ] {
                let gaps = wait.gaps(waited);
                let least = if waited.is_finite() { waited } else { 0.0 }.min(HALF_HOUR);
                for (gap, weight) in &gaps {
                    assert!(*gap >= least && *gap <= HALF_HOUR + 1e-3, "{waited}: {gap}");
                    assert!(*weight > 0.0, "{waited}: {weight}");
                }
                let total: f64 = gaps.iter().map(|(_, weight)| weight).sum();
                assert!((total - 1.0).abs() < 1e-12, "{waited}: {total}");
            }
        }
    }

    #[test]
    fn without_a_gap_there_is_no_wait() {
        let spec = FeatureSpec {
            version: 1,
            row: Vec::new(),
            context: Vec::new(),
            utc_offset_minutes: 0,
            item_rates: Default::default(),
            category_rates: Default::default(),
            item_orders: Default::default(),
            typical_prices: None,
        };
        assert_eq!(Wait::of(&spec, HALF_HOUR), None);
    }
}
