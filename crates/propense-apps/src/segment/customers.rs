//! The customer base: who ordered when and for how much, and the habits that show in it.

use std::collections::{BTreeMap, BTreeSet};

use propense_events::{DAY, Event, EventKind, midnight};
use serde::Serialize;

/// One order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Order {
    pub(super) at: i64,
    /// In the shop's currency; 0 where no price is known.
    pub(super) value: f64,
}

/// One customer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Customer {
    /// The shop's identifier.
    pub id: String,
    pub(super) orders: Vec<Order>,
    pub(super) refunds: Vec<Order>,
}

/// What was found while counting.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct BaseNotes {
    /// Orders without a customer, who cannot be addressed.
    pub anonymous_orders: usize,
    /// Orders without a known price or value.
    pub orders_without_value: usize,
    /// Customers to whom more was refunded than they paid.
    pub refunds_exceed_orders: usize,
    /// Share of all turnover of the one customer who spent most.
    pub largest_customer_share: f64,
}

/// All customers with an order.
#[derive(Debug, Clone, Default)]
pub struct Base {
    /// By identifier.
    pub customers: Vec<Customer>,
    /// The first order, in milliseconds.
    pub from: i64,
    /// The midnight after the last order: when the base is looked at.
    pub now: i64,
    /// What was found.
    pub notes: BaseNotes,
}

impl Base {
    /// Counts orders and refunds by customer.
    #[must_use]
    pub fn count(events: &[Event], utc_offset_minutes: i32) -> Self {
        let mut customers: BTreeMap<&str, Customer> = BTreeMap::new();
        let mut notes = BaseNotes::default();
        for event in events {
            let purchase = match event.kind {
                EventKind::Purchase => true,
                EventKind::Refund => false,
                _ => continue,
            };
            let Some(user) = event.user_id.as_deref() else {
                notes.anonymous_orders += usize::from(purchase);
                continue;
            };
            let value = value(event);
            notes.orders_without_value += usize::from(purchase && value.is_none());
            let order = Order {
                at: event.timestamp,
                value: value.unwrap_or(0.0),
            };
            let customer = customers.entry(user).or_default();
            if purchase {
                &mut customer.orders
            } else {
                &mut customer.refunds
            }
            .push(order);
        }
        let mut customers: Vec<Customer> = customers
            .into_iter()
            .filter(|(_, customer)| !customer.orders.is_empty())
            .map(|(id, customer)| Customer {
                id: id.to_owned(),
                ..customer
            })
            .collect();
        let (mut all, mut most) = (0.0, 0.0);
        for customer in &mut customers {
            customer.orders.sort_by_key(|order| order.at);
            customer.refunds.sort_by_key(|order| order.at);
            let sum = |orders: &[Order]| orders.iter().map(|order| order.value).sum::<f64>();
            let (paid, back) = (sum(&customer.orders), sum(&customer.refunds));
            notes.refunds_exceed_orders += usize::from(back > paid);
            all += paid;
            most = f64::max(most, paid);
        }
        notes.largest_customer_share = if all > 0.0 { most / all } else { 0.0 };
        let times = || {
            customers
                .iter()
                .flat_map(|customer| &customer.orders)
                .map(|order| order.at)
        };
        let last = times().max().unwrap_or(0);
        Self {
            from: times().min().unwrap_or(0),
            now: midnight(last, utc_offset_minutes) + DAY,
            customers,
            notes,
        }
    }
}

/// The event's value, or that of its items.
fn value(event: &Event) -> Option<f64> {
    let given = event
        .value
        .filter(|value| value.is_finite() && *value >= 0.0);
    given.or_else(|| {
        let priced = event.items.iter().filter_map(|item| {
            let value = item.price? * item.quantity.unwrap_or(1.0);
            (value.is_finite() && value >= 0.0).then_some(value)
        });
        priced.fold(None, |sum, value| Some(sum.unwrap_or(0.0) + value))
    })
}

/// What a customer's orders before a moment say: recency, frequency, monetary value, and rhythm.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Habits {
    /// Days since the last order.
    pub recency_days: f64,
    /// Days since the first order.
    pub tenure_days: f64,
    /// Orders.
    pub orders: f64,
    /// Days with an order.
    pub order_days: f64,
    /// Turnover, without what was refunded.
    pub spent: f64,
    /// Mean value of an order.
    pub order_value: f64,
    /// Orders in the last 30, 60, 90 and 180 days.
    pub recent_orders: [f64; 4],
    /// Mean days between two days with an order; none before the second.
    pub gap_days: Option<f64>,
    /// Refunds.
    pub refunds: f64,
}

impl Customer {
    /// Habits before the moment; none without an order before it.
    #[must_use]
    pub fn habits(&self, at: i64) -> Option<Habits> {
        let count = self.orders.partition_point(|order| order.at < at);
        let orders = self.orders.get(..count)?;
        let (first, last) = (orders.first()?, orders.last()?);
        let refunds = self.refunds.iter().take_while(|order| order.at < at);
        let days = |from: i64| (at - from) as f64 / DAY as f64;
        let visits: BTreeSet<i64> = orders
            .iter()
            .map(|order| order.at.div_euclid(DAY))
            .collect();
        let paid: f64 = orders.iter().map(|order| order.value).sum();
        let back: f64 = refunds.clone().map(|order| order.value).sum();
        Some(Habits {
            recency_days: days(last.at),
            tenure_days: days(first.at),
            orders: count as f64,
            order_days: visits.len() as f64,
            spent: (paid - back).max(0.0),
            order_value: paid / count as f64,
            recent_orders: [30.0, 60.0, 90.0, 180.0].map(|period| {
                orders
                    .iter()
                    .filter(|order| days(order.at) <= period)
                    .count() as f64
            }),
            gap_days: (visits.len() > 1)
                .then(|| (days(first.at) - days(last.at)) / (visits.len() - 1) as f64),
            refunds: refunds.count() as f64,
        })
    }

    /// Whether an order follows within so many days from the moment.
    #[must_use]
    pub fn orders_within(&self, at: i64, days: i64) -> bool {
        let until = at + days * DAY;
        self.orders
            .iter()
            .any(|order| order.at >= at && order.at < until)
    }
}

/// Columns of [`Habits::columns`].
pub(super) const COLUMNS: usize = 16;

impl Habits {
    /// Numbers that forecast, mostly on a logarithmic scale: from one order to two is as far as from
    /// ten to twenty.
    pub(super) fn columns(&self) -> [f64; COLUMNS] {
        let [a, b, c, d] = self.recent_orders.map(f64::ln_1p);
        let gap = self.gap_days.unwrap_or(0.0);
        let in_gaps = self
            .gap_days
            .map_or(0.0, |gap| self.recency_days / gap.max(1.0));
        [
            self.recency_days.ln_1p(),
            self.recency_days / 30.0,
            self.tenure_days.ln_1p(),
            self.orders.ln_1p(),
            self.order_days.ln_1p(),
            self.spent.ln_1p(),
            self.order_value.ln_1p(),
            f64::from(self.gap_days.is_some()),
            gap.ln_1p(),
            in_gaps.ln_1p(),
            30.0 * self.order_days / self.tenure_days.max(30.0),
            a,
            b,
            c,
            d,
            self.refunds.ln_1p(),
        ]
    }
}
