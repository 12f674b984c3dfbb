//! Whom to address: the most worthwhile first, within a budget or until a profit is reached, with
//! those left alone who are written to enough, and a group held out to measure by.

use std::collections::HashMap;

use serde::Serialize;
use xxhash_rust::xxh64::xxh64;

use propense_events::DAY;

use crate::AppsError;

/// What a contact costs and an order brings.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Terms {
    /// What an order brings beyond the cost of the goods, as a share of its value.
    pub margin: f64,
    /// The discount offered, as a share of an order's value.
    pub discount: f64,
    /// Cost of one contact, in the shop's currency.
    pub contact_cost: f64,
    /// What all contacts may cost.
    pub budget: Option<f64>,
    /// The profit to reach with as few contacts as can be.
    pub target_profit: Option<f64>,
    /// Contacts of a customer that are enough, and the days in which they count.
    pub cap: Option<(u32, u32)>,
    /// Share of those worth addressing who are held out, to see afterwards what the contact did.
    pub holdout: f64,
    /// Another seed holds out others.
    pub seed: u64,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            margin: 0.4,
            discount: 0.0,
            contact_cost: 0.1,
            budget: None,
            target_profit: None,
            cap: None,
            holdout: 0.1,
            seed: 1,
        }
    }
}

impl Terms {
    /// Whether every term is within its range.
    ///
    /// # Errors
    ///
    /// Names the term and its range.
    pub fn check(&self) -> Result<(), AppsError> {
        for (option, share) in [
            ("--margin", self.margin),
            ("--discount", self.discount),
            ("--holdout", self.holdout),
        ] {
            if !(0.0..=1.0).contains(&share) {
                return Err(AppsError::option(option, "between 0 and 1, a share"));
            }
        }
        let amounts = [
            ("--contact-cost", Some(self.contact_cost)),
            ("--budget", self.budget),
            ("--target-profit", self.target_profit),
        ];
        for (option, amount) in amounts {
            if amount.is_some_and(|amount| !amount.is_finite() || amount < 0.0) {
                return Err(AppsError::option(option, "an amount, not below 0"));
            }
        }
        Ok(())
    }
}

/// Days and times of earlier contacts, by customer, in milliseconds.
pub type Contacts = HashMap<String, Vec<i64>>;

/// What is decided for a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Group {
    /// Write to them.
    Address,
    /// Worth writing to, but held out for comparison.
    Holdout,
    /// Worth writing to, but written to often enough lately.
    Capped,
    /// Worth writing to, but beyond the budget or the target.
    Beyond,
    /// A contact costs more than it is expected to bring.
    NotWorth,
}

impl Group {
    /// As written into tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Holdout => "holdout",
            Self::Capped => "capped",
            Self::Beyond => "beyond-budget",
            Self::NotWorth => "not-worth-it",
        }
    }
}

/// A customer to decide on.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate<'a> {
    /// The shop's identifier.
    pub id: &'a str,
    /// How likely they order when addressed.
    pub propensity: f64,
    /// How likely they order when left alone, where a treatment log tells it.
    pub alone: Option<f64>,
    /// The value of an order of theirs.
    pub order_value: f64,
}

impl Candidate<'_> {
    /// Expected profit of a contact. Without a treatment log every order counts, those too that
    /// would have come anyway.
    #[must_use]
    pub fn profit(&self, terms: &Terms) -> f64 {
        let addressed = self.propensity * self.order_value * (terms.margin - terms.discount);
        let alone = self.alone.unwrap_or(0.0) * self.order_value * terms.margin;
        addressed - alone - terms.contact_cost
    }

    /// The change of the chance of an order that pays for a contact.
    pub(super) fn pays(&self, terms: &Terms) -> f64 {
        terms.contact_cost / (self.order_value * (terms.margin - terms.discount)).max(1e-9)
    }
}

/// The decision for every candidate, in their order, and what to expect of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// For each candidate.
    pub groups: Vec<Group>,
    /// Expected profit of a contact with each.
    pub profits: Vec<f64>,
    /// Figures of those addressed.
    pub expected: Expected,
}

/// Figures of those who are addressed.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Expected {
    /// Customers addressed.
    pub contacts: usize,
    /// Cost of the contacts.
    pub cost: f64,
    /// Customers of them who order.
    pub orders: f64,
    /// Value of their orders, one each.
    pub turnover: f64,
    /// Profit after the cost of contacts.
    pub profit: f64,
    /// The target, where it was given and is not reached.
    pub short_of_target: Option<f64>,
}

/// Decides. Candidates that are worth the same are taken by identifier.
#[must_use]
pub fn decide(
    candidates: &[Candidate<'_>],
    contacts: &Contacts,
    now: i64,
    terms: &Terms,
) -> Decision {
    let profits: Vec<f64> = candidates
        .iter()
        .map(|candidate| candidate.profit(terms))
        .collect();
    let mut groups = vec![Group::NotWorth; candidates.len()];
    let mut order: Vec<(&Candidate<'_>, f64, &mut Group)> = candidates
        .iter()
        .zip(&profits)
        .zip(&mut groups)
        .map(|((candidate, profit), group)| (candidate, *profit, group))
        .collect();
    order.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.id.cmp(b.0.id)));
    let mut expected = Expected::default();
    for (candidate, profit, group) in order {
        if profit <= 0.0 || profit.is_nan() {
            continue;
        }
        let reached = terms
            .target_profit
            .is_some_and(|target| expected.profit >= target);
        let spent = expected.cost + terms.contact_cost;
        let beyond = terms.budget.is_some_and(|budget| spent > budget + 1e-9);
        *group = if enough(contacts.get(candidate.id), now, terms.cap) {
            Group::Capped
        } else if reached || beyond {
            Group::Beyond
        } else if held_out(candidate.id, terms.holdout, terms.seed) {
            Group::Holdout
        } else {
            Group::Address
        };
        if *group == Group::Address {
            expected.contacts += 1;
            expected.cost += terms.contact_cost;
            expected.orders += candidate.propensity;
            expected.turnover += candidate.propensity * candidate.order_value;
            expected.profit += profit;
        }
    }
    expected.short_of_target = terms
        .target_profit
        .filter(|target| expected.profit < *target);
    Decision {
        groups,
        profits,
        expected,
    }
}

/// Whether a customer was contacted often enough.
fn enough(contacts: Option<&Vec<i64>>, now: i64, cap: Option<(u32, u32)>) -> bool {
    let Some((most, days)) = cap else {
        return false;
    };
    let since = now - i64::from(days) * DAY;
    let count = contacts.map_or(0, |list| {
        list.iter().filter(|at| **at >= since && **at < now).count()
    });
    count >= most as usize
}

/// By a hash of the identifier: the same customer stays held out from one mailing to the next.
fn held_out(id: &str, share: f64, seed: u64) -> bool {
    (xxh64(id.as_bytes(), seed) as f64 / u64::MAX as f64) < share
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates(names: &[String]) -> Vec<Candidate<'_>> {
        names
            .iter()
            .enumerate()
            .map(|(n, id)| Candidate {
                id,
                propensity: n as f64 / 100.0,
                alone: None,
                order_value: 10.0,
            })
            .collect()
    }

    fn names() -> Vec<String> {
        (0..100).map(|n| format!("c{n}")).collect()
    }

    fn count(decision: &Decision, group: Group) -> usize {
        decision
            .groups
            .iter()
            .filter(|other| **other == group)
            .count()
    }

    #[test]
    fn budget_target_cap_and_worth_decide() {
        let names = names();
        let candidates = candidates(&names);
        // A contact brings n / 100 · 10 · 0.4 = n / 25 and costs 1: worth it from n = 26 on.
        let base = Terms {
            contact_cost: 1.0,
            holdout: 0.0,
            ..Terms::default()
        };
        let run =
            |terms: &Terms, contacts: &Contacts| decide(&candidates, contacts, 100 * DAY, terms);
        let none = Contacts::new();
        let all = run(&base, &none);
        assert_eq!(
            (count(&all, Group::Address), count(&all, Group::NotWorth)),
            (74, 26)
        );
        let budget = Terms {
            budget: Some(10.0),
            ..base
        };
        let ten = run(&budget, &none);
        assert_eq!(
            (count(&ten, Group::Address), count(&ten, Group::Beyond)),
            (10, 64)
        );
        assert_eq!(ten.groups[99], Group::Address);
        let target = Terms {
            target_profit: Some(8.0),
            ..base
        };
        let three = run(&target, &none);
        assert_eq!(
            (three.expected.contacts, three.expected.short_of_target),
            (3, None)
        );
        let more = Terms {
            target_profit: Some(1e6),
            ..base
        };
        assert_eq!(run(&more, &none).expected.short_of_target, Some(1e6));
        let capped = Terms {
            cap: Some((2, 30)),
            ..base
        };
        let contacts: Contacts = [
            ("c99".to_owned(), vec![80 * DAY, 90 * DAY]),
            ("c98".to_owned(), vec![60 * DAY, 90 * DAY]),
        ]
        .into();
        let found = run(&capped, &contacts);
        assert_eq!(
            (found.groups[99], found.groups[98]),
            (Group::Capped, Group::Address)
        );
    }

    #[test]
    fn a_tenth_is_held_out_and_always_the_same() {
        let ids: Vec<String> = (0..10_000).map(|n| n.to_string()).collect();
        let held = |seed| {
            ids.iter()
                .filter(|id| held_out(id, 0.1, seed))
                .collect::<Vec<_>>()
        };
        assert!((900..1100).contains(&held(1).len()), "{}", held(1).len());
        assert_eq!(held(1), held(1));
        assert_ne!(held(1), held(2));
    }

    #[test]
    fn a_discount_to_those_who_come_anyway_is_a_loss() {
        let sure = Candidate {
            id: "a",
            propensity: 0.9,
            alone: Some(0.9),
            order_value: 50.0,
        };
        let terms = Terms {
            discount: 0.1,
            ..Terms::default()
        };
        assert!(sure.profit(&terms) < 0.0);
        let persuadable = Candidate {
            alone: Some(0.1),
            ..sure
        };
        assert!(persuadable.profit(&terms) > 0.0);
    }
}
