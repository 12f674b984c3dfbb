//! What a device sends: the head's difference, clipped, with noise, in whole numbers.

use thiserror::Error;

use super::{Head, Lived, Steps, limit};

/// The longest difference that is sent (L2), before noise.
pub const CLIP: f64 = 1.0;

/// Noise deviations that make a unit of what is sent. Whole numbers of units hide the last places
/// of floating-point noise, which would tell what it was added to (Mironov 2012).
const UNITS: f64 = 64.0;

/// Deviations by which the noise's length may exceed what is usual: one honest contribution in
/// 270,000 does (exp(−t² / 2), concentration of a normal vector's length).
const SLACK: f64 = 5.0;

/// One contribution: `[width]`, in units of the noise's deviation / 64.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contribution {
    /// The numbers.
    pub numbers: Vec<i32>,
}

/// Why a contribution is refused.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum Unfit {
    /// It has another width than the head.
    #[error(
        "the update has {found} numbers, the bundle's head {expected}; contribute to the bundle that is current"
    )]
    Width {
        /// That of the head.
        expected: usize,
        /// Its own.
        found: usize,
    },
    /// It is longer than clipping and noise explain.
    #[error(
        "the update's length is {length:.1}, at most {most:.1} is possible; clip it and add noise as the client of Propense does"
    )]
    Length {
        /// Its length (L2), in units of the clip.
        length: f64,
        /// The longest.
        most: f64,
    },
}

impl Contribution {
    /// The deviation of the noise on each number with this multiplier.
    #[must_use]
    pub fn deviation(multiplier: f64) -> f64 {
        2.0 * CLIP * multiplier
    }

    /// What these sessions teach, with the noise of this multiplier ([`super::Privacy`]). `random`
    /// gives 64 random bits at a time, from a source that cannot be foretold.
    #[must_use]
    pub fn of(
        head: &Head,
        sessions: &[Lived<'_>],
        multiplier: f64,
        random: impl FnMut() -> u64,
    ) -> Self {
        Self::with_noise(head.learn(sessions, Steps::SHARED), multiplier, random)
    }

    /// This difference, clipped and with noise.
    #[must_use]
    pub fn with_noise(
        mut difference: Vec<f64>,
        multiplier: f64,
        mut random: impl FnMut() -> u64,
    ) -> Self {
        limit(&mut difference, CLIP);
        let deviation = Self::deviation(multiplier);
        let numbers = difference.into_iter().map(|number| {
            let noisy = number + deviation * normal(&mut random);
            (noisy * UNITS / deviation).round() as i32
        });
        Self {
            numbers: numbers.collect(),
        }
    }

    /// Checks what came from outside.
    ///
    /// # Errors
    /// Says what no honest device would have sent.
    pub fn check(&self, width: usize, multiplier: f64) -> Result<(), Unfit> {
        if self.numbers.len() != width {
            return Err(Unfit::Width {
                expected: width,
                found: self.numbers.len(),
            });
        }
        let deviation = Self::deviation(multiplier);
        let squares = self.numbers.iter().map(|&number| f64::from(number).powi(2));
        let length = squares.sum::<f64>().sqrt() * deviation / UNITS;
        let root = (width as f64).sqrt();
        // Rounding adds half a unit to each number at most.
        let most = CLIP + deviation * (root + SLACK + root / UNITS / 2.0);
        if length > most {
            return Err(Unfit::Length {
                length: length / CLIP,
                most: most / CLIP,
            });
        }
        Ok(())
    }

    /// The numbers as changes of the head.
    #[must_use]
    pub fn values(&self, multiplier: f64) -> Vec<f64> {
        let unit = Self::deviation(multiplier) / UNITS;
        let numbers = self.numbers.iter();
        numbers.map(|&number| f64::from(number) * unit).collect()
    }
}

/// A standard normal draw (Box and Muller 1958). 53 bits a draw end the tail at 8.6 deviations.
fn normal(random: &mut impl FnMut() -> u64) -> f64 {
    let mut uniform = || ((random() >> 11) as f64 + 0.5) / (1u64 << 53) as f64;
    let radius = (-2.0 * uniform().ln()).sqrt();
    radius * (core::f64::consts::TAU * uniform()).cos()
}
