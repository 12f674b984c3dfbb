//! Standard and robust scaling, and what the logarithm is taken of.

use propense_events::{EventKind, Session, Value};
use propense_features::{
    ContextFeature, FeatureSpec, FitOptions, Measure, Normal, RowFeature, Scaling, Transform, fit,
};

use crate::{event, session, with_item};

/// One view for each price; the price is context too.
fn priced(prices: &[f64]) -> Vec<Session> {
    prices
        .iter()
        .enumerate()
        .map(|(number, price)| {
            let view = event(EventKind::ViewItem, number as i64 * 60);
            let mut session = session(vec![with_item(view, "A", "red", Some(*price))]);
            session
                .context
                .insert("budget".to_owned(), Value::Number(*price));
            session
        })
        .collect()
}

fn fitted(sessions: &[Session], scaling: Scaling) -> FeatureSpec {
    let sessions: Vec<_> = sessions.iter().collect();
    let options = FitOptions {
        scaling,
        ..FitOptions::default()
    };
    let (spec, _) = fit(&sessions, &options);
    assert_eq!(spec.validate(), Ok(()));
    spec
}

fn of_price(spec: &FeatureSpec) -> Normal {
    let found = spec.row.iter().find_map(|feature| match feature {
        RowFeature::Number {
            measure: Measure::Price,
            transform: Transform::Log1p,
            normal,
            ..
        } => Some(*normal),
        _ => None,
    });
    found.expect("a price")
}

fn of_budget(spec: &FeatureSpec) -> (Normal, Transform) {
    let found = spec.context.iter().find_map(|feature| match feature {
        ContextFeature::Number {
            name,
            normal,
            transform,
            ..
        } if name == "budget" => Some((*normal, *transform)),
        _ => None,
    });
    found.expect("a budget")
}

fn close(found: f32, expected: f64) {
    assert!(
        (f64::from(found) - expected).abs() < 1e-5,
        "{found} for {expected}"
    );
}

#[test]
fn the_median_and_the_quartiles_by_hand() {
    let prices = [3.0, 1.0, 5.0, 2.0, 4.0];
    let spec = fitted(&priced(&prices), Scaling::Robust);
    // Of 2, 3, 4, 5 and 6, in logarithms: the quartiles are the second and the fourth.
    let normal = of_price(&spec);
    close(normal.mean, 4.0_f64.ln());
    close(normal.std, (5.0_f64.ln() - 3.0_f64.ln()) / 1.349);
    let (normal, transform) = of_budget(&spec);
    assert_eq!(transform, Transform::Identity);
    close(normal.mean, 3.0);
    close(normal.std, 2.0 / 1.349);
}

#[test]
fn an_absurd_value_moves_robust_constants_little_and_standard_ones_much() {
    let prices: Vec<f64> = (0..200).map(|n| f64::from(n % 20) + 1.0).collect();
    let mut absurd = prices.clone();
    absurd.extend([1e11; 4]);
    let moved = |scaling| {
        let sane = of_price(&fitted(&priced(&prices), scaling));
        let wild = of_price(&fitted(&priced(&absurd), scaling));
        ((wild.mean - sane.mean).abs(), wild.std / sane.std)
    };
    let (centre, spread) = moved(Scaling::Robust);
    assert!(
        centre < 0.05 && (spread - 1.0).abs() < 0.1,
        "{centre} {spread}"
    );
    let (centre, spread) = moved(Scaling::Standard);
    assert!(centre > 0.3 && spread > 3.0, "{centre} {spread}");
}

#[test]
fn where_half_of_all_values_are_one_the_deviation_stands_in() {
    let mut prices = vec![7.0; 30];
    prices.extend([1.0, 2.0, 30.0, 40.0]);
    let sessions = priced(&prices);
    let robust = of_price(&fitted(&sessions, Scaling::Robust));
    let standard = of_price(&fitted(&sessions, Scaling::Standard));
    close(robust.mean, 8.0_f64.ln());
    assert_eq!(robust.std, standard.std);
    assert_ne!(robust.mean, standard.mean);
}

#[test]
fn scaling_changes_no_column() {
    let sessions = crate::fitting::shop();
    let (a, b) = (
        fitted(&sessions, Scaling::Standard),
        fitted(&sessions, Scaling::Robust),
    );
    assert_eq!(a.row_names(), b.row_names());
    assert_eq!(a.context_names(), b.context_names());
    assert_ne!(a, b);
}
