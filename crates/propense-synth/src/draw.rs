//! Random draws that are the same on every machine and with every version of the libraries.
//!
//! Only the raw words of ChaCha8, which is specified bit for bit, come from outside. Distributions
//! are built here from integers, because the standard ones may change between versions and
//! logarithms differ between platforms.

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{RngCore, SeedableRng},
};

/// What a stream of draws is for. Each visit has its own stream for each purpose, so that a change
/// in one part (or another outcome) leaves all other parts as they were.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    Calendar,
    Layout,
    Browse,
    WhoFillsACart,
    Cart,
    Ending,
    Sample,
    Events,
}

/// A stream of random draws.
pub(crate) struct Draws(ChaCha8Rng);

impl Draws {
    /// The stream of this seed for this purpose and this visit.
    pub(crate) fn new(seed: u64, purpose: Purpose, visit: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8] = purpose as u8;
        let mut words = ChaCha8Rng::from_seed(key);
        words.set_stream(visit);
        Self(words)
    }

    /// A whole number from 0 to `bound` − 1; 0 where `bound` is 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        // The high half of the product. Its bias, bound / 2⁶⁴, is far below anything measurable.
        ((u128::from(self.0.next_u64()) * u128::from(bound)) >> 64) as u64
    }

    /// A position in a sequence of `len` elements; 0 where it is empty.
    pub(crate) fn index(&mut self, len: usize) -> usize {
        self.below(len as u64) as usize
    }

    /// A number from 0 (inclusive) to 1 (exclusive).
    pub(crate) fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// True with this probability.
    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// A number distributed as in this table of cumulated shares, `(share of all at most, number)`,
    /// in ascending order: linear between two entries, the first number below the first entry, 0
    /// where the table is empty.
    pub(crate) fn quantile(&mut self, table: &[(f64, f64)]) -> f64 {
        let share = self.unit();
        let mut before = table.first().copied().unwrap_or_default();
        if share < before.0 {
            return before.1;
        }
        for &(at_most, number) in table {
            if share < at_most {
                let part = (share - before.0) / (at_most - before.0);
                return before.1 + part * (number - before.1);
            }
            before = (at_most, number);
        }
        before.1
    }

    /// One of the elements, all alike.
    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(self.index(from.len()))
    }

    /// Puts the elements into random order.
    pub(crate) fn shuffle<T>(&mut self, elements: &mut [T]) {
        for end in (1..elements.len()).rev() {
            elements.swap(end, self.index(end + 1));
        }
    }

    /// Cuts `total` into `parts` whole numbers, all cuts alike: a flat Dirichlet draw, which is
    /// what independent exponential dwell times are once their sum is known.
    pub(crate) fn spacings(&mut self, total: u64, parts: usize) -> Vec<u64> {
        let mut cuts: Vec<u64> = (1..parts).map(|_| self.below(total + 1)).collect();
        cuts.sort_unstable();
        let ends = cuts.iter().copied().chain((parts > 0).then_some(total));
        let mut start = 0;
        ends.map(|end| {
            let part = end - start;
            start = end;
            part
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spacings_add_up_and_are_alike() {
        let mut draws = Draws::new(1, Purpose::Layout, 2);
        let mut first = 0;
        let mut last = 0;
        for _ in 0..2_000 {
            let parts = draws.spacings(1_000, 4);
            assert_eq!(parts.len(), 4);
            assert_eq!(parts.iter().sum::<u64>(), 1_000);
            first += parts[0];
            last += parts[3];
        }
        // Mean 250, standard deviation of the mean below 5.
        assert!((230..270).contains(&(first / 2_000)), "{first}");
        assert!((230..270).contains(&(last / 2_000)), "{last}");
        assert_eq!(draws.spacings(7, 1), [7]);
        assert!(draws.spacings(7, 0).is_empty());
    }

    #[test]
    fn quantiles_follow_the_table() {
        let mut draws = Draws::new(1, Purpose::Layout, 3);
        let table = [(0.5, 1.0), (1.0, 3.0)];
        let drawn: Vec<f64> = (0..2_000).map(|_| draws.quantile(&table)).collect();
        let ones = drawn.iter().filter(|number| **number == 1.0).count();
        assert!((900..1_100).contains(&ones), "{ones}");
        let mean = drawn.iter().sum::<f64>() / 2_000.0;
        assert!((1.45..1.55).contains(&mean), "{mean}");
        assert_eq!(draws.quantile(&[]), 0.0);
    }

    #[test]
    fn streams_differ_by_seed_purpose_and_visit() {
        let word = |seed, purpose, visit| Draws::new(seed, purpose, visit).below(u64::MAX);
        let base = word(7, Purpose::Layout, 0);
        assert_eq!(base, word(7, Purpose::Layout, 0));
        assert_ne!(base, word(8, Purpose::Layout, 0));
        assert_ne!(base, word(7, Purpose::Browse, 0));
        assert_ne!(base, word(7, Purpose::Layout, 1));
    }

    #[test]
    fn draws_from_nothing_do_not_panic() {
        let mut draws = Draws::new(1, Purpose::Layout, 0);
        assert_eq!(draws.below(0), 0);
        assert_eq!(draws.pick::<u8>(&[]), None);
        draws.shuffle::<u8>(&mut []);
    }
}
