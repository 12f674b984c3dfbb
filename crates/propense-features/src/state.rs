//! What is kept of a session while its events pass: the raw numbers behind every [`Measure`].

use std::collections::BTreeMap;

use propense_events::{Event, EventKind, Item};

use crate::{Measure, rates::RateSource};

/// Prices and quantities beyond these are errors; cut here, sums of them stay finite.
const MOST_UNITS: f64 = 1e9;
const MOST_MONEY: f64 = 1e12;

/// The raw value of every measure after one event, by [`Measure`] as index; `None` is missing.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Observation([Option<f64>; Measure::ALL.len()]);

impl Observation {
    pub(crate) fn get(&self, measure: Measure) -> Option<f64> {
        self.0.get(measure as usize).copied().flatten()
    }

    fn set(&mut self, measure: Measure, number: Option<f64>) {
        if let Some(slot) = self.0.get_mut(measure as usize) {
            *slot = number;
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Line {
    units: f64,
    /// Price of one unit; zero where it was never told.
    price: f64,
}

/// Counters over the events so far.
#[derive(Debug, Clone)]
pub(crate) struct State {
    start: i64,
    latest: Option<i64>,
    events: usize,
    items: BTreeMap<String, u32>,
    categories: BTreeMap<String, u32>,
    cart: BTreeMap<String, Line>,
}

impl State {
    pub(crate) fn new(start: i64) -> Self {
        Self {
            start,
            latest: None,
            events: 0,
            items: BTreeMap::new(),
            categories: BTreeMap::new(),
            cart: BTreeMap::new(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.events
    }

    /// Takes in one event. Time never runs backwards: an event that is older than the one before
    /// it counts as simultaneous with it.
    pub(crate) fn observe(&mut self, event: &Event, rates: &impl RateSource) -> Observation {
        let mut seen = Observation::default();
        let now = self
            .latest
            .map_or(event.timestamp, |latest| latest.max(event.timestamp));
        let gap = self.latest.map(|latest| seconds(now, latest));
        seen.set(Measure::Gap, gap);
        seen.set(Measure::Elapsed, Some(seconds(now, self.start)));
        self.latest = Some(now);
        self.events += 1;
        seen.set(Measure::Position, Some(self.events as f64));

        let first = event.items.first();
        let category = first.and_then(|item| item.item_category.as_deref());
        seen.set(Measure::Price, first.and_then(price));
        seen.set(
            Measure::ItemRepeats,
            first.map(|item| times(&self.items, &item.item_id)),
        );
        seen.set(
            Measure::CategoryRepeats,
            category.map(|category| times(&self.categories, category)),
        );
        seen.set(
            Measure::ItemRate,
            first.and_then(|item| rates.item(&item.item_id)),
        );
        seen.set(
            Measure::CategoryRate,
            category.and_then(|category| rates.category(category)),
        );
        for item in &event.items {
            count(&mut self.items, &item.item_id);
            if let Some(category) = &item.item_category {
                count(&mut self.categories, category);
            }
        }
        seen.set(Measure::DistinctItems, Some(self.items.len() as f64));
        seen.set(
            Measure::DistinctCategories,
            Some(self.categories.len() as f64),
        );

        self.update_cart(event);
        let units = self.cart.values().map(|line| line.units).sum();
        let value = self.cart.values().map(|line| line.units * line.price).sum();
        seen.set(Measure::CartUnits, Some(units));
        seen.set(Measure::CartValue, Some(value));
        seen.set(Measure::EventValue, event.value.and_then(money));
        seen.set(Measure::EventItems, Some(event.items.len() as f64));
        seen
    }

    fn update_cart(&mut self, event: &Event) {
        match event.kind {
            EventKind::AddToCart => {
                for item in &event.items {
                    let price = price(item);
                    let line = self.cart.entry(item.item_id.clone()).or_insert(Line {
                        units: 0.0,
                        price: 0.0,
                    });
                    line.units = (line.units + units(item)).min(MOST_UNITS);
                    line.price = price.unwrap_or(line.price);
                }
            }
            EventKind::RemoveFromCart => {
                for item in &event.items {
                    if let Some(line) = self.cart.get_mut(&item.item_id) {
                        line.units -= units(item);
                        if line.units <= 0.0 {
                            self.cart.remove(&item.item_id);
                        }
                    }
                }
            }
            // The order takes the cart with it.
            EventKind::Purchase => self.cart.clear(),
            _ => {}
        }
    }
}

/// Seconds from `before` to `now`, at least zero.
fn seconds(now: i64, before: i64) -> f64 {
    now.saturating_sub(before).max(0) as f64 / 1000.0
}

fn times(counts: &BTreeMap<String, u32>, key: &str) -> f64 {
    counts.get(key).copied().map_or(0.0, f64::from)
}

fn count(counts: &mut BTreeMap<String, u32>, key: &str) {
    match counts.get_mut(key) {
        Some(count) => *count = count.saturating_add(1),
        None => {
            counts.insert(key.to_owned(), 1);
        }
    }
}

fn money(amount: f64) -> Option<f64> {
    (amount.is_finite() && amount >= 0.0).then(|| amount.min(MOST_MONEY))
}

fn price(item: &Item) -> Option<f64> {
    item.price.and_then(money)
}

fn units(item: &Item) -> f64 {
    match item.quantity {
        Some(units) if units.is_finite() && units > 0.0 => units.min(MOST_UNITS),
        _ => 1.0,
    }
}
