//! How often sessions with an item convert, shrunk towards the average where little is known.

use std::collections::{BTreeMap, BTreeSet};

use propense_events::Session;

use crate::FitOptions;

/// A rate for each key with enough support: the log-odds of conversion less the average's.
pub type Rates = BTreeMap<String, f32>;

/// Converted sessions, and others.
type Counts<'a> = BTreeMap<&'a str, [u32; 2]>;

/// Conversion rates by item and by category, from the visible events of the given sessions.
///
/// For a key with `n1` converted and `n0` other sessions, where a share `p` of all sessions
/// converts, the rate is `ln((n1 + a·p) / (n0 + a·(1 - p))) - ln(p / (1 - p))`. The strength `a`
/// of the average is the one under which the counts are most likely (empirical Bayes: the
/// beta-binomial likelihood over a grid). A session counts once for each of its items.
///
/// A rate learnt from the very session that it then describes gives that session's outcome
/// away. Training rows therefore need rates from other sessions: fit them on the rest, clone
/// the specification and replace [`crate::FeatureSpec::item_rates`] and `category_rates`.
#[must_use]
pub fn fit_rates(sessions: &[&Session], options: &FitOptions) -> (Rates, Rates) {
    let (items, categories) = count_sessions(sessions, options);
    (items.rates(), categories.rates())
}

/// The counts behind the rates of items, and of categories.
pub(crate) fn count_sessions<'a>(
    sessions: &[&'a Session],
    options: &FitOptions,
) -> (RateModel<'a>, RateModel<'a>) {
    let mut items = Counts::new();
    let mut categories = Counts::new();
    let mut total = [0_u32; 2];
    for session in sessions {
        let outcome = outcome(session);
        let visible = options.visible(session);
        if visible.is_empty() {
            continue;
        }
        if let Some(count) = total.get_mut(outcome) {
            *count += 1;
        }
        let mut item_ids = BTreeSet::new();
        let mut names = BTreeSet::new();
        for item in visible.iter().flat_map(|event| &event.items) {
            item_ids.insert(item.item_id.as_str());
            names.extend(item.item_category.as_deref());
        }
        for (counts, keys) in [(&mut items, item_ids), (&mut categories, names)] {
            for key in keys {
                if let Some(count) = counts.entry(key).or_default().get_mut(outcome) {
                    *count += 1;
                }
            }
        }
    }
    let all = f64::from(total[0]) + f64::from(total[1]);
    // Add-one keeps the average inside (0, 1) where every session has the same outcome.
    let average = (f64::from(total[0]) + 1.0) / (all + 2.0);
    (
        RateModel::new(items, average, options.rate_support),
        RateModel::new(categories, average, options.rate_support),
    )
}

/// Where a session is counted: 0 for converted, 1 for the others.
pub(crate) fn outcome(session: &Session) -> usize {
    usize::from(!session.converted())
}

/// Counts with the average and its strength: all that a rate is computed from.
#[derive(Debug)]
pub(crate) struct RateModel<'a> {
    counts: Counts<'a>,
    average: f64,
    strength: f64,
    support: u32,
}

impl<'a> RateModel<'a> {
    fn new(counts: Counts<'a>, average: f64, support: usize) -> Self {
        Self {
            strength: strength(&counts, average),
            counts,
            average,
            support: u32::try_from(support).unwrap_or(u32::MAX).max(1),
        }
    }

    fn rate(&self, [yes, no]: [u32; 2]) -> Option<f32> {
        if yes.saturating_add(no) < self.support {
            return None;
        }
        let yes = f64::from(yes) + self.strength * self.average;
        let no = f64::from(no) + self.strength * (1.0 - self.average);
        let prior = (self.average / (1.0 - self.average)).ln();
        Some(((yes / no).ln() - prior) as f32)
    }

    pub(crate) fn rates(&self) -> Rates {
        self.counts
            .iter()
            .filter_map(|(key, counts)| Some(((*key).to_owned(), self.rate(*counts)?)))
            .collect()
    }

    /// The rate of a key as it would be without one of the counted sessions that hold it.
    pub(crate) fn without(&self, key: &str, outcome: usize) -> Option<f64> {
        let mut counts = *self.counts.get(key)?;
        if let Some(count) = counts.get_mut(outcome) {
            *count = count.saturating_sub(1);
        }
        self.rate(counts).map(f64::from)
    }
}

/// The strength on a grid under which the counts are most likely.
fn strength(counts: &Counts<'_>, average: f64) -> f64 {
    const GRID: [f64; 12] = [
        1.0, 2.0, 4.0, 7.0, 12.0, 20.0, 35.0, 60.0, 100.0, 200.0, 400.0, 1000.0,
    ];
    // Many keys share their counts, so each pair is judged once.
    let mut pairs: BTreeMap<[u32; 2], f64> = BTreeMap::new();
    for pair in counts.values() {
        *pairs.entry(*pair).or_default() += 1.0;
    }
    let likelihood = |strength: f64| -> f64 {
        pairs
            .iter()
            .map(|([yes, no], keys)| {
                let total = f64::from(*yes) + f64::from(*no);
                keys * (rising(strength * average, f64::from(*yes))
                    + rising(strength * (1.0 - average), f64::from(*no))
                    - rising(strength, total))
            })
            .sum()
    };
    let mut best = (f64::NEG_INFINITY, 20.0);
    for strength in GRID {
        let likelihood = likelihood(strength);
        if likelihood > best.0 {
            best = (likelihood, strength);
        }
    }
    best.1
}

/// `ln(x (x+1) … (x+n-1))`, the logarithm of the rising factorial, for `x > 0`.
fn rising(x: f64, n: f64) -> f64 {
    log_gamma(x + n) - log_gamma(x)
}

/// Stirling's series after shifting the argument above 8, good to twelve digits
/// (Abramowitz & Stegun 6.1.41).
fn log_gamma(mut x: f64) -> f64 {
    let mut shift = 0.0;
    while x < 8.0 {
        shift -= x.ln();
        x += 1.0;
    }
    let inverse = 1.0 / x;
    let square = inverse * inverse;
    let series =
        inverse * (1.0 / 12.0 - square * (1.0 / 360.0 - square * (1.0 / 1260.0 - square / 1680.0)));
    shift + (x - 0.5) * x.ln() - x + 0.5 * std::f64::consts::TAU.ln() + series
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_gamma_of_known_arguments() {
        let mut factorial = 1.0_f64;
        for n in 1..30 {
            assert!(
                (log_gamma(f64::from(n)) - factorial.ln()).abs() < 1e-10,
                "{n}"
            );
            factorial *= f64::from(n);
        }
        // Γ(1/2) = √π
        assert!((log_gamma(0.5) - std::f64::consts::PI.sqrt().ln()).abs() < 1e-10);
    }

    #[test]
    fn strength_follows_the_spread_between_keys() {
        let names: Vec<String> = (0..200).map(|n| n.to_string()).collect();
        let equal: Counts<'_> = names.iter().map(|n| (n.as_str(), [10, 90])).collect();
        let apart: Counts<'_> = names
            .iter()
            .enumerate()
            .map(|(n, name)| (name.as_str(), if n % 10 == 0 { [95, 5] } else { [1, 99] }))
            .collect();
        assert!(strength(&equal, 0.1) > 300.0);
        assert!(strength(&apart, 0.1) < 10.0);
    }
}
