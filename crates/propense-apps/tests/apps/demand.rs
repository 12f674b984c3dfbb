//! Shops with known peculiarities, and what the plan makes of them.

use std::collections::HashMap;

use propense_apps::AppsError;
use propense_apps::demand::{
    Caution, Choice, DemandOptions, DemandPlan, ItemPlan, Method, Sales, SalesOptions, Stock, plan,
};
use propense_events::{Event, EventKind};

use crate::line;

const ORDER: EventKind = EventKind::Purchase;
const BACK: EventKind = EventKind::Refund;

/// `weeks` weeks in which ten customers take `units` of the item each, one a day but for Thursdays.
fn steady(item: &str, weeks: i64, units: f64) -> Vec<Event> {
    let days = (0..weeks * 7).filter(|day| day % 7 != 3);
    days.map(|day| line(ORDER, day, &format!("c{}", day % 10), item, units, 2.0))
        .collect()
}

#[track_caller]
fn planned(events: &[Event], options: &DemandOptions) -> DemandPlan {
    let sales = Sales::count(events, &SalesOptions::default());
    plan(&sales, options, &mut |_, _| ()).expect("a plan")
}

fn of<'a>(plan: &'a DemandPlan, item: &str) -> &'a ItemPlan {
    plan.items
        .iter()
        .find(|one| one.item_id == item)
        .expect("the item")
}

#[test]
fn what_sells_six_a_week_is_expected_to() {
    let plan = planned(&steady("a", 40, 1.0), &DemandOptions::default());
    let item = of(&plan, "a");
    assert_eq!(item.weeks.len(), 4);
    for week in &item.weeks {
        assert!((week.expected - 6.0).abs() < 0.5, "{week:?}");
        assert!(week.low <= 6.0 && week.high >= 6.0);
    }
    assert!((item.until_delivery.expected - 18.0).abs() < 1.0);
    assert!(!plan.measured.is_empty());
    assert!(item.cautions.is_empty(), "{:?}", item.cautions);
    assert_eq!(plan.choice, Choice::BackTest);
}

#[test]
fn weeks_in_which_the_shop_is_closed_are_no_weeks_without_demand() {
    let mut events = steady("a", 40, 1.0);
    events.retain(|event| {
        let day = (event.timestamp - 1_704_067_200_000) / 86_400_000;
        !(140..168).contains(&day)
    });
    let sales = Sales::count(&events, &SalesOptions::default());
    assert_eq!(sales.notes.closed_weeks.len(), 4);
    let plan = plan(&sales, &DemandOptions::default(), &mut |_, _| ()).expect("a plan");
    assert!((of(&plan, "a").weeks[0].expected - 6.0).abs() < 0.5);
    assert_eq!(
        plan.shop.iter().filter(|(_, units)| *units == 0.0).count(),
        0
    );
}

#[test]
fn a_new_item_and_one_that_is_gone() {
    let mut events = steady("a", 60, 1.0);
    events.extend(steady("gone", 20, 5.0));
    events.push(line(ORDER, 415, "c1", "new", 3.0, 4.0));
    let plan = planned(&events, &DemandOptions::default());
    assert_eq!(plan.dormant, 1);
    let new = of(&plan, "new");
    assert_eq!(new.cautions, [Caution::New, Caution::OneCustomer]);
    assert!(
        new.weeks[0].expected > 0.0 && new.weeks[0].expected < 7.0,
        "{:?}",
        new.weeks
    );
}

#[test]
fn a_slip_is_no_demand_and_returns_beyond_sales_are_named() {
    let mut events = steady("a", 30, 1.0);
    // Seventy thousand, taken back the same day; and something that came back twice over.
    events.push(line(ORDER, 200, "c1", "a", 70_000.0, 2.0));
    events.push(line(BACK, 200, "c1", "a", 70_000.0, 2.0));
    events.extend(steady("b", 30, 1.0));
    for day in 0..80 {
        events.push(line(BACK, 100 + day, "c2", "b", 7.0, 2.0));
    }
    let sales = Sales::count(&events, &SalesOptions::default());
    assert_eq!(
        (sales.notes.cancelled_lines, sales.notes.cancelled_units),
        (1, 70_000.0)
    );
    assert_eq!(sales.notes.returns_exceed_sales, ["b"]);
    let plan = plan(&sales, &DemandOptions::default(), &mut |_, _| ()).expect("a plan");
    assert!(of(&plan, "a").until_delivery.high < 100.0);
    assert_eq!(of(&plan, "b").cautions, [Caution::Returns]);
    // The goods that came back are not demand taken away.
    assert!((of(&plan, "b").weeks[0].expected - 6.0).abs() < 1.0);
}

#[test]
fn a_cancellation_is_not_known_before_it_comes() {
    // Forecasts for the back-test must not see that a later refund undoes an order.
    let mut events = steady("a", 40, 1.0);
    events.push(line(ORDER, 250, "c1", "a", 600.0, 2.0));
    let without = planned(&events, &DemandOptions::default());
    events.push(line(BACK, 256, "c1", "a", 600.0, 2.0));
    let with = planned(&events, &DemandOptions::default());
    let naive = |plan: &DemandPlan| {
        let lines = plan.chosen_on.iter().chain(&plan.measured);
        let lines = lines.filter(|line| line.method == Method::Naive);
        lines
            .map(|line| line.score.bias * line.score.units)
            .sum::<f64>()
    };
    // In week 36 the order stood; "last week again" forecast it in both worlds.
    assert_eq!(naive(&without), naive(&with));
}

#[test]
fn a_customer_with_half_the_revenue_is_named() {
    let mut events = steady("a", 30, 1.0);
    for week in 0..30 {
        events.push(line(ORDER, week * 7, "wholesale", "a", 12.0, 2.0));
    }
    let plan = planned(&events, &DemandOptions::default());
    assert!(plan.notes.largest_customer_share > 0.5);
    assert_eq!(of(&plan, "a").cautions, [Caution::OneCustomer]);
}

#[test]
fn zero_stock_and_missing_prices() {
    let mut events = steady("a", 30, 1.0);
    for day in 0..200 {
        events.push(line(
            ORDER,
            day,
            &format!("c{}", day % 9),
            "unpriced",
            1.0,
            0.0,
        ));
    }
    let stock = |on_hand| Stock {
        on_hand,
        ..Stock::default()
    };
    let options = DemandOptions {
        stock: HashMap::from([
            ("a".to_owned(), stock(0.0)),
            ("unpriced".to_owned(), stock(500.0)),
        ]),
        ..DemandOptions::default()
    };
    let plan = planned(&events, &options);
    let (a, unpriced) = (of(&plan, "a"), of(&plan, "unpriced"));
    assert_eq!(a.cautions, [Caution::OutOfStock]);
    assert!(
        a.advice
            .order_now
            .is_some_and(|units| units >= a.advice.reorder_point)
    );
    assert_eq!(unpriced.cautions, [Caution::NoPrice]);
    assert_eq!(unpriced.advice.order_now, Some(0.0));
    assert!(unpriced.advice.order_quantity > 0.0);
    assert_eq!(plan.notes.without_price, 1);
}

#[test]
fn too_little_data_is_said_and_little_is_used_as_it_is() {
    let none = Sales::count(&[], &SalesOptions::default());
    let refused = plan(&none, &DemandOptions::default(), &mut |_, _| ());
    assert!(
        matches!(refused, Err(AppsError::TooShort { .. })),
        "{refused:?}"
    );
    let short = planned(&steady("a", 3, 1.0), &DemandOptions::default());
    assert_eq!(
        (short.choice, short.method),
        (Choice::TooFewWeeks, Method::OwnWeeks)
    );
    assert!((of(&short, "a").weeks[0].expected - 6.0).abs() < 0.5);
    let sales = Sales::count(&steady("a", 3, 1.0), &SalesOptions::default());
    for (options, named) in [
        (
            DemandOptions {
                weeks: 0,
                ..DemandOptions::default()
            },
            "--weeks",
        ),
        (
            DemandOptions {
                interval: 1.0,
                ..DemandOptions::default()
            },
            "--interval",
        ),
    ] {
        let refused = plan(&sales, &options, &mut |_, _| ()).expect_err("refused");
        assert!(refused.to_string().contains(named), "{refused}");
    }
}

#[test]
fn postage_is_no_item_and_stock_corrections_are_no_sales() {
    let mut events = steady("a", 20, 1.0);
    events.push(line(ORDER, 100, "c1", "POST", 1.0, 18.0));
    let mut correction = line(ORDER, 100, "", "a", 5000.0, 1.0);
    correction.items[0].price = Some(0.0);
    events.push(correction);
    let sales = Sales::count(&events, &SalesOptions::default());
    assert_eq!(
        (sales.notes.book_entry_lines, sales.notes.stock_movements),
        (1, 1)
    );
    assert_eq!(sales.items.len(), 1);
    assert_eq!(sales.items[0].units(), 120.0);
}

#[test]
fn the_order_of_events_does_not_matter() {
    let mut events = steady("a", 30, 1.0);
    events.extend(steady("b", 25, 3.0));
    let forwards = planned(&events, &DemandOptions::default());
    events.reverse();
    assert_eq!(forwards, planned(&events, &DemandOptions::default()));
}
