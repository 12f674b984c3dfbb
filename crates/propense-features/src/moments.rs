//! Running centre and spread of a number: mean and deviation by Welford's method (one pass, no
//! cancellation), or quartiles of a sample.

use crate::{Normal, Scaling, Transform, sample::Sample};

/// The interquartile range of a normal distribution, in its standard deviations: divided by it,
/// the range becomes a standard deviation's stand-in that outliers cannot move.
const NORMAL_IQR: f64 = 1.349;

/// What a column's constants are computed from.
#[derive(Debug, Clone, Default)]
pub(crate) struct Summary {
    pub(crate) moments: Moments,
    sample: Option<Sample>,
}

impl Summary {
    pub(crate) fn new(scaling: Scaling) -> Self {
        Self {
            moments: Moments::default(),
            sample: match scaling {
                Scaling::Standard => None,
                Scaling::Robust => Some(Sample::default()),
            },
        }
    }

    pub(crate) fn add(&mut self, number: Option<f64>) {
        self.moments.add(number);
        if let Some((sample, number)) = self.sample.as_mut().zip(number) {
            sample.add(number);
        }
    }

    /// The constants that normalise the number. Where half of all values are one and the same,
    /// quartiles have no spread to tell; the deviation stands in for it.
    pub(crate) fn normal(&mut self) -> Normal {
        let standard = self.moments.normal();
        let Some([low, middle, high]) = self.sample.as_mut().and_then(Sample::quartiles) else {
            return standard;
        };
        let spread = ((high - low) / NORMAL_IQR) as f32;
        let usable = spread.is_finite() && f64::from(spread) > 1e-6 * middle.abs().max(1e-3);
        let mean = middle as f32;
        Normal {
            mean: if mean.is_finite() {
                mean
            } else {
                standard.mean
            },
            std: if usable { spread } else { standard.std },
        }
    }
}

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
