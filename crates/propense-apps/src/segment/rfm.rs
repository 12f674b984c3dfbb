//! Recency, frequency, monetary value: the rule of direct marketing that a model has to beat, and
//! the names by which shops know their customers.

use serde::Serialize;

use super::customers::Habits;

/// Fifths of the base: 5 ordered last, most often, or spent most (Hughes 1994).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Rfm {
    /// By days since the last order.
    pub recency: u8,
    /// By number of orders.
    pub frequency: u8,
    /// By turnover.
    pub monetary: u8,
}

impl Rfm {
    /// The three added up: 3 to 15.
    #[must_use]
    pub const fn sum(self) -> u8 {
        self.recency + self.frequency + self.monetary
    }

    /// As the cell 111 to 555: recency decides first.
    #[must_use]
    pub fn cell(self) -> u16 {
        u16::from(self.recency) * 100 + u16::from(self.frequency) * 10 + u16::from(self.monetary)
    }
}

/// The fifths of every customer. Customers who are alike share a fifth.
#[must_use]
pub fn rfm(habits: &[Habits]) -> Vec<Rfm> {
    let of = |value: fn(&Habits) -> f64| fifths(&habits.iter().map(value).collect::<Vec<_>>());
    let recency = of(|habits| -habits.recency_days);
    let frequency = of(|habits| habits.orders);
    let monetary = of(|habits| habits.spent);
    let three = recency.into_iter().zip(frequency).zip(monetary);
    three
        .map(|((recency, frequency), monetary)| Rfm {
            recency,
            frequency,
            monetary,
        })
        .collect()
}

/// 1 to 5 by the share of values below, half of the equal ones counting.
fn fifths(values: &[f64]) -> Vec<u8> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let count = values.len().max(1) as f64;
    let fifth = |value: &f64| {
        let below = sorted.partition_point(|other| other < value);
        let to = sorted.partition_point(|other| other <= value);
        let middle = (below + to) as f64 / 2.0 / count;
        1 + (middle * 5.0).clamp(0.0, 4.0) as u8
    };
    values.iter().map(fifth).collect()
}

/// Groups of customers under the names that shops have for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Segment {
    /// Ordered lately, often, and for much.
    Champions,
    /// Come often, and were here not long ago.
    Regulars,
    /// First order within the last two months.
    NewCustomers,
    /// Were here lately, do not come often yet.
    Promising,
    /// Used to come often, and have not been here for longer than is their habit.
    SlippingAway,
    /// Have not been here for long, and never came often.
    Sleeping,
}

impl Segment {
    /// Every segment, the most valuable first.
    pub const ALL: [Self; 6] = [
        Self::Champions,
        Self::Regulars,
        Self::NewCustomers,
        Self::Promising,
        Self::SlippingAway,
        Self::Sleeping,
    ];

    /// The name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Champions => "Champions",
            Self::Regulars => "Regulars",
            Self::NewCustomers => "New customers",
            Self::Promising => "Promising",
            Self::SlippingAway => "Slipping away",
            Self::Sleeping => "Sleeping",
        }
    }

    /// What usually helps.
    #[must_use]
    pub const fn advice(self) -> &'static str {
        match self {
            Self::Champions => "thank them, show them what is new first; they need no discount",
            Self::Regulars => {
                "remind them at their own pace; suggest what goes with earlier orders"
            }
            Self::NewCustomers => "help with the second order: it makes the regular",
            Self::Promising => "widen what they know of the shop; small incentives pay",
            Self::SlippingAway => "ask what went wrong, win them back before they are gone",
            Self::Sleeping => "address rarely and cheaply, or not at all",
        }
    }

    /// The segment of a customer.
    #[must_use]
    pub fn of(habits: &Habits, rfm: Rfm) -> Self {
        let one = habits.orders < 2.0;
        match (rfm.recency, rfm.frequency, rfm.monetary) {
            (4..=5, 4..=5, 4..=5) => Self::Champions,
            _ if one && habits.tenure_days <= 60.0 => Self::NewCustomers,
            (3..=5, 4..=5, _) => Self::Regulars,
            (3..=5, _, _) => Self::Promising,
            (_, 3..=5, _) if !one => Self::SlippingAway,
            _ => Self::Sleeping,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifths_are_even_and_equals_share_one() {
        let values: Vec<f64> = (0..10).map(f64::from).collect();
        assert_eq!(fifths(&values), [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]);
        assert_eq!(fifths(&[1.0, 1.0, 1.0, 1.0]), [3, 3, 3, 3]);
        assert_eq!(fifths(&[7.0]), [3]);
        assert!(fifths(&[]).is_empty());
    }

    #[test]
    fn names_follow_habits() {
        for (recency, frequency, monetary, orders, tenure, expected) in [
            (5, 5, 5, 9.0, 300.0, Segment::Champions),
            (3, 5, 2, 9.0, 300.0, Segment::Regulars),
            (5, 1, 3, 1.0, 10.0, Segment::NewCustomers),
            (5, 1, 3, 1.0, 100.0, Segment::Promising),
            (1, 4, 4, 6.0, 300.0, Segment::SlippingAway),
            (1, 3, 4, 1.0, 300.0, Segment::Sleeping),
            (2, 1, 1, 1.0, 300.0, Segment::Sleeping),
        ] {
            let habits = Habits {
                orders,
                tenure_days: tenure,
                ..Habits::default()
            };
            let rfm = Rfm {
                recency,
                frequency,
                monetary,
            };
            assert_eq!(Segment::of(&habits, rfm), expected, "{rfm:?}");
        }
    }
}
