use std::sync::Arc;

use super::*;
use crate::weights::Random;
use crate::{ModelConfig, NamedTensor};

const FEATURES: usize = 6;
const CONTEXT: usize = 3;

fn model() -> Arc<CpuModel> {
    let config = config();
    Arc::new(CpuModel::new(&config, &weights(&config)).expect("a model"))
}

fn config() -> ModelConfig {
    ModelConfig {
        filters: 4,
        hidden: 8,
        context_hidden: 4,
        ..ModelConfig::seed(FEATURES, CONTEXT)
    }
}

fn weights(config: &ModelConfig) -> Vec<NamedTensor> {
    config.initial_weights(3).expect("weights")
}

fn head(slope: f64, offset: f64) -> Head {
    Head {
        shared: model().head().into_iter().map(f64::from).collect(),
        slope,
        offset,
    }
}

fn rows(count: usize) -> Vec<Vec<f32>> {
    let number = |event: usize, column: usize| ((event * 7 + column * 5) % 11) as f32 / 5.0 - 1.0;
    let row = |event| (0..FEATURES).map(|column| number(event, column)).collect();
    (0..count).map(row).collect()
}

fn inputs(events: usize) -> Vec<f32> {
    let mut stream = CpuStream::new(model());
    let mut inputs = Vec::new();
    for row in rows(events) {
        stream.push(&row);
        inputs.extend(stream.head_input(&[0.4, -1.0, 0.7]));
    }
    inputs
}

fn random() -> impl FnMut() -> u64 {
    let mut state = Random::seeded(11);
    move || state.bits()
}

#[test]
fn the_input_gives_the_streams_logit() {
    let context = [0.4, -1.0, 0.7];
    let (head, mut stream) = (head(1.0, 0.0), CpuStream::new(model()));
    let nothing = vec![0.0; head.width()];
    for row in [vec![]].into_iter().chain(rows(7)) {
        if !row.is_empty() {
            stream.push(&row);
        }
        let found = head.probability(&nothing, &stream.head_input(&context));
        let expected = 1.0 / (1.0 + (-f64::from(stream.logit(&context))).exp());
        assert!((found - expected).abs() < 1e-6, "{found} and {expected}");
    }
}

#[test]
fn a_changed_model_scores_as_its_head_does() {
    let head = head(1.0, 0.0);
    let difference: Vec<f64> = (0..head.width()).map(|at| at as f64 / 50.0 - 0.1).collect();
    let changed = Arc::new(model().with_difference(&difference));
    let mut stream = CpuStream::new(changed);
    let context = [0.4, -1.0, 0.7];
    for row in rows(5) {
        stream.push(&row);
        let found = head.probability(&difference, &stream.head_input(&context));
        let expected = 1.0 / (1.0 + (-f64::from(stream.logit(&context))).exp());
        assert!((found - expected).abs() < 1e-6, "{found} and {expected}");
    }
}

#[test]
fn the_gradient_is_that_of_the_log_loss() {
    let head = head(0.8, 0.3);
    let (one, other) = (inputs(4), inputs(7));
    let sessions = [
        Lived {
            inputs: &one,
            bought: true,
        },
        Lived {
            inputs: &other,
            bought: false,
        },
    ];
    let loss = |difference: &[f64]| {
        let of = |session: &Lived<'_>| {
            let moments = session.inputs.chunks_exact(head.width());
            let count = moments.len() as f64;
            let losses = moments.map(|input| {
                let p = head.probability(difference, input);
                if session.bought {
                    -p.ln()
                } else {
                    -(1.0 - p).ln()
                }
            });
            losses.sum::<f64>() / count
        };
        sessions.iter().map(of).sum::<f64>() / 2.0
    };
    let at: Vec<f64> = (0..head.width())
        .map(|place| (place % 5) as f64 / 40.0)
        .collect();
    let gradient = head.gradient(&at, &sessions);
    for (place, found) in gradient.iter().enumerate() {
        let near = |step: f64| {
            let mut moved = at.clone();
            moved[place] += step;
            loss(&moved)
        };
        let expected = (near(1e-5) - near(-1e-5)) / 2e-5;
        assert!(
            (found - expected).abs() < 1e-8,
            "{place}: {found} and {expected}"
        );
    }
}

#[test]
fn it_learns_within_its_bounds_and_from_nothing_nothing() {
    let head = head(1.0, 0.0);
    let inputs = inputs(6);
    let sessions = [Lived {
        inputs: &inputs,
        bought: true,
    }];
    let nothing = vec![0.0; head.width()];
    let how = Steps {
        steps: 20,
        rate: 0.5,
        radius: 0.3,
    };
    let learnt = head.learn(&sessions, how);
    assert!(length(&learnt) <= 0.3 + 1e-12);
    let last = &inputs[5 * head.width()..];
    assert!(head.probability(&learnt, last) > head.probability(&nothing, last));
    assert_eq!(head.learn(&[], how), nothing);
    let mut broken = inputs.clone();
    broken[3] = f32::NAN;
    let sessions = [Lived {
        inputs: &broken,
        bought: true,
    }];
    assert_eq!(head.learn(&sessions, how), nothing);
}

#[test]
fn the_noise_is_normal_and_what_is_sent_within_the_bound() {
    let width = 161;
    let (mut random, multiplier) = (random(), 0.8);
    let mut all = Vec::new();
    for _ in 0..200 {
        let sent = Contribution::with_noise(vec![10.0; width], multiplier, &mut random);
        sent.check(width, multiplier).expect("an honest one");
        all.extend(sent.values(multiplier));
    }
    // Clipped to length 1: each number is 1 / √161 before the noise of 2 · 0.8.
    let count = all.len() as f64;
    let mean = all.iter().sum::<f64>() / count;
    let spread = (all.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count).sqrt();
    assert!(
        (mean - 1.0 / 161f64.sqrt()).abs() < 4.0 * 1.6 / count.sqrt(),
        "{mean}"
    );
    assert!((spread - 1.6).abs() < 0.03, "{spread}");
    let beyond = all
        .iter()
        .filter(|x| (*x - mean).abs() > 2.0 * spread)
        .count() as f64
        / count;
    assert!((beyond - 0.0455).abs() < 0.005, "{beyond}");
}

#[test]
fn what_no_honest_device_sends_is_refused() {
    let (width, multiplier) = (161, 0.8);
    let sent = |number: i32, width: usize| Contribution {
        numbers: vec![number; width],
    };
    assert!(matches!(
        sent(1, 160).check(width, multiplier),
        Err(Unfit::Width { .. })
    ));
    assert!(matches!(
        sent(i32::MAX, 161).check(width, multiplier),
        Err(Unfit::Length { .. })
    ));
    assert!(matches!(
        sent(i32::MIN, 161).check(width, multiplier),
        Err(Unfit::Length { .. })
    ));
    // 1.6 · √161 is the usual length: 64 units a number.
    sent(64, 161).check(width, multiplier).expect("usual");
    assert!(matches!(
        sent(100, 161).check(width, multiplier),
        Err(Unfit::Length { .. })
    ));
}

#[test]
fn liars_move_the_mean_hardly_however_well_each_is_hidden() {
    let (width, count, multiplier) = (40, 2000, 0.8);
    let deviation = Contribution::deviation(multiplier);
    let mut random = random();
    let honest: Vec<f64> = (0..width)
        .map(|at| if at % 2 == 0 { 0.05 } else { -0.05 })
        .collect();
    let mut sent = |shift: f64, update: &[f64]| {
        let sent = Contribution::with_noise(update.to_vec(), multiplier, &mut random);
        let back = honest.iter().map(|x| -x / length(&honest) * shift);
        sent.values(multiplier)
            .iter()
            .zip(back)
            .map(|(x, y)| x + y)
            .collect()
    };
    let away = |found: &[f64]| -> f64 {
        let off: Vec<f64> = found.iter().zip(&honest).map(|(x, y)| x - y).collect();
        length(&off)
    };
    let plain = |all: &[Vec<f64>]| filtered_mean(all, 1e9);
    let all: Vec<Vec<f64>> = (0..count).map(|_| sent(0.0, &honest)).collect();
    // Noise alone leaves nobody out: to the last place the plain mean.
    let by_chance = away(&filtered_mean(&all, deviation));
    assert!((away(&plain(&all)) - by_chance).abs() < 1e-12);
    assert!(by_chance < 0.3, "{by_chance}");
    // One in twenty pulls back: no farther than noise can be, or as far as the check lets pass.
    for (shift, harm, left) in [(6.0 * deviation, 0.4, 0.1), (12.0 * deviation, 0.8, 0.05)] {
        let mut lied = all.clone();
        for liar in lied.iter_mut().step_by(20) {
            *liar = sent(shift, &vec![0.0; width]);
        }
        assert!(away(&plain(&lied)) > harm, "{}", away(&plain(&lied)));
        let filtered = away(&filtered_mean(&lied, deviation));
        assert!(filtered < by_chance + left, "{filtered} beside {by_chance}");
    }
    assert!(filtered_mean(&[], deviation).is_empty());
    assert_eq!(filtered_mean(&[vec![2.0]], deviation), [2.0]);
    assert_eq!(filtered_mean(&[vec![], vec![1.0]], deviation), [0.0; 0]);
}

#[test]
fn wild_numbers_are_left_out() {
    let honest = (0..95).map(|at| vec![f64::from(at) / 95.0, -1.0]);
    let liars = (0..5).map(|_| vec![1e9, -1e9]);
    let all: Vec<Vec<f64>> = honest.chain(liars).collect();
    let found = filtered_mean(&all, 0.1);
    assert!((found[0] - 0.5).abs() < 0.06, "{found:?}");
    assert_eq!(found[1], -1.0);
}
