//! Constants come from the training sessions alone.

use propense_events::{Event, EventKind, Session, Value};
use propense_features::{FeatureSpec, FitOptions, UserHistory, featurise, fit};

use std::sync::Arc;

use crate::{event, fitting::shop, with_item};

/// The shop's visits with users, and what these did before. Later ones come to nothing alike.
fn visits() -> (Vec<Session>, Vec<Session>) {
    let mut train = shop();
    for (number, session) in train.iter_mut().enumerate() {
        session.user = Some(format!("u{}", number % 23));
    }
    let test = (0..100)
        .map(|number| {
            let at = 50 * 86_400 + number * 3600;
            let strange = |kind, second: i64| -> Event {
                with_item(event(kind, at + second), "other", "green/far", Some(9999.0))
            };
            Session {
                id: format!("t{number}"),
                user: Some(format!("u{}", number % 23)),
                ..crate::session(vec![
                    event(EventKind::Search, at),
                    strange(EventKind::ViewItem, 7),
                    strange(EventKind::AddToCart, 900),
                    strange(EventKind::Purchase, 2000),
                ])
            }
        })
        .map(|mut session| {
            let value = Value::Category("fridge".to_owned());
            session.context.insert("device".to_owned(), value);
            session
        })
        .collect();
    (train, test)
}

fn options() -> FitOptions {
    FitOptions {
        item_buckets: 4,
        category_buckets: 4,
        ..FitOptions::full()
    }
}

fn fitted(sessions: &[Session]) -> FeatureSpec {
    fit(&sessions.iter().collect::<Vec<_>>(), &options()).0
}

/// Histories are written over all sessions at once; those of training may know nothing of test.
#[test]
fn test_sessions_beside_training_change_nothing() {
    let (train, test) = visits();
    let mut alone = train.clone();
    UserHistory::annotate(&mut alone);
    let mut both = [train.clone(), test].concat();
    UserHistory::annotate(&mut both);
    let (beside, later) = both.split_at(train.len());
    assert_eq!(beside, alone);
    let (without, with) = (fitted(&alone), fitted(beside));
    assert_eq!(
        serde_json::to_string(&with).expect("JSON"),
        serde_json::to_string(&without).expect("JSON")
    );
    // The comparison can fail: fitted on, the test sessions do change the constants.
    let cheated = fitted(&both);
    assert_ne!(cheated, without);
    assert_ne!(cheated.typical_prices, without.typical_prices);
    assert_ne!(cheated.item_rates, without.item_rates);
    // And rows of test sessions are written without touching the specification.
    let spec = Arc::new(without.clone());
    for session in later {
        let (rows, _) = featurise(&spec, session, session.before_purchase());
        assert!(!rows.is_empty());
    }
    assert_eq!(*spec, without);
}

/// What a session's outcome is shows in none of its own columns but through the rates, which
/// training takes from other sessions.
#[test]
fn a_turned_outcome_changes_nothing_but_rates() {
    let (mut train, _) = visits();
    UserHistory::annotate(&mut train);
    let mut turned = train.clone();
    for session in &mut turned {
        session.outcome = Some(!session.converted());
        session.events = session.before_purchase().to_vec();
    }
    let plain = |spec: FeatureSpec| {
        let mut spec = spec;
        spec.item_rates.clear();
        spec.category_rates.clear();
        spec.item_orders.clear();
        for feature in &mut spec.row {
            if let propense_features::RowFeature::Number {
                measure, normal, ..
            } = feature
                && ["_rate", "_orders"]
                    .iter()
                    .any(|end| measure.name().ends_with(end))
            {
                normal.mean = 0.0;
                normal.std = 1.0;
            }
        }
        spec
    };
    assert_eq!(plain(fitted(&turned)), plain(fitted(&train)));
}
