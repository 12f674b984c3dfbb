//! What contributions tell about a visitor, at most.
//!
//! A contribution has length at most C before normal noise of σ for each number is added, so that
//! putting any other sessions in place of a visitor's moves it by at most 2 C. With the multiplier
//! m = σ / 2C its Rényi divergence of order α is α / (2 m²) (Mironov 2017, Corollary 3), and those of
//! several contributions of a visitor add up, whatever their multipliers. What they add up to,
//! Σ 1 / (2 m²), is all that has to be remembered.
//!
//! The noise is added on the device, so that this holds towards everybody, the service included; it
//! does not rest on how many others contribute. That is also why no sampling bonus is counted.

/// What has been spent: the sum of 1 / (2 m²) over contributions of one visitor.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
pub struct Privacy(f64);

impl Privacy {
    /// Nothing.
    pub const NONE: Self = Self(0.0);

    /// What one contribution with this multiplier spends; everything, where that is not above zero.
    #[must_use]
    pub fn of(multiplier: f64) -> Self {
        if multiplier > 0.0 {
            Self(0.5 / (multiplier * multiplier))
        } else {
            Self(f64::INFINITY)
        }
    }

    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }

    /// The ε for this δ: the smallest over the orders α > 1 of
    /// α ρ + ln((α − 1) / α) − (ln δ + ln α) / (α − 1) (Canonne, Kamath and Steinke 2020,
    /// Proposition 12).
    #[must_use]
    pub fn epsilon(self, delta: f64) -> f64 {
        if self.0 == 0.0 {
            return 0.0;
        }
        let at = |log: f64| {
            // α = 1 + e^log
            let beyond = log.exp();
            let alpha = 1.0 + beyond;
            alpha * self.0 + (beyond / alpha).ln() - (delta.ln() + alpha.ln()) / beyond
        };
        // Evenly in the logarithm, then finer around the best: any order gives a valid bound.
        let finest = |from: f64, to: f64| {
            let place = |step: u32| from + (to - from) * f64::from(step) / 200.0;
            (0..=200)
                .map(place)
                .min_by(|a, b| at(*a).total_cmp(&at(*b)))
                .unwrap_or(from)
        };
        let rough = finest(-12.0, 12.0);
        let epsilon = at(finest(rough - 0.15, rough + 0.15));
        if epsilon.is_nan() {
            f64::INFINITY
        } else {
            epsilon.max(0.0)
        }
    }

    /// The smallest multiplier with which so many contributions of one visitor stay within ε at δ.
    #[must_use]
    pub fn multiplier(epsilon: f64, delta: f64, contributions: u32) -> f64 {
        let spent = |multiplier: f64| {
            let one = Self::of(multiplier).0;
            Self(one * f64::from(contributions)).epsilon(delta)
        };
        let (mut low, mut high) = (1e-3, 1e6);
        for _ in 0..200 {
            let middle = f64::midpoint(low, high);
            if spent(middle) > epsilon {
                low = middle;
            } else {
                high = middle;
            }
        }
        high
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_values() {
        // The multiplier that gives exactly ε = 1 at δ = 1e-6 by Rényi accounting, as Google's
        // dp_accounting has it (rdp_privacy_accountant_test, compute_epsilon_delta_gaussian).
        assert!((Privacy::of(4.530_877_117).epsilon(1e-6) - 1.0).abs() < 1e-5);
        assert!((Privacy::multiplier(1.0, 1e-6, 1) - 4.530_877_117).abs() < 1e-4);
        // Of order α: α / 2σ², and sums of it (Mironov 2017): 1 and 2 together as one of 2 / √5.
        let both = Privacy::of(1.0).and(Privacy::of(2.0));
        assert!((both.0 - Privacy::of(2.0 / 5f64.sqrt()).0).abs() < 1e-12);
        // n contributions with multiplier √n · m are as one with m.
        let many = (0..100).fold(Privacy::NONE, |all, _| all.and(Privacy::of(45.308_771_17)));
        assert!((many.epsilon(1e-6) - 1.0).abs() < 1e-5);
    }

    /// The exact δ of normal noise (Balle and Wang 2018, Theorem 8):
    /// Φ(1/2m − ε m) − e^ε Φ(−1/2m − ε m).
    fn exact_delta(multiplier: f64, epsilon: f64) -> f64 {
        let half = 0.5 / multiplier;
        normal_below(half - epsilon * multiplier)
            - epsilon.exp() * normal_below(-half - epsilon * multiplier)
    }

    /// Φ by Simpson's rule from forty deviations below.
    fn normal_below(z: f64) -> f64 {
        let (from, steps) = (-40.0, 40_000);
        let width = (z - from) / f64::from(steps);
        let density = |x: f64| (-x * x / 2.0).exp() / core::f64::consts::TAU.sqrt();
        let sum: f64 = (0..=steps)
            .map(|step| {
                let weight = match step {
                    0 => 1.0,
                    _ if step == steps => 1.0,
                    _ if step % 2 == 1 => 4.0,
                    _ => 2.0,
                };
                weight * density(from + width * f64::from(step))
            })
            .sum();
        sum * width / 3.0
    }

    #[test]
    fn never_below_the_exact_value_and_not_far_above() {
        for multiplier in [0.3, 0.7, 1.0, 2.0, 5.0] {
            for delta in [1e-5, 1e-6] {
                let epsilon = Privacy::of(multiplier).epsilon(delta);
                let exact = exact_delta(multiplier, epsilon);
                assert!(exact <= delta, "{multiplier} {epsilon}: {exact}");
                let tighter = exact_delta(multiplier, epsilon * 0.9);
                assert!(tighter > delta, "{multiplier} {epsilon}: {tighter}");
            }
        }
    }

    #[test]
    fn without_noise_everything_is_spent() {
        for multiplier in [0.0, -1.0, f64::NAN] {
            assert_eq!(Privacy::of(multiplier).epsilon(1e-6), f64::INFINITY);
        }
        assert_eq!(Privacy::NONE.epsilon(1e-6), 0.0);
    }
}
