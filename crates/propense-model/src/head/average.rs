//! The average of contributions among which some may be hostile.
//!
//! Noise that hides a visitor hides a liar, too: with it every contribution is about as long as the
//! longest that is let through, so that neither clipping by length nor a trimmed mean or a median of
//! each number tells one from another. But the noise is known: the same in all directions, with a
//! deviation that the service itself asked for. Liars who pull together make one direction wider than
//! that, however well each of them is hidden.

/// Hundredths of the contributions that are left out at most.
const MOST: usize = 20;

/// Hundredths that one pass leaves out.
const PASS: usize = 1;

/// The widest variance of normal noise is centred and scaled as Johnstone has it, and beyond this
/// number once in a hundred times (Tracy and Widom's distribution of order 1). Then some honest
/// contributions are left out.
const RARE: f64 = 2.02;

/// The widest variance of honest changes themselves, without noise, in the units of the clip: 0.15 in
/// the simulation of docs/on-device.md.
const HONEST: f64 = 0.15;

/// Turns of the power iteration that looks for the widest direction.
const TURNS: usize = 100;

/// The mean of these vectors without those that pull together: while they lie wider along some
/// direction than noise of this deviation explains, the hundredth of them that lies farthest from the
/// median along it is left out, up to a fifth of all (Diakonikolas, Kamath, Kane, Li, Moitra and
/// Stewart 2016, whose filter this is with the noise's covariance known).
///
/// What liars can do unseen shrinks with the number of vectors: rounds of fewer vectors than numbers
/// are hardly protected.
/// Vectors are cut to the shortest; empty where there is none.
#[must_use]
pub fn filtered_mean(vectors: &[Vec<f64>], deviation: f64) -> Vec<f64> {
    let width = vectors.iter().map(Vec::len).min().unwrap_or(0);
    let mut kept: Vec<&[f64]> = vectors.iter().filter_map(|v| v.get(..width)).collect();
    let explained = widest_of_noise(kept.len(), width, deviation).max(HONEST);
    let least = kept.len() - kept.len() * MOST / 100;
    let pass = (kept.len() * PASS / 100).max(1);
    loop {
        let moments = Moments::of(&kept, width);
        if kept.len() <= least {
            return moments.mean;
        }
        let (direction, variance) = moments.widest();
        if variance <= explained {
            return moments.mean;
        }
        let out = pass.min(kept.len() - least);
        leave_out_farthest(&mut kept, &direction, out);
    }
}

/// The variance of so many normal vectors along their widest direction, but for one round in a hundred
/// (Johnstone 2001, Theorem 1.1).
fn widest_of_noise(count: usize, width: usize, deviation: f64) -> f64 {
    let (n, d) = (
        (count as f64 - 1.0).max(1.0).sqrt(),
        (width.max(1) as f64).sqrt(),
    );
    let (centre, scale) = ((n + d).powi(2), (n + d) * (1.0 / n + 1.0 / d).cbrt());
    deviation * deviation * (centre + RARE * scale) / count.max(1) as f64
}

/// Leaves out so many vectors that lie farthest from the median along this direction.
fn leave_out_farthest(kept: &mut Vec<&[f64]>, direction: &[f64], count: usize) {
    let mut along: Vec<f64> = kept.iter().map(|vector| dot(vector, direction)).collect();
    along.sort_by(f64::total_cmp);
    let median = along.get(along.len() / 2).copied().unwrap_or(0.0);
    kept.sort_by_cached_key(|vector| {
        let far = (dot(vector, direction) - median).abs();
        // Numbers of one sign are in the order of their bits.
        far.to_bits()
    });
    kept.truncate(kept.len() - count);
}

/// Mean and covariance of vectors of one width.
struct Moments {
    /// `[width]`
    mean: Vec<f64>,
    /// `[width, width]`, row-major.
    covariance: Vec<f64>,
}

impl Moments {
    fn of(vectors: &[&[f64]], width: usize) -> Self {
        let share = 1.0 / vectors.len().max(1) as f64;
        let mut mean = vec![0.0; width];
        for vector in vectors {
            for (sum, number) in mean.iter_mut().zip(*vector) {
                *sum += number;
            }
        }
        mean.iter_mut().for_each(|sum| *sum *= share);
        let (mut covariance, mut off) = (vec![0.0; width * width], vec![0.0; width]);
        for vector in vectors {
            for ((off, number), mean) in off.iter_mut().zip(*vector).zip(&mean) {
                *off = number - mean;
            }
            for (row, number) in covariance.chunks_exact_mut(width.max(1)).zip(&off) {
                for (sum, other) in row.iter_mut().zip(&off) {
                    *sum += share * number * other;
                }
            }
        }
        Self { mean, covariance }
    }

    /// The direction along which the vectors lie widest, of length 1, and their variance along it.
    fn widest(&self) -> (Vec<f64>, f64) {
        // Golden steps: no direction that anybody chose is at right angles to them.
        let golden = |place: usize| (place as f64 * 0.618_033_988_749_895).fract() - 0.5;
        let mut direction: Vec<f64> = (1..=self.mean.len()).map(golden).collect();
        let mut variance = 0.0;
        for _ in 0..=TURNS {
            let length = super::length(&direction).max(f64::MIN_POSITIVE);
            direction.iter_mut().for_each(|number| *number /= length);
            let rows = self.covariance.chunks_exact(self.mean.len().max(1));
            let next: Vec<f64> = rows.map(|row| dot(row, &direction)).collect();
            variance = dot(&next, &direction);
            if variance <= 0.0 {
                break;
            }
            direction = next;
        }
        let length = super::length(&direction).max(f64::MIN_POSITIVE);
        direction.iter_mut().for_each(|number| *number /= length);
        (direction, variance)
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
