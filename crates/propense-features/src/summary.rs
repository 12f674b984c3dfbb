//! Sums over a session so far: what its rates and gaps were in all.

/// Mean, extremes and sum of numbers that come one by one.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sums {
    count: u32,
    total: f64,
    /// Lowest and highest.
    range: Option<(f64, f64)>,
    /// Sum over what is distinct.
    distinct: f64,
}

impl Sums {
    /// Takes one number in; `first` where what it belongs to has not come before.
    pub(crate) fn add(&mut self, number: f64, first: bool) {
        self.count = self.count.saturating_add(1);
        self.total += number;
        let (low, high) = self.range.unwrap_or((number, number));
        self.range = Some((low.min(number), high.max(number)));
        if first {
            self.distinct += number;
        }
    }

    /// The mean; none without a number.
    pub(crate) fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.total / f64::from(self.count))
    }

    /// The highest.
    pub(crate) fn high(&self) -> Option<f64> {
        self.range.map(|(_, high)| high)
    }

    /// The lowest.
    pub(crate) fn low(&self) -> Option<f64> {
        self.range.map(|(low, _)| low)
    }

    /// The sum over what is distinct.
    pub(crate) fn distinct(&self) -> Option<f64> {
        (self.count > 0).then_some(self.distinct)
    }
}
