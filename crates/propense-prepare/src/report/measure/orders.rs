//! What an order comes to.

/// The lines of one order so far.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Order {
    stated: Option<f64>,
    /// Sum of price × quantity over the lines with a price.
    sum: Option<f64>,
    units: f64,
}

impl Order {
    pub(super) fn line(&mut self, price: Option<f64>, quantity: Option<f64>, value: Option<f64>) {
        let quantity = quantity.unwrap_or(1.0);
        self.units += quantity;
        self.stated = self.stated.or(value);
        if let Some(price) = price {
            *self.sum.get_or_insert(0.0) += price * quantity;
        }
    }

    /// The value that the shop states, or else the sum over the lines.
    pub(super) fn value(&self) -> Option<f64> {
        self.stated.or(self.sum)
    }

    pub(super) const fn units(&self) -> f64 {
        self.units
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stated_value_goes_before_the_sum() {
        for (lines, value, units) in [
            (
                vec![(Some(2.0), Some(3.0), None), (Some(1.5), None, None)],
                Some(7.5),
                4.0,
            ),
            (vec![(Some(2.0), Some(3.0), Some(5.0))], Some(5.0), 3.0),
            (vec![(None, None, None)], None, 1.0),
            (vec![], None, 0.0),
        ] {
            let mut order = Order::default();
            for (price, quantity, value) in lines {
                order.line(price, quantity, value);
            }
            assert_eq!((order.value(), order.units()), (value, units));
        }
    }
}
