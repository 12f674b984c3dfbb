//! The kernels beside a plain reference in double precision, for every instruction set of this
//! machine and sizes that fit no vector.

use std::sync::Arc;

use proptest::prelude::*;

use super::simd::Level;
use super::{CpuModel, CpuStream};
use crate::{CellActivation, ModelConfig, NamedTensor};

/// The logit of a session by the formulas of the published network, number after number.
fn reference(config: &ModelConfig, weights: &[NamedTensor], rows: &[f32]) -> f64 {
    let weight = |name: &str| -> Vec<f64> {
        let found = weights.iter().find(|weight| weight.name == name);
        let found = found.expect("every weight is there");
        found.data.iter().copied().map(f64::from).collect()
    };
    let ModelConfig {
        features,
        filters,
        kernel,
        hidden,
        ..
    } = *config;
    let (conv, conv_bias) = (weight("conv.weight"), weight("conv.bias"));
    let (input, recurrent) = (weight("lstm.input"), weight("lstm.recurrent"));
    let (bias, readout) = (weight("lstm.bias"), weight("output.weight"));
    let events = rows.len() / features;
    let before = kernel;
    let plane = |row: usize, column: usize| match row.checked_sub(before) {
        Some(row) => f64::from(rows[row * features + column]),
        None => 0.0,
    };
    let convolved = |row: usize, column: usize, filter: usize| {
        let mut sum = conv_bias[filter];
        for down in 0..kernel {
            for right in 0..kernel {
                let weight = conv[(filter * kernel + down) * kernel + right];
                sum += weight * plane(row + down, column + right);
            }
        }
        sum.max(0.0)
    };
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    let squash = |x: f64| match config.activation {
        CellActivation::Tanh => x.tanh(),
        CellActivation::Relu => x.max(0.0),
    };
    let columns = config.pooled_columns();
    let (mut output, mut cell) = (vec![0.0; hidden], vec![0.0; hidden]);
    // Convolution rows count from 0 to `events`; pooling is aligned to the last.
    let first = (events + 1) % 2;
    for row in (first..events).step_by(2) {
        let mut gates = bias.clone();
        for filter in 0..filters {
            for column in 0..columns {
                let corners = [(0, 0), (0, 1), (1, 0), (1, 1)];
                let values =
                    corners.map(|(down, right)| convolved(row + down, 2 * column + right, filter));
                let value = values.into_iter().fold(0.0, f64::max);
                let weights = &input[(filter * columns + column) * 4 * hidden..];
                for (gate, weight) in gates.iter_mut().zip(weights) {
                    *gate += value * weight;
                }
            }
        }
        for (unit, value) in output.iter().enumerate() {
            for (gate, weight) in gates.iter_mut().zip(&recurrent[unit * 4 * hidden..]) {
                *gate += value * weight;
            }
        }
        for unit in 0..hidden {
            let gate = |index: usize| gates[index * hidden + unit];
            let admitted = sigmoid(gate(0)) * squash(gate(2));
            cell[unit] = sigmoid(gate(1)) * cell[unit] + admitted;
            output[unit] = sigmoid(gate(3)) * squash(cell[unit]);
        }
    }
    let bias: f64 = weight("output.bias").iter().sum();
    bias + output.iter().zip(readout).map(|(a, b)| a * b).sum::<f64>()
}

/// Rows like a featuriser's: flags, zeros and normalised numbers.
fn rows(count: usize, mut seed: u64) -> Vec<f32> {
    let mut number = || {
        // xorshift64* (Vigna 2016).
        seed = seed.max(1);
        seed ^= seed >> 12;
        seed ^= seed << 25;
        seed ^= seed >> 27;
        let unit = (seed.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 40) as f32 / (1u32 << 24) as f32;
        match unit {
            ..0.3 => 0.0,
            ..0.5 => 1.0,
            _ => (unit - 0.75) * 8.0,
        }
    };
    (0..count).map(|_| number()).collect()
}

fn configs() -> impl Strategy<Value = ModelConfig> {
    let sizes = (1usize..5, 0usize..37, 1usize..34, 4usize..=128);
    (sizes, any::<bool>()).prop_map(|((kernel, more, filters, hidden), tanh)| ModelConfig {
        ensemble: None,
        features: kernel + 1 + more,
        context: 0,
        filters,
        kernel,
        hidden,
        context_hidden: 1,
        activation: if tanh {
            CellActivation::Tanh
        } else {
            CellActivation::Relu
        },
        dropout: 0.0,
    })
}

/// Largest difference from the reference, relative to what is above one (ReLU cells are unbounded).
fn check(config: &ModelConfig, lengths: &[usize], seed: u64) -> f64 {
    let mut weights = config.initial_weights(seed).expect("valid");
    // Fresh biases are zero: any other number tests more.
    let mut other = seed;
    for weight in weights.iter_mut().filter(|weight| weight.shape.len() == 1) {
        other += 1;
        for (value, random) in weight.data.iter_mut().zip(rows(999, other)) {
            *value += 0.05 * random;
        }
    }
    let sessions: Vec<Vec<f32>> = lengths
        .iter()
        .enumerate()
        .map(|(index, events)| rows(events * config.features, seed ^ (index as u64 + 1)))
        .collect();
    let given: Vec<_> = sessions.iter().map(|rows| (&rows[..], &[][..])).collect();
    let mut worst = 0.0f64;
    for level in Level::available() {
        let model = CpuModel::for_level(level, config, &weights).expect("valid");
        let model = Arc::new(model);
        let last = model.score_batch(&given, 2);
        let prefixes = model.score_prefixes(&given, 1);
        let mut stream = CpuStream::new(Arc::clone(&model));
        for ((rows, &last), prefixes) in sessions.iter().zip(&last).zip(&prefixes) {
            stream.reset();
            assert_eq!(stream.logit(&[]), prefixes[0]);
            for (row, &logit) in rows.chunks_exact(config.features).zip(&prefixes[1..]) {
                assert_eq!(stream.what_if(row, &[]), [logit], "{level:?}: what if");
                stream.push(row);
                assert_eq!(stream.logit(&[]), logit, "{level:?}: live and in bulk");
            }
            assert_eq!(
                prefixes.last(),
                Some(&last),
                "{level:?}: whole and by prefix"
            );
            assert_eq!(model.score(rows, &[]), last, "{level:?}: one and many");
            let exact = reference(config, &weights, rows);
            let error = (f64::from(last) - exact).abs() / exact.abs().max(1.0);
            // What is no number must not pass for small.
            worst = if error >= 0.0 {
                worst.max(error)
            } else {
                f64::INFINITY
            };
        }
    }
    worst
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(64)
    })]

    #[test]
    fn every_way_gives_the_reference_s_logit(
        config in configs(),
        lengths in prop::collection::vec(0usize..=70, 1..9),
        seed in any::<u64>(),
    ) {
        let worst = check(&config, &lengths, seed);
        prop_assert!(worst <= 1e-4, "{config:?}: {worst:e}");
    }
}

#[test]
fn the_published_network_gives_the_reference_s_logit() {
    let lengths: Vec<usize> = (0..60).collect();
    let worst = check(&ModelConfig::seed(16, 0), &lengths, 3);
    println!("largest difference: {worst:.1e}");
    assert!(worst <= 2e-6, "{worst:e}");
}

#[test]
fn alternatives_beyond_a_tile_come_in_order() {
    let config = ModelConfig::seed(9, 2);
    let weights = config.initial_weights(5).expect("valid");
    let mut stream = CpuStream::new(Arc::new(CpuModel::new(&config, &weights).expect("valid")));
    for row in rows(3 * 9, 1).chunks_exact(9) {
        stream.push(row);
    }
    let candidates = rows(61 * 9, 8);
    let expected: Vec<f32> = candidates
        .chunks_exact(9)
        .map(|row| {
            let mut after = stream.clone();
            after.push(row);
            after.logit(&[0.5, -1.0])
        })
        .collect();
    assert_eq!(stream.what_if(&candidates, &[0.5, -1.0]), expected);
    assert!(stream.what_if(&[], &[]).is_empty());
}

/// `cargo test --release -p propense-model --no-default-features by_level -- --ignored --nocapture`
#[test]
#[ignore = "prints times"]
fn time_by_level() {
    use std::time::Instant;

    let config = ModelConfig::seed(16, 0);
    let weights = config.initial_weights(1).expect("valid");
    let sessions: Vec<Vec<f32>> = (1..=256).map(|seed| rows(32 * 16, seed)).collect();
    let given: Vec<_> = sessions.iter().map(|rows| (&rows[..], &[][..])).collect();
    for level in Level::available() {
        let model = Arc::new(CpuModel::for_level(level, &config, &weights).expect("valid"));
        let mut stream = CpuStream::new(Arc::clone(&model));
        let mut sum = 0.0;
        let mut best = [f64::INFINITY; 4];
        for _ in 0..20 {
            let mut time = |place: usize, work: &mut dyn FnMut() -> f32| {
                let start = Instant::now();
                sum += work();
                best[place] = best[place].min(start.elapsed().as_secs_f64());
            };
            time(0, &mut || {
                for rows in sessions.iter().take(32) {
                    for row in rows.chunks_exact(16) {
                        stream.push(row);
                    }
                }
                stream.logit(&[])
            });
            time(1, &mut || model.score_batch(&given, 1)[7]);
            time(2, &mut || model.score_batch(&given, 2)[7]);
            time(3, &mut || model.score_prefixes(&given, 1)[7][3]);
        }
        println!(
            "{level:?}: event {:.2} µs; 256 sessions {:.2} ms, two threads {:.2} ms, every prefix {:.2} ms ({sum})",
            best[0] * 1e6 / 1024.0,
            best[1] * 1e3,
            best[2] * 1e3,
            best[3] * 1e3,
        );
    }
}
