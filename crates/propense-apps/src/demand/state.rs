//! What was known of an item when a week began: its weekly units, and numbers that forecast.

use std::collections::{HashMap, HashSet};

use super::sales::{ItemSales, Sales};

/// Names of the numbers in `State::features`, in order.
pub const FEATURES: [&str; 25] = [
    "units_1",
    "units_2",
    "units_4",
    "units_8",
    "units_13",
    "units_26",
    "orders_1",
    "orders_2",
    "orders_4",
    "orders_8",
    "orders_13",
    "orders_26",
    "units_smooth_10",
    "units_smooth_30",
    "orders_smooth_10",
    "orders_smooth_30",
    "log_units_4",
    "log_units_13",
    "log_units_smooth",
    "busy_weeks_4",
    "busy_weeks_13",
    "weeks_since_sale",
    "weeks_on_sale",
    "largest_customer_share",
    "buyers_8",
];

/// Further columns: price, price against its usual, units of an order, and the given propensity.
pub const FURTHER: [&str; 4] = [
    "price",
    "price_against_usual",
    "units_per_order",
    "propensity",
];

/// All columns of the pooled model before its bends.
pub(super) const COLUMNS: usize = FEATURES.len() + FURTHER.len();

/// One item at the end of one week.
#[derive(Debug, Clone)]
pub(super) struct State {
    /// Its place in [`Sales::items`].
    pub(super) item: usize,
    /// Units in each week since its first sale, oldest first, without orders cancelled by then.
    pub(super) units: Vec<f64>,
    /// Numbers that the pooled model looks at.
    pub(super) features: Vec<f64>,
    /// The share of the last 13 weeks' units that went to one customer.
    pub(super) largest_customer_share: f64,
    /// The last price known.
    pub(super) price: Option<f64>,
    /// Whether it was sold in the last half year; others are neither forecast nor learnt from.
    pub(super) active: bool,
}

/// Weeks without a sale after which an item is taken as no longer on sale.
pub(super) const DORMANT: usize = 26;

/// How willing visitors were to buy an item, as scored at some moments: by identifier, in order of
/// time (milliseconds).
pub type Propensities = HashMap<String, Vec<(i64, f64)>>;

/// Mean of the last `count` values; of all where there are fewer.
pub(super) fn mean_of_last(values: &[f64], count: usize) -> f64 {
    let tail = values
        .get(values.len().saturating_sub(count)..)
        .unwrap_or_default();
    tail.iter().sum::<f64>() / tail.len().max(1) as f64
}

/// Simple exponential smoothing (Brown 1959), begun at the first value.
pub(super) fn smooth(values: &[f64], weight: f64) -> f64 {
    let mut values = values.iter();
    let first = values.next().copied().unwrap_or(0.0);
    values.fold(first, |level, value| level + weight * (value - level))
}

/// Every item that had been sold before week `weeks`, as it was known at that moment.
pub(super) fn states(sales: &Sales, weeks: usize, propensities: &Propensities) -> Vec<State> {
    let moment = sales.moment(weeks);
    // Only what had been scored by then may be looked at.
    let scored = |id: &str| -> Option<f64> {
        let list = propensities.get(id)?;
        let place = list
            .partition_point(|(at, _)| *at < moment)
            .checked_sub(1)?;
        list.get(place).map(|(_, propensity)| *propensity)
    };
    let usual = mean(propensities.keys().filter_map(|id| scored(id)));
    let states = sales.items.iter().enumerate();
    states
        .filter_map(|(place, item)| {
            let given = scored(&item.id).or(usual);
            state(item, place, weeks, moment, given.unwrap_or(0.0))
        })
        .collect()
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

fn state(
    item: &ItemSales,
    place: usize,
    weeks: usize,
    moment: i64,
    propensity: f64,
) -> Option<State> {
    let known = || {
        item.lines.iter().filter(move |line| {
            line.week < weeks
                && line
                    .cancelled_at
                    .is_none_or(|cancelled| cancelled >= moment)
        })
    };
    let first = known().map(|line| line.week).min()?;
    let age = weeks - first;
    let (mut units, mut orders) = (vec![0.0; age], vec![0.0; age]);
    let mut prices = Vec::new();
    let mut recent: HashMap<Option<u32>, f64> = HashMap::new();
    let mut buyers: HashSet<u32> = HashSet::new();
    for line in known() {
        if let (Some(sum), Some(count)) = (
            units.get_mut(line.week - first),
            orders.get_mut(line.week - first),
        ) {
            *sum += line.units;
            *count += 1.0;
        }
        prices.extend(line.price);
        if line.week + 13 >= weeks {
            *recent.entry(line.customer).or_default() += line.units;
        }
        if line.week + 8 >= weeks {
            buyers.extend(line.customer);
        }
    }
    let all: f64 = recent.values().sum();
    let named = recent.iter().filter(|(customer, _)| customer.is_some());
    let most = named.map(|(_, sum)| *sum).fold(0.0, f64::max);
    let largest_customer_share = if all > 0.0 { most / all } else { 0.0 };

    let logs: Vec<f64> = units.iter().map(|count| count.ln_1p()).collect();
    let busy: Vec<f64> = orders.iter().map(|count| f64::from(*count > 0.0)).collect();
    let since = busy.iter().rev().take_while(|busy| **busy == 0.0).count();
    let price = prices.last().copied();
    let usual_price = median(&mut prices);
    let mut features = Vec::with_capacity(COLUMNS);
    for series in [&units, &orders] {
        features.extend([1, 2, 4, 8, 13, 26].map(|count| mean_of_last(series, count).ln_1p()));
    }
    for series in [&units, &orders] {
        features.extend([0.1, 0.3].map(|weight| smooth(series, weight).ln_1p()));
    }
    features.extend([
        mean_of_last(&logs, 4),
        mean_of_last(&logs, 13),
        smooth(&logs, 0.2),
        mean_of_last(&busy, 4),
        mean_of_last(&busy, 13),
        (since as f64).ln_1p(),
        (age as f64).ln_1p(),
        largest_customer_share,
        (buyers.len() as f64).ln_1p(),
    ]);
    let against_usual = match (price, usual_price) {
        (Some(price), Some(usual)) => (price / usual).ln().clamp(-1.0, 1.0),
        _ => 0.0,
    };
    let lines = mean_of_last(&orders, 13);
    let per_order = if lines > 0.0 {
        mean_of_last(&units, 13) / lines
    } else {
        0.0
    };
    features.extend([
        price.map_or(0.0, |price| price.max(0.01).ln()),
        against_usual,
        per_order.ln_1p(),
        propensity,
    ]);
    Some(State {
        item: place,
        units,
        features,
        largest_customer_share,
        price,
        active: since < DORMANT,
    })
}

/// The middle value; the mean of the two in the middle where the number is even.
pub(super) fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    if values.len() % 2 == 1 {
        return Some(upper);
    }
    Some((upper + values.get(middle - 1).copied()?) / 2.0)
}
