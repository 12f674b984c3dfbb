//! The plan of a mailing: every customer with segment, propensity and decision, and what to expect.

use std::collections::BTreeMap;

use serde::Serialize;

use propense_events::DAY;

use super::address::{Candidate, Contacts, Expected, Group, Terms, decide};
use super::customers::{Base, BaseNotes, Habits};
use super::propensity::{HORIZON_DAYS, HabitModel, HeldBack, LEAST_HISTORY, Standing};
use super::rfm::{Rfm, Segment, rfm};
use super::uplift::{Kind, Uplift, UpliftReport};
use super::words::sets_apart;
use crate::AppsError;

/// Where propensities come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// A trained bundle.
    Bundle,
    /// A file of scores.
    Scores,
    /// The regression on habits, learnt here.
    Habits,
}

/// Everything that a plan is made of, beside the base.
#[derive(Debug, Clone)]
pub struct SegmentInput<'a> {
    /// Terms of the mailing.
    pub terms: Terms,
    /// Earlier contacts.
    pub contacts: &'a Contacts,
    /// Propensities by customer; a customer who is missing gets the habit model's.
    pub propensities: &'a BTreeMap<String, f64>,
    /// Where they come from.
    pub source: Source,
    /// The model on habits, where there is one.
    pub habits: Option<&'a HabitModel>,
    /// What a treatment log told.
    pub uplift: Option<&'a (Uplift, UpliftReport)>,
    /// Months held back.
    pub held_back: Vec<HeldBack>,
}

/// One customer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CustomerPlan {
    /// The shop's identifier.
    pub customer_id: String,
    /// Segment.
    pub segment: Segment,
    /// How likely they order within thirty days.
    pub propensity: f64,
    /// What a contact changes, where a treatment log tells it.
    pub uplift: Option<f64>,
    /// What they are to a mailing, likewise.
    pub kind: Option<Kind>,
    /// The decision.
    pub group: Group,
    /// Expected profit of a contact.
    pub expected_profit: f64,
    /// Expected value of an order.
    pub order_value: f64,
    /// Fifths.
    pub rfm: Rfm,
    /// Habits.
    pub habits: Habits,
}

/// A segment in figures and words.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SegmentSummary {
    /// Which.
    pub segment: Segment,
    /// Customers in it.
    pub customers: usize,
    /// Of them, addressed.
    pub addressed: usize,
    /// Mean propensity.
    pub propensity: f64,
    /// Its share of all turnover.
    pub turnover_share: f64,
    /// What sets it apart.
    pub words: String,
}

/// The plan.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SegmentPlan {
    /// When the base is looked at, in milliseconds.
    pub now_ms: i64,
    /// Where propensities come from.
    pub source: Source,
    /// Terms of the mailing.
    pub terms: Terms,
    /// Customers, the most worthwhile first. Not part of the JSON: a list of people goes where it is
    /// asked for, and nowhere else.
    #[serde(skip)]
    pub customers: Vec<CustomerPlan>,
    /// Segments, the most valuable first.
    pub segments: Vec<SegmentSummary>,
    /// Customers in each group.
    pub groups: BTreeMap<Group, usize>,
    /// What to expect of those addressed.
    pub expected: Expected,
    /// The same number of customers at random: orders to expect.
    pub orders_at_random: f64,
    /// Months held back.
    pub held_back: Vec<HeldBack>,
    /// What the treatment log tells.
    pub uplift: Option<UpliftReport>,
    /// Customers without a score of their own, for whom habits speak.
    pub scored_by_habits: usize,
    /// What to know, in words.
    pub warnings: Vec<String>,
    /// What was found while counting.
    pub notes: BaseNotes,
}

/// Orders of the base that count beside a customer's own, so that one large order is no habit.
const PRIOR_ORDERS: f64 = 2.0;

/// Makes the plan.
///
/// # Errors
///
/// Without a customer, without any score, or where a term is out of range.
pub fn plan(base: &Base, input: &SegmentInput<'_>) -> Result<SegmentPlan, AppsError> {
    input.terms.check()?;
    let Standing { customers, habits } = base.standing(base.now);
    if customers.is_empty() {
        return Err(AppsError::NoOrders);
    }
    let orders: f64 = habits.iter().map(|one| one.orders).sum();
    let paid: f64 = habits.iter().map(|one| one.order_value * one.orders).sum();
    let usual_value = paid / orders.max(1.0);
    let mut scored_by_habits = 0;
    let mut candidates = Vec::with_capacity(customers.len());
    for (place, own) in customers.iter().zip(&habits) {
        let Some(customer) = base.customers.get(*place) else {
            continue;
        };
        let given = input.propensities.get(&customer.id).copied();
        let given = given.filter(|propensity| (0.0..=1.0).contains(propensity));
        let propensity = match (given, input.habits) {
            (Some(propensity), _) => propensity,
            (None, Some(model)) => {
                scored_by_habits += 1;
                model.propensity(own)
            }
            (None, None) => {
                return Err(AppsError::TooShort {
                    wanted: "days of orders to learn propensities from",
                    found: usize::try_from((base.now - base.from) / DAY).unwrap_or(0),
                    least: (LEAST_HISTORY + HORIZON_DAYS) as usize,
                });
            }
        };
        let chances = input.uplift.map(|(uplift, _)| uplift.chances(own));
        candidates.push(Candidate {
            id: &customer.id,
            propensity: chances.map_or(propensity, |(with, _)| with),
            alone: chances.map(|(_, without)| without),
            order_value: (own.order_value * own.orders + usual_value * PRIOR_ORDERS)
                / (own.orders + PRIOR_ORDERS),
        });
    }
    let decision = decide(&candidates, input.contacts, base.now, &input.terms);
    let usual_rate = input.uplift.map_or(0.0, |(_, report)| report.control_rate);
    let fifths = rfm(&habits);
    let lines = candidates.iter().zip(&habits).zip(&fifths);
    let lines = lines.zip(&decision.groups).zip(&decision.profits);
    let mut rows: Vec<CustomerPlan> = lines
        .map(|((((candidate, habits), rfm), group), profit)| {
            let pays = candidate.pays(&input.terms);
            CustomerPlan {
                customer_id: candidate.id.to_owned(),
                segment: Segment::of(habits, *rfm),
                propensity: candidate.propensity,
                uplift: candidate.alone.map(|alone| candidate.propensity - alone),
                kind: candidate
                    .alone
                    .map(|alone| Kind::of(candidate.propensity, alone, pays, usual_rate)),
                group: *group,
                expected_profit: *profit,
                order_value: candidate.order_value,
                rfm: *rfm,
                habits: *habits,
            }
        })
        .collect();
    rows.sort_by(|a, b| {
        let profit = b.expected_profit.total_cmp(&a.expected_profit);
        profit.then_with(|| a.customer_id.cmp(&b.customer_id))
    });
    let mut groups = BTreeMap::new();
    for row in &rows {
        *groups.entry(row.group).or_default() += 1;
    }
    let mean = rows.iter().map(|row| row.propensity).sum::<f64>() / rows.len().max(1) as f64;
    Ok(SegmentPlan {
        now_ms: base.now,
        source: input.source,
        terms: input.terms,
        segments: summaries(&rows, &habits),
        groups,
        expected: decision.expected,
        orders_at_random: mean * decision.expected.contacts as f64,
        held_back: input.held_back.clone(),
        uplift: input.uplift.map(|(_, report)| report.clone()),
        scored_by_habits: if input.source == Source::Habits {
            0
        } else {
            scored_by_habits
        },
        warnings: warnings(base, input),
        notes: base.notes.clone(),
        customers: rows,
    })
}

fn summaries(rows: &[CustomerPlan], base: &[Habits]) -> Vec<SegmentSummary> {
    let all: f64 = rows.iter().map(|row| row.habits.spent).sum();
    let of = |segment: Segment| {
        let own: Vec<&CustomerPlan> = rows.iter().filter(|row| row.segment == segment).collect();
        let habits: Vec<Habits> = own.iter().map(|row| row.habits).collect();
        let spent: f64 = habits.iter().map(|habits| habits.spent).sum();
        (!own.is_empty()).then(|| SegmentSummary {
            segment,
            customers: own.len(),
            addressed: own.iter().filter(|row| row.group == Group::Address).count(),
            propensity: own.iter().map(|row| row.propensity).sum::<f64>() / own.len() as f64,
            turnover_share: if all > 0.0 { spent / all } else { 0.0 },
            words: sets_apart(&habits, base),
        })
    };
    Segment::ALL.into_iter().filter_map(of).collect()
}

fn warnings(base: &Base, input: &SegmentInput<'_>) -> Vec<String> {
    let mut found = Vec::new();
    match input.uplift {
        None => found.push(
            "No treatment log: nobody knows who would have ordered anyway. The figures count every order of \
             those addressed, not the orders that the mailing causes. Keep the holdout group, and compare."
                .to_owned(),
        ),
        Some((_, report)) => found.extend(report.warnings.iter().cloned()),
    }
    if base.notes.largest_customer_share >= 0.25 {
        found.push(format!(
            "One customer brings {:.0} % of all turnover: speak to them in person, and read the averages with care.",
            100.0 * base.notes.largest_customer_share
        ));
    }
    if input.terms.discount >= input.terms.margin {
        found.push("The discount takes the whole margin: no contact can pay.".to_owned());
    }
    if input.terms.holdout == 0.0 {
        found.push(
            "No holdout group: what this mailing causes will not be known afterwards.".to_owned(),
        );
    }
    found
}
