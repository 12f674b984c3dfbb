//! Quartiles of a long stream in little memory.

/// The most values kept. A quartile's rank is off by about `0.43/√131,072`, or 0.1 %, at worst.
const MOST: usize = 1 << 18;

/// Every value up to [`MOST`]; of a longer stream every second, every fourth, and so on. No
/// randomness, so the same stream always gives the same quartiles.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    values: Vec<f64>,
    /// One value in so many is kept.
    stride: u64,
    /// Values since the last one that was kept.
    passed: u64,
    most: usize,
}

impl Default for Sample {
    fn default() -> Self {
        Self::holding(MOST)
    }
}

impl Sample {
    fn holding(most: usize) -> Self {
        Self {
            values: Vec::new(),
            stride: 1,
            passed: 0,
            most,
        }
    }

    pub(crate) fn add(&mut self, number: f64) {
        if !number.is_finite() {
            return;
        }
        self.passed += 1;
        if self.passed < self.stride {
            return;
        }
        self.passed = 0;
        self.values.push(number);
        if self.values.len() >= self.most {
            let mut keep = false;
            self.values.retain(|_| {
                keep = !keep;
                keep
            });
            self.stride = self.stride.saturating_mul(2);
        }
    }

    /// Lower quartile, median and upper quartile, each between its two neighbours in rank.
    pub(crate) fn quartiles(&mut self) -> Option<[f64; 3]> {
        self.values.sort_by(f64::total_cmp);
        let last = self.values.len().checked_sub(1)?;
        let at = |share: f64| {
            let rank = share * last as f64;
            let low = self.values.get(rank as usize).copied()?;
            let high = self.values.get(last.min(rank as usize + 1)).copied()?;
            Some(low + (high - low) * rank.fract())
        };
        Some([at(0.25)?, at(0.5)?, at(0.75)?])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_of_known_numbers() {
        let check = |numbers: &[f64], expected: Option<[f64; 3]>| {
            let mut sample = Sample::default();
            for number in numbers {
                sample.add(*number);
            }
            assert_eq!(sample.quartiles(), expected, "{numbers:?}");
        };
        check(&[], None);
        check(&[f64::NAN], None);
        check(&[4.0], Some([4.0, 4.0, 4.0]));
        check(&[2.0, 1.0], Some([1.25, 1.5, 1.75]));
        check(&[5.0, 1.0, 4.0, 2.0, 3.0], Some([2.0, 3.0, 4.0]));
        check(&[1e300, 0.0, 1.0, 2.0, 3.0], Some([1.0, 2.0, 3.0]));
    }

    #[test]
    fn a_long_stream_keeps_its_quartiles_in_any_order() {
        let count = 300_000_u64;
        // A multiplication by a unit modulo a prime shuffles without repetition.
        let prime = 300_007;
        let orders: [fn(u64) -> u64; 3] = [|n| n, |n| 299_999 - n, |n| (n + 1) * 70_001 % 300_007];
        for order in orders {
            let mut sample = Sample::holding(4096);
            for number in 0..count {
                sample.add((order(number) % prime) as f64 / count as f64);
            }
            assert!(sample.values.len() <= 4096);
            let quartiles = sample.quartiles().expect("values");
            for (found, expected) in quartiles.iter().zip([0.25, 0.5, 0.75]) {
                assert!((found - expected).abs() < 0.03, "{quartiles:?}");
            }
        }
    }
}
