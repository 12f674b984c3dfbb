//! The cart as the events leave it.

use std::collections::BTreeMap;

use propense_events::{Event, EventKind};

use crate::amounts::{MOST_UNITS, price, units};

#[derive(Debug, Clone, Copy)]
struct Line {
    units: f64,
    /// Price of one unit; zero where it was never told.
    price: f64,
}

/// What is in the cart, with its sums kept up to date, so that an event costs the logarithm of
/// the cart's size at most.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cart {
    lines: BTreeMap<String, Line>,
    units: Sum,
    value: Sum,
}

impl Cart {
    /// Takes in an event.
    pub(crate) fn update(&mut self, event: &Event) {
        match event.kind {
            EventKind::AddToCart => {
                for item in &event.items {
                    let before = self.lines.get(&item.item_id).copied();
                    let held = before.unwrap_or(Line {
                        units: 0.0,
                        price: 0.0,
                    });
                    let after = Line {
                        units: (held.units + units(item)).min(MOST_UNITS),
                        price: price(item).unwrap_or(held.price),
                    };
                    self.change(before, Some(after));
                    match self.lines.get_mut(&item.item_id) {
                        Some(line) => *line = after,
                        None => {
                            self.lines.insert(item.item_id.clone(), after);
                        }
                    }
                }
            }
            EventKind::RemoveFromCart => {
                for item in &event.items {
                    let Some(line) = self.lines.get_mut(&item.item_id) else {
                        continue;
                    };
                    let before = *line;
                    line.units -= units(item);
                    if line.units > 0.0 {
                        let after = *line;
                        self.change(Some(before), Some(after));
                    } else {
                        self.lines.remove(&item.item_id);
                        self.change(Some(before), None);
                    }
                }
            }
            // The order takes the cart with it.
            EventKind::Purchase => self.lines.clear(),
            _ => {}
        }
        if self.lines.is_empty() {
            (self.units, self.value) = (Sum::default(), Sum::default());
        }
    }

    fn change(&mut self, before: Option<Line>, after: Option<Line>) {
        for (line, sign) in [(before, -1.0), (after, 1.0)] {
            if let Some(line) = line {
                self.units.add(sign * line.units);
                self.value.add(sign * (line.units * line.price));
            }
        }
    }

    /// Distinct items.
    pub(crate) fn len(&self) -> usize {
        self.lines.len()
    }

    /// Units of all items.
    pub(crate) fn units(&self) -> f64 {
        self.units.get()
    }

    /// Units × last known price over all items, in the shop's currency.
    pub(crate) fn value(&self) -> f64 {
        self.value.get()
    }

    pub(crate) fn holds(&self, item_id: &str) -> bool {
        self.lines.contains_key(item_id)
    }
}

/// A sum from which numbers can be taken away again: the rounding error of each addition is kept
/// in a second number (Knuth's two-sum), which leaves about 106 bits. A plain `f64` that had once
/// held an absurd amount would keep its rounding error for ever.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    high: f64,
    low: f64,
}

impl Sum {
    fn add(&mut self, number: f64) {
        let (high, error) = two_sum(self.high, number);
        (self.high, self.low) = two_sum(high, error + self.low);
    }

    fn get(self) -> f64 {
        self.high.max(0.0)
    }
}

/// The rounded sum and what rounding lost: exactly `a + b` together (Knuth, TAOCP 4.2.2).
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let part = sum - a;
    (sum, (a - (sum - part)) + (b - part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_forgets_what_is_taken_away() {
        let check = |numbers: &[f64], expected: f64| {
            let mut sum = Sum::default();
            for number in numbers {
                sum.add(*number);
            }
            assert_eq!(sum.get(), expected, "{numbers:?}");
        };
        check(&[], 0.0);
        check(&[0.1, 0.2, -0.2], 0.1);
        check(&[2.55, 1e21, -1e21], 2.55);
        check(&[1e21, 2.55, 0.3, -1e21, -0.3], 2.55);
        check(&[0.3, -0.3], 0.0);
    }
}
