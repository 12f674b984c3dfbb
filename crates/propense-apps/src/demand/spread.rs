//! From a forecast number to what may happen: the outcomes of all earlier forecasts about as large.
//!
//! Items that were forecast to sell about as much as this one did, in the end, sell so and so: their
//! outcomes, the recent ones weighing more, are the distribution. It needs no assumption on how
//! demand is distributed, gives weeks without a sale their due, and serves every method alike, as a
//! cousin of the isotonic "EasyUQ" of Walz, Henzi, Ziegel and Gneiting (2024).

/// Shares at which a distribution is kept.
pub const SHARES: [f64; 17] = [
    0.01, 0.025, 0.05, 0.1, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.9, 0.95, 0.975, 0.99,
];

/// What may be sold in a window.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Outlook {
    /// Expected units: the mean.
    pub expected: f64,
    /// Units that are not exceeded with the probabilities of [`SHARES`].
    pub quantiles: [f64; SHARES.len()],
}

impl Outlook {
    /// Units that are not exceeded with this probability, between the kept shares on a line.
    #[must_use]
    pub fn quantile(&self, share: f64) -> f64 {
        let points = SHARES.iter().zip(&self.quantiles);
        let mut before: Option<(f64, f64)> = None;
        for (kept, units) in points {
            if *kept >= share {
                return match before {
                    Some((low, from)) => from + (units - from) * (share - low) / (kept - low),
                    None => *units,
                };
            }
            before = Some((*kept, *units));
        }
        before.map_or(0.0, |(_, units)| units)
    }

    /// The units between which the outcome lies with this probability. Where nothing sold is among
    /// the likely outcomes it begins at zero, and all that is left out lies above.
    #[must_use]
    pub fn interval(&self, probability: f64) -> (f64, f64) {
        let low = self.quantile((1.0 - probability) / 2.0);
        if low <= 0.0 {
            return (0.0, self.quantile(probability));
        }
        (low, self.quantile((1.0 + probability) / 2.0))
    }

    /// Of values with weights, in any order.
    pub(super) fn of(values: &mut [(f64, f64)]) -> Self {
        values.sort_by(|a, b| a.0.total_cmp(&b.0));
        let total: f64 = values.iter().map(|(_, weight)| weight).sum();
        let mut outlook = Self::default();
        if total <= 0.0 {
            return outlook;
        }
        let (mut sum, mut mass) = (0.0, 0.0);
        let mut slots = SHARES.iter().zip(&mut outlook.quantiles).peekable();
        for (value, weight) in values.iter() {
            sum += value * weight;
            mass += weight;
            while let Some((_, slot)) = slots.next_if(|(share, _)| mass >= **share * total - 1e-9) {
                *slot = *value;
            }
        }
        outlook.expected = sum / total;
        outlook
    }

    /// The mean of the kept shares from 0.1 to 0.9: a level that no single outcome moves.
    pub(super) fn middle(&self) -> f64 {
        let kept = SHARES.iter().zip(&self.quantiles);
        let kept = kept.filter(|(share, _)| (0.1..=0.9).contains(*share));
        let (sum, count) = kept.fold((0.0, 0), |(sum, count), (_, units)| {
            (sum + units, count + 1)
        });
        sum / f64::from(count.max(1))
    }

    /// The average of two, share by share (Vincent 1912).
    pub(super) fn averaged(mut self, other: &Self) -> Self {
        self.expected = (self.expected + other.expected) / 2.0;
        for (own, other) in self.quantiles.iter_mut().zip(&other.quantiles) {
            *own = (*own + other) / 2.0;
        }
        self
    }

    /// The same for so many times the units.
    pub(super) fn times(mut self, factor: f64) -> Self {
        self.expected *= factor;
        for units in &mut self.quantiles {
            *units *= factor;
        }
        self
    }
}

/// Outcomes by the size of their forecast.
#[derive(Debug, Clone, Default)]
pub(super) struct Spread {
    anchors: Vec<Anchor>,
}

/// A neighbourhood of forecasts.
#[derive(Debug, Clone)]
struct Anchor {
    /// The forecast in its middle.
    middle: f64,
    /// Of its outcomes.
    outlook: Outlook,
}

/// Outcomes that make one distribution: enough for its far ends, few enough to be alike.
const NEIGHBOURS: usize = 600;

impl Spread {
    /// From (forecast, outcome, weight).
    pub(super) fn learn(mut pairs: Vec<(f64, f64, f64)>) -> Self {
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
        let size = NEIGHBOURS.min(pairs.len());
        if size == 0 {
            return Self::default();
        }
        let step = (size / 8).max(1);
        let mut anchors = Vec::new();
        let mut from = 0;
        loop {
            let last = from + size >= pairs.len();
            let from_here = if last { pairs.len() - size } else { from };
            let near = pairs.get(from_here..from_here + size).unwrap_or_default();
            let sample = near.iter().map(|(_, outcome, weight)| (*outcome, *weight));
            let mut sample: Vec<(f64, f64)> = sample.collect();
            let outlook = Outlook::of(&mut sample);
            anchors.push(Anchor {
                middle: near.get(size / 2).map_or(0.0, |pair| pair.0),
                outlook,
            });
            if last {
                return Self { anchors };
            }
            from += step;
        }
    }

    /// What may happen where this much is forecast; nothing is known before any outcome is.
    pub(super) fn outlook(&self, forecast: f64) -> Option<Outlook> {
        self.nearest(forecast).map(|anchor| anchor.outlook)
    }

    fn nearest(&self, forecast: f64) -> Option<&Anchor> {
        let place = |value: f64| self.anchors.partition_point(|anchor| anchor.middle < value);
        let after = place(forecast);
        let before = after
            .checked_sub(1)
            .and_then(|place| self.anchors.get(place));
        let nearest = match (before, self.anchors.get(after)) {
            (Some(low), Some(high)) if forecast - low.middle <= high.middle - forecast => low,
            (_, Some(high)) => high,
            (Some(low), None) => low,
            (None, None) => return None,
        };
        // Of forecasts that are equal the neighbourhoods at either end reach into others.
        let middle = nearest.middle;
        let last = self
            .anchors
            .partition_point(|anchor| anchor.middle <= middle);
        self.anchors.get((place(middle) + last) / 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_the_smallest_values_that_reach_the_share() {
        let mut values: Vec<(f64, f64)> = (1..=100).rev().map(|n| (f64::from(n), 1.0)).collect();
        let outlook = Outlook::of(&mut values);
        for (share, expected) in [(0.01, 1.0), (0.5, 50.0), (0.9, 90.0), (0.95, 95.0)] {
            assert_eq!(outlook.quantile(share), expected, "{share}");
        }
        assert_eq!(outlook.expected, 50.5);
        assert_eq!(outlook.quantile(0.85), 85.0);
        assert!((outlook.middle() - 50.0).abs() < 0.5);
        let mut weighted = vec![(10.0, 1.0), (0.0, 9.0)];
        let outlook = Outlook::of(&mut weighted);
        assert_eq!((outlook.expected, outlook.quantile(0.9)), (1.0, 0.0));
        assert_eq!(outlook.quantile(0.95), 10.0);
        assert_eq!(Outlook::of(&mut []).expected, 0.0);
    }

    #[test]
    fn outcomes_of_forecasts_alike_are_the_outlook() {
        // Forecasts of 1 come to 0 or 2, forecasts of 10 to 10.
        let mut pairs: Vec<(f64, f64, f64)> = (0..1000)
            .map(|n| (1.0, f64::from(n % 2) * 2.0, 1.0))
            .collect();
        pairs.extend((0..1000).map(|_| (10.0, 10.0, 1.0)));
        let spread = Spread::learn(pairs);
        let small = spread.outlook(1.1).expect("known");
        assert_eq!(
            (small.expected, small.quantile(0.25), small.quantile(0.75)),
            (1.0, 0.0, 2.0)
        );
        assert_eq!(spread.outlook(50.0).expect("known").quantile(0.5), 10.0);
        assert_eq!(Spread::default().outlook(1.0), None);
        let both = small.averaged(&spread.outlook(50.0).expect("known"));
        assert_eq!(
            (both.expected, both.quantile(0.25), both.quantile(0.75)),
            (5.5, 5.0, 6.0)
        );
    }
}
