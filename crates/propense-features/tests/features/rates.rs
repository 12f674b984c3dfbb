//! Smoothed conversion rates.

use propense_events::{EventKind, Session};
use propense_features::{FitOptions, fit, fit_rates};

use crate::{event, session, with_item};

fn visit(item: &str, bought: bool) -> Session {
    let mut events = vec![with_item(event(EventKind::ViewItem, 0), item, "all", None)];
    if bought {
        events.push(with_item(
            event(EventKind::Purchase, 9),
            "checkout-only",
            "",
            None,
        ));
    }
    session(events)
}

fn visits(counts: &[(&str, usize, usize)]) -> Vec<Session> {
    counts
        .iter()
        .flat_map(|(item, yes, no)| {
            let bought = std::iter::repeat_n(true, *yes);
            bought
                .chain(std::iter::repeat_n(false, *no))
                .map(move |b| visit(item, b))
        })
        .collect()
}

fn rates(sessions: &[Session], options: &FitOptions) -> std::collections::BTreeMap<String, f32> {
    let sessions: Vec<_> = sessions.iter().collect();
    fit_rates(&sessions, options).0
}

#[test]
fn better_items_have_higher_rates_and_little_evidence_counts_little() {
    let sessions = visits(&[
        ("hot", 80, 20),
        ("mild", 50, 50),
        ("cold", 10, 90),
        ("new-hot", 2, 0),
        ("once", 1, 0),
    ]);
    let options = FitOptions {
        rate_support: 2,
        ..FitOptions::default()
    };
    let rates = rates(&sessions, &options);
    assert!(rates["hot"] > rates["new-hot"]);
    assert!(rates["new-hot"] > rates["mild"]);
    assert!(rates["mild"] > rates["cold"]);
    assert!(rates["cold"] < 0.0);
    // Below the support, and seen only at or after the order.
    assert!(!rates.contains_key("once"));
    assert!(!rates.contains_key("checkout-only"));
}

#[test]
fn items_all_alike_tell_nothing() {
    let counts: Vec<_> = (0..30).map(|n| (["a", "b", "c"][n % 3], 4, 16)).collect();
    for rate in rates(&visits(&counts), &FitOptions::default()).values() {
        assert!(rate.abs() < 0.02, "{rate}");
    }
}

#[test]
fn a_session_counts_once_for_an_item() {
    let options = FitOptions::default();
    let once = visits(&[("a", 5, 15), ("b", 10, 10)]);
    let mut twice = once.clone();
    for session in &mut twice {
        let again = session.events[0].clone();
        session.events.insert(0, again);
    }
    assert_eq!(rates(&once, &options), rates(&twice, &options));
}

#[test]
fn one_outcome_everywhere_is_no_infinity() {
    for (yes, no) in [(10, 0), (0, 10)] {
        let all = rates(
            &visits(&[("a", yes, no), ("b", yes, no)]),
            &FitOptions::default(),
        );
        assert_eq!(all.len(), 2);
        assert!(all.values().all(|rate| rate.is_finite()));
    }
    assert!(rates(&[], &FitOptions::default()).is_empty());
}

/// A normalisation fitted on rates that know each session's own outcome would be too wide.
#[test]
fn rates_are_normalised_as_other_sessions_tell_them() {
    // Each item in one session only: no other session knows it.
    let names: Vec<String> = (0..100).map(|n| n.to_string()).collect();
    let sessions: Vec<Session> = names
        .iter()
        .enumerate()
        .map(|(number, name)| visit(name, number % 3 == 0))
        .collect();
    let references: Vec<_> = sessions.iter().collect();
    let (spec, notes) = fit(&references, &FitOptions::default());
    assert!(!spec.row_names().contains(&"item_rate".to_owned()));
    assert!(
        notes.iter().any(|note| note.contains("`item_rate`")),
        "{notes:?}"
    );
}
