//! By simulation, and by hand.

use super::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;

const ITEMS: usize = 6;

/// Visitors of three kinds; what an item earns with each.
fn rate(kind: usize, item: usize) -> f64 {
    0.04 + 0.3 * ((item * 5 + kind * 7) % 11) as f64 / 11.0
}

/// How often a pair of items is shown to a kind: never nothing, and not what is best for it.
fn weight(kind: usize, one: usize, other: usize) -> f64 {
    1.0 + ((one * 3 + other * 5 + kind) % 4) as f64
}

fn pairs() -> impl Iterator<Item = (usize, usize)> {
    (0..ITEMS).flat_map(|one| (one + 1..ITEMS).map(move |other| (one, other)))
}

/// The two items that the recommender on trial lists for a kind: the best.
fn listed(kind: usize) -> [usize; 2] {
    let mut items: Vec<usize> = (0..ITEMS).collect();
    items.sort_by(|a, b| rate(kind, *b).total_cmp(&rate(kind, *a)));
    [items[0], items[1]]
}

fn truth() -> f64 {
    let list = |kind: usize| {
        listed(kind)
            .map(|item| rate(kind, item))
            .iter()
            .sum::<f64>()
    };
    (0..3).map(list).sum::<f64>() / 3.0
}

/// A log of pairs shown by lot to visits of one to three moments, and the lists on trial.
fn simulated(visits: usize, seed: u64) -> (ShownLog, Vec<Vec<String>>) {
    let mut random = ChaCha12Rng::seed_from_u64(seed);
    let mut lines = Vec::new();
    let mut kinds = BTreeMap::new();
    for visit in 0..visits {
        let kind = random.random_range(0..3);
        for moment in 0..random.random_range(1..4) {
            let all: f64 = pairs().map(|(a, b)| weight(kind, a, b)).sum();
            let mut lot = random.random::<f64>() * all;
            let pair = pairs().find(|(a, b)| {
                lot -= weight(kind, *a, *b);
                lot < 0.0
            });
            let (one, other) = pair.unwrap_or((0, 1));
            for item in [one, other] {
                let with = pairs().filter(|(a, b)| *a == item || *b == item);
                let share: f64 = with.map(|(a, b)| weight(kind, a, b)).sum();
                let earns = random.random::<f64>() < rate(kind, item);
                lines.push(Shown {
                    visit: format!("v{visit}"),
                    at: moment,
                    item_id: item.to_string(),
                    propensity: Some(share / all),
                    reward: f64::from(u8::from(earns)),
                });
            }
        }
        kinds.insert(format!("v{visit}"), kind);
    }
    let log = ShownLog::new(lines);
    let lists = log.moments.iter().map(|moment| {
        let kind = kinds.get(&moment.visit).copied().unwrap_or(0);
        listed(kind).map(|item| item.to_string()).to_vec()
    });
    let lists = lists.collect();
    (log, lists)
}

#[test]
fn intervals_hold_the_true_value_in_nineteen_of_twenty_simulations() {
    const TIMES: u64 = 300;
    let truth = truth();
    let mut held = [0; 5];
    let mut sums = [0.0; 5];
    for seed in 0..TIMES {
        let (log, lists) = simulated(500, seed);
        let found = off_policy(&log, &lists);
        assert!(found.warnings.is_empty(), "{found:?}");
        let ways = [
            found.ips,
            found.clipped,
            found.self_normalised,
            found.doubly_robust,
            log.earned(),
        ];
        for (way, estimate) in ways.iter().enumerate() {
            let (low, high) = estimate.interval;
            held[way] += u64::from(low <= truth && truth <= high);
            sums[way] += estimate.value / TIMES as f64;
        }
        let (low, high) = found.reached.interval;
        assert!(low < 1.05 && high > 0.95, "{found:?}");
    }
    // 285 of 300 are expected; a spread of four on either side.
    for way in 0..4 {
        assert!((274..=296).contains(&held[way]), "{held:?}");
        assert!((sums[way] - truth).abs() < 0.01 * truth, "{sums:?} {truth}");
    }
    // What was shown earned something else: without the weights the answer is wrong.
    assert!(held[4] < TIMES / 10, "{held:?} {sums:?} {truth}");
}

#[test]
fn small_cases_by_hand() {
    let line = |visit: &str, item: &str, propensity, reward| Shown {
        visit: visit.to_owned(),
        at: 0,
        item_id: item.to_owned(),
        propensity: Some(propensity),
        reward,
    };
    let log = ShownLog::new(vec![
        line("a", "x", 0.5, 1.0),
        line("b", "y", 0.5, 0.0),
        line("c", "x", 0.25, 0.0),
        line("d", "y", 0.75, 1.0),
    ]);
    let always = |item: &str| vec![vec![item.to_owned()]; 4];
    let found = off_policy(&log, &always("x"));
    assert_eq!((found.matched, found.largest_weight), (2, 4.0));
    assert!((found.effective_sample - 36.0 / 20.0).abs() < 1e-12);
    assert!((found.ips.value - 2.0 / 4.0).abs() < 1e-12);
    // Weights of at most √4.
    assert!((found.clipped.value - 2.0 / 4.0).abs() < 1e-12);
    assert!((found.self_normalised.value - 2.0 / 6.0).abs() < 1e-12);
    assert!((found.reached.value - 6.0 / 4.0).abs() < 1e-12);
    assert!(
        found
            .warnings
            .iter()
            .any(|words| words.contains("effective sample of 2"))
    );
    // Never shown: nothing is known, and that is said.
    let found = off_policy(&log, &always("z"));
    assert_eq!((found.matched, found.ips.value), (0, 0.0));
    assert!(found.warnings.iter().any(|words| words.contains("100 %")));
    assert!((log.earned().value - 0.5).abs() < 1e-12);
}

#[test]
fn what_is_no_probability_takes_its_list_along() {
    for wrong in [None, Some(0.0), Some(-0.1), Some(1.2), Some(f64::NAN)] {
        let line = |visit: &str, item: &str, propensity| Shown {
            visit: visit.to_owned(),
            at: 7,
            item_id: item.to_owned(),
            propensity,
            reward: 1.0,
        };
        let log = ShownLog::new(vec![
            line("a", "x", Some(0.5)),
            line("a", "y", wrong),
            line("b", "x", Some(0.5)),
            line("b", "x", Some(0.5)),
        ]);
        assert_eq!((log.left_out, log.repeated, log.moments.len()), (1, 1, 1));
        let words = log.warnings().join(" ");
        assert!(
            words.contains("1 of 2 lists") && words.contains("name an item"),
            "{words}"
        );
    }
    let empty = ShownLog::new(Vec::new());
    assert_eq!((empty.begin(), empty.earned().value), (None, 0.0));
    let found = off_policy(&empty, &[]);
    assert!(found.ips.value.is_finite() && found.effective_sample == 0.0);
}

#[test]
fn probabilities_that_are_too_small_are_noticed() {
    let (mut log, lists) = simulated(500, 1);
    for moment in &mut log.moments {
        for (_, propensity, _) in &mut moment.shown {
            *propensity /= 2.0;
        }
    }
    let words = off_policy(&log, &lists).warnings.join(" ");
    assert!(words.contains("too small for what was shown"), "{words}");
}
