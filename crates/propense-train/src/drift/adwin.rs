//! ADWIN: a window over a stream that drops its old part once the new one differs (Bifet and Gavaldà
//! 2007, "Learning from time-changing data with adaptive windowing", algorithm ADWIN2).
//!
//! The window is kept as buckets of 1, 2, 4, … numbers with their count, mean and squared deviations,
//! so that n numbers take O(log n) memory. A cut between old and new is made where their means differ
//! by more than the bound of the paper's section 3.2 (the one with the variance), whose chance to be
//! met by a stream without change is at most `delta` at each check.

use std::collections::VecDeque;

/// Buckets of one size before two of them are joined.
const ROW: usize = 5;
/// Numbers between two checks.
const EVERY: u64 = 16;
/// Fewest numbers on either side of a cut.
const FEWEST: f64 = 16.0;

/// Count, mean and sum of squared deviations.
#[derive(Debug, Clone, Copy, Default)]
struct Bucket {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Bucket {
    fn join(self, other: Self) -> Self {
        let count = self.count + other.count;
        if count <= 0.0 {
            return Self::default();
        }
        let apart = other.mean - self.mean;
        Self {
            count,
            mean: self.mean + apart * other.count / count,
            squares: self.squares
                + other.squares
                + apart * apart * self.count * other.count / count,
        }
    }
}

/// A change: the means before and after it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Cut {
    pub(crate) before: f64,
    pub(crate) after: f64,
}

/// The window over numbers from 0 to 1.
#[derive(Debug, Clone)]
pub(crate) struct Adwin {
    delta: f64,
    seen: u64,
    /// The newest first.
    buckets: VecDeque<Bucket>,
}

impl Adwin {
    pub(crate) fn new(delta: f64) -> Self {
        Self {
            delta,
            seen: 0,
            buckets: VecDeque::new(),
        }
    }

    /// Takes the next number; tells of a change where one has become certain.
    pub(crate) fn add(&mut self, number: f64) -> Option<Cut> {
        self.buckets.push_front(Bucket {
            count: 1.0,
            mean: number,
            squares: 0.0,
        });
        self.compress();
        self.seen += 1;
        if !self.seen.is_multiple_of(EVERY) {
            return None;
        }
        let mut found = None;
        // What is cut off may hide an earlier change.
        while let Some(cut) = self.cut() {
            self.buckets.pop_back();
            found = Some(cut);
        }
        found
    }

    fn compress(&mut self) {
        let (mut size, mut from) = (1.0, 0);
        loop {
            let of_size = |bucket: &&Bucket| bucket.count == size;
            let row = self.buckets.iter().skip(from).take_while(of_size).count();
            if row <= ROW {
                return;
            }
            let last = from + row - 1;
            if let Some(old) = self.buckets.remove(last)
                && let Some(joined) = self.buckets.get_mut(last - 1)
            {
                *joined = old.join(*joined);
            }
            from = last - 1;
            size *= 2.0;
        }
    }

    /// The first place, from the old end on, where both sides differ.
    fn cut(&self) -> Option<Cut> {
        let join = |all: Bucket, next: &Bucket| all.join(*next);
        let whole = self.buckets.iter().fold(Bucket::default(), join);
        let variance = whole.squares / whole.count.max(1.0);
        let certainty = (2.0 * whole.count.max(3.0).ln() / self.delta).ln();
        let mut old = Bucket::default();
        for bucket in self.buckets.iter().rev() {
            old = old.join(*bucket);
            let new = whole.count - old.count;
            if old.count < FEWEST || new < FEWEST {
                continue;
            }
            let mean = (whole.mean * whole.count - old.mean * old.count) / new;
            let m = 1.0 / (1.0 / old.count + 1.0 / new);
            let bound = (2.0 / m * variance * certainty).sqrt() + 2.0 / (3.0 * m) * certainty;
            if (mean - old.mean).abs() > bound {
                return Some(Cut {
                    before: old.mean,
                    after: mean,
                });
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha12Rng;

    use super::*;

    /// Places at which a change is told of: 0 or 1 with a probability that changes at 2,000.
    fn changes(before: f64, after: f64, seed: u64) -> Vec<usize> {
        let mut generator = ChaCha12Rng::seed_from_u64(seed);
        let mut window = Adwin::new(0.002);
        (0..4000)
            .filter(|&place| {
                let p = if place < 2000 { before } else { after };
                let number = f64::from(u8::from(generator.random::<f64>() < p));
                window.add(number).is_some()
            })
            .collect()
    }

    #[test]
    fn a_change_is_found_soon_and_no_change_is_not() {
        for seed in 0..8 {
            assert_eq!(changes(0.3, 0.3, seed), [0usize; 0], "seed {seed}");
            let found = changes(0.2, 0.5, seed);
            let first = found.first().copied().unwrap_or_default();
            assert!((2000..2200).contains(&first), "seed {seed}: {found:?}");
        }
    }

    #[test]
    fn the_window_is_short_in_memory_and_right_in_its_mean() {
        let mut window = Adwin::new(1e-9);
        for place in 0..10_000 {
            window.add(f64::from(place % 10) / 10.0);
        }
        assert!(window.buckets.len() < 80, "{}", window.buckets.len());
        let join = |all: Bucket, next: &Bucket| all.join(*next);
        let whole = window.buckets.iter().fold(Bucket::default(), join);
        assert_eq!(whole.count, 10_000.0);
        assert!((whole.mean - 0.45).abs() < 1e-9);
        assert!((whole.squares / whole.count - 0.0825).abs() < 1e-9);
    }
}
