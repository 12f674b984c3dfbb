//! Metrics against cases worked by hand.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;

use super::*;

fn close(a: f64, b: f64) {
    assert!((a - b).abs() < 1e-9, "{a} is not {b}");
}

#[test]
fn roc_auc_counts_pairs_and_ties_as_half() {
    // positives 0.9, 0.5, 0.5; negatives 0.8, 0.5: pairs won 1 + 0.5·2 + 1 of 6
    let scores = [0.9, 0.5, 0.5, 0.8, 0.5];
    let labels = [true, true, true, false, false];
    let mut won = 0.0;
    for (s, l) in scores.iter().zip(&labels) {
        for (t, m) in scores.iter().zip(&labels) {
            if *l && !*m {
                won += if s > t {
                    1.0
                } else if s == t {
                    0.5
                } else {
                    0.0
                };
            }
        }
    }
    close(roc_auc(&scores, &labels), won / 6.0);
    close(roc_auc(&[0.1; 4], &[true, false, true, false]), 0.5);
    close(roc_auc(&[0.1, 0.2], &[true, true]), 0.5);
}

#[test]
fn average_precision_of_a_case_by_hand() {
    // ranks: + - + -  →  1/2·1 + 1/2·2/3
    close(
        average_precision(&[0.9, 0.8, 0.7, 0.6], &[true, false, true, false]),
        0.5 + 1.0 / 3.0,
    );
    // one tie over all: precision is the base rate
    close(
        average_precision(&[0.3; 4], &[true, false, false, false]),
        0.25,
    );
}

#[test]
fn log_loss_brier_and_ece_of_cases_by_hand() {
    close(
        log_loss(&[0.5, 0.5], &[true, false]),
        std::f64::consts::LN_2,
    );
    assert!(
        log_loss(&[0.0, 1.0], &[true, false]) < 17.0,
        "kept off infinity"
    );
    close(brier(&[0.5, 1.0], &[true, false]), (0.25 + 1.0) / 2.0);
    // 30 examples at 0.2 of which half are orders: each of the 15 bins holds one of each
    let labels: Vec<bool> = (0..30).map(|i| i % 2 == 0).collect();
    let metrics = Metrics::measure(&[0.2; 30], &labels, 0.5);
    assert!((metrics.ece - 0.3).abs() < 1e-6, "{}", metrics.ece);
}

#[test]
fn the_best_threshold_beats_every_other() {
    let scores = [0.1, 0.4, 0.35, 0.8, 0.65, 0.4, 0.9];
    let labels = [false, true, false, true, false, true, true];
    let best = Confusion::at(&scores, &labels, best_f1_threshold(&scores, &labels)).f1();
    for threshold in (0..=100).map(|i| i as f32 / 100.0) {
        assert!(Confusion::at(&scores, &labels, threshold).f1() <= best + 1e-12);
    }
    assert_eq!(best_f1_threshold(&[0.4, 0.2], &[false, false]), 0.5);
}

#[test]
fn confusion_figures() {
    let counts = Confusion::at(&[0.9, 0.6, 0.4, 0.1], &[true, false, true, false], 0.5);
    close(counts.recall(), 0.5);
    close(counts.precision(), 0.5);
    close(counts.f1(), 0.5);
    close(counts.accuracy(), 0.5);
}

#[test]
fn nothing_gives_numbers_all_the_same() {
    let metrics = Metrics::with_intervals(&[], &[], &[], 0.5, 10, 1);
    let json = serde_json::to_string(&metrics).expect("JSON");
    assert!(!json.contains("null"), "{json}");
}

#[test]
fn intervals_hold_the_figure_and_are_the_same_each_time() {
    let scores: Vec<f32> = (0..300).map(|i| ((i * 37) % 300) as f32 / 300.0).collect();
    let labels: Vec<bool> = (0..300)
        .map(|i| (i * 37) % 300 + (i % 7) * 30 > 200)
        .collect();
    let alone: Vec<usize> = (0..300).collect();
    let measure = || Metrics::with_intervals(&scores, &labels, &alone, 0.5, 200, 7);
    let (a, b) = (measure(), measure());
    assert_eq!(a, b);
    let interval = a.intervals.expect("asked for").auc;
    assert!(
        interval.0 < a.auc && a.auc < interval.1,
        "{interval:?} {}",
        a.auc
    );
    assert!(interval.1 - interval.0 < 0.2);
}

#[test]
fn draws_without_an_order_tell_nothing_of_what_needs_one() {
    // Two orders of 402, among the highest scores: a draw in seven holds none.
    let scores: Vec<f32> = (0..402).map(|i| i as f32 / 402.0).collect();
    let labels: Vec<bool> = (0..402).map(|i| i == 399 || i == 401).collect();
    let alone: Vec<usize> = (0..402).collect();
    let metrics = Metrics::with_intervals(&scores, &labels, &alone, 0.9, 400, 1);
    let all = metrics.intervals.expect("asked for");
    assert!(all.auc.0 > 0.98 && all.auc.1 <= 1.0, "{:?}", all.auc);
    assert!(all.pr_auc.0 > 0.1, "{:?}", all.pr_auc);
    assert!(all.recall.0 > 0.99 && all.f1.0 > 0.0, "{all:?}");
    // One order: what draws hold it is all that is known.
    let one: Vec<bool> = (0..402).map(|i| i == 401).collect();
    let metrics = Metrics::with_intervals(&scores, &one, &alone, 0.9, 400, 1);
    assert_eq!(
        metrics.intervals.expect("asked for").auc,
        Interval(1.0, 1.0)
    );
    // None: the figure by definition, as before.
    let none = vec![false; 402];
    let metrics = Metrics::with_intervals(&scores, &none, &alone, 0.9, 400, 1);
    assert_eq!(
        metrics.intervals.expect("asked for").auc,
        Interval(0.5, 0.5)
    );
}

#[test]
fn the_calibration_error_does_not_hang_on_the_order_of_lines() {
    // Two plateaus, each a tenth too low, with the orders in front and spread out.
    let scores: Vec<f32> = (0..600).map(|i| if i < 300 { 0.1 } else { 0.6 }).collect();
    let sorted = |rate: usize, i: usize| i % 300 < 30 * rate;
    let mixed = |rate: usize, i: usize| i % 10 < rate;
    let of = |order: &dyn Fn(usize, usize) -> bool| {
        let labels: Vec<bool> = (0..600)
            .map(|i| order(if i < 300 { 2 } else { 7 }, i))
            .collect();
        Metrics::measure(&scores, &labels, 0.5).ece
    };
    assert!((of(&sorted) - 0.1).abs() < 1e-6, "{}", of(&sorted));
    assert!((of(&mixed) - of(&sorted)).abs() < 1e-9);
}

#[test]
fn the_interval_of_the_calibration_error_covers_its_mean_over_samples() {
    let mut generator = ChaCha12Rng::seed_from_u64(11);
    // Exactly right, and too low by a third.
    for right in [1.0, 1.5] {
        let samples: Vec<(Vec<f32>, Vec<bool>)> = (0..240)
            .map(|_| {
                let scores: Vec<f32> = (0..500).map(|_| 0.5 * generator.random::<f32>()).collect();
                let drawn = |p: &f32| generator.random::<f32>() < right * *p;
                let labels = scores.iter().map(drawn).collect();
                (scores, labels)
            })
            .collect();
        let figures = samples.iter().map(|(s, l)| Metrics::measure(s, l, 0.5).ece);
        let mean = figures.sum::<f64>() / 240.0;
        let owners: Vec<usize> = (0..500).collect();
        let held = samples
            .iter()
            .filter(|(scores, labels)| {
                let metrics = Metrics::with_intervals(scores, labels, &owners, 0.5, 200, 1);
                let Interval(low, high) = metrics.intervals.expect("asked for").ece;
                assert!((0.0..=metrics.ece).contains(&low) && metrics.ece <= high);
                low <= mean && mean <= high
            })
            .count();
        // 95 % of 240 is 228; two standard deviations of chance are 7.
        assert!((218..=240).contains(&held), "{right}: {held} of 240");
    }
}

#[test]
fn examples_of_one_user_count_as_one_in_the_intervals() {
    let scores: Vec<f32> = (0..200).map(|i| ((i * 37) % 200) as f32 / 200.0).collect();
    let labels: Vec<bool> = (0..200)
        .map(|i| (i * 37) % 200 + (i % 7) * 20 > 130)
        .collect();
    let width = |copies: usize, owner: fn(usize) -> usize| {
        let (scores, labels) = (scores.repeat(copies), labels.repeat(copies));
        let owners: Vec<usize> = (0..scores.len()).map(owner).collect();
        let metrics = Metrics::with_intervals(&scores, &labels, &owners, 0.5, 400, 7);
        let interval = metrics.intervals.expect("asked for").accuracy;
        interval.1 - interval.0
    };
    let once = width(1, |i| i);
    // Nine times the same scores of the same users tell no more than once.
    assert!((width(9, |i| i % 200) - once).abs() < 1e-9);
    // Taken for scores of nine times as many users they would seem to tell three times as much.
    let (naive, third) = (width(9, |i| i), once / 3.0);
    assert!((naive - third).abs() < 0.3 * third, "{naive} and {once}");
}

#[test]
fn chance_alone_leaves_the_error_that_it_is_said_to() {
    let mut generator = ChaCha12Rng::seed_from_u64(5);
    let scores: Vec<f32> = (0..1500).map(|i| 0.05 + 0.4 * i as f32 / 1500.0).collect();
    let found: Vec<Metrics> = (0..40)
        .map(|_| {
            let drawn = |p: &f32| generator.random::<f32>() < *p;
            let labels: Vec<bool> = scores.iter().map(drawn).collect();
            Metrics::measure(&scores, &labels, 0.5)
        })
        .collect();
    let mean = found.iter().map(|m| m.ece).sum::<f64>() / found.len() as f64;
    let said = found[0].ece_by_chance;
    assert!((mean - said).abs() < 0.1 * said, "{mean} and {said}");
    assert_eq!(
        Metrics::measure(&[0.0, 1.0], &[false, true], 0.5).ece_by_chance,
        0.0
    );
}

#[test]
fn a_surplus_of_scores_or_labels_is_not_looked_at() {
    let (scores, labels) = ([0.9, 0.2, 0.7], [true, false]);
    close(roc_auc(&scores, &labels), 1.0);
    close(average_precision(&scores[..1], &labels), 1.0);
    assert_eq!(Metrics::measure(&scores, &labels, 0.5).n, 2);
    assert!(best_f1_threshold(&scores, &labels) > 0.2);
    assert_eq!(
        reliability(&scores, &labels)
            .iter()
            .map(|bin| bin.count)
            .sum::<usize>(),
        2
    );
}
