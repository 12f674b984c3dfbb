//! When to order and how much.
//!
//! Stock is looked at once a week. An order placed now arrives after the lead time, the next chance
//! to order is a week later: stock on hand and on order must last for lead time + 1 weeks. The
//! reorder point is the demand of these weeks that is not exceeded with the wanted probability
//! (service level); where stock is at or below it, whole order quantities are ordered until it is
//! above: the (R, s, nQ) policy of Silver, Pyke and Thomas (2017), chapters 6 and 7.

use serde::Serialize;

use super::method::Window;
use super::spread::Outlook;

/// What stock costs, and how sure the shop wants to be.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Terms {
    /// Weeks from an order until the goods are on the shelf.
    pub lead_weeks: usize,
    /// Probability that stock lasts until the next delivery; where missing it follows from the costs.
    pub service: Option<f64>,
    /// Cost of keeping goods for a year, as a share of what they cost.
    pub holding: f64,
    /// What a unit brings beyond what it cost, as a share of its price.
    pub margin: f64,
    /// Cost of a unit that was asked for and not there, as a share of the margin that it would have
    /// brought.
    pub stock_out: f64,
    /// Cost of placing and receiving one order for one item, in the shop's currency.
    pub order_cost: f64,
    /// Weeks that an order lasts where no price is known.
    pub cover_weeks: f64,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            lead_weeks: 2,
            service: None,
            holding: 0.25,
            margin: 0.5,
            stock_out: 1.0,
            order_cost: 2.0,
            cover_weeks: 4.0,
        }
    }
}

/// What is there of an item.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Stock {
    /// Units on the shelf.
    pub on_hand: f64,
    /// Units ordered from the supplier and not yet there.
    pub on_order: f64,
    /// Units of one package, where it is sold in packages only.
    pub pack: Option<f64>,
    /// What a unit costs, where it is known better than from price and margin.
    pub unit_cost: Option<f64>,
}

/// The advice for one item.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Advice {
    /// The probability that stock at the reorder point lasts until the next delivery.
    pub service: f64,
    /// Order where stock on hand and on order is at or below this.
    pub reorder_point: f64,
    /// Units of one order.
    pub order_quantity: f64,
    /// Units to order now; none where the stock is not known.
    pub order_now: Option<f64>,
    /// Units kept beyond what is expected to sell.
    pub safety_stock: f64,
}

/// What a unit of an item costs in stock.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct UnitCosts {
    /// For a week on the shelf.
    pub(super) week: f64,
    /// For a sale that is missed.
    pub(super) missed: f64,
}

impl Terms {
    /// The weeks that an order placed now must last for.
    #[must_use]
    pub const fn window(&self) -> Window {
        Window::next(self.lead_weeks + 1)
    }

    /// None where neither price nor cost is known, or the goods cost nothing.
    pub(super) fn unit_costs(&self, price: Option<f64>, cost: Option<f64>) -> Option<UnitCosts> {
        let (cost, brought) = match (price, cost) {
            (Some(price), Some(cost)) => (cost, (price - cost).max(0.0)),
            (Some(price), None) => (price * (1.0 - self.margin), price * self.margin),
            (None, Some(cost)) => (cost, cost * self.margin / (1.0 - self.margin).max(0.01)),
            (None, None) => return None,
        };
        let week = cost * self.holding / 52.0;
        (week > 0.0).then_some(UnitCosts {
            week,
            missed: brought * self.stock_out,
        })
    }

    /// The advice from what may be sold in [`Terms::window`].
    #[must_use]
    pub fn advise(&self, outlook: &Outlook, price: Option<f64>, stock: Option<&Stock>) -> Advice {
        let costs = self.unit_costs(price, stock.and_then(|stock| stock.unit_cost));
        let week = outlook.expected / self.window().weeks() as f64;
        let quantity = match costs {
            // Harris (1913): ordering and keeping cost the same.
            Some(costs) => (2.0 * self.order_cost * week / costs.week).sqrt().max(week),
            None => week * self.cover_weeks,
        };
        let pack = stock
            .and_then(|stock| stock.pack)
            .filter(|pack| *pack > 0.0);
        let whole = |units: f64| match pack {
            Some(pack) => (units / pack - 1e-9).ceil() * pack,
            None => (units - 1e-9).ceil(),
        };
        let order_quantity = if week > 0.0 {
            whole(quantity).max(pack.unwrap_or(1.0))
        } else {
            0.0
        };
        let service = self.service.unwrap_or_else(|| match costs {
            // Hadley and Whitin (1963) for missed sales: a unit more is worth its margin in the
            // cycles in which it is asked for, and costs its keeping in all.
            Some(costs) if week > 0.0 => {
                let cycle = costs.week * order_quantity / week;
                (costs.missed / (costs.missed + cycle)).clamp(0.5, 0.99)
            }
            _ => 0.95,
        });
        let reorder_point = outlook.quantile(service).ceil();
        let order_now = stock.map(|stock| {
            let position = stock.on_hand.max(0.0) + stock.on_order.max(0.0);
            if order_quantity <= 0.0 || position > reorder_point {
                return 0.0;
            }
            ((reorder_point - position) / order_quantity).floor() * order_quantity + order_quantity
        });
        Advice {
            service,
            reorder_point,
            order_quantity,
            order_now,
            safety_stock: (reorder_point - outlook.expected).max(0.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 0 to 100 units in the three weeks, each as likely.
    fn outlook() -> Outlook {
        Outlook::of(
            &mut (0..=100)
                .map(|units| (f64::from(units), 1.0))
                .collect::<Vec<_>>(),
        )
    }

    #[test]
    fn the_reorder_point_is_the_wanted_quantile() {
        let terms = Terms {
            service: Some(0.9),
            ..Terms::default()
        };
        let stock = |on_hand, on_order| Stock {
            on_hand,
            on_order,
            pack: Some(12.0),
            unit_cost: None,
        };
        // 50 / 3 a week; √(2 · 2 · 16.67 / (2.5 · 0.25 / 52)) = 74.5, in twelves 84.
        let advice = |stock: Option<&Stock>| terms.advise(&outlook(), Some(5.0), stock);
        for (on_hand, on_order, expected) in [
            (100.0, 0.0, 0.0),
            (91.0, 0.0, 0.0),
            (90.0, 0.0, 84.0),
            (0.0, 50.0, 84.0),
            (0.0, 0.0, 168.0),
            // Books may say less than nothing is there; the shelf cannot.
            (-40.0, 0.0, 168.0),
        ] {
            let found = advice(Some(&stock(on_hand, on_order)));
            assert_eq!(found.reorder_point, 90.0);
            assert_eq!(found.order_quantity, 84.0);
            assert_eq!(found.order_now, Some(expected), "{on_hand} + {on_order}");
        }
        assert_eq!(advice(None).order_now, None);
        assert_eq!(advice(None).order_quantity, 75.0);
        assert_eq!(advice(None).safety_stock, 40.0);
    }

    #[test]
    fn dear_stock_means_less_of_it_and_no_price_a_rule_of_thumb() {
        let dear = Terms {
            holding: 4.0,
            ..Terms::default()
        };
        let cheap = Terms {
            holding: 0.1,
            ..Terms::default()
        };
        let service = |terms: &Terms| terms.advise(&outlook(), Some(5.0), None).service;
        assert!(
            service(&dear) < service(&cheap),
            "{} {}",
            service(&dear),
            service(&cheap)
        );
        let unpriced = dear.advise(&outlook(), None, None);
        assert_eq!(unpriced.service, 0.95);
        assert_eq!(unpriced.order_quantity, (50.0_f64 / 3.0 * 4.0).ceil());
    }

    #[test]
    fn what_does_not_sell_is_not_ordered() {
        let nothing = Outlook::default();
        let empty = Stock::default();
        let advice = Terms::default().advise(&nothing, Some(5.0), Some(&empty));
        assert_eq!((advice.order_quantity, advice.order_now), (0.0, Some(0.0)));
    }
}
