//! Every warning has a table that raises it; the healthy shop raises none.

use std::collections::BTreeSet;

use propense_events::EventKind;
use propense_prepare::report::{Intake, Severity, Verdict};

use crate::shop::{DAY, DAYS, Done, HOUR, MONDAY, Visit, healthy, report};

/// Spoils the healthy shop and expects exactly these warnings.
fn check(expected: &[&str], spoil: impl FnOnce(&mut Vec<Visit>)) {
    check_intake(expected, spoil, |_| ());
}

fn check_intake(
    expected: &[&str],
    spoil: impl FnOnce(&mut Vec<Visit>),
    accounts: impl FnOnce(&mut Intake),
) {
    let mut visits = healthy();
    spoil(&mut visits);
    let report = report(&visits, accounts);
    let found: BTreeSet<&str> = report
        .warnings
        .iter()
        .map(|warning| &*warning.code)
        .collect();
    let wanted: BTreeSet<&str> = expected.iter().copied().collect();
    assert_eq!(found, wanted, "{:#?}", report.warnings);
    for warning in &report.warnings {
        assert!(
            !warning.text.is_empty() && !warning.remedy.is_empty(),
            "{warning:?}"
        );
        assert!(!warning.figures.is_empty(), "{warning:?}");
        assert!(
            warning.figures.values().all(|value| value.is_finite()),
            "{warning:?}"
        );
    }
}

/// Keeps every n-th visit with an order, and takes the order off the others.
fn orders_only_of_every(visits: &mut [Visit], n: usize) {
    for (number, visit) in visits
        .iter_mut()
        .filter(|visit| visit.ordered())
        .enumerate()
    {
        if number % n != 0 {
            visit
                .events
                .retain(|event| event.kind != EventKind::Purchase);
        }
    }
}

#[test]
fn a_healthy_shop_raises_none() {
    check(&[], |_| ());
    assert_eq!(report(&healthy(), |_| ()).verdict, Verdict::Ready);
}

#[test]
fn orders() {
    check(&["no_orders"], |visits| {
        for visit in visits {
            visit
                .events
                .retain(|event| event.kind != EventKind::Purchase);
        }
    });
    check(&["few_orders"], |visits| orders_only_of_every(visits, 4));
    check(&["few_orders"], |visits| orders_only_of_every(visits, 40));
    check(
        &[
            "only_orders",
            "orders_without_views",
            "few_orders",
            "single_events",
        ],
        |visits| {
            for visit in visits {
                visit.events = vec![Done::new(
                    EventKind::Purchase,
                    Some(visit.start as usize % 50),
                )];
            }
        },
    );
    // Orders that come under another session than what was seen.
    check(&["orders_without_views"], |visits| {
        let mut orders = Vec::new();
        for visit in visits.iter_mut().filter(|visit| visit.ordered()).step_by(3) {
            let order = visit.events.pop().expect("the order");
            orders.push(Visit {
                events: vec![order],
                ..visit.clone()
            });
        }
        visits.append(&mut orders);
    });
}

#[test]
fn few_orders_are_graver_than_some() {
    for (n, severity) in [(4, Severity::Caution), (40, Severity::Severe)] {
        let mut visits = healthy();
        orders_only_of_every(&mut visits, n);
        assert_eq!(report(&visits, |_| ()).warnings[0].severity, severity);
    }
}

#[test]
fn leaks() {
    check(&["leak_after_order"], |visits| {
        for visit in visits.iter_mut().filter(|visit| visit.ordered()) {
            visit.events.push(Done::new(EventKind::Review, None));
        }
    });
    // Reviews by everybody give nothing away.
    check(&[], |visits| {
        for visit in visits.iter_mut().step_by(3) {
            visit.events.push(Done::new(EventKind::Review, None));
        }
    });
    // Nor do refunds, which cannot but follow an order.
    check(&[], |visits| {
        for visit in visits.iter_mut().filter(|visit| visit.ordered()) {
            visit.events.push(Done::new(EventKind::Refund, None));
        }
    });
    check(&["leak_before_order"], |visits| {
        for visit in visits.iter_mut().filter(|visit| visit.ordered()) {
            let place = visit.events.len() - 1;
            visit
                .events
                .insert(place, Done::new(EventKind::AddPaymentInfo, None));
        }
    });
}

#[test]
fn visitors() {
    check(&["dominant_visitor"], |visits| {
        for visit in visits.iter_mut().step_by(5) {
            visit.user = Some("guest".to_owned());
        }
    });
    check(&[], |visits| {
        for visit in visits.iter_mut().step_by(40) {
            visit.user = Some("regular".to_owned());
        }
    });
    check(&["visitors_unknown"], |visits| {
        for visit in visits {
            visit.user = None;
        }
    });
    check(&["single_events"], |visits| {
        for (number, visit) in visits
            .iter_mut()
            .enumerate()
            .filter(|(_, visit)| !visit.ordered())
        {
            let event = visit.events.swap_remove(number % visit.events.len());
            visit.events = vec![event];
        }
    });
}

#[test]
fn days_and_clocks() {
    let on = |visit: &Visit| (visit.start - MONDAY) / DAY;
    check(&["days_without_events"], |visits| {
        visits.retain(|visit| on(visit) != 17);
    });
    // Closed on Sundays.
    check(&[], |visits| visits.retain(|visit| on(visit) % 7 != 6));
    check(&["days_without_orders"], |visits| {
        for visit in visits
            .iter_mut()
            .filter(|visit| (20..24).contains(&on(visit)))
        {
            visit
                .events
                .retain(|event| event.kind != EventKind::Purchase);
        }
    });
    check(&["time_zone"], |visits| {
        for visit in visits {
            visit.start -= 11 * HOUR;
        }
    });
    check(&["stray_times"], |visits| {
        visits[100].start = MONDAY - 400 * DAY;
    });
    // Of thirteen days there are few orders, too.
    check(&["short_period", "few_orders"], |visits| {
        visits.retain(|visit| on(visit) < 13);
    });
    check(&["other_events"], |visits| {
        for visit in visits {
            visit.events.extend([
                Done::new(EventKind::Other, None),
                Done::new(EventKind::Other, None),
            ]);
        }
    });
}

#[test]
fn prices_and_currencies() {
    let change = |visits: &mut Vec<Visit>, every: usize, to: fn(&mut Done)| {
        for (number, visit) in visits.iter_mut().enumerate() {
            if number % every == 0 {
                visit.events.iter_mut().for_each(to);
            }
        }
    };
    check(&["prices_missing"], |visits| {
        change(visits, 3, |event| event.price = None);
    });
    check(&["prices_missing"], |visits| {
        change(visits, 1, |event| event.price = None);
    });
    check(&[], |visits| change(visits, 10, |event| event.price = None));
    check(&["several_currencies"], |visits| {
        change(visits, 10, |event| event.currency = "GBP");
    });
    check(&[], |visits| {
        change(visits, 500, |event| event.currency = "GBP");
    });
}

#[test]
fn drift() {
    let late = |visit: &Visit| visit.start > MONDAY + DAYS * DAY * 85 / 100;
    check(&["base_rate_shift"], |visits| {
        for visit in visits.iter_mut().filter(|visit| late(visit)) {
            let item = visit.events.last().and_then(|event| event.item);
            if !visit.ordered() && visit.start / 60_000 % 3 == 0 {
                visit.events.push(Done::new(EventKind::Purchase, item));
            }
        }
    });
    check(&["feature_drift"], |visits| {
        for visit in visits.iter_mut().filter(|visit| late(visit)) {
            for event in &mut visit.events {
                event.price = event.price.map(|price| price * 3.0);
            }
        }
    });
}

#[test]
fn reading_and_cleaning() {
    let set_aside = |rule: &str, share: f64| {
        let rule = rule.to_owned();
        move |intake: &mut Intake| {
            let records = (intake.records.written as f64 * share) as u64;
            intake.records.read += records;
            intake.records.quarantined += records;
            let counts = [(rule.clone(), records)].into();
            intake.set_aside = Intake::counts(&counts, |_| String::new());
        }
    };
    check_intake(&["many_quarantined"], |_| (), set_aside("bot", 0.08));
    check_intake(&[], |_| (), set_aside("bot", 0.03));
    check_intake(
        &["many_quarantined", "events_repeated"],
        |_| (),
        set_aside("double_fire", 0.15),
    );
    check_intake(&["bad_file"], |_| (), |intake| intake.files[0].rows *= 2);
}

#[test]
fn nothing() {
    check_intake(&["no_events"], Vec::clear, |_| ());
    check_intake(&["summaries_only"], Vec::clear, |intake| {
        intake.records.summaries = 9801;
    });
}
