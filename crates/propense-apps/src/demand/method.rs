//! Ways to forecast: what every textbook has, and one model over all items.

use serde::Serialize;

use super::state::{mean_of_last, smooth};

/// Weeks `from` to `to` ahead, both included; the first week ahead is 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Window {
    /// The first week.
    pub from: usize,
    /// The last week.
    pub to: usize,
}

impl Window {
    /// One week, so many weeks ahead.
    #[must_use]
    pub const fn week(ahead: usize) -> Self {
        Self {
            from: ahead,
            to: ahead,
        }
    }

    /// The next so many weeks together.
    #[must_use]
    pub const fn next(weeks: usize) -> Self {
        Self { from: 1, to: weeks }
    }

    /// Number of weeks.
    #[must_use]
    pub const fn weeks(self) -> usize {
        (self.to + 1).saturating_sub(self.from)
    }
}

/// How demand is forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// As in the last week.
    Naive,
    /// As in the same weeks a year before; before a year is known, four weeks before.
    SeasonalNaive,
    /// Mean of the last 13 weeks.
    MovingAverage,
    /// Exponential smoothing of the level.
    Exponential,
    /// Exponential smoothing of level and a trend that fades (Gardner and McKenzie 1985).
    Damped,
    /// Croston (1972): size of a sale and time between sales, smoothed apart.
    Croston,
    /// Croston's method without its bias (Syntetos and Boylan 2005).
    Sba,
    /// Teunter, Syntetos and Babai (2011): the chance of a sale falls in every week without one.
    Tsb,
    /// What the item itself sold in its last 26 weeks, as it was.
    OwnWeeks,
    /// One model learnt over all items: `learn.rs`.
    Pooled,
    /// The pooled model and the damped trend, their distributions averaged share by share.
    Combined,
}

impl Method {
    /// Every method, our own last.
    pub const ALL: [Self; 11] = [
        Self::Naive,
        Self::SeasonalNaive,
        Self::MovingAverage,
        Self::Exponential,
        Self::Damped,
        Self::Croston,
        Self::Sba,
        Self::Tsb,
        Self::OwnWeeks,
        Self::Pooled,
        Self::Combined,
    ];

    /// Its name on the command line.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Naive => "naive",
            Self::SeasonalNaive => "seasonal-naive",
            Self::MovingAverage => "moving-average",
            Self::Exponential => "exponential",
            Self::Damped => "damped",
            Self::Croston => "croston",
            Self::Sba => "sba",
            Self::Tsb => "tsb",
            Self::OwnWeeks => "own-weeks",
            Self::Pooled => "pooled",
            Self::Combined => "combined",
        }
    }

    /// The method of this [`Self::key`].
    #[must_use]
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.key() == key)
    }

    /// Its name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Naive => "last week again",
            Self::SeasonalNaive => "same weeks last year",
            Self::MovingAverage => "mean of 13 weeks",
            Self::Exponential => "exponential smoothing",
            Self::Damped => "damped trend",
            Self::Croston => "Croston",
            Self::Sba => "Croston, corrected (SBA)",
            Self::Tsb => "Teunter-Syntetos-Babai",
            Self::OwnWeeks => "the item's own weeks",
            Self::Pooled => "all items together",
            Self::Combined => "all items together, and damped trend",
        }
    }

    /// Whether it is a textbook method, which our own have to beat.
    #[must_use]
    pub const fn is_baseline(self) -> bool {
        !matches!(self, Self::Pooled | Self::Combined)
    }
}

/// Smoothing of size and interval: within 0.1 to 0.2, as Croston (1972) advises.
const SPARSE: f64 = 0.1;
/// Smoothing of a level.
const LEVEL: f64 = 0.2;
/// Smoothing of a trend, and what is left of it in each further week.
const TREND: f64 = 0.05;
const FADE: f64 = 0.9;

/// Units forecast in the window by a textbook method, from an item's weeks since its first sale.
/// `a_year_before` is how many weeks lie between a week and that of the year before, where known.
pub(super) fn point(
    method: Method,
    units: &[f64],
    window: Window,
    a_year_before: Option<usize>,
) -> f64 {
    let weeks = window.weeks() as f64;
    match method {
        Method::Naive => units.last().copied().unwrap_or(0.0) * weeks,
        Method::SeasonalNaive => seasonal(units, window, a_year_before),
        Method::MovingAverage | Method::OwnWeeks => mean_of_last(units, 13) * weeks,
        // Learnt, not computed; this stands in where nothing can be learnt.
        Method::Pooled | Method::Combined => mean_of_last(units, 13) * weeks,
        Method::Exponential => smooth(units, LEVEL) * weeks,
        Method::Damped => damped(units, window),
        Method::Croston => croston(units) * weeks,
        Method::Sba => croston(units) * (1.0 - SPARSE / 2.0) * weeks,
        Method::Tsb => tsb(units) * weeks,
    }
}

fn seasonal(units: &[f64], window: Window, a_year_before: Option<usize>) -> f64 {
    let back = match a_year_before {
        Some(year) if year <= units.len() && window.to <= year => year,
        // Four weeks, or as many fours as reach back before the window's end.
        _ => window.to.div_ceil(4) * 4,
    };
    let place = |ahead: usize| (units.len() + ahead).checked_sub(back + 1);
    (window.from..=window.to)
        .filter_map(|ahead| units.get(place(ahead)?))
        .sum()
}

fn damped(units: &[f64], window: Window) -> f64 {
    let mut values = units.iter();
    let mut level = values.next().copied().unwrap_or(0.0);
    let mut trend = 0.0;
    for value in values {
        let before = level;
        let expected = level + FADE * trend;
        level = expected + LEVEL * (value - expected);
        trend = FADE * trend + TREND * (level - before - FADE * trend);
    }
    let (mut forecast, mut rise, mut sum) = (level, trend, 0.0);
    for ahead in 1..=window.to {
        rise *= FADE;
        forecast += rise;
        if ahead >= window.from {
            sum += f64::max(forecast, 0.0);
        }
    }
    sum
}

fn croston(units: &[f64]) -> f64 {
    let mut values = units.iter();
    let mut size = values.next().copied().unwrap_or(0.0);
    let (mut interval, mut since) = (1.0, 1.0);
    for value in values {
        if *value > 0.0 {
            size += SPARSE * (value - size);
            interval += SPARSE * (since - interval);
            since = 1.0;
        } else {
            since += 1.0;
        }
    }
    size / interval
}

fn tsb(units: &[f64]) -> f64 {
    let mut values = units.iter();
    let mut size = values.next().copied().unwrap_or(0.0);
    let mut chance = 1.0;
    for value in values {
        if *value > 0.0 {
            size += SPARSE * (value - size);
            chance += SPARSE * (1.0 - chance);
        } else {
            chance -= SPARSE * chance;
        }
    }
    size * chance
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(method: Method, units: &[f64], window: Window, expected: f64) {
        let found = point(method, units, window, None);
        assert!((found - expected).abs() < 1e-9, "{method:?}: {found}");
    }

    #[test]
    fn small_cases_by_hand() {
        let two = Window::next(2);
        check(Method::Naive, &[3.0, 5.0], two, 10.0);
        check(Method::MovingAverage, &[3.0, 5.0], two, 8.0);
        check(Method::Exponential, &[10.0, 20.0], two, 24.0);
        // Size 10, then 10 + 0.1·(20 − 10); interval 1 + 0.1·(2 − 1).
        check(
            Method::Croston,
            &[10.0, 0.0, 20.0],
            Window::week(1),
            11.0 / 1.1,
        );
        check(
            Method::Sba,
            &[10.0, 0.0, 20.0],
            Window::week(1),
            10.0 * 0.95,
        );
        check(Method::Tsb, &[10.0, 0.0], Window::week(3), 9.0);
        // Level 10 + 0.2·10, trend 0.05·2; then 12 + 0.09 and 12.09 + 0.081.
        check(Method::Damped, &[10.0, 20.0], two, 12.09 + 12.171);
        check(Method::SeasonalNaive, &[1.0, 2.0, 3.0, 4.0], two, 3.0);
        check(
            Method::SeasonalNaive,
            &[1.0, 2.0, 3.0, 4.0],
            Window::week(4),
            4.0,
        );
        check(
            Method::SeasonalNaive,
            &[1.0, 2.0, 3.0, 4.0],
            Window { from: 5, to: 5 },
            1.0,
        );
    }

    #[test]
    fn a_year_is_used_once_it_is_known() {
        let units: Vec<f64> = (0..60).map(f64::from).collect();
        assert_eq!(
            point(Method::SeasonalNaive, &units, Window::week(1), Some(52)),
            8.0
        );
        assert_eq!(
            point(
                Method::SeasonalNaive,
                &units[30..],
                Window::week(1),
                Some(52)
            ),
            56.0
        );
    }

    #[test]
    fn nothing_sold_is_nothing_forecast() {
        for method in Method::ALL {
            for units in [&[][..], &[0.0, 0.0, 0.0]] {
                check(method, units, Window::next(3), 0.0);
            }
        }
    }
}
