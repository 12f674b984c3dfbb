//! How far a sample lies from a reference: population stability index, two-sample tests, and what is
//! left of many tests.

use crate::delong::tail;

/// Distinct values up to which each is a bin of its own.
const DISTINCT: usize = 12;
/// Bins of other numbers: tenths of the reference.
const BINS: usize = 10;

/// Distance of one sample from another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Distance {
    pub(crate) psi: f64,
    /// Largest difference of the distribution functions.
    pub(crate) apart: f64,
    /// p-value of "both come from one law".
    pub(crate) p: f64,
}

/// Compares two samples. Numbers that are not finite are passed over.
///
/// The population stability index is `Σ (b − a) · ln(b / a)` over bins that hold the shares a of the
/// reference and b of the other sample; half an example is added to each bin, so that an empty one is
/// no infinity. The test is Kolmogorov and Smirnov's with Stephens' correction for small samples, and
/// where there are two values alone (for which that test is blunt) that of two proportions.
pub(crate) fn distance(reference: &[f32], recent: &[f32]) -> Distance {
    let sorted = |numbers: &[f32]| {
        let mut sorted: Vec<f32> = numbers.iter().copied().filter(|x| x.is_finite()).collect();
        sorted.sort_by(f32::total_cmp);
        sorted
    };
    let (a, b) = (sorted(reference), sorted(recent));
    let mut values: Vec<f32> = a.iter().chain(&b).copied().collect();
    values.sort_by(f32::total_cmp);
    values.dedup();
    if a.is_empty() || b.is_empty() || values.len() < 2 {
        return Distance {
            psi: 0.0,
            apart: 0.0,
            p: 1.0,
        };
    }
    let below = |sorted: &[f32], value: f32| sorted.partition_point(|x| *x <= value) as f64;
    let share = |sorted: &[f32], value: f32| below(sorted, value) / sorted.len() as f64;
    let apart = values
        .iter()
        .map(|value| (share(&a, *value) - share(&b, *value)).abs())
        .fold(0.0, f64::max);
    let edges: Vec<f32> = if values.len() <= DISTINCT {
        values.clone()
    } else {
        let mut edges: Vec<f32> = (1..BINS)
            .filter_map(|bin| a.get(bin * a.len() / BINS).copied())
            .collect();
        edges.push(f32::INFINITY);
        edges.dedup();
        edges
    };
    let (n, m) = (a.len() as f64, b.len() as f64);
    let p = if let [low, _] = values.as_slice() {
        let (x, y) = (below(&a, *low), below(&b, *low));
        two_proportions(Share::new(x, n), Share::new(y, m))
    } else {
        kolmogorov(apart, n * m / (n + m))
    };
    Distance {
        psi: psi(&counts(&a, &edges), &counts(&b, &edges)),
        apart,
        p,
    }
}

/// Members of each bin, whose upper edges (included) are given.
fn counts(sorted: &[f32], edges: &[f32]) -> Vec<f64> {
    let mut before = 0;
    edges
        .iter()
        .map(|edge| {
            let upto = sorted.partition_point(|x| x <= edge);
            let count = upto - before;
            before = upto;
            count as f64
        })
        .collect()
}

/// The population stability index of two lists of counts.
pub(crate) fn psi(reference: &[f64], recent: &[f64]) -> f64 {
    let smooth = |counts: &[f64]| -> Vec<f64> {
        let total = counts.iter().sum::<f64>() + 0.5 * counts.len() as f64;
        counts.iter().map(|count| (count + 0.5) / total).collect()
    };
    let pairs = smooth(reference).into_iter().zip(smooth(recent));
    pairs.map(|(a, b)| (b - a) * (b / a).ln()).sum()
}

/// How many of how many.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Share {
    pub(crate) count: f64,
    pub(crate) of: f64,
    /// Variance of the count.
    pub(crate) variance: f64,
}

impl Share {
    /// Of so many independent ones.
    pub(crate) fn new(count: f64, of: f64) -> Self {
        let share = count / of.max(1.0);
        Self {
            count,
            of,
            variance: of * share * (1.0 - share),
        }
    }

    /// From 0 to 1.
    pub(crate) fn value(self) -> f64 {
        self.count / self.of.max(1.0)
    }

    /// How many times the variance of as many independent ones it has.
    fn inflation(self) -> f64 {
        let independent = Self::new(self.count, self.of).variance;
        match independent > 0.0 {
            true => self.variance / independent,
            false => 1.0,
        }
    }
}

/// Two-sided p-value of "both shares are one", with Yates' correction: without it rare events in few
/// sessions stand out far too often. Where the examples of a share hang together, its part of the error
/// grows with its variance.
pub(crate) fn two_proportions(a: Share, b: Share) -> f64 {
    let pooled = (a.count + b.count) / f64::max(a.of + b.of, 1.0);
    let each = |share: Share| share.inflation() / share.of.max(1.0);
    let error = (pooled * (1.0 - pooled) * (each(a) + each(b))).sqrt();
    if error <= 0.0 {
        return 1.0;
    }
    let step = 0.5 * (1.0 / a.of.max(1.0) + 1.0 / b.of.max(1.0));
    let apart = (a.value() - b.value()).abs();
    (2.0 * tail((apart - step).max(0.0) / error)).min(1.0)
}

/// p-value of the largest difference of two distribution functions, with n·m/(n + m) examples:
/// Kolmogorov's series (Stephens 1970 for the correction).
fn kolmogorov(apart: f64, examples: f64) -> f64 {
    let root = examples.max(1.0).sqrt();
    let x = (root + 0.12 + 0.11 / root) * apart;
    if x < 0.2 {
        return 1.0;
    }
    let terms = (1..=100).map(|k| {
        let sign = if k % 2 == 1 { 1.0 } else { -1.0 };
        let k = f64::from(k);
        sign * (-2.0 * k * k * x * x).exp()
    });
    (2.0 * terms.sum::<f64>()).clamp(0.0, 1.0)
}

/// Which of these p-values stand out where the share of false ones among those that do is to be at
/// most `rate` (Benjamini and Hochberg 1995).
pub(crate) fn stand_out(p: &[f64], rate: f64) -> Vec<bool> {
    let mut order: Vec<f64> = p.to_vec();
    order.sort_by(f64::total_cmp);
    let bound = order
        .iter()
        .enumerate()
        .rev()
        .find(|(place, p)| **p <= rate * (place + 1) as f64 / order.len() as f64)
        .map(|(_, p)| *p);
    p.iter()
        .map(|p| bound.is_some_and(|bound| *p <= bound))
        .collect()
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha12Rng;

    use super::*;

    #[test]
    fn known_values() {
        // 2 Σ (−1)^(k−1) exp(−2 k² x²): the tabled 5 % and 1 % points 1.3581 and 1.6276.
        let point = |x: f64| kolmogorov(x / (1e4 + 0.12 + 1.1e-5), 1e8);
        assert!((point(1.3581) - 0.05).abs() < 1e-4, "{}", point(1.3581));
        assert!((point(1.6276) - 0.01).abs() < 1e-4);
        // By hand: (0.25 − 0.5) ln(0.5) twice, with halves that hardly count.
        let found = psi(&[5e6, 5e6], &[2.5e6, 7.5e6]);
        let expected = 0.25 * 2.0f64.ln() + 0.25 * 1.5f64.ln();
        assert!((found - expected).abs() < 1e-5, "{found}");
        // 40 of 100 and 60 of 100: z = (0.2 − 0.01) / sqrt(0.25 · 0.02) = 2.6870.
        let (fewer, more) = (Share::new(40.0, 100.0), Share::new(60.0, 100.0));
        let p = two_proportions(fewer, more);
        assert!((p - 0.007210).abs() < 1e-5, "{p}");
        // The second varies twice as much: z = 0.19 / sqrt(0.25 · 0.03) = 2.1939.
        let variance = 2.0 * more.variance;
        let p = two_proportions(fewer, Share { variance, ..more });
        assert!((p - 0.028240).abs() < 1e-5, "{p}");
    }

    #[test]
    fn one_law_gives_even_p_values_and_another_is_found() {
        let mut generator = ChaCha12Rng::seed_from_u64(5);
        let mut drawn = |count: usize, shift: f32| -> Vec<f32> {
            (0..count)
                .map(|_| generator.random::<f32>() + shift)
                .collect()
        };
        let small = (0..300)
            .filter(|_| distance(&drawn(200, 0.0), &drawn(150, 0.0)).p < 0.1)
            .count();
        assert!((12..=45).contains(&small), "{small} of 300 at 10 %");
        let moved = distance(&drawn(400, 0.0), &drawn(400, 0.3));
        assert!(moved.p < 1e-6 && moved.psi > 0.25, "{moved:?}");
        let rare: Vec<f32> = (0..1000)
            .map(|i| f32::from(u8::from(i % 10 == 0)))
            .collect();
        let gone = distance(&rare, &[0.0; 300]);
        assert!(gone.p < 1e-6 && gone.psi > 0.1, "{gone:?}");
        // The same with the rare value below.
        let turned: Vec<f32> = rare.iter().map(|x| 1.0 - x).collect();
        assert!(distance(&turned, &[1.0; 300]).psi > 0.1);
        assert_eq!(distance(&[], &[1.0]).p, 1.0);
        assert_eq!(distance(&[f32::NAN, 1.0], &[1.0]).psi, 0.0);
    }

    #[test]
    fn the_example_of_benjamini_and_hochberg() {
        // Their section 3.2: fifteen p-values, of which four stand out at 5 %.
        let p = [
            0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262,
            0.5719, 0.6528, 0.7590, 1.0,
        ];
        let found = stand_out(&p, 0.05);
        assert_eq!(found.iter().filter(|out| **out).count(), 4);
        assert!(found[3] && !found[4]);
        assert!(stand_out(&[], 0.05).is_empty());
    }
}
