//! Prices and quantities as the shop tells them, kept within bounds.

use propense_events::Item;

/// Prices and quantities beyond these are errors; cut here, sums of them stay finite.
pub(crate) const MOST_UNITS: f64 = 1e9;
const MOST_MONEY: f64 = 1e12;

/// An amount of money, where it is one.
pub(crate) fn money(amount: f64) -> Option<f64> {
    (amount.is_finite() && amount >= 0.0).then(|| amount.min(MOST_MONEY))
}

/// The price of one unit, where it is known.
pub(crate) fn price(item: &Item) -> Option<f64> {
    item.price.and_then(money)
}

/// How many of it; one where nothing is said.
pub(crate) fn units(item: &Item) -> f64 {
    match item.quantity {
        Some(units) if units.is_finite() && units > 0.0 => units.min(MOST_UNITS),
        _ => 1.0,
    }
}
