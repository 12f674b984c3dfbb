//! From sales to a plan: choose the method on older weeks, measure it on newer ones, forecast every
//! item, advise on orders.

use std::collections::HashMap;

use serde::Serialize;

use super::backtest::{Group, Measured, best, measure};
use super::learn::{FIRST, Learnt, Panel, Workshop};
use super::method::{Method, Window};
use super::policy::{Advice, Stock, Terms};
use super::sales::{Sales, SalesNotes};
use super::simulate::{StockCost, simulate};
use super::spread::Outlook;
use super::state::{DORMANT, Propensities, State, mean_of_last};
use crate::AppsError;

/// How a plan is made.
#[derive(Debug, Clone)]
pub struct DemandOptions {
    /// Weeks to forecast, one by one.
    pub weeks: usize,
    /// Weeks held back: the older half chooses the method, the newer half measures it.
    pub held_back: usize,
    /// The method to use whatever the comparison says.
    pub method: Option<Method>,
    /// Probability of the intervals in the plan.
    pub interval: f64,
    /// Terms of ordering and keeping.
    pub terms: Terms,
    /// Stock by item.
    pub stock: HashMap<String, Stock>,
    /// Scored propensities by item, if any.
    pub propensities: Propensities,
}

impl Default for DemandOptions {
    fn default() -> Self {
        Self {
            weeks: 4,
            held_back: 16,
            method: None,
            interval: 0.8,
            terms: Terms::default(),
            stock: HashMap::new(),
            propensities: Propensities::new(),
        }
    }
}

/// Something to know before following the advice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Caution {
    /// On sale for fewer than eight weeks.
    New,
    /// More than half of the last 13 weeks' units went to one customer.
    OneCustomer,
    /// More came back than was sold.
    Returns,
    /// No price is known.
    NoPrice,
    /// Nothing on the shelf: weeks without stock look like weeks without demand.
    OutOfStock,
}

impl Caution {
    /// In words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::New => "new: on sale for less than eight weeks",
            Self::OneCustomer => {
                "one customer took over half of the last quarter's units: ask first"
            }
            Self::Returns => "more came back than was sold",
            Self::NoPrice => "no price known: order quantity by rule of thumb",
            Self::OutOfStock => "out of stock: demand may be higher than what was sold",
        }
    }
}

/// Units in a span of weeks.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Span {
    /// The weeks.
    pub window: Window,
    /// Expected units.
    pub expected: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

/// One item's forecast and advice.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ItemPlan {
    /// The shop's identifier.
    pub item_id: String,
    /// The name shown to people.
    pub name: Option<String>,
    /// Each week ahead.
    pub weeks: Vec<Span>,
    /// The weeks until an order placed next week would arrive.
    pub until_delivery: Span,
    /// Units sold in each of the last 26 weeks, oldest first; fewer where it is younger.
    pub recent: Vec<f64>,
    /// Units sold in the last week.
    pub last_week: f64,
    /// Mean units of the last 13 weeks.
    pub mean_13: f64,
    /// The last price known.
    pub price: Option<f64>,
    /// Units on the shelf, where known.
    pub on_hand: Option<f64>,
    /// When and how much to order.
    pub advice: Advice,
    /// What to know before following it.
    pub cautions: Vec<Caution>,
}

/// How the method was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Choice {
    /// Lowest pinball loss on the older half of the weeks held back.
    BackTest,
    /// The caller wanted it.
    Given,
    /// Too few weeks to compare: the item's own weeks are shown as they were.
    TooFewWeeks,
}

/// The plan.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DemandPlan {
    /// The end of the data, in milliseconds: the first week ahead begins here.
    pub from_ms: i64,
    /// Open weeks in the data.
    pub weeks_known: usize,
    /// The method used.
    pub method: Method,
    /// How it was chosen.
    pub choice: Choice,
    /// Weeks on which it was chosen.
    pub choosing_weeks: usize,
    /// Weeks on which it was measured, all after those.
    pub measuring_weeks: usize,
    /// Comparison on the weeks that chose.
    pub chosen_on: Vec<Measured>,
    /// Comparison on the weeks that came after.
    pub measured: Vec<Measured>,
    /// Cost of stock over the weeks that chose.
    pub choosing_costs: Vec<StockCost>,
    /// Cost of stock over the weeks that came after.
    pub stock_costs: Vec<StockCost>,
    /// Probability of the intervals.
    pub interval: f64,
    /// Terms of ordering and keeping.
    pub terms: Terms,
    /// Units sold in the whole shop in each week, oldest first, with the week's beginning.
    pub shop: Vec<(i64, f64)>,
    /// Items on sale, those that sell most first.
    pub items: Vec<ItemPlan>,
    /// Items without a sale in the last half year, which are not planned.
    pub dormant: usize,
    /// What was found while counting.
    pub notes: SalesNotes,
}

impl DemandPlan {
    /// The best textbook method on the weeks that measured, by pinball loss over all windows.
    #[must_use]
    pub fn best_baseline(&self) -> Option<Method> {
        let textbook = self
            .measured
            .iter()
            .filter(|line| line.method.is_baseline());
        best(&textbook.cloned().collect::<Vec<_>>())
    }

    /// A method's figures on the weeks that measured, for a window and a group of items.
    #[must_use]
    pub fn score(&self, method: Method, window: Window, group: Group) -> Option<&Measured> {
        self.measured
            .iter()
            .find(|line| line.method == method && line.window == window && line.group == group)
    }
}

/// Makes the plan. `progress` is told how many of how many steps are done.
///
/// # Errors
///
/// Where there is no whole week of orders, or a setting is out of range.
pub fn plan(
    sales: &Sales,
    options: &DemandOptions,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<DemandPlan, AppsError> {
    options.check()?;
    let known = sales.weeks.len();
    if known == 0 {
        return Err(AppsError::TooShort {
            wanted: "whole weeks of orders",
            found: 0,
            least: 1,
        });
    }
    let terms = &options.terms;
    let single: Vec<Window> = (1..=options.weeks).map(Window::week).collect();
    let mut windows = single.clone();
    windows.extend((!single.contains(&terms.window())).then(|| terms.window()));
    let longest = windows.iter().map(|window| window.to).max().unwrap_or(1);
    let panel = Panel::new(sales, &options.propensities, options.held_back);

    // The first origin that a window can be learnt for, and two more to learn from.
    let least = FIRST + longest + 2;
    let half = options.held_back / 2;
    let measuring = known.saturating_sub(half).max(least)..known;
    let choosing = known.saturating_sub(2 * half).max(least)..measuring.start;
    let comparable = choosing.len() >= longest && !measuring.is_empty();
    let (choosing, measuring): (Vec<usize>, Vec<usize>) = if comparable {
        (choosing.collect(), measuring.collect())
    } else {
        (Vec::new(), Vec::new())
    };
    let steps = choosing.len() + measuring.len() + 2 * Method::ALL.len() + windows.len();
    let mut done = 0;
    let mut step = || {
        done += 1;
        progress(done, steps);
    };
    let until = measuring.first().copied().unwrap_or(known);
    let chosen_on = measure(
        &panel,
        sales,
        &Method::ALL,
        &windows,
        &choosing,
        until,
        &mut step,
    );
    let measured = measure(
        &panel,
        sales,
        &Method::ALL,
        &windows,
        &measuring,
        known,
        &mut step,
    );
    let mut costs = |origins: &[usize]| -> Vec<StockCost> {
        let costs = Method::ALL.into_iter().filter_map(|method| {
            let cost = simulate(&panel, sales, method, terms, origins);
            step();
            cost
        });
        costs.collect()
    };
    let choosing_costs = costs(&choosing);
    let stock_costs = costs(&measuring);
    let (method, choice) = match (options.method, best(&chosen_on)) {
        (Some(method), _) => (method, Choice::Given),
        (None, Some(method)) => (method, Choice::BackTest),
        (None, None) => (Method::OwnWeeks, Choice::TooFewWeeks),
    };

    let (items, dormant) = match panel.at(known) {
        Some(now) => {
            let learn = |window: &Window| {
                let learnt = Workshop::new(*window, &panel, now).learn(method);
                step();
                (*window, learnt)
            };
            let forecasters: Vec<(Window, Learnt)> = windows.iter().map(learn).collect();
            let plans = now
                .active()
                .filter_map(|state| item(sales, state, &forecasters, options));
            let mut plans: Vec<ItemPlan> = plans.collect();
            plans.sort_by(|a, b| {
                let units = b
                    .until_delivery
                    .expected
                    .total_cmp(&a.until_delivery.expected);
                units.then_with(|| a.item_id.cmp(&b.item_id))
            });
            (plans, now.states.len() - now.active().count())
        }
        None => (Vec::new(), 0),
    };
    Ok(DemandPlan {
        from_ms: sales.end,
        weeks_known: known,
        method,
        choice,
        choosing_weeks: choosing.len(),
        measuring_weeks: measuring.len(),
        chosen_on,
        measured,
        choosing_costs,
        stock_costs,
        interval: options.interval,
        terms: *terms,
        shop: shop(sales),
        items,
        dormant,
        notes: sales.notes.clone(),
    })
}

impl DemandOptions {
    /// Whether every setting is within its range.
    ///
    /// # Errors
    ///
    /// Names the setting and its range.
    pub fn check(&self) -> Result<(), AppsError> {
        let terms = &self.terms;
        let refuse = |option, reason| Err(AppsError::option(option, reason));
        let share = |number: f64| number > 0.0 && number < 1.0;
        if !(1..=26).contains(&self.weeks) {
            return refuse("--weeks", "1 to 26");
        }
        if terms.lead_weeks > 25 {
            return refuse("--lead", "0 to 25 weeks");
        }
        if !share(self.interval) {
            return refuse("--interval", "between 0 and 1");
        }
        if terms.service.is_some_and(|service| !share(service)) {
            return refuse("--service", "between 0 and 1");
        }
        if !share(terms.margin) {
            return refuse("--margin", "between 0 and 1, a share of the price");
        }
        let costs = [
            ("--holding", terms.holding),
            ("--stock-out", terms.stock_out),
            ("--order-cost", terms.order_cost),
            ("--cover", terms.cover_weeks),
        ];
        for (option, cost) in costs {
            if !cost.is_finite() || cost < 0.0 {
                return refuse(option, "a number, not below 0");
            }
        }
        Ok(())
    }
}

fn item(
    sales: &Sales,
    state: &State,
    forecasters: &[(Window, Learnt)],
    options: &DemandOptions,
) -> Option<ItemPlan> {
    let item = sales.items.get(state.item)?;
    let terms = &options.terms;
    let outlooks: Vec<(Window, Outlook)> = forecasters
        .iter()
        .map(|(window, forecaster)| (*window, forecaster.forecast(state).1))
        .collect();
    let span = |(window, outlook): &(Window, Outlook)| {
        let (low, high) = outlook.interval(options.interval);
        Span {
            window: *window,
            expected: outlook.expected,
            low,
            high,
        }
    };
    let until = outlooks
        .iter()
        .find(|(window, _)| *window == terms.window())?;
    let stock = options.stock.get(&item.id);
    let mut cautions = Vec::new();
    let mut mark = |when: bool, caution: Caution| cautions.extend(when.then_some(caution));
    mark(state.units.len() < FIRST, Caution::New);
    mark(state.largest_customer_share > 0.5, Caution::OneCustomer);
    mark(item.returned > item.units(), Caution::Returns);
    let cost = stock.and_then(|stock| stock.unit_cost);
    mark(state.price.is_none() && cost.is_none(), Caution::NoPrice);
    mark(
        stock.is_some_and(|stock| stock.on_hand <= 0.0),
        Caution::OutOfStock,
    );
    Some(ItemPlan {
        item_id: item.id.clone(),
        name: item.name.clone(),
        weeks: outlooks
            .iter()
            .filter(|(window, _)| window.weeks() == 1 && window.to <= options.weeks)
            .map(span)
            .collect(),
        until_delivery: span(until),
        recent: state
            .units
            .get(state.units.len().saturating_sub(DORMANT)..)?
            .to_vec(),
        last_week: state.units.last().copied().unwrap_or(0.0),
        mean_13: mean_of_last(&state.units, 13),
        price: state.price,
        on_hand: stock.map(|stock| stock.on_hand),
        advice: terms.advise(&until.1, state.price, stock),
        cautions,
    })
}

fn shop(sales: &Sales) -> Vec<(i64, f64)> {
    let mut weeks: Vec<(i64, f64)> = sales.weeks.iter().map(|start| (*start, 0.0)).collect();
    let lines = sales.items.iter().flat_map(|item| &item.lines);
    for line in lines.filter(|line| line.cancelled_at.is_none()) {
        if let Some((_, sum)) = weeks.get_mut(line.week) {
            *sum += line.units;
        }
    }
    weeks
}
