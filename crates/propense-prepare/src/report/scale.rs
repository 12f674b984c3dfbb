//! A distribution in bounded memory: counts in fixed steps, fine ones for quantiles.

use super::figures::{Bin, Distribution, Unit};

/// Steps in a doubling, as a power of two.
const STEP_BITS: u32 = 7;

/// The least and the greatest value told apart: 2⁻¹⁶ and 2⁴⁸. What lies beyond counts at the end.
const LEAST: f64 = 1.0 / 65_536.0;
const GREATEST: f64 = 281_474_976_710_656.0;

/// Counts of values in steps of 1/128 of a doubling (each doubling cut into 128 equal parts).
///
/// A quantile is the lower edge of the step that holds it: at most 0.8 % too low, and exact for
/// whole numbers up to 255. Count, mean, least and greatest value are exact (the mean to the twelfth
/// place, of values up to 2⁴⁸): parts add up to the same bits in any order.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Sketch {
    steps: Vec<u64>,
    /// Values of zero and below.
    zeros: u64,
    count: u64,
    missing: u64,
    /// In units of 2⁻⁴⁰: whole numbers add up exactly.
    sum: i128,
    range: Option<(f64, f64)>,
}

/// Units of a sum in one.
const UNIT: f64 = (1u64 << 40) as f64;

/// A value in the units of a sum. What lies beyond 2⁴⁸ counts as that: 2³⁷ such values still fit.
fn units(value: f64) -> i128 {
    let units = (value.clamp(-GREATEST, GREATEST) * UNIT).round();
    // The conversion of most values, which is quicker than that of all.
    if units.abs() < i64::MAX as f64 {
        i128::from(units as i64)
    } else {
        units as i128
    }
}

/// The step of a value above zero.
fn step(value: f64) -> usize {
    // The exponent and the highest bits of the fraction, read off the number's own form.
    let bits = |value: f64| value.to_bits() >> (52 - STEP_BITS);
    let step = bits(value.clamp(LEAST, GREATEST)).saturating_sub(bits(LEAST));
    usize::try_from(step).unwrap_or(usize::MAX)
}

/// The least value of a step.
fn edge(step: usize) -> f64 {
    f64::from_bits(
        (LEAST.to_bits() >> (52 - STEP_BITS)).saturating_add(step as u64) << (52 - STEP_BITS),
    )
}

impl Sketch {
    /// Counts a value; what is not a finite number counts as missing.
    pub(crate) fn add(&mut self, value: f64) {
        if !value.is_finite() {
            self.missing += 1;
            return;
        }
        self.count += 1;
        self.sum += units(value);
        self.range = Some(match self.range {
            None => (value, value),
            Some((least, greatest)) => (least.min(value), greatest.max(value)),
        });
        if value <= 0.0 {
            self.zeros += 1;
            return;
        }
        let step = step(value);
        if step >= self.steps.len() {
            self.steps.resize(step + 1, 0);
        }
        if let Some(count) = self.steps.get_mut(step) {
            *count += 1;
        }
    }

    /// Counts values that are not there.
    pub(crate) fn add_missing(&mut self, values: u64) {
        self.missing += values;
    }

    /// Adds another part.
    pub(crate) fn merge(&mut self, other: &Self) {
        if other.steps.len() > self.steps.len() {
            self.steps.resize(other.steps.len(), 0);
        }
        for (mine, theirs) in self.steps.iter_mut().zip(&other.steps) {
            *mine += theirs;
        }
        self.zeros += other.zeros;
        self.count += other.count;
        self.missing += other.missing;
        self.sum += other.sum;
        self.range = match (self.range, other.range) {
            (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
            (a, b) => a.or(b),
        };
    }

    /// The value below or at which this share of the values lies (nearest rank).
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        let Some((least, greatest)) = self.range else {
            return 0.0;
        };
        let rank = ((share * self.count as f64).ceil() as u64).clamp(1, self.count);
        if rank <= self.zeros {
            return least.min(0.0);
        }
        let mut below = self.zeros;
        for (step, count) in self.steps.iter().enumerate() {
            below += count;
            if below >= rank {
                return edge(step).clamp(least, greatest);
            }
        }
        greatest
    }

    /// The share of the sum that the greatest `share` of the values holds.
    pub(crate) fn share_of_top(&self, share: f64) -> f64 {
        let (mut wanted, mut sum, mut all) = ((share * self.count as f64).ceil(), 0.0, 0.0);
        for (step, &count) in self.steps.iter().enumerate().rev() {
            let taken = wanted.min(count as f64);
            sum += taken * edge(step);
            all += count as f64 * edge(step);
            wanted -= taken;
        }
        if all > 0.0 { sum / all } else { 0.0 }
    }

    /// The figures.
    pub(crate) fn distribution(&self, unit: Unit) -> Distribution {
        let (min, max) = self.range.unwrap_or_default();
        let quantiles = super::figures::QUANTILES.map(|share| self.quantile(share));
        let mean = if self.count == 0 {
            0.0
        } else {
            self.sum as f64 / UNIT / self.count as f64
        };
        Distribution {
            unit,
            count: self.count,
            missing: self.missing,
            min,
            max,
            mean: if mean.is_finite() { mean } else { max },
            quantiles,
            bins: self.bins(unit),
        }
    }

    fn bins(&self, unit: Unit) -> Vec<Bin> {
        let edges = unit.edges();
        let mut counts = vec![0; edges.len() + 1];
        if let Some(first) = counts.first_mut() {
            *first = self.zeros;
        }
        let steps: Vec<usize> = edges.iter().map(|edge| step(*edge)).collect();
        for (step, count) in self.steps.iter().enumerate() {
            let bin = steps.partition_point(|edge| *edge <= step);
            if let Some(bin) = counts.get_mut(bin) {
                *bin += count;
            }
        }
        let used = |count: &u64| *count > 0;
        let (Some(first), Some(last)) =
            (counts.iter().position(used), counts.iter().rposition(used))
        else {
            return Vec::new();
        };
        (first..=last)
            .map(|bin| Bin {
                from: if bin == 0 {
                    0.0
                } else {
                    edges.get(bin - 1).copied().unwrap_or_default()
                },
                to: edges.get(bin).copied(),
                count: counts.get(bin).copied().unwrap_or_default(),
            })
            .collect()
    }
}

/// Edges of the bins in which amounts are drawn: six in each power of ten, about evenly spaced.
const AMOUNTS: [f64; 48] = [
    0.01, 0.015, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0,
    7.0, 10.0, 15.0, 20.0, 30.0, 50.0, 70.0, 100.0, 150.0, 200.0, 300.0, 500.0, 700.0, 1e3, 1.5e3,
    2e3, 3e3, 5e3, 7e3, 1e4, 1.5e4, 2e4, 3e4, 5e4, 7e4, 1e5, 1.5e5, 2e5, 3e5, 5e5, 7e5,
];

/// The same for counts: small numbers apart.
const COUNTS: [f64; 19] = [
    1.0, 2.0, 3.0, 4.0, 5.0, 7.0, 10.0, 15.0, 20.0, 30.0, 50.0, 70.0, 100.0, 200.0, 500.0, 1e3,
    1e4, 1e5, 1e6,
];

/// The same for durations in seconds: up to a minute, an hour, a day, a month.
const SECONDS: [f64; 21] = [
    1.0,
    2.0,
    5.0,
    10.0,
    20.0,
    30.0,
    60.0,
    120.0,
    300.0,
    600.0,
    1_200.0,
    1_800.0,
    3_600.0,
    7_200.0,
    14_400.0,
    28_800.0,
    86_400.0,
    172_800.0,
    604_800.0,
    2_592_000.0,
    31_536_000.0,
];

impl Unit {
    /// The lower edges of the bins; below the first lies one more.
    pub(crate) const fn edges(self) -> &'static [f64] {
        match self {
            Self::Amount => &AMOUNTS,
            Self::Count => &COUNTS,
            Self::Seconds => &SECONDS,
        }
    }

    /// The bin of a value, from 0 to the number of edges.
    pub(crate) fn bin(self, value: f64) -> usize {
        self.edges().partition_point(|edge| *edge <= value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: impl IntoIterator<Item = f64>) -> Sketch {
        let mut sketch = Sketch::default();
        for value in values {
            sketch.add(value);
        }
        sketch
    }

    #[test]
    fn whole_numbers_up_to_255_are_exact() {
        for value in 0..=255 {
            let value = f64::from(value);
            assert_eq!(of([value, value]).quantile(0.5), value);
        }
    }

    #[test]
    fn quantiles_by_hand() {
        let sketch = of((1..=100).map(f64::from));
        for (share, expected) in [
            (0.0, 1.0),
            (0.01, 1.0),
            (0.5, 50.0),
            (0.99, 99.0),
            (1.0, 100.0),
        ] {
            assert_eq!(sketch.quantile(share), expected, "{share}");
        }
        assert_eq!(sketch.distribution(Unit::Count).mean, 50.5);
        assert_eq!(of([]).quantile(0.5), 0.0);
        assert_eq!(of([0.0, -3.0, 8.0]).quantile(0.5), -3.0);
    }

    #[test]
    fn the_error_is_below_a_hundred_and_twenty_eighth() {
        let mut value = 0.000_02;
        while value < 1e14 {
            let found = of([value; 3].into_iter().chain([value * 4.0])).quantile(0.5);
            assert!(
                found <= value && found >= value * (1.0 - 1.0 / 128.0),
                "{value} {found}"
            );
            value *= 1.037;
        }
    }

    #[test]
    fn what_is_no_number_is_missing_and_what_is_huge_is_held() {
        let sketch = of([f64::NAN, f64::INFINITY, 1e300, 1e-300]);
        let figures = sketch.distribution(Unit::Amount);
        assert_eq!((figures.count, figures.missing), (2, 2));
        assert!(figures.mean.is_finite());
        assert_eq!((figures.min, figures.max), (1e-300, 1e300));
    }

    #[test]
    fn parts_add_up() {
        let mut a = of((0..50).map(f64::from));
        a.merge(&of((50..100).map(f64::from)));
        assert_eq!(a, of((0..100).map(f64::from)));
    }

    #[test]
    fn bins_hold_their_lower_edge() {
        let bins = of([0.0, 1.0, 1.0, 2.0, 6.9, 7.0])
            .distribution(Unit::Count)
            .bins;
        let found: Vec<(f64, Option<f64>, u64)> = bins
            .iter()
            .map(|bin| (bin.from, bin.to, bin.count))
            .collect();
        let expected = [
            (0.0, Some(1.0), 1),
            (1.0, Some(2.0), 2),
            (2.0, Some(3.0), 1),
            (3.0, Some(4.0), 0),
            (4.0, Some(5.0), 0),
            (5.0, Some(7.0), 1),
            (7.0, Some(10.0), 1),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn the_top_share_of_a_sum() {
        // 99 values of 1 and one of 101: the top hundredth holds 101 of 200.
        let sketch = of(std::iter::repeat_n(1.0, 99).chain([101.0]));
        assert!((sketch.share_of_top(0.01) - 0.505).abs() < 1e-9);
        assert_eq!(of([]).share_of_top(0.01), 0.0);
    }
}
