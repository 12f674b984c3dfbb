//! Customer bases with known peculiarities.

use std::collections::BTreeMap;

use propense_apps::AppsError;
use propense_apps::segment::{
    Base, Contacts, Group, HabitModel, HeldBack, Kind, Ranking, SegmentInput, SegmentPlan, Source,
    Terms, Treatment, Uplift, UpliftReport, compare, held_back_moments, learn, plan,
};
use propense_events::{Event, EventKind};

use crate::line;

const ORDER: EventKind = EventKind::Purchase;

/// Half of two hundred customers order every ten days, the others every hundred and fifty.
fn shop() -> Vec<Event> {
    let mut events = Vec::new();
    for customer in 0..200_i64 {
        let every = if customer % 2 == 0 { 10 } else { 150 };
        let mut day = customer % every;
        while day < 300 {
            events.push(line(ORDER, day, &format!("c{customer}"), "i", 2.0, 10.0));
            day += every;
        }
    }
    events
}

fn input<'a>(
    contacts: &'a Contacts,
    propensities: &'a BTreeMap<String, f64>,
    model: Option<&'a HabitModel>,
) -> SegmentInput<'a> {
    SegmentInput {
        terms: Terms::default(),
        contacts,
        propensities,
        source: Source::Habits,
        habits: model,
        uplift: None,
        held_back: Vec::new(),
    }
}

fn planned(events: &[Event], terms: Terms) -> SegmentPlan {
    let base = Base::count(events, 0);
    let model = HabitModel::learn(&base, base.now);
    let (contacts, given) = (Contacts::new(), BTreeMap::new());
    let input = SegmentInput {
        terms,
        ..input(&contacts, &given, model.as_ref())
    };
    plan(&base, &input).expect("a plan")
}

#[test]
fn those_who_come_often_are_told_from_those_who_do_not() {
    let plan = planned(
        &shop(),
        Terms {
            contact_cost: 3.0,
            ..Terms::default()
        },
    );
    let often = |id: &str| id[1..].parse::<u32>().expect("a number") % 2 == 0;
    for row in plan.customers.iter().filter(|row| often(&row.customer_id)) {
        assert!(
            row.propensity > 0.9 && row.group != Group::NotWorth,
            "{row:?}"
        );
    }
    // Of the others those are worth it whose time has come.
    let rare = || plan.customers.iter().filter(|row| !often(&row.customer_id));
    let worth = rare().filter(|row| row.group != Group::NotWorth);
    assert!(worth.clone().count() < 40, "{}", worth.count());
    assert_eq!(plan.expected.contacts, plan.groups[&Group::Address]);
    assert!(plan.orders_at_random < plan.expected.orders);
    assert!(
        plan.warnings[0].contains("No treatment log"),
        "{:?}",
        plan.warnings
    );
}

#[test]
fn given_scores_count_and_habits_stand_in_for_those_without() {
    let base = Base::count(&shop(), 0);
    let model = HabitModel::learn(&base, base.now).expect("a model");
    let contacts = Contacts::new();
    // One score is no probability.
    let given = BTreeMap::from([("c0".to_owned(), 0.07), ("c2".to_owned(), 7.0)]);
    let input = SegmentInput {
        source: Source::Scores,
        ..input(&contacts, &given, Some(&model))
    };
    let found = plan(&base, &input).expect("a plan");
    let of = |id: &str| {
        found
            .customers
            .iter()
            .find(|row| row.customer_id == id)
            .expect(id)
    };
    assert_eq!((of("c0").propensity, found.scored_by_habits), (0.07, 199));
    assert!(of("c2").propensity > 0.5);
}

#[test]
fn nobody_and_too_short_a_time_are_errors() {
    let (contacts, given) = (Contacts::new(), BTreeMap::new());
    let none = Base::count(&[], 0);
    let refused = plan(&none, &input(&contacts, &given, None));
    assert!(matches!(refused, Err(AppsError::NoOrders)), "{refused:?}");
    let young = Base::count(&[line(ORDER, 1, "a", "i", 1.0, 2.0)], 0);
    assert!(HabitModel::learn(&young, young.now).is_none());
    let refused = plan(&young, &input(&contacts, &given, None));
    assert!(
        matches!(refused, Err(AppsError::TooShort { .. })),
        "{refused:?}"
    );
}

#[test]
fn half_the_revenue_missing_prices_and_returns_beyond_orders() {
    let mut events = shop();
    events.push(line(ORDER, 10, "whale", "i", 100_000.0, 10.0));
    events.push(line(ORDER, 20, "unpriced", "i", 1.0, 0.0));
    events.last_mut().expect("an event").value = None;
    events.push(line(ORDER, 30, "sorry", "i", 1.0, 10.0));
    events.push(line(EventKind::Refund, 40, "sorry", "i", 3.0, 10.0));
    events.push(line(ORDER, 40, "", "i", 3.0, 10.0));
    events.push(line(EventKind::Refund, 50, "never", "i", 3.0, 10.0));
    let found = planned(&events, Terms::default());
    assert!(found.notes.largest_customer_share > 0.5);
    assert!(
        found
            .warnings
            .iter()
            .any(|words| words.contains("% of all turnover"))
    );
    assert_eq!(found.notes.orders_without_value, 1);
    assert_eq!(found.notes.refunds_exceed_orders, 1);
    assert_eq!(found.notes.anonymous_orders, 1);
    let of = |id: &str| found.customers.iter().find(|row| row.customer_id == id);
    assert_eq!(of("sorry").expect("known").habits.spent, 0.0);
    // Their order's value is that of the base, not nothing.
    assert!(of("unpriced").expect("known").order_value > 0.0);
    assert!(of("never").is_none(), "a refund alone makes no customer");
}

#[test]
fn a_month_without_orders_is_measured_as_it_is_and_learnt_from() {
    let mut events = shop();
    // The last two months held back: nothing in the first of them, a few orders in the second.
    let last = |event: &Event| event.timestamp < line(ORDER, 240, "", "", 1.0, 1.0).timestamp;
    events.retain(last);
    for customer in 0..20 {
        events.push(line(ORDER, 299, &format!("c{customer}"), "i", 2.0, 10.0));
    }
    events.push(line(ORDER, 299, "new", "i", 2.0, 10.0));
    let base = Base::count(&events, 0);
    let moments = held_back_moments(&base, 2);
    assert_eq!(moments.len(), 2);
    let months: Vec<HeldBack> = moments
        .iter()
        .map(|at| {
            let standing = base.standing(*at);
            let model = HabitModel::learn(&base, *at).expect("earlier months");
            let scores = standing.habits.iter().map(|one| model.propensity(one));
            let scores: Vec<f64> = scores.collect();
            compare(&base, &standing, *at, &scores, &[])
        })
        .collect();
    let own = |month: &HeldBack| month.rankings.first().map(Ranking::top_decile);
    assert_eq!((months[0].base_rate, own(&months[0])), (0.0, Some(0.0)));
    assert!(
        (months[1].base_rate - 0.1).abs() < 1e-9,
        "{:?}",
        months[1].base_rate
    );
    assert!(own(&months[1]).is_some_and(f64::is_finite));
    let found = planned(&events, Terms::default());
    for row in &found.customers {
        assert!((0.0..=1.0).contains(&row.propensity), "{row:?}");
    }
    // Who came for the first time yesterday is a customer like any other.
    let new = found.customers.iter().find(|row| row.customer_id == "new");
    assert_eq!(new.map(|row| row.segment.name()), Some("New customers"));
}

#[test]
fn terms_out_of_range_are_refused() {
    let base = Base::count(&shop(), 0);
    let model = HabitModel::learn(&base, base.now);
    let (contacts, given) = (Contacts::new(), BTreeMap::new());
    for (terms, named) in [
        (
            Terms {
                margin: 1.5,
                ..Terms::default()
            },
            "--margin",
        ),
        (
            Terms {
                holdout: -0.1,
                ..Terms::default()
            },
            "--holdout",
        ),
        (
            Terms {
                contact_cost: f64::NAN,
                ..Terms::default()
            },
            "--contact-cost",
        ),
        (
            Terms {
                budget: Some(-1.0),
                ..Terms::default()
            },
            "--budget",
        ),
    ] {
        let input = SegmentInput {
            terms,
            ..input(&contacts, &given, model.as_ref())
        };
        let refused = plan(&base, &input).expect_err("refused");
        assert!(refused.to_string().contains(named), "{refused}");
    }
}

/// Customers with one order and with five; a contact at day 200 brings those with five to order in
/// 60 instead of 20 %, and changes nothing for the others (20 %).
fn mailed(works: bool, chosen_by_habit: bool) -> Result<(Uplift, UpliftReport), String> {
    let mut events = Vec::new();
    let mut log = Vec::new();
    for customer in 0..4000_i64 {
        let id = format!("c{customer}");
        let often = customer % 2 == 0;
        for order in 0..if often { 5 } else { 1 } {
            events.push(line(
                ORDER,
                10 + customer % 50 + 20 * order,
                &id,
                "i",
                1.0,
                10.0,
            ));
        }
        let treated = if chosen_by_habit {
            often != (customer % 20 < 2)
        } else {
            customer / 2 % 2 == 0
        };
        let share = if works && often && treated { 6 } else { 2 };
        log.push(Treatment {
            customer: id,
            at: 1_704_067_200_000 + 200 * 86_400_000,
            treated,
            ordered: customer / 4 % 10 < share,
        });
    }
    learn(&Base::count(&events, 0), &log)
}

#[test]
fn persuadables_are_found_where_a_contact_works() {
    let (uplift, report) = mailed(true, false).expect("learnt");
    assert!(report.warnings.is_empty(), "{:?}", report.warnings);
    assert!(
        report.qini.iter().all(|(_, area)| *area > report.chance),
        "{report:?}"
    );
    assert!((report.treated_rate - 0.4).abs() < 0.01 && (report.control_rate - 0.2).abs() < 0.01);
    let events: Vec<Event> = [(1, "once"), (5, "often")]
        .iter()
        .flat_map(|(count, id)| (0..*count).map(|n| line(ORDER, 30 + 20 * n, id, "i", 1.0, 10.0)))
        .collect();
    let base = Base::count(&events, 0);
    let at = 1_704_067_200_000 + 200 * 86_400_000;
    for (customer, expected) in base.customers.iter().zip([0.4, 0.0]) {
        let (with, without) = uplift.chances(&customer.habits(at).expect("habits"));
        assert!(
            (with - without - expected).abs() < 0.12,
            "{}: {with} {without}",
            customer.id
        );
    }
    for (with, without, expected) in [
        (0.6, 0.2, Kind::Persuadable),
        (0.62, 0.6, Kind::SureThing),
        (0.02, 0.01, Kind::LostCause),
        (0.2, 0.4, Kind::LeaveAlone),
    ] {
        assert_eq!(Kind::of(with, without, 0.05, 0.3), expected);
    }
}

#[test]
fn a_log_that_tells_nothing_says_so() {
    let (_, report) = mailed(false, false).expect("learnt");
    assert!(
        report
            .warnings
            .iter()
            .any(|words| words.contains("may be chance")),
        "{report:?}"
    );
    let (_, chosen) = mailed(true, true).expect("learnt");
    assert!(
        chosen
            .warnings
            .iter()
            .any(|words| words.contains("no fair comparison")),
        "{chosen:?}"
    );
    let refused = learn(&Base::count(&shop(), 0), &[]).expect_err("refused");
    assert!(refused.contains("at least 100"), "{refused}");
}
