//! Rolling origin: at the end of each of the last weeks every method forecasts from what was known
//! then, and is measured by what came (Tashman 2000).

use std::collections::BTreeMap;

use serde::Serialize;

use super::learn::{Panel, Workshop};
use super::method::{Method, Window};
use super::sales::Sales;

/// Shares at which the pinball loss is taken: they weigh the middle and both ends alike.
const MEASURED: [f64; 7] = [0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95];

/// Which items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Group {
    /// All.
    All,
    /// Sold in at least half of the last 13 weeks.
    Steady,
    /// Sold in fewer.
    Sparse,
}

/// How well a method did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Score {
    /// Forecasts measured.
    pub forecasts: usize,
    /// Units sold in all.
    pub units: f64,
    /// Sum of absolute errors over units sold: 0 is perfect.
    pub wape: f64,
    /// The same where the middle of the distribution is the forecast.
    pub wape_of_median: f64,
    /// Mean absolute error of the middle over that of "last week again" on the item's own history (Hyndman and
    /// Koehler 2006); single weeks only.
    pub mase: f64,
    /// Mean pinball loss over the shares 0.05 to 0.95, over units sold.
    pub pinball: f64,
    /// Share of outcomes within the 80 % interval, ends included.
    pub within_80: f64,
    /// Share of outcomes within the 90 % interval.
    pub within_90: f64,
    /// Units forecast over units sold.
    pub bias: f64,
}

#[derive(Default)]
struct Tally {
    forecasts: usize,
    units: f64,
    forecast: f64,
    absolute: f64,
    absolute_median: f64,
    scaled: f64,
    scalable: usize,
    pinball: f64,
    within: [usize; 2],
}

impl Tally {
    fn score(&self) -> Score {
        let units = self.units.max(f64::MIN_POSITIVE);
        let count = self.forecasts.max(1) as f64;
        Score {
            forecasts: self.forecasts,
            units: self.units,
            wape: self.absolute / units,
            wape_of_median: self.absolute_median / units,
            mase: self.scaled / self.scalable.max(1) as f64,
            pinball: self.pinball / units,
            within_80: self.within[0] as f64 / count,
            within_90: self.within[1] as f64 / count,
            bias: self.forecast / units,
        }
    }
}

/// One line of the comparison.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measured {
    /// The method.
    pub method: Method,
    /// The weeks forecast.
    pub window: Window,
    /// The items.
    pub group: Group,
    /// How it did.
    pub score: Score,
}

/// Measures the methods at these origins (weeks known), on windows that are over after `until` weeks.
/// `step` is told of each origin.
pub(super) fn measure(
    panel: &Panel,
    sales: &Sales,
    methods: &[Method],
    windows: &[Window],
    origins: &[usize],
    until: usize,
    step: &mut dyn FnMut(),
) -> Vec<Measured> {
    let mut tallies: BTreeMap<(Method, Window, Group), Tally> = BTreeMap::new();
    let Some(truth) = panel.at(sales.weeks.len()) else {
        return Vec::new();
    };
    for &weeks in origins {
        let Some(now) = panel.at(weeks) else { continue };
        for &window in windows {
            if weeks + window.to > until.min(truth.weeks) {
                continue;
            }
            let mut workshop = Workshop::new(window, panel, now);
            for &method in methods {
                let forecaster = workshop.learn(method);
                for state in now.active() {
                    let Some(units) = truth.outcome(state.item, weeks, window) else {
                        continue;
                    };
                    let (forecast, outlook) = forecaster.forecast(state);
                    let busy = state.units.iter().rev().take(13);
                    let busy =
                        busy.clone().filter(|units| **units > 0.0).count() * 2 >= busy.len().max(1);
                    let group = if busy { Group::Steady } else { Group::Sparse };
                    let scale = (window.weeks() == 1)
                        .then(|| naive_error(&state.units))
                        .flatten();
                    for group in [Group::All, group] {
                        let tally = tallies.entry((method, window, group)).or_default();
                        tally.forecasts += 1;
                        tally.units += units;
                        tally.forecast += forecast;
                        tally.absolute += (units - forecast).abs();
                        let at = |share: f64| outlook.quantile(share);
                        tally.absolute_median += (units - at(0.5)).abs();
                        for share in MEASURED {
                            let over = units - at(share);
                            tally.pinball += f64::max(share * over, (share - 1.0) * over)
                                / MEASURED.len() as f64;
                        }
                        for (count, probability) in tally.within.iter_mut().zip([0.8, 0.9]) {
                            let (low, high) = outlook.interval(probability);
                            *count += usize::from(units >= low && units <= high);
                        }
                        if let Some(scale) = scale {
                            tally.scaled += (units - at(0.5)).abs() / scale;
                            tally.scalable += 1;
                        }
                    }
                }
            }
        }
        step();
    }
    tallies
        .into_iter()
        .map(|((method, window, group), tally)| Measured {
            method,
            window,
            group,
            score: tally.score(),
        })
        .collect()
}

/// Mean absolute change from week to week; none where nothing changed.
fn naive_error(units: &[f64]) -> Option<f64> {
    let changes = units.windows(2).map(|pair| match pair {
        [before, after] => (after - before).abs(),
        _ => 0.0,
    });
    let mean = changes.sum::<f64>() / units.len().saturating_sub(1).max(1) as f64;
    (mean > 0.0).then_some(mean)
}

/// The method with the lowest pinball loss over the windows, each window counting once.
pub(super) fn best(measured: &[Measured]) -> Option<Method> {
    let mut sums: BTreeMap<Method, (f64, f64)> = BTreeMap::new();
    for line in measured.iter().filter(|line| line.group == Group::All) {
        let sum = sums.entry(line.method).or_default();
        sum.0 += line.score.pinball;
        sum.1 += 1.0;
    }
    let means = sums
        .into_iter()
        .map(|(method, (sum, count))| (method, sum / count));
    means
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(method, _)| method)
}
