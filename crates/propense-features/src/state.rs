//! What is kept of a session while its events pass: the raw numbers behind every [`Measure`].

use std::collections::BTreeMap;

use propense_events::{Event, EventKind};

use crate::{
    Measure,
    amounts::{money, price},
    cart::Cart,
    learnt::Learnt,
    stay::Stays,
    summary::Sums,
};

/// The raw value of every measure after one event, by [`Measure`] as index; `None` is missing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Observation([Option<f64>; Measure::ALL.len()]);

impl Observation {
    const fn nothing() -> Self {
        Self([None; Measure::ALL.len()])
    }

    pub(crate) fn get(&self, measure: Measure) -> Option<f64> {
        self.0.get(measure as usize).copied().flatten()
    }

    fn set(&mut self, measure: Measure, number: Option<f64>) {
        if let Some(slot) = self.0.get_mut(measure as usize) {
            *slot = number;
        }
    }

    fn known(&mut self, measure: Measure, number: f64) {
        self.set(measure, Some(number));
    }
}

/// How often an item has occurred.
#[derive(Debug, Clone, Copy, Default)]
struct Occurrences {
    /// In events of any kind.
    events: u32,
    /// As an item page that was opened.
    views: u32,
}

/// Counters over the events so far. An event costs at most the logarithm of the number of
/// distinct items, for each item in it.
#[derive(Debug, Clone)]
pub(crate) struct State {
    start: i64,
    latest: Option<i64>,
    events: usize,
    items: BTreeMap<String, Occurrences>,
    categories: BTreeMap<String, u32>,
    most_views: u32,
    views: u32,
    searches: u32,
    carts: u32,
    wishes: u32,
    item_rates: Sums,
    category_rates: Sums,
    item_orders: Sums,
    gaps: Sums,
    /// Time of the last event that changed the cart.
    last_cart: Option<i64>,
    cart: Cart,
    stays: Stays,
}

impl State {
    pub(crate) fn new(start: i64) -> Self {
        Self {
            start,
            latest: None,
            events: 0,
            items: BTreeMap::new(),
            categories: BTreeMap::new(),
            most_views: 0,
            views: 0,
            searches: 0,
            carts: 0,
            wishes: 0,
            item_rates: Sums::default(),
            category_rates: Sums::default(),
            item_orders: Sums::default(),
            gaps: Sums::default(),
            last_cart: None,
            cart: Cart::default(),
            stays: Stays::default(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.events
    }

    /// Takes in one event. Time never runs backwards: an event that is older than the one before
    /// it counts as simultaneous with it.
    pub(crate) fn observe(&mut self, event: &Event, learnt: &impl Learnt) -> Observation {
        let mut seen = Observation::nothing();
        let now = self
            .latest
            .map_or(event.timestamp, |latest| latest.max(event.timestamp));
        let gap = self.latest.map(|latest| seconds(now, latest));
        seen.set(Measure::Gap, gap);
        if let Some(gap) = gap {
            self.gaps.add(gap, true);
        }
        seen.set(Measure::MeanGap, self.gaps.mean());
        seen.set(Measure::LongestGap, self.gaps.high());
        seen.known(Measure::Elapsed, seconds(now, self.start));
        self.latest = Some(now);
        self.events += 1;
        seen.known(Measure::Position, self.events as f64);

        let opens = self.observe_stay(event, now, &mut seen);
        observe_learnt(event, learnt, &mut seen);
        self.observe_rates(event, &mut seen);
        self.observe_items(event, opens, &mut seen);
        self.observe_counters(event, now, &mut seen);
        self.observe_cart(event, &mut seen);
        seen.set(Measure::EventValue, event.value.and_then(money));
        seen.known(Measure::EventItems, event.items.len() as f64);
        seen.set(Measure::Rating, rating(event));
        seen
    }

    /// Whether the event opens an item's page.
    fn observe_stay(&mut self, event: &Event, now: i64, seen: &mut Observation) -> bool {
        let stay = self.stays.update(event, now);
        seen.set(Measure::Dwell, stay.dwell.map(|dwell| seconds(dwell, 0)));
        let mean = self.stays.mean();
        seen.set(Measure::MeanDwell, mean.map(|mean| mean / 1000.0));
        stay.opens
    }

    /// The rates so far; before the items are counted, so that a new one is known as such.
    fn observe_rates(&mut self, event: &Event, seen: &mut Observation) {
        if let Some(item) = event.items.first() {
            let rate = seen.get(Measure::ItemRate).unwrap_or(0.0);
            let first = !self.items.contains_key(&item.item_id);
            self.item_rates.add(rate, first);
            let orders = seen.get(Measure::ItemOrders).unwrap_or(0.0);
            self.item_orders.add(orders, first);
            if let Some(category) = &item.item_category {
                let rate = seen.get(Measure::CategoryRate).unwrap_or(0.0);
                let first = !self.categories.contains_key(category);
                self.category_rates.add(rate, first);
            }
        }
        for (sums, [mean, high, low, sum]) in [
            (
                &self.item_rates,
                [
                    Measure::MeanItemRate,
                    Measure::MaxItemRate,
                    Measure::MinItemRate,
                    Measure::SumItemRate,
                ],
            ),
            (
                &self.category_rates,
                [
                    Measure::MeanCategoryRate,
                    Measure::MaxCategoryRate,
                    Measure::MinCategoryRate,
                    Measure::SumCategoryRate,
                ],
            ),
        ] {
            seen.set(mean, sums.mean());
            seen.set(high, sums.high());
            seen.set(low, sums.low());
            seen.set(sum, sums.distinct());
        }
        seen.set(Measure::MeanItemOrders, self.item_orders.mean());
        seen.set(Measure::MaxItemOrders, self.item_orders.high());
    }

    /// What came before of the first item; then all items are counted.
    fn observe_items(&mut self, event: &Event, opens: bool, seen: &mut Observation) {
        let first = event.items.first();
        let before = first.map(|item| self.items.get(&item.item_id).copied().unwrap_or_default());
        let category = first.and_then(|item| item.item_category.as_deref());
        let repeats = before.map(|before| f64::from(before.events));
        seen.set(Measure::ItemRepeats, repeats);
        let views = before.map(|before| f64::from(before.views));
        seen.set(Measure::ItemViews, views);
        let repeats =
            category.map(|name| self.categories.get(name).copied().map_or(0.0, f64::from));
        seen.set(Measure::CategoryRepeats, repeats);

        for (position, item) in event.items.iter().enumerate() {
            count(&mut self.items, &item.item_id, |count: &mut Occurrences| {
                count.events = count.events.saturating_add(1);
                if opens && position == 0 {
                    count.views = count.views.saturating_add(1);
                    self.most_views = self.most_views.max(count.views);
                }
            });
            if let Some(category) = &item.item_category {
                count(&mut self.categories, category, |count: &mut u32| {
                    *count = count.saturating_add(1);
                });
            }
        }
        seen.known(Measure::MostViews, f64::from(self.most_views));
        seen.known(Measure::DistinctItems, self.items.len() as f64);
        seen.known(Measure::DistinctCategories, self.categories.len() as f64);
        self.views = self.views.saturating_add(u32::from(opens));
        seen.known(Measure::Views, f64::from(self.views));
    }

    fn observe_counters(&mut self, event: &Event, now: i64, seen: &mut Observation) {
        seen.known(Measure::Searched, f64::from(u8::from(self.searches > 0)));
        let since = self.last_cart.map(|last| seconds(now, last));
        seen.set(Measure::SinceCart, since);
        match event.kind {
            EventKind::Search => self.searches = self.searches.saturating_add(1),
            EventKind::AddToCart => {
                self.carts = self.carts.saturating_add(1);
                self.last_cart = Some(now);
            }
            EventKind::AddToWishlist => self.wishes = self.wishes.saturating_add(1),
            EventKind::RemoveFromCart => self.last_cart = Some(now),
            _ => {}
        }
        seen.known(Measure::Searches, f64::from(self.searches));
        seen.known(Measure::Carts, f64::from(self.carts));
        seen.known(Measure::Wishes, f64::from(self.wishes));
    }

    fn observe_cart(&mut self, event: &Event, seen: &mut Observation) {
        self.cart.update(event);
        seen.known(Measure::CartUnits, self.cart.units());
        seen.known(Measure::CartValue, self.cart.value());
        seen.known(Measure::CartItems, self.cart.len() as f64);
        let first = event.items.first();
        let inside = first.map(|item| f64::from(u8::from(self.cart.holds(&item.item_id))));
        seen.set(Measure::InCart, inside);
    }
}

/// What training knows of the first item.
fn observe_learnt(event: &Event, learnt: &impl Learnt, seen: &mut Observation) {
    let Some(item) = event.items.first() else {
        return;
    };
    let category = item.item_category.as_deref();
    seen.set(Measure::ItemRate, learnt.item_rate(&item.item_id));
    seen.known(Measure::ItemOrders, learnt.item_orders(&item.item_id));
    let rate = category.and_then(|category| learnt.category_rate(category));
    seen.set(Measure::CategoryRate, rate);
    let price = price(item);
    seen.set(Measure::Price, price);
    let ratio = price
        .zip(learnt.typical_prices())
        .map(|(price, typical)| typical.ratio(price, category));
    seen.set(Measure::PriceRatio, ratio);
}

/// Seconds from `before` to `now`, at least zero.
fn seconds(now: i64, before: i64) -> f64 {
    now.saturating_sub(before).max(0) as f64 / 1000.0
}

/// Changes the count of this key, from zero; the key is copied only when it is new.
fn count<T: Default>(counts: &mut BTreeMap<String, T>, key: &str, change: impl FnOnce(&mut T)) {
    match counts.get_mut(key) {
        Some(count) => change(count),
        None => {
            let mut count = T::default();
            change(&mut count);
            counts.insert(key.to_owned(), count);
        }
    }
}

/// Stars of a review, 1 to 5.
pub(crate) fn rating(event: &Event) -> Option<f64> {
    let stars = event.rating.filter(|stars| (1.0..=5.0).contains(stars));
    stars.filter(|_| event.kind == EventKind::Review)
}
