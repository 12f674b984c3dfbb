//! How widely times lie.

/// Least, median and 99th percentile of some times.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spread {
    pub(super) least: f64,
    pub(super) median: f64,
    pub(super) p99: f64,
    pub(super) count: usize,
}

/// None where there are none.
pub(super) fn spread(times: &[f64]) -> Option<Spread> {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let place = (share * (sorted.len().saturating_sub(1)) as f64).round() as usize;
        sorted.get(place).copied()
    };
    Some(Spread {
        least: at(0.0)?,
        median: at(0.5)?,
        p99: at(0.99)?,
        count: sorted.len(),
    })
}

#[cfg(test)]
mod tests {
    use super::spread;

    #[test]
    fn spreads_are_read_off_the_sorted_times() {
        assert_eq!(spread(&[]), None);
        let found = spread(&[3.0, 1.0, 2.0]).expect("three times");
        assert_eq!(
            (found.least, found.median, found.p99, found.count),
            (1.0, 2.0, 3.0, 3)
        );
    }
}
