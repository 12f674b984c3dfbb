//! Running mean and spread of a number, by Welford's method: one pass, no cancellation.

use crate::{Normal, Transform};

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Moments {
    pub(crate) present: u64,
    pub(crate) missing: u64,
    mean: f64,
    squares: f64,
}

impl Moments {
    pub(crate) fn add(&mut self, number: Option<f64>) {
        match number {
            Some(number) if number.is_finite() => {
                self.present += 1;
                let before = number - self.mean;
                self.mean += before / self.present as f64;
                self.squares += before * (number - self.mean);
            }
            _ => self.missing += 1,
        }
    }

    fn std(&self) -> f64 {
        (self.squares / self.present.max(1) as f64).sqrt()
    }

    /// Whether the number is the same everywhere, up to rounding.
    pub(crate) fn constant(&self) -> bool {
        self.present == 0 || self.std() <= 1e-6 * self.mean.abs().max(1e-3)
    }

    /// The constants that normalise the number. A number that does not vary, or too big for
    /// `f32`, is only shifted, by what can be represented.
    pub(crate) fn normal(&self) -> Normal {
        let finite = |number: f64, otherwise: f32| {
            let number = number as f32;
            if number.is_finite() {
                number
            } else {
                otherwise
            }
        };
        let std = if self.constant() { 1.0 } else { self.std() };
        Normal {
            mean: finite(self.mean, 0.0),
            std: finite(std, f32::MAX).max(f32::MIN_POSITIVE),
        }
    }
}

impl Transform {
    /// Applies the transform.
    pub(crate) fn apply(self, number: f64) -> f64 {
        match self {
            Self::Identity => number,
            Self::Log1p => number.max(0.0).ln_1p(),
        }
    }
}
