//! Forecasters learnt from every earlier week's end: what was known then, and what came of it.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::method::{Method, Window, point};
use super::sales::{Sales, WEEK};
use super::spread::{Outlook, Spread};
use super::state::{COLUMNS, FEATURES, Propensities, State, states};
use crate::linear::{Ridge, Sums};

/// Weeks of history before the first end of a week that is learnt from.
pub(super) const FIRST: usize = 8;
/// Ends of weeks that are learnt from, at most: a year, so that old habits fade.
const MOST: usize = 52;
/// Outcomes count half after so many weeks: demand follows the season.
const HALF_LIFE: f64 = 26.0;
/// Weight against large coefficients, in rows.
const RIDGE: f64 = 10.0;
/// Added to a distance before its logarithm is taken: a hit is not infinitely near.
const LEAST_DISTANCE: f64 = 0.1;
/// Weeks of its own that an item's distribution is taken from.
const OWN: usize = 26;

/// Columns with a bend, and where: the logarithm of a rate works differently for rare items.
const BENT: [&str; 4] = [
    "units_smooth_10",
    "orders_smooth_10",
    "units_4",
    "log_units_13",
];
const BENDS: [f64; 4] = [1.0, 2.0, 3.0, 4.0];

/// Every item as it stood at the end of one week.
#[derive(Debug)]
pub(super) struct Origin {
    /// Weeks known.
    pub(super) weeks: usize,
    /// How many open weeks back the same week of the last year lies, where known.
    pub(super) year: Option<usize>,
    /// By item.
    pub(super) states: Vec<State>,
}

impl Origin {
    /// Items that are on sale.
    pub(super) fn active(&self) -> impl Iterator<Item = &State> {
        self.states.iter().filter(|state| state.active)
    }

    /// Units of the item, by its place in the sales, in the window after `weeks` weeks, as known
    /// at this origin; none where the window is not over.
    pub(super) fn outcome(&self, item: usize, weeks: usize, window: Window) -> Option<f64> {
        if weeks + window.to > self.weeks {
            return None;
        }
        let Ok(place) = self.states.binary_search_by_key(&item, |state| state.item) else {
            // Everything ordered was cancelled since.
            return Some(0.0);
        };
        let units = &self.states.get(place)?.units;
        let first = self.weeks - units.len();
        let from = (weeks + window.from - 1).saturating_sub(first);
        let to = (weeks + window.to).saturating_sub(first);
        Some(units.get(from..to)?.iter().sum())
    }
}

/// All origins, oldest first.
#[derive(Debug)]
pub(super) struct Panel {
    pub(super) origins: Vec<Origin>,
    whole_units: bool,
}

impl Panel {
    /// What was known at the end of each of the last weeks, the newest week included.
    pub(super) fn new(sales: &Sales, propensities: &Propensities, back: usize) -> Self {
        let all = sales.weeks.len();
        let first = FIRST.max(all.saturating_sub(MOST + back)).min(all);
        let origins = (first..=all).map(|weeks| Origin {
            weeks,
            year: year_before(sales, weeks),
            states: states(sales, weeks, propensities),
        });
        Self {
            origins: origins.collect(),
            whole_units: sales.whole_units,
        }
    }

    /// The origin after so many weeks.
    pub(super) fn at(&self, weeks: usize) -> Option<&Origin> {
        let place = self
            .origins
            .binary_search_by_key(&weeks, |origin| origin.weeks);
        self.origins.get(place.ok()?)
    }
}

/// Open weeks between the last known week and the one 52 weeks before it.
fn year_before(sales: &Sales, weeks: usize) -> Option<usize> {
    let last = *sales.weeks.get(weeks.checked_sub(1)?)?;
    let place = sales.weeks.binary_search(&(last - 52 * WEEK)).ok()?;
    Some(weeks - 1 - place)
}

/// A method, ready to forecast one window from one origin.
#[derive(Debug)]
pub(super) struct Forecaster {
    method: Method,
    window: Window,
    year: Option<usize>,
    /// Of the pooled model: the level on a logarithmic scale, and how far outcomes lie from it.
    level: Option<Ridge>,
    width: Option<Ridge>,
    whole_units: bool,
    /// Outcomes by forecast: in units, and for the pooled model in widths from the level, too.
    spread: Spread,
    in_widths: Spread,
}

/// What forecasts one method: alone, or as the mean of two.
#[derive(Debug, Clone)]
pub(super) enum Learnt {
    One(Rc<Forecaster>),
    Mean(Rc<Forecaster>, Rc<Forecaster>),
}

impl Learnt {
    /// Units forecast, and what may happen.
    pub(super) fn forecast(&self, state: &State) -> (f64, Outlook) {
        match self {
            Self::One(one) => one.forecast(state),
            Self::Mean(one, other) => {
                let (_, one) = one.forecast(state);
                let both = one.averaged(&other.forecast(state).1);
                (both.expected, both)
            }
        }
    }
}

/// The methods for one window from one origin, each learnt once, whoever asks for it.
pub(super) struct Workshop<'a> {
    panel: &'a Panel,
    now: &'a Origin,
    window: Window,
    done: BTreeMap<Method, Rc<Forecaster>>,
}

impl<'a> Workshop<'a> {
    pub(super) const fn new(window: Window, panel: &'a Panel, now: &'a Origin) -> Self {
        Self {
            panel,
            now,
            window,
            done: BTreeMap::new(),
        }
    }

    /// The method, ready to forecast.
    pub(super) fn learn(&mut self, method: Method) -> Learnt {
        match method {
            Method::Combined => Learnt::Mean(self.one(Method::Pooled), self.one(Method::Damped)),
            method => Learnt::One(self.one(method)),
        }
    }

    fn one(&mut self, method: Method) -> Rc<Forecaster> {
        let learn = || Rc::new(Forecaster::learn(method, self.window, self.panel, self.now));
        Rc::clone(self.done.entry(method).or_insert_with(learn))
    }
}

impl Forecaster {
    /// Learns from the origins whose outcomes are known at `now`.
    fn learn(method: Method, window: Window, panel: &Panel, now: &Origin) -> Self {
        let mut learnt = Self {
            method,
            window,
            year: now.year,
            level: None,
            width: None,
            whole_units: panel.whole_units,
            spread: Spread::default(),
            in_widths: Spread::default(),
        };
        if method == Method::OwnWeeks {
            return learnt;
        }
        let past: Vec<&Origin> = panel
            .origins
            .iter()
            .filter(|origin| origin.weeks + window.to <= now.weeks)
            .collect();
        let weight = |origin: &Origin| {
            let age = (now.weeks - origin.weeks) as f64;
            0.5_f64.powf(age / HALF_LIFE)
        };
        let mut row = Vec::new();
        if !method.is_baseline() {
            let level = fit(&past, now, window, &weight, |_, units| units.ln_1p());
            if let Some(level) = &level {
                // Harvey (1976): the logarithm of the distance is regressed on the same columns.
                learnt.width = fit(&past, now, window, &weight, |row, units| {
                    ((units.ln_1p() - level.forecast(row)).abs() + LEAST_DISTANCE).ln()
                });
            }
            learnt.level = level;
        }
        let (mut pairs, mut in_widths) = (Vec::new(), Vec::new());
        for origin in &past {
            let weight = weight(origin);
            for state in origin.active() {
                if let Some(units) = now.outcome(state.item, origin.weeks, window) {
                    let (index, width) = learnt.index(state, origin.year, &mut row);
                    pairs.push((index, units, weight));
                    if let Some(width) = width {
                        in_widths.push((index, (units.ln_1p() - index) / width, weight));
                    }
                }
            }
        }
        learnt.in_widths = Spread::learn(in_widths);
        learnt.spread = Spread::learn(pairs);
        learnt
    }

    /// The number by which outcomes are told apart, on a logarithmic scale, and how far they lie from it.
    fn index(&self, state: &State, year: Option<usize>, row: &mut Vec<f64>) -> (f64, Option<f64>) {
        let Some(level) = &self.level else {
            return (
                point(self.method, &state.units, self.window, year).ln_1p(),
                None,
            );
        };
        fill(row, state);
        let width = self.width.as_ref();
        (
            level.forecast(row),
            width.map(|width| width.forecast(row).exp()),
        )
    }

    /// Units forecast, and what may happen.
    fn forecast(&self, state: &State) -> (f64, Outlook) {
        let textbook = point(self.method, &state.units, self.window, self.year);
        if self.method == Method::OwnWeeks {
            return (textbook, own_weeks(&state.units, self.window.weeks()));
        }
        let mut row = Vec::new();
        let (index, width) = self.index(state, self.year, &mut row);
        let by_level = self.spread.outlook(index);
        let outlook = by_level.unwrap_or_else(|| own_weeks(&state.units, self.window.weeks()));
        if self.method.is_baseline() {
            return (textbook, outlook);
        }
        let mut own = outlook;
        if let (Some(width), Some(standard)) = (width, self.in_widths.outlook(index)) {
            own.quantiles = standard.quantiles.map(|outcome| {
                let units = (index + width * outcome).exp_m1().max(0.0);
                if self.whole_units {
                    units.round()
                } else {
                    units
                }
            });
            // The neighbours' mean, moved as this item's middle lies to theirs: the mean of this item's own
            // shares would hang on the largest alone, since they are exponentials.
            let moved = own.middle() / outlook.middle().max(f64::MIN_POSITIVE);
            own.expected = outlook.expected * moved.clamp(0.5, 3.0);
        }
        (own.expected, own)
    }
}

/// A regression over all items at all past origins, on a target made of columns and units sold.
fn fit(
    past: &[&Origin],
    now: &Origin,
    window: Window,
    weight: &dyn Fn(&Origin) -> f64,
    target: impl Fn(&[f64], f64) -> f64,
) -> Option<Ridge> {
    let mut sums = Sums::new(COLUMNS + BENT.len() * BENDS.len());
    let mut row = Vec::new();
    for origin in past {
        let weight = weight(origin);
        for state in origin.active() {
            if let Some(units) = now.outcome(state.item, origin.weeks, window) {
                fill(&mut row, state);
                sums.add(&row, target(&row, units), weight);
            }
        }
    }
    sums.fit(RIDGE)
}

/// A state's columns, with bends.
fn fill(row: &mut Vec<f64>, state: &State) {
    row.clear();
    row.extend_from_slice(&state.features);
    for name in BENT {
        let place = FEATURES.iter().position(|feature| *feature == name);
        let value = place
            .and_then(|place| state.features.get(place))
            .copied()
            .unwrap_or(0.0);
        row.extend(BENDS.map(|bend| (value - bend).max(0.0)));
    }
}

/// The distribution of what the item sold in so many weeks on end.
fn own_weeks(units: &[f64], weeks: usize) -> Outlook {
    let tail = units
        .get(units.len().saturating_sub(OWN)..)
        .unwrap_or_default();
    if tail.len() < weeks {
        // Too young for a single such stretch: each week by itself, so many times.
        let mut values: Vec<(f64, f64)> = tail.iter().map(|units| (*units, 1.0)).collect();
        return Outlook::of(&mut values).times(weeks as f64);
    }
    let stretches = tail.windows(weeks.max(1));
    let mut values: Vec<(f64, f64)> = stretches.map(|part| (part.iter().sum(), 1.0)).collect();
    Outlook::of(&mut values)
}
