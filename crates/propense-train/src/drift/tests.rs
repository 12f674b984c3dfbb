use propense_events::{Event, EventKind};

use super::*;
use crate::update::tests::{cheap, dear, live, loaded, never, visits};

/// As before, and two of three of those who bought nothing buy, too.
fn most(visit: usize, price: usize) -> bool {
    dear(visit, price) || !visit.is_multiple_of(3)
}

/// Kinds of alerts that recent events raise beside the first 400 visits.
fn alerts_of(recent: Vec<Event>) -> (Vec<String>, Drifted) {
    let reference = loaded(carts(visits(0..400, dear, 1.0)));
    let options = DriftOptions::default();
    let found = drift(live(), &loaded(recent), Some(&reference), &options).expect("a report");
    let mut kinds: Vec<String> = found.report.alerts.iter().map(|a| a.kind.clone()).collect();
    kinds.dedup();
    (kinds, found)
}

/// The second look of each third visit puts the thing into the cart.
fn carts(mut events: Vec<Event>) -> Vec<Event> {
    for (place, event) in events.iter_mut().enumerate() {
        if place % 9 == 4 && event.kind == EventKind::ViewItem {
            event.kind = EventKind::AddToCart;
        }
    }
    events
}

#[test]
fn a_quiet_shop_is_quiet_and_each_change_is_named() {
    let (kinds, found) = alerts_of(carts(visits(400..1000, dear, 1.0)));
    assert_eq!(kinds, [""; 0], "{:?}", found.report.alerts);
    assert!(found.recalibrated.is_none() && found.report.recalibration.is_none());

    let (_, found) = alerts_of(carts(visits(400..700, dear, 1.5)));
    assert!(
        says(&found, "feature", "price"),
        "{:?}",
        found.report.alerts
    );
    let (_, found) = alerts_of(visits(400..700, dear, 1.0));
    assert!(
        says(&found, "feature", "session has add_to_cart"),
        "{:?}",
        found.report.alerts
    );
    let (kinds, _) = alerts_of(carts(visits(400..700, never, 1.0)));
    assert!(kinds.iter().any(|kind| kind == "labels"), "{kinds:?}");

    // The outcomes turn around halfway.
    let mut events = carts(visits(400..900, dear, 1.0));
    events.extend(carts(visits(900..1400, cheap, 1.0)));
    let (kinds, found) = alerts_of(events);
    assert!(
        kinds.iter().any(|kind| kind == "log-loss"),
        "{:?}",
        found.report.stream
    );
    let turned = 1_600_000_000_000 + 900 * 3_600_000;
    assert!(
        found
            .report
            .stream
            .iter()
            .all(|change| change.at_ms >= turned)
    );
}

fn says(found: &Drifted, kind: &str, name: &str) -> bool {
    let alerts = &found.report.alerts;
    alerts
        .iter()
        .any(|alert| alert.kind == kind && alert.detail.starts_with(name))
}

#[test]
fn a_calibration_that_is_off_is_refitted_and_judged() {
    let (kinds, found) = alerts_of(carts(visits(400..1200, most, 1.0)));
    assert!(kinds.iter().any(|kind| kind == "calibration"), "{kinds:?}");
    let recalibration = found.report.recalibration.as_ref().expect("a refit");
    assert!(recalibration.proposed, "{recalibration:?}");
    let bundle = found.recalibrated.expect("a bundle");
    assert_eq!(bundle.weights, live().weights);
    // Figures of the old curve would not be this bundle's.
    let validation = |bundle: &Bundle| bundle.manifest.metrics.get("validation").is_some();
    assert!(validation(live()) && !validation(&bundle));
    assert_ne!(bundle.manifest.calibration, live().manifest.calibration);
    let lineage = bundle.manifest.lineage.as_ref().expect("a lineage");
    assert_eq!(lineage.parent, live().manifest.sha256);
    bundle
        .to_bytes(propense_model::Precision::F32)
        .expect("writable");
}

#[test]
fn without_a_reference_the_bundle_stands_in() {
    let options = DriftOptions::default();
    let of = |law| {
        let recent = loaded(visits(600..900, law, 1.0));
        drift(live(), &recent, None, &options)
            .expect("a report")
            .report
    };
    let quiet = of(dear);
    assert_eq!(
        (quiet.reference.as_str(), quiet.columns.len()),
        ("bundle", 0)
    );
    assert!(!quiet.labels.alert, "{:?}", quiet.labels);
    assert!(of(never).labels.alert);
}

#[test]
fn hardly_any_quiet_run_raises_an_alert_and_soon_each_changed_one() {
    let reference = loaded(carts(visits(0..400, dear, 1.0)));
    let named = |recent: Vec<Event>, seed: u64, name: &str| {
        let options = DriftOptions {
            seed,
            ..DriftOptions::default()
        };
        let found = drift(live(), &loaded(recent), Some(&reference), &options).expect("a report");
        says(&found, "feature", name)
    };
    // A hundred and twenty visits: five days of this shop.
    let (mut quiet, mut price, mut tracking) = (0, 0, 0);
    for seed in 0..20 {
        let range = || 400 + 30 * seed as usize..520 + 30 * seed as usize;
        quiet += usize::from(named(carts(visits(range(), dear, 1.0)), seed, ""));
        price += usize::from(named(carts(visits(range(), dear, 2.0)), seed, "price"));
        let untracked = visits(range(), dear, 1.0);
        tracking += usize::from(named(untracked, seed, "session has add_to_cart"));
    }
    assert!(quiet <= 1, "{quiet} of 20 quiet runs");
    assert_eq!((price, tracking), (20, 20));
}
