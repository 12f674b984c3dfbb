//! What was sold: the order lines of each item in weeks, as they were known at any moment.

use std::collections::{BTreeMap, HashMap, HashSet};

use propense_events::{DAY, Event, EventKind, midnight};
use serde::Serialize;

/// Milliseconds of a week.
pub(super) const WEEK: i64 = 7 * DAY;

/// How events become sales.
#[derive(Debug, Clone)]
pub struct SalesOptions {
    /// The shop's offset from UTC in minutes, for its midnights.
    pub utc_offset_minutes: i32,
    /// An order line whose exact counterpart (customer, item, units) is refunded within so many
    /// days counts as never ordered: a slip of the keyboard is no demand. Later refunds are returns.
    pub cancelled_within_days: i64,
    /// Item identifiers that are no goods: postage, fees, manual entries.
    pub book_entries: Vec<String>,
}

impl Default for SalesOptions {
    fn default() -> Self {
        Self {
            utc_offset_minutes: 0,
            cancelled_within_days: 7,
            book_entries: BOOK_ENTRIES.map(str::to_owned).to_vec(),
        }
    }
}

/// Codes that shops use for what is no product, as UCI Online Retail has them.
pub const BOOK_ENTRIES: [&str; 14] = [
    "POST",
    "DOT",
    "M",
    "m",
    "D",
    "C2",
    "S",
    "B",
    "BANK CHARGES",
    "AMAZONFEE",
    "CRUK",
    "PADS",
    "POSTAGE",
    "SHIPPING",
];

/// One item of one order.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    pub(super) week: usize,
    pub(super) units: f64,
    pub(super) price: Option<f64>,
    pub(super) customer: Option<u32>,
    /// When it was cancelled, in milliseconds.
    pub(super) cancelled_at: Option<i64>,
}

/// An item and its order lines in time order.
#[derive(Debug, Clone, Default)]
pub struct ItemSales {
    /// The shop's identifier.
    pub id: String,
    /// The name shown to people, as last seen.
    pub name: Option<String>,
    pub(super) lines: Vec<Line>,
    /// Units that came back other than by a quick cancellation.
    pub returned: f64,
}

impl ItemSales {
    /// Units ordered and not cancelled.
    #[must_use]
    pub fn units(&self) -> f64 {
        let kept = self.lines.iter().filter(|line| line.cancelled_at.is_none());
        kept.map(|line| line.units).sum()
    }
}

/// What was found while counting.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct SalesNotes {
    /// Lines taken as never ordered, since they were refunded at once.
    pub cancelled_lines: usize,
    /// Units of these lines.
    pub cancelled_units: f64,
    /// Lines of codes that are no goods.
    pub book_entry_lines: usize,
    /// Lines at a price of zero to nobody: corrections of the stock, no sales.
    pub stock_movements: usize,
    /// Whole weeks without a single order: the shop was closed, which says nothing of demand.
    pub closed_weeks: Vec<i64>,
    /// Items of which more came back than was sold.
    pub returns_exceed_sales: Vec<String>,
    /// The share of turnover of the one customer who bought most, where customers are known.
    pub largest_customer_share: f64,
    /// Items of which no price is known.
    pub without_price: usize,
}

/// Order lines by item, and the weeks in which the shop was open.
///
/// Weeks are counted back from the midnight after the last order, so that the newest week is a
/// whole one; each holds every weekday once. A first week that the data covers in part is left out.
#[derive(Debug, Clone)]
pub struct Sales {
    /// By identifier.
    pub items: Vec<ItemSales>,
    /// Beginnings of the open weeks, in milliseconds, oldest first.
    pub weeks: Vec<i64>,
    /// The end of the last week.
    pub end: i64,
    /// Whether all is sold by the piece, and not by weight or length.
    pub whole_units: bool,
    /// What was found.
    pub notes: SalesNotes,
}

/// A line on its way: its time, and the item's place in the list.
struct Raw {
    at: i64,
    item: usize,
    units: f64,
    price: Option<f64>,
    customer: Option<u32>,
    cancelled_at: Option<i64>,
}

impl Sales {
    /// Counts the orders and refunds among the events; other events are passed over. Order within
    /// `events` does not matter.
    #[must_use]
    pub fn count(events: &[Event], options: &SalesOptions) -> Self {
        let mut notes = SalesNotes::default();
        let book: HashSet<&str> = options.book_entries.iter().map(String::as_str).collect();
        let mut orders: Vec<&Event> = events
            .iter()
            .filter(|event| matches!(event.kind, EventKind::Purchase | EventKind::Refund))
            .collect();
        orders.sort_by_key(|event| event.timestamp);
        let mut items: BTreeMap<&str, ItemSales> = BTreeMap::new();
        let mut customers: HashMap<&str, u32> = HashMap::new();
        for item in orders.iter().flat_map(|event| &event.items) {
            if book.contains(item.item_id.as_str()) {
                continue;
            }
            let known = items.entry(&item.item_id).or_default();
            if item.item_name.is_some() {
                known.name.clone_from(&item.item_name);
            }
        }
        let places: HashMap<&str, usize> = items
            .keys()
            .enumerate()
            .map(|(place, id)| (*id, place))
            .collect();
        let mut lines: Vec<Raw> = Vec::new();
        let mut returned = vec![0.0; items.len()];
        // Order lines by who, what and how many, newest last, to find what a refund undoes.
        let mut open: HashMap<(u32, usize, u64), Vec<usize>> = HashMap::new();
        for event in &orders {
            let customer = event.user_id.as_deref().map(|user| {
                let next = customers.len() as u32;
                *customers.entry(user).or_insert(next)
            });
            for item in &event.items {
                let Some(&place) = places.get(item.item_id.as_str()) else {
                    notes.book_entry_lines += usize::from(event.kind == EventKind::Purchase);
                    continue;
                };
                let units = item.quantity.unwrap_or(1.0);
                if !units.is_finite() || units <= 0.0 {
                    continue;
                }
                if event.kind == EventKind::Purchase
                    && customer.is_none()
                    && item.price == Some(0.0)
                {
                    notes.stock_movements += 1;
                    continue;
                }
                let key = customer.map(|customer| (customer, place, units.to_bits()));
                if event.kind == EventKind::Purchase {
                    if let Some(key) = key {
                        open.entry(key).or_default().push(lines.len());
                    }
                    lines.push(Raw {
                        at: event.timestamp,
                        item: place,
                        units,
                        price: item.price.filter(|price| price.is_finite() && *price > 0.0),
                        customer,
                        cancelled_at: None,
                    });
                    continue;
                }
                let undone = key
                    .and_then(|key| open.get_mut(&key))
                    .and_then(|list| {
                        list.pop_if(|index| {
                            let age = event.timestamp
                                - lines.get(*index).map_or(i64::MIN, |line| line.at);
                            age <= options.cancelled_within_days * DAY
                        })
                    })
                    .and_then(|index| lines.get_mut(index));
                match undone {
                    Some(line) => {
                        line.cancelled_at = Some(event.timestamp);
                        notes.cancelled_lines += 1;
                        notes.cancelled_units += units;
                    }
                    None => {
                        if let Some(sum) = returned.get_mut(place) {
                            *sum += units;
                        }
                    }
                }
            }
        }
        let mut items: Vec<ItemSales> = items
            .into_iter()
            .zip(returned)
            .map(|((id, item), returned)| ItemSales {
                id: id.to_owned(),
                returned,
                ..item
            })
            .collect();
        notes.largest_customer_share = largest_share(&lines, customers.len());
        let whole_units = lines.iter().all(|line| line.units.fract() == 0.0);
        let (weeks, end, closed) = calendar(&lines, options.utc_offset_minutes);
        notes.closed_weeks = closed;
        for raw in lines {
            // A line before the first whole week, or in none.
            let Some(week) = weeks
                .partition_point(|start| *start <= raw.at)
                .checked_sub(1)
            else {
                continue;
            };
            if let Some(item) = items.get_mut(raw.item) {
                item.lines.push(Line {
                    week,
                    units: raw.units,
                    price: raw.price,
                    customer: raw.customer,
                    cancelled_at: raw.cancelled_at,
                });
            }
        }
        items.retain(|item| !item.lines.is_empty() || item.returned > 0.0);
        for item in &items {
            if item.returned > item.units() {
                notes.returns_exceed_sales.push(item.id.clone());
            }
            notes.without_price += usize::from(item.lines.iter().all(|line| line.price.is_none()));
        }
        Self {
            items,
            weeks,
            end,
            whole_units,
            notes,
        }
    }

    /// The moment at which the first `weeks` weeks are over.
    pub(super) fn moment(&self, weeks: usize) -> i64 {
        self.weeks.get(weeks).copied().unwrap_or(self.end)
    }
}

/// Beginnings of the open weeks, the end of the last one, and the weeks without an order.
fn calendar(lines: &[Raw], utc_offset_minutes: i32) -> (Vec<i64>, i64, Vec<i64>) {
    let times = lines.iter().map(|line| line.at);
    let (Some(first), Some(last)) = (times.clone().min(), times.max()) else {
        return (Vec::new(), 0, Vec::new());
    };
    let midnight = |moment| midnight(moment, utc_offset_minutes);
    let end = midnight(last) + DAY;
    let whole = (end - midnight(first)) / WEEK;
    let mut busy = vec![false; usize::try_from(whole).unwrap_or(0)];
    for line in lines {
        let back = usize::try_from((end - 1 - line.at) / WEEK).unwrap_or(usize::MAX);
        if let Some(week) = busy.get_mut(back) {
            *week = true;
        }
    }
    let (mut open, mut closed) = (Vec::new(), Vec::new());
    for (back, orders) in busy.iter().enumerate().rev() {
        let start = end - WEEK * (back as i64 + 1);
        if *orders { &mut open } else { &mut closed }.push(start);
    }
    (open, end, closed)
}

/// The largest share of turnover (units, where no price is known) that went to one customer.
fn largest_share(lines: &[Raw], customers: usize) -> f64 {
    let mut spent = vec![0.0; customers];
    let mut all = 0.0;
    for line in lines.iter().filter(|line| line.cancelled_at.is_none()) {
        let value = line.units * line.price.unwrap_or(1.0);
        all += value;
        let own = line
            .customer
            .and_then(|customer| spent.get_mut(customer as usize));
        if let Some(own) = own {
            *own += value;
        }
    }
    let most = spent.into_iter().fold(0.0, f64::max);
    if all > 0.0 { most / all } else { 0.0 }
}
