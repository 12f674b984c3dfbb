//! What stock would have cost: the same policy, fed by one method after the other, over the weeks
//! held back.

use serde::Serialize;

use super::learn::{Panel, Workshop};
use super::method::{Method, Window};
use super::policy::{Stock, Terms, UnitCosts};
use super::sales::Sales;

/// Costs over the simulated weeks, in the shop's currency.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct StockCost {
    /// Whose forecasts.
    pub method: Method,
    /// Weeks simulated.
    pub weeks: usize,
    /// Items with a known price.
    pub items: usize,
    /// Cost of keeping goods.
    pub holding: f64,
    /// Margin of the units that were asked for and not there.
    pub missed: f64,
    /// Cost of placing orders.
    pub ordering: f64,
    /// Share of the units asked for that were there.
    pub fill_rate: f64,
}

impl StockCost {
    /// All costs.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.holding + self.missed + self.ordering
    }
}

struct Shelf {
    costs: UnitCosts,
    price: Option<f64>,
    stock: f64,
    /// Units that arrive at the beginning of the next weeks, the nearest first.
    coming: Vec<f64>,
}

/// Every item begins with its reorder point and one order quantity, at the first origin, by the
/// method's own forecast; items that are first sold later are left out for all methods alike.
pub(super) fn simulate(
    panel: &Panel,
    sales: &Sales,
    method: Method,
    terms: &Terms,
    origins: &[usize],
) -> Option<StockCost> {
    let truth = panel.at(sales.weeks.len())?;
    let mut shelves: Vec<Option<Shelf>> = Vec::new();
    shelves.resize_with(sales.items.len(), || None);
    let mut cost = StockCost {
        method,
        weeks: 0,
        items: 0,
        holding: 0.0,
        missed: 0.0,
        ordering: 0.0,
        fill_rate: 0.0,
    };
    let (mut asked, mut served) = (0.0, 0.0);
    for &weeks in origins {
        let Some(now) = panel.at(weeks).filter(|now| now.weeks < truth.weeks) else {
            continue;
        };
        let forecaster = Workshop::new(terms.window(), panel, now).learn(method);
        for state in now.active() {
            let Some(slot) = shelves.get_mut(state.item) else {
                continue;
            };
            let (_, outlook) = forecaster.forecast(state);
            if cost.weeks == 0 {
                let Some(costs) = terms.unit_costs(state.price, None) else {
                    continue;
                };
                let advice = terms.advise(&outlook, state.price, None);
                cost.items += 1;
                *slot = Some(Shelf {
                    costs,
                    price: state.price,
                    stock: advice.reorder_point + advice.order_quantity,
                    coming: vec![0.0; terms.lead_weeks],
                });
            }
            let Some(shelf) = slot else { continue };
            let stock = Stock {
                on_hand: shelf.stock,
                on_order: shelf.coming.iter().sum(),
                ..Stock::default()
            };
            let ordered = terms.advise(&outlook, shelf.price, Some(&stock)).order_now;
            let ordered = ordered.unwrap_or(0.0);
            if ordered > 0.0 {
                cost.ordering += terms.order_cost;
            }
            shelf.coming.push(ordered);
            shelf.stock += shelf.coming.remove(0);
            let demand = truth
                .outcome(state.item, weeks, Window::week(1))
                .unwrap_or(0.0);
            let sold = demand.min(shelf.stock);
            shelf.stock -= sold;
            asked += demand;
            served += sold;
            cost.missed += (demand - sold) * shelf.costs.missed;
            cost.holding += shelf.stock * shelf.costs.week;
        }
        cost.weeks += 1;
    }
    cost.fill_rate = if asked > 0.0 { served / asked } else { 1.0 };
    (cost.weeks > 0).then_some(cost)
}
